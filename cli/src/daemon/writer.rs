//! The one thread that writes. Requests that wait together are stored in one
//! transaction, each in a savepoint of its own.

use std::thread::JoinHandle;

use clankers::store::FORGET_BATCHES;
use rusqlite::{ErrorCode, ffi};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::failure::{Code, Failure};
use super::open_database::OpenDatabase;
use crate::error::{Error, is_damage, sqlite_text};
use crate::store::{Applied, Batch};

/// How many requests may wait. Beyond it connections are not read on.
const WAITING: usize = 256;
/// How many requests are stored in one transaction.
const TOGETHER: usize = 64;

/// A batch to store, and whom to tell.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) batch: Batch,
    /// The database that it counts on, by its name; none where that does not matter.
    pub(crate) database: Option<String>,
    pub(crate) done: oneshot::Sender<Result<Applied, Failure>>,
}

/// Starts the thread. It ends, with everything stored, when the last sender is gone.
pub(super) fn start(
    database: OpenDatabase,
) -> std::io::Result<(mpsc::Sender<Job>, JoinHandle<()>)> {
    let (jobs, incoming) = mpsc::channel(WAITING);
    let thread = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(|| work(database, incoming))?;
    Ok((jobs, thread))
}

fn work(mut database: OpenDatabase, mut incoming: mpsc::Receiver<Job>) {
    if let Err(error) = database.held().execute(FORGET_BATCHES, []) {
        tracing::warn!(%error, "could not tidy the database");
    }
    while let Some(first) = incoming.blocking_recv() {
        let mut jobs = vec![first];
        while jobs.len() < TOGETHER {
            let Ok(next) = incoming.try_recv() else { break };
            jobs.push(next);
        }
        store(&mut database, jobs);
    }
    let tidy = "PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)";
    if let Err(error) = database.held().execute_batch(tidy) {
        tracing::warn!(%error, "could not tidy the database");
    }
    if let Err(error) = database.close() {
        tracing::warn!(%error, "could not close the database");
    }
}

/// Stores what is asked for. What a connection of some time has found damaged, a
/// fresh one may not; what that finds damaged, too, is set aside.
fn store(database: &mut OpenDatabase, jobs: Vec<Job>) {
    let Err(Damaged { jobs, .. }) = attempt(database, jobs) else {
        return;
    };
    if let Err(error) = database.reopen() {
        return refuse(jobs, &unstored(&error, true));
    }
    let Err(Damaged { jobs, error }) = attempt(database, jobs) else {
        return;
    };
    if let Err(error) = database.replace(&error) {
        return refuse(jobs, &unstored(&error, true));
    }
    if let Err(Damaged { jobs, error }) = attempt(database, jobs) {
        refuse(jobs, &unstored(&error, true));
    }
}

/// Why jobs are not stored, and nobody was told so yet.
struct Damaged {
    jobs: Vec<Job>,
    error: Error,
}

fn attempt(database: &mut OpenDatabase, jobs: Vec<Job>) -> Result<(), Damaged> {
    if let Err(error) = database.current() {
        refuse(jobs, &unstored(&error, true));
        return Ok(());
    }
    let name = database.name();
    let is_here = |job: &Job| {
        job.database
            .as_deref()
            .is_none_or(|wanted| wanted == &*name)
    };
    let (jobs, elsewhere): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(is_here);
    let why = "the database was removed, or another put in its place";
    let failure = Failure::new(Code::Replaced, why).data(json!({ "database": &*name }));
    refuse(elsewhere, &failure);
    if jobs.is_empty() {
        return Ok(());
    }
    match database.apply(jobs.iter().map(|job| &job.batch)) {
        // It was moved a moment ago.
        Ok(None) => return attempt(database, jobs),
        Ok(Some(outcomes)) => {
            let damage = outcomes
                .iter()
                .find_map(|outcome| outcome.as_ref().err().filter(|error| is_damage(error)));
            if let Some(damage) = damage {
                let error = Error::new(sqlite_text(damage));
                return Err(Damaged { jobs, error });
            }
            for (job, outcome) in jobs.into_iter().zip(outcomes) {
                // Who asked may be gone; what was asked is done all the same.
                let _ = job.done.send(outcome.map_err(|error| failure_of(&error)));
            }
        }
        Err(error) if error.is_damage() => return Err(Damaged { jobs, error }),
        // Not one of them was tried: that is not their fault.
        Err(error) => refuse(jobs, &unstored(&error, true)),
    }
    Ok(())
}

fn refuse(jobs: Vec<Job>, failure: &Failure) {
    for job in jobs {
        let _ = job.done.send(Err(failure.clone()));
    }
}

fn failure_of(error: &rusqlite::Error) -> Failure {
    unstored(&sqlite_text(error), !is_refusal(error))
}

fn unstored(why: &impl std::fmt::Display, retry: bool) -> Failure {
    tracing::error!(%why, retry, "could not store");
    Failure::new(Code::Database, format!("could not store: {why}")).data(json!({ "retry": retry }))
}

/// Whether the commands are at fault, as the plugin's own sink sees it: not
/// the file, the disk, or a schema that somebody tampered with.
fn is_refusal(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, why) => match failure.code {
            ErrorCode::TooBig
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::ParameterOutOfRange => true,
            ErrorCode::Unknown => {
                let is_schemas = |why: &String| {
                    why.starts_with("no such ") || why.contains(" has no column named ")
                };
                !why.as_ref().is_some_and(is_schemas)
                    && failure.extended_code & 0xff == ffi::SQLITE_ERROR
            }
            _ => false,
        },
        _ => false,
    }
}
