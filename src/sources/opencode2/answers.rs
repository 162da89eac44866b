//! What OpenCode 2 answers of its sessions, read as the rows that its events
//! make. What is refused is counted under the answer's kind.
//!
//! OpenCode 2 works on the database of OpenCode 1 and leaves what that wrote in
//! its tables. What is there is answered as OpenCode 1 would (`opencode1`), so
//! that it has the same ids whoever tells it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{error, item, said, session, step, summary, tool};
use crate::catch_up::{Listed, Spoken};
use crate::model::event::{Event, PartKey};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::rejection::Code;
use crate::model::row::{MessageKind, MessageRow, PartRow, Role, ToolCallRow};
use crate::read::fields::{Fields, Issues, Need};
use crate::read::node::{Kind, Node};
use crate::sources::opencode1::answers as opencode1;
use crate::sources::tokens::Tokens;
use crate::sources::{Decoded, text_of};

/// A session in a list of sessions: what is compared of it.
pub(crate) fn listed<N: Node>(info: &N) -> Option<Listed> {
    if is_session_of_one(info) {
        return opencode1::listed(info);
    }
    let time = info.get("time");
    let at = |key| time.as_ref().and_then(|time| time.number_at(key));
    Some(Listed {
        id: text_of(info, "id")?,
        title: info.text_at("title"),
        cost: info.number_at("cost").and_then(Number::new),
        updated_at: at("updated").and_then(Number::new),
        archived_at: at("archived").and_then(Number::new),
        directory: info
            .get("location")
            .and_then(|location| location.text_at("directory")),
    })
}

/// A session, and that its totals are of all that was spent. One that only
/// OpenCode 1 has comes as that has it.
pub(crate) fn session<N: Node>(info: &N) -> Decoded {
    if is_session_of_one(info) {
        return opencode1::session(info);
    }
    read("answer session", |issues| {
        let fields = Fields::new(info.clone(), "session", issues);
        let Some(id) = text_of(info, "id") else {
            fields.refuse(Code::MissingIdentity, "id", "string", "nothing");
            return Vec::new();
        };
        let row = session::info(id.clone(), fields);
        vec![Event::Session(row), Event::Spent(id)]
    })
}

/// There are only the to-do lists that OpenCode 1 left.
pub(crate) fn todos<N: Node>(session_id: &str, todos: &N) -> Decoded {
    opencode1::todos(session_id, todos)
}

/// Whether a session is as OpenCode 1 has it.
fn is_session_of_one<N: Node>(info: &N) -> bool {
    info.kind_at("location").is_none() && info.kind_at("directory").is_some()
}

/// Whether a message is as OpenCode 1 has it, `{ info, parts }`.
fn is_of_one<N: Node>(message: &N) -> bool {
    message.kind_at("info") == Some(Kind::Object)
}

/// The ids in a message.
pub(crate) fn spoken<N: Node>(message: &N) -> Option<Spoken> {
    if is_of_one(message) {
        return opencode1::spoken(message);
    }
    let id = message.text_at("id")?;
    let issues = Issues::default();
    let events = events(&id, "", message, &issues);
    let parts = events.into_iter().filter_map(|event| match event {
        Event::Part { row, .. } => Some(row.id),
        Event::ToolCall(row) => Some(row.id),
        _ => None,
    });
    let part_ids: BTreeSet<String> = parts.collect();
    let refused = issues.into_inner();
    let is_understood = refused.iter().all(|one| one.code == Code::UnknownField);
    Some(Spoken {
        id,
        part_ids: is_understood.then_some(part_ids),
    })
}

/// A message of a session: itself, then what it holds.
pub(crate) fn message<N: Node>(session_id: &str, message: &N) -> Vec<Decoded> {
    if is_of_one(message) {
        return message_of_one(message);
    }
    vec![read("answer message", |issues| {
        let Some(id) = text_of(message, "id") else {
            let fields = Fields::new(message.clone(), "message", issues);
            fields.refuse(Code::MissingIdentity, "id", "string", "nothing");
            return Vec::new();
        };
        events(&id, session_id, message, issues)
    })]
}

/// A message of OpenCode 1, `{ info, parts, seq }`. OpenCode 2 gives it a place
/// in its session. One without a place OpenCode 2 has not: it left it out, or has
/// taken it back since; so that OpenCode 2 does not answer with it, and its
/// deletion stays what it is.
fn message_of_one<N: Node>(message: &N) -> Vec<Decoded> {
    let mut all = opencode1::message(message);
    let place = message.number_at("seq").and_then(Number::new);
    for event in all.iter_mut().filter_map(|one| one.event.as_mut()) {
        let answered_at = match event {
            Event::Message { row, .. } => {
                row.position = place.into();
                &mut row.answered_at
            }
            Event::Part { row, .. } => &mut row.answered_at,
            Event::ToolCall(row) => &mut row.answered_at,
            _ => continue,
        };
        if place.is_none() {
            *answered_at = Known::Empty;
        }
    }
    all
}

fn read(kind: &'static str, read: impl FnOnce(&Issues) -> Vec<Event>) -> Decoded {
    let issues = Issues::default();
    let mut events = read(&issues).into_iter();
    Decoded {
        event_type: Cow::Borrowed(kind),
        event: events.next(),
        more: events.collect(),
        at: None,
        rejections: issues.into_inner(),
    }
}

fn events<N: Node>(id: &str, session_id: &str, message: &N, issues: &Issues) -> Vec<Event> {
    let mut fields = Fields::new(message.clone(), "message", issues);
    fields.skip(&["id", "type"]);
    let kind = message.text_at("type").unwrap_or_default();
    let events = match kind.as_str() {
        "assistant" => answer(id, session_id, &mut fields, issues),
        // They say what the session's own columns hold.
        "idle" | "agent-switched" | "model-switched" | "location-switched" => return Vec::new(),
        "user" => {
            let mut said = said::put_in(said::message(id, session_id, None), &mut fields);
            times(&mut said.row, &mut fields);
            said::events(said)
        }
        "compaction" => {
            let said = said::message(id, session_id, Some(MessageKind::Compaction));
            let (mut said, failure) =
                summary::compaction(said, &mut fields, "summary", Need::Sometimes);
            times(&mut said.row, &mut fields);
            let row = said.row.clone();
            let mut events = said::events(said);
            if failure.is_some() {
                events.push(Event::Message { row, failure });
            }
            events
        }
        "shell" => {
            let output = summary::output(&mut fields);
            let said = said::message(id, session_id, Some(MessageKind::Shell));
            let mut said = summary::shell(said, &mut fields, "shellID", output);
            times(&mut said.row, &mut fields);
            said::events(said)
        }
        "synthetic" | "system" | "skill" => {
            let kind = MessageKind::parse(&kind).unwrap_or(MessageKind::Synthetic);
            let mut said = if kind == MessageKind::Synthetic {
                said::put_in(said::message(id, session_id, Some(kind)), &mut fields)
            } else {
                summary::note(id, session_id, kind, &mut fields)
            };
            times(&mut said.row, &mut fields);
            said::events(said)
        }
        _ => {
            fields.refuse(
                Code::WrongType,
                "type",
                "a message type of a known release",
                "another word",
            );
            // Only an answer has contents.
            if message.kind_at("content") != Some(Kind::Array) {
                return Vec::new();
            }
            answer(id, session_id, &mut fields, issues)
        }
    };
    fields.finish();
    events
}

/// The place of a message that a fork copied: its id is the fork's and the
/// place of the original. Of others only OpenCode's database says it.
fn place_of_copy(id: &str) -> Known<Number> {
    id.rsplit_once('_')
        .filter(|(fork, _)| fork.contains('_'))
        .and_then(|(_, place)| place.parse::<u32>().ok())
        .and_then(|place| Number::new(place.into()))
        .into()
}

/// When it was made, and completed; and where it stands.
fn times<N: Node>(row: &mut MessageRow, fields: &mut Fields<'_, N>) {
    row.position = fields.maybe_number("seq").or(place_of_copy(&row.id));
    let Some(mut time) = fields.object("time") else {
        return;
    };
    row.created_at = time.number("created");
    row.completed_at = time.maybe_number("completed");
    time.optional(&[("streamed", Kind::Number)]);
    time.finish();
    if let (Some(&created), Some(&completed)) = (row.created_at.value(), row.completed_at.value()) {
        row.duration_ms = Known::Value(completed - created);
    }
}

fn answer<N: Node>(
    id: &str,
    session_id: &str,
    fields: &mut Fields<'_, N>,
    issues: &Issues,
) -> Vec<Event> {
    let mut row = MessageRow {
        id: id.to_owned(),
        session_id: session_id.to_owned(),
        kind: Known::Empty,
        role: Known::Value(Role::Assistant),
        agent: fields.string("agent"),
        finish_reason: fields.maybe_string("finish").or_empty(),
        cost: fields.maybe_number("cost"),
        error_name: Known::Empty,
        error_message: Known::Empty,
        ..MessageRow::default()
    };
    times(&mut row, fields);
    row.completed_at = std::mem::take(&mut row.completed_at).or_empty();
    row.duration_ms = std::mem::take(&mut row.duration_ms).or_empty();
    if let Some(names) = fields.object("model").map(session::model) {
        (row.model, row.provider) = names;
    }
    step::tokens(&mut row, fields.maybe_object("tokens").map(Tokens::read));
    let failure = fields.maybe_object("error").map(error::failure);
    if let Some(failure) = &failure {
        row.error_name = failure.name.clone();
        row.error_message = failure.message.clone();
    }
    fields.optional(&[
        ("rawFinish", Kind::String),
        ("snapshot", Kind::Object),
        ("retry", Kind::Object),
        ("providerState", Kind::Object),
        ("metadata", Kind::Object),
    ]);
    let is_open = row.completed_at == Known::Empty;
    // A crash leaves neither.
    let is_ended = row.finish_reason.value().is_some() || failure.is_some();
    let content = fields.list("content").unwrap_or_default();
    let mut events = vec![Event::Message { row, failure }];
    if is_open {
        events.push(Event::Written {
            session_id: session_id.to_owned(),
            message_id: id.to_owned(),
        });
    }
    let mut counts = [0_u32; 2];
    let length = content.len();
    for (at, part) in content.into_iter().enumerate() {
        let place = Place {
            id,
            session_id,
            at,
            is_written: is_open && at + 1 == length,
            is_ended,
        };
        events.extend(place.item(part, &mut counts, issues));
    }
    events
}

/// Where an item of an answer's content is.
struct Place<'a> {
    id: &'a str,
    session_id: &'a str,
    at: usize,
    /// Whether it may still be written.
    is_written: bool,
    /// Whether OpenCode wrote how the answer ended.
    is_ended: bool,
}

impl Place<'_> {
    fn item<N: Node>(&self, node: N, counts: &mut [u32; 2], issues: &Issues) -> Option<Event> {
        let mut fields = Fields::new(node, "message.content[]", issues);
        fields.skip(&["type"]);
        let [texts, reasonings] = counts;
        let event = match fields.node().text_at("type").as_deref() {
            Some("text") => Some(self.text("text", texts, &mut fields)),
            Some("reasoning") => Some(self.text("reasoning", reasonings, &mut fields)),
            Some("tool") => {
                let call_id = fields.string("id");
                let call_id = call_id.value()?.clone();
                let row = ToolCallRow {
                    id: tool::id(self.id, &call_id),
                    message_id: self.id.to_owned(),
                    session_id: self.session_id.to_owned(),
                    position: said::position(self.at),
                    call_id: Known::Value(call_id),
                    ..ToolCallRow::default()
                };
                Some(Event::ToolCall(tool::content(row, &mut fields)))
            }
            _ => {
                fields.refuse(
                    Code::WrongType,
                    "type",
                    "one of `text` `reasoning` `tool`",
                    "another word",
                );
                return None;
            }
        };
        fields.finish();
        event
    }

    /// A text has no end of its own. One that is empty may be what a crash left
    /// of more, where the answer has no end either, so that the longer one stays.
    fn text<N: Node>(
        &self,
        kind: &'static str,
        count: &mut u32,
        fields: &mut Fields<'_, N>,
    ) -> Event {
        let key = PartKey {
            part_id: item::id(self.id, kind, f64::from(*count)),
            message_id: self.id.to_owned(),
            session_id: self.session_id.to_owned(),
        };
        *count += 1;
        let mut row = PartRow {
            position: said::position(self.at),
            text: fields.string("text"),
            ..item::row(key, kind)
        };
        item::state(&mut row, fields);
        if let Some(mut time) = fields.maybe_object("time") {
            row.started_at = time.maybe_number("created");
            row.ended_at = time.maybe_number("completed");
            time.finish();
        }
        let is_empty = row.text.value().is_some_and(String::is_empty);
        let may_be_cut = self.is_written || is_empty && !self.is_ended;
        if row.ended_at.value().is_none() && may_be_cut {
            row.ended_at = Known::Empty;
        }
        Event::Part {
            row,
            retry: None,
            step: None,
        }
    }
}
