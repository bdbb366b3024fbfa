//! Normal forms of names (RFC 8265 §3.3 for local parts, RFC 5890 for domains by `model`).

use crate::Error;
use model::{Domain, EmailAddress, LocalPart};
use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use serde::Serializer;
use std::borrow::Cow;
use std::fmt::Display;

/// The address as the directory compares it: local part by RFC 8265 §3.3 (width, case, NFC). None when its local part
/// is no PRECIS username, so it can't be one of ours.
pub fn normal_address(address: &EmailAddress) -> Option<EmailAddress> {
    let local = LocalPart::new(&normal_local(address.local.as_str())?).ok()?;
    Some(EmailAddress { local, domain: address.domain.clone() })
}

/// RFC 8265 §3.3.2: width mapping, case mapping, NFC, the bidi rule; letters, digits and printable ASCII only.
pub(crate) fn normal_local(local: &str) -> Option<Cow<'_, str>> {
    // RFC 8264 §9.11: of ASCII, 0x21 to 0x7E are valid in an identifier.
    if local.bytes().all(|b| b.is_ascii_graphic()) {
        let lower = local.bytes().all(|b| !b.is_ascii_uppercase());
        return Some(if lower { Cow::Borrowed(local) } else { Cow::Owned(local.to_ascii_lowercase()) });
    }
    UsernameCaseMapped::enforce(local).ok()
}

/// The normal form of an address that is to become one of ours.
pub(crate) fn new_address(address: &EmailAddress) -> Result<EmailAddress, Error> {
    let Some(normal) = normal_address(address) else {
        let why = "only letters, digits and the signs of ASCII may stand before the @ (RFC 8265)";
        return Err(Error::bad_name(address, why));
    };
    if !normal.local.is_dot_string() {
        return Err(Error::bad_name(address, "it would need quotes (RFC 5321 §4.1.2)"));
    }
    if normal.domain.as_str().starts_with('[') {
        return Err(Error::bad_name(address, "an address literal is no domain of ours"));
    }
    Ok(normal)
}

/// The address that a log-in name means.
pub(crate) fn login_address(name: &str, default_domain: Option<&Domain>) -> Option<EmailAddress> {
    let address = if name.contains('@') {
        EmailAddress::parse(name).ok()?
    } else {
        EmailAddress { local: LocalPart::new(name).ok()?, domain: default_domain?.clone() }
    };
    // The local part stays as written: resolving splits a subaddress off before it folds.
    Some(address)
}

pub(crate) fn as_text<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
pub(crate) fn maybe_as_text<S: Serializer>(value: &Option<impl Display>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

pub(crate) fn all_as_text<S: Serializer>(values: &[impl Display], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(ToString::to_string))
}

pub(crate) fn unix_time<S: Serializer>(time: &model::UnixTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(time.0)
}

pub(crate) fn account_id<S: Serializer>(id: &engine::AccountId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u32(id.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Option<String> {
        normal_address(&EmailAddress::parse(text).unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn local_parts_are_folded_as_rfc_8265_says() {
        for (given, wanted) in [
            ("User+Tag@x.test", "user+tag@x.test"),
            ("ПОЧТА@ПРИМЕР.РФ", "почта@пример.рф"),
            // Fullwidth letters become usual ones (width mapping).
            ("\u{ff35}ser@x.test", "user@x.test"),
            // e + combining acute becomes one character (NFC).
            ("Re\u{301}mi@x.test", "r\u{e9}mi@x.test"),
            // RFC 8265 §3.5, example 2 and 3: a sharp s is no "ss"; a final sigma no sigma.
            ("fußball@x.test", "fußball@x.test"),
            ("ΣΙΓΜΑς@x.test", "σιγμας@x.test"),
        ] {
            assert_eq!(normal(given).as_deref(), Some(wanted), "{given}");
        }
    }

    #[test]
    fn what_is_no_username_is_refused() {
        // RFC 8265 §3.5: space, Roman numeral four (compatibility), infinity and chess king (symbols).
        for bad in ["\"a b\"@x.test", "henry\u{2163}@x.test", "\u{221e}@x.test", "\u{265a}@x.test"] {
            assert_eq!(normal(bad), None, "{bad}");
        }
        assert!(new_address(&EmailAddress::parse("\"a@b\"@x.test").unwrap()).is_err(), "needs quotes");
        assert!(new_address(&EmailAddress::parse("a@[192.0.2.1]").unwrap()).is_err());
    }

    #[test]
    fn log_in_names_may_lack_the_domain() {
        let domain = Domain::new("x.test").unwrap();
        let address = |name| login_address(name, Some(&domain)).map(|address| address.to_string());
        assert_eq!(address("user+tag").as_deref(), Some("user+tag@x.test"));
        assert_eq!(address("user@Y.test").as_deref(), Some("user@y.test"));
        assert_eq!(address("@x.test"), None);
        assert_eq!(address(""), None);
        assert!(login_address("user", None).is_none());
    }
}
