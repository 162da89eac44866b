//! `clankers doctor`: looks at everything that can keep a conversation from
//! being recorded, and says what to do.

mod cache;
mod check;
mod data;
mod integrity;
mod loaded;
mod log;
mod plugin;
mod recorders;
mod rejections;
mod trouble;

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::error::Result;
use crate::output::{Format, Kind, Out, Table, column};
use crate::paths::Paths;
use check::{Check, Level};

/// Find out why nothing is recorded, or what is wrong
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 all is well, 1 there are warnings, 2 something is broken.")]
pub(crate) struct Args {
    /// Fix what can be fixed safely
    #[arg(long)]
    fix: bool,
}

/// Runs all checks, repairs what can be repaired if asked to, and prints what was
/// found. Returns the exit status.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<ExitCode> {
    let mut fixed = Vec::new();
    let mut checks = all(paths)?;
    if args.fix {
        for check in &mut checks {
            if let Some(fix) = check.fix.take() {
                fixed.push(fix().unwrap_or_else(|error| format!("could not fix it: {error}")));
            }
        }
        if !fixed.is_empty() {
            checks = all(paths)?;
        }
    }
    let worst = checks
        .iter()
        .map(|check| check.level)
        .max()
        .unwrap_or(Level::Good);
    match out.format {
        Format::Table => write_for_people(&checks, &fixed, paths, out)?,
        Format::Json | Format::Jsonl => {
            let checks: Vec<Value> = checks.iter().map(Check::json).collect();
            let issue = rejections::issue(paths);
            out.json(&json!({ "status": worst.name(), "checks": checks, "fixed": fixed, "issue": issue }))?;
        }
        Format::Csv | Format::Md => out.table(&table(&checks))?,
    }
    Ok(ExitCode::from(worst as u8))
}

fn all(paths: &Paths) -> Result<Vec<Check>> {
    let mut checks = plugin::checks(paths)?;
    checks.extend(cache::checks()?);
    checks.extend(data::checks(paths));
    checks.extend(trouble::checks(paths));
    checks.extend(rejections::checks(paths));
    checks.extend(recorders::checks(paths));
    Ok(checks)
}

fn write_for_people(
    checks: &[Check],
    fixed: &[String],
    paths: &Paths,
    out: &mut Out,
) -> Result<()> {
    for what in fixed {
        let line = out.green(&format!("fixed: {what}"));
        out.line(&line)?;
    }
    if !fixed.is_empty() {
        out.line("")?;
    }
    for check in checks {
        let mark = match check.level {
            Level::Good => out.green("✓"),
            Level::Warning => out.yellow("!"),
            Level::Broken => out.red("✗"),
        };
        out.line(&format!("{mark} {:11} {}", check.name, check.text))?;
        for line in check.advice.iter().flat_map(|advice| advice.lines()) {
            out.remark(&format!("              {line}"))?;
        }
    }
    out.line("")?;
    let count = |level: Level| checks.iter().filter(|check| check.level == level).count();
    let summary = match (count(Level::Broken), count(Level::Warning)) {
        (0, 0) => out.green("all is well"),
        (0, warnings) => out.yellow(&format!("{warnings} to look at")),
        (broken, 0) => out.red(&format!("{broken} broken")),
        (broken, warnings) => out.red(&format!("{broken} broken, {warnings} more to look at")),
    };
    out.line(&summary)?;
    if checks.iter().any(|check| check.fix.is_some()) {
        out.remark("`clankers doctor --fix` fixes what can be fixed safely")?;
    }
    if let Some(issue) = rejections::issue(paths) {
        out.line("")?;
        out.remark("to report what was refused, copy this; it holds names and types, none of your content:")?;
        out.line("")?;
        out.line(&issue)?;
    }
    Ok(())
}

fn table(checks: &[Check]) -> Table {
    let columns = ["level", "check", "found", "advice"]
        .map(|name| column(name, Kind::Text))
        .to_vec();
    let mut table = Table::new(columns);
    for check in checks {
        table.rows.push(vec![
            check.level.name().into(),
            check.name.into(),
            check.text.clone().into(),
            check.advice.clone().into(),
        ]);
    }
    table
}
