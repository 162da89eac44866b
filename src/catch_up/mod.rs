//! Catch-up: what to ask for that no event brought, and what the answers mean.
//!
//! A machine without I/O: [`CatchUp::next`] gives the request to make,
//! [`Core::answer`](crate::Core::answer) takes what came of it. The plugin,
//! `clankers import` and the tests are loops around it: whoever has a host to
//! ask and a store to read drives it.
//!
//! 1. A directory is compared: the host lists its sessions, the store what it
//!    holds of them; what differs is fetched, what the store of the host had
//!    and does not list any more is asked for by itself (`compare`).
//! 2. A session is fetched: itself, its to-do list, its messages page by page.
//!    What is stored and was not answered is asked for by itself (`fetch`, `question`).
//! 3. A session of which only the time of change may be missing is asked for
//!    without its messages (`look`).
//! 4. One request at a time: two directories may know the same session.

mod compare;
mod differences;
mod fetch;
mod listed;
mod question;
mod queue;
mod request;
mod stored;

use std::collections::BTreeSet;

use crate::model::copy_rank::CopyRank;
use crate::model::number::Number;
use crate::recorded::Recorded;
use compare::Compare;
use fetch::Fetch;
pub use listed::Listed;
pub use question::{Missing, Spoken};
use queue::Queue;
pub use request::{Answer, Request};
pub use stored::{StoredMessage, StoredSession};

/// How long until a directory is compared again while events are known to be
/// missing, or what is stored cannot be told, milliseconds.
const AGAIN_MS: f64 = 10_000.0;
/// How long that grows to be while nothing can be told.
const LONGEST_MS: f64 = 600_000.0;

/// What is to be asked, and what is being asked now.
#[derive(Debug, Default)]
pub(crate) struct CatchUp {
    /// The directories to compare.
    directories: BTreeSet<String>,
    /// A directory whose host is about to go, and is to say which store it has.
    of_store: Option<String>,
    /// Whether a host was asked which store it has.
    is_store_asked: bool,
    /// Sessions to fetch that this process met, each with the directory whose
    /// host is asked.
    wanted: Queue,
    /// Those to fetch that a comparison found, after the others.
    sessions: Queue,
    /// Sessions to ask for that their store does not list any more.
    unlisted: Queue,
    task: Option<Task>,
    /// How often in a row it could not be told what is stored.
    refusals: i32,
    /// The directories whose comparison came to no end because of that.
    put_off: BTreeSet<String>,
    /// How the copy of an agent's data ranks that answers; none where the agent does.
    copy: Option<CopyRank>,
    /// What is recorded: the rest is not asked for.
    recorded: Recorded,
}

/// A session of a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    directory: String,
    session_id: String,
}

/// What is under way.
#[derive(Debug)]
enum Task {
    Compare(Compare),
    /// A session that its store does not list any more, and when it was asked for.
    Verify(Wanted, f64),
    Fetch(Box<Fetch>),
    /// A session of which only the time of change may be missing.
    Look(Wanted),
}

/// What an answer comes to: what is to be folded in, in this order.
#[derive(Debug)]
pub(crate) enum Outcome<'a, N> {
    /// The store that answers is this one; none where it is in doubt.
    Store(Option<String>),
    /// Sessions that are listed, each with its directory.
    Listed(Vec<(String, String)>),
    /// What a directory's list was compared with.
    Compared {
        /// What is stored.
        stored: Vec<StoredSession>,
        /// The sessions that this store has, too, each with its time of change.
        seen: Vec<(String, Option<Number>)>,
        /// The sessions to fetch that another store had later, each with the
        /// time of change up to which they are stored whole.
        older: Vec<(String, Number)>,
        /// When the list was asked for, Unix milliseconds.
        asked: f64,
    },
    /// A session is being asked for from now on.
    Begin(String),
    /// What the host says of the session itself.
    Session(&'a N),
    /// The session's to-do list.
    Todos(String, &'a N),
    /// Messages of the session, with their parts.
    Messages(String, Vec<N>),
    /// What the host has no more of the session.
    Missing(String, Missing),
    /// A session that its store has no more, and when it was asked for.
    SessionMissing(String, f64),
    /// No more of the session comes.
    End {
        /// Whose host was asked.
        directory: String,
        /// The session.
        session_id: String,
        /// Whether all of it came.
        is_whole: bool,
    },
}

/// How what was answered reads, which the source knows.
pub(crate) struct Reading<N> {
    pub(crate) listed: fn(&N) -> Option<Listed>,
    pub(crate) spoken: fn(&N) -> Option<Spoken>,
}

impl CatchUp {
    /// One that has nothing to ask.
    pub(crate) fn new(recorded: Recorded) -> Self {
        Self {
            recorded,
            ..Self::default()
        }
    }

    /// What answers is a copy of an agent's data.
    pub(crate) fn read_copy(&mut self, rank: CopyRank) {
        self.copy = Some(rank);
    }

    /// Compares this directory's sessions.
    pub(crate) fn compare(&mut self, directory: &str) {
        self.directories.insert(directory.to_owned());
    }

    /// Fetches these sessions from this directory's host, before those that a
    /// comparison found.
    pub(crate) fn fetch(&mut self, directory: &str, session_ids: Vec<String>) {
        for session_id in session_ids {
            let wanted = Wanted {
                directory: directory.to_owned(),
                session_id,
            };
            self.sessions.forget(&wanted);
            self.wanted.push(wanted);
        }
    }

    /// Fetches these sessions, which a comparison found, unless they are to be
    /// fetched anyway.
    fn fetch_later(&mut self, directory: &str, session_ids: Vec<String>) {
        for session_id in session_ids {
            let wanted = Wanted {
                directory: directory.to_owned(),
                session_id,
            };
            if !self.wanted.contains(&wanted) {
                self.sessions.push(wanted);
            }
        }
    }

    /// Asks this directory's host for a session of which all is known, but for
    /// its time of change. To be called where nothing else is to be asked.
    pub(crate) fn look(&mut self, directory: &str, session_id: String) {
        self.task = Some(Task::Look(Wanted {
            directory: directory.to_owned(),
            session_id,
        }));
    }

    /// This directory's host is about to go: only what this process met is still
    /// fetched from it. Which store it has is asked for that, or where something
    /// else `needs_store`. Gives the session that is not asked for any more for it.
    pub(crate) fn hurry(&mut self, directory: &str, needs_store: bool) -> Option<String> {
        self.directories.remove(directory);
        self.sessions.leave(directory);
        self.unlisted.leave(directory);
        if !self.is_store_asked && (needs_store || self.wanted.has(directory)) {
            self.of_store = Some(directory.to_owned());
        }
        match &self.task {
            Some(Task::Look(_)) => None,
            Some(Task::Fetch(fetch)) if fetch.is_first() => None,
            Some(Task::Compare(compare)) if compare.is_of_store() => None,
            _ => self.give_up(directory),
        }
    }

    /// Whether anything is still to be asked of this directory's host once it hurries.
    pub(crate) fn is_hurrying(&self, directory: &str) -> bool {
        let is_under_way = |task: &Task| task.directory() == directory;
        self.wanted.has(directory)
            || self.of_store.as_deref() == Some(directory)
            || self.task.as_ref().is_some_and(is_under_way)
    }

    /// This directory's host is gone: nothing more is asked of it. Gives the
    /// session that was being asked for.
    pub(crate) fn leave(&mut self, directory: &str) -> Option<String> {
        self.directories.remove(directory);
        self.put_off.remove(directory);
        self.of_store.take_if(|of_store| of_store == directory);
        self.wanted.leave(directory);
        self.sessions.leave(directory);
        self.unlisted.leave(directory);
        self.give_up(directory)
    }

    /// What is being asked of this directory's host, if anything is, is not
    /// asked any more.
    fn give_up(&mut self, directory: &str) -> Option<String> {
        if self.task.as_ref()?.directory() != directory {
            return None;
        }
        match self.task.take()? {
            Task::Fetch(fetch) => fetch.has_begun().then(|| fetch.session_id().to_owned()),
            Task::Look(wanted) => Some(wanted.session_id),
            Task::Compare(_) | Task::Verify(..) => None,
        }
    }

    /// Whether anything is to be asked.
    pub(crate) fn is_idle(&self) -> bool {
        self.task.is_none()
            && self.directories.is_empty()
            && self.wanted.is_empty()
            && self.sessions.is_empty()
            && self.unlisted.is_empty()
    }

    /// How soon all is to be compared again, milliseconds, while what is stored
    /// could not be told or `is_missing_events`.
    pub(crate) fn again_in(&self, is_missing_events: bool) -> Option<f64> {
        let is_needed = is_missing_events || self.refusals > 0 || !self.put_off.is_empty();
        is_needed.then(|| (AGAIN_MS * 2.0_f64.powi(self.refusals.min(16))).min(LONGEST_MS))
    }

    /// The request to make. The same one until it is answered. `now` is Unix
    /// milliseconds, `store_id` the store that answers, where it is known. No session
    /// is begun of which `is_ignored` says that it is not recorded.
    pub(crate) fn next(
        &mut self,
        store_id: Option<&str>,
        now: f64,
        is_ignored: &dyn Fn(&str) -> bool,
    ) -> Option<Request> {
        if self.task.is_none() {
            self.task = self.begin(now, is_ignored);
        }
        Some(match self.task.as_ref()? {
            Task::Compare(compare) => compare.request(store_id),
            Task::Verify(wanted, _) | Task::Look(wanted) => wanted.request(),
            Task::Fetch(fetch) => fetch.request(store_id),
        })
    }

    fn begin(&mut self, now: f64, is_ignored: &dyn Fn(&str) -> bool) -> Option<Task> {
        let next = |queue: &mut Queue| {
            std::iter::from_fn(|| queue.pop()).find(|wanted| !is_ignored(&wanted.session_id))
        };
        if let Some(directory) = self.of_store.take() {
            return Some(Task::Compare(Compare::of_store(directory, now)));
        }
        if let Some(directory) = self.directories.pop_first() {
            return Some(Task::Compare(Compare::new(directory, now)));
        }
        if let Some(wanted) = next(&mut self.wanted) {
            return Some(Task::Fetch(Box::new(Fetch::first(wanted))));
        }
        if let Some(wanted) = next(&mut self.sessions) {
            return Some(Task::Fetch(Box::new(Fetch::new(wanted))));
        }
        let wanted = next(&mut self.unlisted)?;
        Some(Task::Verify(wanted, now))
    }

    /// Takes what came of the request made last.
    pub(crate) fn answer<'a, N: crate::read::node::Node>(
        &mut self,
        answer: Answer<'a, N>,
        reading: &Reading<N>,
    ) -> Vec<Outcome<'a, N>> {
        match self.task.take() {
            None => Vec::new(),
            Some(Task::Verify(wanted, asked)) => match answer {
                Answer::None => vec![Outcome::SessionMissing(wanted.session_id, asked)],
                _ => Vec::new(),
            },
            Some(Task::Look(wanted)) => {
                let told = match answer {
                    Answer::Found(info) => Some(Outcome::Session(info)),
                    _ => None,
                };
                told.into_iter().chain([wanted.end(true)]).collect()
            }
            Some(Task::Compare(compare)) => self.compared(compare, answer, reading),
            Some(Task::Fetch(fetch)) => self.fetched(fetch, answer, reading),
        }
    }
}

impl Task {
    fn directory(&self) -> &str {
        match self {
            Self::Compare(compare) => compare.directory(),
            Self::Verify(wanted, _) | Self::Look(wanted) => &wanted.directory,
            Self::Fetch(fetch) => fetch.directory(),
        }
    }
}

impl Wanted {
    fn request(&self) -> Request {
        Request::Session {
            directory: self.directory.clone(),
            session_id: self.session_id.clone(),
        }
    }

    fn end<'a, N>(self, is_whole: bool) -> Outcome<'a, N> {
        Outcome::End {
            directory: self.directory,
            session_id: self.session_id,
            is_whole,
        }
    }
}
