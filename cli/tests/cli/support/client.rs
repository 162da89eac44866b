//! A client of the daemon that can also misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};

use super::PATIENCE;

/// One connection.
pub(crate) struct Client {
    reader: BufReader<UnixStream>,
    next: u64,
}

impl Client {
    pub(crate) fn try_connect(socket: &Path) -> Option<Self> {
        let stream = UnixStream::connect(socket).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Some(Self {
            reader: BufReader::new(stream),
            next: 1,
        })
    }

    pub(crate) fn connect(socket: &Path) -> Self {
        Self::try_connect(socket).expect("a daemon answers")
    }

    /// Calls a method: its result, or its error.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        let id = self.send(method, params);
        let mut answer = self.receive().expect("an answer");
        assert_eq!(answer["jsonrpc"], "2.0");
        assert_eq!(answer["id"], id);
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    /// Sends a request and does not wait. Returns its id.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next;
        self.next += 1;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send_body(&request.to_string());
        id
    }

    pub(crate) fn send_body(&mut self, body: &str) {
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// Whether the daemon has closed, with nothing left to read.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.reader.read_line(&mut String::new()), Ok(0))
    }

    /// The next answer; none when the daemon has closed.
    pub(crate) fn receive(&mut self) -> Option<Value> {
        let mut length = None;
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((_, value)) => length = Some(value.parse::<usize>().unwrap()),
                None => break,
            }
        }
        let mut body = vec![0; length?];
        self.reader.read_exact(&mut body).unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }
}
