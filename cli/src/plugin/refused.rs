//! What the core refused of the plugin's events, by the release that sent it.

use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::seen;
use crate::error::Result;
use crate::output::{counted, one_line};
use crate::store::open_reader;

/// How long a reading command tells what was refused.
const LATELY_MS: i64 = 7 * 24 * 3_600_000;
/// What was seen last since `?1`, and where `?2` is false only what something was
/// lost by: a new field beside those that are known is refused at no cost.
const BY_RELEASE: &str = "\
SELECT source_version, count(*) FROM rejections
WHERE last_seen >= ?1 AND (?2 OR code <> 'unknown_field')
GROUP BY source_version ORDER BY max(last_seen) DESC, source_version";

/// How many kinds of event or field were refused of each release.
#[derive(Debug, Default)]
pub(crate) struct Refused(Vec<(String, i64)>);

impl Refused {
    /// Of all times, and whether anything was lost by it or not.
    pub(crate) fn all(db: &Connection) -> Result<Self> {
        Self::read(db, i64::MIN, true)
    }

    fn read(db: &Connection, since: i64, is_free_counted: bool) -> Result<Self> {
        let mut statement = db.prepare(BY_RELEASE)?;
        let found = statement.query_map((since, is_free_counted), |row| {
            let version: Option<String> = row.get(0)?;
            let release = match version {
                Some(version) => one_line(&seen::named(db, &version)),
                None => "a release that is not told".to_owned(),
            };
            Ok((release, row.get(1)?))
        })?;
        Ok(Self(found.collect::<rusqlite::Result<_>>()?))
    }

    /// Which releases sent how many, the last one first; none where nothing was refused.
    pub(crate) fn by_release(&self) -> Option<String> {
        let of = |(release, kinds): &(String, i64)| format!("{kinds} of {release}");
        let each: Vec<String> = self.0.iter().map(of).collect();
        (!each.is_empty()).then(|| each.join(", "))
    }
}

/// Says on standard error what was refused lately and cost something, in one line.
pub(crate) fn remind(db: &Path) {
    let since = Timestamp::now().as_millisecond() - LATELY_MS;
    // Why a database cannot be read is for the command to say, which reads it next.
    let lately = open_reader(db).and_then(|db| Refused::read(&db, since, false));
    let lately = lately.unwrap_or_default();
    if let Some(releases) = lately.by_release() {
        let kinds: i64 = lately.0.iter().map(|(_, kinds)| kinds).sum();
        // Where standard error cannot be written, the answer is what counts.
        let _ = writeln!(
            std::io::stderr(),
            "clankers: {} of event or field could not be used in the last week: {releases} (see `clankers doctor`)",
            counted(kinds, "kind")
        );
    }
}
