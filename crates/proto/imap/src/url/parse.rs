//! Reading IMAP URLs.
//!
//! ```text
//! authimapurlfull = "imap://" iserver "/" imailbox-ref iuid [isection] [ipartial] [[expire] ";URLAUTH=" access [verifier]]
//! imailbox-ref    = enc-mailbox [";UIDVALIDITY=" nz-number]
//! iuid            = "/;UID=" nz-number
//! isection        = "/;SECTION=" enc-section
//! ipartial        = "/;PARTIAL=" number ["." nz-number]
//! expire          = ";EXPIRE=" date-time
//! ```
//! A semicolon stands nowhere else than before a name, so that it parts the URL (RFC 5092 §11).

use super::{Access, REST, Server, URL_BYTES_MAX, Url, UrlFault, Verifier, is_achar};
use crate::command::{Partial, Section, SectionText};
use crate::mailbox_name::{self, NameEncoding};
use crate::parse::{parse_section, rfc3339};
use model::{Uid, UidValidity};

type Parsed<T> = Result<T, UrlFault>;

fn fault<T>(what: &'static str) -> Parsed<T> {
    Err(UrlFault(what))
}

/// Undoes percent-encoding; refuses what has to be encoded and is not.
fn decode(text: &str, fits: fn(u8) -> bool) -> Parsed<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                return fault("two hexadecimal digits have to stand behind %");
            };
            out.push((high * 16 + low) as u8);
        } else if fits(byte) {
            out.push(byte);
        } else {
            return fault("a character that has to be percent-encoded is not");
        }
    }
    // NUL, CR and LF are in no name.
    match String::from_utf8(out) {
        Ok(text) if !text.bytes().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) => Ok(text),
        _ => fault("it is not UTF-8"),
    }
}

fn is_bchar(byte: u8) -> bool {
    is_achar(byte) || matches!(byte, b':' | b'@' | b'/')
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn nz_number(text: &str) -> Parsed<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && number > 0 => Ok(number),
        _ => fault("a number from 1 on is wanted"),
    }
}

fn number64(text: &str) -> Parsed<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && number <= i64::MAX as u64 => Ok(number),
        _ => fault("a number is wanted"),
    }
}

pub(super) fn url(text: &str) -> Parsed<Url> {
    if text.len() > URL_BYTES_MAX {
        return fault("it is too long");
    }
    let (server, path) = match strip(text, "imap://").or_else(|| text.strip_prefix("//")) {
        Some(rest) => {
            let Some(slash) = rest.find('/') else { return fault("it names a server only") };
            (Some(authority(&rest[..slash])?), &rest[slash..])
        }
        None => (None, text),
    };
    let Some(path) = path.strip_prefix('/') else {
        return fault("neither imap:// nor a path that begins with a slash");
    };
    let mut params = path.split(';');
    let mailbox = params.next().unwrap_or_default();
    let mut reading = Reading { params: params.peekable(), slash: mailbox.ends_with('/') };
    let mailbox = decode(mailbox.strip_suffix('/').unwrap_or(mailbox), is_bchar)?;
    if mailbox.is_empty() {
        return fault("it names no mailbox");
    }
    let mut url = Url {
        server,
        mailbox: mailbox_name::decode(mailbox.as_bytes(), NameEncoding::Utf8)
            .map_err(|_| UrlFault("no mailbox can have that name"))?,
        uid_validity: None,
        uid: Uid(0),
        section: Section { part: Vec::new(), text: SectionText::Whole },
        partial: None,
        expire: None,
        access: None,
        verifier: None,
    };
    reading.message(&mut url)?;
    reading.authorisation(&mut url, text)?;
    if reading.params.next().is_some() || reading.slash {
        return fault("something stands behind its end");
    }
    Ok(url)
}

/// `iserver = [iuserinfo "@"] host [":" port]`
fn authority(text: &str) -> Parsed<Server> {
    let (userinfo, host) = match text.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, text),
    };
    let (mut user, mut auth) = (None, None);
    if let Some(userinfo) = userinfo {
        let (name, rest) =
            userinfo.split_once(';').map_or((userinfo, None), |(name, rest)| (name, Some(rest)));
        if !name.is_empty() {
            user = Some(decode(name, is_achar)?);
        }
        auth = match rest.map(|rest| strip(rest, "AUTH=")) {
            Some(Some(mechanism)) if !mechanism.is_empty() => Some(decode(mechanism, is_achar)?),
            None if user.is_some() => None,
            _ => return fault("the user is not well-formed"),
        };
    }
    let bracket = host.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match host[bracket..].rsplit_once(':') {
        Some((_, port)) => (&host[..host.len() - port.len() - 1], port.parse().ok()),
        None => (host, None),
    };
    let is_address = host.starts_with('[') && host.ends_with(']');
    let inner = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'[' | b']');
    if is_address && host.bytes().all(inner) {
        return Ok(Server { user, auth, host: host.to_owned(), port });
    }
    match decode(host, is_achar)? {
        host if host.is_empty() || host.starts_with('[') => fault("it names no host"),
        host => Ok(Server { user, auth, host, port }),
    }
}

/// The parameters, one after the other.
struct Reading<'a> {
    params: std::iter::Peekable<std::str::Split<'a, char>>,
    /// A slash stood before the next parameter.
    slash: bool,
}

impl<'a> Reading<'a> {
    /// The value of the next parameter if that is its name and the slash is as the grammar has it.
    fn take(&mut self, name: &str, slash: bool) -> Option<&'a str> {
        let next = self.params.peek().filter(|_| self.slash == slash)?;
        let value = strip(next, name)?;
        self.params.next();
        self.slash = false;
        Some(value)
    }

    /// The same, where another parameter with a slash before it may follow.
    fn take_open(&mut self, name: &str, slash: bool) -> Option<&'a str> {
        let value = self.take(name, slash)?;
        let inner = value.strip_suffix('/');
        self.slash = inner.is_some();
        Some(inner.unwrap_or(value))
    }

    fn message(&mut self, url: &mut Url) -> Parsed<()> {
        if let Some(value) = self.take_open("UIDVALIDITY=", false) {
            url.uid_validity = Some(UidValidity(nz_number(value)?));
        }
        let Some(value) = self.take_open("UID=", true) else { return fault("it names no message") };
        url.uid = Uid(nz_number(value)?);
        if let Some(value) = self.take_open("SECTION=", true) {
            let section = parse_section(decode(value, is_bchar)?.as_bytes()).filter(|_| !value.is_empty());
            url.section = section.ok_or(UrlFault("there is no such kind of section"))?;
        }
        if let Some(value) = self.take("PARTIAL=", true) {
            let (start, length) = match value.split_once('.') {
                Some((start, length)) => (number64(start)?, number64(length)?),
                None => (number64(value)?, REST),
            };
            if length == 0 {
                return fault("a number of octets from 1 on is wanted");
            }
            url.partial = Some(Partial { start, length });
        }
        Ok(())
    }

    fn authorisation(&mut self, url: &mut Url, text: &str) -> Parsed<()> {
        if let Some(value) = self.take("EXPIRE=", false) {
            url.expire = Some(rfc3339(value).ok_or(UrlFault("the date and time can't be read"))?);
        }
        let Some(value) = self.take("URLAUTH=", false) else { return Ok(()) };
        let (access, verifier) =
            value.split_once(':').map_or((value, None), |(access, verifier)| (access, Some(verifier)));
        let user = |user: &str| match decode(user, is_achar)? {
            user if user.is_empty() => fault("missing user name in the access identifier"),
            user => Ok(user),
        };
        url.access = Some(match (strip(access, "submit+"), strip(access, "user+")) {
            (Some(name), _) => Access::Submit(user(name)?),
            (_, Some(name)) => Access::User(user(name)?),
            _ if access.eq_ignore_ascii_case("authuser") => Access::AuthUser,
            _ if access.eq_ignore_ascii_case("anonymous") => Access::Anonymous,
            _ => return fault("there is no such access identifier"),
        });
        let Some(verifier) = verifier else { return Ok(()) };
        let Some((mechanism, token)) = verifier.split_once(':') else { return fault("missing token") };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let is_token = token.len() >= 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if mechanism.is_empty() || !mechanism.bytes().all(is_name) || !is_token {
            return fault("the token is not well-formed");
        }
        url.verifier = Some(Verifier {
            mechanism: mechanism.to_ascii_uppercase(),
            token: token.to_owned(),
            // RFC 4467 §6: what is before the colon, and not an octet otherwise.
            rump_length: text.len() - verifier.len() - 1,
        });
        Ok(())
    }
}
