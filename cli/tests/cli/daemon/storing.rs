//! What the daemon stores and tells of what is stored, whatever happens to it.

use serde_json::{Value, json};

use super::{batch, count, hello, session};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::{recording, until};

#[test]
fn the_same_events_make_the_same_database_as_the_plugins_own_sink() {
    for (release, recordings) in recording::releases() {
        let home = Home::new();
        let daemon = home.daemon();
        let mut client = Client::connect(&home.socket());
        let direct = recording::sink(&home.path("direct/clankers.db"));
        for recorded in recordings {
            for batch in recording::batches(&recorded) {
                recording::apply(&direct, &batch);
                let applied = client.call("batch", &json!({ "commands": batch })).unwrap();
                assert_eq!(applied["applied"], batch.len());
            }
        }
        assert_eq!(daemon.end(), Some(0));
        assert_eq!(
            recording::dump(&home.open()),
            recording::dump(&direct),
            "{release}"
        );
    }
}

#[test]
fn killed_in_mid_stream_it_loses_nothing_that_it_answered() {
    let recorded = recording::recording("1.18.34/served.jsonl");
    let batches = recording::batches(&recorded);
    let direct = Home::new();
    let direct = recording::sink(&direct.path("clankers.db"));
    for batch in &batches {
        recording::apply(&direct, batch);
    }
    let home = Home::new();
    let mut next = 0;
    let mut kills = 0;
    while next < batches.len() {
        let daemon = home.daemon();
        let mut client = Client::connect(&home.socket());
        // Several are sent, one is answered, and it is killed: what has no answer goes again.
        let sent = batches.iter().skip(next).take(5);
        for batch in sent {
            client.send("batch", &json!({ "commands": batch }));
        }
        let answer = client.receive().unwrap();
        assert!(answer["result"]["applied"].is_u64(), "{answer}");
        next += 1;
        daemon.kill();
        kills += 1;
    }
    assert!(kills > 3, "{kills}");
    let daemon = home.daemon();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(recording::dump(&home.open()), recording::dump(&direct));
}

#[test]
fn what_it_answers_is_in_the_file_that_its_path_names() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let first = hello(&mut client);
    assert!(first.is_string(), "{first}");
    assert!(client.call("batch", &batch("ses_1", &first)).is_ok());
    let remove = || {
        for ending in ["", "-wal", "-shm"] {
            let mut path = home.db().into_os_string();
            path.push(ending);
            std::fs::remove_file(path).unwrap();
        }
    };
    remove();
    // Who does not count on what was there finds it stored in what is there now,
    assert!(
        client
            .call("session.upsert", &json!({ "id": "ses_2" }))
            .is_ok()
    );
    assert_eq!(count(&home, "sessions"), 1);
    // and who does is told which that is.
    let refused = client.call("batch", &batch("ses_3", &first)).unwrap_err();
    assert_eq!(refused["code"], -32005, "{refused}");
    let second = &refused["data"]["database"];
    assert_ne!(*second, first);
    assert_eq!(hello(&mut client), *second);
    assert_eq!(count(&home, "sessions"), 1);
    assert!(client.call("batch", &batch("ses_3", second)).is_ok());
    assert_eq!(count(&home, "sessions"), 2);
    remove();
    assert_eq!(
        client.call("batch", &batch("ses_4", second)).unwrap_err()["code"],
        -32005
    );
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(count(&home, "sessions"), 0);
}

#[test]
fn a_database_that_is_moved_takes_its_rows_along_and_one_in_its_place_keeps_its_own() {
    let (home, other) = (Home::new(), Home::new());
    for (home, id) in [(&other, "ses_other"), (&home, "ses_1")] {
        let daemon = home.daemon();
        let mut client = Client::connect(&home.socket());
        assert!(client.call("session.upsert", &session(id)).is_ok());
        if home.db() == other.db() {
            assert_eq!(daemon.end(), Some(0));
            continue;
        }
        let moved = home.path("moved.db");
        std::fs::rename(home.db(), &moved).unwrap();
        std::fs::copy(other.db(), home.db()).unwrap();
        assert!(client.call("session.upsert", &session("ses_2")).is_ok());
        assert_eq!(daemon.end(), Some(0));
        let ids = |path: &std::path::Path| -> Vec<String> {
            let db = rusqlite::Connection::open(path).unwrap();
            let mut found = db.prepare("SELECT id FROM sessions ORDER BY id").unwrap();
            let ids = found.query_map([], |row| row.get(0)).unwrap();
            ids.map(Result::unwrap).collect()
        };
        assert_eq!(ids(&moved), ["ses_1"]);
        assert_eq!(ids(&home.db()), ["ses_2", "ses_other"]);
    }
}

fn ids_of(stored: &Value) -> Vec<&str> {
    let ids = stored.as_array().unwrap().iter();
    ids.map(|session| session["id"].as_str().unwrap()).collect()
}

#[test]
fn what_is_stored_of_sessions_is_told_by_directory_and_by_id() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let cost = 0.005_204_999_999_999_999_6;
    for id in ["ses_1", "ses_2", "ses_3"] {
        let path = if id == "ses_1" { "/here" } else { "/there" };
        let session = json!({ "id": id, "projectPath": path, "cost": cost, "completionTokens": 1 });
        client.call("session.upsert", &session).unwrap();
    }
    let wanted = json!({ "directory": "/here", "ids": ["ses_3", "ses_4"] });
    let stored = client.call("sessions.stored", &wanted).unwrap();
    assert_eq!(ids_of(&stored), ["ses_1", "ses_3"]);
    // To the last digit.
    assert_eq!(stored[0]["cost"], cost);
    assert_eq!(stored[0]["wholeAt"], Value::Null);
    // A page of a long list is asked for without the directory, and the last one
    // without what was asked for before.
    for (params, named) in [
        (json!({ "ids": ["ses_3"] }), &["ses_3"][..]),
        (
            json!({ "directory": "/there", "ids": [], "butFor": ["ses_2"] }),
            &["ses_3"],
        ),
    ] {
        let stored = client.call("sessions.stored", &params).unwrap();
        assert_eq!(ids_of(&stored), named);
    }
    let error = client
        .call("sessions.stored", &json!({ "directory": "/here" }))
        .unwrap_err();
    assert_eq!(error["data"]["field"], "ids");
}

#[test]
fn what_is_stored_of_a_sessions_messages_is_told() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let mut call = |method: &str, params: Value| client.call(method, &params).unwrap();
    call(
        "session.upsert",
        json!({ "id": "ses_1", "storeId": "store", "seenAt": 1000 }),
    );
    for id in ["msg_1", "msg_2", "msg_3", "msg_4"] {
        call("message.upsert", json!({ "id": id, "sessionId": "ses_1" }));
    }
    let missing = json!({ "id": "msg_4", "sessionId": "ses_1", "storeId": "store", "since": 2000 });
    call("message.missing", missing);
    let place = json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" });
    call("part.upsert", place);
    let place = json!({ "id": "prt_2", "messageId": "msg_1", "sessionId": "ses_1" });
    call("tool_call.upsert", place);
    let gone = json!({ "id": "msg_2", "sessionId": "ses_1", "deletedAt": 2000 });
    call("message.delete", gone);
    assert_eq!(
        call(
            "messages.stored",
            json!({ "sessionId": "ses_1", "storeId": "store" })
        ),
        json!([
            { "id": "msg_1", "partIds": r#"["prt_1","prt_2"]"# },
            { "id": "msg_3", "partIds": "[]" }
        ])
    );
    let in_doubt = json!({ "sessionId": "ses_1" });
    assert_eq!(call("messages.stored", in_doubt), json!([]));
    let error = client.call("messages.stored", &json!({})).unwrap_err();
    assert_eq!(error["data"]["field"], "sessionId");
}

#[test]
fn what_a_client_sent_before_it_left_is_stored() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    for at in 0..500 {
        client.send("session.upsert", &session(&format!("ses_{at}")));
    }
    drop(client);
    until("all is stored", || {
        (count(&home, "sessions") == 500).then_some(())
    });
}

#[test]
fn a_database_of_a_newer_clankers_is_refused_and_left_untouched() {
    let home = Home::new();
    std::fs::create_dir_all(home.data()).unwrap();
    home.open()
        .execute_batch("CREATE TABLE later (x); PRAGMA user_version = 99")
        .unwrap();
    let before = std::fs::read(home.db()).unwrap();
    let error = home.stderr(&["daemon", "--foreground"]);
    assert!(
        error.contains("was written by a newer clankers (schema 99"),
        "{error}"
    );
    assert_eq!(std::fs::read(home.db()).unwrap(), before);
}

#[test]
fn a_database_that_a_newer_clankers_migrates_is_written_on_where_it_may_be() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    client.call("session.upsert", &session("ses_1")).unwrap();
    home.open()
        .execute_batch("ALTER TABLE sessions ADD COLUMN later TEXT; PRAGMA user_version = 98")
        .unwrap();
    client.call("session.upsert", &session("ses_2")).unwrap();
    home.open()
        .execute_batch("UPDATE clankers_database SET oldest_writer = 99; PRAGMA user_version = 99")
        .unwrap();
    let refused = client
        .call("session.upsert", &session("ses_3"))
        .unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("newer clankers (schema 99"), "{said}");
    assert!(said.contains(r#""retry":true"#), "it is not lost: {said}");
    let count = "SELECT count(*) FROM sessions";
    let stored: u32 = home.open().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 2);
}
