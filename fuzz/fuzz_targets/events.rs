//! Any JSON values, told as events: the core must not panic, and its commands
//! must survive the wire.
#![no_main]

use clankers::model::command::Command;
use clankers::{Core, Options, Urgency};
use libfuzzer_sys::fuzz_target;
use serde_json::{Deserializer, Value};

fn settle(core: &mut Core, is_stored: bool) {
    for command in core.drain() {
        let wire = serde_json::to_string(command).expect("a command is JSON");
        let read: Command = serde_json::from_str(&wire).expect("a command is read back");
        assert_eq!(*command, read);
    }
    core.settle(is_stored);
}

fuzz_target!(|bytes: &[u8]| {
    let mut core = Core::new(Options::default());
    let values = Deserializer::from_slice(bytes).into_iter::<Value>();
    for (at, event) in values.map_while(Result::ok).enumerate() {
        if core.observe(&&event, 1.0) == Urgency::Now {
            settle(&mut core, at % 2 == 0);
        }
    }
    settle(&mut core, true);
    assert!(core.drain().is_empty());
});
