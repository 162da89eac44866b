//! The daemon.

mod crowd;
mod damage;
mod process;
mod protocol;
mod storing;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::Home;

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

/// A session's batch for a database, as a client sends it that counts on that one.
pub(crate) fn batch(id: &str, database: &Value) -> Value {
    let session = json!({ "method": "session.upsert", "params": session(id) });
    json!({ "database": database, "commands": [session] })
}

/// Says hello, and hears which database the daemon has.
pub(crate) fn hello(client: &mut Client) -> Value {
    let hello = json!({ "clientName": "test", "clientVersion": "1" });
    client.call("hello", &hello).unwrap()["database"].clone()
}
