//! What changed since the last drain: at most one command a row, parents first.

use std::collections::BTreeMap;

use crate::model::command::{
    Command, MessageMissing, PartAppend, PartMissing, SessionMissing, TodoReplace,
};
use crate::model::known::Known;
use crate::model::rejection::RejectionRow;
use crate::model::row::{
    MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, ToolCallRow,
};

/// Rows that changed, by id: ids sort by time, so that the same events give
/// the same commands in the same order.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    sessions: BTreeMap<String, SessionRow>,
    messages: BTreeMap<String, MessageRow>,
    parts: BTreeMap<String, PartRow>,
    part_appends: BTreeMap<String, PartAppend>,
    tool_calls: BTreeMap<String, ToolCallRow>,
    errors: BTreeMap<String, SessionErrorRow>,
    permissions: BTreeMap<String, PermissionRow>,
    todos: BTreeMap<String, TodoReplace>,
    part_deletes: BTreeMap<String, Command>,
    message_deletes: BTreeMap<String, Command>,
    session_deletes: BTreeMap<String, Command>,
    /// What is missing, by its id.
    missing: BTreeMap<String, Command>,
    rejections: BTreeMap<(String, &'static str, String), RejectionRow>,
}

impl Pending {
    /// Adds a change; what is pending of the same row learns from it.
    pub(crate) fn add(&mut self, command: Command) {
        match command {
            Command::SessionUpsert(row) => {
                merge(
                    &mut self.sessions,
                    row.id.clone(),
                    row,
                    older_session,
                    SessionRow::learn_totals,
                );
            }
            Command::MessageUpsert(row) => {
                merge(
                    &mut self.messages,
                    row.id.clone(),
                    row,
                    older_message,
                    MessageRow::learn,
                );
            }
            Command::PartUpsert(row) => {
                let append = self.part_appends.get(&row.id);
                if append.is_some_and(|append| append.is_in(&row.text)) {
                    self.part_appends.remove(&row.id);
                }
                merge(
                    &mut self.parts,
                    row.id.clone(),
                    row,
                    older_part,
                    PartRow::learn,
                );
            }
            Command::PartAppend(append) => self.append(append),
            Command::ToolCallUpsert(row) => {
                merge(
                    &mut self.tool_calls,
                    row.id.clone(),
                    row,
                    older_call,
                    ToolCallRow::learn,
                );
            }
            Command::SessionErrorUpsert(row) => {
                let id = row.id.clone();
                merge(
                    &mut self.errors,
                    id,
                    row,
                    |_, _| false,
                    SessionErrorRow::learn,
                );
            }
            Command::PermissionUpsert(row) => {
                let id = row.id.clone();
                merge(
                    &mut self.permissions,
                    id,
                    row,
                    |_, _| false,
                    PermissionRow::learn,
                );
            }
            Command::TodoReplace(list) => {
                self.todos.insert(list.session_id.clone(), list);
            }
            Command::PartDelete(ref delete) => {
                self.part_deletes
                    .entry(delete.id.clone())
                    .or_insert(command);
            }
            Command::MessageDelete(ref delete) => {
                self.message_deletes
                    .entry(delete.id.clone())
                    .or_insert(command);
            }
            Command::SessionDelete(ref delete) => {
                self.session_deletes
                    .entry(delete.id.clone())
                    .or_insert(command);
            }
            Command::PartMissing(PartMissing { ref id, .. })
            | Command::MessageMissing(MessageMissing { ref id, .. })
            | Command::SessionMissing(SessionMissing { ref id, .. }) => {
                self.missing.insert(id.clone(), command);
            }
            Command::RejectionRecord(row) => self.reject(row),
        }
    }

    /// Puts back what could not be stored, under what came since.
    pub(crate) fn put_back(&mut self, commands: Vec<Command>) {
        let newer = std::mem::take(self);
        for command in commands.into_iter().chain(newer.into_commands()) {
            self.add(command);
        }
    }

    /// The commands: parents before children, deletions after what they delete.
    pub(crate) fn into_commands(self) -> Vec<Command> {
        let sessions = parents_first(self.sessions).into_iter();
        let sessions = sessions.map(Command::SessionUpsert);
        let messages = self.messages.into_values().map(Command::MessageUpsert);
        let parts = self.parts.into_values().map(Command::PartUpsert);
        let part_appends = self.part_appends.into_values().map(Command::PartAppend);
        let tool_calls = self.tool_calls.into_values().map(Command::ToolCallUpsert);
        let errors = self.errors.into_values().map(Command::SessionErrorUpsert);
        let permissions = self
            .permissions
            .into_values()
            .map(Command::PermissionUpsert);
        let todos = self.todos.into_values().map(Command::TodoReplace);
        let rejections = self.rejections.into_values().map(Command::RejectionRecord);
        sessions
            .chain(messages)
            .chain(parts)
            .chain(part_appends)
            .chain(tool_calls)
            .chain(errors)
            .chain(permissions)
            .chain(todos)
            .chain(self.missing.into_values())
            .chain(self.part_deletes.into_values())
            .chain(self.message_deletes.into_values())
            .chain(self.session_deletes.into_values())
            .chain(rejections)
            .collect()
    }

    /// Adds what came to a text to what is pending of it.
    fn append(&mut self, append: PartAppend) {
        if let Some(pending) = self.part_appends.get_mut(&append.id) {
            pending.learn(&append);
            return;
        }
        match self.parts.get_mut(&append.id) {
            Some(PartRow {
                text: Known::Value(text),
                ended_at,
                ..
            }) => {
                if ended_at.value().is_none() {
                    append.extend(text, 0);
                }
            }
            _ => {
                self.part_appends.insert(append.id.clone(), append);
            }
        }
    }

    fn reject(&mut self, row: RejectionRow) {
        let key = (row.event_type.clone(), row.code.word(), row.path.clone());
        match self.rejections.get_mut(&key) {
            Some(counted) => counted.count_again(row),
            None => {
                self.rejections.insert(key, row);
            }
        }
    }
}

/// How deep sub-agents may start sub-agents before their order is left to chance.
const MAX_DEPTH: usize = 32;

/// The sessions, those of sub-agents after the ones that started them.
fn parents_first(sessions: BTreeMap<String, SessionRow>) -> Vec<SessionRow> {
    let depth = |row: &SessionRow| {
        let parent = |row: &&SessionRow| sessions.get(row.parent_id.value()?);
        std::iter::successors(Some(row), parent)
            .take(MAX_DEPTH)
            .count()
    };
    let mut order: Vec<(usize, &String)> =
        sessions.iter().map(|(id, row)| (depth(row), id)).collect();
    order.sort();
    let order: Vec<String> = order.into_iter().map(|(_, id)| id.clone()).collect();
    let mut sessions = sessions;
    order.iter().filter_map(|id| sessions.remove(id)).collect()
}

/// Adds `row` to what is pending of the same row. An older one only fills in
/// what the pending one does not know.
fn merge<R>(
    rows: &mut BTreeMap<String, R>,
    id: String,
    mut row: R,
    is_older: impl Fn(&R, &R) -> bool,
    learn: impl Fn(&mut R, R),
) {
    if let Some(pending) = rows.remove(&id) {
        if is_older(&row, &pending) {
            learn(&mut row, pending);
        } else {
            let newer = std::mem::replace(&mut row, pending);
            learn(&mut row, newer);
        }
    }
    rows.insert(id, row);
}

/// The same rules as the store's `older` conditions, between two in memory.
fn older_session(one: &SessionRow, other: &SessionRow) -> bool {
    matches!((&one.updated_at, &other.updated_at), (Known::Value(one), Known::Value(other)) if one < other)
}

fn older_message(one: &MessageRow, other: &MessageRow) -> bool {
    match (&one.completed_at, &other.completed_at) {
        (Known::Empty, Known::Value(_)) => true,
        (Known::Value(one), Known::Value(other)) => one < other,
        _ => false,
    }
}

fn older_part(one: &PartRow, other: &PartRow) -> bool {
    let length = |row: &PartRow| row.text.value().map_or(0, String::len);
    match (&one.ended_at, &other.ended_at) {
        (Known::Empty, Known::Value(_)) => true,
        (Known::Unknown, Known::Value(_)) => {
            one.started_at.value().is_some() && one.text.value().is_some()
        }
        (Known::Empty, Known::Empty) => length(one) < length(other),
        _ => false,
    }
}

fn older_call(one: &ToolCallRow, other: &ToolCallRow) -> bool {
    use crate::model::row::ToolStatus::{Completed, Error, Pending, Running};
    // A call goes pending, running, and then ends one way or the other.
    let ended = |row: &ToolCallRow| matches!(row.status.value(), Some(Completed | Error));
    match one.status.value() {
        Some(Pending) => other
            .status
            .value()
            .is_some_and(|&status| status != Pending),
        Some(Running) => ended(other),
        _ => false,
    }
}
