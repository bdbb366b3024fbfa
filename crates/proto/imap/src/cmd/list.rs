//! LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; RFC 9051 §6.3.9; RFC 5258; RFC 6154; RFC 5819).
//!
//! A name may have inferiors without being a mailbox (after DELETE, RFC 9051 §6.3.5): it exists only through them, is
//! shown with \Noselect (extended form: \NonExistent), and only where the pattern ends in `%` or RECURSIVEMATCH asks.

use super::Begun;
use super::any_state::enable_condstore;
use super::metadata::Wanted;
use super::status::{counters_for, write_status};
use crate::ask::{Answer, Ask, MailboxRow};
use crate::command::{Depth, List, ListForm, ListReturn, ListSelect, StatusItem};
use crate::mailbox_name::INBOX;
use crate::pattern::Pattern;
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::write::{self, ListKind};
use model::Right;
use std::collections::{BTreeMap, BTreeSet};
use wire::FLUSH_BYTES;

/// Longest patterns of one LIST together, in octets: every name is held against each of them.
const PATTERN_BYTES_MAX: usize = 8 * 1024;

/// What kind of listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    List,
    /// LIST with the syntax of RFC 5258.
    Extended,
    Lsub,
}

/// Whether MYRIGHTS follows (RFC 8440).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum MyRights {
    Told,
    Untold,
}

#[derive(Debug)]
struct Listing {
    kind: Kind,
    /// Patterns, and whether each ends in `%`.
    patterns: Vec<(Pattern, bool)>,
    select: Vec<ListSelect>,
    show_subscribed: bool,
    status: Vec<StatusItem>,
    /// RFC 9590: entries of each mailbox.
    metadata: Option<Wanted>,
    /// The mailbox whose entries were asked for.
    annotating: Option<String>,
    my_rights: MyRights,
    lines: std::vec::IntoIter<Line>,
}

/// One response to send.
#[derive(Debug)]
struct Line {
    name: String,
    attributes: Vec<&'static str>,
    child_info: bool,
    /// It meets the criteria itself.
    is_selected: bool,
    row: Option<MailboxRow>,
}

/// A name in the hierarchy: a mailbox, a subscription, or a level above one.
#[derive(Debug, Default)]
struct Node {
    row: Option<MailboxRow>,
    /// A mailbox lies below.
    has_children: bool,
    /// RFC 5258 §3.5: a name lies below that meets the criteria and does not match the patterns.
    child_info: bool,
    /// A name lies below that meets the criteria.
    selected_below: bool,
}

pub(super) fn list(core: &mut Core, list: List) -> Begun {
    let is_basic = list.form == ListForm::Basic;
    // RFC 9051, appendix C: what RFC 5258 added is the language of every client of IMAP4rev2.
    let kind = if is_basic && !core.enabled.rev2 { Kind::List } else { Kind::Extended };
    let (mut status, mut metadata) = (Vec::new(), None);
    for option in &list.returns {
        match option {
            ListReturn::Status(items) => status.clone_from(items),
            ListReturn::Metadata(entries) => {
                metadata = Some(Wanted { entries: entries.clone(), depth: Depth::Zero, size_max: None });
            }
            _ => {}
        }
    }
    if status.contains(&StatusItem::HighestModSeq) {
        enable_condstore(core);
    }
    if let (true, [pattern]) = (is_basic, &list.patterns[..])
        && pattern.is_empty()
    {
        // RFC 9051 §6.3.9: an empty name asks for the hierarchy separator.
        write::list(&mut core.out, ListKind::List, ["\\Noselect"], "", core.enabled.names(), &[]);
        return Begun::Now(Done::ok("LIST completed"));
    }
    if list.patterns.iter().map(String::len).sum::<usize>() > PATTERN_BYTES_MAX {
        return Begun::Now(Done::no("[LIMIT] The patterns are too long"));
    }
    let show_subscribed =
        list.select.contains(&ListSelect::Subscribed) || list.returns.contains(&ListReturn::Subscribed);
    let my_rights = match list.returns.contains(&ListReturn::MyRights) {
        true => MyRights::Told,
        false => MyRights::Untold,
    };
    let patterns = patterns(&list.reference, &list.patterns);
    begin(Listing {
        kind,
        patterns,
        select: list.select,
        show_subscribed,
        status,
        metadata,
        annotating: None,
        my_rights,
        lines: Vec::new().into_iter(),
    })
}

pub(super) fn lsub(reference: &str, pattern: String) -> Begun {
    begin(Listing {
        kind: Kind::Lsub,
        patterns: patterns(reference, &[pattern]),
        select: vec![ListSelect::Subscribed],
        show_subscribed: false,
        status: Vec::new(),
        metadata: None,
        annotating: None,
        my_rights: MyRights::Untold,
        lines: Vec::new().into_iter(),
    })
}

fn begin(listing: Listing) -> Begun {
    Begun::Run(Box::new(listing))
}

/// A pattern that can't match anything (it is too long) is left out; so is an empty one (RFC 5258 §3).
fn patterns(reference: &str, names: &[String]) -> Vec<(Pattern, bool)> {
    let usable = names.iter().filter(|name| !name.is_empty());
    usable.filter_map(|name| Some((Pattern::new(reference, name).ok()?, name.ends_with('%')))).collect()
}

impl Running for Listing {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go if self.lines.as_slice().is_empty() => {
                if self.patterns.is_empty() {
                    return self.end();
                }
                return Next::Ask(Ask::Mailboxes { counters: counters_for(&self.status) });
            }
            Event::Go => {}
            Event::Answer(Answer::Mailboxes(rows)) => self.lines = self.arrange(rows).into_iter(),
            Event::Answer(Answer::Metadata(found)) => {
                if let (Some(wanted), Some(name)) = (&self.metadata, self.annotating.take()) {
                    wanted.tell(core, &name, found);
                }
            }
            // RFC 9590 §3: what can't be looked up is left out.
            Event::Answer(Answer::Refused(_)) if self.annotating.take().is_some() => {}
            event => return otherwise(event),
        }
        // RFC 5258 §3.5: the criteria that a name below meets.
        let named = |option: &ListSelect| match option {
            ListSelect::Subscribed => Some("SUBSCRIBED"),
            ListSelect::SpecialUse => Some("SPECIAL-USE"),
            ListSelect::Remote | ListSelect::RecursiveMatch => None,
        };
        let child_info: Vec<&str> = self.select.iter().filter_map(named).collect();
        while let Some(line) = self.lines.next() {
            line.write(core, self.kind, self.my_rights, &self.status, &child_info);
            if let (Some(wanted), true) = (&self.metadata, line.is_annotated()) {
                let ask = wanted.ask(&line.name);
                self.annotating = Some(line.name);
                return Next::Ask(ask);
            }
            if core.out.len() >= FLUSH_BYTES && !self.lines.as_slice().is_empty() {
                return Next::Flush;
            }
        }
        self.end()
    }
}

impl Listing {
    fn end(&self) -> Next {
        Next::Done(Done::ok(if self.kind == Kind::Lsub { "LSUB completed" } else { "LIST completed" }))
    }

    fn has(&self, option: ListSelect) -> bool {
        self.select.contains(&option)
    }

    /// Whether a name meets the selection criteria.
    fn meets(&self, row: &MailboxRow) -> bool {
        let subscribed = !self.has(ListSelect::Subscribed) || row.subscribed;
        let special = !self.has(ListSelect::SpecialUse) || row.special_use.is_some();
        // Without criteria the mailboxes that exist are listed.
        let exists = row.id.is_some() || self.has(ListSelect::Subscribed);
        subscribed && special && exists
    }

    fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|(pattern, _)| pattern.matches(name))
    }

    /// RFC 9051 §6.3.9: a final `%` also returns matching levels of the hierarchy that are no mailboxes.
    fn matches_level(&self, name: &str) -> bool {
        self.patterns.iter().any(|(pattern, is_level)| *is_level && pattern.matches(name))
    }

    /// Works out every response, the inbox first.
    fn arrange(&self, rows: Vec<MailboxRow>) -> Vec<Line> {
        let mut nodes: BTreeMap<(bool, String), Node> = BTreeMap::new();
        let mut levels = Levels::default();
        for row in rows {
            let selected = self.meets(&row);
            for level in superior(&row.name) {
                if row.id.is_some() && !levels.parents.contains(level) {
                    levels.parents.insert(level.to_owned());
                }
                if selected && !levels.selected.contains(level) {
                    levels.selected.insert(level.to_owned());
                }
            }
            if selected && self.has(ListSelect::RecursiveMatch) && !self.matches(&row.name) {
                levels.child_info.extend(superior(&row.name).map(str::to_owned));
            }
            nodes.insert(key(&row.name), Node { row: Some(row), ..Node::default() });
        }
        for name in levels.parents {
            nodes.entry(key(&name)).or_default().has_children = true;
        }
        for name in levels.selected {
            nodes.entry(key(&name)).or_default().selected_below = true;
        }
        for name in levels.child_info {
            nodes.entry(key(&name)).or_default().child_info = true;
        }
        nodes.into_iter().filter_map(|((_, name), node)| self.line(name, node)).collect()
    }

    /// The response for a name, if it gets one (RFC 5258 §3.3).
    fn line(&self, name: String, node: Node) -> Option<Line> {
        let selected = node.row.as_ref().is_some_and(|row| self.meets(row));
        let exists = node.row.as_ref().is_some_and(|row| row.id.is_some());
        if self.kind == Kind::Lsub {
            if selected {
                return self.matches(&name).then_some(Line {
                    name,
                    attributes: Vec::new(),
                    child_info: false,
                    is_selected: true,
                    row: None,
                });
            }
            // RFC 3501 §6.3.9: with `%`, a level above a subscribed name stands for it.
            let level = node.selected_below && self.matches_level(&name);
            return level.then_some(Line {
                name,
                attributes: vec!["\\Noselect"],
                child_info: false,
                is_selected: false,
                row: None,
            });
        }
        let shown = match (selected, exists) {
            (true, _) => self.matches(&name),
            _ if node.child_info => self.matches(&name),
            (false, true) => false,
            // RFC 5258 §3.5, example 11: a level that is no mailbox stands for what lies below it.
            (false, false) => {
                let criteria = self.has(ListSelect::Subscribed) || self.has(ListSelect::SpecialUse);
                let below = if criteria { node.selected_below } else { node.has_children };
                below && self.matches_level(&name)
            }
        };
        // RFC 5258 §3.5 and §5, example 9: what is listed anyway says so of every name below that meets the criteria, listed
        // or not; only names that do not meet them are left out where it would be redundant.
        let recursive = self.has(ListSelect::RecursiveMatch);
        shown.then(|| Line {
            attributes: self.attributes(&node, exists),
            name,
            child_info: node.child_info || recursive && selected && node.selected_below,
            is_selected: selected,
            row: node.row,
        })
    }

    fn attributes(&self, node: &Node, exists: bool) -> Vec<&'static str> {
        let mut attributes = Vec::with_capacity(4);
        if !exists {
            // RFC 5258 §3: \NonExistent implies \Noselect, but only clients of that extension know it.
            attributes.push(if self.kind == Kind::Extended { "\\NonExistent" } else { "\\Noselect" });
        } else if node.row.as_ref().is_some_and(|row| !row.rights.has(Right::Read)) {
            // RFC 5819 §2: seen, but not to be selected; no STATUS follows.
            attributes.push("\\Noselect");
        }
        // RFC 5258 §3.5: "\NonExistent \HasChildren" tells of a name below that meets the criteria (be it but subscribed), where
        // there is no CHILDINFO to say so.
        let told_below = !exists && node.selected_below && !self.has(ListSelect::RecursiveMatch);
        let has_children = node.has_children || told_below;
        attributes.push(if has_children { "\\HasChildren" } else { "\\HasNoChildren" });
        if let Some(row) = &node.row {
            if self.show_subscribed && row.subscribed {
                attributes.push("\\Subscribed");
            }
            // RFC 6154 §2: they may be shown whether asked for or not.
            attributes.extend(row.special_use.map(model::SpecialUse::attribute));
        }
        attributes
    }
}

/// Levels above the names that were seen.
#[derive(Default)]
struct Levels {
    parents: BTreeSet<String>,
    selected: BTreeSet<String>,
    child_info: BTreeSet<String>,
}

/// Sorts the inbox first.
fn key(name: &str) -> (bool, String) {
    (name != INBOX, name.to_owned())
}

/// The levels above a name: `a/b` and `a` for `a/b/c`.
fn superior(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at]).filter(|level| !level.is_empty())
}

impl Line {
    /// RFC 9590 §4: neither what is no mailbox, nor what is only shown for something below it.
    fn is_annotated(&self) -> bool {
        self.is_selected && self.row.as_ref().is_some_and(|row| row.id.is_some())
    }

    fn write(
        &self,
        core: &mut Core,
        kind: Kind,
        my_rights: MyRights,
        status: &[StatusItem],
        child_info: &[&str],
    ) {
        let kind = if kind == Kind::Lsub { ListKind::Lsub } else { ListKind::List };
        let attributes = self.attributes.iter().copied();
        let child_info = if self.child_info { child_info } else { &[] };
        let encoding = core.enabled.names();
        write::list(&mut core.out, kind, attributes, &self.name, encoding, child_info);
        // RFC 8440 §3: behind the LIST of each mailbox that is there and meets the criteria.
        if let (MyRights::Told, true, Some(row)) = (my_rights, self.is_selected, &self.row)
            && row.id.is_some()
        {
            write::my_rights(&mut core.out, &self.name, encoding, row.rights);
        }
        // RFC 5819 §2: STATUS follows the LIST of each mailbox that can be selected, but (§3, A02) of one that is only shown
        // for what lies below it.
        if let (false, true, Some(row)) = (status.is_empty(), self.is_selected, &self.row)
            && let (Some(id), Some(counters)) = (row.id, &row.counters)
        {
            write_status(core, &self.name, status, id, counters);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_above_a_name() {
        assert_eq!(superior("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(superior("a").count(), 0);
    }
}
