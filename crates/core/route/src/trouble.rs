//! Why there is no way to a domain.

use std::fmt;

/// Why a recipient can't be brought anywhere, now or ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The domain says that it takes no mail (RFC 7505).
    NullMx,
    /// This server itself is the best host of the domain, and has no mailboxes for it (RFC 5321 §5.1, RFC 974).
    Loop,
    /// DNS knows no such domain.
    NoSuchDomain,
    /// The domain exists, but none of its hosts has an address.
    NoAddress,
    /// The address literal is none that can be dialled (RFC 5321 §4.1.3).
    BadLiteral(String),
    /// DNS gave no answer: why.
    NoAnswer(String),
    /// DNS gave an answer that DNSSEC proves wrong: why.
    Bogus(String),
}

impl Trouble {
    /// Whether waiting does not help.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Trouble::NoAnswer(_) | Trouble::Bogus(_))
    }

    /// Reply code and enhanced status (RFC 3463, RFC 7505 §4.2, RFC 7372 §3.3 for what no code was made for).
    pub fn code(&self) -> (u16, &'static str) {
        match self {
            // RFC 7505 §4.2: 556 5.1.10 for the recipient's domain.
            Trouble::NullMx => (556, "5.1.10"),
            Trouble::Loop => (554, "5.4.6"),
            Trouble::NoSuchDomain => (550, "5.1.2"),
            Trouble::NoAddress => (550, "5.4.4"),
            Trouble::BadLiteral(_) => (550, "5.1.3"),
            Trouble::NoAnswer(_) => (450, "4.4.3"),
            Trouble::Bogus(_) => (450, "4.7.5"),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, enhanced) = self.code();
        write!(f, "{code} {enhanced} ")?;
        match self {
            Trouble::NullMx => f.write_str("The domain takes no mail (null MX)"),
            Trouble::Loop => f.write_str(
                "The domain's mail comes back to this server, which does not know the domain; add it here or mend its MX",
            ),
            Trouble::NoSuchDomain => f.write_str("There is no such domain; look for a typing error"),
            Trouble::NoAddress => f.write_str("No host of the domain has an address"),
            Trouble::BadLiteral(text) => write!(f, "{text} is no address that mail can be sent to"),
            Trouble::NoAnswer(why) => write!(f, "The domain could not be looked up: {why}"),
            Trouble::Bogus(why) => write!(f, "The domain's DNS records are not signed as they should be: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_agree_with_permanence() {
        let all = [
            Trouble::NullMx,
            Trouble::Loop,
            Trouble::NoSuchDomain,
            Trouble::NoAddress,
            Trouble::BadLiteral("[x]".into()),
            Trouble::NoAnswer("no server answers".into()),
            Trouble::Bogus("no signature".into()),
        ];
        for trouble in all {
            let (code, enhanced) = trouble.code();
            assert_eq!(trouble.is_permanent(), code >= 500, "{trouble}");
            assert_eq!(code / 100, u16::from(enhanced.as_bytes()[0] - b'0'), "{trouble}");
            assert!(trouble.to_string().starts_with(&format!("{code} {enhanced} ")));
        }
        assert_eq!(Trouble::NullMx.code(), (556, "5.1.10"));
    }
}
