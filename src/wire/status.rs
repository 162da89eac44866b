//! What a session is doing: `session.status`.

use crate::event::{Failure, Retry};
use crate::known::Known;
use crate::node::{Kind, Node};
use crate::row::SessionStatus;
use crate::wire::fields::Fields;

/// `{ type, attempt, message, next }`, the last three only of a retry.
pub(crate) fn status<N: Node>(mut status: Fields<'_, N>) -> (Known<SessionStatus>, Option<Retry>) {
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
    status.unneeded(&[("action", Kind::Object)]);
    status.close();
    (kind, retry)
}
