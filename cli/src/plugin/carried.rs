//! The built plugin: the one inside this program, or another that was named.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::opencode::module::{Form, first_line_says, is_for_screen};
use crate::paths::shown;

// `FUNCTION`, `OBJECT` and `SCREEN`, which `build.rs` makes.
include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// Where a built plugin lies beside a program that carries none: in a checkout,
/// and where a package puts it.
const BESIDE: [&str; 2] = ["plugin-shim/dist", "share/clankers/plugin"];

/// The plugin in each form.
#[derive(Debug)]
pub(crate) struct Plugin {
    function: Cow<'static, [u8]>,
    object: Cow<'static, [u8]>,
    /// What lies beside the object, for the screen of OpenCode 2.x.
    pub(crate) screen: Cow<'static, [u8]>,
    pub(crate) version: String,
}

impl Plugin {
    pub(crate) fn bytes(&self, form: Form) -> &[u8] {
        match form {
            Form::Function => &self.function,
            Form::Object => &self.object,
        }
    }

    fn new([function, object, screen]: [Cow<'static, [u8]>; 3]) -> Result<Self> {
        let version = said(&function, Form::Function)?;
        said(&object, Form::Object)?;
        if !is_for_screen(&screen) {
            return Err(not_the_plugin());
        }
        Ok(Self {
            function,
            object,
            screen,
            version,
        })
    }

    /// The plugin in the folder that `make build` leaves.
    fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<Cow<'static, [u8]>> {
            let path = folder.join(name);
            let bytes = fs::read(&path).context(|| format!("cannot read {}", shown(&path)))?;
            Ok(Cow::Owned(bytes))
        };
        let forms = || {
            Self::new([
                read("clankers.js")?,
                read("clankers/server.js")?,
                read("clankers/tui.js")?,
            ])
        };
        forms()
            .context(|| format!("{} holds no built plugin", shown(folder)))
            .map_err(|error| error.hint("`make build` makes it, in plugin-shim/dist/"))
    }
}

/// The plugin in `folder`, else the one that this program carries, else one
/// that lies beside it.
pub(crate) fn plugin(folder: Option<&Path>) -> Result<Plugin> {
    if let Some(folder) = folder {
        return Plugin::read(&folder_with_forms(folder));
    }
    if let (Some(function), Some(object), Some(screen)) = (FUNCTION, OBJECT, SCREEN) {
        return Plugin::new([function, object, screen].map(Cow::Borrowed));
    }
    let program = std::env::current_exe().and_then(fs::canonicalize)?;
    match beside(&program) {
        Some(folder) => Plugin::read(&folder),
        None => Err(without_plugin()),
    }
}

/// A person may name the package's folder, or what is built in it.
fn folder_with_forms(folder: &Path) -> PathBuf {
    let dist = folder.join("dist");
    if folder.join("clankers.js").is_file() || !dist.is_dir() {
        folder.to_owned()
    } else {
        dist
    }
}

fn beside(program: &Path) -> Option<PathBuf> {
    program
        .ancestors()
        .skip(1)
        .flat_map(|folder| BESIDE.map(|path| folder.join(path)))
        .find(|folder| folder.join("clankers.js").is_file())
}

fn without_plugin() -> Error {
    Error::new("this clankers was built without the plugin").hint(
        "in a checkout, `make cli` builds both; or name a folder with a built plugin: \
         clankers install --plugin plugin-shim/dist",
    )
}

/// The version that a form's first line says.
fn said(bytes: &[u8], wanted: Form) -> Result<String> {
    let first = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    match first_line_says(&String::from_utf8_lossy(first)) {
        Some((form, version)) if form == wanted => Ok(version),
        _ => Err(not_the_plugin()),
    }
}

fn not_the_plugin() -> Error {
    Error::new("it is not the plugin, as its first line says")
}

#[cfg(test)]
mod tests {
    use super::{beside, plugin, without_plugin};
    use std::fs;

    #[test]
    fn a_program_without_the_plugin_says_how_to_get_it() {
        let said = without_plugin().to_string();
        assert!(said.starts_with("this clankers was built without the plugin\n"));
        assert!(
            said.contains("make cli") && said.contains("--plugin"),
            "{said}"
        );
    }

    #[test]
    fn a_plugin_beside_the_program_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("target/debug/clankers");
        assert_eq!(beside(&program), None);
        let dist = folder.path().join("plugin-shim/dist");
        fs::create_dir_all(&dist).unwrap();
        assert_eq!(beside(&program), None);
        fs::write(dist.join("clankers.js"), "").unwrap();
        assert_eq!(beside(&program), Some(dist));
    }

    #[test]
    fn what_is_no_plugin_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert!(plugin(Some(folder.path())).is_err());
        write(
            "clankers.js",
            "// opencode-clankers 0.1.0, a function for OpenCode 1.x\n",
        );
        write(
            "clankers/server.js",
            "// opencode-clankers 0.1.0, a function for OpenCode 1.x\n",
        );
        let error = plugin(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("holds no built plugin"), "{error}");
        write(
            "clankers/server.js",
            "// opencode-clankers 0.1.0, an object for OpenCode 2.x\n",
        );
        assert!(plugin(Some(folder.path())).is_err());
        write(
            "clankers/tui.js",
            "// opencode-clankers 0.1.0, the part for the screen of OpenCode 2.x\n",
        );
        assert_eq!(plugin(Some(folder.path())).unwrap().version, "0.1.0");
    }
}
