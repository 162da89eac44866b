//! `parts`: what a part holds beyond its columns, and when it was written.

use serde_json::{Value, json};

use crate::events::{answer, part, text};
use crate::support::told;

const PLACE: (&str, &str, &str) = ("ses_1", "msg_1", "prt_1");
const REFUSED: &str = "SELECT event_type, path FROM rejections";

#[test]
fn a_plain_texts_data_is_null() {
    let reasoning = json!({ "text": "t", "time": { "start": 1, "end": 2 } });
    for event in [text(PLACE, "t"), part(PLACE, "reasoning", reasoning)] {
        let db = told([event]);
        assert_eq!(db.rows("SELECT text, data FROM parts"), [r#""t" | NULL"#]);
    }
}

#[test]
fn data_is_what_a_part_holds_beyond_the_columns() {
    let tokens =
        json!({ "input": 1, "output": 2, "reasoning": 3, "cache": { "read": 4, "write": 5 } });
    for (kind, held) in [
        (
            "file",
            json!({ "mime": "text/plain", "filename": "a", "url": "file:///a", "source": { "type": "file" } }),
        ),
        ("patch", json!({ "hash": "h", "files": ["a", "b"] })),
        ("agent", json!({ "name": "general", "source": {} })),
        (
            "subtask",
            json!({ "agent": "a", "description": "d", "prompt": "p", "command": "c", "model": { "modelID": "m" } }),
        ),
        ("snapshot", json!({ "snapshot": "s" })),
        ("step-start", json!({ "snapshot": "s" })),
        (
            "step-finish",
            json!({ "reason": "stop", "cost": 0.5, "tokens": tokens, "snapshot": "s" }),
        ),
        ("compaction", json!({ "auto": true, "overflow": false })),
    ] {
        let db = told([
            answer("ses_1", "msg_1", json!({})),
            part(PLACE, kind, held.clone()),
        ]);
        let data = db.rows("SELECT data FROM parts WHERE text IS NULL AND json_valid(data)");
        let data: Vec<Value> = data.iter().filter_map(|data| unshown(data)).collect();
        assert_eq!(data, [held], "{kind}");
        assert_eq!(db.value("SELECT type FROM parts"), format!("{kind:?}"));
        assert_eq!(db.rows(REFUSED), [""; 0], "{kind}");
    }
}

/// The JSON in a text that a row shows.
fn unshown(text: &str) -> Option<Value> {
    let text: String = serde_json::from_str(text).ok()?;
    serde_json::from_str(&text).ok()
}

#[test]
fn data_of_a_part_that_holds_no_more_is_null() {
    // Kilo tells its time in events, and leaves it out of answers.
    let timed = json!({ "time": { "start": 1000 } });
    let db = told([part(PLACE, "step-start", timed)]);
    assert_eq!(
        db.rows("SELECT type, data FROM parts"),
        [r#""step-start" | NULL"#]
    );
}

#[test]
fn ignored_is_one_where_the_model_never_saw_the_text() {
    let db = told([part(
        PLACE,
        "text",
        json!({ "text": "t", "synthetic": true, "ignored": true }),
    )]);
    assert_eq!(db.rows("SELECT ignored, data FROM parts"), ["1 | NULL"]);
}

#[test]
fn synthetic_is_one_where_opencode_wrote_the_text_and_else_zero() {
    for (more, synthetic) in [
        (json!({ "synthetic": true }), "1"),
        (json!({ "synthetic": false }), "0"),
        (json!({}), "0"),
    ] {
        let more = crate::events::with(json!({ "text": "t" }), more);
        let db = told([part(PLACE, "text", more)]);
        assert_eq!(db.value("SELECT synthetic FROM parts"), synthetic);
    }
}

#[test]
fn a_parts_times_are_those_that_opencode_sent() {
    let time = json!({ "start": 1_795_405_040_778_u64, "end": 1_795_405_040_890_u64 });
    for kind in ["text", "reasoning"] {
        let db = told([part(PLACE, kind, json!({ "text": "t", "time": time }))]);
        assert_eq!(
            db.rows("SELECT started_at, ended_at FROM parts"),
            ["1795405040778 | 1795405040890"],
            "{kind}"
        );
    }
}

#[test]
fn a_part_that_is_still_written_has_a_start_and_no_end() {
    let db = told([part(
        PLACE,
        "text",
        json!({ "text": "t", "time": { "start": 1_795_405_040_778_u64 } }),
    )]);
    assert_eq!(
        db.rows("SELECT started_at, ended_at FROM parts"),
        ["1795405040778 | NULL"]
    );
}

#[test]
fn a_part_that_has_no_times_has_none_here() {
    let db = told([part(PLACE, "snapshot", json!({ "snapshot": "s" }))]);
    assert_eq!(
        db.rows("SELECT started_at, ended_at FROM parts"),
        ["NULL | NULL"]
    );
}
