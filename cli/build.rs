//! Puts the built plugin into the program, so that `clankers install` has it
//! with it. A program that is built before the plugin carries none, and says so
//! when it is asked to install it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The forms of the plugin, as `make build` leaves them.
const FORMS: [(&str, &str); 3] = [
    ("FUNCTION", "clankers.js"),
    ("OBJECT", "clankers/server.js"),
    ("SCREEN", "clankers/tui.js"),
];

fn main() -> io::Result<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-shim/dist");
    let mut source = String::new();
    for (name, file) in FORMS {
        let path = dist.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let value = match path.canonicalize() {
            Ok(path) => format!("Some(include_bytes!({:?}))", path.display().to_string()),
            Err(_) => "None".to_owned(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(source, "const {name}: Option<&[u8]> = {value};");
    }
    let out = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    fs::write(out.join("carried.rs"), source)
}
