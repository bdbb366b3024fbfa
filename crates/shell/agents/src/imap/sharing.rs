//! Whose mailbox a name means, and what this user may do with it: the one place where names of the "other users" and
//! "shared" namespaces are resolved and rights are looked up (RFC 2342, RFC 4314).
//!
//! `Other Users/fred/Sent` is the mailbox `Sent` of the account `fred@` of one's own domain, `Other Users/fred@b.example/Sent`
//! that of an account of another one; `Shared/team/INBOX` is INBOX of a shared account. A mailbox of one's own that has
//! such a name from before stays one's own. What a user may not see looks as if it did not exist (RFC 4314 §6).

use super::{convert, refused};
use crate::login::Login;
use crate::world::World;
use ::imap::ask::{Counters, CountersNeed, Owner, Refused, RefusedKind};
use ::imap::mailbox_name::{OTHER_USERS, SHARED};
use directory::{Account, AliasKind, Role};
use engine::AccountId;
use model::{EmailAddress, MailboxId, Right, Rights, Uid, UidSet};
use std::collections::BTreeSet;
use store::{Acl, Behalf, Destination, Effect, MailboxInfo, Source, Store, Target, Viewer, Who};

/// A user, and the world that he looks at.
pub(super) struct Sight<'a> {
    pub(super) world: &'a World,
    pub(super) login: &'a Login,
}

/// Where a name leads.
pub(super) struct Spot {
    /// Whose account; None: the user's own.
    pub(super) other: Option<Account>,
    /// Id of that account.
    pub(super) owner: AccountId,
    /// Name within that account.
    pub(super) name: String,
}

impl Spot {
    /// Whether a mailbox made there would bear, in the account of another, a name of the namespaces of others: the owner
    /// would find it in place of the mailbox that he means, and file his mail into it.
    pub(super) fn would_shadow(&self) -> bool {
        self.other.is_some() && foreign(&self.name).is_some()
    }
}

/// A mailbox, and what this user may do with it. One with which he may do nothing is never found.
pub(super) struct Found {
    pub(super) spot: Spot,
    pub(super) id: MailboxId,
    pub(super) info: MailboxInfo,
    pub(super) standing: Standing,
}

/// A name that LIST can show.
pub(super) struct Shown {
    /// Whose account it is in.
    pub(super) owner: AccountId,
    /// The mailbox, with the name that this user calls it by; or his subscription to a name.
    pub(super) info: MailboxInfo,
    /// What he may do with it.
    pub(super) standing: Standing,
}

/// What a user may do with a mailbox, and whose \Seen he sees there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) rights: Rights,
    /// Whose private annotations he sees: his own, and those of the owner are the owner's.
    pub(super) user: Option<AccountId>,
    /// His own; None: that of the messages.
    pub(super) seen: Option<AccountId>,
}

impl Standing {
    /// A right that is needed.
    ///
    /// # Errors
    /// NOPERM; but who may not see the mailbox is told that there is none (RFC 4314 §6).
    pub(super) fn demand(self, right: Right) -> Result<(), Refused> {
        match (self.rights.has(right), self.rights.has(Right::Lookup)) {
            (true, _) => Ok(()),
            (false, true) => Err(Refused::new(
                RefusedKind::NoPerm,
                format!("you lack the right \"{}\" on that mailbox", right.letter()),
            )),
            (false, false) => Err(no_mailbox()),
        }
    }

    pub(super) fn behalf(self) -> Behalf {
        Behalf { may: self.rights, seen: self.seen, user: self.user }
    }

    /// RFC 4314 §5.2: whether there is anything to be changed that others would see.
    pub(super) fn writes_for_others(self) -> bool {
        // RFC 5257 §3.4: `n` is one of these.
        let all = [Right::Insert, Right::Expunge, Right::Write, Right::DeleteMessages, Right::Annotate];
        let mut shared: Rights = all.into_iter().collect();
        if self.seen.is_none() {
            shared = shared.or(Right::Seen.into());
        }
        self.rights.has_any(shared)
    }
}

pub(super) fn no_mailbox() -> Refused {
    refused(store::Error::NoMailbox)
}

fn directory_failed(error: &directory::Error) -> Refused {
    tracing::error!(%error, "the directory failed");
    Refused::new(RefusedKind::Unavailable, "the directory can't be read now")
}

impl Found {
    pub(super) fn demand(&self, right: Right) -> Result<(), Refused> {
        self.standing.demand(right)
    }

    /// As the place that messages come from.
    pub(super) fn destination(&self) -> Destination {
        Destination { account: self.spot.owner, to: Target::Id(self.id), behalf: self.standing.behalf() }
    }
}

/// As the place that messages go to.
pub(super) fn source(owner: AccountId, mailbox: MailboxId, standing: Standing) -> Source {
    Source { account: owner, mailbox, behalf: standing.behalf() }
}

impl Sight<'_> {
    pub(super) fn store(&self) -> &Store {
        &self.world.store
    }

    /// This user as access control lists see him.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(super) fn viewer(&self) -> Result<Viewer, Refused> {
        let aliases = self.world.directory.aliases_of(&self.login.address);
        let aliases = aliases.map_err(|error| directory_failed(&error))?;
        let groups = aliases.into_iter().filter(|alias| alias.kind == AliasKind::Group);
        Ok(Viewer {
            account: self.login.account,
            groups: groups.map(|group| group.address.to_string()).collect(),
        })
    }

    /// Disabling an account ends no session; nothing is shown to it any more all the same.
    ///
    /// # Errors
    /// The account was disabled or removed since it logged in; the directory can't be read.
    pub(super) fn demand_standing(&self) -> Result<(), Refused> {
        let account = self.world.directory.account_by_id(self.login.account);
        match account.map_err(|error| directory_failed(&error))? {
            Some(account) if !account.disabled => Ok(()),
            _ => Err(Refused::new(RefusedKind::NoPerm, "this account has been disabled or removed")),
        }
    }

    /// Whose ids those of an account are to this user.
    pub(super) fn owner(&self, account: AccountId) -> Owner {
        if account == self.login.account { Owner::SELF } else { Owner(account.0) }
    }

    /// All that the user has seen of a mailbox where that is his own affair.
    ///
    /// # Errors
    /// Reading failed.
    pub(super) fn seen(
        &self,
        owner: AccountId,
        mailbox: MailboxId,
        standing: Standing,
    ) -> Result<UidSet, Refused> {
        let Some(user) = standing.seen else { return Ok(UidSet::new()) };
        self.store().seen_by(owner, mailbox, user, Uid(1), Uid(u32::MAX)).map_err(refused)
    }

    /// Counters as this user sees them.
    ///
    /// # Errors
    /// The mailbox is gone; reading failed.
    pub(super) fn counters(
        &self,
        owner: AccountId,
        mailbox: MailboxId,
        standing: Standing,
        counters: &store::Counters,
        need: CountersNeed,
    ) -> Result<Counters, Refused> {
        let deleted_size = match need {
            CountersNeed::WithDeletedSize => self.store().deleted_bytes(owner, mailbox).map_err(refused)?,
            CountersNeed::None | CountersNeed::Plain => 0,
        };
        if standing.seen.is_none() {
            return Ok(convert::counters(counters, self.owner(owner), deleted_size));
        }
        // All of it as it is now: with older figures more could be unseen than there are.
        let opened = self.store().open(owner, mailbox).map_err(refused)?;
        let mut counted = convert::counters(&opened.counters, self.owner(owner), deleted_size);
        counted.unseen = opened.uids.minus(&self.seen(owner, mailbox, standing)?).len();
        Ok(counted)
    }

    /// Everything that LIST can show, with the names that this user calls it by: his own mailboxes and subscriptions,
    /// and the mailboxes of others that he may see. One of his own comes first where both have one name.
    ///
    /// # Errors
    /// Reading failed.
    pub(super) fn listing(&self) -> Result<Vec<Shown>, Refused> {
        let own = self.login.account;
        let limited = self.store().acls(own).map_err(refused)?;
        let infos = self.store().mailboxes(own).map_err(refused)?;
        let (mut subscribed, mut names) = (BTreeSet::new(), BTreeSet::new());
        let mut rows: Vec<Shown> = Vec::with_capacity(infos.len());
        for info in infos {
            match info.id {
                Some(_) => names.insert(info.name.clone()),
                None => info.subscribed && subscribed.insert(info.name.clone()),
            };
            let list = limited.iter().find(|(mailbox, _)| Some(*mailbox) == info.id);
            let rights = match list {
                Some((_, acl)) => acl.rights(own, &Viewer::alone(own)),
                None => Rights::ALL,
            };
            rows.push(Shown { owner: own, info, standing: Standing { rights, seen: None, user: None } });
        }
        let mut taken = BTreeSet::new();
        for (name, owner, mut info, standing) in self.others()? {
            if names.contains(&name) {
                continue;
            }
            info.subscribed = subscribed.contains(&name);
            if info.subscribed {
                taken.insert(name.clone());
            }
            info.name = name;
            // RFC 6154: uses are those of one's own mailboxes.
            info.special_use = None;
            rows.push(Shown { owner, info, standing });
        }
        rows.retain(|row| row.info.id.is_some() || !taken.contains(&row.info.name));
        Ok(rows)
    }

    /// What this user may do with a mailbox that exists.
    ///
    /// # Errors
    /// It does not exist; reading failed.
    pub(super) fn standing(&self, owner: AccountId, mailbox: MailboxId) -> Result<Standing, Refused> {
        let acl = self.store().acl(owner, mailbox).map_err(refused)?;
        self.standing_in(owner, &acl)
    }

    /// The same with the access control list at hand.
    ///
    /// # Errors
    /// Reading the directory failed.
    pub(super) fn standing_in(&self, owner: AccountId, acl: &Acl) -> Result<Standing, Refused> {
        if owner == self.login.account && acl.entries.is_empty() {
            return Ok(Standing { rights: Rights::ALL, seen: None, user: None });
        }
        let viewer = self.viewer()?;
        let user = Some(viewer.account).filter(|user| *user != owner);
        Ok(Standing {
            rights: acl.rights(owner, &viewer),
            seen: acl.private_seen(owner, viewer.account),
            user,
        })
    }

    /// Where a name leads, whether there is a mailbox or not.
    ///
    /// # Errors
    /// It is in a namespace of others, and there is no such account; reading failed.
    pub(super) fn spot(&self, name: &str) -> Result<Spot, Refused> {
        let own = || Spot { other: None, owner: self.login.account, name: name.to_owned() };
        let Some((shared, rest)) = foreign(name) else { return Ok(own()) };
        if self.store().mailbox_by_name(self.login.account, name).is_ok() {
            return Ok(own());
        }
        let (label, name) = rest.split_once('/').ok_or_else(no_mailbox)?;
        let found = self.labelled(label)?;
        let fits = |account: &Account| {
            account.id != self.login.account && (account.role == Role::Shared) == (shared == SHARED)
        };
        match found.filter(fits) {
            Some(account) => Ok(Spot { owner: account.id, other: Some(account), name: name.to_owned() }),
            None => Err(no_mailbox()),
        }
    }

    /// The mailbox of that name.
    ///
    /// # Errors
    /// There is none, or none with which this user may do anything; reading failed.
    pub(super) fn find(&self, name: &str) -> Result<Found, Refused> {
        self.find_at(self.spot(name)?)
    }

    pub(super) fn find_at(&self, spot: Spot) -> Result<Found, Refused> {
        let info = self.store().mailbox_by_name(spot.owner, &spot.name).map_err(refused)?;
        let id = info.id.ok_or_else(no_mailbox)?;
        let standing = self.standing(spot.owner, id)?;
        if !standing.rights.has_any(Rights::ANY) {
            return Err(no_mailbox());
        }
        Ok(Found { spot, id, info, standing })
    }

    /// Whether this user may make a mailbox of that name: `k` on the nearest superior that exists (RFC 4314 §4). In an
    /// account of another, INBOX is above what has no superior.
    ///
    /// # Errors
    /// He may not.
    pub(super) fn demand_create(&self, spot: &Spot) -> Result<(), Refused> {
        let above = spot.name.rmatch_indices('/').map(|(at, _)| &spot.name[..at]);
        let root = spot.other.is_some().then_some("INBOX");
        for superior in above.chain(root) {
            let Ok(info) = self.store().mailbox_by_name(spot.owner, superior) else { continue };
            let Some(id) = info.id else { continue };
            return self.standing(spot.owner, id)?.demand(Right::Create);
        }
        Ok(())
    }

    /// The account that a level of a name means.
    fn labelled(&self, label: &str) -> Result<Option<Account>, Refused> {
        let domain = &self.login.address.domain;
        let address = match label.contains('@') {
            true => EmailAddress::parse(label),
            false => EmailAddress::parse(&format!("{label}@{domain}")),
        };
        let directory = &self.world.directory;
        if let Ok(address) = address
            && let Some(account) = directory.account(&address).map_err(|error| directory_failed(&error))?
        {
            return Ok(Some(account));
        }
        let Some(id) = label.strip_prefix(BY_NUMBER).and_then(|id| id.parse().ok()) else { return Ok(None) };
        directory.account_by_id(AccountId(id)).map_err(|error| directory_failed(&error))
    }

    /// The level that means an account: its local part, with its domain if that is not this user's.
    fn label(&self, account: &Account) -> String {
        let address = &account.address;
        let label = match address.domain == self.login.address.domain {
            true => address.local.as_str().to_owned(),
            false => address.to_string(),
        };
        // RFC 5322 allows more in a local part than a mailbox name can bear.
        let bearable = !label.contains(['/', '*', '%', '"']) && label != "." && label != "..";
        if bearable { label } else { format!("{BY_NUMBER}{}", account.id.0) }
    }

    /// How this user calls a mailbox of another.
    pub(super) fn name_of(&self, account: &Account, name: &str) -> String {
        let prefix = if account.role == Role::Shared { SHARED } else { OTHER_USERS };
        format!("{prefix}{}/{name}", self.label(account))
    }

    /// The same, by the account's id.
    ///
    /// # Errors
    /// There is no such account any more; reading failed.
    pub(super) fn name_in(&self, owner: AccountId, name: &str) -> Result<String, Refused> {
        let account = self.world.directory.account_by_id(owner).map_err(|error| directory_failed(&error))?;
        account.map(|account| self.name_of(&account, name)).ok_or_else(no_mailbox)
    }

    /// All mailboxes of others that this user may see, with their names as he calls them.
    ///
    /// # Errors
    /// Reading failed.
    pub(super) fn others(&self) -> Result<Vec<(String, AccountId, MailboxInfo, Standing)>, Refused> {
        let viewer = self.viewer()?;
        let mut found = Vec::new();
        let mut account: Option<Account> = None;
        for (owner, mailbox) in self.store().shared_with(&viewer).map_err(refused)? {
            // They come account by account.
            if account.as_ref().is_none_or(|account| account.id != owner) {
                let read = self.world.directory.account_by_id(owner);
                account = read.map_err(|error| directory_failed(&error))?;
            }
            let Some(account) = &account else { continue };
            let (Ok(acl), Ok(info)) =
                (self.store().acl(owner, mailbox), self.store().mailbox(owner, mailbox))
            else {
                // Gone meanwhile.
                continue;
            };
            let rights = acl.rights(owner, &viewer);
            if rights.has(Right::Lookup) {
                let seen = acl.private_seen(owner, viewer.account);
                let standing = Standing { rights, seen, user: Some(viewer.account) };
                found.push((self.name_of(account, &info.name), owner, info, standing));
            }
        }
        Ok(found)
    }

    /// Whom an identifier means (RFC 4314 §2): `anyone`, `$group`, a user; each with `-` before it for a negative right.
    /// Names without a domain are of this user's.
    ///
    /// # Errors
    /// There is nobody of that name.
    pub(super) fn identify(&self, identifier: &str) -> Result<(Who, Effect), Refused> {
        let (effect, name) = match identifier.strip_prefix('-') {
            Some(name) => (Effect::Deny, name),
            None => (Effect::Grant, identifier),
        };
        Ok((identify(self.world, Some(&self.login.address), name)?, effect))
    }

    /// The other way round, with whole addresses.
    pub(super) fn identifier(&self, who: &Who, effect: Effect) -> String {
        let sign = if effect == Effect::Deny { "-" } else { "" };
        format!("{sign}{}", identifier(self.world, who))
    }

    /// Identifiers of a mailbox's list and their rights, the owner first (RFC 4314 §3.3).
    pub(super) fn acl_rows(&self, owner: AccountId, acl: &Acl) -> Vec<(String, Rights)> {
        let own = Who::Account(owner);
        let granted = acl.entry(&own, Effect::Grant);
        let shared =
            matches!(self.world.directory.account_by_id(owner), Ok(Some(Account { role: Role::Shared, .. })));
        // What a person has without an entry is shown as one; nobody is the owner of a shared account.
        let first = granted.map(|rights| rights.or(store::OWNER_ALWAYS));
        let first = first.or((!shared).then_some(Rights::ALL));
        let first = first.map(|rights| (self.identifier(&own, Effect::Grant), rights));
        let others = acl.entries.iter().filter(|entry| entry.who != own || entry.effect == Effect::Deny);
        first
            .into_iter()
            .chain(others.map(|entry| (self.identifier(&entry.who, entry.effect), entry.rights)))
            .collect()
    }
}

/// One of these, beside `l`, lets one read and write metadata entries (RFC 5464 §3.3).
pub(super) const METADATA: Rights = Rights(
    Right::Read as u16 | Right::Seen as u16 | Right::Write as u16 | Right::Insert as u16 | Right::Post as u16,
);

/// A level of a name for an account whose address can't be one.
const BY_NUMBER: &str = "account-";

/// The prefix of a namespace of others that a name has, and the rest.
pub(super) fn foreign(name: &str) -> Option<(&'static str, &str)> {
    let named = |prefix: &'static str| {
        let rest = name.strip_prefix(prefix).or_else(|| (name == &prefix[..prefix.len() - 1]).then_some(""));
        rest.map(|rest| (prefix, rest))
    };
    named(OTHER_USERS).or_else(|| named(SHARED))
}

/// Whom an identifier without sign means; `near` tells the domain of names without one.
///
/// # Errors
/// There is nobody of that name.
pub fn identify(world: &World, near: Option<&EmailAddress>, name: &str) -> Result<Who, Refused> {
    if name.eq_ignore_ascii_case("anyone") {
        return Ok(Who::Anyone);
    }
    let nobody = || Refused::new(RefusedKind::Cannot, format!("there is no user or group {name}"));
    let (group, name) = match name.strip_prefix('$') {
        Some(name) => (true, name),
        None => (false, name),
    };
    let address = match near {
        Some(near) if !name.contains('@') => EmailAddress::parse(&format!("{name}@{}", near.domain)),
        _ => EmailAddress::parse(name),
    };
    let address = address.map_err(|_| nobody())?;
    if group {
        let found = world.directory.group(&address).map_err(|error| directory_failed(&error))?;
        return found.map(|group| Who::Group(group.address.to_string())).ok_or_else(nobody);
    }
    let found = world.directory.account(&address).map_err(|error| directory_failed(&error))?;
    found.map(|account| Who::Account(account.id)).ok_or_else(nobody)
}

/// An identifier as it is shown: `anyone`, `$group@domain`, `user@domain`.
pub fn identifier(world: &World, who: &Who) -> String {
    match who {
        Who::Anyone => "anyone".to_owned(),
        Who::Group(group) => format!("${group}"),
        Who::Account(account) => match world.directory.account_by_id(*account) {
            Ok(Some(account)) => account.address.to_string(),
            _ => format!("{BY_NUMBER}{}", account.0),
        },
    }
}
