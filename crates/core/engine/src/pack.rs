//! Content as it is stored: independent chunks of 256 KiB, each compressed with lz4 and checksummed.
//!
//! ```text
//! blob  = table chunk*
//! table = (stored length u32, top bit set when not compressed; crc32 of the stored bytes u32) per chunk
//! ```
//! The table's own crc32 (over the uncompressed length and the table) stands beside the blob's address, in the log
//! record and in the index, so that a blob is never taken for another one. A range is read by decompressing only the
//! chunks that it touches.

use crate::{Error, Packed};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Uncompressed bytes in a chunk; the last one of a content may be shorter.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

const ENTRY_BYTES: usize = 8;
const NOT_COMPRESSED: u32 = 1 << 31;

/// The stored form.
#[derive(Debug)]
pub(crate) struct PackedBytes {
    pub(crate) blob: Vec<u8>,
    pub(crate) shape: Shape,
}

/// What must be known of a blob to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) raw_len: u64,
    pub(crate) stored_len: u64,
    pub(crate) table_crc: u32,
}

/// Why a blob can't be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Io(io::Error),
    Damaged(&'static str),
}

impl Unreadable {
    pub(crate) fn into_error(self, what: impl FnOnce() -> String) -> Error {
        match self {
            Unreadable::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Error::Corrupt { what: what(), why: "its segment is too short".into() }
            }
            Unreadable::Io(error) => Error::from(error),
            Unreadable::Damaged(why) => Error::Corrupt { what: what(), why: why.into() },
        }
    }
}

impl Packed {
    /// Compresses and checksums `raw`; do this on the caller's thread.
    pub fn new(raw: &[u8]) -> Packed {
        let chunks = raw.len().div_ceil(CHUNK_BYTES);
        let table_len = chunks * ENTRY_BYTES;
        let mut blob = vec![0; table_len];
        for (index, chunk) in raw.chunks(CHUNK_BYTES).enumerate() {
            let entry = append_chunk(chunk, &mut blob);
            blob[index * ENTRY_BYTES..][..ENTRY_BYTES].copy_from_slice(&entry);
        }
        blob.shrink_to_fit();
        let raw_len = raw.len() as u64;
        let table_crc = crc_of_table(raw_len, &blob[..table_len]);
        let shape = Shape { raw_len, stored_len: blob.len() as u64, table_crc };
        Packed(Arc::new(PackedBytes { blob, shape }))
    }

    /// Uncompressed length in bytes.
    pub fn raw_len(&self) -> u64 {
        self.0.shape.raw_len
    }

    /// Bytes that it takes in the log.
    pub fn stored_len(&self) -> u64 {
        self.0.shape.stored_len
    }
}

/// Appends one chunk to the blob; returns its table entry.
fn append_chunk(chunk: &[u8], blob: &mut Vec<u8>) -> [u8; ENTRY_BYTES] {
    let start = blob.len();
    blob.resize(start + lz4_flex::block::get_maximum_output_size(chunk.len()), 0);
    // The buffer has the greatest size that lz4 can need, so this can't fail; if it did, the chunk would be kept raw.
    let packed = lz4_flex::block::compress_into(chunk, &mut blob[start..]).unwrap_or(usize::MAX);
    let mut stored = packed as u32;
    if packed < chunk.len() {
        blob.truncate(start + packed);
    } else {
        blob.truncate(start);
        blob.extend_from_slice(chunk);
        stored = chunk.len() as u32 | NOT_COMPRESSED;
    }
    let crc = crc32fast::hash(&blob[start..]);
    let mut entry = [0; ENTRY_BYTES];
    entry[..4].copy_from_slice(&stored.to_le_bytes());
    entry[4..].copy_from_slice(&crc.to_le_bytes());
    entry
}

/// So many bytes of `scratch`, whatever stands in them: what was made once is not filled with zeros again.
fn room(scratch: &mut Vec<u8>, len: usize) -> &mut [u8] {
    if scratch.len() < len {
        scratch.resize(len, 0);
    }
    &mut scratch[..len]
}

fn crc_of_table(raw_len: u64, table: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&raw_len.to_le_bytes());
    hasher.update(table);
    hasher.finalize()
}

#[derive(Clone, Copy)]
struct ChunkEntry {
    stored: usize,
    compressed: bool,
    crc: u32,
}

fn entry_at(table: &[u8], index: usize) -> ChunkEntry {
    let bytes = &table[index * ENTRY_BYTES..][..ENTRY_BYTES];
    let stored = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let crc = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    ChunkEntry { stored: (stored & !NOT_COMPRESSED) as usize, compressed: stored & NOT_COMPRESSED == 0, crc }
}

impl Shape {
    fn chunks(&self) -> u64 {
        self.raw_len.div_ceil(CHUNK_BYTES as u64)
    }

    /// Whether lengths are possible at all (they were read from disk).
    fn table_len(&self) -> Result<usize, Unreadable> {
        let len = self.chunks() * ENTRY_BYTES as u64;
        if len > self.stored_len { Err(Unreadable::Damaged("lengths do not fit")) } else { Ok(len as usize) }
    }

    fn check_table(&self, table: &[u8]) -> Result<(), Unreadable> {
        let mut sum = table.len() as u64;
        for index in 0..self.chunks() as usize {
            sum += entry_at(table, index).stored as u64;
        }
        if crc_of_table(self.raw_len, table) != self.table_crc || sum != self.stored_len {
            return Err(Unreadable::Damaged("the chunk table's checksum does not hold"));
        }
        Ok(())
    }

    fn raw_len_of_chunk(&self, index: u64) -> usize {
        (self.raw_len - index * CHUNK_BYTES as u64).min(CHUNK_BYTES as u64) as usize
    }

    /// Appends the bytes `range` (clipped) to `out`. `fetch(offset in blob, length, buffer)` reads stored bytes, which
    /// come into `scratch`; who reads many contents keeps it. `out` is as before when this fails.
    pub(crate) fn read(
        &self,
        range: Range<u64>,
        fetch: &mut dyn FnMut(u64, &mut [u8]) -> io::Result<()>,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let (start, end) = (range.start.min(self.raw_len), range.end.min(self.raw_len));
        if start >= end {
            return Ok(());
        }
        let length_before = out.len();
        let result = self.read_chunks(start, end, fetch, scratch, out);
        if result.is_err() {
            out.truncate(length_before);
        }
        result
    }

    fn read_chunks(
        &self,
        start: u64,
        end: u64,
        fetch: &mut dyn FnMut(u64, &mut [u8]) -> io::Result<()>,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        let table_len = self.table_len()?;
        // One chunk, the usual mail: table and chunk come in one read.
        if self.chunks() == 1 {
            let blob = room(scratch, self.stored_len as usize);
            fetch(0, blob).map_err(Unreadable::Io)?;
            self.check_table(&blob[..table_len])?;
            return self.unpack(entry_at(blob, 0), 0, &blob[table_len..], start..end, out);
        }
        let mut table = vec![0; table_len];
        fetch(0, &mut table).map_err(Unreadable::Io)?;
        self.check_table(&table)?;
        let (first, last) = (start / CHUNK_BYTES as u64, (end - 1) / CHUNK_BYTES as u64);
        let skipped: u64 = (0..first as usize).map(|index| entry_at(&table, index).stored as u64).sum();
        let mut offset = table_len as u64 + skipped;
        out.reserve((end - start) as usize);
        for index in first..=last {
            let entry = entry_at(&table, index as usize);
            let chunk = room(scratch, entry.stored);
            fetch(offset, chunk).map_err(Unreadable::Io)?;
            self.unpack(entry, index, chunk, start..end, out)?;
            offset += entry.stored as u64;
        }
        Ok(())
    }

    /// Verifies a chunk and appends that part of it which lies in `range` (of the whole content).
    fn unpack(
        &self,
        entry: ChunkEntry,
        index: u64,
        stored: &[u8],
        range: Range<u64>,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        if crc32fast::hash(stored) != entry.crc {
            return Err(Unreadable::Damaged("a chunk's checksum does not hold"));
        }
        let chunk_start = index * CHUNK_BYTES as u64;
        let raw_len = self.raw_len_of_chunk(index);
        let from = range.start.saturating_sub(chunk_start) as usize;
        let to = (range.end - chunk_start).min(raw_len as u64) as usize;
        if !entry.compressed {
            let part = stored.get(from..to).ok_or(Unreadable::Damaged("a chunk is too short"))?;
            out.extend_from_slice(part);
            return Ok(());
        }
        if out.capacity() == 0 && to - from == raw_len {
            // Decompressed where it stays, without zeros before.
            let raw = lz4_flex::block::decompress(stored, raw_len).ok().filter(|raw| raw.len() == raw_len);
            *out = raw.ok_or(Unreadable::Damaged("a chunk does not decompress"))?;
            return Ok(());
        }
        let start = out.len();
        out.resize(start + raw_len, 0);
        match lz4_flex::block::decompress_into(stored, &mut out[start..]) {
            Ok(len) if len == raw_len => {}
            _ => return Err(Unreadable::Damaged("a chunk does not decompress")),
        }
        out.truncate(start + to);
        out.drain(start..start + from);
        Ok(())
    }

    /// Verifies the table and each chunk's checksum without decompressing; bounded memory.
    pub(crate) fn verify(
        &self,
        fetch: &mut dyn FnMut(u64, &mut [u8]) -> io::Result<()>,
    ) -> Result<(), Unreadable> {
        let mut table = vec![0; self.table_len()?];
        fetch(0, &mut table).map_err(Unreadable::Io)?;
        self.check_table(&table)?;
        let mut offset = table.len() as u64;
        let mut chunk = Vec::new();
        for index in 0..self.chunks() as usize {
            let entry = entry_at(&table, index);
            if entry.stored > CHUNK_BYTES {
                return Err(Unreadable::Damaged("a chunk is too long"));
            }
            chunk.resize(entry.stored, 0);
            fetch(offset, &mut chunk).map_err(Unreadable::Io)?;
            if crc32fast::hash(&chunk) != entry.crc {
                return Err(Unreadable::Damaged("a chunk's checksum does not hold"));
            }
            offset += entry.stored as u64;
        }
        Ok(())
    }
}

impl PackedBytes {
    /// Verifies every checksum.
    pub(crate) fn verify(&self) -> Result<(), Unreadable> {
        let mut fetch = |offset: u64, into: &mut [u8]| {
            into.copy_from_slice(&self.blob[offset as usize..][..into.len()]);
            Ok(())
        };
        self.shape.verify(&mut fetch)
    }

    /// Reads from memory; see [`Shape::read`].
    pub(crate) fn read(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let mut fetch = |offset: u64, into: &mut [u8]| {
            into.copy_from_slice(&self.blob[offset as usize..][..into.len()]);
            Ok(())
        };
        self.shape.read(range, &mut fetch, &mut Vec::new(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(len: usize) -> Vec<u8> {
        let mut state = 1u64;
        (0..len)
            .map(|at| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                // The first chunk is random (stored raw), the rest compresses.
                if at < CHUNK_BYTES { (state >> 56) as u8 } else { (at / 7 % 251) as u8 }
            })
            .collect()
    }

    #[test]
    fn ranges_are_read_back() {
        for len in [0, 1, 100, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 17] {
            let raw = sample(len);
            let packed = Packed::new(&raw);
            assert_eq!(packed.raw_len(), len as u64);
            let chunk = CHUNK_BYTES as u64;
            for range in [
                0..u64::MAX,
                0..1,
                5..99,
                chunk - 1..chunk + 1,
                chunk..2 * chunk,
                2 * chunk + 3..u64::MAX,
                9..9,
            ] {
                let mut out = b"kept".to_vec();
                packed.0.read(range.clone(), &mut out).unwrap();
                let (start, end) = ((range.start as usize).min(len), range.end.min(len as u64) as usize);
                assert_eq!(&out[..4], b"kept");
                assert_eq!(&out[4..], &raw[start..end.max(start)], "{len} {range:?}");
            }
        }
    }

    #[test]
    fn text_shrinks_and_noise_grows_by_the_table_only() {
        let text = b"Received: from mail.example.org by mx.example.net\r\n".repeat(100);
        assert!(Packed::new(&text).stored_len() < text.len() as u64 / 4);
        let noise = sample(CHUNK_BYTES);
        assert_eq!(Packed::new(&noise).stored_len(), (CHUNK_BYTES + ENTRY_BYTES) as u64);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let packed = Packed::new(&b"some words that are repeated, some words that are repeated".repeat(3));
        for at in 0..packed.0.blob.len() {
            let mut blob = packed.0.blob.clone();
            blob[at] ^= 1 << (at % 8);
            let damaged = PackedBytes { blob, shape: packed.0.shape };
            let mut out = vec![7];
            assert!(damaged.read(0..u64::MAX, &mut out).is_err(), "byte {at}");
            assert_eq!(out, [7]);
            let mut fetch = |offset: u64, into: &mut [u8]| {
                into.copy_from_slice(&damaged.blob[offset as usize..][..into.len()]);
                Ok(())
            };
            assert!(damaged.shape.verify(&mut fetch).is_err(), "byte {at}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_come_back(raw in prop::collection::vec(any::<u8>(), 0..3000), start in 0u64..3000, len in 0u64..3000) {
            let packed = Packed::new(&raw);
            let mut out = Vec::new();
            packed.0.read(start..start + len, &mut out).unwrap();
            let from = (start as usize).min(raw.len());
            let to = ((start + len) as usize).min(raw.len());
            prop_assert_eq!(&out[..], &raw[from..to]);
        }
    }
}
