//! EXTERNAL (RFC 4422, appendix A): the client's certificate has said who it is; the message is whom to act as, or empty.

use crate::{Next, Question, prepare};

/// Waits for the one message.
#[derive(Debug)]
pub(crate) struct External {
    /// Addresses of the certificate, which TLS has verified.
    pub(crate) names: Vec<String>,
}

impl External {
    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        let names = std::mem::take(&mut self.names);
        let Some(authzid) = std::str::from_utf8(message).ok().filter(|text| !text.contains('\0')) else {
            return Next::Malformed;
        };
        let authorize_as = if authzid.is_empty() { Ok("".into()) } else { prepare(authzid) };
        match authorize_as {
            Ok(name) => Next::Ask(Question::Certificate { authorize_as: name.into_owned(), names }),
            Err(_) => Next::Ask(Question::Failed { user: names.into_iter().next().unwrap_or_default() }),
        }
    }
}
