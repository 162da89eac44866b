//! Catch-up as the shim does it, from a scripted OpenCode.

use std::collections::BTreeMap;

use clankers::catch_up::absent::StoredMessage;
use clankers::catch_up::plan::StoredSession;
use clankers::store::{STORED_MESSAGES, STORED_SESSIONS};
use clankers::{Core, Options};
use serde_json::{Value, json};

use crate::support::Db;

/// What OpenCode's API answers of all its sessions, by their ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(pub(crate) BTreeMap<String, Answered>);

/// What it answers of one.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) info: Value,
    /// Each `{ info, parts }`.
    pub(crate) messages: Vec<Value>,
    pub(crate) todos: Vec<Value>,
}

/// What tells that OpenCode's store from others.
pub(crate) const HOME: &str = "store-of-home";
const DIRECTORY: &str = "/home/user/project";
/// When it is asked.
pub(crate) const NOW: f64 = 9_000_000.0;

/// A core of a process whose OpenCode keeps its sessions in this store.
pub(crate) fn core_at(store_id: &str) -> Core {
    Core::new(Options {
        store_id: Some(store_id.to_owned()),
        ..Options::default()
    })
}

pub(crate) fn store(core: &mut Core, db: &Db) {
    db.apply(core.drain());
    core.settle(true);
}

/// Compares what is listed with what is stored. Gives what was fetched.
pub(crate) fn compare(core: &mut Core, db: &Db, answers: &Answers) -> Vec<String> {
    compare_at((core, HOME), db, answers, NOW)
}

/// The same of this store, at this time.
pub(crate) fn compare_at(
    (core, store_id): (&mut Core, &str),
    db: &Db,
    answers: &Answers,
    now: f64,
) -> Vec<String> {
    let listed: Vec<&Value> = answers.0.values().map(|one| &one.info).collect();
    let ids: Vec<&String> = answers.0.keys().collect();
    store(core, db);
    let params = json!({ "directory": DIRECTORY, "ids": ids, "storeId": store_id });
    let stored: Vec<StoredSession> = db.read(STORED_SESSIONS, &params);
    let plan = core.plan(DIRECTORY, &listed, &stored, now);
    for id in &plan.fetch {
        fetch_at((core, store_id), db, answers, id, now);
    }
    for id in &plan.verify {
        if !answers.0.contains_key(id) {
            core.session_missing(id, now);
        }
    }
    store(core, db);
    plan.fetch
}

/// Fetches what events left incomplete.
pub(crate) fn fetch_wanted(core: &mut Core, db: &Db, answers: &Answers) {
    for id in core.wanted() {
        fetch(core, db, answers, &id);
    }
    store(core, db);
}

/// Fetches one session.
pub(crate) fn fetch(core: &mut Core, db: &Db, answers: &Answers, id: &str) {
    fetch_at((core, HOME), db, answers, id, NOW);
}

/// The same of this store, at this time.
pub(crate) fn fetch_at(
    (core, store_id): (&mut Core, &str),
    db: &Db,
    answers: &Answers,
    id: &str,
    now: f64,
) {
    store(core, db);
    let params = json!({ "sessionId": id, "storeId": store_id });
    let held: Vec<StoredMessage> = db.read(STORED_MESSAGES, &params);
    core.begin_recall(id, now);
    let answer = answers.0.get(id);
    if let Some(Answered {
        info,
        messages,
        todos,
    }) = answer
    {
        recall(
            core,
            "session.updated",
            json!({ "sessionID": id, "info": info }),
        );
        recall(
            core,
            "todo.updated",
            json!({ "sessionID": id, "todos": todos }),
        );
        for message in messages {
            recall(core, "message.updated", json!({ "info": message["info"] }));
            for part in message["parts"].as_array().into_iter().flatten() {
                recall(core, "message.part.updated", json!({ "part": part }));
            }
        }
        let answered: Vec<&Value> = messages.iter().collect();
        for absent in core.absent(&answered, &held) {
            let is_it = |message: &&Value| message["info"]["id"] == absent.message_id.as_str();
            let there = messages.iter().find(is_it).unwrap_or(&Value::Null);
            core.settle_absent(id, absent, &there);
        }
    }
    core.end_recall(id, answer.is_some());
}

fn recall(core: &mut Core, kind: &str, properties: Value) {
    core.recall(&&json!({ "type": kind, "properties": properties }), NOW);
}
