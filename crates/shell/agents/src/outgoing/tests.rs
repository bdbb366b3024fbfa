use super::*;
use directory::{NewAccount, Quota, Role};
use engine::Packed;
use model::{Domain, EmailAddress};
use queue::{NewEntry, NewRecipient, Notify, RecipientState, Wishes};

const NOW: UnixTime = UnixTime(1_800_000_000);
const MESSAGE: &str =
    "Return-Path: <anna@x.test>\r\nSubject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n\r\nthe body\r\n";

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

struct Bench {
    world: World,
    anna: AccountId,
}

impl Bench {
    /// A server of x.test with anna.
    fn new() -> Bench {
        let world = crate::testing::world();
        world.directory.add_domain(&Domain::new("x.test").unwrap(), NOW).wait().unwrap();
        let new = NewAccount {
            address: address("anna@x.test"),
            display_name: String::new(),
            password: None,
            quota: Quota::default(),
            role: Role::Person,
        };
        let anna = world.directory.add_account(new, NOW).wait().unwrap();
        Bench { world, anna }
    }

    fn queue_message(&self, message: &str, ret: Option<Ret>) -> Entry {
        self.put(message, "anna@x.test", ret, &["b@y.test"])
    }

    fn queue(&self, sender: &str, ret: Option<Ret>, recipients: &[&str]) -> Entry {
        self.put(MESSAGE, sender, ret, recipients)
    }

    fn put(&self, message: &str, sender: &str, ret: Option<Ret>, recipients: &[&str]) -> Entry {
        let recipient =
            |text: &&str| NewRecipient { address: address(text), notify: Notify::Default, orcpt: None };
        let new = NewEntry {
            reverse_path: match sender {
                "" => ReversePath::Null,
                sender => ReversePath::Mailbox(address(sender)),
            },
            recipients: recipients.iter().map(recipient).collect(),
            ret,
            envid: Some("e-1".into()),
            smtputf8: false,
            body: Body::SevenBit,
            account: None,
            received: NOW,
            size: message.len() as u64,
            expires: UnixTime(NOW.0 + 500),
            held: false,
            wishes: Wishes::default(),
        };
        let packed = Packed::new(message.as_bytes());
        let work = move |tx: &mut dyn engine::Tx| {
            let content = tx.append(&packed, 1)?;
            Ok(queue::enqueue(tx, content, &new)?)
        };
        let id = self.world.engine.transact(&[AccountId(0)], work).wait().unwrap();
        self.world.queue.show(id).unwrap().unwrap().entry
    }

    fn settle(&self, entry: &Entry, settled: Vec<Settled>) {
        pollster::block_on(settle(&self.world, "mx.x.test", entry, settled, NOW)).unwrap();
    }

    /// What lies in anna's inbox.
    fn inbox(&self) -> Vec<String> {
        let mailboxes = self.world.store.mailboxes(self.anna).unwrap();
        let inbox = mailboxes.iter().find(|info| info.name == "INBOX").unwrap().id.unwrap();
        let opened = self.world.store.open(self.anna, inbox).unwrap();
        let content = |uid| self.world.store.content(self.anna, inbox, uid, 0, u64::MAX).unwrap();
        opened.uids.iter().map(|uid| String::from_utf8(content(uid)).unwrap()).collect()
    }

    fn queued(&self) -> Vec<Entry> {
        self.world.queue.list(&queue::Filter::default(), None, 10).unwrap()
    }
}

fn failed(index: u32) -> Settled {
    Settled {
        remote: Some("mx.y.test".into()),
        ..Settled::new(index, Attempt::Failed, "550 5.1.1 no such user")
    }
}

fn delivered(index: u32) -> Settled {
    Settled::new(index, Attempt::Delivered, "250 2.0.0 ok")
}

#[test]
fn a_failure_and_its_report_are_one() {
    let bench = Bench::new();
    let entry = bench.queue("anna@x.test", None, &["b@y.test", "c@y.test"]);
    bench.settle(&entry, vec![failed(0), delivered(1)]);
    assert!(bench.queued().is_empty());
    let [report] = &bench.inbox()[..] else { panic!("one report") };
    for wanted in [
        "Return-Path: <>\r\n",
        "Content-Language: ru\r\n",
        "Original-Envelope-Id: e-1\r\n",
        "Final-Recipient: rfc822; b@y.test\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.y.test\r\n",
        "Content-Type: text/rfc822-headers\r\n",
    ] {
        assert!(report.contains(wanted), "{wanted}: {report}");
    }
    assert!(!report.contains("c@y.test") && !report.contains("the body"), "{report}");
    assert!(!report.contains("Return-Path: <anna"), "what stands in the store only is not returned");
    // The outcome comes a second time, from a job that did not know of the first.
    bench.settle(&entry, vec![failed(0)]);
    assert_eq!(bench.inbox().len(), 1);
    assert_eq!(bench.world.queue.check().unwrap(), [""; 0]);
}

#[test]
fn the_whole_message_comes_back_when_asked_for_and_not_too_large() {
    let bench = Bench::new();
    let entry = bench.queue("anna@x.test", Some(Ret::Full), &["b@y.test"]);
    bench.settle(&entry, vec![failed(0)]);
    assert!(bench.inbox()[0].contains("Content-Type: message/rfc822\r\n"));
    assert!(bench.inbox()[0].contains("\r\nthe body\r\n"));
    for (bytes, part, body) in
        [(10, "text/rfc822-headers", false), (MESSAGE.len() - 25, "message/rfc822", true)]
    {
        let large = bench.inbox().len();
        *bench.world.outgoing.write() =
            Arc::new(Outgoing { message_bytes_max: bytes, ..Outgoing::default() });
        let entry = bench.queue_message(&format!("{MESSAGE}and more\r\n"), Some(Ret::Full));
        bench.settle(&entry, vec![failed(0)]);
        let report = bench.inbox().swap_remove(large);
        assert!(report.contains(&format!("Content-Type: {part}\r\n")), "{report}");
        assert_eq!(report.contains("\r\nthe body\r\n"), body, "{report}");
        assert!(!report.contains("and more"), "{report}");
    }
}

#[test]
fn reports_to_other_hosts_are_queued_and_never_reported_on() {
    let bench = Bench::new();
    let entry = bench.queue("s@far.test", None, &["b@y.test"]);
    bench.settle(&entry, vec![failed(0)]);
    let [report] = &bench.queued()[..] else { panic!("one report") };
    assert_eq!(report.reverse_path, ReversePath::Null);
    assert_eq!(
        (report.recipients[0].address.to_string(), report.recipients[0].notify),
        ("s@far.test".into(), Notify::Never)
    );
    bench.settle(report, vec![failed(0)]);
    assert!(bench.queued().is_empty() && bench.inbox().is_empty());
    let entry = bench.queue("nobody@x.test", None, &["b@y.test"]);
    bench.settle(&entry, vec![failed(0)]);
    assert!(bench.queued().is_empty(), "whose sender is not there is not kept for ever");
}

#[test]
fn the_sender_is_warned_once() {
    let bench = Bench::new();
    let entry = bench.queue("anna@x.test", None, &["b@y.test"]);
    bench.settle(&entry, vec![Settled::new(0, Attempt::Deferred(UnixTime(NOW.0 + 9)), "451 4.7.1 later")]);
    assert!(bench.inbox().is_empty());
    for _ in 0..2 {
        pollster::block_on(warn(&bench.world, "mx.x.test", &entry, vec![0], NOW)).unwrap();
    }
    let [report] = &bench.inbox()[..] else { panic!("one warning") };
    assert!(report.contains("Action: delayed\r\nStatus: 4.7.1\r\n") && report.contains("Will-Retry-Until: "));
    assert_eq!(bench.queued()[0].recipients[0].state, RecipientState::Queued);
}

#[test]
fn an_operator_bounces_what_waits() {
    let bench = Bench::new();
    let entry = bench.queue("anna@x.test", None, &["b@y.test", "c@y.test"]);
    bench.settle(&entry, vec![delivered(0)]);
    let cut = || bounce(&bench.world, &[QueueId(99), entry.id], "the link is cut", NOW).unwrap();
    assert_eq!(cut(), [entry.id]);
    assert!(bench.queued().is_empty());
    let [report] = &bench.inbox()[..] else { panic!("one report") };
    assert!(
        report.contains("Diagnostic-Code: x-troika; the link is cut\r\n") && !report.contains("b@y.test")
    );
    assert!(cut().is_empty());
}

#[test]
fn a_report_that_a_full_mailbox_refuses_waits_and_comes() {
    let bench = Bench::new();
    let limit = |bytes| store::Limits { bytes, messages: None };
    bench.world.store.set_limits(bench.anna, limit(Some(10))).wait().unwrap();
    let entry = bench.queue("anna@x.test", None, &["b@y.test"]);
    bench.settle(&entry, vec![failed(0)]);
    assert!(bench.inbox().is_empty());
    let [kept] = &bench.queued()[..] else { panic!("the report waits") };
    assert_eq!(kept.reverse_path, ReversePath::Null);
    let [recipient] = &kept.recipients[..] else { panic!("one recipient") };
    assert_eq!((recipient.address.to_string(), recipient.notify), ("anna@x.test".into(), Notify::Never));
    assert!(recipient.next_attempt > NOW && recipient.next_attempt < kept.expires);
    assert_eq!((bench.world.metrics.reports_kept.get(), bench.world.metrics.reports_lost.get()), (1, 0));
    let later = UnixTime(NOW.0 + 7200);
    let release = || pollster::block_on(crate::release(&bench.world, "mx.x.test", kept, later)).unwrap();
    let [(0, next)] = release()[..] else { panic!("still full") };
    assert!(next > later && bench.inbox().is_empty());
    bench.world.store.set_limits(bench.anna, limit(None)).wait().unwrap();
    assert!(release().is_empty() && bench.queued().is_empty());
    let [report] = &bench.inbox()[..] else { panic!("the report") };
    assert!(
        report.starts_with("Return-Path: <>\r\n") && report.contains("Final-Recipient: rfc822; b@y.test")
    );
    assert_eq!(bench.world.queue.check().unwrap(), [""; 0]);
}

#[test]
fn reports_that_reach_nobody_are_counted() {
    let bench = Bench::new();
    let lost = || bench.world.metrics.reports_lost.get();
    let entry = bench.queue("nobody@x.test", None, &["b@y.test"]);
    bench.settle(&entry, vec![failed(0)]);
    assert_eq!(lost(), 1, "no such sender");
    let entry = bench.queue("", None, &["b@y.test", "c@y.test"]);
    bench.settle(&entry, vec![failed(0), delivered(1)]);
    assert_eq!(lost(), 2, "a bounce that bounced");
    let entry = bench.queue("", None, &["b@y.test"]);
    bounce(&bench.world, &[entry.id], "away with it", NOW).unwrap();
    assert_eq!(lost(), 3);
}
