//! What OpenCode and Kilo have that is not recorded.

use std::collections::BTreeMap;

use clankers::catch_up::{Answer, Request};
use serde_json::Value;

use super::copy::{DIRECTORY, HistoryCopy};
use super::discovery::found;
use super::program::Program;
use super::run::{answer, core_of, now};
use super::stored::{Stored, check_schema};
use crate::error::Result;
use crate::paths::Paths;
use crate::recorded::Recorded;
use crate::store::open_reader;

/// What of the programs' histories is not recorded.
#[derive(Debug, Default)]
pub(crate) struct NotImported {
    /// How many sessions of each program that is here are not recorded, or only in
    /// an older state.
    pub(crate) sessions: BTreeMap<Program, usize>,
    /// What could not be read, each in a line.
    pub(crate) unreadable: Vec<String>,
}

/// Looks for what is not recorded.
pub(crate) fn not_imported(paths: &Paths) -> Result<NotImported> {
    let stored = if paths.db.exists() {
        let db = open_reader(&paths.db)?;
        check_schema(&db)?;
        Stored::Read(db)
    } else {
        Stored::Nothing
    };
    let settings = Recorded::read()?;
    let mut not_imported = NotImported::default();
    for source in found()? {
        let (mut copy, unreadable) = match HistoryCopy::open(source) {
            Ok(opened) => opened,
            Err(error) => {
                not_imported.unreadable.push(error.what().to_owned());
                continue;
            }
        };
        not_imported.unreadable.extend(unreadable);
        let of_program = not_imported.sessions.entry(copy.program()).or_default();
        let mut core = core_of(&copy, &settings);
        core.compare(DIRECTORY);
        core.fetch(DIRECTORY, copy.said_since(stored.db())?);
        while let Some(request) = core.next_request(now()) {
            match &request {
                // One to fetch; that is all there is to know.
                Request::StoredMessages { .. } => {
                    *of_program += 1;
                    core.answer::<&Value>(Answer::Failed, now());
                }
                Request::Session { .. } => {
                    core.answer::<&Value>(Answer::None, now());
                }
                _ => answer(&mut core, &mut copy, stored.db(), &request)?,
            }
        }
    }
    Ok(not_imported)
}
