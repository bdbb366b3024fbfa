//! UTF-7 (RFC 2152), decoding only: base64 runs of UTF-16 between `+` and `-`.

/// Decodes UTF-7 to UTF-8; what is not valid becomes U+FFFD.
pub(crate) fn decode(input: &[u8]) -> String {
    let mut out = String::with_capacity(input.len());
    let mut position = 0;
    while let Some(&byte) = input.get(position) {
        position += 1;
        if byte != b'+' {
            out.push(if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER });
            continue;
        }
        let run = &input[position..];
        let length = run.iter().position(|&byte| sextet(byte).is_none()).unwrap_or(run.len());
        position += length;
        let closed = input.get(position) == Some(&b'-');
        position += usize::from(closed);
        if length == 0 {
            // "+-" stands for a plus sign; a lone "+" is kept as it is.
            out.push('+');
            continue;
        }
        let units = utf16_units(&run[..length]);
        out.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
    out
}

/// The 16-bit units in a base64 run; left-over bits (fewer than 16) are padding.
fn utf16_units(run: &[u8]) -> impl Iterator<Item = u16> + '_ {
    let mut buffer = 0_u32;
    let mut bits = 0_u32;
    run.iter().filter_map(move |&byte| {
        buffer = (buffer << 6) | u32::from(sextet(byte)?);
        bits += 6;
        if bits < 16 {
            return None;
        }
        bits -= 16;
        let unit = (buffer >> bits) & 0xffff;
        buffer &= (1 << bits) - 1;
        u16::try_from(unit).ok()
    })
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn examples_of_rfc_2152() {
        assert_eq!(decode(b"A+ImIDkQ."), "A≢Α.");
        assert_eq!(decode(b"Hi Mom -+Jjo--!"), "Hi Mom -☺-!");
        assert_eq!(decode(b"+ZeVnLIqe"), "日本語");
        assert_eq!(decode(b"Item 3 is +AKM-1."), "Item 3 is £1.");
        assert_eq!(decode(b"1 +- 1"), "1 + 1");
    }

    #[test]
    fn broken_input() {
        assert_eq!(decode(b"a\xffb+"), "a\u{fffd}b+");
        assert_eq!(decode(b"+2D0-"), "\u{fffd}");
        assert_eq!(decode(b"+2D3eAA-"), "\u{1f600}");
    }
}
