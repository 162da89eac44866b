//! The lists of plugins in a configuration.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::host::Host;
use super::locations::{Kind, Location, Scope};

/// A configuration that is there.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) path: PathBuf,
    pub(crate) scope: Scope,
    /// Its lists, or why it cannot be read.
    pub(crate) lists: Result<Lists, String>,
}

impl Config {
    /// Whether it has the list `plugin`, be it an empty one.
    pub(crate) fn has_plugin_list(&self) -> bool {
        self.lists.as_ref().is_ok_and(|lists| lists.has_plugin)
    }
}

/// What a configuration lists.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    pub(crate) entries: Vec<Listed>,
    /// Whether it has the list `plugin`, be it an empty one.
    pub(crate) has_plugin: bool,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) spec: String,
    /// Whether options stand beside it.
    pub(crate) has_options: bool,
}

/// The lists that a host reads.
pub(crate) const fn keys(host: Host) -> &'static [&'static str] {
    match host {
        Host::OpenCode1 | Host::Kilo => &["plugin"],
        Host::OpenCode2 => &["plugin", "plugins"],
    }
}

/// The configuration at a location, where there is one.
pub(crate) fn read(host: Host, location: &Location) -> Option<Config> {
    let text = match location.kind {
        Kind::Folder => return None,
        Kind::Variable => env::var(&location.path).map_err(|error| error.to_string()),
        Kind::File => {
            if !location.path.is_file() {
                return None;
            }
            fs::read_to_string(&location.path).map_err(|error| error.to_string())
        }
    };
    Some(Config {
        path: location.path.clone(),
        scope: location.scope,
        lists: text.and_then(|text| lists(&text, keys(host))),
    })
}

/// What an entry names, in each form that a release takes: a text, a text with
/// options in a list, and an object.
pub(crate) fn spec_of(entry: &Value) -> Option<&str> {
    match entry {
        Value::String(spec) => Some(spec),
        Value::Array(with_options) => with_options.first()?.as_str(),
        Value::Object(_) => entry.get("package")?.as_str(),
        _ => None,
    }
}

/// The folder that relative paths in a configuration start from.
pub(crate) fn base(path: &Path, project: &Path) -> PathBuf {
    path.parent()
        .filter(|_| path.is_absolute())
        .unwrap_or(project)
        .to_owned()
}

fn lists(text: &str, keys: &[&str]) -> Result<Lists, String> {
    let mut lists = Lists::default();
    if text.trim().is_empty() {
        return Ok(lists);
    }
    let value: Value =
        jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default())
            .map_err(|error| error.to_string())?;
    for key in keys {
        let entries = match value.get(key) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(format!("`{key}` is not a list")),
        };
        lists.has_plugin |= *key == "plugin";
        for entry in entries {
            if let Some(spec) = spec_of(entry) {
                lists.entries.push(Listed {
                    spec: spec.to_owned(),
                    has_options: match entry {
                        Value::Array(parts) => parts.len() > 1,
                        Value::Object(entry) => entry.contains_key("options"),
                        _ => false,
                    },
                });
            }
        }
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::lists;

    #[test]
    fn entries_are_read_in_every_form() {
        let text = r#"{ // comments are allowed
            "plugin": ["a", ["b", { "x": 1 }], ["c"], 7],
            "plugins": ["d", { "package": "./e", "options": {} }, { "package": "f" }, {}],
        }"#;
        let found = lists(text, &["plugin", "plugins"]).unwrap();
        let entries: Vec<(&str, bool)> = found
            .entries
            .iter()
            .map(|entry| (entry.spec.as_str(), entry.has_options))
            .collect();
        assert_eq!(
            entries,
            [
                ("a", false),
                ("b", true),
                ("c", false),
                ("d", false),
                ("./e", true),
                ("f", false)
            ]
        );
        let of_one = lists(text, &["plugin"]).unwrap();
        assert_eq!(of_one.entries.len(), 3);
        assert!(
            !lists("{ \"plugins\": [] }", &["plugin", "plugins"])
                .unwrap()
                .has_plugin
        );
        assert!(lists("{ \"plugin\": [] }", &["plugin"]).unwrap().has_plugin);
        assert!(lists("{ \"plugin\": \"x\" }", &["plugin"]).is_err());
        assert!(lists("", &["plugin"]).unwrap().entries.is_empty());
    }
}
