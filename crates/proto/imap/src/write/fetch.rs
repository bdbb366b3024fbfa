//! FETCH responses (RFC 9051 §7.5.2): the hot path.

use super::{
    Recent, date_time, email_id, flag_list, literal, literal_head, nstring, number, string, thread_id,
};
use crate::ask::Owner;
use crate::command::{Section, SectionText};
use model::{EmailId, FlagSet, Keyword, ModSeq, SeqNo, ThreadId, Uid, UnixTime};

/// One FETCH response under way: `begin`, items in any order, [`end`](FetchResponse::end).
///
/// Dropped without `end` it leaves half a line behind: an error after `begin` must end the connection.
#[must_use = "a response needs its end"]
pub struct FetchResponse<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> FetchResponse<'a> {
    /// `* n FETCH (`
    pub fn begin(out: &'a mut Vec<u8>, seq: SeqNo) -> FetchResponse<'a> {
        out.extend_from_slice(b"* ");
        number(out, u64::from(seq.0));
        out.extend_from_slice(b" FETCH (");
        FetchResponse { out, first: true }
    }

    /// `)`
    pub fn end(self) {
        debug_assert!(!self.first, "a FETCH response has at least one item");
        self.out.extend_from_slice(b")\r\n");
    }

    fn name(&mut self, name: &str) {
        if !self.first {
            self.out.push(b' ');
        }
        self.first = false;
        self.out.extend_from_slice(name.as_bytes());
    }

    /// FLAGS
    pub fn flags<'k>(
        &mut self,
        flags: FlagSet,
        keywords: impl IntoIterator<Item = &'k Keyword>,
        recent: Recent,
    ) {
        self.name("FLAGS ");
        flag_list(self.out, flags, keywords, recent);
    }

    /// UID
    pub fn uid(&mut self, uid: Uid) {
        self.name("UID ");
        number(self.out, u64::from(uid.0));
    }

    /// MODSEQ (RFC 7162 §3.1.4.2)
    pub fn modseq(&mut self, modseq: ModSeq) {
        self.name("MODSEQ (");
        number(self.out, modseq.0);
        self.out.push(b')');
    }

    /// INTERNALDATE
    pub fn internal_date(&mut self, time: UnixTime) {
        self.name("INTERNALDATE ");
        date_time(self.out, time);
    }

    /// SAVEDATE (RFC 8514)
    pub fn save_date(&mut self, time: UnixTime) {
        self.name("SAVEDATE ");
        date_time(self.out, time);
    }

    /// RFC822.SIZE
    pub fn size(&mut self, octets: u64) {
        self.name("RFC822.SIZE ");
        number(self.out, octets);
    }

    /// EMAILID (RFC 8474)
    pub fn email_id(&mut self, id: EmailId) {
        self.name("EMAILID (");
        email_id(self.out, Owner::SELF, id);
        self.out.push(b')');
    }

    /// THREADID (RFC 8474)
    pub fn thread_id(&mut self, id: ThreadId) {
        self.name("THREADID (");
        thread_id(self.out, Owner::SELF, id);
        self.out.push(b')');
    }

    /// PREVIEW (RFC 8970); None: a lazy one that is not there.
    pub fn preview(&mut self, text: Option<&str>) {
        self.name("PREVIEW ");
        nstring(self.out, text.map(str::as_bytes));
    }

    /// ENVELOPE, already in its form.
    pub fn envelope(&mut self, form: &[u8]) {
        self.name("ENVELOPE ");
        self.out.extend_from_slice(form);
    }

    /// BODY without section, already in its form.
    pub fn body(&mut self, form: &[u8]) {
        self.name("BODY ");
        self.out.extend_from_slice(form);
    }

    /// BODYSTRUCTURE, already in its form.
    pub fn body_structure(&mut self, form: &[u8]) {
        self.name("BODYSTRUCTURE ");
        self.out.extend_from_slice(form);
    }

    /// `BODY[section]<origin>` with its octets; None: there is no such part (NIL).
    pub fn section(&mut self, section: &Section, origin: Option<u64>, octets: Option<&[u8]>) {
        self.section_name(section, origin);
        content(self.out, octets);
    }

    /// `BODY[section]<origin> {length}`; the caller appends so many octets to [`out`](Self::out) before anything else.
    pub fn section_head(&mut self, section: &Section, origin: Option<u64>, length: u64) {
        self.section_name(section, origin);
        literal_head(self.out, length);
    }

    /// The buffer, for the octets that a head has announced.
    pub fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// RFC822, RFC822.HEADER or RFC822.TEXT (RFC 3501 §7.4.2), under that name.
    pub fn rfc822(&mut self, name: &'static str, octets: &[u8]) {
        self.name(name);
        self.out.push(b' ');
        content(self.out, Some(octets));
    }

    /// `BINARY[part]<origin>`; a literal8 if it holds NUL (RFC 3516 §4.4).
    pub fn binary(&mut self, part: &[u32], origin: Option<u64>, octets: Option<&[u8]>) {
        self.name("BINARY[");
        part_numbers(self.out, part);
        self.out.push(b']');
        write_origin(self.out, origin);
        self.out.push(b' ');
        if octets.is_some_and(|octets| memchr::memchr(0, octets).is_some()) {
            self.out.push(b'~');
            return literal(self.out, octets.unwrap_or_default());
        }
        content(self.out, octets);
    }

    /// `BINARY.SIZE[part]`
    pub fn binary_size(&mut self, part: &[u32], octets: u64) {
        self.name("BINARY.SIZE[");
        part_numbers(self.out, part);
        self.out.extend_from_slice(b"] ");
        number(self.out, octets);
    }

    fn section_name(&mut self, section: &Section, origin: Option<u64>) {
        self.name("BODY[");
        write_section(self.out, section);
        self.out.push(b']');
        write_origin(self.out, origin);
        self.out.push(b' ');
    }
}

/// Content is a literal always, but for nothing: clients read big strings that way with the least work, and an empty
/// quoted string is what they expect of an empty part.
fn content(out: &mut Vec<u8>, octets: Option<&[u8]>) {
    match octets {
        Some(b"") => string(out, b""),
        Some(octets) => literal(out, octets),
        None => nstring(out, None),
    }
}

fn part_numbers(out: &mut Vec<u8>, part: &[u32]) {
    for (at, part) in part.iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        number(out, u64::from(*part));
    }
}

fn write_origin(out: &mut Vec<u8>, origin: Option<u64>) {
    if let Some(origin) = origin {
        out.push(b'<');
        number(out, origin);
        out.push(b'>');
    }
}

/// Appends what stands between the brackets.
pub(crate) fn write_section(out: &mut Vec<u8>, section: &Section) {
    part_numbers(out, &section.part);
    let (word, names) = match &section.text {
        SectionText::Whole => return,
        SectionText::Header => ("HEADER", None),
        SectionText::HeaderFields(names) => ("HEADER.FIELDS", Some(names)),
        SectionText::HeaderFieldsNot(names) => ("HEADER.FIELDS.NOT", Some(names)),
        SectionText::Text => ("TEXT", None),
        SectionText::Mime => ("MIME", None),
    };
    if !section.part.is_empty() {
        out.push(b'.');
    }
    out.extend_from_slice(word.as_bytes());
    let Some(names) = names else { return };
    for (at, name) in names.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b" (" } else { b" " });
        super::astring(out, name.as_bytes());
    }
    out.push(b')');
}
