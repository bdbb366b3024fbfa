//! The listening sockets: handed over by systemd where a socket unit has them, else bound here.

use crate::config::{Bind, Config, Listener};
use crate::control::Failure;
use listenfd::ListenFd;
use net::Bound;
use nix::unistd::Group;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// One socket for each `[[listener]]`, with its place in the configuration.
///
/// # Errors
/// A sentence: which address can't be had, why, and what to do.
pub fn all(config: &Config) -> Result<Vec<(usize, Bound)>, Failure> {
    if config.listener.is_empty() {
        return Err(Failure::new("the configuration has no [[listener]]: nothing would be served"));
    }
    let mut inherited = inherited()
        .map_err(|error| Failure::new(format!("a socket handed over by systemd can't be used: {error}")))?;
    let one = |(index, listener): (usize, &Listener)| {
        let wanted = listener.bind.to_string();
        let bound = match inherited.iter().position(|bound| bound.address() == wanted) {
            Some(at) => inherited.swap_remove(at),
            None => open(listener)?,
        };
        Ok((index, bound))
    };
    let bound = config.listener.iter().enumerate().map(one).collect::<Result<_, Failure>>()?;
    for unused in &inherited {
        tracing::warn!(address = %unused.address(), "systemd handed over a socket that no [[listener]] names");
    }
    Ok(bound)
}

/// Sockets of a systemd socket unit (`LISTEN_FDS`).
fn inherited() -> io::Result<Vec<Bound>> {
    let mut handed = ListenFd::from_env();
    let mut found = Vec::new();
    for index in 0..handed.len() {
        if let Ok(Some(tcp)) = handed.take_tcp_listener(index) {
            tcp.set_nonblocking(true)?;
            found.push(Bound::Tcp(tcp));
        } else if let Some(unix) = handed.take_unix_listener(index)? {
            unix.set_nonblocking(true)?;
            found.push(Bound::Unix(unix));
        }
    }
    Ok(found)
}

/// Lets those use a unix socket whom the configuration names.
fn share(listener: &Listener, path: &Path) -> io::Result<()> {
    if let Some(name) = &listener.group {
        let group = Group::from_name(name)?.ok_or_else(|| io::Error::other(format!("no group {name}")))?;
        chown(path, None, Some(group.gid.as_raw()))?;
    }
    match listener.mode {
        Some(mode) => std::fs::set_permissions(path, Permissions::from_mode(mode.0)),
        None => Ok(()),
    }
}

fn open(listener: &Listener) -> Result<Bound, Failure> {
    let opened = match &listener.bind {
        Bind::Tcp(address) => Bound::tcp(*address),
        Bind::Unix(path) => Bound::unix(path).and_then(|bound| share(listener, path).map(|()| bound)),
    };
    opened.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; stop it or change the port",
            io::ErrorKind::PermissionDenied => "ports below 1024 need root or CAP_NET_BIND_SERVICE",
            io::ErrorKind::AddrNotAvailable => "this machine has no such address",
            _ => "change [[listener]] bind",
        };
        Failure::new(format!("can't listen on {}: {error}; {hint}", listener.bind))
    })
}
