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
