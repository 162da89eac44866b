//! What `OpenCode` answers of words that an export had taken out.

use serde_json::json;

use super::{answered, core, recorded};
use crate::catching_up::{compare, fetch};

/// `opencode import` of a sanitized export leaves it with nothing else.
#[test]
fn what_opencode_answers_of_words_that_were_taken_out_replaces_none() {
    let db = recorded(&[1]);
    let words = "SELECT sessions.title, text, output FROM sessions, parts, tool_calls";
    let before = db.rows(words);
    assert_eq!(before, [r#""A title" | "words" | "out""#]);
    for at in [1000, 2000] {
        let mut theirs = answered(at, &[1]);
        let session = theirs.0.get_mut("ses_1").unwrap();
        session.info["title"] = json!("[redacted:session-title:ses_1]");
        let parts = &mut session.messages[0]["parts"];
        parts[0]["text"] = json!("[redacted:text:prt_1a]");
        parts[1]["state"]["output"] = json!("[redacted:tool-output:prt_1b]");
        fetch(&mut core(), &db, &theirs, "ses_1");
        assert_eq!(db.rows(words), before, "{at}");
        assert_eq!(
            compare(&mut core(), &db, &theirs),
            [""; 0],
            "{at}: it rests"
        );
    }
    // What it says in words is its own again.
    let mut theirs = answered(3000, &[1]);
    let session = theirs.0.get_mut("ses_1").unwrap();
    session.info["title"] = json!("Another title");
    session.messages[0]["parts"][0]["text"] = json!("others");
    fetch(&mut core(), &db, &theirs, "ses_1");
    assert_eq!(db.rows(words), [r#""Another title" | "others" | "out""#]);
}
