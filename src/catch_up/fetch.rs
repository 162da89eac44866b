//! Fetching one session whole, and what it lacks that is stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::question::{AnsweredParts, InQuestion, in_question, settle};
use super::stored::StoredMessage;
use super::{Answer, CatchUp, Outcome, Reading, Request, Task, Wanted};
use crate::read::node::Node;

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
    /// Whether the host could tell all of the messages. A copy of which the words
    /// were taken out cannot.
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
                let listed = (reading.listed)(info);
                let is_taken_out = listed.is_some_and(|listed| listed.is_taken_out());
                fetch.is_complete = !(is_taken_out && self.copy.is_some());
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
