//! Which messages are between their end (the final dot) and the note of the reply to it, in a small file.
//!
//! RFC 5321 §6.1: whoever stops in that time can't know whether the next host has the message; it is sent again, and the
//! operator has to be told that there may be two copies. In memory that knowledge would die with the process, and in the
//! store it would cost each message a second commit. So it is written beside the store, in place and without a sync: some
//! 32 bytes before the end leaves, and as many zeros when the reply is noted. What the process has written stays when it
//! is killed. When the machine itself stops, what the system had not yet written (some seconds) is not told.
//!
//! The file has a place for each message that was ever under way at the same time; a place is
//! `1, 3 zeros, index of the first recipient (4), its attempts before (4), the message (8), 4 zeros, checksum (8)`,
//! little-endian; or zeros.

use parking_lot::Mutex;
use queue::QueueId;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const PLACE_BYTES: usize = 32;
const VERSION: u8 = 1;
/// Of more at a time nothing is kept; the file is never larger than this.
const PLACES_MAX: u32 = 1 << 16;

/// A message that was under way when the server stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Left {
    /// The message.
    pub id: QueueId,
    /// Its first recipient there.
    pub index: u32,
    /// Attempts noted for that recipient before.
    pub attempts: u32,
}

impl Left {
    fn encode(self) -> [u8; PLACE_BYTES] {
        let mut place = [0; PLACE_BYTES];
        place[0] = VERSION;
        place[4..8].copy_from_slice(&self.index.to_le_bytes());
        place[8..12].copy_from_slice(&self.attempts.to_le_bytes());
        place[12..20].copy_from_slice(&self.id.0.to_le_bytes());
        let sum = checksum(&place[..24]);
        place[24..].copy_from_slice(&sum.to_le_bytes());
        place
    }

    /// None: nothing, or nothing that can be read.
    fn decode(place: &[u8; PLACE_BYTES]) -> Option<Left> {
        let number = |at: usize| u32::from_le_bytes([place[at], place[at + 1], place[at + 2], place[at + 3]]);
        let long = |at: usize| u64::from(number(at)) | u64::from(number(at + 4)) << 32;
        let is_sound = place[0] == VERSION && long(24) == checksum(&place[..24]);
        is_sound.then(|| Left { id: QueueId(long(12)), index: number(4), attempts: number(8) })
    }
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, step)
}

/// What is just being handed over to other hosts, in a file: a crash leaves it there, and it is told of at the next start.
pub struct UnderWay {
    file: Option<File>,
    places: Mutex<Places>,
    left: Mutex<Vec<Left>>,
}

#[derive(Default)]
struct Places {
    free: Vec<u32>,
    count: u32,
}

impl UnderWay {
    /// Opens the file, or makes it, and takes out what the last run has left there.
    ///
    /// # Errors
    /// As the system says.
    pub fn open(path: &Path) -> io::Result<UnderWay> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(u64::from(PLACES_MAX) * PLACE_BYTES as u64).read_to_end(&mut bytes)?;
        let left = bytes.as_chunks::<PLACE_BYTES>().0.iter().filter_map(Left::decode).collect();
        let (places, left) = (Mutex::default(), Mutex::new(left));
        Ok(UnderWay { file: Some(file), places, left })
    }

    /// Remembers nothing.
    pub fn nowhere() -> UnderWay {
        UnderWay { file: None, places: Mutex::default(), left: Mutex::default() }
    }

    /// What the last run has left, once; to be told before anything new is begun.
    pub(crate) fn take_left(&self) -> Vec<Left> {
        let left = std::mem::take(&mut *self.left.lock());
        if let Some(file) = &self.file
            && let Err(error) = file.set_len(0)
        {
            tracing::warn!(%error, "what was under way can't be forgotten; it is told again after the next start");
        }
        left
    }

    /// The end of a message is about to leave. None: that can't be kept.
    pub(crate) fn mark(self: &Arc<Self>, message: Left) -> Option<Mark> {
        let file = self.file.as_ref()?;
        let place = self.places.lock().take()?;
        let mark = Mark { under_way: self.clone(), place };
        match file.write_all_at(&message.encode(), offset(place)) {
            Ok(()) => Some(mark),
            Err(error) => {
                tracing::debug!(%error, "what is under way can't be kept");
                mark.noted();
                None
            }
        }
    }
}

impl Places {
    fn take(&mut self) -> Option<u32> {
        self.free.pop().or_else(|| {
            let next = self.count;
            (next < PLACES_MAX).then(|| self.count += 1)?;
            Some(next)
        })
    }
}

fn offset(place: u32) -> u64 {
    u64::from(place) * PLACE_BYTES as u64
}

/// A message under way. Dropped without [`Mark::noted`] it stays in the file.
pub(crate) struct Mark {
    under_way: Arc<UnderWay>,
    place: u32,
}

impl Mark {
    /// What became of it is durable.
    pub(crate) fn noted(self) {
        let Some(file) = &self.under_way.file else { return };
        match file.write_all_at(&[0; PLACE_BYTES], offset(self.place)) {
            Ok(()) => self.under_way.places.lock().free.push(self.place),
            // The place is not used again.
            Err(error) => tracing::debug!(%error, "what is no longer under way can't be forgotten"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_noted_is_there_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sending");
        let message = |id| Left { id: QueueId(id), index: 7, attempts: 2 };
        let first = Arc::new(UnderWay::open(&path).unwrap());
        assert_eq!(first.take_left(), []);
        let [one, two, three] = [1, u64::MAX, 3].map(|id| first.mark(message(id)).unwrap());
        one.noted();
        let four = first.mark(message(4)).unwrap();
        three.noted();
        drop((two, four));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 96, "places are used again");
        let second = Arc::new(UnderWay::open(&path).unwrap());
        assert_eq!(second.take_left(), [message(4), message(u64::MAX)]);
        assert_eq!(second.take_left(), []);
        second.mark(message(5)).unwrap().noted();
        assert_eq!(UnderWay::open(&path).unwrap().take_left(), []);
        assert!(Arc::new(UnderWay::nowhere()).mark(message(6)).is_none());
    }

    #[test]
    fn damage_is_nothing() {
        let mut place = Left { id: QueueId(9), index: 0, attempts: 0 }.encode();
        assert!(Left::decode(&place).is_some());
        place[13] ^= 1;
        assert_eq!(Left::decode(&place), None);
        assert_eq!(Left::decode(&[0; PLACE_BYTES]), None);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sending");
        std::fs::write(&path, [1; 77]).unwrap();
        assert_eq!(UnderWay::open(&path).unwrap().take_left(), []);
    }
}
