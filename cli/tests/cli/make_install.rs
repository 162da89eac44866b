//! `make install`: the program where it is called by its name, and what is said of
//! that.

use std::path::Path;

use crate::support::home::Home;

/// Runs what `make install` runs after the build, on this program. `first` stands
/// first on the PATH.
fn installed(home: &Home, first: &Path, prefix: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/install.sh");
    let args = [script.to_str().unwrap(), env!("CARGO_BIN_EXE_clankers")];
    let mut command = home.command_of("bash", &args);
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Whoever runs the tests may have the program, too.
    let of_machine = std::env::split_paths(&path).filter(|path| !path.join("clankers").exists());
    let path = std::iter::once(first.to_owned()).chain(of_machine);
    command
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("PREFIX", prefix);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_program_is_put_where_it_is_called_by_its_name() {
    let home = Home::new();
    let bin = home.path(".local/bin");
    let file = bin.join("clankers");
    let said = installed(&home, &bin, "");
    assert!(said.contains(file.to_str().unwrap()), "{said}");
    assert!(said.contains("next: clankers install\n"), "{said}");
    let version = home
        .command_of(file.to_str().unwrap(), &["--version"])
        .output()
        .unwrap();
    assert!(version.stdout.starts_with(b"clankers "), "{version:?}");
    // Nothing but the program is left there, and another time takes its place.
    installed(&home, &bin, "");
    let left: Vec<_> = std::fs::read_dir(&bin).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn who_cannot_call_it_by_its_name_is_told_how() {
    let home = Home::new();
    let elsewhere = home.path("opt/bin");
    let prefix = home.path("opt");
    let said = installed(&home, &home.path("bin"), prefix.to_str().unwrap());
    let next = format!("next: {} install\n", elsewhere.join("clankers").display());
    assert!(
        said.contains(&format!("{} is not on the PATH", elsewhere.display())),
        "{said}"
    );
    assert!(said.contains(&next), "{said}");
    home.program("bin/clankers", "clankers 0.0.1");
    let said = installed(&home, &home.path("bin"), prefix.to_str().unwrap());
    let other = home.path("bin/clankers");
    assert!(
        said.contains(&format!(
            "the PATH has another one first: {}",
            other.display()
        )),
        "{said}"
    );
    assert!(said.contains(&next), "{said}");
}
