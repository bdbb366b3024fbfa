//! SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2; RFC 9051 §6.3.2), with the client's own state (QRESYNC, RFC 7162 §3.2.5).

use super::any_state::enable_condstore;
use super::{Begun, url_auth};
use crate::ask::{Access, Answer, Ask, Selected};
use crate::command::Qresync;
use crate::mailbox_name::normalized;
use crate::sequence::SequenceSet;
use crate::session::{ANNOTATION_BYTES_MAX, Core, Done, Event, News, Next, Running, Telling, otherwise};
use crate::view::View;
use crate::write::{self, ListKind};
use model::{SeqNo, Uid, UidSet};

#[derive(Debug)]
struct Select {
    mailbox: String,
    access: Access,
    qresync: Option<Box<Qresync>>,
    /// RFC 5257 §4.2: changes of annotations are told.
    annotate: bool,
    /// The tagged reply, once the mailbox is selected.
    done: Option<Done>,
    /// Changed messages being told.
    telling: Option<Telling>,
}

pub(super) fn start(
    core: &mut Core,
    mailbox: String,
    access: Access,
    (condstore, annotate): (bool, bool),
    qresync: Option<Box<Qresync>>,
) -> Begun {
    if qresync.is_some() && !core.enabled.qresync {
        // RFC 7162 §3.2.5
        return Begun::Now(Done::bad("QRESYNC is not enabled"));
    }
    // RFC 9051 §6.3.2: whatever comes of this, the mailbox selected before is closed.
    if core.view.take().is_some() {
        // RFC 7162 §3.2.11: what comes behind it concerns the new one.
        core.tell("OK", format_args!("[CLOSED] The mailbox selected before is closed"));
    }
    core.dirty = false;
    if condstore {
        enable_condstore(core);
    }
    Begun::Run(Box::new(Select { mailbox, access, qresync, annotate, done: None, telling: None }))
}

impl Running for Select {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Some(telling) = &mut self.telling {
            return telling.resume(core, event);
        }
        match event {
            Event::Go => Next::Ask(Ask::Select { name: self.mailbox.clone(), access: self.access }),
            Event::Answer(Answer::Selected(selected)) => {
                let verb = if self.access == Access::ReadWrite { "SELECT" } else { "EXAMINE" };
                let state = if selected.announced == Access::ReadWrite { "READ-WRITE" } else { "READ-ONLY" };
                let done = Done::ok(format!("[{state}] {verb} completed")).telling(News::None);
                // RFC 7162 §3.2.5.1: with another UIDVALIDITY the client's state means nothing.
                self.qresync.take_if(|known| known.uid_validity != selected.uid_validity);
                announce(core, *selected);
                if let Some(view) = &mut core.view {
                    view.annotate = self.annotate;
                }
                if core.enabled.rev2 {
                    self.list(core);
                }
                match &self.qresync {
                    Some(known) => {
                        self.done = Some(done);
                        Next::Ask(Ask::Resync { since: known.modseq })
                    }
                    None => Next::Done(done),
                }
            }
            Event::Answer(Answer::Resync { vanished, changed }) => match (self.done.take(), &self.qresync) {
                (Some(done), Some(known)) => {
                    let changed = resync(core, known, vanished, changed);
                    let telling = self.telling.insert(Telling::of_flags(changed, done));
                    telling.resume(core, Event::Go)
                }
                _ => otherwise(Event::Answer(Answer::Resync { vanished, changed })),
            },
            event => match otherwise(event) {
                Next::Done(done) => {
                    // RFC 9051 §6.3.2: NO means that nothing is selected, even if it is what came after that failed.
                    core.view = None;
                    Next::Done(done.telling(News::None))
                }
                next => next,
            },
        }
    }
}

impl Select {
    /// RFC 9051 §6.3.2: LIST with the mailbox's name, and the client's if that is another form of it.
    fn list(&self, core: &mut Core) {
        let names = core.enabled.names();
        match normalized(&self.mailbox) {
            Some(name) => write::list_oldname(&mut core.out, &[], &name, &self.mailbox, names),
            None => write::list(&mut core.out, ListKind::List, [], &self.mailbox, names, &[]),
        }
    }
}

/// Tells what is gone; answers which messages changed.
fn resync(core: &mut Core, known: &Qresync, vanished: UidSet, changed: UidSet) -> UidSet {
    let Some(view) = &core.view else { return UidSet::new() };
    let told = view.told();
    // What went after the selection is news, and still counted.
    let mut gone = vanished.minus(told);
    let mut changed = changed.and(told);
    if let Some(uids) = &known.known_uids {
        gone = uids.of_gone(&gone, None);
        changed = uids.of_gone(&changed, None);
    }
    if let Some((numbers, uids)) = &known.known_pairs
        && let Some(last) = last_match(told, numbers, uids)
    {
        gone = gone.iter_from(Uid(last.0.saturating_add(1))).collect();
    }
    write::vanished(&mut core.out, write::Vanished::Earlier, &gone);
    changed
}

/// The highest message of which the client has the right number: what went below it, the client knows (RFC 7162 §3.2.5.2).
fn last_match(told: &UidSet, numbers: &SequenceSet, uids: &SequenceSet) -> Option<Uid> {
    let mut numbers = numbers.plain_ranges()?.iter().copied();
    let mut uids = uids.plain_ranges()?.iter().copied();
    let (mut number, mut uid) = (numbers.next(), uids.next());
    let mut found = None;
    // There are as many numbers as UIDs; the parser has counted them.
    while let (Some(here), Some(there)) = (number, uid) {
        // So many pairs go up side by side.
        let length = (here.1 - here.0).min(there.1 - there.0);
        found = match_within(told, here.0, there.0, length).or(found);
        let rest = |(first, last): (u32, u32)| Some((first.checked_add(length)?.checked_add(1)?, last));
        number = rest(here).filter(|(first, last)| first <= last).or_else(|| numbers.next());
        uid = rest(there).filter(|(first, last)| first <= last).or_else(|| uids.next());
    }
    found
}

/// The same for the pairs `number + i` and `uid + i`, `i` up to `length`. The UID of a message goes up at least as fast as its
/// number, so the pairs that match lie side by side.
fn match_within(told: &UidSet, number: u32, uid: u32, length: u32) -> Option<Uid> {
    let fits = |i: u32| told.select(SeqNo(number + i)).is_some_and(|found| found.0 <= uid + i);
    let (mut low, mut high) = (0, u64::from(length) + 1);
    while low < high {
        let middle = (low + high) / 2;
        if fits(middle as u32) { low = middle + 1 } else { high = middle }
    }
    let last = u32::try_from(low.checked_sub(1)?).ok()?;
    let found = Uid(uid + last);
    (told.select(SeqNo(number + last)) == Some(found)).then_some(found)
}

/// The untagged responses in the order of RFC 3501's examples.
fn announce(core: &mut Core, selected: Selected) {
    let first_unseen = selected.first_unseen.and_then(|uid| selected.uids.rank(uid));
    let uid_next = selected.uid_next;
    let view = View::new(selected);
    let (count, recent) = (view.count(), view.recent.len());
    let (uid_validity, highest, mailbox, owner) = (view.uid_validity, view.known, view.mailbox, view.owner);
    core.view = Some(Box::new(view));
    write::exists(&mut core.out, count);
    // RFC 9051, appendix E (11), (12): neither RECENT nor UNSEEN. RFC 9586 §3: UNSEEN is a sequence number.
    if !core.enabled.rev2 {
        write::recent(&mut core.out, recent);
    }
    if let Some(number) = first_unseen.filter(|_| !core.enabled.rev2 && !core.enabled.uid_only) {
        core.tell("OK", format_args!("[UNSEEN {number}] Message {number} is the first unseen"));
    }
    core.tell("OK", format_args!("[UIDVALIDITY {uid_validity}] UIDs are valid"));
    core.tell("OK", format_args!("[UIDNEXT {uid_next}] Predicted next UID"));
    core.flags_lines();
    // RFC 7162 §3.1.2.1: due after a CONDSTORE enabling command, and harmless before one.
    core.tell("OK", format_args!("[HIGHESTMODSEQ {highest}] Highest modification sequence"));
    // RFC 8474 §4.2
    let mailbox = write::mailbox_id_text(owner, mailbox);
    core.tell("OK", format_args!("[MAILBOXID ({mailbox})] Id of this mailbox"));
    // RFC 5257 §4.1; §3.4: one's own values may be changed after EXAMINE, too.
    let annotations = if core.anonymous { "READ-ONLY".to_owned() } else { ANNOTATION_BYTES_MAX.to_string() };
    core.tell("OK", format_args!("[ANNOTATIONS {annotations}] Largest annotation"));
    // RFC 4467 §8
    if core.secure {
        core.tell("OK", format_args!("{}Mechanisms for URLAUTH", url_auth::mechanisms(core)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_sequence_set;
    use proptest::prelude::*;

    fn last(told: &UidSet, numbers: &str, uids: &str) -> Option<u32> {
        let set = |text: &str| parse_sequence_set(text.as_bytes()).unwrap();
        last_match(told, &set(numbers), &set(uids)).map(|uid| uid.0)
    }

    #[test]
    fn examples_of_rfc_7162_section_3_2_5_2() {
        let told: UidSet = (1..=10_003).map(|n| Uid(n * 3)).collect();
        let uids = "15000,22500,27000,29970,29973,29976,29979,29982,29985,29988,29991,29994,29997";
        assert_eq!(last(&told, "5000,7500,9000,9990:9999", uids), Some(29_997));
        // The fourth message has UID 8, the twelfth is not 24 any more.
        let told: UidSet = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 25].map(Uid).into_iter().collect();
        assert_eq!(last(&told, "4,12", "8,24"), Some(8));
        assert_eq!(last(&told, "1", "1"), None);
        assert_eq!(last(&told, "1:4294967295", "1:4294967295"), None);
    }

    proptest! {
        #[test]
        fn the_last_match_is_found_by_looking_at_each(
            members in proptest::collection::btree_set(1_u32..40, 0..30),
            numbers in proptest::collection::btree_set(1_u32..40, 1..12),
            uids in proptest::collection::btree_set(1_u32..40, 1..12),
        ) {
            let told: UidSet = members.into_iter().map(Uid).collect();
            let length = numbers.len().min(uids.len());
            let text = |set: &std::collections::BTreeSet<u32>| {
                set.iter().take(length).map(u32::to_string).collect::<Vec<_>>().join(",")
            };
            let pairs = numbers.iter().zip(&uids).take(length);
            let wanted = pairs.filter(|(n, uid)| told.select(SeqNo(**n)) == Some(Uid(**uid))).map(|(_, uid)| *uid).next_back();
            prop_assert_eq!(last(&told, &text(&numbers), &text(&uids)), wanted);
        }
    }
}
