//! The rows that commands change, each field as far as it is known.
//!
//! These are the columns of the storage contract in camelCase. Events carry
//! them from decoding on, the reconciler merges them, commands deliver them.
//!
//! The last word of each column says when it is stored ([`Kept`]): the names of
//! people's files, what they write and what is answered to them is kept `InFull`.

use serde::{Deserialize, Serialize};

use crate::model::column::{Column, Guard, Kept, Row, Rule, row};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::weight::Weigh;

/// Declares a row that a store of OpenCode, or a copy of its data, tells; with what
/// is said of the telling, which is no column.
macro_rules! told_row {
    ($($row:tt)*) => {
        row! {
            $($row)*
            /// The store of OpenCode that was asked for this. No column: what was
            /// missing or deleted before is there again.
            store_id: "storeId" String = "string", TEXT of "", Provenance, Always;
            /// When it was asked, Unix milliseconds; unknown where an event tells it.
            answered_at: "answeredAt" Number = "number", INTEGER of "", Greatest, Always;
            /// When the session was changed last in the copy that tells this, Unix
            /// milliseconds; unknown where no copy does. No column: a copy does not
            /// overwrite what is stored whole and is newer.
            copied_at: "copiedAt" Number = "number", INTEGER of "", Provenance, Always;
            /// How that copy ranks among those that have the session with the same time of
            /// change. No column, likewise.
            copy_rank: "copyRank" Number = "number", INTEGER of "", Provenance, Always;
        }
    };
}

row! {
    /// What is known of a session (`sessions`). Its tokens and cost are what
    /// OpenCode itself reports for the session; sums are the store's.
    SessionRow in "sessions" guarded by Updated {
        /// OpenCode's `ses_…` id.
        id: "id" or "sessionId" kept Always,
    }
    /// The session whose `task` call started this one.
    parent_id: "parentId" String = "string", TEXT, Latest, Always;
    /// The agent whose release began it; `opencode` unless said.
    source: "source" String = "string", TEXT or "'opencode'", Latest, Always;
    /// The OpenCode release that made the session (`info.version`).
    source_version: "sourceVersion" String = "string", TEXT, Latest, Always;
    /// The title, a model's or a person's.
    title: "title" String = "string", TEXT, Content, InFull;
    /// OpenCode's project id: the repository's first commit, or `global`.
    project_id: "projectId" String = "string", TEXT, Latest, Always;
    /// The directory the session works in.
    project_path: "projectPath" String = "string", TEXT, Latest, InFull;
    /// The last component of that directory.
    project_name: "projectName" String = "string", TEXT, Latest, Always;
    /// The agent, where the release reports one for the session (1.17 on).
    agent: "agent" String = "string", TEXT of "session_own", Latest, Always;
    /// The model, where the release reports one for the session (1.17 on).
    model: "model" String = "string", TEXT of "session_own", Latest, Always;
    /// That model's provider.
    provider: "provider" String = "string", TEXT of "session_own", Latest, Always;
    /// What the session is doing.
    status: "status" SessionStatus = "SessionStatus", TEXT or "'idle'", Apart, Always;
    /// Input tokens that no cache served.
    prompt_tokens: "promptTokens" Number = "number", INTEGER or "0", Reported, Always;
    /// Output tokens; up to release 1.3 they include reasoning.
    completion_tokens: "completionTokens" Number = "number", INTEGER or "0", Reported, Always;
    /// Reasoning tokens.
    reasoning_tokens: "reasoningTokens" Number = "number", INTEGER or "0", Reported, Always;
    /// Input tokens read from a cache.
    cache_read_tokens: "cacheReadTokens" Number = "number", INTEGER or "0", Reported, Always;
    /// Input tokens written to a cache.
    cache_write_tokens: "cacheWriteTokens" Number = "number", INTEGER or "0", Reported, Always;
    /// US dollars.
    cost: "cost" Number = "number", REAL or "0", Reported, Always;
    /// Lines added, where OpenCode tells it.
    additions: "additions" Number = "number", INTEGER, Latest, Always;
    /// Lines deleted.
    deletions: "deletions" Number = "number", INTEGER, Latest, Always;
    /// Files changed.
    files_changed: "filesChanged" Number = "number", INTEGER, Latest, Always;
    /// Whether those totals are what OpenCode says also where all of them are
    /// zero. No column: the store sums up what is not reported.
    reports_totals: "reportsTotals" bool = "boolean", INTEGER of "", Latest, Always;
    /// When it was created, Unix milliseconds.
    created_at: "createdAt" Number = "number", INTEGER, Latest, Always;
    /// When OpenCode last changed it, Unix milliseconds.
    updated_at: "updatedAt" Number = "number", INTEGER, Latest, Always;
    /// When it was archived, Unix milliseconds; empty when it is not.
    archived_at: "archivedAt" Number = "number", INTEGER, Latest, Always;
    /// The store of OpenCode that tells this, by the id that clankers left beside
    /// it. No column of `sessions`; what else is told of the store needs it.
    store_id: "storeId" String = "string", TEXT of "session_stores", Provenance, Always;
    /// When that store made what it tells, Unix milliseconds. No column: a
    /// deletion that the store told before is over.
    seen_at: "seenAt" Number = "number", INTEGER of "session_stores", Greatest, Always;
    /// When that store was asked for what it answers here, Unix milliseconds;
    /// unknown where an event tells it. No column, likewise.
    answered_at: "answeredAt" Number = "number", INTEGER of "session_stores", Greatest, Always;
    /// When the session was changed last in the copy that tells this, Unix
    /// milliseconds; unknown where no copy does. No column: a copy does not
    /// overwrite what is stored whole and is newer.
    copied_at: "copiedAt" Number = "number", INTEGER of "session_own", Provenance, Always;
    /// How that copy ranks among those that have the session with the same time of
    /// change. No column of `sessions`: the one that ranks highest tells it.
    copy_rank: "copyRank" Number = "number", INTEGER of "session_own", Provenance, Always;
    /// The time of change up to which nothing of the session is missing, Unix
    /// milliseconds; empty where something is. No column of `sessions`; catch-up
    /// compares it with the time of change that OpenCode lists.
    whole_at: "wholeAt" Number = "number", INTEGER of "session_own", Apart, Always;
}

impl SessionRow {
    /// Whether OpenCode reports totals for the session: it says so, or any is
    /// not zero.
    pub(crate) fn reports_usage(&self) -> bool {
        let is_spent = |total: &Known<Number>| total.value().is_some_and(|total| !total.is_zero());
        self.reports_totals == Known::Value(true) || self.amounts().into_iter().any(is_spent)
    }
}

/// The amounts of rows that have them all.
macro_rules! amounts {
    ($($row:ident)+) => {
        $(impl $row {
            /// What it took and what that cost.
            pub(crate) fn amounts(&self) -> [&Known<Number>; 6] {
                [
                    &self.prompt_tokens,
                    &self.completion_tokens,
                    &self.reasoning_tokens,
                    &self.cache_read_tokens,
                    &self.cache_write_tokens,
                    &self.cost,
                ]
            }
        })+
    };
}

amounts! { SessionRow MessageRow }

told_row! {
    /// What is known of a message (`messages`).
    MessageRow in "messages" guarded by Completed {
        /// OpenCode's `msg_…` id.
        id: "id" kept Always,
        /// The session it belongs to.
        session_id: "sessionId" kept Always,
    }
    /// The user message that an assistant message answers.
    parent_id: "parentId" String = "string", TEXT, Latest, Always;
    /// The order within the session, where the engine says one.
    position: "position" Number = "number", INTEGER, Latest, Always;
    /// What it is where no person and no model said it in a turn.
    kind: "kind" MessageKind = "MessageKind", TEXT, Latest, Always;
    /// Who speaks.
    role: "role" Role = "Role", TEXT, Latest, Always;
    /// The agent that was asked or that answers.
    agent: "agent" String = "string", TEXT, Latest, Always;
    /// The model.
    model: "model" String = "string", TEXT, Latest, Always;
    /// The model's provider.
    provider: "provider" String = "string", TEXT, Latest, Always;
    /// The text, for writers that send no parts; where there are text parts
    /// the store derives it from them.
    text_content: "textContent" String = "string", TEXT or "''", Derived, InFull;
    /// Input tokens that no cache served.
    prompt_tokens: "promptTokens" Number = "number", INTEGER or "0", Latest, Always;
    /// Output tokens; up to release 1.3 they include reasoning.
    completion_tokens: "completionTokens" Number = "number", INTEGER or "0", Latest, Always;
    /// Reasoning tokens.
    reasoning_tokens: "reasoningTokens" Number = "number", INTEGER or "0", Latest, Always;
    /// Input tokens read from a cache.
    cache_read_tokens: "cacheReadTokens" Number = "number", INTEGER or "0", Latest, Always;
    /// Input tokens written to a cache.
    cache_write_tokens: "cacheWriteTokens" Number = "number", INTEGER or "0", Latest, Always;
    /// US dollars.
    cost: "cost" Number = "number", REAL or "0", Latest, Always;
    /// Why the provider stopped.
    finish_reason: "finishReason" String = "string", TEXT, Latest, Always;
    /// The error's name, such as `MessageAbortedError`.
    error_name: "errorName" String = "string", TEXT, Latest, Always;
    /// What the error says.
    error_message: "errorMessage" String = "string", TEXT, Content, InFull;
    /// When it was created, Unix milliseconds.
    created_at: "createdAt" Number = "number", INTEGER, Latest, Always;
    /// When it was completed, Unix milliseconds.
    completed_at: "completedAt" Number = "number", INTEGER, Latest, Always;
    /// From creation to completion, milliseconds.
    duration_ms: "durationMs" Number = "number", INTEGER, Latest, Always;
}

told_row! {
    /// What is known of a part that is no tool call (`parts`).
    PartRow in "parts" guarded by Written {
        /// OpenCode's `prt_…` id.
        id: "id" kept Always,
        /// The message it belongs to.
        message_id: "messageId" kept Always,
        /// The session it belongs to.
        session_id: "sessionId" kept Always,
    }
    /// The order within the message, where the engine says one.
    position: "position" Number = "number", INTEGER, Latest, Always;
    /// OpenCode's name of the kind: `text`, `reasoning`, `file`, ….
    kind: "type" String = "string", TEXT "type", Latest, Always;
    /// The text of a text or reasoning part.
    text: "text" String = "string", TEXT, Content, InFull;
    /// What the part holds beyond the other columns, a JSON text.
    data: "data" String = "string", TEXT, Content, InFull;
    /// Whether OpenCode wrote it, and not a person or the model.
    synthetic: "synthetic" bool = "boolean", INTEGER or "0", Latest, Always;
    /// Whether the model never saw it.
    ignored: "ignored" bool = "boolean", INTEGER, Latest, Always;
    /// When it started, Unix milliseconds.
    started_at: "startedAt" Number = "number", INTEGER, Latest, Always;
    /// When it ended, Unix milliseconds.
    ended_at: "endedAt" Number = "number", INTEGER, Latest, Always;
}

told_row! {
    /// What is known of a tool call (`tool_calls`).
    ToolCallRow in "tool_calls" guarded by Status {
        /// The id of the part that holds the call.
        id: "id" kept Always,
        /// The message it belongs to.
        message_id: "messageId" kept Always,
        /// The session it belongs to.
        session_id: "sessionId" kept Always,
    }
    /// The order within the message, where the engine says one.
    position: "position" Number = "number", INTEGER, Latest, Always;
    /// The provider's id of the call; forks copy it.
    call_id: "callId" String = "string", TEXT, Latest, Always;
    /// The tool's name.
    tool: "tool" String = "string", TEXT, Latest, Always;
    /// How far it is.
    status: "status" ToolStatus = "ToolStatus", TEXT, Latest, Always;
    /// What OpenCode shows for it.
    title: "title" String = "string", TEXT, Content, InFull;
    /// Its arguments, a JSON text.
    input: "input" String = "string", TEXT, Content, InFull;
    /// What it returned.
    output: "output" String = "string", TEXT, Content, InFull;
    /// Why it failed.
    error: "error" String = "string", TEXT, Content, InFull;
    /// The file it works on.
    file_path: "filePath" String = "string", TEXT, Latest, InFull;
    /// A command's exit status.
    exit_code: "exitCode" Number = "number", INTEGER, Latest, Always;
    /// The sub-agent session that a `task` call started.
    child_session_id: "childSessionId" String = "string", TEXT, Latest, Always;
    /// When it started, Unix milliseconds; before a permission is answered.
    started_at: "startedAt" Number = "number", INTEGER, Latest, Always;
    /// When it ended, Unix milliseconds.
    ended_at: "endedAt" Number = "number", INTEGER, Latest, Always;
    /// From start to end, milliseconds.
    duration_ms: "durationMs" Number = "number", INTEGER, Latest, Always;
}

row! {
    /// A step that a provider answered, a row of the ledger (`usage`).
    UsageRow in "usage" guarded by Never {
        /// The id of the part that ended the step.
        id: "id" kept Always,
        /// The message it belongs to.
        message_id: "messageId" kept Always,
        /// The session it belongs to.
        session_id: "sessionId" kept Always,
    }
    /// The model that answered, where the step says it over its message (Kilo's
    /// automatic models).
    model: "model" String = "string", TEXT of "usage_own", First, Always;
    /// That model's provider.
    provider: "provider" String = "string", TEXT of "usage_own", First, Always;
    /// Input tokens that no cache served.
    prompt_tokens: "promptTokens" Number = "number", INTEGER or "0", Greatest, Always;
    /// Output tokens; up to release 1.3 they include reasoning.
    completion_tokens: "completionTokens" Number = "number", INTEGER or "0", Greatest, Always;
    /// Reasoning tokens.
    reasoning_tokens: "reasoningTokens" Number = "number", INTEGER or "0", Greatest, Always;
    /// Input tokens read from a cache.
    cache_read_tokens: "cacheReadTokens" Number = "number", INTEGER or "0", Greatest, Always;
    /// Input tokens written to a cache.
    cache_write_tokens: "cacheWriteTokens" Number = "number", INTEGER or "0", Greatest, Always;
    /// US dollars.
    cost: "cost" Number = "number", REAL or "0", Greatest, Always;
}

row! {
    /// A provider's failure, an abort, or one retry (`session_errors`).
    SessionErrorRow in "session_errors" guarded by Never {
        /// Made from what failed, so that the same failure is one row.
        id: "id" kept Always,
    }
    /// The session it happened in; `session.error` may lack it.
    session_id: "sessionId" String = "string", TEXT, Latest, Always;
    /// The assistant message that failed.
    message_id: "messageId" String = "string", TEXT, Latest, Always;
    /// The error's name, such as `APIError`.
    name: "name" String = "string", TEXT, Latest, Always;
    /// What the error says.
    message: "message" String = "string", TEXT, Content, InFull;
    /// The provider's HTTP status.
    status_code: "statusCode" Number = "number", INTEGER, Latest, Always;
    /// Whether OpenCode holds it worth another try.
    retryable: "retryable" bool = "boolean", INTEGER, Latest, Always;
    /// Which retry this is, from 1; none for a final failure.
    attempt: "attempt" Number = "number", INTEGER, Latest, Always;
    /// When, Unix milliseconds.
    created_at: "createdAt" Number = "number", INTEGER, Earliest, Always;
}

row! {
    /// A permission that was asked (`permissions`).
    PermissionRow in "permissions" guarded by Never {
        /// OpenCode's `per_…` id.
        id: "id" kept Always,
    }
    /// The session that asks.
    session_id: "sessionId" String = "string", TEXT, First, Always;
    /// The message whose tool call asks.
    message_id: "messageId" String = "string", TEXT, First, Always;
    /// The provider's id of that call.
    call_id: "callId" String = "string", TEXT, First, Always;
    /// What is asked for: `bash`, `edit`, ….
    permission: "permission" String = "string", TEXT, Latest, Always;
    /// The patterns it is asked for, a JSON list.
    patterns: "patterns" String = "string", TEXT, Content, InFull;
    /// The answer.
    reply: "reply" Reply = "Reply", TEXT, Latest, Always;
    /// When it was asked, Unix milliseconds.
    asked_at: "askedAt" Number = "number", INTEGER, Earliest, Always;
    /// When it was answered, Unix milliseconds.
    replied_at: "repliedAt" Number = "number", INTEGER, Earliest, Always;
}

row! {
    /// One entry of a to-do list (`todos`); its position is its place in the list.
    TodoRow in "todos" guarded by Never {
        /// What is to do.
        content: "content" kept InFull,
    }
    /// `pending`, `in_progress`, `completed` or `cancelled`.
    status: "status" String = "string", TEXT, Latest, Always;
    /// `high`, `medium` or `low`.
    priority: "priority" String = "string", TEXT, Latest, Always;
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

        impl Weigh for $name {}
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
    /// What a message is that no person and no model said in a turn.
    MessageKind {
        /// OpenCode itself put it in.
        Synthetic = "synthetic",
        /// A summary of what went before, or the request for one.
        Compaction = "compaction",
        /// A command that a person ran.
        Shell = "shell",
        /// A skill that was loaded.
        Skill = "skill",
        /// What the model is told of its task.
        System = "system",
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
    /// What is stored of a conversation.
    Content {
        /// All of it.
        Full = "full",
        /// What it took, and none of what was said in it or done by it.
        Metadata = "metadata",
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
