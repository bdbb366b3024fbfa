//! Signing (RFC 6376 §5).

use crate::canonical::{Canonical, write_field};
use crate::fold::Folded;
use crate::key::SigningKey;
use crate::message::Message;
use model::Domain;

/// Who signs.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'a> {
    /// d=
    pub domain: &'a Domain,
    /// s=
    pub selector: &'a str,
    /// The key whose record is published there.
    pub key: &'a SigningKey,
}

/// How many instances of a field are named in h=.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Named {
    /// As many as there are: others may add their own.
    AsMany,
    /// One more than there are, so that none can be added (RFC 6376 §5.4): what people see, and what says how the body is
    /// to be read.
    OneMore,
}

/// What is signed: what makes up the message for its reader (RFC 6376 §5.4.1), and one-click unsubscribing, which has to be
/// signed (RFC 8058 §4). Trace fields and what lists put in front of a subject's message are not.
const FIELDS: [(&str, Named); 26] = [
    ("From", Named::OneMore),
    ("Reply-To", Named::OneMore),
    ("Subject", Named::OneMore),
    ("Date", Named::OneMore),
    ("To", Named::OneMore),
    ("Cc", Named::OneMore),
    ("Message-ID", Named::OneMore),
    ("Content-Type", Named::OneMore),
    ("Content-Transfer-Encoding", Named::AsMany),
    ("MIME-Version", Named::AsMany),
    ("Sender", Named::AsMany),
    ("In-Reply-To", Named::AsMany),
    ("References", Named::AsMany),
    ("Resent-Date", Named::AsMany),
    ("Resent-From", Named::AsMany),
    ("Resent-To", Named::AsMany),
    ("Resent-Cc", Named::AsMany),
    ("List-Id", Named::AsMany),
    ("List-Help", Named::AsMany),
    ("List-Unsubscribe", Named::AsMany),
    ("List-Unsubscribe-Post", Named::AsMany),
    ("List-Subscribe", Named::AsMany),
    ("List-Post", Named::AsMany),
    ("List-Owner", Named::AsMany),
    ("List-Archive", Named::AsMany),
    ("Auto-Submitted", Named::AsMany),
];

/// Instances of one field that are named; a message with more is no usual one.
const INSTANCES_MAX: usize = 20;

/// The names for h=.
pub(crate) fn names_to_sign(message: &Message<'_>) -> Vec<&'static str> {
    let mut names = Vec::with_capacity(32);
    for (name, named) in FIELDS {
        let there = message.named(name).take(INSTANCES_MAX).count();
        let more = usize::from(named == Named::OneMore);
        names.extend(std::iter::repeat_n(name, there + more));
    }
    names
}

/// Signs a message, once for each signer: the fields to be put before it. `time`: now, in seconds since 1970; `lifetime`:
/// seconds after which the signatures count no more (x=).
///
/// The body is hashed once; relaxed forms of both header and body are used, as they survive what relays do to white space.
pub fn sign(message: &Message<'_>, signers: &[Signer<'_>], time: i64, lifetime: Option<u64>) -> Vec<u8> {
    if signers.is_empty() {
        return Vec::new();
    }
    let body = message.hash_body(Canonical::Relaxed, None).expect("only limits are counted").digest;
    let names = names_to_sign(message);
    let mut chosen = Vec::with_capacity(2048);
    message.write_chosen(Canonical::Relaxed, names.iter().copied(), &mut chosen);
    let mut out = Vec::new();
    for signer in signers {
        let mut field = Folded::field("DKIM-Signature");
        field.tag("v", "1");
        write_tags(&mut field, signer, time);
        if let Some(expires) = lifetime.and_then(|lifetime| time.checked_add_unsigned(lifetime)) {
            field.tag("x", &expires.to_string());
        }
        field.tag("c", "relaxed/relaxed");
        field.list("h", &names);
        field.octets("bh", &body);
        out.extend_from_slice(close(field, &chosen, signer.key).as_bytes());
    }
    out
}

/// a=, d=, s=, t=
pub(crate) fn write_tags(field: &mut Folded, signer: &Signer<'_>, time: i64) {
    field.tag("a", signer.key.kind().algorithm());
    // RFC 6376 §3.5: A-labels. (RFC 8616 §4 would allow U-labels in some messages; these are right in all.)
    field.tag("d", &signer.domain.to_ascii());
    field.tag("s", signer.selector);
    field.tag("t", &time.max(0).to_string());
}

/// Signs `before` and the field, and completes it.
pub(crate) fn close(mut field: Folded, before: &[u8], key: &SigningKey) -> String {
    let mut signed = before.to_vec();
    write_field(Canonical::Relaxed, field.open_signature().as_bytes(), &mut signed);
    // §3.7: without a trailing CRLF.
    signed.truncate(signed.len() - 2);
    let signature = key.sign(&signed);
    field.close(&signature)
}
