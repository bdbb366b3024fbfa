//! Posts: messages to a list, from the commit that accepts them to the last member's copy.

use crate::record::{self, PostRecord, encode};
use crate::{Lists, keys};
use directory::{Change, Error, Stop};
use engine::{ContentId, Read, Tx};
use model::{ReversePath, UnixTime};
use queue::Body;
use serde::{Deserialize, Serialize};

/// Longest subject kept, in bytes.
const SUBJECT_BYTES_MAX: usize = 200;

/// Where a post stands. Variants are numbered: add new ones at the end only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostState {
    /// It waits for an owner, for this reason.
    Held(String),
    /// Members up to this number have it.
    Going(u32),
}

/// A message for a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPost {
    /// Which list.
    pub list: u32,
    /// Reverse-path.
    pub from: ReversePath,
    /// For those who decide about it.
    pub subject: String,
    /// Bytes of content.
    pub size: u64,
    /// When it came.
    pub received: UnixTime,
    /// Whether it came with SMTPUTF8.
    pub smtputf8: bool,
    /// BODY.
    pub body: Body,
    /// Why it waits for an owner. None: it goes.
    pub held: Option<String>,
}

/// A post.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Post {
    /// Its number.
    pub id: u32,
    /// Which list's.
    #[serde(skip)]
    pub list: u32,
    /// The message.
    #[serde(skip)]
    pub content: ContentId,
    /// Reverse-path.
    pub from: String,
    /// Its subject.
    pub subject: String,
    /// Bytes of content.
    pub size: u64,
    /// Seconds since 1970.
    pub received: i64,
    /// Whether it came with SMTPUTF8.
    #[serde(skip)]
    pub smtputf8: bool,
    /// BODY.
    #[serde(skip)]
    pub body: Body,
    /// Where it stands.
    pub state: PostState,
}

impl Lists {
    /// All posts, oldest first: those on their way and those that wait.
    ///
    /// # Errors
    /// Reading failed.
    pub fn posts(&self, after: u32, limit: usize) -> Result<Vec<Post>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let after = keys::of(b'p', after);
        let found = record::page(&*snapshot, &keys::all(b'p'), Some(&after), limit, "a post to a list")?;
        Ok(found.into_iter().map(|(id, post)| show(id, post)).collect())
    }

    /// One post.
    ///
    /// # Errors
    /// Reading failed.
    pub fn post(&self, id: u32) -> Result<Option<Post>, engine::Error> {
        Ok(record::post(&*self.engine.snapshot()?, id)?.map(|post| show(id, post)))
    }

    /// Lets a held post go to the members; ring afterwards.
    pub fn approve(&self, id: u32) -> Change<Post> {
        Change::run(&*self.engine, None, move |tx| {
            let mut post = held(tx, id)?;
            post.state = PostState::Going(0);
            tx.put(&keys::of(b'p', id), &encode(&post))?;
            Ok(show(id, post))
        })
    }

    /// Throws a held post away; answers what it was.
    pub fn discard(&self, id: u32) -> Change<Post> {
        Change::run(&*self.engine, None, move |tx| {
            let post = held(tx, id)?;
            end(tx, id, &post)?;
            Ok(show(id, post))
        })
    }
}

fn held(read: &dyn Read, id: u32) -> Result<PostRecord, Stop> {
    match record::post(read, id)? {
        Some(post) if matches!(post.state, PostState::Held(_)) => Ok(post),
        _ => {
            Err(Error::Missing(format!("held message {id}; `troika list held` shows those there are")).into())
        }
    }
}

/// Takes a message for a list inside the transaction that accepts it, with one reference to its content. Answers its
/// number.
///
/// # Errors
/// The engine's.
pub fn post(tx: &mut dyn Tx, content: ContentId, new: &NewPost) -> Result<u32, engine::Error> {
    let id = record::next(tx, &keys::LAST_POST)?;
    let record = PostRecord {
        list: new.list,
        content: content.0,
        from: new.from.to_string(),
        subject: new.subject[..new.subject.floor_char_boundary(SUBJECT_BYTES_MAX)].to_owned(),
        size: new.size,
        received: new.received.0,
        smtputf8: new.smtputf8,
        body: new.body,
        state: new.held.clone().map_or(PostState::Going(0), PostState::Held),
    };
    tx.put(&keys::of(b'p', id), &encode(&record))?;
    Ok(id)
}

/// Notes inside the transaction that makes the copies that members up to `to` have a post. Answers whether it stood at
/// `from`; if not, nothing is noted, and no copies are to be made.
///
/// # Errors
/// The engine's.
pub fn advance(tx: &mut dyn Tx, id: u32, from: u32, to: u32) -> Result<bool, engine::Error> {
    let Some(mut post) = record::post(tx, id)?.filter(|post| post.state == PostState::Going(from)) else {
        return Ok(false);
    };
    post.state = PostState::Going(to);
    tx.put(&keys::of(b'p', id), &encode(&post))?;
    Ok(true)
}

/// Ends a post inside a transaction; its content goes, if nobody else has it.
///
/// # Errors
/// The engine's.
pub fn finish(tx: &mut dyn Tx, id: u32) -> Result<(), engine::Error> {
    match record::post(tx, id)? {
        Some(post) => end(tx, id, &post),
        None => Ok(()),
    }
}

fn end(tx: &mut dyn Tx, id: u32, post: &PostRecord) -> Result<(), engine::Error> {
    tx.delete(&keys::of(b'p', id))?;
    tx.refer(ContentId(post.content), -1)
}

fn show(id: u32, post: PostRecord) -> Post {
    Post {
        id,
        list: post.list,
        content: ContentId(post.content),
        from: post.from,
        subject: post.subject,
        size: post.size,
        received: post.received,
        smtputf8: post.smtputf8,
        body: post.body,
        state: post.state,
    }
}
