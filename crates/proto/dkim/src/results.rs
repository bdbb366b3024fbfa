//! Results of checks in words (RFC 8601 §2.2), as Authentication-Results and ARC-Authentication-Results have them.

use std::fmt::Write as _;

/// One result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodResult {
    /// `dkim`, `arc`, `spf`, `dmarc`, …
    pub method: &'static str,
    /// `pass`, `fail`, …
    pub result: &'static str,
    /// Why, in words.
    pub reason: Option<String>,
    /// What was looked at: `header.d` and `example.org`.
    pub properties: Vec<(&'static str, String)>,
}

/// Everything after `Authentication-Results:`, folded: who says so, then each result.
///
/// ```text
/// authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS]
/// ```
pub fn authres_payload(authserv_id: &str, results: &[MethodResult]) -> String {
    let mut out = token(authserv_id);
    if results.is_empty() {
        out.push_str("; none");
    }
    // Writing to a String can't fail.
    for one in results {
        let _ = write!(out, ";\r\n\t{}={}", one.method, one.result);
        if let Some(reason) = &one.reason {
            let _ = write!(out, " reason={}", quoted(reason));
        }
        for (name, value) in &one.properties {
            let _ = write!(out, " {name}={}", token(value));
        }
    }
    out
}

/// As it stands, where it may (addresses and domains); else quoted.
fn token(text: &str) -> String {
    let may = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.@+=/:".contains(c);
    if !text.is_empty() && text.chars().all(may) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_written() {
        assert_eq!(authres_payload("mx.x.test", &[]), "mx.x.test; none");
        let results = [
            MethodResult {
                method: "dkim",
                result: "pass",
                reason: None,
                properties: vec![("header.d", "y.test".into()), ("header.b", "ab+/c=".into())],
            },
            MethodResult {
                method: "arc",
                result: "fail",
                reason: Some("said \"no\"\r\nX: y".into()),
                properties: vec![],
            },
        ];
        assert_eq!(
            authres_payload("mx.x.test", &results),
            "mx.x.test;\r\n\tdkim=pass header.d=y.test header.b=ab+/c=;\r\n\tarc=fail reason=\"said \\\"no\\\"X: y\""
        );
    }
}
