//! What became of a recipient, in the words of the queue.

use model::UnixTime;
use queue::schedule::{Backoff, Retry};
use queue::{Attempt, Onward, Settled, Suppression, TimeKept};
use route::Trouble;
use smtp::client::{Outcome, Verdict};

/// What became of one recipient at one host, or on the way there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fate {
    pub verdict: Verdict,
    /// What that comes to when there is no other host.
    pub at_last: Verdict,
    /// What the host said, or what happened.
    pub reply: String,
    /// Enhanced status code.
    pub status: String,
    /// Who said so; None: this server.
    pub remote: Option<String>,
    /// Whether the host tells the sender what he wants to hear.
    pub onward: Onward,
    /// Whether the host heeds the time to deliver by.
    pub time: TimeKept,
    /// It was one recipient too many: it goes in the next transaction, which counts as the same attempt.
    pub surplus: bool,
    /// The host wants less of us.
    pub busy: bool,
    /// The host may have taken the message all the same (RFC 5321 §6.1).
    pub uncertain: bool,
}

impl Fate {
    /// What the host made of it.
    pub(crate) fn of(outcome: &Outcome, host: &str) -> Fate {
        let said = outcome.reply().is_some();
        let text = outcome.to_string();
        Fate {
            verdict: outcome.verdict,
            at_last: outcome.without_other_host(),
            // What is no reply says which host is meant.
            reply: if said { text } else { format!("{host}: {text}") },
            status: outcome.enhanced().to_string(),
            remote: said.then(|| host.to_owned()),
            onward: Onward::Silent,
            time: TimeKept::Yes,
            surplus: outcome.is_surplus(),
            busy: outcome.reply().is_some_and(|reply| reply.code == 421),
            uncertain: outcome.is_uncertain(),
        }
    }

    /// The host, or the way to it, can't be used; the next one may be.
    pub(crate) fn unusable(reply: String, status: &str) -> Fate {
        let (surplus, busy, uncertain) = (false, false, false);
        let (verdict, at_last) = (Verdict::HostUnusable, Verdict::Deferred);
        let (remote, onward, time) = (None, Onward::Silent, TimeKept::Yes);
        Fate {
            verdict,
            at_last,
            reply,
            status: status.to_owned(),
            remote,
            onward,
            time,
            surplus,
            busy,
            uncertain,
        }
    }

    /// The same, and there is no use in trying again.
    pub(crate) fn for_good(self) -> Fate {
        Fate { at_last: Verdict::Failed, ..self }
    }

    /// Nothing is sent there any more. RFC 3463 X.7.1, a rule of this server: that the address is wrong was learnt before,
    /// and is not to be learnt again from this.
    pub(crate) fn suppressed(suppression: &Suppression) -> Fate {
        let text = suppression.to_string();
        Fate { verdict: Verdict::Failed, at_last: Verdict::Failed, ..Fate::unusable(text, "5.7.1") }
    }

    /// There is no host.
    pub(crate) fn no_way(trouble: &Trouble) -> Fate {
        let verdict = if trouble.is_permanent() { Verdict::Failed } else { Verdict::Deferred };
        let (_, status) = trouble.code();
        Fate { verdict, at_last: verdict, ..Fate::unusable(trouble.to_string(), status) }
    }

    /// The outcome for the queue, after so many earlier attempts.
    pub(crate) fn attempt(
        &self,
        before: u32,
        backoff: &Backoff,
        now: UnixTime,
        expires: UnixTime,
    ) -> Attempt {
        match self.at_last {
            Verdict::Delivered => Attempt::Delivered,
            Verdict::Failed => Attempt::Failed,
            Verdict::Deferred | Verdict::HostUnusable => {
                let random = (crate::random::number() >> 32) as u32;
                match backoff.retry(before.saturating_add(1), now, expires, random) {
                    Retry::At(at) => Attempt::Deferred(at),
                    Retry::GiveUp => Attempt::Expired,
                }
            }
        }
    }

    /// For the store.
    pub(crate) fn settled(self, index: u32, attempt: Attempt) -> Settled {
        Settled {
            // RFC 3463 §3.5: that time ran out has a status of its own; what the last trouble was stands in the reply.
            status: (attempt != Attempt::Expired).then(|| match self.status.strip_prefix("4.") {
                // There was no other host: what was a reason to try one is final now.
                Some(detail) if attempt == Attempt::Failed => format!("5.{detail}"),
                _ => self.status,
            }),
            remote: self.remote,
            onward: self.onward,
            time: self.time,
            ..Settled::new(index, attempt, self.reply)
        }
    }
}
