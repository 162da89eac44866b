//! A throw-away home folder, and the binary run in it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

use super::client::Client;
use super::until;

/// A home folder that is removed at the end.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        // Short: a socket's path holds some hundred bytes.
        Self {
            folder: tempfile::Builder::new().prefix("clk").tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path(".local/share/clankers")
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.data().join("clankers.db")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.data().join("dxta-clankers.sock")
    }

    /// The binary, with nothing of the machine's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_clankers"), args)
    }

    /// Another program, likewise.
    pub(crate) fn command_of(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", self.search_path())
            .env("TZ", "UTC")
            .current_dir(self.folder.path());
        command
    }

    /// The programs in the home's `bin`, then the machine's, without its OpenCode.
    fn search_path(&self) -> std::ffi::OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let has_host = |folder: &PathBuf| {
            let mut names = ["opencode", "opencode2", "kilo"].iter();
            names.any(|name| folder.join(name).exists())
        };
        let of_machine = std::env::split_paths(&path).filter(|folder| !has_host(folder));
        std::env::join_paths(std::iter::once(self.path("bin")).chain(of_machine)).unwrap()
    }

    /// Makes a program that says this about its release.
    pub(crate) fn program(&self, path: &str, says: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.path(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A file with this text, in folders that are made.
    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let file = self.path(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Makes a file look as if it had been there for years.
    pub(crate) fn backdate(&self, path: &str) {
        let file = std::fs::File::options()
            .write(true)
            .open(self.path(path))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }

    /// A plugin as `make build` leaves it, as far as the program looks. Returns
    /// the folder.
    pub(crate) fn built_plugin(&self, version: &str) -> PathBuf {
        let function = format!(
            "// opencode-clankers {version}, a function for OpenCode 1.x\nexport default a;\n"
        );
        let object = format!(
            "// opencode-clankers {version}, an object for OpenCode 2.x\nexport default b;\n"
        );
        for file in ["index.js", "clankers.js"] {
            self.write(&format!("clankers/plugin-shim/dist/{file}"), &function);
        }
        for file in ["server.js", "clankers/server.js"] {
            self.write(&format!("clankers/plugin-shim/dist/{file}"), &object);
        }
        self.write(
            "clankers/plugin-shim/dist/clankers/tui.js",
            &format!("// opencode-clankers {version}, the part for the screen of OpenCode 2.x\nexport default c;\n"),
        );
        self.path("clankers/plugin-shim/dist")
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// What the binary prints; it must succeed.
    pub(crate) fn stdout(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "clankers {args:?}: {}\n{error}",
            output.status
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the binary complains of; it must fail.
    pub(crate) fn stderr(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(!output.status.success(), "clankers {args:?} did not fail");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs the binary to its end, with this on its standard input.
    pub(crate) fn answered(&self, args: &[&str], answer: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(answer.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// Starts a daemon and waits until it answers.
    pub(crate) fn daemon(&self) -> Daemon {
        self.daemon_with(&[])
    }

    pub(crate) fn daemon_with(&self, more: &[&str]) -> Daemon {
        let args = [&["daemon", "--foreground", "--log-level", "debug"], more].concat();
        let child = self
            .command(&args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut daemon = Daemon { child };
        until("the daemon answers", || {
            if let Some(status) = daemon.child.try_wait().unwrap() {
                panic!("the daemon ended: {status}\n{}", daemon.said());
            }
            Client::try_connect(&self.socket())
        });
        daemon
    }

    /// The database, to look at.
    pub(crate) fn open(&self) -> Connection {
        Connection::open(self.db()).unwrap()
    }
}

/// A daemon. It is killed if the test fails before it ends it.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Asks it to end, and waits for that. Returns its exit status.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.wait()
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        until("the daemon ends", || self.child.try_wait().unwrap()).code()
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn said(&mut self) -> String {
        let mut said = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            std::io::Read::read_to_string(stderr, &mut said).unwrap();
        }
        said
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file's permissions.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

impl Home {
    /// A home whose database holds recorded conversations of real releases.
    pub(crate) fn with_recordings(names: &[&str]) -> Self {
        let home = Self::new();
        let db = super::recording::sink(&home.db());
        for name in names {
            for batch in super::recording::batches(&super::recording::recording(name)) {
                super::recording::apply(&db, &batch);
            }
        }
        home
    }
}
