//! Delivery reports (RFC 3464): a message in three parts that tells the sender, in words and for programs, which
//! recipients did not get the message and why, or, where that was asked for, which ones did.

use crate::Orcpt;
use model::EmailAddress;
use std::fmt::Write;

/// What became of the recipients of a report (RFC 3464 §2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// They do not have the message.
    Failed,
    /// It is in their mailboxes.
    Delivered,
}

/// One recipient.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Where the message should have gone.
    pub recipient: String,
    /// ORCPT, if given.
    pub original: Option<Orcpt>,
    /// Reply code and text, as SMTP would have them.
    pub reply: String,
    /// Enhanced status code, `5.2.2` (RFC 3463).
    pub status: String,
}

/// What a report is about and where it goes.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// This host.
    pub hostname: &'a str,
    /// The reverse-path of the message. Never null: nothing bounces a bounce (RFC 5321 §4.5.5).
    pub sender: &'a EmailAddress,
    /// ENVID, if given (RFC 3461 §4.4).
    pub envid: Option<&'a str>,
    /// Names the message in this server's log; part of the report's own Message-ID.
    pub trace: &'a str,
    /// `Sat, 21 Nov 2026 12:00:00 +0000`, of now.
    pub date: &'a str,
    /// What became of them.
    pub action: Action,
    /// At least one.
    pub recipients: &'a [Reported],
    /// The message's header, which is returned (RFC 3461 §4.3, RET=HDRS).
    pub header: &'a [u8],
}

/// Writes the report as a message of its own, to be sent with a null reverse-path.
pub fn delivery_report(report: &Report<'_>) -> Vec<u8> {
    let boundary = format!("=_troika_{}", report.trace.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let ascii = report.header.is_ascii() && report.recipients.iter().all(|one| one.recipient.is_ascii());
    let encoding = if ascii { "7bit" } else { "8bit" };
    let mut text = String::new();
    write_header(report, &boundary, encoding, &mut text);
    write_words(report, &boundary, encoding, &mut text);
    write_status(report, &boundary, &mut text);
    text.push_str(&format!(
        "\r\n--{boundary}\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    ));
    let mut message = text.into_bytes();
    message.extend_from_slice(report.header);
    message.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    message
}

// Writing to a String can't fail, so the results of `write!` are dropped below.

fn write_header(report: &Report<'_>, boundary: &str, encoding: &str, text: &mut String) {
    let subject = match report.action {
        Action::Failed => "Undelivered mail: it could not be delivered to all recipients",
        Action::Delivered => "Delivered mail: the confirmation you asked for",
    };
    let Report { date, hostname, sender, trace, .. } = report;
    let _ = write!(
        text,
        "Date: {date}\r\nFrom: Mail Delivery System <postmaster@{hostname}>\r\nTo: <{sender}>\r\n\
         Subject: {subject}\r\nMessage-ID: <{trace}.report@{hostname}>\r\nAuto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\nThis is a report in MIME form.\r\n"
    );
}

/// The first part, for people.
fn write_words(report: &Report<'_>, boundary: &str, encoding: &str, text: &mut String) {
    let (opening, closing) = match report.action {
        Action::Failed => ("Your message was not delivered to:", "The other recipients have it."),
        Action::Delivered => {
            ("Your message is in the mailbox of:", "This says nothing of whether it was read.")
        }
    };
    let _ = write!(
        text,
        "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n\
         {opening}\r\n\r\n"
    );
    for one in report.recipients {
        let _ = write!(text, "  <{}>\r\n    {}\r\n", one.recipient, one.reply);
    }
    let _ = write!(text, "\r\n{closing} Its header is attached below.\r\n");
}

/// The second part, for programs (RFC 3464 §2).
fn write_status(report: &Report<'_>, boundary: &str, text: &mut String) {
    let _ = write!(
        text,
        "\r\n--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {}\r\n",
        report.hostname
    );
    if let Some(envid) = report.envid {
        let _ = write!(text, "Original-Envelope-Id: {envid}\r\n");
    }
    let action = match report.action {
        Action::Failed => "failed",
        Action::Delivered => "delivered",
    };
    for one in report.recipients {
        text.push_str("\r\n");
        if let Some(original) = &one.original {
            let _ = write!(text, "Original-Recipient: {}; {}\r\n", original.address_type, original.address);
        }
        let kind = if one.recipient.is_ascii() { "rfc822" } else { "utf-8" };
        let _ = write!(
            text,
            "Final-Recipient: {kind}; {}\r\nAction: {action}\r\nStatus: {}\r\nDiagnostic-Code: smtp; {}\r\n",
            one.recipient, one.status, one.reply
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(action: Action, original: Option<Orcpt>) -> String {
        text_about("b@y.test", action, original)
    }

    fn text_about(recipient: &str, action: Action, original: Option<Orcpt>) -> String {
        let sender = EmailAddress::parse("a@x.test").unwrap();
        let recipients = [Reported {
            recipient: recipient.into(),
            original,
            reply: "452 4.2.2 The mailbox is full".into(),
            status: "4.2.2".into(),
        }];
        let report = Report {
            hostname: "mx.y.test",
            sender: &sender,
            envid: Some("QQ314159"),
            trace: "4f1c.1",
            date: "Sat, 21 Nov 2026 12:00:00 +0000",
            action,
            recipients: &recipients,
            header: b"Subject: hello\r\n",
        };
        String::from_utf8(delivery_report(&report)).unwrap()
    }

    fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
        }
    }

    #[test]
    fn a_report_has_its_three_parts_and_ends() {
        let text = text(Action::Failed, None);
        assert_eq!(text.matches("--=_troika_4f1c_1\r\n").count(), 3);
        assert!(text.ends_with("Subject: hello\r\n\r\n--=_troika_4f1c_1--\r\n"), "{text}");
        assert!(!text.contains("Original-Recipient"));
        assert!(text.contains("multipart/report; report-type=delivery-status;"), "{text}");
        let wanted = [
            "To: <a@x.test>",
            "Auto-Submitted: auto-replied",
            "Content-Transfer-Encoding: 7bit",
            "  <b@y.test>",
            "    452 4.2.2 The mailbox is full",
            "Reporting-MTA: dns; mx.y.test",
            "Original-Envelope-Id: QQ314159",
            "Final-Recipient: rfc822; b@y.test",
            "Action: failed",
            "Status: 4.2.2",
            "Diagnostic-Code: smtp; 452 4.2.2 The mailbox is full",
        ];
        assert_lines(&text, &wanted);
    }

    #[test]
    fn a_recipient_beyond_ascii_is_named_as_such() {
        let text = text_about("почта@пример.рф", Action::Failed, None);
        // RFC 6533 §3: the address type utf-8, and a report that says that it is 8-bit.
        let wanted = ["Final-Recipient: utf-8; почта@пример.рф", "Content-Transfer-Encoding: 8bit"];
        assert_lines(&text, &wanted);
        assert!(!text.contains("7bit"), "{text}");
    }

    #[test]
    fn a_confirmation_names_the_recipient_as_the_sender_had_it() {
        let original = Orcpt { address_type: "rfc822".into(), address: "info@x.test".into() };
        let text = text(Action::Delivered, Some(original));
        assert_lines(&text, &["Original-Recipient: rfc822; info@x.test", "Action: delivered"]);
    }
}
