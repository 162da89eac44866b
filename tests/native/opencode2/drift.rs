//! A release that is not known sends more, and sends it otherwise. No row is
//! lost for it, and what is not understood is reported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{core, recordings, replayed};
use crate::support::{Db, Recorded, replay_into};

/// Which rows there are, and what of them no word or field can change.
pub(super) fn rows(db: &Db) -> Vec<String> {
    [
        "SELECT 'session', id, title, cost, deleted_at IS NULL FROM sessions ORDER BY id",
        "SELECT 'message', id, kind, role, text_content, cost, position, deleted_at IS NULL FROM messages ORDER BY id",
        "SELECT 'part', id, type, text, position FROM parts ORDER BY id",
        "SELECT 'call', id, tool, output, position FROM tool_calls ORDER BY id",
        "SELECT 'usage', id, kind, cost FROM usage ORDER BY id",
        "SELECT 'error', id, name FROM session_errors ORDER BY id",
        "SELECT 'permission', id, permission FROM permissions ORDER BY id",
    ]
    .iter()
    .flat_map(|sql| db.rows(sql))
    .collect()
}

/// What of the rows stays whatever they are called: each with its words and cost.
pub(super) fn contents(db: &Db) -> BTreeSet<String> {
    [
        "SELECT 'session', id, title, cost, deleted_at IS NULL FROM sessions",
        "SELECT 'message', id, text_content, cost, position, deleted_at IS NULL FROM messages",
        "SELECT 'part', id, text, position FROM parts",
        "SELECT 'call', id, tool, output, position FROM tool_calls",
        "SELECT 'usage', id, cost FROM usage",
        "SELECT 'error', id FROM session_errors",
        "SELECT 'permission', id, permission FROM permissions",
    ]
    .iter()
    .flat_map(|sql| db.rows(sql))
    .collect()
}

/// Puts a field that nobody knows into every object, and raises versions.
pub(super) fn enrich(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(enrich);
            if let Some(version) = fields.get_mut("version").filter(|one| one.is_number()) {
                *version = json!(99);
            }
            fields.insert("brandNew".to_owned(), json!({ "deep": [1, "two"] }));
        }
        Value::Array(items) => items.iter_mut().for_each(enrich),
        _ => {}
    }
}

/// Words that a release may add to.
const WORDS: &[&str] = &["finish", "rawFinish", "reason", "delivery", "outcome"];

/// Puts a word that nobody knows where one of a few is expected.
pub(super) fn reword(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if WORDS.contains(&key.as_str()) && value.is_string() {
                    *value = json!("brand-new");
                } else {
                    reword(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(reword),
        _ => {}
    }
}

/// Events of types that nobody knows, between the others.
fn between(one: &Recorded) -> Recorded {
    let mut event = one.event.clone();
    event["type"] = json!(format!(
        "{}.brandnew",
        event["type"].as_str().unwrap_or_default()
    ));
    Recorded { at: one.at, event }
}

#[test]
fn no_row_is_lost_to_what_a_later_release_adds() {
    for one in recordings() {
        let expected = rows(&replayed(&one.events));
        let mut later: Vec<Recorded> = one.events.clone();
        for told in &mut later {
            enrich(&mut told.event);
            reword(&mut told.event);
        }
        let later: Vec<Recorded> = later
            .into_iter()
            .flat_map(|told| [between(&told), told])
            .collect();
        let db = replayed(&later);
        assert_eq!(rows(&db), expected, "{}", one.name);
        for code in ["unknown_event", "unknown_field"] {
            let count = db.value(&format!(
                "SELECT count(*) FROM rejections WHERE code = '{code}'"
            ));
            assert_ne!(count, "0", "{}: {code}", one.name);
        }
    }
}

/// Words that say what something is; an event's own type is not among them.
const KINDS: &[&str] = &["type", "status", "reply", "kind", "mime"];

/// Puts a word that nobody knows in the place of each of those.
fn rename(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                if KINDS.contains(&key.as_str()) && value.is_string() {
                    *value = json!("brand-new");
                } else {
                    rename(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rename),
        _ => {}
    }
}

#[test]
fn no_row_is_lost_to_kinds_that_nobody_knows() {
    for one in recordings() {
        let expected = contents(&replayed(&one.events));
        let mut later: Vec<Recorded> = one.events.clone();
        for told in &mut later {
            rename(&mut told.event["data"]);
        }
        let found = contents(&replayed(&later));
        let lost: Vec<&String> = expected.difference(&found).collect();
        assert!(lost.is_empty(), "{}: {lost:#?}", one.name);
    }
}

/// What says which row an event is about, and what holds that.
const IDENTITY: &[&str] = &[
    "type",
    "data",
    "id",
    "sessionID",
    "assistantMessageID",
    "ordinal",
    "inboxID",
    "inputID",
    "requestID",
    "to",
    "item",
    "payload",
    "text",
    "shell",
    "error",
    // They tell one retry from another.
    "at",
    "attempt",
];

/// What known releases leave out at times, and a row is made of it.
const OPTIONAL: &[&str] = &["session.instructions.updated /data/text"];

/// The rows that these events tell, and whether anything was refused.
fn identities(events: &[Recorded]) -> (BTreeSet<String>, bool) {
    let mut rows = BTreeSet::new();
    let mut is_reported = false;
    replay_into(&mut core(), events, |commands| {
        for command in commands {
            let wire = serde_json::to_value(command).unwrap();
            is_reported |= command.method() == "rejection.record";
            if let Some(id) = wire["params"]["id"].as_str() {
                rows.insert(format!("{} {id}", command.method()));
            }
        }
    });
    (rows, is_reported)
}

/// The fields of an event and of the objects right inside its data.
fn paths(event: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for (key, value) in event.as_object().into_iter().flatten() {
        paths.push(format!("/{key}"));
        if key != "data" {
            continue;
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            paths.push(format!("/data/{key}"));
            let inside = value.as_object().into_iter().flatten();
            paths.extend(inside.map(|(inner, _)| format!("/data/{key}/{inner}")));
        }
    }
    paths
}

/// The event with the field dropped, or of another type.
pub(super) fn changed(event: &Value, path: &str, to: Option<&Value>) -> Value {
    let mut event = event.clone();
    let (above, key) = path.rsplit_once('/').unwrap_or_default();
    if let Some(Value::Object(fields)) = event.pointer_mut(above) {
        match to {
            Some(value) => fields.insert(key.to_owned(), value.clone()),
            None => fields.shift_remove(key),
        };
    }
    event
}

#[test]
fn no_change_of_a_field_loses_a_row_in_silence() {
    let all: Vec<_> = recordings().collect();
    // Each field of each type, in the shortest recording that has it.
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        for told in &one.events {
            let kind = told.event["type"].as_str().unwrap_or_default();
            if !kind.starts_with("session.") && !kind.starts_with("permission.") {
                continue;
            }
            for path in paths(&told.event) {
                let best = seen.entry((kind.to_owned(), path)).or_insert(at);
                if all[*best].events.len() > one.events.len() {
                    *best = at;
                }
            }
        }
    }
    let values = [json!(null), json!(7), json!("a word"), json!([]), json!({})];
    let mut harms = Vec::new();
    let mut whole: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for ((kind, path), at) in &seen {
        let events = &all[*at].events;
        let expected = whole.entry(*at).or_insert_with(|| identities(events).0);
        for to in values.iter().map(Some).chain([None]) {
            let later: Vec<Recorded> = events
                .iter()
                .map(|told| {
                    let is_it = told.event["type"] == kind.as_str();
                    let event = if is_it {
                        changed(&told.event, path, to)
                    } else {
                        told.event.clone()
                    };
                    Recorded { at: told.at, event }
                })
                .collect();
            let (found, is_reported) = identities(&later);
            let is_lost = !expected.is_subset(&found);
            let is_identity = path
                .rsplit('/')
                .next()
                .is_some_and(|key| IDENTITY.contains(&key));
            // Another id is another row.
            let is_renamed = to.is_some_and(|to| to.is_string() || to.is_number());
            let what = format!("{kind} {path}");
            let is_left_out = to.is_none() && OPTIONAL.contains(&what.as_str());
            if is_lost && !is_left_out && !(is_identity && (is_reported || is_renamed)) {
                harms.push(format!("{what} as {to:?}"));
            }
        }
    }
    assert!(harms.is_empty(), "{}", harms.join("\n"));
}
