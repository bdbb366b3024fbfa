//! ANONYMOUS (RFC 4505): the message is who the client would like to be known as, for the log and for nothing else.
//!
//! ```text
//! message = [ email / token ]        token = 1*255TCHAR
//! ```

use crate::{Next, Question};

const TRACE_CHARACTERS_MAX: usize = 255;

/// Waits for the one message.
#[derive(Debug)]
pub(crate) struct Anonymous;

impl Anonymous {
    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        let Ok(trace) = std::str::from_utf8(message) else { return Next::Malformed };
        if trace.chars().count() > TRACE_CHARACTERS_MAX || trace.chars().any(char::is_control) {
            return Next::Malformed;
        }
        Next::Ask(Question::Anonymous { trace: trace.to_owned() })
    }
}
