//! What is erased of a row, and the conditions that keep it from coming back.

use crate::model::column::{Column, Row, Rule};

/// The columns of `R` that are erased.
pub(super) fn content<R: Row>() -> impl Iterator<Item = &'static Column> {
    let is_content = |column: &&Column| {
        column.table == R::TABLE && matches!(column.rule, Rule::Content | Rule::Derived)
    };
    R::COLUMNS.iter().filter(is_content)
}

/// What sets those columns, each to what `value` makes of it.
pub(super) fn set_content<R: Row>(value: impl Fn(&Column) -> String) -> String {
    let set: Vec<String> = content::<R>()
        .map(|column| format!("{} = {}", column.name, value(column)))
        .collect();
    set.join(",\n  ")
}

/// True where the session of this id is deleted and not kept.
pub(super) fn erased_session(id: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM sessions AS gone WHERE gone.id = {id} AND gone.deleted_at IS NOT NULL
    AND NOT coalesce((SELECT kept FROM deletions WHERE id = gone.id), 0))"
    )
}

/// True where the message of this id is deleted and not kept, itself or with
/// its session.
pub(super) fn erased_message(id: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM messages AS gone WHERE gone.id = {id} AND gone.deleted_at IS NOT NULL
    AND NOT coalesce((SELECT kept FROM deletions WHERE id = gone.id),
      (SELECT kept FROM deletions WHERE id = gone.session_id), 0))"
    )
}

/// True where either of them is so.
pub(super) fn erased_either(session_id: &str, message_id: &str) -> String {
    let (session, message) = (erased_session(session_id), erased_message(message_id));
    format!("({session} OR {message})")
}
