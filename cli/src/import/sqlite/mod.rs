//! OpenCode's databases since 1.2, and Kilo's. OpenCode 1 and OpenCode 2 work on one file,
//! each with tables of its own; what either wrote in it is read.

mod said;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clankers::model::copy_rank::CopyRank;
use clankers::sources::database::{Queries, TABLES};
use clankers::sources::{opencode1, opencode2};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};

use super::document::{check_is_file, parse};
use super::program::Program;
use super::source::{History, Said, Source, id_of};
use super::written::database_written_at;
use crate::error::{Context, Error, Result};
use crate::paths::shown;
use crate::store::{Row, rows};

/// A database of OpenCode's or Kilo's.
pub(super) struct Database {
    path: PathBuf,
    db: Connection,
    program: Program,
    /// Whether only the sessions of that program are told.
    is_shared: bool,
    rank: CopyRank,
    has_one: bool,
    has_two: bool,
    statements: Statements,
}

/// What is asked of a database, each with the JSON text of an object.
struct Statements {
    /// The messages of `{ sessionId, after, limit }`: `id`, `sessionId`, `type`,
    /// `seq`, `created`, `data`. One without a `type` is OpenCode 1's.
    messages: Vec<String>,
    /// The parts of OpenCode 1's messages `{ ids }`: `id`, `messageId`,
    /// `sessionId`, `data`.
    parts: Option<String>,
    /// The to-do list of `{ sessionId }`.
    todos: Option<String>,
}

impl From<Queries> for Statements {
    fn from(queries: Queries) -> Self {
        Self {
            messages: queries
                .messages_of_one
                .into_iter()
                .chain(queries.messages)
                .collect(),
            parts: queries.parts,
            todos: queries.todos,
        }
    }
}

impl Database {
    /// Opens a database: one time for each program whose sessions are in it.
    pub(super) fn open(path: &Path) -> Result<Vec<Self>> {
        let mut database = Self::connect(path)?;
        if database.is_kilos()? {
            database.program = Program::Kilo;
            return Ok(vec![database]);
        }
        let programs = database.programs()?;
        if programs.len() < 2 {
            database.program = programs.first().copied().unwrap_or(Program::OpenCode);
            return Ok(vec![database]);
        }
        let of_program = |program| {
            Ok(Self {
                program,
                is_shared: true,
                ..Self::connect(path)?
            })
        };
        programs.into_iter().map(of_program).collect()
    }

    /// The programs whose releases began its sessions.
    fn programs(&self) -> Result<BTreeSet<Program>> {
        let has_version =
            "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = 'version')";
        let tables = [("session", self.has_one), ("session_v2", self.has_two)];
        let mut programs = BTreeSet::new();
        for (table, is_there) in tables {
            if is_there && self.db.query_row(has_version, [table], |row| row.get(0))? {
                let sql = format!("SELECT DISTINCT coalesce(version, '') FROM {table}");
                let mut versions = self.db.prepare(&sql)?;
                for version in versions.query_map([], |row| row.get::<_, String>(0))? {
                    programs.insert(Program::of_release(&version?));
                }
            }
        }
        Ok(programs)
    }

    /// Whether all of it is Kilo's: it is where Kilo keeps its own, or has tables of
    /// Kilo's (since August 2026). Where OpenCode works on it, too, its sessions tell.
    fn is_kilos(&self) -> Result<bool> {
        if Program::OpenCode.keeps(&self.path) {
            return Ok(false);
        }
        let has_tables =
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name LIKE 'kilo\\_%' ESCAPE '\\')";
        Ok(Program::Kilo.names(&self.path)
            || Program::Kilo.keeps(&self.path)
            || self.db.query_row(has_tables, [], |row| row.get(0))?)
    }

    fn connect(path: &Path) -> Result<Self> {
        check_is_file(path)?;
        let what = || format!("cannot read {}", shown(path));
        // Before it is opened: reading may write its log.
        let rank = CopyRank::of_store(database_written_at(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).context(what)?;
        db.busy_timeout(Duration::from_secs(5))?;
        let tables: Vec<String> = db
            .prepare(TABLES)
            .and_then(|mut tables| tables.query_map([], |row| row.get(0))?.collect())
            .context(what)?;
        let of_one = opencode1::database::queries(&tables);
        let of_two = opencode2::database::queries(&tables);
        let (has_one, has_two) = (of_one.is_some(), of_two.is_some());
        let Some(queries) = of_two.or(of_one) else {
            return Err(Error::new(format!(
                "{} is no database of OpenCode's or Kilo's",
                shown(path)
            )));
        };
        Ok(Self {
            path: path.to_owned(),
            db,
            program: Program::OpenCode,
            is_shared: false,
            rank,
            has_one,
            has_two,
            statements: queries.into(),
        })
    }

    /// The sessions of a table, each with its time of change.
    fn sessions(&self, table: &str, of: fn(&Row) -> Value) -> Result<Vec<(i64, Value)>> {
        let what = || format!("cannot read `{table}` of {}", shown(&self.path));
        let found = rows(&self.db, &format!("SELECT * FROM {table}"), []).context(what)?;
        let updated = |row: &Row| row.int("time_updated").unwrap_or_default();
        Ok(found.iter().map(|row| (updated(row), of(row))).collect())
    }

    /// OpenCode 1's parts of these messages, by their messages.
    fn parts(
        &self,
        messages: &[Row],
        unreadable: &mut Vec<String>,
    ) -> Result<BTreeMap<String, Vec<Value>>> {
        let mut of_messages: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let Some(sql) = &self.statements.parts else {
            return Ok(of_messages);
        };
        let ids: Vec<&str> = messages
            .iter()
            .filter(|message| message.text("type").is_none())
            .filter_map(|message| message.text("id"))
            .collect();
        for part in rows(&self.db, sql, [json!({ "ids": ids }).to_string()])? {
            let message = part.text("messageId").unwrap_or_default().to_owned();
            let columns = ["id", "messageID", "sessionID"];
            let names = ["id", "messageId", "sessionId"];
            if let Some(part) = document(&part, names.into_iter().zip(columns), unreadable) {
                of_messages.entry(message).or_default().push(part);
            }
        }
        Ok(of_messages)
    }

    fn todos(&self, session_id: &str) -> Result<Option<Vec<Value>>> {
        let Some(sql) = &self.statements.todos else {
            return Ok(None);
        };
        let params = json!({ "sessionId": session_id }).to_string();
        let found = rows(&self.db, sql, [params])?;
        Ok(Some(
            found.into_iter().map(|row| Value::Object(row.0)).collect(),
        ))
    }
}

impl Source for Database {
    fn name(&self) -> String {
        let path = shown(&self.path);
        if self.is_shared {
            format!("{path} ({}'s sessions)", self.program.host().product())
        } else {
            path
        }
    }

    fn program(&self) -> Option<Program> {
        Some(self.program)
    }

    fn rank(&self) -> CopyRank {
        self.rank
    }

    /// What both have is listed as it was changed last. What OpenCode 2 takes over
    /// keeps its time of change until it is gone on with, and is OpenCode 1's till then.
    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        let moment = self.db.unchecked_transaction()?;
        let of_one = self
            .has_one
            .then(|| self.sessions("session", session::of_one));
        let of_two = self
            .has_two
            .then(|| self.sessions("session_v2", session::of_two));
        let mut found = Vec::new();
        let mut refused = Vec::new();
        for sessions in [of_one, of_two].into_iter().flatten() {
            match sessions {
                Ok(sessions) => found.extend(sessions),
                Err(error) => refused.push(error),
            }
        }
        moment.finish()?;
        if found.is_empty()
            && let Some(error) = refused.pop()
        {
            return Err(error);
        }
        let unreadable = refused.iter().map(|error| error.what().to_owned());
        let unreadable = unreadable.collect();
        let mut latest: BTreeMap<String, (i64, Value)> = BTreeMap::new();
        for (updated, info) in found {
            let id = id_of(&info).to_owned();
            if latest.get(&id).is_none_or(|(known, _)| *known < updated) {
                latest.insert(id, (updated, info));
            }
        }
        let is_told = |info: &Value| !self.is_shared || Program::of_session(info) == self.program;
        let sessions = latest.into_values().map(|(_, info)| info);
        let sessions = sessions.filter(is_told).collect();
        Ok((sessions, unreadable))
    }

    fn read(&mut self, info: &Value) -> Result<History> {
        // One moment of the database: OpenCode may be writing.
        let moment = self.db.unchecked_transaction()?;
        let id = id_of(info);
        let mut unreadable = Vec::new();
        let all = all_of(id);
        let mut messages = Vec::new();
        for sql in &self.statements.messages {
            messages.extend(rows(&self.db, sql, [&all])?);
        }
        forget_copies(&mut messages);
        let mut parts = self.parts(&messages, &mut unreadable)?;
        let item = |message: &Row| item(message, &mut parts, &mut unreadable);
        let items = messages.iter().map(item).collect();
        let todos = self.todos(id)?;
        moment.finish()?;
        Ok(History {
            messages: items,
            todos,
            unreadable,
        })
    }

    fn said(&mut self, info: &Value) -> Result<Vec<Said>> {
        said::said(&self.db, &self.statements.messages, id_of(info))
    }
}

/// What the statements for messages are asked for all of a session's.
fn all_of(session_id: &str) -> String {
    json!({ "sessionId": session_id, "after": "", "limit": -1 }).to_string()
}

/// Takes away the places of what OpenCode 2 took over and did not go on with: that
/// leaves a session's time of change as it was, so that it would depend on when it
/// is imported whether they are known.
fn forget_copies(messages: &mut [Row]) {
    if messages
        .iter()
        .all(|message| message.text("type").is_none())
    {
        for message in messages {
            message.0.remove("seq");
        }
    }
}

/// A message as the engine answers it that wrote it, with its place in the
/// session where that is known.
fn item(
    message: &Row,
    parts: &mut BTreeMap<String, Vec<Value>>,
    unreadable: &mut Vec<String>,
) -> Value {
    let is_of_two = message.text("type").is_some();
    let fields = if is_of_two {
        [("id", "id"), ("type", "type")]
    } else {
        [("id", "id"), ("sessionId", "sessionID")]
    };
    let mut parts = || {
        let id = message.text("id").unwrap_or_default();
        parts.remove(id).unwrap_or_default()
    };
    let mut item = match document(message, fields, unreadable) {
        Some(item) if is_of_two => item,
        Some(info) => json!({ "info": info, "parts": parts() }),
        None => placeholder(message, &parts()),
    };
    let seq = message.0.get("seq").filter(|seq| !seq.is_null()).cloned();
    if let (Some(item), Some(seq)) = (item.as_object_mut(), seq) {
        item.insert("seq".to_owned(), seq);
    }
    item
}

/// A message that cannot be read: what its columns say, and its parts.
fn placeholder(message: &Row, parts: &[Value]) -> Value {
    let column = |name: &str| message.0.get(name).cloned();
    let info = json!({
        "id": column("id"),
        "sessionID": column("sessionId"),
        "role": column("type"),
        "time": { "created": column("created") },
    });
    json!({ "info": info, "parts": parts, "unreadable": true })
}

/// A row whose document is in its column `data`, with the columns that are not
/// in it.
fn document<'a>(
    row: &Row,
    columns: impl IntoIterator<Item = (&'a str, &'a str)>,
    unreadable: &mut Vec<String>,
) -> Option<Value> {
    match parse::<Map<String, Value>>(row.text("data").unwrap_or_default()) {
        Ok(data) => {
            let mut document = Map::new();
            for (column, field) in columns {
                let value = row.0.get(column).cloned().unwrap_or_default();
                document.insert(field.to_owned(), value);
            }
            document.extend(data);
            Some(Value::Object(document))
        }
        Err(error) => {
            unreadable.push(format!("{}: {error}", row.text("id").unwrap_or_default()));
            None
        }
    }
}
