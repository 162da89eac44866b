//! What the fuzz target `frames` tries: bytes of a client, read as the daemon reads them.

use std::pin::Pin;
use std::task::{Context, Poll};

use clankers::model::command::Command;
use tokio::io::{AsyncRead, BufReader, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use super::call::{Call, call};
use super::frame::{self, Incoming};
use super::rpc;

/// What came of a client's bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frames {
    /// The bodies of its frames.
    pub bodies: Vec<Vec<u8>>,
    /// Why no more was read; nothing where that was the end.
    pub refused: Option<String>,
}

/// Reads a client's bytes, of which so many come at once.
pub fn frames(bytes: &[u8], at_once: usize) -> Frames {
    waited(async {
        let mut reader = BufReader::new(Pieces { bytes, at_once });
        let mut bodies = Vec::new();
        loop {
            let refused = match frame::read(&mut reader).await {
                Ok(Incoming::Body(body)) => {
                    bodies.push(body);
                    continue;
                }
                Ok(Incoming::TooLong(length)) => Some(format!("{length} bytes")),
                Ok(Incoming::NoFrame(why)) => Some(why),
                Ok(Incoming::End) => None,
                Err(error) => Some(error.to_string()),
            };
            return Frames { bodies, refused };
        }
    })
}

/// A body as it is framed.
pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    waited(async {
        // Writing to memory does not fail.
        let _ = frame::write(&mut bytes, body).await;
    });
    bytes
}

/// The commands that a request asks to be stored, none where it asks for something
/// else.
///
/// # Errors
///
/// The answer that refuses it.
pub fn asked(body: &[u8]) -> Result<Vec<Command>, Vec<u8>> {
    let request = rpc::parse(body).map_err(|refused| rpc::answer(&refused.0, Err(refused.1)))?;
    match call(&request.method, request.params) {
        Ok(Call::Apply(batch, _)) => Ok(batch.commands),
        Ok(Call::Health | Call::Hello(_) | Call::Stored(_)) => Ok(Vec::new()),
        Err(failure) => Err(rpc::answer(&request.id.unwrap_or_default(), Err(failure))),
    }
}

fn waited<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: std::io::Result<Runtime> =
            Builder::new_current_thread().enable_time().build();
    }
    RUNTIME.with(|runtime| match runtime {
        Ok(runtime) => runtime.block_on(future),
        Err(_) => std::process::abort(),
    })
}

/// Bytes that come a few at a time.
struct Pieces<'b> {
    bytes: &'b [u8],
    at_once: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let length = self.at_once.max(1).min(into.remaining());
        let (now, later) = self
            .bytes
            .split_at_checked(length)
            .unwrap_or((self.bytes, &[]));
        into.put_slice(now);
        self.bytes = later;
        Poll::Ready(Ok(()))
    }
}
