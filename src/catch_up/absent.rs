//! What OpenCode does not answer any more: messages and parts that are stored,
//! and that it has lost or removed while nobody was looking. Pure; the shim
//! does the asking.
//!
//! An answer that lacks something only raises the question. Each message in
//! question is then asked for by itself, and what OpenCode answers to that
//! settles it: what it has no more is missing, and keeps its content.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

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
/// are stored of it.
pub fn absent<N: Node>(answered: &[N], stored: &[StoredMessage]) -> Vec<Absent> {
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for message in answered {
        if let Some(id) = message.get("info").and_then(|info| info.text_at("id")) {
            there.entry(id).or_default().extend(part_ids(message));
        }
    }
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
    stored.iter().filter_map(lacks).collect()
}

/// What OpenCode has no more of a message in question.
#[derive(Debug, PartialEq, Eq)]
pub enum Missing {
    /// The message.
    Message(String),
    /// Parts of it, which may be none.
    Parts {
        /// The message.
        message_id: String,
        /// The parts and tool calls.
        part_ids: Vec<String>,
    },
}

/// What OpenCode's answer to the question says: that the message is missing,
/// where it has none (`null`), or which of its parts are.
pub fn missing<N: Node>(absent: Absent, answer: &N) -> Missing {
    let Absent {
        message_id,
        part_ids: mut missed,
    } = absent;
    if answer.kind() == crate::read::node::Kind::Null {
        return Missing::Message(message_id);
    }
    // An answer about something else, or without a list of parts, says nothing.
    let is_of_it = answer
        .get("info")
        .and_then(|info| info.text_at("id"))
        .is_some_and(|id| id == message_id);
    if is_of_it && answer.kind_at("parts") == Some(crate::read::node::Kind::Array) {
        let there: BTreeSet<String> = part_ids(answer).collect();
        missed.retain(|id| !there.contains(id));
    } else {
        missed.clear();
    }
    Missing::Parts {
        message_id,
        part_ids: missed,
    }
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

    fn stored(id: &str, parts: &[&str]) -> StoredMessage {
        StoredMessage {
            id: id.to_owned(),
            part_ids: json!(parts).to_string(),
        }
    }

    fn answered(id: &str, parts: &[&str]) -> Value {
        let parts: Vec<Value> = parts.iter().map(|id| json!({ "id": id })).collect();
        json!({ "info": { "id": id }, "parts": parts })
    }

    fn missed(answered: &[Value], stored: &[StoredMessage]) -> Vec<Absent> {
        absent(&answered.iter().collect::<Vec<_>>(), stored)
    }

    fn question(message: &str, parts: &[&str]) -> Absent {
        Absent {
            message_id: message.to_owned(),
            part_ids: parts.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn parts(message: &str, parts: &[&str]) -> Missing {
        Missing::Parts {
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
            missed(&answer, &held),
            [question("a", &["a1"]), question("b", &["b1"])]
        );
        assert_eq!(
            missed(&[], &held[2..]),
            [question("c", &[])],
            "a session that has no message left"
        );
    }

    #[test]
    fn a_message_is_missing_where_opencode_answers_that_it_has_none() {
        assert_eq!(
            missing(question("a", &["a1"]), &&Value::Null),
            Missing::Message("a".to_owned())
        );
    }

    #[test]
    fn of_a_message_that_is_answered_by_itself_parts_may_be_missing() {
        let answer = answered("a", &["a2"]);
        assert_eq!(
            missing(question("a", &["a1", "a2"]), &&answer),
            parts("a", &["a1"])
        );
    }

    #[test]
    fn by_an_answer_to_another_question_nothing_is_missing() {
        for answer in [
            json!({}),
            json!([]),
            answered("b", &[]),
            json!({ "info": { "id": "a" } }),
            json!({ "info": { "id": "a" }, "parts": {} }),
        ] {
            assert_eq!(
                missing(question("a", &["a1"]), &&answer),
                parts("a", &[]),
                "{answer}"
            );
        }
    }
}
