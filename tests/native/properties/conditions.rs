//! A statement is left out where it has nothing to do: run all the same, it
//! would change nothing.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::assert_held;
use super::commands::commands;
use crate::support::{Db, difference};

#[test]
fn a_statement_that_is_left_out_would_change_nothing() {
    let (chosen, all) = (Db::new(), Db::new());
    let held = TestRunner::new(ProptestConfig::default()).run(&commands(1..10), |commands| {
        chosen.clear();
        all.clear();
        for command in &commands {
            let command = std::slice::from_ref(command);
            chosen.apply(command);
            all.apply_where(command, |_, _| true);
        }
        for db in [&chosen, &all] {
            // A row that says nothing says as much as none.
            let emptied = db.0.execute_batch(
                "DELETE FROM session_own
                WHERE coalesce(agent, model, provider, whole_at, copied_at) IS NULL AND NOT reports_usage",
            );
            prop_assert!(emptied.is_ok());
        }
        let (found, expected) = (chosen.contents(), all.contents());
        prop_assert!(expected == found, "{}", difference(&expected, &found));
        Ok(())
    });
    assert_held(&held);
}
