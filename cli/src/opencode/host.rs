//! The programs that load the plugin. Releases of one of them read the same places.

use clankers::sources::agent::{KILO, agent_of_release};

/// A program that loads the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    OpenCode1,
    OpenCode2,
    Kilo,
}

impl Host {
    pub(crate) const ALL: [Self; 3] = [Self::OpenCode1, Self::OpenCode2, Self::Kilo];

    /// What people call it, where no release is known.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::OpenCode1 => "OpenCode 1.x",
            Self::OpenCode2 => "OpenCode 2.x",
            Self::Kilo => "Kilo",
        }
    }

    /// What people call it, before a release's number.
    pub(crate) const fn product(self) -> &'static str {
        match self {
            Self::OpenCode1 | Self::OpenCode2 => "OpenCode",
            Self::Kilo => "Kilo",
        }
    }

    /// Its folder wherever the system keeps configuration, data, state and caches.
    /// In the database it is the `source` of its sessions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OpenCode1 | Self::OpenCode2 => "opencode",
            Self::Kilo => "kilo",
        }
    }

    /// Whether a release with this number is Kilo's.
    pub(crate) fn is_number_of_kilo(version: &str) -> bool {
        agent_of_release(version) == Some(KILO)
    }

    /// Its own environment variable: `OPENCODE_CONFIG`, `KILO_CONFIG`.
    pub(crate) fn variable(self, name: &str) -> String {
        format!("{}_{name}", self.name().to_uppercase())
    }
}
