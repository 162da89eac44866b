//! What is shown of a message, piece by piece; `terminal` and `markdown` write it.

/// A piece of a message, as it is shown.
pub(super) enum Item {
    /// Words of the person or the model.
    Text(String),
    /// One line that stands for more than is shown.
    Summary(String),
    /// One line about a tool call that failed.
    FailedCall(String),
    /// What a tool was given or returned, or the model thought: whole.
    Block(String),
    /// Why the message as a whole failed.
    Failure(String),
}
