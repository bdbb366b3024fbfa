//! Extensions that the listener may offer, and what MAIL asks by them ([`Offer`]).

use super::{Pending, Priority, Session};
use crate::ask::{Ask, Kind, Outcome, Reach, Wishes};
use crate::config::Offer;
use crate::date::InternetUtc;
use crate::reply::Refusal;
use crate::wishes::Said;
use model::Domain;
use std::sync::Arc;
use wire::End;

/// Most domains of one ATRN: as many as fit into a command line.
const ATRN_DOMAINS_MAX: usize = 256;

impl Session {
    /// The line of EHLO.
    pub(super) fn offer_keyword(&self, offer: Offer, now: i64) -> Option<String> {
        match offer {
            // RFC 6710 §3 (3): the assignment policy is not disclosed; every number counts by itself.
            Offer::MtPriority => Some("MT-PRIORITY".to_owned()),
            // RFC 8689 §2: in the EHLO that follows STARTTLS.
            Offer::RequireTls => self.client.tls.is_some().then(|| "REQUIRETLS".to_owned()),
            Offer::DeliverBy => Some("DELIVERBY".to_owned()),
            Offer::Etrn => Some("ETRN".to_owned()),
            Offer::Atrn => Some("ATRN".to_owned()),
            // RFC 4865 §4.2 (2), (3)
            Offer::FutureRelease { seconds_max } => (self.config.kind == Kind::Submission).then(|| {
                let until = InternetUtc(now.saturating_add(i64::from(seconds_max)));
                format!("FUTURERELEASE {seconds_max} {until}")
            }),
        }
    }

    /// The parameters of MAIL that belong to them.
    pub(super) fn offered_parameters(&self) -> Vec<&'static str> {
        let keywords = |offer: &Offer| match offer {
            Offer::MtPriority => &["MT-PRIORITY"][..],
            Offer::RequireTls => &["REQUIRETLS"],
            Offer::DeliverBy => &["BY"],
            Offer::FutureRelease { .. } if self.config.kind == Kind::Submission => &["HOLDFOR", "HOLDUNTIL"],
            Offer::FutureRelease { .. } | Offer::Etrn | Offer::Atrn => &[],
        };
        self.config.offers.iter().flat_map(keywords).copied().collect()
    }

    /// ```text
    /// ETRN [ "@" / "#" ] node-name
    /// ```
    /// RFC 1985 §5: not within a transaction. There are no queues with names (`#`) here.
    pub(super) fn etrn(&mut self, args: &str) {
        if let Some(refusal) = self.mail_barred() {
            return self.refuse(&refusal);
        }
        if self.transaction.is_some() {
            return self.refuse_order("ETRN can't come within a message; RSET drops it");
        }
        let (reach, name) = match args.strip_prefix('@') {
            Some(name) => (Reach::Below, name),
            None => (Reach::Domain, args),
        };
        let domain = Domain::new(name).ok().filter(|domain| domain.as_str().contains('.'));
        let Some(domain) = domain else {
            return self.refuse(&Refusal::new(501, (5, 4), "The syntax is ETRN domain, or ETRN @domain"));
        };
        let ask = Ask::Flush { client: Arc::clone(&self.client), domain: domain.clone(), reach };
        self.ask(ask, Pending::Flush(domain));
    }

    /// RFC 1985 §5.1
    pub(super) fn flush_answered(&mut self, domain: &Domain, waiting: Result<u64, Refusal>) {
        let node = domain.to_ascii();
        match waiting {
            Ok(0) => self.say(251, (0, 0), &format!("No messages wait for {node}")),
            Ok(count) => {
                self.say(253, (0, 0), &format!("{count} messages wait for {node} and are tried now"))
            }
            Err(refusal) => self.decline(&refusal),
        }
    }

    /// ```text
    /// atrn = "ATRN" [SP domain *("," domain)]
    /// ```
    /// RFC 2645 §5.2.1: after a log-in only, and like ETRN not within a transaction.
    pub(super) fn atrn(&mut self, args: &str) {
        if self.client.user.is_none() {
            return self.refuse(&Refusal::new(530, (7, 0), "Log in first, with AUTH"));
        }
        if self.transaction.is_some() {
            return self.refuse_order("ATRN can't come within a message; RSET drops it");
        }
        let mut domains = Vec::new();
        for name in args.split(',').filter(|_| !args.is_empty()) {
            let domain = Domain::new(name).ok().filter(|domain| domain.as_str().contains('.'));
            let Some(domain) = domain.filter(|_| domains.len() < ATRN_DOMAINS_MAX) else {
                return self.refuse(&Refusal::new(501, (5, 4), "The syntax is ATRN, or ATRN domain,domain"));
            };
            domains.push(domain);
        }
        let ask = Ask::Turn { client: Arc::clone(&self.client), domains };
        self.ask(ask, Pending::Turn);
    }

    /// RFC 2645 §5.3: behind the 250 this side is the client. What the peer has sent ahead of it is not heard: only
    /// after it he may speak as a server.
    pub(super) fn turn_answered(&mut self, outcome: Outcome) {
        match outcome {
            Ok(()) => {
                self.say(250, (0, 0), "Now reversing the connection; greet as a server");
                self.close(End::Turned);
            }
            Err(refusal) => self.decline(&refusal),
        }
    }

    /// What was said, held against what may be said now.
    pub(super) fn wishes(&self, said: Said, now: i64) -> Result<(Wishes, Priority), Refusal> {
        if said.require_tls && self.client.tls.is_none() {
            return Err(Refusal::new(530, (7, 10), "REQUIRETLS is for connections with TLS; begin it first"));
        }
        let seconds_max = self.config.offers.iter().find_map(|offer| match offer {
            Offer::FutureRelease { seconds_max } => Some(*seconds_max),
            _ => None,
        });
        let release_at = said.hold.map(|hold| hold.release_at(now, seconds_max.unwrap_or(0))).transpose()?;
        if let (Some(release_at), Some(by)) = (release_at, said.deliver_by)
            && release_at > now.saturating_add(by.seconds)
        {
            // RFC 4865 §5.2.2
            let text = "The message would be released after the time to deliver it by";
            return Err(Refusal::new(501, (5, 4), text));
        }
        // RFC 6710 §4.1: no raised priority from untrusted sources.
        let is_trusted = self.client.user.is_some() || self.config.kind == Kind::Lmtp;
        let (priority, fate) = match said.priority {
            Some(1..) if !is_trusted => (Some(0), Priority::Lowered),
            priority => (priority, Priority::Kept),
        };
        let Said { deliver_by, require_tls, .. } = said;
        Ok((Wishes { priority, release_at, deliver_by, require_tls }, fate))
    }
}
