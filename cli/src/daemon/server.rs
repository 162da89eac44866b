//! Accepts clients until a signal says to end, then finishes what was read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::clients::Clients;
use super::connection::{Shared, serve};
use super::health::Health;
use super::open_database::OpenDatabase;
use super::transport::Listener;
use super::writer;
use crate::error::{Context, Result};
use crate::paths::Paths;

/// How long a client may take to read its last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// How long to wait when no client can be accepted, as when files run out.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether a client has been silent, while there are too many.
const LOOK: Duration = Duration::from_millis(500);

/// Runs the daemon. Returns once everything is stored.
pub(crate) fn run(paths: &Paths) -> Result<()> {
    // Before the folder is narrowed: who could write to it may have been there.
    Listener::prepare(&paths.socket)?;
    let database = OpenDatabase::open(paths)?;
    let names = database.names();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context(|| "cannot start".to_owned())?;
    let (jobs, thread) = writer::start(database).context(|| "cannot start".to_owned())?;
    let (end, ending) = watch::channel(false);
    let health = Arc::new(Health::new(paths.db.clone(), names));
    let shared = Shared {
        jobs,
        health,
        ending,
    };
    let ended = runtime.block_on(async {
        let mut stop = std::pin::pin!(stopped()?);
        let mut listener = Listener::bind(&paths.socket)?;
        tracing::info!(socket = %paths.socket.display(), db = %paths.db.display(), "ready");
        let mut clients = Clients::default();
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(()) = clients.left() => {}
                () = tokio::time::sleep(LOOK), if !clients.may_come() => {}
                accepted = listener.accept(), if clients.may_come() => match accepted {
                    Ok(stream) => {
                        let shared = shared.clone();
                        clients.add(|client| async move {
                            tracing::debug!("a client came");
                            if let Err(error) = serve(stream, shared, &client).await {
                                tracing::info!(%error, "a client was lost");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::error!(%error, "cannot accept a client");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        }
        tracing::info!(
            clients = clients.len(),
            "ending: what was read is being stored"
        );
        drop(listener);
        end.send_replace(true);
        let last = async { while clients.left().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, last).await.is_err() {
            tracing::warn!(clients = clients.len(), "left clients that do not read");
        }
        Ok(())
    });
    drop(shared);
    drop(runtime);
    if thread.join().is_err() {
        tracing::error!("the writer ended badly");
    }
    tracing::info!("ended");
    ended
}

/// Resolves when the daemon is asked to end.
#[cfg(unix)]
fn stopped() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves when the daemon is asked to end.
#[cfg(windows)]
fn stopped() -> Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    let mut shutdown = tokio::signal::windows::ctrl_shutdown()?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}
