//! Answers from a file, off-line: master file format (RFC 1035 §5), with wildcards (RFC 4592), CNAMEs, and lines that
//! make names fail on purpose.

use crate::raw::{Kind, Raw, text_of};
use crate::{Fault, SetupError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::proto::serialize::txt::Parser;
use model::{Presence, SecurityStatus};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

/// Longest chain of CNAMEs that is followed.
const ALIASES_MAX: usize = 8;
/// The TTL of records that give none, and of absences.
const TTL_SECONDS: u32 = 300;
/// Beyond so many lines the place of a mistake is not looked for: each line read again costs a reading of the file.
const LINES_SEARCHED_MAX: usize = 2000;

/// How answers about a name are made to come out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quirk {
    Insecure,
    Bogus,
    Failed,
    TimedOut,
}

struct Set {
    records: Vec<RData>,
    ttl: u32,
}

/// See the module.
pub(crate) struct Zone {
    sets: HashMap<(String, RecordType), Set>,
    /// Every name that has a record, and all above it (RFC 4592 §2.2.2: empty non-terminals exist).
    names: HashSet<String>,
    quirks: HashMap<String, Quirk>,
}

impl Zone {
    pub(crate) fn read(path: &Path) -> Result<Zone, SetupError> {
        let wrong = |why: String| SetupError::File { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Zone::parse(&text, Some(path)).map_err(wrong)
    }

    fn parse(text: &str, path: Option<&Path>) -> Result<Zone, String> {
        let quirks = quirks(text)?;
        let parsed = Parser::new(
            format!("$TTL {TTL_SECONDS}\n{text}\n"),
            path.map(Path::to_owned),
            Some(Name::root()),
        )
        .parse();
        let (_, sets) = parsed.map_err(|error| match faulty_line(text, path) {
            Some(line) => format!("line {line}: {error}"),
            None => error.to_string(),
        })?;
        let mut zone = Zone { sets: HashMap::new(), names: HashSet::new(), quirks };
        for (key, set) in sets {
            let name = text_of(set.name());
            let mut above = Some(name.as_str());
            while let Some(name) = above {
                zone.names.insert(name.to_owned());
                above = name.split_once('.').map(|(_, parent)| parent);
            }
            let records = set.records_without_rrsigs().map(|record| record.data.clone()).collect();
            zone.sets.insert((name, key.record_type), Set { records, ttl: set.ttl() });
        }
        Ok(zone)
    }

    /// The answer to one question; `name` in lower case without the final dot.
    pub(crate) fn lookup(&self, name: &str, kind: Kind) -> Result<Raw, Fault> {
        let (mut name, mut status, mut ttl) = (name.to_owned(), SecurityStatus::Secure, u32::MAX);
        for _ in 0..=ALIASES_MAX {
            match self.quirk(&name) {
                Some(Quirk::Insecure) => status = SecurityStatus::Insecure,
                Some(Quirk::Bogus) => return Err(Fault::Bogus),
                Some(Quirk::Failed) => return Err(Fault::Failed("Server Failure".into())),
                Some(Quirk::TimedOut) => return Err(Fault::TimedOut),
                None => {}
            }
            let answer = |records, presence, ttl: u32, canonical| Raw {
                records,
                presence,
                canonical,
                status,
                ttl: Duration::from_secs(ttl.into()),
            };
            let owner = self.owner(&name);
            if let Some(set) = self.sets.get(&(owner.clone(), kind.record_type())) {
                return Ok(answer(set.records.clone(), Presence::Found, ttl.min(set.ttl), name));
            }
            let alias = self.sets.get(&(owner.clone(), RecordType::CNAME));
            if let Some((RData::CNAME(target), set)) = alias.and_then(|set| Some((set.records.first()?, set)))
            {
                (name, ttl) = (text_of(&target.0), ttl.min(set.ttl));
                continue;
            }
            let presence = if self.names.contains(&owner) { Presence::NoData } else { Presence::NoName };
            return Ok(answer(Vec::new(), presence, ttl.min(TTL_SECONDS), name));
        }
        Err(Fault::Loop)
    }

    /// The name itself, or the wildcard that stands for it (RFC 4592 §3.3.1: the one below the closest encloser).
    fn owner(&self, name: &str) -> String {
        if self.names.contains(name) {
            return name.to_owned();
        }
        let mut above = name;
        while let Some((_, parent)) = above.split_once('.') {
            if self.names.contains(parent) {
                let wildcard = format!("*.{parent}");
                return if self.names.contains(&wildcard) { wildcard } else { name.to_owned() };
            }
            above = parent;
        }
        name.to_owned()
    }

    fn quirk(&self, name: &str) -> Option<Quirk> {
        let mut above = Some(name);
        while let Some(name) = above {
            if let Some(quirk) = self.quirks.get(name) {
                return Some(*quirk);
            }
            above = name.split_once('.').map(|(_, parent)| parent);
        }
        None
    }
}

fn quirks(text: &str) -> Result<HashMap<String, Quirk>, String> {
    let mut quirks = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let Some(rest) = line.strip_prefix(";;") else { continue };
        let mut words = rest.split_whitespace();
        let quirk = match words.next() {
            Some("insecure") => Quirk::Insecure,
            Some("bogus") => Quirk::Bogus,
            Some("servfail") => Quirk::Failed,
            Some("timeout") => Quirk::TimedOut,
            _ => continue,
        };
        let names: Vec<&str> = words.collect();
        let [name] = names[..] else {
            return Err(format!("line {}: after {quirk:?} one name has to stand", index + 1));
        };
        quirks.insert(name.trim_end_matches('.').to_ascii_lowercase(), quirk);
    }
    Ok(quirks)
}

/// The line behind the longest beginning that can be read.
fn faulty_line(text: &str, path: Option<&Path>) -> Option<usize> {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    if ends.len() > LINES_SEARCHED_MAX {
        return None;
    }
    let readable = |end: usize| {
        let start = format!("$TTL {TTL_SECONDS}\n{}", &text[..end]);
        Parser::new(start, path.map(Path::to_owned), Some(Name::root())).parse().is_ok()
    };
    let good =
        (0..=ends.len()).rev().find(|lines| readable(if *lines == 0 { 0 } else { ends[lines - 1] }))?;
    Some(good + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: &str = "\
$ORIGIN example.test.
@ 3600 IN MX 10 mx1
       3600 IN MX 20 mx2.example.test.
       TXT \"v=spf1 -all; really\"
mx1    60 A 192.0.2.1
mx2    CNAME real.other.test.
*.wild MX 5 mx1
deep.down.there A 192.0.2.9
$ORIGIN .
real.other.test 30 A 192.0.2.2
a.loop.test CNAME b.loop.test
b.loop.test CNAME a.loop.test
_25._tcp.mx1.example.test TLSA 3 1 1 0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef
null.test MX 0 .
;; insecure other.test.
;; servfail BROKEN.test
;; bogus forged.test
;; timeout slow.test
";

    fn zone() -> Zone {
        Zone::parse(ZONE, None).unwrap()
    }

    #[test]
    fn records_are_found_under_relative_and_absolute_names() {
        let zone = zone();
        let mx = zone.lookup("example.test", Kind::Mx).unwrap();
        assert_eq!((mx.records.len(), mx.presence, mx.ttl.as_secs()), (2, Presence::Found, 3600));
        assert_eq!(mx.status, SecurityStatus::Secure);
        assert_eq!(zone.lookup("mx1.example.test", Kind::A).unwrap().ttl.as_secs(), 60);
        let tlsa = zone.lookup("_25._tcp.mx1.example.test", Kind::Tlsa).unwrap();
        let [RData::TLSA(tlsa)] = &tlsa.records[..] else { panic!("{tlsa:?}") };
        assert_eq!(tlsa.cert_data.len(), 32);
        let txt = zone.lookup("example.test", Kind::Txt).unwrap();
        let [RData::TXT(txt)] = &txt.records[..] else { panic!("{txt:?}") };
        assert_eq!(txt.txt_data.concat(), b"v=spf1 -all; really");
    }

    #[test]
    fn aliases_are_followed_and_what_is_insecure_on_the_way_makes_the_answer_so() {
        let answer = zone().lookup("mx2.example.test", Kind::A).unwrap();
        assert_eq!(answer.canonical, "real.other.test");
        assert_eq!(answer.status, SecurityStatus::Insecure);
        assert_eq!(answer.ttl.as_secs(), 30);
        assert_eq!(zone().lookup("a.loop.test", Kind::A).unwrap_err(), Fault::Loop);
    }

    #[test]
    fn absences_are_told_apart() {
        let zone = zone();
        for (name, kind, presence) in [
            ("example.test", Kind::A, Presence::NoData),
            ("down.there.example.test", Kind::A, Presence::NoData),
            ("nowhere.test", Kind::Mx, Presence::NoName),
            ("any.thing.wild.example.test", Kind::Mx, Presence::Found),
            ("any.wild.example.test", Kind::A, Presence::NoData),
            ("wild.example.test", Kind::Mx, Presence::NoData),
            ("else.example.test", Kind::Mx, Presence::NoName),
        ] {
            assert_eq!(zone.lookup(name, kind).unwrap().presence, presence, "{name}");
        }
    }

    #[test]
    fn names_fail_on_purpose_with_all_beneath_them() {
        let zone = zone();
        let fault = |name| zone.lookup(name, Kind::Mx).unwrap_err();
        assert_eq!(fault("broken.test"), Fault::Failed("Server Failure".into()));
        assert_eq!(fault("mx.broken.test"), Fault::Failed("Server Failure".into()));
        assert_eq!(fault("forged.test"), Fault::Bogus);
        assert_eq!(fault("slow.test"), Fault::TimedOut);
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, place) in [
            ("a.test A 192.0.2.1\nb.test A 192.0.2\nc.test A 192.0.2.3\n", "line 2"),
            ("a.test MX ten mx.test\n", "line 1"),
            ("a.test A 192.0.2.1\n\n\nb.test NONSENSE 1\n", "line 4"),
            (";; bogus\n", "line 1"),
        ] {
            let why = Zone::parse(text, None).err().unwrap();
            assert!(why.starts_with(place), "{why}");
        }
    }
}
