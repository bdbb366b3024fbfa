//! Sealing what is passed on (ARC, RFC 8617): what this server found out of the message when it came, signed, so that the
//! next host may believe it although the message comes from elsewhere than its author's servers.

use crate::world::{PREPARED_IN_PLACE_MAX, World};
use directory::DomainKeys;
use dkim::arc::{Chain, Status};
use dkim::{KeyAnswer, KeyKind, Message, MethodResult, Signer};
use dns::Presence;
use model::{Domain, UnixTime};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long all look-ups for one message may take; the sender waits for its 250. What is not known then counts as it does
/// when the DNS fails.
const PATIENCE: Duration = Duration::from_secs(15);
/// Key records looked up for one message: ten signatures, and a chain longer than any that is met.
const LOOKUPS_MAX: usize = 40;

/// What is known of a message that is passed on.
#[derive(Clone, Copy, Debug)]
pub struct PassedOn<'a> {
    /// This server's name.
    pub hostname: &'a str,
    /// The domain that the message came for; it seals if it has keys, and else the server's own does.
    pub came_for: Option<&'a Domain>,
    /// Where it came from.
    pub peer: Option<IpAddr>,
    /// When.
    pub now: UnixTime,
}

/// What was found out of a message as it came, for the sets of what it becomes.
pub(crate) struct Evidence {
    keys: Arc<DomainKeys>,
    status: Status,
    /// For ARC-Authentication-Results.
    results: String,
    now: UnixTime,
}

impl World {
    /// The ARC set to be put before a message that is passed on as it is. Nothing when sealing was not asked for, when no
    /// domain of ours that could do it has an RSA key, or when a chain was found broken before.
    pub async fn seal(&self, passed: &PassedOn<'_>, message: &[u8]) -> Vec<u8> {
        match self.evidence(passed, message).await {
            Some(evidence) => self.seal_by(&evidence, message),
            None => Vec::new(),
        }
    }

    /// What there is to say of a message that is passed on, maybe changed (a list's copies). None: nothing is sealed.
    pub(crate) async fn evidence(&self, passed: &PassedOn<'_>, message: &[u8]) -> Option<Evidence> {
        if !self.seals.load(std::sync::atomic::Ordering::Relaxed) {
            return None;
        }
        let keys = passed.came_for.and_then(|domain| self.keys_of(domain));
        let keys = keys.or_else(|| self.host_keys(passed.hostname))?;
        signer_of(&keys)?;
        let answers = self.key_answers(key_names(message)).await;
        let found = || evidence_with(keys, passed, message, &answers);
        let in_place = message.len() <= PREPARED_IN_PLACE_MAX;
        Some(if in_place { found() } else { tokio::task::block_in_place(found) })
    }

    /// The set to be put before what the message became.
    pub(crate) fn seal_by(&self, evidence: &Evidence, outgoing: &[u8]) -> Vec<u8> {
        let set = || seal_with(evidence, outgoing).unwrap_or_default();
        let in_place = outgoing.len() <= PREPARED_IN_PLACE_MAX;
        let set = if in_place { set() } else { tokio::task::block_in_place(set) };
        if !set.is_empty() {
            self.metrics.sealed.inc();
        }
        set
    }

    /// What the DNS says of each name, all asked at once.
    pub(crate) async fn key_answers(&self, names: BTreeSet<String>) -> HashMap<String, KeyAnswer> {
        let mut looking = JoinSet::new();
        for name in names.into_iter().take(LOOKUPS_MAX) {
            let resolver = self.resolver.clone();
            looking.spawn(async move {
                let answer = match resolver.txt(&name).await {
                    Err(_) => KeyAnswer::Unavailable,
                    Ok(answer) if answer.presence != Presence::Found => KeyAnswer::None,
                    Ok(answer) => {
                        KeyAnswer::Records(answer.records.into_iter().map(String::into_bytes).collect())
                    }
                };
                (name, answer)
            });
        }
        let mut answers = HashMap::new();
        let all = async {
            while let Some(Ok((name, answer))) = looking.join_next().await {
                answers.insert(name, answer);
            }
        };
        // What is missing is unavailable; look-ups that still run end with the set.
        let _ = tokio::time::timeout(PATIENCE, all).await;
        answers
    }
}

/// Names of all key records that the message's signatures and its chain need.
fn key_names(message: &[u8]) -> BTreeSet<String> {
    let message = Message::new(message);
    let signatures = dkim::signatures(&message).into_iter().flatten().map(|signature| signature.key_name());
    signatures.chain(Chain::read(&message).key_names()).collect()
}

/// RFC 8617 knows the algorithms of RFC 6376 only; an Ed25519 seal would count as a broken chain with many.
fn signer_of(keys: &DomainKeys) -> Option<Signer<'_>> {
    keys.signers().into_iter().find(|signer| signer.key.kind() == KeyKind::Rsa)
}

fn evidence_with(
    keys: Arc<DomainKeys>,
    passed: &PassedOn<'_>,
    message: &[u8],
    answers: &HashMap<String, KeyAnswer>,
) -> Evidence {
    let answer = |name: &str| answers.get(name).cloned().unwrap_or(KeyAnswer::Unavailable);
    let message = Message::new(message);
    let status = Chain::read(&message).validate(&message, &answer, passed.now.0);
    let mut results = dkim_results(&message, &answer, passed.now);
    results.push(arc_result(&status, passed.peer));
    Evidence { keys, status, results: dkim::authres_payload(passed.hostname, &results), now: passed.now }
}

fn seal_with(evidence: &Evidence, outgoing: &[u8]) -> Option<Vec<u8>> {
    let signer = signer_of(&evidence.keys)?;
    let message = Message::new(outgoing);
    // The sets that it came with are there still; what they said of the message held for it as it came.
    let chain = Chain::read(&message);
    dkim::arc::seal(&message, &chain, &evidence.status, &evidence.results, &signer, evidence.now.0)
}

/// One result for each signature (RFC 8601 §2.7.1).
fn dkim_results(
    message: &Message<'_>,
    answer: &dyn Fn(&str) -> KeyAnswer,
    now: UnixTime,
) -> Vec<MethodResult> {
    let mut results = Vec::new();
    for signature in dkim::signatures(message) {
        let (verdict, properties) = match signature {
            Ok(signature) => {
                let properties = vec![
                    ("header.d", signature.domain().to_ascii()),
                    ("header.s", signature.selector().to_owned()),
                    ("header.a", signature.kind().algorithm().to_owned()),
                    ("header.b", signature.mark()),
                ];
                (dkim::verify(message, &signature, &answer(&signature.key_name()), now.0), properties)
            }
            Err(fault) => (fault.into(), Vec::new()),
        };
        results.push(MethodResult {
            method: "dkim",
            result: verdict.word(),
            reason: verdict.fault().map(|fault| fault.to_string()),
            properties,
        });
    }
    if results.is_empty() {
        results.push(MethodResult { method: "dkim", result: "none", reason: None, properties: Vec::new() });
    }
    results
}

/// RFC 8617 §6.
fn arc_result(status: &Status, peer: Option<IpAddr>) -> MethodResult {
    let mut properties: Vec<(&'static str, String)> =
        peer.map(|peer| ("smtp.remote-ip", peer.to_canonical().to_string())).into_iter().collect();
    let reason = match status {
        Status::Pass { oldest_pass } => {
            properties.push(("header.oldest-pass", oldest_pass.to_string()));
            None
        }
        Status::Fail(broken) => Some(broken.to_string()),
        Status::None => None,
    };
    MethodResult { method: "arc", result: status.word(), reason, properties }
}
