//! Decoding: an event, `{ id, created, type, data, durable, location }`, becomes
//! what it tells, and notes of what was refused.

use std::borrow::Cow;

use super::decoder::{Decoder, id_of, identity, missing};
use super::{item, permission, session, summary, types};
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::rejection::{Code, Rejection};
use crate::model::row::{MessageKind, SessionRow};
use crate::read::fields::{Fields, Issues};
use crate::read::node::{Kind, Node};
use crate::sources::{Context, Decoded, text_of};

const TEXT_DELTA: &str = "session.text.delta";
const REASONING_DELTA: &str = "session.reasoning.delta";

/// Decodes one event. Reads what it needs and no more.
pub fn decode<N: Node>(event: &N, context: &Context<'_>) -> Decoded {
    if let Some(decoded) = held_delta(event, context) {
        return decoded;
    }
    let issues = Issues::default();
    let mut envelope = Fields::new(event.clone(), "", &issues);
    let event_type = event.text_at("type").unwrap_or_else(|| {
        let found = event.kind_at("type").map_or("nothing", Kind::name);
        envelope.refuse(Code::MissingIdentity, "type", "string", found);
        "(none)".to_owned()
    });
    let mut decoded = Decoded {
        event_type: Cow::Borrowed(""),
        event: None,
        more: Vec::new(),
        at: None,
        rejections: Vec::new(),
    };
    if types::RECORDED.contains(&event_type.as_str()) {
        let at = envelope.number("created");
        let data = event.get("data").filter(|data| data.kind() == Kind::Object);
        match data {
            Some(data) => {
                let reader = Decoder {
                    event_id: text_of(event, "id"),
                    at: at.clone(),
                    number: event
                        .get("durable")
                        .and_then(|durable| durable.number_at("seq"))
                        .and_then(Number::new),
                    context,
                    issues: &issues,
                };
                reader.decode(&event_type, data, &mut decoded);
            }
            None => envelope.refuse(
                Code::MissingIdentity,
                "data",
                "object",
                event.kind_at("data").map_or("nothing", Kind::name),
            ),
        }
        decoded.at = at.value().copied();
        check(&mut envelope);
    } else if event_type != "(none)" && !types::IGNORED.contains(&event_type.as_str()) {
        issues.add(Rejection {
            code: Code::UnknownEvent,
            path: "type".to_owned(),
            expected: "an event type of a known release",
            found: "another word",
        });
    }
    decoded.event_type = event_type.into();
    decoded.rejections = issues.into_inner();
    decoded
}

/// The envelope. A version that has risen is no fault: what it changes is seen
/// in the fields.
fn check<N: Node>(envelope: &mut Fields<'_, N>) {
    envelope.skip(&["type", "data"]);
    envelope.optional(&[("id", Kind::String), ("metadata", Kind::Object)]);
    if let Some(mut durable) = envelope.maybe_object("durable") {
        durable.optional(&[
            ("aggregateID", Kind::String),
            ("seq", Kind::Number),
            ("version", Kind::Number),
        ]);
        durable.finish();
    }
    if let Some(mut location) = envelope.maybe_object("location") {
        location.optional(&[("directory", Kind::String), ("workspaceID", Kind::String)]);
        location.finish();
    }
    envelope.finish();
}

/// The short way of a delta to a text that is held: a streamed turn is mostly these.
fn held_delta<N: Node>(event: &N, context: &Context<'_>) -> Option<Decoded> {
    let (kind, event_type) = if event.is_at("type", TEXT_DELTA) {
        ("text", TEXT_DELTA)
    } else if event.is_at("type", REASONING_DELTA) {
        ("reasoning", REASONING_DELTA)
    } else {
        return None;
    };
    let data = event.get("data")?;
    if data
        .text_len_at("sessionID")
        .is_none_or(|length| length == 0)
    {
        return None;
    }
    let message_id = data.text_at("assistantMessageID")?;
    let part_id = item::id(&message_id, kind, data.number_at("ordinal")?);
    (context.held)(&part_id)?;
    Some(Decoded {
        event_type: Cow::Borrowed(event_type),
        event: Some(Event::Grew {
            part_id,
            delta: data.text_at("delta")?,
            event_id: event.text_at("id"),
        }),
        more: Vec::new(),
        at: None,
        rejections: Vec::new(),
    })
}

impl Decoder<'_> {
    fn decode<N: Node>(&self, event_type: &str, data: N, decoded: &mut Decoded) {
        let mut fields = Fields::new(data, "data", self.issues);
        let session_id = id_of(&mut fields, &["sessionID"]);
        let told = match (event_type, session_id) {
            ("permission.asked", _) => identity(&mut fields, &["id"]).map(|id| {
                let row = permission::asked(id, again(&fields, self.issues), self.at.clone());
                vec![Event::Permission(row)]
            }),
            ("permission.replied", _) => identity(&mut fields, &["requestID", "id"]).map(|id| {
                let row = permission::replied(id, again(&fields, self.issues), self.at.clone());
                vec![Event::Permission(row)]
            }),
            (_, None) => {
                missing(&fields, "sessionID");
                None
            }
            (event_type, Some(session_id)) => {
                let mut told = self.of_session(event_type, &session_id, &mut fields);
                fields.finish();
                if let (Some(told), Some(number)) = (&mut told, self.number) {
                    told.push(Event::Numbered { session_id, number });
                }
                told
            }
        };
        let mut told = told.unwrap_or_default().into_iter();
        decoded.event = told.next();
        decoded.more = told.collect();
    }

    fn of_session<N: Node>(
        &self,
        event_type: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let event = event_type.strip_prefix("session.")?;
        if let Some(event) = event.strip_prefix("step.") {
            return self.step(event, session_id, fields);
        }
        if let Some(event) = event.strip_prefix("tool.") {
            return self.tool(event, session_id, fields);
        }
        if let Some(event) = event.strip_prefix("text.") {
            return self.item(event, "text", session_id, fields);
        }
        if let Some(event) = event.strip_prefix("reasoning.") {
            return self.item(event, "reasoning", session_id, fields);
        }
        // The betas of 2.0 called it `input`, and before that `prompt`.
        for name in ["inbox.", "input.", "prompt."] {
            if let Some(event) = event.strip_prefix(name) {
                return self.inbox(event, session_id, fields);
            }
        }
        if let Some(event) = event.strip_prefix("execution.") {
            return Some(self.execution(event, session_id, fields));
        }
        if let Some(event) = event.strip_prefix("compaction.") {
            return Some(vec![self.compaction(event, session_id, fields)]);
        }
        if let Some(event) = event.strip_prefix("shell.") {
            return self.shell(event, session_id, fields);
        }
        self.whole_session(event, session_id, fields)
    }

    /// What is told of the session itself, and messages that come whole.
    fn whole_session<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let mut row = SessionRow {
            id: session_id.to_owned(),
            ..SessionRow::default()
        };
        let changed = SessionRow {
            updated_at: self.at.clone(),
            ..row.clone()
        };
        Some(match event {
            "created" => {
                session::created(&mut row, fields);
                row.created_at = self.at.clone();
                row.seen_at = self.at.clone();
                // One that is imported comes with messages that no event tells.
                vec![
                    Event::SessionCreated(row),
                    Event::Incomplete(session_id.to_owned()),
                ]
            }
            "forked" => {
                row.created_at = self.at.clone();
                row.seen_at = self.at.clone();
                fields.required(&[("parentID", Kind::String), ("boundary", Kind::Object)]);
                fields.optional(&[
                    ("instructions", Kind::Object),
                    ("instructionEntries", Kind::Array),
                    ("parentSeq", Kind::Number),
                    ("from", Kind::String),
                ]);
                // The copies are not told.
                vec![
                    Event::SessionCreated(row),
                    Event::Incomplete(session_id.to_owned()),
                ]
            }
            "deleted" => vec![Event::SessionDeleted(row)],
            "renamed" => {
                let title = fields.string("title");
                vec![Event::Session(SessionRow { title, ..changed })]
            }
            "agent.selected" => {
                let agent = fields.string("agent");
                fields.optional(&[("previous", Kind::String)]);
                vec![Event::Session(SessionRow { agent, ..changed })]
            }
            "model.selected" => {
                let names = fields.object("model").map(session::model);
                let (model, provider) = names.unwrap_or_default();
                fields.optional(&[("previous", Kind::Object)]);
                vec![Event::Session(SessionRow {
                    model,
                    provider,
                    ..changed
                })]
            }
            "moved" => {
                let mut row = changed;
                session::location(&mut row, fields);
                vec![Event::Session(row)]
            }
            "metadata.updated" | "permissions" | "permissions.updated" => {
                fields.optional(&[("metadata", Kind::Object), ("permissions", Kind::Array)]);
                vec![Event::Session(changed)]
            }
            "revert.staged" | "revert.cleared" => {
                fields.optional(&[("revert", Kind::Object)]);
                vec![Event::Session(changed)]
            }
            "revert.committed" => {
                let to = identity(fields, &["to"])?;
                vec![
                    Event::Session(changed),
                    Event::Reverted {
                        session_id: session_id.to_owned(),
                        to,
                        before: self.number.into(),
                    },
                ]
            }
            "usage.updated" => {
                session::spent(&mut row, fields);
                vec![Event::Session(row), Event::Spent(session_id.to_owned())]
            }
            "retry.scheduled" => vec![Self::retry(session_id, fields)],
            "message.content.updated" => {
                fields.optional(&[("messageID", Kind::String), ("content", Kind::Array)]);
                vec![Event::Incomplete(session_id.to_owned())]
            }
            // It is a number, and tells the session itself nothing.
            "viewed" => {
                fields.optional(&[("idle", Kind::Number)]);
                Vec::new()
            }
            "synthetic" => self.note(session_id, MessageKind::Synthetic, fields)?,
            "skill.activated" => self.note(session_id, MessageKind::Skill, fields)?,
            "instructions.updated" if fields.lacks("text") => {
                fields.optional(&[("delta", Kind::Object)]);
                Vec::new()
            }
            "instructions.updated" => self.note(session_id, MessageKind::System, fields)?,
            _ => return None,
        })
    }

    fn note<N: Node>(
        &self,
        session_id: &str,
        kind: MessageKind,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let id = self.own_message(fields)?;
        let mut said = summary::note(&id, session_id, kind, fields);
        self.place(&mut said.row);
        Some(vec![Event::Said(said)])
    }
}

/// The same object once more, for what reads all of it.
fn again<'i, N: Node>(fields: &Fields<'_, N>, issues: &'i Issues) -> Fields<'i, N> {
    Fields::new(fields.node().clone(), "data", issues)
}
