//! The queue's part of `troika store check`: recounts what the counters say and looks for what stands alone.

use crate::holding::{Holding, holder};
use crate::operate::Totals;
use crate::{Queue, keys, record};
use engine::{AccountId, ContentId, Error, Order, Read};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// Problems told at most.
const PROBLEMS_MAX: usize = 1000;

impl Queue {
    /// Recounts the totals and the open recipients of each message, and looks whether each
    /// message has its content; all of one snapshot. Answers a sentence for each thing that does not hold.
    ///
    /// # Errors
    /// Reading failed; a damaged record is a problem, not an error.
    pub fn check(&self) -> Result<Vec<String>, Error> {
        let snapshot = self.engine.snapshot()?;
        let (mut problems, mut recounted) = (Vec::new(), Totals::default());
        let mut held: BTreeMap<AccountId, Holding> = BTreeMap::new();
        for id in ids(&*snapshot)? {
            let number = id.0;
            let (envelope, recipients) =
                match (record::envelope(&*snapshot, id), record::recipients(&*snapshot, id)) {
                    (Ok(Some(envelope)), Ok(recipients)) => (envelope, recipients),
                    (Err(Error::Corrupt { what, why }), _) | (_, Err(Error::Corrupt { what, why })) => {
                        problems.push(format!("{what} of message {number} is damaged: {why}"));
                        continue;
                    }
                    (Err(error), _) | (_, Err(error)) => return Err(error),
                    (Ok(None), _) => continue,
                };
            recounted.entries += 1;
            recounted.bytes += envelope.size;
            if let Some(account) = holder(&envelope) {
                let holding = held.entry(account).or_default();
                holding.messages += 1;
                holding.bytes += envelope.size;
            }
            if snapshot.content_len(ContentId(envelope.content))?.is_none() {
                problems.push(format!("the content of queued message {number} is not there"));
            }
            if recipients.len() != envelope.recipients as usize {
                problems.push(format!(
                    "queued message {number} has {} recipients, not {}",
                    recipients.len(),
                    envelope.recipients
                ));
            }
            let mut open = 0;
            for (_, recipient) in &recipients {
                if recipient.is_open() {
                    open += 1;
                    *recounted.of(recipient.state) += 1;
                }
            }
            let mut noted = None;
            snapshot.get_with(&keys::open(id), &mut |value| noted = Some(keys::last_u32(value)))?;
            let expected = (envelope.recipients > 1).then_some(open);
            if noted != expected {
                problems
                    .push(format!("queued message {number} has {open} open recipients, noted are {noted:?}"));
            }
            if problems.len() >= PROBLEMS_MAX {
                return Ok(problems);
            }
        }
        let totals = record::counters(&*snapshot)?.totals;
        if totals != recounted {
            problems.push(format!("the queue's totals are {totals:?}, recounted {recounted:?}"));
        }
        let show = |key: &[u8], noted: Holding| Some((AccountId(keys::last_u32(key)), noted));
        let noted = record::page(&*snapshot, b'f', None, usize::MAX, "an account's held mail", show)?;
        if !noted.iter().copied().eq(held.iter().map(|(account, holding)| (*account, *holding))) {
            problems.push(format!("of accounts' held mail {noted:?} is noted, recounted {held:?}"));
        }
        Ok(problems)
    }
}

/// Counts which content the queued messages refer to, for [`engine::Claims::compare`] on the same snapshot.
///
/// # Errors
/// Reading failed. The content of a message whose record is damaged is not counted; [`Queue::check`] tells of that.
pub fn claims(snapshot: &dyn engine::Snapshot, claims: &mut engine::Claims) -> Result<(), Error> {
    for id in ids(snapshot)? {
        match record::envelope(snapshot, id) {
            Ok(Some(envelope)) => claims.add(ContentId(envelope.content)),
            Ok(None) | Err(Error::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn ids<R: Read + ?Sized>(read: &R) -> Result<Vec<crate::QueueId>, Error> {
    let mut found = Vec::new();
    each(read, b'e', &mut |key| found.push(keys::entry_id(key)))?;
    Ok(found)
}

fn each<R: Read + ?Sized>(read: &R, letter: u8, visit: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let (first, end) = (keys::all(letter), keys::all(letter + 1));
    let range = (Bound::Included(&first[..]), Bound::Excluded(&end[..]));
    read.scan(range, Order::Ascending, &mut |key, _| {
        visit(key);
        ControlFlow::Continue(())
    })
}
