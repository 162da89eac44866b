//! Importing what is damaged, written in another way, or no history at all: what
//! can be read comes in, and what cannot is counted and named.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Output, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::history::{fixture, home_of, put_database};
use crate::support::home::Home;

/// Where OpenCode keeps its database in a home.
const DATABASE: &str = ".local/share/opencode/opencode.db";

/// What an import prints, and its exit status.
fn import(home: &Home, args: &[&str]) -> (String, i32) {
    let output = home.run(&[&["import"], args].concat());
    ended(&output)
}

/// What a program printed, and its exit status.
fn ended(output: &Output) -> (String, i32) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (
        String::from_utf8(text).unwrap(),
        output.status.code().unwrap(),
    )
}

fn text(home: &Home, sql: &str) -> String {
    home.open().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn count(home: &Home, sql: &str) -> i64 {
    home.open().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A home of a release whose database was changed.
fn changed(release: &str, sql: &str) -> Home {
    let home = home_of(release);
    let db = Connection::open(home.path(DATABASE)).unwrap();
    db.execute_batch(sql).unwrap();
    assert!(db.changes() > 0, "{sql}");
    home
}

/// The table and the JSON path of a text that the model wrote, as SQL that puts
/// half a character behind it.
const HALF: &[(&str, &str)] = &[
    (
        "1.18.34",
        "UPDATE part SET data = replace(data, '\"type\":\"text\",\"text\":\"', '\"type\":\"text\",\"text\":\"\\ud83d')",
    ),
    (
        "1.18.34",
        "UPDATE message SET data = replace(data, '\"agent\":\"', '\"agent\":\"\\udead')",
    ),
    (
        "2.0.15",
        "UPDATE session_message SET data = replace(data, '\"text\":\"', '\"text\":\"\\ud83d')",
    ),
];

#[test]
fn half_a_character_costs_nothing_but_itself() {
    for (release, sql) in HALF {
        let whole = home_of(release);
        whole.stdout(&["import"]);
        let home = changed(release, sql);
        assert_eq!(import(&home, &[]).1, 0, "{release}");
        for rows in [
            "SELECT count(*) FROM messages",
            "SELECT count(*) FROM parts",
            "SELECT count(*) FROM tool_calls",
            "SELECT count(*) FROM usage",
            "SELECT CAST(round(sum(cost) * 1e6) AS INTEGER) FROM usage",
        ] {
            assert_eq!(count(&home, rows), count(&whole, rows), "{release}: {rows}");
        }
        assert_eq!(count(&home, "SELECT count(*) FROM rejections"), 0);
    }
    let home = changed(HALF[0].0, HALF[0].1);
    home.stdout(&["import"]);
    let halves = "SELECT count(*) FROM parts WHERE type = 'text' AND text LIKE '\u{fffd}%'";
    assert!(count(&home, halves) > 5);
}

#[test]
fn half_a_character_in_an_export_or_a_file_costs_nothing_but_itself() {
    let home = Home::new();
    let export = fs::read_to_string(fixture("1.18.34", "export.json")).unwrap();
    let at = export.find("\"text\": \"").unwrap() + "\"text\": \"".len();
    let (start, end) = export.split_at(at);
    let file = home.write("half.json", &format!("{start}\\udc00{end}"));
    let args = ["--from", file.to_str().unwrap()];
    assert_eq!(import(&home, &args).1, 0);
    let halves = "SELECT count(*) FROM messages WHERE text_content LIKE '\u{fffd}%'";
    assert_eq!(count(&home, halves), 1);

    let home = home_of("1.1.31");
    for file in files(&home.path(".local/share/opencode/storage/part")) {
        let part = fs::read_to_string(&file).unwrap();
        fs::write(file, part.replace("\"text\": \"", "\"text\": \"\\ud800")).unwrap();
    }
    assert_eq!(import(&home, &[]).1, 0);
    assert!(count(&home, halves) > 5);
}

/// The files in the folders of a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let all: Vec<_> = entries(folder).flat_map(|it| entries(&it)).collect();
    assert!(!all.is_empty());
    all
}

#[test]
fn what_belongs_to_an_unreadable_message_comes_in() {
    let whole = home_of("1.18.34");
    whole.stdout(&["import"]);
    let answer = "SELECT message_id FROM tool_calls ORDER BY 1 LIMIT 1";
    let id = text(&whole, answer);
    let home = changed(
        "1.18.34",
        &format!("UPDATE message SET data = '{{ broken' WHERE id = '{id}'"),
    );
    let (said, status) = import(&home, &[]);
    assert!(
        said.contains("1 document could not be read:") && said.contains(&id),
        "{said}"
    );
    assert_eq!(status, 0);
    for table in ["messages", "parts", "tool_calls", "usage"] {
        let rows = format!("SELECT count(*) FROM {table}");
        assert_eq!(count(&home, &rows), count(&whole, &rows), "{table}");
    }
    assert_eq!(count(&home, "SELECT count(*) FROM rejections"), 0);
    let created = format!("SELECT created_at FROM messages WHERE id = '{id}'");
    assert_eq!(count(&home, &created), count(&whole, &created));
    let (said, status) = import(&home, &["--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((said["unreadable"].as_u64(), status), (Some(1), 0));
    let problem = said["problems"][0].as_str().unwrap();
    assert!(problem.starts_with(&id), "{problem}");
}

#[test]
fn what_was_recorded_of_a_message_stays_when_it_cannot_be_read_any_more() {
    let home = home_of("1.18.34");
    home.stdout(&["import"]);
    let answers = "SELECT group_concat(finish_reason || cost || text_content) FROM messages";
    let before = text(&home, answers);
    let db = Connection::open(home.path(DATABASE)).unwrap();
    db.execute_batch("UPDATE message SET data = '{'; UPDATE session SET time_updated = 4e12")
        .unwrap();
    assert_eq!(import(&home, &["--all"]).1, 0);
    assert_eq!(text(&home, answers), before);
}

#[test]
fn what_belongs_to_an_unreadable_file_comes_in() {
    let whole = home_of("1.1.31");
    whole.stdout(&["import"]);
    for kind in ["message", "session"] {
        let home = home_of("1.1.31");
        let folder = home.path(".local/share/opencode/storage").join(kind);
        let file = files(&folder).pop().unwrap();
        fs::write(&file, "").unwrap();
        let (said, status) = import(&home, &[]);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(said.contains(name), "{said}");
        assert_eq!(status, 0);
        for table in ["sessions", "messages", "parts", "tool_calls", "usage"] {
            let rows = format!("SELECT count(*) FROM {table}");
            assert_eq!(count(&home, &rows), count(&whole, &rows), "{kind}: {table}");
        }
    }
}

#[test]
fn what_is_nested_deep_is_kept() {
    let nested = |depth: usize| format!("{}7{}", "[".repeat(depth), "]".repeat(depth));
    for (depth, is_exact) in [(100, true), (127, true), (400, true), (200_000, false)] {
        let home = changed(
            "1.18.34",
            &format!(
                "UPDATE part SET data = replace(data, '\"input\":{{', '\"input\":{{\"deep\":{},')",
                nested(depth)
            ),
        );
        assert_eq!(import(&home, &[]).1, 0, "{depth}");
        let inputs = "SELECT input FROM tool_calls WHERE input LIKE '%deep%' LIMIT 1";
        let input = text(&home, inputs);
        if is_exact {
            let start = format!("{{\"deep\":{},", nested(depth));
            assert!(input.starts_with(&start), "{depth}: {input}");
        }
        assert_eq!(input.matches('[').count(), depth);
        assert_eq!(count(&home, "SELECT count(*) FROM rejections"), 0);
        // What reads it does not fall over it either.
        let session = text(
            &home,
            "SELECT session_id FROM tool_calls WHERE input LIKE '%deep%'",
        );
        home.stdout(&["show", &session, "--tools"]);
    }
}

#[test]
fn one_bad_database_keeps_nothing_back_and_is_named() {
    let home = home_of("1.18.34");
    let data = home.path(".local/share/opencode");
    File::create(data.join("opencode-empty.db")).unwrap();
    fs::create_dir(data.join("opencode-folder.db")).unwrap();
    let cut = data.join("opencode-cut.db");
    put_database("1.3.2", &cut);
    File::options()
        .write(true)
        .open(&cut)
        .unwrap()
        .set_len(20_000)
        .unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        data.join("opencode-pipe.db"),
        rustix::fs::Mode::RUSR,
    )
    .unwrap();
    let (said, status) = import(&home, &[]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
    assert!(
        said.contains("nothing could be read of 4 sources:"),
        "{said}"
    );
    let names = [
        "opencode-empty.db",
        "opencode-folder.db",
        "opencode-cut.db",
        "opencode-pipe.db",
    ];
    for name in names {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert_eq!(status, 1);
    let said = home.run(&["doctor"]).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(
        said.contains("every session that OpenCode has is recorded"),
        "{said}"
    );
    for name in names {
        assert!(said.contains(name), "{name}: {said}");
    }
    // Nor does one that is named keep back what is named with it.
    let good = home.path("good.db");
    put_database("1.3.2", &good);
    let args = |path: &Path| path.to_str().unwrap().to_owned();
    let (good, cut) = (args(&good), args(&cut));
    let (said, status) = import(&home, &["--from", &cut, "--from", &good]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
    assert_eq!(status, 1);
    // Where there is nothing else, it is what went wrong.
    for name in ["opencode.db", "opencode-folder.db"] {
        let path = data.join(name);
        let removed = fs::remove_file(&path);
        removed.or_else(|_| fs::remove_dir(&path)).unwrap();
    }
    let (said, status) = import(&home, &[]);
    assert!(
        said.contains("clankers: ") && said.contains("opencode-cut.db"),
        "{said}"
    );
    assert!(said.contains("opencode-pipe.db"), "{said}");
    assert_eq!(status, 2);
    let said = home.run(&["doctor"]).stdout;
    assert!(String::from_utf8(said).unwrap().contains("opencode-cut.db"));
}

#[test]
fn an_export_is_read_in_the_encoding_that_a_shell_gives_it() {
    let export = fs::read_to_string(fixture("1.18.34", "export.json")).unwrap();
    let export = format!("Exporting session… \u{1f600}\n{export}");
    let utf16 = |mark: u16, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = std::iter::once(mark).chain(export.encode_utf16());
        units.flat_map(bytes).collect()
    };
    let utf8 = [&[0xEF, 0xBB, 0xBF], export.as_bytes()].concat();
    let encodings = [
        utf8,
        utf16(0xFEFF, u16::to_le_bytes),
        utf16(0xFEFF, u16::to_be_bytes),
    ];
    for bytes in encodings {
        let home = Home::new();
        let file = home.path("export.json");
        fs::write(&file, &bytes).unwrap();
        let (said, status) = import(&home, &["--from", file.to_str().unwrap()]);
        assert!(said.contains("brought in 1 session, 8 messages"), "{said}");
        assert_eq!(status, 0);
        let (said, _) = piped(&Home::new(), Stdio::from(File::open(&file).unwrap()));
        assert!(said.contains("brought in 1 session, 8 messages"), "{said}");
    }
}

/// What an import says of what comes on its standard input.
fn piped(home: &Home, input: Stdio) -> (String, i32) {
    let output = home
        .command(&["import", "--from", "-"])
        .stdin(input)
        .output()
        .unwrap();
    ended(&output)
}

#[test]
fn what_is_no_file_is_refused_without_being_read() {
    let home = Home::new();
    let pipe = home.path("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let socket = home.path("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let folder = home.path("folder");
    fs::create_dir(&folder).unwrap();
    let refused = [
        (Path::new("/dev/zero"), "is a device, no file"),
        (&pipe, "is a pipe, no file"),
        (&socket, "is a socket, no file"),
        (&folder, "holds no data of OpenCode's or Kilo's"),
    ];
    for (path, why) in refused {
        let (said, status) = import(&home, &["--from", path.to_str().unwrap()]);
        assert!(said.contains(why), "{said}");
        assert_eq!(status, 2, "{said}");
    }
    // Among the documents of older releases, too.
    let home = home_of("1.1.31");
    let part = home.path(".local/share/opencode/storage/part/msg_1");
    fs::create_dir(&part).unwrap();
    let message = files(&home.path(".local/share/opencode/storage/message"))
        .pop()
        .unwrap();
    let beside = message.with_file_name("pipe.json");
    rustix::fs::mkfifoat(rustix::fs::CWD, &beside, rustix::fs::Mode::RUSR).unwrap();
    let (said, status) = import(&home, &[]);
    assert!(said.contains("pipe.json is a pipe, no file"), "{said}");
    assert_eq!(status, 0);
}

#[test]
fn what_never_ends_is_refused_at_its_beginning() {
    let home = Home::new();
    let zeros = File::open("/dev/zero").unwrap();
    let (said, status) = piped(&home, Stdio::from(zeros));
    assert!(
        said.contains("standard input is no export of OpenCode"),
        "{said}"
    );
    assert_eq!(status, 2);
    for line in ["{\n", "no export\n", "{\"info\": 1} x\n"] {
        let mut command = home.command(&["import", "--from", "-"]);
        let command = command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let lines = line.repeat(10_000);
        while input.write_all(lines.as_bytes()).is_ok() {}
        let (said, status) = ended(&child.wait_with_output().unwrap());
        assert!(
            said.contains("standard input is no export of OpenCode"),
            "{said}"
        );
        assert_eq!(status, 2);
    }
}
