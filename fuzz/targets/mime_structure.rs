//! The structure of arbitrary octets as a message, and everything that is made of it: ranges lie within each other,
//! outputs are bounded by the input, IMAP forms are well-formed. Time is libFuzzer's `-timeout`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mime::convert::{self, Octets, Target};
use mime::imap::{self, BodyForm};
use mime::section::{self, Selection, Specifier};
use mime::structure::{MAX_DEPTH, MAX_PARTS};
use mime::{Envelope, PartId, PartKind, Structure, text};

/// Most octets of output: so many for each octet of input, and so many for each part.
const OUT_PER_OCTET: usize = 64;
const OUT_PER_PART: usize = 256;

fn check_ranges(structure: &Structure<'_>) {
    let message = structure.message();
    assert_eq!((structure.root().header.start, structure.root().body.end), (0, message.len()));
    assert!(structure.parts().len() <= MAX_PARTS);
    for id in structure.ids() {
        let part = structure.part(id);
        assert_eq!(part.header.end, part.body.start);
        assert!(part.header.start <= part.header.end && part.body.start <= part.body.end);
        assert!(part.body.end <= message.len());
        assert_eq!(part.body_lines, mime::transfer::line_count(structure.body(id)));
        if let Some(parent) = part.parent {
            assert!(parent < id);
            let outer = &structure.part(parent).body;
            assert!(outer.start <= part.header.start && part.body.end <= outer.end);
        }
        let children: Vec<PartId> = structure.children(id).collect();
        match part.kind {
            PartKind::Leaf => assert!(children.is_empty()),
            PartKind::Multipart => assert!(!children.is_empty()),
            PartKind::Message => assert_eq!(children.len(), 1),
        }
        for pair in children.windows(2) {
            assert!(structure.part(pair[0]).body.end <= structure.part(pair[1]).header.start);
        }
        assert!(children.iter().all(|child| structure.part(*child).parent == Some(id)));
        let depth = std::iter::successors(part.parent, |above| structure.part(*above).parent).count();
        assert!(depth <= MAX_DEPTH);
        let _ = (part.file_name(), part.disposition(), part.content_type().charset());
    }
}

/// Parentheses match outside of strings, quoted strings and literals are whole, and nothing stands behind the end.
fn check_form(form: &[u8]) {
    let (mut depth, mut at) = (0_usize, 0);
    while at < form.len() {
        match form[at] {
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1).expect("more closed than opened"),
            b'"' => {
                at += 1;
                while form[at] != b'"' {
                    assert!(!matches!(form[at], 0 | b'\r' | b'\n'), "a quoted string holds {}", form[at]);
                    at += if form[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' => {
                let length =
                    form[at..].iter().position(|octet| *octet == b'}').expect("an end of the length");
                let digits = std::str::from_utf8(&form[at + 1..at + length]).expect("digits");
                let octets: usize = digits.parse().expect("a number");
                assert_eq!(&form[at + length + 1..at + length + 3], b"\r\n");
                at += length + 2 + octets;
                assert!(at < form.len(), "a literal runs over the end");
            }
            octet => assert!(matches!(octet, b' '..=b'~'), "{octet} outside of a string"),
        }
        at += 1;
        assert!(depth > 0 || at == form.len(), "something stands behind the end");
    }
    assert_eq!(depth, 0);
}

/// What is converted satisfies its target wherever header fields (which are not touched) do, and stays in bounds.
fn check_conversion(structure: &Structure<'_>) {
    let message = structure.message();
    for target in [Target::SevenBit, Target::EightBit] {
        let Ok(Some(out)) = convert::convert(message, target) else { continue };
        assert!(out.len() <= message.len() * 4 + structure.parts().len() * OUT_PER_PART);
        let takes = |text: &[u8]| match target {
            Target::SevenBit => Octets::of(text) == Octets::SevenBit,
            Target::EightBit => Octets::of(text) != Octets::Binary,
        };
        let again = mime::parse(&out);
        for id in again.ids().filter(|id| again.part(*id).kind == PartKind::Leaf) {
            assert!(takes(again.body(id)), "a part is not what the target takes");
        }
    }
}

fn check_sections(structure: &Structure<'_>) {
    let length = structure.message().len();
    let paths: [&[u32]; 8] = [&[], &[1], &[2], &[1, 1], &[1, 2], &[2, 1, 1], &[u32::MAX], &[0]];
    for numbers in paths {
        for specifier in [Specifier::Whole, Specifier::Header, Specifier::Text, Specifier::Mime] {
            if let Some(range) = section::locate(structure, numbers, specifier) {
                assert!(range.start <= range.end && range.end <= length);
                assert!(section::resolve(structure, numbers).is_some());
            }
        }
    }
    assert_eq!(section::locate(structure, &[], Specifier::Whole), Some(0..length));
    let header = structure.header(PartId::ROOT);
    let (mut listed, mut others) = (Vec::new(), Vec::new());
    let names = ["Subject", "content-type", "TO"];
    section::write_header_fields(header, &names, Selection::Listed, &mut listed);
    section::write_header_fields(header, &names, Selection::NotListed, &mut others);
    let closing = mime::header::closing_line(header).len();
    assert!(listed.len() + others.len() <= header.len() + closing);
}

fuzz_target!(|message: &[u8]| {
    let structure = mime::parse(message);
    check_ranges(&structure);
    check_sections(&structure);
    check_conversion(&structure);

    let out_max = OUT_PER_OCTET * message.len() + OUT_PER_PART * structure.parts().len();
    let mut out = Vec::new();
    let envelope = Envelope::parse(message);
    imap::write_envelope(&envelope, &mut out);
    check_form(&out);
    assert!(out.len() <= out_max, "envelope: {} octets", out.len());
    for form in [BodyForm::Body, BodyForm::BodyStructure] {
        out.clear();
        imap::write_body(&structure, form, &mut out);
        check_form(&out);
        assert!(out.len() <= out_max, "{form:?}: {} octets", out.len());
        out.clear();
        imap::write_body_rev2(&structure, form, &mut out);
        check_form(&out);
        assert!(out.len() <= out_max, "{form:?} of rev2: {} octets", out.len());
    }
    let _ = (envelope.subject_text(), envelope.sent(), envelope.message_id_text());

    let texts: usize = text::body_texts(&structure, 1 << 20).map(|text| text.len()).sum();
    assert!(texts <= out_max, "{texts} octets of text");
    assert!(text::body_texts(&structure, 10).all(|text| text.len() <= out_max));
    assert!(text::preview(&structure, 200).chars().count() <= 200);
    assert!(text::header_text(structure.header(PartId::ROOT)).len() <= out_max);
});
