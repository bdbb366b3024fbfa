//! SMTP TLS reports (RFC 8460): where they go, what is counted, and the JSON that both sides write and read.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Kinds of failure kept of one domain and day; more are counted as failures without details.
const FAILURES_MAX: usize = 100;
/// Policies kept of one domain and day.
const POLICIES_MAX: usize = 20;
/// Addresses of one record that are used.
const PLACES_MAX: usize = 4;
/// Lines of a policy that a report shows.
const LINES_MAX: usize = 100;
/// Longest text taken from a report of somebody else.
const TEXT_MAX: usize = 300;

/// Where reports about a domain go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// To this address.
    Mail(String),
    /// To this https URL.
    Https(String),
}

/// The places in the TXT records at `_smtp._tls.` of a domain (RFC 8460 §3); none unless exactly one record is there.
pub fn record_places<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Place> {
    let mut records = texts.into_iter().filter_map(|text| {
        text.strip_prefix("v=TLSRPTv1")?.trim_start_matches([' ', '\t']).strip_prefix(';')
    });
    // "If multiple TXT records ... are returned, records that do not begin with "v=TLSRPTv1;" are discarded. If the number
    // of resulting records is not one, senders MUST assume the recipient domain does not implement TLSRPT."
    let (Some(fields), None) = (records.next(), records.next()) else { return Vec::new() };
    let rua = fields.split(';').find_map(|field| field.trim_matches([' ', '\t']).strip_prefix("rua="));
    let place = |uri: &str| {
        let uri = uri.trim_matches([' ', '\t']);
        if let Some(address) = uri.strip_prefix("mailto:") {
            let address = address.split('?').next().unwrap_or(address);
            return unescaped(address).filter(|address| address.contains('@')).map(Place::Mail);
        }
        uri.starts_with("https://").then(|| Place::Https(uri.to_owned()))
    };
    rua.into_iter().flat_map(|rua| rua.split(',')).filter_map(place).take(PLACES_MAX).collect()
}

/// RFC 3986 §2.1; RFC 8460 §3 has "!", "," and ";" written so.
fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        out.push((digit(rest.next())? << 4 | digit(rest.next())?) as u8);
    }
    String::from_utf8(out).ok().filter(|text| !text.contains(char::is_control))
}

/// What failed (RFC 8460 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub enum ResultType {
    /// The host offers no STARTTLS.
    StarttlsNotSupported,
    /// The certificate is for another host.
    CertificateHostMismatch,
    /// The certificate's time is over.
    CertificateExpired,
    /// No known authority signed it.
    CertificateNotTrusted,
    /// Anything else.
    ValidationFailure,
    /// The TLSA records are no good.
    TlsaInvalid,
    /// The TLSA records or what leads to them failed DNSSEC.
    DnssecInvalid,
    /// DANE is demanded, and there are no records.
    DaneRequired,
    /// The policy could not be fetched.
    StsPolicyFetchError,
    /// The policy could not be read, or does not name the host.
    StsPolicyInvalid,
    /// The policy's host has a wrong certificate.
    StsWebpkiInvalid,
}

impl ResultType {
    /// As a report writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ResultType::StarttlsNotSupported => "starttls-not-supported",
            ResultType::CertificateHostMismatch => "certificate-host-mismatch",
            ResultType::CertificateExpired => "certificate-expired",
            ResultType::CertificateNotTrusted => "certificate-not-trusted",
            ResultType::ValidationFailure => "validation-failure",
            ResultType::TlsaInvalid => "tlsa-invalid",
            ResultType::DnssecInvalid => "dnssec-invalid",
            ResultType::DaneRequired => "dane-required",
            ResultType::StsPolicyFetchError => "sts-policy-fetch-error",
            ResultType::StsPolicyInvalid => "sts-policy-invalid",
            ResultType::StsWebpkiInvalid => "sts-webpki-invalid",
        }
    }
}

/// The policy that a session was held to.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub enum Applied {
    /// MTA-STS: the policy's text, and its host patterns.
    Sts(Vec<String>, Vec<String>),
    /// DANE: the host and its TLSA records as text.
    Tlsa(String, Vec<String>),
    /// None.
    NoPolicy,
}

/// A failure: what, and where.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Failure {
    /// What.
    pub result: ResultType,
    /// Our address; empty if there was no connection.
    pub sending_ip: String,
    /// The host; empty if it did not come to one.
    pub mx: String,
    /// Its address.
    pub receiving_ip: String,
    /// More, in words.
    pub reason: String,
}

/// What was counted for one policy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct PolicyTally {
    /// Which.
    pub applied: Applied,
    /// Sessions that met it.
    pub successes: u64,
    /// Sessions that did not.
    pub failures: u64,
    /// Of these, by kind.
    pub details: Vec<(Failure, u64)>,
}

/// What was counted for one domain on one day.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Tally {
    /// By policy.
    pub policies: Vec<PolicyTally>,
}

impl Tally {
    /// Counts a session.
    pub fn count(&mut self, applied: &Applied, failure: Option<&Failure>) {
        let at = self.policies.iter().position(|one| one.applied == *applied).unwrap_or_else(|| {
            if self.policies.len() < POLICIES_MAX {
                let (applied, details) = (applied.clone(), Vec::new());
                self.policies.push(PolicyTally { applied, successes: 0, failures: 0, details });
            }
            self.policies.len() - 1
        });
        let policy = &mut self.policies[at];
        let Some(failure) = failure else {
            policy.successes += 1;
            return;
        };
        policy.failures += 1;
        policy.detail(failure, 1);
    }

    /// Adds what another counted.
    pub fn add(&mut self, other: &Tally) {
        for policy in &other.policies {
            let at = self.policies.iter().position(|known| known.applied == policy.applied);
            let Some(at) = at else {
                if self.policies.len() < POLICIES_MAX {
                    self.policies.push(policy.clone());
                }
                continue;
            };
            let known = &mut self.policies[at];
            known.successes += policy.successes;
            known.failures += policy.failures;
            for (failure, count) in &policy.details {
                known.detail(failure, *count);
            }
        }
    }
}

impl PolicyTally {
    fn detail(&mut self, failure: &Failure, count: u64) {
        if let Some((_, sum)) = self.details.iter_mut().find(|(known, _)| known == failure) {
            *sum += count;
        } else if self.details.len() < FAILURES_MAX {
            self.details.push((failure.clone(), count));
        }
    }
}

/// Who reports, and about which day.
#[derive(Clone, Debug)]
pub struct Cover<'a> {
    /// The organization that reports.
    pub organization: &'a str,
    /// Whom to ask about it.
    pub contact: &'a str,
    /// Unique.
    pub id: &'a str,
    /// Days since 1970 (UTC; RFC 8460 §4.1).
    pub day: u32,
}

/// The report about `domain` as JSON (RFC 8460 §4.4).
pub fn to_json(cover: &Cover<'_>, domain: &str, tally: &Tally) -> String {
    let at = |seconds: i64| {
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        at.format(&Rfc3339).unwrap_or_default()
    };
    let start = i64::from(cover.day) * 86_400;
    let policies: Vec<Value> = tally.policies.iter().map(|policy| policy_json(domain, policy)).collect();
    json!({
        "organization-name": cover.organization,
        "date-range": { "start-datetime": at(start), "end-datetime": at(start + 86_399) },
        "contact-info": cover.contact,
        "report-id": cover.id,
        "policies": policies,
    })
    .to_string()
}

fn policy_json(domain: &str, tally: &PolicyTally) -> Value {
    let policy = match &tally.applied {
        Applied::Sts(lines, hosts) => {
            let lines = &lines[..lines.len().min(LINES_MAX)];
            json!({ "policy-type": "sts", "policy-string": lines, "policy-domain": domain, "mx-host": hosts })
        }
        // RFC 8460 §1.1: for DANE the policy domain is the TLSA base domain.
        Applied::Tlsa(base, records) => {
            json!({ "policy-type": "tlsa", "policy-string": records, "policy-domain": base, "mx-host": [base] })
        }
        Applied::NoPolicy => json!({ "policy-type": "no-policy-found", "policy-domain": domain }),
    };
    let details: Vec<Value> = tally
        .details
        .iter()
        .map(|(failure, count)| {
            let mut detail = json!({ "result-type": failure.result.as_str(), "failed-session-count": count });
            for (key, value) in [
                ("sending-mta-ip", &failure.sending_ip),
                ("receiving-mx-hostname", &failure.mx),
                ("receiving-ip", &failure.receiving_ip),
                ("failure-reason-code", &failure.reason),
            ] {
                if !value.is_empty() {
                    detail[key] = json!(value);
                }
            }
            detail
        })
        .collect();
    let mut out = json!({
        "policy": policy,
        "summary": {
            "total-successful-session-count": tally.successes,
            "total-failure-session-count": tally.failures,
        },
    });
    if !details.is_empty() {
        out["failure-details"] = json!(details);
    }
    out
}

/// What somebody reported about a domain of ours.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Received {
    /// Who.
    pub organization: String,
    /// His name for it.
    pub id: String,
    /// From when to when, as written.
    pub range: (String, String),
    /// By policy domain: type, successes, failures.
    pub policies: Vec<ReceivedPolicy>,
}

/// One policy of a received report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct ReceivedPolicy {
    /// The domain (of DANE the host) that it is about.
    pub domain: String,
    /// `sts`, `tlsa` or `no-policy-found`.
    pub kind: String,
    /// Sessions that met it.
    pub successes: u64,
    /// Sessions that did not.
    pub failures: u64,
    /// What failed: result type, host, more in words, count.
    pub details: Vec<(String, String, String, u64)>,
}

/// Reads a report.
///
/// # Errors
/// A sentence: what is wrong with it.
pub fn from_json(text: &[u8]) -> Result<Received, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let text =
        |value: &Value| -> String { value.as_str().unwrap_or_default().chars().take(TEXT_MAX).collect() };
    let entries = value["policies"].as_array().ok_or("it has no policies")?;
    let policy = |entry: &Value| ReceivedPolicy {
        domain: text(&entry["policy"]["policy-domain"]).to_ascii_lowercase(),
        kind: text(&entry["policy"]["policy-type"]),
        successes: entry["summary"]["total-successful-session-count"].as_u64().unwrap_or(0),
        failures: entry["summary"]["total-failure-session-count"].as_u64().unwrap_or(0),
        details: entry["failure-details"]
            .as_array()
            .into_iter()
            .flatten()
            .take(FAILURES_MAX)
            .map(|detail| {
                let reason = match text(&detail["failure-reason-code"]) {
                    empty if empty.is_empty() => text(&detail["additional-information"]),
                    reason => reason,
                };
                let count = detail["failed-session-count"].as_u64().unwrap_or(0);
                (text(&detail["result-type"]), text(&detail["receiving-mx-hostname"]), reason, count)
            })
            .collect(),
    };
    let id = text(&value["report-id"]);
    if id.is_empty() {
        return Err("it has no report-id".into());
    }
    let range = &value["date-range"];
    Ok(Received {
        organization: text(&value["organization-name"]),
        id,
        range: (text(&range["start-datetime"]), text(&range["end-datetime"])),
        policies: entries.iter().take(FAILURES_MAX).map(policy).collect(),
    })
}
