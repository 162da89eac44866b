//! What is erased is nowhere in the files that clankers owns: whoever erased it,
//! however the words came there, and whoever reads meanwhile.

use std::fs;
use std::path::Path;

use clankers::model::command::Command;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::{Daemon, Home};
use crate::support::recording;

/// Nothing that a stemmer changes, and nothing else begins like it.
const WORD: &str = "zq7x9k2w5";
const OTHER: &str = "jv4w8m3r6";

/// The files of clankers that hold a word.
fn holders(home: &Home, word: &str) -> Vec<String> {
    fn look(folder: &Path, word: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look(&path, word, found);
            } else if path.is_file() {
                let bytes = fs::read(&path).unwrap();
                if bytes
                    .windows(word.len())
                    .any(|window| window == word.as_bytes())
                {
                    found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
    }
    let mut found = Vec::new();
    look(&home.data(), word, &mut found);
    found.sort();
    found
}

/// A session with the word in a title, a list, a tool's output and a part that grew
/// in many batches.
fn spoken(session: &str, word: &str) -> Vec<Command> {
    let (message, part) = (format!("msg_{session}"), format!("prt_{session}"));
    let mut all = vec![
        json!({ "method": "session.upsert", "params": {
            "id": session, "title": format!("About {word}"), "createdAt": 1000, "updatedAt": 2000 } }),
        json!({ "method": "message.upsert", "params": {
            "id": message, "sessionId": session, "role": "user", "createdAt": 1000 } }),
        json!({ "method": "tool_call.upsert", "params": {
            "id": format!("{part}_tool"), "messageId": message, "sessionId": session, "callId": "call",
            "tool": "bash", "status": "completed", "output": word.repeat(900) } }),
        json!({ "method": "todo.replace", "params": {
            "sessionId": session, "todos": [{ "content": word }] } }),
        json!({ "method": "part.upsert", "params": {
            "id": part, "messageId": message, "sessionId": session, "type": "text", "text": word } }),
    ];
    let mut offset = word.len();
    for _ in 0..150 {
        let text = format!(" {word}{}", " and so on".repeat(9));
        let length = text.len();
        all.push(json!({ "method": "part.append", "params": {
            "id": part, "messageId": message, "sessionId": session, "offset": offset, "text": text } }));
        offset += length;
    }
    let commands = all.into_iter().map(serde_json::from_value);
    commands.collect::<Result<_, _>>().unwrap()
}

fn deletion(session: &str, on_delete: &str) -> Value {
    json!({ "id": session, "deletedAt": 3000, "onDelete": on_delete })
}

/// A daemon that has stored two sessions, each in many batches, and an index of them.
fn recorded(home: &Home) -> (Daemon, Client) {
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    for command in [spoken("ses_1", WORD), spoken("ses_2", OTHER)].concat() {
        let batch = json!({ "commands": [command] });
        client.call("batch", &batch).unwrap();
    }
    // The log begins anew from time to time: the words are in it at its end, too.
    for (id, word) in [("ses_1", WORD), ("ses_2", OTHER)] {
        let title = json!({ "id": id, "title": format!("More about {word}"), "updatedAt": 2500 });
        client.call("session.upsert", &title).unwrap();
    }
    let found = home.stdout(&["search", WORD]);
    assert!(found.contains(WORD), "{found}");
    let holders = holders(home, WORD);
    for file in ["clankers.db-wal", "clankers.search"] {
        assert!(holders.iter().any(|name| name == file), "{holders:?}");
    }
    (daemon, client)
}

#[test]
fn what_is_deleted_through_the_daemon_is_in_no_file() {
    for on_delete in ["tombstone", "purge"] {
        let home = Home::new();
        let (daemon, mut client) = recorded(&home);
        client
            .call("session.delete", &deletion("ses_1", on_delete))
            .unwrap();
        assert_eq!(holders(&home, WORD), [""; 0], "{on_delete}");
        assert_eq!(holders(&home, OTHER), ["clankers.db"]);
        assert!(home.stdout(&["search", OTHER]).contains(OTHER));
        assert_eq!(daemon.end(), Some(0));
        assert_eq!(holders(&home, WORD), [""; 0], "{on_delete}");
    }
}

#[test]
fn what_the_daemon_is_told_to_keep_is_kept_and_found() {
    let home = Home::new();
    let (_daemon, mut client) = recorded(&home);
    client
        .call("session.delete", &deletion("ses_1", "keep"))
        .unwrap();
    assert!(holders(&home, WORD).contains(&"clankers.search".to_owned()));
    client
        .call("session.delete", &deletion("ses_2", "tombstone"))
        .unwrap();
    assert_eq!(holders(&home, WORD), ["clankers.db"]);
}

#[test]
fn while_somebody_reads_it_is_erased_after_a_later_batch_or_at_the_end() {
    let home = Home::new();
    let (daemon, mut client) = recorded(&home);
    let reader = home.open();
    let read = || {
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM parts")
            .unwrap();
    };
    // A search, too, has the index open.
    let search = Connection::open(home.data().join("clankers.search")).unwrap();
    search
        .execute_batch("BEGIN; SELECT count(*) FROM documents")
        .unwrap();
    read();
    client
        .call("session.delete", &deletion("ses_1", "tombstone"))
        .unwrap();
    assert_eq!(holders(&home, WORD), ["clankers.db", "clankers.db-wal"]);
    reader.execute_batch("COMMIT").unwrap();
    search.execute_batch("COMMIT").unwrap();
    drop(search);
    let title = json!({ "id": "ses_2", "title": "Another" });
    client.call("session.upsert", &title).unwrap();
    assert_eq!(holders(&home, WORD), [""; 0]);
    assert!(home.stdout(&["search", "Another"]).contains("Another"));

    read();
    client
        .call("session.delete", &deletion("ses_2", "tombstone"))
        .unwrap();
    assert_ne!(holders(&home, OTHER), [""; 0]);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(holders(&home, OTHER), [""; 0]);
}

#[test]
fn what_is_pruned_is_in_no_file_while_others_have_it_open() {
    for more in [&[][..], &["--purge"], &["--vacuum"]] {
        let home = Home::new();
        // Another writer, which keeps the log where it is.
        let (daemon, _client) = recorded(&home);
        let args = [&["prune", "--older-than", "2026-01-01"], more].concat();
        home.stdout(&args);
        assert_eq!(holders(&home, WORD), [""; 0], "{more:?}");
        assert_eq!(holders(&home, OTHER), [""; 0], "{more:?}");
        let nothing = home.stdout(&["search", WORD]);
        assert!(nothing.contains("nothing was found"), "{nothing}");
        assert_eq!(daemon.end(), Some(0));
        assert_eq!(holders(&home, WORD), [""; 0], "{more:?}");
    }
}

#[test]
fn the_index_forgets_what_somebody_erased_who_left_it() {
    let home = Home::new();
    let db = recording::sink(&home.db());
    for session in [spoken("ses_1", WORD), spoken("ses_2", OTHER)] {
        recording::apply(&db, &session);
    }
    assert!(home.stdout(&["search", WORD]).contains(WORD));
    let index = || holders(&home, WORD).contains(&"clankers.search".to_owned());
    assert!(index());
    let command = json!({ "method": "session.delete", "params": deletion("ses_1", "tombstone") });
    recording::apply(&db, &[serde_json::from_value(command).unwrap()]);
    assert!(home.stdout(&["search", OTHER]).contains(OTHER));
    assert!(!index());
}
