//! One drain leaves what many leave: however commands are grouped, put back
//! after a failure and told again, the store holds what it holds when it is
//! told each by itself.

use clankers::model::command::Command;
use clankers::reconcile::pending::Pending;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};

use super::commands::commands;
use crate::support::{Db, difference};

/// What becomes of a drain.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Stored,
    /// Nothing is stored, and it is put back.
    Failed,
    /// It is stored, but that is not heard: it is put back and stored again.
    Unheard,
}

/// Commands, and what becomes of a drain after one of them.
type Told = Vec<(Command, Option<Outcome>)>;

fn told() -> impl Strategy<Value = Told> {
    let outcome = prop_oneof![
        4 => Just(None),
        2 => Just(Some(Outcome::Stored)),
        1 => Just(Some(Outcome::Failed)),
        1 => Just(Some(Outcome::Unheard)),
    ];
    let outcomes = prop::collection::vec(outcome, 14);
    (commands(1..14), outcomes)
        .prop_map(|(commands, outcomes)| commands.into_iter().zip(outcomes).collect())
}

/// Tells commands in drains. Gives them in the order in which that told them.
fn drained(db: &Db, told: &Told) -> Vec<Command> {
    let mut order = Vec::new();
    let mut since: Vec<Command> = Vec::new();
    let mut pending = Pending::default();
    let end = (None, Some(Outcome::Stored));
    let steps = told
        .iter()
        .map(|(command, outcome)| (Some(command), *outcome));
    for (command, outcome) in steps.chain([end]) {
        if let Some(command) = command {
            pending.add(command.clone());
            since.push(command.clone());
        }
        let Some(outcome) = outcome else { continue };
        let commands = std::mem::take(&mut pending).into_commands();
        if !matches!(outcome, Outcome::Failed) {
            db.apply(&commands);
            order.extend(since.iter().cloned());
        }
        if matches!(outcome, Outcome::Stored) {
            since.clear();
        } else {
            pending.put_back(commands);
        }
    }
    order
}

#[test]
fn one_drain_leaves_what_many_leave() {
    let default = ProptestConfig::default();
    let config = ProptestConfig {
        // 1024, or four times `PROPTEST_CASES`: a case is a few commands.
        cases: default.cases.saturating_mul(4),
        max_shrink_iters: 20_000,
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/native/properties/draining.regressions.txt",
        ))),
        ..default
    };
    let (one_by_one, in_drains) = (Db::new(), Db::new());
    let held = TestRunner::new(config).run(&told(), |told| {
        one_by_one.clear();
        in_drains.clear();
        for command in &drained(&in_drains, &told) {
            one_by_one.apply(std::slice::from_ref(command));
        }
        let (expected, found) = (one_by_one.contents(), in_drains.contents());
        prop_assert!(expected == found, "{}", difference(&expected, &found));
        Ok(())
    });
    assert!(
        held.is_ok(),
        "{}",
        held.err().map_or(String::new(), |error| error.to_string())
    );
}
