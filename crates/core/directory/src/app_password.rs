//! Application passwords: random, named, revocable, each for some services only.
//!
//! They are stored so that they can be read back: CRAM-MD5 (RFC 2195) and APOP (RFC 1939 §7) need the secret itself.
//! XChaCha20-Poly1305 under the server's secret keeps a stolen store or backup from giving them away.

use crate::password::random;
use crate::record::{self, AppRecord, ScramRecord, encode};
use crate::{Change, Directory, Error, Service, account, keys};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use engine::AccountId;
use hmac::{Hmac, Mac};
use model::{EmailAddress, UnixTime};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Application passwords of one account at most: each is tried at a log-in.
const APP_PASSWORDS_MAX: usize = 50;
/// 16 letters of 26 are 75 bits: no slow hash is needed to protect them.
const LETTERS: usize = 16;
const NONCE_BYTES: usize = 24;

/// The services a password is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them.
    pub const ALL: Scopes = Scopes(7);

    /// These.
    pub fn of(services: &[Service]) -> Scopes {
        Scopes(services.iter().fold(0, |bits, service| bits | service.bit()))
    }

    /// Whether `service` is among them.
    pub fn has(self, service: Service) -> bool {
        self.0 & service.bit() != 0
    }

    /// Their names, `smtp`, `imap`, `pop3`.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(Service::Smtp, "smtp"), (Service::Imap, "imap"), (Service::Pop3, "pop3")];
        all.into_iter().filter_map(|(service, name)| self.has(service).then_some(name)).collect()
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
    #[serde(serialize_with = "scope_names")]
    pub scopes: Scopes,
    /// Seconds since 1970.
    #[serde(serialize_with = "crate::names::unix_time")]
    pub created: UnixTime,
    /// When it was last used, to within an hour; seconds since 1970. None: never.
    pub last_used: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the field")]
fn scope_names<S: serde::Serializer>(scopes: &Scopes, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(scopes.names())
}

/// A fresh one; the only time its secret is seen.
#[derive(Clone, Debug)]
pub struct NewAppPassword {
    /// Its number.
    pub id: u32,
    /// `abcd-efgh-ijkl-mnop`. Typed as a password, the hyphens may be left out or be spaces; SCRAM, CRAM-MD5 and APOP
    /// need it as it stands.
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
        let prepared = self.prepare_app_password(address, name, scopes);
        let (id, secret, scram) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Change::known(Err(error)),
        };
        let (address, name, seal) = (address.clone(), name.to_owned(), self.seal.clone());
        Change::run(&*self.engine, None, move |tx| {
            let mut credentials = record::credentials(tx, id)?.ok_or_else(|| account::missing(&address))?;
            let existing = record::app_passwords(tx, id)?;
            if existing.iter().any(|(_, record)| record.name == name) {
                return Err(Error::Exists(format!("an application password called {name:?}")).into());
            }
            if existing.len() >= APP_PASSWORDS_MAX {
                let why = format!("an account has at most {APP_PASSWORDS_MAX} application passwords");
                return Err(Error::TooMany(why).into());
            }
            credentials.last_app_password += 1;
            let number = credentials.last_app_password;
            let record = AppRecord {
                name: name.clone(),
                scopes,
                created: now.0,
                sealed: seal.close(id, number, secret.expose_secret())?,
                scram: scram.clone(),
            };
            tx.put(&keys::credentials(id), &encode(&credentials))?;
            tx.put(&keys::app_password(id, number), &encode(&record))?;
            Ok(NewAppPassword { id: number, secret: secret.clone() })
        })
    }

    fn prepare_app_password(
        &self,
        address: &EmailAddress,
        name: &str,
        scopes: Scopes,
    ) -> Result<(AccountId, SecretString, ScramRecord), Error> {
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            let why = "1 to 100 bytes without control characters are expected";
            return Err(Error::bad_name(&name, why));
        }
        if scopes.names().is_empty() {
            return Err(Error::bad_name(&name, "it must be for at least one of smtp, imap, pop3"));
        }
        let snapshot = self.engine.snapshot()?;
        let (id, _) = account::find(&*snapshot, address)?.ok_or_else(|| account::missing(address))?;
        let credentials = record::credentials(&*snapshot, id)?.ok_or_else(|| account::missing(address))?;
        let secret = random_secret()?;
        let scram =
            ScramRecord::new(secret.expose_secret(), &credentials.scram_salt, credentials.scram_iterations);
        Ok((id, secret, scram))
    }

    /// Revokes one; sessions that used it go on, new log-ins fail at once.
    pub fn remove_app_password(&self, address: &EmailAddress, name: &str) -> Change<()> {
        let (address, name) = (address.clone(), name.to_owned());
        Change::run(&*self.engine, None, move |tx| {
            let (id, mut account) = account::find(tx, &address)?.ok_or_else(|| account::missing(&address))?;
            let found = record::app_passwords(tx, id)?.into_iter().find(|(_, record)| record.name == name);
            let Some((number, _)) = found else {
                return Err(Error::Missing(format!("application password {name:?}")).into());
            };
            tx.delete(&keys::app_password(id, number))?;
            tx.delete(&keys::last_used(id, number))?;
            account.credentials_generation += 1;
            Ok(tx.put(&keys::account(id), &encode(&account))?)
        })
    }

    /// Whether there is any, of whatever account: only then CRAM-MD5 and APOP can succeed at all.
    ///
    /// # Errors
    /// Reading failed.
    pub fn any_app_password(&self) -> Result<bool, Error> {
        let mut any = false;
        let snapshot = self.engine.snapshot()?;
        record::scan_prefix(&*snapshot, &keys::app_passwords(), &mut |_, _| {
            any = true;
            Ok(std::ops::ControlFlow::Break(()))
        })?;
        Ok(any)
    }

    /// All of an account, by number.
    ///
    /// # Errors
    /// No such account, or reading failed.
    pub fn app_passwords(&self, address: &EmailAddress) -> Result<Vec<AppPassword>, Error> {
        let snapshot = self.engine.snapshot()?;
        let (id, _) = account::find(&*snapshot, address)?.ok_or_else(|| account::missing(address))?;
        let mut shown = Vec::new();
        for (number, record) in record::app_passwords(&*snapshot, id)? {
            let used: [u8; 8] = record::number(&*snapshot, &keys::last_used(id, number))?;
            let used = i64::from_be_bytes(used);
            shown.push(AppPassword {
                id: number,
                name: record.name,
                scopes: record.scopes,
                created: UnixTime(record.created),
                last_used: (used != 0).then_some(used),
            });
        }
        Ok(shown)
    }
}

fn random_secret() -> Result<SecretString, Error> {
    let mut secret = String::with_capacity(LETTERS + LETTERS / 4);
    let mut letters = 0;
    while letters < LETTERS {
        let bytes = Zeroizing::new(random::<32>()?);
        // 234 = 9 × 26: the bytes above would make the first letters likelier.
        for byte in bytes.iter().filter(|&&byte| byte < 234).take(LETTERS - letters) {
            if letters > 0 && letters % 4 == 0 {
                secret.push('-');
            }
            secret.push(char::from(b'a' + byte % 26));
            letters += 1;
        }
    }
    Ok(SecretString::from(secret))
}

/// Whether `typed` may mean this application password: hyphens or spaces between the groups, or none.
pub(crate) fn bare_letters(typed: &str) -> Option<Zeroizing<String>> {
    if typed.len() > 64 {
        return None;
    }
    let letters: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let letters = Zeroizing::new(letters);
    let fits = letters.len() == LETTERS && letters.bytes().all(|b| b.is_ascii_lowercase());
    fits.then_some(letters)
}

/// Encrypts what has to be read back: application passwords, and under other keys private keys and passwords for other
/// servers.
#[derive(Clone)]
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// Of application passwords.
    pub(crate) fn new(secret: &[u8; 32]) -> Seal {
        Seal::for_purpose(secret, b"troika application passwords 1")
    }

    /// What was sealed for one purpose opens for no other.
    pub fn for_purpose(secret: &[u8; 32], purpose: &[u8]) -> Seal {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(purpose);
        Seal(XChaCha20Poly1305::new(&mac.finalize().into_bytes()))
    }

    fn close(&self, account: AccountId, number: u32, secret: &str) -> Result<Vec<u8>, Error> {
        self.close_octets(&place(account, number), secret.as_bytes())
    }

    /// None when the server's secret is another one than then, or the record was tampered with.
    pub(crate) fn open(&self, account: AccountId, number: u32, sealed: &[u8]) -> Option<Zeroizing<String>> {
        let mut opened = self.open_octets(&place(account, number), sealed)?;
        String::from_utf8(std::mem::take(&mut *opened)).ok().map(Zeroizing::new)
    }

    /// Encrypts. `place` ties what is sealed to its record, so that it opens nowhere else.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn close_octets(&self, place: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random::<NONCE_BYTES>()?;
        let sealed = self.0.encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: place });
        let sealed = sealed.expect("XChaCha20-Poly1305 takes a few bytes");
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts. None when the server's secret is another one than then, or the record was tampered with.
    pub fn open_octets(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.0.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place }).ok().map(Zeroizing::new)
    }
}

/// Ties a sealed secret to its record, so that it can't be moved to another account.
fn place(account: AccountId, number: u32) -> [u8; 8] {
    let mut place = [0; 8];
    place[..4].copy_from_slice(&account.0.to_be_bytes());
    place[4..].copy_from_slice(&number.to_be_bytes());
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_look_as_promised() {
        let secret = random_secret().unwrap();
        let text = secret.expose_secret();
        assert_eq!(text.len(), 19);
        assert!(text.split('-').all(|group| group.len() == 4));
        assert_ne!(text, random_secret().unwrap().expose_secret());
        assert!(crate::password::prepare(text).is_ok_and(|prepared| prepared == text));
        let letters: String = text.split('-').collect();
        for typed in [text.to_owned(), text.replace('-', " "), letters.clone()] {
            assert_eq!(bare_letters(&typed).unwrap().as_str(), letters);
        }
        assert!(bare_letters("abcd-efgh-ijkl-mno").is_none());
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let seal = Seal::new(&[1; 32]);
        let sealed = seal.close(AccountId(5), 2, "abcd").unwrap();
        assert!(!sealed.windows(4).any(|part| part == b"abcd"));
        assert_eq!(seal.open(AccountId(5), 2, &sealed).unwrap().as_str(), "abcd");
        assert!(seal.open(AccountId(5), 3, &sealed).is_none());
        assert!(seal.open(AccountId(6), 2, &sealed).is_none());
        assert!(Seal::new(&[2; 32]).open(AccountId(5), 2, &sealed).is_none());
        assert!(seal.open(AccountId(5), 2, &sealed[..20]).is_none());
    }
}
