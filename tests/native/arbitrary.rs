//! Whatever JSON comes, the core does not panic, and what it makes of it can
//! be stored.

use clankers::sources::Dialect;
use clankers::{Core, Options, Urgency};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Map, Number, Value, json};

use crate::support::Db;
use crate::words::{KEYS, WORDS};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        select(WORDS).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let fields = prop::collection::vec((select(KEYS), inner.clone()), 0..8);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            4 => fields.prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

/// An event with ids in all places, so that most are not refused whole.
fn event() -> impl Strategy<Value = Value> {
    let ids = || {
        json!({
            "id": "ses_1", "sessionID": "ses_1", "messageID": "msg_1", "partID": "prt_1",
            "assistantMessageID": "msg_1", "ordinal": 0, "inboxID": "msg_2", "to": "msg_1",
        })
    };
    let known = (
        prop_oneof![
            select(Dialect::OPENCODE1.event_types().recorded),
            select(Dialect::OPENCODE2.event_types().recorded),
        ],
        json_value(),
        json_value(),
        any::<bool>(),
    );
    let event = known.prop_map(move |(kind, properties, inner, identified)| {
        let mut properties = if properties.is_object() {
            properties
        } else {
            json!({ "info": properties })
        };
        if identified {
            properties = crate::events::with(properties, ids());
            let inner = if inner.is_object() {
                crate::events::with(ids(), inner)
            } else {
                inner
            };
            properties["info"] = inner.clone();
            properties["part"] = inner.clone();
            for key in ["item", "payload", "shell", "error", "location"] {
                properties[key] = inner.clone();
            }
        }
        json!({
            "type": kind, "properties": properties, "data": properties, "id": "evt_1", "created": 5,
            "durable": { "aggregateID": "ses_1", "seq": 3, "version": 1 },
        })
    });
    prop_oneof![8 => event, 1 => json_value()]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/native/arbitrary.regressions.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_json_never_panics_and_can_be_stored(
        events in prop::collection::vec(event(), 1..12),
        now in prop_oneof![Just(1e12), any::<f64>()],
        on_delete in select(clankers::model::row::OnDelete::ALL),
        dialect in select(&[Dialect::OPENCODE1, Dialect::OPENCODE2][..]),
    ) {
        let db = Db::new();
        let mut core = Core::new(Options { on_delete, dialect, ..Options::default() });
        for event in &events {
            if core.observe(&event, now) == Urgency::Now {
                // Fails at the first command that cannot be applied.
                db.apply(core.drain());
                core.settle(true);
            }
        }
        db.apply(core.drain());
        core.settle(true);
        prop_assert!(core.drain().is_empty());
        prop_assert_eq!(db.rows("PRAGMA foreign_key_check"), [""; 0]);
        let notices = core.notices();
        prop_assert!(notices.iter().all(|notice| !notice.is_empty()));
    }
}
