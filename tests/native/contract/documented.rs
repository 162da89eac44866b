//! The storage contract names every column of every table and view, in its own
//! section, but for those that are clankers' own.

use std::collections::BTreeSet;

use crate::support::Db;

/// The storage contract.
pub(super) const DOCS: &str = include_str!("../../../docs/storage-contract.md");

/// Tables and views that nobody is to rely on.
const OWN: &[&str] = &[
    "batches",
    "deletions",
    "purged",
    "session_own",
    "session_stores",
    "usage_miscounted",
    "usage_own",
];

/// Columns that nobody is to rely on, each with the reason.
const OWN_COLUMNS: &[(&str, &str)] = &[("clankers_database.one", "keeps the table to one row")];

/// What the docs call tokens.
const TOKENS: &[&str] = &[
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
];

/// Whether a section names a column: itself, among the tokens, or as what
/// follows a prefix that it names.
fn is_named(column: &str, section: &str) -> bool {
    let says = |word: &str| section.contains(&format!("`{word}`"));
    let follows = |(prefix, rest)| says(&format!("{prefix}_")) && says(rest);
    says(column)
        || TOKENS.contains(&column) && section.contains("tokens")
        || column.split_once('_').is_some_and(follows)
}

/// The columns of a table that its section does not name.
pub(super) fn undocumented(db: &Db, table: &str, section: &str) -> BTreeSet<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}')");
    let is_own = |column: &str| {
        let name = format!("{table}.{column}");
        OWN_COLUMNS.iter().any(|(own, _)| *own == name)
    };
    let names = db.rows(&sql);
    let names = names.iter().map(|name| name.trim_matches('"'));
    let unnamed = names.filter(|name| !is_own(name) && !is_named(name, section));
    unnamed.map(str::to_owned).collect()
}

/// The part of the docs that is about a table: under its heading, or its line of a
/// list.
pub(super) fn section<'d>(docs: &'d str, table: &str) -> &'d str {
    let heading = docs.split_once(&format!("### `{table}`"));
    let begins = |line: &&str| {
        let marks = ["- ", "| ", "And "];
        let name = format!("`{table}`");
        marks
            .iter()
            .filter_map(|mark| line.strip_prefix(mark))
            .any(|line| line.starts_with(&name))
    };
    match heading {
        Some((_, rest)) => rest.split("\n### ").next().unwrap_or(rest),
        None => docs.lines().find(begins).unwrap_or_default(),
    }
}

#[test]
fn every_column_of_the_schema_is_named_or_is_clankers_own() {
    let db = Db::new();
    let all = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') \
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let all = db.rows(all);
    let all: BTreeSet<&str> = all.iter().map(|name| name.trim_matches('"')).collect();
    let unnamed: BTreeSet<&str> = all
        .iter()
        .copied()
        .filter(|table| section(DOCS, table).is_empty())
        .collect();
    assert_eq!(unnamed, OWN.iter().copied().collect());
    for table in all.difference(&unnamed) {
        let missed = undocumented(&db, table, section(DOCS, table));
        assert_eq!(missed, BTreeSet::new(), "{table}");
    }
}
