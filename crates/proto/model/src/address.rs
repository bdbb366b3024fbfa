//! Mail addresses as SMTP and the directory use them (RFC 5321 §4.1.2, RFC 6531 §3.3).

use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Why a text is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressError {
    /// No `@`, or nothing before it.
    NoLocalPart,
    /// Longer than RFC 5321 §4.5.3.1 allows (64 octets local, 255 domain, 254 together).
    TooLong,
    /// A character that may not stand there.
    BadCharacter,
    /// The part behind the `@` is no domain.
    BadDomain,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::NoLocalPart => "there is nothing before the @",
            AddressError::TooLong => "the address is too long",
            AddressError::BadCharacter => "the address holds a character that may not stand there",
            AddressError::BadDomain => "the part behind the @ is not a domain name",
        })
    }
}

impl std::error::Error for AddressError {}

/// A domain, normalised: lower case, U-labels (`пример.рф`), no final dot; or an address literal `[192.0.2.1]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Domain(Box<str>);

impl Domain {
    /// Normalises a domain written in any way (A-labels, U-labels, capitals).
    ///
    /// # Errors
    /// [`AddressError::BadDomain`] or [`AddressError::TooLong`].
    pub fn new(text: &str) -> Result<Domain, AddressError> {
        if let Some(literal) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let fine = !literal.is_empty()
                && literal.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-_".contains(&b));
            return if fine {
                Ok(Domain(text.to_ascii_lowercase().into()))
            } else {
                Err(AddressError::BadDomain)
            };
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(AddressError::BadDomain);
        }
        if text.len() > 1000 {
            return Err(AddressError::TooLong);
        }
        if text.is_ascii() && !text.to_ascii_lowercase().contains("xn--") {
            return Domain::ascii(text);
        }
        // RFC 5890: compare and keep U-labels; A-labels that do not decode are refused.
        let (unicode, outcome) = idna::domain_to_unicode(text);
        outcome.map_err(|_| AddressError::BadDomain)?;
        let ascii = idna::domain_to_ascii(&unicode).map_err(|_| AddressError::BadDomain)?;
        Domain::ascii(&ascii)?;
        Ok(Domain(unicode.into()))
    }

    fn ascii(text: &str) -> Result<Domain, AddressError> {
        if text.len() > 255 {
            return Err(AddressError::TooLong);
        }
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                // The underscore is no host name, yet real mail domains carry it.
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !text.split('.').all(label) {
            return Err(AddressError::BadDomain);
        }
        Ok(Domain(text.to_ascii_lowercase().into()))
    }

    /// With U-labels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With A-labels (`xn--…`), for DNS and for peers without SMTPUTF8.
    pub fn to_ascii(&self) -> String {
        if self.0.is_ascii() {
            return self.0.to_string();
        }
        idna::domain_to_ascii(&self.0).unwrap_or_else(|_| self.0.to_string())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The part before the `@`, unquoted, NFC-normalised, case kept (RFC 5321 §2.4: only the receiving host may fold it).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocalPart(Box<str>);

impl LocalPart {
    /// Takes the text without its quotes.
    ///
    /// # Errors
    /// When empty, over 64 octets, or holding control characters.
    pub fn new(text: &str) -> Result<LocalPart, AddressError> {
        if text.is_empty() {
            return Err(AddressError::NoLocalPart);
        }
        if text.chars().any(char::is_control) {
            return Err(AddressError::BadCharacter);
        }
        let text: String = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
        if text.len() > 64 {
            return Err(AddressError::TooLong);
        }
        Ok(LocalPart(text.into()))
    }

    /// Unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can stand without quotes (`Dot-string`, RFC 5321 §4.1.2).
    pub fn is_dot_string(&self) -> bool {
        let atext = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        self.0.split('.').all(|atom| !atom.is_empty() && atom.chars().all(atext))
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dot_string() {
            return f.write_str(&self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars() {
            if c == '"' || c == '\\' {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

/// `local-part@domain`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EmailAddress {
    /// Before the `@`.
    pub local: LocalPart,
    /// Behind the `@`.
    pub domain: Domain,
}

impl EmailAddress {
    /// Reads `local@domain` as a person types it (no angle brackets); a quoted local part is unquoted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<EmailAddress, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoLocalPart)?;
        let local = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => LocalPart::new(&unquote(quoted))?,
            None => {
                let plain = LocalPart::new(local)?;
                if !plain.is_dot_string() {
                    return Err(AddressError::BadCharacter);
                }
                plain
            }
        };
        let address = EmailAddress { local, domain: Domain::new(domain)? };
        if address.local.as_str().len() + 1 + address.domain.as_str().len() > 320 {
            return Err(AddressError::TooLong);
        }
        Ok(address)
    }

    /// Whether it needs SMTPUTF8 to travel (RFC 6531): only a local part beyond ASCII does, a domain has A-labels.
    pub fn needs_utf8(&self) -> bool {
        !self.local.as_str().is_ascii()
    }
}

fn unquote(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Where a message goes: a mailbox, or the postmaster without a domain (RFC 5321 §4.1.1.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Path {
    /// `<local@domain>`; a source route before it has been dropped (RFC 5321 appendix C).
    Mailbox(EmailAddress),
    /// `<Postmaster>`
    Postmaster,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Mailbox(address) => address.fmt(f),
            Path::Postmaster => f.write_str("postmaster"),
        }
    }
}

/// Where a bounce goes: the sender, or nobody (`<>`, RFC 5321 §4.5.5).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ReversePath {
    /// `<>`
    Null,
    /// `<local@domain>`
    Mailbox(EmailAddress),
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReversePath::Null => Ok(()),
            ReversePath::Mailbox(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised() {
        let address = EmailAddress::parse("Почта@XN--E1AFMKFD.XN--P1AI").unwrap();
        assert_eq!(address.to_string(), "Почта@пример.рф");
        assert_eq!(address.domain.to_ascii(), "xn--e1afmkfd.xn--p1ai");
        assert!(address.needs_utf8());
        assert_eq!(EmailAddress::parse("a@Example.TEST.").unwrap().to_string(), "a@example.test");
        assert_eq!(EmailAddress::parse("\"a b\\\"\"@x.test").unwrap().to_string(), "\"a b\\\"\"@x.test");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "a",
            "@x.test",
            "a@",
            "a b@x.test",
            "a@x..test",
            "a@-x.test",
            "a@[]",
            "a\r@x.test",
            "a..b@x.test",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?} was taken");
        }
    }
}
