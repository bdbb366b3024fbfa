//! The sender rewriting scheme (SRS; S. Wong, 2003, and libsrs2's forms): the reverse-path of what is forwarded names
//! this server, so that SPF (RFC 7208 appendix D.1) holds for it, and bounces come back here and are sent on to who
//! wrote the message.
//!
//! ```text
//! SRS0=HASH=DAY=domain=local@here          of local@domain
//! SRS1=HASH=first=…@here                   of SRS0…@first, which keeps its own hash
//! SRS0=HASH=DAY=-=token@here               of what would be too long: kept in the store (`kept.rs`)
//! ```
//! HASH are six signs of base32 (30 bits), DAY two: days since 1970, modulo 1024.

use crate::keys::Use;
use crate::{Kept, Keys, Rewriting, base32, day};
use model::{Domain, EmailAddress, LocalPart, UnixTime};
use subtle::ConstantTimeEq as _;

/// Days that a bounce may take.
const DAYS_MAX: i64 = 21;
/// Signs of a hash.
const HASH_LENGTH: usize = 6;
/// In place of a domain (no domain begins so): the token of an address that is kept.
const KEPT: &str = "-";

/// A reverse-path for what is forwarded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forwarded {
    /// The new one.
    pub address: EmailAddress,
    /// What has to be written down for its way back, in the transaction that forwards.
    pub kept: Option<Kept>,
}

/// Where mail to an SRS address of ours goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Returned {
    /// To this address.
    To(EmailAddress),
    /// To the address that is kept under this token ([`crate::original`]).
    Kept([u8; 10]),
    /// It was made here, too long ago.
    TooOld,
    /// It was not made here.
    Forged,
}

impl Rewriting {
    /// The reverse-path under which mail of `sender` is forwarded; `here` is the domain that it came for.
    pub fn forwarded(&self, sender: &EmailAddress, here: &Domain, now: UnixTime) -> Forwarded {
        let here = self.srs_domain.as_ref().unwrap_or(here);
        if let Some(local) = short(&self.keys, sender, now) {
            return Forwarded { address: EmailAddress { local, domain: here.clone() }, kept: None };
        }
        let kept = Kept::new(&self.keys, sender);
        let local = self.keys.stamped(&format!("{KEPT}={}", base32::encode(&kept.token)), now);
        let local = LocalPart::new(&local).expect("it has 33 octets of ASCII");
        Forwarded { address: EmailAddress { local, domain: here.clone() }, kept: Some(kept) }
    }

    /// Where mail to `address` goes if its local part has the form of SRS; None: it has not. Whether the domain is ours
    /// is for the caller to say.
    pub fn returned(&self, address: &EmailAddress, now: UnixTime) -> Option<Returned> {
        let local = address.local.as_str();
        let (kind, rest) = local.split_at_checked(4)?;
        let rest = rest.strip_prefix(['=', '+', '-'])?;
        let found = match kind.to_ascii_lowercase().as_str() {
            "srs0" => self.keys.read_first(rest, now),
            "srs1" => self.keys.read_chained(rest),
            _ => return None,
        };
        Some(found.unwrap_or(Returned::Forged))
    }
}

/// The local part that needs nothing kept; None: it is too long.
fn short(keys: &Keys, sender: &EmailAddress, now: UnixTime) -> Option<LocalPart> {
    let (local, domain) = (sender.local.as_str(), sender.domain.to_ascii());
    let text = match scheme(local) {
        // The first forwarder's address keeps its hash; what stands between is passed over on the way back.
        Some("srs0") => keys.chained(&domain, &local[4..]),
        Some("srs1") => match local[5..].split_once('=').and_then(|(_, rest)| rest.split_once('=')) {
            // What only looks like a chain leads nowhere: it goes as any other.
            Some((first, rest)) if first_forwarder(first, rest).is_some() => keys.chained(first, rest),
            _ => keys.stamped(&format!("{domain}={local}"), now),
        },
        _ => keys.stamped(&format!("{domain}={local}"), now),
    };
    LocalPart::new(&text).ok()
}

/// The address at the first forwarder's that `rest`, which stands behind its domain in an SRS1 address, was made of.
fn first_forwarder(domain: &str, rest: &str) -> Option<EmailAddress> {
    if rest.is_empty() {
        return None;
    }
    // There stands the separator that was behind SRS0; a forwarder that left it out meant "=".
    let local =
        if rest.starts_with(['=', '+', '-']) { format!("SRS0{rest}") } else { format!("SRS0={rest}") };
    Some(EmailAddress { local: LocalPart::new(&local).ok()?, domain: Domain::new(domain).ok()? })
}

/// `srs0` or `srs1` if the local part begins as one of them.
fn scheme(local: &str) -> Option<&'static str> {
    let (kind, rest) = local.split_at_checked(4)?;
    let known = ["srs0", "srs1"].into_iter().find(|known| kind.eq_ignore_ascii_case(known))?;
    (rest.len() > 1 && rest.starts_with(['=', '+', '-'])).then_some(known)
}

impl Keys {
    fn stamped(&self, what: &str, now: UnixTime) -> String {
        let day = day(now).rem_euclid(1024) as u32;
        let stamped = format!("{}{}={what}", base32::sign(day >> 5), base32::sign(day));
        format!("SRS0={}={stamped}", self.srs_hash("0", &stamped))
    }

    /// `rest` begins with a separator when it is what stood behind `SRS0`.
    fn chained(&self, first: &str, rest: &str) -> String {
        let what = format!("{first}={rest}");
        format!("SRS1={}={what}", self.srs_hash("1", &what))
    }

    fn srs_hash(&self, kind: &str, what: &str) -> String {
        let hash = self.hash(Use::Srs, &[kind.as_bytes(), what.to_lowercase().as_bytes()]);
        let mut text = base32::encode(&hash[..5]);
        text.truncate(HASH_LENGTH);
        text
    }

    fn is_ours(&self, kind: &str, hash: &str, what: &str) -> bool {
        let right = self.srs_hash(kind, what);
        right.as_bytes().ct_eq(hash.to_ascii_lowercase().as_bytes()).into()
    }

    /// What stands behind `SRS0=`. None: not as it is made here.
    fn read_first(&self, rest: &str, now: UnixTime) -> Option<Returned> {
        let (hash, what) = rest.split_once('=')?;
        if !self.is_ours("0", hash, what) {
            return None;
        }
        let (stamp, address) = what.split_once('=')?;
        let &[high, low] = stamp.as_bytes() else { return None };
        let stamp = base32::value(high)? << 5 | base32::value(low)?;
        // A day ahead: clocks of hosts that share a secret differ.
        let age = (day(now) + 1 - i64::from(stamp)).rem_euclid(1024) - 1;
        if age > DAYS_MAX {
            return Some(Returned::TooOld);
        }
        let (domain, local) = address.split_once('=')?;
        if domain == KEPT {
            return base32::decode(local)?.try_into().ok().map(Returned::Kept);
        }
        Some(Returned::To(EmailAddress {
            local: LocalPart::new(local).ok()?,
            domain: Domain::new(domain).ok()?,
        }))
    }

    /// What stands behind `SRS1=`: its age is for the first forwarder to judge.
    fn read_chained(&self, rest: &str) -> Option<Returned> {
        let (hash, what) = rest.split_once('=')?;
        if !self.is_ours("1", hash, what) {
            return None;
        }
        let (domain, local) = what.split_once('=')?;
        first_forwarder(domain, local).map(Returned::To)
    }
}

#[cfg(test)]
#[path = "srs_tests.rs"]
mod tests;
