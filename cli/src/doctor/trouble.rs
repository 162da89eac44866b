//! What the plugin says of itself where OpenCode gives it no log.

use super::check::Check;
use crate::output::time;
use crate::paths::{Paths, shown};
use crate::plugin::trouble::{self, Matter, Trouble};

pub(super) fn checks(paths: &Paths) -> Vec<Check> {
    let troubles = trouble::all(paths);
    troubles.iter().map(|one| check(one, paths)).collect()
}

fn check(trouble: &Trouble, paths: &Paths) -> Check {
    let text = trouble.described();
    if let Some(over) = trouble.over {
        return Check::good("trouble", format!("{text} (over since {})", time(over)));
    }
    let check = if trouble.is_error && trouble.matter.is_vital() {
        Check::broken("trouble", text)
    } else {
        Check::warning("trouble", text)
    };
    let mut advice = vec![advice(trouble.matter).to_owned()];
    let files: Vec<String> = trouble::files(paths)
        .iter()
        .filter(|file| file.exists())
        .map(|file| shown(file))
        .collect();
    advice.push(format!(
        "the plugin wrote it to {}, since OpenCode 2.x gives it no log",
        files.join(" and ")
    ));
    check.advice(advice.join("\n"))
}

/// What to do, and what ends it.
const fn advice(matter: Matter) -> &'static str {
    match matter {
        Matter::Storage => {
            "put right what it names, and run `opencode service restart`; it is over when \
             something is stored again"
        }
        Matter::Events => {
            "OpenCode is asked for what was missed, now or when it starts next; permissions and \
             retries of that moment are not told again"
        }
        Matter::Stream => "run: opencode service restart",
        Matter::Daemon => {
            "run: clankers daemon --stop, and start it again; update the older of the two where it \
             says so. Nothing is lost: the plugin writes by itself meanwhile"
        }
        Matter::Settings => {
            "correct it in opencode.json or the environment; it is over when OpenCode starts next"
        }
        Matter::Plugin => "this is a defect of clankers: please report it",
    }
}
