//! What a server does to a message's header section: the trace field in front (RFC 5321 §4.4), loops (§6.3), Return-Path
//! taken off, and what submission completes (RFC 6409 §8). Everything else stays octet for octet.

use crate::ask::{Client, Greeting, Kind, Recipient, Sender};
use crate::date::DateTime;
use memchr::memchr;
use model::{EmailAddress, Path, ReversePath};
use std::fmt::Write as _;

/// The keyword of `with` (RFC 3848 §1; RFC 6531 §4.3 for the UTF8 ones).
pub(crate) fn protocol(client: &Client, smtputf8: bool) -> &'static str {
    let (secure, authenticated) = (client.tls.is_some(), client.user.is_some());
    let names: [&'static str; 4] = match (client.greeting, smtputf8) {
        (Greeting::None | Greeting::Helo, _) => ["SMTP"; 4],
        (Greeting::Ehlo, false) => ["ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA"],
        (Greeting::Ehlo, true) => ["UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"],
        (Greeting::Lhlo, false) => ["LMTP", "LMTPA", "LMTPS", "LMTPSA"],
        (Greeting::Lhlo, true) => ["UTF8LMTP", "UTF8LMTPA", "UTF8LMTPS", "UTF8LMTPSA"],
    };
    names[usize::from(secure) * 2 + usize::from(authenticated)]
}

/// An address as it may be written in a header: U-labels only where SMTPUTF8 was agreed (RFC 6531 §3.7.3).
pub(crate) fn spelled(address: &EmailAddress, smtputf8: bool) -> String {
    if smtputf8 { address.to_string() } else { format!("{}@{}", address.local, address.domain.to_ascii()) }
}

/// ```text
/// Time-stamp-line = "Received:" FWS Stamp <CRLF>
/// Stamp           = From-domain By-domain Opt-info [CFWS] ";" FWS date-time
/// ```
/// RFC 5321 §4.4; FOR with exactly one recipient or not at all (§7.2); the tls clause is RFC 8314 §4.3's.
pub(crate) fn trace_field(
    sender: &Sender,
    recipients: &[std::sync::Arc<Recipient>],
    hostname: &str,
    id: &str,
    now: i64,
) -> Vec<u8> {
    let client = &sender.client;
    let mut out = String::with_capacity(320);
    // Writing to a String can't fail.
    let _ = write!(out, "Received: from {}", client.helo);
    match client.peer.map(|peer| peer.to_canonical()) {
        Some(std::net::IpAddr::V4(ip)) => drop(write!(out, " ([{ip}])")),
        Some(std::net::IpAddr::V6(ip)) => drop(write!(out, " ([IPv6:{ip}])")),
        None => {}
    }
    let _ = write!(out, "\r\n\tby {hostname} with {}", protocol(client, sender.smtputf8));
    let tls = client.tls.as_ref();
    if let Some(version) = tls.map(|tls| tls.version.as_str()).filter(|version| is_word(version)) {
        let _ = write!(out, " ({version})");
    }
    let _ = write!(out, "\r\n\tid {id}");
    if let [recipient] = recipients {
        let path = match &recipient.path {
            Path::Mailbox(address) => spelled(address, sender.smtputf8),
            Path::Postmaster => "postmaster".to_owned(),
        };
        let _ = write!(out, "\r\n\tfor <{path}>");
    }
    // RFC 6710 §4.1 (2), §7
    if let Some(priority) = sender.wishes.priority {
        let _ = write!(out, "\r\n\tpriority {priority}");
    }
    if let Some(cipher) = tls.map(|tls| tls.cipher.as_str()).filter(|cipher| is_word(cipher)) {
        let _ = write!(out, "\r\n\ttls {cipher}");
    }
    let _ = write!(out, ";\r\n\t{}\r\n", DateTime(now));
    out.into_bytes()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Received: fields beyond which a message is held to go round in circles (RFC 5321 §6.3: at least 100).
pub(crate) const HOPS_MAX: usize = 100;

/// Separate Return-Path and Bcc fields beyond which a message is refused, so that it can't make the list of them grow.
pub(crate) const REMOVED_FIELDS_MAX: usize = 1000;

/// Why a header section is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeaderFault {
    /// More than [`HOPS_MAX`] servers have stamped it.
    Loop,
    /// More than [`REMOVED_FIELDS_MAX`] fields would have to be taken off.
    TooManyFields,
}

/// What submission knows for the fields it adds.
pub(crate) struct Completion<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) hostname: &'a str,
    pub(crate) id: &'a str,
    pub(crate) now: i64,
}

/// Goes over the header section of `message[prefix_bytes..]` once and mends it in place:
/// - Return-Path fields are taken off (RFC 5321 §4.4);
/// - on submission Bcc fields too, and Message-ID, Date and From are put in front when missing (RFC 6409 §8);
/// - a message that does not begin with a header field gets the empty line that keeps its body a body.
///
/// # Errors
/// When the message goes in a circle, or holds too much that does not belong there.
pub(crate) fn finish(
    message: &mut Vec<u8>,
    prefix_bytes: usize,
    completion: &Completion<'_>,
) -> Result<(), HeaderFault> {
    let submission = completion.sender.client.kind == Kind::Submission;
    let found = look(&message[prefix_bytes..], submission);
    if found.hops > HOPS_MAX {
        return Err(HeaderFault::Loop);
    }
    if found.removed.len() > REMOVED_FIELDS_MAX {
        return Err(HeaderFault::TooManyFields);
    }
    let mut added = if submission { missing_fields(&found, completion) } else { Vec::new() };
    if found.is_headless {
        added.extend_from_slice(b"\r\n");
    }
    // What stays of the header section moves to its end, so that one splice at its front does the rest.
    let mut kept_from = prefix_bytes + found.header_bytes;
    let mut upper = kept_from;
    for (start, end) in
        found.removed.iter().rev().map(|(start, end)| (prefix_bytes + start, prefix_bytes + end))
    {
        kept_from -= upper - end;
        message.copy_within(end..upper, kept_from);
        upper = start;
    }
    kept_from -= upper - prefix_bytes;
    if kept_from != prefix_bytes {
        message.copy_within(prefix_bytes..upper, kept_from);
    }
    if kept_from != prefix_bytes || !added.is_empty() {
        message.splice(prefix_bytes..kept_from, added);
    }
    Ok(())
}

/// What [`look`] saw; offsets are within the content.
#[derive(Default, Debug)]
struct Found {
    hops: usize,
    has_message_id: bool,
    has_date: bool,
    has_from: bool,
    /// Neither a field nor an empty line stands first.
    is_headless: bool,
    /// Where the last field ends.
    header_bytes: usize,
    /// Fields to take off, ascending.
    removed: Vec<(usize, usize)>,
}

fn look(content: &[u8], submission: bool) -> Found {
    let mut found = Found::default();
    let mut at = 0;
    let mut removing = false;
    while at < content.len() && found.removed.len() <= REMOVED_FIELDS_MAX {
        let end = memchr(b'\n', &content[at..]).map_or(content.len(), |distance| at + distance + 1);
        let line = &content[at..end];
        if matches!(line[0], b' ' | b'\t') && at > 0 {
            if removing && let Some(last) = found.removed.last_mut() {
                last.1 = end;
            }
        } else if let Some(name) = field_name(line) {
            removing = false;
            match name.len() {
                8 if name.eq_ignore_ascii_case(b"Received") => found.hops += 1,
                10 if name.eq_ignore_ascii_case(b"Message-ID") => found.has_message_id = true,
                4 if name.eq_ignore_ascii_case(b"Date") => found.has_date = true,
                4 if name.eq_ignore_ascii_case(b"From") => found.has_from = true,
                11 => removing = name.eq_ignore_ascii_case(b"Return-Path"),
                3 => removing = submission && name.eq_ignore_ascii_case(b"Bcc"),
                _ => {}
            }
            if removing {
                match found.removed.last_mut() {
                    Some(last) if last.1 == at => last.1 = end,
                    _ => found.removed.push((at, end)),
                }
            }
        } else {
            found.is_headless = at == 0 && line != b"\r\n";
            break;
        }
        at = end;
    }
    found.header_bytes = at;
    found
}

/// `field-name = 1*ftext` before the colon (RFC 5322 §2.2; spaces before the colon are the obsolete form of §4.5).
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let fine = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic());
    fine.then_some(name)
}

fn missing_fields(found: &Found, completion: &Completion<'_>) -> Vec<u8> {
    let Completion { sender, hostname, id, now } = completion;
    let mut out = String::new();
    if !found.has_message_id {
        let _ = write!(out, "Message-ID: <{id}.{now}@{hostname}>\r\n");
    }
    if !found.has_date {
        let _ = write!(out, "Date: {}\r\n", DateTime(*now));
    }
    if !found.has_from {
        match (&sender.from, &sender.client.user) {
            (ReversePath::Mailbox(address), _) => {
                let _ = write!(out, "From: <{}>\r\n", spelled(address, sender.smtputf8));
            }
            (ReversePath::Null, Some(user)) if sender.smtputf8 || user.is_ascii() => {
                let _ = write!(out, "From: <{user}>\r\n");
            }
            (ReversePath::Null, _) => {}
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::BodyType;
    use std::sync::Arc;

    fn sender(kind: Kind, smtputf8: bool) -> Sender {
        Sender {
            client: Arc::new(Client {
                kind,
                peer: Some("192.0.2.7".parse().unwrap()),
                trace: "t1".into(),
                helo: "pc.example".into(),
                greeting: Greeting::Ehlo,
                user: Some("u@a.test".into()),
                tls: Some(wire::TlsInfo {
                    version: "TLSv1.3".into(),
                    cipher: "TLS_AES_128_GCM_SHA256".into(),
                    ..wire::TlsInfo::default()
                }),
            }),
            from: ReversePath::Mailbox(EmailAddress::parse("a@пример.рф").unwrap()),
            size_bytes: None,
            body: BodyType::SevenBit,
            smtputf8,
            ret: None,
            envid: None,
            submitter: None,
            wishes: crate::ask::Wishes::default(),
        }
    }

    fn finished(kind: Kind, content: &str) -> Result<String, HeaderFault> {
        let mut message = format!("Received: x\r\n{content}").into_bytes();
        let sender = sender(kind, false);
        finish(&mut message, 13, &Completion { sender: &sender, hostname: "mx.test", id: "t1.1", now: 0 })?;
        let text = String::from_utf8(message).unwrap();
        Ok(text.strip_prefix("Received: x\r\n").unwrap().to_owned())
    }

    #[test]
    fn a_trace_field_in_full() {
        let address = EmailAddress::parse("b@пример.рф").unwrap();
        let to = [Arc::new(Recipient { path: Path::Mailbox(address), notify: None, original: None })];
        let field = |smtputf8| {
            String::from_utf8(trace_field(&sender(Kind::Mta, smtputf8), &to, "mx.test", "t1.1", 0)).unwrap()
        };
        assert_eq!(
            field(false),
            "Received: from pc.example ([192.0.2.7])\r\n\tby mx.test with ESMTPSA (TLSv1.3)\r\n\tid t1.1\r\n\tfor \
             <b@xn--e1afmkfd.xn--p1ai>\r\n\ttls TLS_AES_128_GCM_SHA256;\r\n\tThu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
        assert!(field(true).contains("with UTF8SMTPSA") && field(true).contains("for <b@пример.рф>"));
        let two = [to[0].clone(), to[0].clone()];
        let field = trace_field(&sender(Kind::Mta, false), &two, "mx.test", "t1.1", 0);
        assert!(!String::from_utf8(field).unwrap().contains("for"), "§7.2: never more than one recipient");
    }

    #[test]
    fn relayed_mail_keeps_everything_but_return_path() {
        let same = "Subject: x\r\nBcc: y\r\n\r\nReturn-Path: in the body\r\n";
        assert_eq!(finished(Kind::Mta, same).unwrap(), same);
        let text =
            "Return-Path: <a@b>\r\n\t(folded)\r\nA: 1\r\nreturn-path : <c>\r\n D\r\nB: 2\r\n\r\nbody\r\n";
        assert_eq!(finished(Kind::Mta, text).unwrap(), "A: 1\r\nB: 2\r\n\r\nbody\r\n");
        assert_eq!(finished(Kind::Mta, "").unwrap(), "");
        assert_eq!(finished(Kind::Mta, "\r\nbody\r\n").unwrap(), "\r\nbody\r\n");
        assert_eq!(finished(Kind::Mta, "no header\r\n").unwrap(), "\r\nno header\r\n");
        assert_eq!(finished(Kind::Mta, " a: b\r\n").unwrap(), "\r\n a: b\r\n");
    }

    #[test]
    fn submission_completes_the_header() {
        let whole = "Message-ID: <1@x>\r\ndate: now\r\nFROM: a\r\n\r\nbody\r\n";
        assert_eq!(finished(Kind::Submission, whole).unwrap(), whole);
        let added = "Message-ID: <t1.1.0@mx.test>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n\
                     From: <a@xn--e1afmkfd.xn--p1ai>\r\n";
        let text = "To: b\r\nBcc: c,\r\n d\r\nBcc: e\r\nX: y\r\nBCC: f\r\n\r\nBcc: stays\r\n";
        let wanted = format!("{added}To: b\r\nX: y\r\n\r\nBcc: stays\r\n");
        assert_eq!(finished(Kind::Submission, text).unwrap(), wanted);
        assert_eq!(finished(Kind::Submission, "hello\r\n").unwrap(), format!("{added}\r\nhello\r\n"));
        assert_eq!(finished(Kind::Submission, "").unwrap(), added);
        assert_eq!(finished(Kind::Submission, "Bcc: x\r\n").unwrap(), added);
    }

    #[test]
    fn loops_and_excess_are_seen() {
        let hop = "Received: from a by b; today\r\n";
        assert!(finished(Kind::Mta, &hop.repeat(HOPS_MAX)).is_ok());
        assert_eq!(finished(Kind::Mta, &hop.repeat(HOPS_MAX + 1)), Err(HeaderFault::Loop));
        assert!(
            finished(Kind::Mta, &format!("\r\n{}", hop.repeat(HOPS_MAX + 1))).is_ok(),
            "the body does not count"
        );
    }
}
