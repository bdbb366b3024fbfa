//! Text as comparators take it (RFC 5255 §4.6): what could be decoded as characters, all else as the octets that it is
//! made of. For display, what can't be decoded is guessed ([`crate::charset::guess`]); SEARCH, SORT and THREAD don't.
//!
//! Without a charset (a raw header field, a part without the parameter, `us-ascii` with octets that are not of it) text is
//! in UTF-8 (RFC 6532), if that is valid, and else in an unknown charset.

use std::borrow::Cow;

/// Text with MIME's encodings removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Comparable<'a> {
    /// Characters, to be compared by the active comparator.
    Text(Cow<'a, str>),
    /// The charset is unknown, or they are wrong in it: to be compared by i;octet.
    Octets(Cow<'a, [u8]>),
}

/// Octet 0 among characters: at the end of what is in private use, where no mail has anything.
const FIRST: u32 = 0x10_fe00;

impl<'a> Comparable<'a> {
    /// Octets that say nothing of their charset.
    pub fn undeclared(octets: &'a [u8]) -> Comparable<'a> {
        match str::from_utf8(octets) {
            Ok(text) => Comparable::Text(Cow::Borrowed(text)),
            Err(_) => Comparable::Octets(Cow::Borrowed(octets)),
        }
    }

    /// Whether these are characters.
    pub fn is_text(&self) -> bool {
        matches!(self, Comparable::Text(_))
    }

    /// As text; octets as [`octets`] has them.
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Comparable::Text(text) => text,
            Comparable::Octets(bytes) => Cow::Owned(octets(&bytes)),
        }
    }

    /// The same without anything borrowed.
    pub fn into_owned(self) -> Comparable<'static> {
        match self {
            Comparable::Text(text) => Comparable::Text(Cow::Owned(text.into_owned())),
            Comparable::Octets(bytes) => Comparable::Octets(Cow::Owned(bytes.into_owned())),
        }
    }
}

/// Octets as a text of as many characters, each of four octets: no comparator folds them, they compare as the octets do,
/// come behind all characters that mail has, and are found in no text that was decoded.
pub fn octets(bytes: &[u8]) -> String {
    bytes.iter().copied().map(character).collect()
}

/// One octet of [`octets`].
pub(crate) fn character(octet: u8) -> char {
    char::from_u32(FIRST + u32::from(octet)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoded_word::comparable;

    #[test]
    fn what_fails_is_octets() {
        let text = |text: &'static str| Comparable::Text(Cow::Borrowed(text));
        let octets = |octets: &'static [u8]| Comparable::Octets(Cow::Borrowed(octets));
        let rows: &[(&[u8], Comparable<'_>)] = &[
            (b"plain", text("plain")),
            ("é".as_bytes(), text("é")),
            (b"raw \xe9", octets(b"raw \xe9")),
            (b"=?koi8-r?B?8NLJ18XU?=", text("Привет")),
            (b"a =?x-none?Q?B=E9?= =?utf-8?Q?C?= d", octets(b"a B\xe9C d")),
            // In ASCII, but nobody knows whether that charset has it.
            (b"=?x-none?Q?plain?=", octets(b"plain")),
            (b"=?utf-8?Q?=D0=92=FF?=", octets(b"\xd0\x92\xff")),
            (b"=?us-ascii?Q?=C3=A9?=", text("é")),
            (b"=?us-ascii?Q?=E9?=", octets(b"\xe9")),
            (b"=?utf-7?Q?+AOk-?=", text("é")),
            (b"=?utf-7?Q?=E9?=", octets(b"\xe9")),
            (b"=?utf-16?B?2AA=?=", octets(b"\xd8\x00")),
            // Both halves of one character.
            (b"=?utf-8?B?0J/R?= =?UTF-8?Q?=80?=", text("Пр")),
            (b"\xe9 =?utf-8?Q?C?=", octets(b"\xe9 C")),
        ];
        for (value, wanted) in rows {
            assert_eq!(&comparable(value), wanted, "{}", value.escape_ascii());
            if let Comparable::Text(text) = wanted {
                assert_eq!(&crate::encoded_word::decode(value), text);
            }
        }
    }

    #[test]
    fn octets_stay_apart_and_in_order() {
        let every: Vec<u8> = (0..=255).collect();
        let text = octets(&every);
        assert!(text.chars().is_sorted() && text.chars().count() == 256);
        assert!(octets(b"A") < octets(b"a") && octets(b"") < octets(b"\0"));
        assert!(octets(b"\0").as_str() > "\u{10fdff}");
        assert_eq!(text.to_uppercase(), text);
    }
}
