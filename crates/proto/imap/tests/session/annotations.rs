//! Messages as they are shown, and their annotations (RFC 5257). There is one user.

use crate::happenings::Happening;
use crate::search::fold;
use crate::world::{Message, NOW, World, digest, range, refused};
use imap::ask::{Annotation, Answer, ContentNeed, More, Needs, RefusedKind, Row, RowContent, Stored};
use imap::command::part_of_entry;
use model::{
    AnnotationChange, AnnotationKey, AnnotationQuery, AnnotationScope, Collation, EmailId, ModSeq, Right,
    ThreadId, Uid, UidSet, UnixTime, is_annotation_entry,
};
use std::collections::BTreeMap;

/// Values, and when they changed, by name and whose.
pub type Annotated = BTreeMap<(String, AnnotationScope), (Option<Vec<u8>>, u64)>;

/// Most values of a message, and octets of one: few, to be reached.
const VALUES_MAX: usize = 10;
const VALUE_BYTES_MAX: usize = 64;

fn annotations(message: &Message) -> Vec<Annotation> {
    let shown = message.annotations.iter().map(|((entry, scope), (value, modseq))| Annotation {
        entry: entry.clone(),
        scope: *scope,
        modseq: ModSeq(*modseq),
        value: value.clone(),
    });
    shown.collect()
}

/// Whether a message has an annotation with that text in it.
pub fn annotated(message: &Message, query: &AnnotationQuery, by: Collation) -> bool {
    message.annotations.iter().any(|((entry, scope), (value, _))| {
        let text = value.as_ref().map(|value| fold(&String::from_utf8_lossy(value), by));
        is_annotation_entry(entry, &query.entries)
            && query.scope.is_none_or(|wanted| wanted == *scope)
            && text.is_some_and(|text| text.contains(&fold(&query.text, by)))
    })
}

/// The text that SORT compares.
pub fn sorted_by(message: &Message, key: &AnnotationKey, by: Collation) -> String {
    let value = message.annotations.get(&(key.entry.clone(), key.scope)).and_then(|(value, _)| value.clone());
    fold(&String::from_utf8_lossy(&value.unwrap_or_default()), by)
}

impl World {
    pub fn row(&self, uid: u32, message: &Message, needs: Needs) -> Row {
        let content = match needs.content {
            _ if message.corrupt && needs.content != ContentNeed::None => RowContent::Corrupt,
            ContentNeed::None => RowContent::None,
            ContentNeed::Header => {
                let header = mime::header::header_length(&message.content);
                RowContent::Bytes(message.content[..header].to_vec())
            }
            ContentNeed::Range { start, length } => {
                RowContent::Bytes(range(&message.content, start, length).to_vec())
            }
        };
        let mut more = More::new((needs.digest && self.digests).then(|| digest(&message.content)), content);
        if needs.annotations {
            more.annotations = annotations(message);
        }
        Row {
            uid: Uid(uid),
            email_id: EmailId(message.email),
            thread_id: ThreadId(message.email),
            modseq: ModSeq(message.modseq),
            flags: message.flags,
            keywords: message.keywords.iter().copied().collect(),
            size: message.content.len() as u64,
            internal_date: UnixTime(message.date),
            save_date: UnixTime(NOW),
            more: Some(Box::new(more)),
        }
    }

    /// What may not be done (RFC 5257 §3.2.1, §3.4, §4.5).
    fn refuses(&self, id: u32, message: &Message, changes: &[AnnotationChange]) -> Option<Answer> {
        let structure = mime::parse(&message.content);
        let missing = |part: &Vec<u32>| mime::section::resolve(&structure, part).is_none();
        if changes.iter().filter_map(|change| part_of_entry(&change.entry)).any(|part| missing(&part)) {
            return Some(refused(RefusedKind::BadPart, "There is no such part"));
        }
        if changes.iter().any(|change| change.scope == AnnotationScope::Shared)
            && let Err(why) = self.may(id, Right::Annotate)
        {
            return Some(why);
        }
        let size = |change: &AnnotationChange| change.value.as_ref().map_or(0, Vec::len);
        if changes.iter().any(|change| size(change) > VALUE_BYTES_MAX) {
            return Some(refused(RefusedKind::AnnotationSize, "That is too large"));
        }
        let live = message.annotations.values().filter(|(value, _)| value.is_some()).count();
        (live + changes.len() > VALUES_MAX)
            .then(|| refused(RefusedKind::Annotations, "There are too many annotations"))
    }

    pub fn annotate(
        &mut self,
        id: u32,
        uids: &UidSet,
        changes: &[AnnotationChange],
        unchanged_since: Option<ModSeq>,
        (known, own): (ModSeq, &[ModSeq]),
    ) -> Answer {
        for (uid, message) in &self.mailboxes[&id].messages {
            if uids.contains(Uid(*uid))
                && let Some(why) = self.refuses(id, message, changes)
            {
                return why;
            }
        }
        let modseq = self.next_modseq();
        let mailbox = self.mailboxes.get_mut(&id).expect("selected");
        let mut stored = Stored {
            modseq: ModSeq(mailbox.highest),
            changed: UidSet::new(),
            modified: UidSet::new(),
            missing: UidSet::new(),
            overtaken: UidSet::new(),
        };
        for uid in uids.iter() {
            let Some(message) = mailbox.messages.get_mut(&uid.0) else {
                stored.missing.insert(uid);
                continue;
            };
            if message.modseq > known.0 && !own.contains(&ModSeq(message.modseq)) {
                stored.overtaken.insert(uid);
            }
            if unchanged_since.is_some_and(|limit| message.modseq > limit.0) {
                stored.modified.insert(uid);
                continue;
            }
            if set(message, changes, modseq) {
                message.modseq = modseq;
                stored.changed.insert(uid);
            }
        }
        if !stored.changed.is_empty() {
            stored.modseq = ModSeq(modseq);
            mailbox.highest = modseq;
            self.note(Happening::Flagged(id));
        }
        Answer::Stored(Box::new(stored))
    }

    /// A message that was just added.
    pub fn annotate_new(&mut self, id: u32, uid: u32, changes: Vec<AnnotationChange>) {
        let message = self.mailboxes.get_mut(&id).and_then(|mailbox| mailbox.messages.get_mut(&uid));
        let message = message.expect("new");
        let modseq = message.modseq;
        set(message, &changes, modseq);
    }
}

fn set(message: &mut Message, changes: &[AnnotationChange], modseq: u64) -> bool {
    let mut changed = false;
    for change in changes {
        let key = (change.entry.clone(), change.scope);
        let before = message.annotations.get(&key).and_then(|(value, _)| value.clone());
        if before != change.value {
            message.annotations.insert(key, (change.value.clone(), modseq));
            changed = true;
        }
    }
    changed
}
