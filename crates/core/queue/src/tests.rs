use crate::*;
use engine::{AccountId, ContentId, Engine, MemoryEngine, Packed};
use model::{Domain, EmailAddress, ReversePath, UnixTime};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_700_000_000);

fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn new_entry(sender: &str, recipients: &[&str]) -> NewEntry {
    let reverse_path = match sender {
        "" => ReversePath::Null,
        sender => ReversePath::Mailbox(address(sender)),
    };
    let recipient =
        |text: &&str| NewRecipient { address: address(text), notify: Notify::Default, orcpt: None };
    NewEntry {
        reverse_path,
        recipients: recipients.iter().map(recipient).collect(),
        ret: None,
        envid: None,
        smtputf8: false,
        body: Body::SevenBit,
        account: None,
        received: NOW,
        size: 5,
        expires: later(5 * 86_400),
        held: false,
        wishes: Wishes::default(),
    }
}

struct Bench {
    engine: Arc<MemoryEngine>,
    queue: Queue,
}

impl Bench {
    fn new() -> Bench {
        let engine = Arc::new(MemoryEngine::default());
        Bench { queue: Queue::new(engine.clone()), engine }
    }

    fn engine(&self) -> &(dyn Engine + 'static) {
        &*self.engine
    }

    fn put(&self, new: NewEntry) -> (QueueId, ContentId) {
        let packed = Packed::new(b"Hello");
        let work = move |tx: &mut dyn engine::Tx| {
            let content = tx.append(&packed, 1)?;
            Ok((enqueue(tx, content, &new)?, content))
        };
        self.engine().transact(&[AccountId(0)], work).wait().unwrap()
    }

    fn attempt(&self, id: QueueId, index: u32, outcome: Attempt, reply: &'static str) -> bool {
        let work = move |tx: &mut dyn engine::Tx| {
            Ok(record_attempt(tx, id, index, outcome, reply, &Keep::default(), later(9))?)
        };
        self.engine().transact(&[AccountId(0)], work).wait().unwrap()
    }

    fn has_content(&self, id: ContentId) -> bool {
        self.engine.snapshot().unwrap().content_len(id).unwrap().is_some()
    }

    fn ids(&self, filter: &Filter) -> Vec<u64> {
        self.queue.list(filter, None, 100).unwrap().iter().map(|entry| entry.id.0).collect()
    }

    /// Time, message and index of each recipient that a new scheduler has.
    fn scheduled(&self) -> BTreeSet<(UnixTime, QueueId, u32)> {
        let queue = Queue::new(self.engine.clone());
        let to = |addressed: &Addressed<'_>| (schedule::Destination(addressed.domain.into()), None);
        queue.refill(&mut { to }, schedule::Moment::from(NOW)).unwrap();
        queue.scheduler().all().collect()
    }

    /// Contents whose count of references is not what the queue says.
    fn claimed(&self) -> Vec<String> {
        let snapshot = self.engine.snapshot().unwrap();
        let mut claims = engine::Claims::default();
        crate::claims(&*snapshot, &mut claims).unwrap();
        claims.compare(&*snapshot).unwrap()
    }

    /// Everything counted anew; a new scheduler must have the queued recipients and no others.
    fn check(&self) -> Totals {
        let mut counted = Totals::default();
        let mut waiting = BTreeSet::new();
        for entry in self.queue.list(&Filter::default(), None, usize::MAX).unwrap() {
            counted.entries += 1;
            counted.bytes += entry.size;
            for recipient in &entry.recipients {
                match recipient.state {
                    RecipientState::Queued => {
                        counted.queued += 1;
                        waiting.insert((recipient.next_attempt, entry.id, recipient.index));
                    }
                    RecipientState::Held => counted.held += 1,
                    _ => {}
                }
            }
        }
        assert_eq!(self.claimed(), [""; 0]);
        assert_eq!(self.scheduled(), waiting);
        assert_eq!(self.queue.totals().unwrap(), counted);
        counted
    }
}

#[test]
fn an_entry_keeps_its_whole_envelope() {
    let bench = Bench::new();
    let mut new = new_entry("Anna@x.test", &["b@y.test", "\"c d\"@пример.рф"]);
    new.ret = Some(Ret::Hdrs);
    new.envid = Some("QQ314159".to_owned());
    new.smtputf8 = true;
    new.body = Body::EightBitMime;
    new.account = Some(AccountId(7));
    new.recipients[0].notify = Notify::On { success: true, failure: false, delay: true };
    new.recipients[1].notify = Notify::Never;
    new.recipients[1].orcpt = Some(Orcpt { address_type: "rfc822".into(), address: "c@z.test".into() });
    let (id, content) = bench.put(new.clone());
    let shown = bench.queue.show(id).unwrap().unwrap();
    let entry = &shown.entry;
    assert_eq!(
        (entry.content, &entry.reverse_path, entry.expires),
        (content, &new.reverse_path, new.expires)
    );
    for (shown, new) in entry.recipients.iter().zip(&new.recipients) {
        assert_eq!((&shown.address, shown.notify, &shown.orcpt), (&new.address, new.notify, &new.orcpt));
    }
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["id"], "00000001");
    assert_eq!(json["reverse_path"], "Anna@x.test");
    assert_eq!(json["recipients"][0]["notify"], "SUCCESS,DELAY");
    assert_eq!(json["recipients"][1]["address"], "\"c d\"@пример.рф");
    assert_eq!(
        (&json["body"], &json["ret"], &json["account"]),
        (&"8BITMIME".into(), &"hdrs".into(), &7.into())
    );
    assert_eq!(json["history"][0]["kind"], "accepted");
    assert_eq!("1".parse::<QueueId>(), Ok(id));
    assert!("0000001G".parse::<QueueId>().is_err());
}

#[test]
fn lists_are_filtered_and_paged() {
    let bench = Bench::new();
    bench.put(new_entry("a@x.test", &["b@y.test", "c@z.test"]));
    bench.put(new_entry("", &["b@y.test"]));
    let (third, _) = bench.put(new_entry("a@x.test", &["c@z.test"]));
    assert!(bench.queue.hold(third, NOW).unwrap());
    let by = |sender: Option<&str>, domain: Option<&str>, state| Filter {
        sender: sender.map(str::to_owned),
        recipient_domain: domain.map(|text| Domain::new(text).unwrap()),
        state,
        ..Filter::default()
    };
    assert_eq!(bench.ids(&Filter::default()), [1, 2, 3]);
    assert_eq!(bench.ids(&by(Some("A@X.test"), None, None)), [1, 3]);
    assert_eq!(bench.ids(&by(Some(""), None, None)), [2]);
    assert_eq!(bench.ids(&by(None, Some("z.test"), None)), [1, 3]);
    assert_eq!(bench.ids(&by(None, Some("z.test"), Some(RecipientState::Held))), [3]);
    assert_eq!(bench.ids(&by(None, None, Some(RecipientState::Queued))), [1, 2]);
    bench.attempt(QueueId(2), 0, Attempt::Deferred(later(60)), "451 4.7.1 Greylisted");
    assert_eq!(bench.ids(&Filter { reply: Some("greyLISTED".into()), ..Filter::default() }), [2]);
    assert_eq!(bench.ids(&Filter { recipient: Some("B@y.test".into()), ..Filter::default() }), [1, 2]);
    assert_eq!(bench.ids(&Filter { account: Some(AccountId(1)), ..Filter::default() }), [0_u64; 0]);
    assert_eq!(bench.ids(&Filter { before: Some(NOW), ..Filter::default() }), [0_u64; 0]);
    assert_eq!(bench.ids(&Filter { before: Some(later(1)), ..Filter::default() }), [1, 2, 3]);
    let page = bench.queue.list(&Filter::default(), Some(QueueId(1)), 1).unwrap();
    assert_eq!(page[0].id, QueueId(2));
}

#[test]
fn long_lists_cross_pages() {
    let bench = Bench::new();
    for n in 0..600 {
        bench.put(new_entry(if n % 100 == 0 { "rare@x.test" } else { "a@x.test" }, &["b@y.test"]));
    }
    let rare = Filter { sender: Some("rare@x.test".into()), ..Filter::default() };
    assert_eq!(bench.ids(&rare), [1, 101, 201, 301, 401, 501]);
    assert_eq!(bench.queue.list(&Filter::default(), Some(QueueId(300)), usize::MAX).unwrap().len(), 300);
}

#[test]
fn hold_release_remove() {
    let bench = Bench::new();
    let (id, content) = bench.put(new_entry("a@x.test", &["b@y.test", "c@z.test"]));
    assert!(bench.queue.hold(id, later(1)).unwrap());
    assert!(!bench.queue.hold(id, later(2)).unwrap(), "nothing is left to hold");
    assert_eq!(bench.check(), Totals { entries: 1, bytes: 5, queued: 0, held: 2 });
    assert!(bench.queue.release(id, later(3)).unwrap());
    assert_eq!(bench.check().queued, 2);
    let kinds: Vec<EventKind> =
        bench.queue.show(id).unwrap().unwrap().history.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Accepted, EventKind::Held, EventKind::Released]);
    assert!(bench.has_content(content));
    assert!(bench.queue.remove(id, NOW).unwrap());
    assert!(!bench.has_content(content));
    assert!(!bench.queue.remove(id, NOW).unwrap());
    assert!(!bench.queue.release(id, NOW).unwrap());
    assert_eq!(bench.queue.show(id).unwrap(), None);
    assert_eq!(bench.check(), Totals::default());
    assert_eq!(bench.put(new_entry("", &["b@y.test"])).0, QueueId(2), "names are never used again");
}

#[test]
fn many_are_changed_in_one_transaction() {
    let bench = Bench::new();
    let ids: Vec<QueueId> = (0..5).map(|_| bench.put(new_entry("a@x.test", &["b@y.test"])).0).collect();
    bench.queue.remove(ids[2], NOW).unwrap();
    let held = bench.queue.change(Change::Hold, &ids, NOW).unwrap();
    assert_eq!(held, [ids[0], ids[1], ids[3], ids[4]], "one is gone");
    assert_eq!(bench.check(), Totals { entries: 4, bytes: 20, queued: 0, held: 4 });
    assert_eq!(bench.queue.change(Change::Retry, &ids, NOW).unwrap(), [], "held is held");
    assert_eq!(bench.queue.change(Change::Release, &ids[..2], later(5)).unwrap(), ids[..2]);
    assert_eq!(bench.queue.change(Change::Retry, &ids[..3], later(7)).unwrap(), ids[..2]);
    assert_eq!(bench.queue.show(ids[0]).unwrap().unwrap().entry.recipients[0].next_attempt, later(7));
    assert_eq!(bench.queue.change(Change::Remove, &ids, NOW).unwrap().len(), 4);
    assert_eq!(bench.check(), Totals::default());
}

#[test]
fn content_shared_with_local_copies_outlives_the_entry() {
    let bench = Bench::new();
    let new = new_entry("a@x.test", &["b@y.test"]);
    let work = move |tx: &mut dyn engine::Tx| {
        let content = tx.append(&Packed::new(b"Hello"), 2)?;
        Ok((enqueue(tx, content, &new)?, content))
    };
    let (id, content) = bench.engine().transact(&[AccountId(0)], work).wait().unwrap();
    bench.queue.remove(id, NOW).unwrap();
    assert!(bench.has_content(content));
}

#[test]
fn attempts_move_recipients_on_until_the_entry_is_done() {
    let bench = Bench::new();
    let (id, content) = bench.put(new_entry("a@x.test", &["b@y.test", "c@z.test"]));
    assert!(!bench.attempt(id, 0, Attempt::Deferred(later(60)), "451 4.7.1 greylisted"));
    assert_eq!(bench.scheduled(), BTreeSet::from([(later(60), id, 0), (NOW, id, 1)]));
    assert!(!bench.attempt(id, 1, Attempt::Failed, "550 5.1.1 no such user"));
    assert!(!bench.attempt(id, 1, Attempt::Delivered, "250 too late"), "an end is an end");
    let shown = bench.queue.show(id).unwrap().unwrap();
    let [first, second] = &shown.entry.recipients[..] else { panic!("two recipients") };
    assert_eq!((first.attempts, first.last_reply.as_deref()), (1, Some("451 4.7.1 greylisted")));
    assert_eq!((second.state, second.attempts), (RecipientState::Failed, 1));
    assert_eq!(shown.history.len(), 3);
    assert_eq!(bench.check(), Totals { entries: 1, bytes: 5, queued: 1, held: 0 });
    assert!(bench.attempt(id, 0, Attempt::Delivered, "250 2.0.0 ok"));
    assert!(!bench.has_content(content));
    assert_eq!(bench.check(), Totals::default());
    assert!(bench.attempt(id, 0, Attempt::Delivered, "250"), "gone already");
}

#[test]
fn a_held_recipient_stays_held_through_a_late_deferral() {
    let bench = Bench::new();
    let mut new = new_entry("a@x.test", &["b@y.test"]);
    new.held = true;
    let (id, _) = bench.put(new);
    bench.attempt(id, 0, Attempt::Deferred(later(60)), "421");
    assert_eq!(bench.check(), Totals { entries: 1, bytes: 5, queued: 0, held: 1 });
    let kind = |n: usize| bench.queue.show(id).unwrap().unwrap().history[n].kind;
    assert_eq!((kind(0), kind(1), kind(2)), (EventKind::Accepted, EventKind::Held, EventKind::Deferred));
}

#[test]
fn history_is_bounded_and_nothing_is_left_behind() {
    let bench = Bench::new();
    let (id, _) = bench.put(new_entry("a@x.test", &["b@y.test"]));
    for n in 0..1100 {
        bench.attempt(id, 0, Attempt::Deferred(later(n)), "450");
    }
    let history = bench.queue.show(id).unwrap().unwrap().history;
    assert_eq!(history.len(), crate::record::HISTORY_MAX as usize + 1, "those, and that it was accepted");
    assert_eq!((history[0].kind, history[1].kind), (EventKind::Accepted, EventKind::Deferred));
    bench.queue.remove(id, NOW).unwrap();
    bench.queue.forget_past(Keep { messages: 0, seconds: 0 }, NOW).wait().unwrap();
    let mut left = 0;
    let all = (std::ops::Bound::Included(&[0_u8, 0, 0, 0, b'q'][..]), std::ops::Bound::Unbounded);
    let snapshot = bench.engine.snapshot().unwrap();
    let count = &mut |_: &[u8], _: &[u8]| {
        left += 1;
        std::ops::ControlFlow::Continue(())
    };
    snapshot.scan(all, engine::Order::Ascending, count).unwrap();
    assert_eq!(left, 1, "nothing but the counters");
}

#[test]
fn a_transaction_that_gives_up_queues_nothing() {
    let bench = Bench::new();
    let new = new_entry("a@x.test", &["b@y.test"]);
    let work = move |tx: &mut dyn engine::Tx| {
        let content = tx.append(&Packed::new(b"Hello"), 1)?;
        enqueue(tx, content, &new)?;
        Err::<(), _>(engine::Abort::Cancelled)
    };
    assert!(bench.engine().transact(&[AccountId(0)], work).wait().is_err());
    assert_eq!(bench.check(), Totals::default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order, counters and index agree with the entries, and no content is left behind.
    #[test]
    fn counters_and_index_hold(steps in prop::collection::vec((0_u8..7, 1_u64..5, 0_u32..3), 1..40)) {
        let bench = Bench::new();
        let mut contents = Vec::new();
        for (what, id, index) in steps {
            let id = QueueId(id);
            match what {
                0 => contents.push(bench.put(new_entry("", &["a@x.test", "b@y.test", "c@z.test"][..=index as usize]))),
                1 => drop(bench.queue.hold(id, NOW)),
                2 => drop(bench.queue.release(id, later(i64::from(index)))),
                3 => drop(bench.queue.remove(id, NOW)),
                4 => drop(bench.attempt(id, index, Attempt::Deferred(later(i64::from(index) * 7)), "4")),
                5 => drop(bench.attempt(id, index, Attempt::Delivered, "2")),
                _ => drop(bench.attempt(id, index, Attempt::Expired, "")),
            }
            bench.check();
        }
        for (id, content) in contents {
            prop_assert_eq!(bench.has_content(content), bench.queue.show(id).unwrap().is_some());
        }
    }
}

#[test]
fn the_check_recounts_everything() {
    // Each kind of damage is told by this word.
    type Harm = fn(&mut dyn engine::Tx, QueueId, ContentId) -> Result<(), engine::Error>;
    let harms: [(&str, Harm); 5] = [
        ("totals", |tx, _, _| tx.delete(&keys::TOTALS)),
        ("open recipients", |tx, id, _| tx.put(&keys::open(id), &7_u32.to_be_bytes())),
        ("has 1 recipients, not 2", |tx, id, _| tx.delete(&keys::part(b'r', id, 1))),
        ("damaged", |tx, id, _| tx.put(&keys::entry(id), b"\x01")),
        ("content", |tx, _, content| tx.refer(content, -1)),
    ];
    for (word, harm) in harms {
        let bench = Bench::new();
        let (id, content) = bench.put(new_entry("a@x.test", &["b@y.test", "c@z.test"]));
        bench.put(NewEntry { held: true, ..new_entry("", &["d@y.test"]) });
        bench.queue.hold(id, NOW).unwrap();
        bench.queue.release(id, later(60)).unwrap();
        assert_eq!(bench.queue.check().unwrap(), [""; 0]);
        let harmed = move |tx: &mut dyn engine::Tx| Ok(harm(tx, id, content)?);
        bench.engine().transact(&[AccountId(0)], harmed).wait().unwrap();
        let told = bench.queue.check().unwrap();
        assert!(told.iter().any(|problem| problem.contains(word)), "{word}: {told:?}");
        let claims = match word {
            "damaged" => "nobody refers",
            "content" => "is not there",
            _ => "",
        };
        let claimed = bench.claimed();
        assert_eq!(claimed.is_empty(), claims.is_empty(), "{word}: {claimed:?}");
        assert!(claimed.iter().all(|problem| problem.contains(claims)), "{word}: {claimed:?}");
    }
}

mod feed;
