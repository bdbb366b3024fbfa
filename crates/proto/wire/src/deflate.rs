//! Compression of a byte stream in both directions (RFC 1951), for COMPRESS=DEFLATE (RFC 4978).
//!
//! Invariants: a call of [`Inflate::inflate`] gives at most [`WINDOW_BYTES`], whatever a small input grows to, and does
//! nothing more until it is called again: a bomb comes out at the pace at which its reader takes plain input. A
//! connection that waits calls [`rest`](Inflate::rest): the 300 KiB of a compressor and the tables of a decompressor go
//! back, and only as much is kept as is needed to go on with the same stream.

use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{BlockBoundaryState, DecompressorOxide, decompress, inflate_flags};
use miniz_oxide::{DataFormat, MZFlush};
use std::fmt;

#[cfg(test)]
mod tests;

/// How far back compressed data may refer (RFC 1951 §2), and the most that one call inflates to.
pub const WINDOW_BYTES: usize = 32 * 1024;

/// What is remembered of the output by a compressor at rest: enough that the next answer, which is much like the last
/// one, still is a fraction of its size.
const TAIL_BYTES: usize = 4 * 1024;

/// Time against size: on what IMAP sends, levels above cost twice the time for a few hundredths of the size.
const LEVEL: u8 = 3;

/// Why a stream can't be inflated any further.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Garbled;

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what came is not DEFLATE")
    }
}

impl std::error::Error for Garbled {}

/// What [`Inflate::inflate`] has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inflated<'a> {
    /// Some more; there may be yet more of what is held.
    Bytes(&'a [u8]),
    /// Everything given is used up.
    NeedInput,
    /// The peer has ended its stream; what it sent behind that is left in [`Inflate::unread`].
    Ended,
}

/// The peer's direction.
#[derive(Default)]
pub struct Inflate {
    /// Compressed, not yet inflated; used up to `used`.
    held: Vec<u8>,
    used: usize,
    /// Where blocks meet, as long as there is nothing else to remember.
    boundary: BlockBoundaryState,
    tables: Option<Box<DecompressorOxide>>,
    /// The window: a ring of [`WINDOW_BYTES`] while there are tables, its content from the oldest octet on at rest.
    window: Vec<u8>,
    /// Where the ring is written next.
    at: usize,
    /// Octets in the ring that have been written, at most all.
    filled: usize,
    /// Everything that came was inflated, and the last of it ended a block.
    between_blocks: bool,
    ended: bool,
}

impl Inflate {
    /// Takes compressed bytes, to be inflated by the calls to come.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.used == self.held.len() {
            self.held.clear();
            self.used = 0;
        }
        self.held.extend_from_slice(bytes);
    }

    /// Inflates some of what it holds.
    ///
    /// # Errors
    /// When that is no DEFLATE; there is no going on after it.
    pub fn inflate(&mut self) -> Result<Inflated<'_>, Garbled> {
        if self.ended {
            return Ok(Inflated::Ended);
        }
        // Also without input: what was read before may have come to more than fitted.
        if self.between_blocks && self.used == self.held.len() {
            return Ok(Inflated::NeedInput);
        }
        self.wake();
        let Some(tables) = &mut self.tables else { return Err(Garbled) };
        loop {
            if self.at == self.window.len() {
                self.at = 0;
            }
            let flags =
                inflate_flags::TINFL_FLAG_HAS_MORE_INPUT | inflate_flags::TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY;
            let input = &self.held[self.used..];
            let (status, read, written) = decompress(tables, input, &mut self.window, self.at, flags);
            self.used += read;
            self.between_blocks = status == TINFLStatus::BlockBoundary && self.used == self.held.len();
            if self.between_blocks {
                self.boundary = tables.block_boundary_state().unwrap_or_default();
            }
            self.ended = status == TINFLStatus::Done;
            let from = self.at;
            self.at += written;
            self.filled = (self.filled + written).min(WINDOW_BYTES);
            match status {
                TINFLStatus::Done
                | TINFLStatus::BlockBoundary
                | TINFLStatus::HasMoreOutput
                | TINFLStatus::NeedsMoreInput => {}
                _ => return Err(Garbled),
            }
            if written > 0 {
                return Ok(Inflated::Bytes(&self.window[from..self.at]));
            }
            match status {
                TINFLStatus::Done => return Ok(Inflated::Ended),
                // A block without content is passed over.
                TINFLStatus::BlockBoundary if !self.between_blocks => {}
                _ => return Ok(Inflated::NeedInput),
            }
        }
    }

    /// What came and was not inflated.
    pub fn unread(&self) -> &[u8] {
        &self.held[self.used..]
    }

    /// Gives back what a waiting connection does not need. What is left is the last 32 KiB that the peer has sent, and
    /// nothing else if it ended them properly.
    pub fn rest(&mut self) {
        if self.used == self.held.len() {
            self.held = Vec::new();
            self.used = 0;
        }
        if !self.between_blocks || self.tables.take().is_none() {
            return;
        }
        let mut content = Vec::with_capacity(self.filled);
        if self.filled == WINDOW_BYTES {
            content.extend_from_slice(&self.window[self.at..]);
        }
        content.extend_from_slice(&self.window[..self.at]);
        self.window = content;
    }

    /// The tables and the ring as they were before the rest.
    fn wake(&mut self) {
        if self.tables.is_some() {
            return;
        }
        self.tables = Some(Box::new(DecompressorOxide::from_block_boundary_state(&self.boundary)));
        self.at = self.window.len();
        self.filled = self.window.len();
        self.window.reserve_exact(WINDOW_BYTES - self.window.len());
        self.window.resize(WINDOW_BYTES, 0);
    }
}

/// Our direction.
#[derive(Default)]
pub struct Deflate {
    compressor: Option<Box<CompressorOxide>>,
    /// The last of what was compressed, for the compressor that takes over after a rest; up to twice [`TAIL_BYTES`].
    tail: Vec<u8>,
    /// Compressed, not yet taken by [`consume`](Deflate::consume); used up to `used`.
    ready: Vec<u8>,
    used: usize,
    /// Something was taken since the last flush.
    unflushed: bool,
}

impl Deflate {
    /// Takes plain bytes. Some of what they come to may be seen in [`ready`](Deflate::ready) at once, the rest after
    /// [`flush`](Deflate::flush).
    pub fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.run(bytes, MZFlush::None);
        self.unflushed = true;
        if bytes.len() >= TAIL_BYTES {
            self.tail.clear();
        } else if self.tail.len() + bytes.len() > 2 * TAIL_BYTES {
            self.tail.drain(..self.tail.len() - TAIL_BYTES);
        }
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
    }

    /// Makes everything written readable for the peer (a sync flush).
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.unflushed) {
            self.run(&[], MZFlush::Sync);
        }
    }

    /// Ends the stream.
    pub fn finish(&mut self) {
        self.run(&[], MZFlush::Finish);
        self.unflushed = false;
    }

    /// Compressed bytes for the peer.
    pub fn ready(&self) -> &[u8] {
        &self.ready[self.used..]
    }

    /// That many of [`ready`](Deflate::ready) are on their way.
    pub fn consume(&mut self, count: usize) {
        self.used = (self.used + count).min(self.ready.len());
        if self.used == self.ready.len() {
            self.ready.clear();
            self.used = 0;
        }
    }

    /// Gives back what a waiting connection does not need, once everything was flushed and has left.
    pub fn rest(&mut self) {
        if self.unflushed || !self.ready().is_empty() {
            return;
        }
        self.compressor = None;
        self.ready = Vec::new();
        if self.tail.len() > TAIL_BYTES {
            self.tail.drain(..self.tail.len() - TAIL_BYTES);
        }
        self.tail.shrink_to_fit();
    }

    fn run(&mut self, bytes: &[u8], flush: MZFlush) {
        let compressor = self.compressor.get_or_insert_with(|| {
            let mut fresh = Box::new(CompressorOxide::with_params(
                DataFormat::Raw,
                LEVEL,
                CompressionStrategy::Default,
                15,
            ));
            // After a flush a stream goes on at a whole octet and without any state but the window, so another
            // compressor may take over. It learns the end of the window by compressing it for nobody.
            if !self.tail.is_empty() {
                compress(&mut fresh, &self.tail, MZFlush::Sync, &mut Vec::new());
            }
            fresh
        });
        compress(compressor, bytes, flush, &mut self.ready);
    }
}

/// Appends to `out`.
fn compress(compressor: &mut CompressorOxide, mut bytes: &[u8], flush: MZFlush, out: &mut Vec<u8>) {
    loop {
        let room = bytes.len() / 2 + 512;
        let start = out.len();
        out.resize(start + room, 0);
        let outcome = deflate(compressor, bytes, &mut out[start..], flush);
        out.truncate(start + outcome.bytes_written);
        bytes = &bytes[outcome.bytes_consumed..];
        // Room left over: there is no more to come.
        if outcome.bytes_written < room && bytes.is_empty() || outcome.status.is_err() {
            debug_assert!(bytes.is_empty(), "{:?}", outcome.status);
            return;
        }
    }
}

impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inflate({} held)", self.unread().len())
    }
}

impl fmt::Debug for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deflate({} ready)", self.ready().len())
    }
}
