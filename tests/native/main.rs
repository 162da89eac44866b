//! Tests of the core and of the SQL it hands out, on a real `SQLite`.
#![cfg(not(target_arch = "wasm32"))]
#![expect(
    clippy::indexing_slicing,
    clippy::needless_for_each,
    clippy::needless_pass_by_value,
    reason = "a test fails where a value is not there; stories are told by value"
)]

mod arbitrary;
mod bounds;
mod catch_up;
mod catching_up;
mod contract;
mod drift;
mod events;
mod falling;
mod golden;
mod hurry;
mod moment;
mod opencode2;
mod properties;
mod recorded;
mod seed;
mod support;
mod urgency;
mod words;
