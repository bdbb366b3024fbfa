//! `troika dns`: what to publish for a domain, and whether it is published. Asks the store for the domain's keys; all else
//! stands in the configuration, and the DNS is asked from here.

use super::Reach;
use super::arguments::{Dkim, Dns, DnsCheck, Domain as DomainCommand};
use crate::config::{Config, Listener, ListenerProtocol, ListenerTls};
use crate::control::{Event, Failure, Request, Sink};
use crate::publish::{Checked, Key, Live, Record, Service, Situation, Status, check, live, records};
use guard::Guard;
use serde_json::Value;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows instead of a terminal.
#[derive(Default)]
struct Rows(Vec<Value>);

impl Sink for Rows {
    fn event(&mut self, event: Event, _body: &[u8]) -> io::Result<()> {
        if let Event::Row(row) = event {
            self.0.push(row);
        }
        Ok(())
    }
}

/// Lists or checks.
pub(super) fn run(
    reach: &mut Reach,
    config: &Config,
    command: Dns,
    terminal: &mut dyn Sink,
    json: bool,
) -> Result<(), Failure> {
    let (domain, check) = match (command.command, command.domain) {
        (Some(DnsCheck::Check { domain, records_only }), _) => (domain, Some(records_only)),
        (None, Some(domain)) => (domain, None),
        (None, None) => return Err(Failure::new("which domain? `troika dns example.org`")),
    };
    let situation = situation(reach, config, &domain)?;
    let list = records(&situation);
    if let Some(records_only) = check {
        let hosts_of = (!records_only).then_some(situation.domain.as_str());
        return checked(config, list, hosts_of, terminal, json);
    }
    if json {
        return list.into_iter().try_for_each(|record| terminal.row(record));
    }
    // Nobody reading (a closed pipe) is no failure of ours.
    let _ = write_zone(&list, &mut io::stdout().lock());
    Ok(())
}

/// As a zone file, each record below what it is for.
fn write_zone(list: &[Record], out: &mut dyn Write) -> io::Result<()> {
    for record in list {
        writeln!(out, "; {}", record.note)?;
        match &record.value {
            Some(value) => writeln!(out, "{}. 3600 IN {} {value}", record.name, record.kind)?,
            None => writeln!(out, "; {}. 3600 IN {} …", record.name, record.kind)?,
        }
    }
    Ok(())
}

fn situation(reach: &mut Reach, config: &Config, domain: &str) -> Result<Situation, Failure> {
    // It has to be one of ours, and its name comes back as it is kept.
    reach.ask(
        &Request::Domain(DomainCommand::Show { domain: domain.to_owned() }),
        b"",
        &mut Rows::default(),
    )?;
    let mut keys = Rows::default();
    reach.ask(&Request::Dkim(Dkim::List { domain: Some(domain.to_owned()) }), b"", &mut keys)?;
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let keys = keys.0.iter().map(|row| Key {
        name: text(row, "name"),
        record: text(row, "record"),
        state: text(row, "state"),
    });
    let name = model::Domain::new(domain).map_err(|_| Failure::new(format!("{domain} is no domain")))?;
    Ok(Situation {
        domain: name.to_ascii(),
        hostname: config.server.hostname.to_string(),
        services: services(&config.listener),
        keys: keys.collect(),
        reports: config.tls_reports.address.clone(),
        policy: crate::sending::own_policy(config).map(|policy| policy.to_text()),
        certificate: net::CertificateFacts::read(&crate::serve::certificate_file(config)).ok(),
    })
}

/// What mail programs reach: not what listens on loopback, unless everything does, as on a machine to try things out.
fn services(listeners: &[Listener]) -> Vec<Service> {
    let named = |listener: &Listener| {
        let name = match (listener.protocol, listener.tls) {
            (ListenerProtocol::Submission, ListenerTls::Implicit) => "submissions",
            (ListenerProtocol::Submission, ListenerTls::Starttls) => "submission",
            (ListenerProtocol::Imap, ListenerTls::Implicit) => "imaps",
            (ListenerProtocol::Imap, ListenerTls::Starttls) => "imap",
            (ListenerProtocol::Pop3, ListenerTls::Implicit) => "pop3s",
            (ListenerProtocol::Pop3, ListenerTls::Starttls) => "pop3",
            _ => return None,
        };
        match &listener.bind {
            crate::config::Bind::Tcp(address) => Some(Service { name, port: address.port() }),
            crate::config::Bind::Unix(_) => None,
        }
    };
    let outside: Vec<Service> =
        listeners.iter().filter(|listener| !listener.bind.is_loopback()).filter_map(named).collect();
    if outside.is_empty() { listeners.iter().filter_map(named).collect() } else { outside }
}

/// Looks for all records at once, then at the hosts of that domain, and fails when mail suffers.
fn checked(
    config: &Config,
    list: Vec<Record>,
    hosts_of: Option<&str>,
    terminal: &mut dyn Sink,
    json: bool,
) -> Result<(), Failure> {
    let resolver = dns::Resolver::new(crate::world::dns_settings(config))
        .map_err(|error| Failure::new(format!("[dns]: {error}")))?;
    let resolver = Arc::new(resolver);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let found: Vec<Checked> = runtime.block_on(async {
        let mut looking = Vec::new();
        for record in list {
            let resolver = resolver.clone();
            looking.push(tokio::spawn(async move { check(&resolver, record).await }));
        }
        let mut found = Vec::new();
        for one in looking {
            found.push(one.await.map_err(|error| Failure::new(format!("a look-up broke: {error}")))?);
        }
        if let Some(domain) = hosts_of {
            let asking = hosts(config, &resolver)?;
            found.extend(live(asking, domain, crate::sending::own_policy(config)).await);
        }
        Ok::<_, Failure>(found)
    })?;
    let failures = found.iter().filter(|one| one.is_failure()).count();
    if json {
        found.iter().try_for_each(|one| terminal.row(one))?;
    } else {
        let _ = write_checked(&found, &mut io::stdout().lock());
    }
    match failures {
        0 => Ok(()),
        1 => Err(Failure::new(
            "something that mail needs is missing or wrong; `troika dns` prints the records that should be there",
        )),
        _ => Err(Failure::new(format!(
            "{failures} things that mail needs are missing or wrong; `troika dns` prints the records that should be there"
        ))),
    }
}

/// Who asks the hosts. What is learnt of them is forgotten.
fn hosts(config: &Config, resolver: &Arc<dns::Resolver>) -> Result<Live, Failure> {
    let memory = transport::Memory::new(Arc::new(engine::MemoryEngine::default()));
    let policy_port = config.delivery.policy_port;
    let guard = Guard::new(resolver.clone(), memory, crate::sending::trust(config)?, policy_port)
        .map_err(|error| Failure::new(error.to_string()))?;
    let hello = match config.delivery.hello.as_str() {
        "" => config.server.hostname.to_string(),
        given => given.to_owned(),
    };
    let (resolver, smtp_port) = (resolver.clone(), config.delivery.port);
    Ok(Live { resolver, guard, hello, smtp_port, policy_port })
}

fn write_checked(found: &[Checked], out: &mut dyn Write) -> io::Result<()> {
    for one in found {
        let word = match one.status {
            Status::Ok => "ok",
            Status::Missing if one.is_failure() => "MISSING",
            Status::Missing => "missing",
            Status::Different if one.is_failure() => "WRONG",
            Status::Different => "wrong",
            Status::Unknown => "unknown",
        };
        writeln!(out, "{word:8} {:5} {:40} {}", one.record.kind, one.record.name, one.record.note)?;
        if one.status == Status::Ok {
            continue;
        }
        for text in &one.found {
            writeln!(out, "{:14} found      {text}", "")?;
        }
        if let Some(value) = &one.record.value {
            writeln!(out, "{:14} should be  {value}", "")?;
        }
    }
    Ok(())
}
