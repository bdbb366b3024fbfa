//! IMAP URLs of messages and their parts (RFC 5092), with the authorisation of RFC 4467.
//!
//! Only URLs that name one message are values here: URLs of servers, lists, mailboxes and searches are of no use to
//! CATENATE, URLFETCH and BURL. Two forms exist: absolute (`imap://user@host/…`, `//user@host/…`) and absolute paths (`/…`);
//! RFC 5092 §7.2 forbids relative paths. Names of mailboxes and users are UTF-8 under percent-encoding (§8).
//!
//! Invariants: no input makes the parser panic, its time and memory are linear in at most [`URL_BYTES_MAX`] octets; what it
//! has read prints to a URL that reads to the same value.

mod parse;
mod part;
#[cfg(test)]
mod tests;
mod token;

pub use part::{fetch, fetch_decoded, write_structure};
pub use token::{ACCESS_KEY_BYTES, AccessKey, sign, verify};

use crate::command::{Partial, Section, SectionText};
use crate::parse::civil_from_days;
use crate::write::write_section;
use model::{Uid, UidValidity, UnixTime};
use std::fmt::{self, Write as _};

/// Longest URL that is read, in octets.
pub const URL_BYTES_MAX: usize = 4096;

/// A message or a part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// None: the server and user that it is said to.
    pub server: Option<Server>,
    /// Name of the mailbox.
    pub mailbox: String,
    /// Where the UID means something.
    pub uid_validity: Option<UidValidity>,
    /// Which message.
    pub uid: Uid,
    /// Which part of it; the whole message if it is not said.
    pub section: Section,
    /// Which octets of that; a length of [`REST`]: all that follow.
    pub partial: Option<Partial>,
    /// Last second in which it may be used.
    pub expire: Option<UnixTime>,
    /// Who may use it (URLAUTH).
    pub access: Option<Access>,
    /// The proof that the owner said so; only with `access`.
    pub verifier: Option<Verifier>,
}

/// Length of a [`Partial`] that has none.
pub const REST: u64 = u64::MAX;

/// `iserver = [iuserinfo "@"] host [":" port]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Whose mailboxes.
    pub user: Option<String>,
    /// `iauth`: how to log in, of no meaning to a server; `*` is any.
    pub auth: Option<String>,
    /// A name or an address in brackets, decoded.
    pub host: String,
    /// Of no meaning: the protocol that carries the URL found the server.
    pub port: Option<u16>,
}

impl Server {
    /// The log-in name of the user whose mailbox is meant, on the server with that name; None: another server is meant, or
    /// nobody. A user's domain will do for the server's name: that is what people know.
    pub fn login(&self, hostname: &str) -> Option<String> {
        let user = self.user.as_ref()?;
        if self.host.eq_ignore_ascii_case(hostname) {
            return Some(user.clone());
        }
        match user.rsplit_once('@') {
            Some((_, domain)) => domain.eq_ignore_ascii_case(&self.host).then(|| user.clone()),
            None => Some(format!("{user}@{}", self.host)),
        }
    }
}

/// `access = ("submit+" enc-user) / ("user+" enc-user) / "authuser" / "anonymous"`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// A submission server on behalf of this user.
    Submit(String),
    /// This user.
    User(String),
    /// Anybody who has logged in.
    AuthUser,
    /// Anybody.
    Anonymous,
}

/// `iua-verifier = ":" uauth-mechanism ":" enc-urlauth`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verifier {
    /// Upper case; `INTERNAL` is the only one there is.
    pub mechanism: String,
    /// Hexadecimal digits as written.
    pub token: String,
    /// Octets of the URL that are before it (the rump).
    pub rump_length: usize,
}

/// Why something is no URL of a message; one line of ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UrlFault(pub &'static str);

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for UrlFault {}

/// Who wants to use an authorised URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader<'a> {
    /// A user who has logged in, by the full address.
    User(&'a str),
    /// A submission server, on behalf of the user (of BURL); None: one that has looked at that itself (URLFETCH).
    Submission(Option<&'a str>),
    /// Nobody in particular (SASL ANONYMOUS).
    Anonymous,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Url, UrlFault> {
        parse::url(text)
    }

    /// Whether it may be used now by that reader (RFC 4467 §3), once its token was found to be right. `owner` is the full
    /// address of the user in the URL; names without a domain are of the same domain.
    pub fn permits(&self, reader: Reader<'_>, owner: &str, now: UnixTime) -> bool {
        if self.expire.is_some_and(|expire| now > expire) {
            return false;
        }
        match (&self.access, reader) {
            (None, _) => false,
            (Some(Access::Anonymous), _) => true,
            (Some(Access::AuthUser), Reader::User(_) | Reader::Submission(_)) => true,
            (Some(Access::User(name)), Reader::User(user)) => is_same_user(name, user, owner),
            (Some(Access::Submit(_)), Reader::Submission(None)) => true,
            (Some(Access::Submit(name)), Reader::Submission(Some(user))) => is_same_user(name, user, owner),
            (Some(Access::User(_)), Reader::Submission(_) | Reader::Anonymous)
            | (Some(Access::Submit(_)), Reader::User(_) | Reader::Anonymous)
            | (Some(Access::AuthUser), Reader::Anonymous) => false,
        }
    }
}

/// Whether the URL, which is written so, has a token that was made with that key. See [`verify`].
pub fn is_authentic(url: &Url, text: &str, key: Option<&AccessKey>) -> bool {
    let (rump, token) = match &url.verifier {
        Some(verifier) => (text.get(..verifier.rump_length).unwrap_or_default(), verifier.token.as_str()),
        None => ("", ""),
    };
    verify(rump, token, key)
}

/// Whether `name`, as a URL has it, means the user with that full address.
pub fn is_same_user(name: &str, address: &str, owner: &str) -> bool {
    if name.contains('@') {
        return name.eq_ignore_ascii_case(address);
    }
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    name.eq_ignore_ascii_case(local) && domain(address) == domain(owner)
}

/// What may stand unencoded where a part of the grammar ends at `;`, `:`, `@` or `/`.
fn is_achar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$'()*+,&=".contains(&byte)
}

struct Encoded<'a>(&'a [u8], fn(u8) -> bool);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            if (self.1)(*byte) {
                f.write_char(char::from(*byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

fn encoded(text: &str) -> Encoded<'_> {
    Encoded(text.as_bytes(), is_achar)
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("imap://")?;
        if let Some(user) = &self.user {
            encoded(user).fmt(f)?;
        }
        if let Some(auth) = &self.auth {
            write!(f, ";AUTH={}", encoded(auth))?;
        }
        if self.user.is_some() || self.auth.is_some() {
            f.write_char('@')?;
        }
        if self.host.starts_with('[') {
            f.write_str(&self.host)?
        } else {
            encoded(&self.host).fmt(f)?
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Submit(user) => write!(f, "submit+{}", encoded(user)),
            Access::User(user) => write!(f, "user+{}", encoded(user)),
            Access::AuthUser => f.write_str("authuser"),
            Access::Anonymous => f.write_str("anonymous"),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(server) = &self.server {
            server.fmt(f)?;
        }
        // A leading or doubled separator would be taken for something else (RFC 5092 §7.1).
        f.write_char('/')?;
        let levels = |byte: u8| is_achar(byte) || matches!(byte, b':' | b'@' | b'/');
        match self.mailbox.strip_prefix('/') {
            Some(rest) => write!(f, "%2F{}", Encoded(rest.as_bytes(), levels))?,
            None => match self.mailbox.strip_suffix('/') {
                Some(rest) => write!(f, "{}%2F", Encoded(rest.as_bytes(), levels))?,
                None => Encoded(self.mailbox.as_bytes(), levels).fmt(f)?,
            },
        }
        if let Some(uid_validity) = self.uid_validity {
            write!(f, ";UIDVALIDITY={uid_validity}")?;
        }
        write!(f, "/;UID={}", self.uid)?;
        if self.section != (Section { part: Vec::new(), text: SectionText::Whole }) {
            let mut section = Vec::new();
            write_section(&mut section, &self.section);
            write!(f, "/;SECTION={}", Encoded(&section, is_achar))?;
        }
        if let Some(Partial { start, length }) = self.partial {
            write!(f, "/;PARTIAL={start}")?;
            if length != REST {
                write!(f, ".{length}")?;
            }
        }
        if let Some(UnixTime(expire)) = self.expire {
            let (year, month, day) = civil_from_days(expire.div_euclid(86_400));
            let second = expire.rem_euclid(86_400);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            write!(f, ";EXPIRE={year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")?;
        }
        if let Some(access) = &self.access {
            write!(f, ";URLAUTH={access}")?;
        }
        match &self.verifier {
            Some(Verifier { mechanism, token, .. }) => write!(f, ":{mechanism}:{token}"),
            None => Ok(()),
        }
    }
}
