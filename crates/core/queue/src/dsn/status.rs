//! The part for programs (RFC 3464 §2, RFC 6533 §4.1).

use super::{Action, Report, Reported, one_line};
use mime::build;
use std::fmt::Write;

/// Whether the fields may hold UTF-8: there is some, and the sender's server takes it.
fn is_global(report: &Report<'_>) -> bool {
    let beyond = |one: &Reported| {
        !one.recipient.is_ascii()
            || !one.reply.is_ascii()
            || one.original.as_ref().is_some_and(|original| !original.address.is_ascii())
    };
    report.smtputf8 && report.recipients.iter().any(beyond)
}

// Writing to a String can't fail, so the results of `write!` are dropped below.

pub(super) fn part(report: &Report<'_>) -> Vec<u8> {
    let global = is_global(report);
    let mut text = if global {
        // RFC 6533 §6.4: this type is 8-bit.
        String::from(
            "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        )
    } else {
        String::from("Content-Type: message/delivery-status\r\n\r\n")
    };
    // RFC 3461 §6.3 (b): a name that is not a domain name has another type.
    let kind = if report.hostname.contains('.') { "dns" } else { "x-local-hostname" };
    if let Some(envid) = report.envid {
        let _ = write!(text, "Original-Envelope-Id: {}\r\n", ascii(&one_line(envid)));
    }
    let _ = write!(
        text,
        "Reporting-MTA: {kind}; {}\r\nArrival-Date: {}\r\n",
        report.hostname,
        build::date_time(report.received.0, 0)
    );
    if let Some(at) = report.deliver_by {
        let _ = write!(text, "Deliver-By-Date: {}\r\n", build::date_time(at.0, 0));
    }
    if let Some(at) = report.held_until {
        let _ = write!(text, "Future-Release-Request: until;{}\r\n", build::internet_time(at.0));
    }
    for one in report.recipients {
        text.push_str("\r\n");
        recipient(report, one, global, &mut text);
    }
    text.into_bytes()
}

fn recipient(report: &Report<'_>, one: &Reported, global: bool, text: &mut String) {
    if let Some(original) = &one.original {
        let kind = ascii(&one_line(&original.address_type));
        let _ = write!(text, "Original-Recipient: {kind}; {}\r\n", written(&original.address, global));
    }
    let kind = if one.recipient.is_ascii() { "rfc822" } else { "utf-8" };
    let status = if is_code(&one.status) { &one.status } else { default_status(one.action) };
    let _ = write!(
        text,
        "Final-Recipient: {kind}; {}\r\nAction: {}\r\nStatus: {status}\r\n",
        written(&one.recipient, global),
        one.action.name(),
    );
    if let Some(remote) = &one.remote {
        let _ = write!(text, "Remote-MTA: dns; {}\r\n", ascii(&one_line(remote)));
    }
    let reply = one_line(&one.reply);
    if !reply.is_empty() {
        // RFC 3461 §9.2: the type smtp is for what SMTP said, which begins with a reply code.
        let kind = if reply.as_bytes()[0].is_ascii_digit() { "smtp" } else { "x-troika" };
        let reply = if global { reply } else { ascii(&reply) };
        let _ = write!(text, "Diagnostic-Code: {kind}; {reply}\r\n");
    }
    if let Some(at) = one.last_attempt {
        let _ = write!(text, "Last-Attempt-Date: {}\r\n", build::date_time(at.0, 0));
    }
    // RFC 3464 §2.3.9: of delayed ones only.
    if let (Action::Delayed, Some(until)) = (one.action, report.retry_until) {
        let _ = write!(text, "Will-Retry-Until: {}\r\n", build::date_time(until.0, 0));
    }
}

/// `status-code = DIGIT "." 1*3DIGIT "." 1*3DIGIT` with a class that there is.
pub(super) fn is_code(text: &str) -> bool {
    let mut parts = text.split('.');
    let class = matches!(parts.next(), Some("2" | "4" | "5"));
    let number = |part: Option<&str>| {
        part.is_some_and(|part| {
            (1..=3).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'))
        })
    };
    class && number(parts.next()) && number(parts.next()) && parts.next().is_none()
}

/// RFC 3461 §6.3 (g): if nothing better is known.
fn default_status(action: Action) -> &'static str {
    match action {
        Action::Failed => "5.0.0",
        Action::Delayed => "4.0.0",
        Action::Delivered | Action::Relayed | Action::Expanded => "2.0.0",
    }
}

/// An address; where UTF-8 may not stand, in the form utf-8-addr-xtext (RFC 6533 §3).
fn written(address: &str, global: bool) -> String {
    let address = one_line(address);
    if global || address.is_ascii() {
        return address;
    }
    let mut out = String::with_capacity(address.len() * 4);
    for character in address.chars() {
        match character {
            '!'..='~' if !matches!(character, '\\' | '+' | '=') => out.push(character),
            // HEXPOINT has two digits at least.
            other => drop(write!(out, "\\x{{{:02X}}}", u32::from(other))),
        }
    }
    out
}

/// Free text where UTF-8 may not stand.
fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}
