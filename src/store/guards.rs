//! Which rows are older than those that are stored, and change nothing of them.

use super::copies::{OF_COPY, has_words_for, is_outdated, outranked, session, whole};
use super::{AGE, NOT_PURGED};
use crate::model::column::{Guard, Row};
use crate::model::row::{PartRow, SessionRow};

/// True where what comes in is not older than the stored row `held`.
pub(super) fn not_older<R: Row>() -> String {
    let guard = R::GUARD;
    let older = match guard {
        Guard::Never => return String::new(),
        Guard::Updated => &format!("({AGE} < held.updated_at OR {})", outranked()),
        Guard::Completed => {
            "held.completed_at IS NOT NULL
  AND (json_type(?1, '$.completedAt') = 'null' OR ?1 ->> 'completedAt' < held.completed_at)"
        }
        Guard::Written => {
            "CASE json_type(?1, '$.endedAt')
  WHEN 'null' THEN held.ended_at IS NOT NULL
    OR length(CAST(?1 ->> 'text' AS BLOB)) < length(CAST(held.text AS BLOB))
  ELSE json_type(?1, '$.endedAt') IS NULL AND held.ended_at IS NOT NULL
    AND ?1 ->> 'startedAt' IS NOT NULL AND json_type(?1, '$.text') IS NOT NULL END"
        }
        Guard::Status => {
            "CASE ?1 ->> 'status' WHEN 'pending' THEN held.status <> 'pending'
  WHEN 'running' THEN held.status IN ('completed', 'error') ELSE false END"
        }
    };
    let but_for_words = match guard {
        Guard::Updated => String::new(),
        _ => format!(" AND NOT {}", has_words_for::<R>()),
    };
    format!(
        "\n  AND NOT coalesce({older}, false)
  AND NOT coalesce({OF_COPY} AND held.id IS NOT NULL AND {whole}
    AND {is_outdated}{but_for_words}, false)",
        whole = whole(guard),
        is_outdated = is_outdated(session(guard)),
    )
}

/// True where what is told of the session in the stored row `held` is taken.
pub(super) fn takes_session() -> String {
    not_older::<SessionRow>()
}

/// True where what is told of a part that is there is taken.
pub(super) fn takes_part() -> String {
    format!(
        "EXISTS (SELECT 1 FROM parts AS held WHERE held.id = ?1 ->> 'id' AND {NOT_PURGED}{})",
        not_older::<PartRow>()
    )
}
