use super::*;
use crate::{Attempt, Body, NewEntry, NewRecipient, Notify, Rules, Settled, Wishes, enqueue, settle};
use engine::{Engine, MemoryEngine, Packed};
use model::{EmailAddress, ReversePath};
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

struct Bench {
    engine: Arc<MemoryEngine>,
    queue: Queue,
    keep: Keep,
}

impl Bench {
    fn new(keep: Keep) -> Bench {
        let engine = Arc::new(MemoryEngine::default());
        Bench { queue: Queue::new(engine.clone()), engine, keep }
    }

    fn put(&self, recipients: &[&str], wishes: Wishes) -> QueueId {
        let recipient =
            |text: &&str| NewRecipient { address: address(text), notify: Notify::Default, orcpt: None };
        let new = NewEntry {
            reverse_path: ReversePath::Mailbox(address("anna@x.test")),
            recipients: recipients.iter().map(recipient).collect(),
            ret: None,
            envid: None,
            smtputf8: false,
            body: Body::SevenBit,
            account: Some(AccountId(7)),
            received: NOW,
            size: 10,
            expires: later(5 * 86_400),
            held: false,
            wishes,
        };
        let engine: &dyn Engine = &*self.engine;
        let work = move |tx: &mut dyn Tx| {
            let content = tx.append(&Packed::new(b"Hello"), 1)?;
            Ok(enqueue(tx, content, &new)?)
        };
        engine.transact(&[AccountId(0)], work).wait().unwrap()
    }

    fn settle(&self, id: QueueId, index: u32, outcome: Attempt, at: UnixTime) {
        let entry = self.queue.show(id).unwrap().unwrap().entry;
        let rules = Rules { history: self.keep, ..Rules::default() };
        let settled = [Settled::new(index, outcome, "250 2.0.0 taken as 4711")];
        let engine: &dyn Engine = &*self.engine;
        engine
            .transact(&[AccountId(0)], move |tx| Ok(settle(tx, &entry, &settled, &rules, at).map(drop)?))
            .wait()
            .unwrap();
    }

    fn of(&self, address: &str) -> Vec<QueueId> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (page, last) = self.queue.pasts_of(address, None, after).unwrap();
            found.extend(page.into_iter().map(|past| past.id));
            if last.is_none() {
                return found;
            }
            after = last;
        }
    }
}

#[test]
fn what_became_of_a_message_is_known_behind_its_end() {
    let bench = Bench::new(Keep::default());
    let id = bench.put(&["b@y.test", "c@y.test"], Wishes::default());
    bench.settle(id, 0, Attempt::Deferred(later(5)), NOW);
    bench.settle(id, 0, Attempt::Delivered, later(5));
    assert!(bench.queue.past(id).unwrap().is_none(), "it waits");
    bench.settle(id, 1, Attempt::Failed, later(6));
    let past = bench.queue.past(id).unwrap().unwrap();
    let states: Vec<_> = past.recipients.iter().map(|one| (one.address.as_str(), one.state)).collect();
    assert_eq!(states, [("b@y.test", RecipientState::Delivered), ("c@y.test", RecipientState::Failed)]);
    use crate::EventKind::{Deferred, Delivered, Failed};
    let told: Vec<_> = past.history.iter().map(|line| (line.kind, line.recipient)).collect();
    assert_eq!(told, [(Deferred, Some(0)), (Delivered, Some(0)), (Failed, Some(1))]);
    assert_eq!(past.history[2].text, "250 2.0.0 taken as 4711");
    assert_eq!((past.received, past.ended), (NOW.0, NOW.0 + 6));
    let other = bench.put(&["d@y.test"], Wishes::default());
    assert!(bench.queue.remove(other, later(7)).unwrap());
    assert_eq!(bench.queue.past(other).unwrap().unwrap().history[0].kind, crate::EventKind::Removed);
    assert_eq!((bench.of("C@Y.test"), bench.of("anna@x.test")), (vec![id], vec![id, other]));
    assert!(bench.of("e@y.test").is_empty());
    let sent = bench.queue.pasts_of("another@x.test", Some(AccountId(7)), None).unwrap().0;
    assert_eq!(sent.len(), 2, "by its account");
    assert_eq!(bench.queue.check().unwrap(), [""; 0]);
}

#[test]
fn what_is_kept_is_bounded_in_number_and_time() {
    let bench = Bench::new(Keep { messages: 3, seconds: 100 });
    let ids: Vec<QueueId> = (0..5).map(|_| bench.put(&["b@y.test"], Wishes::default())).collect();
    for (at, id) in ids.iter().enumerate() {
        bench.settle(*id, 0, Attempt::Delivered, later(at as i64));
    }
    assert_eq!(bench.of("b@y.test"), ids[2..]);
    let forget = |at| bench.queue.forget_past(bench.keep, later(at)).wait().unwrap();
    assert!(!forget(101) && bench.of("b@y.test") == ids[2..], "the oldest ended at 2");
    assert!(!forget(103) && bench.of("b@y.test") == ids[4..]);
    let nothing = Bench::new(Keep { messages: 0, seconds: 100 });
    let id = nothing.put(&["b@y.test"], Wishes::default());
    nothing.settle(id, 0, Attempt::Delivered, NOW);
    assert!(nothing.queue.past(id).unwrap().is_none());
}

#[test]
fn held_mail_is_counted_for_its_account() {
    let bench = Bench::new(Keep::default());
    let held = Wishes { not_before: Some(later(1000)), ..Wishes::default() };
    let holding = || bench.queue.holding(AccountId(7)).unwrap();
    let first = bench.put(&["b@y.test", "c@y.test"], held);
    bench.put(&["b@y.test"], held);
    bench.put(&["b@y.test"], Wishes::default());
    bench.put(&["b@y.test"], Wishes { not_before: Some(NOW), ..Wishes::default() });
    assert_eq!((holding().messages, holding().bytes), (2, 20));
    assert_eq!(bench.queue.check().unwrap(), [""; 0]);
    let limits = |messages, bytes| crate::HoldLimits { messages, bytes };
    assert!(holding().fits(10, &limits(3, 30)) && holding().fits(1 << 40, &limits(0, 0)));
    assert!(!holding().fits(11, &limits(3, 30)) && !holding().fits(1, &limits(2, 30)));
    bench.settle(first, 0, Attempt::Delivered, later(1001));
    assert_eq!(holding().messages, 2, "the other recipient waits");
    bench.settle(first, 1, Attempt::Failed, later(1002));
    assert_eq!((holding().messages, holding().bytes), (1, 10));
    assert_eq!(bench.queue.check().unwrap(), [""; 0]);
}
