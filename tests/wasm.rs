//! Tests of the core inside JavaScript: `wasm-pack test --node -- --test wasm`.
#![cfg(target_arch = "wasm32")]

#[path = "wasm/golden.rs"]
mod golden;
#[path = "wasm/hostile.rs"]
mod hostile;
#[path = "wasm/memory.rs"]
mod memory;
#[path = "wasm/support.rs"]
mod support;
