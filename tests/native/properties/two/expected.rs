//! The rows that the model must be stored as.

use proptest::prelude::*;

use super::world::{Item, Kind, Message, Session, What, World};
use crate::support::{Db, difference};

/// A table: its query, whose first column is the id, the rows it is to give,
/// and the columns that are not known of what events did not tell.
pub(crate) struct Table {
    name: &'static str,
    sql: &'static str,
    rows: Vec<Vec<String>>,
    untold: std::ops::Range<usize>,
}

/// What the model is stored as.
pub(crate) fn tables(world: &World) -> [Table; 7] {
    let table = |name, sql, rows, untold| Table {
        name,
        sql,
        rows,
        untold,
    };
    [
        table(
            "sessions",
            "SELECT id, parent_id, title, agent, model, status, prompt_tokens, cost, created_at, coalesce(updated_at, created_at), coalesce(deleted_at, missing_since) IS NOT NULL FROM sessions ORDER BY id",
            sessions(world),
            0..0,
        ),
        table(
            "messages",
            "SELECT id, session_id, kind, role, model, text_content, position, prompt_tokens, cost, finish_reason, error_name, created_at, completed_at, coalesce(deleted_at, missing_since) IS NOT NULL FROM messages ORDER BY id",
            messages(world),
            0..0,
        ),
        table(
            "parts",
            "SELECT id, message_id, type, text, position, started_at, ended_at FROM parts ORDER BY id",
            parts(world),
            5..7,
        ),
        table(
            "tool_calls",
            "SELECT id, call_id, message_id, tool, status, input, output, error, exit_code, position, started_at, duration_ms, permission_wait_ms, coalesce(deleted_at, missing_since) IS NOT NULL FROM tool_calls ORDER BY id",
            calls(world),
            12..13,
        ),
        table(
            "usage",
            "SELECT id, session_id, message_id, model, prompt_tokens, cost, inherited, at, kind FROM usage ORDER BY id",
            ledger(world),
            0..0,
        ),
        table(
            "session_errors",
            "SELECT id, session_id, message_id, name, attempt FROM session_errors ORDER BY id",
            failures(world),
            0..0,
        ),
        table(
            "permissions",
            "SELECT id, reply, asked_at, replied_at, patterns IS NULL FROM permissions ORDER BY id",
            permissions(world),
            0..0,
        ),
    ]
}

/// Compares each table with the model, all of which was told or answered.
pub(crate) fn assert_rows(world: &World, db: &Db) -> Result<(), TestCaseError> {
    for table in tables(world) {
        let mut expected: Vec<String> = table.rows.iter().map(|row| row.join(" | ")).collect();
        expected.sort();
        let mut found = db.rows(table.sql);
        found.sort();
        let lines = difference(&expected.join("\n"), &found.join("\n"));
        prop_assert!(expected == found, "{}\n{}", table.name, lines);
    }
    assert_sound(world, db)
}

/// Compares what is not removed in the model. What is removed may never have
/// been seen, but is not there any more; of deleted sessions that is not certain.
pub(crate) fn assert_rows_of_what_there_is(world: &World, db: &Db) -> Result<(), TestCaseError> {
    let is_session = |id: &str| world.sessions.get(id).is_some_and(|one| !one.deleted);
    let is_message = |id: &str| world.messages.get(id).is_some_and(|one| !one.removed);
    for table in tables(world) {
        let is_there = |row: &Vec<String>| {
            let id = |at: usize| row.get(at).map_or("", |id| id.trim_matches('"'));
            match table.name {
                "sessions" => is_session(id(0)),
                "messages" => is_message(id(0)),
                "parts" => is_message(id(1)),
                // What only the total shows depends on what was seen.
                "tool_calls" | "usage" => is_message(id(2)),
                // A retry that was not heard is not answered.
                "session_errors" => is_message(id(2)) && id(4) == "NULL",
                _ => false,
            }
        };
        let kept = |rows: Vec<Vec<String>>| {
            let rows = rows.into_iter().filter(is_there);
            let mut rows: Vec<String> = rows
                .map(|mut row| {
                    row.drain(table.untold.clone());
                    forget_lost(world, &mut row);
                    row.join(" | ")
                })
                .collect();
            rows.sort();
            rows
        };
        let cells = |row: String| row.split(" | ").map(str::to_owned).collect();
        let found = db.rows(table.sql).into_iter().map(cells).collect();
        let (expected, found) = (kept(table.rows.clone()), kept(found));
        let lines = difference(&expected.join("\n"), &found.join("\n"));
        prop_assert!(expected == found, "{}\n{}", table.name, lines);
    }
    for sql in [
        "SELECT id, session_id FROM messages WHERE coalesce(deleted_at, missing_since) IS NULL",
        "SELECT message_id, session_id FROM tool_calls WHERE coalesce(deleted_at, missing_since) IS NULL",
    ] {
        let rows = db.rows(sql).into_iter().map(|row| row.replace('"', ""));
        let left = rows.filter(|row| {
            let (id, session) = row.split_once(" | ").unwrap_or_default();
            is_session(session) && !is_message(id)
        });
        prop_assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{}", sql);
    }
    assert_sound(world, db)
}

/// A text that a crash cut off is as long as it was heard.
fn forget_lost(world: &World, row: &mut [String]) {
    let lost = world
        .messages
        .iter()
        .flat_map(|(id, message)| message.items.iter().map(move |item| (id, item)))
        .filter(|(_, item)| item.is_lost);
    for (id, item) in lost {
        let (id, item_id) = (format!("{id:?}"), format!("{:?}", item.id));
        let is_its = row.first() == Some(&id) || row.first() == Some(&item_id);
        let at = if row.first() == Some(&id) { 5 } else { 3 };
        if let Some(text) = row.get_mut(at).filter(|_| is_its) {
            "cut off".clone_into(text);
        }
    }
}

/// What holds whatever was seen: nothing was refused, nothing hangs in the air,
/// and the ledger has what a session reports.
fn assert_sound(world: &World, db: &Db) -> Result<(), TestCaseError> {
    let refused = db.rows("SELECT event_type, code, path FROM rejections");
    prop_assert_eq!(refused, [""; 0]);
    prop_assert_eq!(db.rows("PRAGMA foreign_key_check"), [""; 0]);
    for (id, session) in world.sessions.iter().filter(|(_, one)| !one.deleted) {
        let sum = format!(
            "SELECT coalesce(sum(prompt_tokens), 0), coalesce(sum(cost), 0.0) FROM usage WHERE session_id = '{id}' AND NOT inherited"
        );
        let (input, cost) = session.total;
        prop_assert_eq!(db.rows(&sum), [format!("{input} | {cost}")], "{}", id);
    }
    let negative = "SELECT id FROM usage WHERE prompt_tokens < 0 OR cost < 0";
    prop_assert_eq!(db.rows(negative), [""; 0]);
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn or_null(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

/// The last answer of a session, of those that went with it or are there.
fn last_answer<'w>(world: &'w World, id: &str) -> Option<&'w Message> {
    let answers = world.messages.iter().filter(|(_, one)| {
        let is_there = !one.removed || one.removed_with_session;
        one.session == id && one.what == What::Answer && is_there
    });
    let last = answers.max_by_key(|(id, one)| (one.created, *id));
    last.map(|(_, one)| one)
}

fn sessions(world: &World) -> Vec<Vec<String>> {
    let of = |(id, session): (&String, &Session)| {
        let answer = last_answer(world, id);
        let agent = session.agent.as_deref();
        let agent = agent.or_else(|| answer.map(|_| "build"));
        let model = answer.and_then(|one| one.model.as_deref());
        let model = model.or(session.model.as_deref());
        let (input, cost) = session.total;
        vec![
            quoted(id),
            or_null(session.parent.as_deref().map(quoted)),
            or_null((!session.deleted).then(|| quoted(&session.title))),
            or_null(agent.map(quoted)),
            or_null(model.map(quoted)),
            quoted("idle"),
            input.to_string(),
            cost.to_string(),
            session.created.to_string(),
            session.updated.to_string(),
            flag(session.deleted),
        ]
    };
    world.sessions.iter().map(of).collect()
}

fn messages(world: &World) -> Vec<Vec<String>> {
    let of = |(id, message): (&String, &Message)| {
        let is_text = |item: &&Item| item.kind == Kind::Text;
        let texts = message.items.iter().filter(is_text);
        let texts = texts.map(|item| item.text.as_str());
        let texts: Vec<&str> = message.text.as_deref().into_iter().chain(texts).collect();
        let text = if message.removed {
            String::new()
        } else {
            texts.join("\n")
        };
        let (kind, role) = match message.what {
            What::User => (None, Some("user")),
            What::Answer => (None, Some("assistant")),
            what => (Some(what.word()), None),
        };
        let (input, cost) = message.spent.unwrap_or_default();
        vec![
            quoted(id),
            quoted(&message.session),
            or_null(kind.map(quoted)),
            or_null(role.map(quoted)),
            or_null(message.model.as_deref().map(quoted)),
            quoted(&text),
            message.number.to_string(),
            input.to_string(),
            cost.to_string(),
            or_null(message.finish.map(quoted)),
            or_null(message.error.map(quoted)),
            message.created.to_string(),
            or_null(message.completed),
            flag(message.removed),
        ]
    };
    world.messages.iter().map(of).collect()
}

fn parts(world: &World) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (id, message) in &world.messages {
        let kept = |text: &str| or_null((!message.removed).then(|| quoted(text)));
        let mut add =
            |part: String, kind: &str, text: &str, position: usize, times: [String; 2]| {
                let [started, ended] = times;
                let position = position.to_string();
                let row = [
                    quoted(&part),
                    quoted(id),
                    quoted(kind),
                    kept(text),
                    position,
                    started,
                    ended,
                ];
                rows.push(row.to_vec());
            };
        let none = || ["NULL".to_owned(), "NULL".to_owned()];
        if let Some(text) = &message.text {
            add(format!("{id}:text:0"), "text", text, 0, none());
        }
        if let What::Shell { .. } = message.what {
            add(format!("{id}:shell:0"), "shell", "out", 1, none());
        }
        let items = message.items.iter().enumerate();
        for (at, item) in items.filter(|(_, item)| !item.is_call()) {
            let is_text = item.kind == Kind::Text;
            let kind = if is_text { "text" } else { "reasoning" };
            // A text has no times in an answer.
            let times = if is_text && message.is_copy {
                none()
            } else {
                [item.started.to_string(), or_null(item.ended)]
            };
            add(item.id.clone(), kind, &item.text, at, times);
        }
    }
    rows
}

fn calls(world: &World) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (id, message) in &world.messages {
        for (at, item) in message.items.iter().enumerate() {
            let Kind::Call { call, fails, wait } = &item.kind else {
                continue;
            };
            let kept =
                |text: &str, has: bool| or_null((has && !message.removed).then(|| quoted(text)));
            rows.push(vec![
                quoted(&item.id),
                quoted(call),
                quoted(id),
                quoted("shell"),
                quoted(if *fails { "error" } else { "completed" }),
                kept("{\"command\":\"ls\"}", true),
                kept("out", !fails),
                kept("failed", *fails),
                or_null((!fails).then_some(0)),
                at.to_string(),
                item.started.to_string(),
                or_null(item.ended.map(|ended| ended - item.started)),
                wait.to_string(),
                flag(message.removed),
            ]);
        }
    }
    rows
}

fn ledger(world: &World) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut left: std::collections::BTreeMap<&String, (u32, f64)> = world
        .sessions
        .iter()
        .map(|(id, session)| (id, session.total))
        .collect();
    for (id, message) in &world.messages {
        let Some((input, cost)) = message.spent.filter(|spent| *spent != (0, 0.0)) else {
            continue;
        };
        if !message.is_copy {
            left.entry(&message.session)
                .and_modify(|left| *left = (left.0 - input, left.1 - cost));
        }
        let kind = match (message.what, message.error) {
            (What::Compaction, _) => "compaction",
            (_, Some(_)) => "failed",
            _ => "step",
        };
        rows.push(vec![
            quoted(id),
            quoted(&message.session),
            quoted(id),
            or_null(message.model.as_deref().map(quoted)),
            input.to_string(),
            cost.to_string(),
            flag(message.is_copy),
            message.completed.unwrap_or(message.created).to_string(),
            quoted(kind),
        ]);
    }
    for (id, (input, cost)) in left.into_iter().filter(|(_, left)| *left != (0, 0.0)) {
        let created = world.sessions.get(id).map(|session| session.created);
        rows.push(vec![
            quoted(&format!("{id}:overhead")),
            quoted(id),
            "NULL".to_owned(),
            "NULL".to_owned(),
            input.to_string(),
            cost.to_string(),
            flag(false),
            or_null(created),
            quoted("overhead"),
        ]);
    }
    rows
}

fn failures(world: &World) -> Vec<Vec<String>> {
    let of = |(id, failure): (&String, &super::world::Failure)| {
        let (session, message, name, attempt) = failure;
        vec![
            quoted(id),
            quoted(session),
            quoted(message),
            quoted(name),
            or_null(*attempt),
        ]
    };
    world.failures.iter().map(of).collect()
}

fn permissions(world: &World) -> Vec<Vec<String>> {
    let of = |(id, (asked, replied, message)): (&String, &(u32, u32, String))| {
        let message = world.messages.get(message);
        let is_erased = message.is_some_and(|message| message.removed);
        vec![
            quoted(id),
            quoted("once"),
            asked.to_string(),
            replied.to_string(),
            flag(is_erased),
        ]
    };
    world.asked.iter().map(of).collect()
}
