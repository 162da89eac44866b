//! Which session a person means: by its id, by the beginning of one, or `last`.

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::output::one_line;
use crate::store::{Row, rows};

/// Sessions whose id begins with a text, with or without the `ses_` before it.
const BEGINNING: &str = "\
SELECT id, iif(missing_since IS NULL, title, NULL) AS title FROM sessions
WHERE substr(id, 1, length(?1)) = ?1 OR substr(id, 5, length(?1)) = ?1
ORDER BY id = ?1 DESC, id LIMIT 6";
/// The session that a person worked in last; one that is missing only on demand.
const LAST: &str = "\
SELECT id FROM sessions WHERE deleted_at IS NULL AND parent_id IS NULL AND (?1 OR missing_since IS NULL)
ORDER BY coalesce(updated_at, created_at) DESC, id LIMIT 1";

/// The id of the one session that `wanted` means. `with_missing` says whether the
/// last session may be one that is missing.
pub(super) fn resolve(db: &Connection, wanted: &str, with_missing: bool) -> Result<String> {
    if wanted == "last" {
        let last = rows(db, LAST, [with_missing])?;
        let last = last
            .first()
            .ok_or_else(|| Error::new("there is no session yet"))?;
        return Ok(id(last));
    }
    let found = rows(db, BEGINNING, [wanted])?;
    match found.as_slice() {
        [] => Err(Error::new(format!("no session begins with `{wanted}`"))
            .hint("`clankers sessions --all` lists them")),
        [one] => Ok(id(one)),
        [first, ..] if first.text("id") == Some(wanted) => Ok(wanted.to_owned()),
        several => {
            let list: String = several.iter().map(line).collect();
            Err(Error::new(format!(
                "several sessions begin with `{wanted}`:{list}"
            )))
        }
    }
}

fn id(session: &Row) -> String {
    session.text("id").unwrap_or_default().to_owned()
}

/// A line of a list of sessions.
fn line(session: &Row) -> String {
    let title = one_line(session.text("title").unwrap_or_default());
    format!("\n  {}  {title}", id(session))
}
