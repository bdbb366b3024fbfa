//! Access keys of mailboxes.

use super::*;
use crate::Present;

#[test]
fn a_key_stays_until_it_is_reset_and_goes_with_its_mailbox() {
    let (store, engine) = store();
    assert_eq!(store.access_key(ANNA, INBOX).unwrap(), None);
    let set = |name: &str, byte, present| {
        store.set_access_key(ANNA, Target::Name(name.into()), [byte; 32], present).wait()
    };
    assert_eq!(set("INBOX", 1, Present::Stays).unwrap(), [1; 32]);
    assert_eq!(set("inbox", 2, Present::Stays).unwrap(), [1; 32]);
    assert_eq!(set("INBOX", 3, Present::Goes).unwrap(), [3; 32]);
    assert_eq!(store.access_key(ANNA, INBOX).unwrap(), Some([3; 32]));
    assert!(matches!(set("nowhere", 4, Present::Goes), Err(Error::NoMailbox)));
    let other = store.create_mailbox(ANNA, "Other", None, NOW).wait().unwrap();
    set("Other", 5, Present::Stays).unwrap();
    assert_sound(&store);
    store.delete_mailbox(ANNA, "Other").wait().unwrap();
    while store.purge(ANNA).wait().unwrap() {}
    assert_eq!(store.access_key(ANNA, other).unwrap(), None);
    store.remove_access_keys(ANNA).wait().unwrap();
    assert_eq!(store.access_key(ANNA, INBOX).unwrap(), None);
    assert_sound(&store);
    // A key without its mailbox is told of.
    let engine: Arc<dyn engine::Engine> = engine;
    let put = engine.transact(&[ANNA], move |tx| {
        tx.put(&crate::keys::access_key(ANNA, other), &crate::keys::encode_access_key(&[1; 32]))?;
        Ok(())
    });
    put.wait().unwrap();
    assert_eq!(store.check(&mut |_, _| {}).unwrap().len(), 1);
}

#[test]
fn who_has_the_mailbox_open_hears_when_its_key_is_reset() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let (store, _) = store();
    let other = store.create_mailbox(ANNA, "Other", None, NOW).wait().unwrap();
    let rung = Arc::new(AtomicU32::new(0));
    let rope = rung.clone();
    let notify: crate::Notify = Arc::new(move || {
        rope.fetch_add(1, Ordering::AcqRel);
    });
    let (inbox, beside) = (store.watch(ANNA, INBOX, notify), store.watch(ANNA, other, Arc::new(|| {})));
    let set = |byte, present| {
        store.set_access_key(ANNA, Target::Name("INBOX".into()), [byte; 32], present).wait().unwrap()
    };
    set(1, Present::Stays);
    assert_eq!((inbox.key_resets(), rung.load(Ordering::Acquire)), (0, 0), "a first key revokes nothing");
    set(2, Present::Goes);
    assert_eq!((inbox.key_resets(), beside.key_resets(), rung.load(Ordering::Acquire)), (1, 0, 1));
    store.remove_access_keys(ANNA).wait().unwrap();
    assert_eq!((inbox.key_resets(), beside.key_resets(), rung.load(Ordering::Acquire)), (2, 0, 2));
    // None is left.
    store.remove_access_keys(ANNA).wait().unwrap();
    assert_eq!((inbox.key_resets(), rung.load(Ordering::Acquire)), (2, 2));
}
