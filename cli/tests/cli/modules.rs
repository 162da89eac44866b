//! Modules depend on each other in one direction, in the program and in the core:
//! from the command line to the commands, to what they use, to `error`. A circle
//! would mean that no module in it can be understood or changed alone. What holds
//! for the modules of a crate holds for those of each folder in it.

mod names;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tree::{Dependencies, Module, Tree};

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

/// The circles in each folder of modules, as `folder: a > b > a`.
fn circles(found: &BTreeMap<Module, Dependencies>) -> Vec<String> {
    let of_folder = |(folder, dependencies): (&Module, &Dependencies)| {
        let circle = circle(dependencies)?;
        Some(format!("{}: {}", folder.join("/"), circle.join(" > ")))
    };
    found.iter().filter_map(of_folder).collect()
}

/// The dependencies in one folder of modules, as `commands/show`.
fn of<'a>(found: &'a BTreeMap<Module, Dependencies>, folder: &str) -> &'a Dependencies {
    let words = folder.split('/').filter(|word| !word.is_empty());
    &found[&words.map(str::to_owned).collect::<Module>()]
}

#[test]
fn modules_of_the_program_form_no_circle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let found = Tree::read(&source).dependencies();
    // The reading itself works: these are there as long as the modules are.
    let root = of(&found, "");
    assert!(root["args"].contains("commands"), "{root:?}");
    assert!(root["commands"].contains("store"), "{root:?}");
    assert!(root["error"].is_empty(), "{root:?}");
    let daemon = of(&found, "daemon");
    assert!(daemon["server"].contains("connection"), "{daemon:?}");
    assert_eq!(
        circles(&found),
        [""; 0],
        "these modules depend on each other"
    );
}

#[test]
fn modules_of_the_core_form_no_circle() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let found = Tree::read(&source).dependencies();
    let root = of(&found, "");
    assert!(root["core"].contains("reconcile"), "{root:?}");
    let source = of(&found, "sources/opencode1");
    assert!(source["decode"].contains("identity"), "{source:?}");
    assert_eq!(
        circles(&found),
        [""; 0],
        "these modules depend on each other"
    );
}

#[test]
fn a_circle_of_modules_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let found = || Tree::read(folder.path()).dependencies();
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    write("main.rs", "mod a;\nmod b;\nfn main() { crate::a::run() }\n");
    write(
        "a/mod.rs",
        "use crate::{\n    b::{self, c},\n    d::E,\n};\nuse one::One;\n",
    );
    write(
        "a/one.rs",
        "use super::Shared;\nfn one() { super::two::of::<u8>(\"a\") }\n",
    );
    write("a/two.rs", "//! Like crate::a::one.\nuse std::fs;\n");
    write("b.rs", "// use crate::a;\npub(crate) fn nothing() {}\n");
    write(
        "d.rs",
        "use crate::b::Thing;\n#[cfg(test)]\nmod tests {\n    use crate::a;\n}\n",
    );
    assert_eq!(of(&found(), "")["a"], words(&["b", "d"]));
    assert_eq!(of(&found(), "a")["one"], words(&["two"]));
    assert_eq!(circles(&found()), [""; 0]);
    // Between the modules of a folder, also by way of a name that the folder's own
    // module hands on.
    write("a/two.rs", "use super::One;\n");
    assert_eq!(circles(&found()), ["a: one > two > one"]);
    write("a/two.rs", "use crate::a::one as first;\n");
    assert_eq!(circles(&found()), ["a: one > two > one"]);
    write("a/two.rs", "");
    write("b.rs", "fn deep() { crate::a::run() }\n");
    assert_eq!(circles(&found()), [": a > b > a"]);
}
