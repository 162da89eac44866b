//! The manual says what the program says: each marker in `docs/cli.md` is
//! followed by that command's help. `CLANKERS_UPDATE_DOCS=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use crate::support::home::Home;

/// A command's help without the options that all have, which are shown once.
fn help(home: &Home, command: &str) -> String {
    let words: Vec<&str> = command.split(' ').skip(1).chain(["-h"]).collect();
    let help = home.stdout(&words);
    let own = if command == "clankers" {
        &help
    } else {
        help.split("\nOutput:").next().unwrap()
    };
    let ending = help.rsplit("\n\n").next().filter(|_| command != "clankers");
    let ending = ending.filter(|ending| !own.contains(ending) && !ending.starts_with("Paths:"));
    let text = format!("{}\n\n{}", own.trim_end(), ending.unwrap_or_default());
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

/// The manual with every command's help in its place.
fn filled(home: &Home, manual: &str) -> String {
    let mut filled = String::new();
    let mut lines = manual.lines().peekable();
    while let Some(line) = lines.next() {
        writeln!(filled, "{line}").unwrap();
        let Some(command) = line
            .strip_prefix("<!-- ")
            .and_then(|line| line.strip_suffix(" -->"))
        else {
            continue;
        };
        if lines.peek() == Some(&"```text") {
            lines
                .by_ref()
                .skip(1)
                .find(|line| *line == "```")
                .expect("the end of a block");
        }
        write!(filled, "```text\n{}\n```\n", help(home, command)).unwrap();
    }
    filled
}

#[test]
fn the_manual_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let manual = std::fs::read_to_string(&path).unwrap();
    let filled = filled(&Home::new(), &manual);
    if std::env::var_os("CLANKERS_UPDATE_DOCS").is_some() {
        std::fs::write(&path, filled).unwrap();
        return;
    }
    assert_eq!(
        manual, filled,
        "run: CLANKERS_UPDATE_DOCS=1 cargo test -p clankers-cli the_manual"
    );
}

#[test]
fn the_manual_names_every_command() {
    let manual =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md"))
            .unwrap();
    let help = Home::new().stdout(&["-h"]);
    let commands = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    for command in commands
        .lines()
        .filter_map(|line| line.split_whitespace().next())
    {
        assert!(
            command == "help" || manual.contains(&format!("<!-- clankers {command} -->")),
            "{command}"
        );
    }
}

/// Instead of a test, why a row has none.
const REASONS: [&str; 2] = ["Not held: ", "Does not apply: "];

/// What holds each row of a document's tables: its last cell, an entry a line of it.
fn held_by(document: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(document);
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |at: usize| {
        let is_head = lines
            .get(at + 1)
            .is_some_and(|next| next.starts_with("| ---"));
        lines[at].starts_with("| ") && !lines[at].starts_with("| ---") && !is_head
    };
    let rows = (0..lines.len())
        .filter(|at| is_row(*at))
        .map(|at| lines[at]);
    rows.flat_map(|row| {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        cell.split("<br>").map(str::to_owned)
    })
    .collect()
}

/// Fails where an entry names no test: it is a file and the name of a test in it.
fn find_test(entry: &str) {
    let (file, name) = entry.split_once(' ').unwrap_or_else(|| panic!("{entry}"));
    let (file, name) = (file.trim_matches('`'), name.trim_matches('"'));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let tests = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{file}"));
    let wanted = if path.extension().is_some_and(|ending| ending == "rs") {
        format!("fn {name}(")
    } else {
        name.to_owned()
    };
    assert!(tests.contains(&wanted), "{file} has no test {name}");
}

#[test]
fn every_fault_that_is_documented_has_its_test() {
    let held = held_by("reliability.md");
    assert!(held.len() > 30, "{}", held.len());
    for entry in &held {
        find_test(entry);
    }
}

#[test]
fn every_point_of_the_security_review_has_its_test_or_says_why_not() {
    let held = held_by("security-review.md");
    let has_reason = |entry: &&String| REASONS.iter().any(|reason| entry.starts_with(reason));
    let (reasons, tests): (Vec<&String>, Vec<&String>) = held.iter().partition(has_reason);
    assert!(tests.len() > 60, "{}", tests.len());
    assert!(reasons.len() > 10, "{}", reasons.len());
    for entry in tests {
        find_test(entry);
    }
}
