//! The errors of JSON-RPC that are answered.

use serde_json::Value;

/// The errors that are answered, by their codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The body is no JSON.
    Parse = -32700,
    /// It is JSON, but no request.
    InvalidRequest = -32600,
    /// No such method.
    MethodNotFound = -32601,
    /// The parameters are wrong; `data.field` says where.
    InvalidParams = -32602,
    /// The daemon cannot do what it should.
    Internal = -32603,
    /// The client speaks another protocol.
    Protocol = -32001,
    /// The frame is over the limit.
    TooLong = -32002,
    /// The database could not be written; `data.retry` says whether to try again.
    Database = -32003,
    /// The daemon is about to end.
    Ending = -32004,
    /// The database is another one than the client counts on; `data.database` names it.
    Replaced = -32005,
}

/// An error that is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    #[must_use]
    pub(crate) fn data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// What the log says of it: of a wrong parameter where it stands, since the message
    /// quotes what was sent.
    pub(crate) fn logged(&self) -> &str {
        let data = self.data.as_ref();
        match data.and_then(|data| data.get("field")?.as_str()) {
            Some(field) if self.code == Code::InvalidParams => field,
            _ => &self.message,
        }
    }
}
