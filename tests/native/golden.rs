//! Recordings of real releases: what they become, and that it is the same
//! however often, in however many pieces they are told.
#![expect(clippy::unwrap_used, reason = "a broken fixture is to fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use clankers::model::command::Command;
use serde_json::Value;

use crate::support::{Db, Recorded, Recording, TABLES, assert_same, recordings, replay_into};

/// The commands, one a line, an empty line after each drain.
fn lines(recording: &Recording) -> String {
    let mut text = String::new();
    let events = &recording.events;
    replay_into(&mut recording.core(), events, |commands: &[Command]| {
        for command in commands {
            text.push_str(&serde_json::to_string(command).unwrap());
            text.push('\n');
        }
        text.push('\n');
    });
    text
}

#[test]
fn a_recording_becomes_these_commands() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for recording in recordings() {
            let name = recording.name.replace('/', "__");
            insta::assert_snapshot!(name, lines(&recording));
        }
    });
}

#[test]
fn a_known_release_sends_nothing_that_is_refused() {
    for recording in recordings() {
        let name = &recording.name;
        let db = recording.replayed();
        let refused = db.rows("SELECT event_type, code, path, expected, found FROM rejections");
        assert!(refused.is_empty(), "{name}:\n{}", refused.join("\n"));
    }
}

#[test]
fn replaying_twice_gives_the_rows_of_once() {
    for recording in recordings() {
        let Recording { name, events, .. } = &recording;
        let db = recording.replayed();
        let once = db.dump();
        recording.replay(&db, events);
        assert_same(name, &once, &db.dump());
    }
}

#[test]
fn an_event_told_twice_at_once_gives_the_rows_of_once() {
    // A delta without an id cannot be told from one that says the same again.
    let told = |one: &Recorded| {
        let is_delta = one.event["type"] == "message.part.delta";
        if is_delta && one.event.get("id").is_none() {
            1
        } else {
            2
        }
    };
    for recording in recordings() {
        let Recording { name, events, .. } = &recording;
        let twice: Vec<Recorded> = events
            .iter()
            .flat_map(|one| std::iter::repeat_n(one.clone(), told(one)))
            .collect();
        let db = Db::new();
        recording.replay(&db, &twice);
        assert_same(name, &recording.replayed().dump(), &db.dump());
    }
}

#[test]
fn a_core_restarted_after_each_event_gives_the_rows_of_one_that_ran_through() {
    for recording in recordings() {
        let Recording { name, events, .. } = &recording;
        let db = Db::new();
        let cut_off = cut_off(events);
        let mut rest = events.as_slice();
        while let Some(length) = (1..=rest.len()).find(|length| {
            let at = events.len() - rest.len() + length;
            !cut_off.iter().any(|stream| stream.contains(&at))
        }) {
            let (now, later) = rest.split_at(length);
            recording.replay(&db, now);
            rest = later;
        }
        // Failures are another test's.
        let tables: Vec<&str> = TABLES
            .iter()
            .copied()
            .filter(|table| *table != "session_errors")
            .collect();
        assert_same(
            name,
            &recording.replayed().dump_of(&tables),
            &db.dump_of(&tables),
        );
    }
}

#[test]
fn a_failure_told_to_two_cores_is_one_row() {
    let fails = |one: &Recorded| one.event["type"] == "session.error";
    for recording in recordings().filter(|recording| recording.events.iter().any(fails)) {
        let Recording { name, events, .. } = &recording;
        let db = Db::new();
        events.chunks(1).for_each(|one| recording.replay(&db, one));
        let tables = &["session_errors"];
        assert_same(
            name,
            &recording.replayed().dump_of(tables),
            &db.dump_of(tables),
        );
    }
}

/// Where the text of a part is told that never ends: only the core that saw
/// its start can add to it. (Catch-up asks for the rest.)
fn cut_off(events: &[Recorded]) -> Vec<Range<usize>> {
    let mut streams: BTreeMap<&str, Range<usize>> = BTreeMap::new();
    for (at, one) in events.iter().enumerate() {
        let id = |path| one.event.pointer(path).and_then(Value::as_str);
        if one.event.pointer("/properties/part/time/end").is_some() {
            streams.remove(id("/properties/part/id").unwrap());
        } else if one.event.pointer("/properties/part/time/start").is_some() {
            streams.insert(id("/properties/part/id").unwrap(), at + 1..at + 1);
        } else if let Some(part) = id("/properties/partID")
            && let Some(stream) = streams.get_mut(part)
        {
            stream.end = at + 1;
        }
    }
    streams.into_values().collect()
}

#[test]
fn a_crash_and_a_replay_of_everything_gives_the_rows_of_once() {
    for recording in recordings() {
        let Recording { name, events, .. } = &recording;
        if name.contains("matrix") {
            // Long, and the others hold every kind of event but a few.
            continue;
        }
        let once = recording.replayed().dump();
        for crash in points(events.len()) {
            let db = Db::new();
            let mut batches = Vec::new();
            replay_into(&mut recording.core(), &events[..crash], |commands| {
                batches.push(commands.to_vec());
            });
            batches.pop();
            batches.iter().for_each(|batch| db.apply(batch));
            recording.replay(&db, events);
            assert_same(
                &format!("{name}, crash after {crash} events"),
                &once,
                &db.dump(),
            );
        }
    }
}

/// Some points of a recording, not evenly apart.
fn points(length: usize) -> impl Iterator<Item = usize> {
    (1..=4).map(move |step| length * step * step / 17)
}

#[test]
fn every_row_has_its_parents_and_every_session_is_one_row() {
    for recording in recordings() {
        let Recording { name, events, .. } = &recording;
        let db = recording.replayed();
        for orphans in [
            "SELECT id FROM messages WHERE session_id NOT IN (SELECT id FROM sessions)",
            "SELECT id FROM parts WHERE (message_id, session_id) NOT IN (SELECT id, session_id FROM messages)",
            "SELECT id FROM tool_calls WHERE (message_id, session_id) NOT IN (SELECT id, session_id FROM messages)",
            "SELECT id FROM usage WHERE (message_id, session_id) NOT IN (SELECT id, session_id FROM messages)",
            "SELECT id FROM session_errors WHERE session_id NOT IN (SELECT id FROM sessions)",
            "SELECT id FROM permissions WHERE session_id NOT IN (SELECT id FROM sessions)",
            "SELECT session_id FROM todos WHERE session_id NOT IN (SELECT id FROM sessions)",
            "SELECT id FROM sessions WHERE parent_id NOT IN (SELECT id FROM sessions)",
            "PRAGMA foreign_key_check",
        ] {
            assert_eq!(db.rows(orphans), [""; 0], "{name}: {orphans}");
        }
        let told: BTreeSet<&str> = events
            .iter()
            .filter_map(|one| session_of(&one.event))
            .collect();
        let stored = db.value("SELECT count(*) FROM sessions");
        assert_eq!(stored, told.len().to_string(), "{name}");
    }
}

/// The session an event is about, as OpenCode spells it in any release.
pub(crate) fn session_of(event: &Value) -> Option<&str> {
    let properties = event.get("properties")?;
    let at = |path: &str| properties.pointer(path).and_then(Value::as_str);
    match event.get("type")?.as_str()? {
        "session.created" | "session.updated" | "session.deleted" => at("/info/id"),
        "message.updated" => at("/info/sessionID"),
        "message.part.updated" => at("/part/sessionID"),
        _ => at("/sessionID"),
    }
}
