//! A message made ready for storing on the caller's thread, so that the single committer only copies bytes.

use crate::Error;
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
pub const DIGEST_BYTES_MAX: usize = 8 * 1024;

/// A message ready to be stored. Cheap to clone.
#[derive(Clone)]
pub struct Prepared {
    _inner: Arc<()>,
}

impl Prepared {
    /// Takes the message apart and compresses it.
    ///
    /// # Errors
    /// [`Error::Limit`] from 4 GiB on.
    pub fn new(raw: &[u8]) -> Result<Prepared, Error> {
        let _ = raw;
        panic!()
    }

    /// Octets.
    pub fn size(&self) -> u32 {
        panic!()
    }
}
