//! The trace of a collected message: our Received field, circles, and when it came (RFC 5321 §4.4, §6.3).

use crate::{Protocol, Tls};
use mime::header::fields;
use model::{EmailAddress, UnixTime};
use std::net::IpAddr;

/// Hops after which a message goes in circles (RFC 5321 §6.3: at least 100).
const HOPS_MAX: usize = 100;
/// How far ahead of ours another server's clock may be; a message that came later than that came now.
const AHEAD_MAX: i64 = 86_400;

/// Where a message was collected, for whom.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// The source's host as it was named.
    pub host: &'a str,
    /// The address that it was reached at.
    pub address: Option<IpAddr>,
    /// This server.
    pub hostname: &'a str,
    /// How.
    pub protocol: Protocol,
    /// How protected.
    pub tls: Tls,
    /// Whose account it is put into.
    pub account: &'a EmailAddress,
    /// When.
    pub now: UnixTime,
}

impl Trace<'_> {
    /// The Received field, with its line ends.
    pub fn received(&self) -> String {
        let date = mime::build::date_time(self.now.0, 0);
        let address = match self.address {
            Some(IpAddr::V6(address)) => format!(" ([IPv6:{address}])"),
            Some(IpAddr::V4(address)) => format!(" ([{address}])"),
            None => String::new(),
        };
        format!(
            "Received: from {}{address}\r\n\tby {} with {}\r\n\t{} {}; {date}\r\n",
            self.host,
            self.hostname,
            with(self.protocol, self.tls),
            MARK,
            self.account,
        )
    }

    /// Why this message is not to be put into the account: it has been there, or has come too far.
    pub fn circle(&self, message: &[u8]) -> Option<&'static str> {
        let mine = format!("{MARK} {}", self.account).to_lowercase();
        let by = format!("by {} ", self.hostname).to_lowercase();
        let mut hops = 0;
        for field in fields(message).filter(|field| field.is("Received")) {
            hops += 1;
            let value = String::from_utf8_lossy(&field.unfolded()).to_lowercase();
            let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            if value.contains(&format!("{mine};")) && value.contains(&by) {
                return Some("it was collected into this account before");
            }
        }
        (hops > HOPS_MAX).then_some("it has passed more than 100 servers")
    }
}

/// Says in a Received field that the message was collected, and for whom.
const MARK: &str = "(collected) for";

/// What RFC 5321 §4.4 calls Protocol; there is no registered name for what reads mailboxes.
fn with(protocol: Protocol, tls: Tls) -> &'static str {
    match (protocol, tls) {
        (Protocol::Pop3, Tls::None) => "POP3",
        (Protocol::Pop3, _) => "POP3S",
        (Protocol::Imap, Tls::None) => "IMAP",
        (Protocol::Imap, _) => "IMAPS",
    }
}

/// When a message came to its source: what the source says, or else the date of its newest Received field (RFC 5322
/// §3.6.7), or else of its Date field; `now` when none is to be believed.
pub fn arrival(said: Option<UnixTime>, message: &[u8], now: UnixTime) -> UnixTime {
    let believed = |time: &UnixTime| time.0 > 0 && time.0 <= now.0 + AHEAD_MAX;
    if let Some(said) = said.filter(believed) {
        return said;
    }
    let mut received = None;
    let mut written = None;
    for field in fields(message) {
        if received.is_none() && field.is("Received") {
            let value = field.unfolded();
            let date = value.iter().rposition(|octet| *octet == b';').and_then(|at| value.get(at + 1..));
            received = date.and_then(mime::date::parse);
        } else if written.is_none() && field.is("Date") {
            written = mime::date::parse(field.value);
        }
    }
    let moments = [received, written].into_iter().flatten().map(|date| UnixTime(date.unix_seconds));
    moments.filter(believed).map(|time| UnixTime(time.0.min(now.0))).next().unwrap_or(now)
}

/// The message with CRLF at the end of every line: POP3 and IMAP transmit it so, but not all servers keep to that.
pub fn with_line_ends(message: Vec<u8>) -> Vec<u8> {
    let bare = |at: usize| message[at] == b'\n' && (at == 0 || message[at - 1] != b'\r');
    let missing = (0..message.len()).filter(|at| bare(*at)).count();
    if missing == 0 {
        return message;
    }
    let mut out = Vec::with_capacity(message.len() + missing);
    for (at, octet) in message.iter().enumerate() {
        if bare(at) {
            out.push(b'\r');
        }
        out.push(*octet);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(account: &EmailAddress) -> Trace<'_> {
        Trace {
            host: "pop.example.net",
            address: Some("192.0.2.7".parse().unwrap()),
            hostname: "mx.example.org",
            protocol: Protocol::Pop3,
            tls: Tls::Implicit,
            account,
            now: UnixTime(1_795_262_521),
        }
    }

    #[test]
    fn the_trace_is_written_and_found_again() {
        let anna = EmailAddress::parse("Anna@example.org").unwrap();
        let field = trace(&anna).received();
        assert_eq!(
            field,
            "Received: from pop.example.net ([192.0.2.7])\r\n\tby mx.example.org with POP3S\r\n\t\
             (collected) for Anna@example.org; Sat, 21 Nov 2026 12:02:01 +0000\r\n"
        );
        let message = format!("Subject: x\r\n{field}\r\nbody");
        assert!(trace(&anna).circle(message.as_bytes()).is_some());
        for other in ["ann@example.org", "anna@example.or", "anna@example.org.uk"] {
            let other = EmailAddress::parse(other).unwrap();
            assert_eq!(trace(&other).circle(message.as_bytes()), None);
        }
        let elsewhere = message.replace("by mx.", "by a.mx.");
        assert_eq!(trace(&anna).circle(elsewhere.as_bytes()), None);
        let quoted = format!("Subject: x\r\n\r\n{field}");
        assert_eq!(trace(&anna).circle(quoted.as_bytes()), None, "a body is no trace");
        let far = format!("{}\r\n", "Received: from a by b; x\r\n".repeat(101));
        assert!(trace(&anna).circle(far.as_bytes()).is_some());
        assert_eq!(trace(&anna).circle(&far.as_bytes()[26..]), None);
    }

    #[test]
    fn when_it_came() {
        let now = UnixTime(1_795_262_521);
        let message = b"Received: from a by b\r\n\t(x; y); Sat, 21 Nov 2026 10:00:00 +0100\r\n\
            Received: from c by a; Sat, 21 Nov 2026 08:00:00 +0000\r\nDate: Fri, 20 Nov 2026 08:00:00 +0000\r\n\r\n";
        assert_eq!(arrival(None, message, now), UnixTime(1_795_251_600));
        assert_eq!(arrival(Some(UnixTime(5)), message, now), UnixTime(5));
        assert_eq!(arrival(Some(UnixTime(now.0 * 2)), message, now), UnixTime(1_795_251_600));
        assert_eq!(arrival(None, &message[message.len() - 41..], now), UnixTime(1_795_161_600));
        assert_eq!(arrival(None, b"Date: Sat, 21 Nov 2099 08:00:00 +0000\r\n\r\n", now), now);
        assert_eq!(arrival(None, b"", now), now);
    }

    #[test]
    fn lines_end_as_they_should() {
        let text = |octets: &[u8]| String::from_utf8(with_line_ends(octets.to_vec())).unwrap();
        assert_eq!(text(b"\na\nb\r\n\nc\r"), "\r\na\r\nb\r\n\r\nc\r");
        assert_eq!(text(b"a\r\nb"), "a\r\nb");
        assert_eq!(text(b""), "");
    }
}
