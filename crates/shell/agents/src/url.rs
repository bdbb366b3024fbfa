//! Messages that IMAP URLs name: for CATENATE and URLFETCH in IMAP, and for BURL in submission.

use crate::world::World;
use ::imap::url::AccessKey;
use engine::AccountId;
use model::{Uid, UidSet, UidValidity};
use store::{ContentNeed, Error, Needs, Present, RowContent, Target};

/// Octets of a message, and how many it has.
pub(crate) struct Piece {
    pub(crate) size: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Where a message is: the name of its mailbox, what UIDVALIDITY must be, and its UID.
pub(crate) type Place<'a> = (&'a str, Option<UidValidity>, Uid);

/// Reads octets `start..start + length` of a message. May read from disk.
///
/// # Errors
/// [`Error::NoMailbox`], also when UIDVALIDITY is another; [`Error::NoMessage`].
pub(crate) fn read(
    world: &World,
    account: AccountId,
    (mailbox, uid_validity, uid): Place<'_>,
    start: u64,
    length: u64,
) -> Result<Piece, Error> {
    let found = world.store.mailbox_by_name(account, mailbox)?;
    let id = found.id.ok_or(Error::NoMailbox)?;
    if uid_validity.is_some_and(|wanted| wanted != found.counters.uid_validity) {
        return Err(Error::NoMailbox);
    }
    let needs = Needs { content: ContentNeed::Range { start, length }, ..Needs::default() };
    let only: UidSet = [uid].into_iter().collect();
    let mut page = world.store.rows(account, id, &only, uid, needs, 1, usize::MAX)?;
    let row = page.rows.pop().ok_or(Error::NoMessage)?;
    match row.content {
        RowContent::Bytes(bytes) => Ok(Piece { size: row.size, bytes }),
        RowContent::None => Ok(Piece { size: row.size, bytes: Vec::new() }),
        RowContent::Corrupt(why) => {
            let what = format!("message {uid} of mailbox {id} of account {}", account.0);
            Err(Error::Engine(engine::Error::Corrupt { what, why }))
        }
    }
}

/// The account with that log-in name, and its full address. Nobody who may not log in.
pub(crate) fn owner(world: &World, login: &str) -> Result<Option<(AccountId, String)>, directory::Error> {
    let found = world.directory.login_account(login)?.filter(|account| !account.disabled);
    Ok(found.map(|account| (account.id, account.address.to_string())))
}

/// The key of a mailbox that has one.
pub(crate) fn key(world: &World, account: AccountId, mailbox: &str) -> Result<Option<AccessKey>, Error> {
    match world.store.mailbox_by_name(account, mailbox) {
        Ok(store::MailboxInfo { id: Some(id), .. }) => {
            Ok(world.store.access_key(account, id)?.map(AccessKey))
        }
        Ok(_) | Err(Error::NoMailbox) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives a mailbox a key of random octets.
///
/// # Errors
/// [`Error::NoMailbox`].
pub(crate) async fn make_key(
    world: &World,
    account: AccountId,
    mailbox: &str,
    present: Present,
) -> Result<AccessKey, Error> {
    let mut fresh = [0; 32];
    // Without random octets no key may be made.
    getrandom::fill(&mut fresh).map_err(|_| Error::Cancelled)?;
    let target = Target::Name(mailbox.to_owned());
    world.store.set_access_key(account, target, fresh, present).await.map(AccessKey)
}
