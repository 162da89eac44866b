//! The agents' engines that clankers records, a folder each. Only here are
//! their names and the habits of their releases.

use std::borrow::Cow;

use crate::model::event::Event;
use crate::model::rejection::Rejection;

pub mod opencode1;

/// What became of one event.
#[derive(Debug)]
pub struct Decoded {
    /// Its type, or `(none)`.
    pub event_type: Cow<'static, str>,
    /// What it says, unless it was refused or is ignored on purpose.
    pub event: Option<Event>,
    /// What was refused of it, all of it or fields.
    pub rejections: Vec<Rejection>,
}

/// What decoding has to know beside the event.
pub struct Context<'c> {
    /// The present, Unix milliseconds.
    pub now: f64,
    /// How long the text is, in UTF-16 units, that is held of a part.
    pub held: &'c dyn Fn(&str) -> Option<usize>,
}
