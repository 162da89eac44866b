//! The plugin on this machine: the copy that this program carries, where it is
//! placed, what shows that a release has it at work, and what goes wrong there.

pub(crate) mod carried;
pub(crate) mod place;
pub(crate) mod recorders;
pub(crate) mod refused;
pub(crate) mod seen;
pub(crate) mod standing;
pub(crate) mod trouble;
