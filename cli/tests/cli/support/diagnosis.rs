//! What `clankers doctor` says, to look at.

use serde_json::Value;

use super::home::Home;

/// What `doctor` found.
pub(crate) struct Diagnosis {
    pub(crate) status: Option<i32>,
    pub(crate) report: Value,
}

impl Diagnosis {
    /// The levels and words of what was found of one kind.
    pub(crate) fn of(&self, name: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let checks = self.report["checks"].as_array().unwrap().iter();
        checks
            .filter(|check| check["check"] == name)
            .map(|check| {
                (
                    text(&check["level"]),
                    format!("{}\n{}", text(&check["found"]), text(&check["advice"])),
                )
            })
            .collect()
    }

    /// Whether something of that kind and level was found in these words.
    pub(crate) fn says(&self, name: &str, level: &str, words: &str) -> bool {
        self.of(name)
            .iter()
            .any(|(found, text)| found == level && text.contains(words))
    }
}

/// Runs `doctor`, whatever its exit status.
pub(crate) fn doctor(home: &Home, more: &[&str]) -> Diagnosis {
    let output = home.run(&[&["doctor", "--format", "json"], more].concat());
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    Diagnosis {
        status: output.status.code(),
        report,
    }
}
