//! What recorders told of themselves with what they stored: the view `recorders`.
//! A recorder is the plugin in one process, for one database.

use std::collections::{BTreeMap, BTreeSet};

use clankers::sources::Dialect;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;

use crate::error::Result;
use crate::opencode::host::Host;
use crate::output::{count, counted, one_line, time};
use crate::store::{RECORDERS_SCHEMA, Row, rows, schema_version};

/// Those that stored last, the latest first. Whoever stored nothing for a week is
/// forgotten when another begins.
const ALL: &str = "SELECT * FROM recorders ORDER BY reported_at DESC, id LIMIT 100";

/// What catch-up takes, where nothing is wrong: it waits for its turn, and asks for
/// one session after the other.
const PATIENCE_MS: i64 = 60_000;
/// What stored within a day may be at work yet.
const RECENT_MS: i64 = 24 * 60 * 60 * 1000;

/// Recorders, the one that stored last first.
#[derive(Debug, Default)]
pub(crate) struct Recorders {
    pub(crate) all: Vec<Recorder>,
    /// When this was read, Unix milliseconds.
    now: i64,
}

/// A recorder, as it was when it stored last.
#[derive(Debug)]
pub(crate) struct Recorder(Row);

/// Which releases of clankers the recorders of a program have loaded, of those that
/// may be at work.
#[derive(Debug, Default)]
pub(crate) struct Loaded<'r> {
    /// When one stored last that has loaded what is placed.
    pub(crate) placed_at: Option<i64>,
    /// Those that have loaded others: by release, the process that stored last, and when.
    pub(crate) others: BTreeMap<&'r str, (i64, i64)>,
}

impl Recorders {
    /// Reads them. In a database from before they told anything there are none.
    pub(crate) fn read(db: &Connection) -> Result<Self> {
        if schema_version(db)? < RECORDERS_SCHEMA {
            return Ok(Self::default());
        }
        let all = rows(db, ALL, [])?.into_iter().map(Recorder).collect();
        let now = Timestamp::now().as_millisecond();
        Ok(Self { all, now })
    }

    /// For programs: each with its columns.
    pub(crate) fn json(&self) -> Value {
        let object = |one: &Recorder| Value::Object(one.0.0.clone());
        self.all.iter().map(object).collect()
    }

    /// What a program's recorders have loaded, beside the releases that are `placed`. One
    /// of another release is left out where one with what is placed has begun since:
    /// that is what came of it, unless it goes on to store.
    pub(crate) fn loaded(&self, host: Host, placed: &BTreeSet<&str>) -> Loaded<'_> {
        let mut loaded = Loaded::default();
        let mut begun = None;
        let is_recent = |at: &i64| self.now.saturating_sub(*at) < RECENT_MS;
        // The one that stored last comes first.
        for one in self.all.iter().filter(|one| one.host() == Some(host)) {
            let stored = one.at("reported_at").filter(is_recent);
            let (Some(version), Some(at)) = (one.0.text("version"), stored) else {
                continue;
            };
            if placed.contains(version) {
                loaded.placed_at = loaded.placed_at.max(Some(at));
                begun = begun.max(one.at("started_at"));
            } else {
                let told = (one.number("pid"), at);
                loaded.others.entry(version).or_insert(told);
            }
        }
        loaded.others.retain(|_, (_, at)| begun < Some(*at));
        loaded
    }

    /// What is wrong with one of them that nothing has put right since, in words.
    pub(crate) fn complaint(&self, one: &Recorder) -> Option<String> {
        let is_since = |other: &Recorder| {
            other.host() == one.host() && other.at("caught_up_at") > one.at("reported_at")
        };
        if self.all.iter().any(is_since) {
            return None;
        }
        let is_long = |at: &i64| self.now.saturating_sub(*at) > PATIENCE_MS;
        if let Some(since) = one.at("behind_since").filter(is_long) {
            return Some(format!(
                "something is missing since {}, and OpenCode did not answer all that it was asked",
                time(since)
            ));
        }
        let waiting = one.number("waiting");
        let is_waiting = waiting > 0 && one.at("reported_at").as_ref().is_some_and(is_long);
        is_waiting.then(|| {
            format!(
                "{} had not been stored when it stored last",
                counted(waiting, "change")
            )
        })
    }
}

impl Recorder {
    /// Which it is, and when it was at work.
    pub(crate) fn described(&self) -> String {
        let at = |name| self.at(name).map(time).unwrap_or_default();
        let host = self.host().map_or("another program", Host::title);
        format!(
            "{host} (pid {}, clankers {}), from {} to {}",
            self.number("pid"),
            one_line(self.0.text("version").unwrap_or("of another release")),
            at("started_at"),
            at("reported_at"),
        )
    }

    /// What it has counted, in lines.
    pub(crate) fn counted(&self) -> Vec<String> {
        let number = |name| count(self.number(name));
        let mut lines = vec![
            format!(
                "{} seen, {} ignored, {} refused; {} in {}, {} waiting",
                counted(self.number("seen"), "event"),
                number("ignored"),
                number("refused"),
                counted(self.number("commands"), "command"),
                counted(self.number("drains"), "drain"),
                number("waiting"),
            ),
            format!(
                "catch-up: {} asked for, {} answered, {} failed; {}",
                counted(self.number("asked"), "session"),
                number("answered"),
                number("failed"),
                self.at("caught_up_at").map_or_else(
                    || "not ended yet".to_owned(),
                    |at| format!("ended {}", time(at))
                ),
            ),
        ];
        lines.extend(self.last_error());
        lines
    }

    /// What went wrong last, and when.
    pub(crate) fn last_error(&self) -> Option<String> {
        let what = one_line(self.0.text("last_error")?);
        let at = self.at("last_error_at").map(time).unwrap_or_default();
        Some(format!("last error, {at}: {what}"))
    }

    fn host(&self) -> Option<Host> {
        Some(match Dialect::named(self.0.text("dialect")?)? {
            Dialect::OPENCODE2 => Host::OpenCode2,
            Dialect::KILO => Host::Kilo,
            _ => Host::OpenCode1,
        })
    }

    fn at(&self, name: &str) -> Option<i64> {
        self.0.int(name)
    }

    fn number(&self, name: &str) -> i64 {
        self.0.int(name).unwrap_or_default()
    }
}
