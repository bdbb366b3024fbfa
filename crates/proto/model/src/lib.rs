//! The nouns of e-mail that several protocols share: ids, UID sets, flags, addresses.
//!
//! Each id is a type of its own: a UID where a sequence number belongs must not compile.

mod address;
mod flags;
mod ids;
mod uid_set;

pub use address::{AddressError, Domain, EmailAddress, LocalPart, Path, ReversePath};
pub use flags::{Flag, FlagSet, Keyword, KeywordError};
pub use ids::{EmailId, MailboxId, ModSeq, SeqNo, SpecialUse, ThreadId, Uid, UidValidity, UnixTime};
pub use uid_set::UidSet;
