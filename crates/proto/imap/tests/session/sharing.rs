//! Access control lists and quota roots of the world.

use crate::world::{World, refused};
use imap::ask::{AclAsk, Answer, Ask, QuotaOf, RefusedKind, RightsChange};
use model::{FlagChange, Right, Rights};

/// What the owner keeps (RFC 4314 §2).
const ALWAYS: &str = "la";

impl World {
    /// What whoever is logged in may do with a mailbox; `me` in its list, everything if that is not there.
    pub fn rights(&self, mailbox: u32) -> Rights {
        let list = self.lists.get(&mailbox);
        let mine = list.and_then(|list| list.iter().find(|(who, _)| who == "me")).map(|(_, rights)| *rights);
        mine.unwrap_or(Rights::ALL)
    }

    /// As with a mailbox that does not exist, where it may not be seen (RFC 4314 §6).
    pub fn may(&self, mailbox: u32, right: Right) -> Result<(), Answer> {
        let rights = self.rights(mailbox);
        match (rights.has(right), rights.has(Right::Lookup)) {
            (true, _) => Ok(()),
            (false, true) => Err(refused(RefusedKind::NoPerm, "You may not do that")),
            (false, false) => Err(refused(RefusedKind::NonExistent, "There is no such mailbox")),
        }
    }

    /// Refuses what the rights do not allow, before anything is done.
    pub fn forbidden(&mut self, selected: Option<u32>, ask: &mut Ask) -> Result<(), Answer> {
        let target = match ask {
            Ask::Append { to, .. } | Ask::Copy { to, .. } | Ask::Replace { to, .. } => self.find(to),
            _ => None,
        };
        if let Some(target) = target {
            self.may(target, Right::Insert)?;
        }
        let Some(selected) = selected else { return Ok(()) };
        match ask {
            Ask::Store { change, .. } => self.mask(selected, change),
            Ask::Expunge { .. } => self.may(selected, Right::Expunge),
            Ask::Copy { originals: imap::ask::Originals::Go, .. } | Ask::Replace { .. } => {
                self.may(selected, Right::Expunge).and_then(|()| self.may(selected, Right::DeleteMessages))
            }
            _ => Ok(()),
        }
    }

    /// Leaves what may be changed; refuses when that is nothing (RFC 4314 §4, STORE).
    fn mask(&self, mailbox: u32, change: &mut FlagChange) -> Result<(), Answer> {
        let rights = self.rights(mailbox);
        let asked_nothing = change.flags.0 == 0 && change.keywords.is_empty();
        change.flags.0 &= rights.flags().0;
        if !rights.has(Right::Write) {
            change.keywords.clear();
        }
        let left = change.flags.0 != 0 || !change.keywords.is_empty() || asked_nothing;
        if left { Ok(()) } else { Err(refused(RefusedKind::NoPerm, "You may not change these flags")) }
    }

    pub fn acl(&mut self, mailbox: &str, ask: AclAsk) -> Answer {
        let Some(id) = self.find(mailbox) else {
            return refused(RefusedKind::NonExistent, "There is no such mailbox");
        };
        if ask == AclAsk::MyRights {
            let rights = self.rights(id);
            return match rights.has_any(Rights::ANY) {
                true => Answer::Rights(rights),
                false => refused(RefusedKind::NonExistent, "There is no such mailbox"),
            };
        }
        if let Err(refused) = self.may(id, Right::Administer) {
            return refused;
        }
        let list = self.lists.entry(id).or_default();
        match ask {
            AclAsk::Get => {
                let mut entries = vec![("Fred".to_owned(), Rights::ALL)];
                entries.extend(list.iter().cloned());
                Answer::Acl(entries)
            }
            AclAsk::Set { identifier, change } => {
                let at = list.iter().position(|(who, _)| *who == identifier).unwrap_or_else(|| {
                    list.push((identifier.clone(), Rights::NONE));
                    list.len() - 1
                });
                let rights = &mut list[at].1;
                *rights = match change {
                    RightsChange::Set(given) => given,
                    RightsChange::Add(given) => rights.or(given),
                    RightsChange::Remove(given) => rights.minus(given),
                };
                Answer::Done
            }
            AclAsk::Delete { identifier } => {
                list.retain(|(who, _)| *who != identifier);
                Answer::Done
            }
            AclAsk::ListRights { identifier } if identifier == "Fred" => {
                let required = Rights::parse(ALWAYS).expect("rights");
                Answer::ListRights { required, optional: Rights::ALL.minus(required) }
            }
            AclAsk::ListRights { .. } => Answer::ListRights { required: Rights::NONE, optional: Rights::ALL },
            AclAsk::MyRights => unreachable!("answered above"),
        }
    }

    /// One root; who sets its limits is `admin`.
    pub fn quota_of(&self, of: &QuotaOf) -> Answer {
        match of {
            QuotaOf::Root(root) if !root.is_empty() => {
                refused(RefusedKind::NonExistent, "There is no such quota root")
            }
            _ => Answer::Quota { root: String::new(), quota: self.quota() },
        }
    }

    pub fn set_quota(&mut self, root: &str, octets: Option<u64>, messages: Option<u64>) -> Answer {
        if !self.administrator {
            return refused(RefusedKind::NoPerm, "Limits are set by administrators");
        }
        let of = QuotaOf::Root(root.to_owned());
        if root.is_empty() {
            (self.octets_max, self.messages_max) = (octets, messages);
        }
        self.quota_of(&of)
    }
}
