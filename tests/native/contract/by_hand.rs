//! What other writers than the plugin may send: in any order, in parts, and
//! by several of them at once. The rules hold all the same.

use clankers::model::command::Command;
use serde_json::{Value, json};

use crate::events::with;
use crate::support::{Db, command};

/// A database after these commands.
fn sent(commands: impl IntoIterator<Item = Command>) -> Db {
    let db = Db::new();
    for command in commands {
        db.apply(&[command]);
    }
    db
}

fn session(id: &str, more: Value) -> Command {
    command("session.upsert", with(json!({ "id": id }), more))
}

fn message(more: Value) -> Command {
    let ids = json!({ "id": "msg_1", "sessionId": "ses_1" });
    command("message.upsert", with(ids, more))
}

/// An answer that is completed.
fn answered(more: Value) -> Command {
    let whole = json!({ "role": "assistant", "createdAt": 1, "completedAt": 2 });
    message(with(whole, more))
}

fn place(id: &str) -> Value {
    json!({ "id": id, "messageId": "msg_1", "sessionId": "ses_1" })
}

fn part(id: &str, more: Value) -> Command {
    command("part.upsert", with(place(id), more))
}

fn step(id: &str, cost: f64) -> Command {
    command("usage.upsert", with(place(id), json!({ "cost": cost })))
}

fn delete(method: &str, id: &str, on_delete: &str) -> Command {
    let ids = match method {
        "session.delete" => json!({ "id": id }),
        "message.delete" => json!({ "id": id, "sessionId": "ses_1" }),
        _ => place(id),
    };
    let how = json!({ "deletedAt": 50, "onDelete": on_delete });
    command(method, with(ids, how))
}

const TEXT: &str = "SELECT text_content FROM messages";
const SPENT: &str = "SELECT round(sum(cost), 9) FROM usage";

#[test]
fn text_content_follows_a_text_whose_type_is_left_out_or_changes() {
    let text = part("prt_1", json!({ "type": "text", "text": "one" }));
    let db = sent([text, part("prt_1", json!({ "text": "two" }))]);
    assert_eq!(db.value(TEXT), r#""two""#);
    db.apply(&[part("prt_1", json!({ "type": "reasoning" }))]);
    assert_eq!(db.value(TEXT), r#""""#);
    db.apply(&[part("prt_1", json!({ "type": "text" }))]);
    assert_eq!(db.value(TEXT), r#""two""#);
}

#[test]
fn text_content_keeps_a_text_that_is_told_late_to_be_something_else() {
    let db = sent([
        part(
            "prt_1",
            json!({ "type": "text", "text": "one", "startedAt": 1, "endedAt": 2 }),
        ),
        // Older than what is stored: it is still written.
        part("prt_1", json!({ "type": "reasoning", "endedAt": null })),
    ]);
    assert_eq!(
        db.rows("SELECT type, text FROM parts"),
        [r#""text" | "one""#]
    );
    assert_eq!(db.value(TEXT), r#""one""#);
}

#[test]
fn a_text_that_is_sent_with_its_message_stays_until_there_are_text_parts() {
    let whole = || message(json!({ "textContent": "whole" }));
    let db = sent([
        whole(),
        part("prt_1", json!({ "type": "file", "data": "{}" })),
        delete("part.delete", "prt_1", "tombstone"),
    ]);
    assert_eq!(db.value(TEXT), r#""whole""#);
    db.apply(&[
        part("prt_2", json!({ "type": "text", "text": "part" })),
        whole(),
    ]);
    assert_eq!(db.value(TEXT), r#""part""#);
}

#[test]
fn a_part_that_is_removed_of_a_kept_message_is_not_in_its_text() {
    let db = sent([
        part("prt_1", json!({ "type": "text", "text": "one" })),
        part("prt_2", json!({ "type": "text", "text": "two" })),
        delete("message.delete", "msg_1", "keep"),
        delete("part.delete", "prt_1", "keep"),
    ]);
    assert_eq!(db.value(TEXT), r#""two""#);
}

#[test]
fn an_answers_own_row_of_the_ledger_is_not_lowered_by_what_comes_after_it() {
    let spent = |after: Vec<Command>| {
        let answer = answered(json!({ "cost": 0.5 }));
        sent(std::iter::once(answer).chain(after)).value(SPENT)
    };
    assert_eq!(spent(vec![answered(json!({ "cost": 0.75 }))]), "0.75");
    assert_eq!(spent(vec![answered(json!({ "cost": 0.25 }))]), "0.5");
    let empty = command("usage.upsert", place("prt_1"));
    assert_eq!(spent(vec![empty.clone()]), "0.5", "a step without numbers");
    assert_eq!(spent(vec![empty, step("prt_2", 0.5)]), "0.5");
    assert_eq!(spent(vec![step("prt_1", 0.5), answered(json!({}))]), "0.5");
}

#[test]
fn an_answer_whose_steps_have_no_numbers_is_spent_by_its_own() {
    let empty = command("usage.upsert", place("prt_1"));
    let db = sent([empty, answered(json!({ "cost": 0.5 }))]);
    assert_eq!(db.value(SPENT), "0.5");
}

#[test]
fn tokens_of_a_persons_message_are_in_no_sum() {
    let numbers = json!({ "promptTokens": 7, "cost": 0.5 });
    let db = sent([message(with(numbers.clone(), json!({ "role": "user" })))]);
    let sums = "SELECT prompt_tokens, cost FROM sessions";
    assert_eq!(db.rows(sums), ["0 | 0"]);
    db.apply(&[message(json!({ "role": "user", "promptTokens": 9 }))]);
    assert_eq!(db.rows(sums), ["0 | 0"]);
    db.apply(&[message(json!({ "role": "assistant" }))]);
    assert_eq!(
        db.rows(sums),
        ["9 | 0.5"],
        "once it is known whose they are"
    );
    db.apply(&[message(json!({ "role": "user" }))]);
    assert_eq!(db.rows(sums), ["0 | 0"]);
}

#[test]
fn a_sub_agent_that_was_purged_stays_in_what_its_parent_spent() {
    let db = sent([
        session("ses_0", json!({})),
        session("ses_1", json!({ "parentId": "ses_0" })),
        session("ses_2", json!({ "parentId": "ses_1" })),
        command(
            "usage.upsert",
            json!({ "id": "prt_1", "messageId": "msg_2", "sessionId": "ses_2", "cost": 0.5 }),
        ),
        delete("session.delete", "ses_1", "purge"),
        delete("session.delete", "ses_2", "purge"),
    ]);
    let inclusive = "SELECT inclusive_cost FROM session_usage WHERE session_id = 'ses_0'";
    assert_eq!(db.value(inclusive), "0.5");
    assert_eq!(db.rows("SELECT id FROM sessions"), [r#""ses_0""#]);
}

#[test]
fn what_was_purged_is_not_brought_back_by_another_writers_deletion() {
    for (method, id) in [
        ("session.delete", "ses_1"),
        ("message.delete", "msg_1"),
        ("part.delete", "prt_1"),
    ] {
        let db = sent([
            session("ses_1", json!({})),
            part("prt_1", json!({ "type": "text" })),
            delete(method, id, "purge"),
        ]);
        let rows = |db: &Db| db.dump_of(&["sessions", "messages", "parts", "tool_calls"]);
        let purged = rows(&db);
        for on_delete in ["tombstone", "keep", "purge"] {
            db.apply(&[delete(method, id, on_delete)]);
            assert_eq!(rows(&db), purged, "{method} {on_delete}");
        }
    }
}

#[test]
fn what_names_only_its_message_is_deleted_with_the_session() {
    let db = sent([
        message(json!({})),
        command(
            "permission.upsert",
            json!({ "id": "per_1", "messageId": "msg_1", "patterns": "[\"SECRET\"]" }),
        ),
        command(
            "session_error.upsert",
            json!({ "id": "err_1", "messageId": "msg_1", "message": "SECRET" }),
        ),
    ]);
    let sides = &["permissions", "session_errors"];
    assert!(db.dump_of(sides).contains("SECRET"));
    db.apply(&[delete("session.delete", "ses_1", "tombstone")]);
    assert!(!db.dump_of(sides).contains("SECRET"));
}

#[test]
fn what_learns_late_that_its_message_was_removed_has_no_content() {
    let permission = |more: Value| {
        let known = json!({ "id": "per_1", "sessionId": "ses_1" });
        command("permission.upsert", with(known, more))
    };
    let db = sent([
        delete("message.delete", "msg_1", "tombstone"),
        permission(json!({ "patterns": "[\"SECRET\"]" })),
        permission(json!({ "messageId": "msg_1" })),
    ]);
    assert_eq!(db.value("SELECT patterns FROM permissions"), "NULL");
}

#[test]
fn an_answer_to_a_permission_of_a_purged_message_is_no_row() {
    let permission = json!({ "id": "per_1", "sessionId": "ses_1", "messageId": "msg_1" });
    let reply = json!({ "id": "per_1", "sessionId": "ses_1", "reply": "once" });
    let db = sent([
        message(json!({})),
        command("permission.upsert", permission),
        delete("message.delete", "msg_1", "purge"),
        command("permission.upsert", reply),
    ]);
    assert_eq!(db.value("SELECT count(*) FROM permissions"), "0");
}

#[test]
fn a_step_that_is_told_after_its_message_was_purged_knows_who_was_asked() {
    let whole = json!({ "cost": 0.5, "model": "m", "provider": "p", "agent": "a" });
    let db = sent([
        session("ses_1", json!({ "createdAt": 100 })),
        answered(whole),
        delete("message.delete", "msg_1", "purge"),
        step("prt_1", 0.5),
    ]);
    assert_eq!(
        db.rows("SELECT id, agent, model, provider, cost, inherited, at FROM usage"),
        [r#""prt_1" | "a" | "m" | "p" | 0.5 | 1 | 2"#]
    );
}

#[test]
fn a_retry_of_an_answer_that_was_removed_is_told_without_its_text() {
    let retry = || {
        command(
            "session_error.upsert",
            json!({
                "id": "err_1", "sessionId": "ses_1", "message": "SECRET", "attempt": 1, "createdAt": 5,
            }),
        )
    };
    let told = |on_delete: &str| {
        let removed = delete("message.delete", "msg_1", on_delete);
        let db = sent([answered(json!({})), removed, retry()]);
        db.rows("SELECT message_id, message FROM session_errors")
    };
    assert_eq!(told("tombstone"), [r#""msg_1" | NULL"#]);
    assert_eq!(told("keep"), [r#""msg_1" | "SECRET""#]);
}

/// Everything a late writer can send of a session, a message and a call.
fn late() -> Vec<Command> {
    vec![
        session("ses_1", json!({ "title": "LATE" })),
        part("prt_1", json!({ "type": "text", "text": "LATE" })),
        command(
            "tool_call.upsert",
            with(place("prt_2"), json!({ "output": "LATE" })),
        ),
        command(
            "permission.upsert",
            json!({ "id": "per_1", "sessionId": "ses_1", "messageId": "msg_1", "patterns": "[\"LATE\"]" }),
        ),
        command(
            "session_error.upsert",
            json!({ "id": "err_1", "sessionId": "ses_1", "messageId": "msg_1", "message": "LATE" }),
        ),
        command(
            "todo.replace",
            json!({ "sessionId": "ses_1", "todos": [{ "content": "LATE" }] }),
        ),
    ]
}

/// How much of what came late is stored.
fn stored_late(db: &Db) -> usize {
    db.dump().matches("LATE").count()
}

#[test]
fn what_comes_late_to_what_is_kept_is_kept_too_and_marked_as_deleted() {
    for method in ["session.delete", "message.delete"] {
        let id = if method == "session.delete" {
            "ses_1"
        } else {
            "msg_1"
        };
        // Its message's text is the seventh; a placeholder stands in for a message that is not known.
        for known in [vec![], vec![message(json!({}))]] {
            let db = sent(known);
            db.apply(&[delete(method, id, "keep")]);
            db.apply(&late());
            assert_eq!(stored_late(&db), 7, "{method}\n{}", db.dump());
            assert_eq!(db.value("SELECT deleted_at FROM messages"), "50");
            assert_eq!(db.value("SELECT deleted_at FROM tool_calls"), "50");
            db.apply(&late());
            assert_eq!(stored_late(&db), 7, "again");
        }
    }
}

#[test]
fn a_message_that_one_writer_erases_stays_so_though_another_keeps_its_session() {
    let message = |at: u32| {
        let how = json!({ "id": "msg_1", "sessionId": "ses_1", "deletedAt": at, "onDelete": "tombstone" });
        command("message.delete", how)
    };
    let keep = || delete("session.delete", "ses_1", "keep");
    for at in [40, 50, 60] {
        for both in [[message(at), keep()], [keep(), message(at)]] {
            let db = sent(both);
            db.apply(&late());
            assert_eq!(stored_late(&db), 2, "the title and the list\n{}", db.dump());
        }
    }
}

#[test]
fn what_an_earlier_schema_kept_and_erased_stays_so() {
    let db = Db::of_schema(3);
    db.0.execute_batch(
        "INSERT INTO sessions (id, title, deleted_at) VALUES ('ses_1', 'kept', 50), ('ses_2', NULL, 50);
         INSERT INTO messages (id, session_id, text_content, deleted_at)
         VALUES ('msg_1', 'ses_1', 'kept', 50), ('msg_2', 'ses_2', '', 50), ('msg_3', 'ses_1', '', 40);",
    )
    .unwrap();
    db.migrate();
    for (id, session) in [("msg_1", "ses_1"), ("msg_2", "ses_2"), ("msg_3", "ses_1")] {
        let part = json!({ "id": format!("prt_{id}"), "messageId": id, "sessionId": session, "type": "reasoning", "text": "LATE" });
        db.apply(&[command("part.upsert", part)]);
    }
    assert_eq!(
        db.rows("SELECT message_id FROM parts WHERE text = 'LATE'"),
        [r#""msg_1""#]
    );
}

#[test]
fn who_started_a_session_may_be_told_after_it_was_purged() {
    let db = sent([
        session("ses_0", json!({})),
        step("prt_1", 0.5),
        delete("session.delete", "ses_1", "purge"),
        session("ses_1", json!({ "parentId": "ses_0" })),
    ]);
    let inclusive = "SELECT inclusive_cost FROM session_usage WHERE session_id = 'ses_0'";
    assert_eq!(db.value(inclusive), "0.5");
}

#[test]
fn a_part_stays_with_its_message_whatever_it_is_told_under() {
    let under = |message: &str, more: Value| {
        with(
            json!({ "id": "prt_1", "messageId": message, "sessionId": "ses_1" }),
            more,
        )
    };
    let begun = json!({ "type": "text", "text": "ab", "endedAt": null });
    let db = sent([
        command("part.upsert", under("msg_1", begun)),
        command(
            "message.upsert",
            json!({ "id": "msg_2", "sessionId": "ses_1", "textContent": "by hand" }),
        ),
        command(
            "part.append",
            under("msg_2", json!({ "offset": 2, "text": "cd" })),
        ),
    ]);
    let texts = "SELECT text_content FROM messages ORDER BY id";
    assert_eq!(db.rows(texts), [r#""abcd""#, r#""by hand""#]);
    db.apply(&[command(
        "part.upsert",
        under("msg_2", json!({ "text": "e" })),
    )]);
    assert_eq!(db.rows(texts), [r#""e""#, r#""by hand""#]);
}

#[test]
fn half_a_character_is_never_stored() {
    let db = sent([
        part(
            "prt_1",
            json!({ "type": "text", "text": "\u{e9}", "endedAt": null }),
        ),
        command(
            "part.append",
            with(place("prt_1"), json!({ "offset": 1, "text": "xyz" })),
        ),
    ]);
    assert_eq!(db.value(TEXT), format!("{:?}", "\u{e9}"));
}

#[test]
fn what_one_writer_erases_another_does_not_keep() {
    let told = |on_deletes: &[&str]| {
        let db = sent([message(json!({}))]);
        for on_delete in on_deletes {
            db.apply(&[delete("session.delete", "ses_1", on_delete)]);
        }
        db.apply(&late());
        stored_late(&db)
    };
    assert_eq!(told(&["keep"]), 7);
    assert_eq!(told(&["tombstone", "keep"]), 0);
    assert_eq!(told(&["keep", "tombstone"]), 0);
    assert_eq!(told(&["keep", "purge"]), 0);
}
