//! One value of a table, and what it is a measure of.

use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use serde_json::Value;

use super::human;

/// How much of an id is shown: the letters that hold its time.
const SHORT_ID: usize = 16;

/// A value, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    /// For programs: a list or an object.
    Json(Value),
}

/// What a column's values measure: how a person reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// One of OpenCode's ids: its beginning tells it from the others.
    Id,
    Count,
    /// US dollars.
    Money,
    /// Unix milliseconds.
    Time,
    /// Milliseconds.
    Duration,
    Bytes,
    /// A bar, drawn whole.
    Bar,
    /// As it is: the result of somebody's own query.
    Plain,
}

impl Cell {
    /// The value as a person reads it, on one line.
    pub(crate) fn human(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Null, _) => String::new(),
            (Self::Text(bar), Kind::Bar) => bar.clone(),
            (Self::Text(id), Kind::Id) => id.chars().take(SHORT_ID).collect(),
            (Self::Int(number), Kind::Count) => human::count(*number),
            (Self::Int(ms), Kind::Time) => human::time(*ms),
            (Self::Int(ms), Kind::Duration) => human::duration(*ms),
            (Self::Int(size), Kind::Bytes) => {
                human::bytes(u64::try_from(*size).unwrap_or_default())
            }
            #[expect(clippy::cast_precision_loss, reason = "for a person's eye")]
            (Self::Int(dollars), Kind::Money) => human::money(*dollars as f64),
            (Self::Real(dollars), Kind::Money) => human::money(*dollars),
            #[expect(clippy::cast_possible_truncation, reason = "for a person's eye")]
            (Self::Real(ms), Kind::Duration) => human::duration(ms.round() as i64),
            _ => human::one_line(&self.plain()),
        }
    }

    /// The value as it is stored, as text.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Int(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Json(value) => value.to_string(),
        }
    }

    /// The value as JSON.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => (*number).into(),
            Self::Real(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Json(value) => value.clone(),
        }
    }

    /// The number it is, for a bar or a sum.
    pub(crate) fn number(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "for a bar's length")]
            Self::Int(number) => *number as f64,
            Self::Real(number) => *number,
            _ => 0.0,
        }
    }
}

impl FromSql for Cell {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Int(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => {
                let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
                Self::Text(bytes.iter().fold(String::new(), hex))
            }
        })
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Null, Self::Int)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
