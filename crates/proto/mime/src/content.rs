//! Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183 §2) with parameters (RFC 2231 §3 and §4).
//!
//! Lenient where real mail is: unquoted values with spaces, missing or doubled semicolons, comments anywhere, 8-bit
//! bytes. At most [`PARAMS_MAX`] parameters and [`FIELD_LENGTH_MAX`] bytes of a field are looked at.

use std::borrow::Cow;

use memchr::memchr;

use crate::lexical::{Scanner, is_token, unquote};
use crate::{charset, encoded_word, transfer};

/// Most parameters read from one field, continuations counted singly.
pub const PARAMS_MAX: usize = 100;

/// Most bytes of one field that are looked at.
pub const FIELD_LENGTH_MAX: usize = 64 * 1024;

/// A media type with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType<'a> {
    /// The type as written, such as `text`.
    pub type_name: &'a [u8],
    /// The subtype as written, such as `plain`.
    pub subtype: &'a [u8],
    /// The parameters in their order, continuations joined.
    pub params: Vec<Param<'a>>,
}

impl<'a> ContentType<'a> {
    /// Parses the raw value of a Content-Type field; `None` if it has no `type/subtype` (RFC 2045 §5.2: the default
    /// type applies). A lone `text` of the time before MIME is read as `text/plain`.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (type_name, subtype, rest) = split_type(value)?;
        Some(ContentType { type_name, subtype, params: params(rest) })
    }

    /// The type `type_name/subtype` without parameters.
    pub fn of(type_name: &'a str, subtype: &'a str) -> Self {
        ContentType { type_name: type_name.as_bytes(), subtype: subtype.as_bytes(), params: Vec::new() }
    }

    /// Compares type and subtype without case; pass `*` as the subtype for any.
    pub fn is(&self, type_name: &str, subtype: &str) -> bool {
        self.type_name.eq_ignore_ascii_case(type_name.as_bytes())
            && (subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype.as_bytes()))
    }

    /// The charset parameter, if there is one.
    pub fn charset(&self) -> Option<Cow<'_, str>> {
        find(&self.params, "charset").map(|param| charset::guess(&param.value))
    }
}

/// A Content-Disposition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition<'a> {
    /// `inline`, `attachment` or another token, as written.
    pub kind: &'a [u8],
    /// The parameters in their order, continuations joined.
    pub params: Vec<Param<'a>>,
}

impl<'a> Disposition<'a> {
    /// Parses the raw value of a Content-Disposition field; `None` if it is empty. Parameters without a kind make an
    /// attachment, as any unknown kind does (RFC 2183 §2.8).
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(value);
        scanner.skip_cfws();
        let kind = scanner.take_while(is_token);
        let params = params(&value[scanner.position..]);
        if kind.is_empty() && params.is_empty() {
            return None;
        }
        Some(Disposition { kind: if kind.is_empty() { b"attachment" } else { kind }, params })
    }
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param<'a> {
    /// The attribute, without the asterisks of RFC 2231.
    pub name: Cow<'a, [u8]>,
    /// The value: for an extended one percent-decoded and in UTF-8 (if the charset is known), else as written,
    /// unquoted, with continuations joined.
    pub value: Cow<'a, [u8]>,
    /// For an extended parameter its value in the form `charset'language'percent-encoded`; joined continuations are
    /// in UTF-8 there. IMAP shows it under the name with `*` (RFC 9051 §7.5.2), which keeps old clients at 7 bits.
    pub extended: Option<Cow<'a, [u8]>>,
}

impl Param<'_> {
    /// Whether the parameter has this name (without case).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as text. Encoded words are decoded, too: RFC 2047 §5 forbids them here, yet they are common.
    pub fn text(&self) -> String {
        match self.extended {
            Some(_) => charset::guess(&self.value).into_owned(),
            None => encoded_word::decode(&self.value).into_owned(),
        }
    }
}

/// The parameter called `name`; an extended one is preferred to a plain one (RFC 6266 §4.3 for the same double form).
pub fn find<'p, 'a>(params: &'p [Param<'a>], name: &str) -> Option<&'p Param<'a>> {
    let mut named = params.iter().filter(|param| param.is(name));
    let first = named.next()?;
    if first.extended.is_some() {
        return Some(first);
    }
    Some(named.find(|param| param.extended.is_some()).unwrap_or(first))
}

/// Type, subtype and the rest of a Content-Type value.
pub(crate) fn split_type(value: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut scanner = Scanner::new(value);
    scanner.skip_cfws();
    let type_name = scanner.take_while(is_token);
    scanner.skip_cfws();
    if !scanner.take_if(b'/') {
        let is_text = type_name.eq_ignore_ascii_case(b"text");
        return is_text.then(|| (type_name, &b"plain"[..], &value[scanner.position..]));
    }
    scanner.skip_cfws();
    let subtype = scanner.take_while(is_token);
    if type_name.is_empty() || subtype.is_empty() {
        return None;
    }
    Some((type_name, subtype, &value[scanner.position..]))
}

/// The boundary of a multipart (RFC 2046 §5.1.1) from the part of the value behind the type; `None` if it is empty.
pub(crate) fn boundary(rest: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut found = None;
    for raw in raw_params(rest) {
        if !raw.name.eq_ignore_ascii_case(b"boundary") {
            continue;
        }
        if raw.section.is_some() || raw.is_extended {
            found = params(rest).into_iter().find(|param| param.is("boundary")).map(|param| param.value);
        } else {
            found = Some(raw.value);
        }
        break;
    }
    // RFC 2046 §5.1.1: a boundary cannot end with white space.
    let found = match found? {
        Cow::Borrowed(boundary) => Cow::Borrowed(boundary.trim_ascii_end()),
        Cow::Owned(boundary) => Cow::Owned(boundary.trim_ascii_end().to_vec()),
    };
    (!found.is_empty()).then_some(found)
}

/// A parameter as it stands in the field, before continuations are joined.
struct RawParam<'a> {
    /// The attribute without `*0` and `*`.
    name: &'a [u8],
    section: Option<u16>,
    /// Whether the name ended with `*`: the value is percent-encoded.
    is_extended: bool,
    value: Cow<'a, [u8]>,
}

fn raw_params(input: &[u8]) -> impl Iterator<Item = RawParam<'_>> {
    let mut scanner = Scanner::new(&input[..input.len().min(FIELD_LENGTH_MAX)]);
    std::iter::from_fn(move || next_raw_param(&mut scanner)).take(PARAMS_MAX)
}

fn next_raw_param<'a>(scanner: &mut Scanner<'a>) -> Option<RawParam<'a>> {
    loop {
        scanner.skip_cfws();
        scanner.peek()?;
        let name = scanner.take_while(is_token);
        if name.is_empty() {
            scanner.position += 1;
            continue;
        }
        scanner.skip_cfws();
        if !scanner.take_if(b'=') {
            continue;
        }
        scanner.skip_cfws();
        let value = match scanner.quoted() {
            Some(inside) => unquote(&scanner.input[inside]),
            None => unquoted_value(scanner),
        };
        let (name, is_extended) = match name.strip_suffix(b"*") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (name, section) = split_section(name);
        return Some(RawParam { name, section, is_extended, value });
    }
}

/// A value without quotes: up to the semicolon, as real file names have spaces; yet a comment ends it, and so does
/// white space before another `name=` (a forgotten semicolon).
fn unquoted_value<'a>(scanner: &mut Scanner<'a>) -> Cow<'a, [u8]> {
    let rest = &scanner.input[scanner.position..];
    let segment = &rest[..memchr(b';', rest).unwrap_or(rest.len())];
    let mut length = segment.len();
    if let Some(space) = segment.iter().position(u8::is_ascii_whitespace) {
        let tail = segment[space..].trim_ascii_start();
        if tail.starts_with(b"(") || memchr(b'=', tail).is_some() {
            length = space;
        }
    }
    scanner.position += length;
    unquote_fold(segment[..length].trim_ascii())
}

/// Drops line ends only: a backslash outside of quotes is data (`name=C:\x`).
fn unquote_fold(value: &[u8]) -> Cow<'_, [u8]> {
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        Cow::Owned(value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
    } else {
        Cow::Borrowed(value)
    }
}

/// `name*7` is section 7 of `name` (RFC 2231 §3).
fn split_section(name: &[u8]) -> (&[u8], Option<u16>) {
    let Some(star) = name.iter().rposition(|&byte| byte == b'*') else { return (name, None) };
    match std::str::from_utf8(&name[star + 1..]).ok().and_then(|digits| digits.parse().ok()) {
        Some(section) => (&name[..star], Some(section)),
        None => (name, None),
    }
}

/// Parses parameters and joins continuations.
pub(crate) fn params(input: &[u8]) -> Vec<Param<'_>> {
    let mut raws: Vec<RawParam<'_>> = raw_params(input).collect();
    let mut params = Vec::with_capacity(raws.len());
    let mut index = 0;
    while index < raws.len() {
        let name = raws[index].name;
        if raws[index].section.is_none() {
            let raw = &mut raws[index];
            let value = std::mem::take(&mut raw.value);
            params.push(if raw.is_extended { single_extended(name, value) } else { plain(name, value) });
            index += 1;
            continue;
        }
        let is_same = |raw: &mut RawParam<'_>| raw.section.is_some() && raw.name.eq_ignore_ascii_case(name);
        let mut sections: Vec<RawParam<'_>> = raws.extract_if(index.., is_same).collect();
        // RFC 2231 §3: the order in the field does not matter; of two equal numbers the first counts.
        sections.sort_by_key(|raw| raw.section);
        sections.dedup_by_key(|raw| raw.section);
        params.push(join(name, &sections));
    }
    params
}

fn plain<'a>(name: &'a [u8], value: Cow<'a, [u8]>) -> Param<'a> {
    Param { name: Cow::Borrowed(name), value, extended: None }
}

/// Charset, language and the rest of an extended-initial-value (RFC 2231 §4); `None` if an apostrophe is missing.
fn split_charset(value: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = memchr(b'\'', value)?;
    let second = first + 1 + memchr(b'\'', &value[first + 1..])?;
    Some((&value[..first], &value[first + 1..second], &value[second + 1..]))
}

fn single_extended<'a>(name: &'a [u8], value: Cow<'a, [u8]>) -> Param<'a> {
    let Some((charset, _, encoded)) = split_charset(&value) else { return plain(name, value) };
    let mut bytes = Vec::with_capacity(encoded.len());
    percent_decode(encoded, &mut bytes);
    let (bytes, _) = to_utf8(charset, bytes);
    Param { name: Cow::Borrowed(name), value: Cow::Owned(bytes), extended: Some(value) }
}

/// Joins the sections of one attribute; some may be percent-encoded and others plain (RFC 2231 §4.1).
fn join<'a>(name: &'a [u8], sections: &[RawParam<'a>]) -> Param<'a> {
    let mut bytes = Vec::new();
    let mut origin = None;
    for (index, raw) in sections.iter().enumerate() {
        let mut encoded = &*raw.value;
        if !raw.is_extended {
            bytes.extend_from_slice(encoded);
            continue;
        }
        if index == 0
            && let Some((charset, language, rest)) = split_charset(encoded)
        {
            origin = Some((charset, language));
            encoded = rest;
        }
        percent_decode(encoded, &mut bytes);
    }
    let Some((charset, language)) = origin else { return plain(name, Cow::Owned(bytes)) };
    let (bytes, is_utf8) = to_utf8(charset, bytes);
    let mut extended = if is_utf8 { b"utf-8".to_vec() } else { charset.to_vec() };
    extended.push(b'\'');
    extended.extend_from_slice(language);
    extended.push(b'\'');
    percent_encode(&bytes, &mut extended);
    Param { name: Cow::Borrowed(name), value: Cow::Owned(bytes), extended: Some(Cow::Owned(extended)) }
}

/// The bytes in UTF-8 and true, or as they are and false if the charset is unknown.
fn to_utf8(charset: &[u8], bytes: Vec<u8>) -> (Vec<u8>, bool) {
    let name = if charset.is_empty() { Cow::Borrowed("us-ascii") } else { String::from_utf8_lossy(charset) };
    match charset::decode(&name, &bytes).map(|text| text.into_owned().into_bytes()) {
        Some(text) => (text, true),
        None => (bytes, false),
    }
}

fn percent_decode(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match transfer::hex_pair(tail) {
            Some(value) if byte == b'%' => {
                out.push(value);
                rest = &tail[2..];
            }
            _ => out.push(byte),
        }
    }
}

fn percent_encode(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        // RFC 2231 §7, attribute-char.
        if byte.is_ascii() && is_token(byte) && !matches!(byte, b'*' | b'\'' | b'%') {
            out.push(byte);
        } else {
            out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `name=value` or `name*=extended`, as IMAP would show them.
    fn shown(value: &str) -> Vec<String> {
        let parsed = ContentType::parse(value.as_bytes()).unwrap();
        let show = |param: &Param<'_>| {
            let name = charset::guess(&param.name).into_owned();
            match &param.extended {
                Some(extended) => format!("{name}*={} [{}]", charset::guess(extended), param.text()),
                None => format!("{name}={}", charset::guess(&param.value)),
            }
        };
        parsed.params.iter().map(show).collect()
    }

    #[test]
    fn examples_of_rfc_2231() {
        // §3
        assert_eq!(
            shown(
                "message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\""
            ),
            ["access-type=URL", "URL=ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"]
        );
        // §4
        assert_eq!(
            shown("application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
            ["title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A [This is ***fun***]"]
        );
        // §4.1
        assert_eq!(
            shown(
                "application/x-stuff\r\n ; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\""
            ),
            [
                "title*=utf-8'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it! [This is even more ***fun*** isn't it!]"
            ]
        );
    }

    #[test]
    fn example_of_rfc_2045_section_5_1() {
        assert_eq!(shown("text/plain; charset=us-ascii (Plain text)"), ["charset=us-ascii"]);
        assert_eq!(shown("text/plain; charset=\"us-ascii\""), ["charset=us-ascii"]);
    }

    #[test]
    fn real_mail() {
        let rows: &[(&str, &[&str])] = &[
            ("text/plain;;; charset=utf-8 ; format=flowed;", &["charset=utf-8", "format=flowed"]),
            ("image/png; name=my holiday (1).png; x", &["name=my holiday (1).png"]),
            ("text/html; charset=utf-8 name=\"a;b\"", &["charset=utf-8", "name=a;b"]),
            ("text/plain; name=\"a\\\"b\" charset=x", &["name=a\"b", "charset=x"]),
            ("text/plain; name=\"open; charset=x", &["name=\"open", "charset=x"]),
            ("a/b; n*1=b; n*0=a; n*0=z", &["n=ab"]),
            ("a/b; n*=koi8-r''%F0%D2", &["n*=koi8-r''%F0%D2 [Пр]"]),
            ("a/b; n*0*=koi8-r''%F0; n*1*=%D2", &["n*=utf-8''%D0%9F%D1%80 [Пр]"]),
            ("a/b; n*0*=klingon'tlh'%F0; n*1*=%D2", &["n*=klingon'tlh'%F0%D2 [ðÒ]"]),
            ("a/b; n*=no-quotes", &["n=no-quotes"]),
            ("a/b; name==?utf-8?q?=C3=A9?=", &["name==?utf-8?q?=C3=A9?="]),
        ];
        for (value, expected) in rows {
            assert_eq!(shown(value), *expected, "{value}");
        }
        let parsed = ContentType::parse(b"a/b; name=\"=?utf-8?q?=C3=A9?=\"; name*=utf-8''%C3%A8").unwrap();
        assert_eq!(parsed.params[0].text(), "é");
        assert_eq!(find(&parsed.params, "NAME").unwrap().text(), "è");
    }

    #[test]
    fn types() {
        for bad in ["", "plain", "/plain", "text/", "text plain", ";"] {
            let parsed = ContentType::parse(bad.as_bytes());
            assert_eq!(parsed.is_some(), bad == "text plain", "{bad}");
        }
        let parsed = ContentType::parse(b" Text (c) / (d) HTML;charset=KOI8-R").unwrap();
        assert!(parsed.is("text", "html") && parsed.is("TEXT", "*") && !parsed.is("text", "plain"));
        assert_eq!(parsed.charset().as_deref(), Some("KOI8-R"));
    }

    #[test]
    fn dispositions() {
        let value =
            b" attachment; filename=genome.jpeg;\r\n modification-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"";
        let parsed = Disposition::parse(value).unwrap();
        assert_eq!(parsed.kind, b"attachment");
        assert_eq!(find(&parsed.params, "filename").unwrap().text(), "genome.jpeg");
        assert_eq!(Disposition::parse(b"; filename=x").unwrap().kind, b"attachment");
        assert_eq!(Disposition::parse(b"  "), None);
    }

    #[test]
    fn boundaries() {
        assert_eq!(boundary(b"; boundary=\"a b \"").as_deref(), Some(&b"a b"[..]));
        assert_eq!(boundary(b"; boundary*0=a; boundary*1=b").as_deref(), Some(&b"ab"[..]));
        assert_eq!(boundary(b"; Boundary=a=b").as_deref(), Some(&b"a=b"[..]));
        assert_eq!(boundary(b"; boundary=\"\""), None);
    }

    #[test]
    fn bounded() {
        let many = [b"a/b".to_vec(), b"; x*7=y".repeat(100_000)].concat();
        assert_eq!(ContentType::parse(&many).unwrap().params.len(), 1);
        let many = [b"a/b".to_vec(), b" x=y".repeat(200_000)].concat();
        assert_eq!(ContentType::parse(&many).unwrap().params.len(), PARAMS_MAX);
    }

    proptest! {
        #[test]
        fn any_bytes(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            params(&value);
            boundary(&value);
            Disposition::parse(&value);
        }

        #[test]
        fn nearly_params(value in "(;|n|\\*|0|1|=|'|%|4|\"|\\(|\\)|\\\\| |utf-8){0,40}") {
            params(value.as_bytes());
        }

        #[test]
        fn percent_identity(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let (mut encoded, mut decoded) = (Vec::new(), Vec::new());
            percent_encode(&bytes, &mut encoded);
            percent_decode(&encoded, &mut decoded);
            prop_assert_eq!(decoded, bytes);
        }
    }
}
