//! Members, and what bounces do to them.

use crate::record::{self, MemberRecord, encode};
use crate::{Lists, keys, list};
use directory::{Change, Error};
use engine::{Order, Tx};
use model::{EmailAddress, UnixTime};
use serde::{Deserialize, Serialize};
use std::ops::{Bound, ControlFlow};

/// Members of one list at most.
const MEMBERS_MAX: u32 = 100_000;
/// Notices read at a time.
const NOTICES_MAX: usize = 100;
/// Days without a bounce after which earlier ones are forgotten.
const BOUNCE_DAYS: i32 = 14;

/// Whether a member gets posts. Variants are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// He does.
    #[default]
    Active,
    /// He does not: his address bounced too often.
    Bouncing,
}

/// A member of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Member {
    /// His number in this list.
    #[serde(skip)]
    pub number: u32,
    /// His address, as he gave it.
    #[serde(serialize_with = "as_text")]
    pub address: EmailAddress,
    /// Whether he gets posts.
    pub state: MemberState,
    /// Since when; seconds since 1970.
    pub added: i64,
    /// Days with a bounce, lately.
    pub bounces: u32,
}

/// What a bounce did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounced {
    /// It was counted, or another one was today, or there is no such member any more.
    Counted,
    /// It was one too many: the member gets nothing more, and the owners are to be told ([`Lists::suspended`]).
    Suspended,
}

impl Lists {
    /// Makes members of these addresses; who is one already and bounced is active again. Answers how many are new.
    pub fn subscribe(&self, list: u32, addresses: Vec<EmailAddress>, now: UnixTime) -> Change<u32> {
        Change::run(&*self.engine, None, move |tx| {
            let mut new = 0;
            for address in &addresses {
                new += u32::from(join(tx, list, address, now)?);
            }
            Ok(new)
        })
    }

    /// Makes these addresses members no longer. Answers how many were.
    pub fn unsubscribe(&self, list: u32, addresses: Vec<EmailAddress>) -> Change<u32> {
        Change::run(&*self.engine, None, move |tx| {
            let mut gone = 0;
            for address in &addresses {
                if let Some(number) = record::member_at(tx, list, address)? {
                    gone += u32::from(leave(tx, list, number)?);
                }
            }
            Ok(gone)
        })
    }

    /// As [`leave`], in a transaction of its own.
    pub fn leave(&self, list: u32, member: u32) -> Change<bool> {
        Change::run(&*self.engine, None, move |tx| Ok(leave(tx, list, member)?))
    }

    /// Members of whom the owners are to be told that they get nothing more: list and number, some at a time.
    ///
    /// # Errors
    /// Reading failed.
    pub fn suspended(&self) -> Result<Vec<(u32, u32)>, engine::Error> {
        let (prefix, mut found) = (keys::all(b'w'), Vec::new());
        let end = keys::behind(&prefix);
        let range = (Bound::Included(&prefix[..]), Bound::Excluded(&end[..]));
        self.engine.snapshot()?.scan(range, Order::Ascending, &mut |key, _| {
            found.extend(keys::split_notice(key));
            if found.len() < NOTICES_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(found)
    }

    /// The owners were told.
    pub fn told(&self, list: u32, member: u32) -> Change<()> {
        Change::run(&*self.engine, None, move |tx| Ok(tx.delete(&keys::notice(list, member))?))
    }

    /// A page of members by number, behind `after`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn members(&self, list: u32, after: u32, limit: usize) -> Result<Vec<Member>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let (prefix, after) = (keys::of(b'm', list), keys::member(list, after));
        let found = record::page(&*snapshot, &prefix, Some(&after), limit, "a member of a list")?;
        found.into_iter().map(|(number, member)| show(number, &member)).collect()
    }

    /// The member with that address.
    ///
    /// # Errors
    /// Reading failed.
    pub fn member(&self, list: u32, address: &EmailAddress) -> Result<Option<Member>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let Some(number) = record::member_at(&*snapshot, list, address)? else { return Ok(None) };
        record::member(&*snapshot, list, number)?.map(|member| show(number, &member)).transpose()
    }

    /// The member with that number.
    ///
    /// # Errors
    /// Reading failed.
    pub fn member_by_number(&self, list: u32, number: u32) -> Result<Option<Member>, engine::Error> {
        let member = record::member(&*self.engine.snapshot()?, list, number)?;
        member.map(|member| show(number, &member)).transpose()
    }
}

/// Makes a member of an address inside a transaction, or an active one of a bouncing one; answers whether it was none.
///
/// # Errors
/// There is no such list, it has too many members, or the address is its own.
pub fn join(
    tx: &mut dyn Tx,
    list: u32,
    address: &EmailAddress,
    now: UnixTime,
) -> Result<bool, directory::Stop> {
    let mut record = record::list(tx, list)?.ok_or_else(list::missing)?;
    if let Some(number) = record::member_at(tx, list, address)? {
        if let Some(mut member) = record::member(tx, list, number)? {
            (member.state, member.bounces) = (MemberState::Active, 0);
            tx.put(&keys::member(list, number), &encode(&member))?;
        }
        return Ok(false);
    }
    if directory::normal_address(address).is_some_and(|own| own.to_string() == record.address) {
        return Err(Error::bad_name(address, "a list is no member of itself").into());
    }
    if record.members >= MEMBERS_MAX {
        return Err(Error::TooMany(format!("a list has at most {MEMBERS_MAX} members")).into());
    }
    record.last_member += 1;
    record.members += 1;
    let member = MemberRecord {
        address: address.to_string(),
        state: MemberState::Active,
        added: now.0,
        bounces: 0,
        last_bounce: 0,
    };
    tx.put(&keys::member(list, record.last_member), &encode(&member))?;
    tx.put(&keys::address(list, address), &record.last_member.to_be_bytes())?;
    tx.put(&keys::of(b'l', list), &encode(&record))?;
    Ok(true)
}

/// Removes a member inside a transaction; answers whether there was one.
///
/// # Errors
/// The engine's.
pub fn leave(tx: &mut dyn Tx, list: u32, number: u32) -> Result<bool, engine::Error> {
    let Some(member) = record::member(tx, list, number)? else { return Ok(false) };
    let Some(mut record) = record::list(tx, list)? else { return Ok(false) };
    record.members -= 1;
    tx.put(&keys::of(b'l', list), &encode(&record))?;
    tx.delete(&keys::address(list, &record::stored_address(&member.address)?))?;
    tx.delete(&keys::member(list, number))?;
    tx.delete(&keys::notice(list, number))?;
    Ok(true)
}

/// Counts a bounce of a member's copy inside a transaction: one a day, and all are forgotten after two weeks without.
///
/// # Errors
/// The engine's.
pub fn bounced(tx: &mut dyn Tx, list: u32, number: u32, now: UnixTime) -> Result<Bounced, engine::Error> {
    let Some(mut member) = record::member(tx, list, number)? else { return Ok(Bounced::Counted) };
    let Some(record) = record::list(tx, list)? else { return Ok(Bounced::Counted) };
    let today = now.0.div_euclid(86_400) as i32;
    if member.state != MemberState::Active || (member.bounces > 0 && member.last_bounce >= today) {
        return Ok(Bounced::Counted);
    }
    if today - member.last_bounce > BOUNCE_DAYS {
        member.bounces = 0;
    }
    member.bounces += 1;
    member.last_bounce = today;
    let outcome = if member.bounces >= record.settings.bounces_max {
        member.state = MemberState::Bouncing;
        tx.put(&keys::notice(list, number), &[])?;
        Bounced::Suspended
    } else {
        Bounced::Counted
    };
    tx.put(&keys::member(list, number), &encode(&member))?;
    Ok(outcome)
}

fn show(number: u32, member: &MemberRecord) -> Result<Member, engine::Error> {
    Ok(Member {
        number,
        address: record::stored_address(&member.address)?,
        state: member.state,
        added: member.added,
        bounces: member.bounces,
    })
}

fn as_text<S: serde::Serializer>(value: &EmailAddress, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}
