//! Parts and tool calls, and the texts that are being written.

use super::{Reconciler, Urgency, failure};
use crate::model::command::{Command, PartDelete};
use crate::model::event::{PartKey, Retry};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{PartRow, ToolCallRow, UsageRow};

impl Reconciler {
    pub(super) fn part(
        &mut self,
        mut row: PartRow,
        retry: Option<Retry>,
        step: Option<UsageRow>,
    ) -> Urgency {
        if self.removed.contains(&row.id) {
            return Urgency::None;
        }
        row.position = self.items.place(&row.message_id, &row.id, row.position);
        if let Some(retry) = retry {
            let error = failure::of_retry_part(&row, retry);
            self.pending.add(Command::SessionErrorUpsert(error));
        }
        self.ensure_message(&row.session_id, &row.message_id);
        let is_text = matches!(
            row.kind.value().map(String::as_str),
            Some("text" | "reasoning")
        );
        if is_text && row.ended_at == Known::Empty {
            if let Some(evicted) = self.streams.open(row) {
                self.pending.add(Command::PartUpsert(evicted));
            }
            return Urgency::Stream;
        }
        if let Some(written) = self.streams.close(&row.id) {
            self.pending.add(Command::PartUpsert(written));
        }
        self.pending.add(Command::PartUpsert(row));
        if let Some(step) = step {
            self.pending.add(Command::UsageUpsert(step));
        }
        Urgency::Soon
    }

    pub(super) fn tool_call(&mut self, mut row: ToolCallRow) -> Urgency {
        if self.removed.contains(&row.id) {
            return Urgency::None;
        }
        row.position = self.items.place(&row.message_id, &row.id, row.position);
        let took = self
            .starts
            .duration(&row.id, &row.started_at, &row.ended_at);
        if row.duration_ms.is_unknown() {
            row.duration_ms = took;
        }
        self.ensure_message(&row.session_id, &row.message_id);
        self.pending.add(Command::ToolCallUpsert(row));
        Urgency::Soon
    }

    pub(super) fn part_removed(&mut self, part: PartKey, now: Number) -> Urgency {
        self.removed.insert(&part.part_id);
        self.streams.close(&part.part_id);
        self.delete(Command::PartDelete(PartDelete {
            id: part.part_id,
            message_id: part.message_id,
            session_id: part.session_id,
            deleted_at: now,
            store_id: self.store_id.clone(),
            on_delete: self.on_delete,
        }))
    }

    pub(super) fn close_streams(&mut self, which: impl Fn(&PartRow) -> bool) {
        for row in self.streams.close_all(which) {
            self.pending.add(Command::PartUpsert(row));
        }
    }

    /// Ends texts whose own end was not told: OpenCode may have dropped what
    /// was written so far (an attempt that was cut off), so it is asked.
    pub(super) fn cut_streams(&mut self, session_id: &str, which: impl Fn(&PartRow) -> bool) {
        if self.streams.any(&which) {
            self.want(session_id);
            self.close_streams(which);
        }
    }
}
