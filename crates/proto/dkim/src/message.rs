//! A message taken apart for signatures: its fields as they stand, and its body.

use crate::canonical::{BodyHash, BodyHasher, Canonical, write_field};
use mime::HeaderField;
use std::cell::RefCell;
use std::collections::HashMap;

/// A message in network form (CRLF line ends). Borrows its octets.
pub struct Message<'a> {
    raw: &'a [u8],
    fields: Vec<HeaderField<'a>>,
    body: &'a [u8],
    /// Bodies are long, and most signatures want the same hash.
    hashed: RefCell<Vec<(Canonical, Option<u64>, BodyHash)>>,
}

/// Passes over one body: hostile signatures may want another limit each.
const PASSES_MAX: usize = 12;

impl<'a> Message<'a> {
    /// Finds the fields and the body.
    pub fn new(raw: &'a [u8]) -> Message<'a> {
        let body = &raw[mime::header::header_length(raw)..];
        Message { raw, fields: mime::header::fields(raw).collect(), body, hashed: RefCell::default() }
    }

    /// All fields, from the top.
    pub fn fields(&self) -> &[HeaderField<'a>] {
        &self.fields
    }

    /// Octets of the whole field with its line ends.
    pub(crate) fn octets(&self, field: &HeaderField<'_>) -> &'a [u8] {
        &self.raw[field.range.clone()]
    }

    /// All fields of this name, from the top.
    pub fn named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m HeaderField<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// The body's hash, worked out once for each form and limit (l=). None: it was
    /// asked for with too many limits; without one there is always an answer.
    pub(crate) fn hash_body(&self, form: Canonical, limit: Option<u64>) -> Option<BodyHash> {
        let mut hashed = self.hashed.borrow_mut();
        if let Some((.., hash)) = hashed.iter().find(|(f, l, _)| (*f, *l) == (form, limit)) {
            return Some(hash.clone());
        }
        if limit.is_some() && hashed.len() >= PASSES_MAX {
            return None;
        }
        let mut hasher = BodyHasher::new(form, limit);
        hasher.update(self.body);
        let hash = hasher.finish();
        hashed.push((form, limit, hash.clone()));
        Some(hash)
    }

    /// What of the header is signed: for each name the lowest field that was not taken yet, if there is one (RFC 6376
    /// §5.4.2).
    pub(crate) fn write_chosen<'n>(
        &self,
        form: Canonical,
        names: impl Iterator<Item = &'n str>,
        out: &mut Vec<u8>,
    ) {
        let mut standing: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, field) in self.fields.iter().enumerate() {
            let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
            standing.entry(name).or_default().push(index);
        }
        for name in names {
            if let Some(index) = standing.get_mut(&name.to_ascii_lowercase()).and_then(Vec::pop) {
                write_field(form, self.octets(&self.fields[index]), out);
            }
        }
    }
}
