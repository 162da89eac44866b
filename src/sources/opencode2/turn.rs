//! What happens around an answer: the events of the inbox, of a turn's beginning
//! and end, of compactions and of a person's commands.

use super::decoder::{Decoder, id_of, identity};
use super::{error, inbox, said, summary};
use crate::model::event::{Event, Retry};
use crate::model::row::{MessageKind, SessionRow, SessionStatus};
use crate::read::fields::{Fields, Need};
use crate::read::node::{Kind, Node};

impl Decoder<'_> {
    pub(super) fn inbox<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let inbox_id = identity(fields, &["inboxID", "inputID"])?;
        let session_id = session_id.to_owned();
        Some(match event {
            "enqueued" | "admitted" => {
                let changed = SessionRow {
                    id: session_id.clone(),
                    updated_at: self.at.clone(),
                    ..SessionRow::default()
                };
                let item = inbox::enqueued(&inbox_id, &session_id, fields);
                vec![
                    Event::Session(changed),
                    Event::Enqueued {
                        session_id,
                        inbox_id,
                        item,
                    },
                ]
            }
            "delivered" | "promoted" => vec![Event::Delivered {
                session_id,
                inbox_id,
                position: self.number.into(),
            }],
            "cancelled" => vec![Event::Cancelled {
                session_id,
                inbox_id,
            }],
            // Whether it waits for the turn's end.
            "delivery.changed" => {
                fields.optional(&[("delivery", Kind::String)]);
                Vec::new()
            }
            _ => return None,
        })
    }

    pub(super) fn execution<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Vec<Event> {
        let failure = fields.maybe_object("error").map(error::failure);
        fields.optional(&[("reason", Kind::String)]);
        let failed = failure.map(|failure| Event::Failed {
            session_id: Some(session_id.to_owned()),
            event_id: self.event_id.clone(),
            failure,
        });
        let status = if event == "started" {
            SessionStatus::Busy
        } else {
            SessionStatus::Idle
        };
        let status = Event::Status {
            session_id: session_id.to_owned(),
            status,
            retry: None,
        };
        failed.into_iter().chain([status]).collect()
    }

    pub(super) fn retry<N: Node>(session_id: &str, fields: &mut Fields<'_, N>) -> Event {
        let retry = Retry {
            attempt: fields.number("attempt"),
            failure: fields
                .object("error")
                .map(error::failure)
                .unwrap_or_default(),
            next: fields.number("at"),
            ..Retry::default()
        };
        fields.optional(&[("assistantMessageID", Kind::String)]);
        Event::Status {
            session_id: session_id.to_owned(),
            status: SessionStatus::Retry,
            retry: Some(retry),
        }
    }

    pub(super) fn compaction<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Event {
        let input = id_of(fields, &["inputID"]);
        let key = format!("{session_id}:compaction");
        let kind = Some(MessageKind::Compaction);
        if event == "started" {
            let id = input.or_else(|| self.own_message(fields));
            let mut said = said::message(&id.unwrap_or_default(), session_id, kind);
            self.place(&mut said.row);
            fields.optional(&[
                ("reason", Kind::String),
                ("recent", Kind::String),
                ("inputID", Kind::String),
            ]);
            return Event::Opened { key, said };
        }
        let said = said::message(&input.unwrap_or_default(), session_id, kind);
        let (said, failure) = summary::compaction(said, fields, "text", Need::Always);
        Event::Closed { key, said, failure }
    }

    pub(super) fn shell<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let output = summary::output(fields);
        let started = event == "started";
        let id = started.then(|| self.own_message(fields)).flatten();
        let mut shell = fields.object("shell")?;
        let key = identity(&mut shell, &["id"])?;
        let kind = Some(MessageKind::Shell);
        let mut said = said::message(&id.unwrap_or_default(), session_id, kind);
        if started {
            self.place(&mut said.row);
        } else {
            said.row.completed_at = self.at.clone();
        }
        let said = summary::shell(said, &mut shell, "id", output);
        shell.optional(&[("time", Kind::Object)]);
        shell.finish();
        Some(vec![if started {
            Event::Opened { key, said }
        } else {
            let failure = None;
            Event::Closed { key, said, failure }
        }])
    }
}
