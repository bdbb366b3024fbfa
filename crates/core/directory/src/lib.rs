//! Domains, accounts, aliases, groups and credentials; who an address is, and whether a log-in is right.
//!
//! Everything lives under account 0 of the engine (`keys.rs` documents each key and value). Invariants:
//!
//! - Addresses are stored normalised (RFC 8265 §3.3 UsernameCaseMapped for local parts of our own domains, U-labels for
//!   domains); each address is one thing only: an account, an alias or a group.
//! - Account-ids are allotted from 1 up and never used again.
//! - The user's own password is never stored recoverably. Application passwords are, encrypted with the server's
//!   secret, because CRAM-MD5 and APOP need them.
//! - Every change of what addresses mean raises one generation number in the same transaction; caches compare it at
//!   each look-up, so a committed change is seen at once, whoever made it.
//! - A log-in of an unknown name costs the same time and gets the same answer as one with a wrong password.
//! - The quota of an account is kept by the store only; it passes through here on creation ([`Companion::created`]).

mod account;
mod alias;
mod app_password;
mod bounded;
mod dkim;
mod domain;
mod error;
mod import;
mod keys;
mod list;
mod login;
mod names;
mod password;
mod record;
mod redirect;
mod resolve;
pub mod throttle;
mod token;

pub use account::{Account, AccountChange, NewAccount, Quota};
pub use alias::{Alias, AliasKind};
pub use app_password::{AppPassword, NewAppPassword, Scopes, Seal};
pub use dkim::{DkimKey, DkimState, DomainKeys};
pub use domain::{DomainChange, DomainInfo};
pub use error::{Change, Error, Stop};
pub use import::{ImportOutcome, LineError};
pub use list::{ListPart, ListTarget, claim_for_list, release_from_list};
pub use login::Service;
pub use names::normal_address;
pub use record::{Relay, Role};
pub use redirect::Redirect;
pub use resolve::{LocalTarget, Resolution};
pub use token::TokenIssuer;

use engine::{AccountId, Engine, Tx};
use login::VerifiedCache;
use model::Domain;
use parking_lot::{Mutex, RwLock};
use password::Gate;
use resolve::Remembered;
use std::sync::Arc;
use std::time::Duration;
use throttle::Throttle;
use zeroize::Zeroizing;

/// What the store does beside the directory, in the same transaction.
pub trait Companion: Send + Sync {
    /// An account is being made: make its mailboxes, note its quota. May run again after a conflict.
    ///
    /// # Errors
    /// Undoes the creation.
    fn created(&self, tx: &mut dyn Tx, account: &Created<'_>) -> Result<(), engine::Abort>;

    /// An account is being removed. Large data should only be marked here and freed afterwards.
    ///
    /// # Errors
    /// Undoes the removal.
    fn removed(&self, tx: &mut dyn Tx, account: AccountId) -> Result<(), engine::Abort>;
}

/// An account that is being made.
#[derive(Clone, Copy, Debug)]
pub struct Created<'a> {
    /// Its id.
    pub id: AccountId,
    /// Its address.
    pub address: &'a model::EmailAddress,
    /// Its limits, for the store to keep.
    pub quota: Quota,
    /// What it is for.
    pub role: Role,
    /// When, for UIDVALIDITY and the like.
    pub now: model::UnixTime,
}

/// Nothing happens beside (tests, tools).
impl Companion for () {
    fn created(&self, _: &mut dyn Tx, _: &Created<'_>) -> Result<(), engine::Abort> {
        Ok(())
    }

    fn removed(&self, _: &mut dyn Tx, _: AccountId) -> Result<(), engine::Abort> {
        Ok(())
    }
}

/// What the operator may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Domain of log-in names and of `Postmaster` without one. None: the oldest one.
    pub default_domain: Option<Domain>,
    /// Who reads `postmaster@` of every local domain that has no such address itself. None: the first account of that
    /// domain, or else of the default domain, or else the first of all.
    pub postmaster: Option<model::EmailAddress>,
    /// Rounds of SCRAM keys made from now on; 4096 to 10000 (RFC 7677 §4).
    pub scram_iterations: u32,
    /// How long a password that was right needs no argon2 again.
    pub remember_verified: Duration,
    /// How wrong log-ins are slowed.
    pub throttle: throttle::Limits,
    /// Whose bearer tokens are taken. None: nobody's.
    pub tokens: Option<Arc<TokenIssuer>>,
    /// The account that ANONYMOUS opens, for reading by IMAP. None: that is refused.
    pub anonymous: Option<model::EmailAddress>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            default_domain: None,
            postmaster: None,
            scram_iterations: 4096,
            remember_verified: Duration::from_secs(300),
            throttle: throttle::Limits::default(),
            tokens: None,
            anonymous: None,
        }
    }
}

/// The directory. Shared by all sessions; every method takes `&self`.
pub struct Directory {
    engine: Arc<dyn Engine>,
    settings: RwLock<Arc<Settings>>,
    secret: Zeroizing<[u8; 32]>,
    /// Of this process: what is remembered under it is worth nothing to others.
    process_key: Zeroizing<[u8; 32]>,
    seal: Seal,
    dkim_seal: Seal,
    companion: Arc<dyn Companion>,
    gate: Gate,
    throttle: Throttle,
    remembered: Mutex<Remembered>,
    ready_keys: Mutex<dkim::ReadyKeys>,
    verified: Mutex<VerifiedCache>,
}

impl Directory {
    /// Opens the directory kept in `engine`. `secret` is the server's own (from its secret file): it encrypts
    /// application passwords and DKIM keys and invents salts for unknown names; when it is lost, they are too.
    ///
    /// # Errors
    /// Reading failed, or the directory was written by a newer version.
    pub fn open(
        engine: Arc<dyn Engine>,
        settings: Settings,
        secret: &[u8; 32],
        companion: Arc<dyn Companion>,
    ) -> Result<Directory, Error> {
        // A first read tells a store of a newer version, or a broken one, at the start.
        record::generation(&*engine.snapshot()?)?;
        Ok(Directory {
            throttle: Throttle::new(settings.throttle.clone()),
            settings: RwLock::new(Arc::new(settings)),
            secret: Zeroizing::new(*secret),
            process_key: Zeroizing::new(password::random()?),
            seal: Seal::new(secret),
            dkim_seal: dkim::seal(secret),
            companion,
            gate: Gate::new(),
            remembered: Mutex::new(Remembered::new()),
            ready_keys: Mutex::new(dkim::ReadyKeys::new()),
            verified: Mutex::new(VerifiedCache::new(login::VERIFIED_MAX)),
            engine,
        })
    }

    /// What encrypts under the server's secret for a purpose of its own.
    pub fn seal(&self, purpose: &[u8]) -> Seal {
        Seal::for_purpose(&self.secret, purpose)
    }

    /// Where it is kept: for those who write beside it.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Takes other settings from now on (SIGHUP). The throttle lives on, with its old limits.
    pub fn reload(&self, settings: Settings) {
        *self.settings.write() = Arc::new(settings);
        // Who the postmaster is may have changed without any change of the store.
        self.remembered.lock().forget();
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
