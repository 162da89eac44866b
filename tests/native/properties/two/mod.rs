//! Random histories of OpenCode 2, told as its bus tells them and answered as
//! its database answers, against a naive model of its own state.

mod answers;
mod both;
mod deeds;
mod expected;
mod history;
mod own;
mod tell;
mod telling;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestRunner};

use super::assert_held;
use crate::support::Db;
use expected::{assert_rows, assert_rows_of_what_there_is};
use history::deeds;
use telling::{attentive, late, presence, repeated, replay, turns};
use world::World;

/// Plays histories: 32, or an eighth of `PROPTEST_CASES`. The same ones each time,
/// so that what is found late is found by `make long`, which plays others.
fn play<S: Strategy>(histories: S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let default = ProptestConfig::default();
    let config = ProptestConfig {
        cases: default.cases / 8,
        rng_seed: option_env!("CLANKERS_RANDOM").map_or(RngSeed::Fixed(2), |_| RngSeed::Random),
        max_shrink_iters: 400,
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/native/properties/two/regressions.txt",
        ))),
        ..default
    };
    let held = TestRunner::new(config).run(&histories, check);
    assert_held(&held);
}

#[test]
fn rows_are_the_models_when_told_in_order() {
    play(deeds(), |deeds| {
        let (world, db) = attentive(&deeds);
        assert_rows(&world, &db)
    });
}

#[test]
fn rows_are_the_models_once_they_are_caught_up_on_however_much_was_missed() {
    play((deeds(), presence()), |(deeds, presence)| {
        let db = Db::new();
        let world = presence.attend(&db, &deeds);
        assert_rows_of_what_there_is(&world, &db)
    });
}

#[test]
fn rows_are_the_models_with_repetitions_delays_restarts_and_failing_sinks() {
    let delays = prop::collection::vec(0usize..6, 64);
    let again = prop::collection::vec(prop::bool::weighted(0.2), 64);
    play(
        (deeds(), delays, again, turns()),
        |(deeds, delays, again, turns)| {
            let mut world = World::new();
            deeds.iter().for_each(|deed| world.live(deed));
            world.finish();
            let events = late(&repeated(&world.events, &again), &delays);
            let db = Db::new();
            replay(&db, &world, &events, &turns);
            assert_rows_of_what_there_is(&world, &db)
        },
    );
}

#[test]
fn what_was_told_live_is_the_same_once_it_is_told_again() {
    play((deeds(), turns()), |(deeds, turns)| {
        let (world, db) = attentive(&deeds);
        replay(&db, &world, &world.events, &turns);
        assert_rows(&world, &db)
    });
}

#[test]
fn what_nobody_heard_is_answered() {
    play(deeds(), |deeds| {
        let mut world = World::new();
        deeds.iter().for_each(|deed| world.live(deed));
        world.finish();
        let db = Db::new();
        replay(&db, &world, &[], &[]);
        assert_rows_of_what_there_is(&world, &db)
    });
}
