//! Fetching one session whole, and what it lacks that is stored.
//!
//! An answer that lacks something only raises the question. Each message in
//! question is then asked for by itself, and what the host answers to that
//! settles it: what it has no more is missing, and keeps its content.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Answer, CatchUp, Outcome, Reading, Request, Task, Wanted};
use crate::read::node::Node;

/// A message as it is stored; `store::STORED_MESSAGES` selects those of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its id.
    pub id: String,
    /// The ids of its parts and tool calls.
    pub part_ids: Vec<String>,
}

impl StoredMessage {
    /// Reads a row of that query, in which the ids are a JSON list.
    pub fn read<N: Node>(row: &N) -> Option<Self> {
        let part_ids = row.text_at("partIds")?;
        Some(Self {
            id: row.text_at("id")?,
            part_ids: serde_json::from_str(&part_ids).unwrap_or_default(),
        })
    }
}

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
type AnsweredParts = BTreeMap<String, Option<BTreeSet<String>>>;

/// A message that is stored and was not answered, or not with all its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct InQuestion {
    message_id: String,
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
fn in_question(answered: &AnsweredParts, stored: Vec<StoredMessage>) -> VecDeque<InQuestion> {
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

/// A session that is being fetched.
#[derive(Debug)]
pub(super) struct Fetch {
    wanted: Wanted,
    /// Whether it goes before those that a comparison found.
    is_first: bool,
    /// What is stored, where it can be told.
    stored: Option<Vec<StoredMessage>>,
    step: Step,
    answered: AnsweredParts,
    /// The names of the pages that were asked for, but for the first.
    pages: BTreeSet<String>,
    /// Whether every message in question was settled.
    is_settled: bool,
    /// Whether the host could tell all of the messages.
    is_complete: bool,
}

/// What is asked for next.
#[derive(Debug)]
enum Step {
    Stored,
    Session,
    Todos,
    /// A page of messages.
    Messages(Option<String>),
    /// Messages in question, the first of them now.
    Questions(VecDeque<InQuestion>),
}

impl Fetch {
    pub(super) const fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            is_first: false,
            stored: None,
            step: Step::Stored,
            answered: BTreeMap::new(),
            pages: BTreeSet::new(),
            is_settled: true,
            is_complete: true,
        }
    }

    /// A session that this process met.
    pub(super) fn first(wanted: Wanted) -> Self {
        Self {
            is_first: true,
            ..Self::new(wanted)
        }
    }

    pub(super) const fn is_first(&self) -> bool {
        self.is_first
    }

    pub(super) fn directory(&self) -> &str {
        &self.wanted.directory
    }

    pub(super) fn session_id(&self) -> &str {
        &self.wanted.session_id
    }

    /// Whether the host was asked for the session.
    pub(super) const fn has_begun(&self) -> bool {
        !matches!(self.step, Step::Stored)
    }

    pub(super) fn request(&self, store_id: Option<&str>) -> Request {
        let Wanted {
            directory,
            session_id,
        } = self.wanted.clone();
        match &self.step {
            Step::Stored => Request::StoredMessages {
                session_id,
                store_id: store_id.map(str::to_owned),
            },
            Step::Session => self.wanted.request(),
            Step::Todos => Request::Todos {
                directory,
                session_id,
            },
            Step::Messages(page) => Request::Messages {
                directory,
                session_id,
                page: page.clone(),
            },
            Step::Questions(questions) => Request::Message {
                directory,
                session_id,
                message_id: questions
                    .front()
                    .map(|question| question.message_id.clone())
                    .unwrap_or_default(),
            },
        }
    }
}

impl CatchUp {
    /// Takes an answer about the session that is being fetched.
    pub(super) fn fetched<'a, N: Node>(
        &mut self,
        mut fetch: Box<Fetch>,
        answer: Answer<'a, N>,
        reading: &Reading<N>,
    ) -> Vec<Outcome<'a, N>> {
        let session_id = fetch.wanted.session_id.clone();
        let (next, outcome) = match (std::mem::replace(&mut fetch.step, Step::Stored), answer) {
            (Step::Stored, answer) => {
                if let Answer::Found(stored) = answer {
                    let rows = stored.items();
                    fetch.stored = Some(rows.iter().filter_map(StoredMessage::read).collect());
                    self.refusals = 0;
                } else {
                    self.refusals += 1;
                }
                (Some(Step::Session), Some(Outcome::Begin(session_id)))
            }
            // First: what it says of a change is in what is answered after it.
            (Step::Session, Answer::Found(info)) => {
                (Some(Step::Todos), Some(Outcome::Session(info)))
            }
            (Step::Todos, answer) => {
                let todos = match answer {
                    Answer::Found(todos) => Some(Outcome::Todos(session_id, todos)),
                    _ => None,
                };
                (Some(Step::Messages(None)), todos)
            }
            (Step::Messages(_), Answer::Found(page)) => {
                let items = page.get("items").map(|items| items.items());
                let messages = items.unwrap_or_default();
                fetch.is_complete &= page.boolean_at("incomplete") != Some(true);
                // Where nothing is stored nothing can be in question.
                if fetch
                    .stored
                    .as_ref()
                    .is_some_and(|stored| !stored.is_empty())
                {
                    for spoken in messages.iter().filter_map(reading.spoken) {
                        let none = || Some(BTreeSet::new());
                        let parts = fetch.answered.entry(spoken.id).or_insert_with(none);
                        match (&mut *parts, spoken.part_ids) {
                            (Some(parts), Some(more)) => parts.extend(more),
                            (parts, _) => *parts = None,
                        }
                    }
                }
                // A host that gives the same page again, or empty ones, has no end.
                let next = page.text_at("next");
                let goes_on =
                    |next: &String| !messages.is_empty() && fetch.pages.insert(next.clone());
                let is_last = next.is_none();
                let next = if let Some(next) = next.filter(goes_on) {
                    Step::Messages(Some(next))
                } else {
                    fetch.is_complete &= is_last;
                    fetch.questions()
                };
                (Some(next), Some(Outcome::Messages(session_id, messages)))
            }
            (Step::Session | Step::Messages(_), _) => (None, None),
            (Step::Questions(mut questions), answer) => {
                let question = questions.pop_front();
                let missing = question.and_then(|question| settle(question, answer, reading));
                fetch.is_settled &= missing.is_some();
                let outcome = missing.map(|missing| Outcome::Missing(session_id, missing));
                (Some(Step::Questions(questions)), outcome)
            }
        };
        let mut outcomes: Vec<Outcome<'a, N>> = outcome.into_iter().collect();
        match next {
            Some(Step::Questions(questions)) if questions.is_empty() => {
                let is_whole = fetch.is_settled && fetch.is_complete;
                outcomes.push(fetch.wanted.end(is_whole));
            }
            Some(step) => {
                fetch.step = step;
                self.task = Some(Task::Fetch(fetch));
            }
            None => outcomes.push(fetch.wanted.end(false)),
        }
        outcomes
    }
}

impl Fetch {
    /// What is in question once all messages were answered.
    fn questions(&mut self) -> Step {
        // Where nothing can be told of what is stored, nothing is settled. What
        // an incomplete answer lacks is not in question.
        self.is_settled = self.stored.is_some();
        let stored = self.stored.take().filter(|_| self.is_complete);
        Step::Questions(in_question(&self.answered, stored.unwrap_or_default()))
    }
}

/// What the answer to a question says: that the message is missing, where there
/// is none, or which of its parts are. Nothing where it is no answer to it.
fn settle<N: Node>(
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
        Answer::Failed | Answer::NotOffered => None,
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
