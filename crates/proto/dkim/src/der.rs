//! The little of DER (X.690) that keys need: reading and writing sequences, integers and strings.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;

/// `SEQUENCE { OID rsaEncryption, NULL }` (RFC 8017 §A.1).
pub(crate) const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Reads one value of this kind: its content, and what follows it.
pub(crate) fn take(kind: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != kind {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Keys are far below 64 KiB.
        0x81 => rest.split_first().map(|(&length, rest)| (usize::from(length), rest))?,
        0x82 => {
            rest.split_first_chunk::<2>().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Appends a value.
pub(crate) fn put(kind: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    match content.len() {
        length @ 0..=0x7f => out.push(length as u8),
        length @ 0x80..=0xff => out.extend([0x81, length as u8]),
        length => {
            assert!(length <= 0xffff, "a key is small");
            out.extend([0x82, (length >> 8) as u8, length as u8]);
        }
    }
    out.extend_from_slice(content);
}

/// Appends a number that is not negative, given as big-endian octets.
pub(crate) fn put_number(octets: &[u8], out: &mut Vec<u8>) {
    let significant = octets.iter().position(|octet| *octet != 0).map_or(&[0][..], |at| &octets[at..]);
    let mut content = Vec::with_capacity(significant.len() + 1);
    // The highest bit is the sign.
    if significant[0] & 0x80 != 0 {
        content.push(0);
    }
    content.extend_from_slice(significant);
    put(INTEGER, &content, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_00] {
            let content = vec![7; length];
            let mut out = Vec::new();
            put(OCTET_STRING, &content, &mut out);
            out.push(9);
            assert_eq!(take(OCTET_STRING, &out), Some((&content[..], &[9][..])));
            assert_eq!(take(SEQUENCE, &out), None);
            assert_eq!(
                take(OCTET_STRING, &out[..out.len() - 2]),
                None.filter(|_: &(&[u8], &[u8])| length > 0)
            );
        }
        let mut out = Vec::new();
        put_number(&[0, 0, 0x80], &mut out);
        put_number(&[0], &mut out);
        assert_eq!(out, [2, 2, 0, 0x80, 2, 1, 0]);
    }
}
