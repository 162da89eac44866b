//! What is recorded, by the settings that the plugin reads too: a person's own, from
//! the environment and from a file that no project holds.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use clankers::model::row::Content;
use clankers::recorded::settings::{self, CONTENT, File, Found, IGNORE};

use crate::error::Result;
use crate::output::counted;
use crate::paths::{home, settings_file, shown};

/// What is recorded, and what is wrong with the settings of that.
pub(crate) struct Recorded {
    pub(crate) recorded: clankers::Recorded,
    pub(crate) problems: Vec<String>,
}

impl Recorded {
    /// Reads the settings.
    pub(crate) fn read() -> Result<Self> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        let (recorded, problems) = settings::read(&Found {
            content: text(CONTENT),
            ignore: text(IGNORE),
            file: contents_of(&settings_file()?),
            home: home()?.to_string_lossy().into_owned(),
            platform: platform().to_owned(),
        });
        Ok(Self { recorded, problems })
    }

    /// What is in force, in words; nothing where everything is recorded.
    pub(crate) fn described(&self) -> Option<String> {
        let clankers::Recorded { content, ignored } = &self.recorded;
        let mut words = Vec::new();
        if *content == Content::Metadata {
            words.push("content: metadata".to_owned());
        }
        if !ignored.is_empty() {
            words.push(format!(
                "{} of projects ignored",
                counted(ignored.len(), "glob")
            ));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// What is in a file, or why that cannot be read; nothing where there is none.
fn contents_of(path: &Path) -> Option<File> {
    let name = shown(path);
    let read = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err("it is no file".to_owned()),
        _ => match fs::read(path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => return None,
                _ => Err(error.to_string()),
            },
        },
    };
    Some(match read {
        Ok(text) => File {
            name,
            text: Some(text),
            problem: None,
        },
        Err(problem) => File {
            name,
            text: None,
            problem: Some(problem),
        },
    })
}

/// The platform, as Node names it.
const fn platform() -> &'static str {
    if cfg!(windows) {
        "win32"
    } else if cfg!(target_os = "macos") {
        "darwin"
    } else {
        "linux"
    }
}
