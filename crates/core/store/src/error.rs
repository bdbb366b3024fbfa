//! What may go wrong: the world's trouble, and refusals that the caller's protocol words.

use std::fmt;

/// Why something was not read or not done. Whatever was asked for, nothing of it was kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The engine's trouble, a damaged record among it.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// There is no such account.
    #[error("there is no such account")]
    NoAccount,
    /// There is already such an account.
    #[error("there is already such an account")]
    AccountExists,
    /// There is no such mailbox.
    #[error("there is no such mailbox")]
    NoMailbox,
    /// There is already a mailbox of that name.
    #[error("there is already a mailbox of that name")]
    MailboxExists,
    /// There is no such message (any more).
    #[error("there is no such message")]
    NoMessage,
    /// The name can't be had, or may not be deleted or renamed so; the reason.
    #[error("{0}")]
    BadName(&'static str),
    /// Bytes or number of messages would exceed the account's quota.
    #[error("the account's quota would be exceeded")]
    OverQuota,
    /// Another limit of the store.
    #[error("limit reached: {0}")]
    Limit(Limit),
    /// What was to be written in the same transaction ([`crate::Extra`]) gave up.
    #[error("the transaction was given up")]
    Cancelled,
    /// The special use is already given to another mailbox (RFC 6154 §3).
    #[error("another mailbox has that special use")]
    UseTaken,
}

impl Error {
    /// Whether the same request may succeed later (a 4xx, not a 5xx).
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Engine(error) => error.is_transient(),
            Error::OverQuota => true,
            _ => false,
        }
    }
}

/// Limits that don't depend on the quota.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// Keywords in a mailbox.
    Keywords,
    /// Mailboxes in an account.
    Mailboxes,
    /// UIDs of a mailbox are used up.
    Uids,
    /// Message ids of an account are used up.
    Messages,
    /// Octets of one message.
    MessageSize,
    /// Entries of an access control list.
    AclEntries,
    /// Metadata entries of a mailbox or of the server, their number or their octets (RFC 5464 §4.3).
    Metadata,
    /// Octets of an annotation's value or of its name (RFC 5257 §4.5).
    AnnotationSize,
    /// Annotations of a message (RFC 5257 §4.5).
    Annotations,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Keywords => "number of keywords in the mailbox",
            Limit::Mailboxes => "number of mailboxes in the account",
            Limit::Uids => "number of UIDs in the mailbox",
            Limit::Messages => "number of messages in the account",
            Limit::MessageSize => "size of a message",
            Limit::AclEntries => "number of identifiers in the access control list",
            Limit::Metadata => "number or size of metadata entries",
            Limit::AnnotationSize => "size of an annotation",
            Limit::Annotations => "number of annotations of a message",
        })
    }
}
