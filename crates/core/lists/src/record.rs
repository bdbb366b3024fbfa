//! Values, and reading them from a snapshot or a transaction alike.

use crate::keys;
use crate::member::MemberState;
use crate::post::PostState;
use engine::{Error, Order, Read, Tx};
use model::EmailAddress;
use queue::Body;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::{Bound, ControlFlow};

/// Version of all values written today.
const VERSION: u8 = 1;

/// Whose posts go to the members at once. Variants of these enums are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posting {
    /// Everybody's.
    Anyone,
    /// Those of members and owners.
    #[default]
    Members,
    /// Those of owners: announcements, or a moderated list.
    Owners,
}

/// What becomes of the posts of others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// They wait for an owner.
    #[default]
    Hold,
    /// They are refused.
    Refuse,
}

/// Who becomes a member by mail.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Joining {
    /// Whoever answers the question whether he wants to.
    #[default]
    Open,
    /// Nobody: the owners see to it.
    Closed,
}

/// Who may see the members (EXPN).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visible {
    /// The owners.
    #[default]
    Owners,
    /// The members.
    Members,
    /// Every user of this server.
    Users,
}

/// In which language a list writes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

/// How a list works.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// For people; becomes part of List-Id.
    pub name: String,
    /// Addresses of its owners.
    pub owners: Vec<String>,
    /// Whose posts go out at once.
    pub posting: Posting,
    /// What becomes of the posts of others.
    pub others: Others,
    /// Who becomes a member by mail.
    pub joining: Joining,
    /// Who may see the members.
    pub visible: Visible,
    /// In which language it writes.
    pub language: Language,
    /// Put in brackets before the subject; that breaks signatures over it (DKIM).
    pub subject_tag: Option<String>,
    /// Answers go to the list (Reply-To).
    pub reply_to_list: bool,
    /// Posts come from the list's own address (From), for authors whose domains forbid others to send (DMARC).
    pub from_list: bool,
    /// Largest post.
    pub size_bytes_max: u64,
    /// Days with a bounce after which a member gets nothing more.
    pub bounces_max: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            name: String::new(),
            owners: Vec::new(),
            posting: Posting::default(),
            others: Others::default(),
            joining: Joining::default(),
            visible: Visible::default(),
            language: Language::default(),
            subject_tag: None,
            reply_to_list: false,
            from_list: false,
            size_bytes_max: 10 << 20,
            bounces_max: 5,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ListRecord {
    pub address: String,
    pub settings: Settings,
    pub last_member: u32,
    pub members: u32,
    pub created: i64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    pub address: String,
    pub state: MemberState,
    pub added: i64,
    /// Days with a bounce, lately.
    pub bounces: u32,
    /// The last of them, in days since 1970.
    pub last_bounce: i32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct PostRecord {
    pub list: u32,
    pub content: u64,
    /// Reverse-path; never null.
    pub from: String,
    pub subject: String,
    pub size: u64,
    pub received: i64,
    pub smtputf8: bool,
    pub body: Body,
    pub state: PostState,
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    // Writing to memory fails for no record we have: they hold no maps or sequences of unknown length.
    postcard::to_extend(record, vec![VERSION]).expect("a record can be encoded")
}

pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    let corrupt = |why: String| Error::Corrupt { what: what.to_owned(), why };
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|error| corrupt(error.to_string())),
        Some((&version, _)) if version > VERSION => {
            Err(Error::NewerFormat { found: version.into(), supported: VERSION.into() })
        }
        _ => Err(corrupt("no version byte".to_owned())),
    }
}

fn load<R: Read + ?Sized, T: DeserializeOwned>(read: &R, key: &[u8], what: &str) -> Result<Option<T>, Error> {
    let mut outcome = None;
    read.get_with(key, &mut |bytes| outcome = Some(decode(what, bytes)))?;
    outcome.transpose()
}

pub(crate) fn list<R: Read + ?Sized>(read: &R, number: u32) -> Result<Option<ListRecord>, Error> {
    load(read, &keys::of(b'l', number), "a list")
}

pub(crate) fn member<R: Read + ?Sized>(
    read: &R,
    list: u32,
    number: u32,
) -> Result<Option<MemberRecord>, Error> {
    load(read, &keys::member(list, number), "a member of a list")
}

pub(crate) fn post<R: Read + ?Sized>(read: &R, number: u32) -> Result<Option<PostRecord>, Error> {
    load(read, &keys::of(b'p', number), "a post to a list")
}

/// The number of the member with that address.
pub(crate) fn member_at<R: Read + ?Sized>(
    read: &R,
    list: u32,
    address: &EmailAddress,
) -> Result<Option<u32>, Error> {
    let mut found = None;
    read.get_with(&keys::address(list, address), &mut |bytes| found = Some(keys::last_u32(bytes)))?;
    Ok(found)
}

/// The next of the numbers that are counted under `key`.
pub(crate) fn next(tx: &mut dyn Tx, key: &[u8]) -> Result<u32, Error> {
    let mut last = 0;
    tx.get_with(key, &mut |bytes| last = keys::last_u32(bytes))?;
    let next = last.checked_add(1).expect("fewer than 2^32 were ever made");
    tx.put(key, &next.to_be_bytes())?;
    Ok(next)
}

/// A page of what begins with `prefix`, behind `after`.
pub(crate) fn page<R: Read + ?Sized, T: DeserializeOwned>(
    read: &R,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
    what: &str,
) -> Result<Vec<(u32, T)>, Error> {
    let (from, end) = (after.map_or(Bound::Included(prefix), Bound::Excluded), keys::behind(prefix));
    let (mut found, mut outcome) = (Vec::new(), Ok(()));
    if limit == 0 {
        return Ok(found);
    }
    read.scan((from, Bound::Excluded(&end[..])), Order::Ascending, &mut |key, value| {
        match decode(what, value) {
            Ok(record) => found.push((keys::last_u32(key), record)),
            Err(error) => outcome = Err(error),
        }
        if outcome.is_ok() && found.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    outcome.map(|()| found)
}

/// An address that we wrote ourselves.
pub(crate) fn stored_address(text: &str) -> Result<EmailAddress, Error> {
    EmailAddress::parse(text).map_err(|error| Error::Corrupt {
        what: format!("the stored address {text:?}"),
        why: error.to_string(),
    })
}
