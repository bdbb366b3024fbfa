//! Signatures as they stand in a header: DKIM-Signature (RFC 6376 §3.5) and ARC-Message-Signature (RFC 8617 §4.1.2).

use crate::canonical::Canonical;
use crate::key::KeyKind;
use crate::message::Message;
use crate::tags::Tags;
use crate::verify::Fault;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::Domain;
use std::ops::Range;

/// Signatures of one message that are looked at; each may cost a look-up and a pass over the body (RFC 6376 §8.4).
pub const SIGNATURES_MAX: usize = 10;

/// Names in h=: more than any header has fields that matter.
const SIGNED_NAMES_MAX: usize = 1000;

/// One signature, read and found to be well-formed.
#[derive(Clone, Debug)]
pub struct Signature {
    pub(crate) kind: KeyKind,
    pub(crate) octets: Vec<u8>,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) header_form: Canonical,
    pub(crate) body_form: Canonical,
    pub(crate) names: Vec<String>,
    pub(crate) length: Option<u64>,
    pub(crate) expires: Option<u64>,
    domain: Domain,
    selector: String,
    identity: Option<String>,
    identity_is_domain: bool,
    /// The field, without its signature.
    pub(crate) unsigned: Vec<u8>,
}

/// All DKIM signatures of a message, from the top, [`SIGNATURES_MAX`] at most; each well-formed, or why it is not.
pub fn signatures(message: &Message<'_>) -> Vec<Result<Signature, Fault>> {
    let fields = message.named("DKIM-Signature").take(SIGNATURES_MAX);
    fields.map(|field| Signature::read(message.octets(field), Form::Dkim)).collect()
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Dkim,
    Arc,
}

impl Signature {
    /// Reads a whole field.
    pub(crate) fn read(field: &[u8], form: Form) -> Result<Signature, Fault> {
        let colon = memchr::memchr(b':', field).ok_or(Fault::Syntax)?;
        let tags = Tags::read(&field[colon + 1..]).ok_or(Fault::Syntax)?;
        let wanted = |name| tags.get(name).ok_or(Fault::MissingTag);
        if form == Form::Dkim && wanted("v")? != "1" {
            return Err(Fault::Version);
        }
        let kind = KeyKind::of_algorithm(wanted("a")?).ok_or(Fault::Algorithm)?;
        let decoded = |name| {
            let packed = tags.packed(name).ok_or(Fault::MissingTag)?;
            BASE64_STANDARD.decode(packed).map_err(|_| Fault::Syntax)
        };
        let (octets, body_hash) = (decoded("b")?, decoded("bh")?);
        let (header_form, body_form) = forms(tags.get("c").unwrap_or("simple"))?;
        let domain = domain(wanted("d")?)?;
        let (identity, identity_is_domain) = match (form, tags.get("i")) {
            (Form::Dkim, Some(identity)) => (Some(identity.to_owned()), is_at(identity, &domain)?),
            _ => (None, true),
        };
        let names = names(&tags, form)?;
        let methods = tags.packed("q").unwrap_or_else(|| "dns/txt".to_owned());
        if !methods.split(':').any(|method| method == "dns/txt") {
            return Err(Fault::Syntax);
        }
        let (time, expires) = (number(&tags, "t")?, number(&tags, "x")?);
        if time.zip(expires).is_some_and(|(time, expires)| expires < time) {
            return Err(Fault::Syntax);
        }
        let signature = tags.range("b").ok_or(Fault::MissingTag)?;
        Ok(Signature {
            kind,
            octets,
            body_hash,
            header_form,
            body_form,
            names,
            length: number(&tags, "l")?,
            expires,
            domain,
            selector: selector(wanted("s")?)?,
            identity,
            identity_is_domain,
            unsigned: without(field, colon + 1 + signature.start..colon + 1 + signature.end),
        })
    }

    /// Who takes responsibility (d=).
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Which of its keys (s=).
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// The agent or user (i=), as written.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// The kind of key it was made with.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Octets of the body that it covers, if it does not cover all (l=).
    pub fn body_limit(&self) -> Option<u64> {
        self.length
    }

    /// The first characters of b=, by which results tell one signature from another (RFC 6008).
    pub fn mark(&self) -> String {
        BASE64_STANDARD.encode(&self.octets).chars().take(8).collect()
    }

    /// The name of its key's TXT record (§3.6.2.1).
    pub fn key_name(&self) -> String {
        key_name(&self.selector, &self.domain)
    }

    /// Whether i= names the very domain of d=, not one below it.
    pub(crate) fn identity_is_domain(&self) -> bool {
        self.identity_is_domain
    }
}

/// Where a key is published.
pub(crate) fn key_name(selector: &str, domain: &Domain) -> String {
    format!("{selector}._domainkey.{}", domain.to_ascii())
}

/// The field with this part taken out and without its line end.
pub(crate) fn without(field: &[u8], part: Range<usize>) -> Vec<u8> {
    let mut out = field[..part.start].to_vec();
    let rest = &field[part.end..];
    out.extend_from_slice(
        rest.strip_suffix(b"\n").map_or(rest, |rest| rest.strip_suffix(b"\r").unwrap_or(rest)),
    );
    out
}

/// §3.5: at least two labels, no address literal.
pub(crate) fn domain(text: &str) -> Result<Domain, Fault> {
    let domain = Domain::new(text).map_err(|_| Fault::Syntax)?;
    let fine = domain.as_str().contains('.') && !text.starts_with('[') && !text.ends_with('.');
    if fine { Ok(domain) } else { Err(Fault::Syntax) }
}

/// §3.1: labels of a domain name, with A-labels.
pub(crate) fn selector(text: &str) -> Result<String, Fault> {
    let labels = Domain::new(text).map_err(|_| Fault::Syntax)?;
    if text.starts_with('[') || text.ends_with('.') { Err(Fault::Syntax) } else { Ok(labels.to_ascii()) }
}

fn forms(text: &str) -> Result<(Canonical, Canonical), Fault> {
    // §3.5, c=: one name alone is the header's, and the body is simple.
    let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
    Canonical::named(header).zip(Canonical::named(body)).ok_or(Fault::Canonicalization)
}

/// §6.1.1: i= is at the domain or below it. Ok(true): at it.
fn is_at(identity: &str, domain: &Domain) -> Result<bool, Fault> {
    let (_, at) = identity.rsplit_once('@').ok_or(Fault::Syntax)?;
    let at = Domain::new(at).map_err(|_| Fault::Syntax)?;
    if at == *domain {
        return Ok(true);
    }
    let below = at.as_str().strip_suffix(domain.as_str()).is_some_and(|before| before.ends_with('.'));
    if below { Ok(false) } else { Err(Fault::DomainMismatch) }
}

fn names(tags: &Tags<'_>, form: Form) -> Result<Vec<String>, Fault> {
    let list = tags.packed("h").ok_or(Fault::MissingTag)?.to_ascii_lowercase();
    let names: Vec<String> = list.split(':').map(str::to_owned).collect();
    let is_name = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    if names.len() > SIGNED_NAMES_MAX || !names.iter().all(is_name) {
        return Err(Fault::Syntax);
    }
    if !names.iter().any(|name| name == "from") {
        return Err(Fault::FromNotSigned);
    }
    // RFC 8617 §4.1.2: none of the chain's own fields, nor results that the next host takes off.
    let forbidden = |name: &String| name.starts_with("arc-") || name == "authentication-results";
    if form == Form::Arc && names.iter().any(forbidden) {
        return Err(Fault::Syntax);
    }
    Ok(names)
}

/// A number of at most twelve digits for times and more for lengths; what does not fit is no number of ours.
fn number(tags: &Tags<'_>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(text) = tags.get(name) else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().map(Some).map_err(|_| Fault::Syntax) } else { Err(Fault::Syntax) }
}
