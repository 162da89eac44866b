//! A copy of OpenCode's data, asked as its API would be.

use std::collections::{BTreeMap, BTreeSet};

use clankers::catch_up::Request;
use clankers::model::copy_rank::CopyRank;
use clankers::recorded::Ignored;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::program::Program;
use super::said_since::said_since;
use super::source::{History, Source, id_of, parts_of};
use crate::error::Result;

/// What stands for a directory: a copy holds the sessions of all.
pub(super) const DIRECTORY: &str = "";

/// How many messages make a page.
const PAGE: usize = 200;

/// A copy, and what was read of it.
pub(super) struct HistoryCopy {
    source: Box<dyn Source>,
    program: Program,
    listed: Vec<Value>,
    /// Where each session is in that list; the first where one is there twice.
    positions: BTreeMap<String, usize>,
    /// The session that is being read.
    open: Option<History>,
    /// The sessions that were recorded already.
    stored: BTreeSet<String>,
    tally: Tally,
}

/// What was read of a copy.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) sessions: usize,
    /// Those of them that were not recorded.
    pub(super) new: usize,
    pub(super) messages: usize,
    pub(super) parts: usize,
    /// What could not be read.
    pub(super) unreadable: Vec<String>,
}

impl HistoryCopy {
    /// The copy with its sessions, and what could not be read of their list.
    pub(super) fn open(mut source: Box<dyn Source>) -> Result<(Self, Vec<String>)> {
        let (listed, unreadable) = source.list()?;
        let mut positions = BTreeMap::new();
        for (at, info) in listed.iter().enumerate() {
            positions.entry(id_of(info).to_owned()).or_insert(at);
        }
        let program = source.program();
        let copy = Self {
            program: program.unwrap_or_else(|| Program::of_sessions(&listed)),
            source,
            listed,
            positions,
            open: None,
            stored: BTreeSet::new(),
            tally: Tally::default(),
        };
        Ok((copy, unreadable))
    }

    /// Which program it is of.
    pub(super) const fn program(&self) -> Program {
        self.program
    }

    /// How it ranks among copies that have a session with the same time of change.
    pub(super) fn rank(&self) -> CopyRank {
        self.source.rank()
    }

    /// The sessions, by their ids.
    pub(super) fn ids(&self) -> Vec<String> {
        let ids = self.listed.iter().map(|info| id_of(info).to_owned());
        ids.collect()
    }

    /// Those of which it has more than is stored, though their time of change is the same.
    pub(super) fn said_since(&mut self, db: Option<&Connection>) -> Result<Vec<String>> {
        match db {
            Some(db) => said_since(self.source.as_mut(), &self.listed, db),
            None => Ok(Vec::new()),
        }
    }

    /// How many of them are of projects that are not recorded.
    pub(super) fn ignored(&self, ignored: &Ignored) -> usize {
        let is_ignored = |info: &&Value| directory_of(info).is_some_and(|of| ignored.matches(of));
        self.listed.iter().filter(is_ignored).count()
    }

    /// What was read.
    pub(super) fn tally(self) -> Tally {
        self.tally
    }

    /// Notes which sessions are recorded.
    pub(super) fn note_stored(&mut self, rows: &Value) {
        let rows = rows.as_array().into_iter().flatten();
        self.stored.extend(rows.map(|row| id_of(row).to_owned()));
    }

    /// What the copy holds of what is asked; nothing where it cannot be asked that.
    pub(super) fn answer(&mut self, request: &Request) -> Option<Value> {
        match request {
            Request::Sessions { .. } => Some(Value::Array(self.listed.clone())),
            Request::Session { session_id, .. } => self.session(session_id),
            Request::Todos { .. } => self
                .open
                .as_ref()
                .and_then(|open| open.todos.clone())
                .map(Value::Array),
            Request::Messages { page, .. } => self
                .open
                .as_ref()
                .map(|open| page_of(open, page.as_deref())),
            // A copy does not say which store it was made of, so no message of
            // it is ever in question.
            Request::Store { .. }
            | Request::Message { .. }
            | Request::StoredSessions { .. }
            | Request::StoredMessages { .. } => None,
        }
    }

    /// The session, once all of it could be read.
    fn session(&mut self, id: &str) -> Option<Value> {
        let listed = self.positions.get(id).and_then(|&at| self.listed.get(at));
        let info = listed?;
        let history = match self.source.read(info) {
            Ok(history) => history,
            Err(error) => {
                self.tally
                    .unreadable
                    .push(format!("{id}: {}", error.what()));
                return None;
            }
        };
        let tally = &mut self.tally;
        tally.sessions += 1;
        tally.new += usize::from(!self.stored.contains(id));
        let held = history.messages.iter().filter_map(parts_of);
        for parts in held {
            tally.messages += 1;
            tally.parts += parts;
        }
        tally.unreadable.extend(history.unreadable.iter().cloned());
        let info = info.clone();
        self.open = Some(history);
        Some(info)
    }
}

/// The directory that a session works in, as either engine lists it.
fn directory_of(info: &Value) -> Option<&str> {
    let directory = info.get("directory");
    directory
        .or_else(|| info.get("location")?.get("directory"))?
        .as_str()
}

fn page_of(history: &History, page: Option<&str>) -> Value {
    let from: usize = page.and_then(|page| page.parse().ok()).unwrap_or_default();
    let rest = history.messages.get(from..).unwrap_or_default();
    let next = (rest.len() > PAGE).then(|| (from + PAGE).to_string());
    json!({
        "items": rest.get(..PAGE).unwrap_or(rest),
        "next": next,
        "incomplete": !history.unreadable.is_empty(),
    })
}
