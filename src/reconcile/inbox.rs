//! Messages that two events tell together: what waits and is delivered, what
//! begins and ends under another name than its own.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::{Reconciler, Urgency};
use crate::model::command::Command;
use crate::model::event::{Failure, Said};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::MessageKind;

/// How many things may wait at once.
const LIMIT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// Something that waits, or waited.
#[derive(Debug)]
struct Item {
    session_id: String,
    /// What message it becomes, if any.
    said: Option<Said>,
    waits: bool,
}

/// What waits, by what it is called meanwhile.
#[derive(Debug)]
pub(crate) struct Inbox(LruCache<String, Item>);

impl Default for Inbox {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl Inbox {
    /// Whether anything waits in a session: what becomes of it changes nothing
    /// in OpenCode's list of sessions.
    pub(crate) fn waits_in(&self, session_id: &str) -> bool {
        self.0
            .iter()
            .any(|(_, item)| item.waits && item.session_id == session_id)
    }

    /// Nothing waits in a session any more.
    pub(crate) fn clear(&mut self, session_id: &str) {
        for (_, item) in &mut self.0 {
            item.waits &= item.session_id != session_id;
        }
    }
}

impl Reconciler {
    pub(super) fn enqueued(&mut self, session_id: &str, id: String, item: Option<Said>) -> Urgency {
        self.ensure_session(session_id);
        let item = Item {
            session_id: session_id.to_owned(),
            said: item,
            waits: true,
        };
        self.inbox.0.put(id, item);
        self.note_whole(session_id, Known::Empty);
        Urgency::Soon
    }

    pub(super) fn cancelled(&mut self, session_id: &str, id: &str) -> Urgency {
        self.ensure_session(session_id);
        self.inbox.0.pop(id);
        self.note_whole(session_id, self.whole_at(session_id));
        Urgency::Soon
    }

    /// What was delivered is a message from now on. It is kept: the same may be
    /// told again.
    pub(super) fn delivered(
        &mut self,
        session_id: &str,
        id: &str,
        position: Known<Number>,
        now: Number,
    ) -> Urgency {
        self.ensure_session(session_id);
        let item = self.inbox.0.get_mut(id).map(|item| {
            item.waits = false;
            item.said.clone()
        });
        match item {
            // Its beginning was missed.
            None => {
                self.want(session_id);
                Urgency::Soon
            }
            Some(None) => {
                self.note_whole(session_id, self.whole_at(session_id));
                Urgency::Soon
            }
            Some(Some(mut said)) => {
                said.row.position = position;
                said.row.created_at = Known::Value(now);
                let urgency = self.said(said);
                self.note_whole(session_id, self.whole_at(session_id));
                urgency
            }
        }
    }

    /// A message that comes with what it says.
    pub(super) fn said(&mut self, said: Said) -> Urgency {
        let noted = self.note_turn(&said.row);
        let urgency = self.message(said.row, None).max(noted);
        for part in said.parts {
            self.pending.add(Command::PartUpsert(part));
        }
        urgency
    }

    pub(super) fn opened(&mut self, key: &str, said: Said) -> Urgency {
        if said.row.id.is_empty() {
            self.want(&said.row.session_id);
            return Urgency::Soon;
        }
        if said.row.kind == Known::Value(MessageKind::Compaction) {
            // What fails from now on is this, and not the answer before it.
            self.answers.remove(&said.row.session_id);
        }
        self.opened.set(key, said.row.id.clone());
        self.said(said)
    }

    /// The end of what was opened. Where the beginning was missed and the end
    /// does not name the message, only an answer can tell it.
    pub(super) fn closed(
        &mut self,
        key: &str,
        mut said: Said,
        failure: Option<Failure>,
    ) -> Urgency {
        let session_id = said.row.session_id.clone();
        self.ensure_session(&session_id);
        if said.row.id.is_empty() {
            let Some(id) = self.opened.get(key).map(str::to_owned) else {
                self.want(&session_id);
                return Urgency::Soon;
            };
            for part in &mut said.parts {
                part.id = format!("{id}{}", part.id);
                part.message_id.clone_from(&id);
            }
            said.row.id = id;
        }
        // An answer on its way may be of before this end.
        self.fetches.hear_of(&session_id, &said.row.id);
        for part in &said.parts {
            self.fetches.hear_of(&session_id, &part.id);
        }
        if let Some(failure) = &failure {
            // The session tells the same once more.
            let row = super::failure::of_message(&said.row, failure.clone());
            self.is_news(&row);
            // Of what an answer had of it while it was written nothing is kept.
            self.want(&session_id);
        }
        let urgency = self.message(said.row, failure);
        for part in said.parts {
            self.pending.add(Command::PartUpsert(part));
        }
        urgency
    }
}
