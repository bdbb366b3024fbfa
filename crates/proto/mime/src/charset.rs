//! Charsets of real mail, decoded to UTF-8 (RFC 2046 §4.1.2, RFC 2978).
//!
//! The names of the WHATWG Encoding Standard come from `encoding_rs`; mail knows some more (`unknown-8bit`, `cp1251`,
//! `ansi_x3.110-1983`, UTF-7 …). An unknown name is `None`, never a guess: SEARCH answers BADCHARSET, display guesses.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

/// How one charset is decoded.
#[derive(Clone, Copy)]
enum Charset {
    /// US-ASCII and names that say "8-bit, nobody knows": UTF-8 if it is valid, else windows-1252.
    Guess,
    Utf7,
    Table(&'static Encoding),
}

/// Longest charset name looked at; longer ones are unknown.
const NAME_LENGTH_MAX: usize = 64;

fn find(name: &str) -> Option<Charset> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_LENGTH_MAX {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let charset = match lower.as_str() {
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "646" | "iso646-us" | "iso-646-us" | "us"
        | "unknown-8bit" | "x-unknown" | "unknown" | "8bit" | "default" | "default_charset"
        | "_autodetect" | "_autodetect_all" | "ansi_x3.110-1983" | "x-user-defined" => Charset::Guess,
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "csunicode11utf7" | "x-unicode-2-0-utf-7" => Charset::Utf7,
        "utf8" | "utf-8" | "utf8mb4" | "utf-8-mac" | "cp65001" => Charset::Table(UTF_8),
        // RFC 2781 §4.3: big-endian unless a byte order mark says otherwise (the web reads this label the other way).
        "utf-16" | "utf16" | "ucs-2" | "iso-10646-ucs-2" => Charset::Table(encoding_rs::UTF_16BE),
        // GB 18030 contains GBK contains GB 2312 (RFC 1922): decode all of them with the largest.
        "gb2312" | "gb_2312-80" | "gbk" | "cp936" | "ms936" | "x-gbk" | "gb18030" | "gb-18030" | "euc-cn" => {
            Charset::Table(GB18030)
        }
        _ => Charset::Table(by_alias(&lower)?),
    };
    Some(charset)
}

/// Names that `encoding_rs` does not know but mail has, brought to one it knows.
fn by_alias(lower: &str) -> Option<&'static Encoding> {
    let known = |label: &str| {
        let encoding = Encoding::for_label(label.as_bytes())?;
        // "replacement" is the WHATWG's name for charsets that it refuses to decode: unknown to us.
        (encoding != encoding_rs::REPLACEMENT).then_some(encoding)
    };
    if let Some(encoding) = known(lower) {
        return Some(encoding);
    }
    let alias = match lower {
        "cp932" | "ms932" | "mskanji" | "shift-jisx0213" | "shift_jisx0213" | "sjis-win" | "windows-932" => {
            "shift_jis"
        }
        "cp949" | "ms949" | "uhc" | "ks_c_5601_1987" | "ks_c_5601" | "ks_c-5601-1987"
        | "windows-949-2000" => "euc-kr",
        "cp950" | "ms950" | "big5-eten" | "x-big5" | "big-5" | "cp951" => "big5",
        "eucjp" | "euc_jp" | "eucjp-ms" | "eucjp-win" | "cp51932" | "ujis" => "euc-jp",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" | "cp50220" | "cp50221"
        | "jis" => "iso-2022-jp",
        "koi8_r" | "koi8r" | "cskoi8r" | "koi-8-r" | "cp20866" => "koi8-r",
        "koi8_u" | "koi8u" | "koi8-ru" | "cp21866" => "koi8-u",
        "tis-620-2533" | "cp874" | "iso-8859-11" => "windows-874",
        "macroman" | "x-mac-roman" | "mac" => "macintosh",
        _ => return by_number(lower, known),
    };
    known(alias)
}

/// `iso8859_5`, `iso_8859-5`, `8859-5`, `latin-1`, `cp1251`, `win1251`, `windows1251`, `ansi-1251` …
fn by_number(lower: &str, known: impl Fn(&str) -> Option<&'static Encoding>) -> Option<&'static Encoding> {
    for prefix in ["windows-", "windows", "win-", "win", "cp-", "cp", "x-cp", "ansi-", "ms-", "ibm", "ibm-"] {
        let Some(number) = lower.strip_prefix(prefix) else { continue };
        let usable =
            matches!(number, "1250" | "1251" | "1252" | "1253" | "1254" | "1255" | "1256" | "1257" | "1258");
        if usable || matches!(number, "866" | "874") {
            let label = if number == "866" { "ibm866".to_owned() } else { format!("windows-{number}") };
            return known(&label);
        }
    }
    for prefix in
        ["iso-8859-", "iso_8859-", "iso8859-", "iso8859_", "iso-8859_", "iso_8859_", "8859-", "iso8859"]
    {
        let Some(number) = lower.strip_prefix(prefix) else { continue };
        // "iso-8859-8-i" and "iso-8859-1:1987" carry a suffix.
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        return known(&format!("iso-8859-{digits}"));
    }
    known(&format!("latin{}", lower.strip_prefix("latin-").or_else(|| lower.strip_prefix("latin_"))?))
}

/// Whether [`decode`] knows this charset (IMAP SEARCH answers `NO [BADCHARSET]` otherwise, RFC 9051 §6.4.4).
///
/// Names are compared without case. `US-ASCII` and `UTF-8` are always known.
pub fn is_known(name: &str) -> bool {
    find(name).is_some()
}

/// Decodes `bytes` in the charset called `name` to UTF-8, or `None` if that charset is unknown.
///
/// Bytes that are not valid in the charset become U+FFFD. In `us-ascii` and `unknown-8bit`, 8-bit bytes are taken for
/// UTF-8 if they are valid UTF-8, else for windows-1252. Borrows where the bytes are UTF-8 already.
pub fn decode<'a>(name: &str, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    let text = match find(name)? {
        Charset::Guess => guess(bytes),
        Charset::Utf7 => Cow::Owned(crate::utf7::decode(bytes)),
        Charset::Table(encoding) => by_table(encoding, bytes).0,
    };
    Some(text)
}

/// As [`decode`], but only what is certain: `None` also if the bytes are not valid in that charset (RFC 5255 §4.6 (b)).
/// Where no charset is declared, that is UTF-8.
pub fn decode_valid<'a>(name: &str, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    match find(name)? {
        Charset::Guess => str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Charset::Utf7 => {
            let text = crate::utf7::decode(bytes);
            (!text.contains(char::REPLACEMENT_CHARACTER)).then_some(Cow::Owned(text))
        }
        Charset::Table(encoding) => {
            let (text, had_errors) = by_table(encoding, bytes);
            (!had_errors).then_some(text)
        }
    }
}

/// The text, and whether some of it was not valid.
fn by_table<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
    if encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE {
        return utf16(encoding, bytes);
    }
    encoding.decode_without_bom_handling(strip_utf8_mark(encoding, bytes))
}

/// Decodes bytes of an undeclared charset: UTF-8 if valid, else windows-1252 (which accepts every byte).
pub fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// A byte order mark wins over the declared order.
fn utf16<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
    match bytes {
        [0xff, 0xfe, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest),
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest),
        _ => encoding.decode_without_bom_handling(bytes),
    }
}

fn strip_utf8_mark<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> &'a [u8] {
    if encoding == UTF_8 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_of_real_mail() {
        let rows: &[(&str, &[u8], &str)] = &[
            ("koi8-r", b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
            ("KOI8-R", b"\xf0", "П"),
            ("koi8-u", b"\xa4", "є"),
            ("windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
            ("cp1251", b"\xcf", "П"),
            ("win1251", b"\xcf", "П"),
            ("iso-8859-1", b"Andr\xe9", "André"),
            ("latin1", b"\xe9", "é"),
            ("iso8859_5", b"\xbf", "П"),
            ("ISO-8859-8-I", b"\xed\xe5\xec\xf9", "םולש"),
            ("iso-8859-15", b"\xa4", "€"),
            ("gb2312", b"\xc4\xe3\xba\xc3", "你好"),
            ("gb18030", b"\x81\x30\x81\x30", "\u{80}"),
            ("big5", b"\xa7\x41\xa6\x6e", "你好"),
            ("iso-2022-jp", b"\x1b$B$3$s\x1b(B!", "こん!"),
            ("x-sjis", b"\x82\xb1\x82\xf1", "こん"),
            ("euc-jp", b"\xa4\xb3\xa4\xf3", "こん"),
            ("euc-kr", b"\xbe\xc8", "안"),
            ("ks_c_5601-1987", b"\xbe\xc8", "안"),
            ("ks_c_5601", b"\xbe\xc8", "안"),
            ("cp866", b"\x8f", "П"),
            ("utf-7", b"+BB8-", "П"),
            ("utf-8", b"\xef\xbb\xbf\xd0\x9f", "П"),
            ("utf-16", b"\xfe\xff\x04\x1f", "П"),
            ("us-ascii", b"plain", "plain"),
            ("us-ascii", b"\xd0\x9f", "П"),
            ("unknown-8bit", b"\xe9", "é"),
        ];
        for (name, bytes, expected) in rows {
            assert_eq!(decode(name, bytes).as_deref(), Some(*expected), "{name}");
        }
    }

    #[test]
    fn unknown_names() {
        for name in ["", "klingon", "iso-8859-99", "cp1", "hz-gb-2312", "latin-"] {
            assert!(!is_known(name), "{name}");
            assert_eq!(decode(name, b"x"), None);
        }
        assert!(!is_known(&"u".repeat(100_000)));
        assert!(is_known("UTF-8") && is_known("us-ascii"));
    }

    #[test]
    fn bad_bytes_become_replacement_characters() {
        assert_eq!(decode("utf-8", b"a\xffb").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(guess(b"a\xffb"), "aÿb");
    }
}
