//! MTA, MSA and LMTP: may this be sent, may it go there, and its delivery.

mod burl;
mod deliver;
mod places;
mod plan;
mod report;
mod sending;
mod turn;

pub(crate) use deliver::{expiry, gone, list_held, to_inboxes};
pub(crate) use plan::{Outgoing, Plan, Way, beside};

use crate::login;
use crate::metrics::Protocol;
use crate::world::World;
use ::smtp::{Answer, Ask, Client, Kind, Listed, Outcome, Reach, Recipient, Refusal, Sender};
use engine::AccountId;
use policy::{Decider, Role, Room, Verdict, Verified};
use std::sync::Arc;

/// Answers one SMTP, submission or LMTP session.
pub struct SmtpAgent {
    world: Arc<World>,
    hostname: String,
    trace: String,
    login: Option<login::Login>,
    /// Accepted recipients of the message at other hosts.
    leaving: u32,
    /// Whose mail goes over this connection when it is turned round.
    turning: Vec<model::Domain>,
}

impl SmtpAgent {
    /// For a new connection to this host.
    pub fn new(world: Arc<World>, hostname: String, trace: String) -> SmtpAgent {
        SmtpAgent { world, hostname, trace, login: None, leaving: 0, turning: Vec::new() }
    }

    /// The connection's id in logs.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    fn client(&self, client: &Client) -> policy::Client {
        policy::Client {
            address: client.peer,
            user: self.login.as_ref().map(|login| login.account),
            role: role(client.kind),
        }
    }

    fn sender(&self, sender: &Sender) -> Outcome {
        let policy = self.world.policy.read().clone();
        let decider = Decider { policy: &policy, directory: &self.world.directory };
        match decider.reverse_path(&self.client(&sender.client), &sender.from, World::now()) {
            Ok(Verdict::Accept(())) => Ok(()),
            Ok(Verdict::Refuse(refusal)) => Err(reply(refusal)),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn sent_as(&self, sender: &Sender) -> model::ReversePath {
        let policy = self.world.policy.read().clone();
        let decider = Decider { policy: &policy, directory: &self.world.directory };
        decider.sent_as(&self.client(&sender.client), &sender.from)
    }

    fn recipient(&mut self, sender: &Sender, recipient: &Recipient, accepted: usize) -> Outcome {
        let policy = self.world.policy.read().clone();
        let decider = Decider { policy: &policy, directory: &self.world.directory };
        let size = sender.size_bytes.unwrap_or(0);
        let mut room = |account: AccountId| match self.room(account, size) {
            Ok(room) => Ok(room),
            Err(store::Error::Engine(error)) => Err(error),
            // The account went while this was asked; the commit finds out.
            Err(_) => Ok(Room::Enough),
        };
        let proposed =
            policy::Proposed { path: &recipient.path, from: &sender.from, accepted, now: World::now() };
        match decider.recipient(&self.client(&sender.client), proposed, &mut room) {
            Ok(Verdict::Accept(destination)) => self.may_leave(recipient, &destination),
            Ok(Verdict::Refuse(refusal)) => Err(reply(refusal)),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn room(&self, account: AccountId, size: u64) -> Result<Room, store::Error> {
        if self.world.store.would_fit(account, size)? {
            return Ok(Room::Enough);
        }
        let quota = self.world.store.usage(account)?.limits.bytes;
        Ok(if quota.is_some_and(|quota| size > quota) { Room::TooLarge } else { Room::Full })
    }

    /// ETRN (RFC 1985): for domains whose mail goes on from here, asked for by who may relay.
    fn flush(&self, client: &Client, domain: &model::Domain, reach: Reach) -> Result<u64, Refusal> {
        let policy = self.world.policy.read().clone();
        let decider = Decider { policy: &policy, directory: &self.world.directory };
        if decider.is_stranger(&self.client(client)) {
            return Err(Refusal::new(
                459,
                (7, 1),
                "Not allowed for strangers; log in, or ask from an own network",
            ));
        }
        let below = format!(".{domain}");
        let meant = |name: &model::Domain| {
            name == domain || (reach == Reach::Below && name.as_str().ends_with(&below))
        };
        let domains = self.world.directory.domains().map_err(|error| trouble(&error))?;
        let relayed =
            domains.into_iter().filter(|info| info.relay != directory::Relay::No && meant(&info.name));
        let names: Vec<model::Domain> = relayed.map(|info| info.name).collect();
        if names.is_empty() {
            let text = format!("Mail for {} does not wait here", domain.to_ascii());
            return Err(Refusal::new(459, (7, 1), text));
        }
        let now = queue::schedule::Moment::from(World::now());
        let waiting: usize = names.iter().map(|name| self.world.queue.flush(name, now)).sum();
        tracing::info!(trace = self.trace, %domain, waiting, "ETRN");
        Ok(waiting as u64)
    }

    fn verify(&self, client: &Client, text: &str, ask: Verify) -> Result<Vec<Listed>, Refusal> {
        let policy = self.world.policy.read().clone();
        let decider = Decider { policy: &policy, directory: &self.world.directory };
        let client = self.client(client);
        let verdict = match ask {
            Verify::Vrfy => decider.vrfy(&client, text),
            Verify::Expn => {
                decider.expn(&client, text, &|target| crate::lists::visible_to(&self.world, target, &client))
            }
        };
        match verdict {
            Ok(Verdict::Accept(Verified::Mailboxes(found))) => {
                Ok(found.iter().filter_map(|line| listed(line)).collect())
            }
            Ok(Verdict::Accept(Verified::CannotVerify)) => {
                Err(Refusal::new(252, (5, 2), "Not said here; send the message and see"))
            }
            Ok(Verdict::Refuse(refusal)) => Err(reply(refusal)),
            Err(error) => Err(trouble(&error)),
        }
    }
}

#[derive(Clone, Copy)]
enum Verify {
    Vrfy,
    Expn,
}

impl net::Desk for SmtpAgent {
    type Session = ::smtp::Session;

    async fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Auth { client, question } => {
                let protocol = protocol(client.kind);
                let (reply, login) =
                    login::answer(&self.world, protocol, client.peer, &client.trace, question).await;
                if login.is_some() {
                    self.login = login;
                }
                Answer::Auth(reply)
            }
            Ask::Sender(sender) => {
                self.leaving = 0;
                Answer::Sender(self.sender(&sender).and_then(|()| self.may_hold(&sender)))
            }
            Ask::Recipient { sender, recipient, accepted_count } => {
                Answer::Recipient(self.recipient(&sender, &recipient, accepted_count))
            }
            Ask::Verify { client, text } => Answer::Listed(self.verify(&client, &text, Verify::Vrfy)),
            Ask::Expand { client, text } => Answer::Listed(self.verify(&client, &text, Verify::Expn)),
            Ask::Url { url, bytes_max, .. } => {
                Answer::Url(tokio::task::block_in_place(|| self.url(&url, bytes_max)))
            }
            Ask::Flush { client, domain, reach } => Answer::Flushed(self.flush(&client, &domain, reach)),
            Ask::Turn { domains, .. } => Answer::Turned(self.may_turn(domains)),
            Ask::Deliver(delivery) => Answer::Deliver(self.deliver(*delivery).await),
        }
    }

    async fn turned(&mut self, stream: net::Stream) {
        self.turn(stream).await;
    }
}

pub(crate) fn protocol(kind: Kind) -> Protocol {
    match kind {
        Kind::Mta => Protocol::Smtp,
        Kind::Submission => Protocol::Submission,
        Kind::Lmtp => Protocol::Lmtp,
    }
}

fn role(kind: Kind) -> Role {
    match kind {
        Kind::Mta => Role::Relay,
        Kind::Submission => Role::Submission,
        Kind::Lmtp => Role::Lmtp,
    }
}

/// `Name <address>` or `<address>`, as the policy words it.
fn listed(line: &str) -> Option<Listed> {
    let (name, rest) = line.rsplit_once('<')?;
    let address = model::EmailAddress::parse(rest.strip_suffix('>')?).ok()?;
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    Some(Listed { name, address })
}

fn reply(refusal: policy::Refusal) -> Refusal {
    let [_, subject, detail] = refusal.enhanced;
    Refusal::new(refusal.code, (subject.into(), detail.into()), refusal.text)
}

/// A refusal from its parts; the text is cleaned of what may not stand in a reply (RFC 6531 §3.5).
pub(crate) fn reply_with(code: u16, [_, subject, detail]: [u8; 3], text: String) -> Refusal {
    let fits = |c: char| c == ' ' || c.is_ascii_graphic();
    let text: String = text.chars().map(|c| if fits(c) { c } else { '?' }).collect();
    Refusal::new(code, (subject.into(), detail.into()), text)
}

/// The directory could not be read: come again.
fn trouble(error: &directory::Error) -> Refusal {
    tracing::error!(%error, "the directory can't be read");
    Refusal::new(451, (3, 0), "The server can't look this up now; try again in some minutes")
}
