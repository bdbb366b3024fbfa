//! What a POP3 session asks the world (directory and store), and what comes back.
//!
//! The answering side is one object per connection and keeps the account and the exclusive lock on its maildrop from
//! [`Ask::Open`] to [`Ask::Commit`] or [`Ask::Release`]; when the connection breaks it is dropped, and must release the
//! lock then, removing nothing (RFC 1939 §6). The lock is against other POP3 sessions only: IMAP goes on.

use std::collections::BTreeMap;
use std::ops::Range;

use model::{Uid, UidValidity};

/// A question. Its answer is named in brackets.
#[derive(Debug)]
pub enum Ask {
    /// Something of a log-in. [[`Answer::Auth`]]
    Auth(sasl::Question),
    /// Locks the maildrop (the inbox) of the account just granted, and lists it (RFC 1939 §4). [[`Answer::Opened`] or
    /// [`Answer::Unopened`]]
    Open {
        /// As [`sasl::Verdict::Granted`] named it.
        account: String,
    },
    /// Octets of a message in its CRLF form. The range lies within [`Entry::size_octets`] and is at most
    /// [`READ_OCTETS_MAX`] long; a message is read from its beginning, in order. [[`Answer::Octets`], all of the range, or
    /// [`Answer::Unread`]]
    Read {
        /// Which message.
        uid: Uid,
        /// From, and up to but without.
        range: Range<u64>,
    },
    /// QUIT after a log-in: removes these messages durably, then releases the lock whatever came of it (RFC 1939 §6).
    /// Ones that are gone already (by IMAP) count as removed. [[`Answer::Done`] or [`Answer::Uncommitted`]]
    Commit {
        /// Ascending; may be empty. Nothing else may be removed.
        deleted: Vec<Uid>,
        /// The highest message that was handed out whole, if it is higher than [`Maildrop::last_accessed`]; for LAST.
        last_accessed: Option<Uid>,
    },
    /// The session ends without QUIT: releases the lock, removes nothing. [[`Answer::Done`]]
    Release,
}

/// Longest range of an [`Ask::Read`], in octets.
pub const READ_OCTETS_MAX: u64 = 256 * 1024;

/// What the world answers.
#[derive(Debug)]
pub enum Answer {
    /// To [`Ask::Auth`].
    Auth(sasl::Reply),
    /// The maildrop is locked.
    Opened(Maildrop),
    /// It is not.
    Unopened(Unopened),
    /// A piece of a message.
    Octets(Vec<u8>),
    /// There is none.
    Unread(Unread),
    /// Done as asked.
    Done,
    /// Some or all of the deleted messages are still there.
    Uncommitted(Uncommitted),
}

/// A maildrop as it was when it was opened; it does not change for the session's life (RFC 1939 §4).
#[derive(Debug, Default)]
pub struct Maildrop {
    /// Part of the unique-ids that are made here.
    pub uid_validity: UidValidity,
    /// In ascending UID order.
    pub messages: Vec<Entry>,
    /// Unique-ids (RFC 1939 §7) of messages that brought their own, as imported ones do: 1 to 70 characters of 0x21 to
    /// 0x7E. All others get one from UIDVALIDITY and UID, 16 hexadecimal digits, the same as long as the message lives.
    pub own_uidls: BTreeMap<Uid, Box<str>>,
    /// What [`Ask::Commit`] was told last; None: nothing was accessed yet, or the world does not keep it.
    pub last_accessed: Option<Uid>,
}

/// One message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// UID in the inbox.
    pub uid: Uid,
    /// In CRLF form, without byte-stuffing (RFC 1939 §11).
    pub size_octets: u32,
}

/// Why a maildrop could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unopened {
    /// Another POP3 session has it: `[IN-USE]` (RFC 2449 §8.1.2).
    InUse,
    /// The last log-in was too short a time ago: `[LOGIN-DELAY]` (RFC 2449 §8.1.1).
    LoginDelay,
    /// `[SYS/TEMP]` (RFC 3206 §4).
    Temporary,
    /// `[SYS/PERM]`: somebody has to look at it.
    Permanent,
}

/// Why a message could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unread {
    /// Removed since the maildrop was opened, by IMAP.
    Gone,
    /// `[SYS/TEMP]`
    Temporary,
    /// `[SYS/PERM]`: its record is damaged.
    Damaged,
}

/// Why deleted messages were not removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uncommitted {
    /// `[SYS/TEMP]`
    Temporary,
    /// `[SYS/PERM]`
    Permanent,
}
