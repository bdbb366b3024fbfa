//! Making, changing and removing lists.

use crate::record::{self, ListRecord, PostRecord, Settings, encode};
use crate::{Lists, keys};
use directory::{Change, Error, claim_for_list, release_from_list};
use engine::{ContentId, Tx};
use model::{EmailAddress, UnixTime};

/// Lists at most; all of them are read at once.
const LISTS_MAX: usize = 10_000;
/// Owners of one list at most.
const OWNERS_MAX: usize = 50;
/// Longest tag of subjects.
const TAG_LENGTH_MAX: usize = 30;
/// Longest name.
const NAME_LENGTH_MAX: usize = 200;

/// A list.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct List {
    /// Its number.
    #[serde(skip)]
    pub number: u32,
    /// Its address.
    #[serde(serialize_with = "as_text")]
    pub address: EmailAddress,
    /// How it works.
    #[serde(flatten)]
    pub settings: Settings,
    /// How many members it has, whatever their state.
    pub members: u32,
    /// Seconds since 1970.
    pub created: i64,
}

impl Lists {
    /// Makes a list.
    pub fn add(&self, address: &EmailAddress, settings: Settings, now: UnixTime) -> Change<u32> {
        let address = address.clone();
        let settings = match checked(settings, &address) {
            Ok(settings) => settings,
            Err(error) => return Change::known(Err(error)),
        };
        Change::run(&*self.engine, None, move |tx| {
            let number = record::next(tx, &keys::LAST_LIST)?;
            let address = claim_for_list(tx, &address, number)?.to_string();
            let settings = settings.clone();
            let list = ListRecord { address, settings, last_member: 0, members: 0, created: now.0 };
            tx.put(&keys::of(b'l', number), &encode(&list))?;
            Ok(number)
        })
    }

    /// Changes how a list works.
    pub fn set(&self, number: u32, settings: Settings) -> Change<()> {
        let list = match self.list(number) {
            Ok(Some(list)) => list,
            Ok(None) => return Change::known(Err(missing())),
            Err(error) => return Change::known(Err(error.into())),
        };
        let settings = match checked(settings, &list.address) {
            Ok(settings) => settings,
            Err(error) => return Change::known(Err(error)),
        };
        Change::run(&*self.engine, None, move |tx| {
            let mut list = record::list(tx, number)?.ok_or_else(missing)?;
            list.settings = settings.clone();
            Ok(tx.put(&keys::of(b'l', number), &encode(&list))?)
        })
    }

    /// Removes a list with its members and posts.
    pub fn remove(&self, number: u32) -> Change<()> {
        Change::run(&*self.engine, None, move |tx| {
            let list = record::list(tx, number)?.ok_or_else(missing)?;
            release_from_list(tx, &record::stored_address(&list.address)?)?;
            for letter in [b'm', b'a', b'w'] {
                delete_all(tx, &keys::of(letter, number))?;
            }
            let posts: Vec<(u32, PostRecord)> =
                record::page(tx, &keys::all(b'p'), None, usize::MAX, "a post to a list")?;
            for (id, post) in posts.into_iter().filter(|(_, post)| post.list == number) {
                tx.delete(&keys::of(b'p', id))?;
                tx.refer(ContentId(post.content), -1)?;
            }
            Ok(tx.delete(&keys::of(b'l', number))?)
        })
    }

    /// One list.
    ///
    /// # Errors
    /// Reading failed.
    pub fn list(&self, number: u32) -> Result<Option<List>, engine::Error> {
        record::list(&*self.engine.snapshot()?, number)?.map(|list| show(number, list)).transpose()
    }

    /// All lists, oldest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn all(&self) -> Result<Vec<List>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let found: Vec<(u32, ListRecord)> =
            record::page(&*snapshot, &keys::all(b'l'), None, LISTS_MAX, "a list")?;
        found.into_iter().map(|(number, list)| show(number, list)).collect()
    }
}

pub(crate) fn missing() -> Error {
    Error::Missing("such list any more".to_owned())
}

pub(crate) fn show(number: u32, list: ListRecord) -> Result<List, engine::Error> {
    Ok(List {
        number,
        address: record::stored_address(&list.address)?,
        settings: list.settings,
        members: list.members,
        created: list.created,
    })
}

/// Names and tags end up in header fields; owners are written to.
fn checked(mut settings: Settings, address: &EmailAddress) -> Result<Settings, Error> {
    let wrong = |what: &str, why: &str| Err(Error::bad_name(&what, why));
    if settings.name.is_empty() {
        settings.name = address.local.to_string();
    }
    if settings.name.len() > NAME_LENGTH_MAX || settings.name.chars().any(char::is_control) {
        return wrong(&settings.name, "a list's name has at most 200 bytes and no control characters");
    }
    if let Some(tag) = &settings.subject_tag {
        let fits = |b: u8| b == b' ' || b.is_ascii_graphic();
        if tag.len() > TAG_LENGTH_MAX || tag.trim().is_empty() || !tag.bytes().all(fits) {
            return wrong(tag, "a tag has at most 30 signs of ASCII");
        }
    }
    if settings.owners.len() > OWNERS_MAX {
        return Err(Error::TooMany(format!("at most {OWNERS_MAX} owners")));
    }
    for owner in &mut settings.owners {
        match EmailAddress::parse(owner) {
            Ok(parsed) if directory::normal_address(&parsed).as_ref() != Some(address) => {
                *owner = parsed.to_string();
            }
            Ok(_) => return wrong(owner, "a list does not own itself"),
            Err(error) => return wrong(owner, &error.to_string()),
        }
    }
    Ok(settings)
}

fn delete_all(tx: &mut dyn Tx, prefix: &[u8]) -> Result<(), engine::Error> {
    let end = keys::behind(prefix);
    let range = (std::ops::Bound::Included(prefix), std::ops::Bound::Excluded(&end[..]));
    let mut found = Vec::new();
    tx.scan(range, engine::Order::Ascending, &mut |key, _| {
        found.push(key.to_vec());
        std::ops::ControlFlow::Continue(())
    })?;
    found.iter().try_for_each(|key| tx.delete(key))
}

fn as_text<S: serde::Serializer>(value: &EmailAddress, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}
