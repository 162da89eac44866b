//! A client for our own commands: asks a running daemon how it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::transport;
use crate::error::{Error, Result};

/// The longest answer that is read: `health` has some hundred bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// What the daemon on `socket` says of itself; none where none answers. What others may
/// have put there is not asked: it could name any process as the daemon's.
pub(crate) fn health(socket: &Path) -> Option<Result<Value>> {
    if let Err(foreign) = transport::refuse_foreign(socket) {
        return Some(Err(foreign));
    }
    let stream = transport::connect(socket).ok()?;
    Some(call(stream, "health"))
}

fn call<S: Read + Write>(mut stream: S, method: &str) -> Result<Value> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method }).to_string();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    stream.flush()?;
    let mut reader = BufReader::new(stream.take(LONGEST_ANSWER));
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

#[cfg(test)]
mod tests {
    use std::io::{self, Read, Write};

    use super::{LONGEST_ANSWER, call};

    /// What never stops to answer, and how much was read of it.
    struct Endless {
        read: u64,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.read > 2 * LONGEST_ANSWER {
                return Err(io::Error::other("it was not to be read"));
            }
            buffer.fill(b'x');
            self.read += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    impl Write for Endless {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            Ok(buffer.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_more_is_read_than_a_daemon_answers() {
        let mut endless = Endless { read: 0 };
        call(&mut endless, "health").unwrap_err();
        assert_eq!(endless.read, LONGEST_ANSWER);
    }
}
