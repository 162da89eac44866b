//! OpenCode 2 on a database that OpenCode 1 began: what is asked of it, and that
//! it makes the rows that OpenCode 1 made.

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use clankers::sources::database::{Queries, TABLES};
use clankers::sources::opencode2::database::queries;
use clankers::store::STORED_MESSAGES;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::core;
use crate::support::{Db, TABLES as OURS, assert_same};

/// The tables as 2.0.15 leaves them on the database of 1.18.34, as far as they are read.
const SCHEMA: &str = "\
CREATE TABLE session (id text PRIMARY KEY, directory text, title text, time_created integer);
CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, data text);
CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, data text);
CREATE TABLE todo (session_id text, content text, status text, priority text, position integer);
CREATE TABLE session_v2 (id text PRIMARY KEY, directory text, title text, version text, cost real,
  time_created integer, time_updated integer, time_archived integer);
CREATE TABLE session_message (id text PRIMARY KEY, session_id text, type text, seq integer,
  time_created integer, data text);";

/// A message of OpenCode 1: its id, its data, and its parts likewise.
type OfOne = (&'static str, Value, Vec<(&'static str, Value)>);

/// What OpenCode 1 wrote: a prompt with something put beside it, an answer with
/// a step, and a compaction.
fn of_one() -> Vec<OfOne> {
    let answered = |created: u32, parent: &str| {
        json!({
            "role": "assistant", "parentID": parent, "mode": "build", "agent": "build",
            "modelID": "large", "providerID": "scripted", "cost": 0.25, "finish": "stop",
            "path": { "cwd": "/p", "root": "/p" },
            "tokens": { "input": 10, "output": 5, "reasoning": 0, "cache": { "read": 0, "write": 0 } },
            "time": { "created": created, "completed": created + 5 },
        })
    };
    let step = json!({
        "type": "step-finish", "reason": "stop", "cost": 0.25,
        "tokens": { "input": 10, "output": 5, "reasoning": 0, "cache": { "read": 0, "write": 0 } },
    });
    let said = |created: u32| {
        json!({
            "role": "user", "agent": "build", "time": { "created": created },
            "model": { "providerID": "scripted", "modelID": "large" },
        })
    };
    let mut summary = answered(300, "msg_000000000300aC");
    summary["summary"] = json!(true);
    vec![
        (
            "msg_000000000100aA",
            said(100),
            vec![
                ("prt_1", json!({ "type": "text", "text": "Hello." })),
                (
                    "prt_2",
                    json!({ "type": "text", "text": "A hint.", "synthetic": true }),
                ),
            ],
        ),
        (
            "msg_000000000200aB",
            answered(200, "msg_000000000100aA"),
            vec![
                (
                    "prt_3",
                    json!({ "type": "text", "text": "Hi!", "time": { "start": 201, "end": 202 } }),
                ),
                ("prt_4", step),
            ],
        ),
        (
            "msg_000000000300aC",
            said(299),
            vec![("prt_5", json!({ "type": "compaction", "auto": false }))],
        ),
        (
            "msg_000000000301aD",
            summary,
            vec![("prt_6", json!({ "type": "text", "text": "In short." }))],
        ),
    ]
}

/// What OpenCode 2 made of it, and what came since.
fn of_two() -> Vec<(&'static str, &'static str, u32, u32, Value)> {
    let answer = |text: &str, at: u32| {
        json!({
            "agent": "build", "model": { "id": "large", "providerID": "scripted", "variant": "default" },
            "content": [{ "type": "text", "text": text }], "finish": "stop", "cost": 0.25,
            "tokens": { "input": 10, "output": 5, "reasoning": 0, "cache": { "read": 0, "write": 0 } },
            "time": { "created": at, "completed": at + 9 },
        })
    };
    vec![
        (
            "msg_000000000100aA",
            "user",
            0,
            100,
            json!({ "text": "Hello.", "time": { "created": 100 } }),
        ),
        (
            "msg_000000000100zZ",
            "synthetic",
            1,
            100,
            json!({ "text": "A hint.", "time": { "created": 100 } }),
        ),
        (
            "msg_000000000200aB",
            "assistant",
            2,
            200,
            answer("Hi!", 200),
        ),
        (
            "msg_000000000300aC",
            "compaction",
            3,
            299,
            json!({
                "status": "completed", "reason": "manual", "summary": "In short.", "recent": "",
                "time": { "created": 299 },
            }),
        ),
        (
            "msg_000000000400aE",
            "user",
            9,
            400,
            json!({ "text": "Go on.", "time": { "created": 400 } }),
        ),
        (
            "msg_000000000401aF",
            "synthetic",
            10,
            401,
            json!({ "text": "A note.", "time": { "created": 401 } }),
        ),
        (
            "msg_000000000402aG",
            "assistant",
            11,
            402,
            answer("Gladly.", 402),
        ),
    ]
}

/// An object with these fields, too.
fn with(mut object: Value, fields: Value) -> Value {
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
    }
    object
}

/// OpenCode's database, with what OpenCode 1 wrote or without its tables.
struct OpenCode(Connection);

impl OpenCode {
    fn new(has_one: bool) -> Self {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(SCHEMA).unwrap();
        let session = "\
INSERT INTO session_v2 VALUES ('ses_1', '/p', 'Tea', '1.18.34', 0.75, 50, 410, NULL);
INSERT INTO session_v2 VALUES ('ses_2', '/q', 'Elsewhere', '2.0.15', 0, 60, 60, 61);
INSERT INTO todo VALUES ('ses_1', 'Pour it', 'pending', 'high', 0);";
        db.execute_batch(session).unwrap();
        for (id, data, parts) in of_one() {
            let row = (id, data.to_string());
            db.execute("INSERT INTO message VALUES (?1, 'ses_1', 0, ?2)", row)
                .unwrap();
            for (part, data) in parts {
                let row = (part, id, data.to_string());
                db.execute("INSERT INTO part VALUES (?1, ?2, 'ses_1', ?3)", row)
                    .unwrap();
            }
        }
        for (id, kind, seq, at, data) in of_two() {
            let row = (id, kind, seq, at, data.to_string());
            let sql = "INSERT INTO session_message VALUES (?1, 'ses_1', ?2, ?3, ?4, ?5)";
            db.execute(sql, row).unwrap();
        }
        if !has_one {
            db.execute_batch(
                "DROP TABLE session; DROP TABLE message; DROP TABLE part; DROP TABLE todo",
            )
            .unwrap();
        }
        Self(db)
    }

    fn queries(&self) -> Option<Queries> {
        let mut tables = self.0.prepare(TABLES).unwrap();
        let names = tables.query_map([], |row| row.get("name")).unwrap();
        queries(&names.map(Result::unwrap).collect::<Vec<String>>())
    }

    /// The rows of one of the queries, as objects.
    fn rows(&self, sql: &str, params: &Value) -> Vec<Value> {
        Db::rows_of(&self.0, sql, params)
            .as_array()
            .cloned()
            .unwrap()
    }

    /// A page of the session's messages, and the name of the next one.
    fn page(&self, name: &str) -> (Vec<Value>, Option<String>) {
        let queries = self.queries().unwrap();
        let (engine, after) = name.split_once(' ').unwrap_or((name, ""));
        let of_one = queries.messages_of_one.filter(|_| engine != "2");
        let engine = if of_one.is_some() { "1" } else { "2" };
        let sql = of_one.or(queries.messages).unwrap();
        let params = json!({ "sessionId": "ses_1", "after": after, "limit": 2 });
        let rows = self.rows(&sql, &params);
        if rows.is_empty() && engine == "1" {
            return self.page("2");
        }
        let last = rows.last().and_then(|row| row["id"].as_str());
        let next = last.map(|id| format!("{engine} {id}"));
        (rows, next)
    }

    /// All of them, page by page.
    fn messages(&self) -> Vec<Value> {
        let (mut all, mut next) = self.page("");
        while let Some(name) = next {
            let (rows, following) = self.page(&name);
            all.extend(rows);
            next = following;
        }
        all
    }

    /// What catch-up asks, answered as a host does.
    fn answer(&self, request: &Request) -> Option<Value> {
        let queries = self.queries().unwrap();
        let params = serde_json::to_value(request).unwrap();
        Some(match request {
            Request::Session { .. } => json!({
                "id": "ses_1", "projectID": "p", "location": { "directory": "/p" }, "title": "Tea",
                "version": "1.18.34", "cost": 0.75, "time": { "created": 50, "updated": 410 },
                "tokens": { "input": 30, "output": 15, "reasoning": 0, "cache": { "read": 0, "write": 0 } },
            }),
            Request::Todos { .. } => self.rows(&queries.todos?, &params).into(),
            Request::Messages { page, .. } => {
                let (rows, next) = self.page(page.as_deref().unwrap_or_default());
                json!({ "items": self.items(rows), "next": next })
            }
            Request::Message { .. } => {
                let params = json!({ "sessionId": "ses_1", "id": params["messageId"] });
                self.items(self.rows(&queries.message, &params)).pop()?
            }
            _ => return None,
        })
    }

    /// Messages of either engine, as each is answered.
    fn items(&self, rows: Vec<Value>) -> Vec<Value> {
        let with = |row: &Value, ids: Value| {
            with(
                serde_json::from_str(row["data"].as_str().unwrap()).unwrap(),
                ids,
            )
        };
        let item = |row: Value| {
            let (id, session_id) = (&row["id"], &row["sessionId"]);
            if !row["type"].is_null() {
                return with(
                    &row,
                    json!({ "id": id, "type": row["type"], "seq": row["seq"] }),
                );
            }
            let parts = self.queries().unwrap().parts.unwrap();
            let parts = self.rows(&parts, &json!({ "ids": [id] }));
            let part = |part: &Value| {
                let ids = json!({ "id": part["id"], "messageID": id, "sessionID": session_id });
                with(part, ids)
            };
            json!({
                "info": with(&row, json!({ "id": id, "sessionID": session_id })),
                "parts": parts.iter().map(part).collect::<Vec<_>>(), "seq": row["seq"],
            })
        };
        rows.into_iter().map(item).collect()
    }
}

/// Fetches the session into the database, through a core that ends then.
fn fetch(db: &Db, mut core: Core, answer: impl Fn(&Request) -> Option<Value>) {
    fetch_by(db, &mut core, answer);
}

/// Likewise, through one that goes on.
fn fetch_by(db: &Db, core: &mut Core, answer: impl Fn(&Request) -> Option<Value>) {
    core.fetch("/p", vec!["ses_1".to_owned()]);
    while let Some(request) = core.next_request(9e3) {
        let value = match &request {
            Request::StoredMessages { .. } => {
                let params = serde_json::to_value(&request).unwrap();
                Some(db.read(STORED_MESSAGES, &params))
            }
            request => answer(request),
        };
        match value {
            Some(value) => core.answer(Answer::Found(&&value), 9e3),
            None => core.answer::<&Value>(Answer::None, 9e3),
        };
        db.apply(core.drain());
        core.settle(true);
    }
}

/// What OpenCode 1 answers of the session, while it is alone.
fn one_answers(request: &Request) -> Option<Value> {
    let item = |(id, info, parts): (&str, Value, Vec<(&str, Value)>)| {
        let part = |(part, data): (&str, Value)| {
            with(
                data,
                json!({ "id": part, "messageID": id, "sessionID": "ses_1" }),
            )
        };
        json!({
            "info": with(info, json!({ "id": id, "sessionID": "ses_1" })),
            "parts": parts.into_iter().map(part).collect::<Vec<_>>(),
        })
    };
    Some(match request {
        Request::Session { .. } => json!({
            "id": "ses_1", "slug": "tea", "projectID": "p", "directory": "/p", "title": "Tea",
            "version": "1.18.34", "time": { "created": 50, "updated": 310 },
        }),
        Request::Messages { .. } => {
            json!({ "items": of_one().into_iter().map(item).collect::<Vec<_>>() })
        }
        _ => return None,
    })
}

fn of_engine_one() -> Core {
    Core::new(clankers::Options {
        store_id: Some("one".to_owned()),
        ..clankers::Options::default()
    })
}

/// The tables in which rows could be there twice.
fn dump(db: &Db) -> String {
    let tables: Vec<&str> = OURS
        .iter()
        .copied()
        .filter(|table| !["sessions", "session_own", "rejections"].contains(table))
        .collect();
    db.dump_of(&tables)
}

#[test]
fn what_one_wrote_is_read_under_its_ids_and_only_that_is_left_out() {
    let db = OpenCode::new(true);
    let rows = db.messages();
    let seen = rows
        .iter()
        .map(|row| format!("{} {} {}", row["id"], row["type"], row["seq"]));
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            r#""msg_000000000100aA" null 0"#,
            r#""msg_000000000200aB" null 2"#,
            r#""msg_000000000300aC" null 3"#,
            r#""msg_000000000301aD" null null"#,
            r#""msg_000000000400aE" "user" 9"#,
            r#""msg_000000000401aF" "synthetic" 10"#,
            r#""msg_000000000402aG" "assistant" 11"#,
        ]
    );
}

#[test]
fn a_database_without_the_tables_of_one_is_read_and_one_of_one_alone_is_not() {
    let db = OpenCode::new(false);
    let queries = db.queries().unwrap();
    assert_eq!((&queries.parts, &queries.todos), (&None, &None));
    assert_eq!(db.messages().len(), of_two().len());
    // 1.18.34 has a `session_message` of its own.
    let of_one = ["session", "message", "part", "session_message"].map(str::to_owned);
    assert_eq!(super::database::queries(&of_one), None);
}

#[test]
fn sessions_are_listed_by_their_directory() {
    let db = OpenCode::new(true);
    let queries = db.queries().unwrap();
    assert_eq!(
        db.rows(&queries.sessions, &json!({ "directory": "/q" })),
        [
            json!({ "id": "ses_2", "title": "Elsewhere", "cost": 0.0, "created": 60, "updated": 60, "archived": 61 })
        ]
    );
    let version = |id: &str| db.rows(&queries.version, &json!({ "sessionId": id }));
    assert_eq!(version("ses_2"), [json!({ "version": "2.0.15" })]);
    assert!(version("ses_9").is_empty());
}

#[test]
fn a_session_that_two_took_over_makes_the_same_rows_whoever_told_it() {
    let open_code = OpenCode::new(true);
    let two = |request: &Request| open_code.answer(request);
    let only_two = Db::new();
    fetch(&only_two, core(), two);
    let (one_first, two_first) = (Db::new(), Db::new());
    fetch(&one_first, of_engine_one(), one_answers);
    fetch(&one_first, core(), two);
    fetch(&two_first, core(), two);
    fetch(&two_first, of_engine_one(), one_answers);
    assert_same("1.x first", &dump(&only_two), &dump(&one_first));
    assert_same("2.x first", &dump(&only_two), &dump(&two_first));
    let texts = "SELECT text_content FROM messages ORDER BY position IS NULL, position";
    assert_eq!(
        only_two.rows(texts),
        [
            "Hello.",
            "Hi!",
            "",
            "Go on.",
            "A note.",
            "Gladly.",
            "In short."
        ]
        .map(|text| format!("{text:?}"))
    );
    assert_eq!(
        only_two.rows("SELECT id, cost, kind FROM usage ORDER BY id"),
        [
            r#""msg_000000000301aD" | 0.25 | "compaction""#,
            r#""msg_000000000402aG" | 0.25 | "step""#,
            r#""prt_4" | 0.25 | "step""#,
        ]
    );
    assert_eq!(only_two.rows("SELECT * FROM todos").len(), 1);
    assert_eq!(only_two.rows("SELECT * FROM rejections"), [""; 0]);
}

#[test]
fn a_message_by_itself_is_answered_as_in_the_list() {
    let db = OpenCode::new(true);
    let one = |id: &str| {
        db.answer(&Request::Message {
            directory: "/p".to_owned(),
            session_id: "ses_1".to_owned(),
            message_id: id.to_owned(),
        })
    };
    assert_eq!(
        one("msg_000000000200aB").unwrap()["parts"][0]["id"],
        "prt_3"
    );
    assert_eq!(one("msg_000000000402aG").unwrap()["type"], "assistant");
    // The copy of a part, and one that nobody has.
    assert_eq!(one("msg_000000000100zZ"), None);
    assert_eq!(one("msg_9"), None);
}

#[test]
fn what_two_took_back_of_one_stays_so_though_ones_tables_have_it() {
    let opencode = OpenCode::new(true);
    let db = Db::new();
    fetch(&db, core(), |request| opencode.answer(request));
    let committed = json!({
        "id": "evt_1", "created": 5000, "type": "session.revert.committed",
        "durable": { "aggregateID": "ses_1", "seq": 12, "version": 1 },
        "data": { "sessionID": "ses_1", "to": "msg_000000000200aB" },
    });
    let mut heard = core();
    heard.observe(&&committed, 5001.0);
    db.apply(heard.drain());
    let alive =
        || db.rows("SELECT id, text_content FROM messages WHERE deleted_at IS NULL ORDER BY id");
    let left = [r#""msg_000000000100aA" | "Hello.""#];
    assert_eq!(alive(), left);
    opencode
        .0
        .execute_batch("DELETE FROM session_message WHERE seq >= 2")
        .unwrap();
    fetch(&db, core(), |request| opencode.answer(request));
    assert_eq!(alive(), left);
    // Whoever comes later has it from 1.x's tables, where nothing was taken back.
    let later = Db::new();
    fetch(&later, core(), |request| opencode.answer(request));
    assert_eq!(
        later
            .rows("SELECT id FROM messages WHERE deleted_at IS NULL")
            .len(),
        4
    );
}

#[test]
fn what_one_is_still_writing_is_not_ended_by_a_turn_of_twos() {
    let opencode = OpenCode::new(true);
    let answering = json!({
        "role": "assistant", "parentID": "msg_000000000100aA", "mode": "build", "agent": "build",
        "modelID": "large", "providerID": "scripted", "cost": 0, "time": { "created": 500 },
        "path": { "cwd": "/p", "root": "/p" },
        "tokens": { "input": 0, "output": 0, "reasoning": 0, "cache": { "read": 0, "write": 0 } },
    });
    let row = ("msg_000000000500aH", answering.to_string());
    let sql = "INSERT INTO message VALUES (?1, 'ses_1', 0, ?2)";
    opencode.0.execute(sql, row).unwrap();
    let (db, mut core) = (Db::new(), core());
    fetch_by(&db, &mut core, |request| opencode.answer(request));
    let mut tell = |kind: &str, seq: u32, data: Value| {
        let event = json!({
            "id": format!("evt_{seq}"), "created": 6000, "type": kind,
            "durable": { "aggregateID": "ses_1", "seq": seq, "version": 1 },
            "data": with(json!({ "sessionID": "ses_1" }), data),
        });
        core.observe(&&event, 6000.0);
    };
    tell("session.execution.succeeded", 12, json!({}));
    tell(
        "session.step.started",
        13,
        json!({
            "assistantMessageID": "msg_000000000600aI", "agent": "build", "snapshot": "tree",
            "model": { "id": "large", "providerID": "scripted" }, "started": 6000,
        }),
    );
    db.apply(core.drain());
    assert_eq!(
        db.rows(
            "SELECT id FROM messages WHERE completed_at IS NULL AND role = 'assistant' ORDER BY id"
        ),
        ["msg_000000000500aH", "msg_000000000600aI"].map(|id| format!("{id:?}"))
    );
}
