//! A long list of sessions is compared a page at a time.

use std::cell::RefCell;

use clankers::catch_up::{Answer, Request};
use serde_json::{Value, json};

use super::core;
use crate::catching_up::{Answered, Answers, DIRECTORY, HOME, NOW, compare, drive_until};
use crate::support::Db;

/// Two pages and a part of a third.
const MANY: usize = 620;

fn id(at: usize) -> String {
    format!("ses_{at:03}")
}

/// That many sessions, of which each was changed later than the one before.
fn listed() -> Answers {
    let session = |at: usize| {
        let updated = 1000 + at;
        let info = json!({
            "id": id(at), "title": "A title", "directory": DIRECTORY,
            "time": { "created": 1000, "updated": updated },
        });
        let answered = Answered {
            info,
            messages: Vec::new(),
            todos: Vec::new(),
        };
        (id(at), answered)
    };
    Answers((0..MANY).map(session).collect())
}

#[test]
fn a_long_list_is_compared_page_by_page_newest_first() {
    let db = Db::new();
    let mut now = listed();
    let newest_first: Vec<String> = (0..MANY).rev().map(id).collect();
    assert_eq!(compare(&mut core(), &db, &now), newest_first);
    assert_eq!(compare(&mut core(), &db, &now), [""; 0]);

    // One of each page is called otherwise, and one of each is gone.
    for at in [5, 305, 605] {
        now.0.get_mut(&id(at)).unwrap().info["title"] = json!("Another");
    }
    for at in [10, 310, 610] {
        now.0.remove(&id(at));
    }
    let asked = RefCell::new(Vec::new());
    let note = |request: &Request| {
        match request {
            Request::StoredSessions {
                directory,
                ids,
                but_for,
                ..
            } => asked
                .borrow_mut()
                .push((directory.clone(), ids.len(), but_for.len())),
            Request::Session { session_id, .. } => {
                asked.borrow_mut().push((Some(session_id.clone()), 0, 0));
            }
            _ => {}
        }
        false
    };
    let mut core = core();
    core.compare(DIRECTORY);
    let fetched = drive_until((&mut core, HOME), &db, &now, NOW, note);
    assert_eq!(fetched, [605, 305, 5].map(id));
    let of = |at: usize| (Some(id(at)), 0, 0);
    assert_eq!(
        asked.into_inner(),
        [
            (None, 250, 0),
            (None, 250, 0),
            (Some(DIRECTORY.to_owned()), 117, 500),
            of(605),
            of(305),
            of(5),
            of(10),
            of(310),
            of(610),
        ]
    );
    let missing = "SELECT id FROM sessions WHERE missing_since IS NOT NULL ORDER BY id";
    assert_eq!(
        db.rows(missing),
        [10, 310, 610].map(|at| format!("{:?}", id(at)))
    );
}

#[test]
fn a_page_of_which_it_cannot_be_told_what_is_stored_has_all_compared_again() {
    let db = Db::new();
    let now = listed();
    let mut core = core();
    core.compare(DIRECTORY);
    let is_second = |request: &Request| matches!(request, Request::StoredSessions { ids, .. } if ids.contains(&id(0)) || ids.contains(&id(200)));
    drive_until((&mut core, HOME), &db, &now, NOW, is_second);
    core.answer::<&Value>(Answer::Failed, NOW);
    // What the pages before brought is fetched all the same, and does not hide it.
    let fetched = drive_until((&mut core, HOME), &db, &now, NOW, |_| false);
    assert_eq!(fetched.len(), 250);
    assert!(core.compare_again_in().is_some());
    assert_eq!(compare(&mut core, &db, &now).len(), MANY - 250);
    assert_eq!(core.compare_again_in(), None);
}
