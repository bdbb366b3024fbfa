//! Decoders of single header values and bodies: encoded words (RFC 2047, 2231), charsets, transfer encodings, dates,
//! subjects, references, HTML. Outputs are bounded by the input; encoding and decoding is the identity.
//!
//! The first line of the input names a charset and a transfer encoding (`koi8-r base64`), the rest is the value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mime::content::{ContentType, Disposition};
use mime::transfer::{self, LineEnds, TransferEncoding};
use mime::{charset, date, encoded_word, header, html, references, subject};

fn check_transfer(token: &[u8], value: &[u8]) {
    let encoding = TransferEncoding::from_field(Some(token));
    for limit in [0, 1, 100, usize::MAX / 2] {
        let mut out = Vec::new();
        if transfer::decode(encoding, value, limit, &mut out).is_ok() {
            assert!(out.len() <= limit.min(value.len()), "{} octets of {}", out.len(), value.len());
        }
    }
    let mut encoded = Vec::new();
    transfer::encode_base64(value, &mut encoded);
    let mut again = Vec::new();
    let _ = transfer::decode_base64(&encoded, usize::MAX / 2, &mut again);
    assert_eq!(again, value, "base64");
    for ends in [LineEnds::Text, LineEnds::Binary] {
        encoded.clear();
        again.clear();
        transfer::encode_quoted_printable(value, ends, &mut encoded);
        let lines = encoded.split(|octet| *octet == b'\n');
        assert!(lines.clone().all(|line| line.len() <= transfer::LINE_LENGTH_MAX + 1), "too long a line");
        let _ = transfer::decode_quoted_printable(&encoded, usize::MAX / 2, &mut again);
        assert_eq!(again, value, "quoted-printable");
    }
}

fn check_words(value: &[u8]) {
    let unfolded = header::unfold(value);
    assert!(unfolded.len() <= value.len());
    let text = encoded_word::decode(&unfolded);
    // A windows-1252 or UTF-7 octet becomes three at most; a Big5 pair two characters.
    assert!(text.len() <= 4 * value.len() + 16, "{} octets of {}", text.len(), value.len());
    if let mime::Comparable::Text(valid) = encoded_word::comparable(&unfolded) {
        assert_eq!(valid, text, "what is valid is not guessed");
    }
    let encoded = encoded_word::encode(&text);
    assert!(encoded.len() <= 16 * text.len() + 64);
    let _ = encoded_word::encode_phrase(&text);
    let base = subject::base_subject(value);
    assert!(base.text.len() <= 4 * value.len() + 16);
    // RFC 5256 §2.1: the base of a base subject is itself.
    assert_eq!(subject::base_subject_of_text(&base.text).text, base.text);
}

fn check_params(value: &[u8]) {
    if let Some(content_type) = ContentType::parse(value) {
        let _ = (content_type.charset(), content_type.is("text", "*"));
        let octets: usize =
            content_type.params.iter().map(|param| param.name.len() + param.text().len()).sum();
        assert!(octets <= 8 * value.len() + 64, "{octets} octets of {}", value.len());
    }
    if let Some(disposition) = Disposition::parse(value) {
        let _: Vec<String> = disposition.params.iter().map(mime::Param::text).collect();
    }
}

fuzz_target!(|input: &[u8]| {
    let (names, value) = input.split_at(input.iter().position(|octet| *octet == b'\n').unwrap_or(0));
    let value = value.strip_prefix(b"\n").unwrap_or(value);
    let (name, token) = names.split_at(names.iter().position(|octet| *octet == b' ').unwrap_or(names.len()));
    let name = String::from_utf8_lossy(name);
    if let Some(text) = charset::decode(&name, value) {
        assert!(text.len() <= 4 * value.len() + 16, "{name}: {} octets of {}", text.len(), value.len());
        assert!(charset::is_known(&name));
    }
    check_transfer(token.trim_ascii(), value);
    check_words(value);
    check_params(value);
    if let Some(sent) = date::parse(value) {
        let day = sent.day();
        assert_eq!(date::Day::from_days(day.to_days()), day);
    }
    let ids = references::message_ids(value);
    assert!(ids.len() <= references::FIRST_MAX + references::LAST_MAX);
    assert!(ids.iter().all(|id| id.len() <= references::LENGTH_MAX));
    let guessed = charset::guess(value);
    assert!(html::visible_text(&guessed).len() <= 3 * guessed.len() + 16);
});
