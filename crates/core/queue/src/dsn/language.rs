//! In which language a sender is told.

use mime::{encoded_word, header};
use model::EmailAddress;

/// A language of the words for people.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Language {
    /// What everybody may be expected to understand (RFC 2277 §4.5).
    #[default]
    English,
    /// Russian.
    Russian,
}

/// Letters that Cyrillic alphabets other than the Russian one have.
const NOT_RUSSIAN: &str = "іїєґўјљњћђџќѓ";
/// Top-level domains whose people most likely read Russian.
const RUSSIAN_DOMAINS: [&str; 5] = ["ru", "su", "рф", "рус", "москва"];

impl Language {
    /// Its tag (RFC 5646).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Russian => "ru",
        }
    }

    /// The language with that tag, whatever its subtags. None: one that we do not have.
    pub fn from_tag(tag: &str) -> Option<Language> {
        let primary = tag.trim().split(['-', '_', ';']).next().unwrap_or_default().trim();
        [Language::English, Language::Russian]
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The language of who sent a message with that header: what it says itself (Accept-Language, which is what its
    /// sender wants to read, then Content-Language; RFC 3282), else Russian when its subject or the name of its author
    /// is, or when the sender's address is, else English.
    pub fn of_sender(header: &[u8], sender: &EmailAddress) -> Language {
        for name in ["Accept-Language", "Content-Language"] {
            let Some(value) = header::first(header, name) else { continue };
            let text = String::from_utf8_lossy(value);
            if let Some(language) = text.split(',').find_map(Language::from_tag) {
                return language;
            }
        }
        for name in ["Subject", "From"] {
            let Some(value) = header::first(header, name) else { continue };
            match script(&encoded_word::decode(&header::unfold(value))) {
                Script::Russian => return Language::Russian,
                Script::OtherCyrillic => return Language::English,
                Script::Other => {}
            }
        }
        let domain = sender.domain.as_str();
        let top = domain.rsplit('.').next().unwrap_or(domain);
        let russian = RUSSIAN_DOMAINS.contains(&top) || script(&sender.to_string()) == Script::Russian;
        if russian { Language::Russian } else { Language::English }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Russian,
    OtherCyrillic,
    Other,
}

fn script(text: &str) -> Script {
    let cyrillic = |c: char| ('\u{400}'..='\u{4ff}').contains(&c);
    if !text.chars().any(cyrillic) {
        return Script::Other;
    }
    let foreign = |c: char| c.to_lowercase().any(|c| NOT_RUSSIAN.contains(c));
    if text.chars().any(foreign) { Script::OtherCyrillic } else { Script::Russian }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(header: &str, sender: &str) -> &'static str {
        Language::of_sender(header.as_bytes(), &EmailAddress::parse(sender).unwrap()).tag()
    }

    #[test]
    fn the_senders_language_is_found() {
        for (header, sender, wanted) in [
            ("", "a@x.test", "en"),
            ("Subject: hello\r\n", "a@x.test", "en"),
            ("Subject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n", "a@x.test", "ru"),
            ("Subject: Привет\r\n", "a@x.test", "ru"),
            ("Subject: Привіт\r\n", "a@x.test", "en"),
            ("Subject: hi\r\nFrom: =?koi8-r?B?4c7OwQ==?= <a@x.test>\r\n", "a@x.test", "ru"),
            ("Subject: hi\r\n", "a@x.ru", "ru"),
            ("Subject: hi\r\n", "почта@пример.рф", "ru"),
            ("Content-Language: en-GB\r\nSubject: Привет\r\n", "a@x.ru", "en"),
            ("Content-Language: en\r\nAccept-Language: de, ru-RU;q=0.5\r\n", "a@x.test", "ru"),
            ("Accept-Language: de\r\n", "a@x.ru", "ru"),
            ("Subject: =?utf-8?q?=ff?=\r\n", "a@x.test", "en"),
        ] {
            assert_eq!(language(header, sender), wanted, "{header:?} {sender}");
        }
    }
}
