//! A queued message's content, read piece by piece, or changed and held in memory.

use engine::{ContentId, Engine, Error};
use std::sync::Arc;

/// Bytes read from the store at a time.
const PIECE_BYTES: u64 = 64 * 1024;

/// The message as it goes on: without the Return-Path line, which stands in the store on top of every message for those
/// who get it here (RFC 5321 §4.4: a relay takes it away).
pub(crate) struct Content {
    engine: Arc<dyn Engine>,
    id: ContentId,
    /// Read already, and not given yet.
    ahead: Vec<u8>,
    /// What is not read yet.
    at: u64,
    end: u64,
}

impl Content {
    /// Opens it. None: it is not there.
    ///
    /// # Errors
    /// Reading failed.
    pub(crate) fn open(engine: &Arc<dyn Engine>, id: ContentId) -> Result<Option<Content>, Error> {
        let snapshot = engine.snapshot()?;
        let Some(end) = snapshot.content_len(id)? else { return Ok(None) };
        let mut beginning = Vec::new();
        let at = PIECE_BYTES.min(end);
        snapshot.read_content(id, 0..at, &mut beginning)?;
        let ahead = match beginning.len() - without_return_path(&beginning).len() {
            0 => beginning,
            some => beginning.split_off(some),
        };
        drop(snapshot);
        Ok(Some(Content { engine: engine.clone(), id, ahead, at, end }))
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> u64 {
        self.ahead.len() as u64 + self.end - self.at
    }

    /// The next piece; empty at the end.
    ///
    /// # Errors
    /// Reading failed.
    pub(crate) fn next(&mut self) -> Result<Vec<u8>, Error> {
        let mut piece = std::mem::take(&mut self.ahead);
        if piece.is_empty() && self.at < self.end {
            let end = (self.at + PIECE_BYTES).min(self.end);
            self.engine.snapshot()?.read_content(self.id, self.at..end, &mut piece)?;
            self.at = end;
        }
        Ok(piece)
    }

    /// All of it, which stays to be given.
    ///
    /// # Errors
    /// Reading failed.
    pub(crate) fn whole(&mut self) -> Result<&[u8], Error> {
        if self.at < self.end {
            self.engine.snapshot()?.read_content(self.id, self.at..self.end, &mut self.ahead)?;
            self.at = self.end;
        }
        Ok(&self.ahead)
    }

    /// Gives this instead of what is left.
    pub(crate) fn replace(&mut self, message: Vec<u8>) {
        self.ahead = message;
        self.at = self.end;
    }
}

/// The message behind its first line, if that is the Return-Path that this server wrote.
fn without_return_path(message: &[u8]) -> &[u8] {
    if !message.starts_with(b"Return-Path: <") {
        return message;
    }
    match message.windows(2).position(|pair| pair == b"\r\n") {
        Some(at) => &message[at + 2..],
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{AccountId, MemoryEngine, Packed};

    #[test]
    fn the_return_path_goes_and_nothing_else() {
        assert_eq!(without_return_path(b"Return-Path: <a@x.test>\r\nReceived: x\r\n"), b"Received: x\r\n");
        let other = b"Received: x\r\nReturn-Path: <>\r\n";
        assert_eq!(without_return_path(other), other);
        assert_eq!(without_return_path(b"Return-Path: <a"), b"Return-Path: <a");
    }

    #[test]
    fn pieces_make_the_whole() {
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::default());
        for count in [0_u32, 3, 100_000] {
            let body: Vec<u8> = (0..count).flat_map(u32::to_le_bytes).collect();
            let stored = Packed::new(&[b"Return-Path: <>\r\n", &body[..]].concat());
            let id = engine.transact(&[AccountId(0)], move |tx| Ok(tx.append(&stored, 1)?)).wait().unwrap();
            let open = || Content::open(&engine, id).unwrap().unwrap();
            let mut content = open();
            assert_eq!(content.left(), body.len() as u64);
            let mut pieces = Vec::new();
            loop {
                let piece = content.next().unwrap();
                if piece.is_empty() {
                    break;
                }
                assert!(piece.len() as u64 <= PIECE_BYTES);
                pieces.extend(piece);
            }
            assert!(pieces == body && content.left() == 0);
            let mut content = open();
            assert!(content.whole().unwrap() == body);
            assert_eq!(content.left(), body.len() as u64);
            content.replace(b"short".to_vec());
            assert_eq!((content.left(), content.next().unwrap().as_slice()), (5, b"short" as &[u8]));
        }
        assert!(Content::open(&engine, ContentId(999)).unwrap().is_none());
    }
}
