//! Shapes of real and hostile messages; the invariants of the module head as properties.

use proptest::prelude::*;

use super::*;

/// One line a part: depth in spaces, kind, type, body.
fn shown(message: &str) -> Vec<String> {
    let structure = parse(message.as_bytes());
    check_invariants(&structure);
    let depth = |id: PartId| {
        std::iter::successors(structure.part(id).parent, |&id| structure.part(id).parent).count()
    };
    structure
        .ids()
        .map(|id| {
            let part = structure.part(id);
            let content_type = part.content_type();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
            let (type_name, subtype) = (text(content_type.type_name), text(content_type.subtype));
            let body = if part.kind == PartKind::Leaf { text(structure.body(id)) } else { String::new() };
            format!("{}{type_name}/{subtype} {}", " ".repeat(depth(id)), body.escape_debug())
        })
        .collect()
}

fn check_invariants(structure: &Structure<'_>) {
    let message = structure.message();
    assert_eq!(structure.root().header.start, 0);
    assert_eq!(structure.root().body.end, message.len());
    assert!(structure.parts().len() <= MAX_PARTS);
    for id in structure.ids() {
        let part = structure.part(id);
        assert_eq!(part.header.end, part.body.start);
        assert!(part.header.start <= part.header.end && part.body.start <= part.body.end);
        assert!(part.body.end <= message.len());
        assert_eq!(part.body_lines, crate::transfer::line_count(structure.body(id)));
        if let Some(parent) = part.parent {
            assert!(parent < id);
            let outer = &structure.part(parent).body;
            assert!(outer.start <= part.header.start && part.body.end <= outer.end, "{outer:?} {part:?}");
        }
        let children: Vec<_> = structure.children(id).collect();
        match part.kind {
            PartKind::Leaf => assert!(children.is_empty()),
            PartKind::Multipart => assert!(!children.is_empty()),
            PartKind::Message => assert_eq!(children.len(), 1),
        }
        for pair in children.windows(2) {
            assert!(structure.part(pair[0]).body.end <= structure.part(pair[1]).header.start);
        }
        assert!(children.iter().all(|&child| structure.part(child).parent == Some(id)));
    }
}

fn check(rows: &[(&str, &[&str])]) {
    for (message, expected) in rows {
        assert_eq!(shown(message), *expected, "{message}");
        // The same with lines that end with LF only.
        let bare = message.replace("\r\n", "\n");
        let expected: Vec<String> = expected.iter().map(|line| line.replace("\\r\\n", "\\n")).collect();
        assert_eq!(shown(&bare), expected, "{bare}");
    }
}

#[test]
fn single_parts() {
    check(&[
        ("", &["text/plain "]),
        ("Subject: x", &["text/plain "]),
        ("Subject: x\r\n\r\nbody\r\n", &["text/plain body\\r\\n"]),
        ("\r\nbody", &["text/plain body"]),
        ("Content-Type: image/png\r\n\r\nx", &["image/png x"]),
        ("Content-Type: nonsense\r\n\r\nx", &["text/plain x"]),
        ("content-type: a/b\r\nContent-Type: c/d\r\n\r\nx", &["a/b x"]),
    ]);
}

#[test]
fn multiparts() {
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let row = |body: &str, expected: &[&str]| {
        let message = format!("{head}{body}");
        let mut parts = vec!["multipart/mixed "];
        parts.extend(expected);
        check(&[(&message, &parts)]);
    };
    row(
        "pre\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\nepi\r\n--b\r\n\r\nlate",
        &[" text/plain one", " text/plain two"],
    );
    // Never closed; transport padding; no line end at all behind the last one.
    row("--b \t\r\n\r\none\r\n--b\r\n\r\ntwo\r\n", &[" text/plain one", " text/plain two\\r\\n"]);
    row("--b\r\n\r\none\r\n\r\n--b--", &[" text/plain one\\r\\n"]);
    // Empty bodies and missing empty lines.
    row(
        "--b\r\n--b\r\n\r\n--b\r\nContent-Type: a/b\r\n--b--\r\n",
        &[" text/plain ", " text/plain ", " a/b "],
    );
    // Not at the start of a line, not a boundary.
    row("--b\r\n\r\nx --b\r\n--a\r\n-- b\r\n--b--\r\n", &[" text/plain x --b\\r\\n--a\\r\\n-- b"]);
    row("--b", &[" text/plain "]);
    row("--bx\r\n\r\none\r\n--b--", &[" text/plain one"]);
}

#[test]
fn multiparts_without_parts_are_text() {
    check(&[
        ("Content-Type: multipart/mixed; boundary=b\r\n\r\nno parts\r\n", &["text/plain no parts\\r\\n"]),
        ("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n", &["text/plain --b--\\r\\n"]),
        (
            "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--",
            &["text/plain --b\\r\\n\\r\\nx\\r\\n--b--"],
        ),
    ]);
}

#[test]
fn nested() {
    check(&[
        (
            "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/alternative; boundary=oi\r\n\r\n\
             --oi\r\n\r\n1\r\n--oi\r\nContent-Type: text/html\r\n\r\n2\r\n--oi--\r\nepi\r\n--o\r\n\r\n3\r\n--o--\r\n",
            &[
                "multipart/mixed ",
                " multipart/alternative ",
                "  text/plain 1",
                "  text/html 2",
                " text/plain 3",
            ],
        ),
        // The inner one is never closed: RFC 2046 §5.1.2.
        (
            "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n\
             --i\r\n\r\n1\r\n--o\r\n\r\n2\r\n--o--\r\n",
            &["multipart/mixed ", " multipart/mixed ", "  text/plain 1", " text/plain 2"],
        ),
        // RFC 2046 §5.1.5: the default in a digest.
        (
            "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: 1\r\n\r\none\r\n--b\r\n\
             Content-Type: text/plain\r\n\r\ntwo\r\n--b--",
            &["multipart/digest ", " message/rfc822 ", "  text/plain one", " text/plain two"],
        ),
        // The same boundary inside: the innermost takes it.
        (
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n--b\r\n\r\n2\r\n--b--",
            &[
                "multipart/mixed ",
                " message/rfc822 ",
                "  multipart/mixed ",
                "   text/plain 1",
                " text/plain 2",
            ],
        ),
        (
            "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA==",
            &["application/octet-stream u3viamvjddogea=="],
        ),
        ("Content-Type: message/rfc822\r\n\r\n", &["message/rfc822 ", " text/plain "]),
        ("Content-Type: message/delivery-status\r\n\r\nA: b", &["message/delivery-status a: b"]),
    ]);
}

#[test]
fn fields() {
    let message = b"Content-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename*=utf-8''%C3%A9\r\n\
        Content-ID: <x@y>\r\nContent-MD5: Q2hlY2s=\r\nContent-Language: en, de\r\nContent-Location: http://x/\r\n\
        Content-Description: d\r\nContent-Transfer-Encoding: BASE64\r\n\r\n";
    let structure = parse(message);
    let part = structure.root();
    assert_eq!(part.file_name().as_deref(), Some("é"));
    assert_eq!(part.encoding(), TransferEncoding::Base64);
    assert_eq!(part.id, Some(&b" <x@y>"[..]));
    assert_eq!((part.md5, part.language), (Some(&b" Q2hlY2s="[..]), Some(&b" en, de"[..])));
    assert_eq!((part.location, part.description), (Some(&b" http://x/"[..]), Some(&b" d"[..])));
}

#[test]
fn a_hundred_thousand_parts() {
    let mut message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    message.extend(b"--b\r\n\r\nx\r\n".repeat(100_000));
    let structure = parse(&message);
    check_invariants(&structure);
    assert_eq!(structure.parts().len(), MAX_PARTS);
    assert_eq!(structure.parts()[MAX_PARTS - 1].body.end, message.len());
    let mut out = Vec::new();
    crate::imap::write_body(&structure, crate::imap::BodyForm::BodyStructure, &mut out);
    assert!(out.len() < 100 * MAX_PARTS);
}

#[test]
fn a_hundred_thousand_headers() {
    let message = b"X: y\r\n".repeat(100_000);
    let structure = parse(&message);
    check_invariants(&structure);
    assert_eq!(structure.root().header.end, message.len());
    // Each of a thousand parts has a header without end: still one pass.
    let mut message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    message.extend([&b"--b\r\n"[..], &b"X: y\r\n".repeat(10)].concat().repeat(2000));
    check_invariants(&parse(&message));
}

#[test]
fn deep_nesting() {
    for nested in
        ["Content-Type: message/rfc822\r\n\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"]
    {
        let message = nested.repeat(2000);
        let structure = parse(message.as_bytes());
        check_invariants(&structure);
        let depth = |id: PartId| {
            std::iter::successors(structure.part(id).parent, |&id| structure.part(id).parent).count()
        };
        assert_eq!(structure.ids().map(depth).max(), Some(MAX_DEPTH));
        let deepest = structure.part(structure.ids().find(|&id| depth(id) == MAX_DEPTH).unwrap());
        assert!(deepest.content_type().is("application", "octet-stream"));
        let mut out = Vec::new();
        crate::imap::write_body(&structure, crate::imap::BodyForm::BodyStructure, &mut out);
        assert!(out.len() < 200 * MAX_PARTS);
    }
}

#[test]
fn boundary_lookalikes_in_deep_nesting() {
    use std::fmt::Write as _;
    let mut message = String::new();
    for depth in 0..MAX_DEPTH {
        let boundary = "b".repeat(60);
        write!(
            message,
            "Content-Type: multipart/mixed; boundary={boundary}{depth:03}\r\n\r\n--{boundary}{depth:03}\r\n"
        )
        .unwrap();
    }
    message.push_str("\r\n");
    message.push_str(&format!("--{}\r\n", "b".repeat(60)).repeat(5000));
    let structure = parse(message.as_bytes());
    check_invariants(&structure);
    assert_eq!(structure.parts().len(), MAX_DEPTH + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(message in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_invariants(&parse(&message));
    }

    #[test]
    fn nearly_messages(lines in proptest::collection::vec(prop_oneof![
        Just("--a"), Just("--b"), Just("--a--"), Just("--b--"), Just(""), Just(""), Just("text"), Just("X: y"), Just(" fold"),
        Just("Content-Type: multipart/mixed; boundary=a"), Just("Content-Type: multipart/digest; boundary=b"),
        Just("Content-Type: multipart/mixed; boundary=ab"), Just("--ab"), Just("--"),
        Just("Content-Type: message/rfc822"), Just("Content-Type: text/html"), Just("Content-Transfer-Encoding: base64"),
    ], 0..40), line_end in prop_oneof![Just("\r\n"), Just("\n")]) {
        let message = lines.join(line_end);
        let structure = parse(message.as_bytes());
        check_invariants(&structure);
        let mut out = Vec::new();
        crate::imap::write_body(&structure, crate::imap::BodyForm::BodyStructure, &mut out);
        crate::imap::write_body(&structure, crate::imap::BodyForm::Body, &mut out);
        crate::text::body_texts(&structure, 1000).count();
        crate::text::preview(&structure, 200);
    }
}
