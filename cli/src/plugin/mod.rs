//! The plugin on this machine: the copy that this program carries, where it is
//! placed, and what shows that a release has it at work.

pub(crate) mod carried;
pub(crate) mod place;
pub(crate) mod seen;
pub(crate) mod standing;
pub(crate) mod trouble;
