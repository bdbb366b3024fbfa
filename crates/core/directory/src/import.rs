//! Accounts by the thousand from a CSV file (RFC 4180, one record a line).

use crate::account::{Prepared, create};
use crate::error::Stop;
use crate::password::Cost;
use crate::{Change, Directory, Error, NewAccount, Quota};
use model::{EmailAddress, UnixTime};
use secrecy::SecretString;
use std::io::{BufRead, Read as _};

/// Accounts in one transaction.
const BATCH: usize = 500;
/// Longest line.
const LINE_BYTES_MAX: u64 = 8192;
/// Errors told at most.
const ERRORS_MAX: usize = 1000;

/// A line that was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// From 1.
    pub line: u64,
    /// Why, in words.
    pub why: String,
}

/// What an import did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ImportOutcome {
    /// Accounts made.
    pub created: u64,
    /// Lines that were not taken; the others were.
    pub refused: u64,
    /// Why, for the first thousand of them, by line.
    pub errors: Vec<LineError>,
}

impl ImportOutcome {
    fn refuse(&mut self, line: u64, why: impl ToString) {
        self.refused += 1;
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(LineError { line, why: why.to_string() });
        }
    }
}

/// One outcome for each account of a batch.
type Batch = Change<Vec<(u64, Result<(), Error>)>>;

impl Directory {
    /// Makes an account of each line `address,password,quota` (quota in bytes or as `500M`, `1G`; empty or missing: no
    /// limit; a first line that begins with `address` is skipped). Passwords are hashed on all cores while the batch
    /// before is being written; `progress` hears the lines done so far.
    ///
    /// # Errors
    /// Reading or writing failed; the batches before stand. A bad line is no error: see [`ImportOutcome::errors`].
    pub fn import_csv(
        &self,
        reader: &mut dyn BufRead,
        now: UnixTime,
        progress: &mut dyn FnMut(u64),
    ) -> Result<ImportOutcome, Error> {
        let mut outcome = ImportOutcome::default();
        let mut writing: Option<Batch> = None;
        let mut line = 0;
        loop {
            let (accounts, ended) = read_batch(reader, &mut line, &mut outcome)?;
            let prepared = self.prepare_batch(accounts, &mut outcome);
            settle(writing.take(), &mut outcome)?;
            progress(line);
            writing = Some(self.write_batch(prepared, now));
            if ended {
                break;
            }
        }
        settle(writing, &mut outcome)?;
        outcome.errors.sort_by_key(|error| error.line);
        Ok(outcome)
    }

    fn prepare_batch(
        &self,
        accounts: Vec<(u64, NewAccount)>,
        outcome: &mut ImportOutcome,
    ) -> Vec<(u64, Prepared)> {
        let iterations = self.settings.read().scram_iterations;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let share = accounts.len().div_ceil(cores).max(1);
        let hashed: Vec<(u64, Result<Prepared, Error>)> = std::thread::scope(|scope| {
            let hash = |part: &[(u64, NewAccount)]| {
                let prepare = |(line, new): &(u64, NewAccount)| {
                    // The heavy hash follows at the first log-in, one by one.
                    (*line, Prepared::new(new, iterations, Cost::LIGHT))
                };
                part.iter().map(prepare).collect::<Vec<_>>()
            };
            let running: Vec<_> =
                accounts.chunks(share).map(|part| scope.spawn(move || hash(part))).collect();
            running.into_iter().flat_map(|thread| thread.join().expect("hashing does not panic")).collect()
        });
        let mut prepared = Vec::with_capacity(hashed.len());
        for (line, one) in hashed {
            match one {
                Ok(one) => prepared.push((line, one)),
                Err(error) => outcome.refuse(line, error),
            }
        }
        prepared
    }

    fn write_batch(&self, batch: Vec<(u64, Prepared)>, now: UnixTime) -> Batch {
        if batch.is_empty() {
            return Change::known(Ok(Vec::new()));
        }
        let companion = self.companion.clone();
        Change::run(&*self.engine, None, move |tx| {
            let mut outcomes = Vec::with_capacity(batch.len());
            for (line, new) in &batch {
                // What `create` finds wrong it finds before it writes.
                let one = match create(tx, new, &*companion, now) {
                    Ok(_) => Ok(()),
                    Err(Stop::Reason(error)) if !matches!(error, Error::Engine(_)) => Err(error),
                    Err(stop) => return Err(stop),
                };
                outcomes.push((*line, one));
            }
            Ok(outcomes)
        })
    }
}

fn settle(batch: Option<Batch>, outcome: &mut ImportOutcome) -> Result<(), Error> {
    let Some(batch) = batch else { return Ok(()) };
    for (line, one) in batch.wait()? {
        match one {
            Ok(()) => outcome.created += 1,
            Err(error) => outcome.refuse(line, error),
        }
    }
    Ok(())
}

/// The next accounts, and whether the file ended.
fn read_batch(
    reader: &mut dyn BufRead,
    line: &mut u64,
    outcome: &mut ImportOutcome,
) -> Result<(Vec<(u64, NewAccount)>, bool), Error> {
    let mut accounts = Vec::with_capacity(BATCH);
    let mut bytes = Vec::new();
    while accounts.len() < BATCH {
        bytes.clear();
        let read = |error: std::io::Error| Error::Read(error.to_string());
        let length = reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).map_err(read)?;
        if length == 0 {
            return Ok((accounts, true));
        }
        *line += 1;
        if length as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
            reader.skip_until(b'\n').map_err(read)?;
            outcome.refuse(*line, format!("the line is longer than {LINE_BYTES_MAX} bytes"));
            continue;
        }
        match std::str::from_utf8(&bytes) {
            Err(_) => outcome.refuse(*line, "the line is not UTF-8"),
            Ok(text) => match parse_line(text, *line == 1) {
                Ok(Some(account)) => accounts.push((*line, account)),
                Ok(None) => {}
                Err(why) => outcome.refuse(*line, why),
            },
        }
    }
    Ok((accounts, false))
}

/// None: an empty line, or the titles.
fn parse_line(text: &str, first: bool) -> Result<Option<NewAccount>, String> {
    let text = if first { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(None);
    }
    let fields = split_fields(text)?;
    if first && fields[0].trim().eq_ignore_ascii_case("address") {
        return Ok(None);
    }
    let (address, password, quota) = match &fields[..] {
        [address, password] => (address, password, ""),
        [address, password, quota] => (address, password, quota.as_str()),
        _ => return Err(format!("address,password,quota are expected; there are {} fields", fields.len())),
    };
    let address =
        EmailAddress::parse(address.trim()).map_err(|error| format!("{:?}: {error}", address.trim()))?;
    let bytes = parse_quota(quota)?;
    Ok(Some(NewAccount {
        address,
        display_name: String::new(),
        password: Some(SecretString::from(password.as_str())),
        quota: Quota { bytes, messages: None },
        role: crate::Role::Person,
    }))
}

/// RFC 4180 §2: fields may stand in quotes, a quote within is doubled.
fn split_fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, behind) = rest.split_once(',').map_or((rest, None), |(a, b)| (a, Some(b)));
            fields.push(field.to_owned());
            match behind {
                Some(behind) => rest = behind,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut parts = quoted;
        let behind = loop {
            let (part, behind) =
                parts.split_once('"').ok_or_else(|| "a quoted field does not end on its line".to_owned())?;
            field.push_str(part);
            match behind.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    parts = more;
                }
                None => break behind,
            }
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(behind) => rest = behind,
            None if behind.is_empty() => return Ok(fields),
            None => return Err("a comma is expected behind a quoted field".to_owned()),
        }
    }
}

/// Bytes; with K, M, G, T (and B or iB behind) in powers of 1024. Empty, `0` and `none`: no limit.
fn parse_quota(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() || text == "0" || text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let bad = || format!("{text:?} is no quota; bytes or a number with K, M, G, T are expected");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| bad())?;
    let shift = match text[digits..].trim().to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return Err(bad()),
    };
    number.checked_mul(1 << shift).map(Some).ok_or_else(bad)
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
