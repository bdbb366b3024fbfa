//! The base64 in which SMTP, POP3 and IMAP frame SASL messages (RFC 4648 §4, with padding).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends `message` in base64 to `out`.
pub fn encode_base64(message: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + message.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(message, &mut out[start..]).unwrap_or(0);
    debug_assert_eq!(start + written, out.len(), "the room was counted above");
    out.truncate(start + written);
}

/// Decodes a line of base64; None when it is not canonical base64 with its padding (RFC 4954 §4: then 501). A single
/// `=` as initial response (an empty one) is the caller's to see.
pub fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_base64_is_read() {
        assert_eq!(decode_base64(b"AGEAYg==").as_deref(), Some(&b"\0a\0b"[..]));
        assert_eq!(decode_base64(b"").as_deref(), Some(&b""[..]));
        for wrong in [
            &b"AGEAYg"[..],
            b"AGEAYg=",
            b"=",
            b"*",
            b"AGEA Yg==",
            b"AGEAYh==",
            b"AGEAYg==\r",
            b"AGEAYg==AA==",
        ] {
            assert_eq!(decode_base64(wrong), None, "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn encoding_appends() {
        let mut out = b"+ ".to_vec();
        encode_base64(b"Username:", &mut out);
        assert_eq!(out, b"+ VXNlcm5hbWU6");
        encode_base64(b"", &mut out);
        assert_eq!(out, b"+ VXNlcm5hbWU6");
    }
}
