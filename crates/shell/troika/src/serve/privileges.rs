//! Ceasing to be root once the ports are bound.

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Gid, Uid, User, fchownat, setgid, setgroups, setuid};
use std::os::unix::fs::MetadataExt;
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

/// Takes as many descriptors as the system allows: the usual 1024 are fewer than `[limits] connections`, and once they
/// are used up neither connections nor files can be opened. Answers how many there are.
///
/// # Errors
/// As the system.
pub fn raise_descriptors() -> std::io::Result<u64> {
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if now < most {
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    }
    Ok(most)
}

/// What a command that root ran beside a stopped server has made becomes the folder's owner's: the server, which runs as
/// him, could not open it otherwise.
///
/// # Errors
/// As the system.
pub fn hand_back(data_dir: &Path) -> std::io::Result<()> {
    let owner = std::fs::metadata(data_dir)?;
    if owner.uid() == 0 || !Uid::effective().is_root() {
        return Ok(());
    }
    hand_over(data_dir, Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descriptors_that_the_system_allows_are_taken() {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, most.min(512), most).unwrap();
        assert_eq!(raise_descriptors().unwrap(), most);
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, most);
    }

    #[test]
    fn what_root_makes_becomes_the_owners_and_links_are_left_alone() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let owner = |path: &Path| std::fs::symlink_metadata(path).unwrap().uid();
        let (file, link) = (dir.path().join("log/1.seg"), dir.path().join("link"));
        std::fs::create_dir(dir.path().join("log")).unwrap();
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(outside.path(), &link).unwrap();
        let me = Uid::effective();
        if me.is_root() {
            std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
        }
        hand_back(dir.path()).unwrap();
        let wanted = if me.is_root() { 65534 } else { me.as_raw() };
        assert_eq!([owner(&file), owner(&link)], [wanted; 2]);
        assert_eq!(owner(outside.path()), me.as_raw());
    }
}
