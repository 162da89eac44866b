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

use crate::catch_up::{Answer, Request, StoredMessage, StoredSession};
use crate::model::command::{self, Command};
use crate::model::rejection::RejectionRow;
use crate::model::report::Report;
use crate::model::row::{
    Content, MessageKind, MessageRow, OnDelete, PartRow, PermissionRow, Reply, Role,
    SessionErrorRow, SessionRow, SessionStatus, TodoRow, ToolCallRow, ToolStatus, UsageRow,
};
use crate::read::node::Node;
use crate::recorded::settings::{self, Found};
use crate::sources::Dialect;
use crate::sources::database::{self, Queries};
use crate::store;
use crate::{Counts, Evicted, Options, Recorded};
use node::JsNode;

/// Declares a section of the generated `.d.ts`.
macro_rules! typescript {
    ($($name:ident = $text:expr;)+) => {
        $(#[wasm_bindgen(typescript_custom_section)]
        const $name: &'static str = $text;)+
    };
}

typescript! {
    TS_EVICTED = Evicted::TYPESCRIPT;
    TS_COUNTS = Counts::TYPESCRIPT;
    TS_SESSION = SessionRow::TYPESCRIPT;
    TS_MESSAGE = MessageRow::TYPESCRIPT;
    TS_PART = PartRow::TYPESCRIPT;
    TS_TOOL_CALL = ToolCallRow::TYPESCRIPT;
    TS_USAGE = UsageRow::TYPESCRIPT;
    TS_SESSION_ERROR = SessionErrorRow::TYPESCRIPT;
    TS_PERMISSION = PermissionRow::TYPESCRIPT;
    TS_TODO = TodoRow::TYPESCRIPT;
    TS_SESSION_STATUS = SessionStatus::TYPESCRIPT;
    TS_ROLE = Role::TYPESCRIPT;
    TS_MESSAGE_KIND = MessageKind::TYPESCRIPT;
    TS_TOOL_STATUS = ToolStatus::TYPESCRIPT;
    TS_REPLY = Reply::TYPESCRIPT;
    TS_ON_DELETE = OnDelete::TYPESCRIPT;
    TS_CONTENT = Content::TYPESCRIPT;
    TS_RECORDED = Recorded::TYPESCRIPT;
    TS_REJECTION = RejectionRow::TYPESCRIPT;
    TS_REPORT = Report::TYPESCRIPT;
    TS_PARAMS = command::TYPESCRIPT;
    TS_COMMAND = Command::TYPESCRIPT;
    TS_REQUEST = Request::TYPESCRIPT;
    TS_STORED_SESSION = StoredSession::TYPESCRIPT;
    TS_STORED_MESSAGE = StoredMessage::TYPESCRIPT;
    TS_STATEMENT = store::Statement::TYPESCRIPT;
    TS_DIALECT = Dialect::TYPESCRIPT;
    TS_QUERIES = Queries::TYPESCRIPT;
    TS_REST = "\
/** What a core can be told when it is made. */
export interface CoreOptions {
  /** Whose events and answers come; `opencode1` unless said. */
  dialect?: Dialect;
  /** What becomes of what OpenCode deletes; `tombstone` unless said. */
  onDelete?: OnDelete;
  /** What tells OpenCode's store from others, where that is known. */
  storeId?: string;
  /** What is recorded; everything unless said. */
  recorded?: Recorded;
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
  /** Selects the oldest schema whose writers may write to a newer database. */
  oldestWriter: string;
  /** The first statement of every transaction that applies commands. */
  begin: string;
  statements: Record<Method, Statement[]>;
  /** What the parameters of a command that erases are like. */
  erasing: When;
  /** Answers a request `storedSessions`; `?1` is the request as JSON text. */
  storedSessions: string;
  /** Answers a request `storedMessages`; `?1` is the request as JSON text. */
  storedMessages: string;
  /** Claims a batch, `?1`, the JSON text of `{ writer, number, report }`: answers a row if it is to be stored. */
  claimBatch: string;
  /** Forgets writers that are long gone. */
  forgetBatches: string;
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
        let dialect = text("dialect").and_then(|name| Dialect::named(&name));
        let recorded = JsNode(options.clone()).get("recorded");
        let recorded = recorded.map(|JsNode(value)| {
            recorded_of(value).unwrap_or(Recorded {
                content: Content::Metadata,
                ..Recorded::default()
            })
        });
        Self(crate::Core::new(Options {
            on_delete: on_delete.unwrap_or(OnDelete::Tombstone),
            store_id: text("storeId"),
            dialect: dialect.unwrap_or(Dialect::OPENCODE1),
            recorded: recorded.unwrap_or_default(),
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

    /// Takes the commands that are due, of about so many bytes, and one at least;
    /// all of them where no number is given. Until `settle` it gives no more.
    #[wasm_bindgen(unchecked_return_type = "Command[]")]
    pub fn drain(&mut self, bytes: Option<u32>) -> Result<JsValue, JsError> {
        to_js(
            self.0
                .drain_at_most(bytes.map_or(usize::MAX, |bytes| bytes as usize)),
        )
    }

    /// Whether the last drain left something for the next.
    #[wasm_bindgen(js_name = hasDue)]
    pub fn has_due(&self) -> bool {
        self.0.has_due()
    }

    /// Nothing can be stored: beyond so many changes all are evicted, beyond so
    /// many bytes the longest texts and tool calls. After `settle`.
    #[wasm_bindgen(unchecked_return_type = "Evicted | undefined")]
    pub fn evict(&mut self, most: u32, most_bytes: u32) -> Result<JsValue, JsError> {
        match self.0.evict(most as usize, most_bytes as usize) {
            Evicted::Nothing => Ok(JsValue::UNDEFINED),
            gone => to_js(&gone),
        }
    }

    /// Says whether the commands drained last were stored; if not, the next
    /// drain gives them again, merged with what came since.
    pub fn settle(&mut self, stored: bool) {
        self.0.settle(stored);
    }

    /// What was stored is not there any more: the database was removed, or another
    /// put in its place. After `settle`; every directory is to be compared then.
    #[wasm_bindgen(js_name = forgetStored)]
    pub fn forget_stored(&mut self) {
        self.0.forget_stored();
    }

    /// Compares this directory's sessions, by requests.
    pub fn compare(&mut self, directory: &str) {
        self.0.compare(directory);
    }

    /// Fetches these sessions from this directory's host, by requests.
    pub fn fetch(&mut self, directory: &str, session_ids: Vec<String>) {
        self.0.fetch(directory, session_ids);
    }

    /// Fetches what events left incomplete from this directory's host, by
    /// requests. Whether there is anything to ask.
    #[wasm_bindgen(js_name = fetchWanted)]
    pub fn fetch_wanted(&mut self, directory: &str) -> bool {
        self.0.fetch_wanted(directory)
    }

    /// This directory's host is about to go: all that is still asked of it is
    /// what events left incomplete. Whether there is anything of that.
    pub fn hurry(&mut self, directory: &str) -> bool {
        self.0.hurry(directory)
    }

    /// This directory's host is gone: nothing more is asked of it.
    pub fn leave(&mut self, directory: &str) {
        self.0.leave(directory);
    }

    /// How soon all is to be compared again, milliseconds, where events are
    /// known to be missing or what is stored could not be told.
    #[wasm_bindgen(js_name = compareAgainIn)]
    pub fn compare_again_in(&self) -> Option<f64> {
        self.0.compare_again_in()
    }

    /// The request to make next, none where there is nothing to ask. The same
    /// one until it is answered.
    #[wasm_bindgen(js_name = nextRequest, unchecked_return_type = "Request | undefined")]
    pub fn next_request(&mut self, now: f64) -> Result<JsValue, JsError> {
        match self.0.next_request(now) {
            Some(request) => to_js(&request),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Takes what came of that request, and gives how soon to drain, as
    /// `observe` does. An outcome that is not known is a failure.
    pub fn answer(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Outcome")] outcome: &str,
        #[wasm_bindgen(unchecked_param_type = "unknown")] value: JsValue,
        now: f64,
    ) -> u8 {
        let value = JsNode(value);
        let answer = match outcome {
            "found" => Answer::Found(&value),
            "none" => Answer::None,
            "beginning" => Answer::Beginning(&value),
            "notOffered" => Answer::NotOffered,
            _ => Answer::Failed,
        };
        self.0.answer(answer, now) as u8
    }

    /// How much waits, and what catch-up did since the last call.
    #[wasm_bindgen(js_name = takeCounts, unchecked_return_type = "Counts")]
    pub fn take_counts(&mut self) -> Result<JsValue, JsError> {
        to_js(&self.0.take_counts())
    }

    /// Kinds of rejection that are new since the last call, a line each.
    pub fn notices(&mut self) -> Vec<String> {
        self.0.notices()
    }
}

/// The event types of a dialect to pass on, and those that need not be; of
/// `opencode1` unless said.
#[wasm_bindgen(js_name = eventTypes, unchecked_return_type = "EventTypes")]
pub fn event_types(
    #[wasm_bindgen(unchecked_param_type = "Dialect | undefined")] dialect: Option<String>,
) -> Result<JsValue, JsError> {
    let dialect = dialect.and_then(|name| Dialect::named(&name));
    let dialect = dialect.unwrap_or(Dialect::OPENCODE1);
    to_js(&dialect.event_types())
}

/// Reads the settings of what is recorded: what they come to, and what is wrong
/// with them, a line each.
#[wasm_bindgen(js_name = readRecorded, unchecked_return_type = "{ recorded: Recorded; problems: string[] }")]
pub fn read_recorded(
    #[wasm_bindgen(unchecked_param_type = "RecordedSettings")] found: JsValue,
) -> Result<JsValue, JsError> {
    let found: Found = serde_wasm_bindgen::from_value(found)?;
    let (recorded, problems) = settings::read(&found);
    to_js(&serde_json::json!({ "recorded": recorded, "problems": problems }))
}

/// Whether a directory is of a project that is not recorded.
#[wasm_bindgen(js_name = isIgnored)]
pub fn is_ignored(
    #[wasm_bindgen(unchecked_param_type = "Recorded")] recorded: JsValue,
    directory: &str,
) -> bool {
    recorded_of(recorded).is_some_and(|recorded| recorded.ignored.matches(directory))
}

fn recorded_of(value: JsValue) -> Option<Recorded> {
    serde_wasm_bindgen::from_value(value).ok()
}

/// What is asked of OpenCode's own database, which has these tables, by a dialect.
#[wasm_bindgen(js_name = databaseQueries, unchecked_return_type = "DatabaseQueries | undefined")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands lists over whole"
)]
pub fn database_queries(
    tables: Vec<String>,
    #[wasm_bindgen(unchecked_param_type = "Dialect")] dialect: &str,
) -> Result<JsValue, JsError> {
    match Dialect::named(dialect).and_then(|dialect| dialect.database_queries(&tables)) {
        Some(queries) => to_js(&queries),
        None => Ok(JsValue::UNDEFINED),
    }
}

/// Selects the tables of a database, each as `name`.
#[wasm_bindgen(js_name = databaseTables)]
pub fn database_tables() -> String {
    database::TABLES.to_owned()
}

/// The schema and the statements that apply commands.
#[wasm_bindgen(js_name = store, unchecked_return_type = "Store")]
pub fn store_sql() -> Result<JsValue, JsError> {
    to_js(&serde_json::json!({
        "schemaVersion": store::SCHEMA_VERSION,
        "migrations": store::MIGRATIONS,
        "oldestWriter": store::OLDEST_WRITER,
        "begin": store::BEGIN,
        "storedSessions": store::STORED_SESSIONS,
        "storedMessages": store::STORED_MESSAGES,
        "claimBatch": store::CLAIM_BATCH,
        "forgetBatches": store::FORGET_BATCHES,
        "erasing": store::ERASING,
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
