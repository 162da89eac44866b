//! What catch-up has to ask OpenCode for: decided from what OpenCode lists and
//! what is stored. Pure; the shim does the asking.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::number::Number;
use crate::model::row::SessionStatus;
use crate::read::node::Node;

/// A session as it is stored; `store::STORED_SESSIONS` selects these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSession {
    /// Its id.
    pub id: String,
    /// When it was deleted, Unix milliseconds.
    pub deleted_at: Option<Number>,
    /// Since when every store that had it lacks it.
    pub missing_since: Option<Number>,
    /// The time of change up to which nothing of it is missing.
    pub whole_at: Option<Number>,
    /// Its title, as far as is stored.
    pub title: Option<String>,
    /// Its cost, US dollars.
    pub cost: Number,
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
    /// Whether it is stored as being at work, and may have been cut off.
    pub fn is_at_work(&self) -> bool {
        let at_work = |status| status != SessionStatus::Idle;
        self.status.is_some_and(at_work)
    }

    /// Whether the store that lists it may say so: nobody else deleted it.
    fn may_be_alive(&self) -> bool {
        self.deleted_at.is_none() || self.deleted_here.is_some()
    }
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Sessions to fetch whole, those changed last first.
    pub fetch: Vec<String>,
    /// Sessions that the store had and does not list: where OpenCode has none
    /// of that id any more, they are missing.
    pub verify: Vec<String>,
    /// Sessions that are stored whole, and of which it was not known that this
    /// store has them.
    #[serde(skip)]
    pub seen: Vec<String>,
}

/// What OpenCode's list says of a session.
struct Listed {
    id: String,
    title: Option<String>,
    cost: Option<Number>,
    updated_at: Option<Number>,
}

impl Listed {
    fn read<N: Node>(session: &N) -> Option<Self> {
        Some(Self {
            id: session.text_at("id")?,
            title: session.text_at("title"),
            cost: session
                .number_at("cost")
                .and_then(Number::new)
                .filter(|cost| !cost.is_zero()),
            updated_at: session
                .get("time")
                .and_then(|time| time.number_at("updated"))
                .and_then(Number::new),
        })
    }

    /// Whether what is stored of it lacks something that OpenCode has.
    fn is_news(&self, stored: &StoredSession) -> bool {
        stored.may_be_alive()
            && (stored.deleted_at.is_some()
                || stored.missing_since.is_some()
                || stored.missing_here.is_some()
                || stored.is_at_work()
                || stored.whole_at.is_none()
                || stored.whole_at < self.updated_at
                || (stored.whole_at == self.updated_at && self.differs(stored)))
    }

    /// A few changes, such as a fork's totals, leave the time of change as it was.
    fn differs(&self, stored: &StoredSession) -> bool {
        let costs_else = self
            .cost
            .is_some_and(|cost| (cost - stored.cost).get().abs() > CENTS);
        costs_else || (self.title.is_some() && stored.title != self.title)
    }
}

/// A difference in cost that is none, US dollars: sums are rounded.
const CENTS: f64 = 1e-9;

/// Compares what OpenCode lists of a directory with what is stored.
pub fn plan<N: Node>(listed: &[N], stored: &[StoredSession], directory: &str) -> Plan {
    let stored_by_id: BTreeMap<&str, &StoredSession> = stored
        .iter()
        .map(|session| (session.id.as_str(), session))
        .collect();
    let listed: Vec<Listed> = listed.iter().filter_map(Listed::read).collect();
    let (mut news, known): (Vec<&Listed>, Vec<&Listed>) = listed.iter().partition(|session| {
        stored_by_id
            .get(session.id.as_str())
            .is_none_or(|stored| session.is_news(stored))
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
    let ids = |sessions: Vec<&Listed>| sessions.iter().map(|session| session.id.clone()).collect();
    Plan {
        fetch: ids(news),
        verify: unlisted(
            stored,
            &listed.iter().map(|session| session.id.as_str()).collect(),
            directory,
        ),
        seen: ids(known.into_iter().filter(is_new_here).collect()),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const PROJECT: &str = "/home/user/project";

    fn stored(id: &str, whole: f64) -> StoredSession {
        StoredSession {
            id: id.to_owned(),
            deleted_at: None,
            missing_since: None,
            whole_at: Number::new(whole),
            title: None,
            cost: Number::default(),
            status: Some(SessionStatus::Idle),
            project_path: Some(PROJECT.to_owned()),
            seen_here: Number::new(1.0),
            missing_here: None,
            deleted_here: None,
        }
    }

    fn listed(id: &str, updated: f64) -> Value {
        json!({ "id": id, "time": { "created": 1, "updated": updated } })
    }

    fn planned(listed: &[Value], stored: &[StoredSession]) -> Plan {
        plan(&listed.iter().collect::<Vec<_>>(), stored, PROJECT)
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
        assert_eq!(planned(&listed, &stored).fetch, ["b", "a", "d"]);
    }

    #[test]
    fn what_a_crash_left_incomplete_is_fetched_again() {
        let listed = [listed("a", 10.0), listed("b", 10.0), listed("c", 10.0)];
        let mut cut_off = stored("a", 10.0);
        cut_off.whole_at = None;
        let mut busy = stored("b", 10.0);
        busy.status = Some(SessionStatus::Busy);
        assert_eq!(
            planned(&listed, &[cut_off, busy, stored("c", 10.0)]).fetch,
            ["a", "b"]
        );
    }

    #[test]
    fn what_changed_without_its_time_is_fetched_too() {
        let mut renamed = listed("a", 10.0);
        renamed["title"] = json!("Another title");
        let mut costs = listed("b", 10.0);
        costs["cost"] = json!(0.25);
        let both = [stored("a", 10.0), stored("b", 10.0)];
        let listed = [renamed, costs];
        assert_eq!(planned(&listed, &both).fetch, ["a", "b"]);
        // What lists them as they were before is another OpenCode's.
        let newer = [stored("a", 11.0), stored("b", 11.0)];
        assert_eq!(planned(&listed, &newer).fetch, [""; 0]);
    }

    #[test]
    fn a_tombstone_is_fetched_only_from_the_store_that_told_its_deletion() {
        let mut gone = stored("a", 2.0);
        gone.deleted_at = Number::new(3.0);
        let elsewhere = gone.clone();
        gone.deleted_here = Number::new(3.0);
        assert_eq!(planned(&[listed("a", 10.0)], &[elsewhere]).fetch, [""; 0]);
        assert_eq!(planned(&[listed("a", 1.0)], &[gone]).fetch, ["a"]);
    }

    #[test]
    fn what_was_missing_and_is_listed_is_fetched() {
        let mut everywhere = stored("a", 10.0);
        everywhere.missing_since = Number::new(5.0);
        let mut here = stored("b", 10.0);
        here.missing_here = Number::new(5.0);
        let both = [everywhere, here];
        let listed = [listed("a", 10.0), listed("b", 10.0)];
        assert_eq!(planned(&listed, &both).fetch, ["a", "b"]);
        assert_eq!(planned(&listed, &both).seen, [""; 0]);
    }

    #[test]
    fn a_session_that_this_store_had_and_does_not_list_is_verified() {
        assert_eq!(planned(&[], &[stored("a", 6.0)]).verify, ["a"]);
        assert_eq!(
            planned(&[listed("a", 6.0)], &[stored("a", 6.0)]).verify,
            [""; 0]
        );
    }

    #[test]
    fn a_session_of_another_store_or_project_or_one_that_is_gone_is_not_verified() {
        let mut elsewhere = stored("store", 6.0);
        elsewhere.seen_here = None;
        let mut project = stored("project", 6.0);
        project.project_path = Some("/home/user/elsewhere".to_owned());
        let mut missing = stored("missing", 6.0);
        missing.missing_here = Number::new(7.0);
        let mut deleted = stored("deleted", 6.0);
        deleted.deleted_at = Number::new(7.0);
        let all = [elsewhere, project, missing, deleted];
        assert_eq!(planned(&[], &all).verify, [""; 0]);
    }

    #[test]
    fn what_this_store_lists_and_another_told_of_is_noted() {
        let mut elsewhere = stored("a", 6.0);
        elsewhere.seen_here = None;
        let both = [elsewhere, stored("b", 6.0)];
        let plan = planned(&[listed("a", 6.0), listed("b", 6.0)], &both);
        assert_eq!(plan.seen, ["a"]);
        assert_eq!(plan.fetch, [""; 0]);
    }
}
