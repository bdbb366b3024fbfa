//! The language of texts for people (RFC 5255 §3): English, and Russian for clients that ask for it.
//!
//! The commands say what they say in English; what becomes a response is looked up here on its way out, behind its
//! response code. RFC 5255 §3.2: once a language is chosen, all texts for people come in it. So a test (`tests.rs`) reads
//! the sources for texts, those of this crate and those with which its questions are refused, and fails for each that
//! `russian.rs` does not have.

mod russian;

use crate::mailbox_name::{OTHER_USERS, SHARED};
use russian::{PARTS, TEXTS};
use std::borrow::Cow;

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Language {
    /// RFC 2277 §4.5: what everybody may be expected to understand; English here.
    #[default]
    Default,
    English,
    Russian,
}

impl Language {
    /// All of them, as LANGUAGE lists them.
    pub(crate) const EVERY: [Language; 3] = [Language::Default, Language::English, Language::Russian];

    /// Its tag (RFC 5646).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Language::Default => "i-default",
            Language::English => "en",
            Language::Russian => "ru",
        }
    }

    /// The language for a range (RFC 4647 §3.4, lookup: `ru-RU` gets `ru`); `default` is the operator's choice (RFC 5255
    /// §3.2), who has none yet.
    pub(crate) fn matching(range: &str) -> Option<Language> {
        if range.eq_ignore_ascii_case("default") || range == "*" {
            return Some(Language::Default);
        }
        let is = |tag: &str| {
            range.len() >= tag.len()
                && range.as_bytes()[..tag.len()].eq_ignore_ascii_case(tag.as_bytes())
                && matches!(range.as_bytes().get(tag.len()), None | Some(b'-'))
        };
        Language::EVERY.into_iter().find(|language| is(language.tag()))
    }

    /// The prefix of a namespace in this language, where it is another (RFC 5255 §3.4).
    pub(crate) fn prefix(self, prefix: &str) -> Option<&'static str> {
        match (self, prefix) {
            (Language::Russian, OTHER_USERS) => Some("Другие пользователи/"),
            (Language::Russian, SHARED) => Some("Общие/"),
            _ => None,
        }
    }

    /// A text with its response code, in this language.
    pub(crate) fn text(self, english: &str) -> Cow<'_, str> {
        if self != Language::Russian {
            return Cow::Borrowed(english);
        }
        // RFC 9051 §9: resp-text = ["[" resp-text-code "]" SP] text
        let split = if english.starts_with('[') { english.find("] ").map_or(0, |at| at + 2) } else { 0 };
        let (code, words) = english.split_at(split);
        match russian(words) {
            Some(words) => Cow::Owned([code, &words].concat()),
            None => Cow::Borrowed(english),
        }
    }
}

/// The Russian for a whole text.
fn russian(words: &str) -> Option<String> {
    let inner = |part: &str| look_up(PARTS, part, &str::to_owned).unwrap_or_else(|| part.to_owned());
    look_up(TEXTS, words, &inner)
}

/// The first row that fits, with what varies put in by `inner`.
fn look_up(rows: &[(&str, &str)], words: &str, inner: &dyn Fn(&str) -> String) -> Option<String> {
    rows.iter().find_map(|(english, russian)| {
        let varying = fit(english, words)?;
        let mut out = String::new();
        let mut varying = varying.into_iter();
        for (at, fixed) in russian.split('*').enumerate() {
            if at > 0 {
                out.push_str(&varying.next().map(inner).unwrap_or_default());
            }
            out.push_str(fixed);
        }
        Some(out)
    })
}

/// What stands in a text where the pattern has `*`; None: it is another text. Each but the last is as short as may be.
fn fit<'a>(pattern: &str, words: &'a str) -> Option<Vec<&'a str>> {
    let Some((first, behind)) = pattern.split_once('*') else { return (pattern == words).then(Vec::new) };
    let mut rest = words.strip_prefix(first)?;
    let mut varying = Vec::new();
    let mut fixed = behind.split('*').peekable();
    while let Some(next) = fixed.next() {
        let at = if fixed.peek().is_some() {
            rest.find(next)?
        } else {
            rest.len().checked_sub(next.len()).filter(|_| rest.ends_with(next))?
        };
        varying.push(&rest[..at]);
        rest = &rest[at + next.len()..];
    }
    Some(varying)
}

#[cfg(test)]
mod tests;
