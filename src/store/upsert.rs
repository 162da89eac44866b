//! Builds the upsert of a table from the list of its columns.

use super::deleting::{erased_either, erased_message, erased_session};

/// What an upsert does to a column of a row that is there already.
#[derive(Clone, Copy)]
enum Rule {
    /// What comes in replaces it, if it is known.
    Latest,
    /// Like `Latest`, unless the row was erased: then it stays what it is.
    Content,
    /// Like `Content`, until there are parts that it is derived from.
    Derived,
    /// The first value stays.
    First,
    /// The least value stays: of a time that is noted when it is observed.
    Earliest,
    /// Like `Latest`, once OpenCode reports totals for the session.
    Reported,
}

/// A column, the parameter it comes from, and what stands in for no value.
struct Column {
    name: &'static str,
    param: &'static str,
    rule: Rule,
    default: &'static str,
}

const fn column(name: &'static str, param: &'static str, rule: Rule) -> Column {
    Column {
        name,
        param,
        rule,
        default: "NULL",
    }
}

const fn latest(name: &'static str, param: &'static str) -> Column {
    column(name, param, Rule::Latest)
}

const fn content(name: &'static str, param: &'static str) -> Column {
    column(name, param, Rule::Content)
}

const fn earliest(name: &'static str, param: &'static str) -> Column {
    column(name, param, Rule::Earliest)
}

const fn first(name: &'static str, param: &'static str) -> Column {
    column(name, param, Rule::First)
}

impl Column {
    const fn or(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }
}

/// A table's upsert. Every SQL text in it reads the command's parameters as
/// the JSON text `?1` and the stored row by the table's name.
struct Upsert {
    table: &'static str,
    columns: Vec<Column>,
    /// True where what comes in is older than the row; `NULL` where nobody knows.
    older: &'static str,
    /// True where the content of the row was erased, or of what it belongs to.
    erased: String,
    /// The same of a row that is not there yet.
    born_erased: String,
    /// When what a new row belongs to was deleted, where the table has that column.
    deleted_at: Option<&'static str>,
}

impl Upsert {
    /// The statement.
    fn sql(&self) -> String {
        let table = self.table;
        let mut names = vec!["id"];
        let mut values = vec!["?1 ->> 'id'".to_owned()];
        let mut updates = Vec::new();
        for Column {
            name,
            param,
            rule,
            default,
        } in &self.columns
        {
            names.push(name);
            let value = format!("coalesce(?1 ->> '{param}', {default})");
            values.push(match rule {
                Rule::Content | Rule::Derived => format!("iif(erased, {default}, {value})"),
                _ => value,
            });
            let unknown = format!("json_type(?1, '$.{param}') IS NULL");
            let keep = match rule {
                Rule::First => format!("{table}.{name} IS NOT NULL"),
                Rule::Latest | Rule::Earliest => unknown,
                Rule::Content => format!("{unknown} OR {}", self.erased),
                Rule::Derived => format!("{unknown} OR {} OR {HAS_TEXTS}", self.erased),
                Rule::Reported => format!("{unknown} OR NOT {REPORTS_USAGE}"),
            };
            updates.push(match rule {
                Rule::Earliest => format!(
                    "{name} = min(coalesce({table}.{name}, excluded.{name}), \
                     coalesce(excluded.{name}, {table}.{name}))"
                ),
                _ => format!("{name} = iif({keep}, {table}.{name}, excluded.{name})"),
            });
        }
        if let Some(deleted_at) = self.deleted_at {
            names.push("deleted_at");
            values.push(deleted_at.to_owned());
        }
        format!(
            "INSERT INTO {table} ({})\nSELECT\n  {}\nFROM (SELECT {} AS erased)\nWHERE {}\nON CONFLICT (id) DO UPDATE SET\n  {}\nWHERE NOT coalesce({}, false)",
            names.join(", "),
            values.join(",\n  "),
            self.born_erased,
            super::NOT_PURGED,
            updates.join(",\n  "),
            self.older,
        )
    }
}

const HAS_TEXTS: &str =
    "EXISTS (SELECT 1 FROM parts WHERE message_id = messages.id AND type = 'text')";

const REPORTS_USAGE: &str =
    "EXISTS (SELECT 1 FROM session_own WHERE session_id = sessions.id AND reports_usage)";

const fn reported(name: &'static str, param: &'static str) -> Column {
    column(name, param, Rule::Reported).or("0")
}

pub(super) fn sessions() -> String {
    Upsert {
        table: "sessions",
        columns: vec![
            latest("parent_id", "parentId"),
            latest("source", "source").or("'opencode'"),
            latest("source_version", "sourceVersion"),
            content("title", "title"),
            latest("project_id", "projectId"),
            latest("project_path", "projectPath"),
            latest("project_name", "projectName"),
            latest("status", "status").or("'idle'"),
            reported("prompt_tokens", "promptTokens"),
            reported("completion_tokens", "completionTokens"),
            reported("reasoning_tokens", "reasoningTokens"),
            reported("cache_read_tokens", "cacheReadTokens"),
            reported("cache_write_tokens", "cacheWriteTokens"),
            reported("cost", "cost"),
            latest("additions", "additions").or("0"),
            latest("deletions", "deletions").or("0"),
            latest("files_changed", "filesChanged").or("0"),
            latest("created_at", "createdAt"),
            latest("updated_at", "updatedAt"),
            latest("archived_at", "archivedAt"),
        ],
        older: super::OLDER_SESSION,
        erased: erased_session("sessions.id"),
        born_erased: "false".to_owned(),
        deleted_at: None,
    }
    .sql()
}

pub(super) fn messages() -> String {
    Upsert {
        table: "messages",
        columns: vec![
            first("session_id", "sessionId"),
            latest("parent_id", "parentId"),
            latest("role", "role"),
            latest("agent", "agent"),
            latest("model", "model"),
            latest("provider", "provider"),
            column("text_content", "textContent", Rule::Derived).or("''"),
            latest("prompt_tokens", "promptTokens").or("0"),
            latest("completion_tokens", "completionTokens").or("0"),
            latest("reasoning_tokens", "reasoningTokens").or("0"),
            latest("cache_read_tokens", "cacheReadTokens").or("0"),
            latest("cache_write_tokens", "cacheWriteTokens").or("0"),
            latest("cost", "cost").or("0"),
            latest("finish_reason", "finishReason"),
            latest("error_name", "errorName"),
            content("error_message", "errorMessage"),
            latest("created_at", "createdAt"),
            latest("completed_at", "completedAt"),
            latest("duration_ms", "durationMs"),
        ],
        // A snapshot of a message that is not completed yet says so with a null.
        older: "messages.completed_at IS NOT NULL AND (json_type(?1, '$.completedAt') = 'null' \
        OR ?1 ->> 'completedAt' < messages.completed_at)",
        erased: erased_message("messages.id"),
        born_erased: erased_session("?1 ->> 'sessionId'"),
        deleted_at: Some("(SELECT deleted_at FROM sessions WHERE id = ?1 ->> 'sessionId')"),
    }
    .sql()
}

pub(super) fn parts() -> String {
    Upsert {
        table: "parts",
        columns: vec![
            first("message_id", "messageId"),
            first("session_id", "sessionId"),
            latest("type", "type"),
            content("text", "text"),
            content("data", "data"),
            latest("synthetic", "synthetic").or("0"),
            latest("started_at", "startedAt"),
            latest("ended_at", "endedAt"),
        ],
        // A part that is still streamed says so with a null; its text only grows.
        // A text with a start and no end never takes the place of one that ended:
        // what another process was answered in mid-stream may come after the end.
        older: "(parts.ended_at IS NOT NULL AND json_type(?1, '$.endedAt') IS NULL \
        AND ?1 ->> 'startedAt' IS NOT NULL AND json_type(?1, '$.text') IS NOT NULL) \
        OR (json_type(?1, '$.endedAt') = 'null' \
        AND (parts.ended_at IS NOT NULL OR length(?1 ->> 'text') < length(parts.text)))",
        erased: erased_message("parts.message_id"),
        born_erased: erased_message("?1 ->> 'messageId'"),
        deleted_at: None,
    }
    .sql()
}

pub(super) fn tool_calls() -> String {
    Upsert {
        table: "tool_calls",
        columns: vec![
            latest("call_id", "callId"),
            first("message_id", "messageId"),
            first("session_id", "sessionId"),
            latest("tool", "tool"),
            latest("status", "status"),
            content("title", "title"),
            content("input", "input"),
            content("output", "output"),
            content("error", "error"),
            latest("file_path", "filePath"),
            latest("exit_code", "exitCode"),
            latest("child_session_id", "childSessionId"),
            latest("started_at", "startedAt"),
            latest("ended_at", "endedAt"),
            latest("duration_ms", "durationMs"),
        ],
        // A call goes pending, running, and then ends one way or the other.
        older: "CASE ?1 ->> 'status' WHEN 'pending' THEN tool_calls.status <> 'pending' \
        WHEN 'running' THEN tool_calls.status IN ('completed', 'error') ELSE false END",
        erased: erased_message("tool_calls.message_id"),
        born_erased: erased_message("?1 ->> 'messageId'"),
        deleted_at: Some("(SELECT deleted_at FROM messages WHERE id = ?1 ->> 'messageId')"),
    }
    .sql()
}

pub(super) fn session_errors() -> String {
    Upsert {
        table: "session_errors",
        columns: vec![
            latest("session_id", "sessionId"),
            latest("message_id", "messageId"),
            latest("name", "name"),
            content("message", "message"),
            latest("status_code", "statusCode"),
            latest("retryable", "retryable"),
            latest("attempt", "attempt"),
            earliest("created_at", "createdAt"),
        ],
        older: "false",
        erased: erased_either("session_errors.session_id", "session_errors.message_id"),
        born_erased: erased_either("?1 ->> 'sessionId'", "?1 ->> 'messageId'"),
        deleted_at: None,
    }
    .sql()
}

pub(super) fn permissions() -> String {
    Upsert {
        table: "permissions",
        columns: vec![
            latest("session_id", "sessionId"),
            latest("message_id", "messageId"),
            latest("call_id", "callId"),
            latest("permission", "permission"),
            content("patterns", "patterns"),
            latest("reply", "reply"),
            earliest("asked_at", "askedAt"),
            earliest("replied_at", "repliedAt"),
        ],
        older: "false",
        erased: erased_either("permissions.session_id", "permissions.message_id"),
        born_erased: erased_either("?1 ->> 'sessionId'", "?1 ->> 'messageId'"),
        deleted_at: None,
    }
    .sql()
}
