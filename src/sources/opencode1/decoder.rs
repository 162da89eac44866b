//! An event that is being read, and what is at hand while it is. What it says is
//! read in `decode`, texts that grow in `delta`, ids in `identity`.

use crate::read::fields::{Fields, Issues};
use crate::read::node::Node;
use crate::sources::Context;

/// The event, or an answer that is read as one.
pub(super) struct Decoder<'d, N> {
    pub(super) envelope: &'d N,
    pub(super) properties: N,
    pub(super) context: &'d Context<'d>,
    pub(super) issues: &'d Issues,
}

impl<'d, N: Node> Decoder<'d, N> {
    pub(super) fn fields(&self) -> Fields<'d, N> {
        Fields::new(self.properties.clone(), "properties", self.issues)
    }
}
