//! Whatever JavaScript holds, the core neither throws nor stops working.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON that lacks a field is null, and the test fails"
)]

use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{NOW, drained, js, new_core};

/// A session that nothing is wrong with.
const GOOD: &str = r#"{
  type: "session.created",
  properties: { info: {
    id: "ses_good", projectID: "p", directory: "/home/user/project", title: "Good",
    version: "1.18.34", time: { created: 1, updated: 2 },
  } },
}"#;

/// Proxies that answer nothing.
const THROWS: &str = "new Proxy({}, new Proxy({}, { get() { throw 1 } }))";
const REVOKED: &str =
    "(() => { const it = Proxy.revocable({}, {}); it.revoke(); return it.proxy })()";
const REVOKED_LIST: &str =
    "(() => { const it = Proxy.revocable([], {}); it.revoke(); return it.proxy })()";

/// Tells an event that may be anything, then a good one, which must arrive.
/// Gives all commands.
fn survives(event: JsValue) -> Vec<Value> {
    let mut core = new_core();
    core.observe(event, NOW);
    core.observe(js(GOOD), NOW);
    let commands = drained(&mut core);
    let arrived = commands
        .iter()
        .any(|command| command["params"]["title"] == "Good");
    assert!(arrived, "{commands:?}");
    let _ = core.notices();
    commands
}

/// Only what is about rows, of what [`survives`] gives beside the good one.
fn rows(event: JsValue) -> Vec<Value> {
    let is_other = |command: &Value| {
        command["method"] != "rejection.record" && command["params"]["id"] != "ses_good"
    };
    survives(event).into_iter().filter(is_other).collect()
}

/// The paths that were refused.
fn refused(commands: &[Value]) -> Vec<String> {
    let refusals = commands
        .iter()
        .filter(|command| command["method"] == "rejection.record");
    refusals
        .map(|refusal| {
            let field = |key: &str| {
                refusal["params"][key]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            format!("{} {}: {}", field("code"), field("path"), field("found"))
        })
        .collect()
}

#[wasm_bindgen_test]
fn events_that_are_not_objects_are_refused() {
    for event in [
        "undefined",
        "null",
        "true",
        "0",
        "NaN",
        "10n",
        "''",
        "'session.created'",
        "Symbol('event')",
        "() => {}",
        "class Event {}",
        "[]",
        "[1, [2]]",
        "new Date(0)",
        "new Map([['type', 'session.created']])",
        "new Uint8Array(4)",
        "Object.create(null)",
        "globalThis",
    ] {
        let commands = survives(js(event));
        assert!(
            !refused(&commands).is_empty(),
            "{event} was dropped in silence"
        );
        assert_eq!(commands.len(), 1 + refused(&commands).len(), "{event}");
    }
}

#[wasm_bindgen_test]
fn a_getter_that_throws_costs_its_field() {
    let commands = survives(js(r#"{
      type: "session.created",
      properties: { info: {
        id: "ses_1", projectID: "p", directory: "/d", version: "1.18.34",
        get title() { throw new Error("no") },
        time: { created: 1, get updated() { throw "no" } },
      } },
    }"#));
    let session = commands
        .iter()
        .find(|command| command["params"]["id"] == "ses_1");
    let session = session.map(|command| &command["params"]["projectPath"]);
    assert_eq!(session, Some(&json!("/d")));
    assert_eq!(
        refused(&commands),
        [
            "missing_field properties.info.time.updated: nothing",
            "missing_field properties.info.title: nothing",
        ]
    );
}

#[wasm_bindgen_test]
fn getters_that_throw_anywhere_are_survived() {
    for event in [
        "{ get type() { throw 1 } }",
        "{ type: 'session.updated', get properties() { throw 1 } }",
        "{ type: 'session.updated', properties: { get info() { throw 1 } } }",
        "{ type: 'session.updated', properties: { info: { get id() { throw 1 } } } }",
        "{ type: 'message.part.updated', properties: { get part() { throw 1 } } }",
        "{ type: 'message.part.updated', properties: { part: { id: 'prt_1', messageID: 'msg_1', sessionID: 'ses_1', type: 'text', get text() { throw 1 } }, get delta() { throw 1 } } }",
        "{ type: 'todo.updated', properties: { sessionID: 'ses_1', get todos() { throw 1 } } }",
        "{ type: 'todo.updated', properties: { sessionID: 'ses_1', todos: [{ get content() { throw 1 } }] } }",
    ] {
        survives(js(event));
    }
}

#[wasm_bindgen_test]
fn a_proxy_that_answers_is_read_and_one_that_throws_is_survived() {
    let read = rows(js(&format!(
        "new Proxy({}, {{}})",
        GOOD.replace("ses_good", "ses_proxy")
    )));
    assert_eq!(read.len(), 1);
    for proxy in [THROWS, REVOKED, REVOKED_LIST] {
        for event in [
            "PROXY",
            "{ type: PROXY, properties: PROXY }",
            "{ type: 'session.updated', properties: PROXY }",
            "{ type: 'session.updated', properties: { info: PROXY } }",
            "{ type: 'session.updated', properties: { sessionID: 'ses_1', info: PROXY } }",
            "{ type: 'session.updated', properties: { info: { id: 'ses_1', time: PROXY, title: PROXY, summary: PROXY } } }",
            "{ type: 'message.part.updated', properties: { part: { id: 'prt_1', messageID: 'msg_1', sessionID: 'ses_1', type: 'tool', state: PROXY, metadata: PROXY } } }",
            "{ type: 'message.part.updated', properties: { part: { id: 'prt_1', messageID: 'msg_1', sessionID: 'ses_1', type: 'tool', state: { input: PROXY, metadata: PROXY } } } }",
            "{ type: 'message.part.updated', properties: { part: { id: 'prt_1', messageID: 'msg_1', sessionID: 'ses_1', type: 'patch', files: PROXY } } }",
            "{ type: 'todo.updated', properties: { sessionID: 'ses_1', todos: PROXY } }",
            "{ type: 'todo.updated', properties: { sessionID: 'ses_1', todos: [PROXY] } }",
            "{ type: 'nobody.knows', properties: PROXY }",
        ] {
            survives(js(&event.replace("PROXY", proxy)));
        }
    }
}

#[wasm_bindgen_test]
fn an_undefined_field_is_an_absent_one() {
    let commands = survives(js(r#"{
      type: "session.updated",
      properties: { info: {
        id: "ses_1", parentID: undefined, projectID: "p", directory: "/d", title: "T",
        version: "1.18.34", share: undefined, nobodyKnows: undefined, time: { created: 1, updated: 2, archived: undefined },
      }, sessionID: undefined },
    }"#));
    assert_eq!(refused(&commands), [""; 0]);
    let session = commands
        .iter()
        .find(|command| command["params"]["id"] == "ses_1");
    let session = session.and_then(|command| command["params"].as_object());
    assert_eq!(
        session.map(|fields| fields.contains_key("parentId")),
        Some(false)
    );
}

#[wasm_bindgen_test]
fn an_object_that_holds_itself_is_survived() {
    let read = rows(js(r#"(() => {
      const part = { id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "tool", callID: "c", tool: "bash" };
      part.state = { status: "running", input: part, metadata: part, time: { start: 1 } };
      const event = { type: "message.part.updated", properties: { part } };
      part.event = event;
      event.properties.event = event;
      return event;
    })()"#));
    assert!(
        read.iter()
            .any(|command| command["method"] == "tool_call.upsert")
    );
}

#[wasm_bindgen_test]
fn objects_of_endless_depth_are_survived() {
    survives(js(r#"(() => {
      let deep = {};
      for (let depth = 0; depth < 200000; depth++) deep = { deep };
      return { type: "message.part.updated", deep, properties: { deep, part: {
        id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "patch", files: deep, metadata: deep,
      } } };
    })()"#));
}

#[wasm_bindgen_test]
fn numbers_that_json_cannot_hold_are_refused() {
    let commands = survives(js(r#"{
      type: "message.updated",
      properties: { info: {
        id: "msg_1", sessionID: "ses_1", role: "assistant", parentID: "msg_0", modelID: "m",
        providerID: "p", mode: "build", cost: Infinity, time: { created: NaN },
        tokens: { input: -Infinity, output: 5n, reasoning: 0, cache: { read: 1e308, write: -0 } },
      } },
    }"#));
    let cannot = "something JSON cannot hold";
    assert_eq!(
        refused(&commands),
        ["cost", "time.created", "tokens.input", "tokens.output"]
            .map(|field| format!("wrong_type properties.info.{field}: {cannot}"))
    );
    let message = commands
        .iter()
        .find(|command| command["params"]["id"] == "msg_1");
    let message = message.map(|command| &command["params"]);
    assert_eq!(
        message.map(|row| &row["cacheReadTokens"]),
        Some(&json!(1e308))
    );
    assert_eq!(message.map(|row| &row["cacheWriteTokens"]), Some(&json!(0)));
}

#[wasm_bindgen_test]
fn the_present_may_be_anything() {
    for now in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300, 0.5] {
        let mut core = new_core();
        core.observe(js("{ type: 'session.error', properties: {} }"), now);
        core.observe(
            js("{ type: 'permission.asked', properties: { id: 'per_1', sessionID: 'ses_1' } }"),
            now,
        );
        core.observe(js(&GOOD.replace("session.created", "session.deleted")), now);
        assert!(drained(&mut core).len() >= 3);
    }
}

#[wasm_bindgen_test]
fn huge_texts_arrive_whole() {
    let long = 20_000_000;
    let read = rows(js(&format!(
        r#"{{ type: "message.part.updated", properties: {{ part: {{
          id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "text",
          text: "\u20ac".repeat({long}), time: {{ start: 1, end: 2 }},
        }} }} }}"#
    )));
    let part = read
        .iter()
        .find(|command| command["method"] == "part.upsert");
    let text = part.and_then(|command| command["params"]["text"].as_str());
    assert_eq!(text.map(str::len), Some(long * '\u{20ac}'.len_utf8()));
}

#[wasm_bindgen_test]
fn a_lone_surrogate_becomes_the_replacement_character() {
    let read = rows(js(r#"{ type: "message.part.updated", properties: { part: {
      id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "text", text: "a\ud83d b\ude00",
      time: { start: 1, end: 2 }, metadata: { "\ud83d": "\ude00" },
    } } }"#));
    let part = read
        .iter()
        .find(|command| command["method"] == "part.upsert");
    let part = part.map(|command| &command["params"]);
    assert_eq!(
        part.map(|row| &row["text"]),
        Some(&json!("a\u{fffd} b\u{fffd}"))
    );
    let data = part.and_then(|row| row["data"].as_str());
    let data: Option<Value> = data.and_then(|data| serde_json::from_str(data).ok());
    assert!(
        data.is_some(),
        "what JSON text holds must be JSON to SQLite as well"
    );
}

#[wasm_bindgen_test]
fn a_character_torn_between_two_deltas_is_whole_at_the_end() {
    let mut core = new_core();
    let part = r#"id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "text""#;
    core.observe(js(&format!(
        r#"{{ type: "message.part.updated", properties: {{ part: {{ {part}, text: "", time: {{ start: 1 }} }} }} }}"#
    )), NOW);
    for delta in [r"\ud83d", r"\ude00"] {
        core.observe(js(&format!(
            r#"{{ type: "message.part.delta", properties: {{ partID: "prt_1", messageID: "msg_1", sessionID: "ses_1", field: "text", delta: "{delta}" }} }}"#
        )), NOW);
    }
    core.observe(js(&format!(
        r#"{{ type: "message.part.updated", properties: {{ part: {{ {part}, text: "\ud83d\ude00", time: {{ start: 1, end: 2 }} }} }} }}"#
    )), NOW);
    let commands = drained(&mut core);
    let part = commands
        .iter()
        .find(|command| command["method"] == "part.upsert");
    assert_eq!(
        part.map(|command| &command["params"]["text"]),
        Some(&json!("\u{1f600}"))
    );
}

#[wasm_bindgen_test]
fn an_option_that_is_not_understood_is_its_default() {
    for options in [
        "null",
        "{ onDelete: 5 }",
        "{ onDelete: 'shred' }",
        "{ get onDelete() { throw 1 } }",
        "'purge'",
    ] {
        let mut core = clankers::wasm::JsCore::new(&js(options));
        core.observe(js(&GOOD.replace("session.created", "session.deleted")), NOW);
        let commands = drained(&mut core);
        let delete = commands
            .iter()
            .find(|command| command["method"] == "session.delete");
        assert_eq!(
            delete.map(|command| &command["params"]["onDelete"]),
            Some(&json!("tombstone")),
            "{options}"
        );
    }
}
