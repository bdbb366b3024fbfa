//! GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). An account is one quota root, with the empty name, and all its mailboxes are
//! under it. SETQUOTA is the operator's: QUOTASET is not offered.

use super::Begun;
use crate::ask::{Answer, Ask, Quota, Resource};
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::write;

/// Name of the one quota root (RFC 9208 §4.2.2 shows it so).
const ROOT: &str = "";

/// Octets in the unit of STORAGE (RFC 9208 §5.1).
const STORAGE_UNIT: u64 = 1024;

#[derive(Debug)]
struct GetQuota {
    /// GETQUOTAROOT: of this mailbox, which need not exist (RFC 9208 §4.1.2).
    mailbox: Option<String>,
}

pub(super) fn of_root(root: &str) -> Begun {
    if root != ROOT {
        return Begun::Now(Done::no("[NONEXISTENT] There is no such quota root"));
    }
    Begun::Run(Box::new(GetQuota { mailbox: None }))
}

pub(super) fn of_mailbox(mailbox: String) -> Begun {
    Begun::Run(Box::new(GetQuota { mailbox: Some(mailbox) }))
}

pub(super) fn set() -> Done {
    Done::no("[NOPERM] Limits are set by the operator")
}

impl Running for GetQuota {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::Quota),
            Event::Answer(Answer::Quota(quota)) => {
                if let Some(mailbox) = &self.mailbox {
                    write::quota_root(&mut core.out, mailbox, core.enabled.names(), &[ROOT]);
                }
                write::quota(&mut core.out, ROOT, &resources(&quota));
                let verb = if self.mailbox.is_some() { "GETQUOTAROOT" } else { "GETQUOTA" };
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
