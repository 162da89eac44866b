//! Whether a database's file is sound.

use rusqlite::Connection;

use crate::output::counted;

/// What `SQLite` finds wrong in the file, a few of it.
pub(super) fn damage(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = db.prepare("PRAGMA integrity_check(5)")?;
    let lines = check.query_map([], |row| row.get::<_, String>(0))?;
    let mut found: Vec<String> = lines.collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// Rows whose parent is not there, a line for each table.
pub(super) fn orphans(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut keys =
        db.prepare("SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1")?;
    let orphans = keys.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    let line = |orphan: rusqlite::Result<(String, i64)>| {
        let (table, count) = orphan?;
        let verb = if count == 1 { "has" } else { "have" };
        let rows = counted(count, "row");
        Ok(format!("{rows} of {table} {verb} no parent"))
    };
    orphans.map(line).collect()
}
