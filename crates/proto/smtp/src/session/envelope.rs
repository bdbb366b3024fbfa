//! MAIL and RCPT: the envelope (RFC 5321 §3.3, §4.1.1.2, §4.1.1.3).

use super::{Pending, Priority, Session};
use crate::ask::{Ask, Greeting, Outcome, Recipient, Sender};
use crate::content::{Content, LineWatch};
use crate::header::spelled;
use crate::params;
use crate::reply::Refusal;
use model::{Path, ReversePath};
use std::sync::Arc;

/// A message begun by an accepted MAIL.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) sender: Arc<Sender>,
    /// Accepted ones.
    pub(super) recipients: Vec<Arc<Recipient>>,
    /// RCPT commands, whatever came of them (RFC 9422 §4.2).
    pub(super) rcpt_count: usize,
    /// The message's id, once it begins to come in.
    pub(super) id: String,
    pub(super) chunks: Chunks,
}

/// What BDAT has brought in a transaction (RFC 3030 §2).
#[derive(Debug, Default)]
pub(super) enum Chunks {
    /// No BDAT yet.
    #[default]
    None,
    /// Content so far.
    Some { content: Content, watch: LineWatch },
    /// A chunk failed: only RSET (or EHLO) leads on.
    Failed,
}

impl Session {
    /// Whether mail may be spoken of at all; the refusal if not.
    pub(super) fn mail_barred(&self) -> Option<Refusal> {
        if self.client.greeting == Greeting::None {
            return Some(Refusal::new(503, (5, 1), "Greet first, with EHLO (LHLO for LMTP)"));
        }
        self.login_missing()
    }

    pub(super) fn mail(&mut self, args: &str, now: i64) {
        if let Some(refusal) = self.mail_barred() {
            return self.refuse(&refusal);
        }
        if self.transaction.is_some() {
            return self.refuse_order("A message is begun already; RSET drops it");
        }
        self.counts.mails = self.counts.mails.saturating_add(1);
        if self.counts.mails > self.config.limits.messages_max {
            return self.give_up((5, 3), "Too many messages in one session; connect again for more");
        }
        let mail = match params::mail(args, &self.offered_parameters()) {
            Ok(mail) => mail,
            Err(refusal) => return self.refuse(&refusal),
        };
        if mail.has_params && self.client.greeting == Greeting::Helo {
            return self.refuse(&params_after_helo());
        }
        if mail.submitter.is_some() && self.config.mechanisms.is_empty() {
            // Parameters belong to extensions that EHLO lists.
            return self.refuse(&Refusal::new(555, (5, 4), "The parameter AUTH is not offered on this port"));
        }
        let size_max = self.config.limits.message_bytes_max;
        if mail.size_bytes.is_some_and(|size| size > size_max) {
            // RFC 1870 §6.1
            let text = format!("The message is too large; at most {size_max} octets are taken");
            return self.decline(&Refusal::new(552, (3, 4), text));
        }
        let (wishes, priority) = match self.wishes(mail.wishes, now) {
            Ok(wishes) => wishes,
            Err(refusal) => return self.refuse(&refusal),
        };
        let sender = Arc::new(Sender {
            client: Arc::clone(&self.client),
            from: mail.from,
            size_bytes: mail.size_bytes,
            body: mail.body,
            smtputf8: mail.smtputf8,
            ret: mail.ret,
            envid: mail.envid,
            submitter: mail.submitter,
            wishes,
        });
        self.ask(Ask::Sender(Arc::clone(&sender)), Pending::Sender(sender, priority));
    }

    pub(super) fn sender_answered(&mut self, sender: Arc<Sender>, priority: Priority, outcome: Outcome) {
        if let Err(refusal) = outcome {
            return self.decline(&refusal);
        }
        let text = match &sender.from {
            ReversePath::Null => "Sender <> noted".to_owned(),
            ReversePath::Mailbox(address) => format!("Sender <{}> noted", spelled(address, sender.smtputf8)),
        };
        self.transaction = Some(Transaction {
            sender,
            recipients: Vec::new(),
            rcpt_count: 0,
            id: String::new(),
            chunks: Chunks::None,
        });
        match priority {
            Priority::Kept => self.say(250, (1, 0), &text),
            // RFC 6710 §4.1: the new priority stands first.
            Priority::Lowered => {
                self.say(250, (3, 6), "0 is the priority; who logs in may ask for a higher one")
            }
        }
    }

    pub(super) fn rcpt(&mut self, args: &str) {
        if let Some(refusal) = self.mail_barred() {
            return self.refuse(&refusal);
        }
        let Some(transaction) = &mut self.transaction else {
            return self.refuse_order("MAIL has to come before RCPT");
        };
        if !matches!(transaction.chunks, Chunks::None) {
            return self.refuse_order("The message has begun; recipients come before it");
        }
        transaction.rcpt_count += 1;
        if transaction.rcpt_count > self.config.limits.recipients_max {
            // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
            let text = "Too many recipients for one message; send it again for the rest";
            return self.decline(&Refusal::new(452, (5, 3), text));
        }
        let (sender, accepted_count) = (Arc::clone(&transaction.sender), transaction.recipients.len());
        let rcpt = match params::rcpt(args, sender.smtputf8) {
            Ok(rcpt) => rcpt,
            Err(refusal) => return self.refuse(&refusal),
        };
        if rcpt.has_params && self.client.greeting == Greeting::Helo {
            return self.refuse(&params_after_helo());
        }
        let recipient = Arc::new(Recipient { path: rcpt.path, notify: rcpt.notify, original: rcpt.original });
        let ask = Ask::Recipient { sender, recipient: Arc::clone(&recipient), accepted_count };
        self.ask(ask, Pending::Recipient(recipient));
    }

    pub(super) fn recipient_answered(&mut self, recipient: Arc<Recipient>, outcome: Outcome) {
        if let Err(refusal) = outcome {
            self.counts.refused_recipients += 1;
            self.decline(&refusal);
            if self.counts.refused_recipients >= self.config.limits.refused_recipients_max {
                self.give_up((7, 0), "Too many recipients were refused; check the list and come back");
            }
            return;
        }
        let Some(transaction) = &mut self.transaction else {
            return self.give_up((3, 0), "The server made a mistake; try again later");
        };
        let text = recipient_text(&recipient.path, transaction.sender.smtputf8);
        transaction.recipients.push(recipient);
        self.say(250, (1, 5), &format!("Recipient {text} noted"));
    }
}

/// A recipient as replies show it.
pub(super) fn recipient_text(path: &Path, smtputf8: bool) -> String {
    match path {
        Path::Mailbox(address) => format!("<{}>", spelled(address, smtputf8)),
        Path::Postmaster => "<postmaster>".to_owned(),
    }
}

fn params_after_helo() -> Refusal {
    Refusal::new(555, (5, 4), "Parameters belong to extensions; greet with EHLO to use them")
}
