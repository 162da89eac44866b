//! A session's row as the API of the engine tells it whose table it is in.
//! Columns came over time: each is taken where it is there.

use serde_json::{Map, Value, json};

use crate::import::document::parse;
use crate::store::Row;

/// A column, and the field that it becomes.
type Pair = (&'static str, &'static str);

/// What both engines name alike.
const PLAIN: [Pair; 8] = [
    ("id", "id"),
    ("slug", "slug"),
    ("project_id", "projectID"),
    ("parent_id", "parentID"),
    ("title", "title"),
    ("version", "version"),
    ("agent", "agent"),
    ("cost", "cost"),
];

/// The lines that were changed. OpenCode 2 keeps what OpenCode 1 counted.
const SUMMARY: [Pair; 3] = [
    ("summary_additions", "additions"),
    ("summary_deletions", "deletions"),
    ("summary_files", "files"),
];

/// A row of OpenCode 1's `session`.
pub(super) fn of_one(row: &Row) -> Value {
    let mut info = Info::of(row);
    info.plain(&[
        ("workspace_id", "workspaceID"),
        ("directory", "directory"),
        ("path", "path"),
    ]);
    info.json(&[("revert", "revert"), ("permission", "permission")]);
    info.object("share", &[("share_url", "url")]);
    info.object(
        "time",
        &[
            ("time_created", "created"),
            ("time_updated", "updated"),
            ("time_compacting", "compacting"),
            ("time_archived", "archived"),
        ],
    );
    Value::Object(info.fields)
}

/// A row of OpenCode 2's `session_v2`, in which a session that is not archived,
/// and one at the root of its project, may have 0 and an empty text.
pub(super) fn of_two(row: &Row) -> Value {
    let mut info = Info::of(row);
    info.plain(&[("idle_outcome", "outcome")]);
    if row.text("path").is_some() {
        info.plain(&[("path", "subpath")]);
    }
    info.json(&[("revert", "revert"), ("permission", "permissions")]);
    info.object(
        "location",
        &[("directory", "directory"), ("workspace_id", "workspaceID")],
    );
    let boundary = json_at(row, "fork_boundary");
    if let (Some(parent), Some(boundary)) = (row.text("fork_session_id"), boundary) {
        let fork = json!({ "sessionID": parent, "boundary": boundary });
        info.fields.insert("fork".to_owned(), fork);
    }
    let archived = ("time_archived", "archived");
    let is_archived = row.int(archived.0).is_some_and(|at| at != 0);
    let mut times = vec![
        ("time_created", "created"),
        ("time_updated", "updated"),
        ("time_idle", "idle"),
        ("time_viewed", "viewed"),
    ];
    times.extend(is_archived.then_some(archived));
    info.object("time", &times);
    Value::Object(info.fields)
}

/// A session's fields, as they are put together.
struct Info<'r> {
    row: &'r Row,
    fields: Map<String, Value>,
}

impl<'r> Info<'r> {
    /// What both engines tell alike.
    fn of(row: &'r Row) -> Self {
        let mut info = Self {
            row,
            fields: Map::new(),
        };
        info.plain(&PLAIN);
        info.object("summary", &SUMMARY);
        info.json(&[("model", "model"), ("metadata", "metadata")]);
        let cache = [
            ("tokens_cache_read", "read"),
            ("tokens_cache_write", "write"),
        ];
        let tokens = [
            ("tokens_input", "input"),
            ("tokens_output", "output"),
            ("tokens_reasoning", "reasoning"),
        ];
        if let (Some(mut tokens), Some(cache)) = (object(row, &tokens), object(row, &cache)) {
            tokens.insert("cache".to_owned(), Value::Object(cache));
            info.fields
                .insert("tokens".to_owned(), Value::Object(tokens));
        }
        info
    }

    /// Columns whose values are those of the fields.
    fn plain(&mut self, pairs: &[Pair]) {
        self.fields
            .extend(object(self.row, pairs).unwrap_or_default());
    }

    /// Columns that hold JSON text.
    fn json(&mut self, pairs: &[Pair]) {
        for (column, field) in pairs {
            if let Some(value) = json_at(self.row, column) {
                self.fields.insert((*field).to_owned(), value);
            }
        }
    }

    /// A field that is an object of columns.
    fn object(&mut self, field: &str, pairs: &[Pair]) {
        if let Some(object) = object(self.row, pairs) {
            self.fields.insert(field.to_owned(), Value::Object(object));
        }
    }
}

fn json_at(row: &Row, column: &str) -> Option<Value> {
    parse(row.text(column)?).ok()
}

/// An object of the columns that have a value; none where none has.
fn object(row: &Row, pairs: &[Pair]) -> Option<Map<String, Value>> {
    let pair = |(column, field): &Pair| {
        let value = row.0.get(*column).filter(|value| !value.is_null())?;
        Some(((*field).to_owned(), value.clone()))
    };
    let fields: Map<String, Value> = pairs.iter().filter_map(pair).collect();
    (!fields.is_empty()).then_some(fields)
}
