//! Which entries are meant.

use crate::entry::RecipientState;
use crate::record::{EnvelopeRecord, RecipientRecord};
use engine::AccountId;
use model::{Domain, UnixTime};

/// Which entries are meant; all conditions must hold, those on recipients for one and the same.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Reverse-path, whole and ignoring case; empty for `<>`.
    pub sender: Option<String>,
    /// Who sent it, logged in.
    pub account: Option<AccountId>,
    /// Accepted before.
    pub before: Option<UnixTime>,
    /// A recipient of this domain.
    pub recipient_domain: Option<Domain>,
    /// This recipient, whole and ignoring case.
    pub recipient: Option<String>,
    /// A recipient in this state.
    pub state: Option<RecipientState>,
    /// A recipient whose last reply has this in it, ignoring case.
    pub reply: Option<String>,
}

impl Filter {
    pub(crate) fn takes(&self, envelope: &EnvelopeRecord, recipients: &[(u32, RecipientRecord)]) -> bool {
        let sender = |wanted: &String| envelope.reverse_path.to_lowercase() == wanted.to_lowercase();
        self.sender.as_ref().is_none_or(sender)
            && self.account.is_none_or(|wanted| envelope.account == Some(wanted.0))
            && self.before.is_none_or(|before| envelope.received < before.0)
            && recipients.iter().any(|(_, recipient)| self.takes_recipient(recipient))
    }

    fn takes_recipient(&self, recipient: &RecipientRecord) -> bool {
        let reply = |wanted: &String| {
            let last = recipient.last_reply.as_ref().map(|reply| reply.to_lowercase());
            last.is_some_and(|last| last.contains(&wanted.to_lowercase()))
        };
        let address = |wanted: &String| recipient.address.to_lowercase() == wanted.to_lowercase();
        self.recipient_domain.as_ref().is_none_or(|domain| domain.as_str() == recipient.domain())
            && self.recipient.as_ref().is_none_or(address)
            && self.state.is_none_or(|state| state == recipient.state)
            && self.reply.as_ref().is_none_or(reply)
    }
}
