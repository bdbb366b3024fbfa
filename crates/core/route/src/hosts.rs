//! MX records in the order in which they are tried (RFC 5321 §5.1).

use crate::Trouble;
use model::Mx;

/// Hosts tried of one domain at most: a domain with hundreds of records can't keep a delivery busy for hours.
pub const HOSTS_MAX: usize = 20;

/// Puts the records in their order: by preference, equal ones shuffled by `random` (numbers evenly spread over all of
/// u64). Of the hosts that are this server itself (`is_self`), and those no better than it, none is tried.
///
/// # Errors
/// [`Trouble::NullMx`] and [`Trouble::Loop`].
pub fn choose(
    mut records: Vec<Mx>,
    is_self: impl Fn(&str) -> bool,
    random: &mut dyn FnMut() -> u64,
) -> Result<Vec<Mx>, Trouble> {
    // RFC 7505 §3: one record, preference 0 (which senders need not look at), the root as host. A root beside other
    // records is a mistake of the domain; it has no address and is left out.
    if let [only] = &records[..]
        && only.host.is_empty()
    {
        return Err(Trouble::NullMx);
    }
    records.retain(|record| !record.host.is_empty());
    if records.is_empty() {
        return Err(Trouble::NoAddress);
    }
    // RFC 5321 §5.1: "all records at that preference level and higher-numbered ones MUST be discarded", and with none left
    // "the message MUST be returned as undeliverable": mail never goes to a host that would bring it back here.
    if let Some(own) =
        records.iter().filter(|record| is_self(&record.host)).map(|record| record.preference).min()
    {
        records.retain(|record| record.preference < own);
        if records.is_empty() {
            return Err(Trouble::Loop);
        }
    }
    records.sort_by(|a, b| a.preference.cmp(&b.preference).then_with(|| a.host.cmp(&b.host)));
    records.dedup_by(|later, first| later.host == first.host);
    for group in records.chunk_by_mut(|a, b| a.preference == b.preference) {
        shuffle(group, random);
    }
    records.truncate(HOSTS_MAX);
    Ok(records)
}

/// RFC 5321 §5.1: "the sender-SMTP MUST randomize them to spread the load across multiple mail exchangers".
pub(crate) fn shuffle<T>(items: &mut [T], random: &mut dyn FnMut() -> u64) {
    for last in (1..items.len()).rev() {
        // The bias of a remainder of 64 bits over some dozens of hosts is nothing.
        let other = (random() % (last as u64 + 1)) as usize;
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mx(preference: u16, host: &str) -> Mx {
        Mx { preference, host: host.into() }
    }

    /// A generator good enough for tests.
    pub(crate) fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed ^ mixed >> 31
        }
    }

    fn order(records: Vec<Mx>, own: &str, seed: u64) -> Result<Vec<String>, Trouble> {
        let found = choose(records, |host| host == own, &mut random(seed))?;
        Ok(found.into_iter().map(|record| record.host).collect())
    }

    #[test]
    fn preferences_rule_and_equal_ones_are_shuffled() {
        let records = || vec![mx(20, "c"), mx(10, "b"), mx(10, "a"), mx(30, "d")];
        let mut first = std::collections::HashMap::new();
        for seed in 0..1000 {
            let hosts = order(records(), "", seed).unwrap();
            assert_eq!(hosts[2..], ["c", "d"]);
            *first.entry(hosts[0].clone()).or_insert(0) += 1;
        }
        assert!(first.values().all(|count| (400..600).contains(count)), "{first:?}");
    }

    #[test]
    fn a_null_mx_takes_no_mail() {
        assert_eq!(order(vec![mx(0, "")], "", 1), Err(Trouble::NullMx));
        // RFC 7505 §3: a domain that publishes it publishes no others; who does is taken by the others.
        assert_eq!(order(vec![mx(0, ""), mx(10, "a")], "", 1), Ok(vec!["a".to_owned()]));
        assert_eq!(order(vec![mx(0, ""), mx(1, "")], "", 1), Err(Trouble::NoAddress));
        assert_eq!(order(vec![], "", 1), Err(Trouble::NoAddress));
    }

    #[test]
    fn mail_never_goes_back_to_where_it_came_from() {
        let records = || vec![mx(10, "a"), mx(20, "me"), mx(20, "b"), mx(30, "c")];
        assert_eq!(order(records(), "me", 1), Ok(vec!["a".to_owned()]));
        assert_eq!(order(vec![mx(10, "me"), mx(20, "b")], "me", 1), Err(Trouble::Loop));
        // Listed twice: the better one counts.
        assert_eq!(order(vec![mx(30, "me"), mx(5, "me"), mx(10, "b")], "me", 1), Err(Trouble::Loop));
    }

    #[test]
    fn a_host_stands_once_and_there_are_not_too_many() {
        assert_eq!(order(vec![mx(10, "a"), mx(10, "a")], "", 1).unwrap(), ["a"]);
        let many = (0..500).map(|n| mx(n, &format!("h{n}"))).collect();
        assert_eq!(order(many, "", 1).unwrap().len(), HOSTS_MAX);
    }

    proptest! {
        #[test]
        fn whatever_is_published_the_order_holds(
            records in prop::collection::vec((0_u16..5, "[a-f]{0,1}"), 0..12), seed: u64
        ) {
            let records: Vec<Mx> = records.iter().map(|(preference, host)| mx(*preference, host)).collect();
            if let Ok(found) = choose(records.clone(), |host| host == "a", &mut random(seed)) {
                prop_assert!(found.is_sorted_by_key(|record| record.preference));
                let own = records.iter().filter(|record| record.host == "a").map(|record| record.preference).min();
                prop_assert!(found.iter().all(|record| own.is_none_or(|own| record.preference < own)));
                prop_assert!(found.iter().all(|record| !record.host.is_empty()));
            }
        }
    }
}
