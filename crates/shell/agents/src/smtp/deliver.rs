//! Accepted means delivered: local mailboxes and the outbound queue get a message in one durable commit, and only then
//! is it acknowledged.

use super::places::Onward;
use super::plan::{Plan, Way, beside_named};
use super::sending::Said;
use super::{SmtpAgent, protocol, trouble};
use crate::lists;
use crate::metrics::By;
use crate::sealing::PassedOn;
use crate::tls_reports;
use crate::world::{World, prepare};
use ::smtp::{BodyType, Delivery, Kind, Outcome, Refusal, Ret};
use directory::Resolution;
use engine::AccountId;
use model::{FlagSet, Path, UnixTime};
use policy::Meaning;
use queue::NewEntry;
use std::sync::Arc;
use store::{Fallback, Recipient, Target};

/// How long a message waits in the queue before it is given up (RFC 5321 §4.5.4.1: at least 4 to 5 days).
const EXPIRY_SECONDS: i64 = 5 * 24 * 3600;

impl SmtpAgent {
    pub(super) async fn deliver(&self, delivery: Delivery) -> Vec<Outcome> {
        let by = By { protocol: protocol(delivery.sender.client.kind) };
        let plan = self.plan(&delivery);
        let outcomes = self.commit(&delivery, plan).await;
        let metrics = &self.world.metrics;
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        let first_refusal = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
        tracing::info!(
            trace = self.trace,
            id = %delivery.id,
            from = %delivery.sender.from,
            recipients = delivery.recipients.len(),
            refused,
            size = delivery.message.len(),
            user = delivery.sender.client.user,
            reply = first_refusal.map(tracing::field::display),
            "message"
        );
        if refused == outcomes.len() {
            metrics.messages_refused.get_or_create(&by).inc();
        } else {
            metrics.messages_accepted.get_or_create(&by).inc();
            let to = delivery.recipients.iter().map(|recipient| &recipient.path);
            tls_reports::notice(&self.world, to, &delivery.id, &delivery.message);
        }
        outcomes
    }

    /// Looks every recipient up again: the session keeps addresses, not what they meant some commands ago.
    fn plan(&self, delivery: &Delivery) -> Plan {
        let mut plan = Plan::default();
        for recipient in &delivery.recipients {
            let way = match self.world.meaning(&recipient.path, &delivery.sender.from) {
                Ok(Meaning::Resolved(meant)) if is_held(delivery) => self.hold(&mut plan, recipient, &meant),
                Ok(meaning) => plan.sort(recipient, meaning),
                Err(error) => Way::Lost(trouble(&error)),
            };
            let targets = std::mem::take(&mut plan.targets);
            let way = self.to_lists(&mut plan, way, targets, recipient, delivery);
            plan.ways.push(way);
        }
        plan
    }

    /// RFC 4865 §4.2 (5), (6): not into a mailbox here either before its time; the queue keeps it.
    fn hold(&self, plan: &mut Plan, recipient: &::smtp::Recipient, meant: &Resolution) -> Way {
        match meant {
            Resolution::Deliver { lists, .. } if !lists.is_empty() => return Way::Lost(list_held()),
            Resolution::Deliver { .. } => {}
            _ => return Way::Lost(gone(recipient)),
        }
        let address = match &recipient.path {
            Path::Mailbox(address) => Ok(Some(address.clone())),
            Path::Postmaster => self.world.directory.postmaster_here(),
        };
        match address {
            Ok(Some(address)) => plan.hold(address, recipient),
            Ok(None) => Way::Lost(gone(recipient)),
            Err(error) => Way::Lost(trouble(&error)),
        }
    }

    async fn commit(&self, delivery: &Delivery, plan: Plan) -> Vec<Outcome> {
        if plan.is_empty() {
            let mut each = each(&plan.ways, &delivery.recipients, &[]);
            each.truncate(plan.answers(delivery));
            return each;
        }
        // RFC 5321 §4.4: the final delivery writes the reverse-path at the top. A queued copy of the same content loses
        // this line again when it is sent.
        let mut message = format!("Return-Path: <{}>\r\n", delivery.sender.from).into_bytes();
        let signatures = self.signatures(delivery, &plan);
        // What others signed, or nobody, is sealed where it is passed on.
        if signatures.is_empty() {
            message.extend_from_slice(&self.seal(delivery, &plan).await);
        }
        message.extend_from_slice(&signatures);
        message.extend_from_slice(&delivery.message);
        let prepared = match prepare(&message) {
            Ok(prepared) => prepared,
            Err(error) => return vec![Err(store_trouble(&error)); plan.answers(delivery)],
        };
        drop(message);
        let follow = match self.follow(delivery, &plan) {
            Ok(follow) => follow,
            Err(refusal) => return vec![Err(refusal); plan.answers(delivery)],
        };
        let entries = match plan.entries(&self.world, self.entry(delivery, prepared.size())) {
            Ok(entries) => entries,
            Err(error) => return vec![Err(trouble(&error)); plan.answers(delivery)],
        };
        let done = lists::Done::default();
        let size = u64::from(prepared.size());
        let queued = entries.iter().map(|one| one.entry.recipients.len() as u64).sum();
        let onward = Onward::of(&entries);
        let received = UnixTime(delivery.received_at);
        let rules = self.world.outgoing.read().rules.clone();
        let named = onward.queued.clone();
        let (extra, said) = match beside_named(rules, entries, plan.events.clone(), done.clone(), named) {
            Some(extra) if queued > 0 => {
                let held = is_held(delivery).then_some(size);
                let (extra, said) = self.counted(extra, queued, held, received);
                (Some(extra), said)
            }
            extra => (extra, Said::default()),
        };
        let written = self.world.store.deliver(store::Delivery {
            recipients: to_inboxes(&plan.accounts),
            received,
            extra,
            message: prepared,
            follow,
        });
        match written.await {
            Ok(stored) => {
                // The message was queued, or maybe a report on it.
                if queued > 0 || !stored.iter().all(|one| matches!(one, store::Outcome::Delivered(_))) {
                    self.world.queue.ring();
                }
                lists::follow_up(&self.world, &done).await;
                let each = each(&plan.ways, &delivery.recipients, &stored);
                self.note_places(delivery, &plan, &each, &stored, &onward);
                let delivered =
                    stored.iter().filter(|outcome| matches!(outcome, store::Outcome::Delivered(_))).count();
                self.world.metrics.deliveries.inc_by(delivered as u64);
                self.world.metrics.queued.inc_by(queued);
                self.heed(&said).await;
                self.confirm(delivery, &plan.ends(&each), &each).await;
                if delivery.sender.client.kind == Kind::Lmtp { each } else { one_answer(each) }
            }
            Err(store::Error::Cancelled) if let Some(refusal) = said.refusal() => {
                vec![Err(refusal); plan.answers(delivery)]
            }
            Err(error) => {
                tracing::error!(trace = self.trace, id = %delivery.id, %error, "a message could not be stored");
                vec![Err(store_trouble(&error)); plan.answers(delivery)]
            }
        }
    }

    /// DKIM signatures on what leaves. What stays here is known to come from here.
    fn signatures(&self, delivery: &Delivery, plan: &Plan) -> Vec<u8> {
        let posted = plan.events.iter().any(|event| matches!(event, lists::Event::Post(_)));
        if plan.queued.is_empty() && plan.forwarded.is_empty() && !posted {
            return Vec::new();
        }
        let client = self.client(&delivery.sender.client);
        self.world.signatures_for(&client, &delivery.message, UnixTime(delivery.received_at))
    }

    /// The ARC set of a message that an alias or a redirect here sends on.
    async fn seal(&self, delivery: &Delivery, plan: &Plan) -> Vec<u8> {
        let Some((came_for, _)) = plan.forwarded.first() else { return Vec::new() };
        let passed = PassedOn {
            hostname: &self.hostname,
            came_for: came_for.as_ref(),
            peer: delivery.sender.client.peer,
            now: UnixTime(delivery.received_at),
        };
        self.world.seal(&passed, &delivery.message).await
    }

    /// Whether that client may speak for an address of ours: only who has logged in, for his own, and own networks.
    fn may_be(&self, client: &::smtp::Client, address: &model::EmailAddress) -> bool {
        let policy = self.world.policy.read().clone();
        let decider = policy::Decider { policy: &policy, directory: &self.world.directory };
        let client = self.client(client);
        let path = model::ReversePath::Mailbox(address.clone());
        let allowed = decider.reverse_path(&client, &path, World::now());
        !decider.is_stranger(&client) && matches!(allowed, Ok(policy::Verdict::Accept(())))
    }

    /// What happens to the lists that a recipient stands for.
    fn to_lists(
        &self,
        plan: &mut Plan,
        way: Way,
        targets: Vec<directory::ListTarget>,
        recipient: &::smtp::Recipient,
        delivery: &Delivery,
    ) -> Way {
        let arrival = lists::Arrival {
            from: &delivery.sender.from,
            message: &delivery.message,
            may_be: &|address| self.may_be(&delivery.sender.client, address),
            through: None,
            received: UnixTime(delivery.received_at),
            smtputf8: delivery.sender.smtputf8,
            body: body(delivery.sender.body),
        };
        let Way::Goes { accounts, mut queued, several } = way else { return way };
        let mut refused = None;
        for target in targets {
            match lists::arrive(&self.world, plan, &target, recipient, &arrival) {
                Ok(Ok(())) => {
                    queued = true;
                    plan.posted.push(plan.ways.len());
                }
                Ok(Err(refusal)) => refused = Some(refusal),
                Err(error) => refused = Some(trouble(&error)),
            }
        }
        match refused {
            Some(refusal) if accounts.is_empty() && !queued => return Way::Lost(refusal),
            // An alias for more than the list: the others get it all the same.
            Some(refusal) => {
                tracing::info!(trace = self.trace(), id = %delivery.id, %refusal, "a list did not take the message");
            }
            None => {}
        }
        Way::Goes { accounts, queued, several }
    }

    /// What the queue keeps of a message, but for its recipients.
    fn entry(&self, delivery: &Delivery, size: u32) -> NewEntry {
        let sender = &delivery.sender;
        let received = UnixTime(delivery.received_at);
        NewEntry {
            reverse_path: self.sent_as(sender),
            recipients: Vec::new(),
            ret: sender.ret.map(ret),
            envid: sender.envid.clone(),
            smtputf8: sender.smtputf8,
            body: body(sender.body),
            account: self.login.as_ref().map(|login| login.account),
            received,
            size: u64::from(size),
            // What is held has its time still before it.
            expires: expiry(UnixTime(sender.wishes.release_at.unwrap_or(0).max(received.0))),
            held: false,
            wishes: wishes(&sender.wishes, &delivery.message, received),
        }
    }
}

/// RET, in the queue's words.
pub(super) fn ret(ret: Ret) -> queue::Ret {
    match ret {
        Ret::Full => queue::Ret::Full,
        Ret::Headers => queue::Ret::Hdrs,
    }
}

/// Lists look at who sends and when; what was held would come from the queue.
pub(crate) fn list_held() -> Refusal {
    Refusal::new(550, (3, 3), "A message to a mailing list can't be held; send it when it shall go")
}

/// Whether the sender has it held.
fn is_held(delivery: &Delivery) -> bool {
    delivery.sender.wishes.release_at.is_some_and(|at| at > delivery.received_at)
}

/// What the sender asks for besides, in the queue's words.
pub(super) fn wishes(asked: &::smtp::Wishes, message: &[u8], received: UnixTime) -> queue::Wishes {
    let tls = match asked.require_tls {
        true => queue::TlsWish::Required,
        // RFC 8689 §4.1: the header field counts where the parameter was not given.
        false if waives_tls(message) => queue::TlsWish::Waived,
        false => queue::TlsWish::Default,
    };
    queue::Wishes {
        priority: asked.priority.unwrap_or(0),
        not_before: asked.release_at.map(UnixTime),
        deliver_by: asked.deliver_by.map(|by| queue::DeliverBy {
            at: UnixTime(received.0.saturating_add(by.seconds)),
            mode: if by.must_return { queue::ByMode::Return } else { queue::ByMode::Notify },
            trace: by.trace,
        }),
        tls,
    }
}

/// `TLS-Required: No` (RFC 8689 §3), once.
fn waives_tls(message: &[u8]) -> bool {
    let mut fields = mime::header::fields(message).filter(|field| field.is("TLS-Required"));
    let first = fields.next().is_some_and(|field| field.unfolded().eq_ignore_ascii_case(b"No"));
    first && fields.next().is_none()
}

/// BODY, in the queue's words.
fn body(body: BodyType) -> queue::Body {
    match body {
        BodyType::SevenBit => queue::Body::SevenBit,
        BodyType::EightBitMime => queue::Body::EightBitMime,
        BodyType::BinaryMime => queue::Body::BinaryMime,
    }
}

/// When the queue gives a message up.
pub(crate) fn expiry(received: UnixTime) -> UnixTime {
    UnixTime(received.0 + EXPIRY_SECONDS)
}

/// Into the INBOX of each account.
pub(crate) fn to_inboxes(accounts: &[AccountId]) -> Vec<Recipient> {
    let recipient = |account: &AccountId| Recipient {
        account: *account,
        mailbox: Target::Inbox,
        fallback: Fallback::Inbox,
        flags: FlagSet::NONE,
        keywords: Vec::new(),
    };
    accounts.iter().map(recipient).collect()
}

/// What became of each recipient, from what the store did with each account.
pub(super) fn each(
    ways: &[Way],
    recipients: &[Arc<::smtp::Recipient>],
    stored: &[store::Outcome],
) -> Vec<Outcome> {
    let one = |way: &Way, recipient: &::smtp::Recipient| match way {
        Way::Lost(refusal) => Err(refusal.clone()),
        Way::Goes { accounts, queued, .. } => {
            let refusals = accounts.iter().map(|at| refusal_of(stored.get(*at), recipient));
            let reached = *queued || refusals.clone().any(|refusal| refusal.is_none());
            // A group's message that reached some members is not sent again to all of them.
            if reached { Ok(()) } else { refusals.flatten().next().map_or(Ok(()), Err) }
        }
    };
    ways.iter().zip(recipients).map(|(way, recipient)| one(way, recipient)).collect()
}

/// SMTP has one answer for the message. Once any recipient has it, it is accepted; those who did not get it are
/// reported to the sender in the same commit (RFC 5321 §6.1).
fn one_answer(each: Vec<Outcome>) -> Vec<Outcome> {
    if each.iter().any(Result::is_ok) { vec![Ok(())] } else { each.into_iter().take(1).collect() }
}

fn refusal_of(outcome: Option<&store::Outcome>, recipient: &::smtp::Recipient) -> Option<Refusal> {
    match outcome {
        Some(store::Outcome::Delivered(_)) => None,
        Some(store::Outcome::OverQuota) => Some(Refusal::mailbox_full(&recipient.path)),
        Some(store::Outcome::NoMailbox | store::Outcome::NoAccount) => Some(gone(recipient)),
        Some(store::Outcome::Limit) => Some(Refusal::new(
            552,
            (2, 2),
            "The mailbox has reached a limit of the server and takes no more mail",
        )),
        Some(store::Outcome::Damaged) | None => {
            Some(Refusal::new(451, (3, 0), "The mailbox is damaged; the administrator has to look at it"))
        }
    }
}

/// Why an account did not get it.
pub(super) fn refused(outcome: Option<&store::Outcome>, recipient: &::smtp::Recipient) -> String {
    refusal_of(outcome, recipient).map(|refusal| refusal.to_string()).unwrap_or_default()
}

pub(crate) fn gone(recipient: &::smtp::Recipient) -> Refusal {
    Refusal::no_such_mailbox(&recipient.path)
}

/// The world's trouble, in SMTP's words.
fn store_trouble(error: &store::Error) -> Refusal {
    match error {
        store::Error::Engine(engine::Error::Full) => {
            Refusal::new(452, (3, 1), "The server's disk is full; nothing is lost, try again later")
        }
        store::Error::Limit(_) => Refusal::new(552, (3, 4), "The message is too large for this server"),
        _ => Refusal::new(451, (3, 0), "The server can't store the message now; try again later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_reach_the_queue() {
        let by = ::smtp::DeliverBy { seconds: 60, must_return: true, trace: false };
        let asked = ::smtp::Wishes {
            priority: Some(-3),
            release_at: Some(5000),
            deliver_by: Some(by),
            require_tls: true,
        };
        let message = b"TLS-Required: No\r\n\r\n";
        let kept = wishes(&asked, message, UnixTime(1000));
        assert_eq!(
            (kept.priority, kept.not_before, kept.tls),
            (-3, Some(UnixTime(5000)), queue::TlsWish::Required)
        );
        assert_eq!(kept.deliver_by.map(|by| (by.at, by.mode)), Some((UnixTime(1060), queue::ByMode::Return)));
        let rows = [
            ("TLS-Required: No\r\n", queue::TlsWish::Waived),
            ("tls-required:\r\n no \r\n", queue::TlsWish::Waived),
            ("TLS-Required: No\r\nTLS-Required: No\r\n", queue::TlsWish::Default),
            ("TLS-Required: Yes\r\n", queue::TlsWish::Default),
            ("\r\nTLS-Required: No\r\n", queue::TlsWish::Default),
        ];
        for (message, tls) in rows {
            assert_eq!(
                wishes(&::smtp::Wishes::default(), message.as_bytes(), UnixTime(0)).tls,
                tls,
                "{message:?}"
            );
        }
    }
}
