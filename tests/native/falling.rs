//! Ids that fall. OpenCode's wrapped in August 2026, and fall where a clock is set
//! back: nothing may be told by their order.

#![expect(clippy::unwrap_used, reason = "a broken fixture is to fail loudly")]

use std::fmt::Write;

use clankers::Options;
use serde_json::json;

use crate::events::{answer, delta, part, session, with};
use crate::support::{Db, Recorded, assert_same, recordings, tell, told};

/// What ids begin with that rise with time: a kind, then 48 bits as 12 digits, of
/// which the first 9 tell the millisecond. What is made in one stays in order.
const RISING: [&str; 3] = ["evt_", "msg_", "prt_"];
const MILLISECOND: usize = 9;

/// A text in which the ids fall that rose. Doing it twice gives the text itself.
fn fallen(text: &str) -> String {
    let mut changed = String::new();
    let mut rest = text;
    let next = |rest: &str| {
        let found = RISING
            .iter()
            .filter_map(|kind| Some(rest.find(kind)? + kind.len()));
        found.min()
    };
    while let Some((before, id)) = next(rest).and_then(|at| rest.split_at_checked(at)) {
        changed.push_str(before);
        rest = id;
        let digits = rest.get(..MILLISECOND).unwrap_or_default();
        if let Ok(at) = u64::from_str_radix(digits, 16) {
            let fallen = 0xF_FFFF_FFFF - at;
            write!(changed, "{fallen:09x}").unwrap();
            rest = &rest[MILLISECOND..];
        }
    }
    changed + rest
}

/// The lines of a dump, sorted.
fn sorted(dump: &str) -> String {
    let mut lines: Vec<&str> = dump.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Fails where these events with falling ids come to other rows than as they are,
/// all of them, told twice, or broken off at some point.
pub(crate) fn assert_order_tells_nothing(
    what: &str,
    events: &[Recorded],
    replay: impl Fn(&Db, &[Recorded]),
) {
    let event = |one: &Recorded| Recorded {
        at: one.at,
        event: serde_json::from_str(&fallen(&one.event.to_string())).unwrap(),
    };
    let falling: Vec<Recorded> = events.iter().map(event).collect();
    let compare = |length: usize, times: usize| {
        let [rising, falling] = [events, &falling].map(|events| {
            let db = Db::new();
            for _ in 0..times {
                replay(&db, &events[..length]);
            }
            db.dump()
        });
        assert_same(what, &sorted(&rising), &sorted(&fallen(&falling)));
    };
    compare(events.len(), 1);
    compare(events.len() / 2, 2);
}

#[test]
fn a_recording_with_falling_ids_comes_to_the_same_rows() {
    for recording in recordings() {
        assert_order_tells_nothing(&recording.name, &recording.events, |db, events| {
            recording.replay(db, events);
        });
    }
}

#[test]
fn a_text_grows_by_each_event_once_whatever_their_ids() {
    let place = ("ses_1", "msg_1", "prt_1");
    let open = json!({ "text": "", "time": { "start": 1 } });
    let unfinished = json!({ "time": { "created": 1000 } });
    let mut events = vec![
        session("ses_1", json!({})),
        answer("ses_1", "msg_1", unfinished),
        part(place, "text", open),
    ];
    for (id, piece) in [
        ("evt_f", "a"),
        ("evt_e", "b"),
        ("evt_a", "c"),
        ("evt_c", "d"),
    ] {
        let grown = with(delta(place, piece), json!({ "id": id }));
        events.extend([grown.clone(), grown]);
    }
    // The first once more, as a second instance of the plugin would tell it late.
    events.push(events[3].clone());
    let db = told(events);
    assert_eq!(db.rows("SELECT text FROM parts"), [r#""abcd""#]);
}

#[test]
fn the_texts_of_a_message_are_in_the_order_in_which_they_began() {
    let text = |id: &str, start: u32| {
        let place = ("ses_1", "msg_1", id);
        let more = json!({ "text": start.to_string(), "time": { "start": start, "end": 9 } });
        part(place, "text", more)
    };
    let texts = [text("prt_c", 1), text("prt_a", 2), text("prt_b", 3)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let db = told([
            session("ses_1", json!({})),
            answer("ses_1", "msg_1", json!({})),
        ]);
        for at in order {
            tell(&db, Options::default(), [texts[at].clone()]);
        }
        assert_eq!(
            db.rows("SELECT text_content FROM messages"),
            ["\"1\\n2\\n3\""]
        );
    }
}
