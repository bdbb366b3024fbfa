//! Blocks of a segment, written in order and never changed.
//!
//! | kind | value |
//! |---|---|
//! | `d` number | a piece of the dictionary: version u8, place of its first list u64, tokens u32, bytes of text u32, LF, (token, LF)…, (length of its list as a base-128 number)… |
//! | `p` number | the lists, one behind the other, cut into pieces of [`BLOCK_BYTES`] (places count these bytes) behind a version u8 |
//! | `u` number | messages of which the index knows too little: a Roaring bitmap, cut in the same way |
//!
//! Tokens ascend through all pieces of the dictionary. Its text is kept as it is, so that a substring is found at the
//! speed of memory, and LF, which is in no token, lets a search say that a token must begin or end there. A name of a
//! header field stands in it as [`PRESENCE`] and the name in small letters.

use super::manifest::Segment;
use super::postings::{Places, visit};
use crate::keys::{self, Key, Reader, VERSION, push_number};
use crate::read::corrupt;
use crate::{Error, Store};
use engine::{AccountId, Read};
use memchr::{memchr, memchr_iter};
use roaring::RoaringBitmap;
use std::ops::Range;

/// Begins the token of a field's name; sorts before all letters and digits.
pub(crate) const PRESENCE: u8 = 1;

/// Most bytes in a block. With its key it just fits into 64 KiB, a page of the engine on disk.
pub(crate) const BLOCK_BYTES: usize = 60_000;

/// Bytes before the text.
const HEAD_BYTES: usize = 17;

pub(crate) const DICTIONARY: u8 = b'd';
pub(crate) const LISTS: u8 = b'p';
pub(crate) const UNSURE: u8 = b'u';

/// Bytes of blocks that one transaction writes.
const BATCH_BYTES: usize = 1 << 20;

/// Writes a segment. Nobody sees it before the manifest names it.
pub(crate) struct Writer<'s> {
    store: &'s Store,
    account: AccountId,
    segment: Segment,
    text: Vec<u8>,
    lengths: Vec<u8>,
    tokens: u32,
    /// Place of the first list of the dictionary's block.
    first_list: u64,
    lists: Vec<u8>,
    list_blocks: u32,
    batch: Vec<(Key, Vec<u8>)>,
    batch_bytes: usize,
}

impl<'s> Writer<'s> {
    pub(crate) fn new(store: &'s Store, account: AccountId, segment: Segment) -> Writer<'s> {
        Writer {
            store,
            account,
            segment,
            text: vec![b'\n'],
            lengths: Vec::new(),
            tokens: 0,
            first_list: 0,
            lists: vec![VERSION],
            list_blocks: 0,
            batch: Vec::new(),
            batch_bytes: 0,
        }
    }

    /// Adds a token, greater than all before it, with its list.
    pub(crate) fn add(&mut self, token: &[u8], list: &[u8]) -> Result<(), Error> {
        if HEAD_BYTES + self.text.len() + self.lengths.len() + token.len() + 6 > BLOCK_BYTES {
            self.close_dictionary_block()?;
        }
        self.text.extend_from_slice(token);
        self.text.push(b'\n');
        push_number(&mut self.lengths, list.len() as u32);
        self.tokens += 1;
        self.segment.posting_bytes += list.len() as u64;
        let mut rest = list;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK_BYTES + 1 - self.lists.len()));
            self.lists.extend_from_slice(now);
            rest = later;
            if self.lists.len() > BLOCK_BYTES {
                self.close_list_block()?;
            }
        }
        Ok(())
    }

    fn close_dictionary_block(&mut self) -> Result<(), Error> {
        let mut value = Vec::with_capacity(HEAD_BYTES + self.text.len() + self.lengths.len());
        value.push(VERSION);
        value.extend_from_slice(&self.first_list.to_be_bytes());
        value.extend_from_slice(&self.tokens.to_be_bytes());
        value.extend_from_slice(&(self.text.len() as u32).to_be_bytes());
        value.extend_from_slice(&self.text);
        value.extend_from_slice(&self.lengths);
        self.segment.dictionary_bytes += value.len() as u64;
        self.segment.tokens = self.segment.tokens.saturating_add(self.tokens);
        let number = self.segment.blocks;
        self.segment.blocks += 1;
        self.text.truncate(1);
        self.lengths.clear();
        self.tokens = 0;
        self.first_list = self.segment.posting_bytes;
        self.put(DICTIONARY, number, value)
    }

    fn close_list_block(&mut self) -> Result<(), Error> {
        let value = std::mem::replace(&mut self.lists, vec![VERSION]);
        let number = self.list_blocks;
        self.list_blocks += 1;
        self.put(LISTS, number, value)
    }

    fn put(&mut self, kind: u8, number: u32, value: Vec<u8>) -> Result<(), Error> {
        self.batch_bytes += value.len();
        self.batch.push((keys::index_block(self.account, self.segment.id, kind, number), value));
        if self.batch_bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let account = self.account;
        let write = move |tx: &mut dyn engine::Tx, _: &mut crate::feed::Touched| {
            // An account that is being removed gets nothing any more.
            crate::read::account(tx, account)?;
            batch.iter().try_for_each(|(key, value)| tx.put(key, value)).map_err(Error::from)
        };
        self.store.transact(&[account], write).wait()
    }

    /// Writes the rest; answers what the manifest has to say of it.
    pub(crate) fn finish(mut self, unsure: &RoaringBitmap) -> Result<Segment, Error> {
        if self.tokens > 0 {
            self.close_dictionary_block()?;
        }
        if self.lists.len() > 1 {
            self.close_list_block()?;
        }
        if !unsure.is_empty() {
            let mut bytes = Vec::new();
            // Writing into memory does not fail.
            let _ = unsure.serialize_into(&mut bytes);
            for (number, piece) in bytes.chunks(BLOCK_BYTES).enumerate() {
                let mut value = vec![VERSION];
                value.extend_from_slice(piece);
                self.put(UNSURE, number as u32, value)?;
            }
            self.segment.unsure_bytes = bytes.len() as u32;
            self.segment.unsure = u32::try_from(unsure.len()).unwrap_or(u32::MAX);
        }
        self.flush()?;
        Ok(self.segment)
    }
}

/// Reads a segment.
pub(crate) struct Reading<'a, R: Read + ?Sized> {
    pub(crate) from: &'a R,
    pub(crate) account: AccountId,
    pub(crate) segment: &'a Segment,
}

/// A block of the dictionary.
pub(crate) struct Block<'a> {
    pub(crate) first_list: u64,
    pub(crate) tokens: u32,
    /// Begins with LF, ends with LF.
    pub(crate) text: &'a [u8],
    pub(crate) lengths: &'a [u8],
}

impl<'a> Block<'a> {
    pub(crate) fn decode(value: &'a [u8]) -> Option<Block<'a>> {
        let mut reader = Reader::versioned(value)?;
        let (first_list, tokens, bytes) = (reader.u64()?, reader.u32()?, reader.u32()?);
        let text = reader.take(bytes as usize)?;
        let fine = text.len() >= 2 && text.first() == Some(&b'\n') && text.last() == Some(&b'\n');
        fine.then_some(Block { first_list, tokens, text, lengths: reader.0 })
    }

    pub(crate) fn first_token(&self) -> &'a [u8] {
        let behind = &self.text[1..];
        &behind[..memchr(b'\n', behind).unwrap_or(behind.len())]
    }

    /// Each token with the place of its list. None if the block is damaged.
    pub(crate) fn entries(&self, visit: &mut dyn FnMut(&'a [u8], Range<u64>)) -> Option<()> {
        let mut lengths = Reader(self.lengths);
        let (mut start, mut at) = (self.first_list, 1);
        for end in memchr_iter(b'\n', self.text).skip(1) {
            let behind = start.checked_add(u64::from(lengths.number()?))?;
            visit(&self.text[at..end], start..behind);
            (start, at) = (behind, end + 1);
        }
        lengths.0.is_empty().then_some(())
    }

    /// The places of the lists of tokens in which `hits` (ascending offsets into the text) lie.
    pub(crate) fn lists_of(
        &self,
        hits: impl Iterator<Item = usize>,
        out: &mut Vec<Range<u64>>,
    ) -> Option<()> {
        let mut lengths = Reader(self.lengths);
        // The token whose list begins at `start` lies in the text from `at` on.
        let (mut start, mut at) = (self.first_list, 1);
        for hit in hits {
            // An LF at the hit's beginning belongs to the token before.
            let hit = hit + usize::from(self.text[hit] == b'\n');
            if hit < at {
                // In the same token as the hit before.
                continue;
            }
            for _ in memchr_iter(b'\n', &self.text[at..hit]) {
                start = start.checked_add(u64::from(lengths.number()?))?;
            }
            let behind = start.checked_add(u64::from(lengths.number()?))?;
            out.push(start..behind);
            start = behind;
            at = hit + memchr(b'\n', &self.text[hit..])? + 1;
        }
        Some(())
    }
}

impl<R: Read + ?Sized> Reading<'_, R> {
    pub(crate) fn damaged(&self) -> Error {
        corrupt(self.account, "the text index, segment", self.segment.id)
    }

    /// Calls `with` with a block of the dictionary.
    pub(crate) fn dictionary<T>(
        &self,
        number: u32,
        with: &mut dyn FnMut(&Block<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        let key = keys::index_block(self.account, self.segment.id, DICTIONARY, number);
        let mut made = None;
        self.from.get_with(&key, &mut |value| made = Block::decode(value).and_then(|block| with(&block)))?;
        made.ok_or_else(|| self.damaged())
    }

    /// Appends bytes of the lists (or of the bitmap) to `out`.
    pub(crate) fn stream(&self, kind: u8, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut at = range.start;
        while at < range.end {
            let (number, offset) = (at / BLOCK_BYTES as u64, (at % BLOCK_BYTES as u64) as usize);
            let key = keys::index_block(self.account, self.segment.id, kind, number as u32);
            let mut taken = 0;
            self.from.get_with(&key, &mut |value| {
                let Some(Reader(bytes)) = Reader::versioned(value) else { return };
                let end = bytes.len().min(offset.saturating_add((range.end - at) as usize));
                if let Some(part) = bytes.get(offset..end) {
                    out.extend_from_slice(part);
                    taken = part.len();
                }
            })?;
            if taken == 0 {
                return Err(self.damaged());
            }
            at += taken as u64;
        }
        Ok(())
    }

    /// Visits the messages of several lists, in ascending order of their places.
    pub(crate) fn lists(
        &self,
        lists: &[Range<u64>],
        wanted: Places,
        found: &mut dyn FnMut(Places, u32),
    ) -> Result<(), Error> {
        let mut rest = lists;
        let mut straddling = Vec::new();
        while let Some(first) = rest.first() {
            let number = first.start / BLOCK_BYTES as u64;
            let block_start = number * BLOCK_BYTES as u64;
            let key = keys::index_block(self.account, self.segment.id, LISTS, number as u32);
            let within = rest.partition_point(|list| list.end <= block_start + BLOCK_BYTES as u64);
            let (now, later) = rest.split_at(within);
            rest = later;
            let mut fine = now.is_empty();
            if !now.is_empty() {
                self.from.get_with(&key, &mut |value| {
                    let bytes = Reader::versioned(value).map_or(&[][..], |reader| reader.0);
                    fine = now.iter().all(|list| {
                        let range = (list.start - block_start) as usize..(list.end - block_start) as usize;
                        let list = bytes.get(range);
                        list.is_some_and(|list| visit(list, self.segment.first, wanted, found).is_some())
                    });
                })?;
            } else if let Some((list, later)) = rest.split_first() {
                rest = later;
                straddling.clear();
                self.stream(LISTS, list.clone(), &mut straddling)?;
                fine = visit(&straddling, self.segment.first, wanted, found).is_some();
            }
            if !fine {
                return Err(self.damaged());
            }
        }
        Ok(())
    }

    /// The messages of which the index knows too little.
    pub(crate) fn unsure(&self) -> Result<RoaringBitmap, Error> {
        if self.segment.unsure_bytes == 0 {
            return Ok(RoaringBitmap::new());
        }
        let mut bytes = Vec::new();
        self.stream(UNSURE, 0..u64::from(self.segment.unsure_bytes), &mut bytes)?;
        RoaringBitmap::deserialize_from(&*bytes).map_err(|_| self.damaged())
    }
}
