//! Mail in files: reading and writing Maildir and mbox.

pub mod maildir;
pub mod mbox;

/// A message found in a file.
pub struct Found {
    /// CRLF text.
    pub content: Vec<u8>,
    /// What it is known by: the same message of the same source has the same key in a second run.
    pub key: String,
    /// System flags.
    pub flags: model::FlagSet,
    /// Keywords.
    pub keywords: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
}

/// Makes every line ending CRLF: files have LF, mail has CRLF (RFC 5322 §2.1).
pub fn to_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        let line = rest[..at].strip_suffix(b"\r").unwrap_or(&rest[..at]);
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = &rest[at + 1..];
    }
    if !rest.is_empty() {
        out.extend_from_slice(rest);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The other way round, for files.
pub fn to_lf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
