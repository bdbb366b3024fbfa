//! Conversions: the examples that matter, and that no octet of any part is lost.

use super::*;
use proptest::prelude::*;

fn converted(message: &[u8], target: Target) -> String {
    let out = convert(message, target).unwrap().expect("there is something to convert");
    String::from_utf8_lossy(&out).into_owned()
}

/// Media types and decoded contents of all leaves.
fn leaves(message: &[u8]) -> Vec<(String, Vec<u8>)> {
    let structure = parse(message);
    let mut out = Vec::new();
    for id in structure.ids() {
        let part = structure.part(id);
        if part.kind != PartKind::Leaf {
            continue;
        }
        let mut content = Vec::new();
        transfer::decode(part.encoding(), structure.body(id), usize::MAX, &mut content).unwrap();
        let media = part.content_type();
        let name = [media.type_name, b"/", media.subtype].concat().to_ascii_lowercase();
        out.push((String::from_utf8(name).unwrap(), content));
    }
    out
}

#[test]
fn octets() {
    assert_eq!(Octets::of(b""), Octets::SevenBit);
    assert_eq!(Octets::of(b"a\r\n.\r\n"), Octets::SevenBit);
    assert_eq!(Octets::of("é\r\n".as_bytes()), Octets::EightBit);
    for binary in [
        &b"\0"[..],
        b"a\nb",
        b"a\rb",
        b"a\r\r\nb",
        b"a\r",
        b"\n\r\n",
        &[b'x'; 999],
        &[&[b'x'; 999][..], b"\r\n"].concat(),
    ] {
        assert_eq!(Octets::of(binary), Octets::Binary, "{}", binary.escape_ascii());
    }
    assert_eq!(Octets::of(&[&[b'x'; 998][..], b"\r\n", &[b'y'; 998]].concat()), Octets::SevenBit);
    let message = "Subject: é\r\n\r\nx\n".as_bytes();
    assert_eq!(survey(message), Survey { header: Octets::EightBit, body: Octets::Binary });
}

#[test]
fn what_fits_stays_as_it_is() {
    let ascii = b"Content-Transfer-Encoding: 8bit\r\n\r\nplain\r\n";
    assert_eq!(convert(ascii, Target::SevenBit), Ok(None));
    assert_eq!(convert("Subject: é\r\n\r\nплан\r\n".as_bytes(), Target::EightBit), Ok(None));
}

#[test]
fn text_becomes_quoted_printable_or_base64() {
    let head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\ncontent-transfer-encoding: 8bit\r\nX: y\r\n\r\n";
    assert_eq!(
        converted(format!("{head}A long line, and a café.\r\n").as_bytes(), Target::SevenBit),
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\n\
         A long line, and a caf=C3=A9.\r\n"
    );
    assert!(
        converted(format!("{head}привет\r\n").as_bytes(), Target::SevenBit)
            .ends_with("base64\r\nX: y\r\n\r\n0L/RgNC40LLQtdGCDQo=\r\n")
    );
}

#[test]
fn a_message_without_mime_becomes_one() {
    assert_eq!(
        converted("Subject: x\r\n\r\nHe said: naïve, and left the room\r\n".as_bytes(), Target::SevenBit),
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         He said: na=C3=AFve, and left the room\r\n"
    );
    assert!(
        converted(b"\r\nHe said: na\xefve, and left the room", Target::SevenBit)
            .contains("charset=unknown-8bit\r\n")
    );
    assert!(converted(b"\r\nHe said: na\xefve, and left the room", Target::SevenBit).ends_with("room=\r\n"));
}

#[test]
fn parts_are_converted_each_for_itself() {
    let message = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        préamble\r\n--b\r\n\r\nplain, and nothing to do\r\n--b\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\u{1}\r\n\
        --b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: inner\r\n\r\nThe inner text has a déjà vu in it\r\n\
        --b\r\nContent-Type: message/global\r\n\r\nSubject: всё\r\n\r\nx\r\n--b--\r\nепилог\r\n";
    let seven = converted(message.as_bytes(), Target::SevenBit);
    let wanted = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
        pr??amble\r\n--b\r\n\r\nplain, and nothing to do\r\n--b\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: base64\r\n\r\nAAoB\r\n\r\n\
        --b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: inner\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nThe inner text has a d=C3=A9j=C3=A0 vu in it\r\n\
        --b\r\nContent-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDog0LLRgdGRDQoNCng=\r\n\r\n--b--\r\n????????????\r\n";
    assert_eq!(seven, wanted);
    let eight = converted(message.as_bytes(), Target::EightBit);
    assert!(
        eight.contains("boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\npréamble\r\n")
            && eight.contains("\r\nAAoB\r\n")
    );
    assert!(eight.contains("déjà vu") && eight.contains("Subject: всё\r\n\r\nx\r\n--b--\r\nепилог\r\n"));
}

#[test]
fn lines_that_end_with_lf_stay_lines_of_the_structure() {
    let message = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\ntwo\n--b\nContent-Type: image/png\n\n\0\n--b--\n";
    let out = convert(message.as_bytes(), Target::SevenBit).unwrap().unwrap();
    assert_eq!(leaves(&out), leaves(message.as_bytes()));
    assert_eq!(survey(&out), Survey { header: Octets::SevenBit, body: Octets::SevenBit });
}

#[test]
fn hostile_messages() {
    let many =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}é\r\n", "--b\r\n\r\nx\r\n".repeat(2000));
    assert_eq!(convert(many.as_bytes(), Target::SevenBit), Err(Inconvertible::TooComplex));
    let deep = format!("{}é\r\n", "Content-Type: message/rfc822\r\n\r\n".repeat(2000));
    assert_eq!(convert(deep.as_bytes(), Target::SevenBit), Err(Inconvertible::TooComplex));
    // A CR alone ends the boundary, as white space does.
    let cr = "Content-Type: multipart/mixed; boundary=b\rx\r\n\r\n--b\r\n\r\né\r\n--b--\r\n".as_bytes();
    assert_eq!(leaves(&convert(cr, Target::SevenBit).unwrap().unwrap()), leaves(cr));
    let beyond = "Content-Type: multipart/mixed; boundary=é\r\n\r\n--é\r\n\r\né\r\n--é--\r\n".as_bytes();
    assert_eq!(convert(beyond, Target::SevenBit), Err(Inconvertible::TooComplex));
    let unknown = "Content-Transfer-Encoding: x-own\r\n\r\né\r\n".as_bytes();
    assert_eq!(convert(unknown, Target::SevenBit), Err(Inconvertible::UnknownEncoding));
    let damaged = "Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\né\r\n".as_bytes();
    assert!(converted(damaged, Target::SevenBit).ends_with("\r\n\r\nYWJj\r\n"));
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: multipart/digest; boundary=bc\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: message/global\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Content-Type: image/png\r\n",
        "Content-Transfer-Encoding: 8bit\r\n",
        "Content-Transfer-Encoding: binary\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "MIME-Version: 1.0\r\n",
        "Subject: тема\r\n",
        "\r\n",
        "\r\n--b\r\n",
        "\r\n--bc\r\n",
        "\r\n--b--\r\n",
        "plain text\r\n",
        "слова\r\n",
        "é",
        "\0",
        "\n",
        "\r",
        "YWJj",
    ]);
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn nothing_is_lost(message in message()) {
        for target in [Target::SevenBit, Target::EightBit] {
            let Ok(Some(out)) = convert(&message, target) else { continue };
            let body = &out[header::header_length(&out)..];
            let structure = parse(&out);
            // Header fields of parts are nobody's to change.
            let headers_fit = structure.ids().all(|id| target.takes(Octets::of(structure.header(id))));
            if headers_fit {
                prop_assert!(target.takes(Octets::of(body)), "{}", out.escape_ascii());
                prop_assert_eq!(convert(&out, target), Ok(None));
            }
            prop_assert!(out.len() <= message.len() * 4 + 2000);
            for id in structure.ids().filter(|id| structure.part(*id).kind == PartKind::Leaf) {
                prop_assert!(target.takes(Octets::of(structure.body(id))), "{}", out.escape_ascii());
            }
        }
    }

    #[test]
    fn parts_keep_their_octets(first in prop::collection::vec(any::<u8>(), 0..300), second in "[a-zé \r\n\0]{0,200}") {
        let message = [
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=xyzzy\r\n\r\n--xyzzy\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n",
            first.as_slice(),
            b"\r\n--xyzzy\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
            second.as_bytes(),
            b"\r\n--xyzzy--\r\n",
        ].concat();
        prop_assume!(!message.windows(8).skip(70).any(|window| window == b"\n--xyzzy") || parse(&message).parts().len() == 3);
        for target in [Target::SevenBit, Target::EightBit] {
            if let Some(out) = convert(&message, target).unwrap() {
                prop_assert_eq!(leaves(&out), leaves(&message));
            }
        }
    }
}
