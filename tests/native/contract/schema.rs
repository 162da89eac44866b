//! The tables, their columns and their keys: names that users rely on.

use clankers::store;

use crate::support::Db;

/// Each table of the contract with its columns; the key's are marked.
const CONTRACT: &[(&str, &str)] = &[
    (
        "sessions",
        "id* parent_id source source_version title project_id project_path project_name agent model provider \
         status prompt_tokens completion_tokens reasoning_tokens cache_read_tokens cache_write_tokens cost \
         created_at updated_at archived_at deleted_at missing_since changed additions deletions files_changed",
    ),
    (
        "messages",
        "id* session_id parent_id role agent model provider text_content prompt_tokens completion_tokens \
         reasoning_tokens cache_read_tokens cache_write_tokens cost finish_reason error_name error_message \
         created_at completed_at duration_ms deleted_at missing_since changed position kind",
    ),
    (
        "parts",
        "id* message_id session_id type text data synthetic started_at ended_at missing_since \
         changed position ignored",
    ),
    (
        "tool_calls",
        "id* call_id message_id session_id tool status title input output error file_path exit_code \
         child_session_id started_at ended_at duration_ms permission_wait_ms deleted_at missing_since \
         changed position",
    ),
    (
        "usage",
        "id* session_id message_id agent model provider prompt_tokens completion_tokens reasoning_tokens \
         cache_read_tokens cache_write_tokens cost inherited at changed kind cost_source message_at counted",
    ),
    (
        "session_errors",
        "id* session_id message_id name message status_code retryable attempt created_at changed",
    ),
    (
        "permissions",
        "id* session_id message_id call_id permission patterns reply asked_at replied_at changed",
    ),
    (
        "todos",
        "session_id* position* content status priority changed",
    ),
    (
        "rejections",
        "event_type* code* path* expected found sample source_version count first_seen last_seen changed",
    ),
];

#[test]
fn the_tables_have_the_columns_and_keys_of_the_contract() {
    let db = Db::new();
    for (table, columns) in CONTRACT {
        let sql = format!("SELECT name || iif(pk, '*', '') FROM pragma_table_info('{table}')");
        let found: Vec<String> = db
            .rows(&sql)
            .iter()
            .map(|name| name.trim_matches('"').to_owned())
            .collect();
        assert_eq!(
            found.join(" "),
            columns.split_whitespace().collect::<Vec<_>>().join(" "),
            "{table}"
        );
    }
}

#[test]
fn counts_default_to_zero_and_texts_that_must_be_are_there() {
    let db = Db::new();
    let sql = |condition: &str| {
        format!(
            "SELECT m.name || '.' || c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND m.name NOT IN ('session_own', 'removed_rows') AND {condition} ORDER BY 1"
        )
    };
    let counts = "(c.name LIKE '%\\_tokens' ESCAPE '\\' OR c.name IN ('cost', 'changed', \
        'permission_wait_ms', 'inherited', 'synthetic', 'count')) \
        AND NOT (c.\"notnull\" AND c.dflt_value = '0')";
    assert_eq!(db.rows(&sql(counts)), [""; 0]);
    let texts = "m.name || '.' || c.name IN ('messages.text_content', 'messages.session_id', \
        'parts.message_id', 'tool_calls.message_id') AND NOT c.\"notnull\"";
    assert_eq!(db.rows(&sql(texts)), [""; 0]);
}

#[test]
fn children_reference_their_parents() {
    let db = Db::new();
    let references = "SELECT m.name, f.\"from\", f.\"table\" FROM sqlite_master AS m, \
        pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' ORDER BY 1";
    assert_eq!(
        db.rows(references),
        [
            r#""messages" | "session_id" | "sessions""#,
            r#""parts" | "message_id" | "messages""#,
            r#""tool_calls" | "message_id" | "messages""#,
        ]
    );
}

#[test]
fn user_version_counts_the_migrations() {
    assert_eq!(store::SCHEMA_VERSION, store::MIGRATIONS.len());
    // A writer sets `user_version` in the migration's own transaction, so a
    // migration must not set it, begin or end one.
    for migration in store::MIGRATIONS {
        let words = migration.to_uppercase();
        for forbidden in [
            "PRAGMA",
            "COMMIT",
            "ROLLBACK",
            "BEGIN IMMEDIATE",
            "BEGIN TRANSACTION",
        ] {
            assert!(!words.contains(forbidden), "{forbidden} in a migration");
        }
    }
}

#[test]
fn the_migrations_make_the_schema_from_nothing_each_in_a_transaction() {
    let db = rusqlite::Connection::open_in_memory();
    let run = |db: rusqlite::Connection| -> rusqlite::Result<i64> {
        for (at, migration) in store::MIGRATIONS.iter().enumerate() {
            db.execute_batch(&format!(
                "BEGIN IMMEDIATE; {migration}; PRAGMA user_version = {}; COMMIT",
                at + 1
            ))?;
        }
        db.query_row("PRAGMA user_version", [], |row| row.get(0))
    };
    assert_eq!(
        db.and_then(run).map(usize::try_from),
        Ok(Ok(store::SCHEMA_VERSION))
    );
}

#[test]
fn a_database_of_the_first_schema_keeps_its_rows_and_is_caught_up_on() {
    let run = |db: rusqlite::Connection| -> rusqlite::Result<(Option<String>, Option<i64>)> {
        let [first, rest @ ..] = store::MIGRATIONS else {
            return Err(rusqlite::Error::InvalidQuery);
        };
        db.execute_batch(first)?;
        db.execute_batch(
            "INSERT INTO sessions (id, title) VALUES ('ses_1', 'kept');
            INSERT INTO session_own (session_id, origin) VALUES ('ses_1', '/home/user/opencode');",
        )?;
        for migration in rest {
            db.execute_batch(migration)?;
        }
        let sql = "SELECT title, whole_at FROM sessions JOIN session_own ON session_id = id";
        db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let found = rusqlite::Connection::open_in_memory().and_then(run);
    assert_eq!(found, Ok((Some("kept".to_owned()), None)));
}

#[test]
fn every_command_has_statements_of_one_parameter() {
    let db = Db::new();
    for method in clankers::model::command::Command::METHODS {
        let statements = store::statements(method).unwrap_or_default();
        assert!(!statements.is_empty(), "{method}");
        for store::Statement { sql, .. } in statements {
            let count =
                db.0.prepare(&sql)
                    .map(|statement| statement.parameter_count());
            assert_eq!(count, Ok(1), "{method}: {sql}");
        }
    }
    assert_eq!(store::statements("session.unknown"), None);
    assert_eq!(
        store::all_statements().len(),
        clankers::model::command::Command::METHODS.len()
    );
}

#[test]
fn the_statements_of_each_method_are_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/sql");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (method, statements) in store::all_statements() {
            let lines: Vec<String> = statements
                .iter()
                .map(|store::Statement { sql, when }| match when {
                    Some(when) => format!("-- when {when:?}\n{sql};\n"),
                    None => format!("{sql};\n"),
                })
                .collect();
            insta::assert_snapshot!(method, lines.join("\n"));
        }
    });
}
