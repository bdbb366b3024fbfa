//! What lists say to people, behind the commit of what it is about: questions, answers, notices to owners.

use super::{About, Asked, arrive, signed};
use crate::kept::Keeper;
use crate::smtp::{Plan, beside, expiry, to_inboxes};
use crate::world::{World, prepare};
use ::lists::{Letter, List, NewPost, Post, Words, write_letter};
use ::smtp::Recipient;
use model::{EmailAddress, Path, ReversePath, UnixTime};
use parking_lot::Mutex;
use queue::NewEntry;
use rewriting::Purpose;
use std::collections::HashSet;
use std::sync::Arc;

/// Questions remembered, so that nobody makes a list write to somebody again and again.
const ASKED_MAX: usize = 10_000;

/// Questions of today.
#[derive(Default)]
pub struct AskedToday {
    day: i64,
    asked: HashSet<Asked>,
}

impl AskedToday {
    /// Whether this was not asked today yet; notes it.
    fn is_new(&mut self, asked: &Asked, now: UnixTime) -> bool {
        let today = now.0.div_euclid(86_400);
        if self.day != today {
            *self = AskedToday { day: today, asked: HashSet::new() };
        }
        self.asked.len() < ASKED_MAX && self.asked.insert(asked.clone())
    }
}

/// What a transaction did to lists, to be told afterwards.
#[derive(Clone, Default)]
pub(crate) struct Done(Arc<Mutex<Vec<What>>>);

#[derive(Clone)]
enum What {
    Waiting,
    Held { post: u32, new: Box<NewPost> },
    Joined { list: u32, address: EmailAddress },
    Left { list: u32, address: EmailAddress },
    Ask(Asked),
    Moderated { post: u32, approve: bool },
}

impl Done {
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    pub(super) fn posted(&self, post: u32, new: &NewPost) {
        let what = match new.held {
            Some(_) => What::Held { post, new: Box::new(new.clone()) },
            None => What::Waiting,
        };
        self.0.lock().push(what);
    }

    /// The owners are told by who sends posts (`spread`).
    pub(super) fn suspended(&self) {
        self.0.lock().push(What::Waiting);
    }

    pub(super) fn joined(&self, list: u32, address: &EmailAddress) {
        self.0.lock().push(What::Joined { list, address: address.clone() });
    }

    pub(super) fn left(&self, list: u32, address: &EmailAddress) {
        self.0.lock().push(What::Left { list, address: address.clone() });
    }

    pub(super) fn ask(&self, asked: &Asked) {
        self.0.lock().push(What::Ask(asked.clone()));
    }

    pub(super) fn moderated(&self, post: u32, approve: bool) {
        self.0.lock().push(What::Moderated { post, approve });
    }
}

/// Says what there is to say, and wakes who sends posts on. What goes wrong here is logged: the mail itself is safe.
pub(crate) async fn follow_up(world: &Arc<World>, done: &Done) {
    let done = std::mem::take(&mut *done.0.lock());
    for what in done {
        if let Err(error) = tell(world, what).await {
            tracing::warn!(error, "a mailing list could not say what it had to");
        }
    }
}

async fn tell(world: &Arc<World>, what: What) -> Result<(), String> {
    let list_of = |number: u32| world.lists.list(number).map_err(|error| error.to_string());
    match what {
        What::Waiting => world.lists.ring(),
        What::Moderated { post, approve } => {
            let change = if approve { world.lists.approve(post) } else { world.lists.discard(post) };
            // Decided already by another owner: nothing more to do.
            if let Err(error) = change.await {
                tracing::info!(%error, "a held message was not decided about");
            }
            world.lists.ring();
        }
        What::Held { post, new } => {
            let Some(list) = list_of(new.list)? else { return Ok(()) };
            let keys = world.policy.read().rewriting.keys.clone();
            let token = |approve| keys.seal(Purpose::Moderate, &[list.number, post, approve], "");
            let (approve, discard) =
                (list.part(&format!("moderate+{}", token(1))), list.part(&format!("moderate+{}", token(0))));
            let (from, reason) = (new.from.to_string(), new.held.unwrap_or_default());
            let (approve, discard) = (&approve, &discard);
            let held = Words::Held { from: &from, subject: &new.subject, reason: &reason, approve, discard };
            to_owners(world, &list, held).await?;
        }
        What::Joined { list, address } => {
            let Some(list) = list_of(list)? else { return Ok(()) };
            send(world, &list, &address, Words::Welcome(&list.part("unsubscribe"))).await?;
        }
        What::Left { list, address } => {
            let Some(list) = list_of(list)? else { return Ok(()) };
            send(world, &list, &address, Words::Goodbye).await?;
        }
        What::Ask(asked) => {
            if let Some(list) = list_of(asked.list)? {
                ask(world, &list, &asked).await?;
            }
        }
    }
    Ok(())
}

async fn ask(world: &Arc<World>, list: &List, asked: &Asked) -> Result<(), String> {
    if !world.asked_today.lock().is_new(asked, World::now()) {
        return Ok(());
    }
    let keys = world.policy.read().rewriting.keys.clone();
    let answer = match asked.about {
        About::Joining => list
            .part(&format!("confirm+{}", arrive::confirm_token(&keys, list.number, &asked.to, World::now()))),
        About::Leaving(member) => {
            list.part(&format!("unsubscribe+{}", keys.seal(Purpose::Unsubscribe, &[list.number, member], "")))
        }
        _ => String::new(),
    };
    let words = match asked.about {
        About::Joining => Words::ConfirmJoin(&answer),
        About::Leaving(_) => Words::ConfirmLeave(&answer),
        About::NoMember => Words::NoMember,
        About::Closed => Words::Closed,
        About::Help => Words::Help,
    };
    send(world, list, &asked.to, words).await
}

/// Tells the owners of members who get nothing more.
pub(super) async fn notices(world: &Arc<World>) -> Result<(), String> {
    loop {
        let suspended = world.lists.suspended().map_err(|error| error.to_string())?;
        if suspended.is_empty() {
            return Ok(());
        }
        for (list, member) in suspended {
            let found = (world.lists.list(list), world.lists.member_by_number(list, member));
            let (found, known) = (found.0.map_err(|e| e.to_string())?, found.1.map_err(|e| e.to_string())?);
            if let (Some(list), Some(known)) = (found, known) {
                to_owners(world, &list, Words::Suspended(&known.address.to_string())).await?;
            }
            world.lists.told(list, member).await.map_err(|error| error.to_string())?;
        }
    }
}

async fn to_owners(world: &Arc<World>, list: &List, words: Words<'_>) -> Result<(), String> {
    for owner in list.settings.owners.iter().filter_map(|owner| EmailAddress::parse(owner).ok()) {
        send(world, list, &owner, words).await?;
    }
    Ok(())
}

/// Tells the author of a held message that it was thrown away, and why.
///
/// # Errors
/// A sentence: it could not be said.
pub fn reject(world: &World, post: &Post, reason: &str) -> Result<(), String> {
    let list = world.lists.list(post.list).map_err(|error| error.to_string())?;
    let (Some(list), Ok(author)) = (list, EmailAddress::parse(&post.from)) else { return Ok(()) };
    let Some(delivery) = letter(world, &list, &author, Words::Rejected(&post.subject, reason))? else {
        return Ok(());
    };
    world.store.deliver(delivery).wait().map_err(|error| error.to_string())?;
    world.queue.ring();
    Ok(())
}

async fn send(world: &Arc<World>, list: &List, to: &EmailAddress, words: Words<'_>) -> Result<(), String> {
    if let Some(delivery) = letter(world, list, to, words)? {
        world.store.deliver(delivery).await.map_err(|error| error.to_string())?;
        world.queue.ring();
    }
    Ok(())
}

/// A letter as a delivery. None: the address is nobody's here.
fn letter(
    world: &World,
    list: &List,
    to: &EmailAddress,
    words: Words<'_>,
) -> Result<Option<store::Delivery>, String> {
    let now = World::now();
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let id = format!("{}.{:016x}", now.0, u64::from_be_bytes(random));
    let raw = signed(world, list, write_letter(&Letter { list, to, words, now, id: &id }), None);
    let message = prepare(&raw).map_err(|error| error.to_string())?;
    let mut plan = Plan::default();
    let path = Path::Mailbox(to.clone());
    let meaning = world.meaning(&path, &ReversePath::Null).map_err(|error| error.to_string())?;
    let recipient = Recipient { path, notify: Some(::smtp::Notify::NEVER), original: None };
    plan.sort(&recipient, meaning);
    if plan.is_empty() {
        return Ok(None);
    }
    let entry = NewEntry {
        reverse_path: ReversePath::Null,
        recipients: Vec::new(),
        ret: None,
        envid: None,
        smtputf8: to.needs_utf8(),
        body: queue::Body::EightBitMime,
        account: None,
        received: now,
        size: u64::from(message.size()),
        expires: expiry(now),
        held: false,
        wishes: queue::Wishes::default(),
    };
    let keeper = Keeper::new(world, &plan.accounts).map_err(|error| error.to_string())?;
    let follow = keeper.follow(&message, &entry, &id, now);
    Ok(Some(store::Delivery {
        message,
        recipients: to_inboxes(&plan.accounts),
        received: now,
        extra: beside(world.outgoing.read().rules.clone(), plan.bounces(entry), Vec::new(), Done::default()),
        follow,
    }))
}
