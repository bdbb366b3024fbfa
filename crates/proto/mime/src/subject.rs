//! The base subject (RFC 5256 §2.1): what SORT and THREAD compare.
//!
//! ```text
//! subj-refwd   = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
//! subj-blob    = "[" *BLOBCHAR "]" *WSP
//! subj-leader  = (*subj-blob subj-refwd) / WSP
//! subj-trailer = "(fwd)" / WSP
//! subj-fwd     = "[fwd:" subject "]"
//! ```

use crate::comparable::{self, Comparable};
use crate::encoded_word;
use crate::header::unfold;

/// A base subject and what the artifacts that were removed say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseSubject {
    /// The base subject in UTF-8 (if it can't be decoded, as [`comparable::octets`] has it); letters keep their case (collation is the caller's: RFC 5256 §7).
    pub text: String,
    /// Whether a reply or forward artifact was removed (RFC 5256 §3: ORDEREDSUBJECT and REFERENCES step 5 ask).
    pub is_reply_or_forward: bool,
}

/// The base subject of the raw value of a Subject field.
pub fn base_subject(value: &[u8]) -> BaseSubject {
    match encoded_word::comparable(&unfold(value)) {
        Comparable::Text(text) => base_subject_of_text(&text),
        Comparable::Octets(octets) => base_subject_of_octets(&octets),
    }
}

/// RFC 5255 §4.6: octets are compared as they are; what marks an answer is of ASCII, in any charset that mail has. The text
/// is as [`comparable::octets`] makes it.
fn base_subject_of_octets(octets: &[u8]) -> BaseSubject {
    let text: String = octets
        .iter()
        .map(|octet| if octet.is_ascii() { char::from(*octet) } else { comparable::character(*octet) })
        .collect();
    let base = base_subject_of_text(&text);
    let whole = |character: char| match u8::try_from(character) {
        Ok(octet) => comparable::character(octet),
        Err(_) => character,
    };
    BaseSubject { text: base.text.chars().map(whole).collect(), ..base }
}

/// The base subject of a decoded subject.
pub fn base_subject_of_text(subject: &str) -> BaseSubject {
    // Step 1: tabs and continuations become spaces, and several spaces one.
    let mut collapsed = String::with_capacity(subject.len());
    for character in subject.chars() {
        let is_space = matches!(character, ' ' | '\t' | '\r' | '\n');
        if !is_space {
            collapsed.push(character);
        } else if !collapsed.ends_with(' ') {
            collapsed.push(' ');
        }
    }
    let mut text = collapsed.as_str();
    let mut is_reply_or_forward = false;
    loop {
        text = without_trailers(text, &mut is_reply_or_forward);
        text = without_leaders(text, &mut is_reply_or_forward);
        // Step 6.
        let Some(inner) = strip_prefix_nocase(text, "[fwd:").and_then(|inner| inner.strip_suffix(']')) else {
            break;
        };
        text = inner;
        is_reply_or_forward = true;
    }
    BaseSubject { text: text.to_owned(), is_reply_or_forward }
}

/// Step 2.
fn without_trailers<'a>(text: &'a str, is_forward: &mut bool) -> &'a str {
    let mut text = text;
    loop {
        text = text.trim_end_matches(' ');
        let Some(cut) = text.len().checked_sub("(fwd)".len()) else { return text };
        if !text.is_char_boundary(cut) || !text[cut..].eq_ignore_ascii_case("(fwd)") {
            return text;
        }
        text = &text[..cut];
        *is_forward = true;
    }
}

/// Steps 3 to 5.
fn without_leaders<'a>(text: &'a str, is_reply: &mut bool) -> &'a str {
    let mut text = text;
    loop {
        text = text.trim_start_matches(' ');
        // Step 3: the blobs belong to the leader if a subj-refwd follows them.
        let mut rest = text;
        let mut last_nonempty = text;
        while let Some(after) = after_blob(rest) {
            // Step 4: one after the other goes as long as something is left.
            if !after.is_empty() {
                last_nonempty = after;
            }
            rest = after;
        }
        if let Some(after) = after_refwd(rest) {
            *is_reply = true;
            text = after;
            continue;
        }
        return last_nonempty;
    }
}

/// Behind a subj-blob at the start of the text.
fn after_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    Some(inner[end..].strip_prefix(']')?.trim_start_matches(' '))
}

/// Behind a subj-refwd at the start of the text.
fn after_refwd(text: &str) -> Option<&str> {
    let word = ["re", "fwd", "fw"].iter().find_map(|word| strip_prefix_nocase(text, word))?;
    let rest = word.trim_start_matches(' ');
    after_blob(rest).unwrap_or(rest).strip_prefix(':')
}

fn strip_prefix_nocase<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows() {
        let rows: &[(&str, &str, bool)] = &[
            ("Hello", "Hello", false),
            ("  Hello \t world ", "Hello world", false),
            ("Re: Hello", "Hello", true),
            ("RE : re:Re:  Hello", "Hello", true),
            ("Fwd: Fw: Hello", "Hello", true),
            ("Re[2]: Hello", "Hello", true),
            ("Re [list] : Hello", "Hello", true),
            ("[list] Hello", "Hello", false),
            ("[list] Re: Hello", "Hello", true),
            ("Re: [list] Re: [x][y] Hello", "Hello", true),
            ("[list]", "[list]", false),
            ("[a] [b]", "[b]", false),
            ("Re: [list]", "[list]", true),
            ("Hello (fwd)", "Hello", true),
            ("Hello (FWD) (fwd) ", "Hello", true),
            ("[fwd: Hello]", "Hello", true),
            ("[Fwd: Re: [x] Hello (fwd)]", "Hello", true),
            ("[fwd: [Fwd: Hello]]", "Hello", true),
            ("Regarding: Hello", "Regarding: Hello", false),
            ("Ответ: Привет", "Ответ: Привет", false),
            ("[open Hello", "[open Hello", false),
            ("Re:", "", true),
            ("", "", false),
            ("привет(fwd)", "привет", true),
        ];
        for (subject, text, is_reply_or_forward) in rows {
            let expected =
                BaseSubject { text: (*text).to_owned(), is_reply_or_forward: *is_reply_or_forward };
            assert_eq!(base_subject_of_text(subject), expected, "{subject}");
        }
    }

    #[test]
    fn encoded_words_come_first() {
        assert_eq!(base_subject(b" =?utf-8?q?Re=3A_?=\r\n\t=?utf-8?b?0J/RgNC40LLQtdGC?=").text, "Привет");
    }

    #[test]
    fn long_rows_are_linear() {
        for row in ["[a]", "Re:", "(fwd)", "[fwd:", "[", "]", "[a]re", "re[a]"] {
            let subject = row.repeat(200_000);
            assert!(base_subject_of_text(&subject).text.len() <= subject.len());
            let subject = format!("{subject}{}", "]".repeat(200_000));
            assert!(base_subject_of_text(&subject).text.len() <= subject.len());
        }
    }

    proptest! {
        #[test]
        fn base_is_a_fixed_point(subject in "(re|fwd|fw|:|\\[|\\]|a| |\\(fwd\\)|\\[fwd:){0,20}") {
            let base = base_subject_of_text(&subject).text;
            prop_assert_eq!(base_subject_of_text(&base).text, base);
        }
    }
}
