//! The core for JavaScript: exports, and in `node` the reading of JavaScript's
//! objects. Nothing else lives here, and nothing else knows JavaScript.
#![expect(
    clippy::missing_errors_doc,
    reason = "they fail only where JavaScript is out of memory"
)]

mod node;

use std::collections::BTreeMap;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::Options;
use crate::catch_up::absent::{Absent, StoredMessage};
use crate::catch_up::plan::StoredSession;
use crate::model::command::{self, Command};
use crate::model::rejection::RejectionRow;
use crate::model::row::{
    MessageRow, OnDelete, PartRow, PermissionRow, Reply, Role, SessionErrorRow, SessionRow,
    SessionStatus, TodoRow, ToolCallRow, ToolStatus,
};
use crate::read::node::Node;
use crate::store;
use node::JsNode;

/// Declares a section of the generated `.d.ts`.
macro_rules! typescript {
    ($($name:ident = $text:expr;)+) => {
        $(#[wasm_bindgen(typescript_custom_section)]
        const $name: &'static str = $text;)+
    };
}

typescript! {
    TS_SESSION = SessionRow::TYPESCRIPT;
    TS_MESSAGE = MessageRow::TYPESCRIPT;
    TS_PART = PartRow::TYPESCRIPT;
    TS_TOOL_CALL = ToolCallRow::TYPESCRIPT;
    TS_SESSION_ERROR = SessionErrorRow::TYPESCRIPT;
    TS_PERMISSION = PermissionRow::TYPESCRIPT;
    TS_TODO = TodoRow::TYPESCRIPT;
    TS_SESSION_STATUS = SessionStatus::TYPESCRIPT;
    TS_ROLE = Role::TYPESCRIPT;
    TS_TOOL_STATUS = ToolStatus::TYPESCRIPT;
    TS_REPLY = Reply::TYPESCRIPT;
    TS_ON_DELETE = OnDelete::TYPESCRIPT;
    TS_REJECTION = RejectionRow::TYPESCRIPT;
    TS_PARAMS = command::TYPESCRIPT;
    TS_COMMAND = Command::TYPESCRIPT;
    TS_REST = "\
/** What a core can be told when it is made. */
export interface CoreOptions {
  /** What becomes of what OpenCode deletes; `tombstone` unless said. */
  onDelete?: OnDelete;
  /** Where OpenCode keeps its sessions: a folder `storage` of files (up to 1.1), or a database (1.2 on). */
  origin?: string;
}
/** A session as `storedSessions` selects it. */
export interface StoredSession {
  id: string;
  createdAt: number | null;
  /** The time of change up to which nothing of it is missing. */
  wholeAt: number | null;
  deletedAt: number | null;
  title: string | null;
  cost: number;
  sourceVersion: string | null;
  projectPath: string | null;
  status: SessionStatus | null;
  origin: string | null;
}
/** A message as `storedMessages` selects it. */
export interface StoredMessage {
  id: string;
  /** The ids of its parts and tool calls, a JSON list. */
  partIds: string;
  /** When OpenCode last changed its session. */
  updatedAt: number | null;
  /** Where OpenCode keeps its session. */
  origin: string | null;
}
/** A message that is stored and was not answered, or not with all its parts. */
export interface Absent {
  messageId: string;
  /** Those of its parts that were not answered. */
  partIds: string[];
}
/** What catch-up has to ask OpenCode for. */
export interface Plan {
  /** Sessions to fetch whole, those changed last first. */
  fetch: string[];
  /** Stored sessions that OpenCode does not list: deleted, if it has them no more. */
  verify: string[];
}
/** Event types to pass to `observe`, and those that need not be. */
export interface EventTypes {
  recorded: string[];
  ignored: string[];
}
/** The SQL: migrations in order, and each command's statements in order. */
export interface Store {
  schemaVersion: number;
  migrations: string[];
  statements: Record<Method, string[]>;
  /** Selects `StoredSession`s for `?1`, the JSON text of `{ directory, ids }`. */
  storedSessions: string;
  /** Selects `StoredMessage`s for `?1`, the JSON text of `{ sessionId }`. */
  storedMessages: string;
}
";
}

/// Decodes and reconciles OpenCode's events.
#[wasm_bindgen(js_name = Core)]
#[derive(Debug)]
pub struct JsCore(crate::Core);

#[wasm_bindgen(js_class = Core)]
impl JsCore {
    /// A core that has seen nothing. An option that is not understood is its default.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "CoreOptions | undefined")] options: &JsValue,
    ) -> Self {
        let text = |key| JsNode(options.clone()).text_at(key);
        let on_delete = text("onDelete").and_then(|word| OnDelete::parse(&word));
        Self(crate::Core::new(Options {
            on_delete: on_delete.unwrap_or(OnDelete::Tombstone),
            origin: text("origin"),
        }))
    }

    /// Takes one bus event, whatever it is; `now` is Unix milliseconds. Gives
    /// how soon to drain: 0 nothing changed, 1 within a second, 2 within a
    /// quarter of one, 3 now.
    pub fn observe(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] event: JsValue,
        now: f64,
    ) -> u8 {
        self.0.observe(&JsNode(event), now) as u8
    }

    /// Takes the commands that are due. Until `settle` it gives no more.
    #[wasm_bindgen(unchecked_return_type = "Command[]")]
    pub fn drain(&mut self) -> Result<JsValue, JsError> {
        to_js(self.0.drain())
    }

    /// Says whether the commands drained last were stored; if not, the next
    /// drain gives them again, merged with what came since.
    pub fn settle(&mut self, stored: bool) {
        self.0.settle(stored);
    }

    /// Compares what OpenCode lists of a directory with what is stored: what
    /// to ask it for.
    #[wasm_bindgen(unchecked_return_type = "Plan")]
    pub fn plan(
        &mut self,
        directory: &str,
        #[wasm_bindgen(unchecked_param_type = "unknown[]")] listed: JsValue,
        #[wasm_bindgen(unchecked_param_type = "StoredSession[]")] stored: JsValue,
    ) -> Result<JsValue, JsError> {
        let stored: Vec<StoredSession> = serde_wasm_bindgen::from_value(stored)?;
        to_js(&self.0.plan(directory, &JsNode(listed).items(), &stored))
    }

    /// Sessions that events left incomplete, since the last call.
    pub fn wanted(&mut self) -> Vec<String> {
        self.0.wanted()
    }

    /// Whether events are known to be missing, so that OpenCode's list has to
    /// be compared again from time to time.
    #[wasm_bindgen(js_name = isDeaf)]
    pub fn is_deaf(&self) -> bool {
        self.0.is_deaf()
    }

    /// A session is being asked for: what events tell from now on is newer
    /// than the answer.
    #[wasm_bindgen(js_name = beginRecall)]
    pub fn begin_recall(&mut self, session_id: &str) {
        self.0.begin_recall(session_id);
    }

    /// Takes a piece of the answer, written as the event that would tell it.
    pub fn recall(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] answer: JsValue,
        now: f64,
    ) -> u8 {
        self.0.recall(&JsNode(answer), now) as u8
    }

    /// OpenCode has no session of this id any more.
    pub fn gone(&mut self, session_id: &str, now: f64) -> u8 {
        self.0.gone(session_id, now) as u8
    }

    /// What is stored of a session and was not answered. Each is to be asked
    /// for by itself.
    #[wasm_bindgen(unchecked_return_type = "Absent[]")]
    pub fn absent(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] session: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown[]")] answered: JsValue,
        #[wasm_bindgen(unchecked_param_type = "StoredMessage[]")] stored: JsValue,
    ) -> Result<JsValue, JsError> {
        let stored: Vec<StoredMessage> = serde_wasm_bindgen::from_value(stored)?;
        let answered = JsNode(answered).items();
        to_js(&self.0.absent(&JsNode(session), &answered, &stored))
    }

    /// Takes what OpenCode answered when it was asked for one of these: the
    /// message with its parts, or `null` where it has none.
    #[wasm_bindgen(js_name = settleAbsent)]
    pub fn settle_absent(
        &mut self,
        session_id: &str,
        #[wasm_bindgen(unchecked_param_type = "Absent")] absent: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] answer: JsValue,
        now: f64,
    ) -> Result<u8, JsError> {
        let absent: Absent = serde_wasm_bindgen::from_value(absent)?;
        let answer = JsNode(answer);
        Ok(self.0.settle_absent(session_id, absent, &answer, now) as u8)
    }

    /// What OpenCode answered of a session was taken, all of it where it
    /// `is_whole`. Where it is not, the session is still to be asked for.
    #[wasm_bindgen(js_name = endRecall)]
    pub fn end_recall(&mut self, session_id: &str, is_whole: bool) -> u8 {
        self.0.end_recall(session_id, is_whole) as u8
    }

    /// Kinds of rejection that are new since the last call, a line each.
    pub fn notices(&mut self) -> Vec<String> {
        self.0.notices()
    }
}

/// The event types to pass on, and those that need not be.
#[wasm_bindgen(js_name = eventTypes, unchecked_return_type = "EventTypes")]
pub fn event_types() -> Result<JsValue, JsError> {
    to_js(&crate::event_types())
}

/// The schema and the statements that apply commands.
#[wasm_bindgen(js_name = store, unchecked_return_type = "Store")]
pub fn store_sql() -> Result<JsValue, JsError> {
    to_js(&serde_json::json!({
        "schemaVersion": store::SCHEMA_VERSION,
        "migrations": store::MIGRATIONS,
        "storedSessions": store::STORED_SESSIONS,
        "storedMessages": store::STORED_MESSAGES,
        "statements": store::all_statements().into_iter().collect::<BTreeMap<_, _>>(),
    }))
}

/// Plain objects and numbers, as JSON would give them.
fn to_js(value: &(impl Serialize + ?Sized)) -> Result<JsValue, JsError> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value
        .serialize(&serializer)
        .map_err(|error| JsError::new(&error.to_string()))
}
