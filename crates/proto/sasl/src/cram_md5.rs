//! CRAM-MD5 (RFC 2195): the client answers a msg-id by its name, a space, and HMAC-MD5 in hexadecimal.

use crate::exchange::Setup;
use crate::{DigestKind, Next, Question, apop_timestamp, prepare};

/// Waits for the one message.
#[derive(Debug)]
pub(crate) struct CramMd5 {
    pub(crate) challenge: Vec<u8>,
}

impl CramMd5 {
    pub(crate) fn new(setup: &Setup<'_>) -> CramMd5 {
        CramMd5 { challenge: apop_timestamp(setup).into_bytes() }
    }

    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        // The digest has no space, a name may have some: the last one separates.
        let Some((user, digest)) = std::str::from_utf8(message).ok().and_then(|text| text.rsplit_once(' '))
        else {
            return Next::Malformed;
        };
        let is_digest = digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        if user.is_empty() || user.contains('\0') || !is_digest {
            return Next::Malformed;
        }
        match prepare(user) {
            Ok(name) => Next::Ask(Question::Digest {
                kind: DigestKind::CramMd5,
                user: name.into_owned(),
                challenge: std::mem::take(&mut self.challenge),
                response: digest.to_ascii_lowercase(),
            }),
            Err(_) => Next::Ask(Question::Failed { user: user.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cram() -> CramMd5 {
        CramMd5 { challenge: b"<1896.697170952@postoffice.reston.mci.net>".to_vec() }
    }

    #[test]
    fn example_of_rfc_2195() {
        let Next::Ask(Question::Digest { user, challenge, response, .. }) =
            cram().response(b"tim b913a602c7eda7a495b4e6e7334d3890")
        else {
            panic!("no question");
        };
        assert_eq!((user.as_str(), response.as_str()), ("tim", "b913a602c7eda7a495b4e6e7334d3890"));
        assert_eq!(response, crate::cram_md5_digest(&challenge, b"tanstaaftanstaaf"));
    }

    #[test]
    fn names_may_have_spaces_and_digests_capitals() {
        let Next::Ask(Question::Digest { user, response, .. }) =
            cram().response(b"tim the 2nd B913A602C7EDA7A495B4E6E7334D3890")
        else {
            panic!("no question");
        };
        assert_eq!((user.as_str(), response.as_str()), ("tim the 2nd", "b913a602c7eda7a495b4e6e7334d3890"));
    }

    #[test]
    fn anything_else_is_malformed() {
        for wrong in [
            &b""[..],
            b"tim",
            b" b913a602c7eda7a495b4e6e7334d3890",
            b"tim b913a602c7eda7a495b4e6e7334d389",
            b"tim b913a602c7eda7a495b4e6e7334d389g",
            b"t\xff b913a602c7eda7a495b4e6e7334d3890",
        ] {
            assert!(matches!(cram().response(wrong), Next::Malformed), "{}", wrong.escape_ascii());
        }
    }
}
