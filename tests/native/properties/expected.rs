//! The rows that the model must be stored as.

use proptest::prelude::*;

use super::world::{Kind, Message, World};
use crate::support::{Db, difference};

/// Compares each table with the model.
pub(crate) fn assert_rows(world: &World, db: &Db) -> Result<(), TestCaseError> {
    let tables: [(&str, Vec<String>); 7] = [
        (
            "SELECT id, parent_id, title, model, status, prompt_tokens, cost, created_at, updated_at, archived_at, deleted_at IS NOT NULL FROM sessions ORDER BY id",
            sessions(world),
        ),
        (
            "SELECT id, session_id, role, model, text_content, prompt_tokens, cost, finish_reason, created_at, completed_at, deleted_at IS NOT NULL FROM messages ORDER BY id",
            messages(world),
        ),
        (
            "SELECT id, message_id, type, text, ended_at FROM parts ORDER BY id",
            parts(world),
        ),
        (
            "SELECT id, call_id, message_id, status, title, output, error, duration_ms, permission_wait_ms, deleted_at IS NOT NULL FROM tool_calls ORDER BY id",
            calls(world),
        ),
        (
            "SELECT id, session_id, message_id, model, prompt_tokens, cost, inherited, at FROM usage ORDER BY id",
            ledger(world),
        ),
        (
            "SELECT id, reply, asked_at, replied_at, patterns IS NULL FROM permissions ORDER BY id",
            permissions(world),
        ),
        (
            "SELECT session_id, position, content FROM todos ORDER BY 1, 2",
            todos(world),
        ),
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
