//! xtext (RFC 3461 §4) and unitext (RFC 6533 §3): how ENVID, ORCPT and AUTH parameters carry any character.

/// Decodes xtext: `*( xchar / hexchar )`, `xchar` any of 33 to 126 but `+` and `=`, `hexchar` a `+` and two upper-case
/// hexadecimal digits (lower case is taken as well). None when it is not xtext or not ASCII when decoded.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
                let value = high * 16 + low;
                if value > 0x7f {
                    return None;
                }
                out.push(char::from(value));
            }
            b'=' => return None,
            33..=126 => out.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(out)
}

/// Decodes `utf-8-enc-addr`: native UTF-8 with `\x{HEXPOINT}` for what may not stand there.
pub(crate) fn decode_utf8_address(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("\\x{") {
            let (digits, behind) = behind.split_once('}')?;
            if !(2..=6).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
            rest = behind;
            continue;
        }
        if c.is_control() || matches!(c, ' ' | '\\' | '+' | '=') {
            return None;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Some(out)
}

/// Encodes printable ASCII as xtext; anything else is left out, since it could not be there.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '+' | '=' | ' ' => out.push_str(&format!("+{:02X}", u32::from(c))),
            '!'..='~' => out.push(c),
            _ => {}
        }
    }
    out
}

/// Encodes an address as `utf-8-addr-unitext` (`utf8`), or as `utf-8-addr-xtext` in ASCII (RFC 6533 §3).
pub(crate) fn encode_utf8_address(text: &str, utf8: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            ' ' | '\\' | '+' | '=' => out.push_str(&format!("\\x{{{:02X}}}", u32::from(c))),
            c if c.is_ascii() || utf8 => out.push(c),
            c => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xtext_rows() {
        // RFC 4954 §5.1 and RFC 3461 §4.
        assert_eq!(decode("e+3Dmc2@example.com").as_deref(), Some("e=mc2@example.com"));
        assert_eq!(decode("Smith,+20John").as_deref(), Some("Smith, John"));
        for bad in ["a=b", "a b", "+2", "+", "+GG", "+FF", "ключ", "a\tb"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn unitext_rows() {
        assert_eq!(decode_utf8_address("\\x{43F}@a.test").as_deref(), Some("п@a.test"));
        assert_eq!(decode_utf8_address("п\\x{2B}@a.test").as_deref(), Some("п+@a.test"));
        for bad in ["a+b", "a b", "\\x{D800}", "\\x{}", "\\x{1", "\\y", "\\x{1234567}"] {
            assert_eq!(decode_utf8_address(bad), None, "{bad:?}");
        }
    }
}
