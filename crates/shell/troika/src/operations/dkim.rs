//! `troika dkim`

use super::{domain_name, now};
use crate::cli::arguments::{Dkim as Command, KeyKind};
use crate::control::{Failure, Sink};
use agents::World;
use directory::{DkimKey, DkimState};
use model::{Domain, UnixTime};
use zeroize::Zeroizing;

pub(super) fn run(world: &World, command: Command, body: &[u8], out: &mut dyn Sink) -> Result<(), Failure> {
    let directory = &world.directory;
    match command {
        Command::Add { domain, selector, kind, bits, activate } => {
            let domain = domain_name(&domain)?;
            let selector = match selector {
                Some(selector) => selector,
                None => free_selector(world, &domain, kind, now())?,
            };
            let made = directory.add_dkim_key(&domain, &selector, &generate(kind, bits)?, now()).wait()?;
            added(world, made, activate, out)
        }
        Command::Import { domain, selector, activate } => {
            let domain = domain_name(&domain)?;
            let text = Zeroizing::new(String::from_utf8_lossy(body).into_owned());
            let (_, pkcs8) =
                dkim::SigningKey::from_pem(&text).map_err(|fault| Failure::new(fault.to_string()))?;
            let made = directory.add_dkim_key(&domain, &selector, &pkcs8, now()).wait()?;
            added(world, made, activate, out)
        }
        Command::List { domain } => {
            let domain = domain.as_deref().map(domain_name).transpose()?;
            directory.dkim_keys(domain.as_ref())?.into_iter().try_for_each(|key| out.row(key))
        }
        Command::Show { domain, selector } => out.row(key(world, &domain_name(&domain)?, &selector)?),
        Command::Activate { domain, selector } => {
            set(world, &domain, &selector, DkimState::Signing)?;
            out.say(format!(
                "{selector} signs the mail of {domain} from now on; keys of its kind that did before are retired: leave \
                 their records in DNS for a week, then remove both"
            ))
        }
        Command::Retire { domain, selector } => {
            set(world, &domain, &selector, DkimState::Retired)?;
            out.say(format!("{selector} of {domain} signs no more; leave its record in DNS for a week"))
        }
        Command::Rotate { domain } => rotate(world, &domain_name(&domain)?, out),
        Command::Remove { domain, selector, yes } => {
            let name = domain_name(&domain)?;
            if key(world, &name, &selector)?.state == DkimState::Signing && !yes {
                return Err(Failure::new(format!(
                    "{selector} signs the mail of {domain}; activate another one first, or say --yes when you mean it"
                )));
            }
            directory.remove_dkim_key(&name, &selector).wait()?;
            out.say(format!("removed the key {selector} of {domain}; remove its record from DNS, too"))
        }
    }
}

fn set(world: &World, domain: &str, selector: &str, state: DkimState) -> Result<(), Failure> {
    Ok(world.directory.set_dkim_state(&domain_name(domain)?, selector, state, now()).wait()?)
}

fn key(world: &World, domain: &Domain, selector: &str) -> Result<DkimKey, Failure> {
    let found = world.directory.dkim_keys(Some(domain))?.into_iter();
    found.into_iter().find(|key| key.selector.eq_ignore_ascii_case(selector)).ok_or_else(|| {
        Failure::new(format!(
            "there is no key {selector} of {domain}; `troika dkim list` shows those there are"
        ))
    })
}

fn added(world: &World, made: DkimKey, activate: bool, out: &mut dyn Sink) -> Result<(), Failure> {
    if activate {
        world.directory.set_dkim_state(&made.domain, &made.selector, DkimState::Signing, now()).wait()?;
    }
    let (domain, selector) = (made.domain.clone(), made.selector.clone());
    out.row(key(world, &domain, &selector)?)?;
    out.say(if activate {
        format!("publish this TXT record now: {selector} signs the mail of {domain} already")
    } else {
        format!(
            "publish this TXT record, wait until it is seen, then `troika dkim activate {domain} {selector}`"
        )
    })
}

/// A new key for each kind that signs now.
fn rotate(world: &World, domain: &Domain, out: &mut dyn Sink) -> Result<(), Failure> {
    let signing: Vec<DkimKey> = world
        .directory
        .dkim_keys(Some(domain))?
        .into_iter()
        .filter(|key| key.state == DkimState::Signing)
        .collect();
    if signing.is_empty() {
        return Err(Failure::new(format!(
            "no key of {domain} signs yet; `troika dkim add {domain}` makes one"
        )));
    }
    for old in signing {
        let kind = if old.kind == "rsa" { KeyKind::Rsa } else { KeyKind::Ed25519 };
        let selector = free_selector(world, domain, kind, now())?;
        let bits = usize::try_from(old.bits).unwrap_or(2048);
        // Keys that were brought along may have other sizes than those that are made here.
        let bits = if dkim::RSA_BITS.contains(&bits) { bits } else { 2048 };
        let made = world.directory.add_dkim_key(domain, &selector, &generate(kind, bits)?, now()).wait()?;
        added(world, made, false, out)?;
    }
    Ok(())
}

fn generate(kind: KeyKind, bits: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if kind == KeyKind::Rsa && !dkim::RSA_BITS.contains(&bits) {
        return Err(Failure::new("an RSA key has 2048, 3072 or 4096 bits; 2048 is what all receivers take"));
    }
    let mut random = |octets: &mut [u8]| {
        getrandom::fill(octets).unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    };
    Ok(match kind {
        KeyKind::Rsa => dkim::rsa_pkcs8(bits, &mut random),
        KeyKind::Ed25519 => {
            let mut seed = Zeroizing::new([0; 32]);
            random(&mut *seed);
            dkim::ed25519_pkcs8(&seed)
        }
    })
}

/// `rsa-20261121`, and where that is taken `rsa-20261121-2`.
fn free_selector(world: &World, domain: &Domain, kind: KeyKind, now: UnixTime) -> Result<String, Failure> {
    let taken: Vec<String> =
        world.directory.dkim_keys(Some(domain))?.into_iter().map(|key| key.selector).collect();
    let day = mime::date::Day::from_days(now.0.div_euclid(86_400));
    let kind = match kind {
        KeyKind::Rsa => "rsa",
        KeyKind::Ed25519 => "ed25519",
    };
    let first = format!("{kind}-{:04}{:02}{:02}", day.year, day.month, day.day);
    let more = (2..).map(|number| format!("{first}-{number}"));
    let free = std::iter::once(first.clone()).chain(more).find(|name| !taken.contains(name));
    Ok(free.unwrap_or(first))
}
