//! The memory of how a domain was reached: a domain that always had TLS and suddenly has none is more likely attacked
//! than rebuilt, so its mail waits for a while (downgrade guard). Pure; times are seconds since 1970.

use serde::{Deserialize, Serialize};

/// Sessions in a row with TLS after which a domain counts as always encrypted.
const STREAK: u32 = 3;
/// What was seen longer ago than that says nothing.
const FORGOTTEN_AFTER: i64 = 90 * 86_400;
/// How much older than the truth the kept `last` may be: a busy domain is not written at each session.
const LAST_STEP: i64 = 86_400;

/// How a session to a domain ended up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reached {
    /// In clear.
    Clear,
    /// Encrypted; the certificate proved nothing.
    Encrypted,
    /// Encrypted, with a certificate for the host by a known authority or a TLSA record.
    Authenticated,
}

/// What is remembered of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Seen {
    /// Sessions with TLS since the last one in clear; counted up to a few.
    pub encrypted: u32,
    /// The same for authenticated ones.
    pub authenticated: u32,
    /// The last of them, to a day.
    pub last: i64,
    /// Since when it lacks what it had.
    pub lacking_since: Option<i64>,
}

impl Seen {
    /// Whether mail must not go there in clear now. `grace` seconds after TLS was first missed it may: then the domain
    /// was rebuilt, or its owner was asked.
    pub fn forbids_clear(&self, now: i64, grace: i64) -> bool {
        grace > 0
            && self.encrypted >= STREAK
            && now - self.last < FORGOTTEN_AFTER
            && self.lacking_since.is_none_or(|since| now - since < grace)
    }

    /// After a session. None: nothing worth writing changed.
    pub fn after(&self, reached: Reached, now: i64) -> Option<Seen> {
        let next = match reached {
            Reached::Clear => Seen { last: now, ..Seen::default() },
            Reached::Encrypted | Reached::Authenticated => Seen {
                encrypted: (self.encrypted + 1).min(STREAK),
                authenticated: if reached == Reached::Authenticated {
                    (self.authenticated + 1).min(STREAK)
                } else {
                    0
                },
                last: if now - self.last >= LAST_STEP { now } else { self.last.min(now) },
                lacking_since: None,
            },
        };
        let is_known = reached == Reached::Clear && *self != Seen::default() && self.encrypted == 0;
        (next != *self && !(is_known && now - self.last < LAST_STEP)).then_some(next)
    }

    /// After a session that was given up because TLS was missing.
    pub fn lacked(&self, now: i64) -> Option<Seen> {
        self.lacking_since.is_none().then_some(Seen { lacking_since: Some(now), ..*self })
    }

    /// Whether certificates of this domain used to prove its hosts, and this session's did not.
    pub fn lost_authentication(&self, reached: Reached) -> bool {
        self.authenticated >= STREAK && reached < Reached::Authenticated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: i64 = 86_400;

    fn after(sessions: &[Reached]) -> Seen {
        let mut seen = Seen::default();
        for (at, reached) in (1_000_000..).zip(sessions) {
            seen = seen.after(*reached, at).unwrap_or(seen);
        }
        seen
    }

    #[test]
    fn a_domain_that_always_had_tls_is_not_sent_to_in_clear_for_a_while() {
        use Reached::{Authenticated, Clear, Encrypted};
        let now = 1_000_100;
        assert!(!after(&[]).forbids_clear(now, GRACE));
        assert!(!after(&[Encrypted, Encrypted]).forbids_clear(now, GRACE));
        let always = after(&[Encrypted, Authenticated, Encrypted]);
        assert!(always.forbids_clear(now, GRACE));
        assert!(!always.forbids_clear(now, 0), "switched off");
        assert!(!always.forbids_clear(now + FORGOTTEN_AFTER, GRACE));
        // Mixed hosts: one in clear begins anew.
        assert!(!after(&[Encrypted, Encrypted, Encrypted, Clear, Encrypted]).forbids_clear(now, GRACE));
        let lacking = always.lacked(now).unwrap();
        assert!(lacking.forbids_clear(now + GRACE - 1, GRACE));
        assert!(!lacking.forbids_clear(now + GRACE, GRACE));
        assert_eq!(lacking.lacked(now + 5), None, "the first time counts");
        let again = lacking.after(Encrypted, now + 50).unwrap();
        assert_eq!(again.lacking_since, None);
    }

    #[test]
    fn a_busy_domain_is_hardly_ever_written() {
        let mut seen = after(&[Reached::Authenticated; 3]);
        let mut writes = 0;
        for at in 1_000_003..1_000_003 + 3 * 86_400 {
            if let Some(next) = seen.after(Reached::Authenticated, at) {
                (seen, writes) = (next, writes + 1);
            }
        }
        assert_eq!(writes, 3);
        let mut clear = after(&[Reached::Clear]);
        for at in 1_000_003..1_000_003 + 3 * 86_400 {
            if let Some(next) = clear.after(Reached::Clear, at) {
                (clear, writes) = (next, writes + 1);
            }
        }
        assert_eq!(writes, 6);
    }

    #[test]
    fn lost_authentication_is_noticed() {
        let seen = after(&[Reached::Authenticated; 3]);
        assert!(seen.lost_authentication(Reached::Encrypted));
        assert!(!seen.lost_authentication(Reached::Authenticated));
        assert!(!after(&[Reached::Authenticated; 2]).lost_authentication(Reached::Clear));
    }
}
