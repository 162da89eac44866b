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

/// Each row of the tables ends with a file and the name of a test in it.
#[test]
fn every_fault_that_is_documented_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let rows: Vec<&str> = document
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| fault") && !line.starts_with("| ---")
        })
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let (file, name) = cell.split_once(' ').unwrap();
        let (file, name) = (file.trim_matches('`'), name.trim_matches('"'));
        let tests = std::fs::read_to_string(root.join(file)).unwrap_or_else(|_| panic!("{file}"));
        assert!(tests.contains(name), "{file} has no test {name}");
    }
}
