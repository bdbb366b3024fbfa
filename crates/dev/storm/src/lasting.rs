//! What never changes, whoever looks and however often the server was killed: UIDVALIDITY of the mailboxes that always are,
//! dates and ids of messages (RFC 9051 §2.3.3, RFC 8474, RFC 8514), and that UIDNEXT and MODSEQ do not go back.

use crate::facts::Facts;
use crate::ledger::Key;
use crate::place::{Hold, Place};
use crate::shared::{Truth, Truths};
use std::collections::{BTreeMap, HashMap};

/// INTERNALDATE, SAVEDATE, EMAILID, THREADID of a message, as FETCH tells them.
pub type Lasts = [String; 4];

/// Their names.
pub const ITEMS: [&str; 4] = ["INTERNALDATE", "SAVEDATE", "EMAILID", "THREADID"];

/// What was seen in quiet moments.
#[derive(Default)]
pub struct Lasting {
    /// By viewer: an id is an account's own.
    messages: HashMap<(usize, Key, u32), Lasts>,
    validity: HashMap<(usize, String), u32>,
}

impl Lasting {
    /// Compares with the last quiet moment, and with all that clients were told before `clock`.
    ///
    /// # Errors
    /// The first difference.
    pub fn settle(&mut self, truths: &Truths, facts: &mut Facts, clock: u64) -> Result<(), String> {
        let mut messages = HashMap::new();
        for (viewer, truths) in truths.iter().enumerate() {
            for (name, truth) in truths {
                let place = Place::of(viewer, name);
                let key = (place.owner, truth.uid_validity);
                facts.highest(key, truth.highest, clock, clock)?;
                facts.uid_next(key, u64::from(truth.uid_next), clock, clock)?;
                for seen in &truth.messages {
                    let told = facts.modseq_before(key, seen.uid, clock);
                    if seen.modseq < told {
                        return Err(format!(
                            "MODSEQ {told} of UID {} in {name} was told, now {seen:?}",
                            seen.uid
                        ));
                    }
                }
                messages
                    .extend(truth.lasting.iter().map(|(uid, lasts)| ((viewer, key, *uid), lasts.clone())));
            }
            self.mailboxes(viewer, truths)?;
            contents(truths)?;
        }
        for (id, lasts) in &messages {
            if let Some(before) = self.messages.get(id).filter(|before| *before != lasts) {
                return Err(format!("{ITEMS:?} of {id:?} were {before:?}, are {lasts:?}"));
            }
        }
        self.messages = messages;
        Ok(())
    }

    /// Mailboxes that always are keep their UIDVALIDITY (RFC 9051 §2.3.1.1).
    fn mailboxes(&mut self, viewer: usize, truths: &BTreeMap<String, Truth>) -> Result<(), String> {
        for (name, truth) in truths.iter().filter(|(name, _)| Place::of(viewer, name).hold == Hold::Firm) {
            let before = *self.validity.entry((viewer, name.clone())).or_insert(truth.uid_validity);
            if before != truth.uid_validity {
                return Err(format!("UIDVALIDITY of {name} was {before}, is {}", truth.uid_validity));
            }
        }
        let gone = self.validity.keys().find(|(of, name)| *of == viewer && !truths.contains_key(name));
        gone.map_or(Ok(()), |gone| Err(format!("{gone:?} is gone")))
    }
}

/// Copies keep their INTERNALDATE (RFC 9051 §6.4.7); messages of one EMAILID are the same, and in one thread (RFC 8474 §5).
/// A copy that came through another account has another EMAILID here.
fn contents(truths: &BTreeMap<String, Truth>) -> Result<(), String> {
    let mut by_content: HashMap<u64, &str> = HashMap::new();
    let mut by_email: HashMap<&str, (u64, &str)> = HashMap::new();
    for (name, truth) in truths.iter().filter(|(name, _)| !name.contains('/')) {
        for seen in &truth.messages {
            let Some([internal, _, email, thread]) = truth.lasting.get(&seen.uid) else {
                return Err(format!("UID {} of {name} has no dates", seen.uid));
            };
            let content = seen.content.id;
            let date = *by_content.entry(content).or_insert(internal);
            let first = *by_email.entry(email).or_insert((content, thread));
            if date != internal || first != (content, thread) {
                let is = format!("{internal} {email} {thread}");
                return Err(format!("UID {} of {name} has {is}, a copy {date} {first:?}", seen.uid));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Flags;
    use crate::ledger::{Content, Seen};

    fn truth(uid_validity: u32, messages: &[(u32, u64, &str, &str)]) -> Truth {
        let seen = |(uid, id, ..): &(u32, u64, &str, &str)| Seen {
            uid: *uid,
            flags: Flags::default(),
            modseq: 5,
            content: Content { id: *id, size: 9 },
        };
        let lasts = |(uid, _, date, email): &(u32, u64, &str, &str)| {
            (*uid, [(*date).to_owned(), String::new(), (*email).to_owned(), String::new()])
        };
        Truth {
            uid_validity,
            messages: messages.iter().map(seen).collect(),
            lasting: messages.iter().map(lasts).collect(),
            ..Truth::default()
        }
    }

    fn outcome(rounds: &[Truth]) -> Result<(), String> {
        let (mut lasting, mut facts) = (Lasting::default(), Facts::default());
        for (clock, truth) in rounds.iter().enumerate() {
            let truths = vec![BTreeMap::from([("INBOX".to_owned(), truth.clone())])];
            lasting.settle(&truths, &mut facts, clock as u64)?;
        }
        Ok(())
    }

    #[test]
    fn what_changes_is_found() {
        let before = || truth(3, &[(1, 7, "monday", "M1"), (2, 8, "friday", "M2"), (4, 7, "monday", "M1")]);
        assert_eq!(outcome(&[before(), before()]), Ok(()));
        assert!(outcome(&[before(), truth(4, &[])]).is_err(), "UIDVALIDITY");
        assert!(outcome(&[before(), truth(3, &[(1, 7, "tuesday", "M1")])]).is_err(), "INTERNALDATE");
        assert!(
            outcome(&[truth(3, &[(1, 7, "monday", "M1"), (2, 7, "friday", "M1")])]).is_err(),
            "of a copy"
        );
        assert!(outcome(&[truth(3, &[(1, 7, "monday", "M1"), (2, 8, "monday", "M1")])]).is_err(), "of two");
        let higher = Truth { uid_next: 9, highest: 9, ..before() };
        assert!(outcome(&[higher, before(), before()]).is_err(), "UIDNEXT, HIGHESTMODSEQ");
    }
}
