//! Writing a list of tags as a header field: folded, so that no line is longer than mail likes (RFC 5322 §2.1.1).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Longest line that is written, where what stands between two spaces is not longer itself.
const LINE_LENGTH: usize = 76;

/// A field that grows.
pub(crate) struct Folded {
    out: String,
    column: usize,
}

impl Folded {
    /// `name:`
    pub(crate) fn field(name: &str) -> Folded {
        Folded { out: format!("{name}:"), column: name.len() + 1 }
    }

    /// ` name=value;` on this line or the next.
    pub(crate) fn tag(&mut self, name: &str, value: &str) {
        self.word(&format!("{name}={value};"));
    }

    /// A list, which may be folded behind each colon.
    pub(crate) fn list(&mut self, name: &str, items: &[&str]) {
        self.word(&format!("{name}="));
        for (index, item) in items.iter().enumerate() {
            let sign = if index + 1 == items.len() { ';' } else { ':' };
            self.bare(&format!("{item}{sign}"));
        }
    }

    /// Octets as base64, which may be folded anywhere.
    pub(crate) fn octets(&mut self, name: &str, octets: &[u8]) {
        self.word(&format!("{name}="));
        self.base64(octets);
        self.bare(";");
    }

    /// ` b=`, and nothing behind it: what is there now is what is signed.
    pub(crate) fn open_signature(&mut self) -> &str {
        self.word("b=");
        &self.out
    }

    /// The signature, and the end of the line.
    pub(crate) fn close(mut self, signature: &[u8]) -> String {
        self.base64(signature);
        self.out.push_str("\r\n");
        self.out
    }

    fn word(&mut self, word: &str) {
        if self.column + 1 + word.len() > LINE_LENGTH {
            self.turn();
        } else {
            self.out.push(' ');
            self.column += 1;
        }
        self.put(word);
    }

    /// Like [`Folded::word`], but without a space where the line goes on.
    fn bare(&mut self, word: &str) {
        if self.column + word.len() > LINE_LENGTH {
            self.turn();
        }
        self.put(word);
    }

    fn base64(&mut self, octets: &[u8]) {
        let text = BASE64_STANDARD.encode(octets);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if self.column >= LINE_LENGTH {
                self.turn();
            }
            let (line, after) = rest.split_at((LINE_LENGTH - self.column).min(rest.len()));
            self.put(line);
            rest = after;
        }
    }

    fn turn(&mut self) {
        self.out.push_str("\r\n\t");
        self.column = 1;
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::Tags;

    #[test]
    fn a_folded_field_reads_back() {
        let mut field = Folded::field("X-Signature");
        field.tag("v", "1");
        field.tag("d", &"long.".repeat(20));
        let names: Vec<String> = (0..40).map(|n| format!("field-{n}")).collect();
        field.list("h", &names.iter().map(String::as_str).collect::<Vec<_>>());
        field.octets("bh", &[7; 32]);
        assert!(field.open_signature().ends_with("b="));
        let text = field.close(&[0xff; 256]);
        for line in text.trim_end().split("\r\n") {
            assert!(line.len() <= LINE_LENGTH || line.contains("long."), "{line}");
            assert!(!line.trim().is_empty(), "{text}");
        }
        let tags = Tags::read(text.strip_prefix("X-Signature:").unwrap().as_bytes()).unwrap();
        assert_eq!(tags.packed("h").unwrap().split(':').collect::<Vec<_>>(), names);
        assert_eq!(BASE64_STANDARD.decode(tags.packed("b").unwrap()).unwrap(), [0xff; 256]);
        assert_eq!(BASE64_STANDARD.decode(tags.packed("bh").unwrap()).unwrap(), [7; 32]);
    }
}
