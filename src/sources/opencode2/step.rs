//! One call of a model, which is one message: `session.step.*`.

use super::{error, session};
use crate::model::event::Failure;
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{MessageRow, Role};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};
use crate::sources::tokens::Tokens;

/// `session.step.started`: what was told of an earlier attempt is over.
pub(super) fn started<N: Node>(mut row: MessageRow, step: &mut Fields<'_, N>) -> MessageRow {
    row.role = Known::Value(Role::Assistant);
    row.kind = Known::Empty;
    row.agent = step.string("agent");
    if let Some(names) = step.object("model").map(session::model) {
        (row.model, row.provider) = names;
    }
    row.created_at = step.maybe_number("started").or(row.created_at);
    row.completed_at = Known::Empty;
    row.duration_ms = Known::Empty;
    row.finish_reason = Known::Empty;
    row.error_name = Known::Empty;
    row.error_message = Known::Empty;
    step.optional(&[("snapshot", Kind::String)]);
    row
}

/// `session.step.ended`.
pub(super) fn ended<N: Node>(
    row: MessageRow,
    step: &mut Fields<'_, N>,
    at: Known<Number>,
) -> MessageRow {
    let mut row = MessageRow {
        role: Known::Value(Role::Assistant),
        finish_reason: step.string("finish"),
        completed_at: at,
        error_name: Known::Empty,
        error_message: Known::Empty,
        ..row
    };
    row.cost = step.number("cost");
    tokens(&mut row, step.object("tokens").map(Tokens::read));
    rest(step);
    row
}

/// `session.step.failed`. Where a call was paid for all the same, it says both
/// its cost and its tokens.
pub(super) fn failed<N: Node>(
    row: MessageRow,
    step: &mut Fields<'_, N>,
    at: Known<Number>,
) -> (MessageRow, Failure) {
    let failure = step.object("error").map(error::failure).unwrap_or_default();
    let finish = step.maybe_string("finish");
    let mut row = MessageRow {
        role: Known::Value(Role::Assistant),
        finish_reason: finish.or("error".into()),
        completed_at: at,
        error_name: failure.name.clone(),
        error_message: failure.message.clone(),
        ..row
    };
    row.cost = step.maybe_number("cost");
    tokens(&mut row, step.maybe_object("tokens").map(Tokens::read));
    rest(step);
    (row, failure)
}

/// What it took.
pub(super) fn tokens(row: &mut MessageRow, tokens: Option<Tokens>) {
    if let Some(tokens) = tokens {
        tokens.of_message(row);
    }
}

fn rest<N: Node>(step: &mut Fields<'_, N>) {
    step.optional(&[
        ("rawFinish", Kind::String),
        ("snapshot", Kind::String),
        ("files", Kind::Array),
        ("providerState", Kind::Object),
    ]);
}
