//! Making one segment of several, in one pass over their sorted dictionaries; messages that are gone drop out. A few
//! blocks are in memory at a time, and no snapshot is held for longer than it takes to read one.

use super::manifest::Segment;
use super::postings::{Groups, Places, visit};
use super::segment::{BLOCK_BYTES, LISTS, Reading, Writer};
use crate::{Error, Store, keys};
use engine::{AccountId, Order};
use model::EmailId;
use roaring::RoaringBitmap;
use std::ops::{ControlFlow, Range};

/// Segments of like size that become one.
const FANOUT: usize = 8;

/// Messages of a segment of the lowest size.
const LOWEST_DOCS: u32 = 2048;

fn level(segment: &Segment) -> u32 {
    (segment.docs / LOWEST_DOCS).checked_ilog(FANOUT as u32).map_or(0, |level| level + 1)
}

/// Which of the segments should become one: the last ones, once there are enough of some size and none larger. So
/// there are at most `FANOUT - 1` of each size, and each message is written again once for each size.
pub(super) fn due(segments: &[Segment]) -> Option<Range<usize>> {
    let top = segments.iter().map(level).max()?;
    (0..=top).find_map(|limit| {
        let small = segments.iter().rev().take_while(|segment| level(segment) <= limit).count();
        let range = segments.len() - small..segments.len();
        let of_size = segments[range.clone()].iter().filter(|segment| level(segment) == limit).count();
        (of_size >= FANOUT).then_some(range)
    })
}

/// The first of the segments of which less than so many twentieths of the messages are still there.
pub(super) fn wasteful(
    store: &Store,
    account: AccountId,
    segments: &[Segment],
    twentieths: u64,
) -> Result<Option<usize>, Error> {
    let Some((first, last)) = segments.first().zip(segments.last()) else { return Ok(None) };
    let live = live(store, account, first.first..last.end)?;
    let is_waste = |segment: &Segment| {
        live.range_cardinality(segment.first..segment.end) * 20 < u64::from(segment.docs) * twentieths
    };
    Ok(segments.iter().position(is_waste))
}

/// Walks the tokens of a segment.
struct Cursor<'a> {
    store: &'a Store,
    account: AccountId,
    segment: &'a Segment,
    next_block: u32,
    /// Text and places of the lists of the block at hand.
    text: Vec<u8>,
    entries: Vec<(Range<usize>, Range<u64>)>,
    at: usize,
    /// A block of lists, and its number.
    lists: (Option<u64>, Vec<u8>),
}

impl<'a> Cursor<'a> {
    fn new(store: &'a Store, account: AccountId, segment: &'a Segment) -> Result<Cursor<'a>, Error> {
        let mut cursor = Cursor {
            store,
            account,
            segment,
            next_block: 0,
            text: Vec::new(),
            entries: Vec::new(),
            at: 0,
            lists: (None, Vec::new()),
        };
        cursor.load()?;
        Ok(cursor)
    }

    fn load(&mut self) -> Result<(), Error> {
        self.entries.clear();
        self.at = 0;
        if self.next_block >= self.segment.blocks {
            return Ok(());
        }
        let snapshot = self.store.engine.snapshot()?;
        let reading = Reading { from: &*snapshot, account: self.account, segment: self.segment };
        let (text, entries) = (&mut self.text, &mut self.entries);
        reading.dictionary(self.next_block, &mut |block| {
            text.clear();
            text.extend_from_slice(block.text);
            let mut at = 1;
            block.entries(&mut |token, list| {
                entries.push((at..at + token.len(), list));
                at += token.len() + 1;
            })
        })?;
        self.next_block += 1;
        Ok(())
    }

    fn token(&self) -> Option<&[u8]> {
        self.entries.get(self.at).map(|(token, _)| &self.text[token.clone()])
    }

    /// Adds the messages of the token at hand that are still there, and goes on.
    fn take(&mut self, live: &RoaringBitmap, groups: &mut Groups) -> Result<(), Error> {
        let Some((_, list)) = self.entries.get(self.at).cloned() else { return Ok(()) };
        let number = list.start / BLOCK_BYTES as u64;
        let start = (list.start % BLOCK_BYTES as u64) as usize;
        let end = start + (list.end - list.start) as usize;
        let mut put = |places: Places, doc: u32| {
            if live.contains(doc) {
                groups.push(places, doc);
            }
        };
        let snapshot = self.store.engine.snapshot();
        let reading = |from| Reading { from, account: self.account, segment: self.segment };
        let fine = if end <= BLOCK_BYTES {
            if self.lists.0 != Some(number) {
                self.lists.1.clear();
                let whole = number * BLOCK_BYTES as u64;
                let behind = (whole + BLOCK_BYTES as u64).min(self.segment.posting_bytes);
                reading(&*snapshot?).stream(LISTS, whole..behind, &mut self.lists.1)?;
                self.lists.0 = Some(number);
            }
            let list = self.lists.1.get(start..end);
            list.and_then(|list| visit(list, self.segment.first, Places::ANYWHERE, &mut put))
        } else {
            let mut long = Vec::new();
            reading(&*snapshot?).stream(LISTS, list, &mut long)?;
            visit(&long, self.segment.first, Places::ANYWHERE, &mut put)
        };
        if fine.is_none() {
            return Err(crate::read::corrupt(self.account, "the text index, segment", self.segment.id));
        }
        self.at += 1;
        if self.at == self.entries.len() { self.load() } else { Ok(()) }
    }
}

/// Writes one segment with all of `segments` (ascending, one behind the other).
pub(super) fn merge(
    store: &Store,
    account: AccountId,
    segments: &[Segment],
    id: u32,
) -> Result<Segment, Error> {
    let (first, end) = (segments.first().map_or(0, |s| s.first), segments.last().map_or(0, |s| s.end));
    let live = live(store, account, first..end)?;
    let sum = |of: fn(&Segment) -> u32| segments.iter().map(of).fold(0u32, u32::saturating_add);
    let mut unsure = RoaringBitmap::new();
    for segment in segments {
        let snapshot = store.engine.snapshot()?;
        unsure |= Reading { from: &*snapshot, account, segment }.unsure()? & &live;
    }
    let merged = Segment {
        id,
        first,
        end,
        docs: u32::try_from(live.len()).unwrap_or(u32::MAX),
        // Of messages that are gone as well: a segment does not know which had them.
        encrypted: sum(|segment| segment.encrypted),
        undecodable: sum(|segment| segment.undecodable),
        ..Segment::default()
    };
    let mut writer = Writer::new(store, account, merged);
    let mut cursors = segments
        .iter()
        .map(|segment| Cursor::new(store, account, segment))
        .collect::<Result<Vec<_>, Error>>()?;
    let (mut token, mut groups, mut list) = (Vec::new(), Groups::default(), Vec::new());
    while let Some(smallest) = cursors.iter().filter_map(Cursor::token).min() {
        token.clear();
        token.extend_from_slice(smallest);
        groups.clear();
        for cursor in &mut cursors {
            if cursor.token() == Some(&*token) {
                cursor.take(&live, &mut groups)?;
            }
        }
        if !groups.is_empty() {
            list.clear();
            groups.encode(first, &mut list);
            writer.add(&token, &list)?;
        }
    }
    writer.finish(&unsure)
}

/// Records looked at in one snapshot.
const PAGE: usize = 20_000;

/// Messages of a range that are still there. By their own records, not by the rows of mailboxes: a message that is moved
/// between two of these snapshots could have no row in either, but its record stays until it is gone for good.
fn live(store: &Store, account: AccountId, docs: Range<u32>) -> Result<RoaringBitmap, Error> {
    let mut live = RoaringBitmap::new();
    let end = keys::message(account, EmailId(docs.end));
    let mut next = Some(docs.start);
    while let Some(first) = next.take() {
        let start = keys::message(account, EmailId(first));
        let range = (std::ops::Bound::Included(&*start), std::ops::Bound::Excluded(&*end));
        let mut count = 0;
        store.engine.snapshot()?.scan(range, Order::Ascending, &mut |key, _| {
            let Some(doc) = keys::last_u32(key) else { return ControlFlow::Continue(()) };
            live.insert(doc);
            count += 1;
            if count < PAGE {
                return ControlFlow::Continue(());
            }
            next = doc.checked_add(1);
            ControlFlow::Break(())
        })?;
    }
    Ok(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_stay_few_and_are_rarely_written_again() {
        let mut segments: Vec<Segment> = Vec::new();
        let (mut most, mut written, mut docs) = (0, 0u64, 0u64);
        for _ in 0..4000 {
            segments.push(Segment { docs: 256, ..Segment::default() });
            docs += 256;
            while let Some(range) = due(&segments) {
                let sum = segments.drain(range).map(|segment| segment.docs).sum();
                written += u64::from(sum);
                segments.push(Segment { docs: sum, ..Segment::default() });
            }
            most = most.max(segments.len());
        }
        assert!(most <= 4 * FANOUT && written < docs * 5, "{most} {written} {docs}");
    }
}
