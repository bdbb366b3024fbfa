//! NOTIFY (RFC 5465): what the server tells of mailboxes that are not selected must, in quiet moments, be their state.

use crate::client::Client;
use crate::command::{Command, Kind};
use crate::place::Place;
use crate::session::{Rule, Session, Trouble};
use crate::shared::{Truth, lock};
use crate::wire::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// News of what is over must come in this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the events say; the number of unseen messages, for example, is told on demand alone.
const KEPT: [&str; 4] = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ"];

/// What was told of mailboxes, by name and item; nothing of those that this client has changed itself since.
#[derive(Default, Debug)]
pub struct Watching {
    told: HashMap<String, HashMap<String, u64>>,
}

impl Watching {
    /// STATUS
    fn take(&mut self, name: &str, items: &[(String, Value)]) {
        let told = self.told.entry(name.to_owned()).or_default();
        let kept = items.iter().filter(|(item, _)| KEPT.contains(&item.as_str()));
        told.extend(kept.filter_map(|(item, value)| Some((item.clone(), value.number()?))));
    }

    /// RFC 5465 §5: a client need not be told of its own doings.
    fn forget(&mut self, name: &str) {
        self.told.remove(name);
    }

    /// The first item that is not as it is.
    fn difference(&self, selected: Option<&str>, name: &str, truth: &Truth) -> Option<String> {
        let told = self.told.get(name).filter(|_| selected != Some(name))?;
        told.iter().find_map(|(item, value)| {
            let due = truth.figure(item)?;
            (due != *value).then(|| format!("NOTIFY told {item} {value} of {name}, which is {due}"))
        })
    }
}

impl Session {
    /// Any STATUS response.
    pub fn watched(&mut self, name: &str, items: &[(String, Value)]) {
        let is_own = Place::of(self.account, name).owner == self.account;
        if let Some(watching) = self.watching.as_mut().filter(|_| is_own) {
            watching.take(name, items);
        }
    }

    /// This client has changed that mailbox, or knows it better.
    pub fn unwatch(&mut self, name: &str) {
        if let Some(watching) = &mut self.watching {
            watching.forget(name);
        }
    }
}

impl Client {
    /// NOTIFY SET of one's own mailboxes.
    pub fn notify(&mut self) -> Command {
        let initially = if self.random.chance(50) { "STATUS " } else { "" };
        let new = if self.random.chance(30) { "MessageNew (UID FLAGS)" } else { "MessageNew" };
        let text = format!(
            "NOTIFY SET {initially}(selected-delayed ({new} MessageExpunge FlagChange)) \
             (personal (MessageNew MessageExpunge FlagChange))"
        );
        Command::new(text, Kind::Notify)
    }

    /// Waits until what was told of each mailbox is so.
    ///
    /// # Errors
    /// The first difference that stays.
    pub fn check_watching(&mut self) -> Result<(), Trouble> {
        let truths = Arc::clone(&lock(&self.session.shared.truths));
        let begun = Instant::now();
        loop {
            self.session.drain(None, Rule::Any)?;
            let Some(watching) = &self.session.watching else { return Ok(()) };
            let selected = self.session.selected.as_ref().map(|selected| selected.name.as_str());
            let mut all = truths[self.session.account].iter();
            let Some(why) = all.find_map(|(name, truth)| watching.difference(selected, name, truth)) else {
                return Ok(());
            };
            if begun.elapsed() > PATIENCE {
                return Err(why.into());
            }
            self.session.drain(Some(Duration::from_millis(50)), Rule::Any)?;
        }
    }
}
