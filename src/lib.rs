//! The core of clankers: what OpenCode tells on its event bus becomes
//! idempotent changes to rows.
//!
//! ```text
//! event ─▶ decode ─▶ reconcile ─▶ commands ─▶ (shim, sink, SQLite)
//!             └▶ rejection, counted
//! ```
//!
//! [`Core::observe`] takes one event, [`Core::drain`] the commands that are
//! due, [`Core::settle`] says whether they were stored. The core reads no
//! clock and does no I/O; natively and in wasm it gives the same result.
//!
//! Modules in reading order: [`read`] (reading a value where it lies),
//! [`sources`] (what each agent sends), [`model`] (rows, events, commands),
//! [`reconcile`] (what changed), [`recorded`] (what of it a person wants stored), [`catch_up`] (what to ask for that no event
//! brought), [`store`] (the SQL that applies commands).

pub mod catch_up;
mod core;
mod counts;
pub mod model;
pub mod read;
pub mod reconcile;
pub mod recorded;
pub mod sources;
pub mod store;

#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use crate::core::{Core, Evicted, Options};
pub use crate::counts::Counts;
pub use crate::reconcile::Urgency;
pub use crate::recorded::Recorded;
