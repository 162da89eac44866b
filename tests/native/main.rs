//! Tests of the core and of the SQL it hands out, on a real `SQLite`.
#![cfg(not(target_arch = "wasm32"))]

mod arbitrary;
mod bounds;
mod contract;
mod drift;
mod events;
mod golden;
mod properties;
mod seed;
mod support;
