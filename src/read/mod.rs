//! Reading a value where it lies, and noting what of it is refused. No agent's
//! names are here.

pub(crate) mod fields;
pub mod node;
pub(crate) mod rejections;
