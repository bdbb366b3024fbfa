//! Ceasing to be root once the ports are bound.

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{Gid, Uid, User, fchownat, setgid, setgroups, setuid};
use std::path::Path;

/// Becomes `user` for good, handing the data folder over first. Does nothing when not root or when no user is named.
/// Must run before any thread is started: the system changes only those that come later and this one.
///
/// # Errors
/// A sentence: the user is unknown, or the system refused.
pub fn drop_to(user: &str, data_dir: &Path) -> Result<(), String> {
    if user.is_empty() || !Uid::effective().is_root() {
        return Ok(());
    }
    let entry = User::from_name(user)
        .map_err(|error| format!("the user {user} can't be looked up: {error}"))?
        .ok_or_else(|| format!("there is no user {user} on this system; make one (`useradd --system {user}`) or change [server] user"))?;
    hand_over(data_dir, entry.uid, entry.gid)
        .map_err(|error| format!("{} can't be given to {user}: {error}", data_dir.display()))?;
    let become_user = || {
        setgroups(&[entry.gid])?;
        setgid(entry.gid)?;
        setuid(entry.uid)
    };
    become_user().map_err(|error| format!("the server can't become {user}: {error}"))?;
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(format!(
            "after becoming {user} the server could still become root; it does not run like that"
        ));
    }
    Ok(())
}

fn hand_over(path: &Path, uid: Uid, gid: Gid) -> std::io::Result<()> {
    // Symbolic links are not followed, not even one that takes a file's place meanwhile: they could name what is not ours.
    fchownat(AT_FDCWD, path, Some(uid), Some(gid), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if std::fs::symlink_metadata(path)?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            hand_over(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}
