//! Values, and reading them from a snapshot or a transaction alike.

use crate::Error;
use crate::app_password::Scopes;
use crate::dkim::DkimState;
use crate::keys;
use engine::{AccountId, Order, Read, Tx};
use model::{Domain, EmailAddress};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::{Bound, ControlFlow};

/// Version of all values written today. What is new in version 2: [`AccountRecord::role`]; in 3: [`DomainRecord::relay`].
const VERSION: u8 = 3;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct DomainRecord {
    pub disabled: bool,
    pub catch_all: Option<String>,
    pub separator: Option<char>,
    pub alias_of: Option<String>,
    pub created: i64,
    /// The oldest account, who reads `postmaster@` when nobody else does.
    pub first_account: Option<u32>,
    /// Since version 3.
    pub relay: Relay,
}

/// Whether mail for a domain goes on to another server, whose backup this one is (RFC 5321 §2.1, §3.6.1: an MX of lower
/// preference). Addresses that are made here go first. Variants are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Relay {
    /// It ends here.
    #[default]
    No,
    /// All of it goes on, whoever it is for. What that server refuses bounces from here.
    All,
    /// That for addresses with an alias to themselves goes on; others there are not.
    Known,
}

/// Variants are numbered: add new ones at the end only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) enum AddressRecord {
    Account(u32),
    Alias(Vec<String>),
    Group(Vec<String>),
    /// Its number.
    List(u32),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct AccountRecord {
    pub address: String,
    pub display_name: String,
    pub disabled: bool,
    pub has_password: bool,
    pub created: i64,
    /// Raised by each change of a credential: what was remembered of older ones counts no more.
    pub credentials_generation: u64,
    /// Since version 2.
    pub role: Role,
}

/// What an account is for. Variants are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A person's.
    #[default]
    Person,
    /// A person's who may set limits for others (SETQUOTA, RFC 9208).
    Administrator,
    /// Nobody's alone: it takes mail and has mailboxes, which are shared with people; nobody logs in.
    Shared,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct RedirectRecord {
    pub targets: Vec<String>,
    pub keep: bool,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Credentials {
    pub password: Option<PasswordRecord>,
    /// One salt and one number of rounds for all keys of the account (RFC 5802 §5.1: the server sends them before it
    /// knows which password the client has).
    pub scram_salt: [u8; 16],
    pub scram_iterations: u32,
    pub last_app_password: u32,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct PasswordRecord {
    pub argon2: Argon2Record,
    pub scram: ScramRecord,
}

/// argon2id, version 0x13.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Argon2Record {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
    pub salt: [u8; 16],
    pub hash: [u8; 32],
}

/// StoredKey and ServerKey of both hashes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct ScramRecord {
    pub sha1: ([u8; 20], [u8; 20]),
    pub sha256: ([u8; 32], [u8; 32]),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct AppRecord {
    pub name: String,
    pub scopes: Scopes,
    pub created: i64,
    /// 24 bytes of nonce, then XChaCha20-Poly1305 of the secret.
    pub sealed: Vec<u8>,
    pub scram: ScramRecord,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct DkimRecord {
    pub state: DkimState,
    pub kind: String,
    pub bits: u32,
    pub created: i64,
    /// When it came into its state.
    pub since: i64,
    /// The TXT record to publish.
    pub record: String,
    /// 24 bytes of nonce, then XChaCha20-Poly1305 of the key in PKCS#8.
    pub sealed: Vec<u8>,
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    // Writing to memory fails for no record we have: they hold no maps or sequences of unknown length.
    postcard::to_extend(record, vec![VERSION]).expect("a record can be encoded")
}

pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    let corrupt = |why: String| Error::Engine(engine::Error::Corrupt { what: what.to_owned(), why });
    match bytes.split_first() {
        // Nothing but accounts and domains is different in older versions.
        Some((&(1 | 2 | VERSION), rest)) => {
            postcard::from_bytes(rest).map_err(|error| corrupt(error.to_string()))
        }
        Some((&version, _)) if version > VERSION => Err(Error::Engine(engine::Error::NewerFormat {
            found: version.into(),
            supported: VERSION.into(),
        })),
        _ => Err(corrupt("no version byte".to_owned())),
    }
}

/// An account of any version.
pub(crate) fn decode_account(bytes: &[u8]) -> Result<AccountRecord, Error> {
    const WHAT: &str = "an account's record";
    match bytes.split_first() {
        // The first role is what all were.
        Some((&1, rest)) => decode(WHAT, &[&[VERSION], rest, &[0]].concat()),
        _ => decode(WHAT, bytes),
    }
}

/// A domain of any version.
pub(crate) fn decode_domain(bytes: &[u8]) -> Result<DomainRecord, Error> {
    const WHAT: &str = "a domain's record";
    match bytes.split_first() {
        // The first kind of relaying is what there was: none.
        Some((&(1 | 2), rest)) => decode(WHAT, &[&[VERSION], rest, &[0]].concat()),
        _ => decode(WHAT, bytes),
    }
}

pub(crate) fn load<T: DeserializeOwned>(read: &dyn Read, key: &[u8], what: &str) -> Result<Option<T>, Error> {
    let mut outcome = None;
    read.get_with(key, &mut |bytes| outcome = Some(decode(what, bytes)))?;
    outcome.transpose()
}

pub(crate) fn domain(read: &dyn Read, name: &Domain) -> Result<Option<DomainRecord>, Error> {
    let mut outcome = None;
    read.get_with(&keys::domain(name), &mut |bytes| outcome = Some(decode_domain(bytes)))?;
    outcome.transpose()
}

pub(crate) fn address(read: &dyn Read, address: &EmailAddress) -> Result<Option<AddressRecord>, Error> {
    load(read, &keys::address(address), "an address's record")
}

pub(crate) fn account(read: &dyn Read, id: AccountId) -> Result<Option<AccountRecord>, Error> {
    let mut outcome = None;
    read.get_with(&keys::account(id), &mut |bytes| outcome = Some(decode_account(bytes)))?;
    outcome.transpose()
}

pub(crate) fn redirect(read: &dyn Read, id: AccountId) -> Result<Option<RedirectRecord>, Error> {
    load(read, &keys::redirect(id), "an account's redirect")
}

pub(crate) fn credentials(read: &dyn Read, id: AccountId) -> Result<Option<Credentials>, Error> {
    load(read, &keys::credentials(id), "an account's credentials")
}

/// The account with this address in normal form.
pub(crate) fn account_at(
    read: &dyn Read,
    at: &EmailAddress,
) -> Result<Option<(AccountId, AccountRecord)>, Error> {
    let Some(AddressRecord::Account(id)) = address(read, at)? else { return Ok(None) };
    let id = AccountId(id);
    Ok(account(read, id)?.map(|record| (id, record)))
}

pub(crate) fn app_passwords(read: &dyn Read, id: AccountId) -> Result<Vec<(u32, AppRecord)>, Error> {
    let mut found = Vec::new();
    scan_prefix(read, &keys::app_passwords_of(id), &mut |key, value| {
        found.push((keys::last_u32(key), decode("an application password", value)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

pub(crate) fn number<const N: usize>(read: &dyn Read, key: &[u8]) -> Result<[u8; N], Error> {
    let mut number = [0; N];
    let mut fits = true;
    read.get_with(key, &mut |bytes| match bytes.try_into() {
        Ok(bytes) => number = bytes,
        Err(_) => fits = false,
    })?;
    if fits {
        return Ok(number);
    }
    let what = "a number of the directory".to_owned();
    Err(Error::Engine(engine::Error::Corrupt { what, why: "it has another length".to_owned() }))
}

pub(crate) fn generation(read: &dyn Read) -> Result<u64, Error> {
    Ok(u64::from_be_bytes(number(read, &keys::GENERATION)?))
}

pub(crate) fn raise_generation(tx: &mut dyn Tx) -> Result<(), Error> {
    let next = generation(tx)? + 1;
    Ok(tx.put(&keys::GENERATION, &next.to_be_bytes())?)
}

/// Sees a key and its value; breaks, goes on or fails.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Error>;

/// Visits what begins with `prefix` until `visit` breaks or fails.
pub(crate) fn scan_prefix(read: &dyn Read, prefix: &[u8], visit: Visit<'_>) -> Result<(), Error> {
    scan_between(read, Bound::Included(prefix), &keys::behind(prefix), visit)
}

pub(crate) fn scan_between(
    read: &dyn Read,
    from: Bound<&[u8]>,
    end: &[u8],
    visit: Visit<'_>,
) -> Result<(), Error> {
    let mut outcome = Ok(());
    read.scan((from, Bound::Excluded(end)), Order::Ascending, &mut |key, value| match visit(key, value) {
        Ok(flow) => flow,
        Err(error) => {
            outcome = Err(error);
            ControlFlow::Break(())
        }
    })?;
    outcome
}

/// An address that we wrote ourselves.
pub(crate) fn stored_address(text: &str) -> Result<EmailAddress, Error> {
    EmailAddress::parse(text).map_err(|error| {
        let what = format!("the stored address {text:?}");
        Error::Engine(engine::Error::Corrupt { what, why: error.to_string() })
    })
}

/// A domain that we wrote ourselves.
pub(crate) fn stored_domain(text: &str) -> Result<Domain, Error> {
    Domain::new(text).map_err(|error| {
        let what = format!("the stored domain {text:?}");
        Error::Engine(engine::Error::Corrupt { what, why: error.to_string() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_version_1_are_people() {
        let record = AccountRecord {
            address: "a@x.test".to_owned(),
            display_name: "A".to_owned(),
            disabled: true,
            has_password: true,
            created: 5,
            credentials_generation: 7,
            role: Role::Person,
        };
        let mut old = encode(&record);
        // As it was written before there were roles.
        old[0] = 1;
        old.pop();
        assert_eq!(decode_account(&old).unwrap(), record);
        let shared = AccountRecord { role: Role::Shared, ..record };
        assert_eq!(decode_account(&encode(&shared)).unwrap(), shared);
        old[0] = 4;
        assert!(decode_account(&old).is_err());
    }

    #[test]
    fn domains_of_older_versions_end_their_mail_here() {
        let record = DomainRecord {
            disabled: false,
            catch_all: None,
            separator: Some('+'),
            alias_of: None,
            created: 5,
            first_account: Some(1),
            relay: Relay::No,
        };
        for version in [1, 2] {
            let mut old = encode(&record);
            old[0] = version;
            old.pop();
            assert_eq!(decode_domain(&old).unwrap(), record);
        }
        let relayed = DomainRecord { relay: Relay::Known, ..record };
        assert_eq!(decode_domain(&encode(&relayed)).unwrap(), relayed);
    }
}
