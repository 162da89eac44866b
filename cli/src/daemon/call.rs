//! What a request asks for: its method, with the parameters read.

use clankers::model::command::Command;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Code, Failure};
use super::params::{invalid, typed};
use super::rpc::PROTOCOL;
use super::stored::Wanted;
use crate::store::{Batch, BatchId};

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Call {
    /// How the daemon is.
    Health,
    /// A client says who it is and what it speaks.
    Hello(Hello),
    /// What is stored of sessions or messages.
    Stored(Wanted),
    /// Commands, to be applied in one transaction, and the database that they
    /// count on, where that matters.
    Apply(Batch, Option<String>),
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
    #[serde(default)]
    database: Option<String>,
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
            let BatchParams {
                id,
                database,
                commands,
            } = typed(params, "")?;
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
            commands.map(|commands| Call::Apply(Batch { id, commands }, database))
        }
        _ if Command::METHODS.contains(&method) => {
            let commands = vec![command(method, params, "")?];
            Ok(Call::Apply(Batch { id: None, commands }, None))
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

#[cfg(test)]
mod tests {
    use super::{Call, call};
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
            matches!(call("session.upsert", params), Ok(Call::Apply(batch, None)) if batch.commands.len() == 1)
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
}
