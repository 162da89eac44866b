//! What observing an event costs natively: `cargo bench --bench observe`.
//! In wasm, and beside other ways to cross into it: `benches/wasm.mjs`.

use clankers::{Core, Options};
use divan::{Bencher, black_box};
use serde_json::{Value, json};

/// What a streamed text grows by: as much as a provider sends at once.
const DELTA: &str = "twenty letters more ";
const NOW: f64 = 1_800_000_000_000.0;

fn main() {
    divan::main();
}

fn part(text: &str, time: &Value) -> Value {
    json!({
        "id": "evt_1", "type": "message.part.updated", "properties": {
            "sessionID": "ses_1", "time": 1,
            "part": {
                "id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "text",
                "text": text, "time": time,
            },
        },
    })
}

fn delta() -> Value {
    json!({
        "type": "message.part.delta", "properties": {
            "sessionID": "ses_1", "messageID": "msg_1", "partID": "prt_1", "field": "text", "delta": DELTA,
        },
    })
}

fn message() -> Value {
    json!({
        "id": "evt_1", "type": "message.updated", "properties": {
            "sessionID": "ses_1",
            "info": {
                "id": "msg_1", "sessionID": "ses_1", "role": "assistant", "parentID": "msg_0",
                "modelID": "m", "providerID": "p", "mode": "build", "agent": "build",
                "path": { "cwd": "/home/user/project", "root": "/home/user/project" }, "cost": 0.25,
                "tokens": { "input": 1, "output": 2, "reasoning": 3, "cache": { "read": 4, "write": 5 } },
                "time": { "created": 1, "completed": 2 }, "finish": "stop",
            },
        },
    })
}

/// A core in which the text of `prt_1` is being written.
fn writing() -> Core {
    let mut core = Core::new(Options::default());
    core.observe(&&part("", &json!({ "start": 1 })), NOW);
    core
}

/// One event, again and again; what is due is taken once in a thousand.
fn observe(bencher: Bencher<'_, '_>, mut core: Core, event: &Value) {
    let mut count = 0_u32;
    bencher.bench_local(|| {
        count += 1;
        if count.is_multiple_of(1_000) {
            black_box(core.drain());
            core.settle(true);
        }
        core.observe(&black_box(event), NOW)
    });
}

#[divan::bench]
fn a_hundred_deltas_of_a_held_text(bencher: Bencher<'_, '_>) {
    let delta = delta();
    bencher.with_inputs(writing).bench_local_values(|mut core| {
        for _ in 0..100 {
            core.observe(&black_box(&delta), NOW);
        }
        core
    });
}

#[divan::bench]
fn a_part_that_ended(bencher: Bencher<'_, '_>) {
    let event = part(&DELTA.repeat(20), &json!({ "start": 1, "end": 2 }));
    observe(bencher, Core::new(Options::default()), &event);
}

#[divan::bench]
fn a_message_that_ended(bencher: Bencher<'_, '_>) {
    observe(bencher, Core::new(Options::default()), &message());
}

#[divan::bench]
fn an_event_that_is_ignored(bencher: Bencher<'_, '_>) {
    let event =
        json!({ "type": "session.diff", "properties": { "sessionID": "ses_1", "diff": [] } });
    observe(bencher, Core::new(Options::default()), &event);
}
