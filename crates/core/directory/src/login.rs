//! Log-ins: the answers to the questions of a SASL exchange (RFC 4422).
//!
//! What is wrong with a log-in is not told: unknown name, wrong password and disabled account get the same answer after
//! the same work (an argon2 of full cost, or invented SCRAM keys) and the same delay.

use crate::bounded::Bounded;
use crate::password::{Cost, prepare, verify_nothing};
use crate::record::{self, AccountRecord, AppRecord, Argon2Record, Credentials, Role, ScramRecord, encode};
use crate::resolve::{Purpose, Resolution};
use crate::{Account, Change, Directory, Error, account, app_password, keys, names};
use engine::{AccountId, Read};
use hmac::{Hmac, KeyInit as _, Mac as _};
use model::EmailAddress;
use sasl::{DigestKind, Question, Reply, ScramHash, ScramKey, ScramKeys, Verdict};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subtle::ConstantTimeEq as _;

/// Passwords remembered as right.
pub(crate) const VERIFIED_MAX: usize = 20_000;
/// The time of last use is written no more often than this, in seconds.
const LAST_USED_EACH: u64 = 3600;
/// Longest part of a claimed name that counts.
const NAME_BYTES_MAX: usize = 320;

/// What somebody logs in to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    /// Sending.
    Smtp,
    /// Reading.
    Imap,
    /// Fetching.
    Pop3,
}

impl Service {
    /// In [`crate::Scopes`], as stored: never renumber.
    pub(crate) fn bit(self) -> u8 {
        match self {
            Service::Smtp => 1,
            Service::Imap => 2,
            Service::Pop3 => 4,
        }
    }
}

/// A credential of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    Own,
    App(u32, app_password::Scopes),
}

/// A password that was right, under HMAC(key of this process, account and password).
pub(crate) struct Verified {
    credentials_generation: u64,
    which: Which,
    at: SystemTime,
}

pub(crate) type VerifiedCache = Bounded<[u8; 32], Verified>;

/// Who somebody says to be.
struct Claimed {
    /// One text for all ways to write the name; also for names that do not exist.
    key: String,
    account: Option<(AccountId, AccountRecord)>,
}

/// What an account may log in with; nothing for names that do not exist.
#[derive(Default)]
struct Keys {
    credentials: Option<Credentials>,
    apps: Vec<(u32, AppRecord)>,
}

impl Keys {
    /// What SCRAM may prove, in the order that [`Question::ScramProved`] counts in.
    fn candidates(&self) -> impl Iterator<Item = (Which, &ScramRecord)> {
        let own = self.credentials.iter().filter_map(|credentials| credentials.password.as_ref());
        let own = own.map(|own| (Which::Own, &own.scram));
        own.chain(self.apps.iter().map(|(number, app)| (Which::App(*number, app.scopes), &app.scram)))
    }
}

/// The circumstances of a question.
#[derive(Clone, Copy)]
struct Attempt {
    service: Service,
    peer: Option<IpAddr>,
    now: SystemTime,
}

/// How a check ended.
enum Outcome {
    Right(Which),
    Wrong,
    /// Not looked at: too many answers to this peer are being held back.
    Later,
}

type Delayed = (Verdict, Duration);

const LATER: Delayed = (Verdict::Unavailable, Duration::ZERO);

impl Directory {
    /// Answers a question of a SASL exchange (or of USER/PASS, LOGIN) and says how long to hold the answer back. Give
    /// the peer's address when there is one (None: a unix socket). A [`sasl::Verdict::Unavailable`] without delay also
    /// means that too many wrong log-ins of this peer are being held back already: it should come again later.
    ///
    /// May run argon2 (some 30 ms of one core, 19 MiB): call it on a thread for blocking work. At most as many run at
    /// once as there are cores; the others wait in this call.
    pub fn answer(
        &self,
        question: &Question,
        service: Service,
        peer: Option<IpAddr>,
        now: SystemTime,
    ) -> (Reply, Duration) {
        let attempt = Attempt { service, peer, now };
        let outcome = match question {
            Question::ScramKeys { user, hash } => match self.scram_keys(user, *hash, &attempt) {
                Ok(Some(keys)) => return (Reply::ScramKeys(keys), Duration::ZERO),
                Ok(None) => Ok(LATER),
                Err(error) => Err(error),
            },
            Question::Password { authorize_as, user, password } => {
                self.check_password(authorize_as, user, password.expose_secret(), &attempt)
            }
            Question::ScramProved { authorize_as, user, candidate } => {
                self.scram_proved(authorize_as, user, *candidate, &attempt)
            }
            Question::Failed { user } => self.failed(user, &attempt),
            Question::Digest { kind, user, challenge, response } => {
                self.check_digest(*kind, user, challenge, response, &attempt)
            }
            Question::Token { user, token } => self.check_token(user, token.expose_secret(), &attempt),
            Question::Certificate { authorize_as, names } => {
                self.check_certificate(authorize_as, names, &attempt)
            }
            Question::Anonymous { .. } => self.check_anonymous(&attempt),
        };
        // Trouble of the engine is no fault of the peer: nothing is counted.
        let (verdict, delay) = outcome.unwrap_or(LATER);
        (Reply::Verdict(verdict), delay)
    }

    /// Whether the issuer has to be asked about a token: no key that is known here has signed it, and the peer has not
    /// failed so often that its answer is held back anyway.
    pub fn must_introspect(&self, user: &str, token: &str, peer: Option<IpAddr>, now: SystemTime) -> bool {
        let settings = self.settings.read().clone();
        let Some(issuer) = &settings.tokens else { return false };
        if issuer.account_of(token, seconds(now)).is_some() {
            return false;
        }
        let claimed = self.engine.snapshot().map_err(Error::from);
        let claimed = claimed.and_then(|snapshot| self.claimed(&*snapshot, user));
        claimed.is_ok_and(|claimed| self.throttle.admits(peer, &claimed.key, now))
    }

    /// Answers [`Question::Token`] by what the issuer has said of the token (RFC 7662): blocking, as
    /// [`Directory::answer`].
    pub fn answer_introspected(
        &self,
        user: &str,
        answer: &[u8],
        service: Service,
        peer: Option<IpAddr>,
        now: SystemTime,
    ) -> (Reply, Duration) {
        let settings = self.settings.read().clone();
        let owner = settings.tokens.as_ref().and_then(|issuer| issuer.introspected(answer, seconds(now)));
        let outcome = self.check_owner(user, owner, &Attempt { service, peer, now });
        let (verdict, delay) = outcome.unwrap_or(LATER);
        (Reply::Verdict(verdict), delay)
    }

    /// The account that a log-in name means: `user@domain`, `user` with the default domain, with or without a
    /// subaddress, or an alias that stands for exactly one account. For tools and tests; a log-in asks
    /// [`Directory::answer`].
    ///
    /// # Errors
    /// Reading failed.
    pub fn login_account(&self, name: &str) -> Result<Option<Account>, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, name)?;
        claimed.account.map(|(id, record)| account::show(id, record)).transpose()
    }

    /// Disabled accounts are found too, those of disabled domains are not.
    fn claimed(&self, read: &dyn Read, name: &str) -> Result<Claimed, Error> {
        let default_domain = if name.contains('@') { None } else { self.default_domain(read)? };
        let Some(address) = names::login_address(name, default_domain.as_ref()) else {
            let key = name.chars().take(NAME_BYTES_MAX / 4).collect();
            return Ok(Claimed { key, account: None });
        };
        if let Some((id, record)) = account::find(read, &address)? {
            let open = record::domain(read, &address.domain)?.is_some_and(|domain| !domain.disabled);
            let key = record.address.clone();
            return Ok(Claimed { key, account: open.then_some((id, record)) });
        }
        if let Resolution::Deliver { local, remote, .. } = self.expand(read, &address, Purpose::LogIn)?
            && let [only] = &local[..]
            && remote.is_empty()
            && let Some(record) = record::account(read, only.account)?
        {
            return Ok(Claimed { key: record.address.clone(), account: Some((only.account, record)) });
        }
        Ok(Claimed { key: unknown_key(read, address)?, account: None })
    }

    fn check_password(
        &self,
        authorize_as: &str,
        user: &str,
        password: &str,
        attempt: &Attempt,
    ) -> Result<Delayed, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, user)?;
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(LATER);
        }
        // Which passwords can't be prepared does not depend on the account: nothing is told by a quick answer.
        let Ok(password) = prepare(password) else { return Ok(self.denied(&claimed, attempt)) };
        let remembered = claimed
            .account
            .as_ref()
            .map(|(id, record)| (self.verified_key(*id, &password), record.credentials_generation));
        if let Some(which) = self.remembered_as_right(remembered.as_ref(), attempt.now) {
            return self.granted(&claimed, authorize_as, which, attempt);
        }
        let keys = credentials_of(&*snapshot, &claimed)?;
        drop(snapshot);
        match self.verify(&claimed, &keys, &password, attempt)? {
            Outcome::Later => Ok(LATER),
            Outcome::Wrong => Ok(self.denied(&claimed, attempt)),
            Outcome::Right(which) => {
                if let Some((key, credentials_generation)) = remembered {
                    let verified = Verified { credentials_generation, which, at: attempt.now };
                    self.verified.lock().insert(key, verified);
                }
                self.granted(&claimed, authorize_as, which, attempt)
            }
        }
    }

    fn verified_key(&self, id: AccountId, password: &str) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(&*self.process_key).expect("HMAC takes keys of any length");
        mac.chain_update(id.0.to_be_bytes()).chain_update(password.as_bytes()).finalize().into_bytes().into()
    }

    fn remembered_as_right(&self, key: Option<&([u8; 32], u64)>, now: SystemTime) -> Option<Which> {
        let (key, generation) = key?;
        let keep_for = self.settings.read().remember_verified;
        let mut cache = self.verified.lock();
        let known = cache.get_mut(key)?;
        let young = now.duration_since(known.at).is_ok_and(|age| age < keep_for);
        if young && known.credentials_generation == *generation {
            return Some(known.which);
        }
        cache.remove(key);
        None
    }

    /// The slow way.
    fn verify(
        &self,
        claimed: &Claimed,
        keys: &Keys,
        password: &str,
        attempt: &Attempt,
    ) -> Result<Outcome, Error> {
        if let Some((id, _)) = &claimed.account
            && let Some(typed) = app_password::bare_letters(password)
        {
            for (number, app) in &keys.apps {
                let Some(secret) = self.seal.open(*id, *number, &app.sealed) else { continue };
                let secret = app_password::bare_letters(&secret).unwrap_or_default();
                if typed.as_bytes().ct_eq(secret.as_bytes()).into() {
                    return Ok(Outcome::Right(Which::App(*number, app.scopes)));
                }
            }
        }
        let _place = self.gate.enter();
        // Those who waited with us may have been wrong meanwhile: of many parallel guesses only the first are looked at.
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(Outcome::Later);
        }
        let own = keys.credentials.as_ref().and_then(|credentials| credentials.password.as_ref());
        let Some(own) = own else {
            verify_nothing(password)?;
            return Ok(Outcome::Wrong);
        };
        let right = own.argon2.verify(password)?;
        if own.argon2.cost() != Cost::FULL {
            // An imported account: as much work as any other, right or wrong.
            let full = Argon2Record::new(password, Cost::FULL)?;
            if right && let Some((id, _)) = &claimed.account {
                self.upgrade(*id, own.argon2.clone(), full);
            }
        }
        Ok(if right { Outcome::Right(Which::Own) } else { Outcome::Wrong })
    }

    /// Stores a stronger hash of the same password; nobody waits for it.
    fn upgrade(&self, id: AccountId, old: Argon2Record, new: Argon2Record) {
        let _unwatched = Change::run(&*self.engine, None, move |tx| {
            let Some(mut credentials) = record::credentials(tx, id)? else { return Ok(()) };
            if let Some(own) = credentials.password.as_mut().filter(|own| own.argon2 == old) {
                own.argon2 = new.clone();
                tx.put(&keys::credentials(id), &encode(&credentials))?;
            }
            Ok(())
        });
    }

    /// None: later.
    fn scram_keys(&self, user: &str, hash: ScramHash, attempt: &Attempt) -> Result<Option<ScramKeys>, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, user)?;
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(None);
        }
        let keys = credentials_of(&*snapshot, &claimed)?;
        let mut candidates: Vec<ScramKey> = keys.candidates().map(|(_, scram)| scram.key(hash)).collect();
        if candidates.is_empty() {
            // One that nobody can prove: an account without credentials looks like one with a password.
            let mut key = self.verified_key(AccountId(0), &claimed.key).to_vec();
            key.truncate(if hash == ScramHash::Sha1 { 20 } else { 32 });
            candidates.push(ScramKey { stored_key: key.clone(), server_key: key });
        }
        let (salt, iterations) = match keys.credentials {
            Some(credentials) => (credentials.scram_salt.to_vec(), credentials.scram_iterations),
            // RFC 5802 §9: an unknown name gets a salt too, the same one each time.
            None => {
                let salt = sasl::invented_scram_salt(&*self.secret, &claimed.key);
                (salt, self.settings.read().scram_iterations)
            }
        };
        Ok(Some(ScramKeys { salt, iterations, candidates }))
    }

    fn scram_proved(
        &self,
        authorize_as: &str,
        user: &str,
        candidate: usize,
        attempt: &Attempt,
    ) -> Result<Delayed, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, user)?;
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(LATER);
        }
        let keys = credentials_of(&*snapshot, &claimed)?;
        let which = keys.candidates().nth(candidate).map(|(which, _)| which);
        match which {
            Some(which) => self.granted(&claimed, authorize_as, which, attempt),
            None => Ok(self.denied(&claimed, attempt)),
        }
    }

    fn failed(&self, user: &str, attempt: &Attempt) -> Result<Delayed, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, user)?;
        // Judged like a proof that was right, so that "later" tells nothing.
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(LATER);
        }
        Ok(self.denied(&claimed, attempt))
    }

    fn check_digest(
        &self,
        kind: DigestKind,
        user: &str,
        challenge: &[u8],
        response: &str,
        attempt: &Attempt,
    ) -> Result<Delayed, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, user)?;
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(LATER);
        }
        let keys = credentials_of(&*snapshot, &claimed)?;
        let mut found = None;
        for (number, app) in &keys.apps {
            let Some((id, _)) = &claimed.account else { break };
            let Some(secret) = self.seal.open(*id, *number, &app.sealed) else { continue };
            if sasl::digest_matches(kind, challenge, secret.as_bytes(), response) {
                found = Some(Which::App(*number, app.scopes));
            }
        }
        match found {
            Some(which) => self.granted(&claimed, "", which, attempt),
            None => Ok(self.denied(&claimed, attempt)),
        }
    }

    /// RFC 7628 §3.2.1. The token says whose it is; a name beside it must mean the same account.
    fn check_token(&self, user: &str, token: &str, attempt: &Attempt) -> Result<Delayed, Error> {
        let settings = self.settings.read().clone();
        let owner =
            settings.tokens.as_ref().and_then(|issuer| issuer.account_of(token, seconds(attempt.now)));
        self.check_owner(user, owner, attempt)
    }

    fn check_owner(&self, user: &str, owner: Option<String>, attempt: &Attempt) -> Result<Delayed, Error> {
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, owner.as_deref().unwrap_or(user))?;
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(LATER);
        }
        match owner {
            Some(_) => self.granted(&claimed, user, Which::Own, attempt),
            None => Ok(self.denied(&claimed, attempt)),
        }
    }

    /// RFC 4422, appendix A: the first address in the certificate that is an account's.
    fn check_certificate(
        &self,
        authorize_as: &str,
        names: &[String],
        attempt: &Attempt,
    ) -> Result<Delayed, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut first = None;
        for name in names {
            let claimed = self.claimed(&*snapshot, name)?;
            if claimed.account.is_some() {
                first = Some(claimed);
                break;
            }
            first.get_or_insert(claimed);
        }
        let Some(claimed) = first else { return Ok((Verdict::Denied, Duration::ZERO)) };
        if !self.throttle.admits(attempt.peer, &claimed.key, attempt.now) {
            return Ok(LATER);
        }
        self.granted(&claimed, authorize_as, Which::Own, attempt)
    }

    /// RFC 4505: reading only, so by IMAP only; POP3 would remove, submission would send.
    fn check_anonymous(&self, attempt: &Attempt) -> Result<Delayed, Error> {
        let settings = self.settings.read().clone();
        let Some(address) = settings.anonymous.as_ref().filter(|_| attempt.service == Service::Imap) else {
            return Ok((Verdict::Denied, Duration::ZERO));
        };
        let snapshot = self.engine.snapshot()?;
        let claimed = self.claimed(&*snapshot, &address.to_string())?;
        match &claimed.account {
            // No throttle: nobody's password is at stake, and nobody's log-ins may be slowed by this.
            Some((_, record)) if !record.disabled => {
                Ok((Verdict::Granted { account: record.address.clone() }, Duration::ZERO))
            }
            _ => Ok((Verdict::Denied, Duration::ZERO)),
        }
    }

    fn denied(&self, claimed: &Claimed, attempt: &Attempt) -> Delayed {
        (Verdict::Denied, self.throttle.failed(attempt.peer, &claimed.key, attempt.now))
    }

    /// The credential was right; now whether it may be used here.
    fn granted(
        &self,
        claimed: &Claimed,
        authorize_as: &str,
        which: Which,
        attempt: &Attempt,
    ) -> Result<Delayed, Error> {
        let Some((id, record)) = &claimed.account else { return Ok(self.denied(claimed, attempt)) };
        if record.disabled || record.role == Role::Shared {
            return Ok(self.denied(claimed, attempt));
        }
        let snapshot = self.engine.snapshot()?;
        let himself = authorize_as.is_empty()
            || self.claimed(&*snapshot, authorize_as)?.account.is_some_and(|(other, _)| other == *id);
        let delay = self.throttle.succeeded(attempt.peer, &claimed.key, attempt.now);
        if let Which::App(number, scopes) = which {
            if !scopes.has(attempt.service) {
                return Ok((Verdict::Forbidden, delay));
            }
            self.note_use(&*snapshot, *id, number, attempt.now)?;
        }
        // RFC 4616 §2: acting as somebody else is for those who may; here nobody may.
        let verdict =
            if himself { Verdict::Granted { account: record.address.clone() } } else { Verdict::Forbidden };
        Ok((verdict, delay))
    }

    /// Writes the time of last use now and then; nobody waits for it.
    fn note_use(&self, read: &dyn Read, id: AccountId, number: u32, now: SystemTime) -> Result<(), Error> {
        let key = keys::last_used(id, number);
        let last = i64::from_be_bytes(record::number(read, &key)?);
        let now = seconds(now);
        if last.abs_diff(now) < LAST_USED_EACH {
            return Ok(());
        }
        let _unwatched = Change::run(&*self.engine, None, move |tx| {
            // It may have been revoked meanwhile.
            if tx.get(&keys::app_password(id, number))?.is_some() {
                tx.put(&key, &now.to_be_bytes())?;
            }
            Ok(())
        });
        Ok(())
    }
}

fn credentials_of(read: &dyn Read, claimed: &Claimed) -> Result<Keys, Error> {
    let Some((id, _)) = &claimed.account else { return Ok(Keys::default()) };
    Ok(Keys { credentials: record::credentials(read, *id)?, apps: record::app_passwords(read, *id)? })
}

/// One key for all ways to write a name that does not exist, as there is for one that does: a subaddress or another name
/// of the domain must not show that the two differ.
fn unknown_key(read: &dyn Read, mut address: EmailAddress) -> Result<String, Error> {
    let mut separator = Some('+');
    if let Some(mut own_domain) = record::domain(read, &address.domain)? {
        if let Some(other) = &own_domain.alias_of {
            address.domain = record::stored_domain(other)?;
            own_domain = record::domain(read, &address.domain)?.unwrap_or(own_domain);
        }
        separator = own_domain.separator;
    }
    let written = address.local.as_str();
    let base = separator.and_then(|c| written.split_once(c)).map_or(written, |(base, _)| base);
    let local = names::normal_local(base).unwrap_or(base.into());
    Ok(format!("{local}@{}", address.domain))
}

/// Seconds since 1970.
fn seconds(now: SystemTime) -> i64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
