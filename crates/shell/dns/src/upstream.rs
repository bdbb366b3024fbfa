//! Answers from name servers, through hickory, which validates DNSSEC itself and follows CNAMEs.
//!
//! Name servers that hand on no signatures (many routers do) would make every signed domain look forged. So with
//! [`Dnssec::Auto`] the root's own keys are asked for first; only when they validate is the validating resolver used.

use crate::raw::{Kind, Raw, text_of};
use crate::{Dnssec, Fault, Settings, SetupError};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use model::{Presence, SecurityStatus};
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it is believed that the name servers hand on signatures, and that they do not.
const PROBED_GOOD: Duration = Duration::from_secs(3600);
const PROBED_BAD: Duration = Duration::from_secs(300);
/// Absences without an SOA are kept that long (RFC 2308 §5 would not keep them; a minute spares a busy queue).
const ABSENT_WITHOUT_SOA: Duration = Duration::from_secs(60);
/// RFC 2308 §5: one to three hours are sensible bounds.
const ABSENT_MAX: Duration = Duration::from_secs(3600);
/// Hickory's own cache: the steps of CNAME chains. Whole answers are kept by [`crate::cache`].
const STEPS_KEPT: u64 = 1024;

/// See the module.
pub(crate) struct Upstream {
    plain: TokioResolver,
    validating: TokioResolver,
    dnssec: Dnssec,
    patience: Duration,
    probe: Mutex<Option<Probe>>,
}

#[derive(Clone, Copy)]
struct Probe {
    signatures: bool,
    until: Instant,
}

impl Upstream {
    pub(crate) fn new(settings: &Settings) -> Result<Upstream, SetupError> {
        let anchors = match &settings.trust_anchor {
            Some(path) => TrustAnchors::from_file(path)
                .map_err(|error| SetupError::File { path: path.clone(), why: error.to_string() })?,
            None => TrustAnchors::default(),
        };
        let (servers, mut options) = if settings.servers.is_empty() {
            of_the_system()
        } else {
            let mut options = ResolverOpts::default();
            options.use_hosts_file = ResolveHosts::Never;
            (settings.servers.iter().copied().map(name_server).collect(), options)
        };
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        options.timeout = settings.timeout;
        options.cache_size = STEPS_KEPT;
        options.edns0 = true;
        options.try_tcp_on_error = true;
        // Which alias led where decides on the TLSA base name.
        options.preserve_intermediates = true;
        let build = |validate: bool| {
            let mut builder =
                TokioResolver::builder_with_config(config.clone(), TokioRuntimeProvider::default())
                    .with_options(options.clone());
            if validate {
                builder = builder.with_trust_anchor(Arc::new(anchors.clone()));
            }
            builder.build().map_err(|error| SetupError::Resolver(error.to_string()))
        };
        let dnssec = if settings.trust_anchor.is_some() { Dnssec::On } else { settings.dnssec };
        Ok(Upstream {
            plain: build(false)?,
            validating: build(true)?,
            dnssec,
            patience: settings.patience,
            probe: Mutex::new(None),
        })
    }

    /// Asks; bounded by the configured patience.
    pub(crate) async fn lookup(&self, name: Name, kind: Kind) -> Result<Raw, Fault> {
        let asked = async {
            let validated = self.validates().await;
            let resolver = if validated { &self.validating } else { &self.plain };
            let error = match resolver.lookup(name.clone(), kind.record_type()).await {
                Ok(found) => return Ok(positive(&found, &name, kind, validated)),
                Err(error) => error,
            };
            // A circle of aliases looks like an absence without an SOA; an absence would fail the mail for good.
            if let NetError::Dns(DnsError::NoRecordsFound(none)) = &error
                && none.soa.is_none()
                && kind != Kind::Cname
                && resolver.lookup(name.clone(), RecordType::CNAME).await.is_ok()
            {
                return Err(Fault::Loop);
            }
            negative(&name, error, validated)
        };
        tokio::time::timeout(self.patience, asked).await.unwrap_or(Err(Fault::TimedOut))
    }

    async fn validates(&self) -> bool {
        match self.dnssec {
            Dnssec::On => return true,
            Dnssec::Off => return false,
            Dnssec::Auto => {}
        }
        let now = Instant::now();
        let known = *self.probe.lock();
        if let Some(probe) = known.filter(|probe| probe.until > now) {
            return probe.signatures;
        }
        let root = self.validating.lookup(Name::root(), RecordType::DNSKEY).await;
        let signatures = root.is_ok_and(|found| status_of(found.answers().iter(), true).is_secure());
        let keep = if signatures { PROBED_GOOD } else { PROBED_BAD };
        *self.probe.lock() = Some(Probe { signatures, until: now + keep });
        if known.is_none_or(|probe| probe.signatures != signatures) {
            if signatures {
                tracing::info!("the name servers hand on DNSSEC signatures: answers are validated");
            } else {
                tracing::warn!(
                    "the name servers hand on no DNSSEC signatures, so there is no DANE; a validating resolver (unbound, knot-resolver) on this host helps, or write [dns] dnssec = \"off\""
                );
            }
        }
        signatures
    }
}

/// What /etc/resolv.conf says; without one, the name server of this host, as the C library has it (resolv.conf(5)).
fn of_the_system() -> (Vec<NameServerConfig>, ResolverOpts) {
    let (mut servers, mut options) = match read_system_conf() {
        Ok((config, options)) => (config.name_servers, options),
        Err(error) => {
            tracing::warn!(%error, "the system's name servers can't be found out; write [dns] servers = [\"address\"]");
            (Vec::new(), ResolverOpts::default())
        }
    };
    if servers.is_empty() {
        servers.push(name_server(SocketAddr::from(([127, 0, 0, 1], 53))));
    }
    options.use_hosts_file = ResolveHosts::Always;
    (servers, options)
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn positive(found: &Lookup, name: &Name, kind: Kind, validated: bool) -> Raw {
    let answers = found.answers();
    let canonical = canonical(answers, name);
    let wanted = kind.record_type();
    let records: Vec<RData> = answers
        .iter()
        .filter(|record| record.record_type() == wanted && (record.name == canonical || kind == Kind::Cname))
        .map(|record| record.data.clone())
        .collect();
    // What was validated for other names in the same answer says nothing about this one, and signatures have no TTL of
    // their own.
    let ttl =
        answers.iter().filter(|record| record.record_type() != RecordType::RRSIG).map(|record| record.ttl);
    Raw {
        presence: if records.is_empty() { Presence::NoData } else { Presence::Found },
        records,
        canonical: text_of(&canonical),
        status: status_of(answers.iter(), validated),
        ttl: Duration::from_secs(ttl.min().unwrap_or(0).into()),
    }
}

/// Where the aliases of an answer lead. Bounded by the number of its records, so a circle ends.
fn canonical(answers: &[Record], name: &Name) -> Name {
    let mut canonical = name.clone();
    for _ in 0..answers.len() {
        let alias = answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == canonical => Some(target.0.clone()),
            _ => None,
        });
        match alias {
            Some(target) => canonical = target,
            None => break,
        }
    }
    canonical
}

/// The weakest of all.
fn status_of<'a>(records: impl Iterator<Item = &'a Record>, validated: bool) -> SecurityStatus {
    if !validated {
        return SecurityStatus::Indeterminate;
    }
    records
        .filter(|record| record.record_type() != RecordType::RRSIG)
        .map(|record| match record.proof {
            Proof::Secure => SecurityStatus::Secure,
            Proof::Insecure => SecurityStatus::Insecure,
            Proof::Bogus | Proof::Indeterminate => SecurityStatus::Indeterminate,
        })
        .min()
        .unwrap_or(SecurityStatus::Indeterminate)
}

fn negative(name: &Name, error: NetError, validated: bool) -> Result<Raw, Fault> {
    let absent = |code: ResponseCode, status, ttl| Raw {
        records: Vec::new(),
        presence: if code == ResponseCode::NXDomain { Presence::NoName } else { Presence::NoData },
        canonical: text_of(name),
        status,
        ttl,
    };
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            let status = status_of(none.authorities.iter().flat_map(|records| records.iter()), validated);
            // RFC 2308 §5: the smaller of the SOA's own TTL and its last field.
            let ttl = none.soa.map_or(ABSENT_WITHOUT_SOA, |soa| {
                Duration::from_secs(soa.ttl.min(soa.data.minimum).into()).min(ABSENT_MAX)
            });
            Ok(absent(none.response_code, status, ttl))
        }
        NetError::Dns(DnsError::Nsec { response, proof: Proof::Insecure, .. }) => {
            Ok(absent(response.response_code, SecurityStatus::Insecure, ABSENT_WITHOUT_SOA))
        }
        NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus) => Err(Fault::Bogus),
        NetError::Dns(DnsError::ResponseCode(code)) => Err(Fault::Failed(code.to_string())),
        NetError::Timeout => Err(Fault::TimedOut),
        other => Err(Fault::Failed(other.to_string())),
    }
}
