//! A queued message as the client sends it.

use crate::content::Content;
use queue::{Body, Entry, Notify, Recipient, Ret};
use smtp::client::{Options, Outcome, Peer, Transaction};
use smtp::{BodyType, NotifyOn, OriginalRecipient};

/// Its envelope, for these recipients; the content is changed where the peer can't take it as it is.
pub(crate) fn transaction(
    entry: &Entry,
    recipients: &[&Recipient],
    content: &mut Content,
    peer: &Peer,
) -> Result<Transaction, Outcome> {
    let options = Options {
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
        ..Options::default()
    };
    let _ = peer;
    Ok(Transaction {
        from: entry.reverse_path.clone(),
        recipients: recipients.iter().map(|one| recipient(one)).collect(),
        options,
        content_bytes: content.left(),
    })
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
