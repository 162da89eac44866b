//! The core as its callers see it: observe, drain, settle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use crate::catch_up::{Answer, CatchUp, Outcome, Request};
use crate::counts::Counts;
use crate::model::command::Command;
use crate::model::copy_rank::CopyRank;
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::row::OnDelete;
use crate::read::node::Node;
use crate::read::rejections::Rejections;
use crate::reconcile::{Reconciler, Urgency};
use crate::recorded::Recorded;
use crate::sources::{Context, Decoded, Dialect};

/// How many sessions may wait to be asked for their time of change. What is
/// beyond is found when OpenCode starts next.
const MOST_LOOKS: usize = 1024;

/// What a core is told when it is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose events and answers come.
    pub dialect: Dialect,
    /// What becomes of what OpenCode deletes.
    pub on_delete: OnDelete,
    /// What tells OpenCode's store from others, where that is known.
    pub store_id: Option<String>,
    /// What is recorded.
    pub recorded: Recorded,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialect: Dialect::OPENCODE1,
            on_delete: OnDelete::Tombstone,
            store_id: None,
            recorded: Recorded::default(),
        }
    }
}

/// Decodes and reconciles events, and holds what is not stored yet.
#[derive(Debug)]
pub struct Core {
    dialect: Dialect,
    reconciler: Reconciler,
    catch_up: CatchUp,
    /// Sessions whose time of change may have moved, each with the directory
    /// whose host is asked.
    looks: BTreeMap<String, String>,
    rejections: Rejections,
    /// The commands that were drained and are not settled.
    in_flight: Vec<Command>,
    /// What was to be drained with them, and is left for the next drains.
    due: VecDeque<Command>,
    /// The release that made the session met last, for rejections.
    source_version: Option<String>,
    /// What was counted since it was told last.
    counts: Counts,
    /// Whether a session is being asked for.
    is_asking: bool,
}

/// What was evicted, since nothing can be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Evicted {
    /// It is little enough.
    Nothing,
    /// All that waited: every directory is to be compared once something can be stored.
    All {
        /// How many changes.
        changes: usize,
    },
    /// Texts and tool calls: these sessions are to be fetched then.
    Texts {
        /// The sessions' ids.
        sessions: BTreeSet<String>,
    },
}

impl Evicted {
    /// Its TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
export type Evicted =
  | { what: \"all\"; changes: number }
  | { what: \"texts\"; sessions: string[] };
";
}

impl Core {
    /// A core that has seen nothing.
    pub fn new(options: Options) -> Self {
        let mut reconciler = Reconciler::new(options.on_delete, options.store_id);
        reconciler.record(options.recorded.clone());
        Self {
            dialect: options.dialect,
            reconciler,
            catch_up: CatchUp::new(options.recorded),
            looks: BTreeMap::new(),
            rejections: Rejections::default(),
            in_flight: Vec::new(),
            due: VecDeque::new(),
            source_version: None,
            counts: Counts::default(),
            is_asking: false,
        }
    }

    /// One that is answered by a copy of an agent's data, and not by the agent: it
    /// brings in what is not recorded, and overwrites nothing that is stored
    /// whole and is newer. `dialect` says which agent's data it is, `rank` which of
    /// several copies tells what their times of change leave open.
    pub fn of_copy(dialect: Dialect, rank: CopyRank, recorded: Recorded) -> Self {
        let mut core = Self::new(Options {
            dialect: dialect.of_copy(),
            recorded,
            ..Options::default()
        });
        core.reconciler.read_copy(rank);
        core.catch_up.read_copy(rank);
        core
    }

    /// Takes one bus event, whatever it is. `now` is Unix milliseconds.
    pub fn observe<N: Node>(&mut self, event: &N, now: f64) -> Urgency {
        let reconciler = &self.reconciler;
        let held = |part_id: &str| reconciler.held(part_id);
        let decoded = self.dialect.decode(event, &Context { now, held: &held });
        self.take(event, decoded, now, Reconciler::fold)
    }

    /// Folds in what was decoded, and counts what was refused of it.
    fn take<N: Node>(
        &mut self,
        node: &N,
        mut decoded: Decoded,
        now: f64,
        fold: impl Fn(&mut Reconciler, Event, Number) -> Urgency,
    ) -> Urgency {
        let now = Number::new(now).unwrap_or_default();
        let mut urgency = Urgency::None;
        let at = decoded.at.unwrap_or(now);
        let told = decoded.event.take().into_iter();
        for event in told.chain(std::mem::take(&mut decoded.more)) {
            if let Event::SessionCreated(row) | Event::Session(row) = &event {
                self.source_version = row
                    .source_version
                    .value()
                    .cloned()
                    .or(self.source_version.take());
            }
            urgency = urgency.max(fold(&mut self.reconciler, event, at));
        }
        if !decoded.rejections.is_empty() {
            let version = self.source_version.as_deref();
            let (kind, refused) = (&decoded.event_type, &decoded.rejections);
            for row in self.rejections.count(node, kind, refused, version, now) {
                self.reconciler.reject(row);
            }
            urgency = urgency.max(Urgency::Soon);
        }
        urgency
    }

    /// Takes the commands that are due. They are in flight until
    /// [`settle`](Self::settle); meanwhile this gives none.
    pub fn drain(&mut self) -> &[Command] {
        self.drain_at_most(usize::MAX)
    }

    /// The same, of which so many [bytes](Command::weight) are taken, and one
    /// command at least. What [is left](Self::has_due) is for the next drains.
    pub fn drain_at_most(&mut self, bytes: usize) -> &[Command] {
        if !self.in_flight.is_empty() {
            return &[];
        }
        // What an earlier drain left is older.
        self.due.extend(self.reconciler.drain());
        let mut weight: usize = 0;
        let fits = self.due.iter().take_while(|command| {
            weight = weight.saturating_add(command.weight());
            weight <= bytes
        });
        let count = fits.count().max(1).min(self.due.len());
        self.in_flight = self.due.drain(..count).collect();
        &self.in_flight
    }

    /// Whether the last drain left something.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Ends the flight of the last drain: stored, or to be tried again,
    /// merged with what came since.
    pub fn settle(&mut self, stored: bool) {
        let mut commands = std::mem::take(&mut self.in_flight);
        if !stored {
            commands.extend(std::mem::take(&mut self.due));
            self.reconciler.put_back(commands);
        }
    }

    /// Nothing can be stored: beyond so many changes all of them are evicted,
    /// and beyond so many [bytes](Command::weight) the longest texts and tool calls.
    /// After [`settle`](Self::settle).
    pub fn evict(&mut self, most: usize, most_bytes: usize) -> Evicted {
        let changes = self.reconciler.pending_count();
        if changes > most {
            self.reconciler.drain();
            return Evicted::All { changes };
        }
        match self.reconciler.evict(most_bytes) {
            sessions if sessions.is_empty() => Evicted::Nothing,
            sessions => Evicted::Texts { sessions },
        }
    }

    /// What was stored is not there any more: the database was removed, or another
    /// put in its place. After [`settle`](Self::settle); every directory is to be
    /// compared then, which brings back what the agent still has.
    pub fn forget_stored(&mut self) {
        let due = std::mem::take(&mut self.due);
        self.reconciler.put_back(due.into());
        self.reconciler.forget_stored();
    }

    /// Compares this directory's sessions, by requests.
    pub fn compare(&mut self, directory: &str) {
        self.catch_up.compare(directory);
    }

    /// Fetches these sessions from this directory's host, by requests.
    pub fn fetch(&mut self, directory: &str, session_ids: Vec<String>) {
        self.catch_up.fetch(directory, session_ids);
    }

    /// Fetches what events left incomplete from this directory's host. Whether
    /// there is anything to ask.
    pub fn fetch_wanted(&mut self, directory: &str) -> bool {
        let mut wanted = self.reconciler.take_wanted();
        wanted.retain(|id| !self.reconciler.is_ignored(id));
        self.catch_up.fetch(directory, wanted);
        self.look_at_touched(directory);
        !self.catch_up.is_idle() || !self.looks.is_empty()
    }

    /// This directory's host is about to go: all that is still asked of it is
    /// what events left incomplete, and which store told what was deleted. Whether
    /// there is anything of that.
    pub fn hurry(&mut self, directory: &str) -> bool {
        self.fetch_wanted(directory);
        let needs_store = self.reconciler.has_early_deletions();
        let given_up = self.catch_up.hurry(directory, needs_store);
        self.give_up(given_up);
        self.look_at_touched(directory);
        let reconciler = &self.reconciler;
        self.looks.retain(|id, _| reconciler.is_touched(id));
        let mut looks = self.looks.values();
        self.catch_up.is_hurrying(directory) || looks.any(|of| of == directory)
    }

    /// This directory's host is gone: nothing more is asked of it.
    pub fn leave(&mut self, directory: &str) {
        self.looks.retain(|_, of| of != directory);
        let given_up = self.catch_up.leave(directory);
        self.give_up(given_up);
    }

    /// Sessions whose time of change may have moved are to be asked for that.
    fn look_at_touched(&mut self, directory: &str) {
        for session_id in self.reconciler.take_touched() {
            if self.looks.len() < MOST_LOOKS {
                self.looks.insert(session_id, directory.to_owned());
            }
        }
    }

    /// A session is not asked for any more, in the middle of it: what events told
    /// of it is known all the same.
    fn give_up(&mut self, session_id: Option<String>) {
        if let Some(id) = session_id {
            self.is_asking = false;
            let is_whole = self.reconciler.is_known_whole(&id);
            self.reconciler.end_fetch(&id, is_whole);
        }
    }

    /// How soon all is to be compared again, milliseconds, where events are
    /// known to be missing or what is stored could not be told.
    pub fn compare_again_in(&self) -> Option<f64> {
        self.catch_up.again_in(self.reconciler.is_missing_events())
    }

    /// The request to make next, none where there is nothing to ask. The same
    /// one until it is answered. `now` is Unix milliseconds.
    pub fn next_request(&mut self, now: f64) -> Option<Request> {
        while self.catch_up.is_idle()
            && let Some((session_id, directory)) = self.looks.pop_first()
        {
            // It may have been told of meanwhile.
            if self.reconciler.is_touched(&session_id) && !self.reconciler.is_ignored(&session_id) {
                let now = Number::new(now).unwrap_or_default();
                self.reconciler.begin_fetch(&session_id, now);
                self.catch_up.look(&directory, session_id);
            }
        }
        let reconciler = &self.reconciler;
        let is_ignored = |id: &str| reconciler.is_ignored(id);
        self.catch_up.next(reconciler.store_id(), now, &is_ignored)
    }

    /// Takes what came of that request. What events told since the session was
    /// asked for wins over the answer.
    pub fn answer<N: Node>(&mut self, answer: Answer<'_, N>, now: f64) -> Urgency {
        let dialect = self.dialect;
        let outcomes = self.catch_up.answer(answer, &dialect.reading());
        let time = Number::new(now).unwrap_or_default();
        let mut urgency = Urgency::None;
        for outcome in outcomes {
            urgency = urgency.max(match outcome {
                Outcome::Store(store_id) => self.reconciler.set_store(store_id),
                Outcome::Listed(sessions) => {
                    for (session_id, directory) in sessions {
                        self.reconciler.note_directory(&session_id, &directory);
                    }
                    Urgency::None
                }
                Outcome::Compared {
                    stored,
                    seen,
                    older,
                    asked,
                } => {
                    let asked = Number::new(asked).unwrap_or_default();
                    self.reconciler.note_older(older);
                    self.reconciler.compared(&stored, seen, asked);
                    Urgency::Soon
                }
                Outcome::Begin(session_id) => {
                    self.counts.asked += 1;
                    self.is_asking = true;
                    self.reconciler.begin_fetch(&session_id, time);
                    Urgency::None
                }
                Outcome::Session(info) => self.take_answer(info, dialect.session(info), now),
                Outcome::Todos(session_id, todos) => {
                    self.take_answer(todos, dialect.todos(&session_id, todos), now)
                }
                Outcome::Messages(session_id, messages) => {
                    let mut urgency = Urgency::None;
                    for message in &messages {
                        for decoded in dialect.message(&session_id, message) {
                            urgency = urgency.max(self.take_answer(message, decoded, now));
                        }
                    }
                    urgency
                }
                Outcome::Missing(session_id, missing) => {
                    self.reconciler.missing(&session_id, missing)
                }
                Outcome::SessionMissing(session_id, asked) => {
                    let asked = Number::new(asked).unwrap_or_default();
                    self.reconciler.session_missing(&session_id, asked)
                }
                Outcome::End {
                    directory,
                    session_id,
                    is_whole,
                } => {
                    self.count_answer(is_whole);
                    let wants_again = self.reconciler.wants_again(&session_id);
                    let urgency = self.reconciler.end_fetch(&session_id, is_whole);
                    self.look_at_touched(&directory);
                    if wants_again {
                        self.catch_up.fetch(&directory, vec![session_id]);
                    }
                    urgency
                }
            });
        }
        urgency
    }

    /// No more comes of what was asked. One whose time of change alone was asked for
    /// is not counted.
    fn count_answer(&mut self, is_whole: bool) {
        if std::mem::take(&mut self.is_asking) {
            self.counts.answered += usize::from(is_whole);
            self.counts.failed += usize::from(!is_whole);
        }
    }

    fn take_answer<N: Node>(&mut self, node: &N, decoded: Decoded, now: f64) -> Urgency {
        self.take(node, decoded, now, Reconciler::fold_answer)
    }

    /// How much waits, and what catch-up did since the last call.
    pub fn take_counts(&mut self) -> Counts {
        Counts {
            waiting: self.due.len() + self.reconciler.pending_count(),
            ..std::mem::take(&mut self.counts)
        }
    }

    /// Kinds of rejection that are new since the last call, a line each.
    pub fn notices(&mut self) -> Vec<String> {
        self.rejections.take_notices()
    }
}
