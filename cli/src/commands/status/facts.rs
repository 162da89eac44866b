//! What the database holds, in numbers.

use rusqlite::Connection;
use serde_json::Value;

use crate::cell::Cell;
use crate::error::Result;
use crate::output::{Kind, Record, column};
use crate::plugin::refused::Refused;
use crate::store::{MissingCounts, Row, rows, schema_version};

const COUNTS: &str = "\
SELECT
  (SELECT count(*) FROM sessions) AS sessions,
  (SELECT count(*) FROM messages) AS messages,
  (SELECT count(*) FROM tool_calls) AS tool_calls,
  (SELECT coalesce(sum(steps), 0) FROM usage_by_model) AS steps,
  (SELECT round(coalesce(sum(cost), 0), 9) FROM usage_by_model) AS cost,
  (SELECT max(at) FROM (
    SELECT max(updated_at) AS at FROM sessions UNION ALL
    SELECT max(max(created_at, coalesce(completed_at, 0))) FROM messages)) AS last_event_at,
  (SELECT count(*) FROM rejections) AS rejection_kinds,
  (SELECT coalesce(sum(count), 0) FROM rejections) AS rejections";

/// The columns of `COUNTS` for programs, in their order.
const COLUMNS: [(&str, Kind); 8] = [
    ("sessions", Kind::Count),
    ("messages", Kind::Count),
    ("tool_calls", Kind::Count),
    ("steps", Kind::Count),
    ("cost", Kind::Money),
    ("last_event_at", Kind::Time),
    ("rejection_kinds", Kind::Count),
    ("rejections", Kind::Count),
];

/// What the database holds.
pub(super) struct Facts {
    pub(super) schema_version: usize,
    /// One row, of `COUNTS`.
    pub(super) counts: Row,
    pub(super) refused: Refused,
    pub(super) missing: MissingCounts,
}

impl Facts {
    pub(super) fn read(db: &Connection) -> Result<Self> {
        Ok(Self {
            schema_version: schema_version(db)?,
            counts: rows(db, COUNTS, [])?.pop().unwrap_or_default(),
            refused: Refused::all(db)?,
            missing: MissingCounts::read(db)?,
        })
    }

    /// A whole number of `COUNTS`.
    pub(super) fn number(&self, name: &str) -> i64 {
        self.counts.int(name).unwrap_or_default()
    }

    /// All of it, for programs.
    pub(super) fn record(&self) -> Record {
        let schema = Cell::from(self.schema_version as u64);
        let mut record = vec![(column("schema_version", Kind::Plain), schema)];
        for (name, kind) in COLUMNS {
            let value = self.counts.0.get(name);
            record.push((column(name, kind), value.map_or(Cell::Null, cell)));
        }
        record.push((
            column("rejections_by_release", Kind::Text),
            self.refused.by_release().into(),
        ));
        for (name, count) in [
            ("missing_sessions", self.missing.sessions),
            ("missing_messages", self.missing.messages),
            ("missing_tool_calls", self.missing.tool_calls),
            ("missing_parts", self.missing.parts),
        ] {
            record.push((column(name, Kind::Count), count.into()));
        }
        record
    }
}

fn cell(value: &Value) -> Cell {
    match (value.as_i64(), value.as_f64()) {
        (Some(number), _) => Cell::Int(number),
        (None, Some(number)) => Cell::Real(number),
        _ => Cell::Null,
    }
}
