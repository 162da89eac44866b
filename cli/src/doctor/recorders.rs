//! What recorders told of themselves, where it tells of trouble.

use super::check::Check;
use crate::output::counted;
use crate::paths::Paths;
use crate::plugin::recorders::{Recorder, Recorders};
use crate::store::open_reader;

/// What ends it. Catch-up runs at each start, and where something is known to be missing.
const ADVICE: &str = "OpenCode is asked for it again, at the latest when it starts next in that \
    project; `clankers import` reads it from OpenCode's own database";

pub(super) fn checks(paths: &Paths) -> Vec<Check> {
    let read = open_reader(&paths.db).and_then(|db| Recorders::read(&db));
    let Ok(recorders) = read else {
        return Vec::new();
    };
    let wrong: Vec<Check> = recorders
        .all
        .iter()
        .filter_map(|one| Some(check(one, &recorders.complaint(one)?)))
        .collect();
    if !wrong.is_empty() || recorders.all.is_empty() {
        return wrong;
    }
    let text = format!(
        "{} told how it went, and nothing is known to be missing",
        counted(recorders.all.len(), "recorder"),
    );
    vec![Check::good("recorders", text)]
}

fn check(one: &Recorder, complaint: &str) -> Check {
    let mut advice: Vec<String> = one.last_error().into_iter().collect();
    advice.push(ADVICE.to_owned());
    Check::warning("recorders", format!("{}: {complaint}", one.described()))
        .advice(advice.join("\n"))
}
