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
//! Modules in reading order: [`node`] and `wire` (what OpenCode sends),
//! [`decode`], [`event`], [`reconcile`], [`row`] and [`command`] (what comes
//! out), [`rejection`], [`plan`] (what to ask OpenCode for), [`absent`] (what it
//! has no more), [`store`] (the SQL that applies commands).

pub mod absent;
pub mod command;
mod core;
pub mod decode;
pub mod event;
pub mod known;
pub mod node;
pub mod number;
pub mod plan;
pub mod reconcile;
pub mod rejection;
mod rejections;
pub mod row;
pub mod store;
mod wire;

#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use crate::core::{Core, EventTypes, Options, event_types};
pub use crate::reconcile::Urgency;
