//! Questions about mailboxes as such: the list, making, removing, renaming, counters, quota, access control lists.

use super::sharing::{self, Found, Shown, Sight, Spot};
use super::{ImapAgent, convert, done, refused};
use crate::world::World;
use ::imap::ask::{
    AclAsk, Answer, Ask, CountersNeed, MailboxRow, Owner, QuotaOf, Refused, RefusedKind, RightsChange,
};
use directory::{Account, Role};
use engine::AccountId;
use model::{EmailAddress, MailboxId, Right, Rights, SpecialUse};
use store::{Effect, Error, Inherit, Limits, OWNER_ALWAYS, Who};

/// What stands before the address in the name of another's quota root (RFC 9208's examples).
const ROOT_PREFIX: &str = "#user/";

impl ImapAgent {
    pub(super) async fn mailbox_question(&self, ask: Ask) -> Result<Answer, Refused> {
        match ask {
            Ask::Mailboxes { counters } => {
                tokio::task::block_in_place(|| self.mailboxes(counters)).map(Answer::Mailboxes)
            }
            Ask::Quota(of) => self.quota(&of),
            Ask::SetQuota { root, octets, messages } => self.set_quota(&root, octets, messages).await,
            Ask::Acl { mailbox, ask } => self.acl(&mailbox, ask).await,
            Ask::Metadata { mailbox, entries, depth } => {
                let (owner, place) = self.annotated(mailbox.as_deref())?;
                let (user, depth) = (self.account()?, convert::depth(depth));
                let found = self.store().metadata(owner, place, user, &entries, depth);
                found.map(Answer::Metadata).map_err(refused)
            }
            Ask::SetMetadata { mailbox, entries } => {
                let (owner, place) = self.annotated(mailbox.as_deref())?;
                done(self.own(self.store().set_metadata(owner, place, self.account()?, entries)).await)
            }
            Ask::Create { name, special_use } => self.create(&name, special_use).await,
            Ask::Delete { name } => {
                let found = self.sight()?.find(&name)?;
                found.demand(Right::DeleteMailbox)?;
                let (owner, name) = (found.spot.owner, &found.info.name);
                done(self.own(self.store().delete_mailbox_if(owner, name, Some(found.id))).await)
            }
            Ask::Rename { from, to } => self.rename(&from, &to).await,
            Ask::Subscribe { name, on } => self.subscribe(&name, on).await,
            Ask::Status { name, counters } => {
                let found = self.sight()?.find(&name)?;
                found.demand(Right::Read)?;
                let (owner, standing) = (found.spot.owner, found.standing);
                let sight = self.sight()?;
                let counted = tokio::task::block_in_place(|| {
                    sight.counters(owner, found.id, standing, &found.info.counters, counters)
                });
                Ok(Answer::Status(found.id, counted?))
            }
            _ => Err(Refused::new(RefusedKind::ServerBug, "misdirected question")),
        }
    }

    fn mailboxes(&self, counters: CountersNeed) -> Result<Vec<MailboxRow>, Refused> {
        let rows = self.sight()?.listing()?;
        rows.into_iter().map(|shown| self.row(shown, counters)).collect()
    }

    /// What metadata belongs to: a mailbox, or the server as this account sees it.
    fn annotated(&self, mailbox: Option<&str>) -> Result<(AccountId, Option<MailboxId>), Refused> {
        let Some(name) = mailbox else { return Ok((self.account()?, None)) };
        let found = self.sight()?.find(name)?;
        // RFC 5464 §3.3: `l`, and one of `r`, `s`, `w`, `i`, `p`, to read and to write.
        found.demand(Right::Lookup)?;
        if !found.standing.rights.has_any(sharing::METADATA) {
            return Err(Refused::new(RefusedKind::NoPerm, "you may not use that mailbox's metadata"));
        }
        Ok((found.spot.owner, Some(found.id)))
    }

    /// Whose ids those of an account are to this user.
    pub(super) fn owner(&self, account: AccountId) -> Result<Owner, Refused> {
        Ok(self.sight()?.owner(account))
    }

    fn row(&self, shown: Shown, need: CountersNeed) -> Result<MailboxRow, Refused> {
        let Shown { owner, info, standing } = shown;
        let counters = match info.id {
            // RFC 4314 §4: STATUS needs `r`.
            Some(id) if need != CountersNeed::None && standing.rights.has(Right::Read) => {
                match self.sight()?.counters(owner, id, standing, &info.counters, need) {
                    Ok(counters) => Some(counters),
                    // Removed since it was listed.
                    Err(why) if why.kind == RefusedKind::NonExistent => None,
                    Err(why) => return Err(why),
                }
            }
            _ => None,
        };
        Ok(convert::mailbox(info, counters, standing.rights))
    }

    async fn create(&self, name: &str, special_use: Option<SpecialUse>) -> Result<Answer, Refused> {
        let sight = self.sight()?;
        let spot = match sight.spot(name) {
            Ok(spot) => spot,
            // Whether there is such a user is not told.
            Err(why) if why.kind == RefusedKind::NonExistent => return Err(not_there()),
            Err(why) => return Err(why),
        };
        let is_foreign = sharing::foreign(name).is_some();
        if is_foreign && spot.other.is_none() && self.store().mailbox_by_name(spot.owner, name).is_err() {
            return Err(not_there());
        }
        if spot.would_shadow() {
            return Err(not_there());
        }
        sight.demand_create(&spot).map_err(|why| match (why.kind, &spot.other) {
            (RefusedKind::NonExistent, Some(_)) => not_there(),
            _ => why,
        })?;
        if spot.other.is_some() && special_use.is_some() {
            return Err(Refused::new(RefusedKind::UseAttr, "special uses are for mailboxes of one's own"));
        }
        let inherit = if spot.other.is_some() { Inherit::SuperiorOrInbox } else { Inherit::Superior };
        let store = self.store();
        let made = self
            .own(store.create_mailbox_as(spot.owner, &spot.name, special_use, inherit, World::now()))
            .await;
        let owner = self.owner(spot.owner)?;
        made.map(|id| Answer::Created(id, owner)).map_err(refused)
    }

    async fn rename(&self, from: &str, to: &str) -> Result<Answer, Refused> {
        let sight = self.sight()?;
        let source = sight.spot(from)?;
        let target = sight.spot(to).map_err(|_| not_there())?;
        if sharing::foreign(to).is_some() && target.other.is_none() || target.would_shadow() {
            return Err(not_there());
        }
        if source.owner != target.owner {
            // Visible or not: what is not there can't be renamed either.
            sight.find_at(source)?;
            // Whether there is such a user is told only to those who may make mailboxes there.
            if target.other.is_some() {
                sight.demand_create(&target).map_err(|_| not_there())?;
            }
            let text = "a mailbox can't be renamed into another account; move its messages";
            return Err(Refused::new(RefusedKind::Cannot, text));
        }
        let (owner, is_other) = (source.owner, source.other.is_some());
        let name = source.name.clone();
        let expected = match sight.find_at(source) {
            Ok(found) => {
                found.demand(Right::DeleteMailbox)?;
                // Its messages go into a mailbox with another list (RFC 9051 §6.3.6): what MOVE needs is needed too, or
                // who may not read them here could do so there.
                if found.info.name == "INBOX" {
                    found.demand(Right::Read)?;
                    found.demand(Right::DeleteMessages)?;
                    found.demand(Right::Expunge)?;
                }
                Some(found.id)
            }
            // One's own name that only has inferiors.
            Err(why) if why.kind == RefusedKind::NonExistent && !is_other => None,
            Err(why) => return Err(why),
        };
        sight.demand_create(&target)?;
        let (store, to) = (self.store(), &target.name);
        done(self.own(store.rename_mailbox_if(owner, &name, expected, to, World::now())).await)
    }

    async fn subscribe(&self, name: &str, on: bool) -> Result<Answer, Refused> {
        let sight = self.sight()?;
        let own = sight.login.account;
        let spot = match sight.spot(name) {
            Ok(spot) => spot,
            // RFC 4314 §4: UNSUBSCRIBE needs no rights.
            Err(_) if !on => return done(self.own(self.store().subscribe(own, name, false)).await),
            Err(why) => return Err(why),
        };
        // Under the name that LIST shows.
        let kept = spot.other.as_ref().map(|account| sight.name_of(account, &spot.name));
        if on && spot.other.is_some() {
            sight.find_at(spot)?.demand(Right::Lookup)?;
        }
        done(self.own(self.store().subscribe(own, kept.as_deref().unwrap_or(name), on)).await)
    }

    /// The account of a quota root that this user may look at: his own, one of which he may read a mailbox, and any for
    /// administrators.
    fn root(&self, root: &str) -> Result<(AccountId, String), Refused> {
        let sight = self.sight()?;
        let own = sight.login.account;
        if root.is_empty() {
            return Ok((own, String::new()));
        }
        let nothing = || Refused::new(RefusedKind::NonExistent, "there is no such quota root");
        let address = root.strip_prefix(ROOT_PREFIX).and_then(|text| EmailAddress::parse(text).ok());
        let found = address.and_then(|address| self.world.directory.account(&address).ok()?);
        let account = found.ok_or_else(nothing)?;
        let readable = |sight: &Sight<'_>| -> Result<bool, Refused> {
            let others = sight.others()?;
            Ok(others
                .iter()
                .any(|(_, owner, _, standing)| *owner == account.id && standing.rights.has(Right::Read)))
        };
        if account.id == own || self.is_administrator()? || readable(&sight)? {
            return Ok((account.id, root_of(&account)));
        }
        Err(nothing())
    }

    fn is_administrator(&self) -> Result<bool, Refused> {
        let account = self.world.directory.account_by_id(self.account()?);
        Ok(matches!(account, Ok(Some(Account { role: Role::Administrator, .. }))))
    }

    fn quota(&self, of: &QuotaOf) -> Result<Answer, Refused> {
        let (owner, root) = match of {
            QuotaOf::Root(root) => self.root(root)?,
            QuotaOf::Mailbox(name) => {
                let sight = self.sight()?;
                match sight.spot(name)? {
                    // It need not exist (RFC 9208 §4.1.2).
                    Spot { other: None, owner, .. } => (owner, String::new()),
                    spot => {
                        let Found { spot, standing, .. } = sight.find_at(spot)?;
                        // RFC 9208 §6
                        standing.demand(Right::Read)?;
                        (spot.owner, spot.other.as_ref().map(root_of).unwrap_or_default())
                    }
                }
            }
        };
        let usage = self.store().usage(owner).map_err(refused)?;
        Ok(Answer::Quota { root, quota: convert::quota(&usage) })
    }

    async fn set_quota(
        &self,
        root: &str,
        octets: Option<u64>,
        messages: Option<u64>,
    ) -> Result<Answer, Refused> {
        if !self.is_administrator()? {
            return Err(Refused::new(RefusedKind::NoPerm, "limits are set by administrators"));
        }
        let (owner, name) = self.root(root)?;
        let limits = Limits { bytes: octets, messages };
        self.store().set_limits(owner, limits).await.map_err(refused)?;
        tracing::info!(
            trace = self.trace,
            root,
            octets,
            messages,
            "an administrator has set the limits of an account"
        );
        let usage = self.store().usage(owner).map_err(refused)?;
        Ok(Answer::Quota { root: name, quota: convert::quota(&usage) })
    }

    async fn acl(&self, mailbox: &str, ask: AclAsk) -> Result<Answer, Refused> {
        let sight = self.sight()?;
        let found = sight.find(mailbox)?;
        if ask == AclAsk::MyRights {
            return Ok(Answer::Rights(found.standing.rights));
        }
        found.demand(Right::Administer)?;
        let (owner, id, store) = (found.spot.owner, found.id, self.store());
        match ask {
            AclAsk::Get => {
                let acl = store.acl(owner, id).map_err(refused)?;
                Ok(Answer::Acl(sight.acl_rows(owner, &acl)))
            }
            AclAsk::Set { identifier, change } => {
                let (who, effect) = sight.identify(&identifier)?;
                let change = match change {
                    RightsChange::Set(rights) => store::RightsChange::Set(rights),
                    RightsChange::Add(rights) => store::RightsChange::Add(rights),
                    RightsChange::Remove(rights) => store::RightsChange::Remove(rights),
                };
                tracing::info!(trace = self.trace, mailbox, identifier, ?change, "access control list");
                done(self.own(store.set_acl(owner, id, who, effect, change, None)).await)
            }
            AclAsk::Delete { identifier } => match sight.identify(&identifier) {
                Ok((who, effect)) => done(self.own(store.delete_acl(owner, id, who, effect)).await),
                // One who does not exist has no entry.
                Err(why) if why.kind == RefusedKind::Cannot => Ok(Answer::Done),
                Err(why) => Err(why),
            },
            AclAsk::ListRights { identifier } => {
                let (who, effect) = sight.identify(&identifier)?;
                let is_owner = who == Who::Account(owner) && effect == Effect::Grant;
                let required = if is_owner { OWNER_ALWAYS } else { Rights::NONE };
                Ok(Answer::ListRights { required, optional: Rights::ALL.minus(required) })
            }
            AclAsk::MyRights => Err(refused(Error::NoMailbox)),
        }
    }
}

fn root_of(account: &Account) -> String {
    format!("{ROOT_PREFIX}{}", account.address)
}

fn not_there() -> Refused {
    Refused::new(RefusedKind::NoPerm, "you may not make a mailbox there")
}

#[cfg(test)]
mod tests;
