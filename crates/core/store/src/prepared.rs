//! A message made ready for storing on the caller's thread, so that the single committer only copies bytes.

use crate::order::OrderValue;
use crate::threads::Threading;
use crate::{Error, Limit};
use engine::Packed;
use mime::imap::BodyForm;
use std::sync::Arc;

/// What is worked out of a message when it comes, in IMAP's words, in one buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digest {
    /// ENVELOPE, BODY and BODYSTRUCTURE (each with its parentheses) one behind the other.
    pub bytes: Vec<u8>,
    /// Where ENVELOPE ends.
    pub envelope_end: u32,
    /// Where BODY ends.
    pub body_end: u32,
    /// Octets of the header with the empty line behind it.
    pub header_length: u32,
}

/// Longest digest that is kept; a longer one is worked out again when asked for, so that hostile mail costs nothing.
const DIGEST_BYTES_MAX: usize = 8 * 1024;

struct Inner {
    packed: Packed,
    size: u32,
    header_length: u32,
    digest: Option<Digest>,
    threading: Threading,
    order: Vec<u8>,
}

/// A message ready to be stored. Cheap to clone.
#[derive(Clone)]
pub struct Prepared(Arc<Inner>);

impl Prepared {
    /// Takes the message apart and compresses it.
    ///
    /// # Errors
    /// [`Error::Limit`] from 4 GiB on.
    pub fn new(raw: &[u8]) -> Result<Prepared, Error> {
        let size = u32::try_from(raw.len()).map_err(|_| Error::Limit(Limit::MessageSize))?;
        let header_length = mime::header::header_length(raw) as u32;
        let envelope = mime::Envelope::parse(raw);
        Ok(Prepared(Arc::new(Inner {
            packed: Packed::new(raw),
            size,
            header_length,
            digest: digest(raw, &envelope, header_length),
            threading: Threading::of(&envelope),
            order: OrderValue::encode(&envelope),
        })))
    }

    /// Octets.
    pub fn size(&self) -> u32 {
        self.0.size
    }

    /// Octets of the header with the empty line behind it.
    pub fn header_length(&self) -> u32 {
        self.0.header_length
    }

    /// What FETCH ENVELOPE and BODYSTRUCTURE show, unless too long to keep.
    pub fn digest(&self) -> Option<&Digest> {
        self.0.digest.as_ref()
    }

    pub(crate) fn packed(&self) -> &Packed {
        &self.0.packed
    }

    pub(crate) fn threading(&self) -> &Threading {
        &self.0.threading
    }

    /// Value of its record for sorting.
    pub(crate) fn order(&self) -> &[u8] {
        &self.0.order
    }
}

fn digest(raw: &[u8], envelope: &mime::Envelope<'_>, header_length: u32) -> Option<Digest> {
    let mut bytes = Vec::with_capacity(1024);
    mime::imap::write_envelope(envelope, &mut bytes);
    let envelope_end = bytes.len();
    if envelope_end > DIGEST_BYTES_MAX {
        return None;
    }
    let structure = mime::parse(raw);
    // Its form depends on the client's protocol version (RFC 3501 or 9051), so it is worked out when asked for.
    let is_global = |part: &mime::Part<'_>| part.content_type().is("message", "global");
    if structure.parts().iter().any(is_global) {
        return None;
    }
    mime::imap::write_body(&structure, BodyForm::Body, &mut bytes);
    let body_end = bytes.len();
    if body_end > DIGEST_BYTES_MAX {
        return None;
    }
    mime::imap::write_body(&structure, BodyForm::BodyStructure, &mut bytes);
    (bytes.len() <= DIGEST_BYTES_MAX).then_some(Digest {
        bytes,
        envelope_end: envelope_end as u32,
        body_end: body_end as u32,
        header_length,
    })
}
