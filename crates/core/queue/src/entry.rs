//! What is queued.

use engine::{AccountId, ContentId};
use model::{EmailAddress, ReversePath, UnixTime};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Name of a queued message, shown as hexadecimal digits. Ascending in order of acceptance, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueId(pub u64);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

impl FromStr for QueueId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<QueueId, Self::Err> {
        u64::from_str_radix(text, 16).map(QueueId)
    }
}

impl Serialize for QueueId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What of the message a bounce returns (RFC 3461 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ret {
    /// All of it.
    Full,
    /// Its header.
    Hdrs,
}

/// BODY parameter of MAIL (RFC 6152, RFC 3030).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub enum Body {
    /// 7BIT
    #[default]
    #[serde(rename = "7BIT")]
    SevenBit,
    /// 8BITMIME
    #[serde(rename = "8BITMIME")]
    EightBitMime,
    /// BINARYMIME
    #[serde(rename = "BINARYMIME")]
    BinaryMime,
}

/// When to tell the sender (RFC 3461 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notify {
    /// Not said: the server decides; failures are told.
    Default,
    /// NEVER
    Never,
    /// Any of the three; at least one.
    On {
        /// SUCCESS
        success: bool,
        /// FAILURE
        failure: bool,
        /// DELAY
        delay: bool,
    },
}

/// The recipient as the sender had it (RFC 3461 §4.2), decoded from xtext.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Orcpt {
    /// `rfc822`, `utf-8`, …
    pub address_type: String,
    /// The address in that type.
    pub address: String,
}

/// A recipient to be queued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRecipient {
    /// Where to.
    pub address: EmailAddress,
    /// When to tell the sender.
    pub notify: Notify,
    /// ORCPT, if given.
    pub orcpt: Option<Orcpt>,
}

/// What is to happen at the end of the time of DELIVERBY (RFC 2852 §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ByMode {
    /// Tell the sender and go on.
    Notify,
    /// Give the message up.
    Return,
}

/// DELIVERBY (RFC 2852).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliverBy {
    /// The end of the time.
    #[serde(with = "seconds")]
    pub at: UnixTime,
    /// What then.
    pub mode: ByMode,
    /// Whether the sender wants to hear of each hop (by-trace).
    pub trace: bool,
}

/// What the sender wants of TLS on the way (RFC 8689).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsWish {
    /// Nothing said.
    #[default]
    Default,
    /// REQUIRETLS: never without.
    Required,
    /// `TLS-Required: No`: rather without than not at all.
    Waived,
}

/// What the sender asks for besides; nothing by default.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Wishes {
    /// MT-PRIORITY, -9 to 9 (RFC 6710).
    pub priority: i8,
    /// No attempt before (RFC 4865).
    pub not_before: Option<UnixTime>,
    /// DELIVERBY.
    pub deliver_by: Option<DeliverBy>,
    /// REQUIRETLS or its opposite.
    pub tls: TlsWish,
}

/// A message to be queued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEntry {
    /// Where a bounce goes.
    pub reverse_path: ReversePath,
    /// At least one.
    pub recipients: Vec<NewRecipient>,
    /// RET, if given.
    pub ret: Option<Ret>,
    /// ENVID, if given, decoded from xtext.
    pub envid: Option<String>,
    /// Whether the message or its envelope needs SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// BODY.
    pub body: Body,
    /// Who sent it, when logged in.
    pub account: Option<AccountId>,
    /// When it was accepted.
    pub received: UnixTime,
    /// Bytes of content.
    pub size: u64,
    /// When to give up.
    pub expires: UnixTime,
    /// Begin held.
    pub held: bool,
    /// What else is asked for.
    pub wishes: Wishes,
}

/// State of one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecipientState {
    /// Waits for its next attempt.
    Queued,
    /// An operator holds it back.
    Held,
    /// The next host took it.
    Delivered,
    /// Refused for good.
    Failed,
    /// Not delivered in time.
    Expired,
}

/// One recipient of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Recipient {
    /// Position within the entry, from 0.
    pub index: u32,
    /// Where to.
    #[serde(serialize_with = "as_text")]
    pub address: EmailAddress,
    /// Where it stands.
    pub state: RecipientState,
    /// Attempts so far.
    pub attempts: u32,
    /// When to try next; seconds since 1970. Without effect unless queued.
    #[serde(serialize_with = "unix_time")]
    pub next_attempt: UnixTime,
    /// What the next host said last, or why there was no answer.
    pub last_reply: Option<String>,
    /// When to tell the sender.
    #[serde(serialize_with = "as_text")]
    pub notify: Notify,
    /// ORCPT.
    pub orcpt: Option<Orcpt>,
    /// Whether the sender was told of the delay.
    pub warned: bool,
}

/// An entry as listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub id: QueueId,
    /// The message.
    #[serde(skip)]
    pub content: ContentId,
    /// Where a bounce goes; empty for `<>`.
    #[serde(serialize_with = "as_text")]
    pub reverse_path: ReversePath,
    /// RET.
    pub ret: Option<Ret>,
    /// ENVID.
    pub envid: Option<String>,
    /// Whether it needs SMTPUTF8.
    pub smtputf8: bool,
    /// BODY.
    pub body: Body,
    /// Who sent it, when logged in.
    #[serde(serialize_with = "maybe_account")]
    pub account: Option<AccountId>,
    /// Seconds since 1970.
    #[serde(serialize_with = "unix_time")]
    pub received: UnixTime,
    /// Bytes of content.
    pub size: u64,
    /// Seconds since 1970.
    #[serde(serialize_with = "unix_time")]
    pub expires: UnixTime,
    /// MT-PRIORITY.
    pub priority: i8,
    /// Seconds since 1970; no attempt before.
    #[serde(serialize_with = "maybe_time")]
    pub not_before: Option<UnixTime>,
    /// DELIVERBY.
    pub deliver_by: Option<DeliverBy>,
    /// REQUIRETLS or its opposite.
    pub tls: TlsWish,
    /// All, by index.
    pub recipients: Vec<Recipient>,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// Taken from the sender.
    Accepted,
    /// An operator held it.
    Held,
    /// An operator let it go.
    Released,
    /// An attempt that must be repeated.
    Deferred,
    /// The next host took it.
    Delivered,
    /// Refused for good.
    Failed,
    /// Given up.
    Expired,
    /// The sender was told of the delay.
    Warned,
    /// An operator wants it tried now.
    Retried,
    /// An operator threw it away.
    Removed,
}

/// One line of an entry's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Event {
    /// Seconds since 1970.
    #[serde(serialize_with = "unix_time")]
    pub at: UnixTime,
    /// What.
    pub kind: EventKind,
    /// Of which recipient; None: all.
    pub recipient: Option<u32>,
    /// The reply, or what else there is to say.
    pub text: String,
}

/// An entry with its history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EntryDetails {
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// Oldest first.
    pub history: Vec<Event>,
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Notify::On { success, failure, delay } = *self else {
            return f.write_str(if *self == Notify::Never { "NEVER" } else { "" });
        };
        let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
        let chosen: Vec<&str> = words.into_iter().filter_map(|(on, word)| on.then_some(word)).collect();
        f.write_str(&chosen.join(","))
    }
}

fn as_text<S: serde::Serializer>(value: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn unix_time<S: serde::Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(time.0)
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn maybe_time<S: serde::Serializer>(time: &Option<UnixTime>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.0).serialize(to)
}

/// A time as seconds since 1970.
mod seconds {
    use model::UnixTime;
    use serde::Deserialize;

    pub(super) fn serialize<S: serde::Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(time.0)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<UnixTime, D::Error> {
        i64::deserialize(from).map(UnixTime)
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn maybe_account<S: serde::Serializer>(account: &Option<AccountId>, to: S) -> Result<S::Ok, S::Error> {
    account.map(|id| id.0).serialize(to)
}
