//! What is remembered of other domains across restarts: policies, levels, tallies; and reports that came in. Bounded in
//! time by [`Memory::forget`].

use crate::keys;
use crate::record::{PolicyRecord, ReceivedRecord, SeenRecord, TallyRecord, decode, encode};
use crate::report::{Received, Tally};
use crate::seen::Seen;
use crate::sts::Policy;
use engine::{Abort, AccountId, Engine, Error, Order, Pending, Tx};
use sha2::{Digest, Sha256};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// Received reports are kept that long.
const RECEIVED_KEPT: i64 = 90 * 86_400;
/// Levels are kept that long after the last session.
const SEEN_KEPT: i64 = 180 * 86_400;
/// Tallies are kept that many days: reports go out the day after.
const TALLY_DAYS: u32 = 3;
/// Keys changed by one transaction.
const PAGE: usize = 1000;

/// The value of a place that has its report.
const MARK: [u8; 1] = [1];

/// A key and its value.
type Pair = (Vec<u8>, Vec<u8>);

/// A policy that was fetched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    /// The id of the TXT record it was fetched for.
    pub id: String,
    /// The policy.
    pub policy: Policy,
    /// When, and until when it holds (seconds since 1970).
    pub at: i64,
    /// See `at`.
    pub expires: i64,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Memory {
    engine: Arc<dyn Engine>,
}

impl Memory {
    /// The memory kept in `engine`.
    pub fn new(engine: Arc<dyn Engine>) -> Memory {
        Memory { engine }
    }

    /// The last policy of a domain, if it still holds.
    ///
    /// # Errors
    /// The engine's.
    pub fn policy(&self, domain: &str, now: i64) -> Result<Option<Fetched>, Error> {
        let Some(bytes) = self.engine.snapshot()?.get(&keys::policy(domain))? else { return Ok(None) };
        Ok(fetched(&bytes)?.filter(|fetched| fetched.expires > now))
    }

    /// Keeps a policy, or drops it with None.
    pub fn keep_policy(&self, domain: &str, fetched: Option<&Fetched>) -> Pending<()> {
        let key = keys::policy(domain);
        let value = fetched.map(|fetched| {
            encode(&PolicyRecord {
                id: fetched.id.clone(),
                text: fetched.policy.to_text(),
                fetched: fetched.at,
                expires: fetched.expires,
            })
        });
        self.put(vec![(key, value)])
    }

    /// The domains with a policy that holds, with it.
    ///
    /// # Errors
    /// The engine's.
    pub fn policies(&self, now: i64) -> Result<Vec<(String, Fetched)>, Error> {
        let mut found = Vec::new();
        for (key, value) in self.all(b'p')? {
            let domain = String::from_utf8_lossy(&key[keys::all(b'p').len()..]).into_owned();
            found.extend(fetched(&value)?.filter(|one| one.expires > now).map(|one| (domain, one)));
        }
        Ok(found)
    }

    /// How a domain was reached before.
    ///
    /// # Errors
    /// The engine's.
    pub fn seen(&self, domain: &str) -> Result<Seen, Error> {
        let found = self.engine.snapshot()?.get(&keys::seen(domain))?;
        found.map_or(Ok(Seen::default()), |bytes| decode::<SeenRecord>("a level", &bytes))
    }

    /// Keeps that.
    pub fn keep_seen(&self, domain: &str, seen: &Seen) -> Pending<()> {
        self.put(vec![(keys::seen(domain), Some(encode(seen)))])
    }

    /// Adds to what was counted on a day (days since 1970).
    pub fn add_tallies(&self, day: u32, counted: Vec<(String, Tally)>) -> Pending<()> {
        self.engine.transact(&[AccountId(0)], move |tx| {
            for (domain, tally) in &counted {
                let key = keys::tally(day, domain);
                let mut sum = match tx.get(&key)? {
                    Some(bytes) => decode::<TallyRecord>("a tally", &bytes)?,
                    None => Tally::default(),
                };
                sum.add(tally);
                tx.put(&key, &encode(&sum))?;
            }
            Ok(())
        })
    }

    /// What was counted before `day` and is not reported yet.
    ///
    /// # Errors
    /// The engine's.
    pub fn tallies_before(&self, day: u32) -> Result<Vec<(u32, String, Tally)>, Error> {
        let (from, to) = (keys::all(b'r'), keys::tallies(day));
        let mut found = Vec::new();
        for (key, value) in self.range(&from, &to)? {
            if let Some((day, domain)) = keys::tally_of(&key) {
                found.push((day, domain, decode::<TallyRecord>("a tally", &value)?));
            }
        }
        Ok(found)
    }

    /// It is reported to all places.
    pub fn drop_tally(&self, day: u32, domain: &str) -> Pending<()> {
        let domain = domain.to_owned();
        self.engine.transact(&[AccountId(0)], move |tx| {
            tx.delete(&keys::tally(day, &domain))?;
            let prefix = keys::reported(day, &domain, "");
            let (mut marks, range) = (Vec::new(), (Bound::Included(&prefix[..]), Bound::Unbounded));
            tx.scan(range, Order::Ascending, &mut |key, _| {
                let is_one = key.starts_with(&prefix);
                if is_one {
                    marks.push(key.to_vec());
                }
                if is_one { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            Ok(marks.iter().try_for_each(|mark| tx.delete(mark))?)
        })
    }

    /// Whether the report of that day about a domain is on its way to a place of its record already.
    ///
    /// # Errors
    /// The engine's.
    pub fn is_reported(&self, day: u32, domain: &str, place: &str) -> Result<bool, Error> {
        Ok(self.engine.snapshot()?.get(&keys::reported(day, domain, place))?.is_some())
    }

    /// Notes that it is.
    pub fn keep_reported(&self, day: u32, domain: &str, place: &str) -> Pending<()> {
        self.put(vec![(keys::reported(day, domain, place), Some(MARK.to_vec()))])
    }

    /// Keeps a report about a domain of ours; the same one again takes the place of the first of that second.
    pub fn keep_received(&self, at: i64, report: &Received) -> Pending<()> {
        let digest = Sha256::digest(format!("{}\0{}", report.organization, report.id));
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        self.put(vec![(keys::received(at, id), Some(encode(report)))])
    }

    /// The reports that came in since `from` (seconds since 1970), oldest first, with their time.
    ///
    /// # Errors
    /// The engine's.
    pub fn received(&self, from: i64) -> Result<Vec<(i64, Received)>, Error> {
        let (from, to) = (keys::received(from.max(0), [0; 8]), keys::all(b'i' + 1));
        let mut found = Vec::new();
        for (key, value) in self.range(&from, &to)? {
            let at = key[keys::all(b'i').len()..].first_chunk::<8>().copied().map_or(0, i64::from_be_bytes);
            found.push((at, decode::<ReceivedRecord>("a TLS report", &value)?));
        }
        Ok(found)
    }

    /// Drops what is too old to matter; once a day.
    ///
    /// # Errors
    /// The engine's.
    pub fn forget(&self, now: i64) -> Result<(), Error> {
        let mut gone: Vec<Vec<u8>> = Vec::new();
        for (key, value) in self.all(b'p')? {
            // What can't be read is dropped, too: it is fetched again.
            if fetched(&value).ok().flatten().is_none_or(|one| one.expires <= now) {
                gone.push(key);
            }
        }
        for (key, value) in self.all(b's')? {
            if decode::<SeenRecord>("a level", &value).map_or(true, |seen| seen.last + SEEN_KEPT < now) {
                gone.push(key);
            }
        }
        let today = u32::try_from(now / 86_400).unwrap_or(0);
        let old = keys::tallies(today.saturating_sub(TALLY_DAYS));
        gone.extend(self.range(&keys::all(b'r'), &old)?.into_iter().map(|(key, _)| key));
        let old = keys::reported_on(today.saturating_sub(TALLY_DAYS));
        gone.extend(self.range(&keys::all(b'n'), &old)?.into_iter().map(|(key, _)| key));
        let old = keys::received((now - RECEIVED_KEPT).max(0), [0; 8]);
        gone.extend(self.range(&keys::all(b'i'), &old)?.into_iter().map(|(key, _)| key));
        for page in gone.chunks(PAGE) {
            self.put(page.iter().map(|key| (key.clone(), None)).collect()).wait().map_err(failed)?;
        }
        Ok(())
    }

    fn put(&self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Pending<()> {
        self.engine.transact(&[AccountId(0)], move |tx| {
            for (key, value) in &changes {
                match value {
                    Some(value) => tx.put(key, value)?,
                    None => tx.delete(key)?,
                }
            }
            Ok(())
        })
    }

    fn all(&self, letter: u8) -> Result<Vec<Pair>, Error> {
        self.range(&keys::all(letter), &keys::all(letter + 1))
    }

    fn range(&self, from: &[u8], to: &[u8]) -> Result<Vec<Pair>, Error> {
        let mut found = Vec::new();
        let range = (Bound::Included(from), Bound::Excluded(to));
        self.engine.snapshot()?.scan(range, Order::Ascending, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

/// As [`Memory::keep_reported`], inside the transaction that sends the report there.
///
/// # Errors
/// The engine's.
pub fn note_reported(tx: &mut dyn Tx, day: u32, domain: &str, place: &str) -> Result<(), Error> {
    tx.put(&keys::reported(day, domain, place), &MARK)
}

fn failed(abort: Abort) -> Error {
    match abort {
        Abort::Engine(error) => error,
        Abort::Cancelled => unreachable!("nothing here gives up"),
    }
}

fn fetched(bytes: &[u8]) -> Result<Option<Fetched>, Error> {
    let record: PolicyRecord = decode("an MTA-STS policy", bytes)?;
    let policy = Policy::parse(&record.text).ok();
    Ok(policy.map(|policy| Fetched { id: record.id, policy, at: record.fetched, expires: record.expires }))
}
