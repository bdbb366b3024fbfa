//! Delivery reports on their way to the sender (RFC 3461 §6.1): what a message's reporter knows of it, and the report as
//! a delivery with a null reverse-path, which goes into a mailbox here or into the queue.

use crate::kept::Keeper;
use crate::lists;
use crate::signing;
use crate::smtp::{Plan, Way, beside, expiry, to_inboxes};
use crate::world::World;
use ::smtp::Recipient;
use directory::DomainKeys;
use engine::AccountId;
use model::{EmailAddress, Path, ReversePath, UnixTime};
use prometheus_client::metrics::counter::Counter;
use queue::{Language, NewEntry, Reported, Ret, Returned, Rules, TlsWish, Wishes};
use std::sync::Arc;
use store::Prepared;

/// What a report says of the message that it is about.
pub(crate) struct About {
    /// Who hears it; never null.
    pub(crate) sender: EmailAddress,
    /// RET, if given.
    pub(crate) ret: Option<Ret>,
    /// ENVID, if given.
    pub(crate) envid: Option<String>,
    /// Whether it came with SMTPUTF8.
    pub(crate) smtputf8: bool,
    /// Its name in the log.
    pub(crate) trace: String,
    /// When it was accepted.
    pub(crate) received: UnixTime,
    /// Who sent it, when logged in.
    pub(crate) account: Option<AccountId>,
    /// When the queue gives up.
    pub(crate) retry_until: Option<UnixTime>,
    /// What its sender asked for besides.
    pub(crate) wishes: Wishes,
}

/// Writes the reports about one message.
pub(crate) struct Reporter {
    hostname: String,
    language: Language,
    rules: Arc<Rules>,
    about: About,
    /// What may be returned: all of it or its beginning, if that was asked for, else the header.
    content: Vec<u8>,
    /// Whether `content` is no more than the beginning.
    is_cut: bool,
    plan: Plan,
    /// What becomes of what the mailboxes of `plan` do not take.
    keeper: Keeper,
    /// Counts reports for which there is nobody.
    lost: Counter,
    /// What the report is signed with, if it leaves this server.
    keys: Option<Arc<DomainKeys>>,
}

impl Reporter {
    /// Looks up where reports about the message go, and keeps what they return of it. `content` is the message, or no less
    /// than its header, without Return-Path.
    pub(crate) fn new(
        world: &World,
        hostname: &str,
        mut about: About,
        content: &[u8],
    ) -> Result<Reporter, directory::Error> {
        let settings = world.outgoing.read().clone();
        let to = Recipient {
            path: Path::Mailbox(about.sender.clone()),
            notify: Some(::smtp::Notify::NEVER),
            original: None,
        };
        let mut plan = Plan::default();
        let meaning = world.meaning(&to.path, &ReversePath::Null)?;
        if let Way::Lost(refusal) = plan.sort(&to, meaning) {
            tracing::warn!(id = about.trace, %refusal, "there is nobody to report to");
        }
        // A member's own reverse-path: his copy did not arrive (the queue asks for reports of failures only).
        let targets = std::mem::take(&mut plan.targets);
        targets.iter().for_each(|target| lists::member_failed(world, &mut plan, target));
        let header = &content[..mime::header::header_length(content)];
        let language = settings.language.unwrap_or_else(|| Language::of_sender(header, &about.sender));
        // RFC 8689 §5: a report is no way around REQUIRETLS.
        let open = about.wishes.tls != TlsWish::Required;
        about.ret = about.ret.filter(|_| open);
        let returned = match about.ret {
            Some(Ret::Full) => beginning(content, settings.message_bytes_max),
            _ => header,
        };
        if returned.len() <= header.len() {
            about.ret = None;
        }
        let returned = if about.ret == Some(Ret::Full) { returned } else { header };
        let (content, is_cut) = (returned.to_vec(), returned.len() < content.len());
        let leaves = !plan.queued.is_empty() || !plan.forwarded.is_empty();
        let keys = if leaves { world.host_keys(hostname) } else { None };
        let (hostname, rules) = (hostname.to_owned(), settings.rules.clone());
        let keeper = Keeper::new(world, &plan.accounts)?;
        let lost = world.metrics.reports_lost.clone();
        Ok(Reporter { hostname, language, rules, about, content, is_cut, plan, keeper, lost, keys })
    }

    /// Whom the reports may be written to.
    pub(crate) fn accounts(&self) -> &[AccountId] {
        &self.plan.accounts
    }

    /// The report as a delivery with a null reverse-path. None: there is nobody to send it to.
    pub(crate) fn delivery(
        &self,
        recipients: &[Reported],
        now: UnixTime,
    ) -> Result<Option<store::Delivery>, store::Error> {
        if self.plan.is_empty() {
            self.lost.inc();
            return Ok(None);
        }
        let about = &self.about;
        // RFC 3461 §6.2: without a failure the header is enough.
        let failed = recipients.iter().any(|one| one.action == queue::Action::Failed);
        let whole = about.ret == Some(Ret::Full) && failed;
        let report = queue::delivery_report(&queue::Report {
            hostname: &self.hostname,
            sender: &about.sender,
            language: self.language,
            smtputf8: about.smtputf8,
            envid: about.envid.as_deref(),
            trace: &about.trace,
            now,
            received: about.received,
            retry_until: about.retry_until,
            deliver_by: about.wishes.deliver_by.map(|by| by.at),
            held_until: about.wishes.not_before,
            recipients,
            returned: match whole {
                true if self.is_cut => Returned::Beginning(&self.content),
                true => Returned::Message(&self.content),
                false => Returned::Header(&self.content),
            },
        });
        let signatures = match &self.keys {
            Some(keys) => signing::sign_with(keys, &report, now),
            None => Vec::new(),
        };
        let message = Prepared::new(&[b"Return-Path: <>\r\n", &signatures[..], &report[..]].concat())?;
        let entry = NewEntry {
            reverse_path: ReversePath::Null,
            recipients: Vec::new(),
            ret: None,
            envid: None,
            smtputf8: about.sender.needs_utf8(),
            body: queue::Body::EightBitMime,
            account: about.account,
            received: now,
            size: u64::from(message.size()),
            expires: expiry(now),
            held: false,
            // RFC 6710 §4.6, RFC 8689 §5: as important as what it is about, and as confidential.
            wishes: Wishes {
                priority: about.wishes.priority,
                tls: if about.wishes.tls == TlsWish::Required { TlsWish::Required } else { TlsWish::Default },
                ..Wishes::default()
            },
        };
        let follow = self.keeper.follow(&message, &entry, &about.trace, now);
        Ok(Some(store::Delivery {
            message,
            recipients: to_inboxes(&self.plan.accounts),
            received: now,
            extra: beside(
                self.rules.clone(),
                self.plan.bounces(entry),
                self.plan.events.clone(),
                lists::Done::default(),
            ),
            follow,
        }))
    }
}

/// As many whole lines of a message as fit, or all of it.
fn beginning(content: &[u8], bytes_max: usize) -> &[u8] {
    if content.len() <= bytes_max {
        return content;
    }
    let end = content[..bytes_max].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    &content[..end]
}
