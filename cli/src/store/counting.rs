//! Which rows of the ledger are in the sums.

use rusqlite::Connection;

use super::version::schema_version;
use crate::error::Result;

/// The first schema that tells what a fork copied of what nobody recorded.
const COUNTED_SCHEMA: usize = 8;

/// SQL that is true for a row of `usage` that counts. In a database that nobody has
/// written since clankers was updated nothing that a fork copied does.
pub(crate) fn is_counted(db: &Connection) -> Result<&'static str> {
    Ok(if schema_version(db)? < COUNTED_SCHEMA {
        "NOT usage.inherited"
    } else {
        "usage.counted"
    })
}
