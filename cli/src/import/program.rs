//! Which program a copy is of. Kilo keeps its data as OpenCode does, under names
//! of its own.

use std::path::{Path, PathBuf};

use clankers::sources::Dialect;
use serde_json::Value;

use crate::opencode::host::Host;
use crate::opencode::locations::data_folder;

/// A program whose data is read. OpenCode's majors keep theirs in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    OpenCode,
    Kilo,
}

impl Program {
    pub(crate) const ALL: [Self; 2] = [Self::OpenCode, Self::Kilo];

    pub(crate) const fn host(self) -> Host {
        match self {
            Self::OpenCode => Host::OpenCode1,
            Self::Kilo => Host::Kilo,
        }
    }

    /// How its data is read.
    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::OpenCode => Dialect::OPENCODE1,
            Self::Kilo => Dialect::KILO,
        }
    }

    /// Whose these sessions are, where nothing else tells: Kilo's where a release
    /// of Kilo's began each of them.
    pub(super) fn of_sessions(infos: &[Value]) -> Self {
        let is_kilos = |info: &Value| Self::of_session(info) == Self::Kilo;
        if !infos.is_empty() && infos.iter().all(is_kilos) {
            Self::Kilo
        } else {
            Self::OpenCode
        }
    }

    /// Whose release began a session.
    pub(super) fn of_session(info: &Value) -> Self {
        let version = info.get("version").and_then(Value::as_str);
        Self::of_release(version.unwrap_or_default())
    }

    /// Whose a release is, by its number.
    pub(super) fn of_release(version: &str) -> Self {
        if Host::is_number_of_kilo(version) {
            Self::Kilo
        } else {
            Self::OpenCode
        }
    }

    /// Whether it names its databases so: `opencode.db`, and `opencode-CHANNEL.db`
    /// of releases other than the latest.
    pub(super) fn names(self, path: &Path) -> bool {
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(|stem| stem.strip_prefix(self.host().name()));
        let is_named_so = name.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        is_named_so && path.extension().is_some_and(|ending| ending == "db")
    }

    /// Whether a path is in its own folder, or is the database that it was told to
    /// work on.
    pub(super) fn keeps(self, path: &Path) -> bool {
        let is_told = || {
            self.told_database()
                .is_some_and(|told| real(path) == real(&told))
        };
        data_folder(self.host()).is_ok_and(|own| real(path).starts_with(real(&own))) || is_told()
    }

    /// The database that its variable names. One that is no whole path is in its own
    /// folder.
    pub(super) fn told_database(self) -> Option<PathBuf> {
        let told = std::env::var_os(self.host().variable("DB")).filter(|it| !it.is_empty())?;
        let folder = data_folder(self.host()).ok()?;
        Some(folder.join(told))
    }
}

/// The same place without links and `..`, where it is there.
pub(super) fn real(path: &Path) -> PathBuf {
    let real = path.canonicalize().or_else(|_| std::path::absolute(path));
    real.unwrap_or_else(|_| path.to_owned())
}
