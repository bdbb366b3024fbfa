//! Where each recipient of a message goes: into mailboxes here, on to other hosts as it came, or on under a reverse-path
//! of ours (SRS), so that SPF holds where it arrives and bounces come back here.

use super::deliver::gone;
use super::sending::keep_queued;
use crate::lists::{self, Done, Event};
use crate::world::World;
use ::smtp::{Delivery, Kind, NotifyOn, Outcome, Refusal};
use directory::{ListTarget, LocalTarget, Resolution};
use engine::{Abort, AccountId};
use model::{Domain, EmailAddress, ReversePath};
use parking_lot::Mutex;
use policy::Meaning;
use queue::{Action, NewEntry, NewRecipient, Notify, Orcpt, QueueId};
use rewriting::{Batv, Kept};
use std::sync::Arc;
use store::Extra;

/// What becomes of one accepted recipient.
#[derive(Clone)]
pub(crate) enum Way {
    /// To these entries of the delivery (accounts) and of the queue.
    Goes {
        accounts: Vec<usize>,
        queued: bool,
        /// Whether the address stands for several.
        several: bool,
    },
    /// It was right at RCPT and is not any more.
    Lost(Refusal),
}

/// The message sorted by where it goes.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) accounts: Vec<AccountId>,
    /// Sent on as they came.
    pub(crate) queued: Vec<NewRecipient>,
    /// Sent on from an address of ours, each with the domain that it came for.
    pub(crate) forwarded: Vec<(Option<Domain>, NewRecipient)>,
    /// Lists that recipients stand for, until it is decided what happens there.
    pub(crate) targets: Vec<ListTarget>,
    /// What happens to lists.
    pub(crate) events: Vec<Event>,
    /// Recipients (their positions) that are lists, or lead to some, which took the message.
    pub(crate) posted: Vec<usize>,
    pub(crate) ways: Vec<Way>,
}

/// An entry of the queue, and what has to be written down for its bounces.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) entry: NewEntry,
    kept: Option<Kept>,
}

/// Names of the entries that a transaction queues, in their order; known when it is over.
#[derive(Clone, Default)]
pub(crate) struct Queued(Arc<Mutex<Vec<QueueId>>>);

impl Queued {
    /// The names.
    pub(crate) fn take(&self) -> Vec<QueueId> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Outgoing {
    /// An entry whose bounces need nothing written down.
    pub(crate) fn plain(entry: NewEntry) -> Outgoing {
        Outgoing { entry, kept: None }
    }
}

impl Plan {
    /// Notes where a recipient goes.
    pub(crate) fn sort(&mut self, recipient: &::smtp::Recipient, meaning: Meaning) -> Way {
        let resolution = match meaning {
            Meaning::Resolved(resolution) => resolution,
            Meaning::Elsewhere(address) | Meaning::Relayed(address) => {
                self.queue(address, recipient);
                return Way::Goes { accounts: Vec::new(), queued: true, several: false };
            }
            Meaning::SentOn(address) => {
                self.forward(address, recipient, notify(recipient));
                return Way::Goes { accounts: Vec::new(), queued: true, several: false };
            }
            Meaning::Nothing(refusal) => return Way::Lost(super::reply(refusal)),
        };
        let Resolution::Deliver { local, remote, lists } = &*resolution else {
            return Way::Lost(gone(recipient));
        };
        self.targets.extend(lists.iter().cloned());
        let accounts = local.iter().map(|target: &LocalTarget| self.account(target.account)).collect();
        let several = local.len() + remote.len() > 1 || !lists.is_empty();
        let notify = if several { without_success(notify(recipient)) } else { notify(recipient) };
        for address in remote {
            self.forward(address.clone(), recipient, notify);
        }
        Way::Goes { accounts, queued: !remote.is_empty(), several }
    }

    /// Notes that a recipient's message is held, under this address, wherever that leads.
    pub(super) fn hold(&mut self, address: EmailAddress, recipient: &::smtp::Recipient) -> Way {
        self.queue(address, recipient);
        Way::Goes { accounts: Vec::new(), queued: true, several: false }
    }

    /// Whether nobody gets it.
    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
            && self.queued.is_empty()
            && self.forwarded.is_empty()
            && self.events.is_empty()
    }

    /// An account gets a message once, however many of its addresses are recipients.
    fn account(&mut self, account: AccountId) -> usize {
        self.accounts.iter().position(|known| *known == account).unwrap_or_else(|| {
            self.accounts.push(account);
            self.accounts.len() - 1
        })
    }

    fn queue(&mut self, address: EmailAddress, recipient: &::smtp::Recipient) {
        if !self.is_queued(&address) {
            self.queued.push(NewRecipient { address, notify: notify(recipient), orcpt: orcpt(recipient) });
        }
    }

    fn forward(&mut self, address: EmailAddress, recipient: &::smtp::Recipient, notify: Notify) {
        if !self.is_queued(&address) {
            let domain = match &recipient.path {
                model::Path::Mailbox(written) => Some(written.domain.clone()),
                model::Path::Postmaster => None,
            };
            self.forwarded.push((domain, NewRecipient { address, notify, orcpt: orcpt(recipient) }));
        }
    }

    fn is_queued(&self, address: &EmailAddress) -> bool {
        let forwarded = self.forwarded.iter().map(|(_, recipient)| recipient);
        self.queued.iter().chain(forwarded).any(|known| known.address == *address)
    }

    /// Entries of the queue, one for each reverse-path; `all` is what they have in common, with the reverse-path that
    /// the message came with.
    ///
    /// # Errors
    /// The directory could not be read.
    pub(crate) fn entries(&self, world: &World, all: NewEntry) -> Result<Vec<Outgoing>, directory::Error> {
        let direct = self.queued.iter().map(|recipient| (None, recipient));
        let forwarded = self.forwarded.iter().map(|(domain, recipient)| (Some(domain.as_ref()), recipient));
        let mut paths = Paths::new(world, &all)?;
        let mut entries: Vec<Outgoing> = Vec::new();
        for (by, recipient) in direct.chain(forwarded) {
            let (reverse_path, kept) = match by {
                None => (paths.own.clone(), None),
                Some(domain) => paths.forwarding(world, domain)?,
            };
            match entries.iter_mut().find(|one| one.entry.reverse_path == reverse_path) {
                Some(known) => known.entry.recipients.push(recipient.clone()),
                None => {
                    let entry = NewEntry { reverse_path, recipients: vec![recipient.clone()], ..all.clone() };
                    entries.push(Outgoing { entry, kept });
                }
            }
        }
        Ok(entries)
    }

    /// As [`Plan::entries`], for a message with a null reverse-path, which stays null.
    pub(crate) fn bounces(&self, all: NewEntry) -> Vec<Outgoing> {
        assert!(all.reverse_path == ReversePath::Null, "a bounce has a null reverse-path");
        let forwarded = self.forwarded.iter().map(|(_, recipient)| recipient);
        let recipients: Vec<NewRecipient> = self.queued.iter().chain(forwarded).cloned().collect();
        if recipients.is_empty() {
            return Vec::new();
        }
        vec![Outgoing::plain(NewEntry { recipients, ..all })]
    }

    /// How many outcomes the session expects.
    pub(super) fn answers(&self, delivery: &Delivery) -> usize {
        if delivery.sender.client.kind == Kind::Lmtp { delivery.recipients.len() } else { 1 }
    }

    /// How each recipient's message ended here, if it did: in a mailbox, or on its way to all that an address stands for.
    pub(super) fn ends(&self, each: &[Outcome]) -> Vec<Option<Action>> {
        let end = |way: &Way| match way {
            Way::Goes { several: true, .. } => Some(Action::Expanded),
            Way::Goes { queued: false, .. } => Some(Action::Delivered),
            _ => None,
        };
        self.ways.iter().zip(each).map(|(way, outcome)| end(way).filter(|_| outcome.is_ok())).collect()
    }
}

/// The reverse-paths of one message as it leaves.
struct Paths {
    /// Of what leaves as it came.
    own: ReversePath,
    /// A sender elsewhere, for whom this server speaks when it forwards.
    foreign: Option<EmailAddress>,
    now: model::UnixTime,
}

impl Paths {
    fn new(world: &World, all: &NewEntry) -> Result<Paths, directory::Error> {
        let now = all.received;
        let ReversePath::Mailbox(sender) = &all.reverse_path else {
            return Ok(Paths { own: ReversePath::Null, foreign: None, now });
        };
        let policy = world.policy.read().clone();
        let rewriting = &policy.rewriting;
        if !world.directory.is_home(&sender.domain)? {
            let own = all.reverse_path.clone();
            return Ok(Paths { own, foreign: Some(sender.clone()), now });
        }
        let signed = match rewriting.batv {
            Batv::Off => None,
            // What was made here already (SRS, BATV, a list's) is not signed once more.
            Batv::Sign | Batv::Enforce if sender.local.as_str().contains('=') => None,
            Batv::Sign | Batv::Enforce => rewriting.tagged(sender, now),
        };
        Ok(Paths { own: ReversePath::Mailbox(signed.unwrap_or_else(|| sender.clone())), foreign: None, now })
    }

    /// Of what is sent on; `domain` is the one that it came for, None: the postmaster's.
    fn forwarding(
        &mut self,
        world: &World,
        domain: Option<&Domain>,
    ) -> Result<(ReversePath, Option<Kept>), directory::Error> {
        let Some(foreign) = &self.foreign else { return Ok((self.own.clone(), None)) };
        let policy = world.policy.read().clone();
        // Bounces must come back here: to the domain that the message came for, unless that is only relayed.
        let ours = match domain {
            Some(domain) if world.directory.is_home(domain)? => Some(domain.clone()),
            _ => {
                let home = |info: &directory::DomainInfo| info.relay == directory::Relay::No;
                world.directory.domains()?.into_iter().find(home).map(|info| info.name)
            }
        };
        let Some(ours) = ours else { return Ok((self.own.clone(), None)) };
        let forwarded = policy.rewriting.forwarded(foreign, &ours, self.now);
        Ok((ReversePath::Mailbox(forwarded.address), forwarded.kept))
    }
}

/// What is written beside a delivery: entries of the queue, and what happens to lists. None: nothing.
pub(crate) fn beside(
    rules: Arc<queue::Rules>,
    entries: Vec<Outgoing>,
    events: Vec<Event>,
    done: Done,
) -> Option<Extra> {
    beside_named(rules, entries, events, done, Queued::default())
}

/// As [`beside`]; tells the names of the entries in `queued`.
pub(crate) fn beside_named(
    rules: Arc<queue::Rules>,
    entries: Vec<Outgoing>,
    events: Vec<Event>,
    done: Done,
    queued: Queued,
) -> Option<Extra> {
    let posts = events.iter().filter(|event| matches!(event, Event::Post(_))).count();
    let taken = (entries.len() + posts) as u32;
    if taken == 0 && events.is_empty() {
        return None;
    }
    let write = move |tx: &mut dyn engine::Tx, content| {
        queued.take();
        for Outgoing { entry, kept } in &entries {
            if let Some(kept) = kept {
                rewriting::remember(tx, kept, entry.received)?;
            }
            let id = queue::enqueue(tx, content, entry).map_err(Abort::from)?;
            keep_queued(tx, id, entry, &rules.events)?;
            queued.0.lock().push(id);
        }
        lists::write(tx, content, &events, &done)?;
        if taken == 0 {
            // Only what an Extra takes over is written when nobody here gets the message.
            tx.refer(content, -1)?;
        }
        Ok(())
    };
    Some(Extra { references: taken.max(1), write: Box::new(write) })
}

/// NOTIFY, in the queue's words.
fn notify(recipient: &::smtp::Recipient) -> Notify {
    match recipient.notify {
        None => Notify::Default,
        Some(::smtp::Notify::NEVER) => Notify::Never,
        Some(set) => Notify::On {
            success: set.has(NotifyOn::Success),
            failure: set.has(NotifyOn::Failure),
            delay: set.has(NotifyOn::Delay),
        },
    }
}

/// RFC 3461 §5.2.7.3 (c): the alias is reported as expanded, and those behind it are asked for no success.
fn without_success(notify: Notify) -> Notify {
    match notify {
        Notify::On { failure: false, delay: false, .. } => Notify::Never,
        Notify::On { failure, delay, .. } => Notify::On { success: false, failure, delay },
        other => other,
    }
}

/// ORCPT, in the queue's words.
pub(super) fn orcpt(recipient: &::smtp::Recipient) -> Option<Orcpt> {
    recipient
        .original
        .as_ref()
        .map(|original| Orcpt { address_type: original.addr_type.clone(), address: original.address.clone() })
}
