//! Access control lists in questions (RFC 4314).

use model::Rights;

/// What SETACL does with the rights of an identifier (RFC 4314 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RightsChange {
    /// These and no others.
    Set(Rights),
    /// `+`: these too.
    Add(Rights),
    /// `-`: no longer these.
    Remove(Rights),
}

/// A question about the access control list of a mailbox. Refused with [`RefusedKind::NonExistent`] for one that this
/// user may not see, with [`RefusedKind::NoPerm`] for one that he may see and not administer.
///
/// [`RefusedKind::NonExistent`]: super::RefusedKind::NonExistent
/// [`RefusedKind::NoPerm`]: super::RefusedKind::NoPerm
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AclAsk {
    /// GETACL. [[`Answer::Acl`](super::Answer::Acl)]
    Get,
    /// SETACL. [[`Answer::Done`](super::Answer::Done)]
    Set {
        /// Of whom, prepared with SASLprep; with `-` before it: a negative right.
        identifier: String,
        /// How.
        change: RightsChange,
    },
    /// DELETEACL; an identifier that has no entry is no error. [[`Answer::Done`](super::Answer::Done)]
    Delete {
        /// As in `Set`.
        identifier: String,
    },
    /// LISTRIGHTS. [[`Answer::ListRights`](super::Answer::ListRights)]
    ListRights {
        /// As in `Set`.
        identifier: String,
    },
    /// MYRIGHTS. [[`Answer::Rights`](super::Answer::Rights)]
    MyRights,
}

/// Of which quota root something is asked (RFC 9208 §3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QuotaOf {
    /// This root; empty: the user's own.
    Root(String),
    /// The root of this mailbox, which need not exist.
    Mailbox(String),
}
