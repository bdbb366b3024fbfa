//! The list of a token: in which messages it stands, and where in them.
//!
//! A list is a row of groups, each for one set of places: places u8, then a number `2 * length + form` and so many bytes.
//! Form 0: distances between the messages as base-128 numbers, the first from the segment's first message. Form 1: a
//! Roaring bitmap of the messages, numbered from the segment's first one; taken where it is smaller (words that stand in
//! nearly every message). A rare word so takes five bytes or so.

use crate::keys::{Reader, push_number};
use roaring::RoaringBitmap;

/// Where in a message a token stands, one bit for each place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Places(pub(crate) u8);

impl Places {
    pub(crate) const FROM: Places = Places(1);
    pub(crate) const TO: Places = Places(2);
    pub(crate) const CC: Places = Places(4);
    pub(crate) const BCC: Places = Places(8);
    pub(crate) const SUBJECT: Places = Places(16);
    /// The value of another header field.
    pub(crate) const FIELD: Places = Places(32);
    /// The name of a header field.
    pub(crate) const NAME: Places = Places(64);
    pub(crate) const BODY: Places = Places(128);
    pub(crate) const ANYWHERE: Places = Places(255);

    pub(crate) fn meets(self, other: Places) -> bool {
        self.0 & other.0 != 0
    }

    /// Where the value of a field stands.
    pub(crate) fn of_field(name: &str) -> Places {
        let named = [
            ("from", Places::FROM),
            ("to", Places::TO),
            ("cc", Places::CC),
            ("bcc", Places::BCC),
            ("subject", Places::SUBJECT),
        ];
        let found = named.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        found.map_or(Places::FIELD, |(_, places)| places)
    }
}

/// Messages by the places in them, ascending within each.
#[derive(Default)]
pub(crate) struct Groups(Vec<(Places, Vec<u32>)>);

impl Groups {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a message behind all that were added with the same places.
    pub(crate) fn push(&mut self, places: Places, doc: u32) {
        match self.0.iter_mut().find(|(same, _)| *same == places) {
            Some((_, docs)) => docs.push(doc),
            None => self.0.push((places, vec![doc])),
        }
    }

    /// Appends the list to `out`. No message is below `base`.
    pub(crate) fn encode(&self, base: u32, out: &mut Vec<u8>) {
        let mut deltas = Vec::new();
        for (places, docs) in &self.0 {
            deltas.clear();
            let mut last = base;
            for doc in docs {
                push_number(&mut deltas, doc - last);
                last = *doc;
            }
            out.push(places.0);
            if let Some(bitmap) = smaller_bitmap(docs, base, deltas.len()) {
                push_number(out, (bitmap.len() * 2 + 1) as u32);
                out.extend_from_slice(&bitmap);
            } else {
                push_number(out, (deltas.len() * 2) as u32);
                out.extend_from_slice(&deltas);
            }
        }
    }
}

/// Fewer messages than these are never worth a bitmap.
const BITMAP_DOCS_MIN: usize = 64;

fn smaller_bitmap(docs: &[u32], base: u32, limit: usize) -> Option<Vec<u8>> {
    if docs.len() < BITMAP_DOCS_MIN {
        return None;
    }
    let mut bitmap: RoaringBitmap = docs.iter().map(|doc| doc - base).collect();
    bitmap.optimize();
    let mut bytes = Vec::new();
    let fits = bitmap.serialized_size() < limit && bitmap.serialize_into(&mut bytes).is_ok();
    fits.then_some(bytes)
}

/// Calls `visit` with each message of the groups that meet `wanted`; None if the list is damaged.
pub(crate) fn visit(
    list: &[u8],
    base: u32,
    wanted: Places,
    visit: &mut dyn FnMut(Places, u32),
) -> Option<()> {
    let mut reader = Reader(list);
    while !reader.0.is_empty() {
        let places = Places(reader.u8()?);
        let number = reader.number()?;
        let bytes = reader.take(number as usize / 2)?;
        if !places.meets(wanted) {
            continue;
        }
        if number % 2 == 1 {
            let bitmap = RoaringBitmap::deserialize_from(bytes).ok()?;
            for at in &bitmap {
                visit(places, base.checked_add(at)?);
            }
            continue;
        }
        let mut deltas = Reader(bytes);
        let mut doc = base;
        while !deltas.0.is_empty() {
            doc = doc.checked_add(deltas.number()?)?;
            visit(places, doc);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_back_and_are_small() {
        let encoded = |docs: &[(Places, u32)]| {
            let mut groups = Groups::default();
            docs.iter().for_each(|(places, doc)| groups.push(*places, *doc));
            let mut list = Vec::new();
            groups.encode(1000, &mut list);
            list
        };
        let rare = encoded(&[(Places::BODY, 1100)]);
        assert_eq!(rare.len(), 3);
        let mixed: Vec<(Places, u32)> =
            (1000..9000).map(|doc| (if doc % 3 == 0 { Places::TO } else { Places::BODY }, doc)).collect();
        let everywhere: Vec<(Places, u32)> = (1000..9000).map(|doc| (Places::NAME, doc)).collect();
        assert!(encoded(&everywhere).len() < 40, "runs");
        for docs in [mixed, everywhere] {
            let list = encoded(&docs);
            let mut found = Vec::new();
            visit(&list, 1000, Places::ANYWHERE, &mut |places, doc| found.push((places, doc))).unwrap();
            found.sort_by_key(|(_, doc)| *doc);
            assert_eq!(found, docs);
            let mut bodies = 0;
            visit(&list, 1000, Places::BODY, &mut |_, _| bodies += 1).unwrap();
            assert_eq!(bodies, docs.iter().filter(|(places, _)| *places == Places::BODY).count());
            for end in 1..list.len().min(60) {
                // Never a panic, whatever is damaged.
                let _ = visit(&list[..end], 1000, Places::ANYWHERE, &mut |_, _| {});
            }
        }
    }
}
