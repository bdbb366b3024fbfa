//! Mailing lists (RFC 5321 §3.9.2): who is a member, who may write, messages on their way to the members and those that
//! wait for an owner, the header fields of lists (RFC 2369, RFC 2919, RFC 8058), and what bounces mean for a member.
//!
//! Everything lives under account 0 (`keys.rs` documents each key and value); that an address is a list is the
//! directory's to know. Invariants:
//!
//! - A post holds one reference to its content from the commit that accepted it to its end: [`post`] to [`finish`] or
//!   [`Lists::discard`].
//! - How far a post has come moves on in the same transaction as the copies it counts: each member gets one copy.
//! - Numbers of members are never used again within a list: a token that names one never means another.

mod bounce;
mod check;
mod decide;
mod keys;
mod list;
mod mail;
mod member;
mod message;
mod post;
mod record;

pub use bounce::is_failure;
pub use check::claims;
pub use decide::{Arrived, Decision, decide};
pub use list::List;
pub use mail::{Letter, Words, write as write_letter};
pub use member::{Bounced, Member, MemberState, bounced, join, leave};
pub use message::{Copy, Personal};
pub use post::{NewPost, Post, PostState, advance, finish, post};
pub use record::{Joining, Language, Others, Posting, Settings, Visible};

use engine::Engine;
use std::sync::{Arc, OnceLock};

/// The lists of one server.
pub struct Lists {
    engine: Arc<dyn Engine>,
    bell: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Lists {
    /// Those kept in `engine`.
    pub fn new(engine: Arc<dyn Engine>) -> Lists {
        Lists { engine, bell: OnceLock::new() }
    }

    /// Sets who is woken, from any thread and by a call that must not wait, when there may be a post to send to members.
    /// The first one stays.
    pub fn listen(&self, bell: impl Fn() + Send + Sync + 'static) {
        let _ = self.bell.set(Box::new(bell));
    }

    /// Wakes the one who sends posts to members: to be called after a commit with a post.
    pub fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell();
        }
    }
}

#[cfg(test)]
mod tests;
