//! One database that OpenCode and Kilo both work on, as `KILO_DB` or `OPENCODE_DB`
//! make it: read once, and each session told as the one's that began it.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::diagnosis::doctor;
use crate::support::history::{fixture, home_of, lines};
use crate::support::home::Home;
use crate::support::rows::put_rows;

/// OpenCode's home, whose database Kilo has worked on, too; and that database.
fn shared() -> (Home, PathBuf) {
    let home = home_of("1.18.34");
    let path = home.path(".local/share/opencode/opencode.db");
    let db = Connection::open(&path).unwrap();
    let kilos = lines(&fixture("kilo-7.7.9", "kilo.jsonl"));
    // Of the tables only Kilo's own are made, and its sessions are put into OpenCode's.
    let is_wanted = |line: &serde_json::Value| match line["sql"].as_str() {
        Some(sql) => sql.contains("kilo_board"),
        None => ["session", "message", "part", "todo", "project"]
            .contains(&line["table"].as_str().unwrap()),
    };
    let columns = |table: &str| -> Vec<String> {
        let mut columns = db
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap();
        let names = columns.query_map([table], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    let rows: Vec<serde_json::Value> = kilos
        .into_iter()
        .filter(is_wanted)
        .map(|mut line| {
            if let Some(table) = line["table"].as_str().map(columns) {
                let row = line["row"].as_object_mut().unwrap();
                row.retain(|column, _| table.contains(column));
            }
            line
        })
        .collect();
    put_rows(&db, &rows);
    (home, path)
}

/// How many sessions each source has, by the first number of the release.
fn sessions(home: &Home) -> Vec<(String, String, i64)> {
    let db = home.open();
    let sql = "SELECT source, substr(source_version, 1, 2), count(*) FROM sessions GROUP BY 1, 2";
    let mut found = db.prepare(sql).unwrap();
    let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn import(home: &Home, variables: &[(&str, &Path)]) -> String {
    let mut command = home.command(&["import"]);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn each_its_own() -> [(String, String, i64); 2] {
    [("kilo", "7.", 10), ("opencode", "1.", 6)]
        .map(|(source, release, count)| (source.to_owned(), release.to_owned(), count))
}

#[test]
fn each_session_of_a_shared_database_is_the_programs_that_began_it() {
    let (home, path) = shared();
    let said = import(&home, &[("KILO_DB", &path)]);
    assert!(said.contains("brought in 16 sessions"), "{said}");
    assert_eq!(sessions(&home), each_its_own());
    let said = import(&home, &[("KILO_DB", &path)]);
    assert!(said.contains("all of 16 sessions are recorded"), "{said}");
    // Also where nothing says that Kilo is pointed at it, and where it is named.
    for more in [vec![], vec!["--from", ".local/share/opencode/opencode.db"]] {
        let (other, _) = shared();
        other.stdout(&[vec!["import"], more].concat());
        assert_eq!(sessions(&other), each_its_own());
    }
}

#[test]
fn a_database_that_opencode_is_pointed_at_is_shared_as_well() {
    let (home, path) = shared();
    let elsewhere = home.path("elsewhere.db");
    std::fs::rename(&path, &elsewhere).unwrap();
    import(
        &home,
        &[("KILO_DB", &elsewhere), ("OPENCODE_DB", &elsewhere)],
    );
    assert_eq!(sessions(&home), each_its_own());
    // Also where it is Kilo's alone: who began a session is in its release's number.
    let (home, path) = shared();
    let elsewhere = home.path("elsewhere.db");
    std::fs::rename(&path, &elsewhere).unwrap();
    import(&home, &[("KILO_DB", &elsewhere)]);
    assert_eq!(sessions(&home), each_its_own());
}

#[test]
fn a_database_by_two_names_is_read_once() {
    let (home, path) = shared();
    let link = home.path("link.db");
    symlink(&path, &link).unwrap();
    let said = import(&home, &[("KILO_DB", &link)]);
    assert!(said.contains("brought in 16 sessions"), "{said}");
    assert!(said.contains("0 left as they were"), "{said}");
    assert_eq!(sessions(&home), each_its_own());
    assert!(doctor(&home, &[]).says("history", "good", "every session that Kilo has"));
    assert!(doctor(&home, &[]).says("history", "good", "every session that OpenCode has"));
}
