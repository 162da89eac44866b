//! What is asked of the daemon over its socket, and what it answers.

use serde_json::{Value, json};

use super::{count, session};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::recording;

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
