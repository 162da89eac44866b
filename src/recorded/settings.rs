//! Reading the settings of what is recorded, as they were found: from the
//! environment and from the person's own file.
//!
//! 1. What the environment says of content wins over the file; the lists add up.
//! 2. Where what is said of content says nothing that is known, none is stored, and
//!    where it cannot be told which projects are left out, nothing is recorded: who has
//!    set something of this kind wants less stored, and not more.

use serde::Deserialize;
use serde_json::Value;

use super::{Ignored, Recorded};
use crate::model::row::Content;

/// The variable that says what is stored of a conversation.
pub const CONTENT: &str = "CLANKERS_CONTENT";
/// The variable that lists projects that are not recorded.
pub const IGNORE: &str = "CLANKERS_IGNORE";

/// What settings say, as it was found.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Found {
    /// The variable [`CONTENT`], where it is set.
    pub content: Option<String>,
    /// The variable [`IGNORE`], where it is set.
    pub ignore: Option<String>,
    /// The file, where there is one.
    pub file: Option<File>,
    /// The home folder.
    pub home: String,
    /// The platform, as Node names it.
    pub platform: String,
}

/// The file of settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct File {
    /// Its path, as it is shown.
    pub name: String,
    /// What is in it.
    pub text: Option<String>,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// What the settings come to, and what is wrong with them.
pub fn read(found: &Found) -> (Recorded, Vec<String>) {
    let mut reader = Reader {
        home: &found.home,
        ignored: Ignored::on(&found.platform),
        is_unsure: false,
        problems: Vec::new(),
    };
    let of_environment = found
        .content
        .as_deref()
        .and_then(|word| reader.content(&format!("`{CONTENT}`"), &Value::from(word)));
    if let Some(list) = &found.ignore {
        let separator = if found.platform == "win32" { ';' } else { ':' };
        for glob in list.split(separator).filter(|glob| !glob.is_empty()) {
            reader.glob(&format!("`{IGNORE}`"), glob);
        }
    }
    let of_file = found.file.as_ref().and_then(|file| reader.file(file));
    let content = if reader.is_unsure {
        Content::Metadata
    } else {
        of_environment.or(of_file).unwrap_or(Content::Full)
    };
    let Reader {
        ignored, problems, ..
    } = reader;
    (Recorded { content, ignored }, problems)
}

struct Reader<'f> {
    home: &'f str,
    ignored: Ignored,
    /// Whether something does not say what a person wants stored.
    is_unsure: bool,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// Reads the file, and gives what it says of content.
    fn file(
        &mut self,
        File {
            name,
            text,
            problem,
        }: &File,
    ) -> Option<Content> {
        let text = match (text, problem) {
            (Some(text), None) => text,
            (_, problem) => {
                let why = problem.as_deref().unwrap_or("it is not there");
                return self.record_nothing(&format!("{name} cannot be read: {why}"));
            }
        };
        let settings = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(Value::Object(settings)) => settings,
            Ok(other) => {
                let found = kind(&other);
                return self.record_nothing(&format!("{name}: expected an object, found {found}"));
            }
            Err(error) => return self.record_nothing(&format!("{name} is not JSON: {error}")),
        };
        let mut content = None;
        for (key, value) in &settings {
            match (key.as_str(), value) {
                ("content", word) => {
                    content = self.content(&format!("`content` in {name}"), word);
                }
                ("ignore", Value::Array(globs)) => {
                    for glob in globs {
                        self.listed(name, glob);
                    }
                }
                ("ignore", other) => {
                    let found = kind(other);
                    self.record_nothing(&format!(
                        "`ignore` in {name}: expected a list of globs, found {found}"
                    ));
                }
                (other, _) => {
                    let known = "`content` and `ignore` are what is read there";
                    self.problems
                        .push(format!("unknown setting `{other}` in {name}: {known}"));
                }
            }
        }
        content
    }

    fn listed(&mut self, name: &str, glob: &Value) {
        let of = format!("`ignore` in {name}");
        if let Value::String(glob) = glob {
            self.glob(&of, glob);
        } else {
            let found = kind(glob);
            self.record_nothing(&format!("{of}: expected a glob, found {found}"));
        }
    }

    fn glob(&mut self, of: &str, glob: &str) {
        if let Err(why) = self.ignored.add(glob, self.home) {
            self.record_nothing(&format!("{of}: `{glob}` is no glob of projects: {why}"));
        }
    }

    fn content(&mut self, of: &str, word: &Value) -> Option<Content> {
        let content = word.as_str().and_then(Content::parse);
        content.or_else(|| {
            let found = kind(word);
            self.unsure(&format!(
                "{of}: expected {}, found {found}",
                Content::EXPECTED
            ))
        })
    }

    /// Notes what leaves open which projects a person leaves out. Gives nothing.
    fn record_nothing(&mut self, problem: &str) -> Option<Content> {
        self.ignored.add_all();
        self.problems
            .push(format!("{problem}; nothing is recorded until it is right"));
        None
    }

    /// Notes what leaves open what a person wants stored. Gives nothing.
    fn unsure(&mut self, problem: &str) -> Option<Content> {
        self.is_unsure = true;
        self.problems
            .push(format!("{problem}; no content is stored until it is right"));
        None
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        Found {
            file: Some(File {
                name: "~/config.json".to_owned(),
                text: Some(text.to_owned()),
                problem: None,
            }),
            home: "/home/user".to_owned(),
            platform: "linux".to_owned(),
            ..Found::default()
        }
    }

    #[test]
    fn nothing_said_is_everything_recorded() {
        let (recorded, problems) = read(&Found::default());
        assert_eq!((recorded, problems), (Recorded::default(), Vec::new()));
        let (recorded, problems) = read(&found("{}"));
        assert_eq!((recorded, problems), (Recorded::default(), Vec::new()));
    }

    #[test]
    fn the_environment_wins_over_the_file_and_lists_add_up() {
        let mut both = found(r#"{ "content": "metadata", "ignore": ["a", "~/b"] }"#);
        both.content = Some("full".to_owned());
        both.ignore = Some("c:~/d:".to_owned());
        let (recorded, problems) = read(&both);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(recorded.content, Content::Full);
        assert_eq!(recorded.ignored.len(), 4);
        for path in ["/x/a", "/home/user/b", "/x/c", "/home/user/d"] {
            assert!(recorded.ignored.matches(path), "{path}");
        }
        both.content = None;
        assert_eq!(read(&both).0.content, Content::Metadata);
        both.file = None;
        assert_eq!(read(&both).0.content, Content::Full);
        both.content = Some("Metadata".to_owned());
        let (recorded, problems) = read(&both);
        assert_eq!(recorded.content, Content::Metadata);
        assert!(problems[0].starts_with("`CLANKERS_CONTENT`: expected"));
    }

    #[test]
    fn where_content_is_not_known_none_is_stored_and_that_is_told() {
        let expected = "`content` in ~/config.json: expected one of `full` `metadata`, found";
        for (text, found_) in [
            (r#"{"content":"none","ignore":["a"]}"#, "`none`"),
            (r#"{"content":null,"ignore":["a"]}"#, "null"),
        ] {
            let (recorded, problems) = read(&found(text));
            assert_eq!(recorded.content, Content::Metadata, "{text}");
            assert!(recorded.ignored.matches("/x/a") && !recorded.ignored.matches("/x/b"));
            let told = format!("{expected} {found_}; no content is stored until it is right");
            assert_eq!(problems, [told]);
        }
    }

    #[test]
    fn where_the_ignored_projects_are_not_known_nothing_is_recorded_and_that_is_told() {
        let of_list = "`ignore` in ~/config.json: ";
        let cases = [
            (
                "{",
                "~/config.json is not JSON: EOF while parsing an object at line 1 column 1",
            ),
            ("[]", "~/config.json: expected an object, found a list"),
            (
                r#"{"ignore":"secret"}"#,
                &format!("{of_list}expected a list of globs, found `secret`"),
            ),
            (
                r#"{"ignore":[1,"b"]}"#,
                &format!("{of_list}expected a glob, found a number"),
            ),
            (
                r#"{"ignore":["b","!a"]}"#,
                &format!(
                    "{of_list}`!a` is no glob of projects: a glob cannot take back what another says"
                ),
            ),
        ];
        for (text, problem) in cases {
            let (recorded, problems) = read(&found(text));
            assert!(recorded.ignored.matches("/x/a/project"), "{text}");
            let told = format!("{problem}; nothing is recorded until it is right");
            assert_eq!(problems, [told]);
        }
        let unreadable = Found {
            content: Some("full".to_owned()),
            file: Some(File {
                name: "~/config.json".to_owned(),
                problem: Some("permission denied".to_owned()),
                text: None,
            }),
            ..Found::default()
        };
        let (recorded, problems) = read(&unreadable);
        assert!(recorded.ignored.matches("/x/a"));
        assert!(problems[0].starts_with("~/config.json cannot be read: permission denied"));
        let of_environment = Found {
            ignore: Some("a[:b".to_owned()),
            platform: "linux".to_owned(),
            ..Found::default()
        };
        assert!(read(&of_environment).0.ignored.matches("/x/c"));
    }

    #[test]
    fn an_unknown_setting_is_told_and_changes_nothing() {
        let (recorded, problems) = read(&found(r#"{ "ignore": ["b"], "Ignore": [] }"#));
        assert_eq!(recorded.content, Content::Full);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(recorded.ignored.len(), 1);
    }
}
