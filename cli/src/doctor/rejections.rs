//! What the core rejected, in plain words, and as the text of an issue.

use std::fmt::Write;

use super::check::Check;
use crate::output::{counted, time};
use crate::paths::Paths;
use crate::plugin::seen;
use crate::store::{Row, open_reader, rows};

/// At most this many kinds are listed one by one.
const MAX_LISTED: usize = 8;
const REJECTIONS: &str = "SELECT * FROM rejections ORDER BY last_seen DESC, event_type, path";

pub(super) fn checks(paths: &Paths) -> Vec<Check> {
    let Some(found) = read(paths) else {
        return Vec::new();
    };
    let Some(last) = found.first() else {
        return vec![Check::good(
            "rejections",
            "nothing that was sent was refused",
        )];
    };
    let last = last.int("last_seen").map(time).unwrap_or_default();
    let text = format!(
        "{} of event or field could not be used, the last on {last}",
        counted(found.len(), "kind"),
    );
    let mut advice: Vec<String> = found.iter().take(MAX_LISTED).map(explained).collect();
    if found.len() > MAX_LISTED {
        advice.push("…; all are in the table rejections".to_owned());
    }
    let is_lost = found
        .iter()
        .any(|row| row.text("code") == Some("missing_identity"));
    let check = if is_lost {
        Check::broken("rejections", text)
    } else {
        Check::warning("rejections", text)
    };
    vec![check.advice(advice.join("\n"))]
}

/// The text of an issue, where there is something to report.
pub(super) fn issue(paths: &Paths) -> Option<String> {
    let found = read(paths).filter(|found| !found.is_empty())?;
    let mut text = format!(
        "### Something is sent that clankers {} does not know\n\n\
         | event | code | path | expected | found | by | times |\n\
         | --- | --- | --- | --- | --- | --- | ---: |\n",
        env!("CARGO_PKG_VERSION")
    );
    let field = |row: &Row, name: &str| row.text(name).unwrap_or_default().replace('|', "\\|");
    for row in &found {
        let _ = writeln!(
            text,
            "| `{}` | {} | `{}` | {} | {} | {} | {} |",
            field(row, "event_type"),
            field(row, "code"),
            field(row, "path"),
            field(row, "expected"),
            field(row, "found"),
            row.text("by").unwrap_or_default(),
            row.int("count").unwrap_or_default(),
        );
    }
    text.push_str("\nThe keys and types of an event of each kind:\n\n```json\n");
    for row in found.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "{}", row.text("sample").unwrap_or_default());
    }
    text.push_str("```");
    Some(text)
}

/// The rows, each with who sent it: `by`.
fn read(paths: &Paths) -> Option<Vec<Row>> {
    let db = open_reader(&paths.db).ok()?;
    let mut found = rows(&db, REJECTIONS, []).ok()?;
    for row in &mut found {
        let by = row
            .text("source_version")
            .map(|version| seen::named(&db, version));
        row.0.insert("by".to_owned(), by.into());
    }
    Some(found)
}

/// One kind of rejection, in a sentence that says what was lost.
fn explained(row: &Row) -> String {
    let text = |name: &str| row.text(name).unwrap_or_default();
    let (event, path) = (text("event_type"), text("path"));
    let what = match text("code") {
        "missing_identity" => {
            format!("`{event}` did not say what it was about (no `{path}`): the event was lost")
        }
        "wrong_type" => format!(
            "`{event}` had {} at `{path}`, not {}: that field was left out",
            text("found"),
            text("expected")
        ),
        "missing_field" => format!("`{event}` lacked `{path}`: that field was left as it was"),
        "unknown_field" => format!("`{event}` had the new field `{path}`: nothing was lost"),
        "unknown_event" => format!("`{event}` is a new kind of event: it was not recorded"),
        other => format!("`{event}`: {other} at `{path}`"),
    };
    let by = row
        .text("by")
        .map(|by| format!(", {by}"))
        .unwrap_or_default();
    format!(
        "{what} ({}{by})",
        counted(row.int("count").unwrap_or_default(), "time")
    )
}
