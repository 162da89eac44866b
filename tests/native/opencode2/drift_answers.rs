//! A later release answers more, and answers it otherwise. What is stored stays,
//! and what is not understood is reported.

use std::collections::{BTreeMap, BTreeSet};

use clankers::catch_up::Request;
use serde_json::{Value, json};

use super::answers::{answered, fetch, fetch_into};
use super::drift::{changed, contents, enrich, reword, rows};
use super::{Recording, recordings, replayed};
use crate::support::Db;

/// The recordings whose end OpenCode wrote: of others it has less than was told.
fn ended() -> impl Iterator<Item = Recording> {
    recordings().filter(|one| !one.name.ends_with("killed-in-stream"))
}

/// The messages of these sessions.
fn messages(truth: &mut Value) -> impl Iterator<Item = &mut Value> {
    let sessions = truth["sessions"].as_array_mut().into_iter().flatten();
    sessions.flat_map(|one| one["messages"].as_array_mut().into_iter().flatten())
}

/// How many rows of any kind are not answered any more.
fn missing(db: &Db) -> String {
    db.value(
        "SELECT (SELECT count(*) FROM messages WHERE missing_since IS NOT NULL)
          + (SELECT count(*) FROM parts WHERE missing_since IS NOT NULL)
          + (SELECT count(*) FROM tool_calls WHERE missing_since IS NOT NULL)",
    )
}

/// Answers of what is stored take nothing from it: not a row, not a word.
#[track_caller]
fn assert_kept(db: &Db, name: &str, later: &Value, what: &str) {
    let (before, absent) = (contents(db), missing(db));
    fetch(db, later);
    let lost: Vec<String> = before.difference(&contents(db)).cloned().collect();
    assert!(lost.is_empty(), "{}, {what}:\n{}", name, lost.join("\n"));
    assert_eq!(missing(db), absent, "{name}, {what}");
}

fn count_of(db: &Db, code: &str) -> String {
    db.value(&format!(
        "SELECT count(*) FROM rejections WHERE code = '{code}'"
    ))
}

#[test]
fn no_row_is_lost_to_what_a_later_release_adds_to_its_answers() {
    for one in recordings() {
        let mut later = one.truth.clone();
        enrich(&mut later["sessions"]);
        reword(&mut later["sessions"]);
        let db = answered(&later);
        assert_eq!(rows(&db), rows(&answered(&one.truth)), "{}", one.name);
        let has_any = !one.truth["sessions"].as_array().unwrap().is_empty();
        let is_counted = count_of(&db, "unknown_field") != "0";
        assert_eq!(is_counted, has_any, "{}", one.name);
    }
}

/// Each word that `word` finds in the answers, in turn as one that nobody knows.
fn reworded(word: impl Fn(&mut Value, &mut dyn FnMut(&mut Value))) {
    for one in ended() {
        let mut words = BTreeSet::new();
        let mut truth = one.truth.clone();
        for message in messages(&mut truth) {
            word(message, &mut |found| {
                words.extend(found.as_str().map(str::to_owned));
            });
        }
        let db = replayed(&one.events);
        fetch(&db, &one.truth);
        for old in words {
            let mut later = one.truth.clone();
            for message in messages(&mut later) {
                word(message, &mut |found| {
                    if *found == old.as_str() {
                        *found = json!("brand-new");
                    }
                });
            }
            assert_kept(&db, &one.name, &later, &old);
        }
    }
}

#[test]
fn a_message_of_an_unknown_type_takes_nothing_from_what_is_stored() {
    reworded(|message, with| with(&mut message["type"]));
}

#[test]
fn content_of_an_unknown_type_takes_nothing_from_what_is_stored() {
    reworded(|message, with| {
        let content = message.get_mut("content").and_then(Value::as_array_mut);
        content
            .into_iter()
            .flatten()
            .for_each(|item| with(&mut item["type"]));
    });
}

#[test]
fn a_call_of_an_unknown_state_takes_nothing_from_what_is_stored() {
    reworded(|message, with| {
        let content = message.get_mut("content").and_then(Value::as_array_mut);
        for item in content.into_iter().flatten() {
            if let Some(state) = item
                .get_mut("state")
                .filter(|state| state["status"].is_string())
            {
                with(&mut state["status"]);
            }
        }
    });
}

#[test]
fn an_answer_of_an_unknown_type_is_kept_by_its_contents_and_is_counted() {
    for one in ended() {
        let mut others = one.truth.clone();
        for message in messages(&mut others).filter(|one| one["type"] != "assistant") {
            message["type"] = json!("idle");
        }
        let mut expected = contents(&answered(&others));
        // It has in it what compactions cost.
        expected.retain(|row| !row.contains(":overhead"));
        let mut later = one.truth.clone();
        let mut count = 0;
        for message in messages(&mut later) {
            if message["type"] == "assistant" {
                message["type"] = json!("brand-new");
                count += 1;
            }
        }
        let db = answered(&later);
        let lost: Vec<String> = expected.difference(&contents(&db)).cloned().collect();
        assert!(lost.is_empty(), "{}:\n{}", one.name, lost.join("\n"));
        let is_counted = count_of(&db, "wrong_type") != "0";
        assert_eq!(is_counted, count > 0, "{}", one.name);
    }
}

/// What says which row an answer is about, and what holds that.
const IDENTITY: &[&str] = &[
    "id", "type", "content", "text", "summary", "command", "files",
];

/// What known releases leave out at times, and a row is made of it.
const OPTIONAL: &[&str] = &[
    "assistant /content",
    "assistant /error",
    "compaction /error",
    "compaction /summary",
    "user /files",
];

/// The fields of an object, and of the objects in it at any depth.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = format!("{at}/{key}");
                found.push(path.clone());
                paths(value, &path, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The rows that a session with this one message is answered as, and whether
/// anything of it was refused.
fn identities(session: &Value, message: &Value) -> (BTreeSet<String>, bool) {
    let one = json!({ "sessions": [{ "session": session, "messages": [message] }] });
    let mut ids = BTreeSet::new();
    let mut is_reported = false;
    let nothing =
        |request: &Request| matches!(request, Request::StoredMessages { .. }).then(|| json!([]));
    fetch_into(&one, nothing, |commands| {
        for command in commands {
            let wire = serde_json::to_value(command).unwrap();
            is_reported |= command.method() == "rejection.record";
            if let Some(id) = wire["params"]["id"].as_str() {
                ids.insert(format!("{} {id}", command.method()));
            }
        }
    });
    (ids, is_reported)
}

#[test]
fn no_change_of_a_field_of_an_answer_loses_a_row_in_silence() {
    // Each field of each type of message, in the first message that has it.
    let mut seen: BTreeMap<(String, String), (Value, Value)> = BTreeMap::new();
    for one in ended() {
        for of in one.truth["sessions"].as_array().unwrap() {
            for message in of["messages"].as_array().unwrap() {
                let mut found = Vec::new();
                paths(message, "", &mut found);
                let kind = message["type"].as_str().unwrap_or_default();
                for path in found {
                    let key = (kind.to_owned(), path);
                    let told = || (of["session"].clone(), message.clone());
                    seen.entry(key).or_insert_with(told);
                }
            }
        }
    }
    let values = [json!(null), json!(7), json!("a word"), json!([]), json!({})];
    let mut harms = Vec::new();
    for ((kind, path), (session, message)) in &seen {
        let expected = identities(session, message).0;
        for to in values.iter().map(Some).chain([None]) {
            let (found, is_reported) = identities(session, &changed(message, path, to));
            let is_lost = !expected.is_subset(&found);
            let key = path.rsplit('/').next().unwrap_or_default();
            // Another id is another row.
            let is_renamed = to.is_some_and(|to| to.is_string() || to.is_number());
            let is_identity = IDENTITY.contains(&key) && is_renamed;
            let what = format!("{kind} {path}");
            let is_left_out = to.is_none_or(|to| *to == json!([]));
            let is_optional = is_left_out && OPTIONAL.contains(&what.as_str());
            if is_lost && !is_reported && !is_identity && !is_optional {
                harms.push(format!("{what} as {to:?}"));
            }
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
    assert!(harms.is_empty(), "{}", harms.join("\n"));
}
