//! Names of mailboxes: from and to the wire, and what may be created.
//!
//! Invariants: inside, a name is UTF-8 with `/` between levels, and the inbox is `INBOX`; a decoded name holds no
//! control character, so that it can be shown in any response.
//!
//! RFC 9051 §5.1, §6.3.4; RFC 3501 §5.1.3; RFC 6855 §3.

use crate::mutf7;
use std::fmt;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Between the levels of a name.
pub const SEPARATOR: char = '/';

/// The one name that every account has.
pub const INBOX: &str = "INBOX";

/// Prefix of the mailboxes of other users (RFC 2342 §3): `Other Users/fred/Sent`.
pub const OTHER_USERS: &str = "Other Users/";

/// Prefix of the mailboxes of shared accounts, which are nobody's alone (RFC 2342 §3): `Shared/team/INBOX`.
pub const SHARED: &str = "Shared/";

/// Longest name in octets of UTF-8.
pub const NAME_BYTES_MAX: usize = 1000;

/// Most levels of a name.
pub const NAME_LEVELS_MAX: usize = 32;

/// How names travel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum NameEncoding {
    /// IMAP4rev1.
    #[default]
    ModifiedUtf7,
    /// After ENABLE IMAP4rev2 or ENABLE UTF8=ACCEPT.
    Utf8,
}

/// What is wrong with a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NameFault {
    /// It is no modified UTF-7, or no UTF-8 where that was agreed upon.
    Encoding,
    /// It holds NUL, CR, LF or another control character (also those of Unicode, and line separators).
    ControlCharacter,
    /// More than [`NAME_BYTES_MAX`].
    TooLong,
    /// Nothing at all.
    Empty,
    /// `/` at its beginning.
    LeadingSeparator,
    /// `/` at its end. CREATE may have one (RFC 9051 §6.3.4); the caller takes it off before.
    TrailingSeparator,
    /// Two `/` with nothing between.
    EmptyLevel,
    /// A level called `.` or `..`.
    DotLevel,
    /// `*` or `%`: LIST could not name it.
    Wildcard,
    /// More than [`NAME_LEVELS_MAX`] levels.
    TooDeep,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameFault::Encoding => "the mailbox name is not correctly encoded (RFC 3501 section 5.1.3)",
            NameFault::ControlCharacter => "the mailbox name holds a control character",
            NameFault::TooLong => "the mailbox name is too long",
            NameFault::Empty => "the mailbox name is empty",
            NameFault::LeadingSeparator => "the mailbox name begins with the hierarchy separator",
            NameFault::TrailingSeparator => "the mailbox name ends with the hierarchy separator",
            NameFault::EmptyLevel => "the mailbox name has an empty level",
            NameFault::DotLevel => "a level of the mailbox name is . or ..",
            NameFault::Wildcard => "the mailbox name holds a wildcard (* or %)",
            NameFault::TooDeep => "the mailbox name has too many levels",
        })
    }
}

/// A name (or a pattern of names) as it came, in UTF-8, with `INBOX` in capitals.
///
/// # Errors
/// [`NameFault::Encoding`], [`NameFault::ControlCharacter`], [`NameFault::TooLong`]: no such name can exist.
pub fn decode(bytes: &[u8], encoding: NameEncoding) -> Result<String, NameFault> {
    // Base64 of UTF-16 makes 2⅔ octets and more of each character that is not ASCII.
    if bytes.len() > 3 * NAME_BYTES_MAX {
        return Err(NameFault::TooLong);
    }
    let mut name = match encoding {
        NameEncoding::ModifiedUtf7 => mutf7::decode(bytes).map_err(|_| NameFault::Encoding)?,
        NameEncoding::Utf8 => std::str::from_utf8(bytes).map_err(|_| NameFault::Encoding)?.to_owned(),
    };
    if name.len() > NAME_BYTES_MAX {
        return Err(NameFault::TooLong);
    }
    if name.chars().any(is_control) {
        return Err(NameFault::ControlCharacter);
    }
    canonical_inbox(&mut name);
    Ok(name)
}

/// RFC 9051 §5.1: INBOX is the inbox in any case; its inferiors hang below the same name.
fn canonical_inbox(name: &mut String) {
    let Some(head) = name.get(..INBOX.len()) else { return };
    let ends = name.len() == INBOX.len() || name[INBOX.len()..].starts_with(SEPARATOR);
    if ends && head.eq_ignore_ascii_case(INBOX) {
        name.replace_range(..INBOX.len(), INBOX);
    }
}

/// The name in Unicode normalisation form C, under which the mailbox is known (RFC 9051 §5.1); None: it is in that form.
pub fn normalized(name: &str) -> Option<String> {
    if is_nfc(name) {
        return None;
    }
    let normalized: String = name.nfc().collect();
    (normalized != name).then_some(normalized)
}

/// RFC 9051 §5.1 (Net-Unicode, RFC 5198): no C0, DEL, C1, nor the line and paragraph separators.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether a mailbox of that name may be made by CREATE or RENAME. Takes a decoded name without the final separator that
/// CREATE may have.
///
/// # Errors
/// The first fault found.
pub fn check_new(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(NameFault::TooLong);
    }
    if name.chars().any(is_control) {
        return Err(NameFault::ControlCharacter);
    }
    if name.contains(['*', '%']) {
        return Err(NameFault::Wildcard);
    }
    if name.starts_with(SEPARATOR) {
        return Err(NameFault::LeadingSeparator);
    }
    if name.ends_with(SEPARATOR) {
        return Err(NameFault::TrailingSeparator);
    }
    if name.split(SEPARATOR).count() > NAME_LEVELS_MAX {
        return Err(NameFault::TooDeep);
    }
    name.split(SEPARATOR).try_for_each(|level| match level {
        "" => Err(NameFault::EmptyLevel),
        "." | ".." => Err(NameFault::DotLevel),
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_is_one_name_in_any_case() {
        for encoding in [NameEncoding::ModifiedUtf7, NameEncoding::Utf8] {
            assert_eq!(decode(b"iNbOx", encoding).as_deref(), Ok("INBOX"));
            assert_eq!(decode(b"inbox/Sub", encoding).as_deref(), Ok("INBOX/Sub"));
            assert_eq!(decode(b"inboxes", encoding).as_deref(), Ok("inboxes"));
            assert_eq!(decode(b"a/inbox", encoding).as_deref(), Ok("a/inbox"));
            assert_eq!(decode(b"", encoding).as_deref(), Ok(""));
        }
    }

    #[test]
    fn the_encoding_decides_what_an_ampersand_means() {
        assert_eq!(decode(b"&Jjo-", NameEncoding::ModifiedUtf7).as_deref(), Ok("☺"));
        assert_eq!(decode(b"&Jjo-", NameEncoding::Utf8).as_deref(), Ok("&Jjo-"));
        assert_eq!(decode(b"R&D", NameEncoding::ModifiedUtf7), Err(NameFault::Encoding));
        assert_eq!(decode(b"caf\xe9", NameEncoding::Utf8), Err(NameFault::Encoding));
    }

    #[test]
    fn control_characters_are_refused_however_they_are_written() {
        for name in ["a\0b", "a\rb", "a\nb", "a\u{7f}", "a\u{85}b", "a\u{2028}b"] {
            assert_eq!(
                decode(name.as_bytes(), NameEncoding::Utf8),
                Err(NameFault::ControlCharacter),
                "{name:?}"
            );
            let mut wire = Vec::new();
            mutf7::encode(name, &mut wire);
            assert_eq!(
                decode(&wire, NameEncoding::ModifiedUtf7),
                Err(NameFault::ControlCharacter),
                "{name:?}"
            );
            assert_eq!(check_new(name), Err(NameFault::ControlCharacter));
        }
    }

    #[test]
    fn what_may_be_created() {
        for good in ["a", "INBOX/x", "Отправленные/2024", "a.b", "...", "&", "a b", "~x", "#news", " a "]
        {
            assert_eq!(check_new(good), Ok(()), "{good}");
        }
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        let deep = vec!["x"; NAME_LEVELS_MAX + 1].join("/");
        for (bad, why) in [
            ("", NameFault::Empty),
            ("/", NameFault::LeadingSeparator),
            ("/a", NameFault::LeadingSeparator),
            ("a/", NameFault::TrailingSeparator),
            ("a//b", NameFault::EmptyLevel),
            ("../a", NameFault::DotLevel),
            ("a/..", NameFault::DotLevel),
            ("a/./b", NameFault::DotLevel),
            ("a*", NameFault::Wildcard),
            ("%", NameFault::Wildcard),
            (long.as_str(), NameFault::TooLong),
            (deep.as_str(), NameFault::TooDeep),
        ] {
            assert_eq!(check_new(bad), Err(why), "{bad}");
        }
    }
}
