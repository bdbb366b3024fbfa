//! What IMAP4rev2 took away from IMAP4rev1 (RFC 9051, appendix E): a client that enabled it is held to its grammar.

use crate::command::{Body, FetchItem, ListReturn, SearchKey, StatusItem};

/// What of a command is not in IMAP4rev2.
pub(super) fn removed(body: &Body) -> Option<&'static str> {
    match body {
        // Appendix E (17), (19).
        Body::Check => Some("CHECK"),
        Body::Lsub { .. } => Some("LSUB"),
        // Appendix E (12).
        Body::Status { items, .. } if items.contains(&StatusItem::Recent) => Some("STATUS RECENT"),
        Body::List(list) => list.returns.iter().find_map(|option| match option {
            ListReturn::Status(items) if items.contains(&StatusItem::Recent) => Some("STATUS RECENT"),
            _ => None,
        }),
        Body::Search(search) | Body::Esearch { search, .. } | Body::Arrange { search, .. } => {
            let is_removed =
                |key: &SearchKey| matches!(key, SearchKey::Recent | SearchKey::New | SearchKey::Old);
            search.key.holds(&is_removed).then_some("SEARCH for RECENT, NEW and OLD")
        }
        // Appendix E (18).
        Body::Fetch(fetch) => fetch.items.iter().find_map(|item| match item {
            FetchItem::Rfc822 => Some("FETCH RFC822"),
            FetchItem::Rfc822Header => Some("FETCH RFC822.HEADER"),
            FetchItem::Rfc822Text => Some("FETCH RFC822.TEXT"),
            _ => None,
        }),
        _ => None,
    }
}
