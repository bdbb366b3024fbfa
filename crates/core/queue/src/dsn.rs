//! Failure reports (RFC 3464): a message in three parts that tells the sender, in words and for programs, which
//! recipients did not get the message and why.

use model::EmailAddress;
use std::fmt::Write;

/// One recipient that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Where the message should have gone.
    pub recipient: String,
    /// Reply code and text, as a refusal of SMTP would have them.
    pub reply: String,
    /// Enhanced status code, `5.2.2` (RFC 3463).
    pub status: String,
}

/// What the report is about and where it goes.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// This host.
    pub hostname: &'a str,
    /// The reverse-path of the message that failed. Never null: nothing bounces a bounce (RFC 5321 §4.5.5).
    pub sender: &'a EmailAddress,
    /// ENVID, if given (RFC 3461 §4.4).
    pub envid: Option<&'a str>,
    /// Names the message in this server's log; part of the report's own Message-ID.
    pub trace: &'a str,
    /// `Sat, 21 Nov 2026 12:00:00 +0000`, of now.
    pub date: &'a str,
    /// Who did not get it; at least one.
    pub failed: &'a [Failed],
    /// The message's header, which is returned (RFC 3461 §4.3, RET=HDRS).
    pub header: &'a [u8],
}

/// Writes the report as a message of its own, to be sent with a null reverse-path.
pub fn failure_report(report: &Report<'_>) -> Vec<u8> {
    let boundary = format!("=_troika_{}", report.trace.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let eight_bit =
        !report.header.is_ascii() || report.failed.iter().any(|failed| !failed.recipient.is_ascii());
    let encoding = if eight_bit { "8bit" } else { "7bit" };
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "Date: {date}\r\nFrom: Mail Delivery System <postmaster@{host}>\r\nTo: <{to}>\r\nSubject: Undelivered mail: it could not be delivered to all recipients\r\nMessage-ID: <{trace}.bounce@{host}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\nThis is a report in MIME form.\r\n\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
        date = report.date,
        host = report.hostname,
        to = report.sender,
        trace = report.trace,
    );
    text.push_str("Your message was not delivered to:\r\n\r\n");
    for failed in report.failed {
        let _ = write!(text, "  <{}>\r\n    {}\r\n", failed.recipient, failed.reply);
    }
    text.push_str("\r\nThe other recipients have it. Its header is attached below.\r\n");
    let _ = write!(
        text,
        "\r\n--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {}\r\n",
        report.hostname
    );
    if let Some(envid) = report.envid {
        let _ = write!(text, "Original-Envelope-Id: {envid}\r\n");
    }
    for failed in report.failed {
        let kind = if failed.recipient.is_ascii() { "rfc822" } else { "utf-8" };
        let _ = write!(
            text,
            "\r\nFinal-Recipient: {kind}; {}\r\nAction: failed\r\nStatus: {}\r\nDiagnostic-Code: smtp; {}\r\n",
            failed.recipient, failed.status, failed.reply
        );
    }
    let _ = write!(
        text,
        "\r\n--{boundary}\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    let mut message = text.into_bytes();
    message.extend_from_slice(report.header);
    message.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_its_three_parts_and_ends() {
        let sender = EmailAddress::parse("a@x.test").unwrap();
        let failed = [Failed {
            recipient: "b@y.test".into(),
            reply: "452 4.2.2 The mailbox is full".into(),
            status: "4.2.2".into(),
        }];
        let report = Report {
            hostname: "mx.y.test",
            sender: &sender,
            envid: Some("QQ314159"),
            trace: "4f1c.1",
            date: "Sat, 21 Nov 2026 12:00:00 +0000",
            failed: &failed,
            header: b"Subject: hello\r\n",
        };
        let text = String::from_utf8(failure_report(&report)).unwrap();
        assert_eq!(text.matches("--=_troika_4f1c_1\r\n").count(), 3);
        assert!(text.ends_with("Subject: hello\r\n\r\n--=_troika_4f1c_1--\r\n"), "{text}");
        for line in [
            "Original-Envelope-Id: QQ314159",
            "Final-Recipient: rfc822; b@y.test",
            "Action: failed",
            "Status: 4.2.2",
            "Diagnostic-Code: smtp; 452 4.2.2 The mailbox is full",
        ] {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
        }
    }
}
