//! Reports: how a recorder is, which it tells with each batch.

use serde::{Deserialize, Serialize};

use crate::model::number::Number;

/// What a recorder has counted since its process began (the view `recorders`).
///
/// It is stored with the batch that it comes with. What is not known of it is left
/// out: a later release may tell more, and a daemon is to take its batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The release of clankers.
    pub version: String,
    /// Whose events it takes, the name of a `Dialect`.
    pub dialect: String,
    /// The number of its process.
    pub pid: u32,
    /// When it began, Unix milliseconds.
    pub started_at: Number,
    /// When it told this, Unix milliseconds.
    pub reported_at: Number,
    /// Events that came, those of ignored types among them.
    pub seen: Number,
    /// Events of types that are known and never recorded.
    pub ignored: Number,
    /// Events, and fields of events, that were refused.
    pub refused: Number,
    /// Commands that were stored, those of this batch among them.
    pub commands: Number,
    /// Batches that were stored, this one among them.
    pub drains: Number,
    /// Commands that are left for later batches.
    pub waiting: Number,
    /// What went wrong last, in a few words that hold no content and no path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<Number>,
    /// Sessions that catch-up asked for.
    pub asked: Number,
    /// Those of them that came whole.
    pub answered: Number,
    /// Those of them that did not.
    pub failed: Number,
    /// When catch-up last came to its end with everything answered, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caught_up_at: Option<Number>,
    /// Since when something is missing that catch-up has not brought, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_since: Option<Number>,
}

impl Report {
    /// The report's TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
/** What a recorder has counted since its process began. Times are Unix milliseconds. */
export interface Report {
  /** The release of clankers. */
  version: string;
  dialect: Dialect;
  pid: number;
  startedAt: number;
  reportedAt: number;
  /** Events that came, those of ignored types among them. */
  seen: number;
  ignored: number;
  /** Events, and fields of events. */
  refused: number;
  commands: number;
  drains: number;
  /** Commands that are left for later batches. */
  waiting: number;
  lastError?: string;
  lastErrorAt?: number;
  /** Sessions that catch-up asked for, that came whole, and that did not. */
  asked: number;
  answered: number;
  failed: number;
  /** When catch-up last came to its end with everything answered. */
  caughtUpAt?: number;
  /** Since when something is missing that catch-up has not brought. */
  behindSince?: number;
}
";
}
