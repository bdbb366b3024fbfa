//! Who may use which reverse-path.

use crate::refusal::refuse;
use crate::{Client, Decider, LocalSenderRule, Meaning, Role, SenderRule, Verdict};
use directory::{Error, Resolution};
use model::{EmailAddress, ReversePath, UnixTime};

impl Decider<'_> {
    /// Whether `client` may say `MAIL FROM` with this.
    ///
    /// # Errors
    /// The directory could not be read (451 4.3.0).
    pub fn reverse_path(
        &self,
        client: &Client,
        path: &ReversePath,
        now: UnixTime,
    ) -> Result<Verdict<()>, Error> {
        if client.role == Role::Submission && client.user.is_none() && !self.is_own_network(client) {
            // RFC 6409 §4.3: 530, at MAIL already.
            return Ok(refuse(530, [5, 7, 0], "Authentication required; log in first"));
        }
        // RFC 6409 §3.2: a null reverse-path is no reason to refuse a submission; notifications need it.
        let ReversePath::Mailbox(address) = path else { return Ok(Verdict::Accept(())) };
        let Some(user) = client.user else { return self.unknown_sender(client, address, now) };
        if self.policy.sender_rule == SenderRule::Any || self.directory.owns(user, address)? {
            return Ok(Verdict::Accept(()));
        }
        // RFC 6409 §6.1: 550 with 5.7.1.
        let text = format!("You may not send as <{address}>: it is none of your addresses");
        Ok(refuse(550, [5, 7, 1], text))
    }

    /// The reverse-path under which a message leaves: as the operator's rules have it, for our users and own networks.
    pub fn sent_as(&self, client: &Client, path: &ReversePath) -> ReversePath {
        match path {
            ReversePath::Mailbox(address) if !self.is_stranger(client) => {
                let rewritten = self.policy.rewriting.senders.apply(address);
                ReversePath::Mailbox(rewritten.unwrap_or_else(|| address.clone()))
            }
            path => path.clone(),
        }
    }

    /// Without log-in anybody may use any address elsewhere; of ours, if the operator says so, those only that could take
    /// the bounce.
    fn unknown_sender(
        &self,
        client: &Client,
        address: &EmailAddress,
        now: UnixTime,
    ) -> Result<Verdict<()>, Error> {
        let unchecked = self.policy.local_sender_rule == LocalSenderRule::Unchecked;
        if unchecked || client.role == Role::Lmtp || self.is_own_network(client) {
            return Ok(Verdict::Accept(()));
        }
        // As its bounce would be understood.
        let back = model::Path::Mailbox(address.clone());
        Ok(match self.meaning(&back, &ReversePath::Null, now)? {
            Meaning::Nothing(_) => {
                refuse(550, [5, 1, 8], format!("<{address}> was not made here, or too long ago"))
            }
            Meaning::Elsewhere(_) | Meaning::Relayed(_) | Meaning::SentOn(_) => Verdict::Accept(()),
            Meaning::Resolved(resolution) => match &*resolution {
                Resolution::NoSuchUser => {
                    refuse(550, [5, 1, 8], format!("There is no <{address}> here that could have sent this"))
                }
                Resolution::Disabled => {
                    refuse(550, [5, 1, 8], format!("<{address}> is disabled and sends nothing"))
                }
                Resolution::Deliver { .. } | Resolution::NotLocal | Resolution::Relay(_) => {
                    Verdict::Accept(())
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW, OUTSIDE, OWN, sender};
    use crate::{Client, LocalSenderRule, Policy, Role, SenderRule};

    fn codes(bench: &Bench, client: &Client, text: &str) -> (u16, [u8; 3]) {
        let verdict = bench.decider().reverse_path(client, &sender(text), NOW).unwrap();
        verdict.refusal().map_or((250, [2, 1, 0]), |refusal| (refusal.code, refusal.enhanced))
    }

    const FINE: (u16, [u8; 3]) = (250, [2, 1, 0]);

    #[test]
    fn users_send_from_their_own_addresses() {
        let bench = Bench::new(Policy::default());
        let anna = bench.client(Role::Submission, OUTSIDE, Some(bench.anna));
        for own in ["", "anna@x.test", "Anna+shop@x.test", "info@x.test"] {
            assert_eq!(codes(&bench, &anna, own), FINE, "{own}");
        }
        for other in ["bert@x.test", "team@x.test", "anna@elsewhere.test", "nobody@x.test"] {
            assert_eq!(codes(&bench, &anna, other), (550, [5, 7, 1]), "{other}");
        }
        let lax = Bench::new(Policy { sender_rule: SenderRule::Any, ..Policy::default() });
        let anna = lax.client(Role::Submission, OUTSIDE, Some(lax.anna));
        assert_eq!(codes(&lax, &anna, "bert@x.test"), FINE);
    }

    #[test]
    fn submission_needs_a_log_in_or_an_own_network() {
        let bench = Bench::new(Policy::default());
        assert_eq!(codes(&bench, &bench.client(Role::Submission, OUTSIDE, None), ""), (530, [5, 7, 0]));
        assert_eq!(codes(&bench, &bench.client(Role::Submission, OWN, None), "any@where.test"), FINE);
    }

    #[test]
    fn strangers_do_not_send_as_who_is_not_here_if_the_operator_says_so() {
        let lax = Bench::new(Policy::default());
        assert_eq!(codes(&lax, &lax.client(Role::Relay, OUTSIDE, None), "nobody@x.test"), FINE);
        let local_sender_rule = LocalSenderRule::MustExist;
        let bench = Bench::new(Policy { local_sender_rule, ..Policy::default() });
        let stranger = bench.client(Role::Relay, OUTSIDE, None);
        assert_eq!(codes(&bench, &stranger, "some@where.test"), FINE);
        assert_eq!(codes(&bench, &stranger, ""), FINE);
        assert_eq!(codes(&bench, &stranger, "anna@x.test"), FINE, "what SPF is for");
        assert_eq!(codes(&bench, &stranger, "nobody@x.test"), (550, [5, 1, 8]));
        assert_eq!(codes(&bench, &stranger, "closed@x.test"), (550, [5, 1, 8]));
        assert_eq!(codes(&bench, &bench.client(Role::Lmtp, OUTSIDE, None), "nobody@x.test"), FINE);
    }

    #[test]
    fn replies_stay_ascii() {
        let bench = Bench::new(Policy::default());
        let anna = bench.client(Role::Submission, OUTSIDE, Some(bench.anna));
        let verdict = bench.decider().reverse_path(&anna, &sender("почта@пример.рф"), NOW).unwrap();
        assert!(verdict.refusal().unwrap().text.is_ascii());
    }

    #[test]
    fn rules_change_what_leaves_for_our_own() {
        let rule = rewriting::Rule::new("*@x.test", "*@example.test").unwrap();
        let senders = rewriting::Rules(vec![rule]);
        let rewriting = rewriting::Rewriting { senders, ..rewriting::Rewriting::default() };
        let bench = Bench::new(Policy { rewriting, ..Policy::default() });
        let anna = bench.client(Role::Submission, OUTSIDE, Some(bench.anna));
        let sent_as =
            |client: &Client, text: &str| bench.decider().sent_as(client, &sender(text)).to_string();
        assert_eq!(sent_as(&anna, "anna@x.test"), "anna@example.test");
        assert_eq!(sent_as(&anna, ""), "");
        assert_eq!(sent_as(&bench.client(Role::Relay, OWN, None), "anna@x.test"), "anna@example.test");
        assert_eq!(sent_as(&bench.client(Role::Relay, OUTSIDE, None), "anna@x.test"), "anna@x.test");
    }
}
