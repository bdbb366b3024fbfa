//! Where an account is copied from, as it is typed: `imaps://user@host:port`.

use std::fmt;

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    /// `imaps://`: TLS from the first octet (RFC 8314).
    Implicit,
    /// `imap://`: STARTTLS, without which nobody logs in.
    StartTls,
    /// `imap+plain://`: no TLS at all; only on this machine.
    None,
}

/// A server, and who has the account there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// How the connection is protected.
    pub security: Security,
    /// None when each line of a list of accounts says it.
    pub user: Option<String>,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Why a text is no address of a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// Neither `imaps://` nor `imap://`.
    Scheme,
    /// No host, or one that can't be.
    Host,
    /// No number from 1 to 65535.
    Port,
    /// A `%` without two hexadecimal digits, or what they stand for is no text.
    Escape,
    /// Something behind the host.
    Path,
    /// A password, which would be seen by all who list the machine's processes.
    Password,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::Scheme => "it has to begin with imaps:// (or with imap:// for STARTTLS, imap+plain:// for no TLS on this machine)",
            AddressError::Host => "it names no host",
            AddressError::Port => "the port has to be a number from 1 to 65535",
            AddressError::Escape => "a % has to be followed by two hexadecimal digits",
            AddressError::Path => "nothing may stand behind host and port; choose folders with --folders",
            AddressError::Password => "it holds a password; pass that by --password-stdin",
        })
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// Reads `imaps://user@host:port`; user and port may be missing. A user's name may have an `@` of its own; what else
    /// is special is written as `%` and two digits.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let (security, usual) = match &*scheme.to_ascii_lowercase() {
            "imaps" => (Security::Implicit, 993),
            "imap" => (Security::StartTls, 143),
            "imap+plain" => (Security::None, 143),
            _ => return Err(AddressError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, server) = match rest.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, rest),
        };
        if server.contains('/') || user.is_some_and(|user| user.contains('/')) {
            return Err(AddressError::Path);
        }
        if user.is_some_and(|user| user.contains(':')) {
            return Err(AddressError::Password);
        }
        let (host, port) = host_and_port(server)?;
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(AddressError::Host);
        }
        let port = match port {
            None => usual,
            Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Port)?,
        };
        let user = user.map(unescape).transpose()?.filter(|user| !user.is_empty());
        Ok(Address { security, user, host: host.to_owned(), port })
    }

    /// Host and port, as they name the source.
    pub fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// RFC 3986 §3.2: an IPv6 address stands in brackets.
fn host_and_port(server: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(rest) = server.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or(AddressError::Host)?;
        return match behind.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if behind.is_empty() => Ok((host, None)),
            None => Err(AddressError::Host),
        };
    }
    Ok(match server.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (server, None),
    })
}

fn unescape(text: &str) -> Result<String, AddressError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2).ok_or(AddressError::Escape)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(AddressError::Escape);
        out.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
        rest = behind;
    }
    String::from_utf8(out).map_err(|_| AddressError::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, String, u16) {
        let address = Address::parse(text).unwrap();
        (address.user, address.host, address.port)
    }

    #[test]
    fn addresses_are_read() {
        let user = |name: &str| Some(name.to_owned());
        assert_eq!(parsed("imaps://anna@old.test"), (user("anna"), "old.test".into(), 993));
        assert_eq!(parsed("IMAP://a@b.test@old.test:1143/"), (user("a@b.test"), "old.test".into(), 1143));
        assert_eq!(parsed("imaps://%C3%A4%2Fb%3a@[::1]:44"), (user("ä/b:"), "::1".into(), 44));
        assert_eq!(parsed("imaps://[::1]"), (None, "::1".into(), 993));
        assert_eq!(Address::parse("imap://x").unwrap().security, Security::StartTls);
        assert_eq!(Address::parse("imap+plain://x").unwrap().security, Security::None);
        for (text, error) in [
            ("anna@old.test", AddressError::Scheme),
            ("pop3://old.test", AddressError::Scheme),
            ("imaps://", AddressError::Host),
            ("imaps://a@", AddressError::Host),
            ("imaps://[::1", AddressError::Host),
            ("imaps://old.test:0", AddressError::Port),
            ("imaps://old.test:65536", AddressError::Port),
            ("imaps://old.test:", AddressError::Port),
            ("imaps://a%2@old.test", AddressError::Escape),
            ("imaps://a%ff@old.test", AddressError::Escape),
            ("imaps://a@old.test/INBOX", AddressError::Path),
            ("imaps://a:secret@old.test", AddressError::Password),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }
}
