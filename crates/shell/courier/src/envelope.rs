//! A queued message as the client sends it: its envelope, and its content changed where the host can't take it as it is.

use crate::clock;
use crate::content::Content;
use agents::World;
use mime::convert::{self, Octets, Target};
use queue::{Body, ByMode, Entry, Notify, Recipient, Ret};
use smtp::client::{DeliverBy, Extension, Fit, Options, Peer, Transaction};
use smtp::{BodyType, NotifyOn, OriginalRecipient};

/// Larger messages are changed on a thread of their own.
const CHANGED_IN_PLACE_MAX: u64 = 64 * 1024;

/// The transaction for these recipients. What the host can't take and what can't be changed stays as it is: the client
/// says then what it lacks.
///
/// # Errors
/// The content can't be read.
pub(crate) fn transaction(
    entry: &Entry,
    recipients: &[&Recipient],
    content: &mut Content,
    peer: &Peer,
    world: &World,
) -> Result<Transaction, engine::Error> {
    let mut options = options(entry);
    if needs_a_look(&options, content, peer) {
        if content.left() <= CHANGED_IN_PLACE_MAX {
            adapt(&mut options, content, peer, world)?;
        } else {
            tokio::task::block_in_place(|| adapt(&mut options, content, peer, world))?;
        }
    }
    Ok(Transaction {
        from: entry.reverse_path.clone(),
        recipients: recipients.iter().map(|one| recipient(one)).collect(),
        options,
        content_bytes: content.left(),
    })
}

fn options(entry: &Entry) -> Options {
    Options {
        body: match entry.body {
            Body::SevenBit => BodyType::SevenBit,
            Body::EightBitMime => BodyType::EightBitMime,
            Body::BinaryMime => BodyType::BinaryMime,
        },
        smtputf8: entry.smtputf8,
        ret: entry.ret.map(|ret| match ret {
            Ret::Full => smtp::Ret::Full,
            Ret::Hdrs => smtp::Ret::Headers,
        }),
        envid: entry.envid.clone(),
        require_tls: entry.tls == queue::TlsWish::Required,
        priority: Some(entry.priority).filter(|priority| *priority != 0),
        deliver_by: entry.deliver_by.map(|by| DeliverBy {
            // RFC 2852 §4.1.4: what is left of the time.
            seconds: by.at.0 - clock::now().unix_time().0,
            must_return: by.mode == ByMode::Return,
            trace: by.trace,
        }),
        submitter: None,
    }
}

/// Whether what the envelope says of the message is more than the host takes.
fn needs_a_look(options: &Options, content: &Content, peer: &Peer) -> bool {
    let utf8 = options.smtputf8 && !peer.has(Extension::SmtpUtf8);
    utf8 || matches!(peer.fit(options, content.left()), Fit::ToSevenBit | Fit::ToEightBit)
}

/// Finds out what the message really needs, which is often less than its sender announced, and converts it (RFC 6152 §3);
/// what this server had signed is signed anew.
fn adapt(
    options: &mut Options,
    content: &mut Content,
    peer: &Peer,
    world: &World,
) -> Result<(), engine::Error> {
    let message = content.whole()?;
    if !peer.has(Extension::SmtpUtf8) {
        options.smtputf8 &= convert::survey(message).header != Octets::SevenBit;
    }
    let (target, body) = match peer.fit(options, message.len() as u64) {
        Fit::ToSevenBit => (Target::SevenBit, BodyType::SevenBit),
        Fit::ToEightBit => (Target::EightBit, BodyType::EightBitMime),
        Fit::AsIs | Fit::Lacks(_) => return Ok(()),
    };
    match convert::convert(message, target) {
        Ok(changed) => {
            options.body = body;
            if let Some(changed) = changed {
                let signed = world.sign_again(message, changed, clock::now().unix_time());
                content.replace(signed);
            }
        }
        Err(why) => tracing::debug!(%why, "a message can't be converted"),
    }
    Ok(())
}

fn recipient(queued: &Recipient) -> smtp::Recipient {
    smtp::Recipient {
        path: model::Path::Mailbox(queued.address.clone()),
        notify: match queued.notify {
            Notify::Default => None,
            Notify::Never => Some(smtp::Notify::NEVER),
            Notify::On { success, failure, delay } => {
                let events =
                    [(success, NotifyOn::Success), (failure, NotifyOn::Failure), (delay, NotifyOn::Delay)];
                let add = |set: smtp::Notify, (on, event)| if on { set.with(event) } else { set };
                Some(events.into_iter().fold(smtp::Notify::NEVER, add))
            }
        },
        original: queued.orcpt.as_ref().map(|original| OriginalRecipient {
            addr_type: original.address_type.clone(),
            address: original.address.clone(),
        }),
    }
}
