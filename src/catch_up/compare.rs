//! Comparing a directory: what its host lists, which store that is, what is stored. A
//! long list is compared a page at a time, so that no step holds its thread.

use super::differences::{differences, differences_unlisted};
use super::listed::{Listed, ListedBy};
use super::stored::StoredSession;
use super::{Answer, CatchUp, Outcome, Reading, Request, Task, Wanted};
use crate::model::number::Number;
use crate::model::row::Content;
use crate::read::node::{Kind, Node};
use crate::recorded::Recorded;

/// How many sessions are compared at a time.
const PAGE: usize = 250;

/// A comparison that is under way.
#[derive(Debug)]
pub(super) struct Compare {
    directory: String,
    /// When the list was asked for, Unix milliseconds.
    asked: f64,
    /// What the host lists as far as it has answered, those changed last first once
    /// it has; nothing where it offers no list.
    listed: Vec<Listed>,
    list: List,
    /// How many of them were compared.
    compared: usize,
    /// Whether it was asked which store that is.
    is_store_asked: bool,
    is_store_known: bool,
}

/// Whether a host offers a list of its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// It is being asked.
    Awaited,
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
            listed: Vec::new(),
            list: List::Awaited,
            compared: 0,
            is_store_asked: false,
            is_store_known: false,
        }
    }

    /// Asks only which store answers.
    pub(super) fn of_store(directory: String, now: f64) -> Self {
        Self {
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
        if self.list == List::Awaited {
            return Request::Sessions { directory };
        }
        // After the list: the host has opened its store by then.
        if !self.is_store_asked {
            return Request::Store { directory };
        }
        let ids = |listed: &[Listed]| listed.iter().map(|one| one.id.clone()).collect();
        let store_id = store_id.map(str::to_owned);
        let (compared, page, rest) = self.pages();
        let is_last = rest.is_empty();
        Request::StoredSessions {
            directory: is_last.then_some(directory),
            ids: ids(page),
            but_for: if is_last { ids(compared) } else { Vec::new() },
            store_id,
        }
    }

    /// What is listed: what was compared, what is next, and the rest.
    fn pages(&self) -> (&[Listed], &[Listed], &[Listed]) {
        let (compared, left) = self
            .listed
            .split_at_checked(self.compared)
            .unwrap_or((&self.listed, &[]));
        let (page, rest) = left.split_at_checked(PAGE).unwrap_or((left, &[]));
        (compared, page, rest)
    }
}

impl CatchUp {
    /// Takes what a host lists, or the beginning of it: what is compared of it is what
    /// is recorded.
    fn listed<'a, N>(
        &mut self,
        mut compare: Compare,
        mut listed: Vec<Listed>,
        is_all: bool,
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
        compare.listed.append(&mut listed);
        if is_all {
            newest_first(&mut compare.listed);
            compare.list = List::Offered;
        }
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
        if compare.list == List::Awaited {
            match answer {
                Answer::Found(list) | Answer::Beginning(list) if list.kind() == Kind::Array => {
                    let listed = list.items().iter().filter_map(reading.listed).collect();
                    let is_all = matches!(answer, Answer::Found(_));
                    return self.listed(compare, listed, is_all);
                }
                Answer::NotOffered => {
                    compare.list = List::NotOffered;
                    self.task = Some(Task::Compare(compare));
                }
                Answer::Found(_) | Answer::Beginning(_) | Answer::None | Answer::Failed => {}
            }
            return Vec::new();
        }
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
            self.put_off.insert(compare.directory);
            return Vec::new();
        };
        let stored: Vec<StoredSession> = stored
            .items()
            .iter()
            .filter_map(StoredSession::read)
            .collect();
        let directory = compare.directory.as_str();
        let (_, page, rest) = compare.pages();
        let is_last = rest.is_empty();
        let found = if compare.list == List::Offered {
            let by = match self.copy {
                Some(rank) => ListedBy::Copy(rank),
                None if compare.is_store_known => ListedBy::Store,
                None => ListedBy::Unknown,
            };
            differences(page, &stored, directory, by)
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
        let outcome = Outcome::Compared {
            stored,
            seen: found.seen,
            older: found.older,
            asked: compare.asked,
        };
        if is_last {
            self.refusals = 0;
            self.put_off.remove(&compare.directory);
        } else {
            compare.compared += PAGE;
            self.task = Some(Task::Compare(compare));
        }
        vec![outcome]
    }
}

/// Those changed last first: in this order they are fetched.
fn newest_first(listed: &mut [Listed]) {
    listed.sort_by(|one, other| {
        let at = |session: &Listed| session.updated_at.map_or(0.0, Number::get);
        at(other)
            .total_cmp(&at(one))
            .then_with(|| one.id.cmp(&other.id))
    });
}
