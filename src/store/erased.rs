//! What was erased: the conditions that keep content from coming back.

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
