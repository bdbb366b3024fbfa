//! SORT and THREAD (RFC 5256 §5, RFC 5267 §5, RFC 5957 §5, RFC 6203 §7).

use super::cursor::{Cursor, EmptyList};
use super::{FaultKind, Parsed, annotation, limits, search};
use crate::command::{Body, Numbering, Search};
use model::{Arrangement, Direction, SortCriterion, SortKey, ThreadAlgorithm};

/// ```text
/// sort            = ["UID" SP] "SORT" [search-return-opts] SP sort-criteria SP search-criteria
/// sort-criteria   = "(" sort-criterion *(SP sort-criterion) ")"
/// search-criteria = charset 1*(SP search-key)
/// charset         = atom / quoted
/// ```
pub(super) fn sort(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Body> {
    cursor.space()?;
    let returns = search::returns(cursor)?;
    let criteria = cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, criterion)?;
    let start = cursor.at();
    let (charset, key) = criteria_of_search(cursor)?;
    search::relevancy_is_fuzzy(cursor, start, returns.as_deref(), &key)?;
    if criteria.iter().any(|criterion| criterion.key == SortKey::Relevancy) {
        // RFC 6203 §6
        search::is_fuzzy(cursor, start, &key)?;
    }
    let search = Search { numbering, returns, charset, key };
    Ok(Body::Arrange { arrangement: Arrangement::Sorted(criteria), search })
}

/// ```text
/// thread     = ["UID" SP] "THREAD" SP thread-alg SP search-criteria
/// thread-alg = "ORDEREDSUBJECT" / "REFERENCES" / thread-alg-ext
/// ```
pub(super) fn thread(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Body> {
    cursor.space()?;
    let start = cursor.at();
    let algorithm = match cursor.word().as_str() {
        "ORDEREDSUBJECT" => ThreadAlgorithm::OrderedSubject,
        "REFERENCES" => ThreadAlgorithm::References,
        "REFS" => ThreadAlgorithm::Refs,
        _ => return cursor.fault(start, FaultKind::Syntax, "ORDEREDSUBJECT, REFERENCES or REFS"),
    };
    let (charset, key) = criteria_of_search(cursor)?;
    let search = Search { numbering, returns: None, charset, key };
    Ok(Body::Arrange { arrangement: Arrangement::Threaded(algorithm), search })
}

fn criteria_of_search(cursor: &mut Cursor<'_>) -> Parsed<(Option<String>, crate::command::SearchKey)> {
    cursor.space()?;
    let charset = cursor.utf8("the name of a charset")?;
    cursor.space()?;
    Ok((Some(charset), search::program(cursor)?))
}

/// ```text
/// sort-criterion = ["REVERSE" SP] sort-key
/// sort-key       = "ARRIVAL" / "CC" / "DATE" / "FROM" / "SIZE" / "SUBJECT" / "TO" / "DISPLAYFROM" / "DISPLAYTO" /
///                  "RELEVANCY" /                                          (RFC 6203)
///                  "ANNOTATION" SP entry SP att-sort                      (RFC 5257)
/// ```
fn criterion(cursor: &mut Cursor<'_>) -> Parsed<SortCriterion> {
    let direction = if cursor.eat_word("REVERSE ") { Direction::Descending } else { Direction::Ascending };
    let start = cursor.at();
    let name = cursor.word();
    if name == "ANNOTATION" {
        return Ok(SortCriterion { key: SortKey::Annotation(annotation::sort_key(cursor)?), direction });
    }
    match SortKey::EVERY.into_iter().find(|key| crate::print::sort_key(key) == name) {
        Some(key) => Ok(SortCriterion { key, direction }),
        None => cursor.fault(start, FaultKind::Syntax, "a sort key"),
    }
}

/// ```text
/// command-select =/ "CANCELUPDATE" 1*(SP quoted)                          (RFC 5267)
/// ```
pub(super) fn cancel_update(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mut tags = Vec::new();
    cursor.space()?;
    loop {
        if tags.len() >= limits::OPTIONS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer tags");
        }
        let start = cursor.at();
        match String::from_utf8(cursor.string("the tag of a search")?.into_owned()) {
            Ok(tag) => tags.push(tag),
            Err(_) => return cursor.fault(start, FaultKind::Syntax, "the tag of a search"),
        }
        if !cursor.eat(b' ') {
            return Ok(Body::CancelUpdate(tags));
        }
    }
}
