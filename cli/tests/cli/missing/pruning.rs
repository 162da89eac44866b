//! What is missing is erased only when a person asks for it.

use std::io::Write;
use std::process::Stdio;

use clankers::model::command::Command;

use super::{SINCE, STORE, Sample, json, number, sample};
use crate::support::recording;

#[test]
fn prune_missing_erases_it_after_asking_and_keeps_what_was_spent() {
    let Sample {
        home,
        session,
        other,
        ..
    } = sample();
    let before = recording::dump(&home.open());
    let spent = json(&home, &["export", "--table", "usage"]);
    assert!(home.stdout(&["search", "counted"]).contains("counted"));

    let dry = home.stdout(&["prune", "--missing", "--dry-run"]);
    assert!(
        dry.contains(&format!("2026-11-24 00:00  {session}  Delegation\n")),
        "{dry}"
    );
    assert!(
        dry.contains(&format!("{other}  Tools that work  (1 message, 1 part)\n")),
        "{dry}"
    );
    let what = "1 session, 1 message and 1 part that OpenCode does not have any more";
    assert!(
        dry.ends_with(&format!("would erase the content of {what}\n")),
        "{dry}"
    );

    let no = home.answered(&["prune", "--missing"], "n\n");
    assert_eq!(String::from_utf8_lossy(&no.stdout), "nothing was erased\n");
    assert_eq!(
        String::from_utf8_lossy(&no.stderr),
        format!("erase the content of {what}? [y/N] ")
    );
    let nobody = home.answered(&["prune", "--missing"], "");
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("--yes does it without asking"));
    let later = home.stdout(&["prune", "--missing", "--older-than", "2026-11-23", "--yes"]);
    let elsewhere = home.stdout(&["prune", "--missing", "--project", "elsewhere", "--yes"]);
    assert_eq!(
        (later, elsewhere),
        (
            "nothing is missing\n".to_owned(),
            "nothing is missing\n".to_owned()
        )
    );
    assert_eq!(
        recording::dump(&home.open()),
        before,
        "nothing was erased yet"
    );

    let yes = home.answered(&["prune", "--missing"], "y\n");
    assert!(
        String::from_utf8_lossy(&yes.stdout)
            .starts_with(&format!("erased the content of {what}\n"))
    );
    let left = "SELECT
        (SELECT count(*) FROM sessions WHERE title = 'Delegation')
      + (SELECT count(*) FROM messages WHERE text_content = 'They counted.')
      + (SELECT count(*) FROM tool_calls WHERE input LIKE '%wc -l haiku.txt%')";
    assert_eq!(number(&home, left), 0);
    assert_eq!(json(&home, &["export", "--table", "usage"]), spent);
    let tombstone = format!("SELECT deleted_at IS NOT NULL FROM sessions WHERE id = '{session}'");
    assert_eq!(number(&home, &tombstone), 1);
    assert!(home.stdout(&["show", &session]).starts_with("(deleted)\n"));
    assert!(
        home.stdout(&["show", &other])
            .contains("The pond is young now.")
    );
    assert_eq!(json(&home, &["status"])["missing_messages"], 0);
    assert_eq!(home.stdout(&["prune", "--missing"]), "nothing is missing\n");
}

#[test]
fn prune_missing_can_delete_the_rows() {
    let Sample {
        home,
        session,
        message,
        call,
        ..
    } = sample();
    let spent = json(&home, &["export", "--table", "usage"]);
    let said = home.stdout(&["prune", "--missing", "--yes", "--purge"]);
    assert!(
        said.starts_with("purged 1 session, 1 message and 1 part"),
        "{said}"
    );
    for (table, id) in [
        ("sessions", session),
        ("messages", message),
        ("tool_calls", call),
    ] {
        let left = format!("SELECT count(*) FROM {table} WHERE id = '{id}'");
        assert_eq!(number(&home, &left), 0, "{table}");
    }
    assert_eq!(json(&home, &["export", "--table", "usage"]), spent);
}

#[test]
fn what_comes_back_while_prune_asks_is_kept() {
    let Sample { home, session, .. } = sample();
    let mut prune = home
        .command(&["prune", "--missing"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The question is asked once the rows were selected.
    let mut question = [0; 1];
    std::io::Read::read_exact(prune.stderr.as_mut().unwrap(), &mut question).unwrap();
    let answer = serde_json::from_value(serde_json::json!({
        "id": session, "storeId": STORE, "answeredAt": SINCE + 1000.0,
    }));
    recording::apply(&home.open(), &[Command::SessionUpsert(answer.unwrap())]);
    prune.stdin.take().unwrap().write_all(b"y\n").unwrap();
    assert!(prune.wait().unwrap().success());
    let shown = home.stdout(&["show", &session]);
    assert!(
        shown.starts_with("Delegation\n") && shown.contains("They counted."),
        "{shown}"
    );
    assert_eq!(
        json(&home, &["status"])["missing_tool_calls"],
        0,
        "the rest was erased"
    );
}

#[test]
fn prune_missing_spares_what_is_not_missing_itself() {
    let Sample { home, session, .. } = sample();
    home.open()
        .execute(
            "INSERT INTO messages (id, session_id, role, text_content, created_at)
             VALUES ('msg_imported', ?1, 'user', 'From a copy.', 1)",
            [&session],
        )
        .unwrap();
    home.stdout(&["prune", "--missing", "--yes"]);
    let shown = home.stdout(&["show", &session, "--missing"]);
    assert!(
        shown.contains("From a copy.") && !shown.contains("They counted."),
        "{shown}"
    );
}
