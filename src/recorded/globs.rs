//! Globs of projects that are not recorded, and whether a folder is of one.

use std::borrow::Cow;

use fast_glob::{glob_match, validate};
use serde::{Deserialize, Serialize};

/// The projects that are not recorded.
///
/// A path is compared as OpenCode tells it: no link is followed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ignored {
    /// Checked, and whole: without a slash at either end.
    globs: Vec<String>,
    /// Whether the system's folders are the same in capitals and small letters.
    caseless: bool,
    /// Whether folders are separated as on Windows.
    windows: bool,
}

impl Ignored {
    /// None, on this platform (as Node names it).
    pub(super) fn on(platform: &str) -> Self {
        let windows = platform == "win32";
        Self {
            globs: Vec::new(),
            caseless: windows || platform == "darwin",
            windows,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.globs.len()
    }

    /// Adds all projects.
    pub(super) fn add_all(&mut self) {
        self.globs = vec!["**".to_owned()];
    }

    /// Adds a glob as a person writes it; `home` is what a `~` stands for. Fails with
    /// what is wrong with it.
    pub(super) fn add(&mut self, glob: &str, home: &str) -> Result<(), String> {
        let written = self.plain(glob.trim());
        if written.is_empty() {
            return Err("it is empty".to_owned());
        }
        if written.starts_with('!') {
            return Err("a glob cannot take back what another says".to_owned());
        }
        let whole = match written.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                let home = self.plain(home);
                Cow::Owned(format!("{}{rest}", literal(home.trim_end_matches('/'))))
            }
            Some(_) => return Err("`~` stands for your own home folder only".to_owned()),
            None => written,
        };
        let is_rooted = whole.starts_with('/') || self.windows && has_drive(&whole);
        let mut bare = whole.trim_matches('/');
        // What names a folder is meant of all below it anyway.
        while let Some(rest) = bare.strip_suffix("/**") {
            bare = rest.trim_end_matches('/');
        }
        if bare.split('/').any(|name| name == "." || name == "..") {
            return Err("`.` and `..` are in no path that OpenCode tells".to_owned());
        }
        validate(bare).map_err(|error| error.to_string())?;
        let glob = if is_rooted || bare == "**" || bare.starts_with("**/") {
            bare.to_owned()
        } else {
            format!("**/{bare}")
        };
        if !self.globs.contains(&glob) {
            self.globs.push(glob);
        }
        Ok(())
    }

    /// Whether a folder is of such a project: a glob matches it, or a folder that it is in.
    pub fn matches(&self, directory: &str) -> bool {
        if self.globs.is_empty() {
            return false;
        }
        let path = self.plain(directory);
        let path = path.trim_matches('/');
        let ends = path.match_indices('/').map(|(at, _)| at);
        ends.chain([path.len()]).any(|end| {
            let folder = path.get(..end).unwrap_or(path);
            self.globs.iter().any(|glob| glob_match(glob, folder))
        })
    }

    /// A path, or a glob, as the two are compared.
    fn plain<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let mut plain = Cow::Borrowed(path);
        if self.windows {
            plain = Cow::Owned(plain.replace('\\', "/"));
        }
        if self.caseless {
            plain = Cow::Owned(plain.to_lowercase());
        }
        plain
    }
}

/// Whether a path begins with a drive's letter.
fn has_drive(path: &str) -> bool {
    let mut letters = path.chars();
    letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && letters.next() == Some(':')
}

/// A glob that matches this path alone.
fn literal(path: &str) -> String {
    path.chars()
        .flat_map(|letter| {
            let is_special = "*?[]{}!\\".contains(letter);
            is_special.then_some('\\').into_iter().chain([letter])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(platform: &str, home: &str, globs: &[&str]) -> Ignored {
        let mut ignored = Ignored::on(platform);
        for glob in globs {
            ignored.add(glob, home).unwrap();
        }
        ignored
    }

    fn on_linux(glob: &str) -> Ignored {
        ignored("linux", "/home/user", &[glob])
    }

    #[test]
    fn a_glob_matches_the_folder_and_all_below_it() {
        for glob in [
            "~/secret",
            "~/secret/",
            "~/secret/**",
            "/home/user/secret",
            "~/s*t",
        ] {
            let ignored = on_linux(glob);
            for path in [
                "/home/user/secret",
                "/home/user/secret/",
                "/home/user/secret/a/b",
            ] {
                assert!(ignored.matches(path), "{glob} {path}");
            }
            for path in [
                "/home/user",
                "/home/user/secrets-no",
                "/srv/you/secret",
                "/x/home/user/secret",
                "",
            ] {
                assert!(!ignored.matches(path), "{glob} {path}");
            }
        }
    }

    #[test]
    fn a_glob_without_a_slash_is_a_folder_of_that_name_anywhere() {
        let ignored = on_linux("secret");
        for path in ["/secret", "/home/user/secret", "/srv/secret/deep/down"] {
            assert!(ignored.matches(path), "{path}");
        }
        assert!(!ignored.matches("/home/user/secrets"));
        assert!(on_linux("client-*").matches("/srv/client-a/project"));
        assert!(on_linux("team/secret").matches("/srv/team/secret/x"));
        assert!(!on_linux("team/secret").matches("/srv/team/x/secret"));
    }

    #[test]
    fn stars_stay_within_a_folder_and_two_go_over_many() {
        assert!(on_linux("~/*/private").matches("/home/user/a/private"));
        assert!(!on_linux("~/*/private").matches("/home/user/a/b/private"));
        assert!(on_linux("~/**/private").matches("/home/user/a/b/private"));
        assert!(on_linux("/srv/{a,b}").matches("/srv/b"));
        assert!(on_linux("~").matches("/home/user/anything"));
        assert!(on_linux("/**").matches("/home/user"));
        assert!(on_linux("**").matches("/home/user"));
    }

    #[test]
    fn a_home_folder_is_no_glob() {
        let ignored = ignored("linux", "/srv/[me]*", &["~/secret"]);
        assert!(ignored.matches("/srv/[me]*/secret"));
        assert!(!ignored.matches("/srv/m/secret"));
    }

    #[test]
    fn systems_whose_folders_have_no_case_are_compared_without() {
        let mac = ignored("darwin", "/Users/Me", &["~/Secret"]);
        assert!(mac.matches("/users/me/SECRET/x"));
        assert!(!on_linux("~/Secret").matches("/home/user/secret"));
        let windows = ignored("win32", r"C:\Users\Me", &[r"~\secret\**", "D:/work"]);
        assert!(windows.matches(r"c:\users\me\Secret\x"));
        assert!(windows.matches(r"D:\work"));
        assert!(!windows.matches(r"E:\x\D:\work"));
    }

    #[test]
    fn what_is_no_glob_says_why() {
        let wrong = |glob| on_nothing().add(glob, "/home/user").unwrap_err();
        assert_eq!(wrong(" "), "it is empty");
        assert_eq!(
            wrong("!secret"),
            "a glob cannot take back what another says"
        );
        assert_eq!(wrong("~you/x"), "`~` stands for your own home folder only");
        assert_eq!(
            wrong("~/a/../b"),
            "`.` and `..` are in no path that OpenCode tells"
        );
        assert!(wrong("~/a[").contains('['));
        assert!(wrong("{a,b").contains('{'));
    }

    fn on_nothing() -> Ignored {
        Ignored::on("linux")
    }
}
