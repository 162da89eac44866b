//! Why something failed: `{ type, message, status }`.

use crate::model::event::Failure;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// Reads an error.
pub(super) fn failure<N: Node>(mut error: Fields<'_, N>) -> Failure {
    let failure = Failure {
        name: error.string("type"),
        message: error.maybe_string("message"),
        status_code: error.maybe_number("status"),
        ..Failure::default()
    };
    error.optional(&[("metadata", Kind::Object), ("data", Kind::Object)]);
    error.finish();
    failure
}
