//! The lists' part of `troika store check`.

use crate::record::{self, ListRecord, MemberRecord, PostRecord};
use crate::{Lists, keys};
use engine::{Claims, ContentId, Error, Snapshot};

/// Problems told at most.
const PROBLEMS_MAX: usize = 1000;

impl Lists {
    /// Recounts the members of each list and looks whether addresses and members, lists and posts belong together; all of
    /// one snapshot. Answers a sentence for each thing that does not hold.
    ///
    /// # Errors
    /// Reading failed.
    pub fn check(&self) -> Result<Vec<String>, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut problems = Vec::new();
        let lists: Vec<(u32, ListRecord)> =
            record::page(&*snapshot, &keys::all(b'l'), None, usize::MAX, "a list")?;
        for (number, list) in &lists {
            let name = &list.address;
            let members: Vec<(u32, MemberRecord)> =
                record::page(&*snapshot, &keys::of(b'm', *number), None, usize::MAX, "a member of a list")?;
            if members.len() as u64 != u64::from(list.members) {
                problems.push(format!("the list {name} has {} members, not {}", members.len(), list.members));
            }
            for (member, record) in members {
                let address = record::stored_address(&record.address)?;
                if record::member_at(&*snapshot, *number, &address)? != Some(member) {
                    problems.push(format!("{address} is member {member} of {name} but is not found as that"));
                }
                if member > list.last_member {
                    problems.push(format!("{name} has a member {member} beyond the last number"));
                }
            }
        }
        let posts: Vec<(u32, PostRecord)> =
            record::page(&*snapshot, &keys::all(b'p'), None, usize::MAX, "a post to a list")?;
        for (id, post) in posts {
            if lists.iter().all(|(number, _)| *number != post.list) {
                problems.push(format!("message {id} is for a list that is not there"));
            }
        }
        problems.truncate(PROBLEMS_MAX);
        Ok(problems)
    }
}

/// Counts which content posts refer to, for [`Claims::compare`] on the same snapshot.
///
/// # Errors
/// Reading failed.
pub fn claims(snapshot: &dyn Snapshot, claims: &mut Claims) -> Result<(), Error> {
    let posts: Vec<(u32, PostRecord)> =
        record::page(snapshot, &keys::all(b'p'), None, usize::MAX, "a post to a list")?;
    posts.iter().for_each(|(_, post)| claims.add(ContentId(post.content)));
    Ok(())
}
