//! What became of a recipient, in the words of the queue.

use model::UnixTime;
use net::Endpoint;
use queue::schedule::{Backoff, Retry};
use queue::{Attempt, Onward, Settled, Suppression, TimeKept};
use route::Trouble;
use smtp::Enhanced;
use smtp::client::{Outcome, Stage, Verdict, Why};

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
    /// It may be said of this server rather than of the message: another host of the domain may say otherwise.
    pub about_us: bool,
    /// It was one recipient too many: it goes in the next transaction, which counts as the same attempt.
    pub surplus: bool,
    /// The host wants less of us.
    pub busy: bool,
    /// The host may have taken the message all the same (RFC 5321 §6.1).
    pub uncertain: bool,
}

/// What the hosts of one attempt leave hope for. The last one tried does not decide alone: where a better one could not
/// be asked now, a later attempt finds it (RFC 5321 §5.1). What a host says of a recipient is final all the same: it would
/// not be a host of the domain if it did not know the domain's addresses.
#[derive(Default)]
pub(crate) struct Others {
    may_take_it: bool,
}

impl Others {
    /// There is a host that could not be asked now.
    pub(crate) fn may_take_it_later(&mut self) {
        self.may_take_it = true;
    }

    /// What was heard from one.
    pub(crate) fn heard(&mut self, fates: &[Option<Fate>]) {
        let waits = |fate: &Fate| fate.verdict == Verdict::HostUnusable && fate.at_last != Verdict::Failed;
        self.may_take_it |= fates.iter().flatten().any(waits);
    }

    /// A host that is of no use to us for good ends nothing as long as another one may take it.
    pub(crate) fn temper(&self, fate: &mut Fate) {
        let is_of_host = fate.verdict == Verdict::HostUnusable || fate.about_us;
        if self.may_take_it && is_of_host && fate.at_last == Verdict::Failed {
            fate.at_last = Verdict::Deferred;
            if let Some(detail) = fate.status.strip_prefix("5.") {
                fate.status = format!("4.{detail}");
            }
        }
    }
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
            about_us: is_about_us(outcome),
            surplus: outcome.is_surplus(),
            busy: outcome.reply().is_some_and(|reply| reply.code == 421),
            uncertain: outcome.is_uncertain(),
        }
    }

    /// The host, or the way to it, can't be used; the next one may be.
    pub(crate) fn unusable(reply: String, status: &str) -> Fate {
        let (about_us, surplus, busy, uncertain) = (false, false, false, false);
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
            about_us,
            surplus,
            busy,
            uncertain,
        }
    }

    /// An address does not answer (RFC 3463 §3.5: X.4.1, no answer from host).
    pub(crate) fn unreachable(host: &str, endpoint: &Endpoint, why: &str) -> Fate {
        Fate::unusable(format!("{host}[{endpoint}]: {why}"), "4.4.1")
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

/// Whether a refusal of MAIL may be one of this server, by a rule of that host: what has no status of its own, or one of
/// policy or of the system (RFC 3463 §3.1, §3.4, §3.8). One of the sender's address, of size or of form is not.
fn is_about_us(outcome: &Outcome) -> bool {
    let Why::Replied { stage: Stage::Mail, reply } = &outcome.why else { return false };
    outcome.verdict == Verdict::Failed
        && match (reply.enhanced, reply.code) {
            (Some(Enhanced(_, subject, detail)), _) => {
                matches!((subject, detail), (0 | 7, _) | (3, 0..=3 | 5..))
            }
            (None, code) => matches!(code, 530 | 535 | 550 | 554),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(verdict: Verdict, at_last: Verdict) -> Fate {
        Fate { verdict, at_last, ..Fate::unusable("550 5.7.1 no".into(), "5.7.1") }
    }

    #[test]
    fn a_host_is_not_the_last_word_while_a_better_one_is_silent() {
        let silent = Fate::unusable("no answer".into(), "4.4.1");
        let (never, refused) =
            (said(Verdict::HostUnusable, Verdict::Failed), said(Verdict::Failed, Verdict::Failed));
        let about_us = Fate { about_us: true, ..refused.clone() };
        let tempered = |others: &Others, fate: &Fate| {
            let mut fate = fate.clone();
            others.temper(&mut fate);
            (fate.at_last, fate.status)
        };
        let mut others = Others::default();
        for fate in [&never, &refused, &about_us] {
            assert_eq!(tempered(&others, fate), (Verdict::Failed, "5.7.1".to_owned()));
        }
        others.heard(&[Some(never.clone()), None]);
        assert_eq!(tempered(&others, &never).0, Verdict::Failed, "all said the same");
        others.heard(&[Some(never.clone()), Some(silent)]);
        assert_eq!(tempered(&others, &never), (Verdict::Deferred, "4.7.1".to_owned()));
        assert_eq!(tempered(&others, &about_us), (Verdict::Deferred, "4.7.1".to_owned()));
        assert_eq!(tempered(&others, &refused).0, Verdict::Failed, "said of the recipient");
    }
}
