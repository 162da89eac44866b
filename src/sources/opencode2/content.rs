//! What a model answers: the events of steps, texts and tool calls.

use super::decoder::{Decoder, id_of, identity, missing};
use super::{item, step, tool};
use crate::model::event::{Event, PartKey};
use crate::model::known::Known;
use crate::model::row::{MessageRow, ToolCallRow};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

impl Decoder<'_> {
    pub(super) fn step<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let id = identity(fields, &["assistantMessageID"])?;
        let mut row = MessageRow {
            id,
            session_id: session_id.to_owned(),
            ..MessageRow::default()
        };
        let at = self.at.clone();
        Some(match event {
            "started" => {
                self.place(&mut row);
                vec![Event::StepStarted(step::started(row, fields))]
            }
            "ended" => vec![Event::Message {
                row: step::ended(row, fields, at),
                failure: None,
            }],
            "failed" => {
                let (row, failure) = step::failed(row, fields, at);
                vec![Event::Message {
                    row,
                    failure: Some(failure),
                }]
            }
            // The answer is all there, and its tools still run.
            "streamed" => Vec::new(),
            _ => return None,
        })
    }

    pub(super) fn item<N: Node>(
        &self,
        event: &str,
        kind: &'static str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let message_id = id_of(fields, &["assistantMessageID"]);
        let ordinal = fields.number("ordinal");
        let (Some(message_id), Some(ordinal)) = (message_id, ordinal.value()) else {
            missing(fields, "assistantMessageID");
            return None;
        };
        let key = PartKey {
            part_id: item::id(&message_id, kind, ordinal.get()),
            session_id: session_id.to_owned(),
            message_id,
        };
        let row = match event {
            "started" => item::started(key, kind, fields, self.at.clone()),
            "ended" => item::ended(key, kind, fields, self.at.clone()),
            "delta" => {
                let delta = fields.string("delta");
                let held = (self.context.held)(&key.part_id).is_some();
                return Some(vec![match delta {
                    Known::Value(delta) if held => Event::Grew {
                        part_id: key.part_id,
                        delta,
                        event_id: self.event_id.clone(),
                    },
                    _ => Event::Missed(key),
                }]);
            }
            _ => return None,
        };
        Some(vec![Event::Part {
            row,
            retry: None,
            step: None,
        }])
    }

    pub(super) fn tool<N: Node>(
        &self,
        event: &str,
        session_id: &str,
        fields: &mut Fields<'_, N>,
    ) -> Option<Vec<Event>> {
        let message_id = id_of(fields, &["assistantMessageID"]);
        let call_id = id_of(fields, &["id", "callID"]);
        let (Some(message_id), Some(call_id)) = (message_id, call_id) else {
            missing(fields, "id");
            return None;
        };
        let row = ToolCallRow {
            id: tool::id(&message_id, &call_id),
            message_id,
            session_id: session_id.to_owned(),
            call_id: Known::Value(call_id),
            ..ToolCallRow::default()
        };
        let at = self.at.clone();
        let row = match event {
            "input.started" => tool::input_started(row, fields),
            "called" => tool::called(row, fields, at),
            "progress" => tool::progress(row, fields),
            "success" => tool::succeeded(row, fields, at),
            "failed" => tool::failed(row, fields, at),
            // What the model wrote; what was made of it is told by the call.
            "input.ended" => {
                fields.optional(&[("text", Kind::String)]);
                row
            }
            _ => return None,
        };
        Some(vec![Event::ToolCall(row)])
    }
}
