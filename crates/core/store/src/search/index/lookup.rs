//! Looking a text up: which messages have it for sure, and which may.
//!
//! A text of letters and digits alone lies within one token: the dictionary is scanned for it, at the speed of memory,
//! and the lists of the tokens that hold it are the answer, with no message read. Any other text is taken apart: tokens
//! must end with its first piece, be its middle pieces, begin with its last piece; messages that have them all are
//! candidates, and whoever asks looks at these.

use super::manifest::{Coverage, Manifest, Segment, Stored};
use super::postings::Places;
use super::segment::{PRESENCE, Reading};
use crate::search::fuzzy::Words;
use crate::search::tokens::{Piece, Pieces, TOKEN_BYTES_MAX};
use crate::{Error, keys};
use engine::{AccountId, Snapshot};
use memchr::memmem;
use roaring::RoaringBitmap;

/// The text index of an account as of a snapshot.
pub(crate) struct Index<'a> {
    snapshot: &'a dyn Snapshot,
    account: AccountId,
    coverage: Coverage,
    /// Messages that must be looked at whatever the lists say: those of which the index knows too little, and those
    /// that came after it was made.
    open: RoaringBitmap,
}

/// Messages by their EMAILIDs.
#[derive(Default, Debug)]
pub(crate) struct Docs {
    /// These have it.
    pub(crate) surely: RoaringBitmap,
    /// No others have it.
    pub(crate) possibly: RoaringBitmap,
}

/// So few candidates are looked at themselves rather than narrowed down by scanning a dictionary.
const CANDIDATES_FEW: u32 = 32;

impl<'a> Index<'a> {
    /// None: there is none, or it is of no use.
    pub(crate) fn open(
        snapshot: &'a dyn Snapshot,
        account: AccountId,
        next_doc: u32,
    ) -> Result<Option<Index<'a>>, Error> {
        let mut stored = Stored::Foreign;
        snapshot.get_with(&keys::index(account), &mut |value| stored = Manifest::decode(value))?;
        let Stored::Fine(manifest) = stored else { return Ok(None) };
        let coverage = manifest.current;
        if coverage.indexed_to == 0 {
            return Ok(None);
        }
        let mut open = RoaringBitmap::new();
        for segment in &coverage.segments {
            open |= Reading { from: snapshot, account, segment }.unsure()?;
        }
        if coverage.indexed_to < next_doc {
            open.insert_range(coverage.indexed_to..next_doc);
        }
        Ok(Some(Index { snapshot, account, coverage, open }))
    }

    /// Messages with a folded text in these places; for a header field also its name, in small letters.
    pub(crate) fn find(&self, places: Places, field: Option<&str>, needle: &str) -> Result<Docs, Error> {
        let pieces = Pieces::of(needle);
        // An empty text asks whether the field is there (RFC 9051 §6.4.4, HEADER).
        let is_presence = field.is_some() && needle.is_empty();
        let mut docs = Docs::default();
        // Such a name has no field (RFC 5322 §2.2), or none that the index takes in.
        if field.is_some_and(|name| name.contains('\n') || name.len() >= TOKEN_BYTES_MAX) {
            docs.possibly = self.open.clone();
            return Ok(docs);
        }
        for segment in &self.coverage.segments {
            let lookup = Lookup::new(Reading { from: self.snapshot, account: self.account, segment });
            docs.possibly |= lookup.find(places, field, &pieces)?;
        }
        // The value of these fields has a place of its own, that of others does not.
        if is_presence || (pieces.suffice && places != Places::FIELD) {
            // Text that can't be decoded is compared otherwise than the lists have it (RFC 5255 §4.6).
            docs.surely = &docs.possibly - &self.open;
        }
        docs.possibly |= &self.open;
        Ok(docs)
    }
}

/// Messages with their scores, ascending.
pub(crate) type Scores = Vec<(u32, u8)>;

impl Index<'_> {
    /// Messages with words like those (RFC 6203), and their scores. The whole dictionary is read.
    pub(crate) fn find_like(
        &self,
        places: Places,
        field: Option<&str>,
        words: &Words,
    ) -> Result<(Docs, Scores), Error> {
        let mut docs = Docs::default();
        let mut scores = Vec::new();
        for segment in &self.coverage.segments {
            let reading = Reading { from: self.snapshot, account: self.account, segment };
            for (doc, score) in Lookup::new(reading).like(places, words)? {
                docs.possibly.insert(doc);
                scores.push((doc, score));
            }
        }
        if let (Some(name), true) = (field, places == Places::FIELD) {
            docs.possibly &= self.find(places, Some(name), "")?.possibly;
        } else {
            docs.surely = docs.possibly.clone();
        }
        docs.possibly |= &self.open;
        Ok((docs, scores))
    }
}

struct Lookup<'a> {
    reading: Reading<'a, dyn Snapshot + 'a>,
}

/// Messages of a segment, a bit for each.
struct Bits {
    first: u32,
    words: Vec<u64>,
}

impl Bits {
    fn new(segment: &Segment) -> Bits {
        let count = segment.end.saturating_sub(segment.first);
        Bits { first: segment.first, words: vec![0; (count as usize).div_ceil(64)] }
    }

    fn insert(&mut self, doc: u32) {
        let at = doc.wrapping_sub(self.first);
        if let Some(word) = self.words.get_mut(at as usize / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn intersect(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    fn into_bitmap(self) -> RoaringBitmap {
        let (first, mut out) = (self.first, RoaringBitmap::new());
        for (at, mut word) in self.words.into_iter().enumerate() {
            while word != 0 {
                let doc = first + at as u32 * 64 + word.trailing_zeros();
                out.insert(doc);
                word &= word - 1;
            }
        }
        out
    }
}

impl<'a> Lookup<'a> {
    fn new(reading: Reading<'a, dyn Snapshot + 'a>) -> Lookup<'a> {
        Lookup { reading }
    }

    fn find(&self, places: Places, field: Option<&str>, pieces: &Pieces) -> Result<RoaringBitmap, Error> {
        let segment = self.reading.segment;
        let mut found: Option<Bits> = None;
        let mut narrow = |bits: Bits| match &mut found {
            None => {
                let count = bits.count();
                found = Some(bits);
                count
            }
            Some(found) => {
                found.intersect(&bits);
                found.count()
            }
        };
        let mut left = u32::MAX;
        if let Some(name) = field {
            left = narrow(self.piece(Places::NAME, &presence(name))?);
        }
        for piece in &pieces.pieces {
            // Those that begin a token come first: they are found without a scan.
            if left == 0 || (left <= CANDIDATES_FEW && !piece.at_start && !pieces.suffice) {
                break;
            }
            left = narrow(self.piece(places, piece)?);
        }
        match found {
            Some(bits) => Ok(bits.into_bitmap()),
            None => Ok((segment.first..segment.end).collect()),
        }
    }

    fn like(&self, places: Places, words: &Words) -> Result<Scores, Error> {
        let segment = self.reading.segment;
        let count = segment.end.saturating_sub(segment.first) as usize;
        let mut best = vec![0u8; count * words.len()];
        let mut likeness = Vec::new();
        for number in 0..segment.blocks {
            let mut hits = Vec::new();
            self.reading.dictionary(number, &mut |block| {
                block.entries(&mut |token, list| {
                    let token = str::from_utf8(token).unwrap_or_default();
                    let is_name = token.as_bytes().first() == Some(&PRESENCE);
                    if !is_name && words.likeness(token, &mut likeness) {
                        hits.push((list, likeness.clone()));
                    }
                })
            })?;
            for (list, likeness) in hits {
                self.reading.lists(&[list], places, &mut |found, doc| {
                    let at = doc.wrapping_sub(segment.first) as usize * words.len();
                    if let Some(best) = best.get_mut(at..at + words.len()) {
                        Words::note(best, &likeness, Places(found.0 & places.0));
                    }
                })?;
            }
        }
        let scored = best.chunks(words.len()).zip(segment.first..);
        Ok(scored.filter_map(|(best, doc)| Some((doc, Words::score(best)?))).collect())
    }

    /// Messages with a token that has that piece.
    fn piece(&self, places: Places, piece: &Piece) -> Result<Bits, Error> {
        let mut pattern = Vec::with_capacity(piece.text.len() + 2);
        pattern.extend(piece.at_start.then_some(b'\n'));
        pattern.extend_from_slice(piece.text.as_bytes());
        pattern.extend(piece.at_end.then_some(b'\n'));
        let finder = memmem::Finder::new(&pattern);
        let blocks = if piece.at_start { self.blocks_from(piece.text.as_bytes())? } else { 0 };
        let mut bits = Bits::new(self.reading.segment);
        let mut lists = Vec::new();
        for number in blocks..self.reading.segment.blocks {
            lists.clear();
            let behind = self.reading.dictionary(number, &mut |block| {
                if piece.at_start && is_behind(block.first_token(), piece.text.as_bytes()) {
                    return Some(true);
                }
                block.lists_of(finder.find_iter(block.text), &mut lists)?;
                Some(false)
            })?;
            if behind {
                break;
            }
            self.reading.lists(&lists, places, &mut |_, doc| bits.insert(doc))?;
        }
        Ok(bits)
    }

    /// The first block in which a token with that beginning may stand.
    fn blocks_from(&self, beginning: &[u8]) -> Result<u32, Error> {
        let (mut low, mut high) = (0, self.reading.segment.blocks);
        // Blocks below `low` begin with a token before all of these.
        while low < high {
            let middle = low + (high - low) / 2;
            let before =
                self.reading.dictionary(middle, &mut |block| Some(block.first_token() < beginning))?;
            if before {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.saturating_sub(1))
    }
}

/// Whether a token comes after all those with that beginning.
fn is_behind(token: &[u8], beginning: &[u8]) -> bool {
    token > beginning && !token.starts_with(beginning)
}

fn presence(name: &str) -> Piece {
    Piece { text: format!("{}{name}", char::from(PRESENCE)), at_start: true, at_end: true }
}
