//! Catch-up as the shim does it, from a scripted OpenCode.

use std::collections::BTreeMap;

use clankers::catch_up::{Answer, Request};
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
    /// Each `{ info, parts }`, or as OpenCode 2 has it.
    pub(crate) messages: Vec<Value>,
    pub(crate) todos: Vec<Value>,
}

/// What tells that OpenCode's store from others.
pub(crate) const HOME: &str = "store-of-home";
pub(crate) const DIRECTORY: &str = "/home/user/project";
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
    core.compare(DIRECTORY);
    drive(core, store_id, db, answers, now)
}

/// Fetches what events left incomplete.
pub(crate) fn fetch_wanted(core: &mut Core, db: &Db, answers: &Answers) {
    fetch_wanted_at(core, db, answers, NOW);
}

/// The same at this time.
pub(crate) fn fetch_wanted_at(core: &mut Core, db: &Db, answers: &Answers, now: f64) {
    core.fetch_wanted(DIRECTORY);
    drive(core, HOME, db, answers, now);
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
    core.fetch(DIRECTORY, vec![id.to_owned()]);
    drive(core, store_id, db, answers, now);
}

/// Makes requests until there are none. Gives the sessions that were fetched.
fn drive(core: &mut Core, store_id: &str, db: &Db, answers: &Answers, now: f64) -> Vec<String> {
    drive_until((core, store_id), db, answers, now, |_| false)
}

/// Makes requests up to the first that `stops`, which is not answered.
pub(crate) fn drive_until(
    (core, store_id): (&mut Core, &str),
    db: &Db,
    answers: &Answers,
    now: f64,
    stops: impl Fn(&Request) -> bool,
) -> Vec<String> {
    let mut fetched = Vec::new();
    store(core, db);
    while let Some(request) = core.next_request(now) {
        if stops(&request) {
            break;
        }
        if let Request::StoredMessages { session_id, .. } = &request {
            fetched.push(session_id.clone());
        }
        match answered(&request, store_id, db, answers) {
            Some(Value::Array(mut list)) if matches!(request, Request::Sessions { .. }) => {
                // As long lists are told: the beginning first.
                let rest = Value::Array(list.split_off(list.len() / 2));
                core.answer(Answer::Beginning(&&Value::Array(list)), now);
                core.answer(Answer::Found(&&rest), now)
            }
            Some(value) => core.answer(Answer::Found(&&value), now),
            None => core.answer::<&Value>(Answer::None, now),
        };
        store(core, db);
    }
    fetched
}

/// What comes of a request; nothing where there is none.
pub(crate) fn answered(
    request: &Request,
    store_id: &str,
    db: &Db,
    answers: &Answers,
) -> Option<Value> {
    let params = serde_json::to_value(request).unwrap_or_default();
    let of = |id: &String| answers.0.get(id);
    Some(match request {
        Request::Sessions { .. } => answers.0.values().map(|one| one.info.clone()).collect(),
        Request::Store { .. } if store_id.is_empty() => return None,
        Request::Store { .. } => json!(store_id),
        Request::StoredSessions { .. } => db.read(STORED_SESSIONS, &params),
        Request::StoredMessages { .. } => db.read(STORED_MESSAGES, &params),
        Request::Session { session_id, .. } => of(session_id)?.info.clone(),
        Request::Todos { session_id, .. } => json!(of(session_id)?.todos),
        Request::Messages {
            session_id, page, ..
        } => page_of(&of(session_id)?.messages, page.as_deref()),
        Request::Message {
            session_id,
            message_id,
            ..
        } => {
            let is_it = |message: &&Value| {
                message["info"]["id"] == message_id.as_str() || message["id"] == message_id.as_str()
            };
            of(session_id)?.messages.iter().find(is_it)?.clone()
        }
    })
}

/// A page of two messages, and the name of the next.
fn page_of(messages: &[Value], page: Option<&str>) -> Value {
    let from: usize = page.and_then(|page| page.parse().ok()).unwrap_or_default();
    let rest = messages.get(from..).unwrap_or_default();
    let items: Vec<&Value> = rest.iter().take(2).collect();
    let next = (rest.len() > 2).then(|| (from + 2).to_string());
    json!({ "items": items, "next": next })
}
