//! Base32 as RFC 4648 §6 has it, in lower case, read without regard to case, without padding.

const SIGNS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Writes bytes, the last sign filled with zero bits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut count) = (0u32, 0);
    for &byte in bytes {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(sign(bits >> count));
        }
    }
    if count > 0 {
        text.push(sign(bits << (5 - count)));
    }
    text
}

/// The sign of the low five bits.
pub(crate) fn sign(bits: u32) -> char {
    char::from(SIGNS[(bits & 31) as usize])
}

/// The five bits of a sign.
pub(crate) fn value(sign: u8) -> Option<u32> {
    match sign.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => Some(u32::from(letter - b'a')),
        digit @ b'2'..=b'7' => Some(u32::from(digit - b'2') + 26),
        _ => None,
    }
}

/// Reads what [`encode`] wrote. None: another sign, a length that no bytes have, or bits that are not zero at the end.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0u32, 0);
    for sign in text.bytes() {
        bits = (bits << 5 | value(sign)?) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    (count < 5 && bits & ((1 << count) - 1) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_rfc_4648() {
        // §10, without padding and in lower case.
        for (plain, text) in
            [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foobar", "mzxw6ytboi")]
        {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(&text.to_uppercase()).as_deref(), Some(plain.as_bytes()));
        }
        for bad in ["m", "mz=", "m1", "mzxw7", "é"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn one_text_for_each(text in "[a-z2-7]{0,20}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
