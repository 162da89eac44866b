//! Catch-up: what to ask an agent for that no event brought, and what its
//! answers mean. It does no I/O; a caller does the asking.

pub mod absent;
pub mod plan;
