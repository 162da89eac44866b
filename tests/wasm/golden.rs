//! The recordings give in wasm the very commands that they give natively.
#![expect(clippy::expect_used, reason = "a broken fixture is to fail loudly")]

use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{URGENT, core_for, drained};

#[wasm_bindgen(module = "node:fs")]
extern "C" {
    #[wasm_bindgen(js_name = readdirSync)]
    fn read_folder(path: &str) -> Vec<String>;
    #[wasm_bindgen(js_name = readFileSync)]
    fn read_file(path: &str, encoding: &str) -> String;
}

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// The recordings, `(release, scenario, text)`.
fn recordings() -> Vec<(String, String, String)> {
    let root = format!("{TESTS}/fixtures");
    let mut found = Vec::new();
    for release in read_folder(&root) {
        let folder = format!("{root}/{release}");
        for file in read_folder(&folder) {
            if let Some(scenario) = file.strip_suffix(".jsonl") {
                let text = read_file(&format!("{folder}/{file}"), "utf8");
                found.push((release.clone(), scenario.to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "no recordings");
    found
}

/// Each drain's commands, as the shim would take them.
fn replayed(release: &str, recording: &str) -> Vec<Vec<Value>> {
    let mut core = core_for(release);
    let mut drains = Vec::new();
    for line in recording.lines() {
        let line = js_sys::JSON::parse(line).expect("a line is JSON");
        let field = |key: &str| js_sys::Reflect::get(&line, &key.into()).expect("a line's field");
        let now = field("at").as_f64().expect("a time");
        if core.observe(field("event"), now) == URGENT {
            drains.push(drained(&mut core));
        }
    }
    drains.push(drained(&mut core));
    drains
}

/// The drains of a native snapshot.
fn native(release: &str, scenario: &str) -> Vec<Vec<Value>> {
    let file = read_file(
        &format!("{TESTS}/snapshots/{release}__{scenario}.snap"),
        "utf8",
    );
    let (_, lines) = file.split_once("\n---\n").expect("a snapshot's head");
    let command = |line: &str| serde_json::from_str(line).expect("a command a line");
    let drain = |drain: &str| drain.lines().map(command).collect();
    lines.trim_end().split("\n\n").map(drain).collect()
}

#[wasm_bindgen_test]
fn a_recording_becomes_the_commands_of_the_native_snapshot() {
    for (release, scenario, text) in recordings() {
        let drains = replayed(&release, &text);
        // A drain with nothing due leaves no trace in the snapshot's end.
        let drains: Vec<_> = drains
            .into_iter()
            .filter(|drain| !drain.is_empty())
            .collect();
        let native = native(&release, &scenario);
        for (at, (found, expected)) in drains.iter().zip(&native).enumerate() {
            assert_eq!(found, expected, "{release}/{scenario}, drain {at}");
        }
        assert_eq!(drains.len(), native.len(), "{release}/{scenario}");
    }
}
