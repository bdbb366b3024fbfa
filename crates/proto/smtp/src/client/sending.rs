//! A transaction under way: commands in the order and number that the server takes, replies to whom they belong.
//!
//! With PIPELINING (RFC 2920) MAIL, all RCPT and DATA leave together, [`AWAITED_MAX`] at most without a reply: so the
//! replies fit into the network's buffers however slowly this side reads, and neither side waits for the other. RSET after
//! a transaction that failed leaves with the MAIL of the next one.

use super::content::DotStuffer;
use super::outcome::{Break, Lack, Outcome, Stage, Why};
use super::peer::Extension;
use super::reply::{Reply, ReplyError};
use super::transaction::{Transaction, needs_utf8};
use super::{Chunking, Client, Protocol, REPLY_TEXT_BYTES_MAX, State, Step, Verdict};
use crate::ask::BodyType;
use model::Path;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Most commands without a reply.
const AWAITED_MAX: usize = 100;

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Sending {
    transaction: Transaction,
    /// One for each recipient; None: not decided.
    outcomes: Vec<Option<Outcome>>,
    /// Recipients that the server took, in order.
    accepted: Vec<usize>,
    /// The recipient whose RCPT is next.
    next: usize,
    awaited: VecDeque<Awaited>,
    means: Means,
    phase: Phase,
}

/// A command whose reply is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaited {
    Reset,
    Mail,
    Rcpt(usize),
    Data,
}

/// How the message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Means {
    Data,
    Bdat,
}

#[derive(Debug)]
enum Phase {
    /// MAIL is next.
    Begin,
    /// RCPT commands and their replies, up to DATA's.
    Envelope { data_said: bool },
    /// The message.
    Content { stuffer: Option<DotStuffer>, left_bytes: u64 },
    /// It is out. LMTP: how many of the accepted recipients have had their reply.
    Final { heard: usize },
    /// Nothing was accepted, but the server takes a message all the same: it got an empty one, whose reply means nothing.
    Dummy,
}

impl Sending {
    pub(super) fn stage(&self) -> Stage {
        match &self.phase {
            Phase::Begin => Stage::Mail,
            Phase::Envelope { .. } => match self.awaited.front() {
                Some(Awaited::Reset | Awaited::Mail) => Stage::Mail,
                Some(Awaited::Rcpt(_)) => Stage::Rcpt,
                Some(Awaited::Data) | None => Stage::Data,
            },
            Phase::Content { .. } => Stage::Content,
            Phase::Final { .. } => Stage::Final,
            Phase::Dummy => Stage::Data,
        }
    }

    /// The outcomes, where those not decided are this one.
    pub(super) fn end_all(self, outcome: &Outcome) -> Vec<Outcome> {
        self.outcomes.into_iter().map(|decided| decided.unwrap_or_else(|| outcome.clone())).collect()
    }

    fn decide_open(&mut self, outcome: &Outcome) {
        for open in self.outcomes.iter_mut().filter(|decided| decided.is_none()) {
            *open = Some(outcome.clone());
        }
    }

    fn is_decided(&self) -> bool {
        self.outcomes.iter().all(Option::is_some)
    }

    /// The next recipient to be told of, if any.
    fn next_open(&self) -> Option<usize> {
        (self.next..self.outcomes.len()).find(|index| self.outcomes[*index].is_none())
    }
}

impl Client {
    /// Looks whether the message can go at all, and which recipients it can go to.
    pub(super) fn begin(&mut self, transaction: Transaction) {
        let peer = &self.peer;
        let lack = peer.lack(&transaction, self.protection()).or_else(|| {
            let utf8 = transaction.sender_needs_utf8() && !peer.has(Extension::SmtpUtf8);
            utf8.then_some(Lack::SmtpUtf8)
        });
        let bdat = peer.has(Extension::Chunking)
            && (self.settings.chunking == Chunking::Offered
                || transaction.options.body == BodyType::BinaryMime);
        let mut sending = Sending {
            outcomes: vec![lack.map(Outcome::lacks); transaction.recipients.len()],
            transaction,
            accepted: Vec::new(),
            next: 0,
            awaited: VecDeque::new(),
            means: if bdat { Means::Bdat } else { Means::Data },
            phase: Phase::Begin,
        };
        if self.peer.mails_max.is_some_and(|most| self.mails >= most) {
            // The session is used up (RFC 9422 §4.1); the host is not.
            let outcome = Outcome { verdict: Verdict::HostUnusable, why: Why::Surplus };
            sending.decide_open(&outcome);
        }
        self.decide_unsaid(&mut sending);
        self.state = match sending.is_decided() {
            true => State::ToTransacted(sending.outcomes.into_iter().flatten().collect(), None),
            false => State::Sending(Box::new(sending)),
        };
    }

    /// Recipients that the server need not be asked about: those it can't spell, and those beyond its limits
    /// (RFC 9422 §4.2, §4.3), the first of which always fits.
    fn decide_unsaid(&self, sending: &mut Sending) {
        let recipients_max = self.peer.recipients_max.map_or(usize::MAX, |most| most as usize);
        let domains_max = self.peer.recipient_domains_max.map_or(usize::MAX, |most| most as usize);
        let mut count = 0;
        let mut domains = BTreeSet::new();
        for (recipient, decided) in sending.transaction.recipients.iter().zip(&mut sending.outcomes) {
            if decided.is_some() {
                continue;
            }
            if needs_utf8(&recipient.path) && !self.peer.has(Extension::SmtpUtf8) {
                *decided = Some(Outcome::lacks(Lack::SmtpUtf8));
                continue;
            }
            let domain = match &recipient.path {
                Path::Mailbox(address) => Some(&address.domain),
                Path::Postmaster => None,
            };
            let fits = count < recipients_max
                && (domains_max == usize::MAX || domains.contains(&domain) || domains.len() < domains_max);
            if !fits {
                *decided = Some(Outcome { verdict: Verdict::Deferred, why: Why::Surplus });
                continue;
            }
            count += 1;
            if domains_max != usize::MAX {
                domains.insert(domain);
            }
        }
    }

    /// No reply is there: writes what can be written. None: go on.
    pub(super) fn send_on(&mut self) -> Option<Step> {
        let State::Sending(sending) = &mut self.state else { return Some(Step::NeedInput) };
        match &mut sending.phase {
            Phase::Begin => {
                let pipelining = self.peer.has(Extension::Pipelining);
                if self.is_begun {
                    self.output.extend_from_slice(b"RSET\r\n");
                    sending.awaited.push_back(Awaited::Reset);
                    self.is_begun = false;
                    if !pipelining {
                        return Some(Step::NeedInput);
                    }
                } else if !sending.awaited.is_empty() && !pipelining {
                    return Some(Step::NeedInput);
                }
                self.mails = self.mails.saturating_add(1);
                sending.transaction.write_mail(&self.peer, &mut self.output);
                sending.awaited.push_back(Awaited::Mail);
                sending.phase = Phase::Envelope { data_said: false };
                None
            }
            Phase::Envelope { .. } => self.envelope_on(),
            Phase::Content { .. } => Some(Step::WantContent),
            Phase::Final { .. } | Phase::Dummy => Some(Step::NeedInput),
        }
    }

    fn envelope_on(&mut self) -> Option<Step> {
        let State::Sending(sending) = &mut self.state else { return Some(Step::NeedInput) };
        let Phase::Envelope { data_said } = &sending.phase else { return None };
        let data_said = *data_said;
        let room = if self.peer.has(Extension::Pipelining) { AWAITED_MAX } else { 1 };
        let may_say = sending.awaited.len() < room && !data_said;
        if may_say && let Some(index) = sending.next_open() {
            sending.transaction.write_rcpt(index, &self.peer, &mut self.output);
            sending.awaited.push_back(Awaited::Rcpt(index));
            sending.next = index + 1;
            return None;
        }
        // RFC 2920 §3.1: DATA ends a group. It is not said when it is known to be in vain.
        if may_say && sending.means == Means::Data && !sending.is_decided() {
            self.output.extend_from_slice(b"DATA\r\n");
            sending.awaited.push_back(Awaited::Data);
            sending.phase = Phase::Envelope { data_said: true };
            return None;
        }
        if !sending.awaited.is_empty() {
            return Some(Step::NeedInput);
        }
        if sending.accepted.is_empty() || sending.is_decided() {
            self.transacted();
            return None;
        }
        // All replies to RCPT are there, and BDAT needs no leave.
        let bytes = sending.transaction.content_bytes;
        self.output.extend_from_slice(format!("BDAT {bytes} LAST\r\n").as_bytes());
        sending.phase = Phase::Content { stuffer: None, left_bytes: bytes };
        self.content_ended_if_whole();
        None
    }

    /// Takes the next octets of the message, after [`Step::WantContent`]. Octets beyond `content_bytes` are a bug of the
    /// caller; without a transaction that waits for them (because it has ended meanwhile) they are dropped.
    ///
    /// # Panics
    /// When there are more octets than the transaction has promised.
    pub fn content(&mut self, octets: &[u8]) {
        let State::Sending(sending) = &mut self.state else { return };
        let Phase::Content { stuffer, left_bytes } = &mut sending.phase else { return };
        *left_bytes =
            left_bytes.checked_sub(octets.len() as u64).expect("the message is as long as was said");
        match stuffer {
            Some(stuffer) => stuffer.write(octets, &mut self.output),
            None => self.output.extend_from_slice(octets),
        }
        self.content_ended_if_whole();
    }

    fn content_ended_if_whole(&mut self) {
        let State::Sending(sending) = &mut self.state else { return };
        if let Phase::Content { stuffer, left_bytes: 0 } = &sending.phase {
            if let Some(stuffer) = stuffer {
                stuffer.finish(&mut self.output);
            }
            sending.phase = Phase::Final { heard: 0 };
        }
    }

    /// How many octets of the message are still wanted; 0 when none are.
    pub fn content_wanted_bytes(&self) -> u64 {
        match &self.state {
            State::Sending(sending) => match &sending.phase {
                Phase::Content { left_bytes, .. } => *left_bytes,
                _ => 0,
            },
            _ => 0,
        }
    }

    pub(super) fn sending_answered(&mut self, reply: Reply) {
        let protection = self.protection();
        let State::Sending(sending) = &mut self.state else { return };
        let stage = sending.stage();
        let code = reply.code;
        let shared = Arc::new(reply.shortened(REPLY_TEXT_BYTES_MAX));
        let outcome = Outcome::replied(stage, &shared, protection);
        let goes_on = match sending.phase {
            Phase::Envelope { .. } | Phase::Begin => match sending.awaited.pop_front() {
                None => Goes::Wrong,
                Some(awaited) => envelope_answered(sending, awaited, &outcome, code, &mut self.is_begun),
            },
            // The message is not out yet: a server that says no already says what it would have said, and what it makes of
            // the octets that are under way nobody knows.
            Phase::Content { .. } if code >= 400 => {
                sending.decide_open(&outcome);
                Goes::Dead
            }
            Phase::Content { .. } => Goes::Wrong,
            Phase::Final { ref mut heard } => {
                if (300..400).contains(&code) {
                    Goes::Wrong
                } else if self.settings.protocol == Protocol::Lmtp {
                    let index = sending.accepted[*heard];
                    *heard += 1;
                    sending.outcomes[index] = Some(outcome.clone());
                    if *heard == sending.accepted.len() { Goes::Over } else { Goes::On }
                } else {
                    sending.decide_open(&outcome);
                    Goes::Over
                }
            }
            Phase::Dummy => Goes::Over,
        };
        match goes_on {
            _ if code == 421 => self.ended_by(outcome),
            Goes::On => {}
            Goes::Message => self.data_accepted(),
            Goes::Over => {
                self.is_begun = false;
                self.transacted();
            }
            Goes::Dead => self.ended_by(outcome),
            Goes::Wrong => self.broke(Break::Garbled(ReplyError::Unexpected)),
        }
    }

    /// 354 has come.
    fn data_accepted(&mut self) {
        let State::Sending(sending) = &mut self.state else { return };
        if sending.accepted.is_empty() || sending.is_decided() {
            // RFC 2920 §3.1: the server takes a message for nobody; it gets an empty one.
            self.output.extend_from_slice(b".\r\n");
            if self.settings.protocol == Protocol::Lmtp {
                // RFC 2033 §4.2: as many replies as recipients, which are none: nothing can be waited for.
                return self.broke(Break::Garbled(ReplyError::Unexpected));
            }
            sending.phase = Phase::Dummy;
            return;
        }
        let left_bytes = sending.transaction.content_bytes;
        sending.phase = Phase::Content { stuffer: Some(DotStuffer::new()), left_bytes };
        self.content_ended_if_whole();
    }

    /// The peer closes after this reply, or can't be followed any more.
    fn ended_by(&mut self, outcome: Outcome) {
        if let State::Sending(sending) = std::mem::replace(&mut self.state, State::Idle) {
            self.state = State::ToTransacted(sending.end_all(&outcome), Some(outcome));
        }
    }

    /// Every recipient is decided.
    fn transacted(&mut self) {
        if let State::Sending(sending) = std::mem::replace(&mut self.state, State::Idle) {
            let missing = Outcome::broke(Stage::Data, Break::Garbled(ReplyError::Unexpected));
            debug_assert!(sending.is_decided(), "a transaction ends when all is decided");
            self.state = State::ToTransacted(sending.end_all(&missing), None);
        }
    }
}

/// What a reply leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Goes {
    /// On with the envelope.
    On,
    /// To the message.
    Message,
    /// To the end of the transaction.
    Over,
    /// To the end of the connection.
    Dead,
    /// The reply has no meaning.
    Wrong,
}

fn envelope_answered(
    sending: &mut Sending,
    awaited: Awaited,
    outcome: &Outcome,
    code: u16,
    is_begun: &mut bool,
) -> Goes {
    let positive = (200..300).contains(&code);
    match awaited {
        _ if (300..400).contains(&code) && (awaited != Awaited::Data || code != 354) => Goes::Wrong,
        Awaited::Reset if positive => Goes::On,
        // RSET can't be refused (RFC 5321 §4.1.1.5): the two sides have lost each other.
        Awaited::Reset => Goes::Wrong,
        Awaited::Mail if positive => {
            *is_begun = true;
            Goes::On
        }
        Awaited::Mail => {
            sending.decide_open(outcome);
            Goes::On
        }
        // After a MAIL that was refused RCPT and DATA are refused too, which says nothing.
        Awaited::Rcpt(index) if sending.outcomes[index].is_some() => Goes::On,
        Awaited::Rcpt(index) if positive => {
            sending.accepted.push(index);
            Goes::On
        }
        Awaited::Rcpt(index) => {
            sending.outcomes[index] = Some(outcome.clone());
            Goes::On
        }
        Awaited::Data if code == 354 => Goes::Message,
        Awaited::Data if positive => Goes::Wrong,
        Awaited::Data => {
            sending.decide_open(outcome);
            Goes::On
        }
    }
}
