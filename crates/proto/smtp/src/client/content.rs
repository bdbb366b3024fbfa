//! The message as it leaves: dots are stuffed for DATA (RFC 5321 §4.5.2), BDAT carries it as it is (RFC 3030 §2).

use memchr::memchr;

/// Stuffs dots, over any cuts.
#[derive(Debug)]
pub(super) struct DotStuffer {
    /// The last octet; LF before the first one, which begins a line.
    last: u8,
    /// The last two octets are CRLF, or there were none.
    ends_line: bool,
}

impl DotStuffer {
    pub(super) fn new() -> DotStuffer {
        DotStuffer { last: b'\n', ends_line: true }
    }

    /// Appends `octets`, with a dot before each that stands at the beginning of a line. Lines end with LF here: a bare one
    /// would not begin a line at the server, but may well do so behind it, and a dot too many does less harm there than
    /// a message too many.
    pub(super) fn write(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut rest = octets;
        while let Some(&first) = rest.first() {
            if self.last == b'\n' && first == b'.' {
                out.push(b'.');
            }
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, behind) = rest.split_at(end);
            out.extend_from_slice(line);
            let before = if line.len() > 1 { line[line.len() - 2] } else { self.last };
            self.last = line[line.len() - 1];
            self.ends_line = before == b'\r' && self.last == b'\n';
            rest = behind;
        }
    }

    /// Appends the end of the message: CRLF where the last line lacks it, and the dot.
    pub(super) fn finish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.ends_line { b".\r\n" } else { b"\r\n.\r\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuffed(chunks: &[&[u8]]) -> Vec<u8> {
        let mut stuffer = DotStuffer::new();
        let mut out = Vec::new();
        for chunk in chunks {
            stuffer.write(chunk, &mut out);
        }
        stuffer.finish(&mut out);
        out
    }

    #[test]
    fn dots_and_ends() {
        let rows: [(&[u8], &[u8]); 9] = [
            (b"", b".\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n.b\r\n..\r\n", b"a\r\n..b\r\n...\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r", b"a\r\r\n.\r\n"),
            (b"a\n", b"a\n\r\n.\r\n"),
            (b"a\n.\nb\r\n", b"a\n..\nb\r\n.\r\n"),
            (b"\r\n", b"\r\n.\r\n"),
        ];
        for (content, wanted) in rows {
            assert_eq!(stuffed(&[content]).escape_ascii().to_string(), wanted.escape_ascii().to_string());
            let pieces: Vec<&[u8]> = content.chunks(1).collect();
            assert_eq!(stuffed(&pieces), wanted, "one octet at a time");
        }
    }

    proptest! {
        #[test]
        fn no_content_ends_itself(content in prop::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a')], 0..40), cut in 1..5_usize) {
            let pieces: Vec<&[u8]> = content.chunks(cut).collect();
            let out = stuffed(&pieces);
            prop_assert_eq!(&out, &stuffed(&[&content]));
            let end = b"\r\n.\r\n";
            let framed = [b"\r\n".as_slice(), &out].concat();
            let first = framed.windows(end.len()).position(|window| window == end);
            prop_assert_eq!(first, Some(framed.len() - end.len()));
        }
    }
}
