//! What a running transaction has written so far, over the newest state: nothing of an aborted one is ever applied,
//! and both engines give transactions exactly the same view.

use crate::{ContentId, Error, Order, Packed, Read, Tx, Visit};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// The newest state, below a transaction.
pub(crate) trait Base: Read {
    /// References to a content; None when there is no such content.
    fn references(&self, id: ContentId) -> Result<Option<u32>, Error>;
}

/// Content appended by the running transaction.
pub(crate) struct Appended {
    pub(crate) id: ContentId,
    pub(crate) packed: Packed,
    pub(crate) references: u32,
}

struct Entry {
    key_at: usize,
    key_len: usize,
    /// None: deleted.
    value: Option<(usize, usize)>,
}

/// The writes of one transaction. Reused for the next one, so that the committer allocates nothing per operation.
#[derive(Default)]
pub(crate) struct Staged {
    arena: Vec<u8>,
    /// Sorted by key, one entry a key.
    entries: Vec<Entry>,
    pub(crate) appended: Vec<Appended>,
    /// New count of references of contents that existed before.
    pub(crate) referred: BTreeMap<ContentId, u32>,
}

/// An arena larger than this is given back after its transaction.
const ARENA_KEPT_BYTES: usize = 256 * 1024;

impl Staged {
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.arena.shrink_to(ARENA_KEPT_BYTES);
        self.entries.clear();
        self.entries.shrink_to(ARENA_KEPT_BYTES / size_of::<Entry>());
        self.appended.clear();
        self.referred.clear();
    }

    /// Memory that keys and values take.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.appended.is_empty() && self.referred.is_empty()
    }

    /// Each written key once, in order, with its value or None where it was deleted.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.entries.iter().map(|entry| (self.key(entry), self.value(entry)))
    }

    fn key(&self, entry: &Entry) -> &[u8] {
        &self.arena[entry.key_at..][..entry.key_len]
    }

    fn value(&self, entry: &Entry) -> Option<&[u8]> {
        entry.value.map(|(at, len)| &self.arena[at..][..len])
    }

    fn find(&self, key: &[u8]) -> Result<usize, usize> {
        // Transactions mostly write in key order: look at the end first.
        match self.entries.last() {
            None => Err(0),
            Some(last) => match self.key(last).cmp(key) {
                Ordering::Less => Err(self.entries.len()),
                Ordering::Equal => Ok(self.entries.len() - 1),
                Ordering::Greater => self.entries.binary_search_by(|entry| self.key(entry).cmp(key)),
            },
        }
    }

    fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        let value = value.map(|bytes| {
            self.arena.extend_from_slice(bytes);
            (self.arena.len() - bytes.len(), bytes.len())
        });
        match self.find(key) {
            Ok(index) => self.entries[index].value = value,
            Err(index) => {
                let key_at = self.arena.len();
                self.arena.extend_from_slice(key);
                self.entries.insert(index, Entry { key_at, key_len: key.len(), value });
            }
        }
    }

    /// What was written under `key`: None for nothing, Some(None) for a deletion.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        Some(self.value(&self.entries[self.find(key).ok()?]))
    }

    /// Takes over the keys and values of another one.
    pub(crate) fn absorb(&mut self, newer: &Staged) {
        newer.entries().for_each(|(key, value)| self.write(key, value));
    }

    /// Visits the entries of a range as they are with these writes over `base`.
    pub(crate) fn scan_over(
        &self,
        base: &impl Read,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        visit: Visit<'_>,
    ) -> Result<(), Error> {
        if is_empty_range(range) {
            return Ok(());
        }
        let mut span = self.span(range);
        let mut stopped = false;
        // Both are visited in the same order; a written key hides the base's.
        let next = |span: &std::ops::Range<usize>| {
            let index = if order == Order::Ascending { span.start } else { span.end.wrapping_sub(1) };
            (!span.is_empty()).then(|| &self.entries[index])
        };
        let advance = |span: &mut std::ops::Range<usize>| match order {
            Order::Ascending => span.start += 1,
            Order::Descending => span.end -= 1,
        };
        base.scan(range, order, &mut |key, value| {
            while let Some(entry) = next(&span) {
                let mut ordering = self.key(entry).cmp(key);
                if order == Order::Descending {
                    ordering = ordering.reverse();
                }
                if ordering == Ordering::Greater {
                    break;
                }
                advance(&mut span);
                if let Some(written) = self.value(entry)
                    && visit(self.key(entry), written).is_break()
                {
                    stopped = true;
                    return ControlFlow::Break(());
                }
                if ordering == Ordering::Equal {
                    return ControlFlow::Continue(());
                }
            }
            let flow = visit(key, value);
            stopped = flow.is_break();
            flow
        })?;
        while !stopped && let Some(entry) = next(&span) {
            advance(&mut span);
            if let Some(written) = self.value(entry) {
                stopped = visit(self.key(entry), written).is_break();
            }
        }
        Ok(())
    }

    /// The positions of entries within a key range.
    fn span(&self, range: (Bound<&[u8]>, Bound<&[u8]>)) -> std::ops::Range<usize> {
        let start = match range.0 {
            Bound::Unbounded => 0,
            Bound::Included(from) => self.entries.partition_point(|entry| self.key(entry) < from),
            Bound::Excluded(from) => self.entries.partition_point(|entry| self.key(entry) <= from),
        };
        let end = match range.1 {
            Bound::Unbounded => self.entries.len(),
            Bound::Included(to) => self.entries.partition_point(|entry| self.key(entry) <= to),
            Bound::Excluded(to) => self.entries.partition_point(|entry| self.key(entry) < to),
        };
        start..end.max(start)
    }
}

/// Whether a range can hold any key (ordered maps panic or fail on inverted ones).
pub(crate) fn is_empty_range(range: (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match range {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    }
}

/// A running transaction of either engine.
pub(crate) struct StagedTx<'a, B: Base> {
    base: &'a B,
    staged: &'a mut Staged,
    next_content: &'a mut u64,
    /// The first trouble with the engine below: the transaction can't succeed any more, whatever its closure says.
    failure: RefCell<Option<Error>>,
}

impl<'a, B: Base> StagedTx<'a, B> {
    pub(crate) fn new(base: &'a B, staged: &'a mut Staged, next_content: &'a mut u64) -> Self {
        StagedTx { base, staged, next_content, failure: RefCell::new(None) }
    }

    pub(crate) fn into_failure(self) -> Option<Error> {
        self.failure.into_inner()
    }

    fn noted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.failure.borrow_mut().get_or_insert_with(|| error.clone());
        }
        result
    }
}

impl<B: Base> Read for StagedTx<'_, B> {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        match self.staged.get(key) {
            Some(value) => Ok(value.map(found).is_some()),
            None => self.noted(self.base.get_with(key, found)),
        }
    }

    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error> {
        self.noted(self.staged.scan_over(self.base, range, order, visit))
    }
}

impl<B: Base> Tx for StagedTx<'_, B> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.staged.write(key, Some(value));
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), Error> {
        self.staged.write(key, None);
        Ok(())
    }

    fn append(&mut self, content: &Packed, references: u32) -> Result<ContentId, Error> {
        assert!(references > 0, "content without references would be garbage at once");
        let id = ContentId(*self.next_content);
        *self.next_content += 1;
        self.staged.appended.push(Appended { id, packed: content.clone(), references });
        Ok(id)
    }

    fn refer(&mut self, id: ContentId, delta: i32) -> Result<(), Error> {
        // The ids of one transaction's own contents are consecutive.
        let own = self.staged.appended.first().and_then(|first| id.0.checked_sub(first.id.0));
        if let Some(appended) = own.and_then(|index| self.staged.appended.get_mut(index as usize)) {
            appended.references = moved(id, appended.references, delta)?;
            return Ok(());
        }
        let references = match self.staged.referred.get(&id) {
            Some(references) => *references,
            None => self.noted(self.base.references(id))?.unwrap_or(0),
        };
        self.staged.referred.insert(id, moved(id, references, delta)?);
        Ok(())
    }
}

/// Adds `delta`; content that nobody refers to is gone and can't be taken up again.
fn moved(id: ContentId, references: u32, delta: i32) -> Result<u32, Error> {
    let why = match references.checked_add_signed(delta) {
        _ if references == 0 => "no such content",
        Some(moved) => return Ok(moved),
        None => "its count of references leaves its bounds",
    };
    Err(Error::Corrupt { what: format!("content {}", id.0), why: why.into() })
}
