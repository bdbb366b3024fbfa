//! The bytes of the log.
//!
//! ```text
//! segment = header record* seal?
//! header  = "TROIKLOG" version u32 · salt u32 · number u32 · 40 zero bytes · crc32 u32              64 bytes
//! record  = "TRec" · length of operations u32 · lsn u64 · flushed u64 · length of blobs u64 · crc32 u32
//!           operations · blobs                                                                      36 bytes + ...
//! ```
//! Numbers are little-endian. One record is one transaction, so it is atomic: it counts only when its crc32 (over
//! header and operations, seeded with the segment's salt) holds and every blob that it brings holds too. The salt is
//! drawn anew each time that a file becomes a segment: neither leftovers of an older life nor bytes that somebody
//! mailed to us can ever pass for a record. `flushed` is the greatest LSN that was durable when the record was written:
//! a bad record followed by one that calls it flushed is damage, not a torn tail.

use super::index::{ContentEntry, Place};
use crate::ContentId;
use crate::pack::Shape;

pub(crate) const FORMAT_VERSION: u32 = 1;
pub(crate) const SEGMENT_HEADER_BYTES: u64 = 64;
pub(crate) const RECORD_HEADER_BYTES: usize = 36;
/// A record that holds nothing but [`Op::Seal`].
pub(crate) const SEAL_BYTES: u64 = RECORD_HEADER_BYTES as u64 + 1;
/// A record that holds nothing but [`Op::Begin`].
pub(crate) const BEGIN_BYTES: u64 = RECORD_HEADER_BYTES as u64 + 9;

const SEGMENT_MAGIC: &[u8; 8] = b"TROIKLOG";
pub(crate) const RECORD_MAGIC: [u8; 4] = *b"TRec";

const PUT: u8 = 1;
const DELETE: u8 = 2;
const CONTENT: u8 = 3;
const REFER: u8 = 4;
const BEGIN: u8 = 5;
const SEAL: u8 = 6;

/// One change. All are absolute (they say what is, not by how much it changed), so replaying one twice is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op<'a> {
    Put {
        key: &'a [u8],
        value: &'a [u8],
    },
    Delete {
        key: &'a [u8],
    },
    /// A blob of this record: new content, or content that was moved here.
    Content {
        id: ContentId,
        references: u32,
        shape: Shape,
    },
    /// References after the change; 0 means that the content is freed.
    Refer {
        id: ContentId,
        references: u32,
    },
    /// Ids below this one are used up. The first record of a segment says so.
    Begin {
        next_content: u64,
    },
    /// The last record of a segment.
    Seal,
}

/// The first 64 bytes of a segment.
pub(crate) fn segment_header(number: u32, salt: u32) -> [u8; SEGMENT_HEADER_BYTES as usize] {
    let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
    bytes[..8].copy_from_slice(SEGMENT_MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&salt.to_le_bytes());
    bytes[16..20].copy_from_slice(&number.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..60]);
    bytes[60..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The salt of segment `number`; None when the header is not whole, or another segment's.
pub(crate) fn salt_of(bytes: &[u8; SEGMENT_HEADER_BYTES as usize], number: u32) -> Option<u32> {
    (*bytes == segment_header(number, u32_at(bytes, 12))).then(|| u32_at(bytes, 12))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// A record's header, not yet believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordHeader {
    pub(crate) ops_len: u32,
    pub(crate) lsn: u64,
    pub(crate) flushed: u64,
    pub(crate) blobs_len: u64,
    crc: u32,
}

impl RecordHeader {
    /// None when there is no record here.
    pub(crate) fn parse(bytes: &[u8]) -> Option<RecordHeader> {
        if bytes.len() < RECORD_HEADER_BYTES || bytes[..4] != RECORD_MAGIC {
            return None;
        }
        Some(RecordHeader {
            ops_len: u32_at(bytes, 4),
            lsn: u64_at(bytes, 8),
            flushed: u64_at(bytes, 16),
            blobs_len: u64_at(bytes, 24),
            crc: u32_at(bytes, 32),
        })
    }

    /// Whole length, or None when it can't be true.
    pub(crate) fn record_len(&self) -> Option<u64> {
        (RECORD_HEADER_BYTES as u64 + u64::from(self.ops_len)).checked_add(self.blobs_len)
    }

    pub(crate) fn holds(&self, header: &[u8], ops: &[u8], salt: u32) -> bool {
        record_crc(header, ops, salt) == self.crc
    }
}

fn record_crc(header: &[u8], ops: &[u8], salt: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(&header[..32]);
    hasher.update(ops);
    hasher.finalize()
}

/// Writes records, one after the other, into the buffer of a group.
#[derive(Default)]
pub(crate) struct RecordWriter {
    pub(crate) bytes: Vec<u8>,
    start: usize,
    ops_end: usize,
    open: bool,
}

impl RecordWriter {
    /// Opens a record.
    pub(crate) fn begin(&mut self) {
        self.start = self.bytes.len();
        self.open = true;
        self.bytes.resize(self.start + RECORD_HEADER_BYTES, 0);
    }

    /// Forgets the open record.
    pub(crate) fn abandon(&mut self) {
        self.bytes.truncate(self.start);
        self.open = false;
    }

    /// Whether a record was begun and neither finished nor abandoned.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Forgets everything, for the next group.
    pub(crate) fn clear(&mut self, kept_bytes: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(kept_bytes);
        self.open = false;
    }

    pub(crate) fn has_ops(&self) -> bool {
        self.bytes.len() > self.start + RECORD_HEADER_BYTES
    }

    pub(crate) fn op(&mut self, op: Op<'_>) {
        let out = &mut self.bytes;
        match op {
            Op::Put { key, value } => {
                out.push(PUT);
                put_varint(out, key.len());
                put_varint(out, value.len());
                out.extend_from_slice(key);
                out.extend_from_slice(value);
            }
            Op::Delete { key } => {
                out.push(DELETE);
                put_varint(out, key.len());
                out.extend_from_slice(key);
            }
            Op::Content { id, references, shape } => {
                out.push(CONTENT);
                out.extend_from_slice(&id.0.to_le_bytes());
                out.extend_from_slice(&references.to_le_bytes());
                out.extend_from_slice(&shape.raw_len.to_le_bytes());
                out.extend_from_slice(&shape.stored_len.to_le_bytes());
                out.extend_from_slice(&shape.table_crc.to_le_bytes());
            }
            Op::Refer { id, references } => {
                out.push(REFER);
                out.extend_from_slice(&id.0.to_le_bytes());
                out.extend_from_slice(&references.to_le_bytes());
            }
            Op::Begin { next_content } => {
                out.push(BEGIN);
                out.extend_from_slice(&next_content.to_le_bytes());
            }
            Op::Seal => out.push(SEAL),
        }
    }

    /// All operations are written; blobs follow in the order of their [`Op::Content`].
    pub(crate) fn end_of_ops(&mut self) {
        self.ops_end = self.bytes.len();
    }

    pub(crate) fn blob(&mut self, blob: &[u8]) {
        self.bytes.extend_from_slice(blob);
    }

    /// Length of the open record so far.
    pub(crate) fn record_len(&self) -> u64 {
        (self.bytes.len() - self.start) as u64
    }

    /// Where in the open record the blobs begin.
    pub(crate) fn blobs_at(&self) -> u64 {
        (self.ops_end - self.start) as u64
    }

    /// Closes the record.
    pub(crate) fn finish(&mut self, lsn: u64, flushed: u64, salt: u32) {
        let ops_len = self.ops_end - self.start - RECORD_HEADER_BYTES;
        let ops_len = u32::try_from(ops_len).expect("operations are limited before they get here");
        let blobs_len = (self.bytes.len() - self.ops_end) as u64;
        let (header, rest) = self.bytes[self.start..].split_at_mut(RECORD_HEADER_BYTES);
        header[..4].copy_from_slice(&RECORD_MAGIC);
        header[4..8].copy_from_slice(&ops_len.to_le_bytes());
        header[8..16].copy_from_slice(&lsn.to_le_bytes());
        header[16..24].copy_from_slice(&flushed.to_le_bytes());
        header[24..32].copy_from_slice(&blobs_len.to_le_bytes());
        let crc = record_crc(header, &rest[..ops_len as usize], salt);
        header[32..].copy_from_slice(&crc.to_le_bytes());
        self.open = false;
    }

    /// A record of its own with a single operation and no blob.
    pub(crate) fn single(op: Op<'_>, lsn: u64, flushed: u64, salt: u32) -> Vec<u8> {
        let mut writer = RecordWriter::default();
        writer.begin();
        writer.op(op);
        writer.end_of_ops();
        writer.finish(lsn, flushed, salt);
        writer.bytes
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads operations back; stops at the first that is malformed (None is answered then by [`Ops::next`] with
/// `malformed` set), which can't happen in a record whose checksum holds.
pub(crate) struct Ops<'a> {
    rest: &'a [u8],
    pub(crate) malformed: bool,
}

impl<'a> Ops<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Ops { rest: bytes, malformed: false }
    }

    /// Bytes not yet read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(head)
    }

    fn varint(&mut self) -> Option<usize> {
        let mut value = 0usize;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64_at(self.take(8)?, 0))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32_at(self.take(4)?, 0))
    }

    fn parse(&mut self) -> Option<Op<'a>> {
        match self.take(1)?[0] {
            PUT => {
                let (key, value) = (self.varint()?, self.varint()?);
                Some(Op::Put { key: self.take(key)?, value: self.take(value)? })
            }
            DELETE => {
                let key = self.varint()?;
                Some(Op::Delete { key: self.take(key)? })
            }
            CONTENT => {
                let (id, references) = (ContentId(self.u64()?), self.u32()?);
                let (raw_len, stored_len, table_crc) = (self.u64()?, self.u64()?, self.u32()?);
                Some(Op::Content { id, references, shape: Shape { raw_len, stored_len, table_crc } })
            }
            REFER => Some(Op::Refer { id: ContentId(self.u64()?), references: self.u32()? }),
            BEGIN => Some(Op::Begin { next_content: self.u64()? }),
            SEAL => Some(Op::Seal),
            _ => None,
        }
    }
}

impl<'a> Iterator for Ops<'a> {
    type Item = Op<'a>;

    fn next(&mut self) -> Option<Op<'a>> {
        if self.rest.is_empty() || self.malformed {
            return None;
        }
        let op = self.parse();
        self.malformed = op.is_none();
        op
    }
}

/// The index's entry for a content whose blob begins at `offset` of segment `segment`.
pub(crate) fn entry_of(segment: u32, offset: u64, references: u32, shape: Shape) -> ContentEntry {
    ContentEntry { place: Place { segment, offset }, references, shape }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn operations_come_back() {
        let shape = Shape { raw_len: 70_000, stored_len: 1234, table_crc: 9 };
        let ops = [
            Op::Put { key: b"key", value: &[5; 300] },
            Op::Put { key: &[7; 200], value: b"" },
            Op::Delete { key: b"gone" },
            Op::Content { id: ContentId(3), references: 2, shape },
            Op::Refer { id: ContentId(u64::MAX), references: 0 },
            Op::Begin { next_content: 77 },
            Op::Seal,
        ];
        let mut writer = RecordWriter::default();
        writer.begin();
        ops.iter().for_each(|op| writer.op(*op));
        writer.end_of_ops();
        writer.blob(b"blob");
        writer.finish(11, 10, 0xabcd);
        let header = RecordHeader::parse(&writer.bytes).unwrap();
        let (head, rest) = writer.bytes.split_at(RECORD_HEADER_BYTES);
        let read = &rest[..header.ops_len as usize];
        assert_eq!((header.lsn, header.flushed, header.blobs_len), (11, 10, 4));
        assert!(header.holds(head, read, 0xabcd));
        assert!(!header.holds(head, read, 0xabce), "another life's salt");
        assert_eq!(Ops::new(read).collect::<Vec<_>>(), ops);
    }

    #[test]
    fn lengths_of_the_fixed_records() {
        assert_eq!(RecordWriter::single(Op::Seal, 1, 0, 0).len() as u64, SEAL_BYTES);
        assert_eq!(RecordWriter::single(Op::Begin { next_content: 1 }, 1, 0, 0).len() as u64, BEGIN_BYTES);
    }

    #[test]
    fn a_header_is_valid_for_its_number_only() {
        let mut header = segment_header(7, 0x1234);
        assert_eq!(salt_of(&header, 7), Some(0x1234));
        assert_eq!(salt_of(&header, 8), None);
        header[30] = 1;
        assert_eq!(salt_of(&header, 7), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_bytes_parse_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut ops = Ops::new(&bytes);
            let count = ops.by_ref().count();
            prop_assert!(count <= bytes.len());
            let _ = RecordHeader::parse(&bytes).map(|header| header.record_len());
        }
    }
}
