//! Numbers with the things they count: one is no plural.

use crate::support::diagnosis::doctor;
use crate::support::home::Home;

/// A session with one message of one word, one thought, and one tool call; one event
/// of it was refused, once.
fn one_of_each() -> Home {
    let home = Home::with_recordings(&[]);
    home.open()
        .execute_batch(
            "INSERT INTO sessions (id, title, created_at, updated_at) VALUES ('ses_1', 'One', 1000, 1000);
             INSERT INTO messages (id, session_id, role, created_at) VALUES ('msg_1', 'ses_1', 'assistant', 1000);
             INSERT INTO parts (id, message_id, session_id, type, text, synthetic) VALUES
               ('prt_1', 'msg_1', 'ses_1', 'text', 'Hello', 1), ('prt_2', 'msg_1', 'ses_1', 'reasoning', 'Hm', 0);
             INSERT INTO tool_calls (id, message_id, session_id, tool) VALUES ('prt_3', 'msg_1', 'ses_1', 'bash');
             INSERT INTO usage (id, session_id, message_id, kind, at, prompt_tokens, completion_tokens, cost)
             VALUES ('prt_4', 'ses_1', 'msg_1', 'step', 1000, 1, 0, 0.00105);
             INSERT INTO rejections VALUES ('session.sung', 'unknown_event', 'type', 'an event type of a known release',
               'another word', '{}', '1.19.0', 1, 1000, 1000, 1)",
        )
        .unwrap();
    home
}

#[test]
fn one_of_each_thing_is_no_plural() {
    let home = one_of_each();
    let status = home.stdout(&["status"]);
    assert!(
        status.contains("  1 session · 1 message · 1 tool call · $0.0011 spent"),
        "{status}"
    );
    let show = home.stdout(&["show", "last"]);
    assert!(show.contains("added by OpenCode: 1 word\n"), "{show}");
    assert!(show.contains("thought: 1 word\n"), "{show}");
    assert!(show.contains("1 token · $0.0011"), "{show}");
    let prune = home.stdout(&["prune", "--older-than", "2001-01-01", "--dry-run"]);
    assert!(
        prune.contains("1 session and 0 of its sub-agents'"),
        "{prune}"
    );
    let refused = doctor(&home, &[]);
    assert!(refused.says("rejections", "warning", "(1 time, OpenCode 1.19.0)"));
}
