//! Bounce address tag validation (draft-levine-smtp-batv-01): our users' reverse-paths carry a tag that ends after a
//! week, so that a bounce of what was never sent from here is known.
//!
//! ```text
//! tagged   = "prvs=" K DDD SSSSSS "=" local-part
//! K        a digit, the number of the key: 0
//! DDD      the day on which it ends: days since 1970, modulo 1000
//! SSSSSS   the first three bytes of HMAC-SHA-1 over K, DDD and the untagged address, in hexadecimal
//! ```

use crate::{Keys, Rewriting, day};
use model::{EmailAddress, LocalPart, UnixTime};
use subtle::ConstantTimeEq as _;

/// Days that a tag lasts.
const DAYS: i64 = 7;
const PREFIX: &str = "prvs=";

/// What a tag says of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tagged {
    /// It was made here within a week, for this address.
    Right(EmailAddress),
    /// It was not; the address without it.
    Wrong(EmailAddress),
}

impl Rewriting {
    /// The address with a tag that lasts a week; None: it would be too long.
    pub fn tagged(&self, address: &EmailAddress, now: UnixTime) -> Option<EmailAddress> {
        let ends = format!("0{:03}", (day(now) + DAYS).rem_euclid(1000));
        let local =
            format!("{PREFIX}{ends}{}={}", signature(&self.keys, &ends, address), address.local.as_str());
        Some(EmailAddress { local: LocalPart::new(&local).ok()?, domain: address.domain.clone() })
    }

    /// Looks at a tag; None: there is none.
    pub fn untagged(&self, address: &EmailAddress, now: UnixTime) -> Option<Tagged> {
        let local = address.local.as_str();
        let (prefix, rest) = local.split_at_checked(PREFIX.len())?;
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return None;
        }
        let (tag, local) = rest.split_once('=')?;
        let untagged = EmailAddress { local: LocalPart::new(local).ok()?, domain: address.domain.clone() };
        Some(if is_right(&self.keys, tag, &untagged, now) {
            Tagged::Right(untagged)
        } else {
            Tagged::Wrong(untagged)
        })
    }
}

fn is_right(keys: &Keys, tag: &str, untagged: &EmailAddress, now: UnixTime) -> bool {
    let Some((ends, given)) = tag.split_at_checked(4) else { return false };
    if !ends.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let day_it_ends: i64 = ends[1..].parse().unwrap_or(0);
    let days_left = (day_it_ends - day(now)).rem_euclid(1000);
    let right = signature(keys, ends, untagged);
    let same: bool = right.as_bytes().ct_eq(given.to_ascii_lowercase().as_bytes()).into();
    same && days_left <= DAYS
}

/// Hosts may fold the case of a local part, so it is hashed without.
fn signature(keys: &Keys, ends: &str, untagged: &EmailAddress) -> String {
    let hash = keys.batv_hash(&[ends.as_bytes(), untagged.to_string().to_lowercase().as_bytes()]);
    hash[..3].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_795_262_400);

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn rewriting() -> Rewriting {
        Rewriting { keys: Keys::new(&[3; 32]), ..Rewriting::default() }
    }

    fn look(text: &str, days: i64) -> Option<Tagged> {
        rewriting().untagged(&address(text), UnixTime(NOW.0 + days * 86_400))
    }

    #[test]
    fn a_tag_lasts_a_week() {
        for plain in ["anna@x.test", "Anna+tag=1@x.test", "почта@пример.рф"] {
            let tagged = rewriting().tagged(&address(plain), NOW).unwrap().to_string();
            // 2026-11-21 is day 20778; it ends on day 20785.
            assert!(tagged.starts_with("prvs=0785"), "{tagged}");
            for days in 0..=7 {
                assert_eq!(look(&tagged, days), Some(Tagged::Right(address(plain))), "{days}");
            }
            for days in [-1, 8, 500] {
                assert_eq!(look(&tagged, days), Some(Tagged::Wrong(address(plain))), "{days}");
            }
        }
    }

    #[test]
    fn only_the_own_tag_of_the_very_address_is_right() {
        let tagged = rewriting().tagged(&address("anna@x.test"), NOW).unwrap().to_string();
        assert_eq!(look(&tagged.to_uppercase(), 0), Some(Tagged::Right(address("ANNA@x.test"))));
        for wrong in [
            tagged.replace("anna", "bert"),
            tagged.replace("x.test", "y.test"),
            "prvs=0785abcdef=anna@x.test".into(),
            "prvs==anna@x.test".into(),
            "prvs=0=anna@x.test".into(),
            "prvs=x785abcdef=anna@x.test".into(),
        ] {
            assert!(matches!(look(&wrong, 0), Some(Tagged::Wrong(_))), "{wrong}");
        }
        for plain in ["anna@x.test", "prvs@x.test", "prvs=anna@x.test", "btv1==0=a@x.test"] {
            assert_eq!(look(plain, 0), None, "{plain}");
        }
    }

    #[test]
    fn what_would_be_too_long_stays_as_it_is() {
        assert!(rewriting().tagged(&address(&format!("{}@x.test", "a".repeat(48))), NOW).is_some());
        assert!(rewriting().tagged(&address(&format!("{}@x.test", "a".repeat(49))), NOW).is_none());
    }
}
