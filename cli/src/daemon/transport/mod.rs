//! The socket that clients connect to: a Unix socket, on Windows a named pipe.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{Listener, connect, refuse_foreign};
#[cfg(windows)]
pub(crate) use windows::{Listener, connect, refuse_foreign};
