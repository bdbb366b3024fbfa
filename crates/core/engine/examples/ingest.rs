//! Measures durable ingest against the raw floor: the log alone, without index (the same writers hand the same bytes to
//! a thread that appends and flushes all that waits). `bare` is a loop without threads that writes groups of that size.
//! `cargo run --release -p engine --example ingest -- [folder] [seconds] [writers,...] [during|before]`
//! With `[folder] reopen [messages]`: how long opening takes after an abort.

use engine::{AccountId, Apply, Engine, LogEngine, Options, Packed};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Measurements of each; odd.
const ROUNDS: usize = 5;
/// Prepared messages; writers take them in turn.
const SAMPLES: usize = 512;

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *state >> 33
}

/// 4 KiB to 1 MiB, mean about 15 KiB, of words mixed with noise as base64 would give.
fn sample(state: &mut u64) -> Vec<u8> {
    let drawn = next(state) % 1000;
    let len = match drawn {
        0..3 => (256 << 10) + next(state) % (768 << 10),
        3..60 => (16 << 10) + next(state) % (100 << 10),
        _ => (4 << 10) + next(state) % (12 << 10),
    } as usize;
    let words = [
        "Received:",
        "from",
        "mail",
        "subject",
        "the",
        "quarterly",
        "report",
        "please",
        "find",
        "attached",
        "\r\n",
    ];
    let mut text = Vec::with_capacity(len + 80);
    while text.len() < len {
        if next(state).is_multiple_of(24) {
            (0..60).for_each(|_| text.push(b'A' + (next(state) % 58) as u8));
        } else {
            text.extend_from_slice(words[(next(state) % words.len() as u64) as usize].as_bytes());
        }
        text.push(b' ');
    }
    text.truncate(len);
    text
}

struct Outcome {
    rate: f64,
    group_size: f64,
    bytes_per_message: f64,
    p50: f64,
    p99: f64,
    max: f64,
    cpu_per_message: f64,
}

fn cpu_micros() -> f64 {
    // Ticks of 10 ms, fields 14 and 15 of proc(5).
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or("").split(' ').filter_map(|field| field.parse().ok()).collect();
    fields.get(10..12).map_or(0.0, |ticks| ticks.iter().sum::<f64>() * 10_000.0)
}

fn written_bytes() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find(|line| line.starts_with("write_bytes:"));
    line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0)
}

fn deliver(engine: &dyn Engine, packed: &Packed, number: u64) {
    let (packed, account) = (packed.clone(), (number % 1000) as u32 + 1);
    let work = move |tx: &mut dyn engine::Tx| {
        let id = tx.append(&packed, 1)?;
        let mut key = [0u8; 17];
        key[..4].copy_from_slice(&account.to_be_bytes());
        key[5..13].copy_from_slice(&number.to_be_bytes());
        key[4] = b'm';
        tx.put(&key[..13], &[7; 120])?;
        key[4] = b'b';
        tx.put(&key[..13], &id.0.to_be_bytes())?;
        key[4] = b'i';
        tx.put(&key, &[3; 28])?;
        key[4] = b'c';
        tx.put(&key, &[1; 12])?;
        key[4] = b'u';
        key[5..].fill(0);
        tx.put(&key[..9], &number.to_be_bytes().repeat(3))?;
        Ok(())
    };
    engine.transact(&[AccountId(account)], work).wait().expect("deliver");
}

fn run_engine(dir: &Path, writers: usize, seconds: u64, samples: &[Vec<u8>], apply: Apply) -> Outcome {
    let engine = LogEngine::open(dir, Options { apply, ..Options::default() }).expect("open");
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let latencies = Mutex::new(Vec::new());
    let packed: Vec<Packed> = samples.iter().map(|raw| Packed::new(raw)).collect();
    let (start, cpu, figures) = (Instant::now(), cpu_micros(), engine.figures());
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                let mut mine = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = done.fetch_add(1, Ordering::Relaxed);
                    let begun = Instant::now();
                    deliver(&engine, &packed[number as usize % SAMPLES], number);
                    mine.push(begun.elapsed().as_secs_f64() * 1000.0);
                }
                latencies.lock().expect("latencies").extend(mine);
            });
        }
        std::thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
    });
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = cpu_micros() - cpu;
    let mut latencies = latencies.into_inner().expect("latencies");
    latencies.sort_by(f64::total_cmp);
    let count = latencies.len() as f64;
    let now = engine.figures();
    let at = |share: f64| latencies[((count - 1.0) * share) as usize];
    Outcome {
        rate: count / elapsed,
        group_size: (now.commits - figures.commits) as f64 / (now.groups - figures.groups) as f64,
        bytes_per_message: (now.log_bytes - figures.log_bytes) as f64 / count,
        p50: at(0.5),
        p99: at(0.99),
        max: at(1.0),
        cpu_per_message: cpu / count,
    }
}

const FLOOR_SEGMENT_BYTES: u64 = 128 << 20;

/// A preallocated file that is appended to, and begun again when it is full, as segments are.
struct FloorFile {
    file: std::fs::File,
    offset: u64,
}

impl FloorFile {
    fn create(path: &Path) -> FloorFile {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .read(true)
            .open(path)
            .expect("floor file");
        FloorFile { file, offset: FLOOR_SEGMENT_BYTES }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.offset + bytes.len() as u64 > FLOOR_SEGMENT_BYTES {
            self.file.set_len(0).expect("truncate");
            rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), 0, FLOOR_SEGMENT_BYTES)
                .expect("fallocate");
            self.offset = 0;
        }
        self.file.write_all_at(bytes, self.offset).expect("write");
        self.file.sync_data().expect("flush");
        self.offset += bytes.len() as u64;
    }
}

/// The bare loop: groups of that size, one after the other, no threads.
fn run_bare(path: &Path, group_size: f64, seconds: u64, records: &[Vec<u8>]) -> f64 {
    let mut floor = FloorFile::create(path);
    let (start, mut messages, mut debt, mut buffer) = (Instant::now(), 0usize, 0.0, Vec::new());
    while start.elapsed() < Duration::from_secs(seconds) {
        debt += group_size;
        buffer.clear();
        while debt >= 1.0 {
            buffer.extend_from_slice(&records[messages % SAMPLES]);
            messages += 1;
            debt -= 1.0;
        }
        floor.append(&buffer);
    }
    messages as f64 / start.elapsed().as_secs_f64()
}

/// The log alone: the same writers hand the same bytes to one thread that appends and flushes all that waits.
fn run_floor(path: &Path, writers: usize, seconds: u64, records: &[Vec<u8>]) -> f64 {
    type Waiting = (usize, std::thread::Thread, std::sync::Arc<AtomicBool>);
    let (sender, receiver) = std::sync::mpsc::channel::<Waiting>();
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..writers {
            let sender = sender.clone();
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = done.fetch_add(1, Ordering::Relaxed) as usize;
                    let flag = std::sync::Arc::new(AtomicBool::new(false));
                    sender.send((number, std::thread::current(), flag.clone())).expect("send");
                    while !flag.load(Ordering::Acquire) {
                        std::thread::park();
                    }
                }
            });
        }
        drop(sender);
        scope.spawn(move || {
            let mut floor = FloorFile::create(path);
            let (mut group, mut buffer) = (Vec::new(), Vec::new());
            while let Ok(first) = receiver.recv() {
                group.push(first);
                group.extend(receiver.try_iter().take(511));
                buffer.clear();
                group.iter().for_each(|(number, ..)| buffer.extend_from_slice(&records[number % SAMPLES]));
                floor.append(&buffer);
                for (_, thread, flag) in group.drain(..) {
                    flag.store(true, Ordering::Release);
                    thread.unpark();
                }
            }
        });
        std::thread::sleep(Duration::from_secs(seconds));
        stop.store(true, Ordering::Relaxed);
    });
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// How long an open takes after the process was killed while the log was written, and what an idle engine holds.
fn run_reopen(dir: &Path, messages: u64) {
    let samples: Vec<Packed> = {
        let mut state = 7;
        (0..64).map(|_| Packed::new(&sample(&mut state)[..4096])).collect()
    };
    if std::env::var_os("INGEST_FILL").is_some() {
        let engine = LogEngine::open(dir, Options::default()).expect("open");
        std::thread::scope(|scope| {
            for writer in 0..64 {
                let (engine, samples) = (&engine, &samples);
                scope.spawn(move || {
                    for number in (writer..messages).step_by(64) {
                        deliver(engine, &samples[number as usize % 64], number);
                    }
                });
            }
        });
        std::process::abort();
    }
    let program = std::env::current_exe().expect("path");
    let filled = std::process::Command::new(program)
        .args([dir.as_os_str(), "reopen".as_ref(), messages.to_string().as_ref()])
        .env("INGEST_FILL", "1")
        .status()
        .expect("fill");
    assert!(!filled.success(), "it aborts");
    let before = resident_kib();
    let start = Instant::now();
    let engine = LogEngine::open(dir, Options::default()).expect("reopen");
    println!(
        "reopened {messages} messages after an abort in {:.0} ms",
        start.elapsed().as_secs_f64() * 1000.0
    );
    println!("resident: {before} KiB before, {} KiB now; {:?}", resident_kib(), engine.figures());
    drop(engine);
    let start = Instant::now();
    let engine = LogEngine::open(dir, Options::default()).expect("reopen");
    println!(
        "after a clean close in {:.0} ms, {} KiB",
        start.elapsed().as_secs_f64() * 1000.0,
        resident_kib()
    );
    let start = Instant::now();
    let report = engine.check(&mut |_, _| {}).expect("check");
    println!("checked in {:.1} s: {:?}", start.elapsed().as_secs_f64(), report.problems);
    drop(engine);
    let start = Instant::now();
    engine::rebuild(dir, &mut |_, _| {}).expect("rebuild");
    println!("rebuilt in {:.1} s", start.elapsed().as_secs_f64());
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap_or_else(|| "/tmp/ingest".into()));
    let second = arguments.next();
    if second.as_deref() == Some("reopen") {
        let messages = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(500_000);
        return run_reopen(&dir, messages);
    }
    let seconds: u64 = second.and_then(|text| text.parse().ok()).unwrap_or(2);
    let writers = arguments.next().unwrap_or_else(|| "1,8,64".into());
    let apply =
        if arguments.next().as_deref() == Some("before") { Apply::BeforeFlush } else { Apply::DuringFlush };
    let mut state = 42;
    let samples: Vec<Vec<u8>> = (0..SAMPLES).map(|_| sample(&mut state)).collect();
    let raw: f64 = samples.iter().map(|raw| raw.len() as f64).sum::<f64>() / SAMPLES as f64;
    let packed_mean =
        samples.iter().map(|raw| Packed::new(raw).stored_len() as f64).sum::<f64>() / SAMPLES as f64;
    println!("mean message {raw:.0} bytes");
    println!(
        "writers   bare/s  floor/s  engine/s  ratio  group  stored  written/payload  cpu µs  p50 ms  p99 ms  max ms"
    );
    for writers in writers.split(',').filter_map(|text| text.parse::<usize>().ok()) {
        let store = dir.join(format!("store-{writers}"));
        let _ = std::fs::remove_dir_all(&store);
        std::fs::create_dir_all(&store).expect("folder");
        let path = dir.join("floor");
        let noise: Vec<u8> = samples.iter().flatten().copied().collect();
        let mut rounds = Vec::new();
        // Alternately, so that a busy moment of the machine hits both; the medians are printed.
        for _ in 0..ROUNDS {
            let written = written_bytes();
            let outcome = run_engine(&store, writers, seconds, &samples, apply);
            let written = (written_bytes() - written) as f64;
            // As many bytes as the engine stored for each message.
            let stretch = outcome.bytes_per_message / packed_mean;
            let lens = samples.iter().map(|raw| (Packed::new(raw).stored_len() as f64 * stretch) as usize);
            let records: Vec<Vec<u8>> = lens.map(|len| noise[..len].to_vec()).collect();
            let floor = run_floor(&path, writers, seconds, &records);
            let bare = run_bare(&path, outcome.group_size, seconds, &records);
            let payload = outcome.rate * seconds as f64 * outcome.bytes_per_message;
            rounds.push([
                bare,
                floor,
                outcome.rate,
                outcome.rate / floor,
                outcome.group_size,
                outcome.bytes_per_message,
                written / payload,
                outcome.cpu_per_message,
                outcome.p50,
                outcome.p99,
                outcome.max,
            ]);
        }
        let median = |column: usize| {
            let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let columns: Vec<String> = (0..11)
            .map(|column| match column {
                0..3 | 5 | 7 => format!("{:8.0}", median(column)),
                _ => format!("{:8.2}", median(column)),
            })
            .collect();
        println!("{writers:7} {}", columns.join(" "));
        let _ = std::fs::remove_dir_all(&store);
        let _ = std::fs::remove_file(dir.join("floor"));
    }
}
