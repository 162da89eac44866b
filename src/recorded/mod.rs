//! What is recorded: how much of a conversation, and of which projects.
//!
//! A person decides that, and no project: the settings come from the environment
//! and from a file in the person's own folder. Whoever has those reads them
//! ([`settings`]); the core is told what came of it.

mod globs;
pub mod settings;

use serde::{Deserialize, Serialize};

use crate::model::row::Content;
pub use globs::Ignored;

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// What is stored of a conversation.
    pub content: Content,
    /// The projects of which nothing is.
    pub ignored: Ignored,
}

impl Default for Recorded {
    fn default() -> Self {
        Self {
            content: Content::Full,
            ignored: Ignored::default(),
        }
    }
}

impl Recorded {
    /// The TypeScript types, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
/** What is recorded; `readRecorded` gives it. */
export interface Recorded {
  content: Content;
  ignored: Ignored;
}
/** The projects that are not recorded: globs that are checked and made whole. */
export interface Ignored {
  globs: string[];
  caseless: boolean;
  windows: boolean;
}
/** What settings say of what is recorded, as it was found. */
export interface RecordedSettings {
  /** `CLANKERS_CONTENT`, where it is set. */
  content?: string | null;
  /** `CLANKERS_IGNORE`, where it is set. */
  ignore?: string | null;
  /** The file of settings, where there is one. */
  file?: SettingsFile | null;
  /** The home folder. */
  home: string;
  /** As Node names it: `linux`, `darwin`, `win32`, …. */
  platform: string;
}
/** A file, by its path as it is shown, with what is in it or why that cannot be read. */
export interface SettingsFile {
  name: string;
  text?: string;
  problem?: string;
}
";
}
