//! OpenCode 2's database: what is asked of it, as SQL. No promise of OpenCode's
//! covers these tables; they are as 2.0.15 makes them.
//!
//! It is the file that OpenCode 1 worked on, and what that wrote stays in tables
//! of its own (`message`, `part`), beside the copy that OpenCode 2 made of it at
//! its first start (`session_message`). A message that is in both is read as
//! OpenCode 1 wrote it: a copy has no ids of parts, and lacks what a compaction
//! cost. Messages keep their ids in the copy, but for one kind: what OpenCode 1
//! put beside a person's words as a part is a message of its own there, right
//! behind theirs, with the first 16 letters of its id and the time of its making.

use crate::sources::database::{BEHIND_OF_ONE, PARTS, Queries, TODOS};

/// The statements for a database with these tables; none where it is not one
/// that OpenCode 2 has worked on. The newest releases of OpenCode 1 have a
/// `session_message`, too, which is empty.
pub fn queries(tables: &[String]) -> Option<Queries> {
    let has = |name: &str| tables.iter().any(|table| table == name);
    if !has("session_v2") || !has("session_message") {
        return None;
    }
    let has_one = has("message") && has("part");
    let messages_of_one = has_one.then(|| of_one(BEHIND_OF_ONE));
    let message = of_two(has_one, "id = ?1 ->> 'id'");
    Some(Queries {
        sessions: SESSIONS.to_owned(),
        version: VERSION.to_owned(),
        session: None,
        messages_of_one,
        messages: Some(of_two(has_one, BEHIND)),
        message: if has_one {
            format!("{}\nUNION ALL\n{message}", of_one("one.id = ?1 ->> 'id'"))
        } else {
            message
        },
        parts: has_one.then(|| PARTS.to_owned()),
        todos: has("todo").then(|| TODOS.to_owned()),
    })
}

const SESSIONS: &str = "\
SELECT id, title, cost, time_created AS created, time_updated AS updated,
  time_archived AS archived
FROM session_v2 WHERE directory = ?1 ->> 'directory'";

const VERSION: &str = "SELECT version FROM session_v2 WHERE id = ?1 ->> 'sessionId'";

/// True where a message of OpenCode 2, `two`, is told by OpenCode 1's tables.
const IS_TOLD_BY_ONE: &str = "\
EXISTS (SELECT 1 FROM message WHERE message.id = two.id)
    OR two.type = 'synthetic' AND EXISTS (
      SELECT 1 FROM session_message AS said JOIN message ON message.id = said.id
      WHERE said.session_id = two.session_id AND said.seq = two.seq - 1 AND said.type = 'user'
        AND said.time_created = two.time_created
        AND substr(said.id, 1, 16) = substr(two.id, 1, 16))";

/// The same of a message of OpenCode 2.
const BEHIND: &str = "\
seq > coalesce((SELECT seq FROM session_message WHERE id = ?1 ->> 'after'), -1)
ORDER BY seq LIMIT ?1 ->> 'limit'";

/// The messages of a session that OpenCode 1 wrote, for which `which` holds.
fn of_one(which: &str) -> String {
    format!(
        "\
SELECT one.id, one.session_id AS sessionId, NULL AS type,
  (SELECT seq FROM session_message WHERE id = one.id) AS seq,
  one.time_created AS created, one.data
FROM message AS one
WHERE one.session_id = ?1 ->> 'sessionId' AND {which}"
    )
}

/// Those that only OpenCode 2 has; all, where OpenCode 1 never worked on the file.
fn of_two(has_one: bool, which: &str) -> String {
    let own = if has_one {
        format!("AND NOT ({IS_TOLD_BY_ONE})\n  ")
    } else {
        String::new()
    };
    format!(
        "\
SELECT id, session_id AS sessionId, type, seq, time_created AS created, data
FROM session_message AS two
WHERE session_id = ?1 ->> 'sessionId' {own}AND {which}"
    )
}
