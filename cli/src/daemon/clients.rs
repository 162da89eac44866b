//! The clients that are connected, and which of them makes room when there are too many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};

/// How many clients may be connected at once.
pub(super) const CLIENTS: usize = 512;
/// How long a client must have been silent to be sent away. One that has something to
/// say connects again.
const SILENT: Duration = Duration::from_secs(2);

/// What is known of one client.
#[derive(Debug)]
pub(super) struct Client {
    came: Instant,
    /// When it said something last, milliseconds since it came.
    heard: AtomicU64,
    is_leaving: AtomicBool,
    leave: Notify,
}

impl Client {
    fn new() -> Self {
        Self {
            came: Instant::now(),
            heard: AtomicU64::new(0),
            is_leaving: AtomicBool::new(false),
            leave: Notify::new(),
        }
    }

    /// Notes that it said something.
    pub(super) fn heard(&self) {
        let now = self.came.elapsed().as_millis();
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// Resolves when it is to leave: nothing more is read of it, and it gets the answers
    /// that are under way.
    pub(super) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }

    fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    fn tell_to_leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
        self.leave.notify_one();
    }

    fn silent_since(&self) -> Instant {
        self.came + Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Clients {
    tasks: JoinSet<()>,
    connected: BTreeMap<Id, Arc<Client>>,
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        self.connected.len()
    }

    /// Serves a new one with what `serve` makes of it. Where there are too many, the one
    /// that has been silent for longest is told to leave.
    pub(super) fn add<F>(&mut self, serve: impl FnOnce(Arc<Client>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.connected.len() >= CLIENTS {
            let staying = self
                .connected
                .values()
                .filter(|client| !client.is_leaving());
            if let Some(silent) = staying.min_by_key(|client| client.silent_since()) {
                silent.tell_to_leave();
            }
        }
        let client = Arc::new(Client::new());
        let task = self.tasks.spawn(serve(Arc::clone(&client)));
        self.connected.insert(task.id(), client);
    }

    /// Whether another may come: there is room, or one has been silent.
    pub(super) fn may_come(&self) -> bool {
        let is_silent = |client: &Arc<Client>| {
            !client.is_leaving() && client.silent_since().elapsed() >= SILENT
        };
        self.connected.len() < CLIENTS
            || self.connected.len() < 2 * CLIENTS && self.connected.values().any(is_silent)
    }

    /// Waits until one of them has left. None where there is none.
    pub(super) async fn left(&mut self) -> Option<()> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.connected.remove(&id);
        Some(())
    }
}
