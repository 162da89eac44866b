//! How a bus could tell a history, and what could happen to who listens.

use std::collections::BTreeMap;

use clankers::{Core, Options, Urgency};
use proptest::prelude::*;
use serde_json::Value;

use crate::catching_up::store;
use crate::moment::Moment;
use crate::support::{Db, Recorded};

/// What happens after an event.
#[derive(Debug, Clone, Copy)]
enum After {
    Nothing,
    Moment(Moment),
    /// The core is replaced, all it held being stored.
    Restart,
}

/// What happens after each event; a short list is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Delivery(Vec<After>);

pub(crate) fn delivery() -> impl Strategy<Value = Delivery> {
    let after = prop_oneof![
        6 => Just(After::Nothing),
        2 => Just(After::Moment(Moment::Drain)),
        1 => Just(After::Moment(Moment::Slice)),
        1 => Just(After::Moment(Moment::Fail)),
        1 => Just(After::Moment(Moment::FailSlice)),
        1 => Just(After::Moment(Moment::Unheard)),
        1 => Just(After::Restart),
    ];
    prop::collection::vec(after, 1..48).prop_map(Delivery)
}

fn new_core() -> Core {
    Core::new(Options::default())
}

impl Delivery {
    /// Nothing but what the core asks for.
    pub(crate) fn plain() -> Self {
        Self(vec![After::Nothing])
    }

    pub(crate) fn tell(&self, db: &Db, events: &[Recorded]) {
        let mut core = self.told(db, events);
        store(&mut core, db);
    }

    /// What the core still held at the end is lost.
    pub(crate) fn tell_and_crash(&self, db: &Db, events: &[Recorded]) {
        self.told(db, events);
    }

    fn told(&self, db: &Db, events: &[Recorded]) -> Core {
        let mut core = new_core();
        for (Recorded { at, event }, after) in events.iter().zip(self.0.iter().cycle()) {
            let urgency = core.observe(&event, *at);
            match after {
                After::Moment(moment) => moment.happen(&mut core, db),
                After::Restart => {
                    store(&mut core, db);
                    core = new_core();
                }
                After::Nothing if urgency == Urgency::Now => store(&mut core, db),
                After::Nothing => {}
            }
        }
        core
    }
}

/// Some events told twice. A delta without an id is told once: it could not
/// be told from the next.
pub(crate) fn repeated(events: &[Recorded], again: &[bool]) -> Vec<Recorded> {
    let times = |(one, again): (&Recorded, &bool)| {
        let is_delta = one.event["type"] == "message.part.delta" && one.event.get("id").is_none();
        std::iter::repeat_n(one.clone(), if *again && !is_delta { 2 } else { 1 })
    };
    events
        .iter()
        .zip(again.iter().cycle())
        .flat_map(times)
        .collect()
}

/// Some events late by a few others, those about one thing in their order.
pub(crate) fn reordered(events: &[Recorded], delays: &[usize]) -> Vec<Recorded> {
    let mut latest: BTreeMap<String, usize> = BTreeMap::new();
    let mut timed: Vec<(usize, &Recorded)> = Vec::new();
    for ((at, one), delay) in events.iter().enumerate().zip(delays.iter().cycle()) {
        let last = latest.entry(about(&one.event)).or_default();
        *last = (*last).max(at + delay);
        timed.push((*last, one));
    }
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().map(|(_, one)| one.clone()).collect()
}

/// What an event is about.
fn about(event: &Value) -> String {
    let id = |path: &str| {
        event
            .pointer(&format!("/properties/{path}"))
            .and_then(Value::as_str)
    };
    let kind = event["type"].as_str().unwrap_or_default();
    let id = match kind {
        "message.updated" => id("info/id"),
        "message.removed" => id("messageID"),
        "message.part.updated" => id("part/id"),
        "message.part.delta" | "message.part.removed" => id("partID"),
        "permission.asked" => id("id"),
        "permission.replied" => id("requestID"),
        "todo.updated" => return format!("todos of {:?}", id("sessionID")),
        _ => id("sessionID"),
    };
    id.unwrap_or_default().to_owned()
}
