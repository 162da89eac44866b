//! A Unix socket in a folder that only its owner can enter.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::error::{Context, Error, Result};
use crate::paths;
use crate::store::private_folder;

/// Others may make and rename files in such a folder.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// In such a folder nobody removes what is another's.
const STICKY: u32 = 0o1000;
const OTHER_SOCKET: &str = "name a socket in a folder of your own with CLANKERS_SOCKET_PATH";

/// A socket that is listened on. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// Which file we made: another daemon's in its place is not ours to remove.
    inode: u64,
}

impl Listener {
    /// Makes the folder of `path`, or refuses one that others can write to.
    pub(crate) fn prepare(path: &Path) -> Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        private_folder(folder).context(|| format!("cannot listen on {}", paths::shown(path)))?;
        check_folder(folder)
    }

    /// Listens on `path`, which is prepared. The caller holds the lock, so that
    /// what is there and does not answer was left behind.
    pub(crate) fn bind(path: &Path) -> Result<Self> {
        let what = || format!("cannot listen on {}", paths::shown(path));
        remove_stale(path)?;
        let socket = UnixListener::bind(path).context(what)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).context(what)?;
        let inode = fs::symlink_metadata(path).context(what)?.ino();
        Ok(Self {
            socket,
            path: path.to_owned(),
            inode,
        })
    }

    /// The next client of our own user. Others are sent away.
    pub(crate) async fn accept(&mut self) -> std::io::Result<UnixStream> {
        loop {
            let (stream, _) = self.socket.accept().await?;
            let peer = stream.peer_cred()?;
            if is_allowed(peer.uid(), rustix::process::geteuid().as_raw()) {
                return Ok(stream);
            }
            tracing::warn!(uid = peer.uid(), "sent away a client of another user");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "could not remove the socket");
        }
    }
}

/// Fails where what is at `path` is another user's, or where one may put something in
/// its place. The plugin looks in the same way (`plugin-shim/src/rpc/socket-owner.ts`).
pub(crate) fn refuse_foreign(path: &Path) -> Result<()> {
    let Ok(socket) = fs::metadata(path) else {
        return Ok(());
    };
    let own = rustix::process::geteuid().as_raw();
    if !is_allowed(socket.uid(), own) {
        let text = format!("{} belongs to another user", paths::shown(path));
        return Err(Error::new(text).hint(OTHER_SOCKET));
    }
    let folder = fs::metadata(path.parent().unwrap_or(path))?;
    let is_open = folder.mode() & WRITABLE_BY_OTHERS != 0 && folder.mode() & STICKY == 0;
    if is_open || !is_allowed(folder.uid(), own) {
        let text = format!("others can write to the folder of {}", paths::shown(path));
        return Err(Error::new(text).hint(OTHER_SOCKET));
    }
    Ok(())
}

/// Connects to a daemon, for one request after the other.
pub(crate) fn connect(path: &Path) -> std::io::Result<BlockingStream> {
    let stream = BlockingStream::connect(path)?;
    let patience = Some(std::time::Duration::from_secs(5));
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)?;
    Ok(stream)
}

/// Whether somebody listens on `path`.
fn is_answered(path: &Path) -> bool {
    BlockingStream::connect(path).is_ok()
}

/// Root is trusted, too: it could read the files anyway.
const fn is_allowed(other: u32, own: u32) -> bool {
    other == own || other == 0
}

fn check_folder(folder: &Path) -> Result<()> {
    let found = fs::metadata(folder)?;
    let place = paths::shown(folder);
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::new(format!(
            "the socket's folder {place} belongs to another user"
        ))
        .hint(OTHER_SOCKET));
    }
    if found.mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(
            Error::new(format!("others can write to the socket's folder {place}"))
                .hint(format!("run: chmod go-w '{}'", folder.display())),
        );
    }
    Ok(())
}

fn remove_stale(path: &Path) -> Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let place = paths::shown(path);
    if !found.file_type().is_socket() {
        return Err(
            Error::new(format!("{place} is there already and is no socket"))
                .hint("name another with CLANKERS_SOCKET_PATH"),
        );
    }
    if is_answered(path) {
        return Err(Error::new(format!("another daemon answers on {place}")));
    }
    tracing::info!(path = %path.display(), "removed a socket that was left behind");
    fs::remove_file(path).context(|| format!("cannot remove the stale socket {place}"))
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn only_the_same_user_and_root_may_connect() {
        assert!(is_allowed(1000, 1000));
        assert!(is_allowed(0, 1000));
        assert!(!is_allowed(1001, 1000));
        assert!(!is_allowed(1001, 0));
    }
}
