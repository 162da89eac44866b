//! Why a turn failed: `session.error`'s and an assistant message's `error`.

use crate::model::event::Failure;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// `{ name, data: { message, statusCode, isRetryable, … } }`. What else `data`
/// holds differs by name and by provider, so it is not looked at.
pub(crate) fn failure<N: Node>(mut error: Fields<'_, N>) -> Failure {
    let mut failure = Failure {
        name: error.string("name"),
        ..Failure::default()
    };
    if let Some(mut data) = error.maybe_object("data") {
        failure.message = data.maybe_string("message");
        failure.status_code = data.maybe_number("statusCode");
        failure.retryable = data.maybe_boolean("isRetryable");
    }
    error.optional(&[("message", Kind::String), ("stack", Kind::String)]);
    error.finish();
    failure
}
