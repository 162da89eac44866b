//! Whose a session is: the agent's whose release began it. Two agents may work on
//! one database, and each tells the other's sessions as its own answers.

use super::{Decoded, Dialect};
use crate::model::event::Event;
use crate::model::known::Known;
use crate::model::row::SessionRow;

/// OpenCode, whose sessions they are where nothing is stored of that.
pub const OPENCODE: &str = "opencode";
/// Kilo.
pub const KILO: &str = "kilo";

/// The major number with which Kilo's releases begin. OpenCode's are far below.
const FIRST_OF_KILO: u32 = 7;

/// Whose a release is, where its number says it: one that was built by hand has
/// `local` or `0.0.0-dev-…`, whoever built it.
pub fn agent_of_release(version: &str) -> Option<&'static str> {
    let (major, _) = version.split_once('.')?;
    match major.parse().ok()? {
        0 => None,
        1..FIRST_OF_KILO => Some(OPENCODE),
        _ => Some(KILO),
    }
}

impl Dialect {
    /// Notes whose the sessions are that were decoded.
    pub(super) fn with_agent(self, mut decoded: Decoded) -> Decoded {
        for event in decoded.event.iter_mut().chain(&mut decoded.more) {
            if let Event::SessionCreated(row) | Event::Session(row) | Event::SessionDeleted(row) =
                event
            {
                row.source = self.agent_of(row);
            }
        }
        decoded
    }

    /// Nothing where OpenCode tells its own session, as the store takes it.
    fn agent_of(self, row: &SessionRow) -> Known<String> {
        let named = row.source_version.value();
        let agent = named.and_then(|version| agent_of_release(version));
        match agent.unwrap_or(self.agent) {
            OPENCODE if self.agent == OPENCODE => Known::Unknown,
            agent => Known::Value(agent.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KILO, OPENCODE, agent_of_release};

    #[test]
    fn a_release_is_of_the_agent_that_its_number_says() {
        for version in ["1.0.61", "1.18.34", "2.0.15", "3.0.0-beta.1"] {
            assert_eq!(agent_of_release(version), Some(OPENCODE), "{version}");
        }
        for version in ["7.0.33", "7.7.9", "8.0.0", "10.1.0"] {
            assert_eq!(agent_of_release(version), Some(KILO), "{version}");
        }
        for version in ["", "local", "0.0.0-dev-202609", "0.6.3", "x.7.7.9", "7"] {
            assert_eq!(agent_of_release(version), None, "{version}");
        }
    }
}
