//! A query made ready for one mailbox, and three-valued: with only the row at hand it holds, does not, or can't be said
//! yet. What can't be said asks for the header, and then for the body.

use super::fold::{Needle, fold};
use crate::keys::RowValue;
use model::{DateOf, Day, EmailId, Flag, Keyword, ModSeq, Query, ThreadId, Uid, UidSet, UnixTime, When};
use std::cell::OnceCell;

/// Most bytes of one text part that are looked at.
const PART_BYTES_MAX: usize = 64 * 1024 * 1024;

const DAY_SECONDS: i64 = 86_400;

pub(super) enum Condition<'q> {
    Known(bool),
    Uids(&'q UidSet),
    Flag(Flag),
    Keyword(u16),
    Not(Box<Condition<'q>>),
    And(Vec<Condition<'q>>),
    Or(Vec<Condition<'q>>),
    Header(&'q str, Needle),
    Body(Needle),
    Text(Needle),
    Larger(u64),
    Smaller(u64),
    Internal(When, Day),
    Saved(When, Day),
    Sent(When, Day),
    ReceivedFrom(UnixTime),
    ReceivedUpTo(UnixTime),
    ModSeq(ModSeq),
    EmailId(EmailId),
    ThreadId(ThreadId),
}

impl<'q> Condition<'q> {
    pub(super) fn new(query: &'q Query, keywords: &[Keyword]) -> Condition<'q> {
        let text = |text: &str, make: fn(Needle) -> Condition<'q>| match Needle::new(text) {
            needle if needle.is_empty() => Condition::Known(true),
            needle => make(needle),
        };
        match query {
            Query::All => Condition::Known(true),
            Query::Uids(uids) => Condition::Uids(uids),
            Query::Flag(flag) => Condition::Flag(*flag),
            Query::Keyword(word) => match keywords.iter().position(|known| known == word) {
                Some(number) => Condition::Keyword(number as u16),
                None => Condition::Known(false),
            },
            Query::Not(inner) => Condition::Not(Box::new(Condition::new(inner, keywords))),
            Query::And(all) => {
                Condition::And(all.iter().map(|part| Condition::new(part, keywords)).collect())
            }
            Query::Or(any) => Condition::Or(any.iter().map(|part| Condition::new(part, keywords)).collect()),
            Query::Header { name, text } => Condition::Header(name, Needle::new(text)),
            Query::Body(words) => text(words, Condition::Body),
            Query::Text(words) => text(words, Condition::Text),
            Query::Larger(size) => Condition::Larger(*size),
            Query::Smaller(size) => Condition::Smaller(*size),
            Query::Date(DateOf::Internal, when, day) => Condition::Internal(*when, *day),
            Query::Date(DateOf::Saved, when, day) => Condition::Saved(*when, *day),
            Query::Date(DateOf::Sent, when, day) => Condition::Sent(*when, *day),
            Query::ArrivedFrom(time) => Condition::ReceivedFrom(*time),
            Query::ArrivedUpTo(time) => Condition::ReceivedUpTo(*time),
            Query::ModSeq(modseq) => Condition::ModSeq(*modseq),
            Query::EmailId(id) => Condition::EmailId(*id),
            Query::ThreadId(id) => Condition::ThreadId(*id),
        }
    }

    /// Whether there may be messages of which the row does not say enough.
    pub(super) fn may_need_content(&self) -> bool {
        match self {
            Condition::Header(..) | Condition::Body(_) | Condition::Text(_) | Condition::Sent(..) => true,
            Condition::Not(inner) => inner.may_need_content(),
            Condition::And(all) | Condition::Or(all) => all.iter().any(Condition::may_need_content),
            _ => false,
        }
    }

    /// None: it depends on content that is not at hand.
    pub(super) fn holds(&self, message: &Message<'_>) -> Option<bool> {
        let row = message.row;
        match self {
            Condition::Known(known) => Some(*known),
            Condition::Uids(uids) => Some(uids.contains(message.uid)),
            Condition::Flag(flag) => Some(row.flags.has(*flag)),
            Condition::Keyword(number) => Some(row.keywords.binary_search(number).is_ok()),
            Condition::Not(inner) => inner.holds(message).map(|holds| !holds),
            Condition::And(all) => every(all.iter().map(|part| part.holds(message)), false),
            Condition::Or(any) => every(any.iter().map(|part| part.holds(message)), true),
            Condition::Header(name, needle) => Some(message.has_field(message.header?, name, needle)),
            Condition::Body(needle) => Some(message.body_has(message.whole?, needle)),
            Condition::Text(needle) => {
                if needle.is_in_folded(message.header_text(message.header?)) {
                    return Some(true);
                }
                Some(message.body_has(message.whole?, needle))
            }
            Condition::Larger(size) => Some(u64::from(row.size) > *size),
            Condition::Smaller(size) => Some(u64::from(row.size) < *size),
            Condition::Internal(when, day) => Some(compare(day_of(row.received), *when, *day)),
            Condition::Saved(when, day) => Some(compare(day_of(row.saved), *when, *day)),
            Condition::Sent(when, day) => {
                let sent = mime::header::first(message.header?, "Date").and_then(mime::date::parse);
                // RFC 9051 §6.4.4: "disregarding time and timezone".
                Some(sent.is_some_and(|sent| compare(sent.day().to_days(), *when, *day)))
            }
            Condition::ReceivedFrom(time) => Some(row.received >= *time),
            Condition::ReceivedUpTo(time) => Some(row.received <= *time),
            Condition::ModSeq(modseq) => Some(row.modseq >= *modseq),
            Condition::EmailId(id) => Some(row.doc == *id),
            Condition::ThreadId(id) => Some(row.thread == *id),
        }
    }
}

/// Whether one part decides (is `decisive`); else None if one is not known, else the contrary.
fn every(parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut outcome = Some(!decisive);
    for part in parts {
        match part {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => outcome = None,
        }
    }
    outcome
}

fn day_of(time: UnixTime) -> i64 {
    time.0.div_euclid(DAY_SECONDS)
}

fn compare(day: i64, when: When, wanted: Day) -> bool {
    match when {
        When::Before => day < i64::from(wanted.0),
        When::On => day == i64::from(wanted.0),
        When::Since => day >= i64::from(wanted.0),
    }
}

/// What is at hand of a message. Texts are made once, when first asked for.
pub(super) struct Message<'a> {
    uid: Uid,
    row: &'a RowValue,
    header: Option<&'a [u8]>,
    whole: Option<&'a [u8]>,
    header_text: OnceCell<String>,
    body_texts: OnceCell<Vec<String>>,
}

impl<'a> Message<'a> {
    fn new(uid: Uid, row: &'a RowValue, header: Option<&'a [u8]>, whole: Option<&'a [u8]>) -> Message<'a> {
        Message { uid, row, header, whole, header_text: OnceCell::new(), body_texts: OnceCell::new() }
    }

    pub(super) fn row_only(uid: Uid, row: &'a RowValue) -> Message<'a> {
        Message::new(uid, row, None, None)
    }

    pub(super) fn with_header(uid: Uid, row: &'a RowValue, header: &'a [u8]) -> Message<'a> {
        Message::new(uid, row, Some(header), None)
    }

    pub(super) fn whole(uid: Uid, row: &'a RowValue, bytes: &'a [u8], header_length: usize) -> Message<'a> {
        let header = &bytes[..header_length.min(bytes.len())];
        Message::new(uid, row, Some(header), Some(bytes))
    }

    fn has_field(&self, header: &[u8], name: &str, needle: &Needle) -> bool {
        mime::header::fields(header)
            .filter(|field| field.is(name))
            // An empty text asks whether the field is there (RFC 9051 §6.4.4, HEADER).
            .any(|field| needle.is_empty() || needle.is_in(&field.text()))
    }

    fn header_text(&self, header: &[u8]) -> &str {
        self.header_text.get_or_init(|| fold(&mime::text::header_text(header)))
    }

    fn body_has(&self, whole: &[u8], needle: &Needle) -> bool {
        let texts = self.body_texts.get_or_init(|| {
            let structure = mime::parse(whole);
            mime::text::body_texts(&structure, PART_BYTES_MAX).map(|text| fold(&text)).collect()
        });
        texts.iter().any(|text| needle.is_in_folded(text))
    }
}
