//! What OpenCode 2's background service says of the plugin. It is asked only
//! where its password lies in a file of our own user, and only on this machine.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::module::PACKAGE;
use crate::paths::xdg_state;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer is some kilobytes; no more than this is read.
const MAX_ANSWER: u64 = 4 << 20;

/// What of a path is encoded in a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

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
        let directory = project.to_str().ok_or("the folder's name is not text")?;
        let secret = BASE64_STANDARD.encode(format!("opencode:{}", self.password));
        // The password is for this address: no proxy, and no other that it names.
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .build()
            .into();
        let mut answer = agent
            .get(format!(
                "http://{}/api/plugin?location[directory]={}",
                self.address,
                utf8_percent_encode(directory, ENCODED)
            ))
            .header("authorization", format!("Basic {secret}"))
            .header("accept", "application/json")
            .call()
            .map_err(|error| error.to_string())?;
        if answer.status() != 200 {
            return Err(format!("HTTP status {}", answer.status().as_u16()));
        }
        let body = answer.body_mut().with_config().limit(MAX_ANSWER);
        let body = body.read_to_vec().map_err(|error| error.to_string())?;
        serde_json::from_slice(&body).map_err(|error| format!("not valid JSON: {error}"))
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
    crate::process::numbered(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(not(unix))]
fn is_alive(_: i64) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::{Registration, Word, loopback, word_in};
    use serde_json::json;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::path::Path;

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

    /// What comes of these bytes for an answer, and what was asked.
    fn answered(bytes: &'static [u8]) -> (Result<serde_json::Value, String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registration = Registration {
            address: listener.local_addr().unwrap(),
            password: "p\u{e4}\u{f1}".to_owned(),
            version: None,
        };
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                asked.push(byte[0]);
            }
            stream.write_all(bytes).unwrap();
            String::from_utf8(asked).unwrap()
        });
        let answer = registration.plugins(Path::new("/home/user/a b&c=\u{fc}"));
        (answer, server.join().unwrap())
    }

    #[test]
    fn secrets_and_folders_are_encoded() {
        let (_, asked) = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        assert!(asked.contains("Basic b3BlbmNvZGU6cMOkw7E=\r\n"), "{asked}");
        let first = asked.lines().next().unwrap();
        assert!(first.contains("a%20b%26c%3D%C3%BC "), "{first}");
    }

    #[test]
    fn an_answer_is_read_whole_or_in_chunks() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(answered(whole).0, Ok(json!({})));
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x\r\n}\r\n0\r\n\r\n";
        assert_eq!(answered(chunked).0, Ok(json!({})));
        let cut_off = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{";
        assert!(answered(cut_off).0.is_err());
        for (status, answer) in [
            (
                "401",
                &b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"[..],
            ),
            (
                "302",
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            ),
        ] {
            assert_eq!(answered(answer).0, Err(format!("HTTP status {status}")));
        }
        assert!(answered(b"SSH-2.0-OpenSSH\r\n\r\n").0.is_err());
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
