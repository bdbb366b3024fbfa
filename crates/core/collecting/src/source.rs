//! Making, changing, removing and listing sources.

use crate::record::{self, Counts, Folders, Keep, Place, Protocol, Settings, SourceRecord, Status, encode};
use crate::{Collecting, keys};
use directory::{Change, Error};
use engine::{Abort, AccountId, Read, Tx};
use model::UnixTime;
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// Sources of one account at most.
const PER_ACCOUNT_MAX: usize = 50;
/// Folders named at most.
const FOLDERS_MAX: usize = 200;
/// Longest name of a host (RFC 1035 §2.3.4), and room for a folder's.
const TEXT_BYTES_MAX: usize = 255;
/// Longest password.
const SECRET_BYTES_MAX: usize = 4096;
/// Keys freed in one transaction.
const FREED_AT_ONCE: usize = 2000;

/// Number of a source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct SourceId(pub u32);

/// A source. Its password is had by [`Collecting::secret`] alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its number.
    pub id: SourceId,
    /// Whose mail it is.
    pub account: AccountId,
    /// What it is and how it is collected.
    pub settings: Settings,
    /// When it was made.
    pub created: UnixTime,
}

/// A password for another server; [`std::fmt::Debug`] does not show it.
#[derive(Clone)]
pub struct NewSecret(pub Zeroizing<String>);

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSecret([redacted])")
    }
}

impl Collecting {
    /// Makes a source; it is due at once. The account must be there.
    pub fn add(
        &self,
        account: AccountId,
        settings: Settings,
        secret: NewSecret,
        now: UnixTime,
    ) -> Change<SourceId> {
        if let Err(error) = checked(&settings).and_then(|()| checked_secret(&secret)) {
            return Change::known(Err(error));
        }
        let seal = self.seal.clone();
        Change::run(&*self.engine, Some(account), move |tx| {
            let mut owned = 0;
            record::scan(tx, &keys::owned_by(account), None, &mut |_, _| {
                owned += 1;
                Ok(ControlFlow::Continue(()))
            })?;
            if owned >= PER_ACCOUNT_MAX {
                return Err(
                    Error::TooMany(format!("at most {PER_ACCOUNT_MAX} sources of one account")).into()
                );
            }
            let id = next(tx)?;
            let record = SourceRecord {
                account: account.0,
                settings: settings.clone(),
                sealed: seal.close_octets(&place(id, account), secret.0.as_bytes())?,
                created: now.0,
            };
            tx.put(&keys::of(b's', id), &encode(&record))?;
            tx.put(&keys::owned(account, id), b"")?;
            tx.put(&keys::of(b't', id), &encode(&Status { next_run: now.0, ..Status::default() }))?;
            tx.put(&keys::of(b'k', id), &encode(&Counts::default()))?;
            Ok(id)
        })
    }

    /// Changes a source, which is due at once and forgotten what was wrong. Without a new password the old one stays,
    /// but for another host: the old one is not shown to it.
    pub fn set(
        &self,
        id: SourceId,
        settings: Settings,
        secret: Option<NewSecret>,
        now: UnixTime,
    ) -> Change<()> {
        if let Err(error) = checked(&settings).and_then(|()| secret.as_ref().map_or(Ok(()), checked_secret)) {
            return Change::known(Err(error));
        }
        let seal = self.seal.clone();
        Change::run(&*self.engine, None, move |tx| {
            let mut record = record::source(tx, id)?.ok_or_else(|| missing(id))?;
            let old = &record.settings;
            if (&old.host, old.protocol) != (&settings.host, settings.protocol) && secret.is_none() {
                let why = "another host or protocol needs the password again";
                return Err(Error::bad_name(&settings.host, why).into());
            }
            // What was noted of one mailbox says nothing of another one. Its digests would, but not reliably for POP3.
            if (old.protocol, &old.user) != (settings.protocol, &settings.user) {
                let why = "another user or protocol is another mailbox: add a source, and remove this one";
                return Err(Error::bad_name(&settings.user, why).into());
            }
            if let Some(secret) = &secret {
                let account = AccountId(record.account);
                record.sealed = seal.close_octets(&place(id, account), secret.0.as_bytes())?;
            }
            record.settings = settings.clone();
            tx.put(&keys::of(b's', id), &encode(&record))?;
            let mut status: Status =
                record::load(tx, &keys::of(b't', id), "a source's status")?.unwrap_or_default();
            status.next_run = now.0;
            status.failures = 0;
            status.trouble = None;
            Ok(tx.put(&keys::of(b't', id), &encode(&status))?)
        })
    }

    /// Removes a source. What was collected stays; what is kept of the source is freed by [`Collecting::free`].
    pub fn remove(&self, id: SourceId) -> Change<()> {
        Change::run(&*self.engine, None, move |tx| {
            let record = record::source(tx, id)?.ok_or_else(|| missing(id))?;
            Ok(remove(tx, AccountId(record.account), id)?)
        })
    }

    /// Frees a part of what removed sources have left behind; answers whether there is more.
    pub fn free(&self) -> Change<bool> {
        Change::run(&*self.engine, None, move |tx| {
            let mut doomed = None;
            record::scan(tx, &keys::all(b'x'), None, &mut |key, _| {
                doomed = Some(keys::source_in(key));
                Ok(ControlFlow::Break(()))
            })?;
            let Some(id) = doomed else { return Ok(false) };
            let mut found = Vec::new();
            for letter in [b'd', b'm'] {
                record::scan(tx, &keys::of(letter, id), None, &mut |key, _| {
                    found.push(key.to_vec());
                    Ok(if found.len() < FREED_AT_ONCE {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    })
                })?;
            }
            for key in &found {
                tx.delete(key)?;
            }
            if found.len() < FREED_AT_ONCE {
                tx.delete(&keys::of(b'k', id))?;
                tx.delete(&keys::of(b'x', id))?;
            }
            Ok(true)
        })
    }

    /// One source.
    ///
    /// # Errors
    /// Reading failed.
    pub fn source(&self, id: SourceId) -> Result<Option<Source>, engine::Error> {
        Ok(record::source(&*self.engine.snapshot()?, id)?.map(|record| show(id, record)))
    }

    /// The sources of an account, oldest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn sources_of(&self, account: AccountId) -> Result<Vec<Source>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let ids = ids_of(&*snapshot, account)?;
        let found =
            ids.into_iter().map(|id| Ok(record::source(&*snapshot, id)?.map(|record| show(id, record))));
        found.filter_map(Result::transpose).collect()
    }

    /// A page of all sources behind `after`, oldest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn sources(&self, after: Option<SourceId>, limit: usize) -> Result<Vec<Source>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let after = after.map(|id| keys::of(b's', id));
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        record::scan(&*snapshot, &keys::all(b's'), after.as_deref(), &mut |key, value| {
            found.push(show(keys::source_in(key), record::decode("a source", value)?));
            Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(found)
    }

    /// The password of a source. None: there is no such source, or the server's secret is another one than when it was
    /// kept.
    ///
    /// # Errors
    /// Reading failed.
    pub fn secret(&self, id: SourceId) -> Result<Option<Zeroizing<String>>, engine::Error> {
        let Some(record) = record::source(&*self.engine.snapshot()?, id)? else { return Ok(None) };
        let opened = self.seal.open_octets(&place(id, AccountId(record.account)), &record.sealed);
        Ok(opened.and_then(|octets| str::from_utf8(&octets).ok().map(|text| Zeroizing::new(text.to_owned()))))
    }
}

/// Removes the sources of an account that is being removed, in that transaction.
///
/// # Errors
/// Undoes the removal.
pub fn remove_of_account(tx: &mut dyn Tx, account: AccountId) -> Result<(), Abort> {
    for id in ids_of(tx, account)? {
        remove(tx, account, id)?;
    }
    Ok(())
}

fn remove(tx: &mut dyn Tx, account: AccountId, id: SourceId) -> Result<(), engine::Error> {
    tx.delete(&keys::of(b's', id))?;
    tx.delete(&keys::of(b't', id))?;
    tx.delete(&keys::owned(account, id))?;
    tx.put(&keys::of(b'x', id), b"")
}

fn ids_of<R: Read + ?Sized>(read: &R, account: AccountId) -> Result<Vec<SourceId>, engine::Error> {
    let mut ids = Vec::new();
    record::scan(read, &keys::owned_by(account), None, &mut |key, _| {
        ids.push(SourceId(keys::last_u32(key)));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(ids)
}

fn next(tx: &mut dyn Tx) -> Result<SourceId, engine::Error> {
    let mut last = 0;
    tx.get_with(&keys::LAST_SOURCE, &mut |bytes| last = keys::last_u32(bytes))?;
    let next = last.checked_add(1).expect("fewer than 2^32 were ever made");
    tx.put(&keys::LAST_SOURCE, &next.to_be_bytes())?;
    Ok(SourceId(next))
}

/// Ties a password to its source and account.
fn place(id: SourceId, account: AccountId) -> [u8; 8] {
    let mut place = [0; 8];
    place[..4].copy_from_slice(&id.0.to_be_bytes());
    place[4..].copy_from_slice(&account.0.to_be_bytes());
    place
}

fn show(id: SourceId, record: SourceRecord) -> Source {
    Source {
        id,
        account: AccountId(record.account),
        settings: record.settings,
        created: UnixTime(record.created),
    }
}

pub(crate) fn missing(id: SourceId) -> Error {
    Error::Missing(format!("source {}", id.0))
}

/// Hosts and names end up in commands, header fields and logs.
fn checked(settings: &Settings) -> Result<(), Error> {
    let fine =
        |text: &str| !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control);
    let host_sign = |sign: char| sign.is_alphanumeric() || matches!(sign, '.' | '-' | ':' | '_');
    if !fine(&settings.host) || !settings.host.chars().all(host_sign) {
        return Err(Error::bad_name(&settings.host, "it is no name of a host"));
    }
    if settings.port == 0 {
        return Err(Error::bad_name(&"port 0", "nobody can be reached there"));
    }
    if !fine(&settings.user) {
        let why = "a log-in name has 1 to 255 octets and no control characters";
        return Err(Error::bad_name(&settings.user, why));
    }
    if let Folders::Named(names) = &settings.folders {
        if names.is_empty() || names.len() > FOLDERS_MAX {
            return Err(Error::TooMany(format!("1 to {FOLDERS_MAX} folders can be named")));
        }
        if let Some(bad) = names.iter().find(|name| !fine(name)) {
            return Err(Error::bad_name(bad, "it is no name of a folder"));
        }
    }
    if settings.protocol == Protocol::Pop3 {
        if settings.folders != Folders::Inbox {
            return Err(Error::bad_name(&"folders", "POP3 knows only the inbox"));
        }
        if matches!(settings.place, Place::Mirrored(_)) {
            return Err(Error::bad_name(&"mirrored folders", "POP3 has no folders"));
        }
    }
    if let Place::Mailbox(name) = &settings.place
        && !fine(name)
    {
        return Err(Error::bad_name(name, "it is no name of a mailbox"));
    }
    match settings.keep {
        Keep::Days(days) if days > 36_500 => Err(Error::TooMany("at most 36500 days".to_owned())),
        _ => Ok(()),
    }
}

fn checked_secret(secret: &NewSecret) -> Result<(), Error> {
    // A line's end would end the command (RFC 1939 §3).
    match secret.0.len() {
        0 => Err(Error::BadPassword("it is empty")),
        length if length > SECRET_BYTES_MAX => Err(Error::BadPassword("it is too long")),
        _ if secret.0.contains(['\0', '\r', '\n']) => Err(Error::BadPassword("it has control characters")),
        _ => Ok(()),
    }
}
