//! Between the store's values and the session's: neither side knows the other.

use ::imap::ask;
use model::{Flag, Query, Rights, Uid, UidSet};

pub(super) fn counters(from: &store::Counters, owner: ask::Owner, deleted_size: u64) -> ask::Counters {
    ask::Counters {
        messages: from.messages,
        recent: from.recent,
        unseen: from.unseen,
        deleted: from.deleted,
        uid_next: from.uid_next,
        uid_validity: from.uid_validity,
        owner,
        highest_modseq: from.highest_modseq,
        size: from.size,
        deleted_size,
    }
}

pub(super) fn quota(from: &store::Usage) -> ask::Quota {
    ask::Quota {
        storage: ask::Resource { usage: from.bytes, limit: from.limits.bytes },
        messages: ask::Resource { usage: from.messages, limit: from.limits.messages },
        mailboxes: ask::Resource {
            usage: u64::from(from.mailboxes),
            limit: Some(u64::from(store::MAILBOXES_MAX)),
        },
    }
}

/// `name=Thunderbird version=128.0`, for the log.
pub(super) fn client(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.join(" ")
}

pub(super) fn mailbox(
    from: store::MailboxInfo,
    counters: Option<ask::Counters>,
    rights: Rights,
) -> ask::MailboxRow {
    ask::MailboxRow {
        counters,
        name: from.name,
        id: from.id,
        special_use: from.special_use,
        subscribed: from.subscribed,
        rights,
    }
}

pub(super) fn changes(from: &store::Changes, recent: UidSet) -> ask::Changes {
    ask::Changes {
        up_to: from.up_to,
        uids: from.uids.clone(),
        vanished: from.vanished.clone(),
        arrived: from.arrived.clone(),
        recent,
        flagged: from.flagged.clone(),
        uid_next: from.uid_next,
        keywords: from.keywords.clone(),
    }
}

/// What happened, to a client that comes back.
pub(super) fn resync(from: Option<store::Changes>) -> ask::Answer {
    let (vanished, changed) =
        from.map_or_else(Default::default, |from| ((*from.vanished).clone(), from.arrived.or(&from.flagged)));
    ask::Answer::Resync { vanished, changed }
}

pub(super) fn depth(from: ::imap::command::Depth) -> store::Depth {
    match from {
        ::imap::command::Depth::Zero => store::Depth::Zero,
        ::imap::command::Depth::One => store::Depth::One,
        ::imap::command::Depth::Infinity => store::Depth::Infinity,
    }
}

pub(super) fn needs(from: ask::Needs) -> store::Needs {
    store::Needs {
        digest: from.digest,
        content: match from.content {
            ask::ContentNeed::None => store::ContentNeed::None,
            ask::ContentNeed::Header => store::ContentNeed::Header,
            ask::ContentNeed::Range { start, length } => store::ContentNeed::Range { start, length },
        },
    }
}

pub(super) fn row(row: store::Row, trace: &str) -> ask::Row {
    ask::Row {
        uid: row.uid,
        email_id: row.email_id,
        thread_id: row.thread_id,
        modseq: row.modseq,
        flags: row.flags,
        keywords: row.keywords,
        size: row.size,
        internal_date: row.received,
        save_date: row.saved,
        more: more(row.uid, row.digest, row.content, trace),
    }
}

/// What a row has beside; nothing where only rows were asked for.
fn more(
    uid: Uid,
    digest: Option<Box<store::Digest>>,
    content: store::RowContent,
    trace: &str,
) -> Option<Box<ask::More>> {
    let content = match content {
        store::RowContent::None if digest.is_none() => return None,
        store::RowContent::None => ask::RowContent::None,
        store::RowContent::Bytes(bytes) => ask::RowContent::Bytes(bytes),
        store::RowContent::Corrupt(why) => {
            tracing::error!(trace, %uid, why, "a message can't be read, its record is damaged");
            ask::RowContent::Corrupt
        }
    };
    let digest = digest.and_then(|digest| {
        let store::Digest { bytes, envelope_end, body_end, header_length } = *digest;
        ask::Digest::new(bytes, envelope_end, body_end, header_length)
    });
    Some(Box::new(ask::More::new(digest, content)))
}

pub(super) fn rows(from: store::Rows<ask::Row>, trace: &str) -> ask::Rows {
    for record in &from.damaged {
        tracing::error!(trace, record, "a message can't be shown, its record is damaged");
    }
    ask::Rows { rows: from.rows, next: from.next, keywords: from.keywords }
}

pub(super) fn stored(from: store::Stored) -> ask::Answer {
    ask::Answer::Stored(Box::new(ask::Stored {
        modseq: from.modseq,
        changed: from.changed,
        modified: from.modified,
        missing: from.missing,
        overtaken: from.overtaken,
    }))
}

pub(super) fn copied(place: ask::Place, from: store::Copied) -> ask::Answer {
    ask::Answer::Copied(Box::new(ask::Copied {
        place,
        uid_validity: from.uid_validity,
        from: from.from,
        to: from.to,
        missing: from.missing,
        modseq: from.modseq,
    }))
}

/// The query of somebody who has a \Seen of his own; None: it does not ask for that.
pub(super) fn own_seen(query: &Query, seen: &UidSet) -> Option<Query> {
    let all = |queries: &[Query]| -> Option<Vec<Query>> {
        let mine: Vec<Option<Query>> = queries.iter().map(|query| own_seen(query, seen)).collect();
        let changed = mine.iter().any(Option::is_some);
        changed.then(|| {
            mine.into_iter().zip(queries).map(|(mine, query)| mine.unwrap_or(query.clone())).collect()
        })
    };
    match query {
        Query::Flag(Flag::Seen) => Some(Query::Uids(seen.clone())),
        Query::Not(inner) => own_seen(inner, seen).map(|inner| Query::Not(Box::new(inner))),
        Query::Fuzzy(inner) => own_seen(inner, seen).map(|inner| Query::Fuzzy(Box::new(inner))),
        Query::Collated(by, inner) => own_seen(inner, seen).map(|inner| inner.collated(*by)),
        Query::And(queries) => all(queries).map(Query::And),
        Query::Or(queries) => all(queries).map(Query::Or),
        _ => None,
    }
}

/// Whether the client asked by modification sequence and so wants to hear the highest one found (RFC 7162 §3.1.5).
pub(super) fn names_modseq(query: &Query) -> bool {
    match query {
        Query::ModSeq(_) => true,
        Query::Not(inner) | Query::Fuzzy(inner) | Query::Collated(_, inner) => names_modseq(inner),
        Query::And(all) | Query::Or(all) => all.iter().any(names_modseq),
        _ => false,
    }
}
