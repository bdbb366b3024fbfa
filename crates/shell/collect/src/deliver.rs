//! Putting a collected message into the account: message and note are one commit.

use crate::host::Why;
use agents::World;
use collecting::trace::{Trace, arrival, with_line_ends};
use collecting::{Noted, TroubleKind};
use engine::AccountId;
use model::{FlagSet, Keyword, UnixTime};
use store::{
    Delivery, Error, Extra, Fallback, Outcome, Prepared, Recipient, RecipientOutcomes, Target, Written,
};

/// A message that was fetched.
pub(crate) struct Fetched {
    /// As it came.
    pub content: Vec<u8>,
    /// System flags to begin with.
    pub flags: FlagSet,
    /// Keywords to begin with.
    pub keywords: Vec<Keyword>,
    /// INTERNALDATE, if the source says one.
    pub date: Option<UnixTime>,
}

/// Begins to put a message into a mailbox, together with its note; several that are begun before the first is awaited
/// become durable by one flush of the disk.
///
/// # Errors
/// The message can't be taken apart.
pub(crate) fn begin(
    world: &World,
    account: AccountId,
    mailbox: &Target,
    trace: &Trace<'_>,
    fetched: Fetched,
    noted: Noted,
) -> Result<Written<RecipientOutcomes>, Why> {
    let received = arrival(fetched.date, &fetched.content, trace.now);
    let field = trace.received();
    let mut whole = Vec::with_capacity(field.len() + fetched.content.len());
    whole.extend_from_slice(field.as_bytes());
    whole.append(&mut with_line_ends(fetched.content));
    let delivery = Delivery {
        message: Prepared::new(&whole).map_err(storage)?,
        recipients: vec![Recipient {
            account,
            mailbox: mailbox.clone(),
            fallback: Fallback::Inbox,
            flags: fetched.flags,
            keywords: fetched.keywords,
        }],
        received,
        extra: Some(Extra { references: 0, write: Box::new(move |tx, _| collecting::note(tx, &noted)) }),
        follow: None,
    };
    Ok(world.store.deliver(delivery))
}

/// Waits until a message that was begun with is durable in the account, its note too.
///
/// # Errors
/// The account is full, or the store failed; then there is neither message nor note.
pub(crate) async fn end(delivery: Written<RecipientOutcomes>) -> Result<(), Why> {
    match delivery.await {
        Err(Error::Cancelled) => {
            Err((TroubleKind::Storage, "the source was removed meanwhile".to_owned()))
        }
        Err(error) => Err(storage(error)),
        Ok(outcomes) => match outcomes.first() {
            Some(Outcome::Delivered(_)) => Ok(()),
            Some(Outcome::OverQuota) => Err((
                TroubleKind::OverQuota,
                "the account is full: nothing more is collected until there is room, nothing is deleted at the source"
                    .to_owned(),
            )),
            Some(Outcome::NoAccount) => Err((TroubleKind::Storage, "the account is gone".to_owned())),
            other => Err((TroubleKind::Storage, format!("the message could not be stored: {other:?}"))),
        },
    }
}

fn storage(error: Error) -> Why {
    (TroubleKind::Storage, format!("this server's store failed: {error}"))
}

/// The mailbox with that name, made if need be.
///
/// # Errors
/// It can't be made.
pub(crate) async fn mailbox(world: &World, account: AccountId, name: &str) -> Result<Target, Why> {
    match world.store.mailbox_by_name(account, name) {
        Ok(info) if info.id.is_some() => return Ok(Target::Name(name.to_owned())),
        Ok(_) | Err(Error::NoMailbox) => {}
        Err(error) => return Err(unmade(name, &error)),
    }
    match world.store.create_mailbox(account, name, None, World::now()).await {
        Ok(_) | Err(Error::MailboxExists) => {}
        Err(error) => return Err(unmade(name, &error)),
    }
    world.store.subscribe(account, name, true).await.map_err(|error| unmade(name, &error))?;
    Ok(Target::Name(name.to_owned()))
}

fn unmade(name: &str, error: &Error) -> Why {
    (TroubleKind::Folder, format!("the mailbox {name} can't be made: {error}"))
}
