//! Posts on their way to the members: some at a time, each batch one commit that also notes how far the post has come. So
//! a crash neither loses a copy nor makes one twice.

use super::letters::notices;
use super::{Arrival, Done, Event, arrive, follow_up, signed};
use crate::outgoing::without_return_path;
use crate::sealing::{Evidence, PassedOn};
use crate::smtp::{Outgoing, Plan, beside, expiry, to_inboxes};
use crate::world::{World, prepare};
use ::lists::{Copy, List, Member, MemberState, Personal, Post, PostState, advance, finish};
use ::smtp::Recipient;
use engine::{Abort, AccountId};
use model::{EmailAddress, Path, ReversePath, UnixTime};
use queue::{Accepted, NewEntry, Place, Placed};
use rewriting::{Keys, Purpose};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::Prepared;

/// Members whose copies are one commit.
const BATCH: usize = 50;
/// Posts looked at between two.
const PAGE: usize = 100;
/// Larger posts are stored once for many members, without a way out for each of them alone.
const PERSONAL_BYTES_MAX: usize = 256 * 1024;
/// After trouble (a full disk) the posts are looked at again.
const ROUND: Duration = Duration::from_secs(60);

/// Sends posts to members until the server goes down.
pub async fn spread(world: Weak<World>) {
    let bell = Arc::new(tokio::sync::Notify::new());
    {
        let Some(world) = world.upgrade() else { return };
        let bell = bell.clone();
        world.lists.listen(move || bell.notify_one());
    }
    loop {
        {
            let Some(world) = world.upgrade() else { return };
            let done = match round(&world).await {
                Ok(()) => notices(&world).await,
                failed => failed,
            };
            if let Err(error) = done {
                tracing::warn!(error, "posts to mailing lists wait; they are tried again soon");
            }
        }
        let _ = tokio::time::timeout(ROUND, bell.notified()).await;
    }
}

async fn round(world: &Arc<World>) -> Result<(), String> {
    let mut after = 0;
    loop {
        let page = world.lists.posts(after, PAGE).map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for post in page {
            if let PostState::Going(to) = post.state
                && !*world.stopping.borrow()
            {
                send(world, &post, to).await?;
            }
        }
    }
}

/// The post as it came.
#[derive(Clone, Copy)]
struct Came<'a> {
    /// Octets.
    size: usize,
    /// What its copies are sealed with.
    evidence: Option<&'a Evidence>,
}

/// One member's copy, or that of several.
struct Piece {
    message: Prepared,
    accounts: Vec<AccountId>,
    outgoing: Vec<Outgoing>,
    events: Vec<Event>,
    done: Done,
    /// Whose it is, for the accounts: what they do not take counts as a bounce.
    member: u32,
}

async fn send(world: &Arc<World>, post: &Post, mut at: u32) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let list = world.lists.list(post.list).map_err(|error| words(&error))?;
    let content = content(world, post)?;
    let Some(list) = list else { return end(world, post.id).await };
    let copy = Copy::new(&list, &content);
    let hostname = world.outgoing.read().hostname.clone();
    let (came_for, now) = (Some(&list.address.domain), World::now());
    let passed = PassedOn { hostname: &hostname, came_for, peer: None, now };
    let evidence = world.evidence(&passed, without_return_path(&content)).await;
    let came = Came { size: content.len(), evidence: evidence.as_ref() };
    let mut copies = 0;
    loop {
        let members = world.lists.members(list.number, at, BATCH).map_err(|error| words(&error))?;
        let Some(last) = members.last().map(|member| member.number) else { break };
        let active: Vec<Member> =
            members.into_iter().filter(|member| member.state == MemberState::Active).collect();
        let pieces = pieces(world, &list, post, &copy, came, &active).map_err(|error| words(&error))?;
        if !commit(world, &list, post.id, (at, last), pieces).await? {
            return Ok(());
        }
        copies += active.len();
        at = last;
    }
    tracing::info!(list = %list.address, post = post.id, copies, "a post was sent to the members");
    end(world, post.id).await
}

fn content(world: &World, post: &Post) -> Result<Vec<u8>, String> {
    let snapshot = world.engine.snapshot().map_err(|error| error.to_string())?;
    let length = snapshot.content_len(post.content).map_err(|error| error.to_string())?.unwrap_or(0);
    let mut content = Vec::new();
    snapshot.read_content(post.content, 0..length, &mut content).map_err(|error| error.to_string())?;
    Ok(content)
}

async fn end(world: &World, post: u32) -> Result<(), String> {
    let ended = world.engine.transact(&[AccountId(0)], move |tx| finish(tx, post).map_err(Abort::from));
    ended.await.map_err(|_| "the end of a post could not be written".to_owned())
}

/// Writes the copies of a batch and how far the post has come. False: it stood elsewhere, somebody else does it.
async fn commit(
    world: &Arc<World>,
    list: &List,
    post: u32,
    (from, to): (u32, u32),
    pieces: Vec<Piece>,
) -> Result<bool, String> {
    let now = World::now();
    let accounts: Vec<AccountId> = pieces.iter().flat_map(|piece| piece.accounts.clone()).collect();
    let members: Vec<u32> = pieces.iter().map(|piece| piece.member).collect();
    let queued = pieces.iter().map(|piece| piece.outgoing.len() as u64).sum();
    let done: Vec<Done> = pieces.iter().map(|piece| piece.done.clone()).collect();
    let rules = world.outgoing.read().rules.clone();
    let written = world.store.deliver_made(&accounts, move |tx| {
        if !advance(tx, post, from, to).map_err(store::Error::Engine)? {
            return Err(store::Error::Cancelled);
        }
        let delivery = |piece: &Piece| store::Delivery {
            message: piece.message.clone(),
            recipients: to_inboxes(&piece.accounts),
            received: now,
            extra: beside(rules.clone(), piece.outgoing.clone(), piece.events.clone(), piece.done.clone()),
            follow: None,
        };
        Ok(pieces.iter().map(delivery).collect())
    });
    let outcomes = match written.await {
        Ok(outcomes) => outcomes,
        Err(store::Error::Cancelled) => return Ok(false),
        Err(error) => return Err(error.to_string()),
    };
    world.metrics.queued.inc_by(queued);
    world.queue.ring();
    note_copies(world, list, post, accounts.iter().zip(outcomes.iter().flatten()), now);
    for done in &done {
        follow_up(world, done).await;
    }
    let full = |outcomes: &Vec<store::Outcome>| {
        outcomes.iter().any(|outcome| !matches!(outcome, store::Outcome::Delivered(_)))
    };
    for (member, _) in members.iter().zip(&outcomes).filter(|(_, outcomes)| full(outcomes)) {
        failed(world, list.number, *member, now).await;
    }
    Ok(true)
}

/// Notes whose mailboxes here got a copy, for `troika queue history`.
fn note_copies<'a>(
    world: &World,
    list: &List,
    post: u32,
    outcomes: impl Iterator<Item = (&'a AccountId, &'a store::Outcome)>,
    at: UnixTime,
) {
    let taken = outcomes.filter(|(_, outcome)| matches!(outcome, store::Outcome::Delivered(_)));
    let place = |(account, _): (&AccountId, _)| Placed { recipient: None, place: Place::Mailbox(account.0) };
    let places: Vec<Placed> = taken.map(place).collect();
    if places.is_empty() {
        return;
    }
    world.queue.note_accepted(Accepted {
        id: format!("{}#{post}", list.address),
        message_id: None,
        reverse_path: list.address.to_string(),
        account: None,
        at: at.0,
        recipients: Vec::new(),
        places,
    });
}

/// A mailbox here that took no copy (a full one) counts as one elsewhere would that bounced.
async fn failed(world: &Arc<World>, list: u32, member: u32, at: UnixTime) {
    let done = Done::default();
    let noted = done.clone();
    let written = world.engine.transact(&[AccountId(0)], move |tx| {
        let events = [Event::Bounced { list, member, at }];
        super::write(tx, engine::ContentId(0), &events, &noted)
    });
    if written.await.is_ok() {
        follow_up(world, &done).await;
    }
}

/// The copies of some members: one each, or one for all of a large post.
fn pieces(
    world: &Arc<World>,
    list: &List,
    post: &Post,
    copy: &Copy,
    came: Came<'_>,
    members: &[Member],
) -> Result<Vec<Piece>, Box<dyn std::error::Error + Send + Sync>> {
    let keys = world.policy.read().rewriting.keys.clone();
    let url = world.list_settings.read().url.clone();
    let mut pieces: Vec<Piece> = Vec::with_capacity(members.len());
    let mut shared: Option<(Prepared, Vec<u8>)> = None;
    for member in members {
        let reverse_path = list.part(&format!("bounces+{}", bounce_token(&keys, list, member)));
        let raw = if came.size <= PERSONAL_BYTES_MAX {
            let token = keys.seal(Purpose::Unsubscribe, &[list.number, member.number], "");
            let raw = copy.for_member(&Personal {
                reverse_path: reverse_path.clone(),
                unsubscribe_address: Some(list.part(&format!("unsubscribe+{token}"))),
                unsubscribe_url: url.as_ref().map(|url| format!("{url}/unsubscribe/{token}")),
            });
            Some(signed(world, list, raw, came.evidence))
        } else if shared.is_none() {
            let reverse_path = list.part("owner");
            let all = Personal { reverse_path, unsubscribe_address: None, unsubscribe_url: None };
            let raw = signed(world, list, copy.for_member(&all), came.evidence);
            shared = Some((prepare(&raw)?, raw));
            None
        } else {
            None
        };
        let (message, text) = match (&raw, &shared) {
            (Some(raw), _) => (prepare(raw)?, raw),
            (None, Some((message, raw))) => (message.clone(), raw),
            (None, None) => continue,
        };
        let mut piece = piece(world, list, post, message, member, &reverse_path, text)?;
        match pieces.first_mut() {
            // All of a batch refer to one content, and each keeps its own reverse-path.
            Some(first) if raw.is_none() => {
                for account in piece.accounts.drain(..) {
                    if !first.accounts.contains(&account) {
                        first.accounts.push(account);
                    }
                }
                first.outgoing.append(&mut piece.outgoing);
                first.events.append(&mut piece.events);
            }
            _ => pieces.push(piece),
        }
    }
    Ok(pieces)
}

fn bounce_token(keys: &Keys, list: &List, member: &Member) -> String {
    keys.seal(Purpose::Bounce, &[list.number, member.number], "")
}

/// Where one member's copy goes: what his address means here, as for any recipient.
fn piece(
    world: &Arc<World>,
    list: &List,
    post: &Post,
    message: Prepared,
    member: &Member,
    reverse_path: &str,
    raw: &[u8],
) -> Result<Piece, Box<dyn std::error::Error + Send + Sync>> {
    let now = World::now();
    let reverse_path = ReversePath::Mailbox(EmailAddress::parse(reverse_path)?);
    let path = Path::Mailbox(member.address.clone());
    let meaning = world.meaning(&path, &reverse_path)?;
    // Bounces are counted by day; a delay says nothing (RFC 3461 §4.1).
    let notify = Some(::smtp::Notify::default().with(::smtp::NotifyOn::Failure));
    let recipient = Recipient { path, notify, original: None };
    let mut plan = Plan::default();
    let _ = plan.sort(&recipient, meaning);
    for target in std::mem::take(&mut plan.targets) {
        // A list as a member of a list: it decides as it does about everything, but who wrote it was believed by the
        // rules of this list only.
        let arrival = Arrival {
            from: &reverse_path,
            message: raw,
            may_be: &|_| false,
            through: Some(&list.address),
            received: now,
            smtputf8: post.smtputf8,
            body: post.body,
        };
        if let Err(refusal) = arrive(world, &mut plan, &target, &recipient, &arrival)? {
            tracing::info!(member = %member.address, %refusal, "a list that is a member of a list did not take a post");
        }
    }
    let entry = NewEntry {
        reverse_path,
        recipients: Vec::new(),
        ret: Some(queue::Ret::Hdrs),
        envid: None,
        smtputf8: post.smtputf8 || member.address.needs_utf8(),
        body: post.body,
        account: None,
        received: now,
        size: u64::from(message.size()),
        expires: expiry(now),
        held: false,
        wishes: queue::Wishes::default(),
    };
    let outgoing = plan.entries(world, entry)?;
    Ok(Piece {
        message,
        accounts: plan.accounts,
        outgoing,
        events: plan.events,
        done: Done::default(),
        member: member.number,
    })
}
