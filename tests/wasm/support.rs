//! What the wasm tests share: JavaScript values, and a core that takes them.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up is to fail loudly"
)]

use clankers::wasm::JsCore;
use serde_json::Value;
use wasm_bindgen::prelude::*;

/// When everything happens.
pub(crate) const NOW: f64 = 1_800_000_000_000.0;
/// What `observe` returns for what is to be drained at once.
pub(crate) const URGENT: u8 = 3;

/// The value of a JavaScript expression.
pub(crate) fn js(expression: &str) -> JsValue {
    js_sys::eval(&format!("({expression})")).expect("the test's JavaScript")
}

/// A core that was told nothing.
pub(crate) fn new_core() -> JsCore {
    JsCore::new(&JsValue::UNDEFINED)
}

/// A core for the recordings of a release.
pub(crate) fn core_for(release: &str) -> JsCore {
    if release.starts_with("kilo-") {
        JsCore::new(&js("{ dialect: 'kilo' }"))
    } else {
        new_core()
    }
}

/// What is due, as the JSON that a sink would bind.
pub(crate) fn drained(core: &mut JsCore) -> Vec<Value> {
    let commands = core.drain(None).expect("commands");
    core.settle(true);
    let text = js_sys::JSON::stringify(&commands).expect("commands are plain");
    serde_json::from_str(&String::from(text)).expect("commands are JSON")
}
