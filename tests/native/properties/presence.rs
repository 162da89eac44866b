//! A plugin that is not always there: it comes and goes between deeds, and is killed.

use clankers::{Core, Urgency};
use proptest::prelude::*;

use super::history::History;
use super::world::World;
use crate::catching_up::{HOME, compare, core_at, fetch_wanted, store};
use crate::support::{Db, Recorded};

/// What happens before a deed.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Nothing,
    /// OpenCode starts with the plugin.
    Start,
    /// It ends, and goes on without the plugin.
    End,
    /// It does, and nothing that was not stored is.
    Kill,
    /// Catch-up compares.
    Compare,
    /// Catch-up fetches what events left incomplete.
    Fetch,
}

/// What happens before each deed; a short list is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Presence(Vec<Turn>);

pub(crate) fn presence() -> impl Strategy<Value = Presence> {
    let turn = prop_oneof![
        8 => Just(Turn::Nothing),
        3 => Just(Turn::Start),
        1 => Just(Turn::End),
        2 => Just(Turn::Kill),
        2 => Just(Turn::Compare),
        2 => Just(Turn::Fetch),
    ];
    prop::collection::vec(turn, 1..48).prop_map(Presence)
}

impl Presence {
    /// Lives a history, and is there at its end. A part that was removed, and
    /// a fork's copies, do not show in the list of sessions: the last change of
    /// each session comes after it was compared.
    pub(crate) fn attend(&self, db: &Db, history: &History) -> World {
        let mut world = World::new(history.release);
        world.tells_forks = false;
        let mut core = None;
        for (deed, turn) in history.deeds.iter().zip(self.0.iter().cycle()) {
            match (turn, &mut core) {
                (Turn::Start, None) => {
                    world.quit();
                    core = Some(core_at(HOME));
                }
                (Turn::End, Some(present)) => {
                    tell(present, db, &mut world, World::quit);
                    store(present, db);
                    core = None;
                }
                (Turn::Kill, Some(_)) => {
                    world.quit();
                    core = None;
                }
                (Turn::Compare, Some(present)) => {
                    compare(present, db, &world.answers());
                }
                (Turn::Fetch, Some(present)) => fetch_wanted(present, db, &world.answers()),
                _ => {}
            }
            match &mut core {
                Some(present) => tell(present, db, &mut world, |world| world.live(deed)),
                None => world.live(deed),
            }
        }
        if core.is_none() {
            world.quit();
        }
        let mut core = core.unwrap_or_else(|| core_at(HOME));
        compare(&mut core, db, &world.answers());
        tell(&mut core, db, &mut world, World::finish);
        fetch_wanted(&mut core, db, &world.answers());
        world
    }
}

/// What comes of it is told as it happens.
fn tell(core: &mut Core, db: &Db, world: &mut World, act: impl FnOnce(&mut World)) {
    let before = world.events.len();
    act(world);
    for Recorded { at, event } in &world.events[before..] {
        if core.observe(&event, *at) == Urgency::Now {
            store(core, db);
        }
    }
}
