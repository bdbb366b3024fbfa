//! The visible text of HTML (for SEARCH and PREVIEW, not for display): tags go, entities are decoded, the insides of
//! script, style and title are skipped, blocks become lines.
//!
//! One pass; an element or comment that is never closed takes the rest, as in a browser.

use memchr::{memchr, memchr2, memmem};

/// Elements whose inside is not shown.
const HIDDEN: [&str; 4] = ["script", "style", "title", "template"];

/// Elements that separate lines.
const BLOCKS: [&str; 27] = [
    "p",
    "div",
    "br",
    "hr",
    "tr",
    "table",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "body",
    "form",
    "center",
];

/// Longest entity looked at, without `&` and `;`.
const ENTITY_LENGTH_MAX: usize = 10;

/// The visible text of an HTML document; white space collapsed, lines separated by LF.
pub fn visible_text(html: &str) -> String {
    let mut writer = Writer { out: String::with_capacity(html.len() / 2), pending: Space::None };
    let mut rest = html;
    let mut quotes = Quotes::Balanced;
    while let Some(at) = memchr2(b'<', b'&', rest.as_bytes()) {
        writer.text(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') {
            entity(rest, &mut writer)
        } else {
            markup(rest, &mut writer, &mut quotes)
        };
    }
    writer.text(rest);
    writer.out
}

/// Whether quotes in tags still can be believed.
#[derive(PartialEq)]
enum Quotes {
    Balanced,
    Broken,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Space {
    None,
    Blank,
    Line,
}

/// Collects text and collapses white space.
struct Writer {
    out: String,
    pending: Space,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let is_space = |character: char| matches!(character, ' ' | '\t' | '\r' | '\n' | '\u{c}' | '\u{a0}');
        let mut rest = text;
        loop {
            let trimmed = rest.trim_start_matches(is_space);
            if trimmed.len() < rest.len() {
                self.space(Space::Blank);
            }
            let word = &trimmed[..trimmed.find(is_space).unwrap_or(trimmed.len())];
            if word.is_empty() {
                return;
            }
            if !self.out.is_empty() {
                match self.pending {
                    Space::None => {}
                    Space::Blank => self.out.push(' '),
                    Space::Line => self.out.push('\n'),
                }
            }
            self.pending = Space::None;
            self.out.push_str(word);
            rest = &trimmed[word.len()..];
        }
    }

    fn space(&mut self, space: Space) {
        if space > self.pending {
            self.pending = space;
        }
    }
}

/// Handles what begins with `<` and returns the rest behind it.
fn markup<'a>(html: &'a str, writer: &mut Writer, quotes: &mut Quotes) -> &'a str {
    if let Some(comment) = html.strip_prefix("<!--") {
        return memmem::find(comment.as_bytes(), b"-->").map_or("", |at| &comment[at + 3..]);
    }
    let (is_end, inside) = match html[1..].strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, &html[1..]),
    };
    let name_length = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if name_length == 0 && !inside.starts_with(['!', '?']) {
        // "a < b"
        writer.text("<");
        return &html[1..];
    }
    let name = &inside[..name_length];
    let Some(end) = tag_end(inside.as_bytes(), quotes) else { return "" };
    let rest = &inside[end..];
    let is = |element: &str| name.eq_ignore_ascii_case(element);
    if BLOCKS.iter().any(|element| is(element)) {
        writer.space(Space::Line);
    } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
        writer.space(Space::Blank);
    }
    match HIDDEN.iter().find(|element| is(element)) {
        Some(element) if !is_end => behind_element(rest, element),
        _ => rest,
    }
}

/// Offset behind the `>` that ends a tag; one in quotes does not count, unless the quotes are unbalanced.
fn tag_end(inside: &[u8], quotes: &mut Quotes) -> Option<usize> {
    let simple = memchr(b'>', inside)? + 1;
    if *quotes == Quotes::Broken {
        return Some(simple);
    }
    let mut at = 0;
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', &inside[at..])?;
        if inside[found] == b'>' {
            return Some(found + 1);
        }
        match memchr(inside[found], &inside[found + 1..]) {
            Some(closing) => at = found + 1 + closing + 1,
            None => {
                *quotes = Quotes::Broken;
                return Some(simple);
            }
        }
        if at >= inside.len() {
            *quotes = Quotes::Broken;
            return Some(simple);
        }
    }
}

/// The rest behind the end tag of a hidden element.
fn behind_element<'a>(html: &'a str, element: &str) -> &'a str {
    let mut rest = html;
    while let Some(at) = memmem::find(rest.as_bytes(), b"</") {
        rest = &rest[at + 2..];
        let is_it = rest.get(..element.len()).is_some_and(|name| name.eq_ignore_ascii_case(element));
        if is_it {
            return memchr(b'>', rest.as_bytes()).map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

/// Decodes the entity at the start of `html` (at its `&`) and returns the rest behind it.
fn entity<'a>(html: &'a str, writer: &mut Writer) -> &'a str {
    let body = &html[1..];
    let length = body
        .bytes()
        .take(ENTITY_LENGTH_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
        .count();
    let name = &body[..length];
    let Some(character) = named(name).or_else(|| numeric(name)) else {
        writer.text("&");
        return body;
    };
    let rest = body[length..].strip_prefix(';').unwrap_or(&body[length..]);
    // Soft hyphens and zero-width characters, the padding of newsletters, are not visible.
    if !matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{34f}' | '\u{feff}' | '\0') {
        writer.text(character.encode_utf8(&mut [0; 4]));
    }
    rest
}

fn numeric(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    // Numbers 128 to 159 mean windows-1252 in HTML.
    if let Ok(byte @ 0x80..=0x9f) = u8::try_from(code) {
        return encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next();
    }
    char::from_u32(code)
}

/// The names that mail really has: markup, punctuation, and the letters of Latin-1 from U+00C0 on in their order.
fn named(name: &str) -> Option<char> {
    const LATIN: [&str; 64] = [
        "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute",
        "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc",
        "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig",
        "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute",
        "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc",
        "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
    ];
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ensp" | "emsp" | "thinsp" => ' ',
        "shy" | "zwnj" | "zwj" => '\u{ad}',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "sbquo" => '‚',
        "ldquo" => '“',
        "rdquo" => '”',
        "bdquo" => '„',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "pound" => '£',
        "yen" => '¥',
        "cent" => '¢',
        "sect" => '§',
        "para" => '¶',
        "deg" => '°',
        "plusmn" => '±',
        "frac12" => '½',
        "frac14" => '¼',
        "frac34" => '¾',
        "iexcl" => '¡',
        "iquest" => '¿',
        "ordf" => 'ª',
        "ordm" => 'º',
        "micro" => 'µ',
        "larr" => '←',
        "rarr" => '→',
        "check" => '✓',
        _ => {
            let index = LATIN.iter().position(|letter| *letter == name)?;
            return char::from_u32(0xc0 + u32::try_from(index).ok()?);
        }
    };
    Some(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::visible_text;

    #[test]
    fn rows() {
        let rows = [
            ("plain  text", "plain text"),
            ("<p>Hello <b>w</b>orld</p><p>next", "Hello world\nnext"),
            ("a<br>b<BR/>c", "a\nb\nc"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
            ("<head><title>t</title><style>p > a {}</style></head>x<script>if (a</b) {}</SCRIPT >y", "xy"),
            ("a<!-- <p> -->b<!DOCTYPE html><?xml?>c", "abc"),
            ("<a title=\"x > y\" href='z'>link</a>", "link"),
            (
                "a &lt;b&gt; &amp;amp; &nbsp; &eacute;&#233;&#xE9;&#151;&unknown; & b",
                "a <b> &amp; ééé—&unknown; & b",
            ),
            ("1 < 2 && 3", "1 < 2 && 3"),
            ("zero&zwnj;&#8203;width", "zerowidth"),
            ("<a title=\"open>text", "text"),
            ("x<never closed", "x"),
            ("x<!-- never closed", "x"),
            ("&yuml;&Agrave;&szlig;", "ÿÀß"),
        ];
        for (html, text) in rows {
            assert_eq!(visible_text(html), text, "{html}");
        }
    }

    #[test]
    fn hostile_rows_are_linear() {
        for row in ["<", "<a", "<a \"", "<a '\">", "<!--", "<script></", "&", "&#", "</script", "<a\">"] {
            visible_text(&row.repeat(200_000));
        }
    }

    proptest! {
        #[test]
        fn never_longer(html in "(<|>|a|p|/|\"|'|&|;|#1|script|style|!--|-->| |é){0,40}") {
            prop_assert!(visible_text(&html).len() <= html.len());
        }
    }
}
