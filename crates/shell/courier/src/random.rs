//! Random numbers for what needs no secrecy: shuffling hosts, spreading retries.

/// A number evenly spread over all of u64.
pub(crate) fn number() -> u64 {
    getrandom::u64().unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"))
}
