//! The result of looking at one thing.

use serde_json::{Value, json};

use crate::error::Result;

/// How bad it is. The worst of all is the exit status, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Good = 0,
    Warning = 1,
    Broken = 2,
}

impl Level {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Broken => "broken",
        }
    }
}

/// Repairs something, and returns what it did in words.
pub(super) type Fix = Box<dyn FnOnce() -> Result<String>>;

/// The result of looking at one thing.
pub(super) struct Check {
    pub(super) level: Level,
    /// What was looked at, in a word.
    pub(super) name: &'static str,
    pub(super) text: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
    /// Repairs it, where that is safe to do.
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
            "level": self.level.name(),
            "check": self.name,
            "found": self.text,
            "advice": self.advice,
            "fixable": self.fix.is_some(),
        })
    }
}
