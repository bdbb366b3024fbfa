//! GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). An account is one quota root, and all its mailboxes are under it, whoever
//! files in them; one's own has the empty name. SETQUOTA is for administrators.

use super::Begun;
use crate::ask::{Answer, Ask, Quota, QuotaOf, Resource};
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::write;

/// Octets in the unit of STORAGE (RFC 9208 §5.1).
const STORAGE_UNIT: u64 = 1024;

#[derive(Debug)]
struct GetQuota {
    of: QuotaOf,
}

pub(super) fn of_root(root: String) -> Begun {
    Begun::Run(Box::new(GetQuota { of: QuotaOf::Root(root) }))
}

pub(super) fn of_mailbox(mailbox: String) -> Begun {
    Begun::Run(Box::new(GetQuota { of: QuotaOf::Mailbox(mailbox) }))
}

#[derive(Debug)]
struct SetQuota {
    ask: Option<Ask>,
}

pub(super) fn set(root: String, limits: Vec<(String, u64)>) -> Begun {
    let (mut octets, mut messages) = (None, None);
    for (resource, limit) in limits {
        match resource.as_str() {
            "STORAGE" => octets = Some(limit.saturating_mul(STORAGE_UNIT)),
            "MESSAGE" => messages = Some(limit),
            // RFC 9208 §4.1.3, example S0002: what the system limits can't be set.
            _ => return Begun::Now(Done::no(format!("[CANNOT] The limit of {resource} can't be set"))),
        }
    }
    Begun::Run(Box::new(SetQuota { ask: Some(Ask::SetQuota { root, octets, messages }) }))
}

impl Running for SetQuota {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match (event, self.ask.take()) {
            (_, Some(ask)) => Next::Ask(ask),
            (Event::Answer(Answer::Quota { root, quota }), None) => {
                write::quota(&mut core.out, &root, &resources(&quota));
                Next::Done(Done::ok("SETQUOTA completed"))
            }
            (event, None) => otherwise(event),
        }
    }
}

impl Running for GetQuota {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::Quota(self.of.clone())),
            Event::Answer(Answer::Quota { root, quota }) => {
                let verb = match &self.of {
                    QuotaOf::Root(_) => "GETQUOTA",
                    QuotaOf::Mailbox(mailbox) => {
                        write::quota_root(&mut core.out, mailbox, core.enabled.names(), &[&root]);
                        "GETQUOTAROOT"
                    }
                };
                write::quota(&mut core.out, &root, &resources(&quota));
                Next::Done(Done::ok(format!("{verb} completed")))
            }
            event => otherwise(event),
        }
    }
}

/// RFC 9208 §4.2.1: what is not limited is not named.
fn resources(quota: &Quota) -> Vec<(&'static str, u64, u64)> {
    let storage = Resource {
        usage: quota.storage.usage.div_ceil(STORAGE_UNIT),
        limit: quota.storage.limit.map(|octets| octets / STORAGE_UNIT),
    };
    // RFC 9208 §3.1: 63 bits.
    let fit = |number: u64| number.min(i64::MAX as u64);
    [("STORAGE", storage), ("MESSAGE", quota.messages), ("MAILBOX", quota.mailboxes)]
        .into_iter()
        .filter_map(|(name, resource)| Some((name, fit(resource.usage), fit(resource.limit?))))
        .collect()
}
