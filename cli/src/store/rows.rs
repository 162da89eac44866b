//! Rows as JSON objects, by the names of their columns.

use rusqlite::{Connection, Params};
use serde_json::{Map, Value};

use crate::cell::Cell;
use crate::error::Result;

/// A row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row(pub(crate) Map<String, Value>);

impl Row {
    /// A text, if it is one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A whole number, if it is one.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// A number; 0 if it is none.
    pub(crate) fn real(&self, name: &str) -> f64 {
        self.0.get(name).and_then(Value::as_f64).unwrap_or_default()
    }
}

/// The rows of a query.
pub(crate) fn rows(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<Row>> {
    let mut statement = db.prepare_cached(sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map(params, |row| {
        let value = |(at, name): (usize, &String)| {
            row.get::<_, Cell>(at)
                .map(|cell| (name.clone(), cell.json()))
        };
        names
            .iter()
            .enumerate()
            .map(value)
            .collect::<rusqlite::Result<Map<_, _>>>()
            .map(Row)
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
