//! Who listens to OpenCode 2, and asks it for what it did not hear.

use std::collections::BTreeMap;

use clankers::catch_up::Answer;
use clankers::{Core, Urgency};
use proptest::prelude::*;
use serde_json::Value;

use super::history::Deed;
use super::world::World;
use crate::catching_up::{DIRECTORY, HOME, answered, compare_at, fetch_wanted_at, store};
use crate::opencode2;
use crate::support::{Db, Recorded};

/// What happens before a deed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    Nothing,
    /// OpenCode starts with the plugin.
    Start,
    /// It is stopped, and goes on without the plugin.
    Stop,
    /// It is killed, and nothing that was not stored is.
    Kill,
    /// The core is replaced, all it held being stored, while OpenCode goes on.
    Restart,
    /// The timer fires.
    Drain,
    /// It fires, and the database is locked.
    Fail,
    /// Catch-up compares.
    Compare,
    /// Catch-up fetches what events left incomplete.
    Fetch,
    /// It does while the deed is done.
    Race(Race),
}

/// Between which answers what a deed tells is heard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Race {
    /// How many requests are answered before.
    requests: usize,
    /// Whether the bus lags: those are answered as it is after the deed.
    lags: bool,
}

/// What happens before each deed; a short list is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Presence(Vec<Turn>);

/// The plugin comes and goes.
pub(crate) fn presence() -> impl Strategy<Value = Presence> {
    let turn = prop_oneof![
        8 => Just(Turn::Nothing),
        3 => Just(Turn::Start),
        1 => Just(Turn::Stop),
        2 => Just(Turn::Kill),
        1 => Just(Turn::Restart),
        1 => Just(Turn::Drain),
        1 => Just(Turn::Fail),
        2 => Just(Turn::Compare),
        2 => Just(Turn::Fetch),
        4 => (0usize..12, any::<bool>())
            .prop_map(|(requests, lags)| Turn::Race(Race { requests, lags })),
    ];
    prop::collection::vec(turn, 1..48).prop_map(Presence)
}

/// It is there all the time, and asks for what it lacks at once.
pub(crate) fn attentive(deeds: &[Deed]) -> (World, Db) {
    let db = Db::new();
    let mut world = World::new();
    let mut core = opencode2::core_at(HOME);
    for deed in deeds {
        tell(&mut core, &db, &mut world, |world| world.live(deed));
        fetch(&mut core, &db, &world);
    }
    tell(&mut core, &db, &mut world, World::finish);
    fetch(&mut core, &db, &world);
    (world, db)
}

impl Presence {
    /// Lives a history, and is there at its end.
    pub(crate) fn attend(&self, db: &Db, deeds: &[Deed]) -> World {
        let mut world = World::new();
        let mut core = None;
        for (deed, turn) in deeds.iter().zip(self.0.iter().cycle()) {
            self::turn(*turn, &mut core, db, &mut world);
            match (&mut core, turn) {
                (Some(present), Turn::Race(race)) => race.run(present, db, &mut world, deed),
                (Some(present), _) => tell(present, db, &mut world, |world| world.live(deed)),
                (None, _) => world.live(deed),
            }
        }
        let mut core = core.unwrap_or_else(|| {
            world.stop();
            opencode2::core_at(HOME)
        });
        compare(&mut core, db, &world);
        tell(&mut core, db, &mut world, World::finish);
        fetch(&mut core, db, &world);
        world
    }
}

impl Race {
    fn run(self, core: &mut Core, db: &Db, world: &mut World, deed: &Deed) {
        let before = world.answers();
        let heard = world.events.len();
        world.live(deed);
        let after = world.answers();
        let now = f64::from(world.now);
        core.fetch_wanted(DIRECTORY);
        store(core, db);
        let mut count = 0;
        while let Some(request) = core.next_request(now) {
            if count == self.requests {
                hear(core, db, world.events.get(heard..).unwrap_or_default());
            }
            let is_before = count < self.requests && !self.lags;
            let answers = if is_before { &before } else { &after };
            match answered(&request, HOME, db, answers) {
                Some(value) => core.answer(Answer::Found(&&value), now),
                None => core.answer::<&Value>(Answer::None, now),
            };
            store(core, db);
            count += 1;
        }
        if count <= self.requests {
            hear(core, db, world.events.get(heard..).unwrap_or_default());
        }
    }
}

fn turn(turn: Turn, core: &mut Option<Core>, db: &Db, world: &mut World) {
    match (turn, core.as_mut()) {
        (Turn::Start, None) => {
            world.stop();
            *core = Some(opencode2::core_at(HOME));
        }
        (Turn::Stop, Some(present)) => {
            store(present, db);
            world.stop();
            *core = None;
        }
        (Turn::Kill, Some(_)) => {
            world.crash();
            *core = None;
        }
        (Turn::Restart, Some(present)) => {
            store(present, db);
            *core = Some(opencode2::core_at(HOME));
        }
        (Turn::Drain, Some(present)) => store(present, db),
        (Turn::Fail, Some(present)) => {
            present.drain();
            present.settle(false);
        }
        (Turn::Compare, Some(present)) => compare(present, db, world),
        (Turn::Fetch, Some(present)) => fetch(present, db, world),
        _ => {}
    }
}

pub(crate) fn compare(core: &mut Core, db: &Db, world: &World) {
    let now = f64::from(world.now);
    compare_at((core, HOME), db, &world.answers(), now);
}

pub(crate) fn fetch(core: &mut Core, db: &Db, world: &World) {
    if !core.fetch_wanted(DIRECTORY) {
        store(core, db);
        return;
    }
    fetch_wanted_at(core, db, &world.answers(), f64::from(world.now));
}

/// What comes of it is told as it happens.
fn tell(core: &mut Core, db: &Db, world: &mut World, act: impl FnOnce(&mut World)) {
    let before = world.events.len();
    act(world);
    hear(core, db, world.events.get(before..).unwrap_or_default());
}

pub(crate) fn hear(core: &mut Core, db: &Db, events: &[Recorded]) {
    for Recorded { at, event } in events {
        if core.observe(&event, *at) == Urgency::Now {
            store(core, db);
        }
    }
}

/// Each told twice, or once.
pub(crate) fn repeated(events: &[Recorded], again: &[bool]) -> Vec<Recorded> {
    let times = |(one, again): (&Recorded, &bool)| {
        std::iter::repeat_n(one.clone(), if *again { 2 } else { 1 })
    };
    let events = events.iter().zip(again.iter().cycle());
    events.flat_map(times).collect()
}

/// Those that have no number late by a few others. Of a session each kind keeps
/// its order.
pub(crate) fn late(events: &[Recorded], delays: &[usize]) -> Vec<Recorded> {
    let mut latest: BTreeMap<String, usize> = BTreeMap::new();
    let mut timed: Vec<(usize, &Recorded)> = Vec::new();
    for ((at, one), delay) in events.iter().enumerate().zip(delays.iter().cycle()) {
        let mut due = at;
        if one.event.get("durable").is_none() {
            let last = latest
                .entry(one.event["data"]["sessionID"].to_string())
                .or_default();
            *last = (*last).max(at + delay);
            due = *last;
        }
        timed.push((due, one));
    }
    timed.sort_by_key(|(due, _)| *due);
    timed.into_iter().map(|(_, one)| one.clone()).collect()
}

/// Tells a whole history to a plugin that is restarted meanwhile and cannot
/// always store. It asks at the end.
pub(crate) fn replay(db: &Db, world: &World, events: &[Recorded], turns: &[Turn]) {
    let mut core = opencode2::core_at(HOME);
    for (one, turn) in events.iter().zip(turns.iter().cycle()) {
        hear(&mut core, db, std::slice::from_ref(one));
        match turn {
            Turn::Restart => {
                store(&mut core, db);
                core = opencode2::core_at(HOME);
            }
            Turn::Drain => store(&mut core, db),
            Turn::Fail => {
                core.drain();
                core.settle(false);
            }
            _ => {}
        }
    }
    store(&mut core, db);
    compare(&mut core, db, world);
    fetch(&mut core, db, world);
}

/// What may happen to a plugin after each event.
pub(crate) fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        6 => Just(Turn::Nothing),
        2 => Just(Turn::Drain),
        1 => Just(Turn::Fail),
        1 => Just(Turn::Restart),
    ];
    prop::collection::vec(turn, 1..48)
}
