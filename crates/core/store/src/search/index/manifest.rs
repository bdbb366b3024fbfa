//! What the text index of an account consists of: its segments, and up to where it goes.

use crate::keys::{Reader, VERSION, push_number};

/// Version of segments and of what is in them. Folding and word boundaries come from Unicode's tables, so an index that
/// was made with other tables is one of another version, too.
const FORMAT: [u8; 4] = {
    let (major, minor, _) = char::UNICODE_VERSION;
    let (folding, ..) = unicode_normalization::UNICODE_VERSION;
    [3, major, minor, folding]
};

/// A segment: an immutable dictionary over a range of messages. It covers every message of `first..end` that was there
/// when it was made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) id: u32,
    /// First EMAILID.
    pub(crate) first: u32,
    /// Behind the last one.
    pub(crate) end: u32,
    /// Messages.
    pub(crate) docs: u32,
    /// Distinct tokens.
    pub(crate) tokens: u32,
    /// Blocks of the dictionary.
    pub(crate) blocks: u32,
    /// Bytes of the dictionary.
    pub(crate) dictionary_bytes: u64,
    /// Bytes of the lists.
    pub(crate) posting_bytes: u64,
    /// Bytes of the list of messages of which the index knows too little.
    pub(crate) unsure_bytes: u32,
    /// Messages of which the index knows too little: each is looked at itself.
    pub(crate) unsure: u32,
    /// Encrypted parts, which nobody can search.
    pub(crate) encrypted: u32,
    /// Text parts whose transfer encoding is unknown.
    pub(crate) undecodable: u32,
}

impl Segment {
    pub(crate) fn bytes(&self) -> u64 {
        self.dictionary_bytes + self.posting_bytes + u64::from(self.unsure_bytes)
    }
}

/// Segments that together cover the messages below `indexed_to`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) segments: Vec<Segment>,
    pub(crate) indexed_to: u32,
}

/// The whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Manifest {
    /// Id of the next segment. Blocks of an id from here on are left over from a crash.
    pub(crate) next_segment: u32,
    /// What searches use.
    pub(crate) current: Coverage,
    /// What `troika index rebuild` makes to replace it.
    pub(crate) rebuilding: Option<Coverage>,
}

impl Default for Manifest {
    fn default() -> Manifest {
        Manifest { next_segment: 1, current: Coverage::default(), rebuilding: None }
    }
}

/// What a stored manifest turns out to be.
#[derive(Debug)]
pub(crate) enum Stored {
    Fine(Manifest),
    /// Of another version: as if there were none.
    Foreign,
    Damaged,
}

impl Manifest {
    /// Every segment there is.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.current.segments.iter().chain(self.rebuilding.iter().flat_map(|rebuilding| &rebuilding.segments))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&FORMAT);
        push_number(&mut out, self.next_segment);
        encode_coverage(&self.current, &mut out);
        out.push(u8::from(self.rebuilding.is_some()));
        self.rebuilding.iter().for_each(|coverage| encode_coverage(coverage, &mut out));
        out
    }

    pub(crate) fn decode(value: &[u8]) -> Stored {
        if value.first() == Some(&VERSION) && value.get(1..5).is_some_and(|format| format != FORMAT) {
            return Stored::Foreign;
        }
        decode(value).map_or(Stored::Damaged, Stored::Fine)
    }
}

fn decode(value: &[u8]) -> Option<Manifest> {
    let mut reader = Reader::versioned(value)?;
    reader.take(FORMAT.len())?;
    let next_segment = reader.number()?;
    let current = decode_coverage(&mut reader)?;
    let rebuilding = if reader.u8()? == 1 { Some(decode_coverage(&mut reader)?) } else { None };
    Some(Manifest { next_segment, current, rebuilding })
}

fn encode_coverage(coverage: &Coverage, out: &mut Vec<u8>) {
    push_number(out, coverage.indexed_to);
    push_number(out, coverage.segments.len() as u32);
    for segment in &coverage.segments {
        for number in [segment.id, segment.first, segment.end, segment.docs, segment.tokens, segment.blocks] {
            push_number(out, number);
        }
        out.extend_from_slice(&segment.dictionary_bytes.to_be_bytes());
        out.extend_from_slice(&segment.posting_bytes.to_be_bytes());
        for number in [segment.unsure_bytes, segment.unsure, segment.encrypted, segment.undecodable] {
            push_number(out, number);
        }
    }
}

fn decode_coverage(reader: &mut Reader<'_>) -> Option<Coverage> {
    let indexed_to = reader.number()?;
    let count = reader.number()?;
    let mut segments = Vec::new();
    for _ in 0..count {
        segments.push(Segment {
            id: reader.number()?,
            first: reader.number()?,
            end: reader.number()?,
            docs: reader.number()?,
            tokens: reader.number()?,
            blocks: reader.number()?,
            dictionary_bytes: reader.u64()?,
            posting_bytes: reader.u64()?,
            unsure_bytes: reader.number()?,
            unsure: reader.number()?,
            encrypted: reader.number()?,
            undecodable: reader.number()?,
        });
    }
    Some(Coverage { segments, indexed_to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_come_back() {
        let segment = |id| Segment { id, first: 1, end: 500, posting_bytes: 1 << 40, ..Segment::default() };
        let coverage = Coverage { segments: vec![segment(1), segment(300)], indexed_to: 500 };
        let manifest = Manifest { next_segment: 301, current: coverage.clone(), rebuilding: Some(coverage) };
        let bytes = manifest.encode();
        assert!(matches!(Manifest::decode(&bytes), Stored::Fine(found) if found == manifest));
        for end in 0..bytes.len() {
            assert!(matches!(Manifest::decode(&bytes[..end]), Stored::Damaged), "{end}");
        }
        let mut foreign = bytes;
        foreign[1] = 200;
        assert!(matches!(Manifest::decode(&foreign), Stored::Foreign));
    }
}
