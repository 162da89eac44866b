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
  /** What tells OpenCode's store from others, where that is known. */
  storeId?: string;
}
/** A session as `storedSessions` selects it. */
export interface StoredSession {
  id: string;
  /** The time of change up to which nothing of it is missing. */
  wholeAt: number | null;
  deletedAt: number | null;
  title: string | null;
  cost: number;
  projectPath: string | null;
  status: SessionStatus | null;
  /** Since when every store that had it lacks it. */
  missingSince: number | null;
  /** When the store that is asked told of it last. */
  seenHere: number | null;
  /** Since when that store lacks it. */
  missingHere: number | null;
  /** When that store told its deletion. */
  deletedHere: number | null;
}
/** A message as `storedMessages` selects it. */
export interface StoredMessage {
  id: string;
  /** The ids of its parts and tool calls, a JSON list. */
  partIds: string;
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
  /** Sessions that OpenCode's store had and does not list: missing, if it has them no more. */
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
  /** Selects `StoredSession`s for `?1`, the JSON text of `{ directory, ids, storeId }`. */
  storedSessions: string;
  /** Selects `StoredMessage`s for `?1`, the JSON text of `{ sessionId, storeId }`. */
  storedMessages: string;
  /** Claims a batch, `?1`, the JSON text of `{ writer, number }`: answers a row if it is to be stored. */
  claimBatch: string;
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
            store_id: text("storeId"),
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
        now: f64,
    ) -> Result<JsValue, JsError> {
        let stored: Vec<StoredSession> = serde_wasm_bindgen::from_value(stored)?;
        to_js(
            &self
                .0
                .plan(directory, &JsNode(listed).items(), &stored, now),
        )
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
    pub fn begin_recall(&mut self, session_id: &str, now: f64) {
        self.0.begin_recall(session_id, now);
    }

    /// Takes a piece of the answer, written as the event that would tell it.
    pub fn recall(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] answer: JsValue,
        now: f64,
    ) -> u8 {
        self.0.recall(&JsNode(answer), now) as u8
    }

    /// OpenCode was asked at `since` for a session that its store had, and has
    /// none of this id any more.
    #[wasm_bindgen(js_name = sessionMissing)]
    pub fn session_missing(&mut self, session_id: &str, since: f64) -> u8 {
        self.0.session_missing(session_id, since) as u8
    }

    /// From now on events and answers come from this store; none where that is
    /// in doubt.
    #[wasm_bindgen(js_name = setStore)]
    pub fn set_store(&mut self, store_id: Option<String>) {
        self.0.set_store(store_id);
    }

    /// What is stored of a session and was not answered. Each is to be asked
    /// for by itself.
    #[wasm_bindgen(unchecked_return_type = "Absent[]")]
    pub fn absent(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown[]")] answered: JsValue,
        #[wasm_bindgen(unchecked_param_type = "StoredMessage[]")] stored: JsValue,
    ) -> Result<JsValue, JsError> {
        let stored: Vec<StoredMessage> = serde_wasm_bindgen::from_value(stored)?;
        to_js(&self.0.absent(&JsNode(answered).items(), &stored))
    }

    /// Takes what OpenCode answered when it was asked for one of these: the
    /// message with its parts, or `null` where it has none.
    #[wasm_bindgen(js_name = settleAbsent)]
    pub fn settle_absent(
        &mut self,
        session_id: &str,
        #[wasm_bindgen(unchecked_param_type = "Absent")] absent: JsValue,
        #[wasm_bindgen(unchecked_param_type = "unknown")] answer: JsValue,
    ) -> Result<u8, JsError> {
        let absent: Absent = serde_wasm_bindgen::from_value(absent)?;
        Ok(self.0.settle_absent(session_id, absent, &JsNode(answer)) as u8)
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
        "claimBatch": store::CLAIM_BATCH,
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
