//! What it costs that each row carries the transaction that wrote it:
//! `cargo bench --bench changed`. Read the ratio: the times are this machine's.
//!
//! The recordings of real releases are stored batch by batch in a file, by
//! turns with the statements as they are and without the counting, or a part of
//! it. On Linux the time is that of the processor, so that it can be read on a
//! machine that is busy, too.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it prints what it measures, and a broken recording is to fail loudly"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use clankers::model::command::Command;
use clankers::{Core, Options, Urgency, store};
use rusqlite::Connection;
use serde_json::Value;

/// Each stores everything in each way twice, there and back again, and the middle
/// one of their ratios is told.
const ROUNDS: usize = 60;

/// Commands with their parameters, in batches as they are drained.
type Batches = Vec<Vec<(&'static str, Value, String)>>;

fn main() {
    let batches: Vec<Batches> = recordings().iter().map(|path| batches(path)).collect();
    let count: usize = batches.iter().flatten().count();
    let mut ratios: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let there = HOW.map(|how| stored(&batches, how));
        let mut back = HOW;
        back.reverse();
        let mut back = back.map(|how| stored(&batches, how));
        back.reverse();
        let times: Vec<Duration> = there
            .iter()
            .zip(back)
            .map(|(one, two)| *one + two)
            .collect();
        let without = times.first().map_or(0.0, Duration::as_secs_f64);
        for (ratios, time) in ratios.iter_mut().zip(times) {
            ratios.push(time.as_secs_f64() / without);
        }
    }
    println!("{count} batches, {ROUNDS} rounds: the middle ratio, and the middle half of all");
    for (How { name, .. }, mut ratios) in HOW.iter().zip(ratios).skip(1) {
        ratios.sort_by(f64::total_cmp);
        let at = |quarter: usize| {
            ratios
                .get((ROUNDS - 1) * quarter / 4)
                .copied()
                .unwrap_or_default()
        };
        println!("{:.3} ({:.3} to {:.3}) {name}", at(2), at(1), at(3));
    }
}

/// What of the counting is done.
#[derive(Clone, Copy)]
struct How {
    name: &'static str,
    /// Each batch raises the count.
    raises: bool,
    /// Each row carries it.
    carries: bool,
}

const HOW: [How; 4] = [
    How {
        name: "without the count",
        raises: false,
        carries: false,
    },
    How {
        name: "raised and not carried",
        raises: true,
        carries: false,
    },
    How {
        name: "carried and not raised",
        raises: false,
        carries: true,
    },
    How {
        name: "with it",
        raises: true,
        carries: true,
    },
];

/// How long this thread has been at work; where that is not told, how late it is.
fn clock() -> Duration {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| BEGINNING.elapsed(), Duration::from_nanos)
}

fn recordings() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/1.18.34");
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    found.sort();
    found
}

fn batches(recording: &Path) -> Batches {
    let mut core = Core::new(Options::default());
    let mut batches = Batches::new();
    let mut drain = |core: &mut Core| {
        batches.push(core.drain().iter().map(wire).collect());
        core.settle(true);
    };
    for line in std::fs::read_to_string(recording).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let at = line.get("at").and_then(Value::as_f64).unwrap_or_default();
        if core.observe(&line.get("event").unwrap(), at) == Urgency::Now {
            drain(&mut core);
        }
    }
    drain(&mut core);
    batches
}

fn wire(command: &Command) -> (&'static str, Value, String) {
    let mut wire = serde_json::to_value(command).unwrap();
    let params = wire.get_mut("params").map(Value::take).unwrap_or_default();
    let text = params.to_string();
    (command.method(), params, text)
}

/// How long it takes to store all of it in a new file.
fn stored(recordings: &[Batches], how: How) -> Duration {
    let folder = std::env::temp_dir().join(format!("clankers-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let db = Connection::open(folder.join("clankers.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
    )
    .unwrap();
    let plain = |sql: &str| {
        if how.carries {
            sql.to_owned()
        } else {
            sql.replace("(SELECT changed FROM clankers_database)", "0")
        }
    };
    for migration in store::MIGRATIONS {
        db.execute_batch(&plain(migration)).unwrap();
    }
    let statements: BTreeMap<&str, Vec<store::Statement>> = store::all_statements()
        .into_iter()
        .map(|(method, all)| {
            let all = all.into_iter().map(|one| store::Statement {
                sql: plain(&one.sql),
                ..one
            });
            (method, all.collect())
        })
        .collect();
    db.set_prepared_statement_cache_capacity(128);
    let start = clock();
    for batch in recordings.iter().flatten() {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        if how.raises {
            db.prepare_cached(store::BEGIN)
                .unwrap()
                .execute([])
                .unwrap();
        }
        for (method, params, text) in batch {
            for one in statements.get(method).into_iter().flatten() {
                if one.applies(params) {
                    db.prepare_cached(&one.sql)
                        .unwrap()
                        .execute([text])
                        .unwrap();
                }
            }
        }
        db.execute_batch("COMMIT").unwrap();
    }
    let took = clock().saturating_sub(start);
    drop(db);
    std::fs::remove_dir_all(&folder).unwrap();
    took
}
