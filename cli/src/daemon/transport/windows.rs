//! A named pipe. Windows gives its default access: the user's own and administrators'.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

use crate::error::{Context, Result};

/// A pipe that is listened on.
#[derive(Debug)]
pub(crate) struct Listener {
    path: PathBuf,
    /// The end that the next client connects to.
    next: NamedPipeServer,
}

impl Listener {
    /// A pipe has no folder.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a Unix socket's folder may be refused"
    )]
    pub(crate) const fn prepare(_: &Path) -> Result<()> {
        Ok(())
    }

    /// Listens on `path`, as the first and only daemon.
    pub(crate) fn bind(path: &Path) -> Result<Self> {
        let next = ServerOptions::new()
            .first_pipe_instance(true)
            .reject_remote_clients(true)
            .create(path)
            .context(|| format!("cannot listen on {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            next,
        })
    }

    /// The next client.
    pub(crate) async fn accept(&mut self) -> std::io::Result<NamedPipeServer> {
        self.next.connect().await?;
        let next = ServerOptions::new()
            .reject_remote_clients(true)
            .create(&self.path)?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

/// A pipe has no owner that can be looked at.
#[expect(
    clippy::unnecessary_wraps,
    reason = "what is at a Unix socket's path may be refused"
)]
pub(crate) const fn refuse_foreign(_: &Path) -> Result<()> {
    Ok(())
}

/// Connects to a daemon, for one request after the other.
pub(crate) fn connect(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}
