//! Starting a daemon in the background, and ending it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client;
use super::lock::Lock;
use super::logs::LogLevel;
use crate::error::{Context, Error, Result};
use crate::output::Out;
use crate::paths::{PathArgs, Paths, shown};
#[cfg(unix)]
use crate::process;

/// How long a daemon may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often we look.
const LOOK: Duration = Duration::from_millis(20);

/// Starts a daemon and waits until it answers.
pub(crate) fn start(paths: &Paths, level: LogLevel, out: &mut Out) -> Result<()> {
    if let Some(Ok(health)) = client::health(&paths.socket) {
        out.line(&format!(
            "a daemon is running already (pid {})",
            pid(&health)
        ))?;
        return Ok(());
    }
    let program = std::env::current_exe().context(|| "cannot find this program".to_owned())?;
    let mut child = Command::new(program)
        .args(["daemon", "--detached", "--log-level", level.word()])
        .args(PathArgs::to_args(paths))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context(|| "cannot start the daemon".to_owned())?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(Ok(health)) = client::health(&paths.socket) {
            out.line(&format!("the daemon is running (pid {})", pid(&health)))?;
            out.line(&format!("  socket    {}", shown(&paths.socket)))?;
            out.line(&format!("  database  {}", shown(&paths.db)))?;
            return out.line(&format!(
                "  log       {}",
                shown(&super::logs_folder(paths))
            ));
        }
        if child.try_wait()?.is_some() {
            let mut said = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                stderr.read_to_string(&mut said)?;
            }
            let said = said.trim().trim_start_matches("clankers: ").to_owned();
            return Err(Error::new(format!("the daemon did not start: {said}")));
        }
        if Instant::now() > deadline {
            return Err(Error::new("the daemon does not answer").hint(format!(
                "its log is in {}",
                shown(&super::logs_folder(paths))
            )));
        }
        std::thread::sleep(LOOK);
    }
}

/// Ends the daemon, and waits until it has stored everything.
pub(crate) fn stop(paths: &Paths, out: &mut Out) -> Result<()> {
    let Some(health) = client::health(&paths.socket) else {
        return out.line("no daemon is running");
    };
    let health = health?;
    let pid = pid(&health);
    // It says which database it owns; ours may be named otherwise.
    let db = health
        .get("dbPath")
        .and_then(Value::as_str)
        .map_or_else(|| paths.db.clone(), Into::into);
    terminate(pid)?;
    let deadline = Instant::now() + PATIENCE;
    while Lock::is_held(&db) {
        if Instant::now() > deadline {
            return Err(Error::new(format!("the daemon (pid {pid}) does not end"))
                .hint("it may be waiting for another program that holds the database"));
        }
        std::thread::sleep(LOOK);
    }
    out.line(&format!("the daemon has ended (pid {pid})"))
}

fn pid(health: &Value) -> i64 {
    health
        .get("pid")
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

#[cfg(unix)]
fn terminate(pid: i64) -> Result<()> {
    let pid =
        process::numbered(pid).ok_or_else(|| Error::new("the daemon does not tell its process"))?;
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        .map_err(|error| Error::new(format!("cannot end the daemon: {error}")))
}

#[cfg(windows)]
fn terminate(pid: i64) -> Result<()> {
    let done = Command::new("taskkill")
        .args(["/PID", &pid.to_string(), "/F"])
        .status()?;
    if done.success() {
        Ok(())
    } else {
        Err(Error::new("cannot end the daemon"))
    }
}
