//! Refusals.

use std::borrow::Cow;

/// Why not, as the peer will read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// RFC 5321 §4.2.
    pub code: u16,
    /// RFC 3463.
    pub enhanced: [u8; 3],
    /// One line of ASCII without the codes.
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

/// `text` is cleaned of what may not stand in a reply: an address may hold UTF-8, and not every peer takes it
/// (RFC 6531 §3.5).
pub(crate) fn refuse<T>(code: u16, enhanced: [u8; 3], text: impl Into<Cow<'static, str>>) -> Verdict<T> {
    let text = text.into();
    let fits = |b: u8| b == b' ' || b.is_ascii_graphic();
    let text = if text.bytes().all(fits) {
        text
    } else {
        text.chars().map(|c| if c.is_ascii() && fits(c as u8) { c } else { '?' }).collect::<String>().into()
    };
    Verdict::Refuse(Refusal { code, enhanced, text })
}
