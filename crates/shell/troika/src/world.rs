//! Opening the store and what stands on it, the same way for the server and for a command that works alone.

use crate::config::{Batv, Config, DnssecMode, RewriteOf};
use crate::control::Failure;
use crate::serve::introspection;
use agents::{Metrics, World};
use directory::Directory;
use engine::{Engine, LogEngine};
use model::{Domain, EmailAddress};
use nix::sys::stat::{Mode, umask};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where the store lies.
pub fn store_dir(config: &Config) -> PathBuf {
    config.server.data_dir.join("store")
}

/// Opens everything.
///
/// # Errors
/// A sentence: the store is in use, damaged, of a newer version, or can't be read.
pub fn open(config: &Config) -> Result<World, Failure> {
    let dir = store_dir(config);
    make_private(&config.server.data_dir)?;
    fs::create_dir_all(&dir)
        .map_err(|error| Failure::new(format!("{} can't be made: {error}", dir.display())))?;
    let options = engine::Options {
        index_cache_bytes: usize::try_from(config.storage.index_cache.0).unwrap_or(usize::MAX),
        segment_bytes: config.storage.segment_bytes.0,
        reserve_bytes: config.storage.reserve.0,
        ..engine::Options::default()
    };
    let engine = Arc::new(LogEngine::open(&dir, options)?);
    let dynamic: Arc<dyn Engine> = engine.clone();
    let store = Arc::new(store::Store::new(dynamic.clone()));
    let secret = server_secret(&config.server.data_dir.join("secret"))?;
    let companion = Arc::new(agents::Mailboxes::new(config.storage.default_quota.0));
    let directory = Directory::open(dynamic.clone(), directory_settings(config)?, &secret, companion)?;
    Ok(World {
        engine: dynamic.clone(),
        collecting: collecting::Collecting::new(dynamic.clone(), directory.seal(collecting::SEAL_PURPOSE)),
        store,
        directory: Arc::new(directory),
        introspection: parking_lot::RwLock::default(),
        queue: queue::Queue::new(dynamic.clone()),
        policy: parking_lot::RwLock::new(Arc::new(policy(config, rewriting::Keys::new(&secret))?)),
        outgoing: parking_lot::RwLock::new(Arc::new(crate::telling::outgoing(config)?)),
        resolver: Arc::new(resolver(config)?),
        seals: config.arc.seal.into(),
        lists: lists::Lists::new(dynamic.clone()),
        list_settings: parking_lot::RwLock::new(Arc::new(list_settings(config))),
        asked_today: parking_lot::Mutex::default(),
        maildrops: Arc::default(),
        stopping: tokio::sync::watch::Sender::new(false),
        turns: agents::Turns::default(),
        metrics: Metrics::default(),
    })
}

/// Makes the data folder, if need be, for its owner only: everybody's mail and the server's keys lie in it. What this
/// process makes from now on is its owner's only, too, in a folder that was there already.
///
/// # Errors
/// The folder can't be made.
pub fn make_private(data_dir: &Path) -> Result<(), Failure> {
    umask(Mode::from_bits_truncate(0o077));
    fs::create_dir_all(data_dir)
        .map_err(|error| Failure::new(format!("{} can't be made: {error}", data_dir.display())))
}

/// Who answers questions to the DNS. Asks nobody yet.
///
/// # Errors
/// A file that `[dns]` names is wrong.
fn resolver(config: &Config) -> Result<dns::Resolver, Failure> {
    dns::Resolver::new(dns_settings(config)).map_err(|error| Failure::new(format!("[dns]: {error}")))
}

/// What the configuration says of the DNS.
pub fn dns_settings(config: &Config) -> dns::Settings {
    let given = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
    dns::Settings {
        servers: config.dns.servers.iter().map(|server| server.0).collect(),
        zone_file: given(&config.dns.zone_file),
        trust_anchor: given(&config.dns.trust_anchor),
        dnssec: match config.dns.dnssec {
            DnssecMode::Auto => dns::Dnssec::Auto,
            DnssecMode::On => dns::Dnssec::On,
            DnssecMode::Off => dns::Dnssec::Off,
        },
        timeout: config.dns.timeout.0,
        cache_entries: config.dns.cache as usize,
        ..dns::Settings::default()
    }
}

/// What the configuration says of log-ins.
///
/// # Errors
/// The default domain is no domain.
pub fn directory_settings(config: &Config) -> Result<directory::Settings, Failure> {
    let default_domain = match config.auth.default_domain.as_str() {
        "" => None,
        text => Some(
            Domain::new(text)
                .map_err(|_| Failure::new(format!("[auth] default_domain: {text} is no domain")))?,
        ),
    };
    let postmaster = match config.auth.postmaster.as_str() {
        "" => None,
        text => Some(
            EmailAddress::parse(text)
                .map_err(|error| Failure::new(format!("[auth] postmaster: {text}: {error}")))?,
        ),
    };
    let anonymous = match config.auth.anonymous.as_str() {
        "" => None,
        text => Some(
            EmailAddress::parse(text)
                .map_err(|error| Failure::new(format!("[auth] anonymous: {text}: {error}")))?,
        ),
    };
    let tokens = tokens(config)?.map(Arc::new);
    Ok(directory::Settings {
        default_domain,
        postmaster,
        tokens,
        anonymous,
        ..directory::Settings::default()
    })
}

/// A text that is there.
fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Who asks the issuer about tokens. None: nobody is asked.
///
/// # Errors
/// What `[oauth]` says of it can't be used.
pub fn introspection(config: &Config) -> Result<Option<Arc<dyn agents::Introspect>>, Failure> {
    let oauth = &config.oauth;
    if oauth.introspection.is_empty() {
        return Ok(None);
    }
    let wrong = |why: String| Failure::new(format!("[oauth] introspection: {why}"));
    let secret = if oauth.client_secret_file.as_os_str().is_empty() {
        String::new()
    } else {
        let path = oauth.client_secret_file.display();
        let text = fs::read_to_string(&oauth.client_secret_file);
        text.map_err(|error| Failure::new(format!("[oauth] client_secret_file: {path}: {error}")))?
    };
    let settings = introspection::Settings {
        url: &oauth.introspection,
        authorities: &oauth.authorities,
        client: (&oauth.client_id, secret.trim()),
        timeout: oauth.timeout.0,
        remember: oauth.remember.0,
    };
    Ok(Some(Arc::new(introspection::Introspector::new(&settings).map_err(wrong)?)))
}

/// Whose tokens are taken.
fn tokens(config: &Config) -> Result<Option<directory::TokenIssuer>, Failure> {
    let oauth = &config.oauth;
    if oauth.keys.as_os_str().is_empty() {
        let asked = (!oauth.introspection.is_empty()).then(|| {
            directory::TokenIssuer::asked(given(&oauth.issuer), given(&oauth.audience), oauth.claim.clone())
        });
        return Ok(asked);
    }
    let wrong = |why: String| Failure::new(format!("[oauth] keys: {}: {why}", oauth.keys.display()));
    let json = fs::read(&oauth.keys).map_err(|error| wrong(error.to_string()))?;
    directory::TokenIssuer::read(&json, given(&oauth.issuer), given(&oauth.audience), oauth.claim.clone())
        .map(Some)
        .map_err(wrong)
}

/// What the configuration says of who may send what where, and how addresses change.
///
/// # Errors
/// A rule is none, or the domain for SRS is no domain.
pub fn policy(config: &Config, keys: rewriting::Keys) -> Result<policy::Policy, Failure> {
    Ok(policy::Policy {
        own_networks: config.network.own.0.clone(),
        sender_rule: if config.auth.sender_must_match {
            policy::SenderRule::Own
        } else {
            policy::SenderRule::Any
        },
        verify_rule: if config.auth.verify_for_users {
            policy::VerifyRule::Users
        } else {
            policy::VerifyRule::Nobody
        },
        // Telling forged senders is for SPF, DKIM and DMARC; a forwarder may rightly bring our own addresses back.
        local_sender_rule: policy::LocalSenderRule::Unchecked,
        recipients_max: config.limits.recipients as usize,
        rewriting: rewriting(config, keys)?,
        on_demand: on_demand(config)?,
    })
}

/// Between two requests of a customer for one domain, if `interval_min` is left out.
const ON_DEMAND_INTERVAL: Duration = Duration::from_secs(10);

fn on_demand(config: &Config) -> Result<Vec<policy::OnDemand>, Failure> {
    let domain = |text: &String| {
        Domain::new(text).map_err(|_| Failure::new(format!("[[on_demand]] domains: {text} is no domain")))
    };
    let customer = |one: &crate::config::OnDemand| {
        let account = EmailAddress::parse(&one.account)
            .map_err(|_| Failure::new(format!("[[on_demand]] account: {} is no address", one.account)))?;
        let interval_min = one.interval_min.map_or(ON_DEMAND_INTERVAL, |interval| interval.0);
        let domains = one.domains.iter().map(domain).collect::<Result<_, _>>()?;
        Ok(policy::OnDemand { account, domains, interval_min })
    };
    config.on_demand.iter().map(customer).collect()
}

/// What mailing lists say of this server.
pub fn list_settings(config: &Config) -> agents::lists::ListSettings {
    let url = config.lists.url.trim_end_matches('/').to_owned();
    agents::lists::ListSettings { url: (!url.is_empty()).then_some(url) }
}

fn rewriting(config: &Config, keys: rewriting::Keys) -> Result<rewriting::Rewriting, Failure> {
    let srs_domain = match config.addresses.srs_domain.as_str() {
        "" => None,
        text => Some(
            Domain::new(text)
                .map_err(|_| Failure::new(format!("[addresses] srs_domain: {text} is no domain")))?,
        ),
    };
    let rules = |of: RewriteOf| {
        let rules = config.rewrite.iter().filter(|rule| rule.of == of);
        let rules = rules.map(|rule| {
            rewriting::Rule::new(&rule.from, &rule.to)
                .map_err(|error| Failure::new(format!("[[rewrite]] {error}")))
        });
        rules.collect::<Result<_, _>>().map(rewriting::Rules)
    };
    Ok(rewriting::Rewriting {
        keys,
        srs_domain,
        batv: match config.addresses.batv {
            Batv::Off => rewriting::Batv::Off,
            Batv::Sign => rewriting::Batv::Sign,
            Batv::Enforce => rewriting::Batv::Enforce,
        },
        recipients: rules(RewriteOf::Recipient)?,
        senders: rules(RewriteOf::Sender)?,
    })
}

/// The server's own secret: made once, read by its owner only. With it application passwords are encrypted.
fn server_secret(path: &Path) -> Result<[u8; 32], Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    match fs::read(path) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            Failure::new(format!(
                "{} is damaged: it must have 32 bytes; restore it from a backup",
                path.display()
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut secret = [0u8; 32];
            getrandom::fill(&mut secret)
                .map_err(|error| Failure::new(format!("the system gives no random numbers: {error}")))?;
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
            file.write_all(&secret).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(secret)
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn nobody_else_can_read_what_lies_in_the_data_folder() {
        let dir = tempfile::tempdir().unwrap();
        // As an operator makes it beforehand.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut config = Config::default();
        config.server.data_dir = dir.path().join("data");
        for data_dir in [dir.path().join("data"), dir.path().to_owned()] {
            config.server.data_dir = data_dir;
            let world = open(&config).unwrap();
            world.directory.add_domain(&Domain::new("x.test").unwrap(), World::now()).wait().unwrap();
            let mut folders = vec![store_dir(&config)];
            while let Some(folder) = folders.pop() {
                assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o077, 0, "{folder:?}");
                for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                    let mode = entry.metadata().unwrap().permissions().mode();
                    assert_eq!(mode & 0o077, 0, "{:?}", entry.path());
                    folders.extend(entry.file_type().unwrap().is_dir().then(|| entry.path()));
                }
            }
        }
    }
}
