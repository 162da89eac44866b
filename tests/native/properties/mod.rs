//! Random histories, told as a bus could tell them, against a naive model of
//! OpenCode's own state: the rows are the model's.

mod changed;
mod commands;
mod conditions;
mod delivery;
mod draining;
mod expected;
mod history;
mod picks;
mod presence;
mod revivals;
mod streaming;
mod two;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestError};

use crate::support::Db;
use delivery::{Delivery, reordered, repeated};
use expected::assert_rows;
use history::{History, history};
use presence::presence;
use world::World;

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        // 64, or a quarter of `PROPTEST_CASES`: a case is a whole history.
        cases: default.cases / 4,
        max_shrink_iters: 400,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/native/properties/regressions.txt",
        ))),
        ..default
    }
}

/// Fails with the smallest case in which a property does not hold.
#[track_caller]
fn assert_held<T: std::fmt::Debug>(held: &Result<(), TestError<T>>) {
    let failure = held.as_ref().err().map(ToString::to_string);
    assert!(held.is_ok(), "{}", failure.unwrap_or_default());
}

fn lived(history: &History) -> World {
    let mut world = World::new(history.release);
    history.deeds.iter().for_each(|deed| world.live(deed));
    world.finish();
    world
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rows_are_the_models_when_told_in_order(history in history()) {
        let world = lived(&history);
        let db = Db::new();
        Delivery::plain().tell(&db, &world.events);
        assert_rows(&world, &db)?;
    }

    #[test]
    fn rows_are_the_models_with_repetitions_reorderings_restarts_and_failing_sinks(
        history in history(),
        delays in prop::collection::vec(0usize..6, 64),
        again in prop::collection::vec(prop::bool::weighted(0.2), 64),
        delivery in delivery::delivery(),
    ) {
        let world = lived(&history);
        let events = reordered(&repeated(&world.events, &again), &delays);
        let db = Db::new();
        delivery.tell(&db, &events);
        assert_rows(&world, &db)?;
    }

    #[test]
    fn rows_are_the_models_after_a_crash_and_a_replay_of_the_whole(
        history in history(),
        crash in any::<prop::sample::Index>(),
        delivery in delivery::delivery(),
    ) {
        let world = lived(&history);
        let db = Db::new();
        delivery.tell_and_crash(&db, &world.events[..crash.index(world.events.len() + 1)]);
        delivery.tell(&db, &world.events);
        Delivery::plain().tell(&db, &world.events);
        assert_rows(&world, &db)?;
    }
    #[test]
    fn rows_are_the_models_once_they_are_caught_up_on_however_much_was_missed(
        history in history(),
        presence in presence(),
    ) {
        let db = Db::new();
        let world = presence.attend(&db, &history);
        expected::assert_rows_of_what_there_is(&world, &db)?;
    }
}
