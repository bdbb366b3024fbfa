//! Measures durable ingest against the raw floor: the same bytes appended and flushed in groups of the same sizes by
//! a bare loop. `cargo run --release -p engine --example ingest -- [folder] [seconds] [writers,...]`

use engine::{AccountId, Engine, LogEngine, Options, Packed};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
        if next(state) % 4 == 0 {
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

fn run_engine(dir: &Path, writers: usize, seconds: u64, samples: &[Vec<u8>]) -> Outcome {
    let engine = LogEngine::open(dir, Options::default()).expect("open");
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

/// Appends and flushes groups of that size into a preallocated file, for as long.
fn run_floor(path: &Path, group_size: f64, bytes_per_message: f64, seconds: u64, samples: &[Vec<u8>]) -> f64 {
    const SEGMENT: u64 = 128 << 20;
    let file =
        OpenOptions::new().create(true).truncate(true).write(true).read(true).open(path).expect("floor file");
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, SEGMENT).expect("fallocate");
    // The bytes that the engine stored for the same messages, spread as they are.
    let mean: f64 = samples.iter().map(|raw| raw.len() as f64).sum::<f64>() / samples.len() as f64;
    let noise: Vec<u8> = samples.iter().flatten().copied().collect();
    let (start, mut messages, mut offset, mut debt) = (Instant::now(), 0u64, 0u64, 0.0);
    while start.elapsed() < Duration::from_secs(seconds) {
        debt += group_size;
        let size = debt as u64;
        debt -= size as f64;
        let size = size.max(1);
        let bytes: f64 =
            (messages..messages + size).map(|at| samples[at as usize % SAMPLES].len() as f64).sum();
        let bytes = ((bytes / mean * bytes_per_message) as usize).min(noise.len());
        if offset + bytes as u64 > SEGMENT {
            offset = 0;
            file.set_len(0).expect("truncate");
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, SEGMENT).expect("fallocate");
        }
        file.write_all_at(&noise[..bytes], offset).expect("write");
        file.sync_data().expect("flush");
        offset += bytes as u64;
        messages += size;
    }
    messages as f64 / start.elapsed().as_secs_f64()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap_or_else(|| "/tmp/ingest".into()));
    let seconds: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    let writers = arguments.next().unwrap_or_else(|| "1,8,64".into());
    let mut state = 42;
    let samples: Vec<Vec<u8>> = (0..SAMPLES).map(|_| sample(&mut state)).collect();
    let raw: f64 = samples.iter().map(|raw| raw.len() as f64).sum::<f64>() / SAMPLES as f64;
    println!("mean message {raw:.0} bytes");
    println!(
        "writers  floor/s  engine/s  ratio  group  stored  written/payload  cpu µs  p50 ms  p99 ms  max ms"
    );
    for writers in writers.split(',').filter_map(|text| text.parse::<usize>().ok()) {
        let store = dir.join(format!("store-{writers}"));
        let _ = std::fs::remove_dir_all(&store);
        std::fs::create_dir_all(&store).expect("folder");
        let written = written_bytes();
        let outcome = run_engine(&store, writers, seconds, &samples);
        let written = (written_bytes() - written) as f64;
        let payload = outcome.rate * seconds as f64 * outcome.bytes_per_message;
        let floor =
            run_floor(&dir.join("floor"), outcome.group_size, outcome.bytes_per_message, seconds, &samples);
        let Outcome { rate, group_size, bytes_per_message, p50, p99, max, cpu_per_message } = outcome;
        let ratio = rate / floor;
        println!(
            "{writers:7} {floor:8.0} {rate:9.0} {ratio:6.2} {group_size:6.1} {bytes_per_message:7.0} {:16.2} \
             {cpu_per_message:7.0} {p50:7.2} {p99:7.2} {max:7.1}",
            written / payload
        );
        let _ = std::fs::remove_dir_all(&store);
        let _ = std::fs::remove_file(dir.join("floor"));
    }
}
