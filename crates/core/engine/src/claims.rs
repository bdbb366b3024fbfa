//! Comparing each content's count of references with what refers to it.

use crate::{ContentId, Error, Snapshot};
use rustc_hash::FxHashMap;
use std::ops::ControlFlow;

/// Sentences at most: more help nobody.
const PROBLEMS_MAX: usize = 1000;

/// Who refers to which content, counted by those who know the values (mailboxes, the queue) in one snapshot.
#[derive(Default)]
pub struct Claims(FxHashMap<u64, u32>);

impl Claims {
    /// One reference.
    pub fn add(&mut self, id: ContentId) {
        let claimed = self.0.entry(id.0).or_default();
        *claimed = claimed.saturating_add(1);
    }

    /// Compares with the counts of the snapshot that the claims were counted in. Answers a sentence for each content
    /// that is claimed more or less often than it knows, that nobody claims, or that is not there.
    ///
    /// # Errors
    /// Reading failed.
    pub fn compare(mut self, snapshot: &dyn Snapshot) -> Result<Vec<String>, Error> {
        let mut problems = Vec::new();
        snapshot.contents(ContentId(0), &mut |id, references| {
            let claimed = self.0.remove(&id.0).unwrap_or(0);
            match claimed {
                0 => problems.push(format!("content {}: nobody refers to it, and it is kept", id.0)),
                _ if claimed != references => problems.push(format!(
                    "content {}: the count of references says {references}, there are {claimed}",
                    id.0
                )),
                _ => {}
            }
            if problems.len() < PROBLEMS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if problems.len() < PROBLEMS_MAX {
            let mut missing: Vec<u64> = self.0.into_keys().collect();
            missing.sort_unstable();
            problems.extend(missing.iter().map(|id| format!("content {id} is referred to and is not there")));
            problems.truncate(PROBLEMS_MAX);
        }
        Ok(problems)
    }
}
