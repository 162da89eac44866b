//! More clients than the daemon serves at once.

use serde_json::json;

use super::{count, session};
use crate::support::client::Client;
use crate::support::home::Home;

/// How many the daemon serves at once.
const CLIENTS: usize = 512;

#[test]
fn silent_clients_make_room_for_those_that_have_something_to_say() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut silent: Vec<Client> = (0..CLIENTS - 1)
        .map(|_| Client::connect(&home.socket()))
        .collect();
    let mut lively = Client::connect(&home.socket());
    for number in 0..20 {
        lively.call("health", &json!({})).unwrap();
        let mut newcomer = Client::connect(&home.socket());
        let id = format!("ses_{number}");
        newcomer.call("session.upsert", &session(&id)).unwrap();
        silent.push(newcomer);
    }
    assert_eq!(count(&home, "sessions"), 20);
    // Who was sent away was told so by the end of its connection, and may come again.
    for client in silent.iter_mut().take(15) {
        assert!(client.has_ended());
    }
    lively.call("session.upsert", &session("ses_last")).unwrap();
}
