//! The modules of a crate, and which of them name which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::names::{Named, named_in};

/// A module's path in its crate: `["store", "open"]`. The crate itself is empty.
pub(super) type Module = Vec<String>;

/// For each module of one folder, the other ones of that folder that it names,
/// itself or by what is below it.
pub(super) type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// All modules of a crate.
pub(super) struct Tree {
    /// What each names, by a path from the root of the crate.
    modules: BTreeMap<Module, Vec<Named>>,
}

impl Tree {
    /// Reads the modules below `source`, a file each.
    pub(super) fn read(source: &Path) -> Self {
        let files = files(source);
        let modules: Vec<Module> = files.iter().map(|file| module_of(file, source)).collect();
        let is_module = |path: &[String]| modules.iter().any(|module| module == path);
        let mut read: BTreeMap<Module, Vec<Named>> = BTreeMap::new();
        // Two files are the crate itself where it is a library and a binary.
        for (file, module) in files.iter().zip(&modules) {
            let named = named_in(&fs::read_to_string(file).unwrap());
            let named = named.into_iter();
            let from_root = named.filter_map(|named| from_root(module, named, is_module));
            read.entry(module.clone()).or_default().extend(from_root);
        }
        Self { modules: read }
    }

    /// What depends on what, folder by folder. A module and one below it are one:
    /// what both need may stand in the upper one.
    pub(super) fn dependencies(&self) -> BTreeMap<Module, Dependencies> {
        let mut found: BTreeMap<Module, Dependencies> = BTreeMap::new();
        for (module, named) in &self.modules {
            if let Some((name, folder)) = module.split_last() {
                let of_folder = found.entry(folder.to_vec()).or_default();
                of_folder.entry(name.clone()).or_default();
            }
            for home in named.iter().flat_map(|named| self.homes(&named.path)) {
                let same = module.iter().zip(&home).take_while(|(a, b)| a == b).count();
                if let (Some(own), Some(other)) = (module.get(same), home.get(same)) {
                    let of_folder = found.entry(module[..same].to_vec()).or_default();
                    let others = of_folder.entry(own.clone()).or_default();
                    others.insert(other.clone());
                }
            }
        }
        found
    }

    /// The modules that a path leads through: the one it names, and where that one
    /// only hands on a name of another's, the other.
    fn homes(&self, path: &[String]) -> Vec<Module> {
        let mut found = Vec::new();
        let mut path = path.to_vec();
        loop {
            let is_home = |&end: &usize| self.modules.contains_key(&path[..end]);
            let Some(end) = (0..=path.len()).rev().find(is_home) else {
                return found;
            };
            let (home, rest) = path.split_at(end);
            if found.iter().any(|known| known == home) {
                return found;
            }
            found.push(home.to_vec());
            let Some((name, below)) = rest.split_first() else {
                return found;
            };
            let handed_on = |named: &&Named| named.name.as_ref() == Some(name);
            let Some(target) = self.modules[home].iter().find(handed_on) else {
                return found;
            };
            path = [target.path.as_slice(), below].concat();
        }
    }
}

/// The Rust files in a folder and below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The module that a file is: `store/open.rs` is `["store", "open"]`.
fn module_of(file: &Path, source: &Path) -> Module {
    let path = file.strip_prefix(source).unwrap().with_extension("");
    let words = path.iter().map(|word| word.to_str().unwrap().to_owned());
    let mut module: Module = words.collect();
    let is_root = matches!(module.as_slice(), [name] if name == "main" || name == "lib");
    if is_root || module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    module
}

/// A path as it is from the root; none where it is of another crate.
fn from_root(
    module: &Module,
    named: Named,
    is_module: impl Fn(&[String]) -> bool,
) -> Option<Named> {
    let mut words = named.path.iter().peekable();
    let mut path = module.clone();
    if words.next_if(|word| *word == "crate").is_some() {
        path.clear();
    } else if words.next_if(|word| *word == "self").is_none() && **words.peek()? != *"super" {
        let below = [module.as_slice(), &[named.path.first()?.clone()]].concat();
        is_module(&below).then_some(())?;
    }
    while words.next_if(|word| *word == "super").is_some() {
        path.pop();
    }
    path.extend(words.cloned());
    Some(Named { path, ..named })
}
