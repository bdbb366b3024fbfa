//! Preparation of names and passwords by SASLprep (RFC 4013), so that two ways to type one letter are one password.

use std::borrow::Cow;

use secrecy::SecretString;
use stringprep::tables;
use unicode_normalization::UnicodeNormalization as _;

/// The text holds what SASLprep forbids (control characters, private use, mixed directions), or nothing is left of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unprepared;

/// SASLprep of a name or a password, as a query string (RFC 4616 §2, RFC 5802 §5.1): code points unassigned in Unicode
/// 3.2, such as emoji, are allowed. ASCII without control characters comes back as it is. Preparing twice changes nothing
/// that matters: the directory may prepare what a session has prepared.
///
/// # Errors
/// [`Unprepared`]: verification must fail.
pub fn prepare(text: &str) -> Result<Cow<'_, str>, Unprepared> {
    let prepared = match stringprep::saslprep(text) {
        Ok(prepared) => prepared,
        Err(_) => Cow::Owned(prepare_unassigned(text)?),
    };
    if prepared.is_empty() { Err(Unprepared) } else { Ok(prepared) }
}

/// [`prepare`] for a password that is to be kept secret.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_secret(password: &str) -> Result<SecretString, Unprepared> {
    Ok(SecretString::from(prepare(password)?.into_owned()))
}

/// The crate refuses unassigned code points (right for stored strings only). They have no influence on the other rules,
/// so each is checked without them, and the result made with them.
fn prepare_unassigned(text: &str) -> Result<String, Unprepared> {
    let mapped = text
        .chars()
        .filter(|&c| !tables::commonly_mapped_to_nothing(c))
        .map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c });
    let normalized: String = mapped.nfkc().collect();
    if !normalized.contains(tables::unassigned_code_point) {
        return Err(Unprepared);
    }
    let assigned: String = normalized.chars().filter(|&c| !tables::unassigned_code_point(c)).collect();
    stringprep::saslprep(&assigned).map_err(|_| Unprepared)?;
    Ok(normalized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_rfc_4013_section_3() {
        assert_eq!(prepare("I\u{ad}X").as_deref(), Ok("IX"));
        assert_eq!(prepare("user").as_deref(), Ok("user"));
        assert_eq!(prepare("USER").as_deref(), Ok("USER"));
        assert_eq!(prepare("\u{aa}").as_deref(), Ok("a"));
        assert_eq!(prepare("\u{2168}").as_deref(), Ok("IX"));
        assert_eq!(prepare("\u{7}"), Err(Unprepared));
        assert_eq!(prepare("\u{627}1"), Err(Unprepared));
    }

    #[test]
    fn what_unicode_got_later_is_allowed() {
        assert_eq!(prepare("п\u{1f642}\u{a0}!").as_deref(), Ok("п\u{1f642} !"));
        assert_eq!(prepare("\u{1f642}\u{7}"), Err(Unprepared));
        assert_eq!(prepare(""), Err(Unprepared));
        assert_eq!(prepare("\u{ad}"), Err(Unprepared), "nothing is left");
    }
}
