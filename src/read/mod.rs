//! Reading a value where it lies, and noting what of it is refused. No agent's
//! names are here.

pub(crate) mod fields;
mod known_keys;
pub mod node;
pub(crate) mod rejections;
mod sample;
