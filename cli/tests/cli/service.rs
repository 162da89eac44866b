//! What the running service of OpenCode 2 is asked, and who is not asked.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::diagnosis::doctor;
use crate::support::home::Home;

/// A home with OpenCode 2 and the plugin.
fn installed() -> Home {
    let home = Home::new();
    home.program("bin/opencode", "opencode v2.0.15");
    let dist = home.built_plugin("0.1.0");
    home.stdout(&["install", "--plugin", dist.to_str().unwrap()]);
    home
}

/// A service that answers like OpenCode's, and what it was asked.
fn service(home: &Home, answer: &str) -> std::thread::JoinHandle<String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    register(home, &format!("http://{}", listener.local_addr().unwrap()));
    let answer = answer.to_owned();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        if answer.is_empty() {
            // It hangs: the other side has to give up.
            let _ = stream.read(&mut [0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    })
}

/// What a service writes down of itself.
fn register(home: &Home, url: &str) {
    let pid = std::process::id();
    home.write(
        ".local/state/opencode/service.json",
        &format!(
            r#"{{"id":"x","version":"2.0.15","url":"{url}","pid":{pid},"password":"secret"}}"#
        ),
    );
}

#[test]
fn the_running_service_is_asked_for_the_plugin() {
    let home = installed();
    let plugins = r#"{"data":[{"id":"opencode-clankers","state":{"status":"active"}}]}"#;
    let active = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{plugins}\r\n0\r\n\r\n",
        plugins.len()
    );
    let asked = service(&home, &active);
    let diagnosis = doctor(&home, &[]);
    assert!(
        diagnosis.says(
            "plugin",
            "good",
            "OpenCode 2.0.15: loaded, as its running service says"
        ),
        "{:#}",
        diagnosis.report
    );
    let request = asked.join().unwrap();
    let folder = home.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    assert!(
        request.starts_with(&format!(
            "GET /api/plugin?location[directory]={folder} HTTP/1.1\r\n"
        )),
        "{request}"
    );
    assert!(
        request.contains("\r\nauthorization: Basic b3BlbmNvZGU6c2VjcmV0\r\n"),
        "{request}"
    );

    for (answer, level, words) in [
        (
            "HTTP/1.1 200 OK\r\n\r\n{\"data\":[{\"id\":\"opencode.agent\",\"state\":{\"status\":\"active\"}}]}",
            "warning",
            "has not loaded the plugin in this folder",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\n\r\n",
            "warning",
            "HTTP status 401",
        ),
        ("", "warning", "was not understood"),
    ] {
        let asked = service(&home, answer);
        let start = Instant::now();
        let diagnosis = doctor(&home, &[]);
        assert!(start.elapsed() < Duration::from_secs(10));
        asked.join().unwrap();
        assert!(
            diagnosis.says("service", level, words),
            "{answer}: {:#}",
            diagnosis.report
        );
        assert!(diagnosis.says("plugin", "warning", "placed, not yet seen at work"));
    }
    home.program("bin/opencode", "opencode v2.0.20");
    let asked = service(&home, &active);
    let diagnosis = doctor(&home, &[]);
    asked.join().unwrap();
    assert!(diagnosis.says(
        "service",
        "warning",
        "the service that is running is OpenCode 2.0.15, not OpenCode 2.0.20"
    ));
    assert!(diagnosis.says("plugin", "warning", "OpenCode 2.0.20: placed"));
    home.program("bin/opencode", "opencode v2.0.15");
    let asked = service(&home, "HTTP/1.1 200 OK\r\n\r\n{\"data\":[]}");
    assert!(
        doctor(&home, &[]).of("service").is_empty(),
        "nothing runs in this folder yet"
    );
    asked.join().unwrap();
}

#[test]
fn the_password_leaves_for_no_other_machine() {
    let home = installed();
    register(&home, "http://192.0.2.1:49374");
    let start = Instant::now();
    assert!(doctor(&home, &[]).of("service").is_empty());
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "nobody was waited for"
    );

    // A link, and a service that is gone.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    register(&home, &format!("http://{}", listener.local_addr().unwrap()));
    let file = home.path(".local/state/opencode/service.json");
    let text = fs::read_to_string(&file).unwrap();
    let gone = text.replace(
        &format!("\"pid\":{}", std::process::id()),
        "\"pid\":2147483647",
    );
    fs::write(&file, gone).unwrap();
    doctor(&home, &[]);
    fs::write(home.path("elsewhere.json"), &text).unwrap();
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(home.path("elsewhere.json"), &file).unwrap();
    doctor(&home, &[]);
    assert!(listener.accept().is_err(), "nobody asked");
}

#[test]
fn who_uninstalls_beside_a_running_service_is_told_that_it_may_record_what_is_said_at_once() {
    let home = installed();
    register(&home, "http://127.0.0.1:1");
    let dry = home.stdout(&["uninstall", "--dry-run"]);
    assert!(!dry.contains("service"), "{dry}");
    let said = home.stdout(&["uninstall"]);
    assert!(
        said.contains(
            "OpenCode's background service is running: it may record what you say before it has \
             noticed; `opencode service restart` makes it let go of the plugin now"
        ),
        "{said}"
    );
    // There was nothing to let go of.
    let again = home.stdout(&["uninstall"]);
    assert!(!again.contains("service"), "{again}");
}
