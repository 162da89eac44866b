//! Comparing a directory: what its host lists, which store that is, what is stored.

use super::differences::{differences, differences_unlisted};
use super::listed::{Listed, Teller};
use super::stored::StoredSession;
use super::{Answer, CatchUp, Outcome, Reading, Request, Task, Wanted};
use crate::model::row::Content;
use crate::read::node::{Kind, Node};
use crate::recorded::Recorded;

/// A comparison that is under way.
#[derive(Debug)]
pub(super) struct Compare {
    directory: String,
    /// When the list was asked for, Unix milliseconds.
    asked: f64,
    /// What the host lists, once it has answered; nothing where it offers no list.
    listed: Option<Vec<Listed>>,
    list: List,
    /// Whether it was asked which store that is.
    is_store_asked: bool,
    is_store_known: bool,
}

/// Whether a host offers a list of its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Offered,
    NotOffered,
    /// Only which store it has is asked.
    NotAsked,
}

impl Compare {
    pub(super) const fn new(directory: String, now: f64) -> Self {
        Self {
            directory,
            asked: now,
            listed: None,
            list: List::Offered,
            is_store_asked: false,
            is_store_known: false,
        }
    }

    /// Asks only which store answers.
    pub(super) fn of_store(directory: String, now: f64) -> Self {
        Self {
            listed: Some(Vec::new()),
            list: List::NotAsked,
            ..Self::new(directory, now)
        }
    }

    pub(super) const fn is_of_store(&self) -> bool {
        matches!(self.list, List::NotAsked)
    }

    pub(super) fn directory(&self) -> &str {
        &self.directory
    }

    pub(super) fn request(&self, store_id: Option<&str>) -> Request {
        let directory = self.directory.clone();
        match &self.listed {
            None => Request::Sessions { directory },
            // After the list: the host has opened its store by then.
            Some(_) if !self.is_store_asked => Request::Store { directory },
            Some(listed) => Request::StoredSessions {
                directory,
                ids: listed.iter().map(|session| session.id.clone()).collect(),
                store_id: store_id.map(str::to_owned),
            },
        }
    }
}

impl CatchUp {
    /// Takes a host's list: what is compared of it is what is recorded.
    fn listed<'a, N>(
        &mut self,
        mut compare: Compare,
        mut listed: Vec<Listed>,
    ) -> Vec<Outcome<'a, N>> {
        let Recorded { content, ignored } = &self.recorded;
        let mut directories = Vec::new();
        if !ignored.is_empty() {
            let told = listed
                .iter()
                .filter_map(|one| Some((one.id.clone(), one.directory.clone()?)));
            directories = told.collect();
            listed.retain(|one| {
                !one.directory
                    .as_deref()
                    .is_some_and(|of| ignored.matches(of))
            });
        }
        if *content == Content::Metadata {
            listed.iter_mut().for_each(Listed::forget_content);
        }
        compare.listed = Some(listed);
        self.task = Some(Task::Compare(compare));
        vec![Outcome::Listed(directories)]
    }

    /// Takes an answer of a comparison.
    pub(super) fn compared<'a, N: Node>(
        &mut self,
        mut compare: Compare,
        answer: Answer<'a, N>,
        reading: &Reading<N>,
    ) -> Vec<Outcome<'a, N>> {
        let Some(listed) = &compare.listed else {
            match answer {
                Answer::Found(list) if list.kind() == Kind::Array => {
                    let listed = list.items().iter().filter_map(reading.listed).collect();
                    return self.listed(compare, listed);
                }
                Answer::NotOffered => {
                    compare.listed = Some(Vec::new());
                    compare.list = List::NotOffered;
                }
                Answer::Found(_) | Answer::None | Answer::Failed => return Vec::new(),
            }
            self.task = Some(Task::Compare(compare));
            return Vec::new();
        };
        if !compare.is_store_asked {
            let store_id = match answer {
                Answer::Found(store) => store.text(),
                _ => None,
            };
            compare.is_store_asked = true;
            self.is_store_asked = true;
            compare.is_store_known = store_id.is_some();
            if !compare.is_of_store() {
                self.task = Some(Task::Compare(compare));
            }
            return vec![Outcome::Store(store_id)];
        }
        let Answer::Found(stored) = answer else {
            self.refusals += 1;
            return Vec::new();
        };
        self.refusals = 0;
        let stored: Vec<StoredSession> = stored
            .items()
            .iter()
            .filter_map(StoredSession::read)
            .collect();
        let directory = compare.directory.as_str();
        let found = if compare.list == List::Offered {
            let teller = match self.copy {
                Some(rank) => Teller::Copy(rank),
                None if compare.is_store_known => Teller::Store,
                None => Teller::Unknown,
            };
            differences(listed, &stored, directory, teller)
        } else {
            differences_unlisted(&stored)
        };
        for session_id in found.unlisted {
            self.unlisted.push(Wanted {
                directory: directory.to_owned(),
                session_id,
            });
        }
        self.fetch_later(directory, found.fetch);
        vec![Outcome::Compared {
            stored,
            seen: found.seen,
            older: found.older,
            asked: compare.asked,
        }]
    }
}
