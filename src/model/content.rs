//! A command as it is stored where no content is recorded.

use crate::model::column::Row;
use crate::model::command::Command;

/// The command without content: each column of its row as its declaration says.
/// Nothing where nothing else is in it.
pub(crate) fn without_content(mut command: Command) -> Option<Command> {
    use Command as C;
    match &mut command {
        C::SessionUpsert(row) => row.forget_content(),
        C::MessageUpsert(row) => row.forget_content(),
        C::PartUpsert(row) => row.forget_content(),
        C::PartAppend(_) => return None,
        C::ToolCallUpsert(row) => row.forget_content(),
        C::UsageUpsert(row) => row.forget_content(),
        C::SessionErrorUpsert(row) => row.forget_content(),
        C::PermissionUpsert(row) => row.forget_content(),
        C::TodoReplace(list) => list.todos.iter_mut().for_each(Row::forget_content),
        // Ids and times, and in a rejection the names and types that were expected.
        C::SessionDelete(_)
        | C::SessionRevert(_)
        | C::MessageDelete(_)
        | C::PartDelete(_)
        | C::SessionMissing(_)
        | C::MessageMissing(_)
        | C::PartMissing(_)
        | C::UsageBalance(_)
        | C::RejectionRecord(_) => {}
    }
    Some(command)
}
