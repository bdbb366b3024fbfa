//! Application passwords: random, named, revocable, each for some services only.

use crate::{Change, Directory, Error, Service};
use model::{EmailAddress, UnixTime};
use secrecy::SecretString;

/// The services a password is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them.
    pub const ALL: Scopes = Scopes(7);

    /// These.
    pub fn of(services: &[Service]) -> Scopes {
        Scopes(services.iter().fold(0, |bits, service| bits | 1 << *service as u8))
    }

    /// Whether `service` is among them.
    pub fn has(self, service: Service) -> bool {
        self.0 & 1 << service as u8 != 0
    }
}

/// An application password as it is shown: never the secret itself.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct AppPassword {
    /// Number within its account, from 1, not used again.
    pub id: u32,
    /// What the owner called it; one of a kind within the account.
    pub name: String,
    /// What it is for.
    #[serde(skip)]
    pub scopes: Scopes,
    /// Seconds since 1970.
    #[serde(serialize_with = "crate::names::unix_time")]
    pub created: UnixTime,
    /// When it was last used, to within an hour; None: never.
    pub last_used: Option<i64>,
}

/// A fresh one; the only time its secret is seen.
#[derive(Debug)]
pub struct NewAppPassword {
    /// Its number.
    pub id: u32,
    /// `abcd-efgh-ijkl-mnop`
    pub secret: SecretString,
}

impl Directory {
    /// Makes an application password.
    pub fn add_app_password(
        &self,
        address: &EmailAddress,
        name: &str,
        scopes: Scopes,
        now: UnixTime,
    ) -> Change<NewAppPassword> {
        panic!("{address} {name} {scopes:?} {now}")
    }

    /// Revokes one; sessions that used it go on, new log-ins fail at once.
    pub fn remove_app_password(&self, address: &EmailAddress, name: &str) -> Change<()> {
        panic!("{address} {name}")
    }

    /// All of an account, by number.
    ///
    /// # Errors
    /// No such account, or reading failed.
    pub fn app_passwords(&self, address: &EmailAddress) -> Result<Vec<AppPassword>, Error> {
        panic!("{address}")
    }
}
