//! What a client asks NOTIFY for (RFC 5465 §3.1, §6), and which events of which mailboxes it is then to be told.

use crate::place::{DELTA, FIXED, FLUX, GAMMA, Place, TEAM, foreign};
use crate::random::Random;
use std::fmt::Write as _;

/// The kinds of event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// MessageNew, MessageExpunge
    Messages,
    /// FlagChange
    Flags,
    /// MailboxName
    Name,
    /// SubscriptionChange
    Subscription,
    /// MailboxMetadataChange
    Metadata,
    /// ServerMetadataChange
    OfServer,
}

/// Whose mailboxes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Source {
    /// personal, or inboxes, which is the same here
    Own(&'static str),
    /// subtree, with its roots
    Below(Vec<&'static str>),
    /// mailboxes
    Named(Vec<String>),
    /// subscribed: which those are may change, so nothing is expected by it
    Subscribed,
}

impl Source {
    fn holds(&self, name: &str) -> bool {
        let own = !name.starts_with("Other Users/") && !name.starts_with("Shared/");
        match self {
            Source::Own(_) => own,
            Source::Below(roots) => roots.iter().any(|root| {
                let below =
                    name.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                root.is_empty() || below
            }),
            Source::Named(names) => names.iter().any(|named| named == name),
            Source::Subscribed => false,
        }
    }

    fn text(&self) -> String {
        let list =
            |names: Vec<&str>| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ");
        match self {
            Source::Own(word) => (*word).to_owned(),
            Source::Below(roots) => format!("subtree ({})", list(roots.clone())),
            Source::Named(names) => {
                format!("mailboxes ({})", list(names.iter().map(String::as_str).collect()))
            }
            Source::Subscribed => "subscribed".to_owned(),
        }
    }
}

/// NOTIFY SET: its groups beside the one of the selected mailbox.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wishes {
    groups: Vec<(Source, Vec<Event>)>,
}

impl Wishes {
    /// Some groups.
    pub fn random(random: &mut Random, account: usize, accounts: usize) -> Wishes {
        let mut wishes = Wishes::default();
        for _ in 0..1 + random.below(3) {
            let source = source(random, account, accounts);
            let mut events = Vec::new();
            if random.chance(80) {
                events.push(Event::Messages);
                events.extend(Some(Event::Flags).filter(|_| random.chance(75)));
            }
            for event in [Event::Name, Event::Subscription, Event::Metadata, Event::OfServer] {
                events.extend(Some(event).filter(|_| random.chance(60)));
            }
            wishes.groups.push((source, events));
        }
        wishes
    }

    /// Whether this event of this mailbox is to be told, if it is not the selected one.
    pub fn wants(&self, event: Event, name: &str) -> bool {
        self.groups.iter().any(|(source, events)| events.contains(&event) && source.holds(name))
    }

    /// Whether any is.
    pub fn wants_any(&self, name: &str) -> bool {
        self.groups.iter().any(|(source, events)| !events.is_empty() && source.holds(name))
    }

    /// Whether changes of the server's metadata are to be told.
    pub fn wants_server(&self) -> bool {
        self.groups.iter().any(|(_, events)| events.contains(&Event::OfServer))
    }

    /// In the words of the command.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (source, events) in &self.groups {
            let words: Vec<&str> = events.iter().map(|event| event.words()).collect();
            let events = if words.is_empty() { "NONE".to_owned() } else { format!("({})", words.join(" ")) };
            let _ = write!(text, " ({} {events})", source.text());
        }
        text
    }
}

impl Event {
    fn words(self) -> &'static str {
        match self {
            Event::Messages => "MessageNew MessageExpunge",
            Event::Flags => "FlagChange",
            Event::Name => "MailboxName",
            Event::Subscription => "SubscriptionChange",
            Event::Metadata => "MailboxMetadataChange",
            Event::OfServer => "ServerMetadataChange",
        }
    }
}

fn source(random: &mut Random, account: usize, accounts: usize) -> Source {
    match random.below(10) {
        0..3 => Source::Own("personal"),
        3 => Source::Own("inboxes"),
        4..6 => Source::Below(vec!["Other Users"]),
        6 => Source::Below(vec!["Shared", "Other Users/storm0"]),
        7 => Source::Below(vec![""]),
        8 => Source::Subscribed,
        _ => {
            let mut names: Vec<String> = FIXED.iter().map(|name| (*name).to_owned()).collect();
            let others = (0..accounts).filter(|owner| *owner != account);
            names.extend(others.flat_map(|owner| [GAMMA, DELTA, FLUX].map(|name| foreign(owner, name))));
            names.push(TEAM.to_owned());
            names.retain(|_| random.chance(40));
            if names.is_empty() { Source::Own("personal") } else { Source::Named(names) }
        }
    }
}

/// Whether the name leads to a mailbox of which nothing is taken away from the viewer while it is in use.
pub fn is_firm(account: usize, name: &str) -> bool {
    Place::of(account, name).hold != crate::place::Hold::Shaky
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_what_they_say() {
        let wishes = Wishes {
            groups: vec![
                (Source::Own("personal"), vec![Event::Messages]),
                (Source::Below(vec!["Other Users/storm1"]), vec![Event::Messages, Event::Name]),
                (Source::Named(vec![TEAM.to_owned()]), vec![]),
            ],
        };
        assert_eq!(
            wishes.text(),
            " (personal (MessageNew MessageExpunge)) (subtree (\"Other Users/storm1\") (MessageNew MessageExpunge \
             MailboxName)) (mailboxes (\"Shared/team/INBOX\") NONE)"
        );
        assert!(wishes.wants(Event::Messages, "INBOX") && !wishes.wants(Event::Name, "INBOX"));
        assert!(wishes.wants(Event::Name, &foreign(1, GAMMA)) && !wishes.wants_any(&foreign(10, GAMMA)));
        assert!(!wishes.wants_any(TEAM) && !wishes.wants_server());
    }
}
