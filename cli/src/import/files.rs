//! OpenCode's storage before 1.2: a JSON file for each session, message and part.
//!
//! `session/<project>/<session>.json`, `message/<session>/<message>.json`,
//! `part/<message>/<part>.json`, `todo/<session>.json`.

use std::fs;
use std::path::{Path, PathBuf};

use clankers::model::copy_rank::CopyRank;
use serde_json::{Value, json};

use super::program::Program;
use super::source::{History, Source, id_of};
use super::written::written_at;
use crate::error::Result;
use crate::paths::shown;

/// A storage folder.
pub(super) struct Files {
    storage: PathBuf,
}

impl Files {
    pub(super) fn new(storage: &Path) -> Self {
        Self {
            storage: storage.to_owned(),
        }
    }
}

impl Source for Files {
    fn name(&self) -> String {
        shown(&self.storage)
    }

    fn program(&self) -> Option<Program> {
        Program::Kilo.keeps(&self.storage).then_some(Program::Kilo)
    }

    fn rank(&self) -> CopyRank {
        let projects = entries(&self.storage.join("session"));
        let sessions = projects.iter().flat_map(|project| entries(project));
        let written = sessions.map(|session| written_at(&session));
        CopyRank::of_store(written.fold(0.0, f64::max))
    }

    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        let mut unreadable = Vec::new();
        let mut sessions = Vec::new();
        for project in entries(&self.storage.join("session")) {
            sessions.extend(documents(&project, &mut unreadable));
        }
        Ok((sessions, unreadable))
    }

    fn read(&mut self, info: &Value) -> Result<History> {
        let session = id_of(info);
        let mut unreadable = Vec::new();
        let infos = documents(&self.storage.join("message").join(session), &mut unreadable);
        let mut messages = Vec::with_capacity(infos.len());
        for info in infos {
            let parts = documents(
                &self.storage.join("part").join(id_of(&info)),
                &mut unreadable,
            );
            messages.push(json!({ "info": info, "parts": parts }));
        }
        let todos = self.storage.join("todo").join(format!("{session}.json"));
        let todos = if todos.is_file() {
            document(&todos, &mut unreadable)
        } else {
            None
        };
        let todos = match todos {
            Some(Value::Array(todos)) => Some(todos),
            _ => None,
        };
        Ok(History {
            messages,
            todos,
            unreadable,
        })
    }
}

/// The documents of a folder, by name: ids sort by time.
fn documents(folder: &Path, unreadable: &mut Vec<String>) -> Vec<Value> {
    let is_document = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
    entries(folder)
        .iter()
        .filter(|path| is_document(path))
        .filter_map(|path| document(path, unreadable))
        .collect()
}

fn document(path: &Path, unreadable: &mut Vec<String>) -> Option<Value> {
    let read = fs::read_to_string(path).map_err(|error| error.to_string());
    match read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
        Ok(document) => Some(document),
        Err(why) => {
            unreadable.push(format!("{}: {why}", shown(path)));
            None
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
