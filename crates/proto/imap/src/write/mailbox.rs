//! Responses about mailboxes and their contents as a whole (RFC 9051 §7.2 to §7.5.1), and about the server.

use super::{Recent, astring, flag_list, mailbox, mailbox_id, nstring, number, string};
use crate::ask::Owner;
use crate::command::{Numbering, PartialRange, StatusItem};
use crate::mailbox_name::{NameEncoding, SEPARATOR};
use crate::sequence::{write_numbers, write_ranges, write_uids};
use model::{FlagSet, Keyword, MailboxId, ModSeq, SeqNo, UidSet, UidValidity};

/// `* CAPABILITY …`; names separated by spaces.
pub fn capability(out: &mut Vec<u8>, capabilities: &str) {
    line(out, "CAPABILITY ", capabilities);
}

/// `* ENABLED …`; names separated by spaces, maybe none.
pub fn enabled(out: &mut Vec<u8>, capabilities: &str) {
    line(out, if capabilities.is_empty() { "ENABLED" } else { "ENABLED " }, capabilities);
}

fn line(out: &mut Vec<u8>, name: &str, rest: &str) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn counted(out: &mut Vec<u8>, count: u32, name: &[u8]) {
    out.extend_from_slice(b"* ");
    number(out, u64::from(count));
    out.extend_from_slice(name);
}

/// `* n EXISTS`
pub fn exists(out: &mut Vec<u8>, messages: u32) {
    counted(out, messages, b" EXISTS\r\n");
}

/// `* n RECENT` (RFC 3501)
pub fn recent(out: &mut Vec<u8>, messages: u32) {
    counted(out, messages, b" RECENT\r\n");
}

/// `* n EXPUNGE`
pub fn expunge(out: &mut Vec<u8>, message: SeqNo) {
    counted(out, message.0, b" EXPUNGE\r\n");
}

/// Which VANISHED (RFC 7162 §3.2.10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vanished {
    /// Messages that the client counted until now.
    Now,
    /// `(EARLIER)`: messages that were gone already.
    Earlier,
}

/// Most ranges of UIDs in one VANISHED, so that no line is too long for its reader.
const VANISHED_RANGES_MAX: usize = 500;

/// `* VANISHED uids`, or `* VANISHED (EARLIER) uids` (RFC 7162 §3.2.10), several if there are many. Nothing for no UIDs.
pub fn vanished(out: &mut Vec<u8>, which: Vanished, uids: &UidSet) {
    for ranges in uids.ranges().chunks(VANISHED_RANGES_MAX) {
        out.extend_from_slice(match which {
            Vanished::Now => b"* VANISHED ",
            Vanished::Earlier => b"* VANISHED (EARLIER) ",
        });
        write_ranges(out, ranges.iter().map(|(first, last)| (first.0, last.0)));
        out.extend_from_slice(b"\r\n");
    }
}

/// `* FLAGS (…)`: what may be found in the mailbox.
pub fn flags(out: &mut Vec<u8>, flags: FlagSet, keywords: &[Keyword]) {
    out.extend_from_slice(b"* FLAGS ");
    flag_list(out, flags, keywords, Recent::No);
    out.extend_from_slice(b"\r\n");
}

/// Which response names a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ListKind {
    /// LIST
    List,
    /// LSUB (RFC 3501)
    Lsub,
}

/// `* LIST (\HasNoChildren) "/" name`. An empty `name` is the root, the answer to an empty pattern. `childinfo` names the
/// selection options of RECURSIVEMATCH that an inferior meets (`SUBSCRIBED`; RFC 5258 §4); none: it is left out.
pub fn list<'a>(
    out: &mut Vec<u8>,
    kind: ListKind,
    attributes: impl IntoIterator<Item = &'a str>,
    name: &str,
    encoding: NameEncoding,
    childinfo: &[&str],
) {
    out.extend_from_slice(match kind {
        ListKind::List => b"* LIST (",
        ListKind::Lsub => b"* LSUB (",
    });
    for (at, attribute) in attributes.into_iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(attribute.as_bytes());
    }
    out.extend_from_slice(b") \"");
    out.push(SEPARATOR as u8);
    out.extend_from_slice(b"\" ");
    mailbox(out, name, encoding);
    if !childinfo.is_empty() {
        for (at, option) in childinfo.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b" (\"CHILDINFO\" (" } else { b" " });
            string(out, option.as_bytes());
        }
        out.extend_from_slice(b"))");
    }
    out.extend_from_slice(b"\r\n");
}

/// `* LIST () "/" name ("OLDNAME" ("old"))`: what the client calls `old` is that mailbox (RFC 9051 §6.3.9.7).
pub fn list_oldname(out: &mut Vec<u8>, attributes: &[&str], name: &str, old: &str, encoding: NameEncoding) {
    list(out, ListKind::List, attributes.iter().copied(), name, encoding, &[]);
    out.truncate(out.len() - b"\r\n".len());
    out.extend_from_slice(b" (\"OLDNAME\" (");
    mailbox(out, old, encoding);
    out.extend_from_slice(b"))\r\n");
}

/// A STATUS response under way (RFC 9051 §7.3.3).
#[must_use = "a response needs its end"]
pub struct StatusResponse<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> StatusResponse<'a> {
    /// `* STATUS name (`
    pub fn begin(out: &'a mut Vec<u8>, name: &str, encoding: NameEncoding) -> StatusResponse<'a> {
        out.extend_from_slice(b"* STATUS ");
        mailbox(out, name, encoding);
        out.extend_from_slice(b" (");
        StatusResponse { out, first: true }
    }

    fn name(&mut self, item: StatusItem) {
        if !self.first {
            self.out.push(b' ');
        }
        self.first = false;
        self.out.extend_from_slice(item.name().as_bytes());
        self.out.push(b' ');
    }

    /// An item that is a number.
    pub fn number(&mut self, item: StatusItem, value: u64) {
        self.name(item);
        number(self.out, value);
    }

    /// APPENDLIMIT without a limit (RFC 7889 §4).
    pub fn nil(&mut self, item: StatusItem) {
        self.name(item);
        self.out.extend_from_slice(b"NIL");
    }

    /// MAILBOXID (RFC 8474 §4.3)
    pub fn mailbox_id(&mut self, owner: Owner, id: MailboxId) {
        self.name(StatusItem::MailboxId);
        self.out.push(b'(');
        mailbox_id(self.out, owner, id);
        self.out.push(b')');
    }

    /// `)`
    pub fn end(self) {
        self.out.extend_from_slice(b")\r\n");
    }
}

/// `* SEARCH 2 84 882`, with the highest MODSEQ of what was found if MODSEQ was searched for (RFC 7162 §3.1.5).
pub fn search(out: &mut Vec<u8>, found: impl IntoIterator<Item = u32>, modseq: Option<ModSeq>) {
    out.extend_from_slice(b"* SEARCH");
    let before = out.len();
    for found in found {
        out.push(b' ');
        number(out, u64::from(found));
    }
    if let Some(modseq) = modseq.filter(|_| out.len() > before) {
        out.extend_from_slice(b" (MODSEQ ");
        number(out, modseq.0);
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}

/// ` RELEVANCY (4 99 42)`
pub fn relevancy(out: &mut Vec<u8>, scores: impl Iterator<Item = u8>) {
    out.extend_from_slice(b" RELEVANCY (");
    for (at, score) in scores.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        number(out, u64::from(score));
    }
    out.push(b')');
}

/// An ESEARCH response under way (RFC 9051 §7.3.4, RFC 4731).
#[must_use = "a response needs its end"]
pub struct EsearchResponse<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> EsearchResponse<'a> {
    /// `* ESEARCH (TAG "tag") UID`
    pub fn begin(out: &'a mut Vec<u8>, tag: &str, numbering: Numbering) -> EsearchResponse<'a> {
        out.extend_from_slice(b"* ESEARCH (TAG ");
        string(out, tag.as_bytes());
        out.push(b')');
        if numbering == Numbering::Uid {
            out.extend_from_slice(b" UID");
        }
        EsearchResponse { out }
    }

    /// `* ESEARCH (TAG "tag" MAILBOX "name" UIDVALIDITY 1) UID` (RFC 7377 §2.1).
    pub fn begin_in(
        out: &'a mut Vec<u8>,
        tag: &str,
        name: &str,
        names: NameEncoding,
        validity: UidValidity,
    ) -> EsearchResponse<'a> {
        out.extend_from_slice(b"* ESEARCH (TAG ");
        string(out, tag.as_bytes());
        out.extend_from_slice(b" MAILBOX ");
        mailbox(out, name, names);
        out.extend_from_slice(b" UIDVALIDITY ");
        number(out, u64::from(validity.0));
        out.extend_from_slice(b") UID");
        EsearchResponse { out }
    }

    fn named(&mut self, name: &[u8], value: u64) {
        self.out.extend_from_slice(name);
        number(self.out, value);
    }

    /// MIN
    pub fn min(&mut self, found: u32) {
        self.named(b" MIN ", u64::from(found));
    }

    /// MAX
    pub fn max(&mut self, found: u32) {
        self.named(b" MAX ", u64::from(found));
    }

    /// COUNT
    pub fn count(&mut self, found: u32) {
        self.named(b" COUNT ", u64::from(found));
    }

    /// MODSEQ (RFC 7162 §3.1.10)
    pub fn modseq(&mut self, modseq: ModSeq) {
        self.named(b" MODSEQ ", modseq.0);
    }

    /// RELEVANCY: scores of the messages, in their order (RFC 6203 §7).
    pub fn relevancy(&mut self, scores: impl Iterator<Item = u8>) {
        relevancy(self.out, scores);
    }

    /// ALL as UIDs; left out if nothing was found (RFC 4731 §3.1).
    pub fn all_uids(&mut self, found: &UidSet) {
        if !found.is_empty() {
            self.out.extend_from_slice(b" ALL ");
            write_uids(self.out, found);
        }
    }

    /// ALL as sequence numbers of the view; every one of `found` is in the view.
    pub fn all_numbers(&mut self, view: &UidSet, found: &UidSet) {
        if !found.is_empty() {
            self.out.extend_from_slice(b" ALL ");
            write_numbers(self.out, view, found);
        }
    }

    /// PARTIAL as UIDs (RFC 9394 §3.1): the range as it was asked for, and what is there.
    pub fn partial_uids(&mut self, range: PartialRange, found: &UidSet) {
        self.partial(range, found, |out| write_uids(out, found));
    }

    /// PARTIAL as sequence numbers of the view.
    pub fn partial_numbers(&mut self, range: PartialRange, view: &UidSet, found: &UidSet) {
        self.partial(range, found, |out| write_numbers(out, view, found));
    }

    fn partial(&mut self, range: PartialRange, found: &UidSet, write: impl FnOnce(&mut Vec<u8>)) {
        self.out.extend_from_slice(format!(" PARTIAL ({range} ").as_bytes());
        if found.is_empty() {
            self.out.extend_from_slice(b"NIL");
        } else {
            write(self.out);
        }
        self.out.push(b')');
    }

    /// The beginning of ALL; numbers in the order of a SORT follow with [`InOrder`].
    pub fn all_in_order(&mut self) {
        self.out.extend_from_slice(b" ALL ");
    }

    /// PARTIAL, of numbers in the order of a SORT (RFC 5267 §4.4).
    pub fn partial_in_order(&mut self, range: PartialRange, found: impl Iterator<Item = u32>) {
        self.out.extend_from_slice(format!(" PARTIAL ({range} ").as_bytes());
        let before = self.out.len();
        let mut set = InOrder::default();
        found.for_each(|found| set.push(self.out, found));
        set.finish(self.out);
        if self.out.len() == before {
            self.out.extend_from_slice(b"NIL");
        }
        self.out.push(b')');
    }

    /// The end of the line.
    pub fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Writes a sequence set whose order matters (RFC 5267 §3.2): only what ascends one by one becomes a range.
#[derive(Clone, Copy, Debug, Default)]
pub struct InOrder {
    /// The range that may still grow.
    run: Option<(u32, u32)>,
    any: bool,
}

impl InOrder {
    /// Appends a number.
    pub fn push(&mut self, out: &mut Vec<u8>, found: u32) {
        match &mut self.run {
            Some((_, last)) if last.checked_add(1) == Some(found) => *last = found,
            _ => {
                self.finish(out);
                self.run = Some((found, found));
            }
        }
    }

    /// Writes what is held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let Some(run) = self.run.take() else { return };
        if std::mem::replace(&mut self.any, true) {
            out.push(b',');
        }
        write_ranges(out, std::iter::once(run));
    }
}

/// A namespace: its prefix (with the separator at its end, or empty).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamespaceRow<'a> {
    /// UTF-8.
    pub prefix: &'a str,
    /// The same for people (RFC 5255 §3.4, TRANSLATION).
    pub translation: Option<&'a str>,
}

/// `* NAMESPACE (("" "/")) NIL NIL`: personal, other users', shared (RFC 9051 §7.3.2).
pub fn namespace(
    out: &mut Vec<u8>,
    personal: &[NamespaceRow<'_>],
    others: &[NamespaceRow<'_>],
    shared: &[NamespaceRow<'_>],
    encoding: NameEncoding,
) {
    out.extend_from_slice(b"* NAMESPACE");
    for rows in [personal, others, shared] {
        if rows.is_empty() {
            out.extend_from_slice(b" NIL");
            continue;
        }
        out.extend_from_slice(b" (");
        for row in rows {
            out.push(b'(');
            mailbox(out, row.prefix, encoding);
            out.extend_from_slice(b" \"");
            out.push(SEPARATOR as u8);
            out.push(b'"');
            if let Some(translation) = row.translation {
                out.extend_from_slice(b" \"TRANSLATION\" (");
                // RFC 5255 §3.4: "the modified UTF-7 encoded translation", whatever names come in.
                mailbox(out, translation, NameEncoding::ModifiedUtf7);
                out.push(b')');
            }
            out.push(b')');
        }
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}

/// `* ID ("name" "Troika")`, or `* ID NIL` (RFC 2971 §3.2).
pub fn id(out: &mut Vec<u8>, pairs: &[(&str, Option<&str>)]) {
    out.extend_from_slice(b"* ID ");
    for (at, (field, value)) in pairs.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        string(out, field.as_bytes());
        out.push(b' ');
        nstring(out, value.map(str::as_bytes));
    }
    out.extend_from_slice(if pairs.is_empty() { b"NIL\r\n" } else { b")\r\n" });
}

/// `* QUOTA root (STORAGE 10 512)`: resource, usage, limit (RFC 9208 §4.2.1; STORAGE counts units of 1024 octets).
pub fn quota(out: &mut Vec<u8>, root: &str, resources: &[(&str, u64, u64)]) {
    out.extend_from_slice(b"* QUOTA ");
    string(out, root.as_bytes());
    out.extend_from_slice(b" (");
    for (at, (name, usage, limit)) in resources.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
        for value in [usage, limit] {
            out.push(b' ');
            number(out, *value);
        }
    }
    out.extend_from_slice(b")\r\n");
}

/// `* QUOTAROOT mailbox root …` (RFC 9208 §4.2.2).
pub fn quota_root(out: &mut Vec<u8>, name: &str, encoding: NameEncoding, roots: &[&str]) {
    out.extend_from_slice(b"* QUOTAROOT ");
    mailbox(out, name, encoding);
    for root in roots {
        out.push(b' ');
        string(out, root.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// `* METADATA mailbox (entry value …)` (RFC 5464 §4.4.1); an empty name is the server.
pub fn metadata(out: &mut Vec<u8>, name: &str, encoding: NameEncoding, rows: &[(&str, Option<&[u8]>)]) {
    out.extend_from_slice(b"* METADATA ");
    mailbox(out, name, encoding);
    for (at, (entry, value)) in rows.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b" (" } else { b" " });
        astring(out, entry.as_bytes());
        out.push(b' ');
        if value.is_some_and(|value| memchr::memchr(0, value).is_some()) {
            // literal8
            out.push(b'~');
        }
        nstring(out, *value);
    }
    out.extend_from_slice(b")\r\n");
}

/// `* METADATA mailbox entry …`: these have changed (RFC 5464 §4.4.2).
pub fn metadata_names(out: &mut Vec<u8>, name: &str, encoding: NameEncoding, entries: &[&str]) {
    out.extend_from_slice(b"* METADATA ");
    mailbox(out, name, encoding);
    for entry in entries {
        out.push(b' ');
        astring(out, entry.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
