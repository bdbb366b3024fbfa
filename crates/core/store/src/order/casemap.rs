//! i;unicode-casemap (RFC 5051): the octets by which texts are compared without regard to case.
//!
//! Each character is turned into its (simple) titlecase and that decomposed; nothing is reordered. Characters of two
//! octets (Latin, Greek, Cyrillic, Hebrew, Arabic) come out of a table, since a mailbox has many of them.

use std::sync::LazyLock;
use unicode_normalization::char::decompose_compatible;

/// The first character that is not in the table.
const TABLE_END: u32 = 0x800;

struct Table {
    text: String,
    ends: Vec<u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { text: String::new(), ends: vec![0] };
    for code in 0..TABLE_END {
        if let Some(character) = char::from_u32(code) {
            push(character, &mut |part| table.text.push(part));
        }
        table.ends.push(table.text.len() as u16);
    }
    table
});

/// Appends the collation key of `text`.
pub(crate) fn fold(text: &str, out: &mut Vec<u8>) {
    if text.is_ascii() {
        let start = out.len();
        out.extend_from_slice(text.as_bytes());
        out[start..].make_ascii_uppercase();
        return;
    }
    each_part(text, &mut |part| out.extend_from_slice(part.as_bytes()));
}

/// The collation key of `text`. What is a substring of a text is one of its key: each character is turned by itself.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    each_part(text, &mut |part| out.push_str(part));
    out
}

fn each_part(text: &str, visit: &mut impl FnMut(&str)) {
    let table = &*TABLE;
    for character in text.chars() {
        let code = character as usize;
        match (table.ends.get(code), table.ends.get(code + 1)) {
            (Some(start), Some(end)) => visit(&table.text[usize::from(*start)..usize::from(*end)]),
            _ => push(character, &mut |part| visit(part.encode_utf8(&mut [0; 4]))),
        }
    }
}

fn push(character: char, visit: &mut impl FnMut(char)) {
    decompose_compatible(titlecase(character), visit);
}

/// The simple titlecase mapping of UnicodeData.txt. The standard library knows the full uppercase mapping, which is the
/// same but for what is named here.
fn titlecase(character: char) -> char {
    let code = character as u32;
    let mapped = match code {
        // The digraphs have a third form.
        0x01c4..=0x01c6 => 0x01c5,
        0x01c7..=0x01c9 => 0x01c8,
        0x01ca..=0x01cc => 0x01cb,
        0x01f1..=0x01f3 => 0x01f2,
        // Georgian has no titlecase.
        0x10d0..=0x10ff => code,
        // Greek with iota below: one character in UnicodeData.txt, two in the full mapping.
        0x1f80..=0x1faf => code | 8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => code + 9,
        _ => {
            let mut upper = character.to_uppercase();
            return match (upper.next(), upper.next()) {
                (Some(upper), None) => upper,
                // No simple mapping, as for ß.
                _ => character,
            };
        }
    };
    char::from_u32(mapped).unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::fold;

    fn folded(text: &str) -> String {
        let mut out = Vec::new();
        fold(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_answers() {
        for (text, wanted) in [
            ("", ""),
            ("Hello, World 1", "HELLO, WORLD 1"),
            // The example of RFC 5051 §2.
            ("\u{1c4}", "Dz\u{30c}"),
            ("\u{1c6}", "Dz\u{30c}"),
            ("Привет, ёж", "ПРИВЕТ, Е\u{308}Ж"),
            ("é", "E\u{301}"),
            ("e\u{301}", "E\u{301}"),
            ("straße", "STRAßE"),
            ("ŉ", "\u{2bc}n"),
            ("ﬁ", "fi"),
            ("\u{1f80}", "\u{391}\u{313}\u{345}"),
            ("\u{1fbc}", "\u{391}\u{345}"),
            ("\u{1fb3}", "\u{391}\u{345}"),
            ("ა", "ა"),
            ("한", "\u{1112}\u{1161}\u{11ab}"),
            ("😀", "😀"),
        ] {
            assert_eq!((&*folded(text), &*super::folded(text)), (wanted, wanted), "{text}");
        }
    }

    #[test]
    fn the_table_agrees_with_the_rule() {
        for code in 0..0x1000 {
            let Some(character) = char::from_u32(code) else { continue };
            let mut one = Vec::new();
            super::push(character, &mut |part| {
                one.extend_from_slice(part.encode_utf8(&mut [0; 4]).as_bytes())
            });
            assert_eq!(
                folded(&character.to_string()).as_bytes(),
                if code < 0x80 { character.to_ascii_uppercase().to_string().into_bytes() } else { one }
            );
        }
    }
}
