//! `text_content`: the message's text parts that are neither synthetic nor
//! ignored, in part order, joined by one newline.

use clankers::model::command::Command;
use serde_json::{Value, json};

use crate::catching_up::{Answered, Answers, HOME, core_at, fetch};
use crate::events::{answer, delta, idle, part, part_removed, session_info, text, with};
use crate::support::{Db, command, story, tell, told};

const TEXT: &str = "SELECT text_content FROM messages WHERE id = 'msg_1'";

#[test]
fn text_content_joins_the_text_parts_in_part_order_by_one_newline() {
    let db = told([
        answer("ses_1", "msg_1", json!({})),
        text(("ses_1", "msg_1", "prt_2"), "second"),
        text(("ses_1", "msg_1", "prt_3"), ""),
        text(("ses_1", "msg_1", "prt_1"), "first\n"),
        text(("ses_1", "msg_1", "prt_4"), "fourth"),
    ]);
    assert_eq!(db.value(TEXT), r#""first\n\nsecond\n\nfourth""#);
}

#[test]
fn text_content_leaves_synthetic_ignored_and_other_parts_out() {
    let place = |id| ("ses_1", "msg_1", id);
    let db = told([
        answer("ses_1", "msg_1", json!({})),
        part(
            place("prt_1"),
            "text",
            json!({ "text": "synthetic", "synthetic": true }),
        ),
        part(
            place("prt_2"),
            "text",
            json!({ "text": "ignored", "ignored": true }),
        ),
        part(
            place("prt_3"),
            "text",
            json!({ "text": "neither", "synthetic": false, "ignored": false }),
        ),
        part(
            place("prt_4"),
            "reasoning",
            json!({ "text": "thought", "time": { "start": 1, "end": 2 } }),
        ),
        part(
            place("prt_5"),
            "file",
            json!({ "mime": "text/plain", "url": "file:///a", "filename": "a" }),
        ),
    ]);
    assert_eq!(db.value(TEXT), r#""neither""#);
}

#[test]
fn text_content_follows_a_part_that_becomes_ignored_or_is_rewritten() {
    let place = ("ses_1", "msg_1", "prt_1");
    let db = told([answer("ses_1", "msg_1", json!({})), text(place, "before")]);
    tell(&db, clankers::Options::default(), [text(place, "after")]);
    assert_eq!(db.value(TEXT), r#""after""#);
    tell(
        &db,
        clankers::Options::default(),
        [part(
            place,
            "text",
            json!({ "text": "after", "ignored": true }),
        )],
    );
    assert_eq!(db.value(TEXT), r#""""#);
}

#[test]
fn text_content_takes_in_a_part_that_is_not_synthetic_any_more() {
    let place = ("ses_1", "msg_1", "prt_1");
    let said = |more: Value| part(place, "text", with(json!({ "text": "said" }), more));
    let db = told([said(json!({ "synthetic": true }))]);
    assert_eq!(db.value(TEXT), r#""""#);
    let renamed = said(json!({ "isSynthetic": true }));
    tell(&db, clankers::Options::default(), [renamed]);
    assert_eq!(db.value(TEXT), r#""""#);
    tell(&db, clankers::Options::default(), [said(json!({}))]);
    assert_eq!(db.value(TEXT), r#""said""#);
}

#[test]
fn text_content_is_empty_and_never_null_without_text_parts() {
    let db = told([
        answer("ses_1", "msg_1", json!({})),
        crate::events::tool(("ses_1", "msg_1", "prt_1"), "c", json!({})),
    ]);
    assert_eq!(db.value(TEXT), r#""""#);
}

#[test]
fn a_removed_part_is_deleted_and_text_content_follows() {
    let place = |id| ("ses_1", "msg_1", id);
    let db = told([
        answer("ses_1", "msg_1", json!({})),
        text(place("prt_1"), "one"),
        text(place("prt_2"), "two"),
        part_removed(place("prt_1")),
        // Told again, late.
        text(place("prt_1"), "one"),
    ]);
    assert_eq!(db.value(TEXT), r#""two""#);
    assert_eq!(db.rows("SELECT id FROM parts"), [r#""prt_2""#]);
    // Or by another process, which has not seen the removal.
    crate::support::replay(&db, &story([text(place("prt_1"), "one")]));
    assert_eq!(db.value(TEXT), r#""two""#);
    assert_eq!(db.rows("SELECT id FROM parts"), [r#""prt_2""#]);
}

#[test]
fn a_stream_is_stored_up_to_the_last_drain() {
    let place = ("ses_1", "msg_1", "prt_1");
    let events = story([
        answer(
            "ses_1",
            "msg_1",
            json!({ "time": { "created": 1 }, "finish": null }),
        ),
        part(place, "text", json!({ "text": "", "time": { "start": 1 } })),
        delta(place, "I begin"),
        delta(place, " to speak"),
    ]);
    let db = Db::new();
    let mut core = clankers::Core::new(clankers::Options::default());
    for one in &events {
        core.observe(&&one.event, one.at);
    }
    db.apply(core.drain());
    assert_eq!(db.value(TEXT), r#""I begin to speak""#);
}

#[test]
fn what_came_to_a_text_is_added_where_the_text_is_there_up_to_it() {
    let place = json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" });
    let upsert = |more: Value| command("part.upsert", with(place.clone(), more));
    let append = |offset: usize, text: &str| {
        let more = json!({ "offset": offset, "text": text });
        command("part.append", with(place.clone(), more))
    };
    let written = |commands: &[Command]| {
        let db = Db::new();
        db.apply(&[upsert(
            json!({ "type": "text", "text": "wörd", "endedAt": null }),
        )]);
        db.apply(commands);
        let texts = db.rows("SELECT text FROM parts UNION ALL SELECT text_content FROM messages");
        assert_eq!(texts[0], texts[1], "text_content follows");
        texts[0].clone()
    };
    let one = append(5, " 😀");
    assert_eq!(written(std::slice::from_ref(&one)), r#""wörd 😀""#);
    let both = [one.clone(), append(10, "\0 end")];
    let all = format!("{:?}", "wörd 😀\0 end");
    assert_eq!(written(&both), all);
    assert_eq!(written(&[&both[..], &both[..]].concat()), all, "told again");
    assert_eq!(
        written(&[both[0].clone(), both[1].clone(), one.clone()]),
        all,
        "told late"
    );
    assert_eq!(written(&[append(6, "gap")]), r#""wörd""#);
    let ended = upsert(json!({ "text": "ended", "endedAt": 5 }));
    assert_eq!(written(&[ended, one]), r#""ended""#);
}

#[test]
fn what_came_to_a_text_that_is_not_there_is_no_row() {
    let db = Db::new();
    let params = json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1", "offset": 0, "text": "t" });
    db.apply(&[command("part.append", params)]);
    assert_eq!(db.value("SELECT count(*) FROM parts"), "0");
}

#[test]
fn reasoning_that_grows_is_no_text_content() {
    let place = ("ses_1", "msg_1", "prt_2");
    let db = told([text(("ses_1", "msg_1", "prt_1"), "said")]);
    let mut core = clankers::Core::new(clankers::Options::default());
    let begun = json!({ "text": "long enough", "time": { "start": 1 } });
    for event in [part(place, "reasoning", begun), delta(place, " thought")] {
        core.observe(&&event, 1.0);
        db.apply(core.drain());
        core.settle(true);
    }
    assert_eq!(db.value(TEXT), r#""said""#);
    assert_eq!(
        db.rows("SELECT text FROM parts WHERE id = 'prt_2'"),
        [r#""long enough thought""#]
    );
}

#[test]
fn both_spellings_of_a_stream_give_the_same_rows() {
    let place = ("ses_1", "msg_1", "prt_1");
    let open = part(place, "text", json!({ "text": "", "time": { "start": 1 } }));
    let grown = |text: &str, delta: &str| {
        let mut event = part(
            place,
            "text",
            json!({ "text": text, "time": { "start": 1 } }),
        );
        event["properties"]["delta"] = json!(delta);
        event
    };
    let whole = [
        grown("I", "I"),
        grown("I speak", " speak"),
        grown("I speak 😀", " 😀"),
    ];
    let deltas = ["I", " speak", " 😀"].map(|text| delta(place, text));
    let message = || {
        answer(
            "ses_1",
            "msg_1",
            json!({ "time": { "created": 1 }, "finish": null }),
        )
    };
    let old = told([message()].into_iter().chain(whole).chain([idle("ses_1")]));
    let new = told(
        [message(), open]
            .into_iter()
            .chain(deltas)
            .chain([idle("ses_1")]),
    );
    assert_eq!(old.value(TEXT), r#""I speak 😀""#);
    assert_eq!(old.dump(), new.dump());
}

#[test]
fn a_delta_told_twice_counts_once_where_events_have_ids() {
    let place = ("ses_1", "msg_1", "prt_1");
    let numbered = |id: &str, text: &str| {
        let mut event = delta(place, text);
        event["id"] = json!(id);
        event
    };
    let open = part(place, "text", json!({ "text": "", "time": { "start": 1 } }));
    let db = told([
        open,
        numbered("evt_1", "I"),
        numbered("evt_1", "I"),
        numbered("evt_2", " speak"),
        numbered("evt_1", "I"),
    ]);
    assert_eq!(db.value(TEXT), r#""I speak""#);
}

#[test]
fn a_part_that_ended_is_not_taken_back_by_an_older_telling_in_the_same_batch() {
    let place = ("ses_1", "msg_1", "prt_1");
    let mut core = clankers::Core::new(clankers::Options::default());
    let older = part(
        place,
        "text",
        json!({ "text": "who", "time": { "start": 1 } }),
    );
    for event in [text(place, "whole"), older] {
        core.observe(&&event, 1.0);
    }
    let db = Db::new();
    db.apply(core.drain());
    assert_eq!(
        db.rows("SELECT text, ended_at FROM parts"),
        [r#""whole" | 2"#]
    );
}

#[test]
fn an_answer_from_mid_stream_does_not_take_back_an_end_that_another_process_stored() {
    let place = ("ses_1", "msg_1", "prt_1");
    let db = told([text(place, "whole")]);
    let mut kept = part(
        place,
        "text",
        json!({ "text": "who", "time": { "start": 0 } }),
    );
    let mut told = answer("ses_1", "msg_1", json!({}));
    let message = json!({
        "info": told["properties"]["info"].take(),
        "parts": [kept["properties"]["part"].take()],
    });
    let one = Answered {
        info: session_info("ses_1", json!({})),
        messages: vec![message],
        todos: Vec::new(),
    };
    let answers = Answers([("ses_1".to_owned(), one)].into());
    fetch(&mut core_at(HOME), &db, &answers, "ses_1");
    assert_eq!(
        db.rows("SELECT text, started_at, ended_at FROM parts"),
        [r#""whole" | 1 | 2"#]
    );
    assert_eq!(db.value(TEXT), r#""whole""#);
}
