//! Mailing lists on this server: what a message to one of a list's addresses does (`arrive`), what is said to people
//! about it (`letters`), the copies for the members (`spread`), and unsubscribing over HTTP (`web`).

mod arrive;
mod letters;
mod spread;
mod web;

pub(crate) use arrive::{Arrival, arrive, member_failed, visible_to};
pub use letters::{AskedToday, reject};
pub(crate) use letters::{Done, follow_up};
pub use spread::spread;
pub use web::{Page, unsubscribe_page};

use crate::sealing::Evidence;
use crate::world::World;
use ::lists::{Bounced, List, NewPost};
use directory::Stop;
use engine::{Abort, ContentId, Tx};
use model::{EmailAddress, UnixTime};

/// Puts the list's own signature behind the Return-Path line: it covers the fields by which one unsubscribes, which RFC
/// 8058 §4 asks for. Over it, if that was asked for, an ARC set that says what the post was when it came: the list changed
/// it, and its author's signature may not hold any more (RFC 8617 §5.1).
fn signed(world: &World, list: &List, raw: Vec<u8>, came: Option<&Evidence>) -> Vec<u8> {
    let line = raw.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
    let signatures = world.signed_for(&list.address.domain, &raw[line..], World::now());
    let signed = [&signatures, &raw[line..]].concat();
    let set = came.map(|came| world.seal_by(came, &signed)).unwrap_or_default();
    if signatures.is_empty() && set.is_empty() {
        return raw;
    }
    [&raw[..line], &set, &signed].concat()
}

/// What lists say of this server.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ListSettings {
    /// Where people reach the http listener, without a slash at the end. None: nowhere.
    pub url: Option<String>,
}

/// What happens to a list in the transaction that takes a message.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The message goes to the members, or waits.
    Post(NewPost),
    /// A member's copy did not arrive.
    Bounced { list: u32, member: u32, at: UnixTime },
    /// A new member.
    Join { list: u32, address: EmailAddress, at: UnixTime },
    /// One member less.
    Leave { list: u32, member: u32, address: EmailAddress },
    /// Somebody is asked or told something; nothing is written.
    Ask(Asked),
    /// The message was for nobody: it is taken and dropped.
    Nothing,
    /// An owner's answer about a held message, done behind the commit.
    Moderate { post: u32, approve: bool },
}

/// What is said to somebody.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Asked {
    pub(crate) list: u32,
    pub(crate) to: EmailAddress,
    pub(crate) about: About,
}

/// About what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum About {
    /// Do you want to subscribe?
    Joining,
    /// Do you want to unsubscribe? With the member's number.
    Leaving(u32),
    /// You are no member.
    NoMember,
    /// Owners make members here.
    Closed,
    /// How it is used.
    Help,
}

/// Writes the events; notes in `done` what has to be said to people afterwards. May run again after a conflict.
pub(crate) fn write(tx: &mut dyn Tx, content: ContentId, events: &[Event], done: &Done) -> Result<(), Abort> {
    done.clear();
    for event in events {
        match event {
            Event::Post(post) => {
                let id = ::lists::post(tx, content, post)?;
                done.posted(id, post);
            }
            Event::Bounced { list, member, at } => {
                if ::lists::bounced(tx, *list, *member, *at)? == Bounced::Suspended {
                    done.suspended();
                }
            }
            Event::Join { list, address, at } => match ::lists::join(tx, *list, address, *at) {
                Ok(true) => done.joined(*list, address),
                Ok(false) => {}
                // The list is full, or gone: nothing was written.
                Err(Stop::Reason(error)) => tracing::info!(%error, %address, "nobody was subscribed"),
                Err(Stop::Abort(abort)) => return Err(abort),
            },
            Event::Leave { list, member, address } => {
                if ::lists::leave(tx, *list, *member)? {
                    done.left(*list, address);
                }
            }
            Event::Nothing => {}
            Event::Ask(asked) => done.ask(asked),
            Event::Moderate { post, approve } => done.moderated(*post, *approve),
        }
    }
    Ok(())
}
