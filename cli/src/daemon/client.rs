//! A client for our own commands: asks a running daemon how it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::transport;
use crate::error::{Error, Result};

/// What the daemon on `socket` says of itself; none where none answers.
pub(crate) fn health(socket: &Path) -> Option<Result<Value>> {
    let stream = transport::connect(socket).ok()?;
    Some(call(stream, "health"))
}

fn call<S: Read + Write>(mut stream: S, method: &str) -> Result<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    stream.flush()?;
    let mut reader = BufReader::new(stream);
    let mut length: Option<u64> = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(Error::new("the daemon closed the connection"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    let length = length.ok_or_else(|| Error::new("what answers is no daemon of clankers"))?;
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let mut answer: Value = serde_json::from_slice(&body)?;
    if let Some(why) = answer.pointer("/error/message").and_then(Value::as_str) {
        return Err(Error::new(format!("the daemon says: {why}")));
    }
    Ok(answer
        .get_mut("result")
        .map(Value::take)
        .unwrap_or_default())
}
