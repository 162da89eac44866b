//! What the recordings become, and that it is the same however often, in
//! however many pieces they are told.

use clankers::model::command::Command;

use super::{core, recordings, replay, replayed};
use crate::falling::assert_order_tells_nothing;
use crate::support::{Recorded, assert_same, replay_into};

#[test]
fn a_recording_becomes_these_commands() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/opencode2");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for one in recordings() {
            let mut text = String::new();
            replay_into(&mut core(), &one.events, |commands: &[Command]| {
                for command in commands {
                    text.push_str(&serde_json::to_string(command).unwrap());
                    text.push('\n');
                }
                text.push('\n');
            });
            insta::assert_snapshot!(one.name.replace('/', "__"), text);
        }
    });
}

#[test]
fn a_known_release_sends_nothing_that_is_refused() {
    for one in recordings() {
        let db = replayed(&one.events);
        let refused = db.rows("SELECT event_type, code, path, expected, found FROM rejections");
        assert!(refused.is_empty(), "{}:\n{}", one.name, refused.join("\n"));
    }
}

#[test]
fn a_recording_with_falling_ids_comes_to_the_same_rows() {
    for one in recordings() {
        assert_order_tells_nothing(&one.name, &one.events, replay);
    }
}

#[test]
fn replaying_twice_gives_the_rows_of_once() {
    for one in recordings() {
        let db = replayed(&one.events);
        let once = db.dump();
        replay(&db, &one.events);
        assert_same(&one.name, &once, &db.dump());
    }
}

#[test]
fn an_event_told_twice_at_once_gives_the_rows_of_once() {
    for one in recordings() {
        let twice: Vec<Recorded> = one
            .events
            .iter()
            .flat_map(|event| [event.clone(), event.clone()])
            .collect();
        assert_same(
            &one.name,
            &replayed(&one.events).dump(),
            &replayed(&twice).dump(),
        );
    }
}
