//! The daemon: its protocol, its single instance, its end, its files.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::{Home, mode};
use crate::support::{recording, until};

pub(crate) fn count(home: &Home, table: &str) -> i64 {
    home.open()
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
        .unwrap()
}

pub(crate) fn session(id: &str) -> Value {
    json!({ "id": id, "title": "A session", "projectPath": "/home/user/project" })
}

#[test]
fn the_call_of_the_contract_works_by_hand() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let params = json!({
        "sessionId": "test_session_001", "title": "Test Session", "projectPath": "/tmp/test",
        "projectName": "test", "model": "test-model", "provider": "test-provider",
        "promptTokens": 100, "completionTokens": 50, "cost": 0.001,
    });
    assert_eq!(
        client.call("session.upsert", &params),
        Ok(json!({ "applied": 1 }))
    );
    let row = recording::dump_of(
        &home.open(),
        "SELECT id, title, project_path, project_name, model, provider, prompt_tokens, \
         completion_tokens, cost FROM sessions",
    );
    assert!(
        row.contains("Test Session") && row.contains("test-model") && row.contains("0.001"),
        "{row}"
    );
}

#[test]
fn health_says_what_it_is_and_counts() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    client.call("session.upsert", &session("ses_1")).unwrap();
    let health = client.call("health", &json!({})).unwrap();
    assert_eq!(health["name"], "clankers");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["protocol"], 1);
    assert_eq!(health["schemaVersion"], clankers::store::SCHEMA_VERSION);
    assert_eq!(health["dbPath"], home.db().to_str().unwrap());
    assert_eq!(health["pid"], daemon.pid());
    assert!(health["uptimeMs"].is_u64());
    assert_eq!(health["counts"]["sessions"], 1);
}

#[test]
fn hello_checks_the_protocol() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let hello =
        |protocol: u32| json!({ "clientName": "test", "clientVersion": "1", "protocol": protocol });
    assert_eq!(client.call("hello", &hello(1)).unwrap()["protocol"], 1);
    let error = client.call("hello", &hello(99)).unwrap_err();
    assert_eq!(error["code"], -32001);
    assert_eq!(error["data"]["protocol"], 1);
    assert_eq!(
        client
            .call("hello", &json!({ "clientName": "test" }))
            .unwrap_err()["code"],
        -32602
    );
}

#[test]
fn a_wrong_field_is_named_and_nothing_of_its_batch_is_stored() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let batch = json!({ "commands": [
        { "method": "session.upsert", "params": session("ses_1") },
        { "method": "message.upsert", "params": { "id": "msg_1", "sessionId": "ses_1", "cost": "much" } },
    ] });
    let error = client.call("batch", &batch).unwrap_err();
    assert_eq!(error["code"], -32602);
    assert_eq!(error["data"]["field"], "commands[1].params.cost");
    assert_eq!(
        error["message"],
        "`commands[1].params.cost`: found string \"much\", expected a number"
    );
    assert_eq!(count(&home, "sessions"), 0);
}

#[test]
fn a_numbered_batch_is_stored_once_and_an_earlier_one_not_after_it() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let batch = |writer: &str, number: i64, title: &str| {
        json!({
            "id": { "writer": writer, "number": number },
            "commands": [
                { "method": "session.upsert", "params": { "id": "ses_1", "title": title } },
                { "method": "rejection.record", "params": {
                    "eventType": "test", "code": "unknown_event", "path": "", "expected": "",
                    "found": "", "sample": "", "sourceVersion": null, "count": 1,
                    "firstSeen": 1, "lastSeen": 1 } },
            ],
        })
    };
    let mut applied = |writer, number, title| {
        client
            .call("batch", &batch(writer, number, title))
            .map(|applied| applied["applied"].as_i64())
    };
    assert_eq!(applied("one", 2, "first"), Ok(Some(2)));
    assert_eq!(applied("one", 2, "again"), Ok(Some(0)));
    assert_eq!(applied("one", 1, "earlier"), Ok(Some(0)));
    assert_eq!(applied("one", 3, "later"), Ok(Some(2)));
    assert_eq!(applied("other", 1, "other"), Ok(Some(2)));
    let stored = |sql: &str| recording::dump_of(&home.open(), sql);
    let rows = "SELECT title, (SELECT sum(count) FROM rejections) FROM sessions";
    assert!(stored(rows).contains("other"), "{}", stored(rows));
    assert!(stored(rows).contains('3'), "{}", stored(rows));

    // One that was refused is not stored, and may come with its number again.
    let mut refused = batch("one", 4, "refused");
    refused["commands"][1]["params"]["lastSeen"] = Value::Null;
    assert_eq!(client.call("batch", &refused).unwrap_err()["code"], -32602);
    let mut half = batch("one", 4, "half");
    half["id"] = json!({ "writer": "one" });
    assert_eq!(
        client.call("batch", &half).unwrap_err()["message"],
        "`id.number`: missing field `number`"
    );
    let mended = client.call("batch", &batch("one", 4, "mended")).unwrap();
    assert_eq!(mended["applied"], 2);

    // Writers that are long gone are forgotten when a daemon starts.
    home.open()
        .execute_batch("UPDATE batches SET stored_at = stored_at - 8 * 86400 WHERE writer = 'one'")
        .unwrap();
    assert_eq!(daemon.end(), Some(0));
    let daemon = home.daemon();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(count(&home, "batches"), 1);
}

#[test]
fn a_connection_survives_what_is_wrong_where_it_can() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut other = Client::connect(&home.socket());
    let mut client = Client::connect(&home.socket());
    let code = |answer: Option<Value>| {
        answer.expect("an answer")["error"]["code"]
            .as_i64()
            .unwrap()
    };

    client.send_body("{ no json");
    assert_eq!(code(client.receive()), -32700);
    client.send_body("[]");
    assert_eq!(code(client.receive()), -32600);
    assert_eq!(
        client.call("session.insert", &json!({})).unwrap_err()["code"],
        -32601
    );
    let length = 64 * 1024 * 1024 + 1;
    client.send_raw(format!("Content-Length: {length}\r\n\r\n").as_bytes());
    client.send_raw(&vec![b' '; length]);
    assert_eq!(code(client.receive()), -32002);
    client.call("session.upsert", &session("ses_1")).unwrap();

    client.send_raw(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(code(client.receive()), -32700);
    assert_eq!(
        client.receive(),
        None,
        "where the next frame begins is not known"
    );
    other.call("session.upsert", &session("ses_2")).unwrap();
    assert_eq!(count(&home, "sessions"), 2);
}

#[test]
fn notifications_are_done_and_not_answered() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let notice =
        json!({ "jsonrpc": "2.0", "method": "session.upsert", "params": session("ses_1") });
    client.send_body(&notice.to_string());
    client.send_body(&json!({ "jsonrpc": "2.0", "method": "no.such" }).to_string());
    client.call("session.upsert", &session("ses_2")).unwrap();
    assert_eq!(count(&home, "sessions"), 2);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let sent: Vec<u64> = (0..500)
        .map(|at| client.send("session.upsert", &session(&format!("ses_{at}"))))
        .collect();
    let answered: Vec<u64> = sent
        .iter()
        .map(|_| {
            let answer = client.receive().unwrap();
            assert_eq!(answer["result"]["applied"], 1, "{answer}");
            answer["id"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(sent, answered);
    assert_eq!(count(&home, "sessions"), 500);
}

#[test]
fn an_answer_does_not_wait_for_those_after_it() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let lock = home.open();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let frame = |id: u32, method: &str, params: &Value| {
        let body =
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let hello = json!({ "clientName": "test", "clientVersion": "1" });
    let both = frame(1, "hello", &hello) + &frame(2, "session.upsert", &session("ses_1"));
    client.send_raw(both.as_bytes());
    assert_eq!(client.receive().unwrap()["id"], 1);
    lock.execute_batch("COMMIT").unwrap();
    assert_eq!(client.receive().unwrap()["result"]["applied"], 1);
}

#[test]
fn eight_clients_at_once_lose_nothing() {
    let home = Home::new();
    let _daemon = home.daemon();
    std::thread::scope(|scope| {
        for client in 0..8 {
            let home = &home;
            scope.spawn(move || {
                let mut connection = Client::connect(&home.socket());
                for at in 0..50 {
                    let id = format!("ses_{client}_{at}");
                    let message = json!({ "id": format!("msg_{client}_{at}"), "sessionId": id, "role": "user" });
                    let batch = json!({ "commands": [
                        { "method": "session.upsert", "params": session(&id) },
                        { "method": "message.upsert", "params": message },
                    ] });
                    assert_eq!(connection.call("batch", &batch), Ok(json!({ "applied": 2 })));
                }
            });
        }
    });
    assert_eq!(count(&home, "sessions"), 400);
    assert_eq!(count(&home, "messages"), 400);
}

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
    let ids: Vec<&str> = stored
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["ses_1", "ses_3"]);
    // To the last digit.
    assert_eq!(stored[0]["cost"], cost);
    assert_eq!(stored[0]["wholeAt"], Value::Null);
    let error = client
        .call("sessions.stored", &json!({ "ids": [] }))
        .unwrap_err();
    assert_eq!(error["data"]["field"], "directory");
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
fn its_files_are_for_their_owner_alone() {
    let home = Home::new();
    let _daemon = home.daemon();
    Client::connect(&home.socket())
        .call("session.upsert", &session("ses_1"))
        .unwrap();
    assert_eq!(mode(&home.data()), 0o700);
    for file in [
        "clankers.db",
        "clankers.db-wal",
        "clankers.db-shm",
        "dxta-clankers.sock",
    ] {
        assert_eq!(mode(&home.data().join(file)), 0o600, "{file}");
    }
    let logs: Vec<_> = std::fs::read_dir(home.data().join("logs"))
        .unwrap()
        .collect();
    assert_eq!(logs.len(), 1);
    assert_eq!(mode(&logs[0].as_ref().unwrap().path()), 0o600);
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::set_permissions(home.data(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = home.stderr(&["daemon", "--foreground"]);
    assert!(
        error.contains("others can write to the socket's folder ~/.local/share/clankers"),
        "{error}"
    );
    assert!(error.contains("chmod go-w"), "{error}");
}

#[test]
fn there_is_one_for_a_socket_and_one_for_a_database() {
    let home = Home::new();
    let daemon = home.daemon();
    let error = home.stderr(&["daemon", "--foreground"]);
    assert!(
        error.contains("another daemon is running for ~/.local/share/clankers/dxta-clankers.sock"),
        "{error}"
    );
    let other = home.path("other.sock");
    let error = home.stderr(&[
        "daemon",
        "--foreground",
        "--socket",
        other.to_str().unwrap(),
    ]);
    assert!(
        error.contains("another daemon is running for ~/.local/share/clankers/clankers.db"),
        "{error}"
    );
    Client::connect(&home.socket())
        .call("health", &json!({}))
        .unwrap();
    assert_eq!(daemon.end(), Some(0));
}

#[test]
fn a_socket_left_behind_by_a_crash_is_replaced() {
    let home = Home::new();
    let daemon = home.daemon();
    Client::connect(&home.socket())
        .call("session.upsert", &session("ses_1"))
        .unwrap();
    daemon.kill();
    assert!(home.socket().exists());
    let daemon = home.daemon();
    Client::connect(&home.socket())
        .call("session.upsert", &session("ses_2"))
        .unwrap();
    assert_eq!(daemon.end(), Some(0));
    assert!(!home.socket().exists());
    assert_eq!(count(&home, "sessions"), 2);
}

#[test]
fn a_file_in_the_sockets_place_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.socket(), "mine").unwrap();
    let error = home.stderr(&["daemon", "--foreground"]);
    assert!(
        error.contains("is there already and is no socket"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(home.socket()).unwrap(), "mine");
}

#[test]
fn asked_to_end_it_stores_what_it_has_read_and_exits_with_0() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let lock = home.open();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    for at in 0..50 {
        client.send("session.upsert", &session(&format!("ses_{at}")));
    }
    daemon.signal(Signal::TERM);
    until("it no longer listens", || {
        Client::try_connect(&home.socket()).is_none().then_some(())
    });
    lock.execute_batch("COMMIT").unwrap();
    let mut stored = 0;
    while let Some(answer) = client.receive() {
        assert_eq!(answer["result"]["applied"], 1, "{answer}");
        stored += 1;
    }
    let mut daemon = daemon;
    assert_eq!(daemon.wait(), Some(0));
    assert_eq!(
        count(&home, "sessions"),
        stored,
        "what was answered is stored, and no more"
    );
    assert!(!home.socket().exists());
}

#[test]
fn a_client_that_does_not_read_keeps_no_one_waiting() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut deaf = Client::connect(&home.socket());
    for _ in 0..200 {
        deaf.send("health", &json!({}));
    }
    let mut client = Client::connect(&home.socket());
    client.call("session.upsert", &session("ses_1")).unwrap();
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

#[test]
fn it_starts_in_the_background_and_is_ended_by_command() {
    let home = Home::new();
    let started = home.stdout(&["daemon"]);
    assert!(
        started.starts_with("the daemon is running (pid "),
        "{started}"
    );
    assert!(
        started.contains("~/.local/share/clankers/clankers.db"),
        "{started}"
    );
    let again = home.stdout(&["daemon"]);
    assert!(again.starts_with("a daemon is running already"), "{again}");
    Client::connect(&home.socket())
        .call("session.upsert", &session("ses_1"))
        .unwrap();
    let stopped = home.stdout(&["daemon", "--stop"]);
    assert!(stopped.starts_with("the daemon has ended"), "{stopped}");
    assert_eq!(home.stdout(&["daemon", "--stop"]), "no daemon is running\n");
    assert_eq!(count(&home, "sessions"), 1);
}

#[test]
fn one_that_cannot_start_in_the_background_says_why() {
    let home = Home::new();
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(
        home.db(),
        "this is no database, and long enough to be one of some kind",
    )
    .unwrap();
    let error = home.stderr(&["daemon"]);
    assert!(
        error.contains("the daemon did not start: cannot open ~/.local/share/clankers/clankers.db"),
        "{error}"
    );
}

#[test]
fn its_log_is_structured() {
    let home = Home::new();
    let daemon = home.daemon();
    Client::connect(&home.socket())
        .call("no.such", &json!({}))
        .unwrap_err();
    assert_eq!(daemon.end(), Some(0));
    let log = std::fs::read_dir(home.data().join("logs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert!(
        log.file_name().to_str().unwrap().starts_with("daemon."),
        "{log:?}"
    );
    let text = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = |message: &str| {
        lines
            .iter()
            .any(|line| line["fields"]["message"] == message)
    };
    assert!(
        told("ready") && told("refused a request") && told("ended"),
        "{text}"
    );
}
