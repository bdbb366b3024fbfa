//! Passwords at rest: argon2id for whoever types it, SCRAM keys for who proves it.
//!
//! The SCRAM keys are the weaker of the two: whoever steals the store tries guesses against 4096 rounds of PBKDF2 rather
//! than against argon2. They are the price of SCRAM (RFC 7677 §4); argon2 keeps its worth for accounts whose keys are
//! dropped, and against guesses made here. So a lighter argon2 for imported accounts, replaced at the first log-in,
//! weakens nothing.

use crate::Error;
use crate::record::{Argon2Record, PasswordRecord, ScramRecord};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::{Condvar, Mutex};
use sasl::{ScramHash, ScramKey, scram_keys};
use std::borrow::Cow;
use subtle::ConstantTimeEq as _;

/// Longest password in bytes, so that hashing one is never work without bound.
const PASSWORD_BYTES_MAX: usize = 1024;

/// How much work a guess shall be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// What OWASP and RFC 9106 recommend at least for servers: 19 MiB, two passes.
    pub(crate) const FULL: Cost = Cost { memory_kib: 19 * 1024, passes: 2 };
    /// For accounts imported by the thousand, until they log in.
    pub(crate) const LIGHT: Cost = Cost { memory_kib: 256, passes: 1 };
}

/// SASLprep (RFC 4013) as the clients of SCRAM do it, for all mechanisms alike, and our limits.
pub(crate) fn prepare(password: &str) -> Result<Cow<'_, str>, Error> {
    if password.is_empty() {
        return Err(Error::BadPassword("it is empty"));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::BadPassword("it is longer than 1024 bytes"));
    }
    sasl::prepare(password)
        .map_err(|_| Error::BadPassword("it holds control or other characters that SASLprep forbids"))
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Random(error.to_string()))?;
    Ok(bytes)
}

fn argon2_hash(cost: Cost, salt: &[u8; 16], password: &str) -> Result<[u8; 32], Error> {
    let broken = |error: argon2::Error| Error::Random(format!("argon2: {error}"));
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(broken)?;
    let mut hash = [0; 32];
    let mut memory = Vec::with_capacity(WORKING_MEMORY_BYTES / size_of::<Block>());
    memory.resize(params.block_count(), Block::default());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, &mut memory)
        .map_err(broken)?;
    Ok(hash)
}

/// Address space taken for a hash, of which only what its cost names is touched. glibc maps what is larger than 32 MiB by
/// itself and gives it back at once; what is smaller it keeps, once for each thread that ever hashed: hundreds of MiB.
const WORKING_MEMORY_BYTES: usize = 33 << 20;

impl Argon2Record {
    /// Of a prepared password.
    pub(crate) fn new(password: &str, cost: Cost) -> Result<Argon2Record, Error> {
        let salt = random()?;
        let hash = argon2_hash(cost, &salt, password)?;
        Ok(Argon2Record { memory_kib: cost.memory_kib, passes: cost.passes, lanes: 1, salt, hash })
    }

    /// Of a prepared password.
    pub(crate) fn verify(&self, password: &str) -> Result<bool, Error> {
        let hash = argon2_hash(self.cost(), &self.salt, password)?;
        Ok(hash.ct_eq(&self.hash).into())
    }

    pub(crate) fn cost(&self) -> Cost {
        Cost { memory_kib: self.memory_kib, passes: self.passes }
    }
}

/// As much work as a real verification, for names without a password.
pub(crate) fn verify_nothing(password: &str) -> Result<(), Error> {
    argon2_hash(Cost::FULL, b"nobody's salt...", password).map(|_| ())
}

impl ScramRecord {
    /// Of a prepared password.
    pub(crate) fn new(password: &str, salt: &[u8; 16], iterations: u32) -> ScramRecord {
        let sha1 = scram_keys(password, salt, iterations, ScramHash::Sha1);
        let sha256 = scram_keys(password, salt, iterations, ScramHash::Sha256);
        ScramRecord { sha1: arrays(&sha1), sha256: arrays(&sha256) }
    }

    pub(crate) fn key(&self, hash: ScramHash) -> ScramKey {
        let (stored_key, server_key) = match hash {
            ScramHash::Sha1 => (self.sha1.0.to_vec(), self.sha1.1.to_vec()),
            ScramHash::Sha256 => (self.sha256.0.to_vec(), self.sha256.1.to_vec()),
        };
        ScramKey { stored_key, server_key }
    }
}

fn arrays<const N: usize>(key: &ScramKey) -> ([u8; N], [u8; N]) {
    let array = |bytes: &[u8]| <[u8; N]>::try_from(bytes).expect("a SCRAM key is as long as its hash");
    (array(&key.stored_key), array(&key.server_key))
}

impl PasswordRecord {
    /// Of a prepared password.
    pub(crate) fn new(
        password: &str,
        scram_salt: &[u8; 16],
        iterations: u32,
        cost: Cost,
    ) -> Result<PasswordRecord, Error> {
        Ok(PasswordRecord {
            argon2: Argon2Record::new(password, cost)?,
            scram: ScramRecord::new(password, scram_salt, iterations),
        })
    }
}

/// Lets as many heavy computations run at once as there are cores: more would not be faster, and each costs 19 MiB.
pub(crate) struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Gate { free: Mutex::new(cores), freed: Condvar::new() }
    }

    /// Waits for a place; it is given back when dropped.
    pub(crate) fn enter(&self) -> Place<'_> {
        let mut free = self.free.lock();
        while *free == 0 {
            self.freed.wait(&mut free);
        }
        *free -= 1;
        Place(self)
    }
}

pub(crate) struct Place<'a>(&'a Gate);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_and_wrong_passwords() {
        let record = PasswordRecord::new("pencil", &[7; 16], 4096, Cost::LIGHT).unwrap();
        assert!(record.argon2.verify("pencil").unwrap());
        assert!(!record.argon2.verify("pencils").unwrap());
        assert_eq!(record.argon2.cost(), Cost::LIGHT);
        let keys = scram_keys("pencil", &[7; 16], 4096, ScramHash::Sha256);
        assert_eq!(record.scram.key(ScramHash::Sha256).stored_key, keys.stored_key);
        assert_eq!(record.scram.key(ScramHash::Sha1).server_key.len(), 20);
    }

    #[test]
    fn passwords_that_no_client_could_send_are_refused() {
        assert!(prepare("").is_err());
        assert!(prepare("a\nb").is_err());
        assert!(prepare(&"x".repeat(1025)).is_err());
        assert_eq!(prepare("пароль с пробелом").unwrap(), "пароль с пробелом");
        // RFC 4013 §3: a soft hyphen is mapped to nothing.
        assert_eq!(prepare("I\u{ad}X").unwrap(), "IX");
    }

    #[test]
    fn the_gate_lets_no_more_in_than_there_are_places() {
        let gate = Gate { free: Mutex::new(1), freed: Condvar::new() };
        let inside = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _place = gate.enter();
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                });
            }
        });
        assert_eq!(*gate.free.lock(), 1);
    }
}
