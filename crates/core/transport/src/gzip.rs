//! gzip (RFC 1952), in which TLS reports travel (RFC 8460 §5.2): one member, bounded on the way out.

use miniz_oxide::{deflate, inflate};

const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Compresses.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    // Header: no flags, no time, no extra flags, unknown system.
    let mut out = [&MAGIC[..], &[0, 0, 0, 0, 0, 0, 255]].concat();
    out.extend(deflate::compress_to_vec(bytes, 6));
    out.extend(crc32fast::hash(bytes).to_le_bytes());
    out.extend((bytes.len() as u32).to_le_bytes());
    out
}

/// Decompresses the first member; None when it is no gzip, damaged, or larger than `bytes_max`.
pub fn gunzip(bytes: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (flags, mut rest) = (*rest.first()?, rest.get(7..)?);
    if flags & 4 != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    // The file's name and a comment, each to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..)?;
    }
    let out = inflate::decompress_to_vec_with_limit(rest, bytes_max).ok()?;
    let trailer = (crc32fast::hash(&out).to_le_bytes(), (out.len() as u32).to_le_bytes());
    let trailer = [trailer.0, trailer.1].concat();
    // Where the compressed data ends is not told; what stands at the very end is the trailer of the only member.
    (bytes.ends_with(&trailer)).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_gzip_writes_is_read() {
        // `printf hello | gzip -N`, with a file name.
        let member = [
            0x1f, 0x8b, 0x08, 0x08, 0, 0, 0, 0, 0x00, 0x03, b'x', 0, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07,
            0x00, 0x86, 0xa6, 0x10, 0x36, 0x05, 0, 0, 0,
        ];
        assert_eq!(gunzip(&member, 100).as_deref(), Some(&b"hello"[..]));
        assert_eq!(gunzip(&member, 4), None, "too large");
        let mut damaged = member;
        damaged[20] ^= 1;
        assert_eq!(gunzip(&damaged, 100), None);
    }

    #[test]
    fn a_bomb_is_not_blown_up() {
        let bomb = gzip(&vec![0; 50 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(gunzip(&bomb, 1 << 20), None);
    }

    proptest! {
        #[test]
        fn it_comes_back(bytes: Vec<u8>, noise: Vec<u8>) {
            prop_assert_eq!(gunzip(&gzip(&bytes), bytes.len()), Some(bytes));
            let _ = gunzip(&noise, 1000);
            let _ = gunzip(&[&MAGIC[..], &noise].concat(), 1000);
        }
    }
}
