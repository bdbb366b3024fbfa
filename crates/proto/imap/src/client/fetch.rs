//! FETCH responses (RFC 9051 §7.5.2) and lists of flags.

use super::scan::{Scan, Text};
use crate::parse::read_date_time;
use model::{Flag, FlagSet, Keyword, Uid, UnixTime};

/// Flags of a message, or of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// Those of the system.
    pub system: FlagSet,
    /// Keywords, each once; what can't be one here (RFC 9051 §9, `flag-keyword`) is left out.
    pub keywords: Vec<Keyword>,
    /// `\*`: new keywords can be made (PERMANENTFLAGS).
    pub can_grow: bool,
}

/// What a FETCH response tells.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub uid: Option<Uid>,
    pub flags: Option<Flags>,
    pub internal_date: Option<UnixTime>,
    pub size_bytes: Option<u64>,
    pub body: Option<Body>,
}

/// `BODY[]`
#[derive(Debug)]
pub(super) enum Body {
    /// NIL: there is none (any more).
    Nil,
    /// As a quoted string.
    Here(Vec<u8>),
    /// As a literal that has been handed on.
    HandedOn { bytes: u64 },
}

/// Most keywords of one message that are kept.
const KEYWORDS_MAX: usize = 256;

/// `"(" msg-att-item *(SP msg-att-item) ")"`
pub(super) fn fetched(scan: &mut Scan<'_>) -> Option<Fetched> {
    let mut found = Fetched::default();
    scan.expect(b'(')?;
    loop {
        scan.spaces();
        if scan.eat(b')') {
            scan.spaces();
            return scan.is_at_end().then_some(found);
        }
        let item = scan.word()?.to_ascii_uppercase();
        let is_whole = item == b"BODY" && matches!(scan.rest(), [b'[', b']', ..]);
        if scan.peek() == Some(b'[') {
            scan.skip_section()?;
        }
        scan.space()?;
        match &item[..] {
            b"UID" => found.uid = Some(Uid(scan.nz_number()?)),
            b"FLAGS" => found.flags = Some(flag_list(scan)?),
            // Quirk: a date that is none is as good as no date.
            b"INTERNALDATE" => found.internal_date = internal_date(scan)?,
            b"RFC822.SIZE" => found.size_bytes = Some(scan.number64()?),
            b"BODY" if is_whole => {
                // A message that comes twice in one response would be two messages to whoever stores it.
                if found.body.is_some() {
                    return None;
                }
                found.body = Some(body(scan)?);
            }
            _ => scan.skip_value()?,
        }
    }
}

fn body(scan: &mut Scan<'_>) -> Option<Body> {
    if scan.nil() {
        return Some(Body::Nil);
    }
    Some(match scan.string()? {
        Text::Here(octets) => Body::Here(octets.into_owned()),
        Text::HandedOn { bytes } => Body::HandedOn { bytes },
    })
}

fn internal_date(scan: &mut Scan<'_>) -> Option<Option<UnixTime>> {
    if scan.nil() {
        return Some(None);
    }
    let text = scan.short_string()?;
    let mut quoted = vec![b'"'];
    quoted.extend_from_slice(&text);
    quoted.push(b'"');
    Some(read_date_time(&quoted))
}

/// `"(" [flag *(SP flag)] ")"`
pub(super) fn flag_list(scan: &mut Scan<'_>) -> Option<Flags> {
    let mut found = Flags::default();
    scan.expect(b'(')?;
    loop {
        scan.spaces();
        if scan.eat(b')') {
            return Some(found);
        }
        let Ok(word) = std::str::from_utf8(scan.flag()?) else { continue };
        if let Some(flag) = Flag::from_name(word) {
            found.system = found.system.with(flag);
        } else if word == "\\*" {
            found.can_grow = true;
        } else if let Ok(keyword) = Keyword::new(word)
            && found.keywords.len() < KEYWORDS_MAX
            && !found.keywords.contains(&keyword)
        {
            found.keywords.push(keyword);
        }
    }
}
