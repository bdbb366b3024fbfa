//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`, UTF-8.

use crate::{Next, Question, prepare, prepare_secret};

/// Waits for the one message.
#[derive(Debug)]
pub(crate) struct Plain;

impl Plain {
    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        let Ok(message) = std::str::from_utf8(message) else {
            return Next::Malformed;
        };
        let mut parts = message.split('\0');
        let (Some(authzid), Some(authcid), Some(passwd), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Next::Malformed;
        };
        if authcid.is_empty() || passwd.is_empty() {
            return Next::Malformed;
        }
        let authorize_as = if authzid.is_empty() { Ok(authzid.into()) } else { prepare(authzid) };
        // RFC 4616 §2: if preparation fails, verification shall fail.
        match (authorize_as, prepare(authcid), prepare_secret(passwd)) {
            (Ok(authorize_as), Ok(user), Ok(password)) => Next::Ask(Question::Password {
                authorize_as: authorize_as.into_owned(),
                user: user.into_owned(),
                password,
            }),
            _ => Next::Ask(Question::Failed { user: authcid.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn said(message: &str) -> Option<(String, String, String)> {
        match Plain.response(message.as_bytes()) {
            Next::Ask(Question::Password { authorize_as, user, password }) => {
                Some((authorize_as, user, password.expose_secret().to_owned()))
            }
            Next::Malformed => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn examples_of_rfc_4616_section_4() {
        assert_eq!(
            said("\0tim\0tanstaaftanstaaf"),
            Some(("".into(), "tim".into(), "tanstaaftanstaaf".into()))
        );
        assert_eq!(said("Ursel\0Kurt\0xipj3plmq"), Some(("Ursel".into(), "Kurt".into(), "xipj3plmq".into())));
    }

    #[test]
    fn anything_else_is_malformed() {
        for wrong in ["", "\0", "\0\0", "tim", "tim\0secret", "\0\0secret", "\0tim\0", "\0tim\0a\0b"] {
            assert_eq!(said(wrong), None, "{wrong:?}");
        }
        assert!(matches!(Plain.response(b"\0tim\0\xff"), Next::Malformed));
    }

    #[test]
    fn names_and_passwords_are_prepared() {
        assert_eq!(said("\0\u{2168}\0e\u{301}\u{a0}"), Some(("".into(), "IX".into(), "é ".into())));
        assert!(
            matches!(Plain.response(b"\0tim\0\x07"), Next::Ask(Question::Failed { user }) if user == "tim")
        );
    }
}
