//! Memory is bounded, however long a session and however many there are.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up is to fail loudly"
)]

use clankers::wasm::JsCore;
use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{NOW, URGENT, js, new_core};

/// The events of an answer that streams, as release 1.18 sends them.
const TURN: &str = r#"(session, number) => {
  const sessionID = "ses_" + session;
  const at = String(number).padStart(9, "0");
  const [question, answer] = ["msg_" + at + "a", "msg_" + at + "b"];
  const say = (type, properties) => ({ id: "evt_" + at + type, type, properties: { sessionID, ...properties } });
  const info = {
    id: answer, sessionID, role: "assistant", parentID: question, modelID: "m", providerID: "p", mode: "build",
    agent: "build", path: { cwd: "/", root: "/" }, cost: 0, time: { created: number },
    tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
  };
  const part = { id: "prt_" + at + "a", messageID: answer, sessionID, type: "text", text: "", time: { start: number } };
  const text = "A short answer. ".repeat(8);
  return [
    say("message.updated", { info: { id: question, sessionID, role: "user", agent: "build", model: { providerID: "p", modelID: "m" }, time: { created: number } } }),
    say("message.updated", { info }),
    say("message.part.updated", { part }),
    say("message.part.delta", { messageID: answer, partID: part.id, field: "text", delta: text }),
    say("message.part.updated", { part: { ...part, text, time: { start: number, end: number + 1 } } }),
    say("message.updated", { info: { ...info, cost: 0.1, finish: "stop", time: { created: number, completed: number + 2 } } }),
  ];
}"#;

/// A session that is made, has one turn and is idle.
const SESSION: &str = r#"(session) => {
  const sessionID = "ses_" + session;
  const info = { id: sessionID, slug: "s", projectID: "p", directory: "/home/user/project", path: "", title: "T",
    version: "1.18.34", time: { created: 1, updated: 2 } };
  return [
    { type: "session.created", properties: { sessionID, info } },
    { type: "session.status", properties: { sessionID, status: { type: "busy" } } },
    { type: "session.idle", properties: { sessionID } },
  ];
}"#;

fn pages() -> usize {
    core::arch::wasm32::memory_size::<0>()
}

fn tell(core: &mut JsCore, events: Result<JsValue, JsValue>) {
    for event in Array::from(&events.expect("events")) {
        if core.observe(event, NOW) == URGENT {
            core.drain(None).expect("commands");
            core.settle(true);
        }
    }
}

/// Memory that is free already, taken, so that whatever else is held makes
/// the memory grow. (Another test may have needed much.)
fn take_slack() -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    for size in [1 << 16, 1 << 12, 1 << 8, 1 << 5] {
        let before = pages();
        while pages() == before {
            taken.push(Vec::with_capacity(size));
        }
    }
    taken
}

/// The memory's size after each tenth of the steps.
fn sizes(count: u32, mut step: impl FnMut(&mut JsCore, u32)) -> Vec<usize> {
    let slack = take_slack();
    let mut core = new_core();
    let tenth = |number: u32| (0..count / 10).map(move |at| number * (count / 10) + at);
    let sizes = (0..10).map(|number| {
        tenth(number).for_each(|number| step(&mut core, number));
        pages()
    });
    let sizes = sizes.collect();
    drop(slack);
    sizes
}

/// Flat in the second half, and little by then: the ids that are remembered,
/// and the tables of them, have grown to their bounds.
fn assert_flat(sizes: &[usize]) {
    let [first, .., last] = sizes else {
        panic!("no sizes");
    };
    let half = sizes.get(sizes.len() / 2);
    assert_eq!(half, Some(last), "pages of 64 KiB: {sizes:?}");
    assert!(last - first < 16, "pages of 64 KiB: {sizes:?}");
}

#[wasm_bindgen_test]
fn a_session_of_a_hundred_thousand_messages_holds_memory_flat() {
    let turn: Function = js(TURN).into();
    let two_messages = |core: &mut JsCore, number: u32| {
        tell(
            core,
            turn.call2(&JsValue::NULL, &"long".into(), &number.into()),
        );
    };
    assert_flat(&sizes(50_000, two_messages));
}

#[wasm_bindgen_test]
fn forty_thousand_sessions_hold_memory_flat() {
    let session: Function = js(SESSION).into();
    let turn: Function = js(TURN).into();
    let one_session = |core: &mut JsCore, number: u32| {
        tell(core, session.call1(&JsValue::NULL, &number.into()));
        tell(
            core,
            turn.call2(&JsValue::NULL, &number.into(), &number.into()),
        );
    };
    assert_flat(&sizes(40_000, one_session));
}
