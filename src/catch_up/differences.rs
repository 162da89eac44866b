//! What a host lists of a directory and what is stored of it, compared.

use std::collections::{BTreeMap, BTreeSet};

use super::listed::{Listed, ListedBy};
use super::stored::StoredSession;
use crate::model::number::Number;

/// What a comparison comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Differences {
    /// Sessions to fetch whole, in the order of the list.
    pub(super) fetch: Vec<String>,
    /// Sessions that the store had and does not list.
    pub(super) unlisted: Vec<String>,
    /// Sessions that are stored whole, and of which it was not known that this
    /// store has them, or that this copy, which ranks higher, agrees with what another
    /// told; each with its time of change.
    pub(super) seen: Vec<(String, Option<Number>)>,
    /// Those to fetch that are stored whole as another store had them later,
    /// each with the time of change up to which they are.
    pub(super) older: Vec<(String, Number)>,
}

/// Compares what a host lists of a directory, or a page of it, with what is stored.
pub(super) fn differences(
    listed: &[Listed],
    stored: &[StoredSession],
    directory: &str,
    by: ListedBy,
) -> Differences {
    let stored_by_id: BTreeMap<&str, &StoredSession> = stored
        .iter()
        .map(|session| (session.id.as_str(), session))
        .collect();
    let (news, known): (Vec<&Listed>, Vec<&Listed>) = listed.iter().partition(|session| {
        stored_by_id
            .get(session.id.as_str())
            .is_none_or(|stored| session.is_news(stored, by))
    });
    let is_new_here = |session: &&Listed| {
        stored_by_id.get(session.id.as_str()).is_some_and(|stored| {
            stored.deleted_at.is_none()
                && match by {
                    ListedBy::Copy(rank) => !session.is_taken_out() && stored.ranks_below(rank),
                    ListedBy::Store | ListedBy::Unknown => stored.seen_here.is_none(),
                }
        })
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
pub(super) fn differences_unlisted(stored: &[StoredSession]) -> Differences {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::copy_rank::CopyRank;
    use crate::model::row::SessionStatus;

    const PROJECT: &str = "/home/user/project";

    fn stored(id: &str, whole: f64) -> StoredSession {
        StoredSession {
            id: id.to_owned(),
            deleted_at: None,
            missing_since: None,
            updated_at: Number::new(whole),
            whole_at: Number::new(whole),
            whole_here: Number::new(whole),
            copy_rank: None,
            title: None,
            cost: Number::default(),
            archived_at: None,
            status: Some(SessionStatus::Idle),
            project_path: Some(PROJECT.to_owned()),
            seen_here: Number::new(1.0),
            missing_here: None,
            deleted_here: None,
            is_for_good: false,
        }
    }

    fn listed(id: &str, updated: f64) -> Listed {
        Listed {
            id: id.to_owned(),
            title: None,
            cost: None,
            updated_at: Number::new(updated),
            archived_at: None,
            directory: None,
        }
    }

    fn compared(listed: &[Listed], stored: &[StoredSession]) -> Differences {
        differences(listed, stored, PROJECT, ListedBy::Store)
    }

    #[test]
    fn what_is_not_stored_or_stale_is_fetched() {
        let listed = [
            listed("a", 10.0),
            listed("b", 30.0),
            listed("c", 20.0),
            listed("d", 5.0),
        ];
        let stored = [stored("a", 9.0), stored("c", 20.0)];
        assert_eq!(compared(&listed, &stored).fetch, ["a", "b", "d"]);
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
        let unknown = differences(&listed, &newer, PROJECT, ListedBy::Unknown);
        assert_eq!(unknown.fetch, [""; 0]);
        // or this one, put back from a copy.
        let back = ["a", "b", "c"].map(|id| stored(id, 11.0));
        assert_eq!(compared(&listed, &back).fetch, ["a", "b", "c"]);
    }

    #[test]
    fn of_copies_of_the_same_time_only_one_that_ranks_higher_is_news() {
        let mut renamed = listed("a", 10.0);
        renamed.title = Some("Another title".to_owned());
        let by_copy = |rank: CopyRank| StoredSession {
            seen_here: None,
            whole_here: None,
            copy_rank: Some(rank.number()),
            title: Some("A title".to_owned()),
            ..stored("a", 10.0)
        };
        let fetched = |listed: &Listed, stored: StoredSession| {
            let copy = ListedBy::Copy(CopyRank::of_store(5.0));
            let listed = std::slice::from_ref(listed);
            !differences(listed, &[stored], PROJECT, copy)
                .fetch
                .is_empty()
        };
        assert!(fetched(&renamed, by_copy(CopyRank::of_store(4.0))));
        assert!(fetched(&renamed, by_copy(CopyRank::of_export(6.0))));
        assert!(!fetched(&renamed, by_copy(CopyRank::of_store(5.0))));
        assert!(!fetched(&renamed, by_copy(CopyRank::of_store(6.0))));
        let mut by_agent = by_copy(CopyRank::of_store(4.0));
        by_agent.copy_rank = None;
        assert!(!fetched(&renamed, by_agent));
        // A title is more than one that was taken out, whoever told that.
        let taken_out = Some("[redacted:session-title:ses_1]".to_owned());
        let mut sanitized = by_copy(CopyRank::of_store(6.0));
        sanitized.title.clone_from(&taken_out);
        assert!(fetched(&renamed, sanitized));
        renamed.title = taken_out;
        assert!(!fetched(&renamed, by_copy(CopyRank::of_store(4.0))));
    }

    #[test]
    fn a_tombstone_is_fetched_from_the_store_that_told_its_deletion_or_went_on_with_it() {
        let mut gone = stored("a", 2.0);
        gone.deleted_at = Number::new(3.0);
        let elsewhere = gone.clone();
        gone.deleted_here = Number::new(3.0);
        let of_another = std::slice::from_ref(&elsewhere);
        assert_eq!(compared(&[listed("a", 2.5)], of_another).fetch, [""; 0]);
        assert_eq!(compared(&[listed("a", 10.0)], of_another).fetch, ["a"]);
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
        let unknown = differences(&listed, &both, PROJECT, ListedBy::Unknown);
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
