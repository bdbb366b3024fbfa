//! Modified UTF-7, in which IMAP4rev1 writes the names of mailboxes (RFC 3501 §5.1.3).
//!
//! Invariant: decoding accepts one spelling per name, so that no two names on the wire mean the same mailbox; the only
//! exception is raw UTF-8 outside of the base64 runs, which is taken as it is: scripts that know nothing of §5.1.3 send
//! it, and it can mean nothing else.

/// Why bytes are no modified UTF-7.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutf7Error {
    /// `&` without the `-` that ends it, or with something between that is not modified base64.
    OpenShift,
    /// Base64 that stands for printable ASCII, is empty behind another run, or has left-over bits.
    NotCanonical,
    /// Half a surrogate pair.
    Surrogate,
    /// Raw bytes that are not UTF-8.
    NotUtf8,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Appends `name` in modified UTF-7.
pub fn encode(name: &str, out: &mut Vec<u8>) {
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if is_direct(first) {
            out.push(first as u8);
            if first == '&' {
                out.push(b'-');
            }
            rest = &rest[1..];
            continue;
        }
        let end = rest.find(is_direct).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        encode_run(run, out);
        rest = behind;
    }
}

/// Printable US-ASCII stands for itself.
fn is_direct(character: char) -> bool {
    matches!(character, ' '..='~')
}

fn encode_run(run: &str, out: &mut Vec<u8>) {
    let sextet = |bits: u32| ALPHABET[(bits & 63) as usize];
    out.push(b'&');
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for unit in run.encode_utf16() {
        buffer = (buffer << 16) | u32::from(unit);
        bits += 16;
        while bits >= 6 {
            bits -= 6;
            out.push(sextet(buffer >> bits));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(sextet(buffer << (6 - bits)));
    }
    out.push(b'-');
}

/// Decodes a name.
///
/// # Errors
/// See [`Mutf7Error`].
pub fn decode(bytes: &[u8]) -> Result<String, Mutf7Error> {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    let mut behind_run = false;
    while let Some(shift) = memchr::memchr(b'&', rest) {
        let (direct, run) = (&rest[..shift], &rest[shift + 1..]);
        out.push_str(std::str::from_utf8(direct).map_err(|_| Mutf7Error::NotUtf8)?);
        let length = memchr::memchr(b'-', run).ok_or(Mutf7Error::OpenShift)?;
        if length == 0 {
            out.push('&');
            behind_run = false;
        } else {
            // RFC 3501 §5.1.3: "superfluous shifts are not permitted": one run directly behind another.
            if behind_run && direct.is_empty() {
                return Err(Mutf7Error::NotCanonical);
            }
            decode_run(&run[..length], &mut out)?;
            behind_run = true;
        }
        rest = &run[length + 1..];
    }
    out.push_str(std::str::from_utf8(rest).map_err(|_| Mutf7Error::NotUtf8)?);
    Ok(out)
}

fn decode_run(run: &[u8], out: &mut String) -> Result<(), Mutf7Error> {
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    let mut high: Option<u16> = None;
    for &byte in run {
        buffer = (buffer << 6) | sextet(byte).ok_or(Mutf7Error::OpenShift)?;
        bits += 6;
        if bits < 16 {
            continue;
        }
        bits -= 16;
        let unit = (buffer >> bits) as u16;
        buffer &= (1 << bits) - 1;
        let character = match (high.take(), unit) {
            (None, 0xd800..=0xdbff) => {
                high = Some(unit);
                continue;
            }
            (None, _) => char::from_u32(u32::from(unit)),
            (Some(high), 0xdc00..=0xdfff) => {
                char::from_u32(0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00))
            }
            (Some(_), _) => None,
        };
        let character = character.ok_or(Mutf7Error::Surrogate)?;
        if is_direct(character) {
            return Err(Mutf7Error::NotCanonical);
        }
        out.push(character);
    }
    if high.is_some() {
        return Err(Mutf7Error::Surrogate);
    }
    // Only padding may be left: fewer than six bits, all zero.
    if bits >= 6 || buffer != 0 { Err(Mutf7Error::NotCanonical) } else { Ok(()) }
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b',' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(name: &str) -> String {
        let mut out = Vec::new();
        encode(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_names_both_ways() {
        for (name, wire) in [
            // RFC 3501 §5.1.3
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Hi Mom -☺-!", "Hi Mom -&Jjo--!"),
            ("R&D", "R&-D"),
            ("Отправленные", "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
            ("😀", "&2D3eAA-"),
            ("", ""),
            ("INBOX/a b", "INBOX/a b"),
        ] {
            assert_eq!(encoded(name), wire);
            assert_eq!(decode(wire.as_bytes()).as_deref(), Ok(name));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for (wire, why) in [
            ("&", Mutf7Error::OpenShift),
            ("a&Jjo", Mutf7Error::OpenShift),
            ("&Jj/o-", Mutf7Error::OpenShift),
            ("&Jjo!", Mutf7Error::OpenShift),
            // RFC 3501 §5.1.3: "&Jjo!" and "&U,BTFw-&ZeVnLIqe-" are not permitted
            ("&U,BTFw-&ZeVnLIqe-", Mutf7Error::NotCanonical),
            ("&AEE-", Mutf7Error::NotCanonical),
            ("&JjoA-", Mutf7Error::NotCanonical),
            ("&Jjp-", Mutf7Error::NotCanonical),
            ("&JA-", Mutf7Error::NotCanonical),
            ("&2D0-", Mutf7Error::Surrogate),
            ("&3gA-", Mutf7Error::Surrogate),
            ("&2D0EHg-", Mutf7Error::Surrogate),
        ] {
            assert_eq!(decode(wire.as_bytes()), Err(why), "{wire}");
        }
        assert_eq!(decode(b"caf\xe9"), Err(Mutf7Error::NotUtf8));
    }

    #[test]
    fn raw_utf8_is_taken() {
        assert_eq!(decode("Входящие&-&Jjo-".as_bytes()).as_deref(), Ok("Входящие&☺"));
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in any::<String>()) {
            let wire = encoded(&name);
            prop_assert!(wire.is_ascii());
            prop_assert_eq!(decode(wire.as_bytes()), Ok(name));
        }

        #[test]
        fn what_decodes_is_spelled_as_we_spell_it(wire in "[&ABJjo,+D2eA -]{0,24}") {
            if let Ok(name) = decode(wire.as_bytes()) {
                prop_assert_eq!(encoded(&name), wire);
            }
        }
    }
}
