//! Addresses of mailing lists. What a list is and who its members are is kept elsewhere (the crate `lists`); here stands
//! only that an address is one, and which of a list's addresses mean what:
//!
//! ```text
//! name@domain                    the list: mail to it goes to the members
//! name-owner@                    its owners
//! name-request@                  "subscribe", "unsubscribe" or "help" as the subject (RFC 2142 §6)
//! name-subscribe@ name-unsubscribe@      the same without a subject
//! name-unsubscribe+token@        of one member, without asking back
//! name-confirm+token@            the answer to a question whether somebody wants to subscribe
//! name-bounces+token@            reverse-path of one member's copy (VERP)
//! name-moderate+token@           the owners' answer about a held message
//! ```

use crate::error::Error;
use crate::record::{self, AddressRecord, encode};
use crate::{domain, keys, names};
use engine::Tx;
use model::EmailAddress;

/// Longest name of a list before the `@`, so that all its addresses have room for their tokens.
const NAME_LENGTH_MAX: usize = 30;

/// A list that an address stands for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ListTarget {
    /// Its number.
    pub list: u32,
    /// Its own address.
    pub address: EmailAddress,
    /// Which of its addresses.
    pub part: ListPart,
}

/// What of a list an address means.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ListPart {
    /// The members.
    Post,
    /// The owners.
    Owner,
    /// What the subject says.
    Request,
    /// To become a member.
    Subscribe,
    /// To be one no longer; the token, if there is one, says who.
    Unsubscribe(Option<String>),
    /// Yes, I want to.
    Confirm(String),
    /// What did not reach a member.
    Bounces(String),
    /// What becomes of a held message.
    Moderate(String),
}

impl ListPart {
    /// From what stands behind the list's name and a hyphen.
    fn parse(text: &str) -> Option<ListPart> {
        let (word, token) = match text.split_once('+') {
            Some((word, token)) => (word, Some(token.to_owned())),
            None => (text, None),
        };
        match (word.to_ascii_lowercase().as_str(), token) {
            ("owner", None) => Some(ListPart::Owner),
            ("request", None) => Some(ListPart::Request),
            ("subscribe", None) => Some(ListPart::Subscribe),
            ("unsubscribe", token) => Some(ListPart::Unsubscribe(token)),
            ("confirm", Some(token)) => Some(ListPart::Confirm(token)),
            ("bounces", Some(token)) => Some(ListPart::Bounces(token)),
            ("moderate", Some(token)) => Some(ListPart::Moderate(token)),
            _ => None,
        }
    }

    /// Each way to part a local part into a list's name and what of it is meant.
    pub(crate) fn candidates(local: &str) -> impl Iterator<Item = (&str, ListPart)> {
        let plain = local.split_once('+').map_or(local, |(plain, _)| plain);
        let at = plain.rfind('-');
        at.and_then(|at| Some((&local[..at], ListPart::parse(&local[at + 1..])?))).into_iter()
    }
}

/// Makes an address that of a list, inside the transaction that makes the list; answers it in normal form.
///
/// # Errors
/// It is used already, its domain is not ours, or it is no name for a list.
pub fn claim_for_list(tx: &mut dyn Tx, address: &EmailAddress, list: u32) -> Result<EmailAddress, Error> {
    let address = names::new_address(address)?;
    let local = address.local.as_str();
    // RFC 2919 §2: a list's name becomes part of its identifier, in ASCII.
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if local.len() > NAME_LENGTH_MAX || !local.bytes().all(fits) {
        let why = format!("a list's name has at most {NAME_LENGTH_MAX} letters, digits, hyphens, dots and _");
        return Err(Error::bad_name(&address, why));
    }
    if ListPart::candidates(local).next().is_some() {
        return Err(Error::bad_name(
            &address,
            "names that end so belong to the list called as what is before it",
        ));
    }
    let name = &address.domain;
    let own_domain = record::domain(tx, name)?.ok_or_else(|| domain::missing(name))?;
    if let Some(other) = own_domain.alias_of {
        return Err(Error::bad_name(&address, format!("{name} is another name of {other}; make it there")));
    }
    if record::address(tx, &address)?.is_some() {
        return Err(Error::Exists(address.to_string()));
    }
    tx.put(&keys::address(&address), &encode(&AddressRecord::List(list)))?;
    record::raise_generation(tx)?;
    Ok(address)
}

/// Makes an address free again, inside the transaction that removes its list.
///
/// # Errors
/// It is no list's.
pub fn release_from_list(tx: &mut dyn Tx, address: &EmailAddress) -> Result<(), Error> {
    let missing = || Error::Missing(format!("list {address}"));
    let address = names::normal_address(address).ok_or_else(missing)?;
    let Some(AddressRecord::List(_)) = record::address(tx, &address)? else { return Err(missing()) };
    tx.delete(&keys::address(&address))?;
    record::raise_generation(tx)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{add, address, alias, directory, domain};
    use crate::{AliasKind, Directory, DomainChange, Resolution};
    use engine::{Abort, AccountId};

    fn claim(directory: &Directory, text: &str) -> bool {
        let address = address(text);
        let claimed = directory.engine().transact(&[AccountId(0)], move |tx| {
            claim_for_list(tx, &address, 7).map(drop).map_err(|_| Abort::Cancelled)
        });
        claimed.wait().is_ok()
    }

    fn part(directory: &Directory, text: &str) -> Option<ListPart> {
        let resolution = directory.resolve(&address(text)).unwrap();
        let Resolution::Deliver { lists, .. } = &*resolution else { return None };
        let [only] = &lists[..] else { return None };
        assert_eq!((only.list, only.address.to_string().as_str()), (7, "dev-talk@x.test"));
        Some(only.part.clone())
    }

    #[test]
    fn a_list_has_many_addresses() {
        let directory = directory();
        add(&directory, "dev@x.test", None);
        assert!(claim(&directory, "Dev-Talk@x.test"));
        alias(&directory, AliasKind::Alias, "also@x.test", &["dev-talk@x.test", "dev@x.test"])
            .wait()
            .unwrap();
        let token = || "AbC".to_owned();
        let cases = [
            ("DEV-talk@x.test", Some(ListPart::Post)),
            ("dev-talk+tag@x.test", Some(ListPart::Post)),
            ("also@x.test", Some(ListPart::Post)),
            ("dev-talk-owner@x.test", Some(ListPart::Owner)),
            ("dev-talk-Request@x.test", Some(ListPart::Request)),
            ("dev-talk-subscribe@x.test", Some(ListPart::Subscribe)),
            ("dev-talk-unsubscribe@x.test", Some(ListPart::Unsubscribe(None))),
            ("dev-talk-unsubscribe+AbC@x.test", Some(ListPart::Unsubscribe(Some(token())))),
            ("dev-talk-confirm+AbC@x.test", Some(ListPart::Confirm(token()))),
            ("dev-talk-bounces+AbC@x.test", Some(ListPart::Bounces(token()))),
            ("dev-talk-moderate+AbC@x.test", Some(ListPart::Moderate(token()))),
            ("dev-talk-bounces@x.test", None),
            ("dev-talk-other@x.test", None),
            ("dev-owner@x.test", None),
            ("-owner@x.test", None),
        ];
        for (given, wanted) in &cases {
            assert_eq!(part(&directory, given), *wanted, "{given}");
        }
        // The separator may be the same sign.
        let separator = DomainChange { separator: Some(Some('-')), ..DomainChange::default() };
        directory.set_domain(&domain("x.test"), separator).wait().unwrap();
        for (given, wanted) in cases.iter().filter(|(given, _)| !given.contains("talk+")) {
            if wanted.is_some() {
                assert_eq!(part(&directory, given), *wanted, "{given}");
            }
        }
    }

    #[test]
    fn names_of_lists_are_their_own() {
        let directory = directory();
        add(&directory, "a@x.test", None);
        for bad in ["a@x.test", "list@y.test", "list-owner@x.test", "l\u{e9}@x.test", "a+b@x.test"] {
            assert!(!claim(&directory, bad), "{bad}");
        }
        assert!(!claim(&directory, &format!("{}@x.test", "l".repeat(31))));
        assert!(claim(&directory, "list@x.test") && !claim(&directory, "list@x.test"));
        assert!(alias(&directory, AliasKind::Alias, "list@x.test", &["a@x.test"]).wait().is_err());
        assert!(directory.aliases(AliasKind::Alias, None, None, 10).unwrap().is_empty());
        let account = directory.account(&address("list@x.test")).unwrap();
        assert_eq!(account, None);
        let free = |directory: &Directory| {
            let released = directory.engine().transact(&[AccountId(0)], |tx| {
                release_from_list(tx, &address("List@x.test")).map_err(|_| Abort::Cancelled)
            });
            released.wait().is_ok()
        };
        assert!(free(&directory) && !free(&directory));
        assert!(claim(&directory, "list@x.test"));
    }
}
