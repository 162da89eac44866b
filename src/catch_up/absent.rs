//! What OpenCode does not answer any more: messages and parts that are stored,
//! and that were removed while nobody was looking. Pure; the shim does the asking.
//!
//! Calling something removed erases its content, so an answer that lacks it
//! only raises the question. Each message in question is then asked for by
//! itself, and only what OpenCode answers to that settles it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catch_up::plan::keeps;
use crate::model::event::{Event, PartKey};
use crate::model::number::Number;
use crate::read::node::Node;

/// A message as it is stored; `store::STORED_MESSAGES` selects those of a
/// session. To be read before OpenCode is asked: what was stored by then,
/// OpenCode had by then.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMessage {
    /// Its id.
    pub id: String,
    /// The ids of its parts and tool calls, a JSON list.
    pub part_ids: String,
    /// When OpenCode last changed its session, as far as is stored.
    pub updated_at: Option<Number>,
    /// Where OpenCode keeps its session.
    pub origin: Option<String>,
}

/// A message that is stored and was not answered, or not with all its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Absent {
    /// The message.
    pub message_id: String,
    /// Those of its parts that were not answered.
    pub part_ids: Vec<String>,
}

/// Compares the messages that OpenCode answered of a session with those that
/// are stored of it. Nothing is missed in an answer that is older than what is
/// stored, or of a session that another OpenCode keeps too: neither speaks for
/// all that there is.
pub fn absent<N: Node>(
    session: &N,
    answered: &[N],
    stored: &[StoredMessage],
    origin: Option<&str>,
) -> Vec<Absent> {
    let updated_at = session
        .get("time")
        .and_then(|time| time.number_at("updated"))
        .and_then(Number::new);
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in answered {
        if let Some(id) = message.get("info").and_then(|info| info.text_at("id")) {
            there.entry(id).or_default().extend(part_ids(message));
        }
    }
    let version = session.text_at("version");
    let speaks_for = |stored: &&StoredMessage| {
        keeps(origin, stored.origin.as_deref(), version.as_deref())
            && stored.updated_at <= updated_at
    };
    let lacks = |stored: &StoredMessage| {
        let part_ids: Vec<String> = serde_json::from_str(&stored.part_ids).unwrap_or_default();
        let answered = there.get(&stored.id);
        let is_missed = |id: &String| answered.is_none_or(|answered| !answered.contains(id));
        let part_ids: Vec<String> = part_ids.into_iter().filter(is_missed).collect();
        (answered.is_none() || !part_ids.is_empty()).then(|| Absent {
            message_id: stored.id.clone(),
            part_ids,
        })
    };
    stored.iter().filter(speaks_for).filter_map(lacks).collect()
}

/// What OpenCode's answer to the question says: that the message was removed,
/// where it has none (`null`), or which of its parts were.
pub fn removals<N: Node>(session_id: &str, absent: Absent, answer: &N) -> Vec<Event> {
    let Absent {
        message_id,
        part_ids: missed,
    } = absent;
    let session_id = session_id.to_owned();
    if answer.kind() == crate::read::node::Kind::Null {
        return vec![Event::MessageRemoved {
            session_id,
            message_id,
        }];
    }
    // An answer about something else, or without a list of parts, says nothing.
    let is_of_it = answer
        .get("info")
        .and_then(|info| info.text_at("id"))
        .is_some_and(|id| id == message_id);
    if !is_of_it || answer.kind_at("parts") != Some(crate::read::node::Kind::Array) {
        return Vec::new();
    }
    let there: BTreeSet<String> = part_ids(answer).collect();
    missed
        .into_iter()
        .filter(|id| !there.contains(id))
        .map(|part_id| {
            Event::PartRemoved(PartKey {
                session_id: session_id.clone(),
                message_id: message_id.clone(),
                part_id,
            })
        })
        .collect()
}

fn part_ids<N: Node>(message: &N) -> impl Iterator<Item = String> + use<N> {
    let parts = message.get("parts").map(|parts| parts.items());
    parts
        .unwrap_or_default()
        .into_iter()
        .filter_map(|part| part.text_at("id"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HOME: &str = "/home/user/.local/share/opencode/opencode.db";

    fn stored(id: &str, parts: &[&str]) -> StoredMessage {
        StoredMessage {
            id: id.to_owned(),
            part_ids: json!(parts).to_string(),
            updated_at: Number::new(10.0),
            origin: Some(HOME.to_owned()),
        }
    }

    fn answered(id: &str, parts: &[&str]) -> Value {
        let parts: Vec<Value> = parts.iter().map(|id| json!({ "id": id })).collect();
        json!({ "info": { "id": id }, "parts": parts })
    }

    fn missed(updated: u32, answered: &[Value], stored: &[StoredMessage]) -> Vec<Absent> {
        let session = json!({ "version": "1.18.34", "time": { "updated": updated } });
        let answered: Vec<&Value> = answered.iter().collect();
        absent(&&session, &answered, stored, Some(HOME))
    }

    fn question(message: &str, parts: &[&str]) -> Absent {
        Absent {
            message_id: message.to_owned(),
            part_ids: parts.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    #[test]
    fn messages_and_parts_that_are_not_answered_are_in_question() {
        let held = [
            stored("a", &["a1", "a2"]),
            stored("b", &["b1"]),
            stored("c", &[]),
        ];
        let answer = [answered("a", &["a2", "a3"]), answered("c", &["c1"])];
        assert_eq!(
            missed(10, &answer, &held),
            [question("a", &["a1"]), question("b", &["b1"])]
        );
        assert_eq!(
            missed(11, &[], &held[2..]),
            [question("c", &[])],
            "a session that has no message left"
        );
    }

    #[test]
    fn an_answer_that_is_older_than_what_is_stored_puts_nothing_in_question() {
        assert_eq!(missed(9, &[], &[stored("a", &["a1"])]), []);
    }

    #[test]
    fn a_session_that_another_opencode_keeps_too_is_not_put_in_question() {
        let mut elsewhere = stored("a", &[]);
        elsewhere.origin = Some(String::new());
        let mut unknown = stored("b", &[]);
        unknown.origin = None;
        assert_eq!(missed(10, &[], &[elsewhere, unknown.clone()]), []);
        let mut session = json!({ "version": "1.18.34", "time": { "updated": 10 } });
        assert_eq!(absent(&&session, &[], &[unknown], None), []);
        // One that was taken over from files may still go on in them.
        session["version"] = json!("1.1.31");
        let own = [stored("a", &[])];
        assert_eq!(absent(&&session, &[], &own, Some(HOME)), []);
    }

    #[test]
    fn a_message_is_removed_where_opencode_answers_that_it_has_none() {
        let removed = Event::MessageRemoved {
            session_id: "s".to_owned(),
            message_id: "a".to_owned(),
        };
        assert_eq!(
            removals("s", question("a", &["a1"]), &&Value::Null),
            [removed]
        );
    }

    #[test]
    fn a_message_that_is_answered_by_itself_stays_and_loses_the_parts_it_has_no_more() {
        let answer = answered("a", &["a2"]);
        let removed = Event::PartRemoved(PartKey {
            session_id: "s".to_owned(),
            message_id: "a".to_owned(),
            part_id: "a1".to_owned(),
        });
        assert_eq!(
            removals("s", question("a", &["a1", "a2"]), &&answer),
            [removed]
        );
    }

    #[test]
    fn an_answer_to_another_question_removes_nothing() {
        for answer in [
            json!({}),
            json!([]),
            answered("b", &[]),
            json!({ "info": { "id": "a" } }),
            json!({ "info": { "id": "a" }, "parts": {} }),
        ] {
            assert_eq!(
                removals("s", question("a", &["a1"]), &&answer),
                [],
                "{answer}"
            );
        }
    }
}
