//! OpenCode's storage before 1.2: a JSON file for each session, message and part.
//!
//! `session/<project>/<session>.json`, `message/<session>/<message>.json`,
//! `part/<message>/<part>.json`, `todo/<session>.json`.

use std::fs;
use std::path::{Path, PathBuf};

use clankers::model::copy_rank::CopyRank;
use serde_json::{Value, json};

use super::document::{parse, read_file};
use super::program::Program;
use super::source::{History, Said, Source, id_of};
use super::written::written_at;
use crate::error::{Context, Result};
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
            let infos = documents(&project, &mut unreadable);
            sessions.extend(
                infos
                    .into_iter()
                    .map(|(id, info)| info.unwrap_or_else(|| json!({ "id": id }))),
            );
        }
        Ok((sessions, unreadable))
    }

    fn read(&mut self, info: &Value) -> Result<History> {
        let session = id_of(info);
        let mut unreadable = Vec::new();
        let infos = documents(&self.storage.join("message").join(session), &mut unreadable);
        let mut messages = Vec::with_capacity(infos.len());
        for (id, info) in infos {
            let id = info.as_ref().map_or(&*id, id_of);
            let parts = documents(&self.storage.join("part").join(id), &mut unreadable);
            let parts: Vec<Value> = parts.into_iter().filter_map(|(_, part)| part).collect();
            messages.push(match info {
                Some(info) => json!({ "info": info, "parts": parts }),
                None => json!({
                    "info": { "id": id, "sessionID": session },
                    "parts": parts,
                    "unreadable": true,
                }),
            });
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

    fn said(&mut self, info: &Value) -> Result<Vec<Said>> {
        let folder = self.storage.join("message").join(id_of(info));
        let infos = documents(&folder, &mut Vec::new());
        let said = |(_, info): (String, Option<Value>)| Said::of(&json!({ "info": info? }));
        Ok(infos.into_iter().filter_map(said).collect())
    }
}

/// The documents of a folder, each under its name without the ending, which is its
/// id. One that cannot be read is nothing, and its name is all that is known.
fn documents(folder: &Path, unreadable: &mut Vec<String>) -> Vec<(String, Option<Value>)> {
    let mut documents = Vec::new();
    for path in entries(folder) {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let is_document = path.extension().is_some_and(|ending| ending == "json");
        if let Some(id) = stem.filter(|_| is_document) {
            documents.push((id.to_owned(), document(&path, unreadable)));
        }
    }
    documents
}

fn document(path: &Path, unreadable: &mut Vec<String>) -> Option<Value> {
    let what = || format!("cannot read {}", shown(path));
    match read_file(path).and_then(|text| parse(&text).context(what)) {
        Ok(document) => Some(document),
        Err(error) => {
            unreadable.push(error.what().to_owned());
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
