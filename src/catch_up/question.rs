//! What is stored of a session and was not answered.
//!
//! An answer that lacks something only raises the question. Each message in
//! question is then asked for by itself, and what the host answers to that
//! settles it: what it has no more is missing, and keeps its content.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::stored::StoredMessage;
use super::{Answer, Reading};
use crate::read::node::Node;

/// The ids in a message that a host answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The message.
    pub id: String,
    /// Its parts and tool calls. None where it holds what is not understood:
    /// what is stored of it may be among that.
    pub part_ids: Option<BTreeSet<String>>,
}

/// The messages that were answered, each with its parts.
pub(super) type AnsweredParts = BTreeMap<String, Option<BTreeSet<String>>>;

/// A message that is stored and was not answered, or not with all its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InQuestion {
    pub(super) message_id: String,
    /// Those of its parts that were not answered.
    part_ids: Vec<String>,
}

/// What a host has no more of a message.
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

/// Which of the stored messages were not answered, or not with all their parts.
pub(super) fn in_question(
    answered: &AnsweredParts,
    stored: Vec<StoredMessage>,
) -> VecDeque<InQuestion> {
    let lacks = |stored: StoredMessage| {
        let answered = answered.get(&stored.id);
        let is_missed = |id: &String| match answered {
            None => true,
            Some(parts) => parts.as_ref().is_some_and(|parts| !parts.contains(id)),
        };
        let part_ids: Vec<String> = stored.part_ids.into_iter().filter(is_missed).collect();
        (answered.is_none() || !part_ids.is_empty()).then_some(InQuestion {
            message_id: stored.id,
            part_ids,
        })
    };
    stored.into_iter().filter_map(lacks).collect()
}

/// What the answer to a question says: that the message is missing, where there
/// is none, or which of its parts are. Nothing where it is no answer to it.
pub(super) fn settle<N: Node>(
    question: InQuestion,
    answer: Answer<'_, N>,
    reading: &Reading<N>,
) -> Option<Missing> {
    let InQuestion {
        message_id,
        mut part_ids,
    } = question;
    match answer {
        Answer::None => Some(Missing::Message(message_id)),
        Answer::Found(message) => {
            let spoken = (reading.spoken)(message).filter(|spoken| spoken.id == message_id)?;
            part_ids.retain(|id| {
                let answered = spoken.part_ids.as_ref();
                answered.is_some_and(|answered| !answered.contains(id))
            });
            Some(Missing::Parts {
                message_id,
                part_ids,
            })
        }
        Answer::Beginning(_) | Answer::Failed | Answer::NotOffered => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored(id: &str, parts: &[&str]) -> StoredMessage {
        StoredMessage {
            id: id.to_owned(),
            part_ids: parts.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn question(message: &str, parts: &[&str]) -> InQuestion {
        InQuestion {
            message_id: message.to_owned(),
            part_ids: parts.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn answered(messages: &[(&str, &[&str])]) -> AnsweredParts {
        let ids = |parts: &[&str]| parts.iter().map(|&id| id.to_owned()).collect();
        messages
            .iter()
            .map(|&(id, parts)| (id.to_owned(), Some(ids(parts))))
            .collect()
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "a reading takes any node by reference"
    )]
    fn spoken(message: &&Value) -> Option<Spoken> {
        let id = message["id"].as_str()?.to_owned();
        if message["parts"] == "novel" {
            return Some(Spoken { id, part_ids: None });
        }
        let part_ids = message["parts"].as_array()?.iter();
        let part_ids = part_ids.filter_map(|id| Some(id.as_str()?.to_owned()));
        Some(Spoken {
            id,
            part_ids: Some(part_ids.collect()),
        })
    }

    fn settled(parts: &[&str], answer: Answer<'_, &Value>) -> Option<Missing> {
        let listed = |_: &&Value| None;
        settle(question("a", parts), answer, &Reading { listed, spoken })
    }

    fn parts(parts: &[&str]) -> Missing {
        Missing::Parts {
            message_id: "a".to_owned(),
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
        let answer = answered(&[("a", &["a2", "a3"]), ("c", &["c1"])]);
        assert_eq!(
            in_question(&answer, held.to_vec()),
            [question("a", &["a1"]), question("b", &["b1"])]
        );
        assert_eq!(
            in_question(&answered(&[]), held[2..].to_vec()),
            [question("c", &[])],
            "a session that has no message left"
        );
    }

    #[test]
    fn a_message_is_missing_where_the_host_has_none() {
        let missing = Missing::Message("a".to_owned());
        assert_eq!(settled(&["a1"], Answer::None), Some(missing));
    }

    #[test]
    fn of_a_message_that_is_answered_by_itself_parts_may_be_missing() {
        let answer = json!({ "id": "a", "parts": ["a2"] });
        let missing = settled(&["a1", "a2"], Answer::Found(&&answer));
        assert_eq!(missing, Some(parts(&["a1"])));
        let missing = settled(&["a2"], Answer::Found(&&answer));
        assert_eq!(missing, Some(parts(&[])));
    }

    #[test]
    fn what_is_not_understood_puts_nothing_in_question() {
        let answer = BTreeMap::from([("a".to_owned(), None)]);
        assert_eq!(in_question(&answer, vec![stored("a", &["a1"])]), []);
        let answer = json!({ "id": "a", "parts": "novel" });
        let missing = settled(&["a1"], Answer::Found(&&answer));
        assert_eq!(missing, Some(parts(&[])));
    }

    #[test]
    fn no_answer_and_an_answer_to_another_question_settle_nothing() {
        assert_eq!(settled(&["a1"], Answer::Failed), None);
        assert_eq!(settled(&["a1"], Answer::NotOffered), None);
        for answer in [
            json!({}),
            json!([]),
            json!({ "id": "b", "parts": [] }),
            json!({ "id": "a" }),
        ] {
            let missing = settled(&["a1"], Answer::Found(&&answer));
            assert_eq!(missing, None, "{answer}");
        }
    }
}
