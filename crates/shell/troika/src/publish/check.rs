//! Asking the DNS whether a record stands there and says what it should.

use super::records::hex;
use super::{Checked, Meaning, Record, Status};
use dns::{Answer, Fault, Resolver};

/// Looks for one record.
pub async fn check(resolver: &Resolver, record: Record) -> Checked {
    let looked = look(resolver, &record).await;
    let (status, found) = match looked {
        Ok((true, found)) => (Status::Ok, found),
        Ok((false, found)) if found.is_empty() => (Status::Missing, found),
        Ok((false, found)) => (Status::Different, found),
        Err(fault) => (Status::Unknown, vec![fault.to_string()]),
    };
    Checked { status, record, found }
}

/// Whether it is right, and what was found.
type Looked = Result<(bool, Vec<String>), Fault>;

async fn look(resolver: &Resolver, record: &Record) -> Looked {
    let name = record.name.as_str();
    match &record.meaning {
        Meaning::Mx(host) => {
            let answer = resolver.mx(name).await?;
            let right = answer.records.iter().any(|mx| mx.host == *host);
            Ok((right, listed(&answer, |mx| format!("{} {}.", mx.preference, mx.host))))
        }
        Meaning::Address => addresses(resolver, name).await,
        Meaning::Text { version, any } => {
            let found = texts(resolver, name, version).await?;
            // One only: with two, receivers take none (RFC 7208 §4.5, RFC 7489 §6.6.3, RFC 8461 §3.1).
            let right = found.len() == 1 && says(&found[0], any);
            Ok((right, found))
        }
        Meaning::Key(wanted) => {
            let found = resolver.txt(name).await?.records;
            let right = found.iter().any(|text| {
                let packed: String = text.split_whitespace().collect();
                packed.split(';').any(|tag| tag.strip_prefix("p=") == Some(wanted))
            });
            Ok((right, found))
        }
        Meaning::Srv { port, target } => {
            let answer = resolver.srv(name).await?;
            let right = answer.records.iter().any(|srv| srv.port == *port && srv.target == *target);
            Ok((
                right,
                listed(&answer, |srv| {
                    format!("{} {} {} {}.", srv.priority, srv.weight, srv.port, srv.target)
                }),
            ))
        }
        Meaning::Tlsa(key) => {
            let (host, port) = (name.trim_start_matches("_25._tcp."), 25);
            let answer = resolver.tlsa(host, port).await?;
            let right = answer
                .records
                .iter()
                .any(|tlsa| (tlsa.usage, tlsa.selector, tlsa.matching) == (3, 1, 1) && tlsa.data == *key);
            // Without DNSSEC nobody believes it (RFC 7672 §2.2).
            let mut found = listed(&answer, |tlsa| {
                format!("{} {} {} {}", tlsa.usage, tlsa.selector, tlsa.matching, hex(&tlsa.data))
            });
            if right && !answer.status.is_secure() {
                found.push("the zone is not signed with DNSSEC (or nothing here checks that)".into());
            }
            Ok((right && answer.status.is_secure(), found))
        }
        Meaning::Caa(issuer) => {
            let answer = resolver.caa(name).await?;
            let right = answer.records.iter().any(|caa| {
                let domain = caa.value.split(';').next().unwrap_or_default().trim();
                caa.tag.eq_ignore_ascii_case("issue") && domain.eq_ignore_ascii_case(issuer)
            });
            Ok((right, listed(&answer, |caa| format!("{} {} \"{}\"", caa.flags, caa.tag, caa.value))))
        }
        Meaning::Live => Ok((true, Vec::new())),
        // An address in place of a CNAME is as good.
        Meaning::Alias(host) => {
            let answer = resolver.cname(name).await?;
            if answer.records.is_empty() {
                let answer = resolver.addresses(name).await?;
                return Ok((!answer.records.is_empty(), listed(&answer, ToString::to_string)));
            }
            let right = answer.records.contains(host);
            Ok((right, listed(&answer, |name| format!("{name}."))))
        }
    }
}

/// The host has addresses, and each of them the host's name (RFC 5321 §4.1.4 lets receivers look).
async fn addresses(resolver: &Resolver, host: &str) -> Looked {
    let answer = resolver.addresses(host).await?;
    let mut found = Vec::new();
    let mut right = !answer.records.is_empty();
    for address in answer.records {
        let names = resolver.ptr(address).await?.records;
        if names.iter().any(|name| name == host) {
            found.push(address.to_string());
        } else {
            right = false;
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(" ") };
            found.push(format!("{address}, whose reverse DNS says {names}"));
        }
    }
    Ok((right, found))
}

/// Texts of this version; other things stand in TXT records, too.
async fn texts(resolver: &Resolver, name: &str, version: &str) -> Result<Vec<String>, Fault> {
    let is_version = |text: &String| {
        text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version))
            && text[version.len()..].chars().next().is_none_or(|c| c == ' ' || c == ';')
    };
    Ok(resolver.txt(name).await?.records.into_iter().filter(is_version).collect())
}

/// Whether one of the words is in the text; one that ends with a sign stands for all that begin so.
fn says(text: &str, any: &[String]) -> bool {
    let begins = |word: &str, wanted: &str| match wanted.ends_with([':', '=']) {
        true => word.len() > wanted.len() && word.starts_with(wanted),
        false => word == wanted,
    };
    let mut words = text.split([' ', ';', '\t']).map(str::to_ascii_lowercase);
    any.is_empty() || words.any(|word| any.iter().any(|wanted| begins(&word, wanted)))
}

fn listed<T>(answer: &Answer<T>, show: impl Fn(&T) -> String) -> Vec<String> {
    answer.records.iter().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::records::tests::situation;
    use crate::publish::{Need, records};

    /// What a zone file that holds these lines brings.
    fn checked(lines: &str) -> Vec<Checked> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("zone");
        std::fs::write(&path, lines).unwrap();
        let settings = dns::Settings { zone_file: Some(path), ..dns::Settings::default() };
        let resolver = Resolver::new(settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let list = records(&situation());
        runtime.block_on(async {
            let mut found = Vec::new();
            for record in list {
                found.push(check(&resolver, record).await);
            }
            found
        })
    }

    fn zone() -> String {
        let lines = records(&situation()).into_iter().filter_map(|record| {
            Some(format!("{}. 3600 IN {} {}\n", record.name, record.kind, record.value?))
        });
        lines.collect::<String>()
            + "mail.example.org. 3600 IN A 192.0.2.7\n7.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\n"
    }

    #[test]
    fn what_is_printed_is_what_is_looked_for() {
        for one in checked(&zone()) {
            assert_eq!(one.status, Status::Ok, "{one:?}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_told() {
        let empty = checked("other.test. 3600 IN A 192.0.2.1\n");
        assert!(empty.iter().all(|one| one.status == Status::Missing), "{empty:?}");
        assert!(empty.iter().any(Checked::is_failure));
        for (from, to, name, kind) in [
            ("10 mail.example.org.", "10 old.example.org.", "example.org", "MX"),
            ("v=spf1 mx ~all", "v=spf1 -all", "example.org", "TXT"),
            ("v=DMARC1; p=quarantine", "v=DMARC1; sp=none", "_dmarc.example.org", "TXT"),
            ("AAAA\"", "AAAB\"", "s._domainkey.example.org", "TXT"),
            ("abababab", "cdcdcdcd", "_25._tcp.mail.example.org", "TLSA"),
            ("letsencrypt.org", "other.example", "example.org", "CAA"),
            ("0 1 993", "0 1 1993", "_imaps._tcp.example.org", "SRV"),
            ("IN PTR mail.", "IN PTR host7.", "mail.example.org", "A"),
        ] {
            assert!(zone().contains(from), "{from}");
            let all = checked(&zone().replace(from, to));
            let one = all.iter().find(|one| one.record.name == name && one.record.kind == kind).unwrap();
            assert_eq!(one.status, Status::Different, "{to}: {one:?}");
            assert_eq!(one.is_failure(), one.record.need == Need::Needed);
        }
        let doubled = checked(&(zone() + "example.org. 3600 IN TXT \"v=spf1 mx -all\"\n"));
        assert!(doubled.iter().any(|one| one.record.note.starts_with("SPF: the hosts") && one.is_failure()));
        let silent = checked(&(zone() + ";; servfail example.org\n"));
        assert!(silent.iter().any(|one| one.status == Status::Unknown && one.is_failure()));
    }
}
