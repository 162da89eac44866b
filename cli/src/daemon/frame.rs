//! Content-Length framing, as in the Language Server Protocol:
//! `Content-Length: 12\r\n\r\n` and then that many bytes.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest body that is read: a batch of the plugin is some hundred KiB.
pub(crate) const MAX_BODY: u64 = 64 * 1024 * 1024;
/// The longest body that is skipped, to go on with what follows it.
const MAX_SKIPPED: u64 = 1024 * 1024 * 1024;
/// How long a frame may take from its first byte on: it is on the same machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest header that is read.
const MAX_HEADER: u64 = 8 * 1024;

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A frame's body.
    Body(Vec<u8>),
    /// A frame of this many bytes, over the limit. It was skipped.
    TooLong(u64),
    /// What is no header. Where the next frame begins cannot be known.
    NoFrame(String),
    /// The other side has closed.
    End,
}

/// Waits for the next frame, for ever, and reads it, which may not take as long.
pub(crate) async fn read<R: AsyncBufRead + Unpin>(reader: &mut R) -> Result<Incoming> {
    reader.fill_buf().await?;
    let late = |_| {
        let seconds = PATIENCE.as_secs();
        Incoming::NoFrame(format!("a frame was not complete after {seconds} s"))
    };
    tokio::time::timeout(PATIENCE, read_begun(reader))
        .await
        .unwrap_or_else(|elapsed| Ok(late(elapsed)))
}

async fn read_begun<R: AsyncBufRead + Unpin>(reader: &mut R) -> Result<Incoming> {
    let length = match header(reader).await? {
        Header::Length(length) => length,
        Header::Wrong(why) => return Ok(Incoming::NoFrame(why)),
        Header::End => return Ok(Incoming::End),
    };
    if length > MAX_SKIPPED {
        return Ok(Incoming::NoFrame(format!(
            "a frame of {length} bytes is far over the limit"
        )));
    }
    if length > MAX_BODY {
        let skipped = tokio::io::copy(&mut reader.take(length), &mut tokio::io::sink()).await?;
        return Ok(if skipped == length {
            Incoming::TooLong(length)
        } else {
            Incoming::End
        });
    }
    let mut body = Vec::new();
    // Grows with what really comes, not with what the header promises.
    let read = reader.take(length).read_to_end(&mut body).await?;
    Ok(if read as u64 == length {
        Incoming::Body(body)
    } else {
        Incoming::End
    })
}

/// Writes one frame.
pub(crate) async fn write<W: AsyncWrite + Unpin>(writer: &mut W, body: &[u8]) -> Result<()> {
    let header = format!("Content-Length: {}\r\n\r\n", body.len());
    writer.write_all(header.as_bytes()).await?;
    writer.write_all(body).await
}

enum Header {
    Length(u64),
    Wrong(String),
    End,
}

async fn header<R: AsyncBufRead + Unpin>(reader: &mut R) -> Result<Header> {
    let mut length = None;
    let mut left = MAX_HEADER;
    loop {
        let mut line = Vec::new();
        let read = reader.take(left).read_until(b'\n', &mut line).await?;
        left = left.saturating_sub(read as u64);
        if line.last() != Some(&b'\n') {
            let is_end = left > 0;
            return Ok(if is_end {
                Header::End
            } else {
                Header::Wrong("the header has no end".to_owned())
            });
        }
        let line = String::from_utf8(line).map_err(|_| Error::from(ErrorKind::InvalidData));
        let Ok(line) = line else {
            return Ok(Header::Wrong("the header is not text".to_owned()));
        };
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Ok(match length {
                Some(length) => Header::Length(length),
                None => Header::Wrong("the header has no Content-Length".to_owned()),
            });
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Header::Wrong("a header line has no colon".to_owned()));
        };
        if name.trim().eq_ignore_ascii_case("content-length") {
            let Ok(value) = value.trim().parse() else {
                return Ok(Header::Wrong("the Content-Length is no number".to_owned()));
            };
            length = Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::{Incoming, MAX_BODY, PATIENCE, read, write};

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn all(bytes: &[u8]) -> Vec<String> {
        run(async {
            let mut reader = bytes;
            let mut seen = Vec::new();
            loop {
                match read(&mut reader).await.unwrap() {
                    Incoming::Body(body) => seen.push(String::from_utf8(body).unwrap()),
                    Incoming::TooLong(length) => seen.push(format!("too long: {length}")),
                    Incoming::NoFrame(why) => {
                        seen.push(why);
                        return seen;
                    }
                    Incoming::End => return seen,
                }
            }
        })
    }

    #[test]
    fn frames_follow_one_another() {
        let mut bytes = Vec::new();
        run(async {
            write(&mut bytes, b"one").await.unwrap();
            write(&mut bytes, "zwölf".as_bytes()).await.unwrap();
            write(&mut bytes, b"").await.unwrap();
        });
        assert_eq!(all(&bytes), ["one", "zwölf", ""]);
    }

    #[test]
    fn other_headers_and_any_case_are_taken() {
        let bytes = b"content-type: x\r\nCONTENT-LENGTH:2\r\n\r\nhi";
        assert_eq!(all(bytes), ["hi"]);
    }

    #[test]
    fn what_is_cut_off_is_the_end() {
        assert!(all(b"Content-Length: 10\r\n\r\nabc").is_empty());
        assert!(all(b"Content-Le").is_empty());
        assert!(all(b"").is_empty());
    }

    #[test]
    fn one_that_has_begun_is_not_waited_for_for_ever() {
        run(async {
            tokio::time::pause();
            for begun in ["C", "Content-Length: 10\r\n\r\nabc"] {
                let (mut client, stream) = tokio::io::duplex(1024);
                let mut reader = tokio::io::BufReader::new(stream);
                // Nothing has begun yet.
                let waiting = tokio::time::timeout(100 * PATIENCE, read(&mut reader));
                assert!(waiting.await.is_err());
                client.write_all(begun.as_bytes()).await.unwrap();
                let Incoming::NoFrame(why) = read(&mut reader).await.unwrap() else {
                    panic!("it has no end");
                };
                assert_eq!(why, "a frame was not complete after 30 s");
            }
        });
    }

    #[test]
    fn a_wrong_header_says_why() {
        assert_eq!(
            all(b"Content-Length: ten\r\n\r\n"),
            ["the Content-Length is no number"]
        );
        assert_eq!(
            all(b"Content-Length: -1\r\n\r\n"),
            ["the Content-Length is no number"]
        );
        assert_eq!(
            all(b"Content-Type: x\r\n\r\n"),
            ["the header has no Content-Length"]
        );
        assert_eq!(
            all(b"GET / HTTP/1.1\r\n\r\n"),
            ["a header line has no colon"]
        );
        assert_eq!(all(&[b'a'; 9000]), ["the header has no end"]);
        let huge = format!("Content-Length: {}\r\n\r\n", u64::MAX);
        assert_eq!(
            all(huge.as_bytes()),
            ["a frame of 18446744073709551615 bytes is far over the limit"]
        );
    }

    #[test]
    fn a_frame_over_the_limit_is_skipped_and_the_next_is_read() {
        let length = usize::try_from(MAX_BODY + 1).unwrap();
        let mut bytes = format!("Content-Length: {length}\r\n\r\n").into_bytes();
        bytes.resize(bytes.len() + length, b'x');
        bytes.extend_from_slice(b"Content-Length: 2\r\n\r\nhi");
        assert_eq!(
            all(&bytes),
            [format!("too long: {length}"), "hi".to_owned()]
        );
    }
}
