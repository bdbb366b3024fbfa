//! ARC chains (RFC 8617): what those who passed a message on say of it.

use crate::canonical::{Canonical, write_field};
use crate::fold::Folded;
use crate::key::KeyKind;
use crate::message::Message;
use crate::sign::{Signer, close, names_to_sign, write_tags};
use crate::signature::{Form, Signature, domain, key_name, selector, without};
use crate::tags::Tags;
use crate::verify::{Fault, KeyAnswer, MAIL, keys, try_verify};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::Domain;
use std::collections::BTreeMap;

/// Most sets of one chain (§4.2.1).
pub const SETS_MAX: usize = 50;

const AAR: &str = "ARC-Authentication-Results";
const AMS: &str = "ARC-Message-Signature";
const AS: &str = "ARC-Seal";

/// State of a chain (§4.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// There is none.
    None,
    /// It holds. `oldest_pass`: the lowest instance whose message signature still verifies without a gap above it; 0 if
    /// all do (§5.2 step 5).
    Pass {
        /// As told in `header.oldest-pass`.
        oldest_pass: u32,
    },
    /// It does not; the message counts as one without a chain.
    Fail(Broken),
}

impl Status {
    /// `none`, `pass`, `fail`
    pub fn word(&self) -> &'static str {
        match self {
            Status::None => "none",
            Status::Pass { .. } => "pass",
            Status::Fail(_) => "fail",
        }
    }
}

/// Why a chain does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// Fields are missing, doubled, without an instance, or too many.
    #[error("the sets of the chain are not complete")]
    Structure,
    /// Somebody found it broken before.
    #[error("an earlier host found the chain broken")]
    Marked,
    /// A message signature.
    #[error("message signature {0}: {1}")]
    Message(u32, Fault),
    /// A seal.
    #[error("seal {0}: {1}")]
    Seal(u32, Fault),
}

/// One set.
#[derive(Debug)]
struct Set {
    results: Vec<u8>,
    message_field: Vec<u8>,
    seal_field: Vec<u8>,
    message: Result<Signature, Fault>,
    seal: Result<Seal, Fault>,
}

/// cv=
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Claim {
    None,
    Pass,
    Fail,
}

#[derive(Debug)]
struct Seal {
    kind: KeyKind,
    claim: Claim,
    domain: Domain,
    selector: String,
    octets: Vec<u8>,
    /// The field, without its signature.
    unsigned: Vec<u8>,
}

/// The chain of a message.
#[derive(Debug)]
pub struct Chain {
    /// In order of instances; Err: they make no chain. Highest: the highest instance that was found.
    sets: Result<Vec<Set>, Broken>,
    highest: u32,
    /// The newest seal says cv=fail.
    marked: bool,
}

impl Chain {
    /// Collects the sets of a message.
    pub fn read(message: &Message<'_>) -> Chain {
        let mut found: BTreeMap<u32, [Option<&[u8]>; 3]> = BTreeMap::new();
        let mut whole = true;
        for field in message.fields() {
            let Some(part) = [AAR, AMS, AS].iter().position(|name| field.is(name)) else { continue };
            let octets = message.octets(field);
            let Some(instance) = instance(octets, part == 0) else {
                whole = false;
                continue;
            };
            let place = &mut found.entry(instance).or_default()[part];
            // §5.2 step 3A: exactly one each.
            whole &= place.replace(octets).is_none();
        }
        let highest = found.keys().next_back().copied().unwrap_or(0);
        let complete: Vec<Set> = found.values().filter_map(set).collect();
        let claims = |set: &Set, claim| set.seal.as_ref().is_ok_and(|seal| seal.claim == claim);
        let marked = found.values().next_back().and_then(set).is_some_and(|set| claims(&set, Claim::Fail));
        // §5.2 step 3B: from 1 to the highest, no gaps.
        whole &= complete.len() == found.len() && complete.len() == highest as usize;
        // Step 3C.
        let sound = complete.iter().enumerate().all(|(index, set)| {
            set.seal.is_err() || claims(set, if index == 0 { Claim::None } else { Claim::Pass })
        });
        let sets = if marked {
            Err(Broken::Marked)
        } else if whole && sound {
            Ok(complete)
        } else {
            Err(Broken::Structure)
        };
        Chain { sets, highest, marked }
    }

    /// Names of the key records that [`Chain::validate`] needs, each once.
    pub fn key_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for set in self.sets.iter().flatten() {
            names.extend(set.message.as_ref().ok().map(Signature::key_name));
            names.extend(set.seal.as_ref().ok().map(|seal| key_name(&seal.selector, &seal.domain)));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Validates (§5.2). `answer` tells what DNS said of each of [`Chain::key_names`]; `now`: seconds since 1970.
    pub fn validate(&self, message: &Message<'_>, answer: &dyn Fn(&str) -> KeyAnswer, now: i64) -> Status {
        let sets = match &self.sets {
            Ok(sets) => sets,
            Err(broken) => return Status::Fail(*broken),
        };
        if sets.is_empty() {
            return Status::None;
        }
        match validate(sets, message, answer, now) {
            Ok(oldest_pass) => Status::Pass { oldest_pass },
            Err(broken) => Status::Fail(broken),
        }
    }
}

fn validate(
    sets: &[Set],
    message: &Message<'_>,
    answer: &dyn Fn(&str) -> KeyAnswer,
    now: i64,
) -> Result<u32, Broken> {
    let verify = |set: &Set| {
        let signature = set.message.as_ref().map_err(|fault| *fault)?;
        try_verify(message, signature, &answer(&signature.key_name()), MAIL, now).map(drop)
    };
    let instances = sets.iter().enumerate().map(|(index, set)| (index as u32 + 1, set)).rev();
    let mut oldest_pass = 0;
    for (instance, set) in instances.clone() {
        match verify(set) {
            Ok(()) => {}
            // Step 4: the newest one has to hold.
            Err(fault) if instance as usize == sets.len() => return Err(Broken::Message(instance, fault)),
            // Step 5A.
            Err(_) => {
                oldest_pass = instance + 1;
                break;
            }
        }
    }
    // Step 6.
    for (instance, set) in instances {
        verify_seal(&sets[..instance as usize], set, answer)
            .map_err(|fault| Broken::Seal(instance, fault))?;
    }
    Ok(oldest_pass)
}

/// `sets`: those up to the one whose seal this is.
fn verify_seal(sets: &[Set], set: &Set, answer: &dyn Fn(&str) -> KeyAnswer) -> Result<(), Fault> {
    let seal = set.seal.as_ref().map_err(|fault| *fault)?;
    let mut signed = Vec::new();
    for earlier in &sets[..sets.len() - 1] {
        for field in [&earlier.results, &earlier.message_field, &earlier.seal_field] {
            write_field(Canonical::Relaxed, field, &mut signed);
        }
    }
    for field in [&set.results, &set.message_field, &seal.unsigned] {
        write_field(Canonical::Relaxed, field, &mut signed);
    }
    signed.truncate(signed.len() - 2);
    let mut fault = Fault::NoKey;
    for key in keys(&answer(&key_name(&seal.selector, &seal.domain)), MAIL)? {
        match key {
            Ok(key) if key.kind() == seal.kind && key.verifies(&signed, &seal.octets) => return Ok(()),
            Ok(_) => fault = Fault::Signature,
            Err(why) => fault = why.into(),
        }
    }
    Err(fault)
}

/// i=, which in the results stands before everything else and elsewhere is a tag.
fn instance(field: &[u8], is_results: bool) -> Option<u32> {
    let colon = memchr::memchr(b':', field)?;
    let value = &field[colon + 1..];
    let text = if is_results {
        let end = memchr::memchr(b';', value)?;
        Tags::read(&value[..end])?.get("i")?.to_owned()
    } else {
        Tags::read(value)?.get("i")?.to_owned()
    };
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let number: u32 = text.parse().ok()?;
    (digits && (1..=SETS_MAX as u32).contains(&number)).then_some(number)
}

fn set(fields: &[Option<&[u8]>; 3]) -> Option<Set> {
    let [Some(results), Some(message), Some(seal)] = *fields else { return None };
    Some(Set {
        results: results.to_vec(),
        message_field: message.to_vec(),
        seal_field: seal.to_vec(),
        message: Signature::read(message, Form::Arc),
        seal: read_seal(seal),
    })
}

fn read_seal(field: &[u8]) -> Result<Seal, Fault> {
    let colon = memchr::memchr(b':', field).ok_or(Fault::Syntax)?;
    let tags = Tags::read(&field[colon + 1..]).ok_or(Fault::Syntax)?;
    let wanted = |name| tags.get(name).ok_or(Fault::MissingTag);
    // §4.1.3: h= is not allowed.
    if tags.get("h").is_some() {
        return Err(Fault::Syntax);
    }
    let claim = match wanted("cv")? {
        "none" => Claim::None,
        "pass" => Claim::Pass,
        "fail" => Claim::Fail,
        _ => return Err(Fault::Syntax),
    };
    let octets = BASE64_STANDARD.decode(tags.packed("b").ok_or(Fault::MissingTag)?);
    let part = tags.range("b").ok_or(Fault::MissingTag)?;
    Ok(Seal {
        kind: KeyKind::of_algorithm(wanted("a")?).ok_or(Fault::Algorithm)?,
        claim,
        domain: domain(wanted("d")?)?,
        selector: selector(wanted("s")?)?,
        octets: octets.map_err(|_| Fault::Syntax)?,
        unsigned: without(field, colon + 1 + part.start..colon + 1 + part.end),
    })
}

/// Seals a message (§5.1): the set to be put before it, or None where no set may follow (a chain that is marked as broken
/// already, or 50 sets). `results`: what was found out of the message, as [`crate::authres_payload`] writes it, the chain's
/// own state among it; `status`: that state. `time`: seconds since 1970.
///
/// ARC knows RSA only for now (RFC 8617 takes over RFC 6376's algorithms); an Ed25519 seal would count as broken with many.
pub fn seal(
    message: &Message<'_>,
    chain: &Chain,
    status: &Status,
    results: &str,
    signer: &Signer<'_>,
    time: i64,
) -> Option<Vec<u8>> {
    if chain.marked || chain.highest as usize >= SETS_MAX {
        return None;
    }
    let instance = (chain.highest + 1).to_string();
    let aar = format!("{AAR}: i={instance}; {results}\r\n");
    let ams = sign_message(message, &instance, signer, time);
    let mut signed = Vec::new();
    // §5.1.2: a broken chain is not signed, only what is said of it.
    if let (Ok(sets), Status::Pass { .. }) = (&chain.sets, status) {
        for set in sets {
            for field in [&set.results, &set.message_field, &set.seal_field] {
                write_field(Canonical::Relaxed, field, &mut signed);
            }
        }
    }
    write_field(Canonical::Relaxed, aar.as_bytes(), &mut signed);
    write_field(Canonical::Relaxed, ams.as_bytes(), &mut signed);
    let mut field = Folded::field(AS);
    field.tag("i", &instance);
    write_tags(&mut field, signer, time);
    field.tag("cv", status.word());
    Some([close(field, &signed, signer.key), ams, aar].concat().into_bytes())
}

fn sign_message(message: &Message<'_>, instance: &str, signer: &Signer<'_>, time: i64) -> String {
    let body = message.hash_body(Canonical::Relaxed, None).expect("only limits are counted").digest;
    let mut names = names_to_sign(message);
    // §4.1.2: existing signatures SHOULD be covered.
    names.extend(message.named("DKIM-Signature").take(crate::SIGNATURES_MAX).map(|_| "DKIM-Signature"));
    let mut chosen = Vec::new();
    message.write_chosen(Canonical::Relaxed, names.iter().copied(), &mut chosen);
    let mut field = Folded::field(AMS);
    field.tag("i", instance);
    write_tags(&mut field, signer, time);
    field.tag("c", "relaxed/relaxed");
    field.list("h", &names);
    field.octets("bh", &body);
    close(field, &chosen, signer.key)
}

#[cfg(test)]
#[path = "arc_tests.rs"]
mod tests;
