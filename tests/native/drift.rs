//! The drift radar: OpenCode changes without notice, so each field of each
//! shape of event that a recording holds is renamed, retyped and dropped in
//! turn. No change loses a row that still has its identity, and each is either
//! harmless or reported in `rejections`.

use std::collections::{BTreeMap, BTreeSet};

use clankers::model::command::Command;
use clankers::sources::Dialect;
use serde_json::{Value, json};

use crate::golden::session_of;
use crate::support::{Db, Recorded, core_of, recordings, replay_into};

/// What OpenCode passes on from a model, a tool or a person. What is inside is
/// stored as it is, whatever it is.
const PASSED_ON: &[&str] = &[
    "properties/always",
    "properties/error/data",
    "properties/info/error/data",
    "properties/info/metadata",
    "properties/info/path",
    "properties/info/permission",
    "properties/info/revert",
    "properties/info/summary/diffs",
    "properties/info/tools",
    "properties/metadata",
    "properties/part/error/data",
    "properties/part/files",
    "properties/part/metadata",
    "properties/part/model",
    "properties/part/source",
    "properties/part/state/attachments",
    "properties/part/state/input",
    "properties/part/state/metadata",
    "properties/patterns",
];

/// What says which row an event is about, and of which kind.
const IDENTITY: &[&str] = &[
    "type",
    "properties",
    "info",
    "part",
    "id",
    "sessionID",
    "messageID",
    "partID",
    "requestID",
    "permissionID",
    // A retry and an entry of a list are only in what these hold.
    "status",
    "todos",
];

const LOST: &str = "loses a row";

const ROWS: &[&str] = &[
    "sessions",
    "messages",
    "parts",
    "tool_calls",
    "usage",
    "session_errors",
    "permissions",
    "todos",
];

/// An event's type, and what kind of it: its role, part type and status.
fn shape(event: &Value) -> String {
    let kinds = ["info/role", "part/type", "part/state/status", "status/type"];
    let kind = |path: &str| {
        event
            .pointer(&format!("/properties/{path}"))
            .and_then(Value::as_str)
    };
    let mut words = vec![event["type"].as_str().unwrap_or_default()];
    words.extend(kinds.iter().filter_map(|path| kind(path)));
    words.join(" ")
}

/// The paths of an event's fields; a list's entries are one, `*`.
fn paths(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    if PASSED_ON.contains(&above) {
        return;
    }
    let mut inside = |key: &str, value: &Value| {
        let path = if above.is_empty() {
            key.to_owned()
        } else {
            format!("{above}/{key}")
        };
        paths(value, &path, found);
        found.insert(path);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| inside(key, value)),
        Value::Array(items) => items.iter().for_each(|item| inside("*", item)),
        _ => {}
    }
}

#[derive(Debug, Clone)]
enum Change {
    Rename,
    Drop,
    Retype(Value),
}

impl Change {
    fn all() -> Vec<Self> {
        let values = [
            json!(null),
            json!(true),
            json!(7),
            json!("a word"),
            json!([]),
            json!({}),
        ];
        [Self::Rename, Self::Drop]
            .into_iter()
            .chain(values.map(Self::Retype))
            .collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Rename => "renamed".to_owned(),
            Self::Drop => "dropped".to_owned(),
            Self::Retype(value) => format!("as {value}"),
        }
    }

    /// Makes the change at `path`. False where it is none.
    fn make(&self, value: &mut Value, path: &str) -> bool {
        let (key, rest) = path
            .split_once('/')
            .map_or((path, None), |(key, rest)| (key, Some(rest)));
        match (value, rest) {
            (Value::Array(items), Some(rest)) => items
                .iter_mut()
                .fold(false, |made, item| self.make(item, rest) | made),
            (Value::Array(items), None) => match self {
                Self::Retype(new) => items
                    .iter_mut()
                    .fold(false, |made, item| replace(item, new) | made),
                Self::Rename | Self::Drop => false,
            },
            (Value::Object(fields), Some(rest)) => fields
                .get_mut(key)
                .is_some_and(|inner| self.make(inner, rest)),
            (Value::Object(fields), None) => match self {
                Self::Retype(new) => fields.get_mut(key).is_some_and(|old| replace(old, new)),
                Self::Drop => fields.shift_remove(key).is_some(),
                Self::Rename => fields
                    .shift_remove(key)
                    .map(|old| fields.insert(format!("{key}Renamed"), old))
                    .is_some(),
            },
            _ => false,
        }
    }
}

/// Replaces a value by one of another type.
fn replace(old: &mut Value, new: &Value) -> bool {
    let is_other = std::mem::discriminant(old) != std::mem::discriminant(new);
    if is_other {
        *old = new.clone();
    }
    is_other
}

/// A session's part of a recording, and what it becomes.
struct Case {
    dialect: Dialect,
    events: Vec<Recorded>,
    commands: Vec<Command>,
    rows: String,
    identities: BTreeSet<String>,
}

impl Case {
    fn new(dialect: Dialect, events: Vec<Recorded>) -> Self {
        let (commands, _) = commands(dialect, &events);
        Self {
            dialect,
            rows: rows(dialect, &events),
            identities: identities(&commands),
            commands,
            events,
        }
    }
}

/// The rows that events become.
fn rows(dialect: Dialect, events: &[Recorded]) -> String {
    let db = Db::new();
    replay_into(&mut core_of(dialect), events, |commands| db.apply(commands));
    db.dump_of(ROWS)
}

/// What changes rows, and whether anything was refused.
fn commands(dialect: Dialect, events: &[Recorded]) -> (Vec<Command>, bool) {
    let mut all = Vec::new();
    replay_into(&mut core_of(dialect), events, |commands| {
        all.extend_from_slice(commands);
    });
    let count = all.len();
    all.retain(|command| !matches!(command, Command::RejectionRecord(_)));
    let is_reported = all.len() < count;
    (all, is_reported)
}

/// The rows that commands are about, steps of the ledger among them.
fn identities(commands: &[Command]) -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    for command in commands {
        match command {
            Command::SessionUpsert(row) => rows.insert(row.id.clone()),
            Command::MessageUpsert(row) => rows.insert(row.id.clone()),
            Command::ToolCallUpsert(row) => rows.insert(row.id.clone()),
            Command::PermissionUpsert(row) => rows.insert(row.id.clone()),
            Command::PartUpsert(row) => rows.insert(row.id.clone()),
            Command::UsageUpsert(row) => rows.insert(format!("{} in the ledger", row.id)),
            // Told by the session and by its answer, and stored once.
            Command::SessionErrorUpsert(_) => rows.insert("a failure".to_owned()),
            Command::TodoReplace(list) => rows.insert(format!(
                "{} entries of {}",
                list.todos.len(),
                list.session_id
            )),
            other => rows.insert(format!("{other:?}")),
        };
    }
    rows
}

/// The sessions of all recordings of a source, and for each shape and field the shortest
/// of them that holds it.
#[derive(Default)]
struct Seen {
    sessions: Vec<Vec<Recorded>>,
    shortest: BTreeMap<(String, String), usize>,
}

impl Seen {
    fn new(dialect: Dialect) -> Self {
        let mut seen = Self::default();
        for recording in recordings().filter(|one| one.dialect == dialect) {
            let mut sessions: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
            for one in recording.events {
                let session = session_of(&one.event).unwrap_or_default().to_owned();
                sessions.entry(session).or_default().push(one);
            }
            sessions.into_values().for_each(|events| seen.add(events));
        }
        seen
    }

    fn add(&mut self, events: Vec<Recorded>) {
        for one in &events {
            let mut found = BTreeSet::new();
            paths(&one.event, "", &mut found);
            let shape = shape(&one.event);
            for path in found {
                let best = self
                    .shortest
                    .entry((shape.clone(), path))
                    .or_insert(self.sessions.len());
                if self
                    .sessions
                    .get(*best)
                    .is_some_and(|best| best.len() > events.len())
                {
                    *best = self.sessions.len();
                }
            }
        }
        self.sessions.push(events);
    }
}

/// What a change did, where it did harm in silence or lost a row.
fn harm(case: &Case, shape_of_it: &str, path: &str, change: &Change) -> Option<String> {
    let mut events = case.events.clone();
    let mut made = false;
    for one in &mut events {
        if shape(&one.event) == shape_of_it {
            made |= change.make(&mut one.event, path);
        }
    }
    if !made {
        return None;
    }
    let (commands, is_reported) = commands(case.dialect, &events);
    if commands == case.commands {
        return None;
    }
    let names_it = path
        .rsplit('/')
        .next()
        .is_some_and(|key| IDENTITY.contains(&key));
    let lost = !case.identities.is_subset(&identities(&commands));
    if lost && !(names_it && is_reported) {
        return Some(LOST.to_owned());
    }
    let is_silent = !is_reported && rows(case.dialect, &events) != case.rows;
    is_silent.then(|| "is not reported".to_owned())
}

#[test]
fn no_change_of_a_field_loses_a_row_or_does_harm_in_silence() {
    look("drift", Dialect::OPENCODE1);
}

#[test]
fn nor_does_one_of_kilos() {
    look("drift-kilo", Dialect::KILO);
}

/// Makes each change, and compares what does harm with what is known to.
fn look(snapshot: &str, dialect: Dialect) {
    let seen = Seen::new(dialect);
    let mut cases: BTreeMap<usize, Case> = BTreeMap::new();
    let mut harms: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((shape, path), at) in &seen.shortest {
        let case = cases
            .entry(*at)
            .or_insert_with(|| Case::new(dialect, seen.sessions[*at].clone()));
        for change in Change::all() {
            if let Some(harm) = harm(case, shape, path, &change) {
                let changes = harms.entry(format!("{shape}: {path} {harm}")).or_default();
                changes.push(change.name());
            }
        }
    }
    let lines = harms
        .iter()
        .map(|(what, changes)| format!("{what}: {}\n", changes.join(", ")));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let lines: String = lines.collect();
    assert!(!lines.contains(LOST), "{lines}");
    // What is left is what some known release leaves out, or sends as null.
    settings.bind(|| insta::assert_snapshot!(snapshot, lines));
}
