//! Decoding: what OpenCode sent, in any release's spelling, becomes an event
//! that is to be trusted, and notes of what was refused. Stateless.

use std::borrow::Cow;

use super::decoder::Decoder;
use super::delta::{DELTA, held_delta};
use super::identity::{
    BARE_SESSION_ID, MESSAGE_ID, OWN_MESSAGE_ID, OWN_PART_ID, OWN_SESSION_ID, PART_ID,
    PERMISSION_ID, SESSION_ID,
};
use super::{error, message, part, permission, session, status, todo, tool, types};
use crate::model::command::TodoReplace;
use crate::model::event::Event;
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::rejection::{Code, Rejection};
use crate::model::row::{PermissionRow, SessionRow, SessionStatus};
use crate::read::fields::{Fields, Issues};
use crate::read::node::{Kind, Node};
use crate::sources::{Context, Decoded, find};

/// Decodes one bus event, `{ type, properties }`. Reads what it needs and no more.
pub fn decode<N: Node>(event: &N, context: &Context<'_>) -> Decoded {
    if let Some(grew) = held_delta(event, context) {
        let (event_type, rejections) = (Cow::Borrowed(DELTA), Vec::new());
        return Decoded {
            event_type,
            event: Some(grew),
            more: Vec::new(),
            at: None,
            rejections,
        };
    }
    let issues = Issues::default();
    let Some(event_type) = event.text_at("type") else {
        let found = event.kind_at("type").map_or("nothing", Kind::name);
        issues.add(Rejection {
            code: Code::MissingIdentity,
            path: "type".to_owned(),
            expected: "string",
            found,
        });
        return Decoded {
            event_type: Cow::Borrowed("(none)"),
            event: None,
            more: Vec::new(),
            at: None,
            rejections: issues.into_inner(),
        };
    };
    let event = match event.get("properties") {
        Some(properties) if properties.kind() == Kind::Object => {
            let decoder = Decoder {
                envelope: event,
                properties,
                context,
                issues: &issues,
            };
            decoder.dispatch(&event_type)
        }
        properties if types::RECORDED.contains(&event_type.as_str()) => {
            issues.add(Rejection {
                code: Code::MissingIdentity,
                path: "properties".to_owned(),
                expected: "object",
                found: properties.map_or("nothing", |found| found.kind().name()),
            });
            None
        }
        _ => {
            unknown(&event_type, &issues);
            None
        }
    };
    Decoded {
        event_type: event_type.into(),
        event,
        more: Vec::new(),
        at: None,
        rejections: issues.into_inner(),
    }
}

fn unknown(event_type: &str, issues: &Issues) {
    if !types::is_ignored(event_type) {
        issues.add(Rejection {
            code: Code::UnknownEvent,
            path: "type".to_owned(),
            expected: "an event type of a known release",
            found: "another word",
        });
    }
}

impl<'d, N: Node> Decoder<'d, N> {
    fn dispatch(self, event_type: &str) -> Option<Event> {
        match event_type {
            "session.created" => self.session(Event::SessionCreated),
            "session.updated" => self.session(Event::Session),
            "session.deleted" => self.session(Event::SessionDeleted),
            "session.idle" => self.idle(),
            "session.status" => self.status(),
            "session.error" => Some(self.error()),
            "message.updated" => self.message(),
            "message.removed" => self.message_removed(),
            "message.part.updated" => self.part(),
            DELTA => self.delta(),
            "message.part.removed" => self.part_removed(),
            "permission.asked" => self.permission(permission::asked),
            "permission.updated" => self.permission(permission::updated),
            "permission.replied" => self.permission(permission::replied),
            "todo.updated" => self.todos(),
            _ => {
                unknown(event_type, self.issues);
                None
            }
        }
    }

    fn session(&self, wrap: impl Fn(SessionRow) -> Event) -> Option<Event> {
        if let Some(info) = self.inner("info") {
            let row = self.session_in(info)?;
            self.envelope_checked("info");
            return Some(wrap(row));
        }
        let Some(id) = find(&self.properties, BARE_SESSION_ID) else {
            return self.no_identity("properties.info.id");
        };
        self.envelope_checked("info");
        let fields = self.properties_as_info(OWN_SESSION_ID);
        Some(wrap(session::info(id, fields)))
    }

    /// A session's own object.
    pub(super) fn session_in(&self, info: N) -> Option<SessionRow> {
        let id = self
            .id_in(&info, OWN_SESSION_ID, "properties.info")
            .or_else(|| find(&self.properties, SESSION_ID));
        let Some(id) = id else {
            return self.no_identity("properties.info.id");
        };
        let fields = Fields::new(info, "properties.info", self.issues);
        Some(session::info(id, fields))
    }

    fn message(&self) -> Option<Event> {
        if let Some(info) = self.inner("info") {
            let event = self.message_in(info)?;
            self.envelope_checked("info");
            return Some(event);
        }
        let Some(id) = find(&self.properties, OWN_MESSAGE_ID) else {
            return self.no_identity("properties.info.id");
        };
        let Some(session_id) = find(&self.properties, SESSION_ID) else {
            return self.no_identity("properties.info.sessionID");
        };
        self.envelope_checked("info");
        let fields = self.properties_as_info(OWN_MESSAGE_ID);
        let (row, failure) = message::info(id, session_id, fields);
        Some(Event::Message { row, failure })
    }

    /// A message's own object.
    pub(super) fn message_in(&self, info: N) -> Option<Event> {
        let id = self
            .id_in(&info, OWN_MESSAGE_ID, "properties.info")
            .or_else(|| find(&self.properties, MESSAGE_ID));
        let Some(id) = id else {
            return self.no_identity("properties.info.id");
        };
        let session_id = find(&info, SESSION_ID).or_else(|| find(&self.properties, SESSION_ID));
        let Some(session_id) = session_id else {
            return self.no_identity("properties.info.sessionID");
        };
        let fields = Fields::new(info, "properties.info", self.issues);
        let (row, failure) = message::info(id, session_id, fields);
        Some(Event::Message { row, failure })
    }

    fn part(&self) -> Option<Event> {
        let Some(part) = self.inner("part") else {
            return self.no_identity("properties.part.id");
        };
        let event = self.part_in(part)?;
        // One that only grew is not looked at: a text costs what it is long.
        if !matches!(event, Event::Grew { .. }) {
            self.envelope_checked("part");
        }
        Some(event)
    }

    /// A part's own object.
    pub(super) fn part_in(&self, part: N) -> Option<Event> {
        let key = self.part_key(
            self.id_in(&part, OWN_PART_ID, "properties.part"),
            &part,
            "properties.part",
        )?;
        let is_tool = match part.text_at("type") {
            Some(kind) => kind == "tool",
            None => part.kind_at("state").is_some(),
        };
        if is_tool {
            let fields = Fields::new(part, "properties.part", self.issues);
            return Some(Event::ToolCall(tool::call(key, fields)));
        }
        if let Some(delta) = self.grown(&part, &key) {
            return Some(Event::Grew {
                part_id: key.part_id,
                delta,
                event_id: self.event_id(),
            });
        }
        let fields = Fields::new(part, "properties.part", self.issues);
        if let Some(kind) = fields.node().text_at("type") {
            part::check_type(&fields, &kind);
        }
        let part::Part { row, retry, step } = part::part(key, fields);
        Some(Event::Part { row, retry, step })
    }

    fn message_removed(&self) -> Option<Event> {
        let Some(message_id) = find(&self.properties, MESSAGE_ID) else {
            return self.no_identity("properties.messageID");
        };
        let session_id = self.session_id()?;
        self.plain(&[("sessionID", Kind::String), ("messageID", Kind::String)]);
        Some(Event::MessageRemoved {
            session_id,
            message_id,
        })
    }

    fn part_removed(&self) -> Option<Event> {
        let key = self.part_key(
            find(&self.properties, PART_ID),
            &self.properties,
            "properties",
        )?;
        self.plain(&[
            ("sessionID", Kind::String),
            ("messageID", Kind::String),
            ("partID", Kind::String),
        ]);
        Some(Event::PartRemoved(key))
    }

    fn idle(&self) -> Option<Event> {
        let session_id = self.session_id()?;
        self.plain(&[("sessionID", Kind::String)]);
        let status = SessionStatus::Idle;
        Some(Event::Status {
            session_id,
            status,
            retry: None,
        })
    }

    fn status(&self) -> Option<Event> {
        let session_id = self.session_id()?;
        let mut fields = self.fields();
        let read = fields.object("status").map(status::status);
        fields.optional(&[("sessionID", Kind::String)]);
        fields.finish();
        let (status, retry) = read?;
        Some(Event::Status {
            session_id,
            status: *status.value()?,
            retry,
        })
    }

    fn error(&self) -> Event {
        let mut fields = self.fields();
        let failure = fields
            .maybe_object("error")
            .map(error::failure)
            .unwrap_or_default();
        fields.optional(&[("sessionID", Kind::String)]);
        fields.finish();
        Event::Failed {
            session_id: find(&self.properties, SESSION_ID),
            event_id: self.event_id(),
            failure,
        }
    }

    fn permission(
        &self,
        read: impl Fn(String, Fields<'_, N>, Known<Number>) -> PermissionRow,
    ) -> Option<Event> {
        let Some(id) = find(&self.properties, PERMISSION_ID) else {
            return self.no_identity("properties.id");
        };
        Some(Event::Permission(read(
            id,
            self.fields(),
            Number::new(self.context.now).into(),
        )))
    }

    fn todos(&self) -> Option<Event> {
        let session_id = self.session_id()?;
        let mut fields = self.fields();
        fields.optional(&[("sessionID", Kind::String)]);
        let todos = fields
            .list("todos")
            .map(|entries| todo::todos(entries, self.issues));
        fields.finish();
        Some(Event::Todos(TodoReplace {
            session_id,
            todos: todos?,
            copied_at: None,
            copy_rank: None,
        }))
    }

    /// The object `key` of the properties, where it is one.
    fn inner(&self, key: &'static str) -> Option<N> {
        let inner = self.properties.get(key)?;
        if inner.kind() == Kind::Object {
            return Some(inner);
        }
        self.fields()
            .refuse(Code::WrongType, key, "object", inner.kind().name());
        None
    }

    /// The properties beside the object they are about.
    fn envelope_checked(&self, about: &'static str) {
        let mut fields = self.fields();
        fields.skip(&[about]);
        fields.optional(&[
            ("sessionID", Kind::String),
            ("time", Kind::Number),
            ("delta", Kind::String),
        ]);
        fields.finish();
    }

    /// Properties that are nothing but these.
    fn plain(&self, known: &[(&'static str, Kind)]) {
        let mut fields = self.fields();
        fields.optional(known);
        fields.finish();
    }

    /// The properties of an event that lacks its `info`, read as if they were it.
    fn properties_as_info(&self, identity: &[&'static str]) -> Fields<'d, N> {
        let mut fields = self.fields();
        fields.refuse(Code::MissingField, "info", "object", "nothing");
        fields.skip(identity);
        fields.skip(SESSION_ID);
        fields
    }
}
