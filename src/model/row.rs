//! The rows that commands change, each field as far as it is known.
//!
//! These are the columns of the storage contract in camelCase. Events carry
//! them from decoding on, the reconciler merges them, commands deliver them.

use serde::{Deserialize, Serialize};

use crate::model::known::Known;
use crate::model::number::Number;

/// Declares a row: its struct, how it learns from a newer one, and its
/// TypeScript type, from one list of fields.
macro_rules! row {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$kdoc:meta])* $key:ident: $kjson:literal $(or $kalias:literal)?),+ $(,)? }
        $($(#[$fdoc:meta])* $field:ident: $json:literal $type:ty = $ts:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$kdoc])* #[serde(rename = $kjson $(, alias = $kalias)?)] pub $key: String,)+
            $($(#[$fdoc])*
            #[serde(rename = $json, default, skip_serializing_if = "Known::is_unknown")]
            pub $field: Known<$type>,)*
        }

        impl $name {
            /// The row's TypeScript type, for the generated declarations.
            pub const TYPESCRIPT: &'static str = concat!(
                "export interface ", stringify!($name), " {\n",
                $("  ", $kjson, ": string;\n",)+
                $("  ", $json, "?: ", $ts, " | null;\n",)*
                "}\n",
            );

            /// Takes over what `newer` knows of the same row.
            pub fn learn(&mut self, newer: Self) {
                $(self.$field.learn(newer.$field);)*
            }
        }
    };
}

row! {
    /// What is known of a session (`sessions`). Its tokens and cost are what
    /// OpenCode itself reports for the session; sums are the store's.
    SessionRow {
        /// OpenCode's `ses_…` id.
        id: "id" or "sessionId",
    }
    /// The session whose `task` call started this one.
    parent_id: "parentId" String = "string",
    /// Which agent's recorder wrote it; `opencode` unless said.
    source: "source" String = "string",
    /// The OpenCode release that made the session (`info.version`).
    source_version: "sourceVersion" String = "string",
    /// The title, a model's or a person's.
    title: "title" String = "string",
    /// OpenCode's project id: the repository's first commit, or `global`.
    project_id: "projectId" String = "string",
    /// The directory the session works in.
    project_path: "projectPath" String = "string",
    /// The last component of that directory.
    project_name: "projectName" String = "string",
    /// The agent, where the release reports one for the session (1.17 on).
    agent: "agent" String = "string",
    /// The model, where the release reports one for the session (1.17 on).
    model: "model" String = "string",
    /// That model's provider.
    provider: "provider" String = "string",
    /// What the session is doing.
    status: "status" SessionStatus = "SessionStatus",
    /// Input tokens that no cache served.
    prompt_tokens: "promptTokens" Number = "number",
    /// Output tokens; up to release 1.3 they include reasoning.
    completion_tokens: "completionTokens" Number = "number",
    /// Reasoning tokens.
    reasoning_tokens: "reasoningTokens" Number = "number",
    /// Input tokens read from a cache.
    cache_read_tokens: "cacheReadTokens" Number = "number",
    /// Input tokens written to a cache.
    cache_write_tokens: "cacheWriteTokens" Number = "number",
    /// US dollars.
    cost: "cost" Number = "number",
    /// Lines added.
    additions: "additions" Number = "number",
    /// Lines deleted.
    deletions: "deletions" Number = "number",
    /// Files changed.
    files_changed: "filesChanged" Number = "number",
    /// When it was created, Unix milliseconds.
    created_at: "createdAt" Number = "number",
    /// When OpenCode last changed it, Unix milliseconds.
    updated_at: "updatedAt" Number = "number",
    /// When it was archived, Unix milliseconds; empty when it is not.
    archived_at: "archivedAt" Number = "number",
    /// The store of OpenCode that tells this, by the id that clankers left beside
    /// it. No column of `sessions`; what else is told of the store needs it.
    store_id: "storeId" String = "string",
    /// When that store made what it tells, Unix milliseconds. No column: a
    /// deletion that the store told before is over.
    seen_at: "seenAt" Number = "number",
    /// When that store was asked for what it answers here, Unix milliseconds;
    /// unknown where an event tells it. No column, likewise.
    answered_at: "answeredAt" Number = "number",
    /// The time of change up to which nothing of the session is missing, Unix
    /// milliseconds; empty where something is. No column of `sessions`; catch-up
    /// compares it with the time of change that OpenCode lists.
    whole_at: "wholeAt" Number = "number",
    /// Known to be so where OpenCode has reported totals other than zero and
    /// these do not show it. No column of `sessions`.
    reports_usage: "reportsUsage" bool = "boolean",
}

impl SessionRow {
    /// Like [`learn`](Self::learn), but that totals were reported is not
    /// forgotten when a revert takes them back to zero.
    pub(crate) fn learn_totals(&mut self, newer: Self) {
        let reported = self.reports() || newer.reports();
        self.learn(newer);
        if reported && !self.reports() {
            self.reports_usage = Known::Value(true);
        }
    }

    fn reports(&self) -> bool {
        let totals = [
            &self.prompt_tokens,
            &self.completion_tokens,
            &self.reasoning_tokens,
            &self.cache_read_tokens,
            &self.cache_write_tokens,
            &self.cost,
        ];
        let is_spent = |total: &&Known<Number>| total.value().is_some_and(|total| !total.is_zero());
        self.reports_usage == Known::Value(true) || totals.iter().any(is_spent)
    }
}

row! {
    /// What is known of a message (`messages`).
    MessageRow {
        /// OpenCode's `msg_…` id.
        id: "id",
        /// The session it belongs to.
        session_id: "sessionId",
    }
    /// The user message that an assistant message answers.
    parent_id: "parentId" String = "string",
    /// Who speaks.
    role: "role" Role = "Role",
    /// The agent that was asked or that answers.
    agent: "agent" String = "string",
    /// The model.
    model: "model" String = "string",
    /// The model's provider.
    provider: "provider" String = "string",
    /// The text, for writers that send no parts; where there are text parts
    /// the store derives it from them.
    text_content: "textContent" String = "string",
    /// Input tokens that no cache served.
    prompt_tokens: "promptTokens" Number = "number",
    /// Output tokens; up to release 1.3 they include reasoning.
    completion_tokens: "completionTokens" Number = "number",
    /// Reasoning tokens.
    reasoning_tokens: "reasoningTokens" Number = "number",
    /// Input tokens read from a cache.
    cache_read_tokens: "cacheReadTokens" Number = "number",
    /// Input tokens written to a cache.
    cache_write_tokens: "cacheWriteTokens" Number = "number",
    /// US dollars.
    cost: "cost" Number = "number",
    /// Why the provider stopped.
    finish_reason: "finishReason" String = "string",
    /// The error's name, such as `MessageAbortedError`.
    error_name: "errorName" String = "string",
    /// What the error says.
    error_message: "errorMessage" String = "string",
    /// When it was created, Unix milliseconds.
    created_at: "createdAt" Number = "number",
    /// When it was completed, Unix milliseconds.
    completed_at: "completedAt" Number = "number",
    /// From creation to completion, milliseconds.
    duration_ms: "durationMs" Number = "number",
    /// The store of OpenCode that was asked for this. No column: what was
    /// missing or deleted before is there again.
    store_id: "storeId" String = "string",
    /// When it was asked, Unix milliseconds; unknown where an event tells it.
    answered_at: "answeredAt" Number = "number",
}

row! {
    /// What is known of a part that is no tool call (`parts`).
    PartRow {
        /// OpenCode's `prt_…` id.
        id: "id",
        /// The message it belongs to.
        message_id: "messageId",
        /// The session it belongs to.
        session_id: "sessionId",
    }
    /// OpenCode's name of the kind: `text`, `reasoning`, `file`, ….
    kind: "type" String = "string",
    /// The text of a text or reasoning part.
    text: "text" String = "string",
    /// What the part holds beyond the other columns, a JSON text.
    data: "data" String = "string",
    /// Whether OpenCode wrote it, and not a person or the model.
    synthetic: "synthetic" bool = "boolean",
    /// When it started, Unix milliseconds.
    started_at: "startedAt" Number = "number",
    /// When it ended, Unix milliseconds.
    ended_at: "endedAt" Number = "number",
    /// The store of OpenCode that was asked for this. No column: what was
    /// missing or deleted before is there again.
    store_id: "storeId" String = "string",
    /// When it was asked, Unix milliseconds; unknown where an event tells it.
    answered_at: "answeredAt" Number = "number",
}

row! {
    /// What is known of a tool call (`tool_calls`).
    ToolCallRow {
        /// The id of the part that holds the call.
        id: "id",
        /// The message it belongs to.
        message_id: "messageId",
        /// The session it belongs to.
        session_id: "sessionId",
    }
    /// The provider's id of the call; forks copy it.
    call_id: "callId" String = "string",
    /// The tool's name.
    tool: "tool" String = "string",
    /// How far it is.
    status: "status" ToolStatus = "ToolStatus",
    /// What OpenCode shows for it.
    title: "title" String = "string",
    /// Its arguments, a JSON text.
    input: "input" String = "string",
    /// What it returned.
    output: "output" String = "string",
    /// Why it failed.
    error: "error" String = "string",
    /// The file it works on.
    file_path: "filePath" String = "string",
    /// A command's exit status.
    exit_code: "exitCode" Number = "number",
    /// The sub-agent session that a `task` call started.
    child_session_id: "childSessionId" String = "string",
    /// When it started, Unix milliseconds; before a permission is answered.
    started_at: "startedAt" Number = "number",
    /// When it ended, Unix milliseconds.
    ended_at: "endedAt" Number = "number",
    /// From start to end, milliseconds.
    duration_ms: "durationMs" Number = "number",
    /// The store of OpenCode that was asked for this. No column: what was
    /// missing or deleted before is there again.
    store_id: "storeId" String = "string",
    /// When it was asked, Unix milliseconds; unknown where an event tells it.
    answered_at: "answeredAt" Number = "number",
}

row! {
    /// A provider's failure, an abort, or one retry (`session_errors`).
    SessionErrorRow {
        /// Made from what failed, so that the same failure is one row.
        id: "id",
    }
    /// The session it happened in; `session.error` may lack it.
    session_id: "sessionId" String = "string",
    /// The assistant message that failed.
    message_id: "messageId" String = "string",
    /// The error's name, such as `APIError`.
    name: "name" String = "string",
    /// What the error says.
    message: "message" String = "string",
    /// The provider's HTTP status.
    status_code: "statusCode" Number = "number",
    /// Whether OpenCode holds it worth another try.
    retryable: "retryable" bool = "boolean",
    /// Which retry this is, from 1; none for a final failure.
    attempt: "attempt" Number = "number",
    /// When, Unix milliseconds.
    created_at: "createdAt" Number = "number",
}

row! {
    /// A permission that was asked (`permissions`).
    PermissionRow {
        /// OpenCode's `per_…` id.
        id: "id",
    }
    /// The session that asks.
    session_id: "sessionId" String = "string",
    /// The message whose tool call asks.
    message_id: "messageId" String = "string",
    /// The provider's id of that call.
    call_id: "callId" String = "string",
    /// What is asked for: `bash`, `edit`, ….
    permission: "permission" String = "string",
    /// The patterns it is asked for, a JSON list.
    patterns: "patterns" String = "string",
    /// The answer.
    reply: "reply" Reply = "Reply",
    /// When it was asked, Unix milliseconds.
    asked_at: "askedAt" Number = "number",
    /// When it was answered, Unix milliseconds.
    replied_at: "repliedAt" Number = "number",
}

row! {
    /// One entry of a to-do list (`todos`); its position is its place in the list.
    TodoRow {
        /// What is to do.
        content: "content",
    }
    /// `pending`, `in_progress`, `completed` or `cancelled`.
    status: "status" String = "string",
    /// `high`, `medium` or `low`.
    priority: "priority" String = "string",
}

/// Declares an enum of words that the contract fixes.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// The words' TypeScript type, for the generated declarations.
            pub const TYPESCRIPT: &'static str =
                concat!("export type ", stringify!($name), " =", $(" | \"", $word, "\"",)+ ";\n");
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The words as they are written, for a rejection's text.
            pub const EXPECTED: &'static str = concat!("one of", $(" `", $word, "`",)+);

            /// The word as it is written.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one that is written `word`.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// What a session is doing.
    SessionStatus {
        /// Nothing.
        Idle = "idle",
        /// A turn is under way.
        Busy = "busy",
        /// It waits to try a provider again.
        Retry = "retry",
    }
}

words! {
    /// Who speaks in a message.
    Role {
        /// A person, or the parent of a sub-agent.
        User = "user",
        /// The model.
        Assistant = "assistant",
    }
}

words! {
    /// How far a tool call is; later is greater.
    ToolStatus {
        /// The model is still writing its arguments.
        Pending = "pending",
        /// It runs, or waits for a permission.
        Running = "running",
        /// It returned.
        Completed = "completed",
        /// It failed.
        Error = "error",
    }
}

words! {
    /// The answer to a permission.
    Reply {
        /// This time.
        Once = "once",
        /// From now on.
        Always = "always",
        /// No.
        Reject = "reject",
    }
}

words! {
    /// What becomes of what OpenCode deletes.
    OnDelete {
        /// Content is erased, usage is kept.
        Tombstone = "tombstone",
        /// Everything is kept, marked as deleted.
        Keep = "keep",
        /// The rows are deleted; the ledger stays.
        Purge = "purge",
    }
}
