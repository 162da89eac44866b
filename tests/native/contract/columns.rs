//! A column is said in its declaration, a migration, a decoder and the docs.
//! What one of them forgets is found here.

use std::collections::BTreeSet;

use clankers::Options;
use clankers::model::column::{Column, Kept, Row, Rule};
use clankers::model::row::{
    MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, TodoRow, ToolCallRow, UsageRow,
};
use clankers::sources::Dialect;
use serde_json::{Value, json};

use super::deleting::history;
use super::documented::{DOCS, section, undocumented};
use crate::events::{event, message_removed, session_deleted};
use crate::support::{Db, core_of, recordings, replay_into, tell};

/// What the store makes itself, without a command's telling it.
const MADE: &[(&str, &[&str])] = &[
    (
        "sessions",
        &[
            "agent",
            "model",
            "provider",
            "deleted_at",
            "missing_since",
            "changed",
        ],
    ),
    ("messages", &["deleted_at", "missing_since", "changed"]),
    ("parts", &["missing_since", "changed"]),
    (
        "tool_calls",
        &[
            "permission_wait_ms",
            "deleted_at",
            "missing_since",
            "changed",
        ],
    ),
    (
        "usage",
        &[
            "agent",
            "model",
            "provider",
            "inherited",
            "at",
            "kind",
            "cost_source",
            "changed",
            "message_at",
            "counted",
        ],
    ),
    ("session_errors", &["changed"]),
    ("permissions", &["changed"]),
    ("todos", &["session_id", "position", "changed"]),
];

/// Columns that no recorded release fills, each with the reason.
const NOT_TOLD: &[(&str, &str)] = &[
    (
        "sessions.source",
        "its default is right but for Kilo's sessions",
    ),
    ("messages.position", "1.x tells no order"),
    ("parts.position", "1.x tells no order"),
    ("tool_calls.position", "1.x tells no order"),
    (
        "messages.text_content",
        "derived from the parts; for writers that send none",
    ),
];

/// Columns that are stored only where content is, and that a deletion leaves, each
/// with the reason.
const OUTLIVES: &[(&str, &str)] = &[
    ("sessions.project_path", "usage is summed by directory"),
    ("tool_calls.file_path", "a path is no content"),
    ("todos.content", "the row goes"),
];

/// Each table of the contract that rows are declared for, with its columns.
pub(super) fn declared() -> Vec<(&'static str, Vec<Column>)> {
    fn of<R: Row>() -> (&'static str, Vec<Column>) {
        (
            R::TABLE,
            R::KEYS.iter().chain(R::COLUMNS).copied().collect(),
        )
    }
    vec![
        of::<SessionRow>(),
        of::<MessageRow>(),
        of::<PartRow>(),
        of::<ToolCallRow>(),
        of::<UsageRow>(),
        of::<SessionErrorRow>(),
        of::<PermissionRow>(),
        of::<TodoRow>(),
    ]
}

/// The columns of a table that its declaration lacks, and the other way round.
fn undeclared(db: &Db, table: &str, declared: &[Column]) -> BTreeSet<String> {
    let stored: BTreeSet<String> = db
        .columns(table)
        .split(',')
        .chain(["changed"])
        .map(str::to_owned)
        .collect();
    let made = MADE
        .iter()
        .filter(|(of, _)| *of == table)
        .flat_map(|(_, made)| made.iter().copied());
    let own = declared
        .iter()
        .filter(|column| column.table == table)
        .map(|column| column.name);
    let said: BTreeSet<String> = own.chain(made).map(str::to_owned).collect();
    stored.symmetric_difference(&said).cloned().collect()
}

/// The parameters that the recorded releases' commands tell, by the row's table.
fn told() -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for recording in recordings() {
        replay_into(&mut recording.core(), &recording.events, |commands| {
            for command in commands {
                let wire = serde_json::to_value(command).unwrap_or_default();
                let params = &wire["params"];
                // A list of to-dos is told as one command, each row of it whole.
                let rows = params["todos"]
                    .as_array()
                    .map_or_else(|| vec![params], |all| all.iter().collect());
                let fields = rows
                    .into_iter()
                    .filter_map(serde_json::Value::as_object)
                    .flatten();
                told.extend(fields.map(|(name, _)| format!("{} {name}", command.method())));
            }
        });
    }
    told
}

/// The declared columns that no decoder fills.
fn untold(told: &BTreeSet<String>, table: &str, declared: &[Column]) -> BTreeSet<String> {
    let method = match table {
        "usage" => "usage.upsert".to_owned(),
        "todos" => "todo.replace".to_owned(),
        "parts" => "part.upsert".to_owned(),
        table => format!("{}.upsert", table.trim_end_matches('s')),
    };
    let is_untold = |column: &&Column| {
        let name = format!("{table}.{}", column.name);
        column.table == table
            && !told.contains(&format!("{method} {}", column.json))
            && !NOT_TOLD.iter().any(|(but, _)| *but == name)
    };
    let untold = declared.iter().filter(is_untold);
    untold.map(|column| column.name.to_owned()).collect()
}

/// Whether a deletion empties a column.
pub(super) fn is_content(column: &Column) -> bool {
    matches!(column.rule, Rule::Content | Rule::Derived)
}

/// The declared columns of content in which `deletion` leaves something.
fn unerased(
    db: &Db,
    deletion: &Value,
    table: &str,
    declared: &[Column],
) -> rusqlite::Result<BTreeSet<String>> {
    tell(db, Options::default(), history());
    let content = declared.iter().filter(|column| is_content(column));
    let names: Vec<&str> = content.map(|column| column.name).collect();
    for name in &names {
        let fill = format!("UPDATE {table} SET {name} = 'words'");
        assert_ne!(db.0.execute(&fill, [])?, 0, "{table}");
    }
    tell(db, Options::default(), [deletion.clone()]);
    let is_left = |name: &&str| {
        let left = format!("SELECT count(*) FROM {table} WHERE {name} = 'words'");
        db.value(&left) != "0"
    };
    let left = names.into_iter().filter(is_left);
    Ok(left.map(str::to_owned).collect())
}

/// The declared columns that are stored only where content is, and that are not
/// said to be content.
fn unerasable(table: &str, declared: &[Column]) -> BTreeSet<String> {
    let is_it = |column: &&Column| {
        let name = format!("{table}.{}", column.name);
        column.kept == Kept::InFull
            && !is_content(column)
            && !OUTLIVES.iter().any(|(but, _)| *but == name)
    };
    let found = declared.iter().filter(is_it);
    found.map(|column| column.name.to_owned()).collect()
}

#[test]
fn a_deletion_erases_each_column_that_is_declared_as_content() -> rusqlite::Result<()> {
    for (table, columns) in declared() {
        assert_eq!(unerasable(table, &columns), BTreeSet::new(), "{table}");
        for deletion in [session_deleted("ses_1"), message_removed("ses_1", "msg_1")] {
            let outlives = table == "sessions" && deletion["type"] == "message.removed";
            let left = unerased(&Db::new(), &deletion, table, &columns)?;
            assert_eq!(left.is_empty(), !outlives, "{table}: {left:?} {deletion}");
        }
    }
    Ok(())
}

#[test]
fn each_table_has_the_columns_that_its_row_declares() {
    let (db, told) = (Db::new(), told());
    for (table, columns) in declared() {
        assert_eq!(undeclared(&db, table, &columns), BTreeSet::new(), "{table}");
        assert_eq!(untold(&told, table, &columns), BTreeSet::new(), "{table}");
    }
}

/// A rejection is no row of which a little is known: it is told whole.
#[test]
fn rejections_have_the_columns_that_are_told() {
    let mut core = core_of(Dialect::OPENCODE1);
    core.observe(&&event("no.such.event", json!({})), 1.0);
    let told = serde_json::to_value(core.drain()).unwrap_or_default();
    let fields = told[0]["params"].as_object().cloned().unwrap_or_default();
    let in_sql = |name: &String| {
        let spell = |c: char| match c {
            'A'..='Z' => format!("_{}", c.to_ascii_lowercase()),
            c => c.to_string(),
        };
        name.chars().map(spell).collect::<String>()
    };
    let columns: BTreeSet<String> = fields.keys().map(in_sql).collect();
    let stored = Db::new().columns("rejections");
    let stored: BTreeSet<String> = stored.split(',').map(str::to_owned).collect();
    assert_eq!(columns, stored, "{told}");
}

#[test]
fn a_column_that_is_forgotten_in_one_place_is_found() -> rusqlite::Result<()> {
    let found = |name: &str| BTreeSet::from([name.to_owned()]);
    let columns: Vec<Column> = MessageRow::KEYS
        .iter()
        .chain(MessageRow::COLUMNS)
        .copied()
        .collect();
    let later = Column {
        name: "later",
        json: "later",
        ..MessageRow::COLUMNS[0]
    };
    let with_later: Vec<Column> = columns.iter().copied().chain([later]).collect();
    let (db, migrated) = (Db::new(), Db::new());
    migrated
        .0
        .execute_batch("ALTER TABLE messages ADD COLUMN later TEXT")?;
    // Its declaration, a migration, the docs and a decoder, each forgotten alone.
    assert_eq!(undeclared(&migrated, "messages", &columns), found("later"));
    assert_eq!(undeclared(&db, "messages", &with_later), found("later"));
    assert_eq!(
        undocumented(&migrated, "messages", section(DOCS, "messages")),
        found("later")
    );
    assert_eq!(untold(&told(), "messages", &with_later), found("later"));
    // Of content, what erases it, and that it is content.
    let content = [Column {
        rule: Rule::Content,
        kept: Kept::InFull,
        ..later
    }];
    let deletion = session_deleted("ses_1");
    assert_eq!(
        unerased(&migrated, &deletion, "messages", &content)?,
        found("later")
    );
    let unsaid = [Column {
        rule: Rule::Latest,
        ..content[0]
    }];
    assert_eq!(unerasable("messages", &unsaid), found("later"));
    // And forgotten nowhere.
    let docs = section(DOCS, "messages").to_owned() + "`later`";
    let mut told = told();
    told.insert("message.upsert later".to_owned());
    assert_eq!(
        undeclared(&migrated, "messages", &with_later),
        BTreeSet::new()
    );
    assert_eq!(undocumented(&migrated, "messages", &docs), BTreeSet::new());
    assert_eq!(untold(&told, "messages", &with_later), BTreeSet::new());
    assert_eq!(unerasable("messages", &content), BTreeSet::new());
    Ok(())
}
