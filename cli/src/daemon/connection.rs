//! One client: requests are read, done and answered in their order. Several
//! may be under way; when too many are, no more is read until some are done.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::sync::{mpsc, oneshot, watch};

use super::call::{Call, Hello, call};
use super::clients::Client;
use super::failure::{Code, Failure};
use super::frame::{self, Incoming, MAX_BODY};
use super::health::Health;
use super::rpc::{self, PROTOCOL, Request};
use super::stored;
use super::writer::Job;
use crate::store::Applied;

/// How many requests of one client may be under way.
const UNDER_WAY: usize = 64;

/// What every connection works with.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) health: Arc<Health>,
    /// Becomes true when the daemon is to end.
    pub(crate) ending: watch::Receiver<bool>,
}

/// An answer that is there, or will be.
enum Answer {
    Ready(Vec<u8>),
    Stored {
        id: Option<Value>,
        done: oneshot::Receiver<Result<Applied, Failure>>,
    },
}

/// Serves one client until it leaves, is told to, or the daemon ends.
pub(super) async fn serve<S: AsyncRead + AsyncWrite>(
    stream: S,
    shared: Shared,
    client: &Client,
) -> std::io::Result<()> {
    let (reader, writer) = tokio::io::split(stream);
    let (answers, queue) = mpsc::channel(UNDER_WAY);
    let (read, written) = tokio::join!(
        read_all(BufReader::new(reader), shared, client, answers),
        write_all(writer, queue)
    );
    written.and(read)
}

async fn read_all<R: AsyncRead + Unpin>(
    mut reader: BufReader<R>,
    mut shared: Shared,
    client: &Client,
    answers: mpsc::Sender<Answer>,
) -> std::io::Result<()> {
    loop {
        let incoming = tokio::select! {
            biased;
            // What was read in part was not acknowledged: its sender keeps it.
            _ = shared.ending.wait_for(|ending| *ending) => return Ok(()),
            () = client.told_to_leave() => return Ok(()),
            incoming = frame::read(&mut reader) => incoming?,
        };
        client.heard();
        let answer = match incoming {
            Incoming::Body(body) => handle(&body, &shared).await,
            Incoming::TooLong(length) => {
                let why = format!("a frame of {length} bytes is over the limit of {MAX_BODY}");
                let failure = Failure::new(Code::TooLong, why).data(json!({ "limit": MAX_BODY }));
                refused(&Value::Null, failure)
            }
            Incoming::NoFrame(why) => {
                let answer = refused(&Value::Null, Failure::new(Code::Parse, why));
                let _ = answers.send(answer).await;
                return Ok(());
            }
            Incoming::End => return Ok(()),
        };
        // A client that has left hears no answer; what it sent before is done all the same.
        let _ = answers.send(answer).await;
    }
}

async fn write_all<W: AsyncWrite + Unpin>(
    writer: W,
    mut queue: mpsc::Receiver<Answer>,
) -> std::io::Result<()> {
    let mut writer = BufWriter::new(writer);
    loop {
        let answer = if let Ok(answer) = queue.try_recv() {
            answer
        } else {
            // Nothing more is ready: the client gets what there is.
            writer.flush().await?;
            match queue.recv().await {
                Some(answer) => answer,
                None => return writer.shutdown().await,
            }
        };
        match answer {
            Answer::Ready(body) if body.is_empty() => {}
            Answer::Ready(body) => frame::write(&mut writer, &body).await?,
            Answer::Stored { id, mut done } => {
                let ended = || Failure::new(Code::Ending, "the daemon ends: send it again later");
                let outcome = if let Ok(outcome) = done.try_recv() {
                    outcome
                } else {
                    // Earlier answers do not wait for this one.
                    writer.flush().await?;
                    done.await.unwrap_or_else(|_| Err(ended()))
                };
                if let Some(id) = id {
                    let outcome = outcome.map(|applied| json!({ "applied": applied }));
                    frame::write(&mut writer, &rpc::answer(&id, outcome)).await?;
                }
            }
        }
    }
}

async fn handle(body: &[u8], shared: &Shared) -> Answer {
    let Request { id, method, params } = match rpc::parse(body) {
        Ok(request) => request,
        Err(refusal) => return refused(&refusal.0, refusal.1),
    };
    let outcome = match call(&method, params) {
        Ok(Call::Health) => shared.health.report().await,
        Ok(Call::Hello(hello)) => welcome(&hello, &shared.health),
        Ok(Call::Stored(wanted)) => stored::rows(shared.health.db(), wanted).await,
        Ok(Call::Apply(batch, database)) => {
            let (done, answer) = oneshot::channel();
            let job = Job {
                batch,
                database,
                done,
            };
            return match shared.jobs.send(job).await {
                Ok(()) => Answer::Stored { id, done: answer },
                Err(_) => refused(
                    &id.unwrap_or_default(),
                    Failure::new(Code::Internal, "the database's writer has ended"),
                ),
            };
        }
        Err(failure) => Err(failure),
    };
    if let Err(failure) = &outcome {
        let code = failure.code as i32;
        tracing::warn!(method, code, why = failure.logged(), "refused a request");
    }
    // A notification is not answered, not even when it is refused.
    Answer::Ready(id.map_or_else(Vec::new, |id| rpc::answer(&id, outcome)))
}

fn refused(id: &Value, failure: Failure) -> Answer {
    tracing::warn!(why = failure.logged(), "refused a frame");
    Answer::Ready(rpc::answer(id, Err(failure)))
}

fn welcome(hello: &Hello, health: &Health) -> Result<Value, Failure> {
    tracing::info!(
        name = hello.client_name,
        version = hello.client_version,
        "a client said hello"
    );
    if hello.protocol != PROTOCOL {
        let why = format!(
            "this daemon speaks protocol {PROTOCOL}, the client {}: update the older of them",
            hello.protocol
        );
        return Err(Failure::new(Code::Protocol, why).data(json!({ "protocol": PROTOCOL })));
    }
    Ok(health.identity())
}
