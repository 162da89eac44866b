//! What came of an import, for people and for programs.

use super::copy::Tally;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::output::{Kind, Out, Record, column, count, counted, one_line};

/// How many problems are listed one by one.
const LISTED_PROBLEMS: usize = 5;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) found: usize,
    pub(super) brought: usize,
    pub(super) new: usize,
    /// Those of projects that are not recorded.
    pub(super) ignored: usize,
    pub(super) messages: usize,
    pub(super) parts: usize,
    /// Documents that could not be read.
    pub(super) unreadable: Vec<String>,
    /// Databases, folders and files of which nothing could be read.
    pub(super) refused: Vec<Error>,
}

impl Summary {
    /// Adds what was read of one copy.
    pub(super) fn add(&mut self, tally: Tally) {
        self.brought += tally.sessions;
        self.new += tally.new;
        self.messages += tally.messages;
        self.parts += tally.parts;
        self.unreadable.extend(tally.unreadable);
    }

    /// All that could not be read, each in a line.
    fn problems(&self) -> Vec<String> {
        let refused = self.refused.iter().map(|error| error.what().to_owned());
        refused.chain(self.unreadable.iter().cloned()).collect()
    }
}

/// Says what came of an import, or would where nothing was to be stored.
pub(super) fn report(summary: &Summary, is_dry: bool, out: &mut Out) -> Result<()> {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    if !out.is_human() {
        let pair = |name: &str, value: usize| (column(name, Kind::Count), number(value).into());
        let record: Record = vec![
            pair("found", summary.found),
            pair("imported", summary.brought),
            pair("new", summary.new),
            pair("messages", summary.messages),
            pair("parts", summary.parts),
            pair("unreadable", summary.unreadable.len()),
            pair("refused", summary.refused.len()),
            pair("ignored", summary.ignored),
            (
                column("problems", Kind::Plain),
                Cell::Json(summary.problems().into()),
            ),
        ];
        return out.record(record);
    }
    let of = |value: usize, name: &str| counted(number(value), name);
    let what = [
        of(summary.brought, "session"),
        of(summary.messages, "message"),
        of(summary.parts, "part"),
    ];
    if summary.brought == 0 {
        out.line(&format!(
            "nothing to bring in: all of {} {} recorded",
            of(summary.found, "session"),
            if summary.found == 1 { "is" } else { "are" }
        ))?;
    } else {
        let verb = if is_dry {
            "would bring in"
        } else {
            "brought in"
        };
        out.line(&format!("{verb} {}", what.join(", ")))?;
        let known = summary.brought - summary.new;
        out.remark(&format!(
            "{} new, {} brought up to date, {} left as they were",
            of(summary.new, "session"),
            count(number(known)),
            count(number(summary.found - summary.brought))
        ))?;
    }
    if summary.ignored > 0 {
        out.remark(&format!(
            "{} of projects that are ignored",
            of(summary.ignored, "session")
        ))?;
    }
    if !summary.refused.is_empty() {
        let head = format!(
            "nothing could be read of {}:",
            of(summary.refused.len(), "source")
        );
        let refused = summary.refused.iter().map(Error::what);
        list(&head, refused, out)?;
    }
    if !summary.unreadable.is_empty() {
        let head = format!(
            "{} could not be read:",
            of(summary.unreadable.len(), "document")
        );
        list(&head, summary.unreadable.iter().map(String::as_str), out)?;
    }
    Ok(())
}

/// Lists what could not be read.
fn list<'a>(
    head: &str,
    lines: impl ExactSizeIterator<Item = &'a str>,
    out: &mut Out,
) -> Result<()> {
    let head = out.yellow(head);
    out.line(&head)?;
    let more = lines.len().saturating_sub(LISTED_PROBLEMS);
    for line in lines.take(LISTED_PROBLEMS) {
        out.line(&format!("  {}", one_line(line)))?;
    }
    if more > 0 {
        out.line(&format!("  and {more} more; --format json names all"))?;
    }
    Ok(())
}
