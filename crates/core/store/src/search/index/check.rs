//! `troika store check` of the text index: every block is there, tokens ascend, lists lie where they should and name
//! messages of their segment.

use super::manifest::{Coverage, Manifest, Segment, Stored};
use super::postings::{Places, visit};
use super::segment::{LISTS, Reading};
use crate::{Error, keys};
use engine::{AccountId, Snapshot};

/// Looks at all of it; a sentence for each thing that does not hold.
pub(crate) fn check(
    snapshot: &dyn Snapshot,
    account: AccountId,
    next_doc: u32,
) -> Result<Vec<String>, Error> {
    let mut stored = None;
    snapshot.get_with(&keys::index(account), &mut |value| stored = Some(Manifest::decode(value)))?;
    let manifest = match stored {
        None | Some(Stored::Foreign) => return Ok(Vec::new()),
        Some(Stored::Damaged) => return Ok(vec!["the text index's list of segments is damaged".into()]),
        Some(Stored::Fine(manifest)) => manifest,
    };
    let mut problems = Vec::new();
    for coverage in [Some(&manifest.current), manifest.rebuilding.as_ref()].into_iter().flatten() {
        coverage_holds(coverage, &manifest, next_doc, &mut problems);
        for segment in &coverage.segments {
            let reading = Reading { from: snapshot, account, segment };
            match segment_holds(&reading) {
                Ok(None) => {}
                Ok(Some(why)) => problems.push(format!("segment {} of the text index: {why}", segment.id)),
                Err(Error::Engine(error @ engine::Error::Corrupt { .. })) => problems.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }
    if !problems.is_empty() {
        problems.push("make the text index anew with `troika index rebuild`".into());
    }
    Ok(problems)
}

fn coverage_holds(coverage: &Coverage, manifest: &Manifest, next_doc: u32, problems: &mut Vec<String>) {
    let mut at = 0;
    for Segment { id, first, end, .. } in &coverage.segments {
        if *first < at || end <= first || *end > coverage.indexed_to || *id >= manifest.next_segment {
            problems.push(format!("segment {id} of the text index covers {first} to {end}, out of order"));
        }
        at = *end;
    }
    if coverage.indexed_to > next_doc {
        problems.push("the text index covers messages that were never there".into());
    }
}

fn segment_holds(reading: &Reading<'_, dyn Snapshot + '_>) -> Result<Option<&'static str>, Error> {
    let segment = reading.segment;
    let (mut tokens, mut place, mut last) = (0u64, 0u64, Vec::new());
    let mut list = Vec::new();
    for number in 0..segment.blocks {
        let mut ascending = true;
        let mut end = place;
        let whole = reading.dictionary(number, &mut |block| {
            let mut count = 0;
            block.entries(&mut |token, list| {
                ascending &= token > last.as_slice() && list.start == end;
                last.clear();
                last.extend_from_slice(token);
                end = list.end;
                count += 1;
            })?;
            tokens += u64::from(count);
            Some(count == block.tokens)
        })?;
        if !whole || !ascending {
            return Ok(Some("the dictionary is out of order"));
        }
        place = end;
    }
    if tokens != u64::from(segment.tokens) || place != segment.posting_bytes {
        return Ok(Some("the dictionary is not complete"));
    }
    let mut fine = true;
    for number in 0..segment.blocks {
        let mut lists = Vec::new();
        reading.dictionary(number, &mut |block| block.entries(&mut |_, list| lists.push(list)))?;
        for place in lists {
            list.clear();
            reading.stream(LISTS, place, &mut list)?;
            let read = visit(&list, segment.first, Places::ANYWHERE, &mut |_, doc| fine &= doc < segment.end);
            if read.is_none() || !fine || list.is_empty() {
                return Ok(Some("a list is damaged"));
            }
        }
    }
    let unsure = reading.unsure()?;
    let within = unsure.iter().all(|doc| (segment.first..segment.end).contains(&doc));
    Ok((!within || unsure.len() != u64::from(segment.unsure))
        .then_some("the list of unsure messages is damaged"))
}
