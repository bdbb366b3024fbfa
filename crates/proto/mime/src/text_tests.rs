//! Messages in the charsets of real mail, and what SEARCH and PREVIEW see of a message.

use super::*;
use crate::structure::parse;

fn text_of(message: &[u8]) -> Option<String> {
    part_text(&parse(message), PartId::ROOT, 1_000_000).map(Cow::into_owned)
}

fn message(content_type: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
    [header.as_bytes(), body].concat()
}

#[test]
fn charsets_and_encodings() {
    let rows: &[(&str, &str, &[u8], &str)] = &[
        ("text/plain; charset=koi8-r", "8bit", b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
        ("text/plain; charset=KOI8-R", "base64", b"8NLJ18XU\r\n", "Привет"),
        ("text/plain; charset=\"windows-1251\"", "quoted-printable", b"=CF=F0=E8=\r\n=E2=E5=F2", "Привет"),
        ("text/plain; charset=gb18030", "8bit", b"\xc4\xe3\xba\xc3", "你好"),
        ("text/plain; charset=iso-2022-jp", "7bit", b"\x1b$B$3$s\x1b(B", "こん"),
        ("text/plain; charset=utf-8", "8bit", "é".as_bytes(), "é"),
        ("text/plain; charset=x-nobody-knows", "8bit", b"\xe9", "é"),
        ("text/plain", "8bit", b"\xe9", "é"),
        ("text/html; charset=koi8-r", "base64", b"PHA+8NI8L3A+PGI+IQ==", "Пр\n!"),
        ("text/html", "7bit", b"<style>x</style>a&amp;b", "a&b"),
    ];
    for (content_type, encoding, body, expected) in rows {
        assert_eq!(
            text_of(&message(content_type, encoding, body)).as_deref(),
            Some(*expected),
            "{content_type}"
        );
    }
    assert_eq!(text_of(&message("image/png", "7bit", b"x")), None);
    assert_eq!(text_of(&message("text/plain", "x-own", b"x")), None);
    assert_eq!(part_text(&parse(b"\r\nabcdef"), PartId::ROOT, 3).as_deref(), Some("abc"));
    assert!(matches!(part_text(&parse(b"\r\nabc"), PartId::ROOT, 9), Some(Cow::Borrowed("abc"))));
}

#[test]
fn what_search_sees() {
    let message = b"Subject: =?koi8-r?B?8NLJ18XU?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n\
        --b\r\n\r\none\r\n--b\r\nContent-Type: image/png\r\n\r\npng\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: =?utf-8?q?=C3=A9?=\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--";
    let structure = parse(message);
    let texts: Vec<_> = body_texts(&structure, 1000).collect();
    assert_eq!(texts, ["one", "Subject: é\nContent-Type: text/html\n\ntwo"]);
    let header = header_text(structure.header(PartId::ROOT));
    assert_eq!(header, "Subject: Привет\nContent-Type: multipart/mixed; boundary=b\n");
}

#[test]
fn previews() {
    let alternative = b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\
        \r\n--i\r\nContent-Type: text/html\r\n\r\n<p>html\r\n--i\r\n\r\nplain  text\r\nhere\r\n--i--\r\n--o\r\n\r\nlater\r\n--o--";
    assert_eq!(preview(&parse(alternative), 200), "plain text here");
    assert_eq!(preview(&parse(alternative), 7), "plain t");
    assert_eq!(preview(&parse(alternative), 6), "plain");
    let html_first = b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/related; boundary=i\r\n\
        \r\n--i\r\nContent-Type: text/html\r\n\r\n<p>html &eacute;\r\n--i--\r\n--o\r\n\r\nfooter\r\n--o--";
    assert_eq!(preview(&parse(html_first), 200), "html é");
    let attached = message("text/plain\r\nContent-Disposition: ATTACHMENT", "7bit", b"x");
    assert_eq!(preview(&parse(&attached), 200), "");
    assert_eq!(preview(&parse(b"Content-Type: image/png\r\n\r\nx"), 200), "");
}
