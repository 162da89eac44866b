//! Rows of OpenCode's, put into a database.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::Value;

/// Makes the tables of a database, and puts rows into them.
pub(crate) fn put_rows(db: &Connection, lines: &[Value]) {
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for line in lines {
        if let Some(sql) = line["sql"].as_str() {
            db.execute_batch(sql).unwrap();
            continue;
        }
        let row = line["row"].as_object().unwrap();
        let names: Vec<String> = row.keys().map(|name| format!("\"{name}\"")).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let table = line["table"].as_str().unwrap();
        let sql = format!(
            "INSERT OR REPLACE INTO {table} ({}) VALUES ({marks})",
            names.join(", ")
        );
        db.execute(&sql, rusqlite::params_from_iter(row.values().map(to_sql)))
            .unwrap();
    }
}

fn to_sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Sql::Real(number.as_f64().unwrap()), Sql::Integer),
        Value::String(text) => Sql::Text(text.clone()),
        other => panic!("no column holds {other}"),
    }
}
