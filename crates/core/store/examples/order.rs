//! How long SORT and THREAD take, and how much memory: `cargo run --profile quick -p store --example order -- [MESSAGES]`.
//!
//! The mail: threads of some ten messages of a list, every third subject Russian, dates in disorder.

use engine::{AccountId, LogEngine, Options};
use model::{
    Arrangement, Comparator, Direction, FlagSet, MailboxId, SortCriterion, SortKey, ThreadAlgorithm, UnixTime,
};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;
use store::{Limits, NewMessage, Ordered, Prepared, Store, Target};

const ANNA: AccountId = AccountId(1);
const INBOX: MailboxId = MailboxId(1);
const NOW: UnixTime = UnixTime(1_700_000_000);

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn message(number: u64, state: &mut u64) -> String {
    let thread = number % 20_000;
    let subject = match thread % 3 {
        0 => format!("Отчёт за квартал №{thread}, черновик"),
        _ => format!("[list] Question about the build of part {thread}"),
    };
    let reply = if number > thread { "Re: " } else { "" };
    let (day, hour, minute) = (random(state) % 28 + 1, random(state) % 24, random(state) % 60);
    let from = random(state) % 3000;
    let mut text = format!(
        "Date: {day} Nov 2023 {hour:02}:{minute:02}:00 +0100\r\nFrom: Person {from} <p{from}@example.test>\r\n\
         To: list@example.test\r\nSubject: {reply}{subject}\r\nMessage-ID: <{number}.x@example.test>\r\n"
    );
    if !reply.is_empty() {
        text.push_str("References:");
        for nth in 0..random(state) % (number / 20_000).min(6) + 1 {
            let _ = write!(text, " <{}.x@example.test>", (thread + nth * 20_000).min(number - 20_000));
        }
        text.push_str("\r\n");
    }
    text.push_str("\r\nhello\r\n");
    text
}

/// Largest resident memory so far, and now, in KiB.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}

/// Time that this thread has been at work, in milliseconds: the machine may be busy with something else.
fn work_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e6
}

fn name(arrangement: &Arrangement) -> String {
    match arrangement {
        Arrangement::Sorted(criteria) => {
            format!("{:?}", criteria.iter().map(|by| by.key.clone()).collect::<Vec<_>>())
        }
        Arrangement::Threaded(algorithm) => format!("{algorithm:?}"),
    }
}

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let dir = std::env::temp_dir().join(format!("troika-order-{}", std::process::id()));
    let engine = LogEngine::open(&dir, Options::default()).expect("open");
    let store = Store::new(Arc::new(engine));
    store.create_account(ANNA, Limits::default(), NOW).wait().expect("account");
    let mut state = 7;
    for start in (0..count).step_by(1000) {
        let new = |number: u64, state: &mut u64| NewMessage {
            message: Prepared::new(message(number, state).as_bytes()).expect("small"),
            flags: FlagSet::NONE,
            keywords: Vec::new(),
            received: UnixTime(NOW.0 + number as i64),
            annotations: Vec::new(),
        };
        let messages = (start..(start + 1000).min(count)).map(|number| new(number, &mut state)).collect();
        store.append(ANNA, Target::Inbox, messages, NOW).wait().expect("append");
    }
    let everything = store.open(ANNA, INBOX).expect("inbox").uids;
    println!("{count} messages; {}", resident());
    let sorts =
        SortKey::EVERY.iter().map(|key| vec![key.clone()]).chain([vec![SortKey::Subject, SortKey::Date]]);
    let mut arrangements: Vec<Arrangement> = sorts
        .map(|keys| {
            keys.into_iter().map(|key| SortCriterion { key, direction: Direction::Descending }).collect()
        })
        .map(Arrangement::Sorted)
        .collect();
    for algorithm in [ThreadAlgorithm::OrderedSubject, ThreadAlgorithm::References, ThreadAlgorithm::Refs] {
        arrangements.push(Arrangement::Threaded(algorithm));
    }
    for arrangement in &arrangements {
        let (start, work) = (Instant::now(), work_ms());
        let seen = store::SortedFor { user: ANNA, scores: &[] };
        let ordered =
            store.order(ANNA, INBOX, &everything, arrangement, Comparator::default(), seen).expect("order");
        let threads = match &ordered {
            Ordered::Threaded(nodes) => nodes.iter().filter(|node| node.depth == 0).count(),
            _ => 0,
        };
        let (taken, work) = (start.elapsed().as_secs_f64() * 1e3, work_ms() - work);
        println!(
            "{taken:4.0} ms, at work {work:4.0} ms: {} {threads} threads; {}",
            name(arrangement),
            resident()
        );
    }
    drop(store);
    let _ = std::fs::remove_dir_all(dir);
}
