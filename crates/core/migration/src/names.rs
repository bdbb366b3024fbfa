//! Which local mailbox a folder of the source goes to. Different folders go to different mailboxes, but for those that
//! show messages of others, whose remainder goes to the archive.

use crate::words;
use model::SpecialUse;
use std::collections::BTreeSet;
use store::{LEVELS_MAX, NAME_BYTES_MAX};
use unicode_normalization::UnicodeNormalization;

/// A folder as the source lists it (RFC 9051 §7.3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFolder {
    /// In UTF-8.
    pub name: String,
    /// Between its levels; None: names have one level.
    pub delimiter: Option<char>,
    /// RFC 6154.
    pub special_use: Option<SpecialUse>,
    /// Not `\Noselect`, not `\NonExistent`.
    pub selectable: bool,
    /// Whether it is on the source's list of subscriptions.
    pub subscribed: bool,
}

/// Which folders are wanted. Patterns are matched against a folder's name as the source has it and with `/` between the
/// levels; `*` stands for anything, case does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Choice {
    /// Only these; empty: all.
    pub folders: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
}

/// Where a folder goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whither {
    /// To INBOX.
    Inbox,
    /// To the mailbox of that use; without one, to that of the name, which is made for it.
    Use(SpecialUse, String),
    /// To the mailbox of that name.
    Name(String),
}

/// How much of a folder is copied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Share {
    /// All of it.
    Whole,
    /// What stands in no other folder of the source: it only shows messages of others.
    Remainder,
}

/// What is to be done with a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its index among the source's.
    pub folder: usize,
    /// Where to.
    pub whither: Whither,
    /// How much.
    pub share: Share,
}

/// Decides for all folders of a source; those that can't be opened or are not wanted are left out. In the order in which
/// they are to be copied: INBOX first, what shows messages of others last.
pub fn places(folders: &[SourceFolder], choice: &Choice) -> Vec<Place> {
    let prefixed = has_inbox_prefix(folders);
    let mut wanted: Vec<(usize, Vec<String>)> = folders
        .iter()
        .enumerate()
        .filter(|(_, folder)| folder.selectable && choice.takes(folder))
        .map(|(index, folder)| (index, levels(folder, prefixed)))
        .collect();
    wanted.sort_by(|(_, a), (_, b)| a.cmp(b));
    let shows_all =
        |(index, levels): &(usize, Vec<String>)| view_of(&folders[*index], levels) == Some(SpecialUse::All);
    let all_is_shown = wanted.iter().any(shows_all);
    let uses = uses(folders, &wanted);
    let mut names = Names::new(&uses);
    let mut places = Vec::with_capacity(wanted.len());
    for (at, (index, levels)) in wanted.iter().enumerate() {
        let folder = *index;
        let place = |whither, share| Place { folder, whither, share };
        match view_of(&folders[folder], levels) {
            // What is flagged or important stands in the folder with all messages, too.
            Some(view) if view != SpecialUse::All && all_is_shown => continue,
            Some(_) => {
                let archive = Whither::Use(SpecialUse::Archive, "Archive".to_owned());
                places.push(place(archive, Share::Remainder));
                continue;
            }
            None => {}
        }
        if is_inbox(levels) {
            places.push(place(Whither::Inbox, Share::Whole));
            continue;
        }
        let whither = match uses.iter().find(|(_, owner)| *owner == at) {
            Some((special_use, _)) => {
                let name = words::name_of(*special_use).map_or_else(|| names.free(levels), str::to_owned);
                Whither::Use(*special_use, name)
            }
            None => Whither::Name(names.free(levels)),
        };
        places.push(place(whither, Share::Whole));
    }
    places.sort_by_key(|place| (place.share, place.whither != Whither::Inbox));
    places
}

impl Place {
    /// What the mailbox is called here if it has to be made.
    pub fn name(&self) -> &str {
        match &self.whither {
            Whither::Inbox => "INBOX",
            Whither::Use(_, name) | Whither::Name(name) => name,
        }
    }
}

impl Choice {
    fn takes(&self, folder: &SourceFolder) -> bool {
        let plain = split(folder).join("/").to_lowercase();
        let name = folder.name.to_lowercase();
        let hits = |pattern: &String| {
            let pattern = pattern.to_lowercase();
            fits(&pattern, &plain) || fits(&pattern, &name)
        };
        (self.folders.is_empty() || self.folders.iter().any(hits)) && !self.exclude.iter().any(hits)
    }
}

/// Whether a text fits a pattern with `*`. Time is bounded by the product of their lengths.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == text[t] {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|sign| *sign == b'*')
}

fn split(folder: &SourceFolder) -> Vec<&str> {
    match folder.delimiter {
        Some(delimiter) => folder.name.split(delimiter).collect(),
        None => vec![&folder.name],
    }
}

/// Whether all folders but INBOX lie below it (Courier, Cyrus: `INBOX.Sent`): then that level says nothing.
fn has_inbox_prefix(folders: &[SourceFolder]) -> bool {
    let mut others = folders.iter().map(split).filter(|levels| {
        !(words::is_gmail(levels[0]) || levels.len() == 1 && levels[0].eq_ignore_ascii_case("INBOX"))
    });
    let below = |levels: Vec<&str>| levels.len() > 1 && levels[0].eq_ignore_ascii_case("INBOX");
    others.next().is_some_and(below) && others.all(below)
}

/// The levels of a folder's name as they may stand here.
fn levels(folder: &SourceFolder, prefixed: bool) -> Vec<String> {
    let mut parts = split(folder);
    if parts.len() > 1 && (prefixed && parts[0].eq_ignore_ascii_case("INBOX") || words::is_gmail(parts[0])) {
        parts.remove(0);
    }
    let mut levels: Vec<String> = parts.into_iter().map(level).filter(|level| !level.is_empty()).collect();
    if levels.is_empty() {
        levels.push("_".to_owned());
    }
    if levels.len() > LEVELS_MAX {
        let rest = levels.split_off(LEVELS_MAX - 1).join("_");
        levels.push(rest);
    }
    if levels[0].eq_ignore_ascii_case("INBOX") {
        "INBOX".clone_into(&mut levels[0]);
    }
    levels
}

/// A level without what no name may hold here (`store::name_problem`).
fn level(text: &str) -> String {
    let bad = |c: char| c.is_control() || matches!(c, '/' | '*' | '%' | '\u{2028}' | '\u{2029}');
    let level: String = text.nfc().map(|c| if bad(c) { '_' } else { c }).collect();
    match &*level {
        "." | ".." => level.replace('.', "_"),
        _ => level,
    }
}

fn is_inbox(levels: &[String]) -> bool {
    levels.len() == 1 && levels[0] == "INBOX"
}

/// The use of a folder that only shows messages of others.
fn view_of(folder: &SourceFolder, levels: &[String]) -> Option<SpecialUse> {
    let view = |special_use: &SpecialUse| {
        matches!(special_use, SpecialUse::All | SpecialUse::Flagged | SpecialUse::Important)
    };
    let first = split(folder)[0];
    let is_all_mail = || words::is_gmail(first) && levels.len() == 1 && words::is_all_mail(&levels[0]);
    folder.special_use.filter(view).or_else(|| is_all_mail().then_some(SpecialUse::All))
}

/// Which of the wanted folders has a special use: the one that says so, otherwise the first whose name says so.
fn uses(folders: &[SourceFolder], wanted: &[(usize, Vec<String>)]) -> Vec<(SpecialUse, usize)> {
    let mut uses: Vec<(SpecialUse, usize)> = Vec::new();
    let mut give = |special_use: Option<SpecialUse>, at: usize| {
        let Some(special_use) = special_use else { return };
        if uses.iter().all(|(given, owner)| *given != special_use && *owner != at) {
            uses.push((special_use, at));
        }
    };
    let candidates = || {
        wanted
            .iter()
            .enumerate()
            .filter(|(_, (index, levels))| !is_inbox(levels) && view_of(&folders[*index], levels).is_none())
    };
    candidates().for_each(|(at, (index, _))| give(folders[*index].special_use, at));
    for (at, (_, levels)) in candidates() {
        match levels.as_slice() {
            [name] => give(words::use_of(name), at),
            [inbox, name] if inbox == "INBOX" => give(words::use_of(name), at),
            _ => {}
        }
    }
    uses
}

/// Names given so far.
struct Names(BTreeSet<String>);

impl Names {
    fn new(uses: &[(SpecialUse, usize)]) -> Names {
        let fixed =
            uses.iter().filter_map(|(special_use, _)| words::name_of(*special_use)).map(str::to_owned);
        Names(fixed.collect())
    }

    /// The name of these levels, or one like it that no other folder has.
    fn free(&mut self, levels: &[String]) -> String {
        // Room for a number.
        let mut name = levels.join("/");
        if name.len() > NAME_BYTES_MAX - 16 {
            let end = (0..=NAME_BYTES_MAX - 16).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
            name.truncate(end);
            name.truncate(name.trim_end_matches('/').len());
        }
        let mut free = name.clone();
        let mut number = 2;
        while !self.0.insert(free.clone()) {
            free = format!("{name} ({number})");
            number += 1;
        }
        free
    }
}
