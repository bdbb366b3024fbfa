//! The nouns of e-mail that several protocols share: ids, UID sets, flags, addresses.
//!
//! Each id is a type of its own: a UID where a sequence number belongs must not compile.

mod address;
mod annotation;
mod arrangement;
mod comparator;
mod dns;
mod flag_change;
mod flags;
mod ids;
mod query;
mod rights;
mod uid_set;

pub use address::{AddressError, Domain, EmailAddress, LocalPart, Path, ReversePath};
pub use annotation::{
    AnnotationChange, AnnotationKey, AnnotationQuery, AnnotationScope, is_annotation_entry,
};
pub use arrangement::{Arrangement, Direction, SortCriterion, SortKey, ThreadAlgorithm, ThreadNode};
pub use comparator::{Collation, Comparator};
pub use dns::{Answer, Caa, Mx, Presence, SecurityStatus, Srv, Tlsa};
pub use flag_change::{FlagChange, FlagMode};
pub use flags::{Flag, FlagSet, Keyword, KeywordError};
pub use ids::{EmailId, MailboxId, ModSeq, SeqNo, SpecialUse, ThreadId, Uid, UidValidity, UnixTime};
pub use query::{DateOf, Day, Query, When};
pub use rights::{NoRight, Right, Rights};
pub use uid_set::UidSet;
