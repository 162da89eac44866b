//! A text that is being written is stored up to the last drain, whatever
//! could not be stored in between and whatever is stored twice.

use clankers::model::command::Command;
use clankers::{Core, Options};
use proptest::prelude::*;
use serde_json::json;

use crate::events::{answer, delta, part, without};
use crate::support::Db;

/// What happens next.
#[derive(Debug, Clone)]
enum Deed {
    /// One of two texts grows.
    Grow(usize, String),
    /// What changed is stored.
    Drain,
    /// It could not be stored.
    Fail,
    /// What had been stored is stored again, from this batch on.
    Replay(prop::sample::Index),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (0..2_usize, "[a-zäß😀\\x00 \n]{1,12}").prop_map(|(at, text)| Deed::Grow(at, text)),
        4 => Just(Deed::Drain),
        1 => Just(Deed::Fail),
        1 => any::<prop::sample::Index>().prop_map(Deed::Replay),
    ];
    prop::collection::vec(deed, 1..60)
}

const PARTS: [&str; 2] = ["prt_1", "prt_2"];

fn writing() -> Core {
    let mut core = Core::new(Options::default());
    let message = answer("ses_1", "msg_1", json!({ "time": { "created": 1 } }));
    core.observe(&&without(message, "/properties/info", "finish"), 1.0);
    for id in PARTS {
        let open = json!({ "text": "", "time": { "start": 1 } });
        core.observe(&&part(("ses_1", "msg_1", id), "text", open), 1.0);
    }
    core
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn a_stream_is_stored_up_to_its_last_drain(deeds in deeds()) {
        let db = Db::new();
        let mut core = writing();
        let mut texts = [String::new(), String::new()];
        let mut batches: Vec<Vec<Command>> = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Grow(at, text) => {
                    core.observe(&&delta(("ses_1", "msg_1", PARTS[at]), &text), 1.0);
                    texts[at].push_str(&text);
                    continue;
                }
                Deed::Fail => {
                    core.drain();
                    core.settle(false);
                    continue;
                }
                Deed::Drain => {
                    batches.push(core.drain().to_vec());
                    core.settle(true);
                    db.apply(batches.last().map_or(&[], Vec::as_slice));
                }
                Deed::Replay(from) => {
                    let from = from.index(batches.len() + 1);
                    batches.push(core.drain().to_vec());
                    core.settle(true);
                    batches[from..].iter().for_each(|batch| db.apply(batch));
                }
            }
            let stored = db.rows("SELECT text FROM parts ORDER BY id");
            prop_assert_eq!(stored, texts.each_ref().map(|text| format!("{text:?}")));
            let content = format!("{:?}", texts.join("\n"));
            prop_assert_eq!(db.value("SELECT text_content FROM messages"), content);
        }
    }
}
