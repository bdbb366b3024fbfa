//! What happened is found out once for all who watch a mailbox, and they are told without anybody waiting for them.

use super::*;
use crate::{Claim, MailboxWatch};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

fn quiet(store: &Store) -> MailboxWatch {
    store.watch(ANNA, INBOX, Arc::new(|| {}))
}

#[test]
fn one_looks_for_all_until_the_next_commit() {
    let (store, _) = store();
    let watches = [quiet(&store), quiet(&store)];
    let since = store.open(ANNA, INBOX).unwrap().counters.highest_modseq;
    assert!(watches[0].looked(since).is_none(), "nobody has looked yet");
    let nothing = store.look_since(&watches[0], since).unwrap();
    assert!(nothing.changes.is_none() && nothing.is_claimed());
    assert!(Arc::ptr_eq(&nothing, &watches[1].looked(since).unwrap()));
    store.append(ANNA, Target::Inbox, vec![new("x")], NOW).wait().unwrap();
    assert!(watches[1].looked(since).is_none(), "it was acknowledged");
    let look = store.look_since(&watches[1], since).unwrap();
    assert!(Arc::ptr_eq(&look, &store.look_since(&watches[0], since).unwrap()));
    let changes = look.changes.as_ref().unwrap();
    assert_eq!((*changes.arrived).clone(), uids(&[1]));
    // One who lags behind does not drive the others' answer out.
    let late = store.look_since(&watches[0], ModSeq(0)).unwrap();
    assert_eq!(late.changes.as_ref().unwrap().up_to, changes.up_to);
    assert!(Arc::ptr_eq(&look, &watches[0].looked(since).unwrap()));
    // Another mailbox's commits leave it as it is; a change of rights does not.
    let other = store.create_mailbox(ANNA, "Other", None, NOW).wait().unwrap();
    store.append(ANNA, Target::Id(other), vec![new("x")], NOW).wait().unwrap();
    assert!(watches[0].looked(since).is_some());
    let change = crate::RightsChange::Set(model::Rights::parse("lr").unwrap());
    let grant = store.set_acl(ANNA, INBOX, crate::Who::Anyone, crate::Effect::Grant, change, None);
    grant.wait().unwrap();
    assert!(watches[0].looked(since).is_none());
    assert_eq!(store.look_since(&watches[0], since).unwrap().acl.entries.len(), 1);
    store.delete_mailbox(ANNA, "Other").wait().unwrap();
    let gone = store.watch(ANNA, other, Arc::new(|| {}));
    assert!(matches!(store.look_since(&gone, since), Err(Error::NoMailbox)));
}

#[test]
fn a_message_is_recent_for_one_of_all_who_look() {
    let (store, _) = store();
    let watch = quiet(&store);
    let since = store.open(ANNA, INBOX).unwrap().counters.highest_modseq;
    store.append(ANNA, Target::Inbox, vec![new("x"), new("y")], NOW).wait().unwrap();
    let look = store.look_since(&watch, since).unwrap();
    let recent = |claim| store.recent_in(&watch, &look, claim).unwrap();
    assert_eq!(recent(Claim::Leave), uids(&[1, 2]));
    assert!(!look.is_claimed(), "nobody has taken them");
    assert_eq!(recent(Claim::Take), uids(&[1, 2]));
    assert!(look.is_claimed());
    assert_eq!((recent(Claim::Take), recent(Claim::Leave)), (uids(&[]), uids(&[])));
}

/// Whoever makes the round tells some at a time; what is committed meanwhile has its own round.
fn in_parts() {
    let (store, _) = store();
    let rounds = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let kept = rounds.clone();
    store.set_ringer(Box::new(move |round| kept.lock().push(round)));
    let count = Arc::new(AtomicU32::new(0));
    let watch = |_| {
        let rope = count.clone();
        let notify: crate::Notify = Arc::new(move || {
            rope.fetch_add(1, Ordering::AcqRel);
        });
        store.watch(ANNA, INBOX, notify)
    };
    let _watches: Vec<_> = (0..100).map(watch).collect();
    let commit = || drop(store.append(ANNA, Target::Inbox, vec![new("x")], NOW).wait().unwrap());
    commit();
    commit();
    let mut round = rounds.lock().pop().unwrap();
    assert!(rounds.lock().is_empty(), "one round tells of both");
    assert!(round.tell(60));
    assert_eq!(count.load(Ordering::Acquire), 60);
    commit();
    assert!(!round.tell(60));
    assert_eq!((count.load(Ordering::Acquire), rounds.lock().len()), (100, 1));
}

#[test]
fn many_are_told_while_the_commit_goes_on() {
    let (store, _) = store();
    let (told, all) = channel();
    let (go, stopped) = channel::<()>();
    let stopped = Arc::new(parking_lot::Mutex::new(stopped));
    let watch = |store: &Store| {
        let (told, stopped) = (told.clone(), stopped.clone());
        store.watch(
            ANNA,
            INBOX,
            Arc::new(move || {
                // Nobody may be held up by it, whoever commits included.
                let _ = stopped.lock().recv();
                told.send(()).unwrap_or_default();
            }),
        )
    };
    let watches: Vec<_> = (0..100).map(|_| watch(&store)).collect();
    store.append(ANNA, Target::Inbox, vec![new("x")], NOW).wait().unwrap();
    assert_eq!(watches[0].rings(), 1, "counted, though nobody has been told");
    assert!(all.try_recv().is_err());
    drop(go);
    for _ in 0..watches.len() {
        all.recv_timeout(Duration::from_secs(10)).expect("each is told");
    }
    assert!(all.recv_timeout(Duration::from_millis(50)).is_err(), "once");
    drop(watches);
    in_parts();
    let count = Arc::new(AtomicU32::new(0));
    let rope = count.clone();
    let notify: crate::Notify = Arc::new(move || {
        rope.fetch_add(1, Ordering::AcqRel);
    });
    let _watch = store.watch(ANNA, INBOX, notify);
    store.append(ANNA, Target::Inbox, vec![new("x")], NOW).wait().unwrap();
    assert_eq!(count.load(Ordering::Acquire), 1, "one is told at once");
}
