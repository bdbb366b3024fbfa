//! What sessions see: opening, \Recent, changes.

use super::*;
use model::Flag;

#[test]
fn everyone_who_looks_at_a_state_shares_it() {
    let (store, _) = store();
    fill(&store, ANNA, 3);
    let (one, other) = (store.open(ANNA, INBOX).unwrap(), store.open(ANNA, INBOX).unwrap());
    assert!(Arc::ptr_eq(&one.uids, &other.uids));
    store.remove(ANNA, INBOX, uids(&[2])).wait().unwrap();
    fill(&store, ANNA, 1);
    let later = store.open(ANNA, INBOX).unwrap();
    assert_eq!((&*one.uids, &*later.uids), (&uids(&[1, 2, 3]), &uids(&[1, 3, 4])));
    assert_eq!(later.counters.messages, 3);
    let fresh = Store::new(store.engine().clone()).open(ANNA, INBOX).unwrap();
    assert_eq!(*fresh.uids, *later.uids);
}

#[test]
fn the_first_unseen_is_found_whatever_happens_to_it() {
    let (store, _) = store();
    let first = || store.open(ANNA, INBOX).unwrap().first_unseen.map(|uid| uid.0);
    assert_eq!(first(), None);
    fill(&store, ANNA, 5);
    assert_eq!(first(), Some(1));
    flag(&store, ANNA, &[1, 2, 4], change(FlagMode::Add, &[Flag::Seen], &[]));
    assert_eq!(first(), Some(3));
    flag(&store, ANNA, &[2], change(FlagMode::Remove, &[Flag::Seen], &[]));
    assert_eq!(first(), Some(2));
    store.remove(ANNA, INBOX, uids(&[2, 3])).wait().unwrap();
    assert_eq!(first(), Some(5));
    flag(&store, ANNA, &[5], change(FlagMode::Add, &[Flag::Seen], &[]));
    assert_eq!(first(), None);
    fill(&store, ANNA, 1);
    assert_eq!(first(), Some(6));
    fill(&store, ANNA, 1500);
    let many: Vec<u32> = (1..=1506).collect();
    flag(&store, ANNA, &many, change(FlagMode::Add, &[Flag::Seen], &[]));
    assert_eq!(first(), None);
    flag(&store, ANNA, &many[99..], change(FlagMode::Remove, &[Flag::Seen], &[]));
    assert_eq!(first(), Some(100));
}

#[test]
fn a_message_is_recent_for_one_session_only() {
    let (store, _) = store();
    fill(&store, ANNA, 3);
    let opened = store.open(ANNA, INBOX).unwrap();
    assert_eq!(opened.counters.recent, 3);
    assert_eq!(store.recent(ANNA, INBOX, &opened.uids).unwrap(), uids(&[1, 2, 3]), "EXAMINE takes nothing");
    assert_eq!(store.claim_recent(ANNA, INBOX, &opened.uids).unwrap(), uids(&[1, 2, 3]));
    assert_eq!(store.claim_recent(ANNA, INBOX, &opened.uids).unwrap(), UidSet::new());
    assert_eq!(store.mailbox(ANNA, INBOX).unwrap().counters.recent, 0);
    fill(&store, ANNA, 2);
    assert_eq!(store.mailbox(ANNA, INBOX).unwrap().counters.recent, 2);
    store.remove(ANNA, INBOX, uids(&[1, 4])).wait().unwrap();
    assert_eq!(store.mailbox(ANNA, INBOX).unwrap().counters.recent, 1);
    // After a restart, too.
    let again = Store::new(store.engine().clone());
    let opened = again.open(ANNA, INBOX).unwrap();
    assert_eq!(again.claim_recent(ANNA, INBOX, &opened.uids).unwrap(), uids(&[5]));
    assert_sound(&again);
}

#[test]
fn a_claim_counts_before_it_is_written() {
    // Nothing is committed before the flush.
    let faults = engine::Faults { group: 1000, ..engine::Faults::default() };
    let engine = Arc::new(engine::MemoryEngine::new(faults));
    let store = Store::new(engine.clone());
    let made = store.create_account(ANNA, Limits::default(), NOW);
    let appended = store.append(ANNA, Target::Inbox, vec![new("a"), new("b")], NOW);
    engine.flush();
    made.wait().unwrap();
    appended.wait().unwrap();
    let opened = store.open(ANNA, INBOX).unwrap();
    assert_eq!(store.claim_recent(ANNA, INBOX, &opened.uids).unwrap().len(), 2);
    assert_eq!(store.claim_recent(ANNA, INBOX, &opened.uids).unwrap().len(), 0);
    assert_eq!(store.recent(ANNA, INBOX, &opened.uids).unwrap().len(), 0);
    assert_eq!(store.mailboxes(ANNA).unwrap()[2].counters.recent, 0);
    engine.flush();
    assert_eq!(store.mailbox(ANNA, INBOX).unwrap().counters.recent, 0);
    assert_sound(&store);
}

#[test]
fn changes_tell_what_came_went_and_was_flagged() {
    let (store, _) = store();
    fill(&store, ANNA, 5);
    let since = store.open(ANNA, INBOX).unwrap().counters.highest_modseq;
    assert!(store.changes(ANNA, INBOX, since, &[]).unwrap().is_none());
    let own = flag(&store, ANNA, &[1, 2, 3], change(FlagMode::Add, &[Flag::Seen], &[])).modseq;
    flag(&store, ANNA, &[2], change(FlagMode::Add, &[Flag::Answered], &["later"]));
    store.remove(ANNA, INBOX, uids(&[3, 5])).wait().unwrap();
    fill(&store, ANNA, 2);
    store.remove(ANNA, INBOX, uids(&[6])).wait().unwrap();
    flag(&store, ANNA, &[7], change(FlagMode::Add, &[Flag::Seen], &[]));
    let changes = store.changes(ANNA, INBOX, since, &[]).unwrap().unwrap();
    assert_eq!((changes.arrived, changes.vanished), (uids(&[7]).into(), uids(&[3, 5, 6]).into()));
    assert_eq!((changes.flagged, changes.uid_next), (uids(&[1, 2]).into(), Uid(8)));
    assert_eq!((&*changes.uids, changes.keywords.last()), (&uids(&[1, 2, 4, 7]), Some(&word("later"))));
    // RFC 7162 §3.1: what the session itself did last is not news to it.
    let changes = store.changes(ANNA, INBOX, since, &[own]).unwrap().unwrap();
    assert_eq!(*changes.flagged, uids(&[2]));
    store.delete_mailbox(ANNA, "Sent").wait().unwrap();
    assert!(store.changes(ANNA, INBOX, changes.up_to, &[]).unwrap().is_none(), "another mailbox");
}

#[test]
fn a_large_mailbox_opens_from_its_saved_view() {
    let (store, _) = store();
    let row = |number: u32| new(&format!("x: {number}\n\n"));
    store.append(ANNA, Target::Inbox, (0..6000).map(row).collect(), NOW).wait().unwrap();
    store.remove(ANNA, INBOX, (1..3000).map(|half| Uid(half * 2)).collect()).wait().unwrap();
    let opened = store.open(ANNA, INBOX).unwrap();
    let saved = store.engine().snapshot().unwrap().get(&crate::keys::saved_view(ANNA, INBOX)).unwrap();
    assert!(saved.is_none(), "few rows are not worth it");
    store.append(ANNA, Target::Inbox, (0..3000).map(row).collect(), NOW).wait().unwrap();
    let store = Store::new(store.engine().clone());
    let opened_again = store.open(ANNA, INBOX).unwrap();
    assert_eq!(opened_again.uids.len(), opened.uids.len() + 3000);
    let saved = store.engine().snapshot().unwrap().get(&crate::keys::saved_view(ANNA, INBOX)).unwrap();
    let (modseq, _, set) = crate::keys::decode_view(&saved.unwrap()).unwrap();
    assert_eq!((modseq, &set), (opened_again.counters.highest_modseq, &*opened_again.uids));
    store.remove(ANNA, INBOX, uids(&[1, 9000])).wait().unwrap();
    fill(&store, ANNA, 1);
    let fresh = Store::new(store.engine().clone()).open(ANNA, INBOX).unwrap();
    assert_eq!(*fresh.uids, *store.open(ANNA, INBOX).unwrap().uids);
    assert_eq!(fresh.counters.messages, fresh.uids.len());
    assert_sound(&store);
}

#[test]
fn without_a_log_so_old_the_rows_tell() {
    let (store, _) = store();
    fill(&store, ANNA, 4);
    let since = store.open(ANNA, INBOX).unwrap().counters.highest_modseq;
    store.remove(ANNA, INBOX, uids(&[2])).wait().unwrap();
    let between = flag(&store, ANNA, &[3], change(FlagMode::Add, &[Flag::Seen], &[])).modseq;
    flag(&store, ANNA, &[4], change(FlagMode::Add, &[Flag::Seen], &[]));
    assert!(!store.trim_changes(ANNA, INBOX, 9).wait().unwrap(), "there are not so many");
    assert!(!store.trim_changes(ANNA, INBOX, 1).wait().unwrap());
    for store in [&store, &Store::new(store.engine().clone())] {
        let changes = store.changes(ANNA, INBOX, since, &[between]).unwrap().unwrap();
        assert_eq!((changes.vanished, changes.flagged), (uids(&[2]).into(), uids(&[4]).into()));
        assert_eq!(*changes.uids, uids(&[1, 3, 4]));
        let changes = store.changes(ANNA, INBOX, between, &[]).unwrap().unwrap();
        assert_eq!(
            (changes.vanished.len(), changes.flagged),
            (0, uids(&[4]).into()),
            "the log goes back so far"
        );
    }
    assert_sound(&store);
}

#[test]
fn threads_that_read_beside_writers_see_whole_states() {
    let (store, _) = store();
    fill(&store, ANNA, 20);
    let writer = |seed: u32| {
        let store = store.clone();
        move || {
            for round in 0..60 {
                let uid = 1 + (round * 7 + seed * 3) % 40;
                let mode = if round % 2 == 0 { FlagMode::Add } else { FlagMode::Remove };
                flag(&store, ANNA, &[uid], change(mode, &[Flag::Seen], &[]));
                fill(&store, ANNA, 1);
                store.remove(ANNA, INBOX, uids(&[uid])).wait().unwrap();
            }
        }
    };
    let reader = || {
        let mut seen: UidSet = (*store.open(ANNA, INBOX).unwrap().uids).clone();
        let mut since = ModSeq(0);
        while since < ModSeq(300) && seen.last() < Some(Uid(140)) {
            let Some(changes) = store.changes(ANNA, INBOX, since, &[]).unwrap() else { continue };
            assert!(changes.up_to > since);
            if since > ModSeq(0) {
                seen = seen.minus(&changes.vanished).or(&changes.arrived);
                assert_eq!(seen, *changes.uids, "each state follows from the one before");
            }
            (since, seen) = (changes.up_to, (*changes.uids).clone());
        }
    };
    std::thread::scope(|scope| {
        for seed in 0..2 {
            scope.spawn(writer(seed));
            scope.spawn(reader);
        }
    });
    assert_eq!(store.open(ANNA, INBOX).unwrap().counters.uid_next, Uid(141));
    assert_sound(&store);
}
