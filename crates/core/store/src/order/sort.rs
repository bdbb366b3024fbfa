//! SORT in memory: a column for each criterion, and a sort of places by them.
//!
//! Texts stand folded one behind the other, the first eight octets of each besides as a number, which decides most
//! comparisons without a look at the text.

use super::casemap::fold;
use super::record::{OrderValue, Text};
use crate::Error;
use model::{AnnotationKey, Collation, Comparator, Direction, SortCriterion, SortKey, Uid, UnixTime};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Octets of a folded text that count: a decomposition may make a text several times as long.
const FOLDED_BYTES_MAX: usize = 2048;

/// What of a message is in its row, and how like it is to what was looked for (0: that was not asked).
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub(super) received: UnixTime,
    pub(super) size: u32,
    pub(super) score: u8,
}

/// Folded texts by place.
pub(super) struct Texts {
    collation: Collation,
    heads: Vec<u64>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Texts {
    pub(super) fn new(collation: Collation) -> Texts {
        Texts { collation, heads: Vec::new(), ends: Vec::new(), bytes: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) {
        let start = self.bytes.len();
        match self.collation {
            Collation::UnicodeCasemap => fold(text, &mut self.bytes),
            Collation::AsciiCasemap => {
                self.bytes.extend_from_slice(text.as_bytes());
                self.bytes[start..].make_ascii_uppercase();
            }
            Collation::Octet => self.bytes.extend_from_slice(text.as_bytes()),
        }
        self.bytes.truncate(start + FOLDED_BYTES_MAX);
        let mut head = [0; 8];
        let length = (self.bytes.len() - start).min(8);
        head[..length].copy_from_slice(&self.bytes[start..start + length]);
        self.heads.push(u64::from_be_bytes(head));
        self.ends.push(self.bytes.len());
    }

    pub(super) fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        self.heads[a].cmp(&self.heads[b]).then_with(|| self.get(a).cmp(self.get(b)))
    }
}

enum Values {
    Numbers(Vec<i64>),
    Texts(Texts),
    /// Texts that are there already, by message.
    Annotated(Texts, BTreeMap<Uid, String>),
}

struct Column {
    key: SortKey,
    direction: Direction,
    values: Values,
}

/// The columns of a sort, filled message by message in ascending order of UID.
pub(super) struct Sorter {
    columns: Vec<Column>,
    places: u32,
}

/// The text that a key sorts by; None: a number.
fn text_of(key: &SortKey) -> Option<Text> {
    match key {
        SortKey::Arrival | SortKey::Date | SortKey::Size | SortKey::Relevancy | SortKey::Annotation(_) => {
            None
        }
        SortKey::Subject => Some(Text::Subject),
        SortKey::From => Some(Text::From),
        SortKey::To => Some(Text::To),
        SortKey::Cc => Some(Text::Cc),
        SortKey::DisplayFrom => Some(Text::DisplayFrom),
        SortKey::DisplayTo => Some(Text::DisplayTo),
    }
}

impl Sorter {
    pub(super) fn new(
        criteria: &[SortCriterion],
        comparator: Comparator,
        annotated: impl Fn(&AnnotationKey) -> Result<BTreeMap<Uid, String>, Error>,
    ) -> Result<Sorter, Error> {
        let mut columns: Vec<Column> = Vec::new();
        for criterion in criteria {
            // What was compared before decides nothing any more.
            if columns.iter().any(|column| column.key == criterion.key) {
                continue;
            }
            let (values, direction) = match (&criterion.key, text_of(&criterion.key)) {
                (SortKey::Annotation(key), _) => {
                    let texts = Texts::new(comparator.collation);
                    (Values::Annotated(texts, annotated(key)?), comparator.direction)
                }
                (_, Some(_)) => (Values::Texts(Texts::new(comparator.collation)), comparator.direction),
                (_, None) => (Values::Numbers(Vec::new()), Direction::Ascending),
            };
            // RFC 4790 §3.3: an inverted collation, which REVERSE inverts again.
            let direction = match criterion.direction == direction {
                true => Direction::Ascending,
                false => Direction::Descending,
            };
            columns.push(Column { key: criterion.key.clone(), direction, values });
        }
        Ok(Sorter { columns, places: 0 })
    }

    /// Whether rows say all that is needed.
    pub(super) fn needs_records(&self) -> bool {
        let is_in_row = |key: &SortKey| {
            matches!(key, SortKey::Arrival | SortKey::Size | SortKey::Relevancy | SortKey::Annotation(_))
        };
        self.columns.iter().any(|column| !is_in_row(&column.key))
    }

    /// Takes in the next message.
    pub(super) fn push(&mut self, uid: Uid, shown: Shown, record: Option<&OrderValue<'_>>) {
        self.places += 1;
        for column in &mut self.columns {
            match &mut column.values {
                Values::Texts(texts) => {
                    let text = text_of(&column.key).zip(record).map(|(which, record)| record.text(which));
                    texts.push(text.unwrap_or_default());
                }
                Values::Annotated(texts, by_uid) => {
                    texts.push(by_uid.get(&uid).map(String::as_str).unwrap_or_default());
                }
                Values::Numbers(numbers) => numbers.push(match column.key {
                    SortKey::Size => i64::from(shown.size),
                    // RFC 6203 §6: "The message with the highest score is returned first."
                    SortKey::Relevancy => -i64::from(shown.score),
                    // RFC 5256 §2.2
                    SortKey::Date => record.and_then(|record| record.sent).unwrap_or(shown.received).0,
                    _ => shown.received.0,
                }),
            }
        }
    }

    /// Places of the messages in the order wanted.
    pub(super) fn finish(self) -> Vec<u32> {
        let mut places: Vec<u32> = (0..self.places).collect();
        places.sort_unstable_by(|a, b| {
            let (at, other) = (*a as usize, *b as usize);
            for column in &self.columns {
                let ordering = match &column.values {
                    Values::Numbers(numbers) => numbers[at].cmp(&numbers[other]),
                    Values::Texts(texts) | Values::Annotated(texts, _) => texts.compare(at, other),
                };
                match (ordering, column.direction) {
                    (Ordering::Equal, _) => {}
                    (ordering, Direction::Ascending) => return ordering,
                    (ordering, Direction::Descending) => return ordering.reverse(),
                }
            }
            // RFC 5256 §3: "an implicit sort criterion of sequence number", never reversed.
            a.cmp(b)
        });
        places
    }
}
