//! Replies: `code SP enhanced SP text` (RFC 5321 §4.2, RFC 2034, RFC 3463), and the refusals that policy gives.

use std::borrow::Cow;
use std::fmt;

/// A reply that says no. The session's own (syntax, order, limits) and policy's share this shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// 4yz or 5yz (and 252 for VRFY).
    pub code: u16,
    /// Class, subject, detail (RFC 3463); the class equals the first digit of `code`.
    pub enhanced: Enhanced,
    /// What happened, why, and what to do about it. Printable, ASCII unless the client asked for SMTPUTF8; control
    /// characters and line ends are replaced when it is sent. Lines longer than the protocol allows are folded.
    pub text: Cow<'static, str>,
}

/// An enhanced status code (RFC 3463 §2): `class.subject.detail`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.code, self.enhanced, self.text)
    }
}

impl Refusal {
    /// Any refusal. `enhanced` is subject and detail; the class follows from the code.
    pub fn new(code: u16, enhanced: (u16, u16), text: impl Into<Cow<'static, str>>) -> Refusal {
        let class = u8::try_from(code / 100).unwrap_or(5);
        Refusal { code, enhanced: Enhanced(class, enhanced.0, enhanced.1), text: text.into() }
    }

    /// Whether trying again later may help (4yz).
    pub fn is_transient(&self) -> bool {
        self.code < 500
    }

    /// 550 5.1.1: no such mailbox here.
    pub fn no_such_mailbox(address: &impl fmt::Display) -> Refusal {
        Refusal::new(
            550,
            (1, 1),
            format!("<{address}> does not exist here; check the spelling of the address"),
        )
    }

    /// 550 5.7.1: relaying.
    pub fn relay_denied(address: &impl fmt::Display) -> Refusal {
        Refusal::new(
            550,
            (7, 1),
            format!(
                "Mail for <{address}> is not relayed for strangers; log in first, or use your own server"
            ),
        )
    }

    /// 550 5.7.1: the sender's address belongs to somebody else.
    pub fn sender_not_yours(from: &impl fmt::Display, user: &str) -> Refusal {
        Refusal::new(550, (7, 1), format!("{user} may not send as <{from}>; use one of your own addresses"))
    }

    /// 550 5.2.1: the account is switched off.
    pub fn mailbox_disabled(address: &impl fmt::Display) -> Refusal {
        Refusal::new(550, (2, 1), format!("The mailbox <{address}> is switched off and takes no mail"))
    }

    /// 452 4.2.2: over quota; the sender's queue may try again when space has been made.
    pub fn mailbox_full(address: &impl fmt::Display) -> Refusal {
        Refusal::new(
            452,
            (2, 2),
            format!("The mailbox <{address}> is full; try again later, its owner has to delete something"),
        )
    }

    /// 552 5.2.3: this message alone is more than the mailbox may ever hold.
    pub fn too_big_for_mailbox(address: &impl fmt::Display) -> Refusal {
        Refusal::new(552, (2, 3), format!("The message is larger than the mailbox <{address}> may hold"))
    }

    /// 452 4.3.1: the disk is full.
    pub fn storage_full() -> Refusal {
        Refusal::new(452, (3, 1), "The server is out of disk space; nothing was taken, try again later")
    }

    /// 451 4.3.0: trouble of this server's own.
    pub fn local_trouble() -> Refusal {
        Refusal::new(451, (3, 0), "The server has trouble of its own; nothing was taken, try again later")
    }

    /// 451 4.4.3: the directory or the DNS did not answer.
    pub fn lookup_failed() -> Refusal {
        Refusal::new(451, (4, 3), "The address could not be looked up just now; try again later")
    }

    /// 451 4.3.2: too much load.
    pub fn busy() -> Refusal {
        Refusal::new(451, (3, 2), "The server has too much to do right now; try again later")
    }
}

/// Longest reply line with its CRLF (RFC 5321 §4.5.3.1.5).
const REPLY_LINE_BYTES_MAX: usize = 512;

/// Which characters a client can read (RFC 6531 §3.7.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Charset {
    Ascii,
    Utf8,
}

/// Appends a reply: `lines` become one multi-line reply, each with the enhanced code when there is one (RFC 2034 §4).
pub(crate) fn write_reply(
    out: &mut Vec<u8>,
    code: u16,
    enhanced: Option<Enhanced>,
    charset: Charset,
    lines: &[impl AsRef<str>],
) {
    let enhanced = enhanced.map(|enhanced| format!("{enhanced} ")).unwrap_or_default();
    let room = REPLY_LINE_BYTES_MAX - "250 ".len() - enhanced.len() - "\r\n".len();
    let mut pieces = lines.iter().flat_map(|line| fold(line.as_ref(), room)).peekable();
    while let Some(piece) = pieces.next() {
        let separator = if pieces.peek().is_some() { '-' } else { ' ' };
        out.extend_from_slice(code.to_string().as_bytes());
        out.push(separator as u8);
        out.extend_from_slice(enhanced.as_bytes());
        for c in piece.chars() {
            // textstring = 1*(%d09 / %d32-126): whatever a text was made of, it can't end the line.
            let fine = c == '\t'
                || (' '..='~').contains(&c)
                || (charset == Charset::Utf8 && !c.is_control() && !c.is_ascii());
            let c = if fine { c } else { '?' };
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Cuts a text into pieces of at most `room` octets, at spaces where there are some.
fn fold(text: &str, room: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if text.len() <= room {
            rest = None;
            return Some(text);
        }
        let hard = text.floor_char_boundary(room);
        let cut = text[..hard].rfind(' ').filter(|cut| *cut > room / 2).unwrap_or(hard);
        rest = Some(text[cut..].trim_start_matches(' '));
        Some(&text[..cut])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(code: u16, text: &str) -> String {
        let mut out = Vec::new();
        write_reply(&mut out, code, Some(Enhanced(5, 1, 1)), Charset::Ascii, &[text]);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn replies_keep_within_a_line() {
        assert_eq!(written(550, "no"), "550 5.1.1 no\r\n");
        assert_eq!(written(550, ""), "550 5.1.1 \r\n");
        assert_eq!(written(550, "a\r\n250 b\0ж"), "550 5.1.1 a??250 b??\r\n");
        let long = written(550, &"word ".repeat(250));
        assert!(long.lines().all(|line| line.len() <= 510 && line[4..].starts_with("5.1.1 word")), "{long}");
        assert!(long.starts_with("550-") && long.lines().last().unwrap().starts_with("550 "));
        assert_eq!(written(550, &"ж".repeat(2000)).matches('?').count(), 2000);
    }

    #[test]
    fn the_class_follows_the_code() {
        assert_eq!(Refusal::storage_full().to_string().split(' ').nth(1), Some("4.3.1"));
        assert!(Refusal::busy().is_transient() && !Refusal::no_such_mailbox(&"a@b").is_transient());
        assert_eq!(Refusal::no_such_mailbox(&"a@b").enhanced, Enhanced(5, 1, 1));
    }
}
