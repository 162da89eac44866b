//! How things are, on a screen: a line for each thing, with a mark that says
//! whether it is as it should be.

use std::path::Path;

use serde_json::Value;

use super::Status;
use super::facts::Facts;
use crate::error::Result;
use crate::opencode::program;
use crate::output::{Out, bytes, count, counted, duration, money, time};
use crate::paths::shown;
use crate::plugin::recorders::Recorders;
use crate::plugin::standing::{Level, Standing};
use crate::store::{MissingCounts, size_on_disk};

/// So many recorders are shown.
const MOST_RECORDERS: usize = 3;

/// One thing: whether it is as it should be, and how it is.
struct Line {
    is_good: bool,
    text: String,
}

fn good(text: impl Into<String>) -> Line {
    Line {
        is_good: true,
        text: text.into(),
    }
}

fn notable(text: impl Into<String>) -> Line {
    Line {
        is_good: false,
        text: text.into(),
    }
}

/// Writes the screen.
pub(super) fn write(status: &Status<'_>, out: &mut Out) -> Result<()> {
    if !status.is_any_found {
        line("opencode", &notable(program::NONE_FOUND), out)?;
    }
    if status.standings.is_empty() {
        line(
            "plugin",
            &notable("placed nowhere: run `clankers install`"),
            out,
        )?;
    }
    for standing in &status.standings {
        line("plugin", &plugin(standing), out)?;
    }
    for trouble in &status.troubles {
        let text = format!("{}: `clankers doctor` says more", trouble.described());
        line("trouble", &notable(text), out)?;
    }
    if let Some(recorded) = status.recorded.described() {
        line("recorded", &good(recorded), out)?;
    }
    if !status.recorded.problems.is_empty() {
        let text = "something in them is not used: `clankers doctor` says what";
        line("settings", &notable(text), out)?;
    }
    line(
        "daemon",
        &daemon(status.daemon.as_ref(), &status.paths.db),
        out,
    )?;
    let path = shown(&status.paths.db);
    let Some(facts) = &status.facts else {
        line("database", &notable(format!("none yet at {path}")), out)?;
        out.line("")?;
        return out
            .remark("say something in OpenCode, or run `clankers import` for what it has already");
    };
    let size = bytes(size_on_disk(&status.paths.db));
    let database = format!("{path}, {size}, schema {}", facts.schema_version);
    line("database", &good(database), out)?;
    let last_event = match facts.counts.int("last_event_at") {
        Some(at) => good(time(at)),
        None => notable("none yet"),
    };
    line("last event", &last_event, out)?;
    line("rejections", &rejections(facts), out)?;
    recorders(&status.recorders, out)?;
    if !facts.missing.is_empty() {
        line("missing", &notable(facts.missing.described()), out)?;
        below(MissingCounts::HINT, out)?;
    }
    out.line("")?;
    out.line(&format!(
        "  {} · {} · {} · {} spent",
        counted(facts.number("sessions"), "session"),
        counted(facts.number("messages"), "message"),
        counted(facts.number("tool_calls"), "tool call"),
        money(facts.counts.real("cost")),
    ))
}

fn line(name: &str, line: &Line, out: &mut Out) -> Result<()> {
    let mark = if line.is_good {
        out.green("●")
    } else {
        out.yellow("○")
    };
    out.line(&format!("{mark} {name:10} {}", line.text))
}

/// What goes on from the line above.
fn below(text: &str, out: &mut Out) -> Result<()> {
    out.remark(&format!("             {text}"))
}

/// The recorders that stored last, each with what it has counted.
fn recorders(recorders: &Recorders, out: &mut Out) -> Result<()> {
    for one in recorders.all.iter().take(MOST_RECORDERS) {
        let text = one.described();
        let mark = match recorders.complaint(one) {
            Some(complaint) => notable(format!("{text}: {complaint}")),
            None => good(text),
        };
        line("recorder", &mark, out)?;
        for counted in one.counted() {
            below(&counted, out)?;
        }
    }
    let others = recorders.all.len().saturating_sub(MOST_RECORDERS);
    if others > 0 {
        let text = format!("and {others} before: `clankers query \"SELECT * FROM recorders\"`");
        below(&text, out)?;
    }
    Ok(())
}

fn plugin(standing: &Standing) -> Line {
    let text = format!("{}: {}", standing.title(), standing.words());
    match standing.level {
        Level::NotLoaded => notable(format!("{text}: `clankers doctor` says why")),
        Level::Placed => notable(text),
        Level::Active | Level::Recording { .. } => good(text),
    }
}

fn daemon(health: Option<&Result<Value>>, own_db: &Path) -> Line {
    match health {
        None => notable("not running; the plugin writes by itself, so that is fine"),
        Some(Err(error)) => notable(format!("does not answer as it should: {error}")),
        Some(Ok(health)) => {
            let number = |name: &str| health.get(name).and_then(Value::as_i64).unwrap_or_default();
            let uptime = duration(number("uptimeMs"));
            let running = format!("running for {uptime} (pid {})", number("pid"));
            let db = health.get("dbPath").and_then(Value::as_str);
            match db.filter(|db| Path::new(db) != own_db) {
                Some(other) => notable(format!("{running}; it writes another database: {other}")),
                None => good(running),
            }
        }
    }
}

fn rejections(facts: &Facts) -> Line {
    match facts.number("rejections") {
        0 => good("none"),
        times => notable(format!(
            "{} ({}), {} in all: `clankers doctor` explains them",
            counted(facts.number("rejection_kinds"), "kind"),
            facts.refused.by_release().unwrap_or_default(),
            count(times)
        )),
    }
}
