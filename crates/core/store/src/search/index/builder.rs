//! A segment in the making: words of messages, in memory.

use super::manifest::Segment;
use super::postings::{Groups, Places};
use super::segment::{PRESENCE, Writer};
use crate::Error;
use crate::search::fold::fold;
use crate::search::text::{self, Closed, Soundness};
use crate::search::tokens::{TOKEN_BYTES_MAX, each_token};
use model::Collation;
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

/// Distinct words of one message that are taken in. A message with more (a log file, or somebody's attempt to blow the
/// index up) is looked at itself whenever its index entries do not decide.
const MESSAGE_TOKENS_MAX: usize = 50_000;

/// Memory that a segment takes before it is written, about.
const MEMORY_BYTES_MAX: usize = 48 << 20;
const TOKEN_OVERHEAD: usize = 96;
const POSTING_BYTES: usize = 8;

/// Messages of one segment before it is written.
const DOCS_MAX: u32 = 16_384;

/// Octets of messages that one segment reads before it is written: what one step of work may take.
const CONTENT_BYTES_MAX: u64 = 48 << 20;

#[derive(Default)]
pub(super) struct Builder {
    tokens: FxHashMap<Box<[u8]>, Vec<(u32, Places)>>,
    unsure: RoaringBitmap,
    closed: Closed,
    docs: u32,
    memory: usize,
    content_bytes: u64,
}

impl Builder {
    pub(super) fn is_full(&self) -> bool {
        self.memory >= MEMORY_BYTES_MAX || self.docs >= DOCS_MAX || self.content_bytes >= CONTENT_BYTES_MAX
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.docs == 0
    }

    /// Takes in a message that can't be read: whoever searches shall hear of it.
    pub(super) fn add_unreadable(&mut self, doc: u32) {
        self.docs += 1;
        self.unsure.insert(doc);
    }

    /// Takes in a message; each greater than all before.
    pub(super) fn add(&mut self, doc: u32, raw: &[u8], header_length: usize) {
        self.docs += 1;
        self.content_bytes += raw.len() as u64;
        let mut added = 0;
        let header = &raw[..header_length.min(raw.len())];
        let mut name_token = Vec::new();
        text::each_field(header, &mut |name, value, soundness| {
            if soundness == Soundness::Guessed {
                self.unsure.insert(doc);
            }
            name_token.clear();
            name_token.push(PRESENCE);
            name_token.extend_from_slice(name.as_bytes());
            let fits =
                name_token.len() <= TOKEN_BYTES_MAX && self.note(&name_token, doc, Places::NAME, &mut added);
            if !fits {
                self.unsure.insert(doc);
            }
            self.note_all(&fold(name, Collation::UnicodeCasemap), doc, Places::NAME, &mut added);
            self.note_all(value, doc, Places::of_field(name), &mut added);
        });
        let structure = mime::parse(raw);
        text::each_guessed_body(&structure, &mut |body, soundness| {
            if soundness == Soundness::Guessed {
                self.unsure.insert(doc);
            }
            self.note_all(body, doc, Places::BODY, &mut added);
        });
        let closed = text::closed(&structure);
        self.closed.encrypted = self.closed.encrypted.saturating_add(closed.encrypted);
        self.closed.undecodable = self.closed.undecodable.saturating_add(closed.undecodable);
    }

    fn note_all(&mut self, folded: &str, doc: u32, places: Places, added: &mut usize) {
        let mut fits = true;
        each_token(folded, &mut |token| fits = fits && self.note(token.as_bytes(), doc, places, added));
        if !fits {
            self.unsure.insert(doc);
        }
    }

    /// False: it had too many already.
    fn note(&mut self, token: &[u8], doc: u32, places: Places, added: &mut usize) -> bool {
        if let Some(list) = self.tokens.get_mut(token) {
            if let Some((last, known)) = list.last_mut()
                && *last == doc
            {
                known.0 |= places.0;
                return true;
            }
            if *added >= MESSAGE_TOKENS_MAX {
                return false;
            }
            list.push((doc, places));
        } else {
            if *added >= MESSAGE_TOKENS_MAX {
                return false;
            }
            self.tokens.insert(token.into(), vec![(doc, places)]);
            self.memory += token.len() + TOKEN_OVERHEAD;
        }
        *added += 1;
        self.memory += POSTING_BYTES;
        true
    }

    /// What the manifest says of it, the sizes excepted.
    pub(super) fn describe(&self, id: u32, first: u32, end: u32) -> Segment {
        Segment {
            id,
            first,
            end,
            docs: self.docs,
            encrypted: self.closed.encrypted,
            undecodable: self.closed.undecodable,
            ..Segment::default()
        }
    }

    /// Writes it all; `first` is the segment's first message.
    pub(super) fn write(self, first: u32, mut writer: Writer<'_>) -> Result<Segment, Error> {
        let mut tokens: Vec<_> = self.tokens.into_iter().collect();
        tokens.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let (mut groups, mut list) = (Groups::default(), Vec::new());
        for (token, postings) in tokens {
            groups.clear();
            postings.into_iter().for_each(|(doc, places)| groups.push(places, doc));
            list.clear();
            groups.encode(first, &mut list);
            writer.add(&token, &list)?;
        }
        writer.finish(&self.unsure)
    }
}
