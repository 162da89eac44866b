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
}

impl StoredSession {
    /// Whether it is stored as being at work, and may have been cut off.
    pub fn is_at_work(&self) -> bool {
        let at_work = |status| status != SessionStatus::Idle;
        self.status.is_some_and(at_work)
    }
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Plan {
    /// Sessions to fetch whole, those changed last first.
    pub fetch: Vec<String>,
    /// Sessions that are stored and not listed: where OpenCode has none of
    /// that id any more, it was deleted while nobody was looking.
    pub verify: Vec<String>,
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
        stored.deleted_at.is_none()
            && (stored.is_at_work()
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
    let mut news: Vec<&Listed> = listed.iter().filter(is_news).collect();
    news.sort_by(|one, other| {
        let at = |session: &Listed| session.updated_at.map_or(0.0, Number::get);
        at(other)
            .total_cmp(&at(one))
            .then_with(|| one.id.cmp(&other.id))
    });
    Plan {
        fetch: news.into_iter().map(|session| session.id.clone()).collect(),
        verify: missing(
            stored,
            &listed.iter().map(|session| session.id.as_str()).collect(),
            place,
        ),
    }
}

/// Whether only the OpenCode that keeps its sessions at `here` kept this one,
/// so that what it says of it is all there is to say. `origin` is where the
/// session was kept as far as is stored, `version` the release that made it.
///
/// Up to 1.1 sessions are files in a folder `storage`. Later ones are rows of a
/// database, which took the files over once, and left them behind: a session
/// from then may be in both, and go on in either.
pub(crate) fn keeps(here: Option<&str>, origin: Option<&str>, version: Option<&str>) -> bool {
    let in_files = here.is_some_and(|here| here.ends_with("storage"));
    here.is_some() && origin == here && (in_files || !version.is_none_or(is_of_files))
}

/// Whether a release keeps sessions as files. Of a build without a number nobody knows.
fn is_of_files(version: &str) -> bool {
    let mut numbers = version
        .split(['.', '-'])
        .map_while(|part| part.parse().ok());
    let major: u32 = numbers.next().unwrap_or_default();
    let minor: u32 = numbers.next().unwrap_or_default();
    (major, minor) < (1, 2)
}

/// Stored sessions that OpenCode should list and does not. Another OpenCode
/// home, another channel or a copied database lack them too, so two things
/// must speak for this one: it alone keeps the session, and it still lists an
/// older one of the same channel that it alone keeps.
fn missing(stored: &[StoredSession], listed: &BTreeSet<&str>, place: Place<'_>) -> Vec<String> {
    let here = |session: &&StoredSession| {
        let (origin, version) = (&session.origin, &session.source_version);
        keeps(place.origin, origin.as_deref(), version.as_deref())
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

    const HOME: &str = "/home/user/.local/share/opencode/opencode.db";
    const FILES: &str = "/home/user/.local/share/opencode/storage";

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
        cut_off.whole_at = None;
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
        let listed = [renamed, costs];
        assert_eq!(planned(&listed, &both).fetch, ["a", "b"]);
        // What lists them as they were before is another OpenCode's.
        let newer = [stored("a", 1.0, 11.0), stored("b", 1.0, 11.0)];
        assert_eq!(planned(&listed, &newer).fetch, [""; 0]);
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
    #[test]
    fn a_session_that_was_taken_over_from_files_is_not_verified() {
        let old = |id: &str, created: f64, origin: &str| StoredSession {
            source_version: Some("1.1.31".to_owned()),
            origin: Some(origin.to_owned()),
            ..stored(id, created, 6.0)
        };
        let verified = |stored: &[StoredSession], here: &str| {
            let listed = [&listed("old", 6.0)];
            let place = Place {
                origin: Some(here),
                directory: PROJECT,
            };
            plan(&listed, stored, place).verify
        };
        let both = |origin| [old("old", 1.0, origin), old("missing", 5.0, origin)];
        // As long as there are only files it is.
        assert_eq!(verified(&both(FILES), FILES), ["missing"]);
        assert_eq!(verified(&both(FILES), HOME), [""; 0]);
        assert_eq!(verified(&both(HOME), HOME), [""; 0]);
        // Nor one that an older release cannot know, by one that it does.
        let newer = [old("old", 1.0, HOME), stored("missing", 5.0, 6.0)];
        assert_eq!(verified(&newer, HOME), [""; 0]);
    }

    #[test]
    fn releases_that_keep_files_are_told_by_their_number() {
        let old = ["1.0.61", "1.1.65", "0.15.8", "0.0.0-dev-202609212252", ""];
        let new = ["1.2.0", "1.2.0-beta.1", "1.18.34", "2.0.0"];
        assert!(old.iter().all(|version| is_of_files(version)));
        assert!(!new.iter().any(|version| is_of_files(version)));
    }
}
