//! A session's view of its maildrop: message-numbers, deletion marks, totals (RFC 1939 §5).

use model::Uid;

use crate::ask::{Entry, Maildrop};

/// The maildrop with this session's marks. Message-numbers run from 1 and stay for the session's life.
#[derive(Debug)]
pub(crate) struct MaildropView {
    drop: Maildrop,
    /// One bit a message.
    deleted: Vec<u64>,
    live: Totals,
    all: Totals,
    /// Highest message-number handed out whole in this session (RFC 1460, LAST).
    last: u32,
    last_at_start: u32,
}

/// Of a drop listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) messages: u32,
    pub(crate) octets: u64,
}

/// Why a message-number names no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoMessage {
    /// Never was.
    OutOfRange,
    /// Marked as deleted in this session.
    Deleted,
}

impl MaildropView {
    pub(crate) fn new(mut drop: Maildrop) -> MaildropView {
        // Message-numbers are 32 bits here: more messages than that are not shown.
        drop.messages.truncate(u32::MAX as usize);
        let octets = drop.messages.iter().map(|entry| u64::from(entry.size_octets)).sum();
        let all = Totals { messages: u32::try_from(drop.messages.len()).unwrap_or(u32::MAX), octets };
        let last =
            drop.last_accessed.map_or(0, |uid| drop.messages.partition_point(|entry| entry.uid <= uid));
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        let deleted = vec![0; drop.messages.len().div_ceil(64)];
        MaildropView { drop, deleted, live: all, all, last, last_at_start: last }
    }

    /// Of the messages that are not marked.
    pub(crate) fn totals(&self) -> Totals {
        self.live
    }

    /// With the marked ones.
    pub(crate) fn count_all(&self) -> u32 {
        self.all.messages
    }

    pub(crate) fn entry(&self, msg: u32) -> Result<Entry, NoMessage> {
        let index =
            index(msg).filter(|&index| index < self.drop.messages.len()).ok_or(NoMessage::OutOfRange)?;
        if self.is_deleted(index) { Err(NoMessage::Deleted) } else { Ok(self.drop.messages[index]) }
    }

    pub(crate) fn delete(&mut self, msg: u32) -> Result<(), NoMessage> {
        let entry = self.entry(msg)?;
        let index = msg as usize - 1;
        self.deleted[index / 64] |= 1 << (index % 64);
        self.live.messages -= 1;
        self.live.octets -= u64::from(entry.size_octets);
        Ok(())
    }

    /// RSET: unmarks everything; LAST goes back too (RFC 1460).
    pub(crate) fn reset(&mut self) {
        self.deleted.fill(0);
        self.live = self.all;
        self.last = self.last_at_start;
    }

    pub(crate) fn accessed(&mut self, msg: u32) {
        self.last = self.last.max(msg);
    }

    pub(crate) fn last(&self) -> u32 {
        self.last
    }

    /// The UID of the highest message accessed, where it is news.
    pub(crate) fn last_accessed(&self) -> Option<Uid> {
        let index = index(self.last).filter(|_| self.last > self.last_at_start)?;
        Some(self.drop.messages[index].uid)
    }

    /// UIDs of the marked messages, ascending.
    pub(crate) fn deleted_uids(&self) -> Vec<Uid> {
        let marked = (0..self.drop.messages.len()).filter(|&index| self.is_deleted(index));
        marked.map(|index| self.drop.messages[index].uid).collect()
    }

    /// Appends the unique-id of a message (RFC 1939 §7).
    pub(crate) fn push_uidl(&self, entry: Entry, out: &mut Vec<u8>) {
        if let Some(own) = self.drop.own_uidls.get(&entry.uid).filter(|own| is_uidl(own)) {
            return out.extend_from_slice(own.as_bytes());
        }
        push_hex(self.drop.uid_validity.0, out);
        push_hex(entry.uid.0, out);
    }

    /// The next message at or after `msg` that is not marked.
    pub(crate) fn next_from(&self, msg: u32) -> Option<(u32, Entry)> {
        (msg..=self.all.messages).find_map(|msg| self.entry(msg).ok().map(|entry| (msg, entry)))
    }

    fn is_deleted(&self, index: usize) -> bool {
        self.deleted[index / 64] >> (index % 64) & 1 == 1
    }
}

fn index(msg: u32) -> Option<usize> {
    usize::try_from(msg).ok()?.checked_sub(1)
}

/// 1 to 70 characters of 0x21 to 0x7E (RFC 1939 §7).
fn is_uidl(text: &str) -> bool {
    (1..=70).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn push_hex(number: u32, out: &mut Vec<u8>) {
    out.extend((0..8).rev().map(|digit| b"0123456789abcdef"[(number >> (digit * 4) & 15) as usize]));
}

#[cfg(test)]
mod tests {
    use model::UidValidity;

    use super::*;

    fn view() -> MaildropView {
        let messages = [(3, 100), (5, 20), (9, 7)];
        let messages = messages.map(|(uid, size_octets)| Entry { uid: Uid(uid), size_octets }).to_vec();
        let own = [(Uid(5), "own-1".into()), (Uid(9), "not one".into())];
        MaildropView::new(Maildrop {
            uid_validity: UidValidity(0x12ab),
            messages,
            own_uidls: own.into(),
            last_accessed: Some(Uid(4)),
        })
    }

    #[test]
    fn marks_and_totals() {
        let mut view = view();
        assert_eq!(view.totals(), Totals { messages: 3, octets: 127 });
        assert_eq!((view.delete(2), view.delete(2)), (Ok(()), Err(NoMessage::Deleted)));
        assert_eq!(
            (view.delete(0), view.delete(4)),
            (Err(NoMessage::OutOfRange), Err(NoMessage::OutOfRange))
        );
        assert_eq!(view.totals(), Totals { messages: 2, octets: 107 });
        assert_eq!(view.deleted_uids(), [Uid(5)]);
        assert_eq!(view.next_from(2).unwrap().0, 3);
        assert_eq!(view.next_from(4), None);
        view.reset();
        assert_eq!((view.totals().messages, view.deleted_uids().len()), (3, 0));
    }

    #[test]
    fn last_counts_from_what_was_accessed_before() {
        let mut view = view();
        assert_eq!((view.last(), view.last_accessed()), (1, None), "UID 3 is before UID 4");
        view.accessed(3);
        view.accessed(2);
        assert_eq!((view.last(), view.last_accessed()), (3, Some(Uid(9))));
        view.reset();
        assert_eq!((view.last(), view.last_accessed()), (1, None));
    }

    #[test]
    fn unique_ids() {
        let view = view();
        let uidl = |msg| {
            let mut out = Vec::new();
            view.push_uidl(view.entry(msg).unwrap(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(uidl(1), "000012ab00000003");
        assert_eq!(uidl(2), "own-1");
        assert_eq!(uidl(3), "000012ab00000009", "an id with a space is none");
    }

    #[test]
    fn an_empty_maildrop() {
        let view = MaildropView::new(Maildrop::default());
        assert_eq!((view.totals(), view.next_from(1), view.last()), (Totals::default(), None, 0));
        assert_eq!(view.entry(1), Err(NoMessage::OutOfRange));
    }
}
