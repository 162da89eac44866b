//! What a session is doing: `session.status`.

use crate::model::event::{Failure, Retry};
use crate::model::known::Known;
use crate::model::row::SessionStatus;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// What Kilo calls a session that waits for the network, to try again.
const OFFLINE: &str = "offline";

/// Whether something failed. That the network is back, Kilo tells as attempt 0:
/// "Reconnected".
fn is_of_failure(retry: &Retry) -> bool {
    retry
        .attempt
        .value()
        .is_none_or(|attempt| !attempt.is_zero())
}

/// `{ type, attempt, message, next }`, the last three only of a retry.
pub(crate) fn status<N: Node>(mut status: Fields<'_, N>) -> (Known<SessionStatus>, Option<Retry>) {
    if status.node().is_at("type", OFFLINE) {
        status.skip(&["type"]);
        status.optional(&[("requestID", Kind::String), ("message", Kind::String)]);
        status.finish();
        return (Known::Value(SessionStatus::Retry), None);
    }
    let kind = status.word("type", SessionStatus::EXPECTED, SessionStatus::parse);
    let retry = (kind.value() == Some(&SessionStatus::Retry)).then(|| Retry {
        attempt: status.number("attempt"),
        failure: Failure {
            message: status.string("message"),
            ..Failure::default()
        },
        next: status.number("next"),
        ..Retry::default()
    });
    status.optional(&[("action", Kind::Object)]);
    status.finish();
    (kind, retry.filter(is_of_failure))
}
