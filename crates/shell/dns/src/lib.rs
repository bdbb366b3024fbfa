//! The resolver: what the DNS says about a domain, and how far that can be believed.
//!
//! Answers come from name servers (the system's or configured ones, through hickory, DNSSEC validated here and not
//! taken on trust from the AD bit) or from a zone file, which makes every test off-line. An absence is an answer
//! ([`Presence`]); a [`Fault`] means that nothing is known, and the mail waits. Invariants:
//!
//! - What fails DNSSEC validation is never handed out: it is [`Fault::Bogus`].
//! - A look-up ends within [`Settings::patience`]; CNAME chains are bounded; the cache is bounded by number.
//! - Names are taken in any form and given back in lower case, A-labels, without the final dot.

mod cache;
mod raw;
mod upstream;
mod zone;

pub use model::{Answer, Caa, Mx, Presence, SecurityStatus, Srv, Tlsa};

use cache::Cache;
use hickory_resolver::proto::rr::{Name, RData};
use parking_lot::{Mutex, RwLock};
use raw::{Kind, Raw, text_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use upstream::Upstream;
use zone::Zone;

/// Whether signatures are checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Dnssec {
    /// If the name servers hand them on: tried with the root's keys. Else answers are [`SecurityStatus::Indeterminate`].
    #[default]
    Auto,
    /// Always: name servers that hand on no signatures make every signed domain unreachable.
    On,
    /// Never.
    Off,
}

/// Where answers come from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name servers, asked over UDP and TCP. Empty: the system's (/etc/resolv.conf).
    pub servers: Vec<SocketAddr>,
    /// Answers from this file and from nowhere else: master file format (RFC 1035 §5), names relative to the root.
    /// Lines `;; insecure NAME`, `;; servfail NAME`, `;; bogus NAME` and `;; timeout NAME` make the answers about this
    /// name and all beneath it such; all others count as secure.
    pub zone_file: Option<PathBuf>,
    /// Whether signatures are checked.
    pub dnssec: Dnssec,
    /// File with DNSKEY records that are trusted in place of the root's; signatures are then always checked.
    pub trust_anchor: Option<PathBuf>,
    /// How long one name server may take for one question.
    pub timeout: Duration,
    /// How long a look-up may take in all, with its repetitions and DNSSEC's own questions.
    pub patience: Duration,
    /// Most answers kept.
    pub cache_entries: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            servers: Vec::new(),
            zone_file: None,
            dnssec: Dnssec::Auto,
            trust_anchor: None,
            timeout: Duration::from_secs(5),
            patience: Duration::from_secs(30),
            cache_entries: 10_000,
        }
    }
}

/// Why a resolver can't be made; each says what to change.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The zone file or the trust anchor can't be read or understood.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The resolver can't be built from these settings.
    #[error("the resolver can't be set up: {0}")]
    Resolver(String),
}

/// Nothing is known.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// No name server answered in time.
    #[error("no name server answered in time")]
    TimedOut,
    /// The name servers said that they can't answer, or can't be reached.
    #[error("the name servers failed: {0}")]
    Failed(String),
    /// The answer's signatures are wrong or missing: an attack, or a mistake of the zone's owner.
    #[error("the answer failed DNSSEC validation")]
    Bogus,
    /// CNAMEs in a circle, or a chain without end.
    #[error("the name is an alias of an alias without end")]
    Loop,
    /// What was asked for is no name.
    #[error("{0:?} is no domain name")]
    BadName(String),
}

impl Fault {
    /// Whether asking later may help.
    pub fn is_transient(&self) -> bool {
        !matches!(self, Fault::BadName(_))
    }
}

/// See the crate. Cheap to share behind an `Arc`; all methods may run at once.
pub struct Resolver {
    source: RwLock<Arc<Source>>,
    cache: Mutex<Cache>,
}

enum Source {
    Zone(Zone),
    Upstream(Box<Upstream>),
}

impl Resolver {
    /// Reads the files that `settings` names; asks nobody yet.
    ///
    /// # Errors
    /// A file is missing or wrong.
    pub fn new(settings: Settings) -> Result<Resolver, SetupError> {
        let cache = Mutex::new(Cache::new(settings.cache_entries));
        Ok(Resolver { source: RwLock::new(Arc::new(Source::open(&settings)?)), cache })
    }

    /// Takes other settings and forgets what it knew. On an error everything stays as it was.
    ///
    /// # Errors
    /// As [`Resolver::new`].
    pub fn reload(&self, settings: &Settings) -> Result<(), SetupError> {
        let source = Arc::new(Source::open(settings)?);
        *self.source.write() = source;
        let mut cache = self.cache.lock();
        *cache = Cache::new(settings.cache_entries);
        Ok(())
    }

    /// Forgets what it knew.
    pub fn forget(&self) {
        self.cache.lock().clear();
    }

    /// The mail exchangers of a domain, unsorted; a null MX has an empty host.
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn mx(&self, domain: &str) -> Result<Answer<Mx>, Fault> {
        Ok(typed(&*self.raw(domain, Kind::Mx).await?, |data| match data {
            RData::MX(mx) => Some(Mx { preference: mx.preference, host: text_of(&mx.exchange) }),
            _ => None,
        }))
    }

    /// The addresses of a host, IPv6 first. When one family fails and the other has addresses, these are the answer.
    /// `localhost` is this machine, whatever a name server or a zone says of it.
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, Fault> {
        if is_localhost(host) {
            return Ok(loopback(host));
        }
        let (v6, v4) = tokio::join!(self.raw(host, Kind::Aaaa), self.raw(host, Kind::A));
        let addresses = |raw: &Raw| {
            typed(raw, |data| match data {
                RData::A(address) => Some(IpAddr::V4(address.0)),
                RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                _ => None,
            })
        };
        let (v6, v4) = match (v6, v4) {
            (Ok(v6), Ok(v4)) => (addresses(&v6), addresses(&v4)),
            (Ok(one), Err(fault)) | (Err(fault), Ok(one)) => {
                let one = addresses(&one);
                return if one.records.is_empty() { Err(fault) } else { Ok(one) };
            }
            (Err(fault), Err(_)) => return Err(fault),
        };
        let presence = match (v6.presence, v4.presence) {
            (Presence::Found, _) | (_, Presence::Found) => Presence::Found,
            (Presence::NoData, _) | (_, Presence::NoData) => Presence::NoData,
            _ => Presence::NoName,
        };
        Ok(Answer {
            presence,
            canonical: if v4.presence == Presence::Found { v4.canonical } else { v6.canonical },
            status: v6.status.min(v4.status),
            ttl: v6.ttl.min(v4.ttl),
            records: v6.records.into_iter().chain(v4.records).collect(),
        })
    }

    /// Which certificates a host shows on a port. RFC 7672 §2.2.2 asks with the host's `canonical` name first, when
    /// [`Resolver::addresses`] found that securely.
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn tlsa(&self, host: &str, port: u16) -> Result<Answer<Tlsa>, Fault> {
        Ok(typed(&*self.raw(&format!("_{port}._tcp.{host}"), Kind::Tlsa).await?, |data| match data {
            RData::TLSA(tlsa) => Some(Tlsa {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                data: tlsa.cert_data.clone(),
            }),
            _ => None,
        }))
    }

    /// Texts; a record's strings are put together without anything between (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn txt(&self, name: &str) -> Result<Answer<String>, Fault> {
        Ok(typed(&*self.raw(name, Kind::Txt).await?, |data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        }))
    }

    /// The names of an address.
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn ptr(&self, address: IpAddr) -> Result<Answer<String>, Fault> {
        let name = text_of(&Name::from(address.to_canonical()));
        Ok(typed(&*self.raw(&name, Kind::Ptr).await?, |data| match data {
            RData::PTR(ptr) => Some(text_of(&ptr.0)),
            _ => None,
        }))
    }

    /// The places of a service, such as `_submission._tcp.example.org`.
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn srv(&self, name: &str) -> Result<Answer<Srv>, Fault> {
        Ok(typed(&*self.raw(name, Kind::Srv).await?, |data| match data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: text_of(&srv.target),
            }),
            _ => None,
        }))
    }

    /// Who may issue certificates for this very name (RFC 8659 §3 asks the parents, too, when there is none).
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn caa(&self, name: &str) -> Result<Answer<Caa>, Fault> {
        Ok(typed(&*self.raw(name, Kind::Caa).await?, |data| match data {
            RData::CAA(caa) => Some(Caa {
                flags: caa.flags(),
                tag: caa.tag.clone(),
                value: String::from_utf8_lossy(&caa.value).into_owned(),
            }),
            _ => None,
        }))
    }

    /// What a name is an alias of; at most one.
    ///
    /// # Errors
    /// [`Fault`]: try again later.
    pub async fn cname(&self, name: &str) -> Result<Answer<String>, Fault> {
        Ok(typed(&*self.raw(name, Kind::Cname).await?, |data| match data {
            RData::CNAME(cname) => Some(text_of(&cname.0)),
            _ => None,
        }))
    }

    async fn raw(&self, name: &str, kind: Kind) -> Result<Arc<Raw>, Fault> {
        let name = parse(name)?;
        let text = text_of(&name);
        if let Some(known) = self.cache.lock().get(&text, kind, Instant::now()) {
            return known;
        }
        let source = self.source.read().clone();
        let upstream = match &*source {
            // In memory already, and nothing but a new reading changes it.
            Source::Zone(zone) => return zone.lookup(&text, kind).map(Arc::new),
            Source::Upstream(upstream) => upstream,
        };
        let outcome = upstream.lookup(name, kind).await.map(Arc::new);
        self.cache.lock().put(&text, kind, &outcome, Instant::now());
        outcome
    }
}

impl Source {
    fn open(settings: &Settings) -> Result<Source, SetupError> {
        match &settings.zone_file {
            Some(path) => Ok(Source::Zone(Zone::read(path)?)),
            None => Ok(Source::Upstream(Box::new(Upstream::new(settings)?))),
        }
    }
}

fn typed<T>(raw: &Raw, take: impl Fn(&RData) -> Option<T>) -> Answer<T> {
    let records: Vec<T> = raw.records.iter().filter_map(take).collect();
    let presence = match raw.presence {
        Presence::Found if records.is_empty() => Presence::NoData,
        presence => presence,
    };
    Answer { records, presence, canonical: raw.canonical.clone(), status: raw.status, ttl: raw.ttl }
}

// RFC 6761 §6.3: the name and all beneath it are special, and no question about them leaves this machine.
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

fn loopback(host: &str) -> Answer<IpAddr> {
    Answer {
        records: vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()],
        presence: Presence::Found,
        canonical: host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
        // Nothing is signed of it, so nobody asks for its TLSA records.
        status: SecurityStatus::Insecure,
        ttl: Duration::MAX,
    }
}

/// A name in any form; always taken as complete, so that the system's search list never makes another of it.
fn parse(text: &str) -> Result<Name, Fault> {
    let bad = || Fault::BadName(text.to_owned());
    let mut name = if text.is_ascii() {
        // RFC 2181 §11: any octets make a label, and `_` begins many.
        Name::from_ascii(text).map_err(|_| bad())?
    } else {
        Name::from_ascii(model::Domain::new(text).map_err(|_| bad())?.to_ascii()).map_err(|_| bad())?
    };
    if name.num_labels() == 0 {
        return Err(bad());
    }
    name.set_fqdn(true);
    Ok(name)
}

#[cfg(test)]
mod tests;
