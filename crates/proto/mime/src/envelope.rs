//! The fields of ENVELOPE (RFC 3501 §7.4.2, RFC 9051 §7.5.2), collected from a header in one pass.
//!
//! Of a field that may stand once the first counts; address fields that stand several times are taken together
//! (RFC 5322 §4.5.3). Values are raw; nothing is decoded or copied.

use std::borrow::Cow;

use crate::address::{ADDRESSES_MAX, Address, Addresses};
use crate::date::{self, DateTime};
use crate::encoded_word;
use crate::header::{self, unfold};

/// Most address fields of one name that are taken together.
pub const FIELDS_MAX: usize = 100;

/// The raw values of address fields of one name, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressFields<'a> {
    values: Vec<&'a [u8]>,
}

impl<'a> AddressFields<'a> {
    fn push(&mut self, value: &'a [u8]) {
        if self.values.len() < FIELDS_MAX {
            self.values.push(value);
        }
    }

    /// The entries of all fields, at most [`ADDRESSES_MAX`] together.
    pub fn iter(&self) -> impl Iterator<Item = Address<'a>> + '_ {
        self.values.iter().flat_map(|value| Addresses::new(value)).take(ADDRESSES_MAX)
    }

    /// The raw values.
    pub fn values(&self) -> &[&'a [u8]] {
        &self.values
    }

    /// Whether there is not a single address.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// What ENVELOPE is made of. Single values are raw and folded; use [`unfold`] or the methods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Raw Date.
    pub date: Option<&'a [u8]>,
    /// Raw Subject.
    pub subject: Option<&'a [u8]>,
    /// From
    pub from: AddressFields<'a>,
    /// Sender; see [`Envelope::sender_or_from`].
    pub sender: AddressFields<'a>,
    /// Reply-To; see [`Envelope::reply_to_or_from`].
    pub reply_to: AddressFields<'a>,
    /// To
    pub to: AddressFields<'a>,
    /// Cc
    pub cc: AddressFields<'a>,
    /// Bcc
    pub bcc: AddressFields<'a>,
    /// Raw In-Reply-To.
    pub in_reply_to: Option<&'a [u8]>,
    /// Raw Message-ID.
    pub message_id: Option<&'a [u8]>,
    /// Raw References: no part of ENVELOPE, but whoever makes one wants to thread, too.
    pub references: Option<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    /// Reads the header at the start of `message`.
    pub fn parse(message: &'a [u8]) -> Self {
        let mut envelope = Envelope::default();
        for field in header::fields(message) {
            envelope.take(field.name, field.value);
        }
        envelope
    }

    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        match name.len() {
            2 if is("to") => self.to.push(value),
            2 if is("cc") => self.cc.push(value),
            3 if is("bcc") => self.bcc.push(value),
            4 if is("from") => self.from.push(value),
            4 if is("date") => drop(self.date.get_or_insert(value)),
            6 if is("sender") => self.sender.push(value),
            7 if is("subject") => drop(self.subject.get_or_insert(value)),
            8 if is("reply-to") => self.reply_to.push(value),
            10 if is("message-id") => drop(self.message_id.get_or_insert(value)),
            10 if is("references") => drop(self.references.get_or_insert(value)),
            11 if is("in-reply-to") => drop(self.in_reply_to.get_or_insert(value)),
            _ => {}
        }
    }

    /// Sender, or From if there is none (RFC 9051 §7.5.2: the server sets the default).
    pub fn sender_or_from(&self) -> &AddressFields<'a> {
        if self.sender.is_empty() { &self.from } else { &self.sender }
    }

    /// Reply-To, or From if there is none.
    pub fn reply_to_or_from(&self) -> &AddressFields<'a> {
        if self.reply_to.is_empty() { &self.from } else { &self.reply_to }
    }

    /// The subject, unfolded and with encoded words decoded; empty if there is none.
    pub fn subject_text(&self) -> String {
        self.subject.map_or_else(String::new, |subject| encoded_word::decode(&unfold(subject)).into_owned())
    }

    /// The moment of the Date field, if it can be read.
    pub fn sent(&self) -> Option<DateTime> {
        date::parse(self.date?)
    }

    /// Message-ID unfolded, as ENVELOPE shows it.
    pub fn message_id_text(&self) -> Option<Cow<'a, [u8]>> {
        self.message_id.map(unfold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_counts_and_addresses_add_up() {
        let message = b"TO: a@b\r\nTo: c@d\r\nSubject: =?utf-8?q?=C3=A9?=\r\n =?utf-8?q?=C3=A8?=\r\n\
            subject: second\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\nSender: \r\nFrom: x@y\r\n\r\nCc: body@x\r\n";
        let envelope = Envelope::parse(message);
        assert_eq!(envelope.to.iter().count(), 2);
        assert_eq!(envelope.subject_text(), "éè");
        assert_eq!(envelope.sent().unwrap().unix_seconds, 880_127_706);
        assert_eq!(envelope.sender_or_from(), &envelope.from);
        assert!(envelope.cc.is_empty());
        assert_eq!(envelope.message_id_text(), None);
    }

    #[test]
    fn a_hundred_thousand_fields_are_bounded() {
        let message = b"To: a@b\r\n".repeat(100_000);
        assert_eq!(Envelope::parse(&message).to.values().len(), FIELDS_MAX);
        let message = [&b"To: "[..], &b"a@b, ".repeat(100_000)].concat();
        assert_eq!(Envelope::parse(&message).to.iter().count(), ADDRESSES_MAX);
    }
}
