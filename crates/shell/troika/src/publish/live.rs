//! What a domain's hosts show to who comes: the MTA-STS policy over HTTPS, and at each MX host the greeting, STARTTLS, the
//! certificate, whether TLSA records mean it, and the reverse DNS of the address.
//!
//! Asked from this machine: a firewall that lets nobody out to port 25, or an address behind NAT, looks like a host that
//! is down. Nothing is sent beyond EHLO, STARTTLS and QUIT.

use super::{Checked, Meaning, Need, Record, Status};
use dns::Resolver;
use guard::https::{self, Ask};
use guard::{Guard, Hop};
use net::{ClientTls, Dial, Endpoint, HostProof, Stream};
use route::TlsWish;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use transport::sts::{Mode, Policy};
use transport::{Demand, Force, Proof, SenderWish, Source, Use};

/// For each step of a conversation.
const PATIENCE: Duration = Duration::from_secs(15);
/// Hosts of a domain, and addresses of a host, that are asked.
const HOSTS_MAX: usize = 10;
const ADDRESSES_MAX: usize = 4;
/// Longest reply that is read.
const REPLY_BYTES_MAX: usize = 16 * 1024;
/// Largest policy (RFC 8461 §3.3 lets 64 KiB be the limit).
const POLICY_BYTES_MAX: usize = 64 * 1024;

/// Who asks, and where.
pub struct Live {
    /// For names.
    pub resolver: Arc<Resolver>,
    /// Knows what TLS a host has to show.
    pub guard: Guard,
    /// This server's name, for EHLO.
    pub hello: String,
    /// Of mail hosts; 25 but for tests.
    pub smtp_port: u16,
    /// Of policy hosts; 443 but for tests.
    pub policy_port: u16,
}

/// What a step found.
type Found = (Status, Vec<String>);

fn row(kind: &'static str, name: String, need: Need, note: &str, (status, found): Found) -> Checked {
    let record = Record { name, kind, value: None, need, note: note.to_owned(), meaning: Meaning::Live };
    Checked { status, record, found }
}

fn wrong(why: impl ToString) -> Found {
    (Status::Different, vec![why.to_string()])
}

fn missing(why: impl ToString) -> Found {
    (Status::Missing, vec![why.to_string()])
}

const FINE: Found = (Status::Ok, Vec::new());

/// Asks all hosts of a domain (A-labels) at once. `policy`: the one that the configuration says.
pub async fn live(live: Live, domain: &str, policy: Option<Policy>) -> Vec<Checked> {
    let live = Arc::new(live);
    let mut rows = Vec::new();
    if let Some(policy) = &policy {
        let name = format!("mta-sts.{domain}");
        let found = live.policy(&name, policy).await;
        let note = "MTA-STS: the policy that other servers fetch";
        rows.push(row("HTTPS", name, must(policy.mode == Mode::Enforce), note, found));
    }
    let hosts = match live.resolver.mx(domain).await {
        Ok(answer) => answer.records.into_iter().map(|mx| mx.host).take(HOSTS_MAX).collect::<Vec<_>>(),
        Err(fault) => {
            let found = (Status::Unknown, vec![fault.to_string()]);
            rows.push(row("SMTP", domain.to_owned(), Need::Needed, "the domain's mail hosts", found));
            return rows;
        }
    };
    let mut asking = JoinSet::new();
    let enforced = policy.as_ref().is_some_and(|policy| policy.mode == Mode::Enforce);
    for (at, host) in hosts.into_iter().enumerate() {
        let is_allowed =
            policy.as_ref().is_none_or(|policy| policy.mode == Mode::None || policy.allows(&host));
        if !is_allowed {
            let found =
                wrong("the MTA-STS policy does not name this MX host: who heeds it sends nothing there");
            rows.push(row(
                "HTTPS",
                host.clone(),
                must(enforced),
                "MTA-STS: the policy allows the host",
                found,
            ));
        }
        let live = live.clone();
        asking.spawn(async move { (at, live.host(&host, enforced).await) });
    }
    let mut found = Vec::new();
    while let Some(asked) = asking.join_next().await {
        found.extend(asked);
    }
    found.sort_by_key(|(at, _)| *at);
    rows.extend(found.into_iter().flat_map(|(_, rows)| rows));
    rows
}

fn must(must: bool) -> Need {
    if must { Need::Needed } else { Need::Useful }
}

/// What one conversation with a mail host showed.
struct Talk {
    /// The name in the greeting.
    greeted_as: String,
    /// None: STARTTLS is not offered. Else why it came to nothing.
    tls: Option<Result<(), String>>,
}

impl Live {
    async fn policy(&self, host: &str, wanted: &Policy) -> Found {
        let ask = Ask {
            host,
            port: self.policy_port,
            path: "/.well-known/mta-sts.txt",
            body: None,
            limit: PATIENCE,
            bytes_max: POLICY_BYTES_MAX,
        };
        let reply = match https::ask(&self.resolver, &self.guard.https(), ask).await {
            Ok(reply) => reply,
            Err(trouble) => return missing(trouble),
        };
        // RFC 8461 §3.2: the media type SHOULD be checked.
        if reply.kind != "text/plain" {
            return wrong(format!("it is {}, not text/plain", reply.kind));
        }
        match Policy::parse(&String::from_utf8_lossy(&reply.body)) {
            Ok(policy) if policy == *wanted => FINE,
            Ok(policy) => wrong(format!("another policy: {}", policy.to_text().replace("\r\n", "; "))),
            Err(error) => wrong(format!("it can't be read: {error}")),
        }
    }

    /// All addresses of an MX host.
    async fn host(&self, host: &str, enforced: bool) -> Vec<Checked> {
        let note = "mail can be brought here, and the host knows its name";
        let addresses = match self.resolver.addresses(host).await {
            Ok(answer) => answer.records,
            Err(fault) => {
                let found = (Status::Unknown, vec![fault.to_string()]);
                return vec![row("SMTP", host.to_owned(), Need::Needed, note, found)];
            }
        };
        if addresses.is_empty() {
            let found = missing("the host has no address");
            return vec![row("SMTP", host.to_owned(), Need::Needed, note, found)];
        }
        let mut rows = Vec::new();
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            rows.extend(self.address(host, address, enforced).await);
        }
        rows
    }

    async fn address(&self, host: &str, address: IpAddr, enforced: bool) -> Vec<Checked> {
        let at = format!("{host} [{address}]:{}", self.smtp_port);
        let reverse = self.reverse(host, address).await;
        let note = "the reverse DNS of the address gives a name of it";
        let mut rows = vec![row("PTR", address.to_string(), Need::Useful, note, reverse)];
        let authority = Demand {
            tls: Use::Always,
            proof: Proof::Authority,
            names: vec![host.to_owned()],
            force: Force::Noted,
            source: Source::Route,
            is_final: false,
        };
        let talk = self.talk(host, address, &authority).await;
        let greeted = match &talk {
            Err(why) => missing(why),
            Ok(talk) => self.name(host, address, &talk.greeted_as).await,
        };
        let note = "mail can be brought here, and the host knows its name";
        rows.push(row("SMTP", at.clone(), Need::Needed, note, greeted));
        let Ok(talk) = talk else { return rows };
        let shown = match talk.tls {
            None => missing("STARTTLS is not offered"),
            Some(Ok(())) => FINE,
            Some(Err(why)) => wrong(why),
        };
        let note = "STARTTLS with a certificate of a known authority for this name";
        rows.push(row("TLS", at.clone(), must(enforced), note, shown));
        rows.extend(self.dane(host, address).await.map(|found| {
            let note = "DANE: the certificate is one that the TLSA records mean";
            row("TLSA", at, Need::Needed, note, found)
        }));
        rows
    }

    /// RFC 1912 §2.1: for every address a name, and for that name the address.
    async fn reverse(&self, host: &str, address: IpAddr) -> Found {
        let names = match self.resolver.ptr(address).await {
            Ok(answer) => answer.records,
            Err(fault) => return (Status::Unknown, vec![fault.to_string()]),
        };
        if names.is_empty() {
            return missing("there is no name: many servers take no mail from such an address");
        }
        if names.iter().any(|name| name == host) {
            return FINE;
        }
        for name in names.iter().take(ADDRESSES_MAX) {
            if self.leads_to(name, address).await {
                return FINE;
            }
        }
        wrong(format!("it says {}, which does not lead back to the address", names.join(" ")))
    }

    async fn leads_to(&self, name: &str, address: IpAddr) -> bool {
        matches!(self.resolver.addresses(name).await, Ok(answer) if answer.records.contains(&address))
    }

    /// RFC 5321 §4.2: the greeting begins with the host's name.
    async fn name(&self, host: &str, address: IpAddr, greeted_as: &str) -> Found {
        let name = greeted_as.trim_end_matches('.').to_ascii_lowercase();
        if name == host || self.leads_to(&name, address).await {
            return FINE;
        }
        wrong(format!("the host greets as {name:?}, which is not its name and does not lead to its address"))
    }

    /// None: the host has no TLSA records that count.
    async fn dane(&self, host: &str, address: IpAddr) -> Option<Found> {
        let hop = Hop {
            domain: None,
            host,
            port: self.smtp_port,
            is_proven: true,
            wish: TlsWish::Opportunistic,
            sender: SenderWish::Usual,
        };
        let held = match self.guard.demand(&hop).await {
            Ok(held) => held,
            Err(refused) => return Some((Status::Unknown, vec![refused.to_string()])),
        };
        if !matches!(held.demand.proof, Proof::Dane(_)) {
            return None;
        }
        let demand = Demand { force: Force::Noted, ..held.demand };
        Some(match self.talk(host, address, &demand).await {
            Err(why) => (Status::Unknown, vec![why]),
            Ok(Talk { tls: None, .. }) => {
                wrong("STARTTLS is not offered: who heeds DANE sends nothing here (RFC 7672 §2.2)")
            }
            Ok(Talk { tls: Some(Ok(())), .. }) => FINE,
            Ok(Talk { tls: Some(Err(why)), .. }) => wrong(why),
        })
    }

    /// Greeting, EHLO, STARTTLS with a look at the certificate, QUIT.
    async fn talk(&self, host: &str, address: IpAddr, demand: &Demand) -> Result<Talk, String> {
        let to = SocketAddr::new(address, self.smtp_port);
        let mut stream = net::dial(&Endpoint::Tcp(to), &Dial::default(), PATIENCE)
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        let (code, lines) = reply(&mut stream).await?;
        if code != 220 {
            return Err(format!("the host does not welcome us: {code} {}", lines.join(" ")));
        }
        let greeted_as = lines.first().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
        let greeted_as = greeted_as.to_owned();
        let (code, lines) = say(&mut stream, &format!("EHLO {}", self.hello)).await?;
        if code != 250 {
            return Err(format!("EHLO is refused: {code} {}", lines.join(" ")));
        }
        let is_offered = lines.iter().skip(1).any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
        if !is_offered {
            let _ = say(&mut stream, "QUIT").await;
            return Ok(Talk { greeted_as, tls: None });
        }
        let (code, lines) = say(&mut stream, "STARTTLS").await?;
        let tls = match code {
            220 => self.certificate(stream, host, demand).await,
            _ => Err(format!("STARTTLS is refused: {code} {}", lines.join(" "))),
        };
        Ok(Talk { greeted_as, tls: Some(tls) })
    }

    async fn certificate(&self, stream: Stream, host: &str, demand: &Demand) -> Result<(), String> {
        let proof = HostProof::new(demand, &self.guard.authorities()).map_err(|error| error.to_string())?;
        let tls: &ClientTls = proof.tls();
        let (mut stream, _) = tls
            .start(stream, host, PATIENCE)
            .await
            .map_err(|error| format!("the TLS handshake fails: {error}"))?;
        let _ = say(&mut stream, "QUIT").await;
        match proof.verdict() {
            Some(Ok(())) => Ok(()),
            Some(Err(mismatch)) => Err(mismatch.to_string()),
            None => Err("the host showed no certificate".into()),
        }
    }
}

async fn say(stream: &mut Stream, command: &str) -> Result<(u16, Vec<String>), String> {
    let line = format!("{command}\r\n");
    let written = async {
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match poll_fn(|cx| stream.poll_write(cx, rest)).await? {
                0 => return Err(std::io::ErrorKind::WriteZero.into()),
                some => rest = &rest[some..],
            }
        }
        poll_fn(|cx| stream.poll_flush(cx)).await
    };
    match tokio::time::timeout(PATIENCE, written).await {
        Ok(Ok(())) => reply(stream).await,
        Ok(Err(error)) => Err(format!("the connection broke: {error}")),
        Err(_) => Err("the host takes nothing any more".into()),
    }
}

/// Code and texts of one reply (RFC 5321 §4.2.1).
async fn reply(stream: &mut Stream) -> Result<(u16, Vec<String>), String> {
    let mut octets = Vec::new();
    loop {
        if let Some(reply) = whole_reply(&octets) {
            return reply;
        }
        if octets.len() > REPLY_BYTES_MAX {
            return Err("the host's reply has no end".into());
        }
        let more = poll_fn(|cx| stream.poll_take(cx, &mut |bytes| octets.extend_from_slice(bytes)));
        match tokio::time::timeout(PATIENCE, more).await {
            Ok(Ok(0)) => return Err("the host closed the connection".into()),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(format!("the connection broke: {error}")),
            Err(_) => return Err("the host says nothing".into()),
        }
    }
}

/// None: there is more to come.
fn whole_reply(octets: &[u8]) -> Option<Result<(u16, Vec<String>), String>> {
    let text = String::from_utf8_lossy(octets);
    let mut texts = Vec::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let line = line.trim_end();
        let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
        let Some(code) = code else { return Some(Err(format!("that is no SMTP: {line:?}"))) };
        texts.push(line.get(4..).unwrap_or_default().to_owned());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Some(Ok((code, texts)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_to_their_last_line() {
        assert_eq!(whole_reply(b"250-a\r\n250-STARTTLS\r\n250 "), None);
        let whole = whole_reply(b"250-a\r\n250-STARTTLS\r\n250 OK\r\n").unwrap().unwrap();
        assert_eq!(whole, (250, vec!["a".into(), "STARTTLS".into(), "OK".into()]));
        assert_eq!(whole_reply(b"220\r\n"), Some(Ok((220, vec![String::new()]))));
        for nonsense in [&b"SSH-2.0\r\n"[..], b"\xff\xff\xff\r\n", b"\r\n", "2é\n".as_bytes()] {
            assert!(whole_reply(nonsense).unwrap().is_err());
        }
    }
}
