//! What a crash or a refusal cut off is asked for again.

use clankers::catch_up::{Answer, Request};
use clankers::{Core, Urgency};
use serde_json::{Value, json};

use super::{answered, core, recorded, told, updated};
use crate::catching_up::{
    Answers, DIRECTORY, HOME, NOW, compare, drive_until, fetch, fetch_wanted, store,
};
use crate::events::{answer, delta, idle, part, session, user};
use crate::support::Db;

#[test]
fn what_a_crash_lost_is_brought_in_though_its_session_goes_on_before_it_is_compared() {
    let db = recorded(&[1]);
    let mut core = core();
    told(&mut core, &db, [session("ses_1", updated(3000))]);
    assert_eq!(compare(&mut core, &db, &answered(3000, &[1, 2])), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
}

/// A fork is told to have been created, and then its copies, one after the other;
/// its time of change stays what it is.
#[test]
fn what_a_crash_lost_of_a_new_session_is_brought_in() {
    let db = Db::new();
    let mut created = session("ses_1", updated(1000));
    created["type"] = json!("session.created");
    told(&mut core(), &db, [created]);
    // The process ends here.
    let copied = answered(1000, &[1, 2]);
    assert_eq!(compare(&mut core(), &db, &copied), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
    assert_eq!(compare(&mut core(), &db, &copied), [""; 0]);
}

/// Compares, and is cut off before the second page of messages is answered.
fn compare_to_the_second_page(core: &mut Core, db: &Db, answers: &Answers) {
    core.compare(DIRECTORY);
    let second = |request: &Request| matches!(request, Request::Messages { page: Some(_), .. });
    drive_until((core, HOME), db, answers, NOW, second);
}

#[test]
fn a_session_that_is_fetched_while_its_database_is_lost_is_fetched_anew() {
    let db = Db::new();
    let mut core = core();
    let whole = answered(1000, &[1, 2, 3]);
    compare_to_the_second_page(&mut core, &db, &whole);
    let db = Db::new();
    core.forget_stored();
    compare(&mut core, &db, &whole);
    fetch_wanted(&mut core, &db, &whole);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "3");
}

#[test]
fn a_catch_up_that_is_cut_off_is_made_again() {
    let db = Db::new();
    let mut core = core();
    let whole = answered(1000, &[1, 2, 3]);
    compare_to_the_second_page(&mut core, &db, &whole);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
    // The process ends here.
    assert_eq!(compare(&mut self::core(), &db, &whole), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "3");
    assert_eq!(compare(&mut self::core(), &db, &whole), [""; 0]);
}

#[test]
fn a_session_that_is_not_answered_whole_is_stored_and_asked_for_again() {
    for outcome in [Answer::None, Answer::Failed, Answer::NotOffered] {
        let db = Db::new();
        let mut core = core();
        let whole = answered(1000, &[1]);
        core.compare(DIRECTORY);
        let messages = |request: &Request| matches!(request, Request::Messages { .. });
        drive_until((&mut core, HOME), &db, &whole, NOW, messages);
        core.answer::<&Value>(outcome, NOW);
        assert_eq!(core.next_request(NOW), None);
        store(&mut core, &db);
        assert_eq!(db.value("SELECT title FROM sessions"), r#""A title""#);
        assert_eq!(compare(&mut core, &db, &whole), ["ses_1"]);
    }
}

#[test]
fn that_a_turn_has_begun_is_stored_at_once_so_that_a_crash_after_it_is_seen() {
    let db = recorded(&[1]);
    let mut core = core();
    compare(&mut core, &db, &answered(2000, &[1]));
    assert_eq!(
        core.observe(&&user("ses_1", "msg_2", json!({})), 1.0),
        Urgency::Now
    );
    store(&mut core, &db);
    // It is killed. What it did not store left the time of change as it was.
    let now = answered(2000, &[1, 2, 3]);
    assert_eq!(compare(&mut self::core(), &db, &now), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "3");
}

#[test]
fn a_text_that_a_crash_cut_off_keeps_what_was_heard_of_it() {
    let db = Db::new();
    let place = ("ses_1", "msg_1", "prt_1");
    let begun = json!({ "text": "", "time": { "start": 1 } });
    told(
        &mut core(),
        &db,
        [
            session("ses_1", updated(1000)),
            answer("ses_1", "msg_1", json!({ "time": { "created": 1 } })),
            part(place, "text", begun.clone()),
            delta(place, "what was heard"),
        ],
    );
    // The process is killed. OpenCode has kept the text's beginning.
    let mut now = answered(1000, &[1]);
    let message = &mut now.0.get_mut("ses_1").unwrap().messages[0];
    let mut kept = part(place, "text", begun);
    message["parts"] = json!([kept["properties"]["part"].take()]);
    compare(&mut core(), &db, &now);
    let said = "SELECT text_content FROM messages";
    assert_eq!(db.value(said), r#""what was heard""#);
}

#[test]
fn what_a_crash_cuts_off_in_the_middle_of_a_turn_is_asked_for_once() {
    let db = recorded(&[1]);
    let mut core = core();
    compare(&mut core, &db, &answered(1001, &[1]));
    let asked = json!({ "time": { "created": 2000 } });
    // The last that is stored before the crash tells the time that OpenCode lists.
    told(
        &mut core,
        &db,
        [
            user("ses_1", "msg_2", asked),
            session("ses_1", updated(2000)),
        ],
    );
    let mut cut_off = answered(2000, &[1, 3]);
    let last = cut_off.0.get_mut("ses_1").unwrap().messages.last_mut();
    let time = last.unwrap()["info"]["time"].as_object_mut().unwrap();
    time.remove("completed");
    let restarted = &mut self::core();
    assert_eq!(compare(restarted, &db, &cut_off), ["ses_1"]);
    assert_eq!(
        db.value("SELECT count(*) FROM messages WHERE coalesce(deleted_at, missing_since) IS NULL"),
        "2"
    );
    // An answer that never ended in OpenCode either is not asked for again.
    assert_eq!(compare(&mut self::core(), &db, &cut_off), [""; 0]);
}

#[test]
fn a_turn_that_ends_leaves_its_session_whole() {
    let db = recorded(&[1]);
    let mut core = core();
    compare(&mut core, &db, &answered(1001, &[1]));
    told(
        &mut core,
        &db,
        [
            user("ses_1", "msg_2", json!({ "time": { "created": 2000 } })),
            session("ses_1", updated(2000)),
            answer("ses_1", "msg_3", json!({})),
            idle("ses_1"),
        ],
    );
    let now = answered(2000, &[1, 2, 3]);
    assert_eq!(compare(&mut self::core(), &db, &now), [""; 0]);
}

#[test]
fn a_session_that_opencode_did_not_answer_for_stays_to_be_asked_for() {
    let db = recorded(&[1, 2]);
    let mut core = core();
    // A text whose beginning was missed: a fetch is wanted, and fails.
    told(&mut core, &db, [delta(("ses_1", "msg_2", "prt_9"), "late")]);
    assert!(core.fetch_wanted(DIRECTORY));
    assert_eq!(
        core.next_request(NOW),
        Some(Request::StoredMessages {
            session_id: "ses_1".to_owned(),
            store_id: Some(HOME.to_owned()),
        })
    );
    fetch(&mut core, &db, &Answers::default(), "ses_1");
    told(&mut core, &db, [session("ses_1", updated(1000))]);
    let restarted = &mut self::core();
    assert_eq!(compare(restarted, &db, &answered(1000, &[1, 2])), ["ses_1"]);
}
