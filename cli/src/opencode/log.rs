//! What OpenCode 2 writes to its log when it does not load a plugin. It tells
//! nobody anything of it in any other place.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::paths::xdg_data;

/// So much of the log's end is read.
const TAIL: u64 = 1 << 20;

/// A line about a plugin that was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    /// When, in Unix milliseconds.
    pub(crate) at: i64,
    /// The path or the package that was to be loaded.
    pub(crate) target: String,
    /// What happened, in plain words.
    pub(crate) words: String,
}

/// Where the log is.
pub(crate) fn path() -> Option<PathBuf> {
    Some(xdg_data().ok()?.join("opencode/log/opencode.log"))
}

/// The last line of each plugin that was not loaded.
pub(crate) fn warnings() -> Vec<Warning> {
    let text = path().and_then(|path| tail(&path).ok());
    warnings_in(&text.unwrap_or_default())
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn warnings_in(text: &str) -> Vec<Warning> {
    let mut found: Vec<Warning> = Vec::new();
    for warning in text.lines().filter_map(warning) {
        found.retain(|other| other.target != warning.target);
        found.push(warning);
    }
    found
}

fn warning(line: &str) -> Option<Warning> {
    if field(line, "level")? != "WARN" {
        return None;
    }
    let words = match field(line, "message")?.as_str() {
        "configured plugin path must be a directory" => {
            "it is a file that the configuration names, and OpenCode 2.x takes a folder only"
                .to_owned()
        }
        "failed to load plugin" => cause(&field(line, "cause").unwrap_or_default()),
        _ => return None,
    };
    let at: Timestamp = field(line, "timestamp")?.parse().ok()?;
    Some(Warning {
        at: at.as_millisecond(),
        target: field(line, "target")?,
        words,
    })
}

/// A cause as OpenCode writes it, in plain words.
fn cause(cause: &str) -> String {
    if cause.contains("Plugin must export a default definition") {
        "it does not export the object that OpenCode 2.x wants; the form for 1.x is a function"
            .to_owned()
    } else if cause.contains("ENOENT") {
        "it is not there".to_owned()
    } else if cause.contains("NpmInstallFailedError") {
        "the package could not be fetched from the registry".to_owned()
    } else {
        let inner = cause.trim_start_matches("Cause([").trim_end_matches("])");
        let short: String = inner
            .chars()
            .filter(|letter| !letter.is_control())
            .take(200)
            .collect();
        format!("it failed while it was loaded: {short}")
    }
}

/// The value of a field: a word, or a text in quotes.
fn field(line: &str, name: &str) -> Option<String> {
    let start = line.find(&format!("{name}="))?;
    let is_whole = start == 0 || line.get(..start)?.ends_with(' ');
    let rest = line.get(start + name.len() + 1..).filter(|_| is_whole)?;
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.split(' ').next()?.to_owned());
    };
    let mut value = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Some(value),
            '\\' => match letters.next()? {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Warning, warnings_in};

    /// Lines of 2.0.15, as it wrote them.
    const LOG: &str = r#"timestamp=2026-11-27T20:11:48.100Z level=INFO run=89249a53 message="watcher started" path=/m type=directory role=server
timestamp=2026-11-27T20:11:48.401Z level=WARN run=89249a53 message="configured plugin path must be a directory" target=/m/f.js http.span=352 role=server
timestamp=2026-11-27T20:11:48.424Z level=WARN run=89249a53 message="failed to load plugin" target=/home/user/.config/opencode/plugin/clankers.js ref=err_e846fb6a cause="Cause([Fail(PluginModule.LoadError: Plugin must export a default definition with an id and an effect or setup function. (cause: SchemaError(Expected object\n  at [\"default\"])))])" http.span=375 role=server
timestamp=2026-11-27T20:11:48.425Z level=WARN run=89249a53 message="failed to load plugin" target=/m/gone ref=err_045e6cda cause="Cause([Die(Error: ENOENT: no such file or directory, stat '/m/gone')])" http.span=376 role=server
timestamp=2026-11-27T20:11:48.426Z level=WARN run=89249a53 message="failed to load plugin" target=/m/throws ref=err_5c1e5a73 cause="Cause([Die(Error: bad times)])" http.span=377 role=server
timestamp=2026-11-27T20:11:49.929Z level=WARN run=89249a53 message="failed to load plugin" target=/m/throws ref=err_d2e01d63 cause="Cause([Die(Error: bad times)])" http.span=1879 role=server
timestamp=2026-11-27T20:11:50.070Z level=WARN run=89249a53 message="failed to load plugin" target=opencode-clankers@1.0.0 ref=err_3e1cf412 cause="Cause([Fail(NpmInstallFailedError (cause: FetchError: request to http://127.0.0.1:9/opencode-clankers failed, reason: connect ECONNREFUSED 127.0.0.1:9))])" http.span=2021 role=server
timestamp=2026-11-27T20:11:50.080Z level=WARN run=89249a53 message="something else" target=/m/other role=server
timestamp=soon level=WARN message="failed to load plugin" target=/m/when
 level=WARN message="failed to load"#;

    #[test]
    fn each_plugin_has_its_last_line_in_plain_words() {
        let found = warnings_in(LOG);
        let said: Vec<(&str, &str)> = found
            .iter()
            .map(|Warning { target, words, .. }| (target.as_str(), words.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (
                    "/m/f.js",
                    "it is a file that the configuration names, and OpenCode 2.x takes a folder only"
                ),
                (
                    "/home/user/.config/opencode/plugin/clankers.js",
                    "it does not export the object that OpenCode 2.x wants; the form for 1.x is a function"
                ),
                ("/m/gone", "it is not there"),
                (
                    "/m/throws",
                    "it failed while it was loaded: Die(Error: bad times)"
                ),
                (
                    "opencode-clankers@1.0.0",
                    "the package could not be fetched from the registry"
                ),
            ]
        );
        assert_eq!(found[3].at, 1_795_810_309_929);
    }
}
