//! Which release of clankers is loaded where something records, beside what is
//! placed: what runs keeps what it has loaded.

use std::collections::BTreeSet;

use super::check::Check;
use crate::opencode::host::Host;
use crate::output::{one_line, time};
use crate::plugin::recorders::Recorders;
use crate::plugin::standing::Standing;

/// What makes it load what is placed.
const ADVICE: &str = "what is at work keeps the release that it has loaded: start it again, \
    unless you have since (`opencode service restart` for the background service of OpenCode 2.x)";

pub(super) fn checks(standings: &[Standing], recorders: &Recorders) -> Vec<Check> {
    let check = |host| of_host(host, standings, recorders);
    Host::ALL.into_iter().flat_map(check).collect()
}

/// Of one program. Where the plugin is not placed as a file, nobody knows what is to be
/// loaded.
fn of_host(host: Host, standings: &[Standing], recorders: &Recorders) -> Vec<Check> {
    let placed: BTreeSet<&str> = standings
        .iter()
        .filter(|standing| standing.host == host)
        .flat_map(Standing::loading)
        .filter_map(|entry| entry.module.as_ref()?.version.as_deref())
        .collect();
    if placed.is_empty() {
        return Vec::new();
    }
    let all: Vec<&str> = placed.iter().copied().collect();
    let all = all.join(" and ");
    let loaded = recorders.loaded(host, &placed);
    let mut checks: Vec<Check> = loaded
        .others
        .iter()
        .map(|(version, (pid, at))| {
            let text = format!(
                "{} (pid {pid}) had clankers {} loaded when it stored last, {}; placed is {all}",
                host.title(),
                one_line(version),
                time(*at),
            );
            Check::warning("version", text).advice(ADVICE)
        })
        .collect();
    if let Some(at) = loaded.placed_at.filter(|_| checks.is_empty()) {
        let text = format!(
            "{} had clankers {all} loaded when it stored last, {}, as it is placed",
            host.title(),
            time(at),
        );
        checks.push(Check::good("version", text));
    }
    checks
}
