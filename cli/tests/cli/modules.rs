//! Modules of the program depend on each other in one direction: from the
//! command line to the commands, to what they use, to `error`. A circle would
//! mean that no module in it can be understood or changed alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// For each top-level module, the other ones that it names.
type Dependencies = BTreeMap<String, BTreeSet<String>>;

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

/// The top-level module that a file belongs to: `store/open.rs` to `store`.
fn module_of(file: &Path, source: &Path) -> String {
    let first = file.strip_prefix(source).unwrap().iter().next().unwrap();
    let name = first.to_str().unwrap();
    name.trim_end_matches(".rs").to_owned()
}

/// The first names after each `crate::`, where a list in braces has several. The
/// program writes the path of another top-level module always in this form.
fn named_in(text: &str) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code: Vec<&str> = text.lines().filter(is_code).collect();
    let code = code.join("\n");
    let mut names = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let is_whole_word =
            !code[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        if is_whole_word {
            names.extend(first_names(&code[at + path.len()..]));
        }
    }
    names
}

fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let is_letter = |letter: &char| letter.is_alphanumeric() || *letter == '_';
        text.trim_start()
            .chars()
            .take_while(is_letter)
            .collect::<String>()
    };
    let Some(list) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut names = vec![name(list)];
    let mut depth = 0;
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&list[at + 1..])),
            _ => {}
        }
    }
    names
}

fn dependencies(source: &Path) -> Dependencies {
    let files = files(source);
    let mut found: Dependencies = files
        .iter()
        .map(|file| (module_of(file, source), BTreeSet::new()))
        .collect();
    let modules: BTreeSet<String> = found.keys().cloned().collect();
    for file in &files {
        let module = module_of(file, source);
        let others = named_in(&fs::read_to_string(file).unwrap());
        let is_other = |name: &String| modules.contains(name) && *name != module;
        found
            .get_mut(&module)
            .unwrap()
            .extend(others.into_iter().filter(is_other));
    }
    found
}

/// A circle, as the modules along it, where there is one.
fn circle(dependencies: &Dependencies) -> Option<Vec<String>> {
    // What depends on nothing that is left cannot be in a circle: it is taken
    // out until nothing changes, and each that is left leads to another.
    let mut left = dependencies.clone();
    loop {
        let free: BTreeSet<String> = left
            .iter()
            .filter(|(_, others)| others.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|name, _| !free.contains(name));
        for others in left.values_mut() {
            others.retain(|other| !free.contains(other));
        }
    }
    let mut path = vec![left.keys().next()?.clone()];
    loop {
        let next = left[path.last().unwrap()].first().unwrap().clone();
        let seen = path.iter().position(|module| *module == next);
        path.push(next);
        if let Some(start) = seen {
            return Some(path.split_off(start));
        }
    }
}

#[test]
fn modules_of_the_program_form_no_circle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found = dependencies(&source);
    // The reading itself works: these are there as long as the modules are.
    assert!(found["args"].contains("commands"), "{found:?}");
    assert!(found["commands"].contains("store"), "{found:?}");
    assert!(found["error"].is_empty(), "{found:?}");
    assert_eq!(circle(&found), None, "these modules depend on each other");
}

#[test]
fn a_circle_of_modules_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("main.rs", "mod a;\nmod b;\nfn main() { crate::a::run() }\n");
    write(
        "a/mod.rs",
        "use crate::{\n    b::{self, c},\n    d::E,\n};\n",
    );
    write("b.rs", "// use crate::a;\npub(crate) fn nothing() {}\n");
    write("d.rs", "use crate::b::Thing;\n");
    let found = dependencies(folder.path());
    assert_eq!(found["a"], BTreeSet::from(["b".to_owned(), "d".to_owned()]));
    assert_eq!(circle(&found), None);
    write("b.rs", "fn deep() { crate::a::run() }\n");
    let circle = circle(&dependencies(folder.path()));
    assert_eq!(
        circle,
        Some(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()])
    );
}
