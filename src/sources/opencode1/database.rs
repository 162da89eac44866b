//! OpenCode 1's database, as 1.2 to 1.18 make it. It is asked where OpenCode does
//! not answer: 1.18.34 refuses (400) the list of a session's messages for one that
//! it cannot read itself, and the list of sessions for one of them.

use crate::sources::database::{BEHIND_OF_ONE, PARTS, Queries, TODOS};

/// The statements for a database with these tables; none where it is not one of
/// OpenCode 1's.
pub fn queries(tables: &[String]) -> Option<Queries> {
    let has = |name: &str| tables.iter().any(|table| table == name);
    if !["session", "message", "part"].into_iter().all(has) {
        return None;
    }
    Some(Queries {
        sessions: SESSIONS.to_owned(),
        version: VERSION.to_owned(),
        session: Some(session(&|name| has(&format!("session.{name}")))),
        messages_of_one: Some(messages(BEHIND_OF_ONE)),
        messages: None,
        message: messages("one.id = ?1 ->> 'id'"),
        parts: Some(PARTS.to_owned()),
        todos: has("todo").then(|| TODOS.to_owned()),
    })
}

/// What a session cost is in the newest releases' tables only, and is not compared.
const SESSIONS: &str = "\
SELECT id, title, time_created AS created, time_updated AS updated, time_archived AS archived
FROM session WHERE directory = ?1 ->> 'directory'";

const VERSION: &str = "SELECT version FROM session WHERE id = ?1 ->> 'sessionId'";

/// A session as it is answered: what is NULL is left out. `has` tells the columns
/// that there are: those of what it cost came with 1.17, those of its agent too.
fn session(has: &dyn Fn(&str) -> bool) -> String {
    let mut fields = FIELDS.to_owned();
    for (column, field) in LATER {
        if has(column) {
            fields.push_str(field);
        }
    }
    format!(
        "SELECT json_patch('{{}}', json_object({fields})) AS info FROM session WHERE id = ?1 ->> 'sessionId'"
    )
}

const FIELDS: &str = "\
'id', id, 'projectID', project_id, 'parentID', parent_id, 'directory', directory,
  'title', title, 'version', version,
  'time', json_object('created', time_created, 'updated', time_updated, 'archived', time_archived)";

/// Each with the column that tells whether the release has it.
const LATER: [(&str, &str); 6] = [
    (
        "summary_files",
        ",
  'summary', json(iif(summary_files IS NULL, NULL, json_object(
    'additions', summary_additions, 'deletions', summary_deletions, 'files', summary_files)))",
    ),
    ("revert", ",\n  'revert', json(revert)"),
    ("agent", ",\n  'agent', agent"),
    ("model", ",\n  'model', json(model)"),
    ("cost", ",\n  'cost', cost"),
    (
        "tokens_input",
        ",
  'tokens', json_object('input', tokens_input, 'output', tokens_output,
    'reasoning', tokens_reasoning,
    'cache', json_object('read', tokens_cache_read, 'write', tokens_cache_write))",
    ),
];

/// The messages of a session for which `which` holds.
fn messages(which: &str) -> String {
    format!(
        "\
SELECT one.id, one.session_id AS sessionId, NULL AS type, NULL AS seq,
  one.time_created AS created, one.data
FROM message AS one
WHERE one.session_id = ?1 ->> 'sessionId' AND {which}"
    )
}
