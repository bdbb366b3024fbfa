//! A message to one of a list's addresses.

use super::{About, Asked, Event};
use crate::smtp::{Plan, Way, gone, reply_with};
use crate::world::World;
use ::lists::{Arrived, Decision, Joining, List, NewPost, Visible, decide};
use ::smtp::{Recipient, Refusal};
use directory::{Error, ListPart, ListTarget};
use model::{EmailAddress, Path, ReversePath, UnixTime};
use queue::Body;
use rewriting::{Keys, Purpose};

/// Days that a question may wait for its answer.
const CONFIRM_DAYS: u32 = 7;

/// What is known of a message that has come.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) from: &'a ReversePath,
    /// Without Return-Path.
    pub(crate) message: &'a [u8],
    /// Whether the one who brings it may speak for an address of our own domains.
    pub(crate) may_be: &'a dyn Fn(&EmailAddress) -> bool,
    /// The list that brings it as a post of its own, if one does: nobody has proven to that one's members who wrote it,
    /// so that nothing else is believed.
    pub(crate) through: Option<&'a EmailAddress>,
    pub(crate) received: UnixTime,
    pub(crate) smtputf8: bool,
    pub(crate) body: Body,
}

/// Puts into the plan what the message does at that address of a list, or says why it is refused.
///
/// # Errors
/// The directory or the store could not be read.
pub(crate) fn arrive(
    world: &World,
    plan: &mut Plan,
    target: &ListTarget,
    recipient: &Recipient,
    arrival: &Arrival<'_>,
) -> Result<Result<(), Refusal>, Error> {
    let Some(list) = world.lists.list(target.list)? else { return Ok(Err(gone(recipient))) };
    let keys = world.policy.read().rewriting.keys.clone();
    match &target.part {
        ListPart::Post => return to_members(world, plan, &list, arrival),
        ListPart::Owner => return to_owners(world, plan, &list, recipient),
        ListPart::Bounces(token) => {
            let Some(member) = token_of(&keys, Purpose::Bounce, token, list.number) else {
                return Ok(Err(gone(recipient)));
            };
            // Whatever else comes there is nobody's.
            let failure = ::lists::is_failure(arrival.message, *arrival.from == ReversePath::Null);
            let bounced = Event::Bounced { list: list.number, member, at: arrival.received };
            plan.events.extend(failure.then_some(bounced));
            plan.events.extend((!failure).then_some(Event::Nothing));
        }
        ListPart::Moderate(token) => {
            let open = keys.open(Purpose::Moderate, token, |_: &[u32; 3]| Some(String::new()));
            let Some([of, post, approve]) = open else { return Ok(Err(gone(recipient))) };
            if of != list.number {
                return Ok(Err(gone(recipient)));
            }
            plan.events.push(Event::Moderate { post, approve: approve == 1 });
        }
        ListPart::Unsubscribe(Some(token)) => {
            let member = token_of(&keys, Purpose::Unsubscribe, token, list.number);
            let Some(member) = member else { return Ok(Err(gone(recipient))) };
            plan.events.push(match world.lists.member_by_number(list.number, member)? {
                Some(known) => Event::Leave { list: list.number, member, address: known.address },
                None => Event::Nothing,
            });
        }
        ListPart::Subscribe | ListPart::Unsubscribe(None) | ListPart::Request | ListPart::Confirm(_) => {
            return command(world, plan, &list, target, recipient, arrival);
        }
    }
    Ok(Ok(()))
}

/// What concerns the one who writes: his address is believed as far as he answers a question sent to it.
fn command(
    world: &World,
    plan: &mut Plan,
    list: &List,
    target: &ListTarget,
    recipient: &Recipient,
    arrival: &Arrival<'_>,
) -> Result<Result<(), Refusal>, Error> {
    let machine = mime::header::first(arrival.message, "Auto-Submitted")
        .is_some_and(|value| !mime::header::unfold(value).eq_ignore_ascii_case(b"no"));
    let author = author(arrival.message).or_else(|| reverse_path(arrival.from));
    let (Some(author), false) = (author, machine || *arrival.from == ReversePath::Null) else {
        // RFC 3834 §2: machines are not answered.
        plan.events.push(Event::Nothing);
        return Ok(Ok(()));
    };
    let ask = |about| Event::Ask(Asked { list: list.number, to: author.clone(), about });
    let wish = match &target.part {
        ListPart::Subscribe => Wish::Join,
        ListPart::Unsubscribe(_) => Wish::Leave,
        ListPart::Confirm(token) => {
            let keys = world.policy.read().rewriting.keys.clone();
            if !is_confirmed(&keys, token, list.number, &author, arrival.received) {
                let text = "This is no answer of that address to a question of the list, or too late; subscribe again";
                return Ok(Err(Refusal::new(550, (7, 1), text)));
            }
            Wish::Confirmed
        }
        _ => Wish::of_subject(arrival.message),
    };
    plan.events.push(match wish {
        Wish::Join if list.settings.joining == Joining::Closed => ask(About::Closed),
        Wish::Join => ask(About::Joining),
        Wish::Confirmed if list.settings.joining == Joining::Closed => ask(About::Closed),
        Wish::Confirmed => Event::Join { list: list.number, address: author.clone(), at: arrival.received },
        Wish::Leave => match world.lists.member(list.number, &author)? {
            Some(member) => ask(About::Leaving(member.number)),
            None => ask(About::NoMember),
        },
        Wish::Help => ask(About::Help),
        Wish::Other => return to_owners(world, plan, list, recipient),
    });
    Ok(Ok(()))
}

enum Wish {
    Join,
    Confirmed,
    Leave,
    Help,
    Other,
}

impl Wish {
    fn of_subject(message: &[u8]) -> Wish {
        let subject = subject(message).to_lowercase();
        match subject.split_whitespace().next().unwrap_or_default() {
            "subscribe" | "join" => Wish::Join,
            "unsubscribe" | "leave" => Wish::Leave,
            "help" | "" => Wish::Help,
            _ => Wish::Other,
        }
    }
}

fn to_members(
    world: &World,
    plan: &mut Plan,
    list: &List,
    arrival: &Arrival<'_>,
) -> Result<Result<(), Refusal>, Error> {
    let mut believed: Vec<EmailAddress> = arrival.through.into_iter().cloned().collect();
    let told = reverse_path(arrival.from).into_iter().chain(author(arrival.message));
    for address in told.filter(|_| arrival.through.is_none()) {
        if !world.directory.is_home(&address.domain)? || (arrival.may_be)(&address) {
            believed.push(address);
        }
    }
    let mut by_member = false;
    for address in &believed {
        by_member |= world.lists.member(list.number, address)?.is_some();
    }
    let size = arrival.message.len() as u64;
    let arrived =
        Arrived { from: arrival.from, message: arrival.message, believed: &believed, by_member, size };
    let held = match decide(list, arrived) {
        Decision::Take => None,
        Decision::Hold(why) => Some(why),
        Decision::Refuse(code, enhanced, text) => return Ok(Err(reply_with(code, enhanced, text))),
    };
    plan.events.push(Event::Post(NewPost {
        list: list.number,
        from: arrival.from.clone(),
        subject: subject(arrival.message),
        size,
        received: arrival.received,
        smtputf8: arrival.smtputf8,
        body: arrival.body,
        held,
    }));
    Ok(Ok(()))
}

fn to_owners(
    world: &World,
    plan: &mut Plan,
    list: &List,
    recipient: &Recipient,
) -> Result<Result<(), Refusal>, Error> {
    let mut reached = false;
    for owner in &list.settings.owners {
        let Ok(owner) = EmailAddress::parse(owner) else { continue };
        let meaning = world.meaning(&Path::Mailbox(owner), &ReversePath::Null)?;
        reached |= matches!(plan.sort(recipient, meaning), Way::Goes { .. });
    }
    // An owner that is a list would have to be asked in turn.
    plan.targets.clear();
    let text = format!("The list {} has no owner who can be reached", list.address);
    Ok(if reached { Ok(()) } else { Err(reply_with(550, [5, 1, 1], text)) })
}

/// Counts a member's copy that could not be delivered from here.
pub(crate) fn member_failed(world: &World, plan: &mut Plan, target: &ListTarget) {
    let ListPart::Bounces(token) = &target.part else { return };
    let keys = world.policy.read().rewriting.keys.clone();
    if let Some(member) = token_of(&keys, Purpose::Bounce, token, target.list) {
        plan.events.push(Event::Bounced { list: target.list, member, at: World::now() });
    }
}

/// The members of a list, for EXPN; None: that client may not see them (RFC 5321 §7.3).
pub(crate) fn visible_to(
    world: &World,
    target: &ListTarget,
    client: &policy::Client,
) -> Result<Option<Vec<EmailAddress>>, Error> {
    /// As many as an answer has lines.
    const MEMBERS_MAX: usize = 1000;
    let (Some(list), Some(user)) = (world.lists.list(target.list)?, client.user) else { return Ok(None) };
    let Some(account) = world.directory.account_by_id(user)? else { return Ok(None) };
    let may = list.is_owned_by(&account.address)
        || match list.settings.visible {
            Visible::Owners => false,
            Visible::Members => world.lists.member(list.number, &account.address)?.is_some(),
            Visible::Users => true,
        };
    if !may || target.part != ListPart::Post {
        return Ok(None);
    }
    let members = world.lists.members(list.number, 0, MEMBERS_MAX)?;
    Ok(Some(members.into_iter().map(|member| member.address).collect()))
}

/// The member that a token names, if it was made here for that list.
fn token_of(keys: &Keys, purpose: Purpose, token: &str, list: u32) -> Option<u32> {
    let open = keys.open(purpose, token, |_: &[u32; 2]| Some(String::new()));
    open.filter(|[of, _]| *of == list).map(|[_, member]| member)
}

/// The token that asks whether an address wants to subscribe.
pub(super) fn confirm_token(keys: &Keys, list: u32, address: &EmailAddress, now: UnixTime) -> String {
    keys.seal(Purpose::Confirm, &[list, day(now)], &folded(address))
}

fn is_confirmed(keys: &Keys, token: &str, list: u32, author: &EmailAddress, now: UnixTime) -> bool {
    let open = keys.open(Purpose::Confirm, token, |_: &[u32; 2]| Some(folded(author)));
    open.is_some_and(|[of, made]| of == list && made <= day(now) && day(now) - made <= CONFIRM_DAYS)
}

fn folded(address: &EmailAddress) -> String {
    directory::normal_address(address).as_ref().unwrap_or(address).to_string()
}

fn day(now: UnixTime) -> u32 {
    u32::try_from(now.0.div_euclid(86_400)).unwrap_or(0)
}

fn reverse_path(from: &ReversePath) -> Option<EmailAddress> {
    match from {
        ReversePath::Mailbox(address) => Some(address.clone()),
        ReversePath::Null => None,
    }
}

/// The first address of From (RFC 5322 §3.6.2).
fn author(message: &[u8]) -> Option<EmailAddress> {
    let value = mime::header::first(message, "From")?;
    let mailbox = mime::address::Addresses::new(value).mailboxes().next()?;
    EmailAddress::parse(std::str::from_utf8(&mailbox.address()).ok()?).ok()
}

fn subject(message: &[u8]) -> String {
    let field = mime::header::fields(message).find(|field| field.is("Subject"));
    field.map(|field| field.text()).unwrap_or_default()
}
