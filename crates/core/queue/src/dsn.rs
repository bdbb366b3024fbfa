//! Delivery status notifications (RFC 3461, RFC 3464, RFC 6522, RFC 6533): a message in three parts that tells the
//! sender, in his language and for programs, what became of recipients; the third part is his message or its header.
//!
//! Invariants: a report is 7-bit unless it quotes a message or addresses that are not; every line of it that says what
//! somebody else said is one line, so that no reply and no address adds a field of its own; nothing bounces a bounce (a
//! report needs an address to go to, [`Report::sender`]).

mod language;
mod status;
mod words;

pub use language::Language;

use crate::entry::{Notify, Orcpt};
use mime::{build, encoded_word, header, transfer};
use model::{EmailAddress, UnixTime};

/// What became of a recipient (RFC 3464 §2.3.3). In the order in which people are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// He does not have the message, and nobody tries any more.
    Failed,
    /// He does not have it yet.
    Delayed,
    /// It is in his mailbox.
    Delivered,
    /// The next server has it, and will not tell more.
    Relayed,
    /// The address stands for several, and it goes on to each of them.
    Expanded,
}

impl Action {
    /// The word in the report.
    pub fn name(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
        }
    }
}

impl Notify {
    /// Whether the sender wants to hear this of a recipient. What he did not speak of he hears when it failed, and when
    /// it waits for long (RFC 3461 §5.2.5, §5.2.6).
    pub fn wants(self, action: Action) -> bool {
        match (self, action) {
            (Notify::Default, _) => matches!(action, Action::Failed | Action::Delayed),
            (Notify::Never, _) => false,
            (Notify::On { failure, .. }, Action::Failed) => failure,
            (Notify::On { delay, .. }, Action::Delayed) => delay,
            (Notify::On { success, .. }, _) => success,
        }
    }
}

/// One recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reported {
    /// What became of him.
    pub action: Action,
    /// Where the message should have gone.
    pub recipient: String,
    /// ORCPT, if given.
    pub original: Option<Orcpt>,
    /// Reply code and text, as SMTP would have them; line breaks become spaces.
    pub reply: String,
    /// Enhanced status code, `5.2.2` (RFC 3463). [`status_of`] has one for any reply.
    pub status: String,
    /// Host name of who said so (RFC 3464 §2.3.5). None: this server itself.
    pub remote: Option<String>,
    /// When that was tried last, where it was.
    pub last_attempt: Option<UnixTime>,
}

/// What of the message is returned (RFC 3461 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returned<'a> {
    /// Its header; what stands behind an empty line, and that line, is left out.
    Header(&'a [u8]),
    /// All of it.
    Message(&'a [u8]),
    /// Its header and as much of its body as is returned of a large message (RFC 3461 §6.2 would allow the header alone).
    Beginning(&'a [u8]),
}

impl<'a> Returned<'a> {
    /// The header, without the empty line.
    fn header(self) -> &'a [u8] {
        let (Returned::Header(bytes) | Returned::Message(bytes) | Returned::Beginning(bytes)) = self;
        let header = &bytes[..header::header_length(bytes)];
        let fields = header.strip_suffix(b"\r\n").or_else(|| header.strip_suffix(b"\n")).unwrap_or(header);
        if fields.is_empty() || fields.ends_with(b"\n") { fields } else { header }
    }
}

/// What a report is about and where it goes.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// This host.
    pub hostname: &'a str,
    /// The reverse-path of the message. Never null: nothing bounces a bounce (RFC 5321 §4.5.5).
    pub sender: &'a EmailAddress,
    /// Of the words for people.
    pub language: Language,
    /// Whether the message came with SMTPUTF8: then its sender's server takes UTF-8 (RFC 6533 §4).
    pub smtputf8: bool,
    /// ENVID, if given, decoded from xtext (RFC 3461 §4.4).
    pub envid: Option<&'a str>,
    /// Names the message in this server's log; part of the report's own Message-ID.
    pub trace: &'a str,
    /// Now.
    pub now: UnixTime,
    /// When the message was accepted.
    pub received: UnixTime,
    /// When the delayed ones are given up (RFC 3464 §2.3.9).
    pub retry_until: Option<UnixTime>,
    /// The end of the time of DELIVERBY, if there is one (RFC 2852 §5).
    pub deliver_by: Option<UnixTime>,
    /// Until when the sender had it held (RFC 4865 §5.1.2).
    pub held_until: Option<UnixTime>,
    /// At least one.
    pub recipients: &'a [Reported],
    /// What is returned.
    pub returned: Returned<'a>,
}

impl Report<'_> {
    /// What it tells first: the worst.
    fn action(&self) -> Action {
        self.recipients.iter().map(|one| one.action).min().unwrap_or(Action::Failed)
    }
}

/// The enhanced status code for a reply that has none, or a wrong one (RFC 3461 §6.3 (g)): `x.0.0` of its class. `reply`
/// begins with a reply code, unless there was no answer at all, which is transient.
pub fn status_of(reply: &str) -> String {
    let rest = reply.get(3..).filter(|_| reply.as_bytes()[..3].iter().all(u8::is_ascii_digit));
    let class = match reply.as_bytes().first() {
        Some(class @ (b'2' | b'5')) if rest.is_some() => char::from(*class),
        _ => '4',
    };
    let said = rest.and_then(|rest| rest.trim_start_matches(['-', ' ']).split([' ', '\r', '\n']).next());
    match said {
        Some(code) if status::is_code(code) && code.starts_with(class) => code.to_owned(),
        _ => format!("{class}.0.0"),
    }
}

/// Writes the report as a message of its own, to be sent with a null reverse-path. What it has beyond ASCII stands in its
/// body only, so it needs 8BITMIME at most, not SMTPUTF8, unless the address it goes to does.
pub fn delivery_report(report: &Report<'_>) -> Vec<u8> {
    let boundary = boundary(report);
    let words = words::part(report);
    let status = status::part(report);
    let quoted = quote(report);
    let parts = [&words, &status, &quoted];
    let encoding = if parts.iter().all(|part| part.is_ascii()) { "7bit" } else { "8bit" };
    let mut message = top(report, &boundary, encoding);
    for part in parts {
        message.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        message.extend_from_slice(part);
    }
    message.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    message
}

/// The report's own header, and what stands before its first part.
fn top(report: &Report<'_>, boundary: &str, encoding: &str) -> Vec<u8> {
    let Report { hostname, trace, now, sender, language, .. } = report;
    let mut out = Vec::with_capacity(1024);
    let field = |name: &str, value: &str, out: &mut Vec<u8>| build::write_field(name, value, out);
    field("Date", &build::date_time(now.0, 0), &mut out);
    field("From", &build::mailbox(words::name(*language), &format!("postmaster@{hostname}")), &mut out);
    field("To", &format!("<{sender}>"), &mut out);
    field("Subject", &encoded_word::encode(words::subject(*language, report.action())), &mut out);
    field("Message-ID", &format!("<{trace}.{}@{hostname}>", report.action().name()), &mut out);
    if let Some(about) = message_id(report.returned.header()) {
        // The report stands below the message in a client that shows threads.
        field("In-Reply-To", &about, &mut out);
        field("References", &about, &mut out);
    }
    // RFC 3834 §5: no other machine answers this one.
    field("Auto-Submitted", "auto-replied", &mut out);
    field("Content-Language", language.tag(), &mut out);
    field("MIME-Version", "1.0", &mut out);
    out.extend_from_slice(
        format!(
            "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\nThis is a report in MIME form.\r\n"
        )
        .as_bytes(),
    );
    out
}

/// The message's own id, if it is one that may stand in our header.
fn message_id(header: &[u8]) -> Option<String> {
    let value = header::first(header, "Message-ID")?;
    let text = std::str::from_utf8(value).ok()?.trim();
    let whole = text.starts_with('<') && text.ends_with('>') && text.len() <= 900;
    (whole && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.to_owned())
}

/// A boundary that does not occur in what is returned.
fn boundary(report: &Report<'_>) -> String {
    let trace = report.trace.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let mut boundary = format!("=_troika_{}", &trace[..trace.len().min(40)]);
    let (Returned::Header(bytes) | Returned::Message(bytes) | Returned::Beginning(bytes)) = report.returned;
    let occurs = |text: &str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    for number in 0..64 {
        if !occurs(&boundary) {
            break;
        }
        boundary.push(char::from(b'A' + number % 26));
    }
    boundary
}

/// The third part: the message or its header (RFC 6522 §3, RFC 6533 §4.2, §4.3).
fn quote(report: &Report<'_>) -> Vec<u8> {
    let header = report.returned.header();
    // RFC 6532 §3.7: message/global is what has UTF-8 in its header; raw octets of no known charset are not that.
    let global = !header.is_ascii() && report.smtputf8 && std::str::from_utf8(header).is_ok();
    let (kind, content) = match (report.returned, global) {
        (Returned::Header(_), false) => ("text/rfc822-headers", header),
        (Returned::Header(_), true) => ("message/global-headers", header),
        (Returned::Message(bytes) | Returned::Beginning(bytes), false) => ("message/rfc822", bytes),
        (Returned::Message(bytes) | Returned::Beginning(bytes), true) => ("message/global", bytes),
    };
    let encoding = if content.is_ascii() { "7bit" } else { "8bit" };
    let mut out =
        format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").into_bytes();
    out.extend_from_slice(content);
    out
}

/// What somebody else said, as a part of a line: no line breaks, no control characters, not endlessly long.
fn one_line(text: &str) -> String {
    const CHARACTERS_MAX: usize = 900;
    let is_break = |c: char| c.is_control();
    let words = text.split(is_break).map(str::trim).filter(|part| !part.is_empty());
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.truncate(line.floor_char_boundary(CHARACTERS_MAX));
    line
}

/// Text in UTF-8 for people, as a part of its own; 7-bit.
fn text_part(text: &str) -> Vec<u8> {
    let encoding = if text.is_ascii() { "7bit" } else { "base64" };
    let mut out =
        format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n")
            .into_bytes();
    if text.is_ascii() {
        out.extend_from_slice(text.as_bytes());
    } else {
        // Cyrillic letters are two bytes each: quoted-printable would be six characters for one.
        transfer::encode_base64(text.as_bytes(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests;
