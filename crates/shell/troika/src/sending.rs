//! From the configuration to what the courier wants to know.

use crate::config::{self, AddressFamily, Bind, Config, ListenerProtocol, RouteProtocol, RouteTls, StsMode};
use crate::control::Failure;
use courier::{LimitRule, LimitRules, Limited, Settings, UnderWay};
use guard::Guard;
use queue::schedule::{Backoff, Limits, Rate};
use route::{Family, Login, Protocol, Route, Table, TlsWish, Way};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use transport::sts::{MAX_AGE_MAX, Mode, Policy};

/// Where the system keeps the authorities that it trusts: Debian and its relatives, Red Hat's, SUSE's.
const AUTHORITIES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// What the configuration says of mail to other hosts.
///
/// # Errors
/// A sentence: a file that it names can't be used.
pub fn settings(config: &Config) -> Result<Settings, Failure> {
    let delivery = &config.delivery;
    let hostname = config.server.hostname.to_string();
    Ok(Settings {
        table: table(config)?,
        hello: if delivery.hello.is_empty() { hostname.clone() } else { delivery.hello.clone() },
        hostname,
        port: delivery.port,
        limits: LimitRules(config.limit.iter().map(limit).collect::<Result<_, _>>()?),
        usual: usual(config),
        family: match delivery.addresses {
            AddressFamily::Both => Family::Both,
            AddressFamily::Ipv4 => Family::Ipv4,
            AddressFamily::Ipv6 => Family::Ipv6,
        },
        connect_timeout: delivery.connect_timeout.0,
        hosts_timeout: delivery.hosts_timeout.0,
        patience: smtp::client::Patience {
            greeting: delivery.reply_timeout.0,
            command: delivery.reply_timeout.0,
            data: delivery.reply_timeout.0,
            block: delivery.reply_timeout.0,
            end: delivery.reply_timeout.0 * 2,
            ..smtp::client::Patience::default()
        },
        retry: Backoff { first: delivery.retry_first.0, longest: delivery.retry_longest.0 },
        message_time: delivery.message_timeout.0,
        idle: delivery.idle.0,
        messages_per_connection: delivery.messages_per_connection.max(1),
        own: own_addresses(config),
    })
}

/// Where what is just being handed over is kept, so that after a crash it can be told of.
pub fn under_way(config: &Config) -> UnderWay {
    let path = config.server.data_dir.join("sending");
    UnderWay::open(&path).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "after a crash nothing will be known of what was just being sent");
        UnderWay::nowhere()
    })
}

/// How much at a time.
pub fn schedule(config: &Config) -> queue::schedule::Settings {
    let delivery = &config.delivery;
    let default = queue::schedule::Settings::default();
    queue::schedule::Settings {
        jobs_max: delivery.connections.max(1),
        limits: usual(config),
        unreachable: Backoff {
            first: delivery.retry_first.0.min(default.unreachable.first),
            longest: delivery.retry_longest.0.min(default.unreachable.longest),
        },
        retry_longest: delivery.retry_longest.0,
        warn_after: (!delivery.warn_after.0.is_zero()).then_some(delivery.warn_after.0),
        ..default
    }
}

/// What holds for a destination that no `[[limit]]` fits.
fn usual(config: &Config) -> Limits {
    let jobs_max = config.delivery.connections_per_destination.max(1);
    Limits { jobs_at_first: Limits::default().jobs_at_first.min(jobs_max), jobs_max, rate: None }
}

fn limit(given: &config::Limit) -> Result<LimitRule, Failure> {
    let of = match (&given.destination, &given.mx, given.source) {
        (Some(name), None, None) => {
            // A next hop is no domain: only its name fits.
            let domains = (!name.contains(':')).then(|| name.parse().map_err(Failure::new)).transpose()?;
            Limited::Destination(domains, name.to_lowercase())
        }
        (None, Some(hosts), None) => Limited::Hosts(hosts.0.clone()),
        (None, None, Some(address)) => Limited::Source(address),
        _ => return Err(Failure::new("[[limit]] needs one of destination, mx and source")),
    };
    let per = given.per.map_or(Duration::from_secs(60), |span| span.0).max(Duration::from_secs(1));
    let rate = given.messages.map(|messages| Rate { messages: messages.max(1), per });
    Ok(LimitRule { of, connections: given.connections, rate })
}

/// Where this server itself takes mail from other servers.
fn own_addresses(config: &Config) -> Vec<std::net::SocketAddr> {
    let smtp = |listener: &&config::Listener| listener.protocol == ListenerProtocol::Smtp;
    let address = |listener: &config::Listener| match &listener.bind {
        Bind::Tcp(address) => Some(*address),
        Bind::Unix(_) => None,
    };
    config.listener.iter().filter(smtp).filter_map(address).collect()
}

/// The file given, or the system's authorities if there are any.
pub fn authorities_file(given: &Path) -> Option<PathBuf> {
    if !given.as_os_str().is_empty() {
        return Some(given.to_owned());
    }
    AUTHORITIES.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// How far other hosts are trusted.
///
/// # Errors
/// The file with the authorities can't be used.
pub fn trust(config: &Config) -> Result<guard::Settings, Failure> {
    let file = &config.delivery.authorities;
    let authorities = if file.as_os_str().is_empty() {
        // Without any, nothing is verified and mail that must be waits; the rest goes on.
        net::system_authorities()
    } else {
        net::authorities(file).map_err(|error| Failure::new(format!("[delivery] authorities: {error}")))?
    };
    Ok(guard::Settings {
        authorities: Arc::new(authorities),
        downgrade_grace: config.delivery.downgrade_guard.0,
    })
}

/// The MTA-STS policy of our domains (RFC 8461 §3.2), if there is one.
pub fn own_policy(config: &Config) -> Option<Policy> {
    let given = &config.mta_sts;
    let mode = match given.mode {
        StsMode::Off => return None,
        StsMode::Testing => Mode::Testing,
        StsMode::Enforce => Mode::Enforce,
        StsMode::None => Mode::None,
    };
    let mx = if given.mx.is_empty() { vec![config.server.hostname.to_string()] } else { given.mx.clone() };
    let max_age = u32::try_from(given.max_age.0.as_secs()).unwrap_or(MAX_AGE_MAX).min(MAX_AGE_MAX);
    Some(Policy { mode, mx, max_age })
}

/// The guard of what leaves.
///
/// # Errors
/// As [`trust`].
pub fn guard(config: &Config, world: &agents::World) -> Result<Arc<Guard>, Failure> {
    let memory = transport::Memory::new(world.engine.clone());
    Guard::new(world.resolver.clone(), memory, trust(config)?, config.delivery.policy_port)
        .map(Arc::new)
        .map_err(|error| Failure::new(error.to_string()))
}

fn table(config: &Config) -> Result<Table, Failure> {
    let routes = config.route.iter().map(|given| route(config, given)).collect::<Result<_, _>>()?;
    let otherwise =
        Way { tls: tls(config.delivery.tls), sources: config.delivery.sources.clone(), ..Way::default() };
    Ok(Table::new(routes, otherwise))
}

fn route(config: &Config, given: &config::Route) -> Result<Route, Failure> {
    let way = Way {
        next_hop: given.next_hop.0.clone(),
        protocol: match given.protocol {
            RouteProtocol::Smtp => Protocol::Smtp,
            RouteProtocol::Lmtp => Protocol::Lmtp,
        },
        tls: tls(given.tls),
        implicit_tls: given.implicit_tls,
        login: login(given)?,
        proxy: given.proxy.as_ref().map(|proxy| proxy.0.clone()),
        sources: if given.sources.is_empty() {
            config.delivery.sources.clone()
        } else {
            given.sources.clone()
        },
    };
    Ok(Route {
        recipient_domain: given.recipient_domain.0.clone(),
        sender: given.sender_domain.0.clone(),
        account: given.account.0.clone(),
        way: Arc::new(way),
    })
}

fn tls(given: RouteTls) -> TlsWish {
    match given {
        RouteTls::None => TlsWish::None,
        RouteTls::Opportunistic => TlsWish::Opportunistic,
        RouteTls::Require => TlsWish::Require,
        RouteTls::DaneOnly => TlsWish::DaneOnly,
        RouteTls::Verify => TlsWish::Verify,
    }
}

fn login(given: &config::Route) -> Result<Option<Login>, Failure> {
    if given.username.is_empty() {
        return Ok(None);
    }
    let secret = if given.password.is_empty() {
        let file = &given.password_file;
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("[[route]] password_file: {}: {error}", file.display())))?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        given.password.clone()
    };
    let mechanism = (!given.mechanism.is_empty()).then(|| given.mechanism.to_ascii_uppercase());
    Ok(Some(Login { username: given.username.clone(), secret, mechanism }))
}
