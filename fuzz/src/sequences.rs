//! Rows are the same whether what events tell is stored in one batch or in many, after
//! a batch that failed, after one that was stored unheard, and once all is told again.

use clankers::Core;
use clankers::sources::Dialect;
use serde_json::Value;

use crate::documents;
use crate::moment::Moment;
use crate::support::{Db, Recorded, assert_same, core_of, replay_into, story};

/// What a document that is a word says: the dialect of what follows, or what happens
/// now. Any other document is an event.
const MOMENTS: &[(&str, Moment)] = &[
    ("drain", Moment::Drain),
    ("slice", Moment::Slice),
    ("fail", Moment::Fail),
    ("fail a slice", Moment::FailSlice),
    ("unheard", Moment::Unheard),
];

/// The words, for whoever changes an input.
pub(crate) const WORDS: &[&str] = &[
    "drain",
    "slice",
    "fail",
    "fail a slice",
    "unheard",
    "kilo",
    "opencode1",
    "opencode2",
];

struct Databases {
    once: Db,
    often: Db,
}

thread_local! {
    static DATABASES: Databases = Databases { once: Db::new(), often: Db::new() };
}

/// Tells the events once to be stored at the end, and once with what happens between.
pub fn run(input: &[u8]) {
    DATABASES.with(|databases| compare(databases, documents(input)));
}

fn compare(Databases { once, often }: &Databases, documents: Vec<Value>) {
    let mut dialect = Dialect::OPENCODE1;
    let mut moments = Vec::new();
    let mut events = Vec::new();
    for document in documents {
        let word = document.as_str();
        let happens = MOMENTS.iter().find(|(name, _)| word == Some(name));
        if let Some((_, moment)) = happens {
            moments.push((events.len(), *moment));
        } else if let Some(named) = word.and_then(Dialect::named) {
            dialect = named;
        } else {
            events.push(document);
        }
    }
    let events = story(events);
    once.clear();
    often.clear();
    tell(once, &mut core_of(dialect), &events, &[]);
    let expected = once.dump();
    tell(often, &mut core_of(dialect), &events, &moments);
    assert_same("in many batches", &expected, &often.dump());
    replay_into(&mut core_of(dialect), &events, |commands| {
        often.apply(commands)
    });
    assert_same("told again", &expected, &often.dump());
    assert!(once.rows("PRAGMA foreign_key_check").is_empty());
}

/// Tells events; each moment comes before the event of this number.
fn tell(db: &Db, core: &mut Core, events: &[Recorded], moments: &[(usize, Moment)]) {
    let mut moments = moments.iter().peekable();
    for (at, Recorded { at: now, event }) in events.iter().enumerate() {
        while let Some((_, moment)) = moments.next_if(|(before, _)| *before <= at) {
            moment.happen(core, db);
        }
        core.observe(&event, *now);
    }
    for (_, moment) in moments {
        moment.happen(core, db);
    }
    Moment::Drain.happen(core, db);
}
