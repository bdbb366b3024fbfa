//! Case folding for substrings: NFC, then Unicode's lower case, letter by letter (no language, no final sigma). Both the
//! text and what is looked for go through it, so "ПРИВЕТ" finds "привет" and a decomposed "é" finds a composed one.

use memchr::memmem::Finder;
use unicode_normalization::UnicodeNormalization;

/// The folded form.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(char::to_lowercase).collect()
}

/// A text to look for.
pub(super) struct Needle {
    folded: String,
    finder: Finder<'static>,
}

impl Needle {
    pub(super) fn new(text: &str) -> Needle {
        let folded = fold(text);
        let finder = Finder::new(folded.as_bytes()).into_owned();
        Needle { folded, finder }
    }

    /// Folded.
    pub(super) fn text(&self) -> &str {
        &self.folded
    }

    pub(super) fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// Whether a text, not yet folded, holds it.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.is_in_folded(&fold(text))
    }

    /// Whether a folded text holds it.
    pub(super) fn is_in_folded(&self, folded: &str) -> bool {
        self.finder.find(folded.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Needle;

    #[test]
    fn folding_finds_what_people_take_for_the_same() {
        for (needle, text) in
            [("ПРИВЕТ", "скажи привет"), ("e\u{301}t", "ÉTÉ"), ("Straße", "STRAßE"), ("", "x")]
        {
            assert!(Needle::new(needle).is_in(text), "{needle:?} in {text:?}");
        }
        for (needle, text) in [("e", "\u{e9}"), ("strasse", "straße"), ("ab", "a b")] {
            assert!(!Needle::new(needle).is_in(text), "{needle:?} in {text:?}");
        }
    }
}
