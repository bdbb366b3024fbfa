//! Contexts (RFC 5267 §4.3): a client that does nothing but what ADDTO and REMOVEFROM tell it has, after a NOOP, exactly
//! what the same command would return now.

use crate::connection;
use crate::replica::run;
use crate::world::{NOW, World, simple};
use imap::Session;
use model::FlagSet;
use proptest::prelude::*;
use std::sync::Arc;
use wire::TlsMode;

/// The searches whose results are kept, each with its tag; `ALL` is asked for with and without UPDATE.
const SEARCHES: [(&str, &str, &str); 5] = [
    ("u1", "UID SEARCH RETURN", "DELETED"),
    ("u2", "UID SORT RETURN", "(REVERSE DATE) UTF-8 UNDELETED"),
    ("u3", "SEARCH RETURN", "OR FLAGGED DELETED"),
    ("u4", "SORT RETURN", "(SUBJECT) UTF-8 NOT FLAGGED"),
    // RFC 6203 §6
    ("u5", "UID SORT RETURN", "(REVERSE RELEVANCY) UTF-8 FUZZY TEXT messagex NOT FLAGGED"),
];

fn numbers(set: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().expect("a number");
    let mut all = Vec::new();
    for range in set.split(',') {
        match range.split_once(':') {
            Some((first, last)) => all.extend(number(first)..=number(last)),
            None => all.push(number(range)),
        }
    }
    all
}

struct Client {
    session: Session,
    results: Vec<Vec<u32>>,
    exists: u32,
}

impl Client {
    fn say(&mut self, world: &mut World, line: &str) -> String {
        let said = run(&mut self.session, 1, world, format!("{line}\r\n").as_bytes());
        said.lines().for_each(|line| self.hear(line));
        said
    }

    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["*", number, "EXISTS"] = words[..] {
            self.exists = number.parse().expect("a number");
        }
        if let ["*", number, "EXPUNGE"] = words[..] {
            let number: u32 = number.parse().expect("a number");
            self.exists -= 1;
            for (at, result) in self.results.iter_mut().enumerate() {
                if SEARCHES[at].1.starts_with("UID") {
                    continue;
                }
                // RFC 5267 §4.3.4: it left before.
                assert!(!result.contains(&number), "{line} while in {result:?}");
                result.iter_mut().filter(|other| **other > number).for_each(|other| *other -= 1);
            }
        }
        let tag =
            SEARCHES.iter().position(|(tag, ..)| line.starts_with(&format!("* ESEARCH (TAG \"{tag}\")")));
        let Some(at) = tag else { return };
        for (word, adds) in [(" REMOVEFROM (", false), (" ADDTO (", true)] {
            let Some((_, rest)) = line.split_once(word) else { continue };
            let pairs: Vec<&str> = rest.split(')').next().expect("an end").split(' ').collect();
            for pair in pairs.chunks(2) {
                self.change(at, pair[0].parse().expect("a place"), &numbers(pair[1]), adds);
            }
        }
    }

    fn change(&mut self, at: usize, place: usize, set: &[u32], adds: bool) {
        let by_uid = SEARCHES[at].1.starts_with("UID");
        assert!(
            by_uid || set.iter().all(|number| *number <= self.exists),
            "a number not told of yet: {set:?}"
        );
        let result = &mut self.results[at];
        match (place, adds) {
            (0, true) => {
                result.extend(set);
                result.sort_unstable();
            }
            (0, false) => result.retain(|number| !set.contains(number)),
            (place, true) => drop(result.splice(place - 1..place - 1, set.iter().copied())),
            (place, false) => {
                let removed: Vec<u32> = result.drain(place - 1..place - 1 + set.len()).collect();
                assert_eq!(removed, set);
            }
        }
    }

    fn fresh(&mut self, world: &mut World, at: usize, option: &str) -> Vec<u32> {
        let (tag, command, key) = SEARCHES[at];
        let tag = if option.is_empty() { "z" } else { tag };
        let said =
            run(&mut self.session, 1, world, format!("{tag} {command} (ALL{option}) {key}\r\n").as_bytes());
        let line = said.lines().find(|line| line.starts_with("* ESEARCH")).expect("a result");
        line.split_once(" ALL ").map(|(_, set)| numbers(set)).unwrap_or_default()
    }
}

/// What happens: by this client, by the other one, or by itself.
fn happenings() -> impl Strategy<Value = Vec<(u8, u32, u8)>> {
    proptest::collection::vec((0u8..8, 1u32..7, 0u8..4), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn results_stay_what_they_would_be(happenings in happenings(), page in 1usize..4) {
        let mut world = World::new();
        world.page = page;
        let inbox = world.find("INBOX").expect("an inbox");
        for number in 1..=6 {
            world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW);
        }
        let session = || Session::new(connection(TlsMode::None, true), Arc::default());
        let mut other = session();
        run(&mut other, 2, &mut world, b"a LOGIN joe secret\r\nb SELECT INBOX\r\n");
        let mut client = Client { session: session(), results: Vec::new(), exists: 6 };
        client.say(&mut world, "a LOGIN joe secret\r\nb SELECT INBOX");
        for at in 0..SEARCHES.len() {
            let result = client.fresh(&mut world, at, " UPDATE");
            client.results.push(result);
        }
        for (what, number, flag) in happenings {
            let flag = ["\\Deleted", "\\Flagged", "\\Seen", "\\Deleted \\Flagged"][usize::from(flag)];
            let sign = if number % 2 == 0 { '+' } else { '-' };
            match what {
                0 => drop(world.deliver(inbox, simple(number * 7).as_bytes(), FlagSet::NONE, NOW)),
                1 | 2 => {
                    let line = format!("c UID STORE {number}:* {sign}FLAGS ({flag})\r\n");
                    run(&mut other, 2, &mut world, line.as_bytes());
                }
                3 => drop(run(&mut other, 2, &mut world, b"d EXPUNGE\r\n")),
                4 => drop(client.say(&mut world, &format!("e UID STORE {number} +FLAGS.SILENT ({flag})"))),
                5 => drop(client.say(&mut world, "f EXPUNGE")),
                6 => drop(client.say(&mut world, "g FETCH 1:* (UID)")),
                _ => drop(client.say(&mut world, &format!("h STORE 1:* {sign}FLAGS ({flag})"))),
            }
        }
        client.say(&mut world, "n NOOP");
        for (at, search) in SEARCHES.iter().enumerate() {
            let fresh = client.fresh(&mut world, at, "");
            prop_assert_eq!(&client.results[at], &fresh, "{:?}", search);
        }
    }
}
