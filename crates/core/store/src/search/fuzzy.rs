//! FUZZY (RFC 6203): words that are like those looked for, and how like.
//!
//! A word of the text counts if it is the same, has the same stem in a language of its script, holds the wanted word, or
//! is one letter off. All words must be in the place that is searched; the score is the mean over the words of the best
//! match times the weight of where it stands. Words are the index's tokens, so that index and scan agree.

use super::fold::plain;
use super::index::Places;
use super::tokens::each_token;
use rust_stemmers::{Algorithm, Stemmer};
use std::cell::RefCell;

const SAME: u8 = 100;
const SAME_STEM: u8 = 80;
const HELD: u8 = 70;
const ONE_OFF: u8 = 60;

/// Shortest word, in letters, that may be one letter off.
const ONE_OFF_LETTERS_MIN: usize = 4;
/// Shortest word that another may hold.
const HELD_LETTERS_MIN: usize = 2;
/// Most words that are looked for; the rest is left out (RFC 6203 §8: long keys must not cost without bound).
const WORDS_MAX: usize = 16;

const LATIN: [Algorithm; 14] = [
    Algorithm::English,
    Algorithm::German,
    Algorithm::French,
    Algorithm::Spanish,
    Algorithm::Italian,
    Algorithm::Portuguese,
    Algorithm::Dutch,
    Algorithm::Swedish,
    Algorithm::Norwegian,
    Algorithm::Danish,
    Algorithm::Finnish,
    Algorithm::Hungarian,
    Algorithm::Romanian,
    Algorithm::Turkish,
];

/// Languages that are written in the script of a word's first letter.
fn languages(word: &str) -> &'static [Algorithm] {
    match word.chars().next() {
        Some('a'..='z' | '\u{c0}'..='\u{24f}') => &LATIN,
        Some('\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}') => &[Algorithm::Greek],
        Some('\u{400}'..='\u{52f}') => &[Algorithm::Russian],
        Some('\u{600}'..='\u{6ff}') => &[Algorithm::Arabic],
        Some('\u{b80}'..='\u{bff}') => &[Algorithm::Tamil],
        _ => &[],
    }
}

struct Word {
    text: String,
    letters: usize,
    /// By language.
    stems: Vec<(Stemmer, String)>,
}

impl Word {
    fn new(text: &str) -> Word {
        let stems = languages(text).iter().map(|language| {
            let stemmer = Stemmer::create(*language);
            let stem = stemmer.stem(text).into_owned();
            (stemmer, stem)
        });
        Word { text: text.to_owned(), letters: text.chars().count(), stems: stems.collect() }
    }

    /// How like a token is; 0: not at all.
    fn likeness(&self, token: &str) -> u8 {
        if token == self.text {
            return SAME;
        }
        // A stem begins as its word does; most tokens end here.
        let common = self.text.bytes().zip(token.bytes()).take_while(|(one, other)| one == other).count();
        if common >= self.text.chars().next().map_or(1, char::len_utf8)
            && token.len() < self.text.len() * 2 + 8
            && self
                .stems
                .iter()
                .any(|(stemmer, stem)| common + 4 >= stem.len() && stemmer.stem(token) == *stem)
        {
            return SAME_STEM;
        }
        if self.letters >= HELD_LETTERS_MIN && token.contains(&self.text) {
            return HELD;
        }
        if self.letters >= ONE_OFF_LETTERS_MIN && is_one_off(&self.text, token) {
            return ONE_OFF;
        }
        0
    }
}

/// Whether one letter more, less, other, or two neighbours exchanged make one the other.
fn is_one_off(one: &str, other: &str) -> bool {
    if one.len().abs_diff(other.len()) > 4 {
        return false;
    }
    let (mut a, mut b) = (one.chars(), other.chars());
    loop {
        let (rest_a, rest_b) = (a.as_str(), b.as_str());
        match (a.next(), b.next()) {
            (Some(x), Some(y)) if x == y => {}
            (None, None) => return true,
            (x, y) => {
                let (behind_a, behind_b) = (a.as_str(), b.as_str());
                let exchanged =
                    x.is_some() && y.is_some() && a.next() == y && b.next() == x && a.as_str() == b.as_str();
                return behind_a == behind_b || behind_a == rest_b || rest_a == behind_b || exchanged;
            }
        }
    }
}

/// How much a match counts that stands there, in hundredths.
fn weight(places: Places) -> u32 {
    let rows = [
        (Places(Places::SUBJECT.0 | Places::FROM.0), 100),
        (Places(Places::TO.0 | Places::CC.0 | Places::BCC.0), 90),
        (Places::BODY, 80),
    ];
    rows.into_iter().find(|(here, _)| here.meets(places)).map_or(60, |(_, weight)| weight)
}

/// The words of a text that is looked for.
pub(super) struct Words {
    words: Vec<Word>,
    /// The word that is looked at.
    plain: RefCell<String>,
}

impl Words {
    /// None: there is no word in it.
    pub(super) fn of(folded: &str) -> Option<Words> {
        let (mut words, mut word) = (Vec::new(), String::new());
        each_token(folded, &mut |token| {
            if words.len() < WORDS_MAX {
                plain(token, &mut word);
                words.push(Word::new(&word));
            }
        });
        (!words.is_empty()).then_some(Words { words, plain: RefCell::new(word) })
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// How like a token of a folded text is to each word; answers whether to any.
    pub(super) fn likeness(&self, token: &str, out: &mut Vec<u8>) -> bool {
        let mut word = self.plain.borrow_mut();
        plain(token, &mut word);
        out.clear();
        out.extend(self.words.iter().map(|wanted| wanted.likeness(&word)));
        out.iter().any(|likeness| *likeness > 0)
    }

    /// Takes a match into the best ones so far.
    pub(super) fn note(best: &mut [u8], likeness: &[u8], places: Places) {
        for (best, likeness) in best.iter_mut().zip(likeness) {
            let score = u32::from(*likeness) * weight(places) / 100;
            *best = (*best).max(score as u8);
        }
    }

    /// The score, 1 to 100 (RFC 6203 §4); None: a word is not there.
    pub(super) fn score(best: &[u8]) -> Option<u8> {
        let sum: u32 = best.iter().map(|best| u32::from(*best)).sum();
        best.iter().all(|best| *best > 0).then(|| (sum / best.len().max(1) as u32).clamp(1, 100) as u8)
    }

    /// Looks through a folded text.
    pub(super) fn look(&self, folded: &str, places: Places, best: &mut [u8]) {
        let mut likeness = Vec::new();
        each_token(folded, &mut |token| {
            if self.likeness(token, &mut likeness) {
                Words::note(best, &likeness, places);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_like_others() {
        for (word, token, likeness) in [
            ("helo", "helo", SAME),
            // Finnish drops what is doubled.
            ("helo", "hello", SAME_STEM),
            ("mial", "mail", ONE_OFF),
            ("helo", "help", ONE_OFF),
            ("helo", "hleo", ONE_OFF),
            ("helo", "world", 0),
            ("breaks", "breaking", SAME_STEM),
            ("книга", "книгами", SAME_STEM),
            ("häuser", "häusern", SAME_STEM),
            ("mail", "webmailer", HELD),
            ("東京", "東京都", HELD),
            ("abc", "abd", 0),
            ("", "abd", 0),
        ] {
            assert_eq!(Word::new(word).likeness(token), likeness, "{word} {token}");
        }
    }

    #[test]
    fn one_letter_off() {
        for (one, other, off) in [
            ("abcd", "abcde", true),
            ("abcd", "bcd", true),
            ("abcd", "acbd", true),
            ("abcd", "abxd", true),
            ("abcd", "axxd", false),
            ("abcd", "badc", false),
            ("дом", "дым", true),
            ("", "ab", false),
        ] {
            assert_eq!((is_one_off(one, other), is_one_off(other, one)), (off, off), "{one} {other}");
        }
    }
}
