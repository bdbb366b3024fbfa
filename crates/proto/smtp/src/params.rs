//! The arguments of MAIL and RCPT: a path and its parameters (RFC 5321 §4.1.2; RFC 1870, 3030, 3461, 4954, 6152, 6531).

use crate::ask::{BodyType, Notify, NotifyOn, OriginalRecipient, Ret};
use crate::path::{self, PathError};
use crate::reply::Refusal;
use crate::wishes::{self, Said};
use crate::xtext;
use model::{Path, ReversePath};

/// A MAIL command's arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mail {
    pub(crate) from: ReversePath,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) body: BodyType,
    pub(crate) smtputf8: bool,
    pub(crate) ret: Option<Ret>,
    pub(crate) envid: Option<String>,
    pub(crate) submitter: Option<ReversePath>,
    pub(crate) wishes: Said,
    /// There was at least one parameter.
    pub(crate) has_params: bool,
}

/// A RCPT command's arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rcpt {
    pub(crate) path: Path,
    pub(crate) notify: Option<Notify>,
    pub(crate) original: Option<OriginalRecipient>,
    /// There was at least one parameter.
    pub(crate) has_params: bool,
}

/// Keywords of MAIL that are always known.
const MAIL_KEYWORDS: [&str; 6] = ["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"];

/// Longest ENVID value and longest ORCPT value, encoded (RFC 3461 §4.4, §4.2).
const ENVID_BYTES_MAX: usize = 100;
const ORCPT_BYTES_MAX: usize = 500;

/// ```text
/// mail            = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
/// Mail-parameters = esmtp-param *(SP esmtp-param)
/// ```
/// `text` stands behind the verb. Quirk (many old mailers): spaces between the colon and the path are taken, since they
/// can be read in one way only.
/// `offered`: keywords of extensions that are not always there.
pub(crate) fn mail(text: &str, offered: &[&'static str]) -> Result<Mail, Refusal> {
    let text = keyword_colon(text, "FROM:").ok_or_else(|| {
        Refusal::new(501, (5, 4), "The syntax is MAIL FROM:<sender@domain>, or MAIL FROM:<>")
    })?;
    let (from, rest) = path::reverse_path(text).map_err(|error| bad_sender(&error))?;
    let ascii = text[..text.len() - rest.len()].is_ascii();
    let mut mail = Mail {
        from,
        size_bytes: None,
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        submitter: None,
        wishes: Said::default(),
        has_params: false,
    };
    let known = [&MAIL_KEYWORDS, offered].concat();
    let mut seen = Seen::default();
    for param in Params::of(rest) {
        let (keyword, value) = param?;
        mail.has_params = true;
        match seen.note(keyword, &known)? {
            "SIZE" => mail.size_bytes = size(value)?,
            "BODY" => mail.body = body(value)?,
            "SMTPUTF8" if value.is_none() => mail.smtputf8 = true,
            "SMTPUTF8" => return Err(bad_value("SMTPUTF8 takes no value")),
            "RET" => mail.ret = Some(ret(value)?),
            "ENVID" => mail.envid = Some(envid(value)?),
            "AUTH" => mail.submitter = Some(submitter(value)?),
            "MT-PRIORITY" => mail.wishes.priority = Some(wishes::priority(value)?),
            // RFC 4865 §4.2 (9): one of the two, once.
            "HOLDFOR" | "HOLDUNTIL" if mail.wishes.hold.is_some() => {
                return Err(bad_value("HOLDFOR and HOLDUNTIL exclude each other"));
            }
            "HOLDFOR" => mail.wishes.hold = Some(wishes::hold_for(value)?),
            "HOLDUNTIL" => mail.wishes.hold = Some(wishes::hold_until(value)?),
            "BY" => mail.wishes.deliver_by = Some(wishes::by(value)?),
            _ if value.is_some() => return Err(bad_value("REQUIRETLS takes no value")),
            _ => mail.wishes.require_tls = true,
        }
    }
    if !ascii && !mail.smtputf8 {
        // RFC 6531 §3.5: 550 here, 553 at RCPT.
        return Err(Refusal::new(550, (6, 7), "An address beyond ASCII needs the SMTPUTF8 parameter"));
    }
    Ok(mail)
}

/// ```text
/// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
/// ```
/// `smtputf8`: what MAIL said.
pub(crate) fn rcpt(text: &str, smtputf8: bool) -> Result<Rcpt, Refusal> {
    let text = keyword_colon(text, "TO:")
        .ok_or_else(|| Refusal::new(501, (5, 4), "The syntax is RCPT TO:<recipient@domain>"))?;
    let (path, rest) = path::forward_path(text).map_err(|error| bad_recipient(&error))?;
    if !smtputf8 && !text[..text.len() - rest.len()].is_ascii() {
        return Err(Refusal::new(553, (6, 7), "An address beyond ASCII needs SMTPUTF8 in the MAIL command"));
    }
    let mut rcpt = Rcpt { path, notify: None, original: None, has_params: false };
    let mut seen = Seen::default();
    for param in Params::of(rest) {
        let (keyword, value) = param?;
        rcpt.has_params = true;
        match seen.note(keyword, &["NOTIFY", "ORCPT"])? {
            "NOTIFY" => rcpt.notify = Some(notify(value)?),
            _ => rcpt.original = Some(orcpt(value, smtputf8)?),
        }
    }
    Ok(rcpt)
}

/// Drops `FROM:` or `TO:` in any case and the spaces behind it.
fn keyword_colon<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(keyword.len())?;
    head.eq_ignore_ascii_case(keyword).then(|| rest.trim_start_matches(' '))
}

fn bad_sender(error: &PathError) -> Refusal {
    Refusal::new(501, (1, 7), format!("The sender is malformed: {error}"))
}

fn bad_recipient(error: &PathError) -> Refusal {
    Refusal::new(501, (1, 3), format!("The recipient is malformed: {error}"))
}

fn bad_value(text: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(501, (5, 4), text)
}

/// ```text
/// esmtp-param   = esmtp-keyword ["=" esmtp-value]
/// esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
/// esmtp-value   = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)
/// ```
struct Params<'a> {
    rest: &'a str,
}

impl<'a> Params<'a> {
    fn of(rest: &'a str) -> Params<'a> {
        Params { rest }
    }

    fn split(param: &'a str) -> Result<(&'a str, Option<&'a str>), Refusal> {
        let (keyword, value) = match param.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (param, None),
        };
        let keyword_fine = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !keyword_fine || value == Some("") {
            return Err(bad_value("A parameter is malformed; it has to be KEYWORD or KEYWORD=value"));
        }
        // A value with `=` in it is no esmtp-value; xtext exists for that.
        if value.is_some_and(|value| value.contains('=')) {
            return Err(bad_value(format!("The value of {keyword} holds =, which has to be written +3D")));
        }
        Ok((keyword, value))
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Result<(&'a str, Option<&'a str>), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.rest.is_empty() && !self.rest.starts_with(' ') {
            self.rest = "";
            return Some(Err(bad_value("A space has to stand between the address and its parameters")));
        }
        let text = self.rest.trim_start_matches(' ');
        if text.is_empty() {
            return None;
        }
        let end = text.find(' ').unwrap_or(text.len());
        self.rest = &text[end..];
        Some(Params::split(&text[..end]))
    }
}

/// Keywords that were there: each may stand once.
#[derive(Default)]
struct Seen {
    bits: u16,
}

impl Seen {
    /// The keyword as `known` spells it.
    fn note(&mut self, keyword: &str, known: &[&'static str]) -> Result<&'static str, Refusal> {
        let Some(at) = known.iter().position(|known| known.eq_ignore_ascii_case(keyword)) else {
            // RFC 5321 §4.1.1.11
            return Err(Refusal::new(
                555,
                (5, 4),
                format!("The parameter {keyword} is not known here; EHLO lists what is"),
            ));
        };
        if self.bits & (1 << at) != 0 {
            return Err(bad_value(format!("The parameter {} is given twice", known[at])));
        }
        self.bits |= 1 << at;
        Ok(known[at])
    }
}

/// `size-value = 1*20DIGIT` (RFC 1870 §3); zero means that the client does not know.
fn size(value: Option<&str>) -> Result<Option<u64>, Refusal> {
    let digits = value.filter(|value| value.len() <= 20 && value.bytes().all(|b| b.is_ascii_digit()));
    let Some(digits) = digits else { return Err(bad_value("SIZE takes 1 to 20 digits")) };
    // Twenty digits can say more than fits: larger than any limit all the same.
    let size = digits.parse().unwrap_or(u64::MAX);
    Ok(Some(size).filter(|size| *size != 0))
}

/// `body-value = "7BIT" / "8BITMIME" / "BINARYMIME"` (RFC 6152 §2, RFC 3030 §3)
fn body(value: Option<&str>) -> Result<BodyType, Refusal> {
    let value = value.ok_or_else(|| bad_value("BODY takes 7BIT, 8BITMIME or BINARYMIME"))?;
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(BodyType::SevenBit),
        "8BITMIME" => Ok(BodyType::EightBitMime),
        "BINARYMIME" => Ok(BodyType::BinaryMime),
        _ => Err(Refusal::new(
            504,
            (5, 4),
            "BODY takes 7BIT, 8BITMIME or BINARYMIME; no other value is known here",
        )),
    }
}

/// `ret-value = "FULL" / "HDRS"` (RFC 3461 §4.3)
fn ret(value: Option<&str>) -> Result<Ret, Refusal> {
    match value {
        Some(value) if value.eq_ignore_ascii_case("FULL") => Ok(Ret::Full),
        Some(value) if value.eq_ignore_ascii_case("HDRS") => Ok(Ret::Headers),
        _ => Err(bad_value("RET takes FULL or HDRS")),
    }
}

/// `envid-parameter = "ENVID=" xtext`, at most 100 characters, printable when decoded (RFC 3461 §4.4)
fn envid(value: Option<&str>) -> Result<String, Refusal> {
    value
        .filter(|value| value.len() <= ENVID_BYTES_MAX)
        .and_then(xtext::decode)
        .filter(|id| !id.chars().any(char::is_control))
        .ok_or_else(|| bad_value("ENVID takes up to 100 characters of xtext (RFC 3461 section 4)"))
}

/// `auth-param = "AUTH=" xtext`, decoded a mailbox or `<>` (RFC 4954 §8)
fn submitter(value: Option<&str>) -> Result<ReversePath, Refusal> {
    let wrong = || bad_value("AUTH takes <> or a mailbox in xtext (RFC 4954 section 5)");
    let text = value.and_then(xtext::decode).ok_or_else(wrong)?;
    if text == "<>" {
        return Ok(ReversePath::Null);
    }
    match path::mailbox(&text) {
        Ok((address, "")) => Ok(ReversePath::Mailbox(address)),
        _ => Err(wrong()),
    }
}

/// ```text
/// notify-esmtp-value  = "NEVER" / ( notify-list-element *( "," notify-list-element ) )
/// notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"
/// ```
/// (RFC 3461 §4.1)
fn notify(value: Option<&str>) -> Result<Notify, Refusal> {
    let wrong = || bad_value("NOTIFY takes NEVER alone, or a list of SUCCESS, FAILURE and DELAY with commas");
    let value = value.ok_or_else(wrong)?;
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(Notify::NEVER);
    }
    value.split(',').try_fold(Notify::default(), |set, element| {
        let event = match element.to_ascii_uppercase().as_str() {
            "SUCCESS" => NotifyOn::Success,
            "FAILURE" => NotifyOn::Failure,
            "DELAY" => NotifyOn::Delay,
            _ => return Err(wrong()),
        };
        Ok(set.with(event))
    })
}

/// ```text
/// orcpt-parameter            = "ORCPT=" original-recipient-address
/// original-recipient-address = addr-type ";" xtext
/// ```
/// (RFC 3461 §4.2); the type `utf-8` has an encoding of its own (RFC 6533 §3).
fn orcpt(value: Option<&str>, smtputf8: bool) -> Result<OriginalRecipient, Refusal> {
    let wrong = || bad_value("ORCPT takes type;address with the address in xtext (RFC 3461 section 4.2)");
    let value = value.filter(|value| value.len() <= ORCPT_BYTES_MAX).ok_or_else(wrong)?;
    let (addr_type, address) = value.split_once(';').ok_or_else(wrong)?;
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*-/?^_`{|}~.".contains(&b);
    if addr_type.is_empty() || !addr_type.bytes().all(atom) || address.is_empty() {
        return Err(wrong());
    }
    let address = match addr_type.eq_ignore_ascii_case("utf-8") {
        true if smtputf8 || address.is_ascii() => xtext::decode_utf8_address(address),
        true => None,
        false => xtext::decode(address),
    };
    let address = address.filter(|text| !text.chars().any(char::is_control)).ok_or_else(wrong)?;
    Ok(OriginalRecipient { addr_type: addr_type.to_ascii_lowercase(), address })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Result<Mail, String> {
        mail(text, &[]).map_err(|refusal| format!("{} {}", refusal.code, refusal.enhanced))
    }

    fn rcpt_code(text: &str) -> Result<Rcpt, String> {
        rcpt(text, false).map_err(|refusal| format!("{} {}", refusal.code, refusal.enhanced))
    }

    #[test]
    fn mail_with_everything() {
        let text = "from: <@a.test:B@c.test> SIZE=12 body=8bitmime SMTPUTF8 RET=hdrs ENVID=a+20b  AUTH=e+3Dmc2@x.test";
        let mail = code(text).unwrap();
        assert_eq!(mail.from.to_string(), "B@c.test");
        assert_eq!(mail.size_bytes, Some(12));
        assert_eq!(mail.body, BodyType::EightBitMime);
        assert!(mail.smtputf8);
        assert_eq!(mail.ret, Some(Ret::Headers));
        assert_eq!(mail.envid.as_deref(), Some("a b"));
        assert_eq!(mail.submitter.unwrap().to_string(), "e=mc2@x.test");
        assert_eq!(code("FROM:<> AUTH=<>").unwrap().submitter, Some(ReversePath::Null));
        assert_eq!(code("FROM:<> SIZE=0").unwrap().size_bytes, None);
        assert_eq!(code("FROM:<> SIZE=99999999999999999999").unwrap().size_bytes, Some(u64::MAX));
    }

    #[test]
    fn mail_refusals() {
        let envid = format!("FROM:<> ENVID={}", "x".repeat(101));
        let rows = [
            ("", "501 5.5.4"),
            ("TO:<a@b.test>", "501 5.5.4"),
            ("FROM", "501 5.5.4"),
            ("FROM :<a@b.test>", "501 5.5.4"),
            ("FROM:a@b.test", "501 5.1.7"),
            ("FROM:<a@b.test", "501 5.1.7"),
            ("FROM:<a@b.test>SIZE=1", "501 5.5.4"),
            ("FROM:<a@b.test>x", "501 5.5.4"),
            ("FROM:<> SIZE=1 SIZE=1", "501 5.5.4"),
            ("FROM:<> SIZE=1 size=2", "501 5.5.4"),
            ("FROM:<> SIZE", "501 5.5.4"),
            ("FROM:<> SIZE=", "501 5.5.4"),
            ("FROM:<> SIZE=-1", "501 5.5.4"),
            ("FROM:<> SIZE=1k", "501 5.5.4"),
            ("FROM:<> SIZE=999999999999999999999", "501 5.5.4"),
            ("FROM:<> BODY=9BIT", "504 5.5.4"),
            ("FROM:<> BODY", "501 5.5.4"),
            ("FROM:<> SMTPUTF8=yes", "501 5.5.4"),
            ("FROM:<> RET=ALL", "501 5.5.4"),
            ("FROM:<> ENVID=a=b", "501 5.5.4"),
            ("FROM:<> ENVID=+0A", "501 5.5.4"),
            (envid.as_str(), "501 5.5.4"),
            ("FROM:<> AUTH=x", "501 5.5.4"),
            ("FROM:<> AUTH=a@b.test>", "501 5.5.4"),
            ("FROM:<> FOO=1", "555 5.5.4"),
            ("FROM:<> XFOO", "555 5.5.4"),
            ("FROM:<> NOTIFY=NEVER", "555 5.5.4"),
            ("FROM:<> -X", "501 5.5.4"),
            ("FROM:<почта@пример.рф>", "550 5.6.7"),
        ];
        for (text, wanted) in rows {
            assert_eq!(code(text), Err(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn recipients() {
        let full = rcpt_code("TO:<a@b.test> NOTIFY=success,DELAY ORCPT=rfc822;Bob+20B@c.test").unwrap();
        let notify = full.notify.unwrap();
        assert!(
            notify.has(NotifyOn::Success) && notify.has(NotifyOn::Delay) && !notify.has(NotifyOn::Failure)
        );
        let original = full.original.unwrap();
        assert_eq!((original.addr_type.as_str(), original.address.as_str()), ("rfc822", "Bob B@c.test"));
        assert_eq!(rcpt_code("TO:<a@b.test> NOTIFY=NEVER").unwrap().notify, Some(Notify::NEVER));
        let utf8 = rcpt("TO:<п@b.test> ORCPT=utf-8;п\\x{2B}@b.test", true).unwrap();
        assert_eq!(utf8.original.unwrap().address, "п+@b.test");
        assert!(rcpt("TO:<p@b.test> ORCPT=utf-8;\\x{43F}@b.test", false).is_ok());

        let long = format!("TO:<a@b.test> ORCPT=rfc822;{}", "x".repeat(500));
        let rows = [
            ("", "501 5.5.4"),
            ("TO:<>", "501 5.1.3"),
            ("TO:<a>", "501 5.1.3"),
            ("TO:<a@b.test> SIZE=1", "555 5.5.4"),
            ("TO:<a@b.test> NOTIFY=NEVER,SUCCESS", "501 5.5.4"),
            ("TO:<a@b.test> NOTIFY=SUCCESS,", "501 5.5.4"),
            ("TO:<a@b.test> NOTIFY", "501 5.5.4"),
            ("TO:<a@b.test> NOTIFY=DELAY NOTIFY=DELAY", "501 5.5.4"),
            ("TO:<a@b.test> ORCPT=a@b.test", "501 5.5.4"),
            ("TO:<a@b.test> ORCPT=rfc822;", "501 5.5.4"),
            ("TO:<a@b.test> ORCPT=;a", "501 5.5.4"),
            ("TO:<a@b.test> ORCPT=rfc822;a+0D", "501 5.5.4"),
            ("TO:<a@b.test> ORCPT=utf-8;п@b.test", "501 5.5.4"),
            (long.as_str(), "501 5.5.4"),
            ("TO:<почта@b.test>", "553 5.6.7"),
            ("TO:<a@пример.рф>", "553 5.6.7"),
        ];
        for (text, wanted) in rows {
            assert_eq!(rcpt_code(text), Err(wanted.to_owned()), "{text}");
        }
    }
}
