//! SEARCH (RFC 9051 §6.4.4): a neutral tree of conditions, evaluated by page.

use crate::{Error, Store};
use engine::AccountId;
use model::{EmailId, Keyword, MailboxId, ModSeq, ThreadId, Uid, UidSet, UnixTime};

/// A civil date: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i32);

/// How a date is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Earlier than that day.
    Before,
    /// Within that day.
    On,
    /// Within that day or later.
    Since,
}

/// Which date is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateOf {
    /// INTERNALDATE, its day in UTC.
    Internal,
    /// The Date header field, its day as written, without regard to time and zone. Fails when there is none.
    Sent,
    /// SAVEDATE, its day in UTC.
    Saved,
}

/// What SEARCH looks for. Texts are UTF-8; they match as substrings of the decoded text (RFC 2047, transfer encodings,
/// charsets), both after NFC and Unicode's simple lower case. An empty text matches everything that has the field.
#[derive(Clone, PartialEq, Debug)]
pub enum Query {
    /// Every message.
    All,
    /// One of these (sequence numbers, UIDs, \Recent).
    Uids(UidSet),
    /// Has the system flag.
    Flag(model::Flag),
    /// Has the keyword.
    Keyword(Keyword),
    /// Not that.
    Not(Box<Query>),
    /// All of these; an empty list holds for every message.
    And(Vec<Query>),
    /// Either of the two.
    Or(Box<Query>, Box<Query>),
    /// Has a header field of that name (any case) with that text in it (FROM, TO, CC, BCC and SUBJECT as well).
    Header {
        /// Field name.
        name: String,
        /// Empty: the field must be there.
        text: String,
    },
    /// Text in the body, not the header.
    Body(String),
    /// Text in header or body.
    Text(String),
    /// More octets than that.
    Larger(u64),
    /// Fewer octets than that.
    Smaller(u64),
    /// By a date.
    Date(DateOf, When, Day),
    /// INTERNALDATE at or after this moment (YOUNGER, RFC 5032).
    ReceivedFrom(UnixTime),
    /// INTERNALDATE at or before this moment (OLDER, RFC 5032).
    ReceivedUpTo(UnixTime),
    /// Modification sequence at least that (RFC 7162 §3.1.5).
    ModSeq(ModSeq),
    /// RFC 8474 §5.1.
    EmailId(EmailId),
    /// RFC 8474 §5.2.
    ThreadId(ThreadId),
}

/// A page of what SEARCH found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Found on this page.
    pub uids: UidSet,
    /// Where the next page starts; None: that was all.
    pub next: Option<Uid>,
    /// Messages whose content is damaged: what depends on it did not match.
    pub unreadable: UidSet,
}

impl Store {
    /// Looks for messages of a mailbox among `among`, from `from` on: a bounded page of work ([`Found::next`]). What is
    /// cheap is looked at first, the content only when it decides.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn search(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        query: &Query,
        among: &UidSet,
        from: Uid,
    ) -> Result<Found, Error> {
        let _ = (account, mailbox, query, among, from);
        panic!()
    }
}
