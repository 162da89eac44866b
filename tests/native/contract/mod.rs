//! The storage contract, a test a rule (`docs/storage-contract.md`).

mod by_hand;
mod calls;
mod cleared;
mod columns;
mod commands;
mod copies;
mod deleting;
mod erasing;
mod failures;
mod forks;
mod ledger;
mod mirror;
mod order;
mod others;
mod parents;
mod parts;
mod permissions;
mod purged;
mod revived;
mod schema;
mod session;
mod sides;
mod spending;
mod text;
mod times;
mod views;
