//! What became of messages in the session that took them: which mailboxes here got a copy, which mailing lists a post, what
//! went into the queue (whose own history goes on from there), and who did not get it after all. "Did my message arrive?"
//! is asked of mail between people here, too.
//!
//! It is kept beside the deliveries, many messages in one value: no delivery waits for it. What a crash takes of the last
//! second stands in the log. Bounded in number and in time as what the queue keeps ([`Keep`]), and in what is kept of one
//! message.

use crate::past::Keep;
use crate::record::{self, encode};
use crate::{Queue, keys};
use engine::{AccountId, Error, Order, Pending, Tx};
use model::UnixTime;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::{Bound, ControlFlow};

/// Recipients kept of one message, and places where it went.
const PARTS_MAX: usize = 200;
/// Bytes kept of a refusal, and of a Message-ID.
const TEXT_BYTES_MAX: usize = 300;
/// Bytes, more or less, of messages that are not written yet; more come only while the disk is slower than the mail, and then
/// the oldest go.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a text takes in memory beside its octets.
const TEXT_OVERHEAD: usize = 32;
/// Bytes of one value, more or less; the last message may be larger.
const VALUE_BYTES: usize = 32 * 1024;
/// Values read at a time.
const PAGE: usize = 20;

/// A message that was accepted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Accepted {
    /// Its name in the log, in the reply and in its Received field.
    pub id: String,
    /// Message-ID, with its brackets.
    pub message_id: Option<String>,
    /// Where a bounce goes; empty for `<>`.
    pub reverse_path: String,
    /// The number of the account that sent it, when logged in.
    pub account: Option<u32>,
    /// When; seconds since 1970.
    pub at: i64,
    /// The first of its recipients, as the client wrote them.
    pub recipients: Vec<String>,
    /// The first of the places where it went.
    pub places: Vec<Placed>,
}

/// Where it went for a recipient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Placed {
    /// Position of that recipient; None: where several lead, or one of which nothing is known.
    pub recipient: Option<u32>,
    /// Where.
    pub place: Place,
}

/// Where a message goes. Variants are numbered: add new ones at the end only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Place {
    /// Into the INBOX of this account.
    Mailbox(u32),
    /// To a mailing list.
    List,
    /// Into the queue under this number, for this address.
    Queue(u64, String),
    /// Nowhere: code and text.
    Refused(String),
}

impl Accepted {
    /// Whether this address sent it or was to get it, or this account sent or got it, in whatever case.
    pub fn concerns(&self, address: &str, account: Option<AccountId>) -> bool {
        let is_it = |text: &str| text.eq_ignore_ascii_case(address) || text.to_lowercase() == address;
        let here = |placed: &Placed| match &placed.place {
            Place::Mailbox(number) => account == Some(AccountId(*number)),
            Place::Queue(_, to) => is_it(to),
            Place::List | Place::Refused(_) => false,
        };
        is_it(&self.reverse_path)
            || (account.is_some() && self.account.map(AccountId) == account)
            || self.recipients.iter().any(|to| is_it(to))
            || self.places.iter().any(here)
    }

    /// Whether it did nothing but go into the queue for the recipients that the client wrote: then the queue knows all of it.
    pub fn is_relayed(&self) -> bool {
        let direct = |placed: &Placed| matches!(placed.place, Place::Queue(..)) && placed.recipient.is_some();
        self.places.iter().all(direct)
    }

    /// Bytes that it takes, more or less.
    fn weight(&self) -> usize {
        let text = |text: &str| TEXT_OVERHEAD + text.len();
        let place = |placed: &Placed| match &placed.place {
            Place::Mailbox(_) | Place::List => TEXT_OVERHEAD,
            Place::Queue(_, what) | Place::Refused(what) => TEXT_OVERHEAD + text(what),
        };
        let of_message =
            self.message_id.as_deref().map_or(0, text) + text(&self.id) + text(&self.reverse_path);
        let recipients: usize = self.recipients.iter().map(|to| text(to)).sum();
        of_message + recipients + self.places.iter().map(place).sum::<usize>()
    }

    fn shorten(&mut self) {
        let cut = |text: &mut String| text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        self.message_id.iter_mut().for_each(cut);
        self.recipients.truncate(PARTS_MAX);
        self.places.truncate(PARTS_MAX);
        for placed in &mut self.places {
            if let Place::Refused(text) = &mut placed.place {
                cut(text);
            }
        }
    }
}

/// What is noted and not written yet.
#[derive(Default)]
pub(crate) struct Unwritten {
    waiting: Mutex<Waiting>,
    /// Locked by who writes.
    writing: Mutex<()>,
}

/// Oldest first, with what all of them weigh.
#[derive(Default)]
struct Waiting {
    messages: VecDeque<Accepted>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, message: Accepted) {
        self.bytes += message.weight();
        self.messages.push_back(message);
        while self.bytes > WAITING_BYTES_MAX {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let gone = self.messages.pop_front();
        self.bytes -= gone.map_or(self.bytes, |message| message.weight());
    }
}

impl Queue {
    /// Notes where an accepted message went. Call [`Queue::write_accepted`] some time later.
    pub fn note_accepted(&self, mut message: Accepted) {
        message.shorten();
        self.unwritten.waiting.lock().push(message);
    }

    /// Writes some of what was noted, and forgets what is more than is kept; answers whether more is to be written. Waits
    /// for the disk: not for an async thread.
    ///
    /// # Errors
    /// It could not be written, and is noted still.
    pub fn write_accepted(&self, keep: Keep) -> Result<bool, engine::Abort> {
        let _alone = self.unwritten.writing.lock();
        let mut bytes = 0;
        let batch: Vec<Accepted> = {
            let messages = &self.unwritten.waiting.lock().messages;
            let fits = |message: &&Accepted| {
                bytes += message.weight();
                bytes <= VALUE_BYTES
            };
            let count = messages.iter().take_while(fits).count().max(1);
            messages.iter().take(count).cloned().collect()
        };
        let Some(first) = batch.first().cloned() else { return Ok(false) };
        let count = batch.len();
        if keep.messages > 0 && keep.seconds > 0 {
            let written = self.engine.transact(&[AccountId(0)], move |tx| Ok(write(tx, &batch, &keep)?));
            written.wait()?;
        }
        let mut waiting = self.unwritten.waiting.lock();
        // Only while nothing is written for long others have gone from the front meanwhile.
        if waiting.messages.front() == Some(&first) {
            (0..count).for_each(|_| waiting.drop_first());
        }
        Ok(!waiting.messages.is_empty())
    }

    /// Messages that are not written yet and that are wanted.
    pub fn accepted_lately(&self, wanted: &dyn Fn(&Accepted) -> bool) -> Vec<Accepted> {
        self.unwritten.waiting.lock().messages.iter().filter(|message| wanted(message)).cloned().collect()
    }

    /// Accepted messages that are wanted, of one page of what is kept, oldest first; the page begins behind `after`. And
    /// where the next one begins; None: that was the last. Ask for [`Queue::accepted_lately`] before the first page:
    /// what is written between the two is in both.
    ///
    /// # Errors
    /// Reading failed.
    pub fn accepted(
        &self,
        wanted: &dyn Fn(&Accepted) -> bool,
        after: Option<u64>,
    ) -> Result<(Vec<Accepted>, Option<u64>), Error> {
        let after = after.map(keys::accepted);
        let show = |key: &[u8], of_it: Vec<Accepted>| {
            Some((keys::last_u64(key), of_it.into_iter().filter(wanted).collect::<Vec<_>>()))
        };
        let snapshot = self.engine.snapshot()?;
        let page = record::page(&*snapshot, b'l', after.as_deref(), PAGE, "accepted messages", show)?;
        let last = page.last().map(|(number, _)| *number);
        Ok((page.into_iter().flat_map(|(_, found)| found).collect(), last))
    }

    /// Forgets accepted messages that are older than is kept, some at a time; answers whether there may be more.
    pub fn forget_accepted(&self, keep: Keep, now: UnixTime) -> Pending<bool> {
        self.engine.transact(&[AccountId(0)], move |tx| {
            let newest = |of_it: &[Accepted]| of_it.last().map_or(i64::MIN, |message| message.at);
            let show = |key: &[u8], of_it: Vec<Accepted>| Some((key.to_vec(), newest(&of_it)));
            let page = record::page(tx, b'l', None, PAGE, "accepted messages", show)?;
            let (full, since) = (page.len() == PAGE, now.0.saturating_sub(keep.seconds));
            let old: Vec<_> =
                page.into_iter().take_while(|(_, at)| keep.messages == 0 || *at <= since).collect();
            for (key, _) in &old {
                tx.delete(key)?;
            }
            Ok(full && !old.is_empty())
        })
    }
}

/// Writes messages as one value, whose key is the number of the last of them, and deletes those beyond the newest ones.
fn write(tx: &mut dyn Tx, batch: &Vec<Accepted>, keep: &Keep) -> Result<(), Error> {
    let (first, end) = (keys::all(b'l'), keys::all(b'l' + 1));
    let all = (Bound::Included(&first[..]), Bound::Excluded(&end[..]));
    let mut last = 0;
    tx.scan(all, Order::Descending, &mut |key, _| {
        last = keys::last_u64(key);
        ControlFlow::Break(())
    })?;
    last += batch.len() as u64;
    if let Some(old) = last.checked_sub(keep.messages) {
        let old = keys::accepted(old);
        let mut gone = Vec::new();
        tx.scan(
            (Bound::Included(&first[..]), Bound::Included(&old[..])),
            Order::Ascending,
            &mut |key, _| {
                gone.push(key.to_vec());
                ControlFlow::Continue(())
            },
        )?;
        gone.iter().try_for_each(|key| tx.delete(key))?;
    }
    tx.put(&keys::accepted(last), &encode(batch))
}

#[cfg(test)]
mod tests;
