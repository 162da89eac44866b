//! `clankers show`: one session, as it went.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::output::{
    Format, Kind, Out, Table, clean, column, count, duration, money, one_line, time,
};
use crate::paths::Places;
use crate::store::{Row, open_reader, rows};

/// Show one session: what was said, done and spent
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The session: its id, the beginning of one, or `last`
    #[arg(default_value = "last")]
    session: String,
    /// What tools were given and what they returned, whole
    #[arg(long, short)]
    tools: bool,
    /// What the model thought, whole
    #[arg(long, short)]
    reasoning: bool,
}

/// One session with all that belongs to it.
struct Transcript {
    session: Row,
    /// What was truly spent, sub-agents included.
    spent: Row,
    messages: Vec<Message>,
    errors: Vec<Row>,
    todos: Vec<Row>,
}

struct Message {
    row: Row,
    /// Parts and tool calls, in their order.
    parts: BTreeMap<String, Part>,
}

enum Part {
    Other(Row),
    Tool(Row),
}

/// The id of the one session that `wanted` means.
pub(crate) fn resolve(db: &Connection, wanted: &str) -> Result<String> {
    if wanted == "last" {
        let last = "SELECT id FROM sessions WHERE deleted_at IS NULL AND parent_id IS NULL \
                    ORDER BY coalesce(updated_at, created_at) DESC, id LIMIT 1";
        let mut found = rows(db, last, [])?;
        let id = found
            .pop()
            .and_then(|row| row.text("id").map(str::to_owned));
        return id.ok_or_else(|| Error::new("there is no session yet"));
    }
    let begins = "SELECT id, title FROM sessions WHERE substr(id, 1, length(?1)) = ?1 \
                  OR substr(id, 5, length(?1)) = ?1 ORDER BY id = ?1 DESC, id LIMIT 6";
    let found = rows(db, begins, [wanted])?;
    let list = || -> String {
        let line = |row: &Row| {
            let title = one_line(row.text("title").unwrap_or_default());
            format!("\n  {}  {title}", row.text("id").unwrap_or_default())
        };
        found.iter().map(line).collect()
    };
    match found.as_slice() {
        [] => Err(Error::new(format!("no session begins with `{wanted}`"))
            .hint("`clankers sessions --all` lists them")),
        [one] => Ok(one.text("id").unwrap_or_default().to_owned()),
        [first, ..] if first.text("id") == Some(wanted) => Ok(wanted.to_owned()),
        _ => Err(Error::new(format!(
            "several sessions begin with `{wanted}`:{}",
            list()
        ))),
    }
}

/// Shows it.
pub(crate) fn run(args: &Args, places: &Places, out: &mut Out) -> Result<()> {
    let db = open_reader(&places.db)?;
    db.execute_batch("BEGIN")?;
    let id = resolve(&db, &args.session)?;
    let transcript = Transcript::read(&db, &id)?;
    match out.format {
        Format::Table => transcript.text(args, out),
        Format::Md => transcript.markdown(args, out),
        Format::Json => out.json(&transcript.json()),
        Format::Jsonl => {
            for message in &transcript.messages {
                out.line(&message.json().to_string())?;
            }
            Ok(())
        }
        Format::Csv => out.table(&transcript.table()),
    }
}

impl Transcript {
    fn read(db: &Connection, id: &str) -> Result<Self> {
        let one = |sql: &str| Ok::<_, Error>(rows(db, sql, [id])?.pop().unwrap_or_default());
        let by_message = |sql: &str, wrap: fn(Row) -> Part| {
            let mut parts: BTreeMap<String, BTreeMap<String, Part>> = BTreeMap::new();
            for row in rows(db, sql, [id])? {
                let key = |name: &str| row.text(name).unwrap_or_default().to_owned();
                let (message, part) = (key("message_id"), key("id"));
                parts.entry(message).or_default().insert(part, wrap(row));
            }
            Ok::<_, Error>(parts)
        };
        let of_session = "message_id IN (SELECT id FROM messages WHERE session_id = ?1)";
        let mut parts = by_message(
            &format!("SELECT * FROM parts WHERE {of_session}"),
            Part::Other,
        )?;
        let mut calls = by_message(
            &format!("SELECT * FROM tool_calls WHERE {of_session}"),
            Part::Tool,
        )?;
        let message = |row: Row| {
            let id = row.text("id").unwrap_or_default();
            let mut parts = parts.remove(id).unwrap_or_default();
            parts.extend(calls.remove(id).unwrap_or_default());
            Message { row, parts }
        };
        let messages = "SELECT * FROM messages WHERE session_id = ?1 ORDER BY created_at, id";
        Ok(Self {
            session: one("SELECT * FROM sessions WHERE id = ?1")?,
            spent: one("SELECT * FROM session_usage WHERE session_id = ?1")?,
            messages: rows(db, messages, [id])?.into_iter().map(message).collect(),
            errors: rows(
                db,
                "SELECT * FROM session_errors WHERE session_id = ?1 ORDER BY created_at, id",
                [id],
            )?,
            todos: rows(
                db,
                "SELECT * FROM todos WHERE session_id = ?1 ORDER BY position",
                [id],
            )?,
        })
    }

    fn title(&self) -> String {
        let fallback = if self.session.int("deleted_at").is_some() {
            "(deleted)"
        } else {
            "(no title)"
        };
        one_line(self.session.text("title").unwrap_or(fallback))
    }

    /// What is known of it, in a few lines.
    fn facts(&self) -> Vec<String> {
        let session = &self.session;
        let join = |parts: &[Option<String>]| {
            parts
                .iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" · ")
        };
        let text = |name: &str| session.text(name).map(one_line);
        let model = session
            .text("model")
            .map(|model| match session.text("provider") {
                Some(provider) => format!("{provider}/{model}"),
                None => model.to_owned(),
            });
        let version = text("source_version").map(|version| format!("OpenCode {version}"));
        let when = session.int("created_at").map(time);
        let tokens = self
            .spent
            .int("inclusive_tokens")
            .filter(|&tokens| tokens > 0);
        let spent = self.spent.real("inclusive_cost");
        let own = self.spent.real("own_cost");
        let with = ((spent - own).abs() > 1e-9)
            .then(|| format!("of it {} by sub-agents", money(spent - own)));
        let marks = [("deleted_at", "deleted"), ("archived_at", "archived")]
            .into_iter()
            .filter_map(|(name, word)| session.int(name).map(|at| format!("{word} {}", time(at))));
        let mut facts = vec![
            session.text("id").unwrap_or_default().to_owned(),
            join(&[text("project_path"), when, version]),
            join(&[
                model,
                tokens.map(|tokens| format!("{} tokens", count(tokens))),
                Some(money(spent)),
                with,
            ]),
        ];
        facts.extend(
            session
                .text("parent_id")
                .map(|parent| format!("sub-agent of {parent}")),
        );
        facts.extend(marks);
        facts.retain(|fact| !fact.is_empty());
        facts
    }

    fn text(&self, args: &Args, out: &mut Out) -> Result<()> {
        out.heading(&self.title())?;
        for fact in self.facts() {
            out.remark(&fact)?;
        }
        for message in &self.messages {
            out.line("")?;
            let heading = message.heading();
            let (who, rest) = heading.split_once(' ').unwrap_or((&heading, ""));
            let heading = format!("{} {}", out.bold(who), out.dim(rest));
            out.line(heading.trim_end())?;
            for line in message.lines(args, false) {
                let line = match line {
                    Line::Said(text) => wrap(&text, out.width()),
                    Line::Folded(text) => out.dim(&fold(&text, out.width())),
                    Line::Failed(text) => out.red(&fold(&text, out.width())),
                    Line::Block(text) => indented(&text),
                };
                out.line(line.trim_end_matches('\n'))?;
            }
        }
        self.endings(out)
    }

    fn markdown(&self, args: &Args, out: &mut Out) -> Result<()> {
        out.line(&format!("# {}\n", self.title()))?;
        for fact in self.facts() {
            out.line(&format!("- {fact}"))?;
        }
        for message in &self.messages {
            out.line(&format!("\n## {}", message.heading()))?;
            for line in message.lines(args, true) {
                let line = match line {
                    Line::Said(text) => text,
                    Line::Folded(text) | Line::Failed(text) => format!("> {text}"),
                    Line::Block(text) => fenced(&text),
                };
                out.line(&format!("\n{line}"))?;
            }
        }
        self.endings(out)
    }

    /// What stands after the messages: failures of none of them, and the list.
    fn endings(&self, out: &mut Out) -> Result<()> {
        let shown = |row: &&Row| row.int("attempt").is_some() || row.text("message_id").is_none();
        let told: Vec<&Row> = self.errors.iter().filter(shown).collect();
        if !told.is_empty() {
            out.line("")?;
        }
        for row in told {
            let what = one_line(row.text("message").unwrap_or_default());
            let name = row.text("name").unwrap_or("Error");
            let number = row
                .int("attempt")
                .map(|attempt| format!(" {attempt}"))
                .unwrap_or_default();
            let line = format!("! {name}{number}: {what}");
            let line = out.red(&line);
            out.line(&line)?;
        }
        if !self.todos.is_empty() {
            out.line("")?;
        }
        for todo in &self.todos {
            let mark = match todo.text("status") {
                Some("completed") => "x",
                Some("in_progress") => "~",
                Some("cancelled") => "-",
                _ => " ",
            };
            out.line(&format!(
                "- [{mark}] {}",
                one_line(todo.text("content").unwrap_or_default())
            ))?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let list =
            |rows: &[Row]| Value::Array(rows.iter().map(|row| row.0.clone().into()).collect());
        json!({
            "session": self.session.0,
            "usage": self.spent.0,
            "messages": self.messages.iter().map(Message::json).collect::<Vec<_>>(),
            "session_errors": list(&self.errors),
            "todos": list(&self.todos),
        })
    }

    fn table(&self) -> Table {
        let names = [
            "id",
            "role",
            "agent",
            "model",
            "created_at",
            "text_content",
            "cost",
        ];
        let mut table = Table::new(names.iter().map(|name| column(name, Kind::Plain)).collect());
        for message in &self.messages {
            let cell = |name: &&str| match message.row.0.get(*name) {
                Some(Value::String(text)) => Cell::Text(text.clone()),
                Some(Value::Null) | None => Cell::Null,
                Some(other) => Cell::Json(other.clone()),
            };
            table.rows.push(names.iter().map(cell).collect());
        }
        table
    }
}

/// A line of a message.
enum Line {
    /// Words of the person or the model.
    Said(String),
    /// What stands for more than is shown.
    Folded(String),
    /// What went wrong.
    Failed(String),
    /// What a tool was given or returned.
    Block(String),
}

impl Message {
    fn heading(&self) -> String {
        let row = &self.row;
        let who = match row.text("role") {
            Some("user") => "You",
            Some("assistant") => "Assistant",
            _ => "Unknown",
        };
        let cost = row.real("cost");
        let mut rest = vec![row.int("created_at").map(time)];
        if who == "Assistant" {
            rest.extend([
                row.text("agent").map(one_line),
                row.text("model").map(one_line),
                row.int("duration_ms").map(duration),
                (cost > 0.0).then(|| money(cost)),
            ]);
        }
        if row.int("deleted_at").is_some() {
            rest.push(Some("removed".to_owned()));
        }
        let rest = rest.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        format!("{who} {rest}").trim_end().to_owned()
    }

    fn lines(&self, args: &Args, markdown: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        for part in self.parts.values() {
            match part {
                Part::Tool(call) => tool_lines(call, args, &mut lines),
                Part::Other(part) => other_lines(part, args, &mut lines),
            }
        }
        let has_text = lines.iter().any(|line| matches!(line, Line::Said(_)));
        if !has_text && let Some(text) = self.row.text("text_content") {
            lines.insert(0, Line::Said(clean(text)));
        }
        if let Some(name) = self.row.text("error_name") {
            let why = one_line(self.row.text("error_message").unwrap_or_default());
            let mark = if markdown { "**failed**" } else { "! failed" };
            lines.push(Line::Failed(
                format!("{mark} {name}: {why}")
                    .trim_end_matches(": ")
                    .to_owned(),
            ));
        }
        lines
    }

    fn json(&self) -> Value {
        let mut object = self.row.0.clone();
        let list = |wanted: fn(&Part) -> Option<&Row>| {
            Value::Array(
                self.parts
                    .values()
                    .filter_map(wanted)
                    .map(|row| row.0.clone().into())
                    .collect(),
            )
        };
        let parts = list(|part| {
            if let Part::Other(row) = part {
                Some(row)
            } else {
                None
            }
        });
        let calls = list(|part| {
            if let Part::Tool(row) = part {
                Some(row)
            } else {
                None
            }
        });
        object.insert("parts".to_owned(), parts);
        object.insert("tool_calls".to_owned(), calls);
        Value::Object(object)
    }
}

fn tool_lines(call: &Row, args: &Args, lines: &mut Vec<Line>) {
    let tool = call.text("tool").unwrap_or("tool");
    let title = call.text("title").map(one_line);
    let title = title
        .or_else(|| call.text("input").map(told_input))
        .unwrap_or_default();
    let lasted = call.int("duration_ms").map(duration);
    let wait = call.int("permission_wait_ms").filter(|&wait| wait > 0);
    let wait = wait.map(|wait| format!("you were asked for {}", duration(wait)));
    let child = call
        .text("child_session_id")
        .map(|child| format!("session {child}"));
    let exit = call
        .int("exit_code")
        .filter(|&exit| exit != 0)
        .map(|exit| format!("exit {exit}"));
    let state = match call.text("status") {
        Some("error") => Some("failed".to_owned()),
        Some("pending" | "running") => Some("not finished".to_owned()),
        _ => None,
    };
    let notes: Vec<String> = [state, exit, lasted, wait, child]
        .into_iter()
        .flatten()
        .collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("  ({})", notes.join(", "))
    };
    let head = format!("▸ {tool}  {title}{notes}");
    let error = call.text("error").map(one_line);
    if call.text("status") == Some("error") {
        lines.push(Line::Failed(head));
        if let (Some(error), false) = (error, args.tools) {
            lines.push(Line::Failed(format!("  {error}")));
        }
    } else {
        lines.push(Line::Folded(head));
    }
    if args.tools {
        for name in ["input", "output", "error"] {
            lines.extend(call.text(name).map(|text| Line::Block(clean(text))));
        }
    }
}

/// The one argument that tells most of a call.
fn told_input(input: &str) -> String {
    let Ok(Value::Object(input)) = serde_json::from_str::<Value>(input) else {
        return one_line(input);
    };
    let telling = [
        "command",
        "filePath",
        "path",
        "pattern",
        "url",
        "query",
        "description",
        "prompt",
    ];
    let text = telling.iter().find_map(|name| input.get(*name)?.as_str());
    text.map(one_line).unwrap_or_default()
}

fn other_lines(part: &Row, args: &Args, lines: &mut Vec<Line>) {
    let text = part.text("text").map(clean);
    let data: Value = part
        .text("data")
        .and_then(|data| serde_json::from_str(data).ok())
        .unwrap_or_default();
    let field = |name: &str| {
        data.get(name)
            .and_then(Value::as_str)
            .map(one_line)
            .unwrap_or_default()
    };
    let is_hidden =
        part.int("synthetic") == Some(1) || data.get("ignored") == Some(&Value::Bool(true));
    match part.text("type") {
        Some("text") if !is_hidden => lines.extend(text.map(Line::Said)),
        Some("text") => lines.extend(
            text.map(|text| Line::Folded(format!("▸ added by OpenCode: {} words", words(&text)))),
        ),
        Some("reasoning") => lines.extend(text.map(|text| {
            if args.reasoning {
                Line::Block(text)
            } else {
                Line::Folded(format!("▸ thought: {} words", words(&text)))
            }
        })),
        Some("file") => lines.push(Line::Folded(format!(
            "▸ file  {}  ({})",
            field("filename"),
            field("mime")
        ))),
        Some("agent") => lines.push(Line::Folded(format!("▸ agent  {}", field("name")))),
        Some("subtask") => lines.push(Line::Folded(format!(
            "▸ subtask  {}  {}",
            field("agent"),
            field("description")
        ))),
        Some("compaction") => lines.push(Line::Folded(
            "▸ the conversation was compacted here".to_owned(),
        )),
        Some("patch") => {
            let files = data
                .get("files")
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            lines.push(Line::Folded(format!(
                "▸ changed {files} file{}",
                if files == 1 { "" } else { "s" }
            )));
        }
        _ => {}
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// A text with its long lines broken between words.
fn wrap(text: &str, width: Option<usize>) -> String {
    use unicode_width::UnicodeWidthStr;
    let Some(width) = width else {
        return text.to_owned();
    };
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut used = 0;
        for (at, word) in line.split(' ').enumerate() {
            let wide = word.width();
            if at > 0 && used + 1 + wide > width {
                wrapped.push('\n');
                used = 0;
            } else if at > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += wide;
        }
        wrapped.push('\n');
    }
    wrapped
}

/// One line, cut where it is too long.
fn fold(text: &str, width: Option<usize>) -> String {
    width.map_or_else(|| text.to_owned(), |width| crate::output::cut(text, width))
}

/// Each line a little to the right.
fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// A code block that its own text cannot end.
fn fenced(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::{fenced, told_input, wrap};

    #[test]
    fn long_lines_are_broken_between_words() {
        assert_eq!(
            wrap("one two three\nfour", Some(7)),
            "one two\nthree\nfour\n"
        );
        assert_eq!(wrap("abcdefghij k", Some(4)), "abcdefghij\nk\n");
        assert_eq!(wrap("as it is", None), "as it is");
    }

    #[test]
    fn a_block_is_not_ended_by_its_text() {
        assert_eq!(fenced("a\n```\nb"), "````\na\n```\nb\n````");
    }

    #[test]
    fn a_call_is_told_by_its_main_argument() {
        assert_eq!(
            told_input(r#"{"description":"d","command":"ls -la"}"#),
            "ls -la"
        );
        assert_eq!(told_input("{}"), "");
    }
}
