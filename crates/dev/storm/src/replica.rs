//! What a client knows of the mailbox that it has selected, from the server's responses alone (RFC 9051 §7.5, RFC 7162 §3.2).

use crate::flags::Flags;

/// One message, as far as it is known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Message {
    /// Not known between EXISTS and the first FETCH.
    pub uid: Option<u32>,
    /// The last ones told.
    pub flags: Option<Flags>,
    /// The last one told; 0: none.
    pub modseq: u64,
    /// The one at which the flags were told; 0: not known.
    pub flags_modseq: u64,
}

/// A FETCH response's items that matter here.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Fetched {
    /// UID
    pub uid: Option<u32>,
    /// FLAGS
    pub flags: Option<Flags>,
    /// MODSEQ
    pub modseq: Option<u64>,
}

/// Whether messages have numbers (RFC 9586).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbered {
    /// They do.
    Yes,
    /// UIDONLY is enabled.
    No,
}

/// The mailbox in the client's eyes: message n is `messages[n - 1]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replica {
    /// In order.
    pub messages: Vec<Message>,
    numbered: Numbered,
    /// Messages that EXISTS has added.
    pub grown: usize,
}

impl Replica {
    /// A mailbox that is known so far.
    pub fn new(messages: Vec<Message>, numbered: Numbered) -> Replica {
        Replica { messages, numbered, grown: 0 }
    }

    /// Whether messages have numbers: then their order is known even where their UIDs are not.
    pub fn has_numbers(&self) -> bool {
        self.numbered == Numbered::Yes
    }

    /// `* n EXISTS`
    ///
    /// # Errors
    /// The mailbox must not shrink by it (RFC 3501 §7.3.1).
    pub fn exists(&mut self, count: usize) -> Result<(), String> {
        if count < self.messages.len() {
            return Err(format!("{count} EXISTS, but {} are counted", self.messages.len()));
        }
        self.grown += count - self.messages.len();
        self.messages.resize(count, Message::default());
        Ok(())
    }

    /// `* n EXPUNGE`; the UID of what left, if it was known.
    ///
    /// # Errors
    /// There is no message n.
    pub fn expunge(&mut self, number: usize) -> Result<Option<u32>, String> {
        if number == 0 || number > self.messages.len() {
            return Err(format!("{number} EXPUNGE of {}", self.messages.len()));
        }
        Ok(self.messages.remove(number - 1).uid)
    }

    /// `* VANISHED uids`
    ///
    /// # Errors
    /// A message that is not in the mailbox.
    pub fn vanished(&mut self, uid: u32) -> Result<(), String> {
        let at = self.place(uid).ok_or_else(|| format!("VANISHED {uid}, which was not there"))?;
        if self.messages.remove(at).uid.is_none() {
            // Which of them it was is a guess, so what is known of the others without a UID may have been its.
            self.messages
                .iter_mut()
                .filter(|message| message.uid.is_none())
                .for_each(|message| *message = Message::default());
        }
        Ok(())
    }

    /// Where a message is; if its UID is not known yet, one of the places where it can be.
    fn place(&self, uid: u32) -> Option<usize> {
        if let Some(at) = self.messages.iter().position(|message| message.uid == Some(uid)) {
            return Some(at);
        }
        let unknown = |message: &Message| message.uid.is_none();
        if self.numbered == Numbered::No {
            return self.messages.iter().position(unknown);
        }
        let known = |message: &Message| message.uid;
        let end = self.messages.iter().position(|message| known(message) > Some(uid));
        let end = end.unwrap_or(self.messages.len());
        let begin =
            self.messages[..end].iter().rposition(|message| message.uid.is_some()).map_or(0, |at| at + 1);
        (begin < end).then_some(begin)
    }

    /// `* n FETCH (…)`; the UID of the message, if it is known now.
    ///
    /// # Errors
    /// What contradicts what is known.
    pub fn fetched(&mut self, number: usize, fetched: &Fetched) -> Result<Option<u32>, String> {
        let count = self.messages.len();
        let Some(message) = number.checked_sub(1).and_then(|at| self.messages.get(at)) else {
            return Err(format!("FETCH of {number}, and {count} are counted"));
        };
        if let Some(uid) = fetched.uid {
            if message.uid.is_some_and(|known| known != uid) {
                return Err(format!("message {number} has UID {:?}, not {uid}", message.uid));
            }
            let before = self.messages[..number - 1].iter().filter_map(|message| message.uid).next_back();
            let after = self.messages[number..].iter().find_map(|message| message.uid);
            if before.is_some_and(|before| before >= uid) || after.is_some_and(|after| after <= uid) {
                return Err(format!("UID {uid} of message {number} is between {before:?} and {after:?}"));
            }
        }
        self.learn(number - 1, fetched)
    }

    /// `* uid UIDFETCH (…)` (RFC 9586 §3.3)
    ///
    /// # Errors
    /// What contradicts what is known.
    pub fn uid_fetched(&mut self, uid: u32, fetched: &Fetched) -> Result<Option<u32>, String> {
        let at = self.place(uid).ok_or_else(|| format!("UIDFETCH of {uid}, which is not there"))?;
        let message = self.messages.remove(at);
        // Without numbers nothing but the order of UIDs is of interest; what is unknown stays behind.
        let known = |message: &Message| message.uid.is_some_and(|known| known < uid);
        let at = self.messages.iter().rposition(known).map_or(0, |at| at + 1);
        self.messages.insert(at, Message { uid: Some(uid), ..message });
        self.learn(at, fetched)
    }

    fn learn(&mut self, at: usize, fetched: &Fetched) -> Result<Option<u32>, String> {
        let message = &mut self.messages[at];
        message.uid = message.uid.or(fetched.uid);
        if let Some(modseq) = fetched.modseq {
            if modseq < message.modseq {
                return Err(format!(
                    "MODSEQ of {:?} goes back from {} to {modseq}",
                    message.uid, message.modseq
                ));
            }
            // RFC 7162 §3.1: a change of flags is a change of MODSEQ.
            if modseq == message.flags_modseq
                && let (Some(old), Some(new)) = (message.flags, fetched.flags)
                && old != new
            {
                return Err(format!("UID {:?} has ({old}) and ({new}) at MODSEQ {modseq}", message.uid));
            }
            message.modseq = modseq;
        }
        if let Some(flags) = fetched.flags {
            message.flags = Some(flags);
            message.flags_modseq = fetched.modseq.unwrap_or(0);
        }
        Ok(message.uid)
    }

    /// UIDs that are known, in order.
    pub fn uids(&self) -> Vec<u32> {
        self.messages.iter().filter_map(|message| message.uid).collect()
    }

    /// Messages of which nothing was told.
    pub fn unknown(&self) -> usize {
        self.messages.iter().filter(|message| message.uid.is_none()).count()
    }

    /// Whether UID and flags of all are known.
    pub fn is_complete(&self) -> bool {
        self.messages.iter().all(|message| message.uid.is_some() && message.flags.is_some())
    }

    /// A message by UID.
    pub fn by_uid(&mut self, uid: u32) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.uid == Some(uid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(uids: &[u32]) -> Replica {
        let known = |uid: &u32| Message { uid: (*uid > 0).then_some(*uid), ..Message::default() };
        Replica::new(uids.iter().map(known).collect(), Numbered::Yes)
    }

    #[test]
    fn contradictions_are_noticed() {
        let uid = |uid| Fetched { uid: Some(uid), ..Fetched::default() };
        let mut told = replica(&[3, 0, 0, 9]);
        assert!(told.exists(3).is_err() && told.expunge(5).is_err() && told.expunge(0).is_err());
        assert!(told.fetched(1, &uid(4)).is_err() && told.fetched(2, &uid(3)).is_err());
        assert!(told.fetched(3, &uid(9)).is_err() && told.fetched(5, &uid(10)).is_err());
        assert!(told.vanished(2).is_err() && told.vanished(10).is_err());
        assert_eq!(told.fetched(3, &uid(8)), Ok(Some(8)));
        assert!(told.vanished(7).is_ok() && told.vanished(6).is_err(), "one place was left");
        assert_eq!(told.uids(), [3, 8, 9]);
    }

    #[test]
    fn modseq_never_goes_back() {
        let flags = |bits, modseq| Fetched { flags: Some(Flags(bits)), modseq: Some(modseq), uid: None };
        let mut told = replica(&[3]);
        assert!(told.fetched(1, &flags(1, 5)).is_ok() && told.fetched(1, &flags(1, 5)).is_ok());
        assert!(told.fetched(1, &flags(2, 5)).is_err(), "other flags at the same MODSEQ");
        assert!(told.fetched(1, &flags(2, 4)).is_err());
    }

    #[test]
    fn without_numbers_only_the_order_of_uids_counts() {
        let mut told = Replica::new(vec![Message::default(); 3], Numbered::No);
        for uid in [7, 5, 9] {
            assert!(told.uid_fetched(uid, &Fetched::default()).is_ok());
        }
        assert!(told.uid_fetched(8, &Fetched::default()).is_err());
        assert_eq!(told.uids(), [5, 7, 9]);
    }
}
