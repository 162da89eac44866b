//! What the database shows of a release: whether the plugin was at work in it.

use rusqlite::{Connection, OptionalExtension, params};

use crate::opencode::host::Host;

/// When the newest session of a release was begun, or something that it sent was
/// refused. A session names the release that began it, so that one that another
/// release goes on with shows nothing of this one. One without a release is 2.x's:
/// it names it in the event alone, which the plugin may come too late for. Where
/// that is so of its beginning too, its first message tells when. Kilo's sessions
/// were `opencode`'s in older databases.
const LAST: &str = "\
SELECT max(at) FROM (
  SELECT max(coalesce(created_at,
      (SELECT min(created_at) FROM messages WHERE session_id = sessions.id))) AS at
  FROM sessions
  WHERE (source_version GLOB ?1 OR (?3 AND source_version IS NULL))
    AND (source = ?2 OR (?2 = 'kilo' AND source = 'opencode'))
  UNION ALL
  SELECT max(last_seen) FROM rejections WHERE source_version GLOB ?1)";

/// Which program a release is of.
const SOURCE: &str =
    "SELECT source FROM sessions WHERE source_version = ?1 ORDER BY created_at DESC LIMIT 1";

/// When a release was last seen at work, in Unix milliseconds. Where its number
/// is not known, any of the host's releases.
pub(crate) fn last(db: &Connection, host: Host, version: Option<&str>) -> Option<i64> {
    let releases = match (version, host) {
        (Some(version), _) => version,
        (None, Host::OpenCode1) => "[01].*",
        (None, Host::OpenCode2) => "2.*",
        (None, Host::Kilo) => "7.*",
    };
    let may_be_unnamed = host == Host::OpenCode2;
    db.query_row(
        LAST,
        params![releases, host.name(), may_be_unnamed],
        |row| row.get(0),
    )
    .ok()?
}

/// A release as people call it, by its number alone: `OpenCode 2.0.15`, `Kilo 7.7.9`.
pub(crate) fn named(db: &Connection, version: &str) -> String {
    let source: Option<String> = db
        .query_row(SOURCE, [version], |row| row.get(0))
        .optional()
        .ok()
        .flatten();
    release_name(source.as_deref(), version)
}

/// A release of a session's `source` as people call it.
pub(crate) fn release_name(source: Option<&str>, version: &str) -> String {
    // Older databases call Kilo's sessions `opencode`'s.
    let is_kilo = source == Some(Host::Kilo.name()) || Host::is_number_of_kilo(version);
    let host = if is_kilo { Host::Kilo } else { Host::OpenCode1 };
    format!("{} {version}", host.product())
}

#[cfg(test)]
mod tests {
    use super::release_name;

    #[test]
    fn a_release_is_named_by_its_product() {
        assert_eq!(release_name(Some("opencode"), "2.0.15"), "OpenCode 2.0.15");
        assert_eq!(release_name(None, "1.18.34"), "OpenCode 1.18.34");
        assert_eq!(release_name(Some("kilo"), "8.0.0"), "Kilo 8.0.0");
        assert_eq!(release_name(Some("opencode"), "7.7.9"), "Kilo 7.7.9");
    }
}
