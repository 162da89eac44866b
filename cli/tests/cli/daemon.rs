//! The daemon.

mod crowd;
mod damage;
mod process;
mod protocol;
mod storing;

use serde_json::{Value, json};

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
