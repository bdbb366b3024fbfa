//! Maildir and its folders in the Maildir++ manner: `.Work.Old` beside `cur` is the mailbox `Work/Old`. Folder names
//! are in modified UTF-7, as Dovecot and Courier write them.

use super::{Found, to_crlf, to_lf};
use model::{Flag, FlagSet};
use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Letters behind `:2,` and the flags they stand for; P (passed) is the keyword $Forwarded.
const LETTERS: [(char, Flag); 5] = [
    ('D', Flag::Draft),
    ('F', Flag::Flagged),
    ('R', Flag::Answered),
    ('S', Flag::Seen),
    ('T', Flag::Deleted),
];

/// The mailboxes of a Maildir: name below the top ("" is the top itself) and folder, in order of names.
///
/// # Errors
/// When it can't be read or is no Maildir.
pub fn folders(top: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    if !top.join("cur").is_dir() && !top.join("new").is_dir() {
        let why = format!("{} is no Maildir: it has neither cur nor new", top.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let mut found = vec![(String::new(), top.to_owned())];
    for entry in fs::read_dir(top)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = name.strip_prefix('.').filter(|_| entry.path().join("cur").is_dir()) else {
            continue;
        };
        let levels: Vec<String> = name.split('.').map(level_name).collect();
        found.push((levels.join("/"), entry.path()));
    }
    found.sort();
    Ok(found)
}

/// A dot within a name is written like this, though RFC 3501 §5.1.3 has printable ASCII stand for itself: in Maildir++
/// a dot parts levels.
const DOT: &str = "&AC4-";

fn level_name(level: &str) -> String {
    let parts: Result<Vec<String>, _> =
        level.split(DOT).map(|part| imap::mutf7::decode(part.as_bytes())).collect();
    parts.map_or_else(|_| level.to_owned(), |parts| parts.join("."))
}

/// The message files of one folder with their sizes, oldest name first.
///
/// # Errors
/// When it can't be read.
pub fn messages(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for part in ["cur", "new"] {
        let dir = folder.join(part);
        if !dir.is_dir() {
            continue;
        }
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_file() && !entry.file_name().to_string_lossy().starts_with('.') {
                found.push((entry.path(), meta.len()));
            }
        }
    }
    found.sort_by(|a, b| a.0.file_name().cmp(&b.0.file_name()));
    Ok(found)
}

/// Reads one message file. Its key is its unique name, which stays when flags change.
///
/// # Errors
/// When it can't be read.
pub fn read(path: &Path) -> io::Result<Found> {
    let content = to_crlf(&fs::read(path)?);
    let modified = fs::metadata(path)?.modified()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (unique, info) = name.split_once(":2,").unwrap_or((&name, ""));
    let flags =
        LETTERS.into_iter().filter(|(letter, _)| info.contains(*letter)).map(|(_, flag)| flag).collect();
    let keywords = if info.contains('P') { vec!["$Forwarded".to_owned()] } else { Vec::new() };
    let received = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(Found {
        content,
        key: format!("maildir:{unique}"),
        flags,
        keywords,
        received: i64::try_from(received).unwrap_or(0),
    })
}

/// A folder being written.
pub struct Writer {
    folder: PathBuf,
    present: HashSet<String>,
}

impl Writer {
    /// Opens the folder of `mailbox` below `top`, making it where it is missing.
    ///
    /// # Errors
    /// As the system.
    pub fn open(top: &Path, mailbox: &str) -> io::Result<Writer> {
        let folder = if mailbox.eq_ignore_ascii_case("INBOX") {
            top.to_owned()
        } else {
            top.join(folder_name(mailbox))
        };
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let present = fs::read_dir(folder.join("cur"))?
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().to_string_lossy().into_owned();
                Some(name.split(":2,").next().unwrap_or_default().to_owned())
            })
            .collect();
        Ok(Writer { folder, present })
    }

    /// Writes one message, unless an earlier run did; answers whether it wrote. A file is complete or not there.
    ///
    /// # Errors
    /// As the system.
    pub fn write(&mut self, unique: &str, found: &Found) -> io::Result<bool> {
        if self.present.contains(unique) {
            return Ok(false);
        }
        let mut info: String = letters(found.flags);
        if found.keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case("$Forwarded")) {
            // The letters stand in ASCII order.
            let at = info.find(|letter| letter > 'P').unwrap_or(info.len());
            info.insert(at, 'P');
        }
        let temporary = self.folder.join("tmp").join(unique);
        let mut file = fs::File::create(&temporary)?;
        file.write_all(&to_lf(&found.content))?;
        let received = u64::try_from(found.received).unwrap_or(0);
        file.set_modified(UNIX_EPOCH + Duration::from_secs(received))?;
        file.sync_all()?;
        fs::rename(temporary, self.folder.join("cur").join(format!("{unique}:2,{info}")))?;
        self.present.insert(unique.to_owned());
        Ok(true)
    }
}

fn letters(flags: FlagSet) -> String {
    LETTERS.into_iter().filter(|(_, flag)| flags.has(*flag)).map(|(letter, _)| letter).collect()
}

/// `.Work.Old` for `Work/Old`; a dot inside a name becomes `&AC4-`, modified UTF-7 for it, so that it does not part
/// levels.
fn folder_name(mailbox: &str) -> String {
    let level = |level: &str| {
        let mut encoded = Vec::new();
        imap::mutf7::encode(level, &mut encoded);
        String::from_utf8_lossy(&encoded).replace('.', DOT)
    };
    let levels: Vec<String> = mailbox.split('/').map(level).collect();
    format!(".{}", levels.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_not_written_twice() {
        let top = tempfile::tempdir().unwrap();
        let found = Found {
            content: b"Subject: x\r\n\r\nbody\r\n".to_vec(),
            key: String::new(),
            flags: [Flag::Seen, Flag::Draft].into_iter().collect(),
            keywords: vec!["$Forwarded".into()],
            received: 1_700_000_000,
        };
        Writer::open(top.path(), "INBOX").unwrap();
        let mut writer = Writer::open(top.path(), "Работа/2.0").unwrap();
        assert!(writer.write("1.5.troika", &found).unwrap());
        assert!(!writer.write("1.5.troika", &found).unwrap());
        assert!(!Writer::open(top.path(), "Работа/2.0").unwrap().write("1.5.troika", &found).unwrap());

        let folders = folders(top.path()).unwrap();
        assert_eq!(folders.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["", "Работа/2.0"]);
        let files = messages(&folders[1].1).unwrap();
        assert!(files[0].0.to_string_lossy().ends_with(":2,DPS"), "{files:?}");
        let read = read(&files[0].0).unwrap();
        assert_eq!((read.content, read.flags, read.received), (found.content, found.flags, found.received));
        assert_eq!(read.key, "maildir:1.5.troika");
    }
}
