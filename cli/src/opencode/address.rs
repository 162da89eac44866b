//! What an entry of a plugin list names: a path, or a package.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::module::PACKAGE;

/// What an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Path(PathBuf),
    /// A package, or an address of another kind, as it is written.
    Package(String),
}

/// What `spec` names, in a configuration that lies in `folder`.
pub(crate) fn named(spec: &str, folder: &Path) -> Named {
    if let Some(path) = spec.strip_prefix("file://") {
        return Named::Path(PathBuf::from(decoded(path)));
    }
    let is_path = spec.starts_with("./")
        || spec.starts_with("../")
        || spec == "."
        || spec == ".."
        || Path::new(spec).is_absolute();
    if is_path {
        Named::Path(folder.join(spec))
    } else {
        Named::Package(spec.to_owned())
    }
}

/// Whether a package's name is the plugin's, with or without a version.
pub(crate) fn is_our_package(name: &str) -> bool {
    let rest = name.strip_prefix(PACKAGE);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

/// A path out of a `file://` address.
fn decoded(path: &str) -> String {
    let text = percent_decode_str(path).decode_utf8_lossy();
    if cfg!(windows) {
        text.trim_start_matches('/').to_owned()
    } else {
        text.into_owned()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Named, is_our_package, named};
    use std::path::Path;

    #[test]
    fn an_entry_names_a_path_or_a_package() {
        let folder = Path::new("/home/user/.config/opencode");
        let path = |path: &str| Named::Path(path.into());
        assert_eq!(
            named("file:///home/user/my%20code/%C3%BC/index.js", folder),
            path("/home/user/my code/ü/index.js")
        );
        assert_eq!(named("/opt/clankers", folder), path("/opt/clankers"));
        assert_eq!(
            named("./mine", folder),
            path("/home/user/.config/opencode/./mine")
        );
        let package = "opencode-clankers@0.1.0";
        assert_eq!(named(package, folder), Named::Package(package.to_owned()));
    }

    #[test]
    fn the_package_is_known_with_and_without_a_version() {
        assert!(is_our_package("opencode-clankers"));
        assert!(is_our_package("opencode-clankers@latest"));
        assert!(!is_our_package("opencode-clankers-theme"));
        assert!(!is_our_package("@someone/opencode-clankers"));
    }
}
