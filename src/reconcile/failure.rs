//! Failures: the same one told twice is one row.
//!
//! OpenCode tells a failed turn as `session.error` and again as the `error` of
//! the assistant message. Both become the row that is named by the message.

use crate::model::event::{Failure, Retry};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{MessageRow, PartRow, SessionErrorRow};

/// The name of a retry's row, where OpenCode gives it none (1.1 on).
const RETRY: &str = "Retry";

/// The row of an assistant message that failed.
pub(crate) fn of_message(message: &MessageRow, failure: Failure) -> SessionErrorRow {
    SessionErrorRow {
        session_id: Known::Value(message.session_id.clone()),
        message_id: Known::Value(message.id.clone()),
        created_at: message.completed_at.clone().or(message.created_at.clone()),
        ..row(format!("{}:error", message.id), failure)
    }
}

/// The row of a `session.error`. `answer` is the message that is being written
/// in the session; without one the event's own id tells failures apart, and
/// without that the time it was seen.
pub(crate) fn of_session(
    session_id: Option<String>,
    answer: Option<&str>,
    event_id: Option<String>,
    failure: Failure,
    now: Number,
) -> SessionErrorRow {
    let id = match (answer, event_id) {
        (Some(answer), _) => format!("{answer}:error"),
        (None, Some(event_id)) => event_id,
        (None, None) => {
            format!(
                "{}:error:{}",
                session_id.as_deref().unwrap_or("global"),
                now.get()
            )
        }
    };
    SessionErrorRow {
        session_id: session_id.into(),
        message_id: answer.map(str::to_owned).into(),
        created_at: Known::Value(now),
        ..row(id, failure)
    }
}

/// The row of one retry. OpenCode says when it will try again, which tells
/// this retry from the others however often its status is repeated.
pub(crate) fn of_retry(
    session_id: String,
    answer: Option<&str>,
    retry: Retry,
    now: Number,
) -> SessionErrorRow {
    let number = |known: &Known<Number>| known.value().map_or(0.0, |value| value.get());
    let id = format!(
        "{session_id}:retry:{}:{}",
        number(&retry.attempt),
        number(&retry.next)
    );
    SessionErrorRow {
        session_id: Known::Value(session_id),
        message_id: answer.map(str::to_owned).into(),
        created_at: Known::Value(now),
        ..retry_row(id, retry)
    }
}

/// The row of a retry that a part tells of: the part's id is its own.
pub(crate) fn of_retry_part(part: &PartRow, retry: Retry) -> SessionErrorRow {
    SessionErrorRow {
        session_id: Known::Value(part.session_id.clone()),
        message_id: Known::Value(part.message_id.clone()),
        created_at: retry.at.clone(),
        ..retry_row(part.id.clone(), retry)
    }
}

fn retry_row(id: String, retry: Retry) -> SessionErrorRow {
    let row = row(id, retry.failure);
    SessionErrorRow {
        name: row.name.or(RETRY.into()),
        retryable: row.retryable.or(Known::Value(true)),
        attempt: retry.attempt,
        ..row
    }
}

fn row(id: String, failure: Failure) -> SessionErrorRow {
    SessionErrorRow {
        id,
        name: failure.name,
        message: failure.message,
        status_code: failure.status_code,
        retryable: failure.retryable,
        ..SessionErrorRow::default()
    }
}
