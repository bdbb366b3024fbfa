//! Commands (RFC 2449 §3).
//!
//! ```text
//! command = keyword *(SP param) CRLF     ;255 octets maximum
//! keyword = 3*4VCHAR                     param = 1*VCHAR
//! ```
//! Taken besides: UTF-8 in arguments (RFC 6856 §2.2), spaces within a password (RFC 1939 §7), longer lines, and spaces
//! at a line's end except in a password.

use sasl::Mechanism;

/// Longest command line with its CRLF, in octets. RFC 2449 §4 wants 255; initial responses of three strings of 255 octets
/// (RFC 4616 §2) need 1,040.
pub(crate) const COMMAND_OCTETS_MAX: usize = 2048;

/// A command with its arguments. `msg` is a message-number as typed; whether there is such a message is seen later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command<'a> {
    User(&'a str),
    Pass(&'a str),
    Apop { name: &'a str, digest: &'a str },
    Auth(Auth<'a>),
    Stls,
    Utf8,
    Capa,
    Help,
    Lang(Option<&'a str>),
    Stat,
    List(Option<u32>),
    Uidl(Option<u32>),
    Retr(u32),
    Dele(u32),
    Top { msg: u32, lines: u64 },
    Noop,
    Rset,
    Last,
    Xtnd,
    Quit,
}

/// What follows AUTH (RFC 5034 §4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Auth<'a> {
    /// Nothing: the names of the mechanisms are asked for. Not in RFC 5034; old clients do so.
    List,
    /// A mechanism, and its initial response in base64 or `=`.
    Begin { mechanism: Mechanism, initial: Option<&'a [u8]> },
    /// No such mechanism here.
    Unknown,
}

/// Why a line is no command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Malformed {
    /// No such keyword.
    Unknown,
    /// Too few, too many, or not such arguments.
    Arguments,
    /// Not UTF-8, or with NUL.
    Text,
}

/// Reads a line without its CRLF.
pub(crate) fn parse(line: &[u8]) -> Result<Command<'_>, Malformed> {
    // RFC 6856 §2.2: names and passwords that are not UTF-8 must be rejected.
    let line = std::str::from_utf8(line).map_err(|_| Malformed::Text)?;
    if line.contains('\0') {
        return Err(Malformed::Text);
    }
    let (keyword, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut upper = [0; 4];
    let Some(upper) = upper.get_mut(..keyword.len()) else {
        return Err(Malformed::Unknown);
    };
    upper.copy_from_slice(keyword.as_bytes());
    upper.make_ascii_uppercase();
    if upper == b"PASS" {
        return some(rest).map(Command::Pass);
    }
    parse_trimmed(upper, rest.trim_end_matches(' '))
}

fn parse_trimmed<'a>(upper: &[u8], rest: &'a str) -> Result<Command<'a>, Malformed> {
    match upper {
        b"USER" => some(rest).map(Command::User),
        b"APOP" => {
            let (name, digest) = rest.rsplit_once(' ').ok_or(Malformed::Arguments)?;
            Ok(Command::Apop { name: some(name)?, digest })
        }
        b"AUTH" => parse_auth(rest).map(Command::Auth),
        // RFC 2595 §4: STLS takes no argument; text behind it may be an injection.
        b"STLS" => alone(rest, Command::Stls),
        b"UTF8" => alone(rest, Command::Utf8),
        b"CAPA" => alone(rest, Command::Capa),
        b"HELP" => Ok(Command::Help),
        b"LANG" => match rest {
            "" => Ok(Command::Lang(None)),
            range if range.contains(' ') => Err(Malformed::Arguments),
            range => Ok(Command::Lang(Some(range))),
        },
        b"STAT" => alone(rest, Command::Stat),
        b"LIST" => optional_number(rest).map(Command::List),
        b"UIDL" => optional_number(rest).map(Command::Uidl),
        b"RETR" => number(rest).map(Command::Retr),
        b"DELE" => number(rest).map(Command::Dele),
        b"TOP" => {
            let (msg, lines) = rest.split_once(' ').ok_or(Malformed::Arguments)?;
            Ok(Command::Top { msg: number(msg)?, lines: number(lines)?.into() })
        }
        b"NOOP" => alone(rest, Command::Noop),
        b"RSET" => alone(rest, Command::Rset),
        b"LAST" => alone(rest, Command::Last),
        b"XTND" => Ok(Command::Xtnd),
        b"QUIT" => alone(rest, Command::Quit),
        _ => Err(Malformed::Unknown),
    }
}

fn parse_auth(rest: &str) -> Result<Auth<'_>, Malformed> {
    if rest.is_empty() {
        return Ok(Auth::List);
    }
    let (name, initial) = match rest.split_once(' ') {
        Some((_, initial)) if initial.is_empty() || initial.contains(' ') => {
            return Err(Malformed::Arguments);
        }
        Some((name, initial)) => (name, Some(initial.as_bytes())),
        None => (rest, None),
    };
    let mechanism = Mechanism::parse(name.as_bytes());
    Ok(mechanism.map_or(Auth::Unknown, |mechanism| Auth::Begin { mechanism, initial }))
}

fn alone<'a>(rest: &str, command: Command<'a>) -> Result<Command<'a>, Malformed> {
    if rest.is_empty() { Ok(command) } else { Err(Malformed::Arguments) }
}

fn some(rest: &str) -> Result<&str, Malformed> {
    if rest.is_empty() { Err(Malformed::Arguments) } else { Ok(rest) }
}

fn optional_number(rest: &str) -> Result<Option<u32>, Malformed> {
    if rest.is_empty() { Ok(None) } else { number(rest).map(Some) }
}

/// Digits only; a number too large to be any is as good as the largest (TOP's "all lines").
fn number(text: &str) -> Result<u32, Malformed> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Malformed::Arguments);
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_in_any_case() {
        assert_eq!(parse(b"stat"), Ok(Command::Stat));
        assert_eq!(parse(b"Top 3 10"), Ok(Command::Top { msg: 3, lines: 10 }));
        assert_eq!(parse(b"LIST  "), Ok(Command::List(None)), "spaces at the end");
        assert_eq!(parse(b"uidl 99999999999"), Ok(Command::Uidl(Some(u32::MAX))));
        assert_eq!(parse(b"xtnd xmit now"), Ok(Command::Xtnd));
    }

    #[test]
    fn passwords_keep_their_spaces() {
        assert_eq!(parse(b"PASS  a b "), Ok(Command::Pass(" a b ")));
        assert_eq!(parse(b"USER a b "), Ok(Command::User("a b")));
        assert_eq!(parse("PASS пароль".as_bytes()), Ok(Command::Pass("пароль")));
        assert_eq!(parse(b"APOP a b 00"), Ok(Command::Apop { name: "a b", digest: "00" }));
    }

    #[test]
    fn auth_with_and_without_an_initial_response() {
        let plain = |initial| Ok(Command::Auth(Auth::Begin { mechanism: Mechanism::Plain, initial }));
        assert_eq!(parse(b"AUTH"), Ok(Command::Auth(Auth::List)));
        assert_eq!(parse(b"AUTH plain"), plain(None));
        assert_eq!(parse(b"AUTH PLAIN ="), plain(Some(b"=")));
        assert_eq!(parse(b"AUTH GSSAPI ="), Ok(Command::Auth(Auth::Unknown)));
    }

    #[test]
    fn what_is_no_command() {
        for line in ["", " ", "STA", "STATS", "X", "RETRY 1", "SEND", "é"] {
            assert_eq!(parse(line.as_bytes()), Err(Malformed::Unknown), "{line:?}");
        }
        for line in [
            "RETR",
            "RETR x",
            "RETR -1",
            "RETR +1",
            "RETR 1 2",
            "RETR 1x",
            "RETR  1",
            "DELE",
            "TOP 1",
            "TOP 1 2 3",
            "TOP 1 -1",
            "LIST 1 2",
            "STAT 1",
            "STLS now",
            "USER",
            "USER ",
            "PASS",
            "PASS ",
            "APOP a",
            "AUTH PLAIN a b",
            "AUTH PLAIN  a",
            "QUIT now",
            "LANG a b",
            "NOOP x",
            "UTF8 USER",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(Malformed::Arguments), "{line:?}");
        }
        assert_eq!(parse(b"USER \xff"), Err(Malformed::Text));
        assert_eq!(parse(b"USER a\0b"), Err(Malformed::Text));
    }
}
