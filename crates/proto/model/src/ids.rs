//! Identifiers and the like, one type each.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Unique identifier of a message in a mailbox, never reused, strictly ascending (RFC 9051 §2.3.1.1). 1 to 2³²-1.
    Uid(u32)
);
id!(
    /// Position of a message in one session's view of a mailbox, from 1 (RFC 9051 §2.3.1.2).
    SeqNo(u32)
);
id!(
    /// Changes when the UIDs of a mailbox start anew (RFC 9051 §2.3.1.1).
    UidValidity(u32)
);
id!(
    /// Modification sequence, one counter for a whole account (RFC 7162 §3.1). 0 means "before everything".
    ModSeq(u64)
);
id!(
    /// A mailbox within its account; survives RENAME (MAILBOXID, RFC 8474 §4).
    MailboxId(u32)
);
id!(
    /// A message within its account; copies share it (EMAILID, RFC 8474 §5.1).
    EmailId(u32)
);
id!(
    /// A conversation within its account (THREADID, RFC 8474 §5.2).
    ThreadId(u32)
);
id!(
    /// Seconds since 1970-01-01 00:00 UTC.
    UnixTime(i64)
);

/// What a mailbox is for (RFC 6154 §2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpecialUse {
    /// \All
    All,
    /// \Archive
    Archive,
    /// \Drafts
    Drafts,
    /// \Flagged
    Flagged,
    /// \Junk
    Junk,
    /// \Sent
    Sent,
    /// \Trash
    Trash,
    /// \Important (RFC 8457)
    Important,
    /// \Memos: messages with $memo (RFC 9979 §8.3)
    Memos,
    /// \Scheduled: messages to be sent later (RFC 9979 §8.2)
    Scheduled,
    /// \Snoozed: messages that come back later (RFC 9979 §8.1)
    Snoozed,
}

impl SpecialUse {
    /// Every use there is.
    pub const EVERY: [SpecialUse; 11] = [
        SpecialUse::All,
        SpecialUse::Archive,
        SpecialUse::Drafts,
        SpecialUse::Flagged,
        SpecialUse::Junk,
        SpecialUse::Sent,
        SpecialUse::Trash,
        SpecialUse::Important,
        SpecialUse::Memos,
        SpecialUse::Scheduled,
        SpecialUse::Snoozed,
    ];

    /// The attribute as LIST shows it, with its backslash.
    pub fn attribute(self) -> &'static str {
        match self {
            SpecialUse::All => "\\All",
            SpecialUse::Archive => "\\Archive",
            SpecialUse::Drafts => "\\Drafts",
            SpecialUse::Flagged => "\\Flagged",
            SpecialUse::Junk => "\\Junk",
            SpecialUse::Sent => "\\Sent",
            SpecialUse::Trash => "\\Trash",
            SpecialUse::Important => "\\Important",
            SpecialUse::Memos => "\\Memos",
            SpecialUse::Scheduled => "\\Scheduled",
            SpecialUse::Snoozed => "\\Snoozed",
        }
    }

    /// The use that an attribute (with its backslash, any case) names.
    pub fn from_attribute(attribute: &str) -> Option<SpecialUse> {
        SpecialUse::EVERY.into_iter().find(|kind| kind.attribute().eq_ignore_ascii_case(attribute))
    }
}
