//! COMPARATOR (RFC 5255 §4.7): by which rule SEARCH, SORT and THREAD compare texts in this session.

use crate::session::{Core, Done};
use crate::write;
use model::{Collation, Comparator, Direction};

/// Without orders tells the active comparator; else the first order that a collation is like decides.
pub(super) fn comparator(core: &mut Core, orders: &[String]) -> Done {
    if orders.is_empty() {
        tell(core, &[]);
        return Done::ok("The active comparator has been told");
    }
    let Some(orders) = orders.iter().map(|order| Order::read(order)).collect::<Option<Vec<_>>>() else {
        return Done::bad("That is no name of a comparator (RFC 4790)");
    };
    let wanted = orders.iter().find_map(|order| {
        let collation = Collation::EVERY.into_iter().find(|collation| order.is_for(*collation))?;
        Some(Comparator { collation, direction: order.direction })
    });
    let Some(wanted) = wanted else {
        return Done::no("[BADCOMPARATOR] There is no such comparator");
    };
    core.comparator = wanted;
    let matching = Collation::EVERY.into_iter().filter(|by| orders.iter().any(|order| order.is_for(*by)));
    tell(core, &matching.collect::<Vec<_>>());
    Done::ok(format!("Will use {} for collation", wanted.collation.name()))
}

/// `* COMPARATOR -i;octet (i;ascii-casemap i;octet)`. RFC 5255 §4.8: the list "is present only if more than one match is
/// found".
fn tell(core: &mut Core, matching: &[Collation]) {
    let Comparator { collation, direction } = core.comparator;
    core.out.extend_from_slice(b"* COMPARATOR ");
    // RFC 4790 §3.3: collation-selected
    let sign = if direction == Direction::Descending { "-" } else { "" };
    write::astring(&mut core.out, format!("{sign}{}", collation.name()).as_bytes());
    if matching.len() > 1 {
        for (nth, collation) in matching.iter().enumerate() {
            core.out.extend_from_slice(if nth == 0 { b" (" } else { b" " });
            write::astring(&mut core.out, collation.name().as_bytes());
        }
        core.out.push(b')');
    }
    core.out.extend_from_slice(b"\r\n");
}

/// Longest name of a collation (RFC 4790 §3.1, §3.2).
const NAME_BYTES_MAX: usize = 254;

/// `collation-order = ["+" / "-"] collation-wild` (RFC 4790 §3.3), in small letters.
struct Order {
    direction: Direction,
    pattern: String,
}

impl Order {
    /// None: it is not well-formed.
    fn read(order: &str) -> Option<Order> {
        let (direction, pattern) = match order.as_bytes().first()? {
            b'-' => (Direction::Descending, &order[1..]),
            b'+' => (Direction::Ascending, &order[1..]),
            _ => (Direction::Ascending, order),
        };
        let first = pattern.as_bytes().first()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-;=.*".contains(&byte);
        // §3.2: "Wildcard characters MUST NOT be adjacent."
        let is_fine = pattern.len() <= NAME_BYTES_MAX
            && (first.is_ascii_alphabetic() || *first == b'*')
            && pattern.bytes().all(fits)
            && !pattern.contains("**");
        is_fine.then(|| Order { direction, pattern: pattern.to_ascii_lowercase() })
    }

    fn is_for(&self, collation: Collation) -> bool {
        // RFC 5255 §4.7
        if self.pattern == "default" {
            return collation == Collation::default();
        }
        is_like(&self.pattern, collation.name())
    }
}

/// Whether a name is what a pattern with `*` for any number of characters describes.
fn is_like(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    let (middle, end) = tail.rsplit_once('*').unwrap_or(("", tail));
    for part in middle.split('*') {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_name_collations() {
        use Collation::{AsciiCasemap as Ascii, Octet, UnicodeCasemap as Unicode};
        let rows: &[(&str, &[Collation])] = &[
            ("i;octet", &[Octet]),
            ("I;OCTET", &[Octet]),
            ("-i;octet", &[Octet]),
            ("default", &[Unicode]),
            ("+default", &[Unicode]),
            ("*", &[Unicode, Ascii, Octet]),
            ("i;*", &[Unicode, Ascii, Octet]),
            ("i;*-casemap", &[Unicode, Ascii]),
            ("*i*c*ap", &[Unicode, Ascii]),
            ("*o*t", &[Octet]),
            ("i;octet*i;octet", &[]),
            ("i;octett*", &[]),
            ("octet", &[]),
            ("cz;*", &[]),
        ];
        for (text, wanted) in rows {
            let order = Order::read(text).unwrap();
            let found = Collation::EVERY.into_iter().filter(|by| order.is_for(*by));
            assert_eq!(&found.collect::<Vec<_>>(), wanted, "{text}");
        }
        for text in ["", "-", "i;**", "1", ";", "i;é", "i octet", &"a".repeat(255), "--i;octet"] {
            assert!(Order::read(text).is_none(), "{text}");
        }
    }
}
