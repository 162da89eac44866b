//! One thing that was looked at.

use serde_json::{Value, json};

use crate::error::Result;

/// How it stands; the number is the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Good = 0,
    Warning = 1,
    Broken = 2,
}

impl Level {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Broken => "broken",
        }
    }
}

/// Mends something, and says what it did.
pub(super) type Fix = Box<dyn FnOnce() -> Result<String>>;

/// What was found.
pub(super) struct Check {
    pub(super) level: Level,
    /// What was looked at, in a word.
    pub(super) name: &'static str,
    pub(super) text: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
    /// How to mend it, where that is safe.
    pub(super) fix: Option<Fix>,
}

impl Check {
    fn new(level: Level, name: &'static str, text: impl Into<String>) -> Self {
        Self {
            level,
            name,
            text: text.into(),
            advice: None,
            fix: None,
        }
    }

    pub(super) fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Good, name, text)
    }

    pub(super) fn warning(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, name, text)
    }

    pub(super) fn broken(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Broken, name, text)
    }

    #[must_use]
    pub(super) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    #[must_use]
    pub(super) fn fix(mut self, fix: impl FnOnce() -> Result<String> + 'static) -> Self {
        self.fix = Some(Box::new(fix));
        self
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "level": self.level.word(),
            "check": self.name,
            "found": self.text,
            "advice": self.advice,
            "fixable": self.fix.is_some(),
        })
    }
}
