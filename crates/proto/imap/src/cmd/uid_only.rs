//! What a client may not say once it enabled UIDONLY (RFC 9586): anything with message sequence numbers.

use crate::command::{Body, Numbering, SearchKey};
use crate::session::Done;

/// BAD, for a command that uses sequence numbers.
pub(super) fn refused(body: &Body) -> Option<Done> {
    let uses_numbers = match body {
        // RFC 9586 §3.2; §3.8 for REPLACE.
        Body::Fetch(fetch) => fetch.numbering == Numbering::Sequence,
        Body::Store(store) => store.numbering == Numbering::Sequence,
        Body::Copy { numbering, .. } | Body::Replace { numbering, .. } => *numbering == Numbering::Sequence,
        // §3.5, §3.6
        Body::Search(search) | Body::Arrange { search, .. } => {
            search.numbering == Numbering::Sequence
                || search.key.holds(&|key| matches!(key, SearchKey::Sequence(_)))
        }
        Body::Esearch { search, .. } => search.key.holds(&|key| matches!(key, SearchKey::Sequence(_))),
        // §3.7
        Body::Select { qresync, .. } => qresync.as_ref().is_some_and(|known| known.known_pairs.is_some()),
        _ => false,
    };
    uses_numbers.then(|| Done::bad("[UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled"))
}
