//! Stored text that would command a terminal, or a spreadsheet.

use std::fs;

use rusqlite::Connection;

use crate::support::home::Home;

const RECORDINGS: &[&str] = &["1.18.34/served.jsonl"];

/// Clears the screen, names the window, turns the line round, hides a letter, begins a
/// control sequence by one letter, deletes, hides a letter in a tag.
const HOSTILE: &str =
    "\u{1b}[2J\u{1b}]0;mine\u{7}\u{202e}a\u{200b}b\u{9b}31m\u{7f}\u{e0041}\u{feff}";

/// Puts it before every text that is stored, but for keys and words that are compared.
fn spoil(db: &Connection) {
    for (table, columns) in [
        (
            "sessions",
            "title project_path project_name agent model provider source_version",
        ),
        (
            "messages",
            "text_content agent model provider finish_reason error_name error_message",
        ),
        ("parts", "text data"),
        ("tool_calls", "title input output error file_path tool"),
        ("usage", "agent model provider"),
        ("session_errors", "name message"),
        ("permissions", "permission patterns"),
        ("todos", "content status priority"),
        ("rejections", "expected found sample source_version"),
    ] {
        for column in columns.split(' ') {
            let sql = format!("UPDATE {table} SET {column} = ?1 || {column} WHERE {column} <> ''");
            db.execute(&sql, [HOSTILE]).unwrap();
        }
    }
}

/// Whether there is anything of that but for paint, which is colours alone.
fn is_commanded(said: &str) -> bool {
    let paint = [
        "\u{1b}[1m",
        "\u{1b}[2m",
        "\u{1b}[31m",
        "\u{1b}[32m",
        "\u{1b}[33m",
        "\u{1b}[0m",
    ];
    let without = paint
        .iter()
        .fold(said.to_owned(), |said, paint| said.replace(paint, ""));
    let of_terminal = without.replace("\r\n", "\n");
    HOSTILE
        .chars()
        .filter(|letter| !letter.is_ascii() || letter.is_control())
        .any(|letter| of_terminal.contains(letter))
}

#[test]
fn nothing_that_is_stored_commands_a_terminal() {
    let home = Home::with_recordings(RECORDINGS);
    let db = home.open();
    spoil(&db);
    let ids = "SELECT id FROM sessions WHERE title LIKE '%Tools that work%'";
    let id: String = db.query_row(ids, [], |row| row.get(0)).unwrap();
    db.execute(
        "INSERT OR REPLACE INTO rejections (event_type, code, path, expected, found, count, first_seen, last_seen)
         VALUES ('x' || ?1, 'wrong_type', ?1, ?1, ?1, 1, 1, unixepoch() * 1000)",
        [HOSTILE],
    )
    .unwrap();
    drop(db);
    let all = [
        "sessions",
        "stats",
        "tools",
        "status",
        "doctor",
        "search work",
        "tail --once",
        &format!("show {id} --tools --reasoning"),
        "query 'SELECT * FROM messages'",
        "prune --older-than 1d --dry-run",
        "export --table messages",
        "export --table tool_calls",
        "export",
    ];
    let mut seen = 0;
    for command in all {
        for format in ["table", "json", "jsonl", "csv", "md"] {
            // As a terminal has it, with colours, and with standard error in between.
            let line = format!(
                "{} --format {format} --color always {command}",
                env!("CARGO_BIN_EXE_clankers")
            );
            let mut terminal = home.command_of("script", &["-qec", &line, "/dev/null"]);
            let said = terminal.output().unwrap().stdout;
            let said = String::from_utf8(said).unwrap();
            assert!(!said.contains("unexpected argument"), "{command}: {said}");
            assert!(
                !is_commanded(&said),
                "{command} --format {format}: {said:?}"
            );
            seen += usize::from(said.contains("mine"));
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn programs_get_the_text_as_it_is_stored() {
    let home = Home::with_recordings(RECORDINGS);
    spoil(&home.open());
    let rows = home.stdout(&["export", "--table", "messages"]);
    let first: serde_json::Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert!(first["text_content"].as_str().unwrap().starts_with(HOSTILE));
    let rows = home.stdout(&["export", "--table", "messages", "--format", "csv"]);
    assert!(rows.contains(HOSTILE));
}

#[test]
fn no_spreadsheet_takes_a_stored_text_for_a_formula() {
    let home = Home::with_recordings(RECORDINGS);
    home.open()
        .execute("UPDATE sessions SET title = '=1+1', cost = -0.5", [])
        .unwrap();
    let sql = "SELECT title, cost FROM sessions LIMIT 1";
    let file = home.path("rows.csv");
    for (more, expected) in [(&[][..], "'=1+1"), (&["--raw"], "=1+1")] {
        let csv = |args: &[&str]| home.stdout(&[args, &["--format", "csv"], more].concat());
        assert_eq!(
            csv(&["query", sql]),
            format!("title,cost\n{expected},-0.5\n")
        );
        assert!(csv(&["sessions"]).contains(&format!(",{expected},")));
        let name = file.to_str().unwrap();
        csv(&["export", "--table", "sessions", "--output", name]);
        let rows = fs::read_to_string(&file).unwrap();
        assert!(rows.contains(&format!(",{expected},")), "{rows}");
        fs::remove_file(&file).unwrap();
    }
}
