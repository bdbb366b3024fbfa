//! Who an address is (RFC 5321 §3.9 aliases, RFC 5233 subaddresses, RFC 5321 §4.5.1 postmaster).

use crate::bounded::Bounded;
use crate::list::{ListPart, ListTarget};
use crate::record::{self, AddressRecord, DomainRecord, RedirectRecord, Relay};
use crate::{Directory, Error, account, names};
use engine::{AccountId, Read};
use model::{EmailAddress, LocalPart, Path};
use std::collections::HashSet;
use std::sync::Arc;

/// Aliases of aliases at most.
const DEPTH_MAX: usize = 10;
/// Addresses one address may lead to, all steps together.
const ADDRESSES_MAX: usize = 20_000;
/// Answers remembered.
const REMEMBERED_MAX: usize = 20_000;
/// Answers with more targets than this are looked up each time, so that the memory stays bounded.
const REMEMBERED_TARGETS_MAX: usize = 32;

/// One of our accounts that gets the message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LocalTarget {
    /// Whose mailboxes.
    pub account: AccountId,
    /// The account's own address.
    pub address: EmailAddress,
    /// What stood behind the separator (`user+detail@…`), as written (RFC 5233).
    pub detail: Option<String>,
}

/// What an address stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// These, each once. At least one of the three is not empty.
    Deliver {
        /// Accounts here.
        local: Vec<LocalTarget>,
        /// Addresses elsewhere that an alias of ours names.
        remote: Vec<EmailAddress>,
        /// Mailing lists of ours.
        lists: Vec<ListTarget>,
    },
    /// It goes on to the server whose backup this one is.
    Relay(EmailAddress),
    /// The domain is ours, the user is not (or only a loop of aliases).
    NoSuchUser,
    /// The domain is not ours.
    NotLocal,
    /// The account or the domain is disabled.
    Disabled,
}

/// What is asked for: it decides which steps count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Who gets mail: everything.
    Delivery,
    /// Who stands behind an address, for people: redirects are their owners' own business.
    Listing,
    /// Whose address it is: all but groups and redirects.
    Ownership,
    /// Who logs in: no groups, no catch-all, no postmaster.
    LogIn,
}

/// Answers that hold as long as the generation is this one.
pub(crate) struct Remembered {
    generation: u64,
    answers: Bounded<EmailAddress, Arc<Resolution>>,
}

impl Remembered {
    pub(crate) fn new() -> Remembered {
        Remembered { generation: 0, answers: Bounded::new(REMEMBERED_MAX) }
    }

    pub(crate) fn forget(&mut self) {
        self.answers.clear();
    }

    fn get(&mut self, generation: u64, address: &EmailAddress) -> Option<Arc<Resolution>> {
        if self.generation != generation {
            return None;
        }
        self.answers.get_mut(address).map(|answer| answer.clone())
    }

    fn insert(&mut self, generation: u64, address: &EmailAddress, answer: &Arc<Resolution>) {
        if generation < self.generation {
            // Made from a snapshot that was overtaken meanwhile.
            return;
        }
        if generation > self.generation {
            self.answers.clear();
            self.generation = generation;
        }
        let small = match &**answer {
            Resolution::Deliver { local, remote, lists } => {
                local.len() + remote.len() + lists.len() <= REMEMBERED_TARGETS_MAX
            }
            _ => true,
        };
        if small {
            self.answers.insert(address.clone(), answer.clone());
        }
    }
}

impl Directory {
    /// What a recipient address stands for: account, subaddress, alias, group, domain alias, catch-all, postmaster.
    /// Chains of aliases are followed to a bounded depth, loops cut, duplicates dropped. Answered from a cache in about
    /// a microsecond, which never outlives a change.
    ///
    /// # Errors
    /// Reading failed, or it stands for more than 20,000 addresses.
    pub fn resolve(&self, address: &EmailAddress) -> Result<Arc<Resolution>, Error> {
        let snapshot = self.engine.snapshot()?;
        let generation = record::generation(&*snapshot)?;
        if let Some(answer) = self.remembered.lock().get(generation, address) {
            return Ok(answer);
        }
        let answer = Arc::new(self.expand(&*snapshot, address, Purpose::Delivery)?);
        self.remembered.lock().insert(generation, address, &answer);
        Ok(answer)
    }

    /// As [`Directory::resolve_path`], for EXPN and the like: where accounts redirect their mail is not said.
    ///
    /// # Errors
    /// Reading failed.
    pub fn members(&self, path: &Path) -> Result<Resolution, Error> {
        match path {
            Path::Mailbox(address) => self.expand(&*self.engine.snapshot()?, address, Purpose::Listing),
            Path::Postmaster => self.resolve_path(path).map(|resolution| (*resolution).clone()),
        }
    }

    /// As [`Directory::resolve`], for what RCPT names; `Postmaster` alone is that of the default domain.
    ///
    /// # Errors
    /// Reading failed.
    pub fn resolve_path(&self, path: &Path) -> Result<Arc<Resolution>, Error> {
        let address = match path {
            Path::Mailbox(address) => address,
            Path::Postmaster => {
                let snapshot = self.engine.snapshot()?;
                // RFC 5321 §4.5.1: <Postmaster> must be taken; of which of our domains is up to us.
                return match self.default_domain(&*snapshot)? {
                    Some(domain) => self.resolve(&EmailAddress { local: postmaster(), domain }),
                    None => Ok(Arc::new(self.postmaster_of(&*snapshot, None)?)),
                };
            }
        };
        self.resolve(address)
    }

    /// Whom `<Postmaster>` names, as an address. None: there is no domain.
    ///
    /// # Errors
    /// Reading failed.
    pub fn postmaster_here(&self) -> Result<Option<EmailAddress>, Error> {
        let domain = self.default_domain(&*self.engine.snapshot()?)?;
        Ok(domain.map(|domain| EmailAddress { local: postmaster(), domain }))
    }

    /// Whether mail to `address` reaches `account` other than through a group: the account's own address, its
    /// subaddresses and aliases, and what a catch-all gives it. That is what it may also send from.
    ///
    /// # Errors
    /// Reading failed.
    pub fn owns(&self, account: AccountId, address: &EmailAddress) -> Result<bool, Error> {
        let snapshot = self.engine.snapshot()?;
        Ok(match self.expand(&*snapshot, address, Purpose::Ownership)? {
            Resolution::Deliver { local, .. } => local.iter().any(|target| target.account == account),
            _ => false,
        })
    }

    pub(crate) fn expand(
        &self,
        read: &dyn Read,
        address: &EmailAddress,
        purpose: Purpose,
    ) -> Result<Resolution, Error> {
        let mut walk = Walk {
            directory: self,
            read,
            purpose,
            local: Vec::new(),
            accounts: HashSet::new(),
            redirected: Vec::new(),
            remote: Vec::new(),
            lists: Vec::new(),
            seen: HashSet::new(),
            relayed: false,
            disabled: false,
            depth: 0,
        };
        if record::domain(read, &address.domain)?.is_none() {
            return Ok(Resolution::NotLocal);
        }
        walk.visit(address, None)?;
        Ok(walk.outcome())
    }

    /// Who reads the mail of a domain's postmaster when no address is called so.
    fn postmaster_of(&self, read: &dyn Read, domain: Option<&DomainRecord>) -> Result<Resolution, Error> {
        let configured = self.settings.read().postmaster.clone();
        if let Some(address) = configured {
            let known = names::normal_address(&address).is_some_and(|normal| normal.local != postmaster());
            if known {
                let found = self.expand(read, &address, Purpose::Delivery)?;
                if matches!(found, Resolution::Deliver { .. }) {
                    return Ok(found);
                }
            }
        }
        let of_default = match self.default_domain(read)? {
            Some(name) => record::domain(read, &name)?.and_then(|domain| domain.first_account),
            None => None,
        };
        let first = domain.and_then(|domain| domain.first_account).or(of_default).map(AccountId);
        let first = match first {
            Some(first) => Some(first),
            None => account::first_of_all(read)?,
        };
        let Some(id) = first else { return Ok(Resolution::NoSuchUser) };
        let Some(record) = record::account(read, id)? else { return Ok(Resolution::NoSuchUser) };
        if record.disabled {
            return Ok(Resolution::Disabled);
        }
        let address = record::stored_address(&record.address)?;
        let local = vec![LocalTarget { account: id, address, detail: None }];
        Ok(Resolution::Deliver { local, remote: Vec::new(), lists: Vec::new() })
    }
}

fn postmaster() -> LocalPart {
    LocalPart::new("postmaster").expect("postmaster is a local part")
}

struct Walk<'a> {
    directory: &'a Directory,
    read: &'a dyn Read,
    purpose: Purpose,
    local: Vec<LocalTarget>,
    accounts: HashSet<AccountId>,
    /// Accounts whose mail goes elsewhere instead.
    redirected: Vec<LocalTarget>,
    remote: Vec<EmailAddress>,
    lists: Vec<ListTarget>,
    /// Normal forms; cuts loops and drops duplicates.
    seen: HashSet<EmailAddress>,
    /// The very address that was asked for goes on to another server.
    relayed: bool,
    disabled: bool,
    depth: usize,
}

impl Walk<'_> {
    fn outcome(mut self) -> Resolution {
        let no_lists = self.lists.is_empty();
        if self.relayed && self.local.is_empty() && self.remote.len() == 1 && no_lists {
            return Resolution::Relay(self.remote.remove(0));
        }
        if self.local.is_empty() && self.remote.is_empty() && no_lists {
            // Redirects that lead nowhere, or in a circle: rather kept than lost.
            self.local = self.redirected;
        }
        if !self.local.is_empty() || !self.remote.is_empty() || !no_lists {
            return Resolution::Deliver { local: self.local, remote: self.remote, lists: self.lists };
        }
        if self.disabled { Resolution::Disabled } else { Resolution::NoSuchUser }
    }

    /// `detail` is what the address that led here had; an own one goes first.
    fn visit(&mut self, address: &EmailAddress, detail: Option<&str>) -> Result<(), Error> {
        if self.depth > DEPTH_MAX {
            return Ok(());
        }
        if self.seen.len() >= ADDRESSES_MAX {
            return Err(Error::TooMany(format!("{address} leads to more than {ADDRESSES_MAX} addresses")));
        }
        let Some(mut own_domain) = record::domain(self.read, &address.domain)? else {
            if self.seen.insert(address.clone()) {
                self.remote.push(address.clone());
            }
            return Ok(());
        };
        if own_domain.disabled {
            self.disabled = true;
            return Ok(());
        }
        let mut address = std::borrow::Cow::Borrowed(address);
        if let Some(other) = &own_domain.alias_of {
            let other = record::stored_domain(other)?;
            let Some(meant) = record::domain(self.read, &other)? else { return Ok(()) };
            address.to_mut().domain = other;
            own_domain = meant;
            if own_domain.disabled {
                self.disabled = true;
                return Ok(());
            }
        }
        self.visit_own(&address, &own_domain, detail)
    }

    fn visit_own(
        &mut self,
        address: &EmailAddress,
        own_domain: &DomainRecord,
        detail: Option<&str>,
    ) -> Result<(), Error> {
        if let Some((normal, record, own_detail)) = self.find(address, own_domain)?
            && !is_part_of_list(&record, own_detail.as_deref(), own_domain)
        {
            if own_domain.relay != Relay::No && self.is_own_target(&record, &normal)? {
                self.relay(address);
                return Ok(());
            }
            return self.follow(normal, record, own_detail.as_deref().or(detail));
        }
        if self.purpose == Purpose::LogIn {
            return Ok(());
        }
        for (name, part) in ListPart::candidates(address.local.as_str()) {
            if let Some((normal, AddressRecord::List(list))) = self.entry(name, address)? {
                self.reach_list(list, normal, part);
                return Ok(());
            }
        }
        if own_domain.relay == Relay::All {
            self.relay(address);
            return Ok(());
        }
        // RFC 5321 §4.5.1: every domain that takes mail has a postmaster.
        let normal = names::normal_local(address.local.as_str());
        if normal.as_deref() == Some("postmaster") {
            return self.take(self.directory.postmaster_of(self.read, Some(own_domain))?);
        }
        let Some(catch_all) = &own_domain.catch_all else { return Ok(()) };
        let catch_all = record::stored_address(catch_all)?;
        // Elsewhere it is noted as seen by the visit itself.
        let ours = record::domain(self.read, &catch_all.domain)?.is_some();
        if !ours || self.seen.insert(catch_all.clone()) {
            self.deeper(|walk| walk.visit(&catch_all, None))?;
        }
        Ok(())
    }

    fn relay(&mut self, address: &EmailAddress) {
        if self.seen.insert(address.clone()) {
            self.relayed |= self.depth == 0;
            self.remote.push(address.clone());
        }
    }

    /// Whether it is an alias of itself alone, which says in a relayed domain that the address exists there.
    fn is_own_target(&self, record: &AddressRecord, normal: &EmailAddress) -> Result<bool, Error> {
        let AddressRecord::Alias(targets) = record else { return Ok(false) };
        let [only] = &targets[..] else { return Ok(false) };
        Ok(names::normal_address(&record::stored_address(only)?).as_ref() == Some(normal))
    }

    /// The entry of an address: as it is, or without its subaddress; the longest name that exists goes first, so that
    /// `a-b-c@` with separator `-` finds `a-b@` before `a@`.
    fn find(
        &self,
        address: &EmailAddress,
        own_domain: &DomainRecord,
    ) -> Result<Option<(EmailAddress, AddressRecord, Option<String>)>, Error> {
        let written = address.local.as_str();
        if let Some(found) = self.entry(written, address)? {
            return Ok(Some((found.0, found.1, None)));
        }
        let Some(separator) = own_domain.separator else { return Ok(None) };
        for (at, _) in written.rmatch_indices(separator) {
            if let Some((normal, record)) = self.entry(&written[..at], address)? {
                let detail = written[at + separator.len_utf8()..].to_owned();
                return Ok(Some((normal, record, Some(detail))));
            }
        }
        Ok(None)
    }

    fn entry(
        &self,
        local: &str,
        address: &EmailAddress,
    ) -> Result<Option<(EmailAddress, AddressRecord)>, Error> {
        let Some(local) = names::normal_local(local) else { return Ok(None) };
        let Ok(local) = LocalPart::new(&local) else { return Ok(None) };
        let normal = EmailAddress { local, domain: address.domain.clone() };
        Ok(record::address(self.read, &normal)?.map(|record| (normal, record)))
    }

    fn follow(
        &mut self,
        normal: EmailAddress,
        record: AddressRecord,
        detail: Option<&str>,
    ) -> Result<(), Error> {
        match record {
            AddressRecord::Account(id) => self.reach(AccountId(id), normal, detail),
            AddressRecord::List(list) => {
                self.reach_list(list, normal, ListPart::Post);
                Ok(())
            }
            AddressRecord::Group(_) if matches!(self.purpose, Purpose::Ownership | Purpose::LogIn) => Ok(()),
            AddressRecord::Alias(targets) | AddressRecord::Group(targets) => {
                if !self.seen.insert(normal) {
                    return Ok(());
                }
                for target in targets {
                    let target = record::stored_address(&target)?;
                    self.deeper(|walk| walk.visit(&target, detail))?;
                }
                Ok(())
            }
        }
    }

    fn reach(&mut self, id: AccountId, address: EmailAddress, detail: Option<&str>) -> Result<(), Error> {
        let Some(record) = record::account(self.read, id)? else { return Ok(()) };
        if record.disabled {
            self.disabled = true;
        } else if self.accounts.insert(id) {
            let detail = detail.filter(|detail| !detail.is_empty()).map(str::to_owned);
            let target = LocalTarget { account: id, address, detail };
            match self.redirect(id)? {
                Some(redirect) => self.follow_redirect(target, redirect)?,
                None => self.local.push(target),
            }
        }
        Ok(())
    }

    /// Nobody logs in as a list or sends under its name.
    fn reach_list(&mut self, list: u32, address: EmailAddress, part: ListPart) {
        let target = ListTarget { list, address, part };
        let counts = matches!(self.purpose, Purpose::Delivery | Purpose::Listing);
        if counts && !self.lists.contains(&target) {
            self.lists.push(target);
        }
    }

    fn redirect(&self, id: AccountId) -> Result<Option<RedirectRecord>, Error> {
        if self.purpose == Purpose::Delivery { record::redirect(self.read, id) } else { Ok(None) }
    }

    fn follow_redirect(&mut self, target: LocalTarget, redirect: RedirectRecord) -> Result<(), Error> {
        if redirect.keep {
            self.local.push(target);
        } else {
            self.redirected.push(target);
        }
        for next in redirect.targets {
            let next = record::stored_address(&next)?;
            self.deeper(|walk| walk.visit(&next, None))?;
        }
        Ok(())
    }

    fn take(&mut self, found: Resolution) -> Result<(), Error> {
        match found {
            Resolution::Deliver { local, remote, lists } => {
                self.lists.extend(lists);
                for target in local {
                    if self.accounts.insert(target.account) {
                        self.local.push(target);
                    }
                }
                for address in remote {
                    if self.seen.insert(address.clone()) {
                        self.remote.push(address);
                    }
                }
            }
            Resolution::Disabled => self.disabled = true,
            Resolution::NoSuchUser | Resolution::NotLocal | Resolution::Relay(_) => {}
        }
        Ok(())
    }

    fn deeper(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        self.depth += 1;
        let outcome = step(self);
        self.depth -= 1;
        outcome
    }
}

/// With a hyphen as separator `list-owner@` is no subaddress of the list.
fn is_part_of_list(record: &AddressRecord, detail: Option<&str>, own_domain: &DomainRecord) -> bool {
    matches!(record, AddressRecord::List(_)) && detail.is_some() && own_domain.separator == Some('-')
}
