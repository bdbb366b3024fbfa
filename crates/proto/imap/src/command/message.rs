//! FETCH and STORE (RFC 9051 §6.4.5, §6.4.6).

use super::{AnnotationRequest, FlagList, Numbering, PartialRange};
use crate::sequence::SequenceSet;
use model::{AnnotationChange, FlagMode, ModSeq};

/// FETCH.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetch {
    /// How `set` counts.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// What of them, in the order asked for; macros are written out.
    pub items: Vec<FetchItem>,
    /// CHANGEDSINCE (RFC 7162 §3.1.4.1).
    pub changed_since: Option<ModSeq>,
    /// VANISHED (RFC 7162 §3.2.6); only with UID FETCH and CHANGEDSINCE.
    pub vanished: bool,
    /// PARTIAL (RFC 9394 §3.3); only with UID FETCH.
    pub partial: Option<PartialRange>,
}

/// A data item of FETCH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchItem {
    /// ENVELOPE
    Envelope,
    /// FLAGS
    Flags,
    /// INTERNALDATE
    InternalDate,
    /// RFC822.SIZE
    Rfc822Size,
    /// UID
    Uid,
    /// BODY
    Body,
    /// BODYSTRUCTURE
    BodyStructure,
    /// BODY[…] and BODY.PEEK[…]
    BodySection {
        /// Which part.
        section: Section,
        /// Which octets of it.
        partial: Option<Partial>,
        /// Whether \Seen is set.
        peek: Peek,
    },
    /// RFC822 (RFC 3501)
    Rfc822,
    /// RFC822.HEADER (RFC 3501)
    Rfc822Header,
    /// RFC822.TEXT (RFC 3501)
    Rfc822Text,
    /// BINARY[…] and BINARY.PEEK[…] (RFC 3516)
    Binary {
        /// Part numbers; none: the message.
        part: Vec<u32>,
        /// Which octets of it, after decoding.
        partial: Option<Partial>,
        /// Whether \Seen is set.
        peek: Peek,
    },
    /// BINARY.SIZE[…]: part numbers.
    BinarySize(Vec<u32>),
    /// MODSEQ (RFC 7162)
    ModSeq,
    /// EMAILID (RFC 8474)
    EmailId,
    /// THREADID (RFC 8474)
    ThreadId,
    /// SAVEDATE (RFC 8514)
    SaveDate,
    /// PREVIEW (RFC 8970)
    Preview(Preview),
    /// ANNOTATION (RFC 5257)
    Annotation(AnnotationRequest),
}

/// Whether fetching content marks the message as read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Peek {
    /// It sets \Seen.
    No,
    /// `.PEEK`: it does not.
    Yes,
}

/// Whether a preview may be left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preview {
    /// Make it if there is none yet.
    Make,
    /// LAZY: only if it costs nothing (RFC 8970 §3.2).
    Lazy,
}

/// What stands in the brackets of BODY[…].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Part numbers, at most `parse::limits::SECTION_DEPTH_MAX`; none: the message itself.
    pub part: Vec<u32>,
    /// What of that part.
    pub text: SectionText,
}

/// `section-text`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SectionText {
    /// Nothing said: the part's body, or the whole message if there is no part number.
    Whole,
    /// HEADER
    Header,
    /// HEADER.FIELDS: names as written.
    HeaderFields(Vec<String>),
    /// HEADER.FIELDS.NOT: names as written.
    HeaderFieldsNot(Vec<String>),
    /// TEXT
    Text,
    /// MIME; never without part numbers.
    Mime,
}

/// `<start.length>`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Partial {
    /// First octet, from 0.
    pub start: u64,
    /// Octets, at least 1.
    pub length: u64,
}

/// STORE.
#[derive(Clone, PartialEq, Debug)]
pub struct Store {
    /// How `set` counts.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// UNCHANGEDSINCE (RFC 7162 §3.1.3).
    pub unchanged_since: Option<ModSeq>,
    /// FLAGS, +FLAGS, -FLAGS
    pub mode: FlagMode,
    /// Whether the new flags are told.
    pub echo: Echo,
    /// Which.
    pub flags: FlagList,
    /// ANNOTATION in place of flags, and then at least one (RFC 5257 §4.5).
    pub annotations: Vec<AnnotationChange>,
}

/// Whether STORE answers with FETCH responses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Echo {
    /// It does.
    Flags,
    /// `.SILENT`: only what the client can't know.
    Silent,
}
