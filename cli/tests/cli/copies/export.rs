//! An export of the release's one session, changed as a test needs it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::written;
use crate::support::history::fixture;
use crate::support::home::Home;

/// What `opencode export` wrote.
pub(super) struct Export(Value);

impl Export {
    /// All of it, as it was at the end.
    pub(super) fn whole(release: &str) -> Self {
        Self::read(release, "export.json")
    }

    /// The same with its words taken out.
    pub(super) fn sanitized(release: &str) -> Self {
        Self::read(release, "sanitized.json")
    }

    fn read(release: &str, name: &str) -> Self {
        let text = fs::read(fixture(release, name)).unwrap();
        Self(serde_json::from_slice(&text).unwrap())
    }

    /// As if it had been made a second earlier, before the last answer.
    pub(super) fn earlier(mut self) -> Self {
        let updated = self.0["info"]["time"]["updated"].as_f64().unwrap();
        self.0["info"]["time"]["updated"] = json!(updated - 1000.0);
        // What says that it is idle goes with it, which is a message in OpenCode 2.
        let messages = self.0["messages"].as_array_mut().unwrap();
        while messages.pop().unwrap()["type"] == "idle" {}
        self
    }

    /// With this title, and at the beginning of each text.
    pub(super) fn named(mut self, name: &str) -> Self {
        for message in self.0["messages"].as_array_mut().unwrap() {
            for part in message["parts"].as_array_mut().unwrap() {
                if part["type"] == "text" {
                    part["text"] = json!(format!("{name}: {}", part["text"]));
                }
            }
        }
        self.with("/title", json!(name))
    }

    /// With another value of the session itself.
    pub(super) fn with(mut self, pointer: &str, value: Value) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.0["info"].pointer_mut(parent).unwrap()[name] = value;
        self
    }

    /// With another value anywhere.
    pub(super) fn damaged(mut self, pointer: &str, value: Value) -> Self {
        *self.0.pointer_mut(pointer).unwrap() = value;
        self
    }

    /// Without a value of the session itself.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0["info"].as_object_mut().unwrap().remove(name);
        self
    }

    /// Written to a file this long ago.
    pub(super) fn put(&self, home: &Home, name: &str, ago: Duration) -> PathBuf {
        let path = home.write(name, &self.0.to_string());
        written(&path, ago);
        path
    }
}
