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
    /// When OpenCode last changed it, as far as is stored.
    pub updated_at: Option<Number>,
    /// When it was deleted.
    pub deleted_at: Option<Number>,
    /// What it is doing, as far as is stored.
    pub status: Option<SessionStatus>,
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
}

/// Compares what OpenCode lists with what is stored. `origin` is where the
/// OpenCode that lists keeps its sessions.
pub fn plan<N: Node>(listed: &[N], stored: &[StoredSession], origin: Option<&str>) -> Plan {
    let stored_by_id: BTreeMap<&str, &StoredSession> = stored
        .iter()
        .map(|session| (session.id.as_str(), session))
        .collect();
    let mut fetch = Vec::new();
    let mut listed_ids = BTreeSet::new();
    for session in listed {
        let Some(id) = session.get("id").and_then(|id| id.text()) else {
            continue;
        };
        let updated = session.get("time").and_then(|time| time.get("updated"));
        let updated = updated
            .and_then(|updated| updated.number())
            .and_then(Number::new);
        if stored_by_id
            .get(id.as_str())
            .is_none_or(|stored| is_stale(stored, updated))
        {
            fetch.push((updated, id.clone()));
        }
        listed_ids.insert(id);
    }
    fetch.sort_by(|(one, one_id), (other, other_id)| {
        other
            .partial_cmp(one)
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(one_id.cmp(other_id))
    });
    Plan {
        fetch: fetch.into_iter().map(|(_, id)| id).collect(),
        verify: missing(stored, &listed_ids, origin),
    }
}

fn is_stale(stored: &StoredSession, updated: Option<Number>) -> bool {
    stored.deleted_at.is_none()
        && (stored.created_at.is_none()
            || stored.updated_at < updated
            || !stored.incomplete.is_zero()
            || stored
                .status
                .is_some_and(|status| status != SessionStatus::Idle))
}

/// Stored sessions that OpenCode should list and does not. Another OpenCode
/// home, another channel or a copied database lack them too, so two things
/// must speak for this one: the session was kept where this OpenCode keeps
/// its own, and an older one that was kept there is still listed.
fn missing(
    stored: &[StoredSession],
    listed: &BTreeSet<String>,
    origin: Option<&str>,
) -> Vec<String> {
    let here = |session: &&StoredSession| {
        origin.is_some() && session.origin.as_deref() == origin && session.deleted_at.is_none()
    };
    let oldest = stored
        .iter()
        .filter(here)
        .filter(|session| listed.contains(&session.id))
        .filter_map(|session| session.created_at)
        .min_by(|one, other| one.get().total_cmp(&other.get()));
    let Some(oldest) = oldest else {
        return Vec::new();
    };
    stored
        .iter()
        .filter(here)
        .filter(|session| !listed.contains(&session.id))
        .filter(|session| session.created_at.is_some_and(|created| created > oldest))
        .map(|session| session.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HOME: &str = "/home/user/.local/share/opencode#latest";

    fn stored(id: &str, created: f64, updated: f64) -> StoredSession {
        StoredSession {
            id: id.to_owned(),
            created_at: Number::new(created),
            updated_at: Number::new(updated),
            deleted_at: None,
            status: Some(SessionStatus::Idle),
            origin: Some(HOME.to_owned()),
            incomplete: Number::default(),
        }
    }

    fn listed(id: &str, updated: f64) -> Value {
        json!({ "id": id, "time": { "created": 1, "updated": updated } })
    }

    fn planned(listed: &[Value], stored: &[StoredSession]) -> Plan {
        plan(&listed.iter().collect::<Vec<_>>(), stored, Some(HOME))
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
    fn a_tombstone_is_not_fetched_again() {
        let mut gone = stored("a", 1.0, 2.0);
        gone.deleted_at = Number::new(3.0);
        assert_eq!(planned(&[listed("a", 10.0)], &[gone]), Plan::default());
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
    fn a_session_that_another_opencode_keeps_is_not_verified() {
        let mut elsewhere = stored("elsewhere", 5.0, 6.0);
        elsewhere.origin = Some("/mnt/other/opencode#latest".to_owned());
        let mut unknown = stored("unknown", 5.0, 6.0);
        unknown.origin = None;
        let all = [stored("old", 1.0, 2.0), elsewhere, unknown];
        assert_eq!(planned(&[listed("old", 2.0)], &all).verify, [""; 0]);
    }
}
