//! From the configuration to what the collector wants to know.

use crate::config::{Bind, Config, Listener, ListenerProtocol};
use crate::control::Failure;
use agents::World;
use collect::{Environment, Limits, Settings};
use collecting::Networks;
use collecting::agenda::AtOnce;
use std::sync::Arc;
use std::time::Duration;

/// What the configuration says of collecting from elsewhere.
///
/// # Errors
/// The file with the authorities can't be used.
pub fn settings(config: &Config, world: &World) -> Result<Settings, Failure> {
    let given = &config.collect;
    let (section, file) = match given.authorities.as_os_str().is_empty() {
        true => ("delivery", &config.delivery.authorities),
        false => ("collect", &given.authorities),
    };
    let authorities = match file.as_os_str().is_empty() {
        true => net::system_authorities(),
        false => net::authorities(file)
            .map_err(|error| Failure::new(format!("[{section}] authorities: {error}")))?,
    };
    let mut environment = Environment::new(world.resolver.clone(), Arc::new(authorities));
    environment.limits = Limits {
        connect: given.connect_timeout.0,
        silence: given.reply_timeout.0,
        message_bytes_max: config.limits.message_bytes.0,
        ..environment.limits
    };
    let mailboxes =
        |listener: &&Listener| matches!(listener.protocol, ListenerProtocol::Imap | ListenerProtocol::Pop3);
    let address = |listener: &Listener| match &listener.bind {
        Bind::Tcp(address) => Some(*address),
        Bind::Unix(_) => None,
    };
    Ok(Settings {
        hostname: config.server.hostname.to_string(),
        networks: Networks { also: given.networks.0.clone() },
        interval: given.interval.0.max(Duration::from_secs(1)),
        interval_min: given.interval_min.0.max(Duration::from_secs(1)),
        at_once: AtOnce {
            all: given.concurrency.max(1) as usize,
            per_host: given.concurrency_per_host.max(1) as usize,
        },
        size_max: config.limits.message_bytes.0,
        run_max: given.run_max.0.max(Duration::from_secs(1)),
        own: config.listener.iter().filter(mailboxes).filter_map(address).collect(),
        environment,
    })
}
