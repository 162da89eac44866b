//! What OpenCode does not have any more though nobody deleted it: hidden, shown
//! on demand, counted, and erased only when a person asks for it.

mod pruning;
mod reading;

use clankers::model::command::{Command, MessageMissing, PartMissing, SessionMissing};
use clankers::model::number::Number;
use rusqlite::Connection;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::recording;

/// The time at which OpenCode was asked: 2026-11-24 00:00.
const SINCE: f64 = 1_795_478_400_000.0;

const STORE: &str = "store";

const RECORDINGS: &[&str] = &["1.18.34/served.jsonl", "1.18.34/run.jsonl"];

/// A session that is missing, and one that is there without some of its rows.
struct Sample {
    home: Home,
    /// The missing session, `Delegation`, which started a sub-agent.
    session: String,
    /// The session that is there, `Tools that work`.
    other: String,
    /// A missing answer of it, with the tool calls below it.
    message: String,
    /// A missing tool call of an answer that is there.
    call: String,
}

fn id(db: &Connection, sql: &str) -> String {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn number(home: &Home, sql: &str) -> i64 {
    home.open().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn since(at: f64) -> Number {
    Number::new(at).unwrap()
}

fn session_missing(id: &str) -> Command {
    Command::SessionMissing(SessionMissing {
        id: id.to_owned(),
        store_id: STORE.to_owned(),
        since: since(SINCE),
    })
}

fn sample() -> Sample {
    let home = Home::with_recordings(RECORDINGS);
    let db = home.open();
    let titled = |title: &str| {
        let sql = format!(
            "SELECT id FROM sessions WHERE title = '{title}' AND deleted_at IS NULL ORDER BY id LIMIT 1"
        );
        id(&db, &sql)
    };
    let (session, other) = (titled("Delegation"), titled("Tools that work"));
    let calls = format!(
        "SELECT tool_calls.id FROM tool_calls JOIN messages ON messages.id = message_id
         WHERE messages.session_id = '{other}' ORDER BY messages.created_at, tool_calls.id"
    );
    let call = id(&db, &format!("{calls} LIMIT 1"));
    let message = id(
        &db,
        &format!(
            "SELECT message_id FROM tool_calls WHERE session_id = '{other}' AND message_id <> (
               SELECT message_id FROM tool_calls WHERE id = '{call}') ORDER BY id DESC LIMIT 1"
        ),
    );
    let owner = id(
        &db,
        &format!("SELECT message_id FROM tool_calls WHERE id = '{call}'"),
    );
    recording::apply(
        &db,
        &[
            session_missing(&session),
            Command::MessageMissing(MessageMissing {
                id: message.clone(),
                session_id: other.clone(),
                store_id: STORE.to_owned(),
                since: since(SINCE),
            }),
            Command::PartMissing(PartMissing {
                id: call.clone(),
                message_id: owner,
                session_id: other.clone(),
                store_id: STORE.to_owned(),
                since: since(SINCE),
            }),
        ],
    );
    Sample {
        home,
        session,
        other,
        message,
        call,
    }
}

fn json(home: &Home, args: &[&str]) -> Value {
    let args = [args, &["--format", "json"]].concat();
    serde_json::from_str(&home.stdout(&args)).unwrap()
}
