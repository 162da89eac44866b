//! Which files are the plugin. A built one says it in its first line, so that a
//! copy is known wherever it lies and whatever it is named; a file of the
//! package is known by the package that it lies in.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The npm package.
pub(crate) const PACKAGE: &str = "opencode-clankers";

/// What a module exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A function, which 1.x and Kilo take.
    Function,
    /// An object, which 2.x takes.
    Object,
}

/// A file that is the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    pub(crate) form: Form,
    pub(crate) version: Option<String>,
    /// Whether its first line says so: it was built, and holds nothing of a person's own.
    pub(crate) is_built: bool,
}

/// The file as the plugin, where it is the plugin.
pub(crate) fn read(file: &Path) -> Option<Module> {
    let line = first_line(file)?;
    if let Some((form, version)) = first_line_says(&line) {
        return Some(Module {
            file: file.to_owned(),
            form,
            version: Some(version),
            is_built: true,
        });
    }
    let real = fs::canonicalize(file).ok()?;
    let package = real.ancestors().skip(1).take(2).find_map(package_in)?;
    let is_server = real.file_stem().is_some_and(|name| name == "server");
    Some(Module {
        file: file.to_owned(),
        form: if is_server {
            Form::Object
        } else {
            Form::Function
        },
        version: text_at(&package, "/version"),
        is_built: false,
    })
}

/// The plugin's package in a folder.
pub(crate) fn package_in(folder: &Path) -> Option<Value> {
    let text = fs::read_to_string(folder.join("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    (package.get("name")?.as_str()? == PACKAGE).then_some(package)
}

/// The text at a place in a package's description.
pub(crate) fn text_at(package: &Value, pointer: &str) -> Option<String> {
    package.pointer(pointer)?.as_str().map(str::to_owned)
}

/// The form and the version in a built module's first line.
pub(crate) fn first_line_says(line: &str) -> Option<(Form, String)> {
    let (version, form) = built(line)?;
    let form = if form.starts_with("a function") {
        Form::Function
    } else if form.starts_with("an object") {
        Form::Object
    } else {
        return None;
    };
    Some((form, version.to_owned()))
}

/// Whether a file is the built part for the screen of OpenCode 2.x, as its first
/// line says.
pub(crate) fn is_for_screen(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next();
    let line = String::from_utf8_lossy(first.unwrap_or_default());
    built(&line).is_some_and(|(_, what)| what.starts_with("the part for the screen"))
}

/// The version in a built file's first line, and what the file is.
fn built(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("// ")?.strip_prefix(PACKAGE)?;
    rest.strip_prefix(' ')?.split_once(", ")
}

fn first_line(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(file)
        .ok()?
        .take(200)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Form, first_line_says};

    #[test]
    fn a_built_module_says_what_it_is() {
        assert_eq!(
            first_line_says("// opencode-clankers 0.1.0, a function for OpenCode 1.x"),
            Some((Form::Function, "0.1.0".to_owned()))
        );
        assert_eq!(
            first_line_says("// opencode-clankers 0.2.0-next.1, an object for OpenCode 2.x"),
            Some((Form::Object, "0.2.0-next.1".to_owned()))
        );
        for other in [
            "",
            "// opencode-clankers",
            "// opencode-clankers-theme 0.1.0, a function",
            "// opencode-clankers 0.1.0, a poem",
            "import clankers from \"opencode-clankers\";",
        ] {
            assert_eq!(first_line_says(other), None, "{other}");
        }
    }
}
