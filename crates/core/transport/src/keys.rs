//! Keys and values under account 0.
//!
//! Every key begins with `00 00 00 00 't'` (account 0, transport security) and a letter.
//!
//! ```text
//! p domain            PolicyRecord: an MTA-STS policy that was fetched
//! s domain            SeenRecord: which TLS the domain was seen to have
//! r day 00 domain     TallyRecord: sessions of that day (days since 1970, u32 big-endian) for a TLS report
//! n day 00 domain 00 place
//!                     one version byte: the report of that day about the domain is on its way to that place (as its
//!                     record names it); until the tally goes
//! i time id           ReceivedRecord: a TLS report about a domain of ours (seconds since 1970, i64 big-endian; id: the
//!                     first 8 octets of the SHA-256 of organization and report-id)
//! ```
//! Domains are in lower case with A-labels. Values are one version byte (1) and then the fields of that struct
//! (`record.rs`) in the wire format of postcard 1 (postcard.jamesmunns.com/wire-format). All of this is memory: without
//! it mail still goes out, policies are fetched again and levels are learnt again.

const PREFIX: [u8; 5] = [0, 0, 0, 0, b't'];

fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = PREFIX.to_vec();
    key.push(letter);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// Where all keys of a letter begin; `all(letter + 1)` stands behind them.
pub(crate) fn all(letter: u8) -> Vec<u8> {
    key(letter, &[])
}

pub(crate) fn policy(domain: &str) -> Vec<u8> {
    key(b'p', &[domain.as_bytes()])
}

pub(crate) fn seen(domain: &str) -> Vec<u8> {
    key(b's', &[domain.as_bytes()])
}

pub(crate) fn tally(day: u32, domain: &str) -> Vec<u8> {
    key(b'r', &[&day.to_be_bytes(), &[0], domain.as_bytes()])
}

/// All tallies of a day.
pub(crate) fn tallies(day: u32) -> Vec<u8> {
    key(b'r', &[&day.to_be_bytes()])
}

/// Of a place that has the report; those of a day and domain with an empty place.
pub(crate) fn reported(day: u32, domain: &str, place: &str) -> Vec<u8> {
    key(b'n', &[&day.to_be_bytes(), &[0], domain.as_bytes(), &[0], place.as_bytes()])
}

/// All of those of a day.
pub(crate) fn reported_on(day: u32) -> Vec<u8> {
    key(b'n', &[&day.to_be_bytes()])
}

pub(crate) fn received(at: i64, id: [u8; 8]) -> Vec<u8> {
    key(b'i', &[&at.to_be_bytes(), &id])
}

/// The day and domain of a tally's key.
pub(crate) fn tally_of(key: &[u8]) -> Option<(u32, String)> {
    let rest = key.strip_prefix(&all(b'r')[..])?;
    let (day, rest) = rest.split_first_chunk::<4>()?;
    let domain = String::from_utf8(rest.strip_prefix(&[0])?.to_vec()).ok()?;
    Some((u32::from_be_bytes(*day), domain))
}
