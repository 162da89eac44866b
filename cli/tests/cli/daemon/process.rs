//! The daemon as a process: a single instance, its files, its end, its log.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{count, session};
use crate::support::client::Client;
use crate::support::home::{Home, mode};
use crate::support::until;

/// What the daemon has logged.
fn log_of(home: &Home) -> String {
    let mut logs = std::fs::read_dir(home.data().join("logs")).unwrap();
    let log = logs.next().unwrap().unwrap();
    assert!(
        log.file_name().to_str().unwrap().starts_with("daemon."),
        "{log:?}"
    );
    std::fs::read_to_string(log.path()).unwrap()
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
fn a_socket_that_others_may_have_put_there_is_asked_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    std::fs::create_dir(home.path("open")).unwrap();
    let socket = home.path("open/x.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    listener.set_nonblocking(true).unwrap();
    std::fs::set_permissions(home.path("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let socket = socket.to_str().unwrap();
    let said = home.stderr(&["daemon", "--stop", "--socket", socket]);
    assert!(
        said.contains("others can write to the folder of ~/open/x.sock"),
        "{said}"
    );
    for command in ["status", "doctor"] {
        home.run(&[command, "--socket", socket]);
    }
    assert!(listener.accept().is_err(), "nobody asked");
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
    std::fs::create_dir_all(home.db()).unwrap();
    let error = home.stderr(&["daemon"]);
    assert!(
        error.contains("the daemon did not start: cannot open ~/.local/share/clankers/clankers.db"),
        "{error}"
    );
}

#[test]
fn its_log_says_where_a_parameter_was_wrong_and_not_what_was_sent() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    for params in [
        json!({ "id": "ses_1", "createdAt": "a word of mine" }),
        json!({ "id": "ses_1", "status": "a word of mine" }),
        json!("a word of mine"),
    ] {
        let said = client.call("session.upsert", &params).unwrap_err();
        assert!(said["message"].to_string().contains("of mine"), "{said}");
    }
    assert_eq!(daemon.end(), Some(0));
    let text = log_of(&home);
    assert!(
        text.contains("createdAt") && text.contains("-32602"),
        "{text}"
    );
    assert!(!text.contains("of mine"), "{text}");
}

#[test]
fn its_log_is_structured() {
    let home = Home::new();
    let daemon = home.daemon();
    Client::connect(&home.socket())
        .call("no.such", &json!({}))
        .unwrap_err();
    assert_eq!(daemon.end(), Some(0));
    let text = log_of(&home);
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
