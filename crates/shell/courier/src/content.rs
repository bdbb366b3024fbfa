//! A queued message's content, read piece by piece.

use engine::{ContentId, Engine, Error};
use std::sync::Arc;

/// Bytes read from the store at a time.
const PIECE_BYTES: u64 = 64 * 1024;
/// Longest Return-Path line that we write.
const RETURN_PATH_BYTES_MAX: u64 = 1024;

/// The message as it goes on: without the Return-Path line, which stands in the store on top of every message for those
/// who get it here (RFC 5321 §4.4: a relay does not add it, and takes it away).
pub(crate) struct Content {
    engine: Arc<dyn Engine>,
    id: ContentId,
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
        snapshot.read_content(id, 0..RETURN_PATH_BYTES_MAX.min(end), &mut beginning)?;
        let at = (beginning.len() - without_return_path(&beginning).len()) as u64;
        drop(snapshot);
        Ok(Some(Content { engine: engine.clone(), id, at, end }))
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.at
    }

    /// The next piece; empty at the end.
    ///
    /// # Errors
    /// Reading failed.
    pub(crate) fn next(&mut self) -> Result<Vec<u8>, Error> {
        let mut piece = Vec::new();
        let end = (self.at + PIECE_BYTES).min(self.end);
        if self.at < end {
            self.engine.snapshot()?.read_content(self.id, self.at..end, &mut piece)?;
            self.at = end;
        }
        Ok(piece)
    }
}

/// The message behind its first line, if that is the Return-Path that this server wrote.
pub(crate) fn without_return_path(message: &[u8]) -> &[u8] {
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
        assert_eq!(
            without_return_path(b"Received: x\r\nReturn-Path: <>\r\n"),
            b"Received: x\r\nReturn-Path: <>\r\n"
        );
        assert_eq!(without_return_path(b"Return-Path: <a"), b"Return-Path: <a");
    }

    #[test]
    fn pieces_make_the_whole() {
        let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::default());
        let body: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
        let stored = Packed::new(&[b"Return-Path: <>\r\n", &body[..]].concat());
        let id = engine.transact(&[AccountId(0)], move |tx| Ok(tx.append(&stored, 1)?)).wait().unwrap();
        let mut content = Content::open(&engine, id).unwrap().unwrap();
        assert_eq!(content.left(), body.len() as u64);
        let mut whole = Vec::new();
        loop {
            let piece = content.next().unwrap();
            if piece.is_empty() {
                break;
            }
            assert!(piece.len() as u64 <= PIECE_BYTES);
            whole.extend(piece);
        }
        assert!(whole == body);
        assert!(Content::open(&engine, ContentId(999)).unwrap().is_none());
    }
}
