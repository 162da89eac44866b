//! Ids that fall, as OpenCode's did when they wrapped in August 2026 and do where a
//! clock is set back: what is shown is in the order in which it was said.

use std::fmt::Write;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::history::{fixture, home_of, lines};
use crate::support::home::Home;
use crate::support::rows::put_rows;

/// A text in which the ids of messages and parts fall that rose: the first 9 of
/// their digits tell the millisecond.
fn fallen(text: &str) -> String {
    let mut changed = String::new();
    let mut rest = text;
    let next = |rest: &str| {
        let found = ["msg_", "prt_"].iter().filter_map(|kind| rest.find(kind));
        found.min()
    };
    while let Some((before, id)) = next(rest).and_then(|at| rest.split_at_checked(at + 4)) {
        changed.push_str(before);
        rest = id;
        if let Ok(at) = u64::from_str_radix(rest.get(..9).unwrap_or_default(), 16) {
            write!(changed, "{:09x}", 0xF_FFFF_FFFF - at).unwrap();
            rest = &rest[9..];
        }
    }
    changed + rest
}

/// The home of a release whose ids fall.
fn fallen_home(release: &str) -> Home {
    let home = Home::new();
    let fallen = |line: Value| serde_json::from_str(&fallen(&line.to_string())).unwrap();
    let rows = lines(&fixture(release, "opencode.jsonl"))
        .into_iter()
        .map(fallen);
    let path = home.write(".local/share/opencode/opencode.db", "");
    put_rows(&Connection::open(path).unwrap(), &rows.collect::<Vec<_>>());
    home
}

/// What is shown of each session that has been imported.
fn shown(home: &Home) -> Vec<String> {
    home.stdout(&["import"]);
    let db = home.open();
    let mut ids = db.prepare("SELECT id FROM sessions ORDER BY id").unwrap();
    let ids = ids.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let show = |id: String| home.stdout(&["show", &id, "--tools", "--reasoning", "--format", "md"]);
    ids.map(|id| show(id.unwrap())).collect()
}

#[test]
fn what_is_shown_does_not_depend_on_the_order_of_ids() {
    for release in ["1.3.2", "1.18.34", "2.0.15"] {
        let [rising, falling] = [home_of(release), fallen_home(release)].map(|home| shown(&home));
        assert_eq!(rising.len(), falling.len(), "{release}");
        for (rising, falling) in rising.iter().zip(&falling) {
            assert_eq!(falling, rising, "{release}");
        }
    }
}
