//! Annotations of messages (RFC 5257): who may do what, what a user sees, and what SEARCH asks of them.

use super::{ImapAgent, refused};
use crate::world::{self, World};
use ::imap::ask::{Annotation, NewMessage, Refused, RefusedKind, Rows};
use ::imap::command::part_of_entry;
use engine::AccountId;
use model::{AnnotationChange, AnnotationScope, Collation, MailboxId, Query, Rights, UidSet};
use store::{NewAnnotation, SERVER, may_annotate};

/// Most messages whose structure is looked at for one STORE of annotations of parts.
const STRUCTURES_MAX: u32 = 1000;

/// What SELECT announces is what the store takes.
const _: () = assert!(store::ANNOTATION_BYTES_MAX == ::imap::ANNOTATION_BYTES_MAX);

impl ImapAgent {
    /// Adds what this user may see; shortens the page where it becomes too much.
    pub(super) fn add_annotations(
        &self,
        (owner, mailbox): (AccountId, MailboxId),
        rows: &mut Rows,
        bytes_max: usize,
    ) -> Result<(), Refused> {
        let (Some(first), Some(last)) = (rows.rows.first(), rows.rows.last()) else { return Ok(()) };
        let (span, user) = ((first.uid, last.uid), self.account()?);
        let (page, next) =
            self.store().annotations(owner, mailbox, user, span, bytes_max).map_err(refused)?;
        if let Some(next) = next {
            // At least one message's annotations came, so that the first row stays.
            rows.rows.retain(|row| row.uid < next);
            rows.next = Some(next);
        }
        for (uid, annotations) in page {
            let Ok(at) = rows.rows.binary_search_by_key(&uid, |row| row.uid) else { continue };
            rows.rows[at].more().annotations = annotations.into_iter().map(shown).collect();
        }
        Ok(())
    }

    /// Whether annotations of these messages may be changed so.
    pub(super) fn may_annotate(
        &self,
        (owner, mailbox): (AccountId, MailboxId),
        uids: &UidSet,
        changes: &[AnnotationChange],
        rights: Rights,
    ) -> Result<(), Refused> {
        allowed(changes, rights)?;
        let parts = parts(changes);
        if parts.is_empty() {
            return Ok(());
        }
        if uids.len() > STRUCTURES_MAX {
            let text = "annotations of parts are for fewer messages at once";
            return Err(Refused::new(RefusedKind::Limit, text));
        }
        for uid in uids.iter() {
            match self.store().content(owner, mailbox, uid, 0, u64::MAX) {
                Ok(content) => has_parts(&content, &parts)?,
                // Gone meanwhile.
                Err(store::Error::NoMessage) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Ok(())
    }

    /// Takes a new message apart on this connection's thread; `may` is what this user may do where it goes.
    pub(super) fn prepare(&self, message: NewMessage, may: Rights) -> Result<store::NewMessage, Refused> {
        allowed(&message.annotations, may)?;
        let parts = parts(&message.annotations);
        if !parts.is_empty() {
            has_parts(&message.content, &parts)?;
        }
        let user = self.account()?;
        let annotations = message.annotations.into_iter().filter_map(|change| {
            let user = if change.scope == AnnotationScope::Shared { SERVER } else { user };
            Some(NewAnnotation { user, entry: change.entry, value: change.value? })
        });
        Ok(store::NewMessage {
            message: world::prepare(&message.content).map_err(refused)?,
            flags: message.flags,
            keywords: message.keywords,
            received: message.internal_date.unwrap_or_else(World::now),
            annotations: annotations.collect(),
        })
    }

    /// The query with UIDs in place of what it asks of annotations; None: it asks nothing of them.
    pub(super) fn with_annotated(
        &self,
        place: (AccountId, MailboxId),
        query: &Query,
        collation: Collation,
    ) -> Result<Option<Query>, Refused> {
        let inner = |inner: &Query, collation| self.with_annotated(place, inner, collation);
        let all = |queries: &[Query]| -> Result<Option<Vec<Query>>, Refused> {
            let mine: Vec<Option<Query>> =
                queries.iter().map(|query| inner(query, collation)).collect::<Result<_, _>>()?;
            let changed = mine.iter().any(Option::is_some);
            let filled = mine.into_iter().zip(queries);
            Ok(changed.then(|| filled.map(|(mine, query)| mine.unwrap_or_else(|| query.clone())).collect()))
        };
        Ok(match query {
            Query::Annotation(wanted) => {
                let (owner, mailbox) = place;
                let found = self.store().annotated(owner, mailbox, self.account()?, wanted, collation);
                Some(Query::Uids(found.map_err(refused)?))
            }
            Query::Not(query) => inner(query, collation)?.map(|query| Query::Not(Box::new(query))),
            Query::Fuzzy(query) => inner(query, collation)?.map(|query| Query::Fuzzy(Box::new(query))),
            Query::Collated(by, query) => inner(query, *by)?.map(|query| query.collated(*by)),
            Query::And(queries) => all(queries)?.map(Query::And),
            Query::Or(queries) => all(queries)?.map(Query::Or),
            _ => None,
        })
    }
}

fn shown(from: store::Annotation) -> Annotation {
    Annotation { entry: from.entry, scope: from.scope, modseq: from.modseq, value: from.value }
}

/// RFC 5257 §3.4
fn allowed(changes: &[AnnotationChange], rights: Rights) -> Result<(), Refused> {
    match changes.iter().all(|change| may_annotate(rights, change.scope)) {
        true => Ok(()),
        false => Err(Refused::new(RefusedKind::NoPerm, "you may not change these annotations here")),
    }
}

/// The parts that entries are about.
fn parts(changes: &[AnnotationChange]) -> Vec<Vec<u32>> {
    let mut parts: Vec<Vec<u32>> = changes.iter().filter_map(|change| part_of_entry(&change.entry)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// RFC 5257 §3.2.1: BAD for "a specifier referring to a non-existent part".
fn has_parts(content: &[u8], parts: &[Vec<u32>]) -> Result<(), Refused> {
    let structure = mime::parse(content);
    match parts.iter().find(|part| mime::section::resolve(&structure, part).is_none()) {
        None => Ok(()),
        Some(part) => {
            let numbers: Vec<String> = part.iter().map(u32::to_string).collect();
            Err(Refused::new(RefusedKind::BadPart, format!("there is no part {}", numbers.join("."))))
        }
    }
}
