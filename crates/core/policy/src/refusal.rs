//! Refusals.

use std::borrow::Cow;

/// Why not, as the peer will read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// RFC 5321 §4.2.
    pub code: u16,
    /// RFC 3463.
    pub enhanced: [u8; 3],
    /// One line without the codes; may hold UTF-8 only if `text_ascii` would not do (it never does now).
    pub text: Cow<'static, str>,
}

/// Yes with a value, or no.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict<T> {
    /// Yes.
    Accept(T),
    /// No.
    Refuse(Refusal),
}

impl<T> Verdict<T> {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Verdict::Accept(_) => None,
            Verdict::Refuse(refusal) => Some(refusal),
        }
    }
}

pub(crate) fn refuse<T>(code: u16, enhanced: [u8; 3], text: impl Into<Cow<'static, str>>) -> Verdict<T> {
    Verdict::Refuse(Refusal { code, enhanced, text: text.into() })
}
