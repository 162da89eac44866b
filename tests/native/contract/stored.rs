//! What catch-up reads of the store.

use std::collections::BTreeSet;

use clankers::catch_up::{StoredMessage, StoredSession};
use clankers::store::{STORED_MESSAGES, STORED_SESSIONS};

use crate::support::Db;

#[test]
fn each_query_selects_what_is_read_of_its_rows() -> rusqlite::Result<()> {
    let db = Db::new();
    for (query, read) in [
        (STORED_SESSIONS, StoredSession::COLUMNS),
        (STORED_MESSAGES, StoredMessage::COLUMNS),
    ] {
        let statement = db.0.prepare(query)?;
        let selected: BTreeSet<&str> = statement.column_names().collect();
        assert_eq!(selected, read.iter().copied().collect());
    }
    Ok(())
}
