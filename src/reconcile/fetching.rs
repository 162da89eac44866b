//! The course of catch-up, as the reconciler hears it: what was compared, what is
//! being asked for, what is there no more, and when all of a session is in.

use std::collections::BTreeSet;

use super::session_state::Turn;
use super::{Reconciler, Urgency};
use crate::catch_up::{Missing, StoredSession};
use crate::model::command::{Command, MessageMissing, PartMissing, SessionMissing};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{SessionRow, SessionStatus};

impl Reconciler {
    /// OpenCode was asked at `since` for a session that it does not list, and
    /// has none of this id.
    pub fn session_missing(&mut self, id: &str, since: Number) -> Urgency {
        let Some(store_id) = self.store_id.clone() else {
            return Urgency::None;
        };
        self.pending.add(Command::SessionMissing(SessionMissing {
            id: id.to_owned(),
            store_id,
            since,
        }));
        Urgency::Soon
    }

    /// What OpenCode has no more of a session that is being asked for. What
    /// events told meanwhile it has.
    pub fn missing(&mut self, session_id: &str, missing: Missing) -> Urgency {
        let (Some(store_id), Some(since)) =
            (self.store_id.clone(), self.fetches.asked_at(session_id))
        else {
            return Urgency::None;
        };
        let is_told = |id: &str| self.fetches.is_told(session_id, id);
        let session_id = session_id.to_owned();
        let commands: Vec<Command> = match missing {
            Missing::Message(id) if is_told(&id) => return Urgency::None,
            Missing::Message(id) => vec![Command::MessageMissing(MessageMissing {
                id,
                session_id,
                store_id,
                since,
            })],
            Missing::Parts {
                message_id,
                part_ids,
            } => part_ids
                .into_iter()
                .filter(|id| !is_told(id))
                .map(|id| {
                    Command::PartMissing(PartMissing {
                        id,
                        message_id: message_id.clone(),
                        session_id: session_id.clone(),
                        store_id: store_id.clone(),
                        since,
                    })
                })
                .collect(),
        };
        let urgency = if commands.is_empty() {
            Urgency::None
        } else {
            Urgency::Soon
        };
        for command in commands {
            self.pending.add(command);
        }
        urgency
    }

    /// What is stored was compared with what OpenCode lists, which was asked for
    /// at `asked`: sessions that are stored as being at work may have been cut
    /// off, and `seen` are there, too.
    pub fn compared(
        &mut self,
        stored: &[StoredSession],
        seen: Vec<(String, Option<Number>)>,
        asked: Number,
    ) {
        let unsettled = stored.iter().filter(|stored| stored.is_at_work());
        let unsettled = unsettled.map(|stored| stored.id.clone());
        self.unsettled
            .extend(unsettled.filter(|id| !self.busy.contains(id)));
        if let Some(rank) = self.copy {
            for (id, updated_at) in seen {
                self.pending.add(Command::SessionUpsert(SessionRow {
                    id,
                    copied_at: updated_at.into(),
                    copy_rank: Known::Value(rank.number()),
                    ..SessionRow::default()
                }));
            }
            return;
        }
        let Some(store_id) = &self.store_id else {
            return;
        };
        for (id, updated_at) in seen {
            self.pending.add(Command::SessionUpsert(SessionRow {
                id,
                store_id: Known::Value(store_id.clone()),
                seen_at: Known::Value(asked),
                whole_at: updated_at.into(),
                ..SessionRow::default()
            }));
        }
    }

    /// These sessions are going to be asked for, and are stored whole as another
    /// store had them later.
    pub(crate) fn note_older(&mut self, older: Vec<(String, Number)>) {
        self.fetches.note_older(older);
    }

    /// Sessions that events left incomplete, since the last call.
    pub fn take_wanted(&mut self) -> Vec<String> {
        self.fetches.take_wanted()
    }

    /// Sessions whose time of change may have moved, since the last call.
    pub fn take_touched(&mut self) -> BTreeSet<String> {
        self.fetches.take_touched()
    }

    /// Whether a session that is being asked for is to be asked for once more:
    /// what events told meanwhile left it incomplete, and no turn of it is
    /// running, so that none may come that would ask for it.
    pub fn wants_again(&self, session_id: &str) -> bool {
        self.fetches.is_any_told(session_id)
            && self.fetches.is_wanted(session_id)
            && !self.busy.contains(session_id)
    }

    /// Whether events are known to be missing: turns pass and tell no message
    /// (releases 1.14.42 to 1.15.1, served).
    pub fn is_missing_events(&self) -> bool {
        self.missing_events
    }

    /// A session is being asked for: what events tell from now on is newer.
    pub fn begin_fetch(&mut self, session_id: &str, now: Number) {
        self.fetches.begin(session_id, now);
    }

    /// What OpenCode answered of a session is folded in, all of it where it
    /// `is_whole`. Where it is not, the session is still to be asked for.
    pub fn end_fetch(&mut self, session_id: &str, is_whole: bool) -> Urgency {
        let is_whole = is_whole && !self.fetches.is_wanted(session_id);
        self.sessions.change(session_id, |state| {
            state.is_whole = is_whole;
            if is_whole && state.turn == Turn::New {
                state.turn = Turn::Unheard;
            }
        });
        let mut urgency = Urgency::None;
        // What is answered may be of before its end, and tell an older time of change.
        let is_touched = self.sessions.get(session_id).is_touched;
        let is_moved = is_touched && self.fetches.is_turn_over(session_id);
        if let Some(mut answered) = self.fetches.end(session_id) {
            // Of one that did not come whole something is missing, whatever was
            // known of it: it may have been deleted meanwhile, and is there again.
            let whole_at = if is_whole {
                self.whole_at(session_id)
            } else {
                Known::Empty
            };
            if answered.is_told {
                self.note_whole(session_id, whole_at);
            } else {
                if !is_whole {
                    answered.row.whole_at = whole_at;
                }
                self.session(answered.row);
                if answered.is_spent {
                    self.spent(session_id.to_owned());
                }
            }
            urgency = Urgency::Soon;
        }
        if is_moved {
            self.touch(session_id);
        }
        if self.unsettled.remove(session_id) {
            // It was cut off: the process that ran it is not running it any more.
            self.set_status(session_id.to_owned(), SessionStatus::Idle);
            urgency = Urgency::Soon;
        }
        urgency
    }
}
