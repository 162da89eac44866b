//! What OpenCode 2's background service says of the plugin. It is asked only
//! where its password lies in a file of our own user, and only on this machine.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::module::PACKAGE;
use crate::paths::xdg_state;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer is some kilobytes; no more than this is read.
const MAX_ANSWER: u64 = 4 << 20;

/// What the service says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// The plugin is loaded in that folder.
    Active,
    /// The service has it in another state than active, or not at all.
    NotLoaded,
    /// Nothing was said to OpenCode in that folder yet: it loads plugins then.
    NotStarted,
    /// It does not answer as it should.
    Silent(String),
}

/// The service that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) version: Option<String>,
    pub(crate) word: Word,
}

/// Asks the service of our own user, where one is running, about a project.
pub(crate) fn ask(project: &Path) -> Option<Service> {
    let registration = Registration::read()?;
    let word = match registration.plugins(project) {
        Ok(plugins) => word_in(&plugins),
        Err(why) => Word::Silent(why),
    };
    Some(Service {
        version: registration.version,
        word,
    })
}

/// Whether the service of our own user is running.
pub(crate) fn is_running() -> bool {
    Registration::read().is_some()
}

fn word_in(answer: &Value) -> Word {
    let Some(plugins) = answer.get("data").and_then(Value::as_array) else {
        return Word::Silent("its answer has no list of plugins".to_owned());
    };
    if plugins.is_empty() {
        return Word::NotStarted;
    }
    let is_active = plugins.iter().any(|plugin| {
        let text = |pointer| plugin.pointer(pointer).and_then(Value::as_str);
        text("/id") == Some(PACKAGE) && text("/state/status") == Some("active")
    });
    if is_active {
        Word::Active
    } else {
        Word::NotLoaded
    }
}

/// What the service has written down of itself.
struct Registration {
    address: SocketAddr,
    password: String,
    version: Option<String>,
}

impl Registration {
    fn read() -> Option<Self> {
        let path = xdg_state().ok()?.join("opencode/service.json");
        if !is_own(&path) {
            return None;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).ok()?).ok()?;
        let text = |name: &str| file.get(name).and_then(Value::as_str);
        let pid = file.get("pid")?.as_i64()?;
        if !is_alive(pid) {
            return None;
        }
        Some(Self {
            address: loopback(text("url")?)?,
            password: text("password")?.to_owned(),
            version: text("version").map(str::to_owned),
        })
    }

    fn plugins(&self, project: &Path) -> Result<Value, String> {
        let directory = percent(project.to_str().ok_or("the folder's name is not text")?);
        let secret = base64(format!("opencode:{}", self.password).as_bytes());
        let request = format!(
            "GET /api/plugin?location[directory]={directory} HTTP/1.1\r\nHost: {}\r\n\
             Authorization: Basic {secret}\r\nAccept: application/json\r\n\
             Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
            self.address
        );
        let answer = self.send(&request).map_err(|error| error.to_string())?;
        let body = body_of(&answer)?;
        serde_json::from_slice(&body).map_err(|error| format!("not valid JSON: {error}"))
    }

    /// The whole answer. One deadline holds for all of it, however slowly it comes.
    fn send(&self, request: &str) -> std::io::Result<Vec<u8>> {
        let deadline = Instant::now() + PATIENCE;
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || answer.len() as u64 > MAX_ANSWER {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut buffer)? {
                0 => return Ok(answer),
                count => answer.extend(buffer.iter().take(count)),
            }
        }
    }
}

/// The address in a URL, where it is on this machine.
fn loopback(url: &str) -> Option<SocketAddr> {
    let rest = url.strip_prefix("http://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = authority.rsplit_once(':')?;
    let host = match host {
        "localhost" => "127.0.0.1",
        _ => host.trim_start_matches('[').trim_end_matches(']'),
    };
    let ip: IpAddr = host.parse().ok()?;
    ip.is_loopback()
        .then_some(SocketAddr::new(ip, port.parse().ok()?))
}

/// Whether a file is our own user's, and no link.
#[cfg(unix)]
fn is_own(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_file() && found.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn is_own(path: &Path) -> bool {
    path.is_file()
}

#[cfg(unix)]
fn is_alive(pid: i64) -> bool {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(not(unix))]
fn is_alive(_: i64) -> bool {
    true
}

/// The body of an answer whose status is 200.
fn body_of(answer: &[u8]) -> Result<Vec<u8>, String> {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("it is no HTTP answer")?;
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head).to_lowercase();
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("HTTP status {status}"));
    }
    if head.contains("transfer-encoding: chunked") {
        unchunked(body).ok_or_else(|| "the answer is cut off".to_owned())
    } else {
        Ok(body.to_vec())
    }
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let line = std::str::from_utf8(rest.get(..end)?).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let chunk = rest.get(end + 2..)?;
        body.extend(chunk.get(..size)?);
        rest = chunk.get(size + 2..)?;
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4_usize {
            let index = (bits >> (18 - 6 * place)) & 63;
            let letter = LETTERS.get(index as usize).copied().unwrap_or_default();
            encoded.push(if place > three.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{Word, base64, body_of, loopback, percent, word_in};
    use serde_json::json;

    #[test]
    fn only_this_machine_is_asked() {
        assert!(loopback("http://127.0.0.1:49374").is_some());
        assert!(loopback("http://localhost:49374/").is_some());
        assert!(loopback("http://[::1]:49374").is_some());
        for other in [
            "http://192.168.0.1:49374",
            "http://example.com:80",
            "http://127.0.0.1.example.com:80",
            "http://user@example.com:80",
            "http://127.0.0.1:80@example.com:80",
            "https://127.0.0.1:49374",
            "http://127.0.0.1",
            "http://0.0.0.0:49374",
        ] {
            assert_eq!(loopback(other), None, "{other}");
        }
    }

    #[test]
    fn secrets_and_folders_are_encoded() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foo"), "Zm9v");
        assert_eq!(base64(b"opencode:p\xff~"), "b3BlbmNvZGU6cP9+");
        assert_eq!(
            percent("/home/user/a b&c=ü"),
            "/home/user/a%20b%26c%3D%C3%BC"
        );
    }

    #[test]
    fn an_answer_is_read_whole_or_in_chunks() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(body_of(whole).unwrap(), b"{}");
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x\r\n}\r\n0\r\n\r\n";
        assert_eq!(body_of(chunked).unwrap(), b"{}");
        assert!(body_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{").is_err());
        assert_eq!(
            body_of(b"HTTP/1.1 401 Unauthorized\r\n\r\n"),
            Err("HTTP status 401".to_owned())
        );
        assert!(body_of(b"SSH-2.0-OpenSSH").is_err());
    }

    #[test]
    fn a_plugin_is_loaded_only_where_it_is_active() {
        let plugin = |id: &str, status: &str| json!({ "id": id, "state": { "status": status } });
        let word = |plugins: &[serde_json::Value]| word_in(&json!({ "data": plugins }));
        let builtin = plugin("opencode.agent", "active");
        let ours = plugin("opencode-clankers", "active");
        assert_eq!(word(&[builtin.clone(), ours]), Word::Active);
        assert_eq!(
            word(&[plugin("opencode-clankers", "failed")]),
            Word::NotLoaded
        );
        assert_eq!(word(&[builtin]), Word::NotLoaded);
        assert_eq!(word(&[]), Word::NotStarted);
        assert!(matches!(word_in(&json!({})), Word::Silent(_)));
    }
}
