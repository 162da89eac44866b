//! What changed since the last drain. One drain leaves in the store what many
//! leave: commands are merged and put in order where that changes nothing, and
//! are kept as they came where it would.
//!
//! 1. Of a row there is one command, unless merging two would not be exact
//!    (`merge`).
//! 2. Parents go before children, deletions after what they delete, rejections
//!    last, unless one of them changes what another comes out as.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::merge::merge;
use crate::model::command::Command;
use crate::model::known::Known;
use crate::model::row::{SessionErrorRow, SessionRow};

/// Which row a command changes, in the order in which commands are drained:
/// ids sort by time, so that the same events give the same commands.
type Key = (Rank, String);

/// The kinds of command: parents before children, then what is
/// missing or deleted, then rejections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Session,
    Message,
    Part,
    PartAppend,
    ToolCall,
    Usage,
    SessionError,
    Permission,
    Todos,
    UsageBalance,
    PartMissing,
    MessageMissing,
    SessionMissing,
    PartDelete,
    MessageDelete,
    SessionRevert,
    SessionDelete,
    Rejection,
}

/// Commands that may be drained in the order of their keys.
type Batch = BTreeMap<Key, Command>;

/// Commands that were not drained yet.
#[derive(Debug, Default)]
pub struct Pending {
    /// What could not join the batch before it begins the next one.
    batches: Vec<Batch>,
}

impl Pending {
    /// Adds a command, after all that are pending.
    pub fn add(&mut self, command: Command) {
        let key = key(&command);
        let apart = match self.batches.last_mut() {
            Some(open) => join(open, &key, command),
            None => Some(command),
        };
        if let Some(command) = apart {
            self.batches.push(BTreeMap::from([(key, command)]));
        }
    }

    /// Puts back what could not be stored, under what came since.
    pub fn put_back(&mut self, commands: Vec<Command>) {
        let newer = std::mem::take(self);
        for command in commands.into_iter().chain(newer.into_commands()) {
            self.add(command);
        }
    }

    /// What is pending of these sessions tells no longer that they are whole.
    pub fn forget_whole(&mut self, which: impl Fn(&SessionRow) -> bool) {
        for command in self.batches.iter_mut().flat_map(BTreeMap::values_mut) {
            if let Command::SessionUpsert(row) = command
                && which(row)
            {
                row.whole_at = Known::Unknown;
            }
        }
    }

    /// How many commands are pending.
    pub fn count(&self) -> usize {
        self.batches.iter().map(BTreeMap::len).sum()
    }

    /// Evicts the longest texts and tool calls, until what is left has no more
    /// [bytes](Command::weight) than that. The sessions that they belong to, of
    /// which nothing pending tells that they are whole.
    pub fn evict(&mut self, most_bytes: usize) -> BTreeSet<String> {
        let all = self.batches.iter().flat_map(BTreeMap::values);
        let mut weight: usize = all.map(Command::weight).sum();
        let mut texts: Vec<(usize, usize, Key)> = Vec::new();
        for (at, batch) in self.batches.iter().enumerate() {
            let of_batch = batch.iter().filter(|(_, command)| is_text(command));
            texts.extend(of_batch.map(|(key, command)| (command.weight(), at, key.clone())));
        }
        texts.sort_unstable();
        let mut sessions = BTreeSet::new();
        while weight > most_bytes
            && let Some((of_text, at, key)) = texts.pop()
        {
            let text = self
                .batches
                .get_mut(at)
                .and_then(|batch| batch.remove(&key));
            sessions.extend(text.as_ref().and_then(session_of).map(str::to_owned));
            weight = weight.saturating_sub(of_text);
        }
        self.forget_whole(|row| sessions.contains(&row.id));
        sessions
    }

    /// The commands, in the order in which they are to be stored.
    pub fn into_commands(self) -> Vec<Command> {
        self.batches.into_iter().flat_map(parents_first).collect()
    }
}

/// Adds a command to a batch. Gives it back where its place there, before
/// commands that came earlier, would change what is stored in the end.
fn join(open: &mut Batch, key: &Key, command: Command) -> Option<Command> {
    let append = (Rank::PartAppend, key.1.clone());
    let is_covered = is_covered(open.get(&append), &command);
    if key.0 == Rank::Part && open.contains_key(&append) && !is_covered {
        return Some(command);
    }
    if is_change_of_copied(open, &command)
        || is_text_behind_parts(open, &command)
        || is_revival_after_told(open, &command)
    {
        return Some(command);
    }
    // Rows before these stand alone: the store derives what they have in common.
    let first = (Rank::SessionError, String::new()).max(key.clone());
    let mut behind = open.range((Bound::Excluded(first), Bound::Unbounded));
    if !behind.all(|(_, pending)| commute(&command, pending)) {
        return Some(command);
    }
    let joined = match open.remove(key) {
        None => Ok(command),
        Some(held) => merge(held, command),
    };
    let joined = match joined {
        Ok(joined) => joined,
        Err(both) => {
            let [held, newer] = *both;
            open.insert(key.clone(), held);
            return Some(newer);
        }
    };
    open.insert(key.clone(), joined);
    if is_covered {
        open.remove(&append);
    }
    None
}

/// Whether it is what an agent can be asked for again, and long if anything is.
const fn is_text(command: &Command) -> bool {
    matches!(
        command,
        Command::PartUpsert(_) | Command::PartAppend(_) | Command::ToolCallUpsert(_)
    )
}

/// Whether the whole text of a part tells what is pending to be added to it.
fn is_covered(append: Option<&Command>, command: &Command) -> bool {
    match (append, command) {
        (Some(Command::PartAppend(append)), Command::PartUpsert(row)) => append.is_in(&row.text),
        _ => false,
    }
}

/// Whether it tells when a session was changed of which copies are pending:
/// whether those are taken is decided by what was told of that before them.
fn is_change_of_copied(open: &Batch, command: &Command) -> bool {
    let Command::SessionUpsert(session) = command else {
        return false;
    };
    let is_copied = |pending: &Command| match pending {
        Command::MessageUpsert(row) => !row.copied_at.is_unknown(),
        Command::PartUpsert(row) => !row.copied_at.is_unknown(),
        Command::ToolCallUpsert(row) => !row.copied_at.is_unknown(),
        _ => false,
    };
    !session.updated_at.is_unknown()
        && open
            .values()
            .any(|pending| is_copied(pending) && session_of(pending) == Some(&session.id))
}

/// Whether it tells a message's whole text, where parts of the message are
/// pending: which of the two stays is decided by what parts there were before it.
fn is_text_behind_parts(open: &Batch, command: &Command) -> bool {
    let Command::MessageUpsert(message) = command else {
        return false;
    };
    let is_of_it = |pending: &Command| matches!(pending, Command::PartUpsert(part) if part.message_id == message.id);
    !message.text_content.is_unknown() && open.values().any(is_of_it)
}

/// Whether it may bring back a deleted session or message of which something is
/// pending. What was told while it was deleted stays erased, and whether it is
/// deleted, only the store knows.
fn is_revival_after_told(open: &Batch, command: &Command) -> bool {
    let is_told = |is_of_it: &dyn Fn(&Command) -> bool| open.values().any(is_of_it);
    match command {
        Command::SessionUpsert(row) if row.may_revive() => is_told(&|pending| {
            !matches!(pending, Command::SessionUpsert(_)) && session_of(pending) == Some(&row.id)
        }),
        Command::MessageUpsert(row) if row.may_revive() => {
            is_told(&|pending| message_of(pending) == Some(&row.id))
        }
        _ => false,
    }
}

/// Whether a command may go before a pending one that came earlier.
fn commute(command: &Command, pending: &Command) -> bool {
    use Command as C;
    match (command, pending) {
        // Whether an answered list is older than its session.
        (C::SessionUpsert(row), C::TodoReplace(list)) => {
            list.copied_at.is_none() || row.id != list.session_id
        }
        (_, C::RejectionRecord(_) | C::TodoReplace(_))
        | (C::PermissionUpsert(_), C::PermissionUpsert(_)) => true,
        // One that names only its message may turn out to belong to what was erased.
        (_, C::PermissionUpsert(row)) => row.session_id.value().is_some(),
        // Which answer a failure belongs to is found among the messages.
        (C::MessageUpsert(_), C::SessionErrorUpsert(error)) => {
            let is_retry_of = error.message_id.value().and(error.attempt.value());
            is_retry_of.is_some() || differ(command, pending)
        }
        (C::SessionErrorUpsert(row), C::SessionErrorUpsert(error)) => {
            let is_named = |row: &SessionErrorRow| row.message_id.value().is_some();
            is_named(row) && is_named(error) || differ(command, pending)
        }
        (_, C::SessionErrorUpsert(_))
        | (C::PartMissing(_), C::PartMissing(_))
        | (C::MessageMissing(_), C::MessageMissing(_))
        | (C::SessionMissing(_), C::SessionMissing(_))
        | (C::PartDelete(_), C::PartDelete(_))
        | (C::MessageDelete(_), C::MessageDelete(_))
        | (C::SessionDelete(_), C::SessionDelete(_)) => true,
        // What names only its message may belong to another session than it says.
        (C::SessionErrorUpsert(_) | C::PermissionUpsert(_), _) => false,
        (C::PartDelete(part), C::MessageDelete(message)) => part.message_id != message.id,
        _ => differ(command, pending),
    }
}

/// Whether two commands are known to belong to different sessions.
fn differ(one: &Command, other: &Command) -> bool {
    matches!((session_of(one), session_of(other)), (Some(one), Some(other)) if one != other)
}

/// The session that a command belongs to, where it says one.
pub(super) fn session_of(command: &Command) -> Option<&str> {
    match command {
        Command::SessionUpsert(row) => Some(&row.id),
        Command::MessageUpsert(row) => Some(&row.session_id),
        Command::PartUpsert(row) => Some(&row.session_id),
        Command::PartAppend(append) => Some(&append.session_id),
        Command::ToolCallUpsert(row) => Some(&row.session_id),
        Command::UsageUpsert(row) => Some(&row.session_id),
        Command::UsageBalance(of) => Some(&of.session_id),
        Command::SessionRevert(of) => Some(&of.session_id),
        Command::SessionErrorUpsert(row) => row.session_id.value().map(String::as_str),
        Command::PermissionUpsert(row) => row.session_id.value().map(String::as_str),
        Command::TodoReplace(list) => Some(&list.session_id),
        Command::SessionMissing(of) => Some(&of.id),
        Command::MessageMissing(of) => Some(&of.session_id),
        Command::PartMissing(of) => Some(&of.session_id),
        Command::PartDelete(of) => Some(&of.session_id),
        Command::MessageDelete(of) => Some(&of.session_id),
        Command::SessionDelete(of) => Some(&of.id),
        Command::RejectionRecord(_) => None,
    }
}

/// The message that a command is of, and not about.
fn message_of(command: &Command) -> Option<&str> {
    match command {
        Command::PartUpsert(row) => Some(&row.message_id),
        Command::PartAppend(append) => Some(&append.message_id),
        Command::ToolCallUpsert(row) => Some(&row.message_id),
        Command::SessionErrorUpsert(row) => row.message_id.value().map(String::as_str),
        Command::PermissionUpsert(row) => row.message_id.value().map(String::as_str),
        _ => None,
    }
}

fn key(command: &Command) -> Key {
    let (rank, id) = match command {
        Command::SessionUpsert(row) => (Rank::Session, &row.id),
        Command::MessageUpsert(row) => (Rank::Message, &row.id),
        Command::PartUpsert(row) => (Rank::Part, &row.id),
        Command::PartAppend(append) => (Rank::PartAppend, &append.id),
        Command::ToolCallUpsert(row) => (Rank::ToolCall, &row.id),
        Command::UsageUpsert(row) => (Rank::Usage, &row.id),
        Command::UsageBalance(of) => (Rank::UsageBalance, &of.session_id),
        Command::SessionRevert(of) => (Rank::SessionRevert, &of.to),
        Command::SessionErrorUpsert(row) => (Rank::SessionError, &row.id),
        Command::PermissionUpsert(row) => (Rank::Permission, &row.id),
        Command::TodoReplace(list) => (Rank::Todos, &list.session_id),
        Command::SessionMissing(of) => (Rank::SessionMissing, &of.id),
        Command::MessageMissing(of) => (Rank::MessageMissing, &of.id),
        Command::PartMissing(of) => (Rank::PartMissing, &of.id),
        Command::PartDelete(of) => (Rank::PartDelete, &of.id),
        Command::MessageDelete(of) => (Rank::MessageDelete, &of.id),
        Command::SessionDelete(of) => (Rank::SessionDelete, &of.id),
        Command::RejectionRecord(row) => {
            let id = [&row.event_type, row.code.word(), &row.path].join("\n");
            return (Rank::Rejection, id);
        }
    };
    (rank, id.clone())
}

/// How deep sub-agents may start sub-agents before their order is left to chance.
const MAX_DEPTH: usize = 32;

/// The commands of a batch, those of sub-agents' sessions after the ones that
/// started them.
fn parents_first(mut batch: Batch) -> impl Iterator<Item = Command> {
    let rest = batch.split_off(&(Rank::Message, String::new()));
    let session = |id: &str| match batch.get(&(Rank::Session, id.to_owned())) {
        Some(Command::SessionUpsert(row)) => Some(row),
        _ => None,
    };
    let depth = |row: &SessionRow| {
        let parent = |row: &&SessionRow| session(row.parent_id.value()?);
        std::iter::successors(Some(row), parent)
            .take(MAX_DEPTH)
            .count()
    };
    let depth_of = |key: &Key| session(&key.1).map_or(0, depth);
    let mut order: Vec<(usize, Key)> = batch
        .keys()
        .map(|key| (depth_of(key), key.clone()))
        .collect();
    order.sort();
    let sessions: Vec<Command> = order
        .iter()
        .filter_map(|(_, key)| batch.remove(key))
        .collect();
    sessions.into_iter().chain(rest.into_values())
}
