//! Message content as it comes in: DATA with its dots unstuffed (RFC 5321 §4.5.2), BDAT as it is (RFC 3030 §2).
//!
//! Invariants: only CRLF `.` CRLF ends DATA. A bare CR or LF begins no line, ends nothing, and spoils the message, which
//! is nevertheless read to its true end. What is kept never exceeds the limit; a spoilt message keeps nothing.

use memchr::memchr2;
use wire::Share;

/// Why a message that is being read will not be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Larger than the limit (RFC 1870 §6.3).
    TooBig,
    /// A CR without LF or an LF without CR (RFC 5321 §2.3.8).
    BareEnding,
    /// All messages that come in at once need more memory than there is for them.
    NoMemory,
}

/// A message under way.
#[derive(Debug)]
pub(crate) struct Content {
    bytes: Vec<u8>,
    /// Octets of this server's own at the front.
    prefix_bytes: usize,
    content_bytes_max: u64,
    /// All that came, kept or not, dots unstuffed.
    seen_bytes: u64,
    has_bare_ending: bool,
    share: Share,
    lacked_memory: bool,
}

/// Memory that a SIZE parameter alone can make a session take.
const HINT_BYTES_MAX: u64 = 256 * 1024;

impl Content {
    /// Begins with `prefix`, which the limit does not count. `size_hint`: what SIZE said.
    pub(crate) fn new(
        prefix: Vec<u8>,
        content_bytes_max: u64,
        size_hint: Option<u64>,
        mut share: Share,
    ) -> Content {
        let mut bytes = prefix;
        let prefix_bytes = bytes.len();
        let hint = size_hint.unwrap_or(0).min(HINT_BYTES_MAX).min(content_bytes_max);
        let lacked_memory = !share.grow_to(hint);
        if !lacked_memory {
            bytes.reserve(usize::try_from(hint).unwrap_or(0));
        }
        let has_bare_ending = false;
        Content {
            bytes,
            prefix_bytes,
            content_bytes_max,
            seen_bytes: 0,
            has_bare_ending,
            share,
            lacked_memory,
        }
    }

    /// Octets of content that came, whether they were kept or not.
    pub(crate) fn seen_bytes(&self) -> u64 {
        self.seen_bytes
    }

    /// Memory held.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// What spoils the message. The one order of them, so that it does not depend on how the input was cut.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self {
            Content { has_bare_ending: true, .. } => Some(Fault::BareEnding),
            content if content.seen_bytes > content.content_bytes_max => Some(Fault::TooBig),
            Content { lacked_memory: true, .. } => Some(Fault::NoMemory),
            _ => None,
        }
    }

    /// The message with its prefix, the prefix's length, and the memory that is accounted for it.
    pub(crate) fn into_parts(self) -> (Vec<u8>, usize, Share) {
        (self.bytes, self.prefix_bytes, self.share)
    }

    /// Whether the content ends with CRLF, or is empty.
    pub(crate) fn ends_line(&self) -> bool {
        self.bytes.len() == self.prefix_bytes || self.bytes.ends_with(b"\r\n")
    }

    /// Adds octets.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.seen_bytes = self.seen_bytes.saturating_add(octets.len() as u64);
        if self.fault().is_some() {
            return self.forget();
        }
        let needed = self.bytes.len() + octets.len();
        if needed > self.bytes.capacity() {
            // Doubling, but never beyond what the limit lets come.
            let most = usize::try_from(self.content_bytes_max).unwrap_or(usize::MAX / 2) + self.prefix_bytes;
            let grown = (self.bytes.capacity() * 2).max(16 * 1024).min(most).max(needed);
            if !self.share.grow_to(grown as u64) {
                self.lacked_memory = true;
                return self.forget();
            }
            self.bytes.reserve_exact(grown - self.bytes.len());
        }
        self.bytes.extend_from_slice(octets);
    }

    /// A CR or LF alone was seen.
    pub(crate) fn spoil(&mut self) {
        self.has_bare_ending = true;
        self.forget();
    }

    /// The message can't be taken any more; its memory goes.
    fn forget(&mut self) {
        self.bytes = Vec::new();
        self.share.release();
    }
}

/// Where in a line the reader of DATA stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum DotReader {
    /// At the beginning of a line (DATA itself ended with CRLF: an empty message begins with its final dot).
    #[default]
    LineStart,
    /// Behind a dot at the beginning of a line, which is dropped.
    Dot,
    /// Behind that dot and a CR.
    DotCr,
    /// Within a line.
    Text,
    /// Behind a CR.
    Cr,
}

impl DotReader {
    /// Takes `input` up to its end or the end of the message; answers how much was used and whether the end has come.
    pub(crate) fn read(&mut self, input: &[u8], content: &mut Content) -> (usize, bool) {
        let mut at = 0;
        // input[run..at] waits to be copied: dots and the end interrupt a run, line ends don't.
        let mut run = 0;
        while let Some(&byte) = input.get(at) {
            match self {
                DotReader::LineStart => {
                    *self = DotReader::Text;
                    if byte == b'.' {
                        content.push(&input[run..at]);
                        at += 1;
                        run = at;
                        *self = DotReader::Dot;
                    }
                }
                DotReader::Dot if byte == b'\r' => {
                    at += 1;
                    run = at;
                    *self = DotReader::DotCr;
                }
                DotReader::Dot => *self = DotReader::Text,
                DotReader::DotCr if byte == b'\n' => return (at + 1, true),
                DotReader::DotCr => {
                    // `<CRLF>.<CR>` and something else: neither an end nor a line end.
                    content.spoil();
                    *self = DotReader::Text;
                }
                DotReader::Cr => {
                    *self = DotReader::Text;
                    if byte == b'\n' {
                        at += 1;
                        *self = DotReader::LineStart;
                    } else {
                        content.spoil();
                    }
                }
                DotReader::Text => match memchr2(b'\r', b'\n', &input[at..]) {
                    None => at = input.len(),
                    Some(distance) => {
                        at += distance + 1;
                        if input[at - 1] == b'\r' {
                            *self = DotReader::Cr;
                        } else {
                            content.spoil();
                        }
                    }
                },
            }
        }
        content.push(&input[run..at]);
        (at, false)
    }
}

/// Watches the line ends of text that comes in chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct LineWatch {
    behind_cr: bool,
}

impl LineWatch {
    /// Whether every CR and LF in `octets`, which follow what was watched before, stands in a CRLF so far.
    pub(crate) fn watch(&mut self, octets: &[u8]) -> bool {
        let mut rest = octets;
        if self.behind_cr {
            match rest.split_first() {
                None => return true,
                Some((b'\n', behind)) => rest = behind,
                Some(_) => return false,
            }
            self.behind_cr = false;
        }
        while let Some(at) = memchr2(b'\r', b'\n', rest) {
            match (rest[at], rest.get(at + 1)) {
                (b'\r', Some(b'\n')) => rest = &rest[at + 2..],
                (b'\r', None) => {
                    self.behind_cr = true;
                    return true;
                }
                _ => return false,
            }
        }
        true
    }

    /// Whether a CR still waits for its LF.
    pub(crate) fn is_open(self) -> bool {
        self.behind_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::Budget;

    /// The content or what spoils it, and what is left behind the end.
    type Read<T> = (Result<T, Fault>, T);

    /// What DATA brings; None when no end came.
    fn read(chunks: &[&[u8]]) -> Option<Read<Vec<u8>>> {
        let (mut reader, mut content) =
            (DotReader::default(), Content::new(Vec::new(), 1000, None, Budget::unlimited().share()));
        let mut chunks = chunks.iter();
        while let Some(chunk) = chunks.next() {
            let (used, ended) = reader.read(chunk, &mut content);
            if ended {
                let mut left = chunk[used..].to_vec();
                chunks.for_each(|chunk| left.extend_from_slice(chunk));
                let result = content.fault().map_or(Ok(()), Err).map(|()| content.into_parts().0);
                return Some((result, left));
            }
            assert_eq!(used, chunk.len());
        }
        None
    }

    fn check(text: &[u8], wanted: Option<Read<&[u8]>>) {
        let wanted = wanted.map(|(content, left)| (content.map(<[u8]>::to_vec), left.to_vec()));
        assert_eq!(read(&[text]), wanted, "{}", text.escape_ascii());
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(read(&bytes), wanted, "byte by byte: {}", text.escape_ascii());
    }

    #[test]
    fn messages_end_and_dots_are_unstuffed() {
        check(b"a\r\n.\r\nQUIT\r\n", Some((Ok(b"a\r\n"), b"QUIT\r\n")));
        check(b".\r\n", Some((Ok(b""), b"")));
        check(b"\r\n.\r\n", Some((Ok(b"\r\n"), b"")));
        check(b"..\r\n.\r\n", Some((Ok(b".\r\n"), b"")));
        check(b".a\r\n..b\r\n...\r\n.\r\n", Some((Ok(b"a\r\n.b\r\n..\r\n"), b"")));
        check(b"a.\r\n.\r\n", Some((Ok(b"a.\r\n"), b"")));
        check(b"a\r\n.", None);
        check(b"a\r\n.\r", None);
        check(b"a.\r\n", None);
    }

    /// Every spelling of the end that some server has been seen to take: none is one here, the message goes on to the
    /// true end, and it is refused.
    #[test]
    fn false_ends_spoil_the_message() {
        let ends: [&[u8]; 19] = [
            b"\n.\n",
            b"\r\n.\n",
            b"\n.\r\n",
            b"\r.\r",
            b"\r\n.\r",
            b"\r.\r\n",
            b"\r.\n",
            b"\n.\r",
            b"\r\n.\r\r\n",
            b"\r\r\n.\r\r\n",
            b"\r\n\r.\r\n",
            b"\r\n\n.\r\n",
            b"\n\r.\r\n",
            b"\r\n.\n\r",
            b"\r\n..\r\r\n",
            b"\n\n.\n\n",
            b"\r\n.\0\r\n\n",
            b"\r\n.\r\0\n",
            b"\r\n.\r.\n",
        ];
        for end in ends {
            let text = [b"a".as_slice(), end, b"MAIL FROM:<evil@x.test>\r\n", b"\r\n.\r\nNOOP\r\n"].concat();
            check(&text, Some((Err(Fault::BareEnding), b"NOOP\r\n")));
        }
        check(b"a\0b\r\n.\r\n", Some((Ok(b"a\0b\r\n"), b"")));
        check(b"\r.\r\n.\r\n", Some((Err(Fault::BareEnding), b"")));
        check(b".\n.\r\r\n.\r\n", Some((Err(Fault::BareEnding), b"")));
    }

    #[test]
    fn beyond_the_limit_nothing_is_kept() {
        let (mut reader, mut content) = (
            DotReader::default(),
            Content::new(b"Received: x\r\n".to_vec(), 10, Some(5), Budget::unlimited().share()),
        );
        assert_eq!(reader.read(b"12345678\r\n", &mut content), (10, false));
        assert_eq!(content.fault(), None);
        assert_eq!(reader.read(b"x", &mut content), (1, false));
        assert_eq!(content.fault(), Some(Fault::TooBig));
        assert_eq!(reader.read(b"\r\n.\r\nQ", &mut content), (5, true));
        assert_eq!(content.seen_bytes(), 13);
        assert_eq!(content.held_bytes(), 0);
    }

    #[test]
    fn the_fault_does_not_depend_on_the_pieces() {
        let text = [b"x".repeat(20).as_slice(), b"\n\r\n.\r\n"].concat();
        for size in [1, 7, text.len()] {
            let (mut reader, mut content) =
                (DotReader::default(), Content::new(Vec::new(), 10, None, Budget::unlimited().share()));
            assert!(text.chunks(size).all(|chunk| reader.read(chunk, &mut content).0 == chunk.len()));
            assert_eq!(content.fault(), Some(Fault::BareEnding), "in pieces of {size}");
        }
    }

    #[test]
    fn without_memory_a_message_is_read_to_its_end_and_nothing_of_it_is_kept() {
        let budget = Budget::new(40_000);
        let text = [b"x".repeat(60_000).as_slice(), b"\r\n.\r\nQ"].concat();
        let (mut reader, mut content) =
            (DotReader::default(), Content::new(Vec::new(), 1_000_000, None, budget.share()));
        assert_eq!(reader.read(&text, &mut content), (text.len() - 1, true));
        assert_eq!((content.fault(), content.held_bytes()), (Some(Fault::NoMemory), 0));
        assert!(budget.share().grow_to(40_000), "all of it is free again");
    }

    #[test]
    fn a_size_parameter_alone_takes_little_memory() {
        let content = Content::new(Vec::new(), u64::MAX, Some(u64::MAX), Budget::unlimited().share());
        assert!(content.held_bytes() <= 256 * 1024);
    }

    #[test]
    fn line_ends_are_watched_across_chunks() {
        let rows: [(&[&[u8]], bool); 8] = [
            (&[b"a\r\nb\r\n"], true),
            (&[b"a\r", b"\nb"], true),
            (&[b"a\r", b"", b"\n"], true),
            (&[b"a\n"], false),
            (&[b"a\rb"], false),
            (&[b"a\r", b"b"], false),
            (&[b"\r\r\n"], false),
            (&[b"\r\n\n"], false),
        ];
        for (chunks, wanted) in rows {
            let mut watch = LineWatch::default();
            assert_eq!(chunks.iter().all(|chunk| watch.watch(chunk)), wanted, "{chunks:?}");
        }
    }

    proptest! {
        /// Stuffed by RFC 5321 §4.5.2 and sent in any pieces, content comes out as it was.
        #[test]
        fn unstuffing_undoes_stuffing(
            lines in prop::collection::vec("[.a \u{0}-\u{9}]{0,4}", 0..20),
            cuts in prop::collection::vec(0usize..100, 0..6),
        ) {
            let mut plain = Vec::new();
            let mut wire = Vec::new();
            for line in &lines {
                plain.extend_from_slice(line.as_bytes());
                plain.extend_from_slice(b"\r\n");
                if line.starts_with('.') {
                    wire.push(b'.');
                }
                wire.extend_from_slice(line.as_bytes());
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b".\r\nrest");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(wire.len())).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&chunks), Some((Ok(plain), b"rest".to_vec())));
        }

        /// Any octets, whole or one by one: the same.
        #[test]
        fn any_split_reads_the_same(octets in prop::collection::vec(prop::sample::select(b"\r\n.a".to_vec()), 0..40)) {
            let single: Vec<&[u8]> = octets.chunks(1).collect();
            prop_assert_eq!(read(&[&octets]), read(&single));
        }
    }
}
