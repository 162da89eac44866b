//! What OpenCode 1.x answers of its sessions, read as the events that would
//! tell it. What is refused is counted under those events' types.

use std::borrow::Cow;

use super::decoder::Decoder;
use super::identity::{OWN_MESSAGE_ID, OWN_PART_ID, OWN_SESSION_ID, SESSION_ID};
use super::todo;
use crate::catch_up::{Listed, Spoken};
use crate::model::command::TodoReplace;
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::row::{MessageRow, Role};
use crate::read::fields::Issues;
use crate::read::node::{Kind, Node};
use crate::sources::{Context, Decoded, find};

/// A session's `info`, in a list of sessions: what is compared of it.
pub(crate) fn listed<N: Node>(info: &N) -> Option<Listed> {
    let time = info.get("time");
    let at = |key| {
        time.as_ref()
            .and_then(|time| time.number_at(key))
            .and_then(Number::new)
            .filter(|at| !at.is_zero())
    };
    Some(Listed {
        id: find(info, OWN_SESSION_ID)?,
        title: info.text_at("title"),
        // 1.15 sends zeros.
        cost: info
            .number_at("cost")
            .and_then(Number::new)
            .filter(|cost| !cost.is_zero()),
        updated_at: at("updated"),
        // Unarchiving leaves a zero (1.1 on).
        archived_at: at("archived"),
        directory: info.text_at("directory"),
    })
}

/// A session's `info`.
pub(crate) fn session<N: Node>(info: &N) -> Decoded {
    read("session.updated", info, |decoder| {
        decoder.session_in(info.clone()).map(Event::Session)
    })
}

/// A message, `{ info, parts }`: the message, then its parts. It is `unreadable`
/// where whoever read it knows no more than its ids, and what it holds.
pub(crate) fn message<N: Node>(message: &N) -> Vec<Decoded> {
    let is_unreadable = message.boolean_at("unreadable") == Some(true);
    let head = match message.get("info") {
        Some(info) if is_unreadable => read("message.updated", &info, |_| placeholder(&info)),
        Some(info) => read("message.updated", &info, |decoder| {
            decoder.message_in(info.clone())
        }),
        None => read("message.updated", message, |decoder| {
            decoder.no_identity("properties.info.id")
        }),
    };
    let parts = message.get("parts").map(|parts| parts.items());
    let parts = parts.unwrap_or_default().into_iter().map(|part| {
        read("message.part.updated", &part, |decoder| {
            decoder.part_in(part.clone())
        })
    });
    [head].into_iter().chain(parts).collect()
}

/// What stands in for a message that could not be read.
fn placeholder<N: Node>(info: &N) -> Option<Event> {
    let time = info.get("time");
    let created = time.and_then(|time| time.number_at("created"));
    let row = MessageRow {
        id: find(info, OWN_MESSAGE_ID)?,
        session_id: find(info, SESSION_ID)?,
        role: info
            .text_at("role")
            .and_then(|role| Role::parse(&role))
            .into(),
        created_at: created.and_then(Number::new).into(),
        ..MessageRow::default()
    };
    Some(Event::Message { row, failure: None })
}

/// The ids in a message, `{ info, parts }`; nothing where it is none.
pub(crate) fn spoken<N: Node>(message: &N) -> Option<Spoken> {
    let id = find(&message.get("info")?, OWN_MESSAGE_ID)?;
    let parts = message.get("parts")?;
    let parts = (parts.kind() == Kind::Array).then(|| parts.items())?;
    let part_ids = parts.iter().filter_map(|part| find(part, OWN_PART_ID));
    Some(Spoken {
        id,
        part_ids: Some(part_ids.collect()),
    })
}

/// A session's to-do list.
pub(crate) fn todos<N: Node>(session_id: &str, entries: &N) -> Decoded {
    read("todo.updated", entries, |decoder| {
        (entries.kind() == Kind::Array).then(|| {
            Event::Todos(TodoReplace {
                session_id: session_id.to_owned(),
                todos: todo::todos(entries.items(), decoder.issues),
                copied_at: None,
                copy_rank: None,
            })
        })
    })
}

fn read<N: Node>(
    event_type: &'static str,
    node: &N,
    read: impl FnOnce(&Decoder<'_, N>) -> Option<Event>,
) -> Decoded {
    let issues = Issues::default();
    let event = read(&Decoder {
        envelope: node,
        properties: node.clone(),
        context: &Context {
            now: 0.0,
            held: &|_| None,
        },
        issues: &issues,
    });
    Decoded {
        event_type: Cow::Borrowed(event_type),
        event,
        more: Vec::new(),
        at: None,
        rejections: issues.into_inner(),
    }
}
