//! What goes wrong in the plugin where OpenCode gives it no log, and what was refused
//! lately, is told by every command that reads.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use crate::support::diagnosis::doctor;
use crate::support::home::Home;

/// Minutes before now, as a line has it.
fn ago(minutes: u64) -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() - u128::from(minutes) * 60_000
}

/// Lines as the plugin writes them: minutes ago, level, matter and words.
fn lines(database: &Path, told: &[(u64, &str, &str, &str)]) -> String {
    let line = |&(minutes, level, about, message): &(u64, &str, &str, &str)| {
        let (at, database) = (ago(minutes), database.display());
        format!(
            "\n{{\"at\":{at},\"level\":\"{level}\",\"about\":\"{about}\",\"database\":\"{database}\",\
             \"message\":\"{message}\",\"pid\":7,\"started\":{},\"release\":\"2.0.15\",\"plugin\":\"0.1.0\"}}\n",
            ago(600)
        )
    };
    told.iter().map(line).collect()
}

const BESIDE: &str = ".local/share/clankers/clankers.db.log";
const SHARED: &str = ".local/state/clankers/trouble.log";

/// The commands that read and need no name of a session.
const READING: &[&[&str]] = &[
    &["sessions"],
    &["stats"],
    &["tools"],
    &["search", "pond"],
    &["tail", "--once"],
    &["query", "SELECT 1"],
    &["export"],
];

/// The commands that do nothing but read.
fn reading(id: &str) -> Vec<Vec<&str>> {
    let mut commands: Vec<Vec<&str>> = READING.iter().map(|command| command.to_vec()).collect();
    commands.push(vec!["show", id]);
    commands
}

fn recorded() -> Home {
    Home::with_recordings(&["1.18.34/served.jsonl"])
}

/// A session to show.
fn a_session(db: &Connection) -> String {
    db.query_row("SELECT id FROM sessions LIMIT 1", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn what_lasts_is_told_by_every_command_that_reads() {
    let home = recorded();
    let told = [(5, "error", "storage", "nothing is recorded: no room")];
    home.write(BESIDE, &lines(&home.db(), &told));
    let id = a_session(&home.open());
    for command in reading(&id) {
        let output = home.run(&command);
        assert!(output.status.success(), "{command:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("clankers: OpenCode 2.0.15, 2"), "{said}");
        assert!(
            said.ends_with(": nothing is recorded: no room (see `clankers doctor`)\n"),
            "{command:?}: {said}"
        );
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(!answer.contains("no room"), "{command:?}: {answer}");
    }
    let screen = home.stdout(&["status"]);
    let line = screen.lines().find(|line| line.contains("trouble"));
    let line = line.unwrap_or_else(|| panic!("{screen}"));
    assert!(
        line.starts_with("○ trouble    OpenCode 2.0.15, 2"),
        "{line}"
    );
    let record = home.stdout(&["status", "--format", "json"]);
    assert!(record.contains("nothing is recorded: no room"), "{record}");
    let diagnosis = doctor(&home, &[]);
    assert_eq!(diagnosis.status, Some(2));
    assert!(diagnosis.says("trouble", "broken", "nothing is recorded: no room"));
    assert!(diagnosis.says(
        "trouble",
        "broken",
        "~/.local/share/clankers/clankers.db.log"
    ));
}

/// A kind of event or field that was refused, the last time so many days ago.
fn refuse(home: &Home, event: &str, code: &str, release: &str, days: u64) {
    let sql = "INSERT INTO rejections (event_type, code, path, source_version, count, last_seen) \
               VALUES (?1, ?2, 'a.path', ?3, 2, ?4)";
    let seen = i64::try_from(ago(days * 24 * 60)).unwrap();
    home.open()
        .execute(sql, (event, code, release, seen))
        .unwrap();
}

#[test]
fn what_was_refused_lately_is_told_by_release_by_every_command_that_reads() {
    let home = recorded();
    let id = a_session(&home.open());
    let told = |command: &[&str]| {
        let output = home.run(command);
        assert!(output.status.success(), "{command:?}");
        let answer = String::from_utf8(output.stdout).unwrap();
        assert!(!answer.contains("could not be used"), "{answer}");
        String::from_utf8(output.stderr).unwrap()
    };
    refuse(&home, "session.hummed", "unknown_field", "2.3.0", 0);
    refuse(&home, "session.sung", "wrong_type", "2.1.0", 8);
    for command in reading(&id) {
        assert_eq!(told(&command), "", "no cost, or long ago: {command:?}");
    }
    refuse(&home, "session.updated", "wrong_type", "2.3.0", 0);
    refuse(&home, "session.danced", "unknown_event", "2.3.0", 6);
    refuse(&home, "session.created", "missing_identity", "7.7.9", 1);
    for command in reading(&id) {
        assert_eq!(
            told(&command),
            "clankers: 3 kinds of event or field could not be used in the last week: \
             2 of OpenCode 2.3.0, 1 of Kilo 7.7.9 (see `clankers doctor`)\n",
            "{command:?}"
        );
    }
    let releases = "3 of OpenCode 2.3.0, 1 of Kilo 7.7.9, 1 of OpenCode 2.1.0";
    let screen = home.run(&["status"]);
    assert_eq!(String::from_utf8(screen.stderr).unwrap(), "", "it says it");
    let screen = String::from_utf8(screen.stdout).unwrap();
    let line = format!("○ rejections 5 kinds ({releases}), 10 in all: `clankers doctor`");
    assert!(screen.contains(&line), "{screen}");
    let record = home.stdout(&["status", "--format", "json"]);
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["rejections_by_release"], releases);
}

#[test]
fn what_is_over_is_told_by_doctor_alone_and_is_no_warning() {
    let home = recorded();
    let told = [
        (5, "warn", "storage", "not stored yet"),
        (4, "info", "storage", "storing again"),
    ];
    home.write(BESIDE, &lines(&home.db(), &told));
    let output = home.run(&["sessions"]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(!home.stdout(&["status"]).contains("trouble"));
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("trouble", "good", "not stored yet (over since 2"));
}

#[test]
fn each_matter_has_its_level_and_advice() {
    let home = recorded();
    let told = [
        (5, "warn", "storage", "not stored yet"),
        (5, "error", "stream", "nothing is heard"),
        (5, "warn", "events", "something was missed"),
        (5, "warn", "settings", "something is not used"),
        (5, "error", "plugin", "a bug \\u001b[31m\\nof two lines"),
    ];
    home.write(BESIDE, &lines(&home.db(), &told));
    let diagnosis = doctor(&home, &[]);
    for (level, words, advice) in [
        ("warning", "not stored yet", "put right what it names"),
        ("broken", "nothing is heard", "opencode service restart"),
        (
            "warning",
            "something was missed",
            "is asked for what was missed",
        ),
        (
            "warning",
            "something is not used",
            "correct it in opencode.json",
        ),
        ("warning", "a bug [31m of two lines", "please report it"),
    ] {
        assert!(diagnosis.says("trouble", level, words), "{words}");
        assert!(diagnosis.says("trouble", level, advice), "{advice}");
    }
}

#[test]
fn where_nothing_can_be_written_beside_the_database_it_is_with_the_state() {
    let home = Home::new();
    home.write(".local/share/clankers", "a file where the folder should be");
    let told = [(5, "warn", "storage", "not stored yet")];
    let of_another = Path::new("/elsewhere/clankers.db");
    let both =
        lines(&home.db(), &told) + &lines(of_another, &[(4, "error", "storage", "not this one")]);
    home.write(SHARED, &both);
    for command in READING {
        let said = home.stderr(command);
        let (first, rest) = said.split_once('\n').unwrap();
        assert!(first.contains("not stored yet"), "{command:?}: {said}");
        assert!(rest.starts_with("clankers: there is no database"), "{said}");
    }
    assert!(home.stdout(&["status"]).contains("not stored yet"));
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("trouble", "warning", "not stored yet"));
    assert!(diagnosis.says("trouble", "warning", "~/.local/state/clankers/trouble.log"));
    assert!(!diagnosis.report.to_string().contains("not this one"));
}

#[test]
fn a_file_that_others_can_read_is_narrowed() {
    use std::os::unix::fs::PermissionsExt;
    let home = recorded();
    let file = home.write(BESIDE, "");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(doctor(&home, &[]).says("privacy", "warning", "clankers.db.log"));
    doctor(&home, &["--fix"]);
    assert_eq!(crate::support::home::mode(&file), 0o600);
}
