//! What catch-up has to ask OpenCode for: decided from what OpenCode lists and
//! what is stored. Pure; the shim does the asking.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::node::Node;
use crate::number::Number;
use crate::row::SessionStatus;

/// A session as it is stored; `store::STORED_SESSIONS` selects these.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSession {
    /// Its id.
    pub id: String,
    /// When it was created, Unix milliseconds.
    pub created_at: Option<Number>,
    /// When it was deleted.
    pub deleted_at: Option<Number>,
    /// The time of change up to which nothing of it is missing.
    pub whole_at: Option<Number>,
    /// Its title, as far as is stored.
    pub title: Option<String>,
    /// Its cost, US dollars.
    pub cost: Number,
    /// The release that made it.
    pub source_version: Option<String>,
    /// What it is doing, as far as is stored.
    pub status: Option<SessionStatus>,
    /// The directory it works in.
    pub project_path: Option<String>,
    /// Where OpenCode keeps it.
    pub origin: Option<String>,
    /// Not 0 where a message of it is a placeholder or never ended.
    pub incomplete: Number,
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Sessions to fetch whole, those changed last first.
    pub fetch: Vec<String>,
    /// Sessions that are stored and not listed: where OpenCode has none of
    /// that id any more, it was deleted while nobody was looking.
    pub verify: Vec<String>,
    /// Sessions of which all is stored.
    #[serde(skip)]
    pub whole: Vec<String>,
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
        // A few changes, such as a fork's totals, leave `time.updated` as it was.
        let costs_else = self
            .cost
            .is_some_and(|cost| (cost - stored.cost).get().abs() > CENTS);
        stored.deleted_at.is_none()
            && (stored.created_at.is_none()
                || stored.whole_at < self.updated_at
                || (self.title.is_some() && stored.title != self.title)
                || costs_else
                || !stored.incomplete.is_zero()
                || stored
                    .status
                    .is_some_and(|status| status != SessionStatus::Idle))
    }
}

/// A difference in cost that is none, US dollars: sums are rounded.
const CENTS: f64 = 1e-9;

/// Which OpenCode it is that lists.
#[derive(Debug, Clone, Copy)]
pub struct Place<'l> {
    /// Where it keeps its sessions.
    pub origin: Option<&'l str>,
    /// The directory it was asked for. Up to 1.1 it knows no other project's sessions.
    pub directory: &'l str,
}

/// Compares what OpenCode lists with what is stored.
pub fn plan<N: Node>(listed: &[N], stored: &[StoredSession], place: Place<'_>) -> Plan {
    let stored_by_id: BTreeMap<&str, &StoredSession> = stored
        .iter()
        .map(|session| (session.id.as_str(), session))
        .collect();
    let listed: Vec<Listed> = listed.iter().filter_map(Listed::read).collect();
    let is_news = |session: &&Listed| {
        stored_by_id
            .get(session.id.as_str())
            .is_none_or(|stored| session.is_news(stored))
    };
    let (mut news, whole): (Vec<&Listed>, Vec<&Listed>) = listed.iter().partition(is_news);
    news.sort_by(|one, other| {
        let at = |session: &Listed| session.updated_at.map_or(0.0, Number::get);
        at(other)
            .total_cmp(&at(one))
            .then_with(|| one.id.cmp(&other.id))
    });
    let ids = |sessions: Vec<&Listed>| sessions.into_iter().map(|one| one.id.clone()).collect();
    Plan {
        fetch: ids(news),
        whole: ids(whole),
        verify: missing(
            stored,
            &listed.iter().map(|session| session.id.as_str()).collect(),
            place,
        ),
    }
}

/// Stored sessions that OpenCode should list and does not. Another OpenCode
/// home, another channel or a copied database lack them too, so two things
/// must speak for this one: the session was kept where this OpenCode keeps
/// its own, and an older one that was kept there is still listed.
fn missing(stored: &[StoredSession], listed: &BTreeSet<&str>, place: Place<'_>) -> Vec<String> {
    let here = |session: &&StoredSession| {
        place.origin.is_some()
            && session.origin.as_deref() == place.origin
            && session.project_path.as_deref() == Some(place.directory)
            && session.deleted_at.is_none()
    };
    let mut oldest: BTreeMap<&str, Number> = BTreeMap::new();
    for session in stored.iter().filter(here) {
        if let (true, Some(created)) = (listed.contains(session.id.as_str()), session.created_at) {
            let oldest = oldest.entry(channel(session)).or_insert(created);
            if created < *oldest {
                *oldest = created;
            }
        }
    }
    let missing = |session: &&StoredSession| {
        !listed.contains(session.id.as_str())
            && oldest
                .get(channel(session))
                .is_some_and(|&oldest| session.created_at > Some(oldest))
    };
    stored
        .iter()
        .filter(here)
        .filter(missing)
        .map(|session| session.id.clone())
        .collect()
}

/// The release channel of the OpenCode that made a session: `latest`, or what
/// the version's prerelease says. Each channel has a database of its own.
fn channel(session: &StoredSession) -> &str {
    let version = session.source_version.as_deref().unwrap_or_default();
    let prerelease = version.split_once('-').map(|(_, prerelease)| prerelease);
    prerelease.map_or("latest", |prerelease| {
        prerelease.split(['-', '.']).next().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HOME: &str = "/home/user/.local/share/opencode";

    const HERE: Place<'_> = Place {
        origin: Some(HOME),
        directory: PROJECT,
    };
    const PROJECT: &str = "/home/user/project";

    fn stored(id: &str, created: f64, whole: f64) -> StoredSession {
        StoredSession {
            id: id.to_owned(),
            created_at: Number::new(created),
            deleted_at: None,
            whole_at: Number::new(whole),
            title: None,
            cost: Number::default(),
            source_version: Some("1.18.34".to_owned()),
            status: Some(SessionStatus::Idle),
            project_path: Some(PROJECT.to_owned()),
            origin: Some(HOME.to_owned()),
            incomplete: Number::default(),
        }
    }

    fn listed(id: &str, updated: f64) -> Value {
        json!({ "id": id, "time": { "created": 1, "updated": updated } })
    }

    fn planned(listed: &[Value], stored: &[StoredSession]) -> Plan {
        plan(&listed.iter().collect::<Vec<_>>(), stored, HERE)
    }

    #[test]
    fn what_is_not_stored_or_stale_is_fetched_newest_first() {
        let listed = [
            listed("a", 10.0),
            listed("b", 30.0),
            listed("c", 20.0),
            listed("d", 5.0),
        ];
        let stored = [stored("a", 1.0, 9.0), stored("c", 1.0, 20.0)];
        assert_eq!(planned(&listed, &stored).fetch, ["b", "a", "d"]);
    }

    #[test]
    fn what_a_crash_left_incomplete_is_fetched_again() {
        let listed = [listed("a", 10.0), listed("b", 10.0), listed("c", 10.0)];
        let mut cut_off = stored("a", 1.0, 10.0);
        cut_off.incomplete = Number::ONE;
        let mut busy = stored("b", 1.0, 10.0);
        busy.status = Some(SessionStatus::Busy);
        assert_eq!(
            planned(&listed, &[cut_off, busy, stored("c", 1.0, 10.0)]).fetch,
            ["a", "b"]
        );
    }

    #[test]
    fn what_changed_without_its_time_is_fetched_too() {
        let mut renamed = listed("a", 10.0);
        renamed["title"] = json!("Another title");
        let mut costs = listed("b", 10.0);
        costs["cost"] = json!(0.25);
        let both = [stored("a", 1.0, 10.0), stored("b", 1.0, 10.0)];
        assert_eq!(planned(&[renamed, costs], &both).fetch, ["a", "b"]);
    }

    #[test]
    fn a_tombstone_is_not_fetched_again() {
        let mut gone = stored("a", 1.0, 2.0);
        gone.deleted_at = Number::new(3.0);
        assert_eq!(planned(&[listed("a", 10.0)], &[gone]).fetch, [""; 0]);
    }

    #[test]
    fn a_stored_session_that_is_not_listed_is_verified_only_beside_an_older_one_that_is() {
        let old = stored("old", 1.0, 2.0);
        let missing = stored("missing", 5.0, 6.0);
        let both = [old, missing];
        assert_eq!(planned(&[listed("old", 2.0)], &both).verify, ["missing"]);
        assert_eq!(planned(&[], &both).verify, [""; 0]);
        assert_eq!(planned(&[listed("missing", 6.0)], &both).verify, [""; 0]);
    }

    #[test]
    fn a_session_of_another_project_is_not_verified_and_speaks_for_none() {
        let mut elsewhere = stored("elsewhere", 5.0, 6.0);
        elsewhere.project_path = Some("/home/user/elsewhere".to_owned());
        let both = [stored("old", 1.0, 2.0), elsewhere.clone()];
        assert_eq!(planned(&[listed("old", 2.0)], &both).verify, [""; 0]);
        elsewhere.created_at = Number::new(0.5);
        let both = [elsewhere, stored("missing", 5.0, 6.0)];
        assert_eq!(planned(&[listed("elsewhere", 2.0)], &both).verify, [""; 0]);
    }

    #[test]
    fn a_session_that_another_opencode_keeps_is_not_verified() {
        let mut elsewhere = stored("elsewhere", 5.0, 6.0);
        elsewhere.origin = Some("/mnt/other/opencode".to_owned());
        let mut unknown = stored("unknown", 5.0, 6.0);
        unknown.origin = None;
        let mut channel = stored("channel", 5.0, 6.0);
        channel.source_version = Some("0.0.0-dev-202609212252".to_owned());
        let all = [stored("old", 1.0, 2.0), elsewhere, unknown, channel];
        assert_eq!(planned(&[listed("old", 2.0)], &all).verify, [""; 0]);
    }
}
