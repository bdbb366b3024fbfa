//! The list of records (RFC 5321 §5, 7208, 6376, 7489, 8461, 8460, 7672, 6186, 8314, 8659).

use super::{Key, Meaning, Need, Record, Situation};

/// Services that mail programs look for; those that are not offered are said to be absent (RFC 6186 §3.4).
const SERVICES: [&str; 6] = ["submissions", "submission", "imaps", "imap", "pop3s", "pop3"];
/// A string in a TXT record has at most 255 octets (RFC 1035 §3.3.14).
const STRING_BYTES_MAX: usize = 255;

/// Every record to publish for a domain.
pub fn records(situation: &Situation) -> Vec<Record> {
    let mut list = vec![
        Record {
            name: situation.domain.clone(),
            kind: "MX",
            value: Some(format!("10 {}.", situation.hostname)),
            need: Need::Needed,
            note: "mail for the domain comes to this server".into(),
            meaning: Meaning::Mx(situation.hostname.clone()),
        },
        Record {
            name: situation.hostname.clone(),
            kind: "A",
            value: None,
            need: Need::Needed,
            note: "this server's address on the Internet (AAAA, too, if it has one), whose reverse DNS (PTR) gives this \
                   name back"
                .into(),
            meaning: Meaning::Address,
        },
    ];
    list.extend(authentication(situation));
    list.extend(situation.keys.iter().map(key));
    list.extend(transport(situation));
    list.extend(services(situation));
    list
}

/// SPF and DMARC.
fn authentication(situation: &Situation) -> Vec<Record> {
    let Situation { domain, hostname, .. } = situation;
    let mut list = vec![Record {
        name: domain.clone(),
        kind: "TXT",
        value: Some(quoted("v=spf1 mx ~all")),
        need: Need::Needed,
        note: "SPF: the hosts in MX send the domain's mail".into(),
        meaning: Meaning::Text {
            version: "v=spf1",
            any: vec![
                "mx".into(),
                "+mx".into(),
                format!("a:{hostname}"),
                format!("mx:{domain}"),
                "include:".into(),
                "ip4:".into(),
                "ip6:".into(),
                "redirect=".into(),
            ],
        },
    }];
    if hostname != domain {
        list.push(Record {
            name: hostname.clone(),
            kind: "TXT",
            value: Some(quoted("v=spf1 a -all")),
            need: Need::Useful,
            note: "SPF of this server's own name, by which bounces are judged".into(),
            meaning: Meaning::Text { version: "v=spf1", any: Vec::new() },
        });
    }
    list.push(Record {
        name: format!("_dmarc.{domain}"),
        kind: "TXT",
        value: Some(quoted(&format!("v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"))),
        need: Need::Needed,
        note: "DMARC: what becomes of forged mail (none, quarantine, reject), and who gets the reports"
            .into(),
        meaning: Meaning::Text { version: "v=DMARC1", any: vec!["p=".into()] },
    });
    list
}

fn key(key: &Key) -> Record {
    let note = match key.state.as_str() {
        "signing" => "DKIM key that signs",
        "waiting" => "DKIM key that waits to be activated",
        _ => "DKIM key that signed until lately",
    };
    let p = key.record.split_once("p=").map_or("", |(_, p)| p);
    Record {
        name: key.name.clone(),
        kind: "TXT",
        value: Some(quoted(&key.record)),
        need: if key.state == "signing" { Need::Needed } else { Need::Useful },
        note: note.into(),
        meaning: Meaning::Key(p.to_owned()),
    }
}

/// Where TLS reports go; RFC 8460 §3 has these signs encoded.
fn rua(reports: &str, domain: &str) -> String {
    let address = if reports.is_empty() { format!("postmaster@{domain}") } else { reports.to_owned() };
    address.replace('%', "%25").replace('!', "%21").replace(',', "%2C").replace(';', "%3B")
}

/// TLS between servers.
fn transport(situation: &Situation) -> Vec<Record> {
    let Situation { domain, hostname, certificate, policy, reports, .. } = situation;
    let mut list = vec![
        Record {
            name: format!("mta-sts.{domain}"),
            kind: "CNAME",
            value: Some(format!("{hostname}.")),
            need: Need::Useful,
            note: "MTA-STS: where the policy is fetched (https, with a certificate for this name)".into(),
            meaning: Meaning::Alias(hostname.clone()),
        },
        Record {
            name: format!("_mta-sts.{domain}"),
            kind: "TXT",
            value: Some(quoted(&format!("v=STSv1; id={}", policy_id(policy.as_deref().unwrap_or_default())))),
            need: Need::Useful,
            note: "MTA-STS: there is a policy; change the id with the policy".into(),
            meaning: Meaning::Text { version: "v=STSv1", any: vec!["id=".into()] },
        },
        Record {
            name: format!("_smtp._tls.{domain}"),
            kind: "TXT",
            value: Some(quoted(&format!("v=TLSRPTv1; rua=mailto:{}", rua(reports, domain)))),
            need: Need::Useful,
            note: "TLS reports: who hears of failed encryption".into(),
            meaning: Meaning::Text { version: "v=TLSRPTv1", any: vec!["rua=".into()] },
        },
    ];
    if policy.is_none() {
        list.retain(|record| !record.name.contains("mta-sts."));
    }
    if let Some(facts) = certificate {
        list.push(Record {
            name: format!("_25._tcp.{hostname}"),
            kind: "TLSA",
            value: Some(format!("3 1 1 {}", hex(&facts.key_sha256))),
            need: Need::Useful,
            note: "DANE: this server's key; only in a zone signed with DNSSEC, and to be changed before the key is".into(),
            meaning: Meaning::Tlsa(facts.key_sha256.to_vec()),
        });
    }
    if let Some(issuer) = certificate.as_ref().and_then(|facts| issuer_domain(&facts.issuer)) {
        list.push(Record {
            name: domain.clone(),
            kind: "CAA",
            value: Some(format!("0 issue \"{issuer}\"")),
            need: Need::Useful,
            note: "only this authority issues certificates for names in the domain".into(),
            meaning: Meaning::Caa(issuer.to_owned()),
        });
    }
    list
}

/// Where mail programs find this server by the address alone.
fn services(situation: &Situation) -> impl Iterator<Item = Record> {
    SERVICES.into_iter().map(|name| {
        let found = situation.services.iter().find(|service| service.name == name);
        let (port, target, note) = match found {
            Some(service) => (service.port, situation.hostname.clone(), "mail programs set themselves up"),
            None => (0, String::new(), "this is not offered"),
        };
        let value = match found {
            Some(_) => format!("0 1 {port} {target}."),
            None => "0 0 0 .".to_owned(),
        };
        Record {
            name: format!("_{name}._tcp.{}", situation.domain),
            kind: "SRV",
            value: Some(value),
            need: Need::Useful,
            note: note.into(),
            meaning: Meaning::Srv { port, target },
        }
    })
}

/// Of the policy that `troika dns` has in mind: this host alone. 1 to 32 letters and digits (RFC 8461 §3.1).
fn policy_id(policy: &str) -> String {
    use sha2::{Digest as _, Sha256};
    hex(&Sha256::digest(policy.as_bytes())[..8])
}

/// The name by which an authority stands in CAA records (RFC 8659 §4.2), from the issuer of a certificate.
fn issuer_domain(issuer: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 8] = [
        ("let's encrypt", "letsencrypt.org"),
        ("google trust services", "pki.goog"),
        ("zerossl", "sectigo.com"),
        ("sectigo", "sectigo.com"),
        ("digicert", "digicert.com"),
        ("globalsign", "globalsign.com"),
        ("buypass", "buypass.com"),
        ("actalis", "actalis.it"),
    ];
    let issuer = issuer.to_lowercase();
    KNOWN.into_iter().find(|(name, _)| issuer.contains(name)).map(|(_, domain)| domain)
}

/// Strings of a TXT record: quoted, none too long (RFC 1035 §5.1).
fn quoted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        // All texts here are ASCII.
        let (piece, after) = rest.split_at(rest.len().min(STRING_BYTES_MAX));
        out.push('"');
        out.push_str(&piece.replace('\\', "\\\\").replace('"', "\\\""));
        out.push('"');
        if after.is_empty() {
            return out;
        }
        out.push(' ');
        rest = after;
    }
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::publish::Service;

    pub(in crate::publish) fn situation() -> Situation {
        Situation {
            reports: String::new(),
            domain: "example.org".into(),
            hostname: "mail.example.org".into(),
            services: vec![Service { name: "imaps", port: 993 }, Service { name: "submissions", port: 465 }],
            keys: vec![Key {
                name: "s._domainkey.example.org".into(),
                record: format!("v=DKIM1; k=rsa; p={}", "A".repeat(392)),
                state: "signing".into(),
            }],
            policy: Some("version: STSv1\r\n".into()),
            certificate: Some(net::CertificateFacts {
                key_sha256: [0xab; 32],
                issuer: "Let's Encrypt R11".into(),
            }),
        }
    }

    fn value(list: &[Record], name: &str, kind: &str) -> String {
        let found = list.iter().find(|record| record.name == name && record.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind} {name}")).value.clone().unwrap_or_default()
    }

    #[test]
    fn every_record_is_there() {
        let list = records(&situation());
        let one = |name: &str, kind: &str| value(&list, name, kind);
        assert_eq!(one("example.org", "MX"), "10 mail.example.org.");
        assert_eq!(one("example.org", "TXT"), "\"v=spf1 mx ~all\"");
        assert_eq!(one("mail.example.org", "TXT"), "\"v=spf1 a -all\"");
        assert!(one("_dmarc.example.org", "TXT").contains("v=DMARC1; p="));
        assert!(one("_mta-sts.example.org", "TXT").starts_with("\"v=STSv1; id="));
        assert!(one("_smtp._tls.example.org", "TXT").starts_with("\"v=TLSRPTv1; rua=mailto:"));
        assert_eq!(one("_25._tcp.mail.example.org", "TLSA"), format!("3 1 1 {}", "ab".repeat(32)));
        assert_eq!(one("example.org", "CAA"), "0 issue \"letsencrypt.org\"");
        assert_eq!(one("_imaps._tcp.example.org", "SRV"), "0 1 993 mail.example.org.");
        assert_eq!(one("_pop3._tcp.example.org", "SRV"), "0 0 0 .", "RFC 6186 §3.4");
        // Two strings: 255 octets and the rest.
        let key = one("s._domainkey.example.org", "TXT");
        let strings: Vec<&str> = key.split("\" \"").collect();
        assert_eq!(strings.len(), 2);
        assert_eq!(strings[0].len() - 1, STRING_BYTES_MAX);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let list = records(&Situation { certificate: None, hostname: "example.org".into(), ..situation() });
        assert!(!list.iter().any(|record| matches!(record.kind, "TLSA" | "CAA")));
        assert_eq!(list.iter().filter(|record| record.note.starts_with("SPF")).count(), 1);
        assert_eq!(issuer_domain("Troika CA"), None);
    }
}
