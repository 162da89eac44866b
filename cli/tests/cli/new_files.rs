//! Files that a person asks for: never written through a link, never over another,
//! and for their owner alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::home::{Home, mode};

const RECORDINGS: &[&str] = &["1.18.34/served.jsonl"];

/// The commands that write a file, each with the arguments before its name.
const COMMANDS: [&[&str]; 2] = [&["backup"], &["export", "--table", "sessions", "--output"]];

fn run(home: &Home, command: &[&str], path: &Path, more: &[&str]) -> (bool, String) {
    let args = [command, &[path.to_str().unwrap()], more].concat();
    let ended = home.command(&args).output().unwrap();
    (
        ended.status.success(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

/// What else is in the folder of a file.
fn others(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| Path::new(name) != path.file_name().unwrap())
        .collect()
}

#[test]
fn a_file_that_is_there_is_replaced_only_by_force() {
    let home = Home::with_recordings(RECORDINGS);
    for command in COMMANDS {
        let path = home.write("files/there", "another's");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let (done, said) = run(&home, command, &path, &[]);
        assert!(
            !done && said.contains("~/files/there is there already"),
            "{said}"
        );
        assert!(said.contains("--force"), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "another's");
        let (done, said) = run(&home, command, &path, &["--force"]);
        assert!(done, "{said}");
        assert!(fs::metadata(&path).unwrap().len() > 100);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(others(&path), [""; 0]);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let home = Home::with_recordings(RECORDINGS);
    let target = home.write("target", "another's");
    for command in COMMANDS {
        for leads_to in [&target, &home.path("nowhere")] {
            let link = home.path("link");
            symlink(leads_to, &link).unwrap();
            let (done, said) = run(&home, command, &link, &[]);
            assert!(!done && said.contains("is there already"), "{said}");
            let (done, said) = run(&home, command, &link, &["--force"]);
            assert!(done, "{said}");
            assert!(
                link.symlink_metadata().unwrap().is_file(),
                "the link is replaced"
            );
            fs::remove_file(link).unwrap();
        }
        // Names beside it that can be foreseen are left alone, too.
        let part = home.path("copy.part");
        symlink(&target, &part).unwrap();
        let copy = home.path("copy");
        let (done, said) = run(&home, command, &copy, &[]);
        assert!(done, "{said}");
        assert!(part.symlink_metadata().unwrap().is_symlink());
        fs::remove_file(part).unwrap();
        fs::remove_file(copy).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "another's");
        assert!(!home.path("nowhere").exists());
    }
}

#[test]
fn what_is_no_file_is_never_replaced() {
    let home = Home::with_recordings(RECORDINGS);
    fs::create_dir_all(home.path("folder")).unwrap();
    for command in COMMANDS {
        for path in [home.path("folder"), "/dev/null".into()] {
            let (done, said) = run(&home, command, &path, &["--force"]);
            assert!(!done && said.contains("is no file"), "{said}");
        }
        let (done, said) = run(&home, command, &home.path("no/such/folder/x"), &[]);
        assert!(
            !done && said.contains("cannot write ~/no/such/folder/x"),
            "{said}"
        );
    }
}

#[test]
fn the_database_itself_is_never_replaced() {
    let home = Home::with_recordings(RECORDINGS);
    let before = fs::read(home.db()).unwrap();
    let link = home.path("link.db");
    symlink(home.db(), &link).unwrap();
    for command in COMMANDS {
        for path in [home.db(), link.clone()] {
            let (done, said) = run(&home, command, &path, &["--force"]);
            assert!(!done && said.contains("is the database itself"), "{said}");
        }
    }
    assert_eq!(fs::read(home.db()).unwrap(), before);
    assert!(link.symlink_metadata().unwrap().is_symlink());
}
