//! JSON-RPC 2.0: requests as they come, answers as they go.

use serde_json::{Value, json};

use super::failure::{Code, Failure};

/// The version of what is spoken over the socket. A change that an older
/// client would not understand raises it.
pub(crate) const PROTOCOL: u32 = 1;

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

#[cfg(test)]
mod tests {
    use super::parse;

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
