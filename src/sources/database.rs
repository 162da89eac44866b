//! OpenCode's own database: what is asked of it, as SQL. No promise of OpenCode's
//! covers its tables; `opencode1` and `opencode2` know which there are. Each
//! statement takes one parameter, the JSON text of an object.

use serde::Serialize;

/// Selects the names of the tables that there are, and of the columns of one that
/// has more with newer releases, `session.cost` and the like; each as `name`.
pub const TABLES: &str = "\
SELECT name FROM sqlite_schema WHERE type = 'table'
UNION ALL SELECT 'session.' || name FROM pragma_table_info('session')";

/// The statements for one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Queries {
    /// The sessions of `{ directory }`, as they are compared: `id`, `title`,
    /// `cost` in US dollars, and when each was `created`, `updated` and
    /// `archived`, Unix milliseconds.
    pub sessions: String,
    /// The release that made the session `{ sessionId }`, as `version`. No row
    /// where there is no such session.
    pub version: String,
    /// OpenCode 1's session `{ sessionId }` as it answers it, the JSON text `info`.
    pub session: Option<String>,
    /// At most `limit` messages of `{ sessionId, after, limit }` that OpenCode 1
    /// wrote, behind the one with the id `after`, or from the first on where that
    /// is empty: `id`, `sessionId`, `type`, which is NULL, `seq`, `created` and
    /// `data`, the JSON text of the rest. One that OpenCode 2 has taken over has a `seq`.
    pub messages_of_one: Option<String>,
    /// Those that only OpenCode 2 has, likewise, with their `type`.
    pub messages: Option<String>,
    /// The message `{ sessionId, id }` of either.
    pub message: String,
    /// The parts of OpenCode 1's messages `{ ids }`: `id`, `messageId`,
    /// `sessionId` and `data`.
    pub parts: Option<String>,
    /// OpenCode 1's to-do list of `{ sessionId }`: `content`, `status`, `priority`.
    pub todos: Option<String>,
}

impl Queries {
    /// Its TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
/** What is asked of OpenCode's database; each takes one parameter, the JSON text of an object. */
export interface DatabaseQueries {
  /** The sessions of `{ directory }`: `id`, `title`, `cost`, `created`, `updated`, `archived`. */
  sessions: string;
  /** The release that made the session `{ sessionId }`, as `version`. */
  version: string;
  /** OpenCode 1's session `{ sessionId }` as it answers it, the JSON text `info`. */
  session: string | null;
  /** Messages that OpenCode 1 wrote, of `{ sessionId, after, limit }`: `id`, `sessionId`, `type`, which is null, `seq`, `created`, `data`. */
  messagesOfOne: string | null;
  /** Those that only OpenCode 2 has, likewise, with their `type`. */
  messages: string | null;
  /** The message `{ sessionId, id }` of either. */
  message: string;
  /** The parts of OpenCode 1's messages `{ ids }`: `id`, `messageId`, `sessionId`, `data`. */
  parts: string | null;
  /** OpenCode 1's to-do list of `{ sessionId }`: `content`, `status`, `priority`. */
  todos: string | null;
}
";
}

/// OpenCode 1's parts, as [`Queries::parts`].
pub(super) const PARTS: &str = "\
SELECT id, message_id AS messageId, session_id AS sessionId, data FROM part
WHERE message_id IN (SELECT value FROM json_each(?1, '$.ids')) ORDER BY id";

/// OpenCode 1's to-do list, as [`Queries::todos`].
pub(super) const TODOS: &str = "\
SELECT content, status, priority FROM todo
WHERE session_id = ?1 ->> 'sessionId' ORDER BY position";

/// True for a message behind that with the id `after`, in the order of its
/// session; the first of them.
pub(super) const BEHIND_OF_ONE: &str = "\
(one.time_created, one.id)
  > (coalesce((SELECT time_created FROM message WHERE id = ?1 ->> 'after'), -1), ?1 ->> 'after')
ORDER BY one.time_created, one.id LIMIT ?1 ->> 'limit'";
