//! Canonical forms of header fields and bodies (RFC 6376 §3.4). A line ends with CRLF and nothing else; other CRs and LFs
//! are octets like any.

use memchr::{memchr, memchr3};
use ring::digest::{Context, SHA256};

/// How much a message may be changed on its way without breaking the signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Canonical {
    /// Not at all.
    Simple,
    /// White space may change.
    Relaxed,
}

impl Canonical {
    pub(crate) fn named(name: &str) -> Option<Canonical> {
        match name {
            "simple" => Some(Canonical::Simple),
            "relaxed" => Some(Canonical::Relaxed),
            _ => None,
        }
    }
}

/// Appends the canonical form of a whole field (`name: value`, with or without its line end), ended with CRLF.
pub(crate) fn write_field(form: Canonical, field: &[u8], out: &mut Vec<u8>) {
    let field = strip_line_end(field);
    match (form, memchr(b':', field)) {
        (Canonical::Simple, _) | (_, None) => out.extend_from_slice(field),
        (Canonical::Relaxed, Some(colon)) => {
            out.extend(field[..colon].trim_ascii_end().iter().map(u8::to_ascii_lowercase));
            out.push(b':');
            write_relaxed_value(&field[colon + 1..], out);
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn strip_line_end(field: &[u8]) -> &[u8] {
    match field.strip_suffix(b"\n") {
        Some(field) => field.strip_suffix(b"\r").unwrap_or(field),
        None => field,
    }
}

/// Unfolded, each run of white space one space, none at the ends (§3.4.2).
fn write_relaxed_value(value: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut space = false;
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let folding = match &value[at..] {
            [b'\r', b'\n', b' ' | b'\t', ..] => 2,
            // Mail that came with bare LFs is folded, too.
            [b'\n', b' ' | b'\t', ..] => 1,
            _ => 0,
        };
        if folding > 0 {
            at += folding;
            continue;
        }
        at += 1;
        if matches!(byte, b' ' | b'\t') {
            space = true;
            continue;
        }
        if space && out.len() > start {
            out.push(b' ');
        }
        space = false;
        out.push(byte);
    }
}

/// Hash of a canonical body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BodyHash {
    /// SHA-256.
    pub digest: Vec<u8>,
    /// Octets of the whole canonical body, also of those behind the limit.
    pub octets: u64,
}

/// Hashes a body that comes in pieces.
pub struct BodyHasher {
    form: Canonical,
    context: Context,
    /// Octets that may still be hashed (l=).
    left: u64,
    octets: u64,
    /// CRLFs not yet known to be anything but the end.
    line_ends: u64,
    /// White space not yet known to be anything but the end of a line (relaxed).
    space: bool,
    /// A CR whose LF has not come yet.
    cr: bool,
    buffer: Vec<u8>,
}

/// What is hashed at a time.
const BUFFER_BYTES: usize = 4096;

impl BodyHasher {
    /// `limit`: most octets of the canonical body that are hashed (l=).
    pub fn new(form: Canonical, limit: Option<u64>) -> BodyHasher {
        BodyHasher {
            form,
            context: Context::new(&SHA256),
            left: limit.unwrap_or(u64::MAX),
            octets: 0,
            line_ends: 0,
            space: false,
            cr: false,
            buffer: Vec::with_capacity(BUFFER_BYTES),
        }
    }

    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            if self.cr {
                self.cr = false;
                if rest[0] == b'\n' {
                    // White space at the end of a line counts for nothing.
                    self.space = false;
                    self.line_ends += 1;
                    rest = &rest[1..];
                    continue;
                }
                self.write(b"\r");
            }
            let special = match self.form {
                Canonical::Simple => memchr(b'\r', rest),
                Canonical::Relaxed => memchr3(b'\r', b' ', b'\t', rest),
            };
            let run = special.unwrap_or(rest.len());
            if run > 0 {
                self.write(&rest[..run]);
            }
            match rest.get(run) {
                Some(b'\r') => self.cr = true,
                Some(_) => self.space = true,
                None => return,
            }
            rest = &rest[run + 1..];
        }
    }

    /// The hash, when all has come.
    pub fn finish(mut self) -> BodyHash {
        if std::mem::take(&mut self.cr) {
            self.write(b"\r");
        }
        // §3.4.3, §3.4.4: empty lines at the end are none, and so is white space that nothing follows; what does not end with
        // CRLF gets one; an empty body is a CRLF in the simple form and nothing in the relaxed one.
        self.line_ends = 0;
        self.space = false;
        if self.octets > 0 || self.form == Canonical::Simple {
            self.put(b"\r\n");
        }
        self.flush();
        BodyHash { digest: self.context.finish().as_ref().to_vec(), octets: self.octets }
    }

    /// Octets that are neither a line end nor (relaxed) white space: all that waited before them counts now.
    fn write(&mut self, octets: &[u8]) {
        while self.line_ends > 0 {
            self.line_ends -= 1;
            self.put(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.put(b" ");
        }
        self.put(octets);
    }

    fn put(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        let taken = usize::try_from(self.left).map_or(octets.len(), |left| left.min(octets.len()));
        self.left -= taken as u64;
        if octets.len() >= BUFFER_BYTES {
            self.flush();
            self.context.update(&octets[..taken]);
            return;
        }
        self.buffer.extend_from_slice(&octets[..taken]);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.context.update(&self.buffer);
        self.buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    /// RFC 6376 §3.4.5, the message of all three examples.
    const HEADER: [&[u8]; 2] = [b"A: X\r\n", b"B : Y\t\r\n\tZ  \r\n"];
    const BODY: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";

    fn field(form: Canonical, field: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_field(form, field, &mut out);
        out
    }

    fn hash(form: Canonical, limit: Option<u64>, pieces: &[&[u8]]) -> BodyHash {
        let mut hasher = BodyHasher::new(form, limit);
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finish()
    }

    fn sha256(octets: &[u8]) -> Vec<u8> {
        ring::digest::digest(&SHA256, octets).as_ref().to_vec()
    }

    #[test]
    fn rfc_6376_examples() {
        assert_eq!(field(Canonical::Relaxed, HEADER[0]), b"a:X\r\n");
        assert_eq!(field(Canonical::Relaxed, HEADER[1]), b"b:Y Z\r\n");
        assert_eq!(field(Canonical::Simple, HEADER[1]), HEADER[1]);
        assert_eq!(hash(Canonical::Relaxed, None, &[BODY]).digest, sha256(b" C\r\nD E\r\n"));
        assert_eq!(hash(Canonical::Simple, None, &[BODY]).digest, sha256(b" C \r\nD \t E\r\n"));
        // §3.4.3, §3.4.4: the hashes of an empty body.
        let known = |form| BASE64_STANDARD.encode(hash(form, None, &[]).digest);
        assert_eq!(known(Canonical::Simple), "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
        assert_eq!(known(Canonical::Relaxed), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn bodies_of_all_kinds() {
        let cases: [(&[u8], &[u8], &[u8]); 9] = [
            (b"\r\n\r\n", b"\r\n", b""),
            (b" \r\n", b" \r\n", b""),
            (b"a", b"a\r\n", b"a\r\n"),
            (b"a \t b\t\r\n", b"a \t b\t\r\n", b"a b\r\n"),
            (b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n", b"a\r\n\r\nb\r\n"),
            (b"a\r\n \r\n \r\n", b"a\r\n \r\n \r\n", b"a\r\n"),
            (b"a\rb\nc\r\n", b"a\rb\nc\r\n", b"a\rb\nc\r\n"),
            (b"a \r", b"a \r\r\n", b"a \r\r\n"),
            (b"\ta\r\r\n", b"\ta\r\r\n", b" a\r\r\n"),
        ];
        for (body, simple, relaxed) in cases {
            for (form, wanted) in [(Canonical::Simple, simple), (Canonical::Relaxed, relaxed)] {
                let found = hash(form, None, &[body]);
                assert_eq!(found.digest, sha256(wanted), "{form:?} {:?}", String::from_utf8_lossy(body));
                assert_eq!(found.octets, wanted.len() as u64, "{form:?} {body:?}");
            }
        }
    }

    #[test]
    fn a_limit_cuts_the_canonical_form() {
        let found = hash(Canonical::Relaxed, Some(4), &[b"a  b  c\r\n"]);
        assert_eq!((found.digest, found.octets), (sha256(b"a b "), 7));
        assert_eq!(hash(Canonical::Simple, Some(0), &[b"a"]).digest, sha256(b""));
    }

    #[test]
    fn header_fields_of_all_kinds() {
        for (given, wanted) in [
            (&b"SUBJect: AbC\r\n"[..], &b"subject:AbC\r\n"[..]),
            (b"To:\r\n\t a \r\n b\r\n", b"to:a b\r\n"),
            (b"X:\r\n", b"x:\r\n"),
            (b"X: a\n b", b"x:a b\r\n"),
            (b"X: a:b\r c \r\n", b"x:a:b\r c\r\n"),
        ] {
            assert_eq!(field(Canonical::Relaxed, given), wanted, "{given:?}");
        }
        assert_eq!(field(Canonical::Simple, b"X: a"), b"X: a\r\n");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(body in "[a \t\r\n]{0,60}", cuts in proptest::collection::vec(0_usize..60, 0..5)) {
            let body = body.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.sort_unstable();
            for form in [Canonical::Simple, Canonical::Relaxed] {
                let mut hasher = BodyHasher::new(form, None);
                let mut from = 0;
                for cut in cuts.iter().copied().chain([body.len()]) {
                    hasher.update(&body[from..cut]);
                    from = cut;
                }
                prop_assert_eq!(hasher.finish(), hash(form, None, &[body]));
            }
        }

        /// Against the rules of §3.4.4 as they are worded, step by step.
        #[test]
        fn relaxed_bodies_are_as_the_rfc_words_it(body in "([a \t]|\r\n){0,40}") {
            let lines: Vec<String> = body.split("\r\n").map(|line| {
                let mut words = String::new();
                for (at, c) in line.char_indices() {
                    let before = line[..at].ends_with([' ', '\t']);
                    match c {
                        ' ' | '\t' if before => {}
                        ' ' | '\t' => words.push(' '),
                        c => words.push(c),
                    }
                }
                words.trim_end().to_owned()
            }).collect();
            let text = lines.join("\r\n");
            let text = text.trim_end_matches("\r\n");
            let wanted = if text.is_empty() { String::new() } else { format!("{text}\r\n") };
            prop_assert_eq!(hash(Canonical::Relaxed, None, &[body.as_bytes()]).digest, sha256(wanted.as_bytes()));
        }
    }
}
