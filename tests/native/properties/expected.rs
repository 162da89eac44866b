//! The rows that the model must be stored as.

use proptest::prelude::*;

use super::world::{Kind, Message, World};
use crate::support::{Db, difference};

const SESSIONS: &str = "SELECT id, parent_id, title, model, status, prompt_tokens, cost, created_at, updated_at, archived_at, coalesce(deleted_at, missing_since) IS NOT NULL FROM sessions ORDER BY id";
const MESSAGES: &str = "SELECT id, session_id, role, model, text_content, prompt_tokens, cost, finish_reason, created_at, completed_at, coalesce(deleted_at, missing_since) IS NOT NULL FROM messages ORDER BY id";
const PARTS: &str = "SELECT id, message_id, type, text, ended_at FROM parts ORDER BY id";
const CALLS: &str = "SELECT id, call_id, message_id, status, title, output, error, duration_ms, permission_wait_ms, coalesce(deleted_at, missing_since) IS NOT NULL FROM tool_calls ORDER BY id";
const LEDGER: &str = "SELECT id, session_id, message_id, model, prompt_tokens, cost, inherited, at FROM usage ORDER BY id";
const TODOS: &str = "SELECT session_id, position, content FROM todos ORDER BY 1, 2";

/// Compares each table with the model.
pub(crate) fn assert_rows(world: &World, db: &Db) -> Result<(), TestCaseError> {
    let tables: [(&str, Vec<String>); 7] = [
        (SESSIONS, sessions(world)),
        (MESSAGES, messages(world)),
        (PARTS, parts(world)),
        (CALLS, calls(world)),
        (LEDGER, ledger(world)),
        (
            "SELECT id, reply, asked_at, replied_at, patterns IS NULL FROM permissions ORDER BY id",
            permissions(world),
        ),
        (TODOS, todos(world)),
    ];
    for (sql, expected) in tables {
        let found = db.rows(sql);
        let lines = difference(&expected.join("\n"), &found.join("\n"));
        prop_assert!(expected == found, "{}\n{}", sql, lines);
    }
    let refused = db.rows("SELECT event_type, code, path FROM rejections");
    prop_assert_eq!(refused, [""; 0]);
    prop_assert_eq!(db.rows("PRAGMA foreign_key_check"), [""; 0]);
    Ok(())
}

/// Compares what is not removed in the model. What is removed may never have
/// been seen, but is not there any more; of deleted sessions that is not
/// certain. How long a person was asked may have been missed.
pub(crate) fn assert_rows_of_what_there_is(world: &World, db: &Db) -> Result<(), TestCaseError> {
    let is_session = |id: &str| world.sessions.get(id).is_some_and(|one| !one.deleted);
    let is_message = |id: &str| world.messages.get(id).is_some_and(|one| !one.removed);
    let is_part = |id: &str| {
        let part = world.parts.get(id);
        part.is_some_and(|part| !part.removed && is_message(&part.message))
    };
    let tables: [Table<'_>; 6] = [
        (SESSIONS, sessions(world), 4..7, &is_session),
        (MESSAGES, messages(world), 0..0, &is_message),
        (PARTS, parts(world), 0..0, &is_part),
        (CALLS, calls(world), 8..9, &is_part),
        (LEDGER, ledger(world), 0..0, &is_part),
        (TODOS, todos(world), 0..0, &is_session),
    ];
    for (sql, expected, unknown, is_there) in tables {
        let kept = |rows: Vec<String>| -> Vec<String> {
            let columns = |line: String| line.split(" | ").map(str::to_owned).collect::<Vec<_>>();
            let rows = rows.into_iter().map(columns);
            let rows = rows.filter(|row| is_there(&unquoted(&row[0])));
            rows.map(|mut row| {
                row.drain(unknown.clone());
                row.join(" | ")
            })
            .collect()
        };
        let (expected, found) = (kept(expected), kept(db.rows(sql)));
        let lines = difference(&expected.join("\n"), &found.join("\n"));
        prop_assert!(expected == found, "{}\n{}", sql, lines);
    }
    let left = |sql: &str, is_there: &dyn Fn(&str) -> bool| {
        let rows = db.rows(sql).into_iter();
        let rows = rows.map(|row| row.split(" | ").map(unquoted).collect::<Vec<_>>());
        let rows = rows.filter(|row| is_session(&row[1]) && !is_there(&row[0]));
        rows.collect::<Vec<_>>()
    };
    for (sql, is_there) in
        LEFT.iter()
            .zip([&is_message as &dyn Fn(&str) -> bool, &is_part, &is_part])
    {
        prop_assert_eq!(left(sql, is_there), [[""; 2]; 0], "{}", sql);
    }
    for (id, session) in world.sessions.iter().filter(|(_, one)| !one.deleted) {
        let tokens = format!("SELECT prompt_tokens FROM sessions WHERE id = '{id}'");
        let tokens: u32 = db.value(&tokens).parse().unwrap_or_default();
        let spent = |is_counted: &dyn Fn(&Message) -> bool| -> u32 {
            let all = world.messages.values().filter(|one| one.session == *id);
            all.filter(|one| is_counted(one))
                .map(|one| one.spent.0)
                .sum()
        };
        let (left, ever) = (spent(&|one| !one.removed), spent(&|_| true));
        // What OpenCode reports; else a sum, which holds the removed ones that were seen.
        let most = if world.tells_totals() && left > 0 {
            left
        } else {
            ever
        };
        prop_assert!(
            (left..=most).contains(&tokens),
            "{id}: {tokens}, {session:?}"
        );
    }
    let refused = db.rows("SELECT event_type, code, path FROM rejections");
    prop_assert_eq!(refused, [""; 0]);
    prop_assert_eq!(db.rows("PRAGMA foreign_key_check"), [""; 0]);
    Ok(())
}

/// What is there of messages, parts and calls, each with its session.
const LEFT: [&str; 3] = [
    "SELECT id, session_id FROM messages WHERE coalesce(deleted_at, missing_since) IS NULL",
    "SELECT parts.id, parts.session_id FROM parts JOIN messages ON messages.id = message_id WHERE coalesce(deleted_at, messages.missing_since, parts.missing_since) IS NULL",
    "SELECT id, session_id FROM tool_calls WHERE coalesce(deleted_at, missing_since) IS NULL",
];

fn unquoted(cell: &str) -> String {
    cell.trim_matches('"').to_owned()
}

/// A query, the rows it is to give, the columns that nobody can know, and
/// whether the row of an id is to be there.
type Table<'t> = (
    &'static str,
    Vec<String>,
    std::ops::Range<usize>,
    &'t dyn Fn(&str) -> bool,
);

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn or_null(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

fn row(values: &[String]) -> String {
    values.join(" | ")
}

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

fn sessions(world: &World) -> Vec<String> {
    let of = |(id, session): (&String, &super::world::Session)| {
        let all = world
            .messages
            .iter()
            .filter(|(_, message)| message.session == *id);
        // What OpenCode reports falls with what is removed; a sum does not.
        let reports = world.tells_totals();
        let counted = all
            .clone()
            .filter(|(_, message)| !reports || session.deleted || !message.removed);
        let removed_before = |message: &Message| message.removed && !message.removed_with_session;
        let counted = counted.filter(|(_, message)| !reports || !removed_before(message));
        let (input, cost) = counted.fold((0, 0.0), |(tokens, dollars), (_, one)| {
            (tokens + one.spent.0, dollars + one.spent.1)
        });
        // A deleted session keeps the model of its last answer.
        let answers = all.filter(|(_, message)| !removed_before(message));
        let model = answers
            .filter_map(|(id, message)| Some((message.created, id, message.model.as_ref()?)))
            .max()
            .map(|(_, _, model)| quoted(model));
        row(&[
            quoted(id),
            or_null(session.parent.as_deref().map(quoted)),
            or_null((!session.deleted).then(|| quoted(&session.title))),
            or_null(model),
            quoted("idle"),
            input.to_string(),
            cost.to_string(),
            session.created.to_string(),
            session.updated.to_string(),
            or_null(session.archived),
            flag(session.deleted),
        ])
    };
    world.sessions.iter().map(of).collect()
}

fn messages(world: &World) -> Vec<String> {
    let of = |(id, message): (&String, &Message)| {
        let texts = world
            .parts
            .values()
            .filter(|part| part.message == *id && !part.removed && matches!(part.kind, Kind::Text));
        let texts: Vec<&str> = texts.map(|part| part.text.as_str()).collect();
        let text = if message.removed {
            String::new()
        } else {
            texts.join("\n")
        };
        let (input, cost) = message.spent;
        row(&[
            quoted(id),
            quoted(&message.session),
            quoted(if message.model.is_some() {
                "assistant"
            } else {
                "user"
            }),
            quoted(message.model.as_deref().unwrap_or("m")),
            quoted(&text),
            input.to_string(),
            cost.to_string(),
            or_null(message.completed.map(|_| quoted("stop"))),
            message.created.to_string(),
            or_null(message.completed),
            flag(message.removed),
        ])
    };
    world.messages.iter().map(of).collect()
}

fn parts(world: &World) -> Vec<String> {
    let of = |(id, part): (&String, &super::world::Part)| {
        let (kind, text) = match part.kind {
            Kind::Call { .. } => return None,
            Kind::Step { .. } => ("step-finish", None),
            Kind::Text => ("text", Some(quoted(&part.text))),
            Kind::Reasoning => ("reasoning", Some(quoted(&part.text))),
        };
        let is_erased = world
            .messages
            .get(&part.message)
            .is_some_and(|message| message.removed);
        let values = [
            quoted(id),
            quoted(&part.message),
            quoted(kind),
            or_null(text.filter(|_| !is_erased)),
            or_null(part.ended.filter(|_| part.is_end_told)),
        ];
        (!part.removed).then(|| row(&values))
    };
    world.parts.iter().filter_map(of).collect()
}

fn calls(world: &World) -> Vec<String> {
    let of = |(id, part): (&String, &super::world::Part)| {
        let Kind::Call {
            fails,
            wait,
            duration,
        } = part.kind
        else {
            return None;
        };
        let is_gone = part.removed
            || world
                .messages
                .get(&part.message)
                .is_some_and(|one| one.removed);
        let kept = |text: &str, has: bool| or_null((has && !is_gone).then(|| quoted(text)));
        Some(row(&[
            quoted(id),
            quoted(&part.call),
            quoted(&part.message),
            quoted(if fails { "error" } else { "completed" }),
            kept("ls", !fails),
            kept("out", !fails),
            kept("failed", fails),
            duration.to_string(),
            wait.to_string(),
            flag(is_gone),
        ]))
    };
    world.parts.iter().filter_map(of).collect()
}

fn ledger(world: &World) -> Vec<String> {
    let of = |(id, part): (&String, &super::world::Part)| {
        let Kind::Step { input, cost } = part.kind else {
            return None;
        };
        let message = world.messages.get(&part.message)?;
        let session = world.sessions.get(&message.session)?;
        Some(row(&[
            quoted(id),
            quoted(&message.session),
            quoted(&part.message),
            or_null(message.model.as_deref().map(quoted)),
            input.to_string(),
            cost.to_string(),
            flag(message.created < session.created),
            message.completed.unwrap_or(message.created).to_string(),
        ]))
    };
    world.parts.iter().filter_map(of).collect()
}

fn permissions(world: &World) -> Vec<String> {
    let of = |(id, (asked, replied, message)): (&String, &(u32, u32, String))| {
        let is_erased = world
            .messages
            .get(message)
            .is_some_and(|message| message.removed);
        row(&[
            quoted(id),
            quoted("once"),
            asked.to_string(),
            replied.to_string(),
            flag(is_erased),
        ])
    };
    world.asked.iter().map(of).collect()
}

fn todos(world: &World) -> Vec<String> {
    let alive = world
        .sessions
        .iter()
        .filter(|(_, session)| !session.deleted);
    let of = |(id, session): (&String, &super::world::Session)| {
        let id = quoted(id);
        (0..session.todos)
            .map(move |at| row(&[id.clone(), at.to_string(), quoted(&format!("todo {at}"))]))
            .collect::<Vec<_>>()
    };
    alive.flat_map(of).collect()
}
