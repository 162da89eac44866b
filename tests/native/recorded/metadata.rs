//! `content: "metadata"`: what a conversation took is stored, and no word of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use clankers::model::column::{Column, Kept, Row};
use clankers::model::row::{
    Content, MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, SessionStatus,
    TodoRow, ToolCallRow, ToolStatus, UsageRow,
};
use clankers::sources::Dialect;
use clankers::{Core, Options, store};

use super::recorded;
use crate::catch_up::answered;
use crate::catching_up::{HOME, compare};
use crate::opencode2;
use crate::support::{Db, Recorded as Told, assert_same, recordings};

/// The columns that hold content, or where it is. Said once more than in the rows'
/// declarations: what is declared wrongly there is found here.
const CONTENT: &[(&str, &[&str])] = &[
    ("sessions", &["title", "project_path"]),
    ("messages", &["text_content", "error_message"]),
    ("parts", &["text", "data"]),
    (
        "tool_calls",
        &["title", "input", "output", "error", "file_path"],
    ),
    ("session_errors", &["message"]),
    ("permissions", &["patterns"]),
    ("todos", &["content"]),
    ("usage", &[]),
];

/// Those of OpenCode 1, and of OpenCode 2 those in which something else is told.
const RECORDINGS: &[&str] = &[
    "1.0.61/run",
    "1.18.34/run",
    "1.18.34/served",
    "1.18.34/matrix-failures",
    "1.18.34/matrix-history",
    "/attachments",
    "/compacted",
    "/failing-tools",
    "/permissions",
    "/persons-shell",
    "/questions",
    "/reasoning",
    "/revert-committed",
    "/skills",
    "/sub-agent",
    "/synthetic",
    "/titled",
];

fn core(dialect: Dialect, content: Content) -> Core {
    Core::new(Options {
        dialect,
        store_id: Some(HOME.to_owned()),
        recorded: recorded(content, &[]),
        ..Options::default()
    })
}

/// Stores after every event, so that texts grow in the store.
fn replay(db: &Db, dialect: Dialect, content: Content, events: &[Told]) {
    let mut core = core(dialect, content);
    for Told { at, event } in events {
        core.observe(&event, *at);
        db.apply(core.drain());
        core.settle(true);
    }
}

/// A file of this test's own.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = name.replace('/', "-");
        let file = format!("clankers-metadata-{}-{name}.db", std::process::id());
        let file = Self(std::env::temp_dir().join(file));
        file.remove();
        file
    }

    fn all(&self) -> [PathBuf; 3] {
        ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", self.0.display())))
    }

    fn bytes(&self) -> Vec<u8> {
        let read = |path: PathBuf| fs::read(path).unwrap_or_default();
        self.all().into_iter().flat_map(read).collect()
    }

    fn remove(&self) {
        for path in self.all() {
            fs::remove_file(path).ok();
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

fn words(text: &str) -> BTreeSet<String> {
    // A line's end as it is written in JSON, and in JSON within JSON.
    let text = text.replace(r"\\n", " ").replace(r"\n", " ");
    let long = text.split(|letter: char| !letter.is_alphanumeric());
    let long = long.filter(|word| word.chars().count() >= 5);
    long.map(str::to_owned).collect()
}

/// The words of what was said and done, but for those that are in what is stored
/// always: names of tools, models and agents, ids, and the schema.
fn words_of_content(full: &Db) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let mut known = words(&store::MIGRATIONS.concat());
    for (table, content) in CONTENT {
        for column in full.columns(table).split(',') {
            let values = full
                .rows(&format!("SELECT {column} FROM {table}"))
                .join(" ");
            if content.contains(&column) {
                said.extend(words(&values));
            } else {
                known.extend(words(&values));
            }
        }
    }
    let rest = full.dump_of(&["session_own", "rejections"]);
    known.extend(words(&rest));
    // What a status was before.
    known.extend(words(ToolStatus::EXPECTED));
    known.extend(words(SessionStatus::EXPECTED));
    known.extend(words(&full.rows("SELECT sample FROM rejections").join(" ")));
    let known = known.into_iter().collect::<Vec<_>>().join(" ");
    said.retain(|word| !known.contains(word.as_str()));
    said
}

/// All that is stored of a conversation, but for its content.
fn without_content(db: &Db) -> String {
    let table = |(table, content): &(&str, &[&str])| {
        let columns = db.columns(table);
        let kept: Vec<&str> = columns
            .split(',')
            .filter(|one| !content.contains(one))
            .collect();
        let rows = db.rows(&format!(
            "SELECT {} FROM {table} ORDER BY 1, 2",
            kept.join(",")
        ));
        format!("## {table}\n{}\n", rows.join("\n"))
    };
    let views = [
        "usage_by_day",
        "usage_by_model",
        "usage_by_project",
        "session_usage",
        "tool_usage",
    ];
    let view = |view: &str| {
        let columns = db.columns(view).replace("project_path,", "");
        let rows = db.rows(&format!("SELECT {columns} FROM {view}"));
        format!("## {view}\n{}\n", rows.join("\n"))
    };
    CONTENT.iter().map(table).chain(views.map(view)).collect()
}

#[test]
fn no_word_of_a_conversation_is_stored_and_all_that_it_took_is() {
    let is_chosen = |name: &str| RECORDINGS.iter().any(|chosen| name.ends_with(chosen));
    let ones = recordings().map(|one| (one.name, one.dialect, one.events));
    let twos = opencode2::recordings().map(|two| (two.name, Dialect::OPENCODE2, two.events));
    let chosen = ones.chain(twos).filter(|(name, ..)| is_chosen(name));
    let mut checked = 0;
    for (name, dialect, events) in chosen {
        let full = Db::new();
        replay(&full, dialect, Content::Full, &events);
        let file = File::new(&name);
        let metadata = Db::in_file(&file.0);
        replay(&metadata, dialect, Content::Metadata, &events);
        assert_same(&name, &without_content(&full), &without_content(&metadata));
        let bytes = file.bytes();
        assert!(
            bytes.windows(4).any(|bytes| bytes == b"ses_"),
            "{name}: nothing is stored"
        );
        let text = String::from_utf8_lossy(&bytes);
        let said = words_of_content(&full);
        let found: Vec<&String> = said
            .iter()
            .filter(|word| text.contains(word.as_str()))
            .collect();
        assert!(found.is_empty(), "{name}: {found:?}");
        checked += said.len();
    }
    assert!(checked > 200, "{checked} words");
}

#[test]
fn what_is_stored_without_content_is_not_asked_for_again() {
    let db = Db::new();
    let full = answered(1000, &[1, 2]);
    let core_of = |content| core(Dialect::OPENCODE1, content);
    assert_eq!(
        compare(&mut core_of(Content::Metadata), &db, &full),
        ["ses_1"]
    );
    assert_eq!(
        db.rows("SELECT title, project_path, project_name FROM sessions"),
        ["NULL | NULL | \"project\""]
    );
    assert_eq!(
        db.value("SELECT count(*) FROM tool_calls WHERE output IS NULL"),
        "2"
    );
    assert_eq!(
        compare(&mut core_of(Content::Metadata), &db, &full),
        [""; 0]
    );
    assert_eq!(
        compare(&mut core_of(Content::Full), &db, &full),
        ["ses_1"],
        "its content is there to be had"
    );
    assert_eq!(
        db.value("SELECT count(*) FROM tool_calls WHERE output = 'out'"),
        "2"
    );
    assert_eq!(
        db.rows("SELECT DISTINCT text_content FROM messages"),
        ["\"words\""]
    );
    assert_eq!(compare(&mut core_of(Content::Full), &db, &full), [""; 0]);
    // What is stored stays as it is.
    let before = db.contents();
    assert_eq!(
        compare(&mut core_of(Content::Metadata), &db, &full),
        [""; 0]
    );
    assert_eq!(
        compare(
            &mut core_of(Content::Metadata),
            &db,
            &answered(2000, &[1, 2])
        ),
        ["ses_1"]
    );
    assert_eq!(db.value("SELECT title FROM sessions"), "\"A title\"");
    assert!(before.contains("\"words\"") && db.contents().contains("\"words\""));
}

#[test]
fn which_texts_are_stored_without_content_is_decided_for_each_column() {
    fn kept<R: Row>() -> String {
        let texts = |column: &&Column| column.typescript == "string" && column.kept == Kept::Always;
        let all = R::KEYS.iter().chain(R::COLUMNS).filter(texts);
        let names: Vec<&str> = all.map(|column| column.json).collect();
        format!("{}: {}", R::TABLE, names.join(" "))
    }
    let kept = [
        kept::<SessionRow>(),
        kept::<MessageRow>(),
        kept::<PartRow>(),
        kept::<ToolCallRow>(),
        kept::<UsageRow>(),
        kept::<SessionErrorRow>(),
        kept::<PermissionRow>(),
        kept::<TodoRow>(),
    ];
    assert_eq!(
        kept,
        [
            "sessions: id parentId source sourceVersion projectId projectName agent model provider storeId",
            "messages: id sessionId parentId agent model provider finishReason errorName storeId",
            "parts: id messageId sessionId type storeId",
            "tool_calls: id messageId sessionId callId tool childSessionId storeId",
            "usage: id messageId sessionId model provider",
            "session_errors: id sessionId messageId name",
            "permissions: id sessionId messageId callId permission",
            "todos: status priority",
        ]
    );
}
