//! Who may send to whom.

use crate::refusal::refuse;
use crate::{Client, Decider, Meaning, Role, Verdict};
use directory::{Error, ListPart, ListTarget, LocalTarget, Resolution};
use engine::AccountId;
use model::{EmailAddress, Path, ReversePath, UnixTime};
use rewriting::Purpose;

/// Whether a mailbox has room for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// It has.
    Enough,
    /// It has not.
    Full,
    /// It never will: the message is larger than the whole quota.
    TooLarge,
}

/// A recipient as it is proposed.
#[derive(Clone, Copy, Debug)]
pub struct Proposed<'a> {
    /// RCPT's forward-path.
    pub path: &'a Path,
    /// MAIL's reverse-path.
    pub from: &'a ReversePath,
    /// Recipients that stand already.
    pub accepted: usize,
    /// Addresses made here are good for some time.
    pub now: UnixTime,
}

/// Where an accepted recipient's copy goes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Destination {
    /// Accounts here.
    pub local: Vec<LocalTarget>,
    /// Addresses elsewhere, for the queue: as it was sent, or sent on from here.
    pub remote: Vec<EmailAddress>,
    /// How many mailing lists.
    pub lists: usize,
}

impl Destination {
    /// Nothing but one address elsewhere.
    fn elsewhere(address: EmailAddress) -> Destination {
        Destination { local: Vec::new(), remote: vec![address], lists: 0 }
    }
}

impl Decider<'_> {
    /// Whether `client` may say `RCPT TO` with this. `room` tells whether an account can take this message (the caller
    /// knows the declared SIZE).
    ///
    /// An address that stands for several is taken when all of them can take the message: what is accepted is
    /// delivered, to each.
    ///
    /// # Errors
    /// The directory or the store could not be read (451 4.3.0).
    pub fn recipient(
        &self,
        client: &Client,
        proposed: Proposed<'_>,
        room: &mut dyn FnMut(AccountId) -> Result<Room, engine::Error>,
    ) -> Result<Verdict<Destination>, Error> {
        let Proposed { path, from, accepted, now } = proposed;
        if accepted >= self.policy.recipients_max {
            // RFC 5321 §4.5.3.1.10: 452; the sender brings the others in the next transaction.
            let text =
                format!("Too many recipients; {} at most in one transaction", self.policy.recipients_max);
            return Ok(refuse(452, [4, 5, 3], text));
        }
        let resolution = match self.meaning(path, from, now)? {
            Meaning::Resolved(resolution) => resolution,
            Meaning::Relayed(address) | Meaning::SentOn(address) => {
                return Ok(Verdict::Accept(Destination::elsewhere(address)));
            }
            Meaning::Elsewhere(address) => return Ok(self.relay(client, &address)),
            Meaning::Nothing(refusal) => return Ok(Verdict::Refuse(refusal)),
        };
        let (local, remote, lists) = match &*resolution {
            Resolution::Deliver { local, remote, lists } => (local, remote, lists),
            Resolution::NoSuchUser | Resolution::NotLocal | Resolution::Relay(_) => {
                return Ok(no_such_user(path));
            }
            Resolution::Disabled => {
                return Ok(refuse(550, [5, 2, 1], format!("<{path}> is disabled and takes no mail")));
            }
        };
        if let ([only], []) = (&lists[..], &local[..])
            && let Some(refusal) = self.no_list(only, path, from)
        {
            return Ok(refusal);
        }
        if self.is_stranger(client) && !local.is_empty() && self.is_unasked_bounce(path, from, now) {
            let text =
                format!("<{path}> sends under signed addresses only; this bounce answers none of them");
            return Ok(refuse(550, [5, 7, 1], text));
        }
        for target in local {
            match room(target.account)? {
                Room::Enough => {}
                Room::Full => {
                    // RFC 5321 §4.2.3, RFC 3463 X.2.2: later there may be room.
                    return Ok(refuse(
                        452,
                        [4, 2, 2],
                        format!("The mailbox of <{path}> is full; try again later"),
                    ));
                }
                Room::TooLarge => {
                    return Ok(refuse(552, [5, 2, 3], format!("The message is too large for <{path}>")));
                }
            }
        }
        let (local, remote) = (local.clone(), remote.clone());
        Ok(Verdict::Accept(Destination { local, remote, lists: lists.len() }))
    }

    /// Neither one of our users nor in an own network.
    pub fn is_stranger(&self, client: &Client) -> bool {
        client.user.is_none() && !self.is_own_network(client)
    }

    /// What a list's addresses can't be good for: bounces to all members, tokens that were not made here.
    fn no_list(&self, target: &ListTarget, path: &Path, from: &ReversePath) -> Option<Verdict<Destination>> {
        let keys = &self.policy.rewriting.keys;
        let none = |_: &[u32; 2]| Some(String::new());
        let right = match &target.part {
            ListPart::Post if *from == ReversePath::Null => {
                let text = format!("<{path}> is a mailing list and takes no bounces");
                return Some(refuse(550, [5, 7, 1], text));
            }
            ListPart::Bounces(token) => keys.open(Purpose::Bounce, token, none).map(|[list, _]| list),
            ListPart::Unsubscribe(Some(token)) => {
                keys.open(Purpose::Unsubscribe, token, none).map(|[list, _]| list)
            }
            ListPart::Moderate(token) => {
                let none = |_: &[u32; 3]| Some(String::new());
                keys.open(Purpose::Moderate, token, none).map(|[list, ..]| list)
            }
            _ => return None,
        };
        (right != Some(target.list)).then(|| no_such_user(path))
    }

    fn relay(&self, client: &Client, address: &EmailAddress) -> Verdict<Destination> {
        if client.role == Role::Lmtp {
            // RFC 2033 §5: LMTP is for final delivery.
            return refuse(550, [5, 1, 2], format!("<{address}> is not in a domain of this server"));
        }
        if !self.is_stranger(client) {
            if let Some(refusal) = unreachable(address) {
                return refusal;
            }
            return Verdict::Accept(Destination::elsewhere(address.clone()));
        }
        let text =
            format!("Relaying to <{address}> is denied; its domain is not ours. Our users log in first");
        refuse(550, [5, 7, 1], text)
    }
}

/// RFC 6409 §4.2: domains are fully qualified. A name without a dot would bounce days later.
fn unreachable(address: &EmailAddress) -> Option<Verdict<Destination>> {
    let domain = address.domain.as_str();
    if domain.contains('.') || domain.starts_with('[') {
        return None;
    }
    Some(refuse(550, [5, 1, 2], format!("The domain of <{address}> is not fully qualified")))
}

fn no_such_user(path: &Path) -> Verdict<Destination> {
    refuse(550, [5, 1, 1], format!("There is no <{path}> here; check the address for mistypes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, OUTSIDE, OWN, path, proposed};
    use crate::{Policy, Refusal};

    fn ask(bench: &Bench, client: &Client, text: &str, full: &[AccountId]) -> Verdict<Destination> {
        let mut room = |id| Ok(if full.contains(&id) { Room::Full } else { Room::Enough });
        bench.decider().recipient(client, proposed(&path(text)), &mut room).unwrap()
    }

    fn codes(verdict: &Verdict<Destination>) -> (u16, [u8; 3]) {
        verdict.refusal().map_or((250, [2, 1, 5]), |refusal: &Refusal| (refusal.code, refusal.enhanced))
    }

    const FINE: (u16, [u8; 3]) = (250, [2, 1, 5]);

    #[test]
    fn our_own_recipients() {
        let bench = Bench::new(Policy::default());
        let stranger = bench.client(Role::Relay, OUTSIDE, None);
        let cases = [
            ("anna@x.test", FINE),
            ("ANNA+tag@x.test", FINE),
            ("team@x.test", FINE),
            ("postmaster@x.test", FINE),
            ("Postmaster", FINE),
            ("nobody@x.test", (550, [5, 1, 1])),
            ("closed@x.test", (550, [5, 2, 1])),
            ("a@y.test", (550, [5, 7, 1])),
        ];
        for (text, wanted) in cases {
            assert_eq!(codes(&ask(&bench, &stranger, text, &[])), wanted, "{text}");
        }
        let Verdict::Accept(taken) = ask(&bench, &stranger, "anna+Tag@x.test", &[]) else {
            panic!("refused")
        };
        assert_eq!((taken.local[0].account, taken.local[0].detail.as_deref()), (bench.anna, Some("Tag")));
    }

    #[test]
    fn a_full_mailbox_is_a_matter_of_its_own() {
        let bench = Bench::new(Policy::default());
        let stranger = bench.client(Role::Relay, OUTSIDE, None);
        assert_eq!(codes(&ask(&bench, &stranger, "anna@x.test", &[bench.anna])), (452, [4, 2, 2]));
        assert_eq!(codes(&ask(&bench, &stranger, "bert@x.test", &[bench.anna])), FINE);
        assert_eq!(codes(&ask(&bench, &stranger, "team@x.test", &[bench.anna])), (452, [4, 2, 2]));
        let mut never = |_| Ok(Room::TooLarge);
        let verdict =
            bench.decider().recipient(&stranger, proposed(&path("anna@x.test")), &mut never).unwrap();
        assert_eq!(codes(&verdict), (552, [5, 2, 3]));
        let mut broken = |_| Err(engine::Error::Stopped);
        assert!(bench.decider().recipient(&stranger, proposed(&path("anna@x.test")), &mut broken).is_err());
    }

    #[test]
    fn no_open_relay() {
        let bench = Bench::new(Policy::default());
        let user = Some(bench.anna);
        let cases = [
            (Role::Relay, OUTSIDE, None, (550, [5, 7, 1])),
            (Role::Submission, OUTSIDE, None, (550, [5, 7, 1])),
            (Role::Relay, OUTSIDE, user, FINE),
            (Role::Submission, OUTSIDE, user, FINE),
            (Role::Relay, OWN, None, FINE),
            (Role::Lmtp, OWN, None, (550, [5, 1, 2])),
            (Role::Lmtp, "", None, (550, [5, 1, 2])),
            (Role::Relay, "", None, (550, [5, 7, 1])),
            // An IPv4 peer on an IPv6 socket is the same peer.
            (Role::Relay, "::ffff:10.1.2.3", None, FINE),
            (Role::Relay, "::ffff:192.0.2.9", None, (550, [5, 7, 1])),
        ];
        for (role, from, user, wanted) in cases {
            let client = bench.client(role, from, user);
            assert_eq!(codes(&ask(&bench, &client, "far@y.test", &[])), wanted, "{client:?}");
        }
        let nobody_own = Bench::new(Policy { own_networks: Vec::new(), ..Policy::default() });
        let client = nobody_own.client(Role::Relay, "127.0.0.1", None);
        assert_eq!(codes(&ask(&nobody_own, &client, "far@y.test", &[])), (550, [5, 7, 1]));
    }

    #[test]
    fn tricks_with_addresses_do_not_relay() {
        let bench = Bench::new(Policy::default());
        let stranger = bench.client(Role::Relay, OUTSIDE, None);
        // Old routing signs before the last @ are just characters of a local part that is not here.
        for trick in ["far%y.test@x.test", "y.test!far@x.test", "\"far@y.test\"@x.test"] {
            assert_eq!(codes(&ask(&bench, &stranger, trick, &[])), (550, [5, 1, 1]), "{trick}");
        }
        assert_eq!(codes(&ask(&bench, &stranger, "anna@[192.0.2.1]", &[])), (550, [5, 7, 1]));
    }

    #[test]
    fn an_alias_of_ours_may_lead_outside_for_anybody() {
        let bench = Bench::new(Policy::default());
        let stranger = bench.client(Role::Relay, OUTSIDE, None);
        let Verdict::Accept(taken) = ask(&bench, &stranger, "away@x.test", &[]) else { panic!("refused") };
        assert_eq!((taken.local.len(), taken.remote[0].to_string().as_str()), (0, "far@y.test"));
    }

    #[test]
    fn too_many_recipients_and_names_without_a_dot() {
        let bench = Bench::new(Policy { recipients_max: 2, ..Policy::default() });
        let anna = bench.client(Role::Submission, OUTSIDE, Some(bench.anna));
        let mut room = |_| Ok(Room::Enough);
        let path = path("anna@x.test");
        let third = Proposed { accepted: 2, ..proposed(&path) };
        let third = bench.decider().recipient(&anna, third, &mut room).unwrap();
        assert_eq!(codes(&third), (452, [4, 5, 3]));
        assert_eq!(codes(&ask(&bench, &anna, "a@localhost", &[])), (550, [5, 1, 2]));
        assert_eq!(codes(&ask(&bench, &anna, "a@[192.0.2.1]", &[])), FINE);
    }
}
