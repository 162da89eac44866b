//! JSON-RPC 2.0: requests as they come, answers as they go.

use clankers::model::command::Command;
use serde::Deserialize;
use serde_json::{Value, json};

use super::stored::Wanted;
use crate::store::{Batch, BatchId};

/// The version of what is spoken over the socket. A change that an older
/// client would not understand raises it.
pub(crate) const PROTOCOL: u32 = 1;

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
}

/// An error that is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    code: Code,
    message: String,
    data: Option<Value>,
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

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

/// A request. Without an id it is a notification: done, and not answered.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Option<Value>,
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// Reads a request. The failure goes to the id that could still be read.
pub(crate) fn parse(body: &[u8]) -> Result<Request, Box<(Value, Failure)>> {
    let refuse = |id, failure| Err(Box::new((id, failure)));
    let request: Value = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => {
            let why = format!("not valid JSON: {error}");
            return refuse(Value::Null, Failure::new(Code::Parse, why));
        }
    };
    let Value::Object(mut request) = request else {
        let why = if request.is_array() {
            "a list of requests is not taken: send them one after the other, or `batch`"
        } else {
            "a request is an object"
        };
        return refuse(Value::Null, Failure::new(Code::InvalidRequest, why));
    };
    let id = request.remove("id");
    let wrong = |id: Option<Value>, field: &str, why: &str| {
        let failure = Failure::new(Code::InvalidRequest, format!("`{field}`: {why}"));
        refuse(
            id.unwrap_or_default(),
            failure.data(json!({ "field": field })),
        )
    };
    if !matches!(
        id,
        None | Some(Value::Null | Value::String(_) | Value::Number(_))
    ) {
        return wrong(None, "id", "expected a string or a number");
    }
    if request.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return wrong(id, "jsonrpc", "expected \"2.0\"");
    }
    let Some(Value::String(method)) = request.remove("method") else {
        return wrong(id, "method", "expected a string");
    };
    let params = request.remove("params").unwrap_or_else(|| json!({}));
    Ok(Request { id, method, params })
}

/// The answer to a request that was done, or was not.
pub(crate) fn answer(id: &Value, outcome: Result<Value, Failure>) -> Vec<u8> {
    let answer = match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(failure) => {
            let mut error = json!({ "code": failure.code as i32, "message": failure.message });
            if let (Some(data), Some(error)) = (failure.data, error.as_object_mut()) {
                error.insert("data".to_owned(), data);
            }
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        }
    };
    answer.to_string().into_bytes()
}

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Call {
    /// How the daemon is.
    Health,
    /// A client says who it is and what it speaks.
    Hello(Hello),
    /// What is stored of sessions or messages.
    Stored(Wanted),
    /// Commands, to be applied in one transaction.
    Apply(Batch),
}

/// The parameters of `hello`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Hello {
    pub(crate) client_name: String,
    pub(crate) client_version: String,
    /// What the client speaks; this daemon's own where it does not say.
    #[serde(default = "own_protocol")]
    pub(crate) protocol: u32,
}

const fn own_protocol() -> u32 {
    PROTOCOL
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchParams {
    #[serde(default)]
    id: Option<BatchId>,
    commands: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneOfBatch {
    method: String,
    params: Value,
}

/// Reads the parameters of a method.
pub(crate) fn call(method: &str, params: Value) -> Result<Call, Failure> {
    match method {
        "health" => Ok(Call::Health),
        "hello" => typed(params, "").map(Call::Hello),
        "sessions.stored" => typed(params, "").map(Wanted::Sessions).map(Call::Stored),
        "messages.stored" => typed(params, "").map(Wanted::Messages).map(Call::Stored),
        "batch" => {
            let BatchParams { id, commands } = typed(params, "")?;
            let read = |(at, one): (usize, Value)| {
                let place = format!("commands[{at}]");
                let OneOfBatch { method, params } = typed(one, &place)?;
                if !Command::METHODS.contains(&method.as_str()) {
                    let place = format!("{place}.method");
                    return Err(invalid(&place, &format!("no command `{method}`")));
                }
                command(&method, params, &format!("{place}.params"))
            };
            let commands: Result<_, _> = commands.into_iter().enumerate().map(read).collect();
            commands.map(|commands| Call::Apply(Batch { id, commands }))
        }
        _ if Command::METHODS.contains(&method) => {
            let commands = vec![command(method, params, "")?];
            Ok(Call::Apply(Batch { id: None, commands }))
        }
        _ => {
            let own = [
                "health",
                "hello",
                "sessions.stored",
                "messages.stored",
                "batch",
            ];
            let known: Vec<&str> = own.iter().chain(Command::METHODS).copied().collect();
            let failure = Failure::new(Code::MethodNotFound, format!("no method `{method}`"));
            Err(failure.data(json!({ "methods": known })))
        }
    }
}

/// Reads one command's parameters; `place` is where they stand in the request.
fn command(method: &str, params: Value, place: &str) -> Result<Command, Failure> {
    use clankers::model::command::{
        MessageDelete, MessageMissing, PartAppend, PartDelete, PartMissing, SessionDelete,
        SessionMissing, SessionRevert, TodoReplace, UsageBalance,
    };
    use clankers::model::rejection::RejectionRow;
    use clankers::model::row::{
        MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, ToolCallRow, UsageRow,
    };
    Ok(match method {
        "session.upsert" => Command::SessionUpsert(typed::<SessionRow>(params, place)?),
        "session.delete" => Command::SessionDelete(typed::<SessionDelete>(params, place)?),
        "session.revert" => Command::SessionRevert(typed::<SessionRevert>(params, place)?),
        "message.upsert" => Command::MessageUpsert(typed::<MessageRow>(params, place)?),
        "message.delete" => Command::MessageDelete(typed::<MessageDelete>(params, place)?),
        "part.upsert" => Command::PartUpsert(typed::<PartRow>(params, place)?),
        "part.append" => Command::PartAppend(typed::<PartAppend>(params, place)?),
        "part.delete" => Command::PartDelete(typed::<PartDelete>(params, place)?),
        "session.missing" => Command::SessionMissing(typed::<SessionMissing>(params, place)?),
        "message.missing" => Command::MessageMissing(typed::<MessageMissing>(params, place)?),
        "part.missing" => Command::PartMissing(typed::<PartMissing>(params, place)?),
        "tool_call.upsert" => Command::ToolCallUpsert(typed::<ToolCallRow>(params, place)?),
        "usage.upsert" => Command::UsageUpsert(typed::<UsageRow>(params, place)?),
        "usage.balance" => Command::UsageBalance(typed::<UsageBalance>(params, place)?),
        "session_error.upsert" => {
            Command::SessionErrorUpsert(typed::<SessionErrorRow>(params, place)?)
        }
        "permission.upsert" => Command::PermissionUpsert(typed::<PermissionRow>(params, place)?),
        "todo.replace" => Command::TodoReplace(typed::<TodoReplace>(params, place)?),
        "rejection.record" => Command::RejectionRecord(typed::<RejectionRow>(params, place)?),
        _ => {
            return Err(Failure::new(
                Code::Internal,
                format!("`{method}` is not handled"),
            ));
        }
    })
}

/// Reads parameters of one type, and says which field is wrong.
fn typed<T: serde::de::DeserializeOwned>(params: Value, place: &str) -> Result<T, Failure> {
    serde_path_to_error::deserialize(params).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner().to_string();
        // A field that is missing or unknown is named by the text alone.
        let named = why.split('`').nth(1).filter(|_| why.contains(" field `"));
        let own = if path == "." { "" } else { path.as_str() };
        let leaf = named.filter(|named| own != *named && !own.ends_with(&format!(".{named}")));
        let field: Vec<&str> = [place, own, leaf.unwrap_or_default()]
            .into_iter()
            .filter(|at| !at.is_empty())
            .collect();
        invalid(&field.join("."), &plain(&why))
    })
}

fn invalid(field: &str, why: &str) -> Failure {
    let message = if field.is_empty() {
        why.to_owned()
    } else {
        format!("`{field}`: {why}")
    };
    Failure::new(Code::InvalidParams, message).data(json!({ "field": field }))
}

/// Serde's words without Rust's type names.
fn plain(why: &str) -> String {
    let mut plain = why
        .replace("expected f64", "expected a number")
        .replace("expected u32", "expected a whole number")
        .replace("expected a sequence", "expected a list")
        .replace("expected a boolean", "expected true or false")
        .replace("invalid type: ", "found ")
        .replace("invalid value: ", "found ");
    if let Some(at) = plain.find("expected struct ") {
        plain.truncate(at);
        plain.push_str("expected an object");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Call, call, parse};
    use serde_json::{Value, json};

    fn refused(method: &str, params: Value) -> String {
        let failure = call(method, params).unwrap_err();
        format!("{} {}", failure.code as i32, failure.message)
    }

    #[test]
    fn the_call_of_the_contract_is_taken() {
        let params = json!({
            "sessionId": "test_session_001", "title": "Test Session", "projectPath": "/tmp/test",
            "projectName": "test", "model": "test-model", "provider": "test-provider",
            "promptTokens": 100, "completionTokens": 50, "cost": 0.001,
        });
        assert!(
            matches!(call("session.upsert", params), Ok(Call::Apply(batch)) if batch.commands.len() == 1)
        );
    }

    #[test]
    fn wrong_parameters_are_named() {
        assert_eq!(
            refused(
                "session.upsert",
                json!({ "id": "a", "promptTokens": "100" })
            ),
            "-32602 `promptTokens`: found string \"100\", expected a number"
        );
        assert_eq!(
            refused("session.upsert", json!({})),
            "-32602 `id`: missing field `id`"
        );
        let unknown = refused("session.upsert", json!({ "id": "a", "titel": "b" }));
        assert!(
            unknown.starts_with("-32602 `titel`: unknown field `titel`, expected one of `id`"),
            "{unknown}"
        );
        assert_eq!(
            refused("session.upsert", json!({ "id": "a", "status": "asleep" })),
            "-32602 `status`: unknown variant `asleep`, expected one of `idle`, `busy`, `retry`"
        );
        assert_eq!(
            refused(
                "todo.replace",
                json!({ "sessionId": "a", "todos": [{ "content": "x" }, {}] })
            ),
            "-32602 `todos[1].content`: missing field `content`"
        );
        assert_eq!(
            refused("session.upsert", json!("x")),
            "-32602 found string \"x\", expected an object"
        );
    }

    #[test]
    fn wrong_parameters_in_a_batch_are_named_with_their_place() {
        let good = json!({ "method": "session.upsert", "params": { "id": "a" } });
        let bad = json!({ "method": "message.upsert", "params": { "id": "m", "sessionId": 3 } });
        assert_eq!(
            refused("batch", json!({ "commands": [good, bad] })),
            "-32602 `commands[1].params.sessionId`: found integer `3`, expected a string"
        );
        assert_eq!(
            refused(
                "batch",
                json!({ "commands": [{ "method": "health", "params": {} }] })
            ),
            "-32602 `commands[0].method`: no command `health`"
        );
        assert_eq!(
            refused(
                "batch",
                json!({ "commands": [{ "method": "session.upsert" }] })
            ),
            "-32602 `commands[0].params`: missing field `params`"
        );
        assert_eq!(
            refused("batch", json!({ "commands": {} })),
            "-32602 `commands`: found map, expected a list"
        );
    }

    #[test]
    fn unknown_methods_are_refused() {
        assert_eq!(
            refused("session.insert", json!({})),
            "-32601 no method `session.insert`"
        );
    }

    #[test]
    fn what_is_no_request_is_refused_for_the_id_it_names() {
        let refused = |body: &str| {
            let (id, failure) = *parse(body.as_bytes()).unwrap_err();
            format!("{id} {} {}", failure.code as i32, failure.message)
        };
        assert!(refused("{").starts_with("null -32700 not valid JSON"));
        assert_eq!(refused("3"), "null -32600 a request is an object");
        assert!(refused("[]").starts_with("null -32600 a list of requests"));
        assert_eq!(
            refused(r#"{"id":7,"method":"health"}"#),
            "7 -32600 `jsonrpc`: expected \"2.0\""
        );
        assert_eq!(
            refused(r#"{"jsonrpc":"2.0","id":"x"}"#),
            "\"x\" -32600 `method`: expected a string"
        );
        assert_eq!(
            refused(r#"{"jsonrpc":"2.0","id":[],"method":"health"}"#),
            "null -32600 `id`: expected a string or a number"
        );
    }
}
