//! Each text for people has its Russian: these tests read the sources for texts.

use super::*;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn ranges_are_looked_up() {
    for (range, language) in [
        ("ru", Some(Language::Russian)),
        ("RU-RU", Some(Language::Russian)),
        ("en-CA", Some(Language::English)),
        ("i-default", Some(Language::Default)),
        ("default", Some(Language::Default)),
        ("*", Some(Language::Default)),
        ("rus", None),
        ("r", None),
        ("", None),
        ("русский", None),
    ] {
        assert_eq!(Language::matching(range), language, "{range}");
    }
}

#[test]
fn codes_and_what_varies_stay() {
    let russian = |text: &'static str| Language::Russian.text(text).into_owned();
    assert_eq!(
        russian("[CAPABILITY IMAP4rev1] LOGIN completed"),
        "[CAPABILITY IMAP4rev1] Команда LOGIN выполнена"
    );
    assert_eq!(russian("[NONEXISTENT] There is no such message"), "[NONEXISTENT] Такого письма нет");
    assert_eq!(russian("what nobody has translated"), "what nobody has translated");
    assert_eq!(Language::English.text("IDLE terminated"), "IDLE terminated");
}

#[test]
fn several_parts_vary_and_some_are_translated_themselves() {
    let russian = |text: &'static str| Language::Russian.text(text).into_owned();
    assert_eq!(
        russian("expected a space at column 7: \"X\""),
        "Ожидалось: пробел; столбец 7: \"X\"",
        "the grammar's words, the place and what stands there"
    );
    assert_eq!(
        russian("expected at most 10000 ranges in a sequence set at column 9"),
        "Ожидалось: не более 10000 диапазонов в наборе номеров; столбец 9"
    );
    assert_eq!(
        russian("[CANNOT] the mailbox name holds a wildcard (* or %) at column 10: \"%\""),
        "[CANNOT] Имя ящика содержит знак подстановки (* или %) (столбец 10: \"%\")"
    );
    assert_eq!(russian("limit reached: size of a message"), "Достигнут предел: размер письма");
}

#[test]
fn each_row_varies_alike_and_fits_on_a_line() {
    for (english, russian) in TEXTS.iter().chain(PARTS) {
        assert_eq!(english.matches('*').count(), russian.matches('*').count(), "{english}");
        // RFC 5255 §3.5: UTF8-TEXT-CHAR has no control characters and no opening bracket.
        assert!(!russian.contains(|c: char| c.is_control() || c == '['), "{russian}");
    }
}

/// Literals of this crate that look like texts and that no client ever reads as one.
const FOR_NOBODY: &[&str] = &[
    "* OK [* ready",
    "+ Ready for literal data",
    "* * *",
    "* OK [{list}] {hostname} ready",
    "Content({} octets)",
    "Received({} octets, {} messages)",
    "only what stands as it is holds NUL",
    "[MESSAGELIMIT {} {}]",
    "expected {}",
    " at column {}",
    "unknown command",
    "a command without tag is a fault",
    "a command is under way",
    "stepped without the answer that was asked for",
    "an answer to nothing",
    "TLS where none was configured",
    "* {condition} {text}",
    "* {condition} {}",
    "that would be the end",
    "an answer that was not asked for: {answer:?}",
    "resumed without an answer",
    "a response needs its end",
    "a FETCH response has at least one item",
    "names hold no controls",
    "UIDs come in pairs",
];

#[test]
fn every_text_of_this_crate_has_its_russian() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut missing = Vec::new();
    for file in sources(&here) {
        let path = file.to_string_lossy().into_owned();
        // `client` speaks to the operator.
        let skipped = ["/client", "/language", "/tests.rs", "/round_trip.rs", "/print"];
        if skipped.iter().any(|part| path.contains(part)) {
            continue;
        }
        let of_the_grammar = path.contains("/parse/");
        for literal in literals(&read(&file)) {
            if is_for_people(&literal.text) && !FOR_NOBODY.contains(&literal.text.as_str()) {
                let probe = probe(&literal.text);
                let known = russian(&probe).is_some() || part(&probe).is_some();
                if !known || of_the_grammar && part(&probe).is_none() {
                    missing.push(format!("{path}: {}", literal.text));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no Russian in language/russian.rs for:\n{}", missing.join("\n"));
}

/// The agents refuse a question with a text of theirs, or with the store's.
#[test]
fn every_refusal_of_a_question_has_its_russian() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut missing = Vec::new();
    let mut seen = 0;
    let agents = crates.join("shell/agents/src");
    let mut files = sources(&agents.join("imap"));
    files.push(agents.join("imap.rs"));
    for (file, marks) in files.iter().map(|file| (file.clone(), &["Refused::new(", "let text ="][..])).chain(
        [("error.rs", &["#[error(", " => \""][..]), ("mailbox.rs", &["BadName(", "return Some("][..])]
            .map(|(name, marks)| (crates.join("core/store/src").join(name), marks)),
    ) {
        let source = read(&file);
        for literal in literals(&source) {
            let marked = marks.iter().any(|mark| introduces(&source, mark, &literal));
            // `#[error("{0}")]` passes another text on.
            if !marked || !literal.text.contains(' ') {
                continue;
            }
            seen += 1;
            let probe = probe(&literal.text);
            if russian(&probe).is_none() && part(&probe).is_none() {
                missing.push(format!("{}: {}", file.display(), literal.text));
            }
        }
    }
    assert!(seen > 40, "the scan has lost its marks: {seen} texts");
    assert!(missing.is_empty(), "no Russian in language/russian.rs for:\n{}", missing.join("\n"));
}

fn part(words: &str) -> Option<String> {
    look_up(PARTS, words, &str::to_owned)
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

struct Literal {
    at: usize,
    text: String,
}

/// String literals outside of comments and of a test module at the end.
fn literals(source: &str) -> Vec<Literal> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let bytes = source.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &source[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(escaped) = rest.strip_prefix("'\\") {
            // A character literal: its quotation mark opens nothing.
            at += 2 + escaped.chars().next().map_or(0, char::len_utf8);
        } else if rest.starts_with("'\"'") {
            at += 3;
        } else if rest.starts_with('"') {
            let (text, length) = literal(rest);
            // Octets (`b"…"`) are no texts.
            if at == 0 || bytes[at - 1] != b'b' {
                found.push(Literal { at, text });
            }
            at += length;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// A literal without its escapes, and its length in the source.
fn literal(source: &str) -> (String, usize) {
    let mut text = String::new();
    let mut characters = source.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (text, at + 1),
            '\\' => match characters.next() {
                Some((_, '\n')) => while characters.next_if(|(_, next)| next.is_whitespace()).is_some() {},
                Some((_, escaped)) => text.push(escaped),
                None => break,
            },
            other => text.push(other),
        }
    }
    (text, source.len())
}

/// Words in a row, at least one of them in small letters; the commands' own words are in capitals.
fn is_for_people(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let is_word =
        |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase() || "',;.)".contains(c));
    words.len() > 1 && !text.starts_with(' ') && words.iter().any(is_word)
}

/// The text as it would come: a number for what is put in, and no response code.
fn probe(literal: &str) -> String {
    let mut text = literal;
    for code in ["{mechanisms}", "{code} ", "{code}", "{exceeded} ", "{}Mech", "{}RESET"] {
        if let Some(behind) = text.strip_prefix(code) {
            text = if code.ends_with(['h', 'T']) { &text[2..] } else { behind };
            break;
        }
    }
    let mut out = String::new();
    let mut depth = 0;
    for character in text.replace("{n}", "\u{1}").chars() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => {
                depth -= 1;
                out.push('7');
            }
            _ if depth > 0 => {}
            '\u{1}' => out.push_str("{n}"),
            other => out.push(other),
        }
    }
    match out.split_once("] ") {
        Some((code, words)) if code.starts_with('[') => words.to_owned(),
        _ => out,
    }
}

/// Whether a literal is the first one behind a mark, in the same statement.
fn introduces(source: &str, mark: &str, literal: &Literal) -> bool {
    let before = &source[..literal.at];
    let Some(found) = before.rfind(mark.trim_end_matches('"')) else { return false };
    let between = &before[found + mark.trim_end_matches('"').len()..];
    !between.contains([';', '"', '}'])
}
