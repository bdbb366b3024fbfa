//! Paths of MAIL and RCPT, and the argument of EHLO (RFC 5321 §4.1.2, §4.1.3; RFC 6531 §3.3).

use model::{AddressError, Domain, EmailAddress, LocalPart, Path, ReversePath};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a text is no path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PathError {
    /// Does not begin with `<`.
    NoBracket,
    /// No `>` where it has to stand.
    NotClosed,
    /// The source route before the mailbox is malformed.
    BadRoute,
    /// `[…]` holds no address.
    BadLiteral,
    /// A quoted string without its end, or with something in it that may not stand there.
    BadQuoting,
    /// `<>`, where a mailbox has to stand.
    Empty,
    /// Over 256 octets (RFC 5321 §4.5.3.1.3).
    TooLong,
    /// What the mailbox itself is accused of.
    Address(AddressError),
}

impl std::fmt::Display for PathError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PathError::NoBracket => "the address has to stand in angle brackets",
            PathError::NotClosed => "the closing angle bracket is missing",
            PathError::BadRoute => "the source route before the address is malformed",
            PathError::BadLiteral => "the brackets hold no IPv4 address and no IPv6: address",
            PathError::BadQuoting => "the quoted local part is malformed",
            PathError::Empty => "an address is needed here, <> is only for senders",
            PathError::TooLong => "the address is longer than 256 octets",
            PathError::Address(error) => return error.fmt(f),
        })
    }
}

impl From<AddressError> for PathError {
    fn from(error: AddressError) -> PathError {
        PathError::Address(error)
    }
}

/// Longest path with its brackets (RFC 5321 §4.5.3.1.3), source route not counted.
const PATH_BYTES_MAX: usize = 256;

/// ```text
/// Reverse-path = Path / "<>"
/// ```
/// Answers what follows the `>` too.
pub(crate) fn reverse_path(text: &str) -> Result<(ReversePath, &str), PathError> {
    if let Some(rest) = text.strip_prefix("<>") {
        return Ok((ReversePath::Null, rest));
    }
    path(text).map(|(address, rest)| (ReversePath::Mailbox(address), rest))
}

/// ```text
/// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) …
/// Forward-path = Path
/// ```
/// `Postmaster` in any case (RFC 5321 §4.1.1.3).
pub(crate) fn forward_path(text: &str) -> Result<(Path, &str), PathError> {
    const POSTMASTER: &str = "<postmaster>";
    if let Some((head, rest)) = text.split_at_checked(POSTMASTER.len())
        && head.eq_ignore_ascii_case(POSTMASTER)
    {
        return Ok((Path::Postmaster, rest));
    }
    if text.starts_with("<>") {
        return Err(PathError::Empty);
    }
    path(text).map(|(address, rest)| (Path::Mailbox(address), rest))
}

/// ```text
/// Path      = "<" [ A-d-l ":" ] Mailbox ">"
/// A-d-l     = At-domain *( "," At-domain )
/// At-domain = "@" Domain
/// ```
/// RFC 5321 appendix C: the route is recognised, checked and dropped.
fn path(text: &str) -> Result<(EmailAddress, &str), PathError> {
    let mut rest = text.strip_prefix('<').ok_or(PathError::NoBracket)?;
    if rest.starts_with('@') {
        let (route, behind) = rest.split_once(':').ok_or(PathError::BadRoute)?;
        for hop in route.split(',') {
            let domain = hop.strip_prefix('@').ok_or(PathError::BadRoute)?;
            Domain::new(domain).map_err(|_| PathError::BadRoute)?;
        }
        rest = behind;
    }
    let before = rest.len();
    let (address, rest) = mailbox(rest)?;
    if before - rest.len() + 2 > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let rest = rest.strip_prefix('>').ok_or(PathError::NotClosed)?;
    Ok((address, rest))
}

/// ```text
/// Mailbox       = Local-part "@" ( Domain / address-literal )
/// Local-part    = Dot-string / Quoted-string
/// Dot-string    = Atom *("." Atom)
/// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
/// ```
/// Reads up to the `>` or the end. Non-ASCII characters are taken as atext (RFC 6531); whether they may be there is for
/// the caller to say.
pub(crate) fn mailbox(text: &str) -> Result<(EmailAddress, &str), PathError> {
    let (local, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        None => {
            let end = text.find(['@', '>', ' ']).unwrap_or(text.len());
            let local = LocalPart::new(&text[..end])?;
            if !local.is_dot_string() {
                return Err(AddressError::BadCharacter.into());
            }
            (local, &text[end..])
        }
    };
    let rest = rest.strip_prefix('@').ok_or(AddressError::BadDomain)?;
    let end = rest.find(['>', ' ']).unwrap_or(rest.len());
    let domain = &rest[..end];
    if domain.starts_with('[') && !is_address_literal(domain) {
        return Err(PathError::BadLiteral);
    }
    Ok((EmailAddress { local, domain: Domain::new(domain)? }, &rest[end..]))
}

/// ```text
/// QcontentSMTP    = qtextSMTP / quoted-pairSMTP
/// quoted-pairSMTP = %d92 %d32-126
/// qtextSMTP       = %d32-33 / %d35-91 / %d93-126 / UTF8-non-ascii
/// ```
/// Begins behind the opening quote.
fn quoted_string(text: &str) -> Result<(LocalPart, &str), PathError> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((LocalPart::new(&content)?, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ' '..='~')) => content.push(escaped),
                _ => return Err(PathError::BadQuoting),
            },
            c if c.is_control() => return Err(PathError::BadQuoting),
            c => content.push(c),
        }
        if content.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
    }
    Err(PathError::BadQuoting)
}

/// ```text
/// address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
/// ```
/// No General-address-literal has ever been registered, so none is taken.
pub(crate) fn is_address_literal(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    match inner.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
        _ => inner.parse::<Ipv4Addr>().is_ok(),
    }
}

/// The argument of EHLO, HELO or LHLO: `Domain / address-literal`, ASCII only (RFC 6531 §3.7.1), at most 255 octets.
/// Single labels and underscores are taken: many clients give what their machine happens to be called.
pub(crate) fn is_hello_name(text: &str) -> bool {
    if text.starts_with('[') {
        return is_address_literal(text);
    }
    text.is_ascii() && Domain::new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(text: &str) -> Result<String, PathError> {
        forward_path(text).map(|(path, rest)| format!("{path}|{rest}"))
    }

    #[test]
    fn paths_that_are_taken() {
        let rows = [
            ("<a@b.test>", "a@b.test|"),
            ("<a@b.test> SIZE=1", "a@b.test| SIZE=1"),
            ("<@hosta.int,@jkl.org:userc@d.bar.org>", "userc@d.bar.org|"),
            ("<\"a b\"@x.test>", "\"a b\"@x.test|"),
            ("<\"a>b\\\"@\"@x.test>", "\"a>b\\\"@\"@x.test|"),
            ("<\"plain\"@x.test>", "plain@x.test|"),
            ("<a@[192.0.2.1]>", "a@[192.0.2.1]|"),
            ("<a@[IPv6:2001:db8::1]>", "a@[ipv6:2001:db8::1]|"),
            ("<POSTmaster>", "postmaster|"),
            ("<Postmaster@Example.TEST>", "Postmaster@example.test|"),
            ("<почта@пример.рф>", "почта@пример.рф|"),
            ("<a+b=c/d@x.test>", "a+b=c/d@x.test|"),
        ];
        for (text, wanted) in rows {
            assert_eq!(forward(text).as_deref(), Ok(wanted), "{text}");
        }
        assert_eq!(reverse_path("<>"), Ok((ReversePath::Null, "")));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let long = format!("<{}@x.test>", "a".repeat(65));
        let longer = format!("<a@{}test>", "a.".repeat(130));
        let rows = [
            "",
            "a@b.test",
            "<a@b.test",
            "<a>",
            "<a@>",
            "<@b.test>",
            "<>",
            "<a b@x.test>",
            "<a@b test>",
            "<a..b@x.test>",
            "<.a@x.test>",
            "<a.@x.test>",
            "<\"a@x.test>",
            "<\"a\\",
            "<a@[1.2.3]>",
            "<a@[300.1.1.1]>",
            "<a@[IPv6:zz]>",
            "<a@[x]>",
            "<@a,b:c@d.test>",
            "<@:c@d.test>",
            "<@a.test c@d.test>",
            "<\"\"@x.test>",
            "<a@b@c.test>",
            "<<a@b.test>>",
            "<a@-b.test>",
            "<a@b..test>",
            &long,
            &longer,
        ];
        for text in rows {
            assert!(forward(text).is_err(), "{text} was taken: {:?}", forward(text));
        }
    }

    #[test]
    fn hello_names() {
        for good in ["localhost", "mail.example.test", "[192.0.2.1]", "[IPv6:::1]", "my_pc", "a.test."] {
            assert!(is_hello_name(good), "{good}");
        }
        for bad in ["", "a b", "[1.2]", "пример.рф", "-", "a..b", "x@y", "<x>", "[x]"] {
            assert!(!is_hello_name(bad), "{bad}");
        }
    }
}
