//! A TLS report as mail (RFC 8460 §5.3).

use crate::gzip::gzip;
use crate::report::Cover;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Octets of base64 in a line (RFC 2045 §6.8).
const LINE: usize = 76;

/// Who sends what to whom.
#[derive(Clone, Debug)]
pub struct Post<'a> {
    /// The report.
    pub cover: Cover<'a>,
    /// Its JSON.
    pub json: &'a str,
    /// The domain that it is about, in A-labels.
    pub domain: &'a str,
    /// This host.
    pub submitter: &'a str,
    /// From: and To:.
    pub from: &'a str,
    /// See `from`.
    pub to: &'a str,
    /// As a Date: field has it.
    pub date: &'a str,
}

/// The name of the file (RFC 8460 §5.1).
fn file_name(post: &Post<'_>) -> String {
    let start = u64::from(post.cover.day) * 86_400;
    format!("{}!{}!{start}!{}!{}.json.gz", post.submitter, post.domain, start + 86_399, post.cover.id)
}

/// The whole message, lines ending in CRLF. All given texts are single lines.
pub fn message(post: &Post<'_>) -> Vec<u8> {
    let Post { domain, submitter, from, to, date, json, .. } = post;
    let id = post.cover.id;
    let boundary = format!("=_{id}");
    let encoded = BASE64_STANDARD.encode(gzip(json.as_bytes()));
    let mut text = format!(
        "From: {from}\r\nTo: {to}\r\nDate: {date}\r\nMessage-ID: <{id}@{submitter}>\r\n\
         Subject: Report Domain: {domain} Submitter: {submitter}\r\n Report-ID: <{id}@{submitter}>\r\n\
         TLS-Report-Domain: {domain}\r\nTLS-Report-Submitter: {submitter}\r\nTLS-Required: No\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n boundary=\"{boundary}\"\r\n\r\n\
         This is a report in MIME format.\r\n\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=\"us-ascii\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
         This is an aggregate TLS report from {submitter} about {domain}:\r\n\
         how often mail went to its hosts with TLS, and what went wrong.\r\n\r\n--{boundary}\r\n\
         Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment;\r\n filename=\"{}\"\r\n\r\n",
        file_name(post)
    )
    .into_bytes();
    for line in encoded.as_bytes().chunks(LINE) {
        text.extend_from_slice(line);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gzip::gunzip;

    #[test]
    fn the_report_comes_out_of_the_message_again() {
        let cover = Cover { organization: "X", contact: "c@x.test", id: "a1", day: 16_892 };
        let json = format!("{{\"report-id\":\"{}\"}}", "x".repeat(500));
        let post = Post {
            cover,
            json: &json,
            domain: "y.test",
            submitter: "mail.x.test",
            from: "c@x.test",
            to: "r@y.test",
            date: "Fri, 01 Apr 2016 00:00:00 +0000",
        };
        let text = String::from_utf8(message(&post)).unwrap();
        assert!(text.contains("report-type=\"tlsrpt\"") && text.contains("TLS-Report-Domain: y.test\r\n"));
        // RFC 8460 §5.1.
        assert!(text.contains("filename=\"mail.x.test!y.test!1459468800!1459555199!a1.json.gz\""));
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        let (_, part) = text.rsplit_once(".json.gz\"\r\n\r\n").unwrap();
        let encoded: String = part.split("--=_").next().unwrap().split("\r\n").collect();
        let octets = BASE64_STANDARD.decode(encoded).unwrap();
        assert_eq!(gunzip(&octets, 10_000).unwrap(), json.as_bytes());
    }
}
