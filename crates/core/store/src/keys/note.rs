//! Values of notes of what was brought from elsewhere.

use super::{Reader, VERSION};
use crate::bring::Noted;
use model::{MailboxId, Uid};

/// Where a noted message is: version, kind u8 (1 here: UID u32; 2 as another: mailbox u32, 16 bytes of hash).
pub(crate) struct NoteValue;

impl NoteValue {
    pub(crate) fn encode(noted: Noted) -> Vec<u8> {
        match noted {
            Noted::Here(uid) => [&[VERSION, 1], &uid.0.to_be_bytes()[..]].concat(),
            Noted::As(mailbox, name) => [&[VERSION, 2], &mailbox.0.to_be_bytes()[..], &name].concat(),
        }
    }

    pub(crate) fn decode(value: &[u8]) -> Option<Noted> {
        let mut reader = Reader::versioned(value)?;
        match reader.u8()? {
            1 => Some(Noted::Here(Uid(reader.u32()?))),
            2 => Some(Noted::As(MailboxId(reader.u32()?), reader.0.try_into().ok()?)),
            _ => None,
        }
    }
}
