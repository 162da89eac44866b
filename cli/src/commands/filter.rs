//! Which rows are asked for: by time, project and model.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, Zoned};
use rusqlite::named_params;
use rusqlite::{Statement, ToSql};

use crate::error::Result;
use crate::output::{Column, Table};

/// The filters that several commands have in common.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Filter {
    /// Only since then: `7d`, `12h`, `today`, `yesterday`, `2026-11-01`
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub(crate) since: Option<i64>,
    /// Only before then
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub(crate) until: Option<i64>,
    /// Only projects whose name or path contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) project: Option<String>,
    /// Only models whose name or provider contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) model: Option<String>,
}

impl Filter {
    /// Fills a table from a statement that reads `:since`, `:until`,
    /// `:project` and `:model`, and `:more`, whose meaning it decides itself.
    pub(crate) fn table(
        &self,
        columns: Vec<Column>,
        statement: &mut Statement<'_>,
        more: &dyn ToSql,
    ) -> Result<Table> {
        Table::of_query(
            columns,
            statement,
            named_params! {
                ":since": self.since,
                ":until": self.until,
                ":project": self.project.as_deref().map(like),
                ":model": self.model.as_deref().map(like),
                ":more": more,
            },
        )
    }
}

/// A pattern for `LIKE … ESCAPE '\'` that matches what contains `text`.
pub(crate) fn like(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A point in time as a person writes it, in Unix milliseconds.
pub(crate) fn when(text: &str) -> std::result::Result<i64, String> {
    at(text, &Zoned::now()).ok_or_else(|| {
        "write it like 7d, 12h, today, yesterday, 2026-11-01 or 2026-11-01T09:30".to_owned()
    })
}

fn at(text: &str, now: &Zoned) -> Option<i64> {
    let midnight = |date: Date| date.to_zoned(TimeZone::system()).ok();
    let at = match text {
        "now" => now.clone(),
        "today" => midnight(now.date())?,
        "yesterday" => midnight(now.date().checked_sub(1.day()).ok()?)?,
        _ => {
            if let Ok(ago) = text.parse::<Span>() {
                now.checked_sub(ago.abs()).ok()?
            } else if let Ok(at) = text.parse::<jiff::Timestamp>() {
                at.to_zoned(TimeZone::system())
            } else if let Ok(at) = text.parse::<jiff::civil::DateTime>() {
                at.to_zoned(TimeZone::system()).ok()?
            } else {
                midnight(text.parse().ok()?)?
            }
        }
    };
    Some(at.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::{at, like};

    #[test]
    fn times_are_written_in_several_ways() {
        let now: jiff::Zoned = "2026-11-23T12:00:00+00:00[UTC]".parse().unwrap();
        let ago = |text| now.timestamp().as_millisecond() - at(text, &now).unwrap();
        assert_eq!(ago("12h"), 12 * 3_600_000);
        assert_eq!(ago("7d"), 7 * 86_400_000);
        assert_eq!(ago("2w 1d"), 15 * 86_400_000);
        assert_eq!(at("2026-11-01T00:00:00Z", &now), Some(1_793_491_200_000));
        assert!(at("yesterday", &now) < at("today", &now));
        assert_eq!(at("soon", &now), None);
    }

    #[test]
    fn a_text_is_looked_for_as_it_is() {
        assert_eq!(like("50%_a\\b"), r"%50\%\_a\\b%");
    }
}
