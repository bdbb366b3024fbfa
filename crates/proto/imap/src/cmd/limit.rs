//! How many messages one command may be about (MESSAGELIMIT and SAVELIMIT, RFC 9738).
//!
//! What is too much for a command that need not be atomic is cut: the highest UIDs are worked on, and the client is told
//! down to which one. COPY and APPEND are all or nothing, so they are refused.

use crate::session::{Core, Done, MessageLimit};
use crate::write::Condition;
use model::{SeqNo, Uid, UidSet};
use std::fmt;

/// A limit that a command has run into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exceeded {
    limit: u32,
    /// The lowest UID that was worked on, or would be.
    lowest: Uid,
}

impl fmt::Display for Exceeded {
    /// The response code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[MESSAGELIMIT {} {}]", self.limit, self.lowest)
    }
}

impl Exceeded {
    /// Tells of it in a command's reply, or before it where another response code has that place (RFC 9738 §3.1).
    pub(super) fn tell(this: Option<Exceeded>, core: &mut Core, done: Done) -> Done {
        let Some(exceeded) = this else { return done };
        if done.condition == Condition::Ok && !done.text.starts_with('[') {
            let text = format!("{exceeded} {} with a part of the messages", done.text);
            return Done { text: text.into(), ..done };
        }
        core.tell("NO", format_args!("{exceeded} Only a part of the messages was worked on"));
        done
    }
}

/// Cuts what FETCH, STORE, SEARCH, MOVE and UID EXPUNGE work on.
pub(super) fn cut(core: &Core, uids: UidSet) -> (UidSet, Option<Exceeded>) {
    let MessageLimit::Every(limit) = core.settings.message_limit else { return (uids, None) };
    match lowest(&uids, limit) {
        // RFC 9738 §3.1: from the highest UID to the lowest.
        Some(lowest) => (uids.iter_from(lowest).collect(), Some(Exceeded { limit, lowest })),
        None => (uids, None),
    }
}

/// Refuses a COPY of too many messages.
pub(super) fn refused_copy(core: &Core, uids: &UidSet) -> Option<Done> {
    let limit = save_limit(core)?;
    let lowest = lowest(uids, limit)?;
    let exceeded = Exceeded { limit, lowest };
    Some(Done::no(format!("{exceeded} Too many messages to copy, try a smaller subset")))
}

/// Refuses to SORT or THREAD what is found among too many messages (RFC 9738 §3.3).
pub(super) fn refused_order(core: &Core, among: &UidSet) -> Option<Done> {
    let MessageLimit::Every(limit) = core.settings.message_limit else { return None };
    (among.len() > limit)
        .then(|| Done::no(format!("[MESSAGELIMIT {limit}] Too many messages to put in order, name fewer")))
}

/// Refuses an APPEND of too many messages.
pub(super) fn refused_append(core: &Core, messages: usize) -> Option<Done> {
    let limit = save_limit(core)?;
    (messages as u64 > u64::from(limit))
        .then(|| Done::no(format!("[MESSAGELIMIT {limit}] Too many messages to append")))
}

/// Refuses places (RFC 9394) of which there are too many.
pub(super) fn refused_places(core: &Core, (one, other): (u32, u32)) -> Option<Done> {
    let MessageLimit::Every(limit) = core.settings.message_limit else { return None };
    (one.abs_diff(other) >= limit)
        .then(|| Done::no(format!("[MESSAGELIMIT {limit}] More messages than one command may be about")))
}

fn save_limit(core: &Core) -> Option<u32> {
    match core.settings.message_limit {
        MessageLimit::None => None,
        MessageLimit::Save(limit) | MessageLimit::Every(limit) => Some(limit),
    }
}

/// The lowest of the `limit` highest UIDs, if there are more.
fn lowest(uids: &UidSet, limit: u32) -> Option<Uid> {
    let first = uids.len().checked_sub(limit)?;
    if first == 0 { None } else { uids.select(SeqNo(first + 1)) }
}
