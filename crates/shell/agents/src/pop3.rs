//! POP3: the inbox as a maildrop, locked against other POP3 sessions.

use crate::login::{self, Login};
use crate::metrics::Protocol;
use crate::world::World;
use ::pop3::{Answer, Ask, Entry, Maildrop, Uncommitted, Unopened, Unread};
use engine::AccountId;
use model::{MailboxId, Uid, UidSet};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Needs;

/// Rows read at a time when a maildrop is listed.
const PAGE: usize = 2000;

/// Answers one POP3 session.
pub struct Pop3Agent {
    world: Arc<World>,
    peer: Option<IpAddr>,
    trace: String,
    login: Option<Login>,
    open: Option<Open>,
    login_delay: Duration,
}

/// An open maildrop.
struct Open {
    account: AccountId,
    mailbox: MailboxId,
    /// Dropped with the agent: a broken connection gives the lock back and removes nothing.
    _lock: Lock,
}

/// What POP3 sessions of one server share.
#[derive(Default)]
pub struct Maildrops {
    /// Accounts whose maildrop a POP3 session has (RFC 1939 §4).
    locked: Mutex<HashSet<AccountId>>,
    /// When each account last opened its maildrop; kept only where a delay is configured, one small entry an account.
    last_opened: Mutex<HashMap<AccountId, Instant>>,
}

struct Lock {
    maildrops: Arc<Maildrops>,
    account: AccountId,
}

impl Lock {
    fn take(maildrops: &Arc<Maildrops>, account: AccountId) -> Option<Lock> {
        // Not `then_some`: a Lock made for nothing would be dropped, taking the mutex again and freeing the other's lock.
        maildrops.locked.lock().insert(account).then(|| Lock { maildrops: maildrops.clone(), account })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.maildrops.locked.lock().remove(&self.account);
    }
}

impl Maildrops {
    fn too_soon(&self, account: AccountId, delay: Duration) -> bool {
        let (now, mut last) = (Instant::now(), self.last_opened.lock());
        if last.get(&account).is_some_and(|before| now.duration_since(*before) < delay) {
            return true;
        }
        last.insert(account, now);
        false
    }
}

impl Pop3Agent {
    /// For a new connection.
    /// `login_delay`: least time between two log-ins of one account (LOGIN-DELAY, RFC 2449 §6.5).
    pub fn new(world: Arc<World>, peer: Option<IpAddr>, trace: String, login_delay: Duration) -> Pop3Agent {
        Pop3Agent { world, peer, trace, login: None, open: None, login_delay }
    }

    /// The connection's id in logs.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    fn open(&mut self) -> Result<Maildrop, Unopened> {
        let Some(login) = &self.login else { return Err(Unopened::Permanent) };
        let account = login.account;
        let lock = Lock::take(&self.world.maildrops, account).ok_or(Unopened::InUse)?;
        if !self.login_delay.is_zero() && self.world.maildrops.too_soon(account, self.login_delay) {
            return Err(Unopened::LoginDelay);
        }
        let listed = list(&self.world, account);
        let (mailbox, maildrop) = listed.map_err(|error| {
            tracing::error!(trace = self.trace, %error, "a maildrop can't be opened");
            if error.is_transient() { Unopened::Temporary } else { Unopened::Permanent }
        })?;
        self.open = Some(Open { account, mailbox, _lock: lock });
        Ok(maildrop)
    }

    fn read(&self, uid: Uid, start: u64, length: u64) -> Result<Vec<u8>, Unread> {
        let Some(open) = &self.open else { return Err(Unread::Gone) };
        self.world.store.content(open.account, open.mailbox, uid, start, length).map_err(
            |error| match error {
                store::Error::NoMessage | store::Error::NoMailbox => Unread::Gone,
                error => {
                    tracing::error!(trace = self.trace, %uid, %error, "a message can't be read");
                    if error.is_transient() { Unread::Temporary } else { Unread::Damaged }
                }
            },
        )
    }

    async fn commit(&mut self, deleted: Vec<Uid>) -> Result<(), Uncommitted> {
        // The lock lives to the end of this function.
        let Some(open) = self.open.take() else { return Ok(()) };
        if deleted.is_empty() {
            return Ok(());
        }
        let uids: UidSet = deleted.into_iter().collect();
        match self.world.store.remove(open.account, open.mailbox, uids).await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(trace = self.trace, %error, "messages can't be removed");
                Err(if error.is_transient() { Uncommitted::Temporary } else { Uncommitted::Permanent })
            }
        }
    }
}

fn list(world: &World, account: AccountId) -> Result<(MailboxId, Maildrop), store::Error> {
    let inbox = world.store.mailbox_by_name(account, "INBOX")?;
    let mailbox = inbox.id.ok_or(store::Error::NoMailbox)?;
    let opened = world.store.open(account, mailbox)?;
    let mut messages = Vec::with_capacity(opened.uids.len() as usize);
    let mut from = Uid(1);
    loop {
        let page =
            world.store.rows(account, mailbox, &opened.uids, from, Needs::default(), PAGE, usize::MAX)?;
        for record in &page.damaged {
            tracing::error!(record, "a message can't be listed, its record is damaged");
        }
        messages.extend(
            page.rows
                .iter()
                .map(|row| Entry { uid: row.uid, size_octets: u32::try_from(row.size).unwrap_or(u32::MAX) }),
        );
        match page.next {
            Some(next) => from = next,
            None => break,
        }
    }
    let maildrop = Maildrop {
        uid_validity: opened.counters.uid_validity,
        messages,
        own_uidls: BTreeMap::new(),
        last_accessed: None,
    };
    Ok((mailbox, maildrop))
}

impl net::Desk for Pop3Agent {
    type Session = ::pop3::Pop3;

    async fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Auth(question) => {
                let (reply, login) =
                    login::answer(&self.world, Protocol::Pop3, self.peer, &self.trace, question).await;
                if login.is_some() {
                    self.login = login;
                }
                Answer::Auth(reply)
            }
            Ask::Open { .. } => {
                tokio::task::block_in_place(|| self.open()).map_or_else(Answer::Unopened, Answer::Opened)
            }
            Ask::Read { uid, range } => {
                let length = range.end.saturating_sub(range.start);
                let read = tokio::task::block_in_place(|| self.read(uid, range.start, length));
                read.map_or_else(Answer::Unread, Answer::Octets)
            }
            Ask::Commit { deleted, .. } => match self.commit(deleted).await {
                Ok(()) => Answer::Done,
                Err(why) => Answer::Uncommitted(why),
            },
            Ask::Release => {
                self.open = None;
                Answer::Done
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maildrop_is_locked_once_and_a_refusal_frees_nothing() {
        let (maildrops, account) = (Arc::new(Maildrops::default()), AccountId(7));
        let first = Lock::take(&maildrops, account).expect("nobody has it");
        assert!(Lock::take(&maildrops, account).is_none());
        assert!(Lock::take(&maildrops, account).is_none(), "the refusal before did not free it");
        drop(first);
        assert!(Lock::take(&maildrops, account).is_some());
    }
}
