//! The complex message of RFC 3501 §6.4.5, odd messages, header subsets.

use super::*;
use crate::structure::parse;

/// The example of RFC 3501 §6.4.5, spelled out.
pub(crate) const COMPLEX: &str = "Subject: outer\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\npreamble\r\n\
--a\r\n\r\npart 1\r\n\
--a\r\nContent-Type: application/octet-stream\r\n\r\npart 2\r\n\
--a\r\nContent-Type: message/rfc822\r\n\r\n\
Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: text/plain\r\n\r\npart 3.1\r\n\
--b\r\nContent-Type: application/octet-stream\r\n\r\npart 3.2\r\n\
--b--\r\n\
--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n\
--c\r\nContent-Type: image/gif\r\n\r\npart 4.1\r\n\
--c\r\nContent-Type: message/rfc822\r\n\r\n\
Subject: four two\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n\
--d\r\n\r\npart 4.2.1\r\n\
--d\r\nContent-Type: multipart/alternative; boundary=e\r\n\r\n\
--e\r\n\r\npart 4.2.2.1\r\n\
--e\r\nContent-Type: text/richtext\r\n\r\npart 4.2.2.2\r\n\
--e--\r\n--d--\r\n--c--\r\n--a--\r\nepilogue\r\n";

fn section<'a>(message: &'a str, numbers: &[u32], specifier: Specifier) -> Option<&'a str> {
    locate(&parse(message.as_bytes()), numbers, specifier).map(|range| &message[range])
}

#[test]
fn rfc_3501_section_6_4_5() {
    use Specifier::{Header, Mime, Text, Whole};
    let rows: &[(&[u32], Specifier, Option<&str>)] = &[
        (&[1], Whole, Some("part 1")),
        (&[1], Mime, Some("\r\n")),
        (&[2], Whole, Some("part 2")),
        (&[3], Header, Some("Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")),
        (&[3], Mime, Some("Content-Type: message/rfc822\r\n\r\n")),
        (&[3, 1], Whole, Some("part 3.1")),
        (&[3, 2], Whole, Some("part 3.2")),
        (&[4, 1], Whole, Some("part 4.1")),
        (&[4, 1], Mime, Some("Content-Type: image/gif\r\n\r\n")),
        (&[4, 2], Header, Some("Subject: four two\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n")),
        (&[4, 2, 1], Whole, Some("part 4.2.1")),
        (&[4, 2, 2, 1], Whole, Some("part 4.2.2.1")),
        (&[4, 2, 2, 2], Whole, Some("part 4.2.2.2")),
        (&[4, 2, 2, 2], Mime, Some("Content-Type: text/richtext\r\n\r\n")),
        (&[], Header, Some("Subject: outer\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n")),
        (&[], Whole, Some(COMPLEX)),
        // None of these exist.
        (&[], Mime, None),
        (&[0], Whole, None),
        (&[5], Whole, None),
        (&[1, 1], Whole, None),
        (&[1], Header, None),
        (&[4], Header, None),
        (&[4], Text, None),
        (&[3, 3], Whole, None),
        (&[u32::MAX], Whole, None),
    ];
    for (numbers, specifier, expected) in rows {
        assert_eq!(section(COMPLEX, numbers, *specifier), *expected, "{numbers:?} {specifier:?}");
    }
    let text = section(COMPLEX, &[3], Text).unwrap();
    assert!(text.starts_with("--b\r\n") && text.ends_with("--b--"));
    let text = section(COMPLEX, &[], Text).unwrap();
    assert!(text.starts_with("preamble") && text.ends_with("epilogue\r\n"));
}

#[test]
fn no_multipart() {
    let message = "Subject: x\r\n\r\nbody\r\n";
    assert_eq!(section(message, &[1], Specifier::Whole), Some("body\r\n"));
    assert_eq!(section(message, &[1], Specifier::Mime), Some("Subject: x\r\n\r\n"));
    assert_eq!(section(message, &[2], Specifier::Whole), None);
    assert_eq!(section(message, &[1, 1], Specifier::Whole), None);
    assert_eq!(section("", &[1], Specifier::Whole), Some(""));
}

#[test]
fn message_in_message() {
    let message = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody";
    assert_eq!(section(message, &[1], Specifier::Whole), Some("Subject: in\r\n\r\nbody"));
    assert_eq!(section(message, &[1], Specifier::Header), Some("Subject: in\r\n\r\n"));
    assert_eq!(section(message, &[1], Specifier::Text), Some("body"));
    assert_eq!(section(message, &[1, 1], Specifier::Whole), Some("body"));
    assert_eq!(section(message, &[1, 1, 1], Specifier::Whole), None);
    assert_eq!(section(message, &[1, 2], Specifier::Whole), None);
}

#[test]
fn header_subsets() {
    let header = b"Subject: a\r\n b\r\nTo: c\r\njunk\r\nSUBJECT : d\r\n\r\n";
    let subset = |names: &[&str], selection| {
        let mut out = Vec::new();
        write_header_fields(header, names, selection, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(subset(&["subject"], Selection::Listed), "Subject: a\r\n b\r\nSUBJECT : d\r\n\r\n");
    assert_eq!(subset(&["subject"], Selection::NotListed), "To: c\r\n\r\n");
    assert_eq!(subset(&["Date", "X"], Selection::Listed), "\r\n");
    let mut out = Vec::new();
    write_header_fields(b"A: b\r\n", &["A"], Selection::Listed, &mut out);
    assert_eq!(out, b"A: b\r\n");
}
