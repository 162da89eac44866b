//! The storage contract, a test a rule (`docs/storage-contract.md`).

mod by_hand;
mod commands;
mod deleting;
mod ledger;
mod mirror;
mod parents;
mod schema;
mod sides;
mod text;
mod views;
