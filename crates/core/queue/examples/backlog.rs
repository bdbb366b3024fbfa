//! How long a start with a full queue takes, and how much memory the scheduler needs for it:
//! `cargo run --profile quick -p queue --example backlog -- fill FOLDER [MESSAGES]`, then `... -- open FOLDER`.
//!
//! The mail: one recipient each, 2,000 dead hosts, 500 senders; a third was tried before.

use engine::{AccountId, Engine, LogEngine, Options, Packed};
use model::{EmailAddress, ReversePath, UnixTime};
use queue::schedule::{Destination, Host, Moment, Work};
use queue::{Attempt, Body, Keep, NewEntry, NewRecipient, Notify, Queue, Wishes, enqueue, record_attempt};
use std::sync::Arc;
use std::time::Instant;

const NOW: UnixTime = UnixTime(1_700_000_000);

/// Resident memory now, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// Time that this thread has been at work, in milliseconds: the machine may be busy with something else.
fn work_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

fn entry(number: u64) -> NewEntry {
    let address = |text: String| EmailAddress::parse(&text).expect("an address");
    NewEntry {
        reverse_path: ReversePath::Mailbox(address(format!("sender{}@example.test", number % 500))),
        recipients: vec![NewRecipient {
            address: address(format!("somebody.{number}@host{}.example", number % 2000)),
            notify: Notify::Default,
            orcpt: None,
        }],
        ret: None,
        envid: None,
        smtputf8: false,
        body: Body::EightBitMime,
        account: None,
        received: NOW,
        size: 10_240,
        expires: UnixTime(NOW.0 + 5 * 86_400),
        held: false,
        wishes: Wishes::default(),
    }
}

fn fill(engine: &Arc<dyn Engine>, messages: u64) {
    let packed = Packed::new(&b"A line of a message that is for another host.\r\n".repeat(8));
    let started = Instant::now();
    let commits: Vec<_> = (0..messages)
        .map(|number| {
            let (packed, new) = (packed.clone(), entry(number));
            engine.transact(&[AccountId(0)], move |tx| {
                let content = tx.append(&packed, 1)?;
                let id = enqueue(tx, content, &new)?;
                if number % 3 == 0 {
                    let again = Attempt::Deferred(UnixTime(NOW.0 + 600));
                    record_attempt(
                        tx,
                        id,
                        0,
                        again,
                        "connection to 192.0.2.1:25 timed out",
                        &Keep::default(),
                        NOW,
                    )?;
                }
                Ok(())
            })
        })
        .collect();
    commits.into_iter().for_each(|commit| commit.wait().expect("a commit"));
    println!("{messages} messages queued in {:.1} s", started.elapsed().as_secs_f64());
}

fn open(engine: &Arc<dyn Engine>) {
    let before = resident();
    let (started, work) = (Instant::now(), work_ms());
    let queue = Queue::new(engine.clone());
    let mut route = |addressed: &queue::Addressed<'_>| (Destination(addressed.domain.into()), None);
    let refilled = queue.refill(&mut route, Moment::from(NOW)).expect("a readable queue");
    println!(
        "{} messages read in {:.0} ms ({:.0} ms of processor), {:.1} MiB more than before",
        refilled.entries,
        started.elapsed().as_secs_f64() * 1e3,
        work_ms() - work,
        resident() - before,
    );
    let (mut now, mut jobs, work) = (Moment::from(NOW), 0_u64, work_ms());
    let end = Moment(now.0 + 86_400_000);
    let mut scheduler = queue.scheduler();
    while now < end {
        while let Some(work) = scheduler.next(now) {
            let Work::Deliver(job) = work else { continue };
            jobs += 1;
            let again: Vec<_> = job
                .items
                .iter()
                .map(|item| queue::schedule::Again {
                    id: item.id,
                    index: 0,
                    at: UnixTime(now.0 / 1000 + 7200),
                })
                .collect();
            scheduler.finished(job.id, &Host::Unusable("timed out".to_owned()), &again, now);
        }
        now = scheduler.wake_at().map_or(end, |at| at.max(now));
    }
    println!(
        "a day of dead hosts: {jobs} jobs, {:.0} ms of processor, {:.1} MiB",
        work_ms() - work,
        resident() - before,
    );
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, folder, rest @ ..] = &words[..] else { panic!("fill FOLDER [MESSAGES], or open FOLDER") };
    let started = Instant::now();
    let engine = LogEngine::open(std::path::Path::new(folder), Options::default()).expect("a store");
    let engine: Arc<dyn Engine> = Arc::new(engine);
    println!("the store opened in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    match what.as_str() {
        "fill" => fill(&engine, rest.first().map_or(200_000, |text| text.parse().expect("a number"))),
        _ => open(&engine),
    }
}
