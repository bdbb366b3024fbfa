//! Folding for substrings: what of a text counts in a collation (RFC 4790 §4.2.3). Both the text and what is looked for
//! go through it. What i;ascii-casemap or i;octet finds i;unicode-casemap finds as well, since each character is folded by
//! itself: so the text index, which is folded by the latter, has the candidates of all.

use crate::order::casemap;
use memchr::memmem::Finder;
use mime::Comparable;
use model::Collation;
use unicode_normalization::UnicodeNormalization;

/// The folded form.
pub(super) fn fold(text: &str, collation: Collation) -> String {
    match collation {
        Collation::UnicodeCasemap => casemap::folded(text),
        Collation::AsciiCasemap => text.to_ascii_uppercase(),
        Collation::Octet => text.to_owned(),
    }
}

/// A word that was folded by i;unicode-casemap, as dictionaries and stemmers have it: small letters, composed.
pub(super) fn plain(folded: &str, out: &mut String) {
    out.clear();
    if folded.is_ascii() {
        out.push_str(folded);
        out.make_ascii_lowercase();
    } else {
        out.extend(folded.chars().flat_map(char::to_lowercase).nfc());
    }
}

/// A text to look for.
pub(crate) struct Needle {
    collation: Collation,
    /// As the index has it.
    wide: String,
    finder: Finder<'static>,
    /// For text that could not be decoded: its octets.
    octets: Finder<'static>,
}

impl Needle {
    pub(crate) fn new(text: &str, collation: Collation) -> Needle {
        let finder = Finder::new(fold(text, collation).as_bytes()).into_owned();
        let octets = Finder::new(mime::comparable::octets(text.as_bytes()).as_bytes()).into_owned();
        Needle { collation, wide: fold(text, Collation::UnicodeCasemap), finder, octets }
    }

    /// By which it is compared.
    pub(super) fn collation(&self) -> Collation {
        self.collation
    }

    /// Folded as the index is.
    pub(super) fn wide(&self) -> &str {
        &self.wide
    }

    pub(super) fn is_empty(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// Whether a text, not yet folded, holds it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        match self.collation {
            Collation::Octet => self.is_in_folded(text),
            collation => self.is_in_folded(&fold(text, collation)),
        }
    }

    /// The same of text as it was decoded, or of octets where it could not be (RFC 5255 §4.6 (c)).
    pub(super) fn is_in_comparable(&self, text: Comparable<'_>) -> bool {
        match text {
            Comparable::Text(text) => self.is_in(&text),
            octets => self.is_in_folded(&octets.into_text()),
        }
    }

    /// Whether a text that was folded by the same collation holds it; with octets in it where it could not be decoded.
    pub(super) fn is_in_folded(&self, folded: &str) -> bool {
        let folded = folded.as_bytes();
        self.finder.find(folded).is_some() || self.octets.find(folded).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn collations_differ() {
        use Collation::{AsciiCasemap as Ascii, Octet, UnicodeCasemap as Unicode};
        let rows: &[(&str, &str, &[Collation])] = &[
            ("", "x", &[Unicode, Ascii, Octet]),
            ("a b", "xa b", &[Unicode, Ascii, Octet]),
            ("HELLO", "say hello", &[Unicode, Ascii]),
            ("ПРИВЕТ", "скажи привет", &[Unicode]),
            ("caf\u{e9}", "CAF\u{e9}", &[Unicode, Ascii]),
            ("caf\u{e9}", "CAF\u{c9}", &[Unicode]),
            ("e\u{301}t", "ÉTÉ", &[Unicode]),
            // RFC 5051 §2: decomposed, and then compared as octets.
            ("e", "\u{e9}", &[Unicode]),
            ("ß", "ß", &[Unicode, Ascii, Octet]),
            // It has no simple titlecase.
            ("ss", "ß", &[]),
            ("STRAßE", "straße", &[Unicode, Ascii]),
            ("ab", "a b", &[]),
        ];
        for (needle, text, wanted) in rows {
            let found = Collation::EVERY.into_iter().filter(|by| Needle::new(needle, *by).is_in(text));
            assert_eq!(&found.collect::<Vec<_>>(), wanted, "{needle:?} in {text:?}");
        }
    }

    #[test]
    fn plain_words() {
        let mut out = String::new();
        for (text, wanted) in
            [("Hello", "hello"), ("Ёлка", "ёлка"), ("e\u{301}t", "ét"), ("한", "한"), ("", "")]
        {
            plain(&fold(text, Collation::UnicodeCasemap), &mut out);
            assert_eq!(out, wanted);
        }
    }

    proptest! {
        #[test]
        fn the_default_finds_all_that_the_others_do(text in "[aAßéÉ\u{301}жЖǆ한]{0,8}", needle in "[aAßéÉ\u{301}жЖ]{0,2}") {
            let found = Collation::EVERY.map(|by| Needle::new(&needle, by).is_in(&text));
            prop_assert!(found[0] >= found[1] && found[1] >= found[2]);
        }
    }
}
