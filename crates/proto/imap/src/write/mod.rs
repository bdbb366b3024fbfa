//! Responses to bytes, straight into the output buffer.
//!
//! Invariants: nothing is allocated per response; what comes from outside (names, texts, keywords) can't end a line or a
//! string early: it is quoted with escapes, or a literal, or has its control characters replaced.
//!
//! RFC 9051 §7, §9, and the response codes of RFC 5530.

use crate::ask::Owner;
use crate::mailbox_name::{INBOX, NameEncoding};
use crate::mutf7;
use crate::parse::{civil_from_days, month_name};
use crate::sequence::{write_numbers, write_ranges, write_uids};
use model::{
    EmailId, Flag, FlagSet, Keyword, MailboxId, ModSeq, SeqNo, ThreadId, Uid, UidSet, UidValidity, UnixTime,
};

mod acl;
mod annotation;
mod fetch;
mod mailbox;
#[cfg(test)]
mod tests;

pub use acl::{acl, list_rights, my_rights};
pub use annotation::{annotations, changed_annotations};
pub use fetch::FetchResponse;
pub(crate) use fetch::write_section;
pub use mailbox::{
    EsearchResponse, InOrder, ListKind, NamespaceRow, StatusResponse, Vanished, capability, enabled, exists,
    expunge, flags, id, list, list_oldname, metadata, metadata_names, namespace, quota, quota_root, recent,
    relevancy, search, vanished,
};

/// Longest string that is quoted; longer ones are literals, which need no look at each octet.
const QUOTED_BYTES_MAX: usize = 1024;

/// Appends a number in decimal.
pub fn number(out: &mut Vec<u8>, number: u64) {
    if number < 10 {
        return out.push(b'0' + number as u8);
    }
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `string`: quoted if it is short ASCII without CR, LF and NUL, else a literal.
pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    let plain = |byte: &u8| matches!(byte, 1..=0x7f) && !matches!(byte, b'\r' | b'\n');
    if bytes.len() <= QUOTED_BYTES_MAX && bytes.iter().all(plain) {
        quoted(out, bytes);
    } else {
        literal(out, bytes);
    }
}

/// Appends `nstring`.
pub fn nstring(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => string(out, bytes),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Appends `astring`: as it is if it is a simple word, else as [`string`].
pub fn astring(out: &mut Vec<u8>, bytes: &[u8]) {
    // NIL could be taken for nothing at all.
    let simple = |byte: &u8| crate::parse::is_astring_char(*byte);
    if !bytes.is_empty() && bytes.iter().all(simple) && !bytes.eq_ignore_ascii_case(b"NIL") {
        out.extend_from_slice(bytes);
    } else {
        string(out, bytes);
    }
}

/// Appends `{n}` and the octets.
pub fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    literal_head(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends the head of a literal whose octets the caller writes next.
pub fn literal_head(out: &mut Vec<u8>, length: u64) {
    out.push(b'{');
    number(out, length);
    out.extend_from_slice(b"}\r\n");
}

/// Quotes what holds no CR, LF or NUL.
fn quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends a mailbox name as the client reads it: `INBOX` bare, others quoted.
pub fn mailbox(out: &mut Vec<u8>, name: &str, encoding: NameEncoding) {
    if name == INBOX {
        return out.extend_from_slice(INBOX.as_bytes());
    }
    out.push(b'"');
    let start = out.len();
    match encoding {
        NameEncoding::ModifiedUtf7 => mutf7::encode(name, out),
        NameEncoding::Utf8 => out.extend_from_slice(name.as_bytes()),
    }
    // Names with either are rare, so that moving the rest is no matter.
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &out[at..]) {
        out.insert(at + found, b'\\');
        at += found + 2;
    }
    debug_assert!(
        !out[start..].iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')),
        "names hold no controls"
    );
    out.push(b'"');
}

/// `text` in the client's own language (RFC 5255 §3.5): UTF-8 without control characters.
fn utf8_text(out: &mut Vec<u8>, text: &str) {
    let mut letter = [0; 4];
    for character in text.chars().map(|character| if character.is_control() { '?' } else { character }) {
        out.extend_from_slice(character.encode_utf8(&mut letter).as_bytes());
    }
}

/// Appends a text for people: what could end the line becomes `?`, and so does what is not ASCII (only IMAP4rev2 clients
/// take that, and the server's texts do not need it). An empty text becomes a dot, for the grammar wants one character.
fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(
        text.chars().map(|character| if matches!(character, ' '..='~') { character as u8 } else { b'?' }),
    );
    if text.is_empty() {
        out.push(b'.');
    }
}

/// Appends `date-time` in UTC: `"17-Jul-1996 09:44:25 +0000"`.
pub fn date_time(out: &mut Vec<u8>, time: UnixTime) {
    // The grammar has four digits for the year.
    const LAST: i64 = 253_402_300_799;
    const FIRST: i64 = -62_167_219_200;
    let seconds = time.0.clamp(FIRST, LAST);
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let in_day = seconds.rem_euclid(86_400);
    let two = |number: i64| [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8];
    let day = i64::from(day);
    out.push(b'"');
    out.extend_from_slice(&if day < 10 { [b' ', b'0' + day as u8] } else { two(day) });
    out.push(b'-');
    out.extend_from_slice(month_name(month).as_bytes());
    out.push(b'-');
    out.extend_from_slice(&two(year / 100));
    out.extend_from_slice(&two(year % 100));
    out.push(b' ');
    out.extend_from_slice(&two(in_day / 3600));
    out.push(b':');
    out.extend_from_slice(&two(in_day / 60 % 60));
    out.push(b':');
    out.extend_from_slice(&two(in_day % 60));
    out.extend_from_slice(b" +0000\"");
}

/// Whether a message is \Recent (RFC 3501 §2.3.2; never in IMAP4rev2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Recent {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// Appends `(\Seen $Junk …)`.
pub fn flag_list<'a>(
    out: &mut Vec<u8>,
    flags: FlagSet,
    keywords: impl IntoIterator<Item = &'a Keyword>,
    recent: Recent,
) {
    out.push(b'(');
    let start = out.len();
    for flag in Flag::EVERY {
        if flags.has(flag) {
            out.extend_from_slice(flag.name().as_bytes());
            out.push(b' ');
        }
    }
    if recent == Recent::Yes {
        out.extend_from_slice(b"\\Recent ");
    }
    for keyword in keywords {
        out.extend_from_slice(keyword.as_str().as_bytes());
        out.push(b' ');
    }
    match out.last_mut() {
        Some(space) if *space == b' ' => *space = b')',
        _ => out.push(b')'),
    }
    debug_assert!(out.len() >= start);
}

/// The beginning of an id: `M` of one's own, `M7-` of account 7.
fn object(out: &mut Vec<u8>, letter: u8, owner: Owner) {
    out.push(letter);
    if owner != Owner::SELF {
        number(out, u64::from(owner.0));
        out.push(b'-');
    }
}

/// The same of a mailbox, as a text.
pub(crate) fn mailbox_id_text(owner: Owner, id: MailboxId) -> String {
    let mut out = Vec::new();
    mailbox_id(&mut out, owner, id);
    String::from_utf8(out).unwrap_or_default()
}

/// MAILBOXID as text (RFC 8474 §7): the server's own form.
pub fn mailbox_id(out: &mut Vec<u8>, owner: Owner, id: MailboxId) {
    object(out, b'F', owner);
    number(out, u64::from(id.0));
}

/// EMAILID as text.
pub fn email_id(out: &mut Vec<u8>, owner: Owner, id: EmailId) {
    object(out, b'M', owner);
    number(out, u64::from(id.0));
}

/// THREADID as text.
pub fn thread_id(out: &mut Vec<u8>, owner: Owner, id: ThreadId) {
    object(out, b'T', owner);
    number(out, u64::from(id.0));
}

/// The EMAILID that a client names in SEARCH; None: no message has it.
pub fn email_id_from(text: &str, owner: Owner) -> Option<EmailId> {
    id_of(text, 'M', owner).map(EmailId)
}

/// The THREADID that a client names in SEARCH; None: no message has it.
pub fn thread_id_from(text: &str, owner: Owner) -> Option<ThreadId> {
    id_of(text, 'T', owner).map(ThreadId)
}

/// One spelling per id: no sign, no leading zero.
fn id_of(text: &str, letter: char, owner: Owner) -> Option<u32> {
    let mut digits = text.strip_prefix(letter)?;
    if owner != Owner::SELF {
        digits = digits.strip_prefix(&format!("{}-", owner.0))?;
    }
    let canonical = digits == "0" || digits.starts_with(|first: char| matches!(first, '1'..='9'));
    digits.parse().ok().filter(|_| canonical)
}

/// Condition of a status response (RFC 9051 §7.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Condition {
    /// OK
    Ok,
    /// NO
    No,
    /// BAD
    Bad,
    /// PREAUTH: untagged only.
    PreAuth,
    /// BYE: untagged only.
    Bye,
}

impl Condition {
    fn name(self) -> &'static [u8] {
        match self {
            Condition::Ok => b"OK ",
            Condition::No => b"NO ",
            Condition::Bad => b"BAD ",
            Condition::PreAuth => b"PREAUTH ",
            Condition::Bye => b"BYE ",
        }
    }
}

/// Response code (RFC 9051 §7.1, RFC 5530, and as named).
#[derive(Clone, Copy, Debug)]
pub enum Code<'a> {
    /// A code without arguments, in capitals: `ALERT`, `TRYCREATE`, `NONEXISTENT` …
    Plain(&'static str),
    /// The charsets that are supported.
    BadCharset(&'a [&'a str]),
    /// Capabilities, separated by spaces.
    Capability(&'a str),
    /// What may be changed; `\*`: new keywords may be made.
    PermanentFlags {
        /// System flags.
        flags: FlagSet,
        /// Keywords.
        keywords: &'a [Keyword],
        /// Whether new ones may be made.
        new_keywords: NewKeywords,
    },
    /// UIDNEXT
    UidNext(Uid),
    /// UIDVALIDITY
    UidValidity(UidValidity),
    /// UNSEEN: the first message without \Seen (RFC 3501 only).
    Unseen(SeqNo),
    /// HIGHESTMODSEQ (RFC 7162)
    HighestModSeq(ModSeq),
    /// MAILBOXID (RFC 8474)
    MailboxId(MailboxId),
    /// APPENDUID (RFC 4315); UIDs in the order of the messages.
    AppendUid(UidValidity, &'a [Uid]),
    /// COPYUID (RFC 4315). The n-th UID of the one set belongs to the n-th of the other; neither is empty.
    CopyUid(UidValidity, &'a UidSet, &'a UidSet),
    /// MODIFIED (RFC 7162 §3.1.3) after UID STORE.
    ModifiedUids(&'a UidSet),
    /// MODIFIED after STORE: the view, and the UIDs in it.
    ModifiedNumbers(&'a UidSet, &'a UidSet),
}

/// Whether `\*` is among the permanent flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NewKeywords {
    /// They may be made.
    Allowed,
    /// There are enough, or the mailbox is read-only.
    Refused,
}

/// Appends `tag OK [CODE] text`.
pub fn tagged(out: &mut Vec<u8>, tag: &str, condition: Condition, code: Option<Code<'_>>, words: &str) {
    out.extend_from_slice(tag.as_bytes());
    out.push(b' ');
    status(out, condition, code, words);
}

/// As [`tagged`], with a text (its code in it) that the client has asked to have in a language of UTF-8.
pub(crate) fn tagged_utf8(out: &mut Vec<u8>, tag: &str, condition: Condition, words: &str) {
    out.extend_from_slice(tag.as_bytes());
    out.push(b' ');
    out.extend_from_slice(condition.name());
    utf8_text(out, words);
    out.extend_from_slice(b"\r\n");
}

/// Appends `* OK [CODE] text`.
///
/// The text is one of this crate's own, in the client's language.
pub fn untagged(out: &mut Vec<u8>, condition: Condition, code: Option<Code<'_>>, words: &str) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(condition.name());
    if let Some(code) = code {
        out.push(b'[');
        write_code(out, code);
        out.extend_from_slice(b"] ");
    }
    utf8_text(out, words);
    out.extend_from_slice(b"\r\n");
}

fn status(out: &mut Vec<u8>, condition: Condition, code: Option<Code<'_>>, words: &str) {
    out.extend_from_slice(condition.name());
    if let Some(code) = code {
        out.push(b'[');
        write_code(out, code);
        out.extend_from_slice(b"] ");
    }
    text(out, words);
    out.extend_from_slice(b"\r\n");
}

/// Appends `+ text`.
pub fn continuation(out: &mut Vec<u8>, words: &str) {
    out.extend_from_slice(b"+ ");
    text(out, words);
    out.extend_from_slice(b"\r\n");
}

/// Appends `+ base64` with a SASL challenge; an empty one leaves `+ ` (RFC 9051 §6.2.2).
pub fn challenge(out: &mut Vec<u8>, message: &[u8]) {
    out.extend_from_slice(b"+ ");
    sasl::encode_base64(message, out);
    out.extend_from_slice(b"\r\n");
}

fn write_code(out: &mut Vec<u8>, code: Code<'_>) {
    let mut named = |name: &str, value: u64| {
        out.extend_from_slice(name.as_bytes());
        number(out, value);
    };
    match code {
        Code::Plain(name) => out.extend_from_slice(name.as_bytes()),
        Code::UidNext(uid) => named("UIDNEXT ", u64::from(uid.0)),
        Code::UidValidity(validity) => named("UIDVALIDITY ", u64::from(validity.0)),
        Code::Unseen(first) => named("UNSEEN ", u64::from(first.0)),
        Code::HighestModSeq(modseq) => named("HIGHESTMODSEQ ", modseq.0),
        Code::MailboxId(id) => {
            out.extend_from_slice(b"MAILBOXID (");
            mailbox_id(out, Owner::SELF, id);
            out.push(b')');
        }
        Code::BadCharset(charsets) => {
            out.extend_from_slice(b"BADCHARSET (");
            out.extend_from_slice(charsets.join(" ").as_bytes());
            out.push(b')');
        }
        Code::Capability(capabilities) => {
            out.extend_from_slice(b"CAPABILITY ");
            out.extend_from_slice(capabilities.as_bytes());
        }
        Code::PermanentFlags { flags, keywords, new_keywords } => {
            out.extend_from_slice(b"PERMANENTFLAGS ");
            flag_list(out, flags, keywords, Recent::No);
            if new_keywords == NewKeywords::Allowed {
                out.pop();
                let first = out.last() == Some(&b'(');
                out.extend_from_slice(if first { b"\\*)" } else { b" \\*)" });
            }
        }
        Code::AppendUid(validity, uids) => {
            named("APPENDUID ", u64::from(validity.0));
            out.push(b' ');
            append_uids(out, uids);
        }
        Code::CopyUid(validity, from, to) => {
            debug_assert_eq!(from.len(), to.len(), "UIDs come in pairs");
            named("COPYUID ", u64::from(validity.0));
            out.push(b' ');
            write_uids(out, from);
            out.push(b' ');
            write_uids(out, to);
        }
        Code::ModifiedUids(uids) => {
            out.extend_from_slice(b"MODIFIED ");
            write_uids(out, uids);
        }
        Code::ModifiedNumbers(view, uids) => {
            out.extend_from_slice(b"MODIFIED ");
            write_numbers(out, view, uids);
        }
    }
}

/// UIDs in their order; ascending neighbours as a range.
fn append_uids(out: &mut Vec<u8>, uids: &[Uid]) {
    let runs = uids.chunk_by(|one, next| one.0.checked_add(1) == Some(next.0));
    write_ranges(out, runs.filter_map(|run| Some((run.first()?.0, run.last()?.0))));
}
