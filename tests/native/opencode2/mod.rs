//! OpenCode 2: recordings of it, and what it answered at their end.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a broken fixture is to fail loudly"
)]

mod answers;
mod database;
mod drift;
mod drift_answers;
mod families;
mod lost;
mod outage;
mod recordings;
mod told_meanwhile;

use clankers::model::command::Command;
use clankers::sources::Dialect;
use clankers::{Core, Options};
use serde_json::Value;

use crate::support::{Db, Recorded, fixtures_in, read, replay_into};

/// A recording.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) events: Vec<Recorded>,
    /// What OpenCode answered at its end: `{ sessions, gone, removed }`.
    pub(crate) truth: Value,
}

/// Each recording.
pub(crate) fn recordings() -> impl Iterator<Item = Recording> {
    fixtures_in("tests/fixtures/opencode2")
        .into_iter()
        .map(|(name, path)| {
            let truth = path.with_extension("truth.json");
            Recording {
                name,
                events: read(&path),
                truth: serde_json::from_str(&std::fs::read_to_string(truth).unwrap()).unwrap(),
            }
        })
}

/// A core that hears OpenCode 2.
pub(crate) fn core() -> Core {
    core_at("home")
}

/// One whose OpenCode keeps its sessions in this store.
pub(crate) fn core_at(store_id: &str) -> Core {
    Core::new(Options {
        dialect: Dialect::OPENCODE2,
        store_id: Some(store_id.to_owned()),
        ..Options::default()
    })
}

/// Tells these events to a database through a new core.
pub(crate) fn replay(db: &Db, events: &[Recorded]) {
    replay_into(&mut core(), events, |commands: &[Command]| {
        db.apply(commands);
    });
}

/// The database that these events end in.
pub(crate) fn replayed(events: &[Recorded]) -> Db {
    let db = Db::new();
    replay(&db, events);
    db
}
