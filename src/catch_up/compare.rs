//! Comparing what a host lists of a directory with what is stored.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, CatchUp, Outcome, Reading, Request, Task, Wanted};
use crate::model::number::Number;
use crate::model::row::SessionStatus;
use crate::read::node::{Kind, Node};

/// A session as it is stored; `store::STORED_SESSIONS` selects these.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredSession {
    /// Its id.
    pub id: String,
    /// When it was deleted, Unix milliseconds.
    pub deleted_at: Option<Number>,
    /// Since when every store that had it lacks it.
    pub missing_since: Option<Number>,
    /// The time of change up to which nothing of it is missing, whoever told it.
    pub whole_at: Option<Number>,
    /// The same as the store has it that is asked.
    pub whole_here: Option<Number>,
    /// Its title, as far as is stored.
    pub title: Option<String>,
    /// Its cost, US dollars.
    pub cost: Number,
    /// When it was archived.
    pub archived_at: Option<Number>,
    /// What it is doing, as far as is stored.
    pub status: Option<SessionStatus>,
    /// The directory it works in.
    pub project_path: Option<String>,
    /// When the store that is asked told of it last; none where it never did.
    pub seen_here: Option<Number>,
    /// Since when that store lacks it.
    pub missing_here: Option<Number>,
    /// When that store told its deletion, if nobody did later.
    pub deleted_here: Option<Number>,
}

impl StoredSession {
    /// Reads a row of that query.
    pub fn read<N: Node>(row: &N) -> Option<Self> {
        let number = |key| row.number_at(key).and_then(Number::new);
        Some(Self {
            id: row.text_at("id")?,
            deleted_at: number("deletedAt"),
            missing_since: number("missingSince"),
            whole_at: number("wholeAt"),
            whole_here: number("wholeHere"),
            title: row.text_at("title"),
            cost: number("cost").unwrap_or_default(),
            archived_at: number("archivedAt"),
            status: row
                .text_at("status")
                .and_then(|word| SessionStatus::parse(&word)),
            project_path: row.text_at("projectPath"),
            seen_here: number("seenHere"),
            missing_here: number("missingHere"),
            deleted_here: number("deletedHere"),
        })
    }

    /// Whether it is stored as being at work, and may have been cut off.
    pub fn is_at_work(&self) -> bool {
        let at_work = |status| status != SessionStatus::Idle;
        self.status.is_some_and(at_work)
    }

    /// Whether something of it is known to be missing, whatever a host lists.
    fn is_cut_off(&self) -> bool {
        let whole_at = match self.seen_here {
            Some(_) => self.whole_here,
            None => self.whole_at,
        };
        let is_gone = self.deleted_at.is_some() || self.missing_since.is_some();
        !is_gone && (self.is_at_work() || whole_at.is_none())
    }
}

/// What a host's list says of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its cost, US dollars, where the host says one.
    pub cost: Option<Number>,
    /// When it was changed last, Unix milliseconds.
    pub updated_at: Option<Number>,
    /// When it was archived; none where it is not.
    pub archived_at: Option<Number>,
}

impl Listed {
    /// Whether what is stored of it lacks something that the host has. Only
    /// where the store is known can it bring back what was missing or deleted.
    fn is_news(&self, stored: &StoredSession, is_store_known: bool) -> bool {
        let is_back = is_store_known
            && (stored.deleted_here.is_some()
                || stored.missing_since.is_some()
                || stored.missing_here.is_some()
                || self.is_gone_on_with(stored));
        let is_changed = || stored.is_at_work() || self.is_changed(stored, is_store_known);
        is_back || stored.deleted_at.is_none() && is_changed()
    }

    /// Whether another store told its deletion, and it was changed here since.
    fn is_gone_on_with(&self, stored: &StoredSession) -> bool {
        stored.deleted_at.is_some()
            && stored.deleted_at < self.updated_at
            && stored.whole_here != self.updated_at
    }

    /// Whether its time of change says so. A store may go back in time, where a
    /// copy of it was put in its place; and a copy of another store may have gone
    /// on by itself, before that one did.
    fn is_changed(&self, stored: &StoredSession, is_store_known: bool) -> bool {
        let (whole_at, is_changed) = match stored.seen_here {
            Some(_) => (stored.whole_here, stored.whole_here != self.updated_at),
            None if is_store_known => (stored.whole_at, stored.whole_at != self.updated_at),
            None => (stored.whole_at, stored.whole_at < self.updated_at),
        };
        // What another store had later is not what this one lists.
        let is_of_another = stored.whole_at > self.updated_at;
        let differs = || whole_at == self.updated_at && !is_of_another && self.differs(stored);
        whole_at.is_none() || is_changed || differs()
    }

    /// A few changes, such as archiving or a fork's totals, leave the time of
    /// change as it was.
    fn differs(&self, stored: &StoredSession) -> bool {
        let costs_else = self
            .cost
            .is_some_and(|cost| (cost - stored.cost).get().abs() > CENTS);
        costs_else
            || (self.title.is_some() && stored.title != self.title)
            || stored.archived_at != self.archived_at
    }
}

/// A difference in cost that is none, US dollars: sums are rounded.
const CENTS: f64 = 1e-9;

/// What a comparison comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Differences {
    /// Sessions to fetch whole, those changed last first.
    pub(crate) fetch: Vec<String>,
    /// Sessions that the store had and does not list.
    pub(crate) unlisted: Vec<String>,
    /// Sessions that are stored whole, and of which it was not known that this
    /// store has them; each with its time of change.
    pub(crate) seen: Vec<(String, Option<Number>)>,
    /// Those to fetch that are stored whole as another store had them later,
    /// each with the time of change up to which they are.
    pub(crate) older: Vec<(String, Number)>,
}

/// Compares what a host lists of a directory with what is stored.
fn differences(
    listed: &[Listed],
    stored: &[StoredSession],
    directory: &str,
    is_store_known: bool,
) -> Differences {
    let stored_by_id: BTreeMap<&str, &StoredSession> = stored
        .iter()
        .map(|session| (session.id.as_str(), session))
        .collect();
    let (mut news, known): (Vec<&Listed>, Vec<&Listed>) = listed.iter().partition(|session| {
        stored_by_id
            .get(session.id.as_str())
            .is_none_or(|stored| session.is_news(stored, is_store_known))
    });
    news.sort_by(|one, other| {
        let at = |session: &Listed| session.updated_at.map_or(0.0, Number::get);
        at(other)
            .total_cmp(&at(one))
            .then_with(|| one.id.cmp(&other.id))
    });
    let is_new_here = |session: &&Listed| {
        stored_by_id
            .get(session.id.as_str())
            .is_some_and(|stored| stored.deleted_at.is_none() && stored.seen_here.is_none())
    };
    let is_older = |session: &&Listed| {
        let stored = stored_by_id.get(session.id.as_str())?;
        let whole_at = stored.whole_at.filter(|_| stored.seen_here.is_none())?;
        (session.updated_at < Some(whole_at)).then(|| (session.id.clone(), whole_at))
    };
    let older = news.iter().filter_map(is_older).collect();
    let ids = |sessions: Vec<&Listed>| sessions.iter().map(|session| session.id.clone()).collect();
    Differences {
        fetch: ids(news),
        older,
        unlisted: unlisted(
            stored,
            &listed.iter().map(|session| session.id.as_str()).collect(),
            directory,
        ),
        seen: known
            .into_iter()
            .filter(is_new_here)
            .map(|session| (session.id.clone(), session.updated_at))
            .collect(),
    }
}

/// What can be told where a host lists nothing: what was cut off.
fn differences_unlisted(stored: &[StoredSession]) -> Differences {
    let cut_off = stored.iter().filter(|session| session.is_cut_off());
    Differences {
        fetch: cut_off.map(|session| session.id.clone()).collect(),
        ..Differences::default()
    }
}

/// Stored sessions that this store had, and does not list any more.
fn unlisted(stored: &[StoredSession], listed: &BTreeSet<&str>, directory: &str) -> Vec<String> {
    let should_be_listed = |session: &&StoredSession| {
        session.seen_here.is_some()
            && session.missing_here.is_none()
            && session.deleted_at.is_none()
            && session.project_path.as_deref() == Some(directory)
    };
    stored
        .iter()
        .filter(should_be_listed)
        .filter(|session| !listed.contains(session.id.as_str()))
        .map(|session| session.id.clone())
        .collect()
}

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
                    let listed = list.items();
                    compare.listed = Some(listed.iter().filter_map(reading.listed).collect());
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
            differences(listed, &stored, directory, compare.is_store_known)
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

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "/home/user/project";

    fn stored(id: &str, whole: f64) -> StoredSession {
        StoredSession {
            id: id.to_owned(),
            deleted_at: None,
            missing_since: None,
            whole_at: Number::new(whole),
            whole_here: Number::new(whole),
            title: None,
            cost: Number::default(),
            archived_at: None,
            status: Some(SessionStatus::Idle),
            project_path: Some(PROJECT.to_owned()),
            seen_here: Number::new(1.0),
            missing_here: None,
            deleted_here: None,
        }
    }

    fn listed(id: &str, updated: f64) -> Listed {
        Listed {
            id: id.to_owned(),
            title: None,
            cost: None,
            updated_at: Number::new(updated),
            archived_at: None,
        }
    }

    fn compared(listed: &[Listed], stored: &[StoredSession]) -> Differences {
        differences(listed, stored, PROJECT, true)
    }

    #[test]
    fn what_is_not_stored_or_stale_is_fetched_newest_first() {
        let listed = [
            listed("a", 10.0),
            listed("b", 30.0),
            listed("c", 20.0),
            listed("d", 5.0),
        ];
        let stored = [stored("a", 9.0), stored("c", 20.0)];
        assert_eq!(compared(&listed, &stored).fetch, ["b", "a", "d"]);
    }

    #[test]
    fn what_a_crash_left_incomplete_is_fetched_again() {
        let listed = [listed("a", 10.0), listed("b", 10.0), listed("c", 10.0)];
        let mut cut_off = stored("a", 10.0);
        cut_off.whole_here = None;
        let mut busy = stored("b", 10.0);
        busy.status = Some(SessionStatus::Busy);
        assert_eq!(
            compared(&listed, &[cut_off, busy, stored("c", 10.0)]).fetch,
            ["a", "b"]
        );
    }

    #[test]
    fn what_changed_without_its_time_is_fetched_too() {
        let mut renamed = listed("a", 10.0);
        renamed.title = Some("Another title".to_owned());
        let mut costs = listed("b", 10.0);
        costs.cost = Number::new(0.25);
        let mut archived = listed("c", 10.0);
        archived.archived_at = Number::new(11.0);
        let all = ["a", "b", "c"].map(|id| stored(id, 10.0));
        let listed = [renamed, costs, archived];
        assert_eq!(compared(&listed, &all).fetch, ["a", "b", "c"]);
        // What lists them as they were before is another store: it may have gone
        // on by itself, and only fills in. A copy of which that is not known has not,
        let newer = ["a", "b", "c"].map(|id| StoredSession {
            seen_here: None,
            ..stored(id, 11.0)
        });
        let found = compared(&listed, &newer);
        assert_eq!(found.fetch, ["a", "b", "c"]);
        let at = Number::new(11.0).unwrap_or_default();
        let ids = ["a", "b", "c"].map(|id| (id.to_owned(), at));
        assert_eq!(found.older, ids);
        let unknown = differences(&listed, &newer, PROJECT, false);
        assert_eq!(unknown.fetch, [""; 0]);
        // or this one, put back from a copy.
        let back = ["a", "b", "c"].map(|id| stored(id, 11.0));
        assert_eq!(compared(&listed, &back).fetch, ["a", "b", "c"]);
    }

    #[test]
    fn a_tombstone_is_fetched_only_from_the_store_that_told_its_deletion() {
        let mut gone = stored("a", 2.0);
        gone.deleted_at = Number::new(3.0);
        let elsewhere = gone.clone();
        gone.deleted_here = Number::new(3.0);
        assert_eq!(compared(&[listed("a", 10.0)], &[elsewhere]).fetch, [""; 0]);
        assert_eq!(compared(&[listed("a", 1.0)], &[gone]).fetch, ["a"]);
    }

    #[test]
    fn what_was_missing_and_is_listed_is_fetched() {
        let mut everywhere = stored("a", 10.0);
        everywhere.missing_since = Number::new(5.0);
        let mut here = stored("b", 10.0);
        here.missing_here = Number::new(5.0);
        let both = [everywhere, here];
        let listed = [listed("a", 10.0), listed("b", 10.0)];
        assert_eq!(compared(&listed, &both).fetch, ["a", "b"]);
        assert_eq!(compared(&listed, &both).seen, []);
        // Whoever does not know its store brings nothing back.
        let unknown = differences(&listed, &both, PROJECT, false);
        assert_eq!(unknown.fetch, [""; 0]);
    }

    #[test]
    fn a_session_that_this_store_had_and_does_not_list_is_in_question() {
        assert_eq!(compared(&[], &[stored("a", 6.0)]).unlisted, ["a"]);
        assert_eq!(
            compared(&[listed("a", 6.0)], &[stored("a", 6.0)]).unlisted,
            [""; 0]
        );
    }

    #[test]
    fn a_session_of_another_store_or_project_or_one_that_is_gone_is_not_in_question() {
        let mut elsewhere = stored("store", 6.0);
        elsewhere.seen_here = None;
        let mut project = stored("project", 6.0);
        project.project_path = Some("/home/user/elsewhere".to_owned());
        let mut missing = stored("missing", 6.0);
        missing.missing_here = Number::new(7.0);
        let mut deleted = stored("deleted", 6.0);
        deleted.deleted_at = Number::new(7.0);
        let all = [elsewhere, project, missing, deleted];
        assert_eq!(compared(&[], &all).unlisted, [""; 0]);
    }

    #[test]
    fn where_a_host_lists_nothing_what_was_cut_off_is_fetched() {
        let mut busy = stored("busy", 6.0);
        busy.status = Some(SessionStatus::Busy);
        let mut cut_off = stored("cut off", 6.0);
        cut_off.whole_here = None;
        let mut elsewhere = stored("elsewhere", 6.0);
        (elsewhere.seen_here, elsewhere.whole_here) = (None, None);
        let mut deleted = busy.clone();
        deleted.deleted_at = Number::new(7.0);
        let mut missing = busy.clone();
        missing.missing_since = Number::new(7.0);
        let whole = stored("whole", 6.0);
        let all = [busy, cut_off, elsewhere, deleted, missing, whole];
        let found = differences_unlisted(&all);
        assert_eq!(found.fetch, ["busy", "cut off"]);
        assert_eq!((found.unlisted, found.seen), (vec![], vec![]));
    }

    #[test]
    fn what_this_store_lists_and_another_told_of_is_noted() {
        let mut elsewhere = stored("a", 6.0);
        elsewhere.seen_here = None;
        let both = [elsewhere, stored("b", 6.0)];
        let found = compared(&[listed("a", 6.0), listed("b", 6.0)], &both);
        assert_eq!(found.seen, [("a".to_owned(), Number::new(6.0))]);
        assert_eq!(found.fetch, [""; 0]);
    }
}
