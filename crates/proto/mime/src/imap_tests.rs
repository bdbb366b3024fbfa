//! The samples of RFC 3501 §8 and RFC 9051 §7.5.2, quoting, fallbacks, and a small reader that checks the grammar.

use proptest::prelude::*;

use super::*;
use crate::structure::parse;

fn body(message: &str, form: BodyForm) -> String {
    let mut out = Vec::new();
    write_body(&parse(message.as_bytes()), form, &mut out);
    check_syntax(&out);
    String::from_utf8(out).unwrap()
}

fn envelope(header: &str) -> String {
    let mut out = Vec::new();
    write_envelope(&Envelope::parse(header.as_bytes()), &mut out);
    check_syntax(&out);
    String::from_utf8(out).unwrap()
}

/// Reads one value: a parenthesised list, a string, a number or NIL; panics if it is none, and returns the rest.
fn skip_value(input: &[u8]) -> &[u8] {
    match input[0] {
        b'(' => {
            let mut rest = &input[1..];
            assert_ne!(rest[0], b')', "an empty list is never valid here");
            while rest[0] != b')' {
                rest = skip_value(rest);
                if rest[0] == b' ' {
                    rest = &rest[1..];
                    assert!(!matches!(rest[0], b' ' | b')'));
                }
            }
            &rest[1..]
        }
        b'"' => {
            let mut at = 1;
            while input[at] != b'"' {
                at += usize::from(input[at] == b'\\');
                assert!(input[at].is_ascii() && !matches!(input[at], 0 | b'\r' | b'\n'));
                at += 1;
            }
            &input[at + 1..]
        }
        b'{' => {
            let end = input.iter().position(|&byte| byte == b'}').unwrap();
            let length: usize = std::str::from_utf8(&input[1..end]).unwrap().parse().unwrap();
            assert_eq!(&input[end + 1..end + 3], b"\r\n");
            assert!(!input[end + 3..end + 3 + length].contains(&0));
            &input[end + 3 + length..]
        }
        b'0'..=b'9' => &input[input.iter().position(|byte| !byte.is_ascii_digit()).unwrap()..],
        _ => input.strip_prefix(b"NIL").expect("a value"),
    }
}

fn check_syntax(output: &[u8]) {
    assert!(skip_value(output).is_empty(), "{}", output.escape_ascii());
}

/// The message of RFC 3501 §8; the body is made up to its 92 lines and 3028 octets.
fn sample() -> String {
    let header = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n\
        Subject: IMAP4rev1 WG mtg summary and minutes\r\nTo: imap@cac.washington.edu\r\n\
        cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
        Message-Id: <B27397-0100000@cac.washington.edu>\r\nMIME-Version: 1.0\r\n\
        Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n";
    assert_eq!(header.len(), 342);
    let line = "x".repeat(30) + "\r\n";
    format!("{header}{}{}\r\n", line.repeat(91), "y".repeat(3028 - 91 * 32 - 2))
}

#[test]
fn rfc_3501_section_8() {
    let message = sample();
    assert_eq!(
        envelope(&message),
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((NIL NIL \"imap\" \"cac.washington.edu\")) \
         ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
         \"<B27397-0100000@cac.washington.edu>\")"
    );
    let expected = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92)";
    assert_eq!(body(&message, BodyForm::Body), expected);
}

#[test]
fn rfc_9051_section_7_5_2() {
    // The two parts of the example, with bodies of the sizes that it names.
    let lines = |octets: usize, lines: usize| {
        let full = "\r\n".repeat(lines);
        "x".repeat(octets - full.len()) + &full
    };
    let message = format!(
        "Content-Type: MULTIPART/MIXED; BOUNDARY=b\r\n\r\n--b\r\n\r\n{}\r\n--b\r\n\
         Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=\"cc.diff\"\r\n\
         Content-ID: <960723163407.20117h@cac.washington.edu>\r\nContent-Description: Compiler diff\r\n\
         Content-Transfer-Encoding: BASE64\r\n\r\n{}\r\n--b--\r\n",
        lines(1152, 23),
        lines(4554, 73)
    );
    assert_eq!(
        body(&message, BodyForm::Body),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)(\"TEXT\" \"PLAIN\" \
         (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \
         \"BASE64\" 4554 73) \"MIXED\")"
    );
}

#[test]
fn extension_data() {
    let message = "Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en\r\n\r\n\
        --b\r\nContent-Type: image/png; name*0*=koi8-r'ru'%F0; name*1*=%D2\r\nContent-MD5: Q2hlY2s=\r\n\
        Content-Disposition: attachment; filename=a.png; size=7\r\nContent-Language: en, de\r\n\
        Content-Location: http://x/a.png\r\n\r\nx\r\n\
        --b\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\nSubject: in\r\n\r\nbody\r\n--b--";
    assert_eq!(
        body(message, BodyForm::BodyStructure),
        "((\"image\" \"png\" (\"name*\" \"utf-8'ru'%D0%9F%D1%80\") NIL NIL \"7BIT\" 1 \"Q2hlY2s=\" \
         (\"attachment\" (\"filename\" \"a.png\" \"size\" \"7\")) (\"en\" \"de\") \"http://x/a.png\")\
         (\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 19 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 4 0 NIL NIL NIL NIL) 2 NIL (\"inline\" NIL) NIL NIL) \
         \"mixed\" (\"boundary\" \"b\") NIL \"en\" NIL)"
    );
    assert_eq!(
        body(message, BodyForm::Body),
        "((\"image\" \"png\" (\"name*\" \"utf-8'ru'%D0%9F%D1%80\") NIL NIL \"7BIT\" 1)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 19 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 4 0) 2) \"mixed\")"
    );
}

#[test]
fn fallbacks() {
    let empty = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 0 0)";
    for message in
        ["", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "Content-Type: multipart/mixed\r\n\r\n"]
    {
        assert_eq!(body(message, BodyForm::Body), empty, "{message}");
    }
    let encoded = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==";
    assert_eq!(body(encoded, BodyForm::Body), "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"base64\" 4)");
    let html = "Content-Type: text/html; x=y\r\n\r\n";
    let expected = "(\"text\" \"html\" (\"CHARSET\" \"US-ASCII\" \"x\" \"y\") NIL NIL \"7BIT\" 0 0)";
    assert_eq!(body(html, BodyForm::Body), expected);
}

#[test]
fn rfc_2049_appendix_a() {
    let message = include_str!("../testdata/rfc2049-appendix-a.eml").replace('\n', "\r\n");
    // The sizes were counted independently of this crate.
    assert_eq!(
        body(&message, BodyForm::BodyStructure),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 275 7 NIL NIL NIL NIL)\
         (\"text\" \"plain\" (\"charset\" \"US-ASCII\") NIL NIL \"7BIT\" 114 3 NIL NIL NIL NIL)\
         ((\"audio\" \"basic\" NIL NIL NIL \"base64\" 91 NIL NIL NIL NIL)\
         (\"image\" \"jpeg\" NIL NIL NIL \"base64\" 47 NIL NIL NIL NIL) \
         \"parallel\" (\"boundary\" \"unique-boundary-2\") NIL NIL NIL)\
         (\"text\" \"enriched\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 145 5 NIL NIL NIL NIL)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 232 \
         (NIL \"(subject in US-ASCII)\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"Text\" \"plain\" (\"charset\" \"ISO-8859-1\") NIL NIL \"Quoted-printable\" 51 1 NIL NIL NIL NIL) \
         7 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"unique-boundary-1\") NIL NIL NIL)"
    );
}

#[test]
fn message_global() {
    let message = "Content-Type: message/global\r\n\r\nSubject: é\r\n\r\nbody\r\n";
    assert_eq!(body(message, BodyForm::Body), "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 21)");
    let mut out = Vec::new();
    write_body_rev2(&parse(message.as_bytes()), BodyForm::Body, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "(\"message\" \"global\" NIL NIL NIL \"7BIT\" 21 (NIL {2}\r\né NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 6 1) 3)"
    );
}

#[test]
fn envelope_addresses() {
    assert_eq!(envelope(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_eq!(
        envelope(
            "From: a@b\r\nSender: \"\\\"q\\\"\" <@r:c@d>\r\nReply-To: \r\nTo: G: x@y, root;\r\nCc: Nobody:;\r\nSubject:\r\n"
        ),
        "(NIL \"\" ((NIL NIL \"a\" \"b\")) ((\"\\\"q\\\"\" \"@r\" \"c\" \"d\")) ((NIL NIL \"a\" \"b\")) \
         ((NIL NIL \"G\" NIL)(NIL NIL \"x\" \"y\")(NIL NIL \"root\" \"\")(NIL NIL NIL NIL)) \
         ((NIL NIL \"Nobody\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)"
    );
}

#[test]
fn strings() {
    let shown = |value: &[u8]| {
        let mut out = Vec::new();
        write_string(value, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(shown(b"a\"b\\c\td"), "\"a\\\"b\\\\c\td\"");
    assert_eq!(shown("é".as_bytes()), "{2}\r\né");
    assert_eq!(shown(b"a\0b"), "{3}\r\na b");
    assert_eq!(shown(b"a\r\nb"), "{4}\r\na\r\nb");
    assert_eq!(shown(&[b'x'; 1001])[..10], *"{1001}\r\nxx");
    assert_eq!(envelope("Subject: a\r\n b\r\n\tc\r\n"), "(NIL \"a b\tc\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_eq!(envelope("Subject: é\r\n"), "(NIL {2}\r\né NIL NIL NIL NIL NIL NIL NIL NIL)");
    let mut out = Vec::new();
    [0, 9, 10, 1_234_567_890, usize::MAX].iter().for_each(|&number| write_number(number, &mut out));
    assert_eq!(String::from_utf8(out).unwrap(), "09101234567890".to_owned() + &usize::MAX.to_string());
}

/// Lines that hostile messages are made of.
const LINES: &[&[u8]] = &[
    b"--a",
    b"--a--",
    b"",
    b"",
    b"text \xff\0",
    b" fold\xff",
    b"Content-Type: multipart/mixed; boundary=a",
    b"Content-Type: message/rfc822",
    b"Content-Type: text/html; a=\"\xff\\\"\"; b*=utf-8''%00",
    b"Content-Type: \"/\"",
    b"Content-Transfer-Encoding: \"q\\\"",
    b"Content-Disposition: x; y=z",
    b"Content-Language: a, (b), c",
    b"Content-ID: \xff",
    b"From: \"\xff\" <\x00@[>, :;",
    b"To: g:a;b:",
    b"Subject: \x00\r",
];

proptest! {
    #[test]
    fn output_is_always_valid(lines in proptest::collection::vec(proptest::sample::select(LINES), 0..30)) {
        let message = lines.join(&b"\r\n"[..]);
        let structure = parse(&message);
        for form in [BodyForm::Body, BodyForm::BodyStructure] {
            let mut out = Vec::new();
            write_body(&structure, form, &mut out);
            check_syntax(&out);
        }
        let mut out = Vec::new();
        write_envelope(&Envelope::parse(&message), &mut out);
        check_syntax(&out);
    }

    #[test]
    fn any_bytes(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut out = Vec::new();
        write_body(&parse(&message), BodyForm::BodyStructure, &mut out);
        check_syntax(&out);
    }
}
