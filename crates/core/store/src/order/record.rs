//! What sorting and threading need of a message: a small record of its own, so that a sort of a whole mailbox reads
//! little. Worked out when the message comes; of a message without one (stored by an older version) when it is first
//! sorted.
//!
//! Bounded: each text has at most [`TEXT_BYTES_MAX`] octets; a longer one is cut, with a hash behind it, so that equal
//! texts stay equal and others different. Of the references, the first and the nearest [`REFERENCES_MAX`] - 1 are kept:
//! what is nearer decides (RFC 5256 §3, REFERENCES 1.B), and the first is the root of the thread.

use super::casemap::fold;
use crate::keys::Reader;
use crate::threads::hash;
use mime::{Address, Comparable, Envelope};
use model::UnixTime;
use std::borrow::Cow;

/// Version of the record; one of another version is made again.
const VERSION: u8 = 2;

/// Longest text of a record, in octets of UTF-8.
const TEXT_BYTES_MAX: usize = 400;

/// Most references of a record.
pub(super) const REFERENCES_MAX: usize = 24;

const HAS_DATE: u8 = 1;
const IS_REPLY: u8 = 2;
const HAS_ID: u8 = 4;

/// Texts of a record, in the order in which they stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Text {
    Subject,
    From,
    To,
    Cc,
    DisplayFrom,
    DisplayTo,
}

/// A record, borrowed from its bytes. Texts are decoded and keep their case: the collation is the reader's. What could not
/// be decoded stands as `mime::comparable::octets` has it, so that it comes behind all else, in the order of its octets
/// (RFC 5255 §4.6 (c)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OrderValue<'a> {
    /// The moment of the Date field.
    pub(crate) sent: Option<UnixTime>,
    /// The subject says that it answers or forwards (RFC 5256 §3).
    pub(crate) is_reply: bool,
    /// Hash of the Message-ID.
    pub(crate) id: Option<u64>,
    references: &'a [u8],
    texts: &'a [u8],
}

impl<'a> OrderValue<'a> {
    /// The record of a message.
    pub(crate) fn encode(envelope: &Envelope<'_>) -> Vec<u8> {
        let base = envelope.subject.map(mime::subject::base_subject);
        let sent = envelope.sent();
        let id = envelope.message_id.and_then(mime::references::message_id).map(|id| hash(&id));
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let is_reply = base.as_ref().is_some_and(|base| base.is_reply_or_forward);
        let mut out = Vec::with_capacity(160);
        out.push(VERSION);
        out.push(flag(sent.is_some(), HAS_DATE) | flag(is_reply, IS_REPLY) | flag(id.is_some(), HAS_ID));
        crate::keys::push_time(&mut out, UnixTime(sent.map_or(0, |sent| sent.unix_seconds)));
        if let Some(id) = id {
            out.extend_from_slice(&id.to_be_bytes());
        }
        let references = references(envelope);
        out.push(references.len() as u8);
        references.iter().for_each(|hash| out.extend_from_slice(&hash.to_be_bytes()));
        push_text(&mut out, base.as_ref().map_or("", |base| &base.text));
        let first = [&envelope.from, &envelope.to, &envelope.cc].map(|field| field.iter().next());
        for address in &first {
            push_text(&mut out, &address.as_ref().map_or(Cow::Borrowed(""), local_part));
        }
        for address in &first[..2] {
            push_text(&mut out, &address.as_ref().map_or_else(String::new, display));
        }
        out
    }

    /// None: it has another version, or is damaged.
    pub(crate) fn decode(value: &'a [u8]) -> Option<OrderValue<'a>> {
        let (version, rest) = value.split_first()?;
        let mut reader = (*version == VERSION).then_some(Reader(rest))?;
        let flags = reader.u8()?;
        let sent = reader.time()?;
        let id = if flags & HAS_ID == 0 { None } else { Some(reader.u64()?) };
        let count = usize::from(reader.u8()?);
        let references = reader.take(count * 8)?;
        let value = OrderValue {
            sent: (flags & HAS_DATE != 0).then_some(sent),
            is_reply: flags & IS_REPLY != 0,
            id,
            references,
            texts: reader.0,
        };
        value.nth_text(Text::DisplayTo as usize)?;
        Some(value)
    }

    /// Hashes of the references, the oldest first.
    pub(crate) fn references(&self) -> impl Iterator<Item = u64> + use<'a> {
        let (hashes, _) = self.references.as_chunks();
        hashes.iter().map(|hash| u64::from_be_bytes(*hash))
    }

    /// A text; empty if the message has nothing of the kind.
    pub(crate) fn text(&self, which: Text) -> &'a str {
        self.nth_text(which as usize).unwrap_or_default()
    }

    fn nth_text(&self, at: usize) -> Option<&'a str> {
        let mut reader = Reader(self.texts);
        for _ in 0..at {
            let length = reader.number()? as usize;
            reader.take(length)?;
        }
        let length = reader.number()? as usize;
        str::from_utf8(reader.take(length)?).ok()
    }
}

/// RFC 5256 §3: those of References, else the first of In-Reply-To.
fn references(envelope: &Envelope<'_>) -> Vec<u64> {
    let named = envelope.references.map(mime::references::message_ids).unwrap_or_default();
    if named.is_empty() {
        let parent = envelope.in_reply_to.and_then(mime::references::message_id);
        return parent.iter().map(|id| hash(id)).collect();
    }
    let nearest = named.len().saturating_sub(REFERENCES_MAX - 1).max(1);
    named[..1].iter().chain(&named[nearest.min(named.len())..]).map(|id| hash(id)).collect()
}

/// addr-mailbox of ENVELOPE.
fn local_part<'a>(address: &'a Address<'_>) -> Cow<'a, str> {
    match address {
        Address::Mailbox(mailbox) => Comparable::undeclared(&mailbox.local).into_text(),
        // RFC 9051 §7.5.2: a group begins with its name in the place of the mailbox.
        Address::GroupStart(name) => Comparable::undeclared(name).into_text(),
        Address::GroupEnd => Cow::Borrowed(""),
    }
}

/// RFC 5957 §3.
fn display(address: &Address<'_>) -> String {
    let Address::Mailbox(mailbox) = address else { return local_part(address).into_owned() };
    let name = mailbox.name.as_deref().map(|name| mime::encoded_word::comparable(name).into_text());
    match name {
        Some(name) if !name.is_empty() => name.into_owned(),
        _ => Comparable::undeclared(&mailbox.address()).into_text().into_owned(),
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    if text.len() <= TEXT_BYTES_MAX {
        crate::keys::push_number(out, text.len() as u32);
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut folded = Vec::with_capacity(text.len());
    fold(text, &mut folded);
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Behind a character that no mail has.
    let cut = format!("{}\u{10ffff}{:016X}", &text[..end], hash(&folded));
    crate::keys::push_number(out, cut.len() as u32);
    out.extend_from_slice(cut.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(header: &str) -> Vec<u8> {
        OrderValue::encode(&Envelope::parse(header.as_bytes()))
    }

    #[test]
    fn what_is_kept() {
        let bytes = record(
            "Date: Thu, 1 Jan 1970 02:00:01 +0200\r\nFrom: =?utf-8?q?=C3=89va?= <eva@x.test>, b@x\r\n\
             To: Friends: a@b, c@d;\r\nSubject: =?utf-8?q?Re=3A?= [list] Hello (fwd)\r\nMessage-ID: <1@x>\r\n\
             In-Reply-To: <9@x> <8@x>\r\n\r\n",
        );
        let value = OrderValue::decode(&bytes).unwrap();
        assert_eq!((value.sent, value.is_reply, value.id), (Some(UnixTime(1)), true, Some(hash(b"1@x"))));
        assert_eq!(value.references().collect::<Vec<_>>(), [hash(b"9@x")]);
        let texts = [Text::Subject, Text::From, Text::To, Text::Cc, Text::DisplayFrom, Text::DisplayTo];
        assert_eq!(texts.map(|text| value.text(text)), ["Hello", "eva", "Friends", "", "Éva", "Friends"]);
        let bytes = record("From: \"\" <eva@x.test>\r\nTo: root\r\nReferences: none\r\n\r\n");
        let value = OrderValue::decode(&bytes).unwrap();
        assert_eq!(value.sent, None);
        assert_eq!((value.text(Text::DisplayFrom), value.text(Text::DisplayTo)), ("eva@x.test", "root"));
        assert_eq!(value.references().count(), 0);
    }

    #[test]
    fn everything_is_bounded() {
        let many: String = (0..100_000).map(|number| format!(" <{number}@x>")).collect();
        let long = "Ж".repeat(100_000);
        let header = |subject: &str| {
            record(&format!(
                "References:{many}\r\nSubject: {subject}\r\nFrom: {long}@x\r\nCc: {long}\r\n\r\n"
            ))
        };
        let bytes = header(&long);
        assert!(bytes.len() < 3000, "{}", bytes.len());
        let value = OrderValue::decode(&bytes).unwrap();
        let references: Vec<u64> = value.references().collect();
        assert_eq!(references.len(), REFERENCES_MAX);
        assert_eq!((references[0], references[1]), (hash(b"0@x"), hash(b"99977@x")));
        assert_eq!(references.last(), Some(&hash(b"99999@x")));
        // Equal but for case; and different only far behind the cut.
        let key = |bytes: &[u8]| {
            let mut key = Vec::new();
            fold(OrderValue::decode(bytes).unwrap().text(Text::Subject), &mut key);
            key
        };
        assert_eq!(key(&header(&long.to_lowercase())), key(&bytes));
        assert_ne!(key(&header(&format!("{long}.")))[..], key(&bytes)[..]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            let mut versioned = vec![VERSION];
            versioned.extend(&bytes);
            if let Some(value) = OrderValue::decode(&versioned) {
                let _ = (value.references().count(), value.text(Text::Subject), value.text(Text::DisplayTo));
            }
        }
    }
}
