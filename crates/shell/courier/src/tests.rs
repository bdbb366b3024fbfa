//! The courier between a scheduler and a scripted host on loopback.

use super::*;
use queue::schedule::Backoff;
use queue::{Body, NewEntry, NewRecipient, QueueId, Wishes};
use route::{Family, Route, Table, Way};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// A courier of x.test with an empty queue, and who says what was sent.
struct Bench {
    courier: Arc<Courier>,
}

fn settings(routes: &[(&str, &str)]) -> Settings {
    let route = |(domain, hop): &(&str, &str)| Route {
        recipient_domain: domain.parse().unwrap(),
        way: Arc::new(Way { next_hop: hop.parse().unwrap(), ..Way::default() }),
        ..Route::default()
    };
    Settings {
        table: Table::new(routes.iter().map(route).collect(), Way::default()),
        hello: "mx.x.test".into(),
        hostname: "mx.x.test".into(),
        port: 25,
        limits: LimitRules::default(),
        usual: Limits::default(),
        family: Family::Both,
        patience: smtp::client::Patience::default(),
        retry: Backoff { first: Duration::from_secs(300), longest: Duration::from_secs(300) },
        connect_timeout: Duration::from_secs(5),
        hosts_timeout: Duration::from_secs(60),
        message_time: Duration::from_secs(60),
        idle: Duration::ZERO,
        messages_per_connection: 10,
        own: Vec::new(),
    }
}

impl Bench {
    fn new(settings: Settings) -> Bench {
        let engine: Arc<dyn engine::Engine> = Arc::new(engine::MemoryEngine::default());
        let accounts = Arc::new(agents::Mailboxes::new(0));
        let directory =
            directory::Directory::open(engine.clone(), directory::Settings::default(), &[1; 32], accounts)
                .unwrap();
        let resolver = Arc::new(dns::Resolver::new(dns::Settings::default()).unwrap());
        let world = World {
            store: Arc::new(store::Store::new(engine.clone())),
            collecting: collecting::Collecting::new(engine.clone(), directory.seal(collecting::SEAL_PURPOSE)),
            introspection: RwLock::default(),
            directory: Arc::new(directory),
            queue: queue::Queue::new(engine.clone()),
            lists: lists::Lists::new(engine.clone()),
            list_settings: RwLock::default(),
            asked_today: parking_lot::Mutex::default(),
            resolver: resolver.clone(),
            policy: RwLock::default(),
            outgoing: RwLock::default(),
            seals: false.into(),
            maildrops: Arc::default(),
            stopping: watch::Sender::new(false),
            turns: agents::Turns::default(),
            metrics: agents::Metrics::default(),
            engine: engine.clone(),
        };
        let trust = guard::Settings {
            authorities: Arc::new(net::system_authorities()),
            downgrade_grace: Duration::ZERO,
        };
        let guard = Guard::new(resolver, transport::Memory::new(engine), trust, 443).unwrap();
        Bench { courier: Courier::new(Arc::new(world), Arc::new(guard), settings, UnderWay::nowhere()) }
    }

    fn queue(&self, recipient: &str) -> QueueId {
        let now = clock::now().unix_time();
        let message = format!("Return-Path: <a@x.test>\r\nSubject: {recipient}\r\n\r\nhello\r\n");
        let address = EmailAddress::parse(recipient).unwrap();
        let new = NewEntry {
            reverse_path: ReversePath::Mailbox(EmailAddress::parse("a@x.test").unwrap()),
            recipients: vec![NewRecipient { address, notify: queue::Notify::Default, orcpt: None }],
            ret: None,
            envid: None,
            smtputf8: false,
            body: Body::SevenBit,
            account: None,
            received: now,
            size: message.len() as u64,
            expires: model::UnixTime(now.0 + 5000),
            held: false,
            wishes: Wishes::default(),
        };
        let packed = engine::Packed::new(message.as_bytes());
        let work = move |tx: &mut dyn engine::Tx| {
            let content = tx.append(&packed, 1)?;
            Ok(queue::enqueue(tx, content, &new)?)
        };
        self.courier.world.engine.transact(&[AccountId(0)], work).wait().unwrap()
    }

    fn refill(&self) {
        let refilled =
            self.courier.world.queue.refill(&mut |addressed| self.courier.route_now(addressed), clock::now());
        assert_eq!(refilled.unwrap().problems, [""; 0]);
    }

    fn next_job(&self) -> Option<Job> {
        match self.courier.world.queue.scheduler().next(clock::now()) {
            Some(Work::Deliver(job)) => Some(job),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    fn jobs_running(&self) -> u32 {
        self.courier.world.queue.scheduler().status(clock::now()).jobs
    }
}

/// A host that takes everything, or never answers the end of a message; its address, and whom it got mail for.
async fn host(answers: bool) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (told, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (read, mut write) = socket.split();
            let mut lines = BufReader::new(read).lines();
            let mut content = false;
            let _ = write.write_all(b"220 hop.test\r\n").await;
            while let Ok(Some(line)) = lines.next_line().await {
                let reply: &[u8] = match line.as_str() {
                    "." if !answers => continue,
                    "." => b"250 taken\r\n",
                    _ if content => continue,
                    "DATA" => b"354 go on\r\n",
                    _ => b"250 ok\r\n",
                };
                content = line == "DATA" || content && line != ".";
                if line.starts_with("RCPT") {
                    let _ = told.send(line);
                }
                let _ = write.write_all(reply).await;
            }
        }
    });
    (address, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_old_routes_sends_nothing_the_wrong_way() {
    let ((old, mut at_old), (new, mut at_new)) = (host(true).await, host(true).await);
    let bench = Bench::new(settings(&[("*", &old)]));
    bench.queue("b@y.test");
    bench.refill();
    let job = bench.next_job().unwrap();
    assert_eq!(*job.destination.0, *old);
    // Between the new settings and the scheduler's restart, or just before them.
    *bench.courier.settings.write() = Arc::new(settings(&[("y.test", &new), ("*", &old)]));
    job::run(&bench.courier, job).await;
    assert_eq!(bench.jobs_running(), 0);
    assert!(bench.next_job().is_none(), "it waits to be read again");
    bench.refill();
    let job = bench.next_job().unwrap();
    assert_eq!(*job.destination.0, *new);
    job::run(&bench.courier, job).await;
    assert!(at_new.recv().await.unwrap().contains("b@y.test"));
    assert!(at_old.try_recv().is_err() && bench.courier.world.queue.scheduler().is_empty());
}

#[tokio::test]
async fn what_is_read_while_settings_change_goes_by_those_in_force() {
    let bench = Bench::new(settings(&[]));
    bench.queue("b@y.test");
    bench.queue("b@y.test");
    let mut names = Vec::new();
    let mut route = |addressed: &Addressed<'_>| {
        let routed = bench.courier.route_now(addressed);
        names.push(routed.0.to_string());
        *bench.courier.settings.write() = Arc::new(settings(&[("*", "127.0.0.1:1")]));
        routed
    };
    bench.courier.world.queue.refill(&mut route, clock::now()).unwrap();
    assert_eq!(names, ["y.test", "127.0.0.1:1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_on_an_old_way_however_a_reload_meets_the_reading() {
    let bench = Bench::new(settings(&[("*", "127.0.0.1:1")]));
    for _ in 0..300 {
        bench.queue("b@y.test");
    }
    let reading = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let (courier, goes_on) = (bench.courier.clone(), reading.clone());
    let reader = std::thread::spawn(move || {
        while goes_on.load(std::sync::atomic::Ordering::Relaxed) {
            let mut route = |addressed: &Addressed<'_>| courier.route_now(addressed);
            courier.world.queue.refill(&mut route, clock::now()).unwrap();
        }
    });
    for round in 2..60 {
        let hop = format!("127.0.0.1:{round}");
        bench.courier.reload(settings(&[("*", &hop)]));
        bench.refill();
        let found = bench.courier.world.queue.scheduler().status(clock::now()).destinations;
        let found: Vec<_> =
            found.iter().map(|one| (one.destination.clone(), one.ready + one.waiting)).collect();
        let all: Vec<_> = found.into_iter().filter(|(_, messages)| *messages > 0).collect();
        assert_eq!(all, [(hop, 300)]);
    }
    reading.store(false, std::sync::atomic::Ordering::Relaxed);
    reader.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_code_fails_gives_everything_back() {
    let (silent, mut heard) = host(false).await;
    let bench = Bench::new(settings(&[("*", &silent)]));
    bench.queue("b@y.test");
    bench.refill();
    // Ended from outside, in the midst of it.
    let (courier, job) = (bench.courier.clone(), bench.next_job().unwrap());
    let running = tokio::spawn(async move { job::run(&courier, job).await });
    heard.recv().await.unwrap();
    assert_eq!(bench.jobs_running(), 1);
    running.abort();
    running.await.unwrap_err();
    let after = |seconds: u64| Moment(clock::now().0 + i64::try_from(seconds).unwrap() * 1000);
    let again = |seconds| bench.courier.world.queue.scheduler().next(after(seconds));
    assert_eq!((bench.jobs_running(), again(200)), (0, None));
    let Some(Work::Deliver(job)) = again(400) else { panic!("it is not tried again") };
    // By a fault in the code.
    let held = Held::new(&bench.courier, &job);
    let failed = tokio::spawn(async move {
        let _held = held;
        panic!("a fault");
    });
    assert!(failed.await.unwrap_err().is_panic());
    assert_eq!((bench.jobs_running(), bench.courier.world.metrics.sent_faults.get()), (0, 1));
    assert!(matches!(again(800), Some(Work::Deliver(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_an_end_in_time_whatever_the_host_does() {
    let (silent, mut heard) = host(false).await;
    let bench =
        Bench::new(Settings { message_time: Duration::from_millis(300), ..settings(&[("*", &silent)]) });
    let id = bench.queue("b@y.test");
    bench.refill();
    job::run(&bench.courier, bench.next_job().unwrap()).await;
    heard.recv().await.unwrap();
    let entry = bench.courier.world.queue.show(id).unwrap().unwrap().entry;
    assert_eq!((entry.recipients[0].state, entry.recipients[0].attempts), (RecipientState::Queued, 1));
    assert_eq!(bench.courier.world.metrics.sent_uncertain.get(), 1);
}
