//! What the core counts for whoever watches it.

use serde::Serialize;

/// How much waits, and what catch-up did since it was told last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Commands that wait and are not in flight.
    pub waiting: usize,
    /// Sessions that catch-up asked for.
    pub asked: usize,
    /// Sessions that came whole.
    pub answered: usize,
    /// Sessions that did not.
    pub failed: usize,
}

impl Counts {
    /// Their TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
/** How many commands wait, and of how many sessions catch-up asked, had the whole and had not, since this was told last. */
export interface Counts {
  waiting: number;
  asked: number;
  answered: number;
  failed: number;
}
";
}
