//! What a session is: the `info` of `session.created`, `session.updated` and `session.deleted`.

use crate::model::known::Known;
use crate::model::row::SessionRow;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};
use crate::sources::last_component;
use crate::sources::tokens::Tokens;

/// A session's `info`, whole in all releases.
pub(crate) fn info<N: Node>(id: String, mut info: Fields<'_, N>) -> SessionRow {
    let mut row = SessionRow {
        id,
        parent_id: info.maybe_string("parentID"),
        source_version: info.string("version"),
        title: info.string("title"),
        project_id: info.string("projectID"),
        project_path: info.string("directory"),
        agent: info.maybe_string("agent"),
        cost: info.maybe_number("cost"),
        ..SessionRow::default()
    };
    row.project_name = row.project_path.clone().map(|path| last_component(&path));
    if let Some(mut model) = info.maybe_object("model") {
        row.model = model.string("id");
        row.provider = model.string("providerID");
        model.optional(&[("variant", Kind::String)]);
        model.finish();
    }
    if let Some(tokens) = info.maybe_object("tokens") {
        Tokens::read(tokens).of_session(&mut row);
    }
    if let Some(mut summary) = info.maybe_object("summary") {
        lines_changed(&mut row, &mut summary);
        summary.optional(&[("diffs", Kind::Array)]);
        summary.finish();
    }
    if let Some(mut time) = info.object("time") {
        row.created_at = time.number("created");
        row.updated_at = time.number("updated");
        row.archived_at = time.maybe_number("archived");
        time.optional(&[("compacting", Kind::Number)]);
        let lacks_archived = time.finish() && time.lacks("archived");
        // What unarchives one leaves a zero (1.1 on).
        let is_zero = row.archived_at.value().is_some_and(|at| at.is_zero());
        if is_zero || lacks_archived && is_whole(&row) {
            row.archived_at = Known::Empty;
        }
    }
    info.optional(&[
        ("id", Kind::String),
        ("slug", Kind::String),
        ("path", Kind::String),
        ("workspaceID", Kind::String),
        ("share", Kind::Object),
        ("revert", Kind::Object),
        ("permission", Kind::Array),
        ("metadata", Kind::Object),
    ]);
    if info.finish() && is_whole(&row) {
        clear(&mut row, &info);
    }
    row
}

/// What a session's `summary` counts.
pub(crate) fn lines_changed<N: Node>(row: &mut SessionRow, summary: &mut Fields<'_, N>) {
    row.additions = summary.number("additions");
    row.deletions = summary.number("deletions");
    row.files_changed = summary.maybe_number("files");
}

/// Whether it has all that a session always has, as every known release sends
/// it: then what it lacks, it has not got (any more).
fn is_whole(row: &SessionRow) -> bool {
    let texts = [
        &row.source_version,
        &row.title,
        &row.project_id,
        &row.project_path,
    ];
    let times = [&row.created_at, &row.updated_at];
    texts.iter().all(|text| text.value().is_some())
        && times.iter().all(|time| time.value().is_some())
}

fn clear<N: Node>(row: &mut SessionRow, info: &Fields<'_, N>) {
    if info.lacks("parentID") {
        row.parent_id = Known::Empty;
    }
    if info.lacks("agent") {
        row.agent = Known::Empty;
    }
    if info.lacks("model") {
        row.model = Known::Empty;
        row.provider = Known::Empty;
    }
    if info.lacks("summary") {
        row.additions = Known::Empty;
        row.deletions = Known::Empty;
        row.files_changed = Known::Empty;
    }
}
