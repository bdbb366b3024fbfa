//! OAUTHBEARER (RFC 7628) and XOAUTH2 (its forerunner, as Google and Microsoft have it): the client brings a token that
//! somebody else has issued; a refusal is a challenge in JSON that the client acknowledges.
//!
//! ```text
//! client-resp = gs2-header %x01 *( key "=" value %x01 ) %x01          XOAUTH2: "user=" user %x01 "auth=" value %x01 %x01
//! ```

use secrecy::SecretString;

use crate::{Next, Question, Verdict, prepare, scram};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Bearer,
    XOAuth2,
}

/// What is waited for.
#[derive(Debug)]
#[expect(clippy::enum_variant_names, reason = "a state is named by what it expects")]
pub(crate) enum OAuth {
    ExpectToken(Dialect),
    ExpectVerdict(Dialect),
    /// The refusal is out; whatever comes back ends it.
    ExpectDummy(Verdict),
}

impl OAuth {
    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        let dialect = match self {
            OAuth::ExpectToken(dialect) => *dialect,
            OAuth::ExpectDummy(verdict) => return Next::Done { verdict: verdict.clone() },
            OAuth::ExpectVerdict(_) => return Next::Malformed,
        };
        let Some(said) = std::str::from_utf8(message).ok().and_then(|text| parse(dialect, text)) else {
            return Next::Malformed;
        };
        *self = OAuth::ExpectVerdict(dialect);
        let user = if said.user.is_empty() { Ok("".into()) } else { prepare(&said.user) };
        match (user, said.token) {
            (Ok(user), Some(token)) => {
                Next::Ask(Question::Token { user: user.into_owned(), token: SecretString::from(token) })
            }
            // RFC 7628 §3.1: without a token, or with one that can't be any, it is a question what would be taken.
            _ => Next::Ask(Question::Failed { user: said.user }),
        }
    }

    pub(crate) fn reply(&mut self, verdict: Verdict) -> Next {
        let OAuth::ExpectVerdict(dialect) = *self else {
            return Next::Done { verdict: Verdict::Unavailable };
        };
        match verdict {
            Verdict::Granted { .. } | Verdict::Unavailable => Next::Done { verdict },
            Verdict::Denied | Verdict::Forbidden => {
                *self = OAuth::ExpectDummy(verdict);
                // RFC 7628 §3.2.2
                let json: &[u8] = match dialect {
                    Dialect::Bearer => br#"{"status":"invalid_token","scope":"mail"}"#,
                    Dialect::XOAuth2 => br#"{"status":"401","schemes":"bearer","scope":"mail"}"#,
                };
                Next::Challenge(json.to_vec())
            }
        }
    }
}

struct Said {
    user: String,
    token: Option<String>,
}

fn parse(dialect: Dialect, text: &str) -> Option<Said> {
    let body = text.strip_suffix("\u{1}\u{1}")?;
    let mut parts = body.split('\u{1}');
    let user = match dialect {
        Dialect::XOAuth2 => parts.next()?.strip_prefix("user=")?.to_owned(),
        Dialect::Bearer => {
            let header = parts.next()?;
            // RFC 7628 §3.1: no channel binding.
            let rest = header.strip_prefix("n,").or_else(|| header.strip_prefix("y,"))?;
            match rest.strip_suffix(',')? {
                "" => String::new(),
                authzid => scram::decode_saslname(authzid.strip_prefix("a=")?)?,
            }
        }
    };
    let mut token = None;
    for pair in parts {
        let (key, value) = pair.split_once('=')?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        if key.eq_ignore_ascii_case("auth") {
            token = bearer(value);
        }
    }
    Some(Said { user, token })
}

/// `"Bearer" 1*SP b64token` (RFC 6750 §2.1).
fn bearer(value: &str) -> Option<String> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let fits = !token.is_empty()
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    (scheme.eq_ignore_ascii_case("Bearer") && fits).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn said(dialect: Dialect, message: &str) -> Option<(String, String)> {
        match OAuth::ExpectToken(dialect).response(message.as_bytes()) {
            Next::Ask(Question::Token { user, token }) => Some((user, token.expose_secret().to_owned())),
            Next::Malformed => None,
            Next::Ask(Question::Failed { user }) => Some((user, "-".to_owned())),
            other => panic!("{other:?}"),
        }
    }

    fn is(user: &str, token: &str) -> Option<(String, String)> {
        Some((user.to_owned(), token.to_owned()))
    }

    #[test]
    fn examples_of_rfc_7628_section_4() {
        let message = "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
                       auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        assert_eq!(said(Dialect::Bearer, message), is("user@example.com", token));
        let asking = "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01";
        assert_eq!(said(Dialect::Bearer, asking), is("user@example.com", "-"));
        let google =
            "user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01";
        let token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        assert_eq!(said(Dialect::XOAuth2, google), is("someuser@example.com", token));
    }

    #[test]
    fn anything_else_is_malformed() {
        for wrong in [
            "",
            "n,,",
            "n,,\x01auth=Bearer x",
            "n,,\x01auth=Bearer x\x01",
            "p=tls-exporter,,\x01auth=Bearer x\x01\x01",
            "n,user,\x01auth=Bearer x\x01\x01",
            "n,,\x01auth\x01\x01",
            "user=x\x01auth=Bearer x\x01\x01",
        ] {
            assert_eq!(said(Dialect::Bearer, wrong), None, "{wrong:?}");
        }
        assert_eq!(said(Dialect::Bearer, "n,,\x01auth=Bearer x\x01\x01"), is("", "x"));
        assert_eq!(said(Dialect::Bearer, "n,,\x01auth=Basic x\x01\x01"), is("", "-"));
        assert_eq!(said(Dialect::Bearer, "n,,\x01auth=Bearer x{y}\x01\x01"), is("", "-"));
    }

    #[test]
    fn a_refusal_is_told_in_json_and_acknowledged() {
        let mut exchange = OAuth::ExpectToken(Dialect::Bearer);
        exchange.response(b"n,,\x01auth=Bearer x\x01\x01");
        let Next::Challenge(json) = exchange.reply(Verdict::Denied) else { panic!("no challenge") };
        assert_eq!(json, br#"{"status":"invalid_token","scope":"mail"}"#);
        assert!(matches!(exchange.response(b"\x01"), Next::Done { verdict: Verdict::Denied }));
    }
}
