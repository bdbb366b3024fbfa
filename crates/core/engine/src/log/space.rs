//! Where the bytes are: of the index by the tag of their key, of the log by what was written and whether it still
//! counts. Walks the whole log once, on one snapshot, beside the server.

use super::index::Place;
use super::record::{Op, Ops, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use super::segment::{Blobs, Segment, Step, Walker};
use super::shared::LogSnapshot;
use crate::{Error, KeyGroup, LogPart, Progress, Read, Space};
use std::collections::BTreeMap;

/// See [`crate::Engine::space`]. `segments` are the numbers and used bytes of those to walk.
pub(crate) fn space(
    snapshot: &LogSnapshot,
    used: &BTreeMap<u32, u64>,
    progress: Progress<'_>,
) -> Result<Space, Error> {
    let mut parts: BTreeMap<(&'static str, Option<KeyGroup>), LogPart> = BTreeMap::new();
    let total: u64 = used.values().sum();
    let mut done = 0;
    for (number, segment) in &snapshot.set.0 {
        // Younger than the moment that is looked at.
        let Some(end) = used.get(number) else { continue };
        walk(snapshot, segment, *end, &mut parts)?;
        done += end;
        progress(done, total);
    }
    let log = parts.into_values().filter(|part| part.records > 0).collect();
    Ok(Space { keys: crate::keys_of(snapshot)?, log })
}

fn walk(
    snapshot: &LogSnapshot,
    segment: &Segment,
    end: u64,
    parts: &mut BTreeMap<(&'static str, Option<KeyGroup>), LogPart>,
) -> Result<(), Error> {
    let mut count = |what: &'static str, group: Option<KeyGroup>, bytes: u64, live: bool| {
        let empty = LogPart { what, group, records: 0, live_bytes: 0, dead_bytes: 0 };
        let part = parts.entry((what, group)).or_insert(empty);
        part.records += 1;
        *(if live { &mut part.live_bytes } else { &mut part.dead_bytes }) += bytes;
    };
    let mut walker = Walker::new(segment, SEGMENT_HEADER_BYTES, Some(end), Blobs::Skip)?;
    // Behind a damaged record nothing can be told; `check` reports that.
    while let Step::Record(record) = walker.step()? {
        let mut place = Place { segment: segment.number, offset: record.blobs_at };
        count("record headers", None, RECORD_HEADER_BYTES as u64, true);
        let mut ops = Ops::new(record.ops);
        loop {
            let before = ops.left();
            let Some(op) = ops.next() else { break };
            let bytes = (before - ops.left()) as u64;
            match op {
                Op::Put { key, value } => {
                    let mut live = false;
                    snapshot.get_with(key, &mut |now| live = now == value)?;
                    count("puts", Some(KeyGroup::of(key)), bytes, live);
                }
                // Whether one is needed depends on what older segments hold.
                Op::Delete { key } => count("deletes", Some(KeyGroup::of(key)), bytes, false),
                Op::Content { id, shape, .. } => {
                    let live = snapshot.view.content(id)?.is_some_and(|entry| entry.place == place);
                    count("contents", None, bytes + shape.stored_len, live);
                    place.offset += shape.stored_len;
                }
                Op::Refer { references, .. } => count("references", None, bytes, references > 0),
                Op::Begin { .. } | Op::Seal => count("segment ends", None, bytes, true),
            }
        }
    }
    Ok(())
}
