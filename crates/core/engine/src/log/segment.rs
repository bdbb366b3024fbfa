//! Segments: the files of the log, and walking over their records.
//!
//! Invariants: a segment file gets its name only after its header is durable, so a header that does not hold is damage,
//! never a crash. A segment is sealed (a last record that says so, made durable) before the next one is made; so only
//! the last segment may end without a seal.

use super::record::{self, Op, Ops, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader, SEGMENT_HEADER_BYTES};
use crate::Error;
use crate::disk::{Disk, DiskFile, Open};
use crate::pack::Unreadable;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open segment.
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) salt: u32,
    pub(crate) file: Arc<dyn DiskFile>,
}

/// The segments of one moment. Snapshots hold one, and through it every file that they may read from.
#[derive(Clone, Default)]
pub(crate) struct SegmentSet(pub(crate) BTreeMap<u32, Arc<Segment>>);

pub(crate) fn file_name(number: u32) -> String {
    format!("{number:010}.seg")
}

/// A sealed, empty file that waits to become a segment.
pub(crate) fn spare_name(number: u32) -> String {
    format!("{number:010}.spare")
}

/// A segment in the making.
pub(crate) const UNFINISHED_NAME: &str = "unfinished";

pub(crate) fn path_of(log_dir: &Path, number: u32) -> PathBuf {
    log_dir.join(file_name(number))
}

/// What the log's folder holds.
pub(crate) struct Listing {
    pub(crate) segments: Vec<u32>,
    pub(crate) spares: Vec<u32>,
}

pub(crate) fn list(disk: &dyn Disk, log_dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing { segments: Vec::new(), spares: Vec::new() };
    for name in disk.list(log_dir)? {
        if let Some(number) = name.strip_suffix(".seg").and_then(|stem| stem.parse().ok()) {
            listing.segments.push(number);
        } else if let Some(number) = name.strip_suffix(".spare").and_then(|stem| stem.parse().ok()) {
            listing.spares.push(number);
        }
    }
    listing.segments.sort_unstable();
    listing.spares.sort_unstable();
    Ok(listing)
}

impl Segment {
    /// Opens segment `number`, whose header must hold.
    pub(crate) fn open(disk: &dyn Disk, log_dir: &Path, number: u32) -> Result<Segment, Error> {
        let file = disk.open(&path_of(log_dir, number), Open::Existing)?;
        let mut header = [0; SEGMENT_HEADER_BYTES as usize];
        let whole = file.len()? >= SEGMENT_HEADER_BYTES;
        if whole {
            file.read_exact_at(&mut header, 0)?;
        }
        match record::salt_of(&header, number) {
            Some(salt) if whole => Ok(Segment { number, salt, file }),
            _ => Err(Error::Corrupt {
                what: format!("log segment {}", file_name(number)),
                why: "its header does not hold".into(),
            }),
        }
    }

    pub(crate) fn damage(&self, offset: u64, why: &str) -> Error {
        Error::Corrupt {
            what: format!("log segment {} at byte {offset}", file_name(self.number)),
            why: why.into(),
        }
    }

    /// Looks behind a bad record at `from` for one that proves that `lsn` had been flushed: then it is damage, not
    /// the torn end of the log.
    pub(crate) fn was_flushed(&self, from: u64, lsn: u64) -> io::Result<bool> {
        let end = self.file.len()?;
        let mut search = Search { from, end, lsn, budget: SEARCH_BYTES.max(2 * end.saturating_sub(from)) };
        let found = self.each_magic(from, &mut |at| Ok(self.proves(at, &mut search)?.then_some(())))?;
        Ok(found.is_some())
    }

    /// Where the next record behind `from` begins that holds and comes after `lsn`, and its number. Takes its time.
    pub(crate) fn next_record(&self, from: u64, lsn: u64) -> io::Result<Option<(u64, u64)>> {
        let end = self.file.len()?;
        self.each_magic(from, &mut |at| {
            if end - at < RECORD_HEADER_BYTES as u64 {
                return Ok(None);
            }
            let mut bytes = [0; RECORD_HEADER_BYTES];
            self.file.read_exact_at(&mut bytes, at)?;
            let Some(header) = RecordHeader::parse(&bytes).filter(|header| header.lsn > lsn) else {
                return Ok(None);
            };
            let ops_at = at + RECORD_HEADER_BYTES as u64;
            if u64::from(header.ops_len) > end - ops_at {
                return Ok(None);
            }
            let mut ops = vec![0; header.ops_len as usize];
            self.file.read_exact_at(&mut ops, ops_at)?;
            Ok(header.holds(&bytes, &ops, self.salt).then_some((at, header.lsn)))
        })
    }

    /// Calls `look` with each place where a record may begin, until it answers something.
    fn each_magic<T>(
        &self,
        from: u64,
        look: &mut dyn FnMut(u64) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        const WINDOW: usize = 1 << 20;
        let end = self.file.len()?;
        let mut window = Vec::new();
        let mut at = from;
        while at < end {
            let len = (end - at).min(WINDOW as u64) as usize;
            window.resize(len, 0);
            self.file.read_exact_at(&mut window, at)?;
            for (index, _) in window.windows(4).enumerate().filter(|(_, four)| *four == RECORD_MAGIC) {
                if let Some(found) = look(at + index as u64)? {
                    return Ok(Some(found));
                }
            }
            // The windows overlap so that no magic number hides between two of them.
            at += if len > 3 { len as u64 - 3 } else { 4 };
            if len < WINDOW {
                break;
            }
        }
        Ok(None)
    }

    fn proves(&self, at: u64, search: &mut Search) -> io::Result<bool> {
        if search.end - at < RECORD_HEADER_BYTES as u64 {
            return Ok(false);
        }
        let mut bytes = [0; RECORD_HEADER_BYTES];
        self.file.read_exact_at(&mut bytes, at)?;
        let Some(header) = RecordHeader::parse(&bytes) else { return Ok(false) };
        let ops_at = at + RECORD_HEADER_BYTES as u64;
        if !search.is_plausible(at, &header) || u64::from(header.ops_len) > search.end - ops_at {
            return Ok(false);
        }
        // Somebody's mail may be full of what looks like our records. Where it is so much that the truth can't be found
        // in a bounded time, the operator decides, not we.
        let Some(left) = search.budget.checked_sub(u64::from(header.ops_len)) else { return Ok(true) };
        search.budget = left;
        let mut ops = vec![0; header.ops_len as usize];
        self.file.read_exact_at(&mut ops, ops_at)?;
        Ok(header.holds(&bytes, &ops, self.salt))
    }
}

/// Bytes that a search for a later record hashes at most, or twice the bytes that it goes over.
const SEARCH_BYTES: u64 = 64 << 20;
/// Larger records are not looked at: those that a server writes are smaller, but for few.
const SEARCHED_OPS_MAX: u32 = 1 << 20;

/// A search for a record behind a bad one.
struct Search {
    from: u64,
    end: u64,
    /// What had been flushed?
    lsn: u64,
    /// Bytes that may still be hashed.
    budget: u64,
}

impl Search {
    /// Within a segment, records are numbered without gaps, so no more can lie in between than fit there.
    fn is_plausible(&self, at: u64, header: &RecordHeader) -> bool {
        let between = (at - self.from) / RECORD_HEADER_BYTES as u64 + 1;
        let numbered = header.flushed < header.lsn && header.lsn <= self.lsn.saturating_add(between);
        header.flushed >= self.lsn && numbered && header.ops_len <= SEARCHED_OPS_MAX
    }
}

/// Whether the walk reads the blobs too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blobs {
    Verify,
    Skip,
}

/// A record whose header and operations hold.
pub(crate) struct Record<'a> {
    pub(crate) lsn: u64,
    pub(crate) at: u64,
    pub(crate) len: u64,
    pub(crate) ops: &'a [u8],
    pub(crate) blobs_at: u64,
    /// What is wrong with a blob (only when they are verified).
    pub(crate) bad_blob: Option<&'static str>,
}

/// What stands at the walker's position.
pub(crate) enum Step<'a> {
    Record(Record<'a>),
    /// Nothing that holds.
    Bad(&'static str),
    /// The limit, exactly.
    End,
}

/// Goes over the records of one segment.
pub(crate) struct Walker<'s> {
    segment: &'s Segment,
    /// Where the next record begins.
    pub(crate) offset: u64,
    limit: u64,
    window: Vec<u8>,
    window_at: u64,
    blobs: Blobs,
}

const READ_AHEAD_BYTES: usize = 128 * 1024;

impl<'s> Walker<'s> {
    /// Walks from `offset` up to `limit` (or the end of the file).
    pub(crate) fn new(
        segment: &'s Segment,
        offset: u64,
        limit: Option<u64>,
        blobs: Blobs,
    ) -> io::Result<Self> {
        let len = segment.file.len()?;
        let limit = limit.map_or(len, |limit| limit.min(len));
        Ok(Walker { segment, offset, limit, window: Vec::new(), window_at: 0, blobs })
    }

    /// Makes `len` bytes at `at` available; the caller knows that they lie before the limit.
    fn load(&mut self, at: u64, len: usize) -> io::Result<usize> {
        let loaded_end = self.window_at + self.window.len() as u64;
        if at < self.window_at || at + len as u64 > loaded_end {
            let want = len.max(READ_AHEAD_BYTES).min((self.limit - at) as usize);
            self.window.resize(want, 0);
            self.window_at = at;
            if let Err(error) = self.segment.file.read_exact_at(&mut self.window, at) {
                self.window.clear();
                return Err(error);
            }
        }
        Ok((at - self.window_at) as usize)
    }

    /// The next record. After [`Step::Bad`] the position stays where it is.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        let at = self.offset;
        if at == self.limit {
            return Ok(Step::End);
        }
        let left = self.limit.saturating_sub(at);
        if left < RECORD_HEADER_BYTES as u64 {
            return Ok(Step::Bad("no whole record"));
        }
        let start = self.load(at, RECORD_HEADER_BYTES)?;
        let Some(header) = RecordHeader::parse(&self.window[start..]) else {
            return Ok(Step::Bad("no record begins here"));
        };
        let Some(len) = header.record_len().filter(|len| *len <= left) else {
            return Ok(Step::Bad("a record is longer than its segment"));
        };
        let head_len = RECORD_HEADER_BYTES + header.ops_len as usize;
        let start = self.load(at, head_len)?;
        let (head, ops) = self.window[start..start + head_len].split_at(RECORD_HEADER_BYTES);
        if !header.holds(head, ops, self.segment.salt) {
            return Ok(Step::Bad("a record's checksum does not hold"));
        }
        let blobs_at = at + head_len as u64;
        let bad_blob = match self.blobs {
            Blobs::Skip => None,
            Blobs::Verify => verify_blobs(self.segment, ops, blobs_at, header.blobs_len)?,
        };
        self.offset = at + len;
        let ops = &self.window[start + RECORD_HEADER_BYTES..start + head_len];
        Ok(Step::Record(Record { lsn: header.lsn, at, len, ops, blobs_at, bad_blob }))
    }
}

/// What is wrong with the blobs of a record, if anything.
fn verify_blobs(
    segment: &Segment,
    ops: &[u8],
    blobs_at: u64,
    blobs_len: u64,
) -> io::Result<Option<&'static str>> {
    let mut blob_at = blobs_at;
    let end = blobs_at + blobs_len;
    for op in Ops::new(ops) {
        let Op::Content { shape, .. } = op else { continue };
        if shape.stored_len > end - blob_at {
            return Ok(Some("a blob is longer than its record"));
        }
        let mut fetch = |offset: u64, into: &mut [u8]| segment.file.read_exact_at(into, blob_at + offset);
        match shape.verify(&mut fetch) {
            Ok(()) => {}
            Err(Unreadable::Io(error)) => return Err(error),
            Err(Unreadable::Damaged(why)) => return Ok(Some(why)),
        }
        blob_at += shape.stored_len;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::record::RecordWriter;
    use super::super::sim::SimDisk;
    use super::*;

    const SALT: u32 = 77;

    /// What looks like the header of a record, and is none.
    fn fake(lsn: u64, flushed: u64, ops_len: u32) -> Vec<u8> {
        let mut bytes =
            RecordWriter::single(Op::Seal, lsn, flushed, SALT + 1)[..RECORD_HEADER_BYTES].to_vec();
        bytes[4..8].copy_from_slice(&ops_len.to_le_bytes());
        bytes
    }

    fn searched(bytes: &[u8]) -> bool {
        let file = SimDisk::new(1).open(Path::new("/segment"), Open::Create).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        Segment { number: 1, salt: SALT, file }.was_flushed(0, 10).unwrap()
    }

    #[test]
    fn a_later_record_proves_and_what_looks_like_one_does_not() {
        let mut bytes = vec![0; 500];
        assert!(!searched(&bytes));
        bytes.extend(fake(12, 10, 1));
        bytes.extend([0; 100]);
        assert!(!searched(&bytes), "its checksum does not hold");
        let honest = bytes.len();
        bytes.extend(RecordWriter::single(Op::Seal, 12, 10, SALT));
        assert!(searched(&bytes));
        bytes.truncate(honest);
        bytes.extend(RecordWriter::single(Op::Seal, 12, 9, SALT));
        assert!(!searched(&bytes), "it does not say that 10 was flushed");
    }

    #[test]
    fn a_mail_full_of_false_records_is_searched_in_bounded_time() {
        let filler = vec![0; 3 << 20];
        let full_of = |one: Vec<u8>, count: usize| [one.repeat(count), filler.clone()].concat();
        // Numbers and lengths that can't be true are passed over: this is 100,000 times 3 MiB otherwise.
        assert!(!searched(&full_of(fake(12, 10, 3 << 20), 100_000)));
        assert!(!searched(&full_of(fake(1 << 40, 10, 1 << 20), 100_000)));
        assert!(!searched(&full_of(fake(12, 12, 1 << 20), 100_000)));
        // Where they could be true, but are too many to see, it is for the operator to decide.
        assert!(searched(&full_of(fake(11, 10, 1 << 20), 1000)));
        assert!(!searched(&full_of(fake(11, 10, 1 << 20), 20)));
    }
}
