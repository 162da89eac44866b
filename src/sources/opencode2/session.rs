//! What a session is: `session.created` and what is told of it by itself, and
//! the `Session.Info` that OpenCode answers.

use crate::model::known::Known;
use crate::model::row::SessionRow;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};
use crate::sources::last_component;
use crate::sources::opencode1::session::lines_changed;
use crate::sources::tokens::Tokens;

/// Where it works: `{ directory }`.
pub(super) fn location<N: Node>(row: &mut SessionRow, fields: &mut Fields<'_, N>) {
    row.project_id = fields.string("projectID");
    if let Some(mut location) = fields.object("location") {
        row.project_path = location.string("directory");
        row.project_name = row.project_path.clone().map(|path| last_component(&path));
        location.optional(&[("workspaceID", Kind::String)]);
        location.finish();
    }
    fields.optional(&[("subpath", Kind::String)]);
}

/// Its model, `{ id, providerID, variant }`.
pub(super) fn model<N: Node>(mut model: Fields<'_, N>) -> (Known<String>, Known<String>) {
    let names = (model.string("id"), model.string("providerID"));
    model.optional(&[("variant", Kind::String)]);
    model.finish();
    names
}

/// What it cost so far, as OpenCode says. Nothing, of a fork in which nobody has
/// spoken, whatever its copies cost.
pub(super) fn spent<N: Node>(row: &mut SessionRow, fields: &mut Fields<'_, N>) {
    row.cost = fields.number("cost");
    row.reports_totals = row.cost.clone().map(|_| true);
    if let Some(tokens) = fields.object("tokens") {
        Tokens::read(tokens).of_session(row);
    }
}

/// What `session.created` tells; it is read on, not closed.
pub(super) fn created<N: Node>(row: &mut SessionRow, fields: &mut Fields<'_, N>) {
    location(row, fields);
    row.parent_id = fields.maybe_string("parentID");
    row.title = fields.maybe_string("title");
    row.agent = fields.maybe_string("agent");
    row.source_version = fields.string("version");
    if let Some(names) = fields.maybe_object("model").map(model) {
        (row.model, row.provider) = names;
    }
    fields.optional(&[
        ("slug", Kind::String),
        ("metadata", Kind::Object),
        ("permissions", Kind::Array),
    ]);
}

/// What OpenCode answers of a session.
pub(super) fn info<N: Node>(id: String, mut info: Fields<'_, N>) -> SessionRow {
    let mut row = SessionRow {
        id,
        parent_id: info.maybe_string("parentID"),
        title: info.maybe_string("title"),
        agent: info.maybe_string("agent"),
        // Only OpenCode's database says it.
        source_version: info.maybe_string("version"),
        ..SessionRow::default()
    };
    location(&mut row, &mut info);
    spent(&mut row, &mut info);
    if let Some(names) = info.maybe_object("model").map(model) {
        (row.model, row.provider) = names;
    }
    // Of a session that OpenCode 1 began, OpenCode 2's database keeps it.
    if let Some(mut summary) = info.maybe_object("summary") {
        lines_changed(&mut row, &mut summary);
        summary.finish();
    }
    if let Some(mut time) = info.object("time") {
        row.created_at = time.number("created");
        row.updated_at = time.number("updated");
        row.archived_at = time.maybe_number("archived");
        time.optional(&[("idle", Kind::Number), ("viewed", Kind::Number)]);
        if time.finish() && time.lacks("archived") {
            row.archived_at = Known::Empty;
        }
    }
    info.optional(&[
        ("id", Kind::String),
        ("slug", Kind::String),
        ("outcome", Kind::String),
        ("fork", Kind::Object),
        ("revert", Kind::Object),
        ("metadata", Kind::Object),
        ("permissions", Kind::Array),
    ]);
    if info.finish() {
        // It comes whole: what it lacks, it has not got.
        row.parent_id = std::mem::take(&mut row.parent_id).or_empty();
        row.title = std::mem::take(&mut row.title).or_empty();
        row.agent = std::mem::take(&mut row.agent).or_empty();
        if info.lacks("model") {
            (row.model, row.provider) = (Known::Empty, Known::Empty);
        }
    }
    row
}
