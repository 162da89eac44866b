//! What a client sends is read alike however it comes in, and what it asks for is
//! stored as it was told, or refused in an answer.

use clankers_cli::fuzzing::{Frames, asked, framed, frames};
use serde_json::{Value, json};

/// The input's first byte says how much comes at once; the rest is what is sent.
pub fn run(input: &[u8]) {
    let Some((at_once, sent)) = input.split_first() else {
        return;
    };
    let whole = frames(sent, usize::MAX);
    assert_eq!(frames(sent, usize::from(*at_once)), whole);
    let again: Vec<u8> = whole.bodies.iter().flat_map(|body| framed(body)).collect();
    let told = Frames {
        refused: None,
        bodies: whole.bodies,
    };
    assert_eq!(frames(&again, usize::MAX), told);
    for body in &told.bodies {
        check(body);
    }
}

/// What a request asks to be stored is the same when it is asked again.
fn check(body: &[u8]) {
    let commands = match asked(body) {
        Ok(commands) => commands,
        Err(answer) => {
            let answer: Value = serde_json::from_slice(&answer).expect("an answer is JSON");
            assert!(answer["error"]["message"].is_string(), "{answer}");
            return;
        }
    };
    let params = json!({ "commands": commands });
    let batch = json!({ "jsonrpc": "2.0", "method": "batch", "params": params });
    assert_eq!(asked(batch.to_string().as_bytes()), Ok(commands));
}
