//! A query made ready for one mailbox, and three-valued: with only the row at hand it holds, does not, or can't be said
//! yet. What can't be said asks for the header, and then for the body.

use super::fold::Needle;
use super::fuzzy::Words;
use super::index::{Index, Places};
use super::numbers::Numbers;
use super::text;
use crate::Error;
use crate::keys::RowValue;
use model::{
    Collation, DateOf, Day, EmailId, Flag, Keyword, ModSeq, Query, ThreadId, Uid, UidSet, UnixTime, When,
};
use rustc_hash::FxHashMap;
use std::cell::{OnceCell, RefCell};

const DAY_SECONDS: i64 = 86_400;

pub(super) enum Condition<'q> {
    Known(bool),
    Uids(&'q UidSet),
    Flag(Flag),
    Keyword(u16),
    Not(Box<Condition<'q>>),
    And(Vec<Condition<'q>>),
    Or(Vec<Condition<'q>>),
    Text(Box<Leaf<'q>>),
    Larger(u64),
    Smaller(u64),
    Internal(When, Day),
    Saved(When, Day),
    Sent(When, Day),
    ReceivedFrom(UnixTime),
    ReceivedUpTo(UnixTime),
    ModSeq(ModSeq),
    EmailId(EmailId),
    ThreadId(ThreadId),
}

impl<'q> Condition<'q> {
    pub(super) fn new(query: &'q Query, keywords: &[Keyword]) -> Condition<'q> {
        Condition::translate(query, keywords, Likeness::Exact, Collation::default())
    }

    fn translate(
        query: &'q Query,
        keywords: &[Keyword],
        likeness: Likeness,
        collation: Collation,
    ) -> Condition<'q> {
        let text = |text: &str, within: Within<'q>| match Needle::new(text, collation) {
            needle if needle.is_empty() && !matches!(within, Within::Field(_)) => Condition::Known(true),
            needle => {
                let words = if likeness == Likeness::Fuzzy { Words::of(needle.wide()) } else { None };
                Condition::Text(Box::new(Leaf {
                    within,
                    needle,
                    words,
                    bounds: None,
                    scores: RefCell::default(),
                }))
            }
        };
        let translate = |query: &'q Query| Condition::translate(query, keywords, likeness, collation);
        match query {
            // RFC 6203 §5: what is no text is compared exactly.
            Query::Fuzzy(inner) => Condition::translate(inner, keywords, Likeness::Fuzzy, collation),
            Query::Collated(collation, inner) => Condition::translate(inner, keywords, likeness, *collation),
            Query::All => Condition::Known(true),
            Query::Uids(uids) => Condition::Uids(uids),
            Query::Flag(flag) => Condition::Flag(*flag),
            Query::Keyword(word) => match keywords.iter().position(|known| known == word) {
                Some(number) => Condition::Keyword(number as u16),
                None => Condition::Known(false),
            },
            Query::Not(inner) => Condition::Not(Box::new(translate(inner))),
            Query::And(all) => Condition::And(all.iter().map(translate).collect()),
            Query::Or(any) => Condition::Or(any.iter().map(translate).collect()),
            Query::Header { name, text: words } => text(words, Within::Field(name)),
            Query::Body(words) => text(words, Within::Body),
            Query::Text(words) => text(words, Within::Anywhere),
            Query::Larger(size) => Condition::Larger(*size),
            Query::Smaller(size) => Condition::Smaller(*size),
            Query::Date(DateOf::Internal, when, day) => Condition::Internal(*when, *day),
            Query::Date(DateOf::Saved, when, day) => Condition::Saved(*when, *day),
            Query::Date(DateOf::Sent, when, day) => Condition::Sent(*when, *day),
            Query::ArrivedFrom(time) => Condition::ReceivedFrom(*time),
            Query::ArrivedUpTo(time) => Condition::ReceivedUpTo(*time),
            Query::ModSeq(modseq) => Condition::ModSeq(*modseq),
            Query::EmailId(id) => Condition::EmailId(*id),
            Query::ThreadId(id) => Condition::ThreadId(*id),
            // Whose they are only those know who ask: they have put UIDs in their place.
            Query::Annotation(_) => Condition::Known(false),
        }
    }

    /// Whether there may be messages of which the row does not say enough.
    pub(super) fn may_need_content(&self) -> bool {
        match self {
            Condition::Text(_) | Condition::Sent(..) => true,
            Condition::Not(inner) => inner.may_need_content(),
            Condition::And(all) | Condition::Or(all) => all.iter().any(Condition::may_need_content),
            _ => false,
        }
    }

    /// Whether a text is looked for.
    pub(super) fn has_text(&self) -> bool {
        match self {
            Condition::Text(_) => true,
            Condition::Not(inner) => inner.has_text(),
            Condition::And(all) | Condition::Or(all) => all.iter().any(Condition::has_text),
            _ => false,
        }
    }

    /// Whether FUZZY stands before a text.
    pub(super) fn is_fuzzy(&self) -> bool {
        match self {
            Condition::Text(leaf) => leaf.words.is_some(),
            Condition::Not(inner) => inner.is_fuzzy(),
            Condition::And(all) | Condition::Or(all) => all.iter().any(Condition::is_fuzzy),
            _ => false,
        }
    }

    /// Messages of `among` whose likeness is not known without reading them, though it counts for the score.
    pub(super) fn unweighed(&self, among: &UidSet) -> UidSet {
        match self {
            Condition::Text(leaf) if leaf.words.is_some() => match &leaf.bounds {
                Some(bounds) => bounds.possibly.minus(&bounds.surely).and(among),
                None => among.clone(),
            },
            Condition::And(all) | Condition::Or(all) => {
                all.iter().fold(UidSet::new(), |met, part| met.or(&part.unweighed(among)))
            }
            _ => UidSet::new(),
        }
    }

    /// Works out how like a message is for every text that counts, also for those that need not be asked to know that
    /// the message is found: the score must not depend on what was asked first.
    pub(super) fn weigh(&self, message: &Message<'_>) {
        match self {
            Condition::Text(leaf) => leaf.weigh(message),
            Condition::And(all) | Condition::Or(all) => all.iter().for_each(|part| part.weigh(message)),
            _ => {}
        }
    }

    /// How like a message is that was found: the mean of what all must be, the best of alternatives.
    pub(super) fn score(&self, uid: Uid) -> Option<u8> {
        match self {
            Condition::Text(leaf) => leaf.scores.borrow().get(&uid).copied(),
            Condition::And(all) => {
                let scores: Vec<u32> = all.iter().filter_map(|part| part.score(uid)).map(u32::from).collect();
                let sum = scores.iter().sum::<u32>();
                sum.checked_div(scores.len() as u32).map(|mean| mean as u8)
            }
            Condition::Or(any) => any.iter().filter_map(|part| part.score(uid)).max(),
            _ => None,
        }
    }

    /// Asks the text index of every text. `live`: the messages that are there now.
    pub(super) fn consult(
        &mut self,
        index: &Index<'_>,
        numbers: &Numbers,
        live: &UidSet,
    ) -> Result<(), Error> {
        match self {
            Condition::Text(leaf) => leaf.consult(index, numbers, live),
            Condition::Not(inner) => inner.consult(index, numbers, live),
            Condition::And(all) | Condition::Or(all) => {
                all.iter_mut().try_for_each(|part| part.consult(index, numbers, live))
            }
            _ => Ok(()),
        }
    }

    /// Forgets what the text index said.
    pub(super) fn forget(&mut self) {
        match self {
            Condition::Text(leaf) => leaf.bounds = None,
            Condition::Not(inner) => inner.forget(),
            Condition::And(all) | Condition::Or(all) => all.iter_mut().for_each(Condition::forget),
            _ => {}
        }
    }

    /// Which messages of `among` fulfil it as far as no row needs to be looked at.
    pub(super) fn bounds(&self, among: &UidSet) -> Bounds {
        let all = || among.clone();
        match self {
            Condition::Known(false) => Bounds { surely: UidSet::new(), possibly: UidSet::new() },
            Condition::Known(true) => Bounds { surely: all(), possibly: all() },
            Condition::Uids(uids) => Bounds { surely: among.and(uids), possibly: among.and(uids) },
            Condition::Not(inner) => {
                let inner = inner.bounds(among);
                Bounds { surely: among.minus(&inner.possibly), possibly: among.minus(&inner.surely) }
            }
            Condition::And(parts) => {
                parts.iter().fold(Bounds { surely: all(), possibly: all() }, |met, part| {
                    let part = part.bounds(&met.possibly);
                    Bounds {
                        surely: met.surely.and(&part.surely),
                        possibly: met.possibly.and(&part.possibly),
                    }
                })
            }
            Condition::Or(parts) => {
                let none = Bounds { surely: UidSet::new(), possibly: UidSet::new() };
                parts.iter().fold(none, |met, part| {
                    let part = part.bounds(among);
                    Bounds { surely: met.surely.or(&part.surely), possibly: met.possibly.or(&part.possibly) }
                })
            }
            Condition::Text(leaf) if let Some(bounds) = &leaf.bounds => {
                Bounds { surely: bounds.surely.and(among), possibly: bounds.possibly.and(among) }
            }
            _ => Bounds { surely: UidSet::new(), possibly: all() },
        }
    }

    /// None: it depends on content that is not at hand.
    pub(super) fn holds(&self, message: &Message<'_>) -> Option<bool> {
        let row = message.row;
        match self {
            Condition::Known(known) => Some(*known),
            Condition::Uids(uids) => Some(uids.contains(message.uid)),
            Condition::Flag(flag) => Some(row.flags.has(*flag)),
            Condition::Keyword(number) => Some(row.keywords.binary_search(number).is_ok()),
            Condition::Not(inner) => inner.holds(message).map(|holds| !holds),
            Condition::And(all) => every(all.iter().map(|part| part.holds(message)), false),
            Condition::Or(any) => every(any.iter().map(|part| part.holds(message)), true),
            Condition::Text(leaf) => leaf.holds(message),
            Condition::Larger(size) => Some(u64::from(row.size) > *size),
            Condition::Smaller(size) => Some(u64::from(row.size) < *size),
            Condition::Internal(when, day) => Some(compare(day_of(row.received), *when, *day)),
            Condition::Saved(when, day) => Some(compare(day_of(row.saved), *when, *day)),
            Condition::Sent(when, day) => {
                let sent = mime::header::first(message.header?, "Date").and_then(mime::date::parse);
                // RFC 9051 §6.4.4: "disregarding time and timezone".
                Some(sent.is_some_and(|sent| compare(sent.day().to_days(), *when, *day)))
            }
            Condition::ReceivedFrom(time) => Some(row.received >= *time),
            Condition::ReceivedUpTo(time) => Some(row.received <= *time),
            Condition::ModSeq(modseq) => Some(row.modseq >= *modseq),
            Condition::EmailId(id) => Some(row.doc == *id),
            Condition::ThreadId(id) => Some(row.thread == *id),
        }
    }
}

/// A text that is looked for.
pub(super) struct Leaf<'q> {
    within: Within<'q>,
    needle: Needle,
    /// FUZZY: what is looked for instead.
    words: Option<Words>,
    /// FUZZY: how like the messages are that were looked at.
    scores: RefCell<FxHashMap<Uid, u8>>,
    /// What the text index says.
    bounds: Option<Bounds>,
}

/// Whether FUZZY stands before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Exact,
    Fuzzy,
}

/// Where it is looked for.
#[derive(Clone, Copy)]
enum Within<'q> {
    /// In a header field of that name.
    Field(&'q str),
    Body,
    Anywhere,
}

/// What is known of a condition without looking at messages.
#[derive(Clone)]
pub(super) struct Bounds {
    /// These fulfil it.
    pub(super) surely: UidSet,
    /// No others fulfil it.
    pub(super) possibly: UidSet,
}

impl Leaf<'_> {
    fn holds(&self, message: &Message<'_>) -> Option<bool> {
        if let Some(bounds) = &self.bounds {
            match (bounds.surely.contains(message.uid), bounds.possibly.contains(message.uid)) {
                (true, _) => return Some(true),
                (false, false) => return Some(false),
                (false, true) => {}
            }
        }
        if let Some(words) = &self.words {
            return Some(message.likeness(words, self.within)?.is_some());
        }
        match self.within {
            Within::Field(name) => Some(message.has_field(message.header?, name, &self.needle)),
            Within::Anywhere if message.header_has(message.header?, &self.needle) => Some(true),
            Within::Body | Within::Anywhere => Some(message.body_has(message.whole?, &self.needle)),
        }
    }

    /// The index has weighed what it is sure of.
    fn weigh(&self, message: &Message<'_>) {
        let Some(words) = &self.words else { return };
        let uid = message.uid;
        let is_open = |bounds: &Bounds| bounds.possibly.contains(uid) && !bounds.surely.contains(uid);
        if self.bounds.as_ref().is_none_or(is_open) {
            let score = message.likeness(words, self.within).flatten();
            self.scores.borrow_mut().extend(score.map(|score| (uid, score)));
        }
    }

    fn consult(&mut self, index: &Index<'_>, numbers: &Numbers, live: &UidSet) -> Result<(), Error> {
        let places = match self.within {
            Within::Field(name) => Places::of_field(name),
            Within::Body => Places::BODY,
            Within::Anywhere => Places::ANYWHERE,
        };
        let docs = match (self.within, &self.words) {
            (within, Some(words)) => {
                let name = match within {
                    Within::Field(name) => Some(name.to_ascii_lowercase()),
                    Within::Body | Within::Anywhere => None,
                };
                let (docs, scores) = index.find_like(places, name.as_deref(), words)?;
                *self.scores.get_mut() = numbers.by_uid(&scores);
                docs
            }
            (Within::Field(name), None) => {
                index.find(places, Some(&name.to_ascii_lowercase()), self.needle.wide())?
            }
            (Within::Body | Within::Anywhere, None) => index.find(places, None, self.needle.wide())?,
        };
        // The index is folded more widely than this collation folds: it has the candidates.
        let decides = self.needle.collation() == Collation::UnicodeCasemap
            || self.needle.is_empty()
            || self.words.is_some();
        let surely = if decides { numbers.uids(&docs.surely).and(live) } else { UidSet::new() };
        let possibly = numbers.uids(&docs.possibly).or(&numbers.damaged());
        self.bounds = Some(Bounds { surely, possibly });
        Ok(())
    }
}

/// Whether one part decides (is `decisive`); else None if one is not known, else the contrary.
fn every(parts: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut outcome = Some(!decisive);
    for part in parts {
        match part {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => outcome = None,
        }
    }
    outcome
}

fn day_of(time: UnixTime) -> i64 {
    time.0.div_euclid(DAY_SECONDS)
}

fn compare(day: i64, when: When, wanted: Day) -> bool {
    match when {
        When::Before => day < i64::from(wanted.0),
        When::On => day == i64::from(wanted.0),
        When::Since => day >= i64::from(wanted.0),
    }
}

/// What is at hand of a message. Texts are made once, when first asked for.
pub(super) struct Message<'a> {
    uid: Uid,
    row: &'a RowValue,
    header: Option<&'a [u8]>,
    whole: Option<&'a [u8]>,
    /// By collation, as the next.
    header_texts: [OnceCell<String>; COLLATIONS],
    body_texts: [OnceCell<Vec<String>>; COLLATIONS],
}

const COLLATIONS: usize = Collation::EVERY.len();

impl<'a> Message<'a> {
    fn new(uid: Uid, row: &'a RowValue, header: Option<&'a [u8]>, whole: Option<&'a [u8]>) -> Message<'a> {
        Message { uid, row, header, whole, header_texts: Default::default(), body_texts: Default::default() }
    }

    pub(super) fn row_only(uid: Uid, row: &'a RowValue) -> Message<'a> {
        Message::new(uid, row, None, None)
    }

    pub(super) fn with_header(uid: Uid, row: &'a RowValue, header: &'a [u8]) -> Message<'a> {
        Message::new(uid, row, Some(header), None)
    }

    pub(super) fn whole(uid: Uid, row: &'a RowValue, bytes: &'a [u8], header_length: usize) -> Message<'a> {
        let header = &bytes[..header_length.min(bytes.len())];
        Message::new(uid, row, Some(header), Some(bytes))
    }

    fn has_field(&self, header: &[u8], name: &str, needle: &Needle) -> bool {
        mime::header::fields(header)
            .filter(|field| field.is(name))
            // An empty text asks whether the field is there (RFC 9051 §6.4.4, HEADER).
            .any(|field| needle.is_empty() || needle.is_in_comparable(field.comparable()))
    }

    /// How like these words the text there is; None: what is at hand does not say.
    fn likeness(&self, words: &Words, within: Within<'_>) -> Option<Option<u8>> {
        let mut best = vec![0; words.len()];
        let header = self.header?;
        if !matches!(within, Within::Body) {
            text::each_field(header, &mut |name, value, _| match within {
                Within::Field(wanted) if !name.eq_ignore_ascii_case(wanted) => {}
                Within::Field(_) => words.look(value, Places::of_field(name), &mut best),
                _ => {
                    words.look(name, Places::NAME, &mut best);
                    words.look(value, Places::of_field(name), &mut best);
                }
            });
        }
        if !matches!(within, Within::Field(_)) {
            let structure = mime::parse(self.whole?);
            text::each_guessed_body(&structure, &mut |body, _| words.look(body, Places::BODY, &mut best));
        }
        Some(Words::score(&best))
    }

    fn header_has(&self, header: &[u8], needle: &Needle) -> bool {
        let collation = needle.collation();
        let cell = &self.header_texts[collation as usize];
        needle.is_in_folded(cell.get_or_init(|| text::header(header, collation)))
    }

    fn body_has(&self, whole: &[u8], needle: &Needle) -> bool {
        let collation = needle.collation();
        let texts = self.body_texts[collation as usize].get_or_init(|| {
            let structure = mime::parse(whole);
            text::each_body(&structure, collation).collect()
        });
        texts.iter().any(|text| needle.is_in_folded(text))
    }
}
