//! Which capabilities are advertised when (RFC 3501 §6.1.1, RFC 9051 §7.2.2): each one only when it works in full, and
//! only in the states in which it can be used.

use crate::session::{MessageLimit, Settings};
use sasl::Mechanism;
use wire::TlsInfo;

/// What a client can still do about its log-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    /// Before the log-in.
    Before {
        /// STARTTLS may be given now.
        starttls: bool,
        /// Passwords may travel now.
        plaintext: bool,
    },
    /// After it.
    After,
    /// The same, of nobody in particular (ANONYMOUS, RFC 4505), who may only read.
    Anonymous,
}

/// Told in every state. ENABLE and IDLE are of use after the log-in only, but clients that read the list just once do so
/// before it. Quirk (Python's imaplib): refuses `enable()` and `idle()` when they were not in the first list.
const ALWAYS: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LANGUAGE IDLE";

/// Usable after the log-in.
const AUTHENTICATED: &str = "NAMESPACE ACL RIGHTS=kxten LIST-MYRIGHTS CHILDREN UNSELECT UIDPLUS MOVE MULTIAPPEND ESEARCH MULTISEARCH SEARCHRES WITHIN \
                             SORT SORT=DISPLAY ESORT CONTEXT=SEARCH CONTEXT=SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS \
                             CONDSTORE QRESYNC SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE OBJECTID \
                             SAVEDATE UNAUTHENTICATE COMPRESS=DEFLATE BINARY CATENATE URL-PARTIAL URLAUTH URLAUTH=BINARY PREVIEW REPLACE PARTIAL QUOTA QUOTASET QUOTA=RES-STORAGE \
                             QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX UTF8=ACCEPT UIDONLY UIDBATCHES INPROGRESS I18NLEVEL=2 \
                             NOTIFY FILTERS METADATA LIST-METADATA SEARCH=FUZZY ANNOTATE-EXPERIMENT-1";

/// Of these, what nobody in particular can use: commands that change something, or that are kept from him.
const NOT_FOR_ANYBODY: [&str; 11] = [
    "ACL",
    "RIGHTS=kxten",
    "UIDPLUS",
    "MOVE",
    "MULTIAPPEND",
    "CREATE-SPECIAL-USE",
    "CATENATE",
    "REPLACE",
    "QUOTASET",
    "NOTIFY",
    "METADATA",
];

/// Whether a mechanism may be used now. RFC 4616 §5: no password in clear without TLS.
pub(crate) fn is_offered(mechanism: Mechanism, stage: Stage, tls: Option<&TlsInfo>) -> bool {
    match stage {
        Stage::Before { plaintext, .. } => mechanism.is_usable(tls, plaintext),
        Stage::After | Stage::Anonymous => false,
    }
}

/// Appends the list, as it stands in `* CAPABILITY …` and in `[CAPABILITY …]`.
pub(crate) fn write(stage: Stage, settings: &Settings, tls: Option<&TlsInfo>, out: &mut Vec<u8>) {
    out.extend_from_slice(ALWAYS.as_bytes());
    match stage {
        Stage::Before { starttls, plaintext } => {
            // RFC 9051 §6.1.1: only where the command is legal.
            if starttls {
                out.extend_from_slice(b" STARTTLS");
            }
            if !plaintext {
                // RFC 3501 §6.2.3: LOGIN is refused.
                out.extend_from_slice(b" LOGINDISABLED");
            }
            for mechanism in
                settings.mechanisms.iter().filter(|mechanism| is_offered(**mechanism, stage, tls))
            {
                out.extend_from_slice(b" AUTH=");
                out.extend_from_slice(mechanism.name().as_bytes());
            }
        }
        Stage::Anonymous => {
            for name in AUTHENTICATED.split_whitespace().filter(|name| !NOT_FOR_ANYBODY.contains(name)) {
                out.push(b' ');
                out.extend_from_slice(name.as_bytes());
            }
            if let MessageLimit::Every(limit) = settings.message_limit {
                out.extend_from_slice(b" MESSAGELIMIT=");
                crate::write::number(out, u64::from(limit));
            }
        }
        Stage::After => {
            out.push(b' ');
            out.extend_from_slice(AUTHENTICATED.as_bytes());
            // RFC 7889 §3: the same for every mailbox.
            out.extend_from_slice(b" APPENDLIMIT=");
            crate::write::number(out, settings.message_bytes_max);
            // RFC 9738 §3: one or the other.
            let (name, limit): (&[u8], u32) = match settings.message_limit {
                MessageLimit::None => return,
                MessageLimit::Save(limit) => (b" SAVELIMIT=", limit),
                MessageLimit::Every(limit) => (b" MESSAGELIMIT=", limit),
            };
            out.extend_from_slice(name);
            crate::write::number(out, u64::from(limit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(stage: Stage) -> String {
        let mut out = Vec::new();
        write(stage, &Settings::default(), None, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_password_is_invited_in_clear() {
        let clear = list(Stage::Before { starttls: true, plaintext: false });
        assert!(clear.contains(" STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256 "));
        assert!(!clear.contains("PLAIN") && !clear.contains("AUTH=LOGIN"));
        let tls = list(Stage::Before { starttls: false, plaintext: true });
        assert!(tls.contains("AUTH=PLAIN") && !tls.contains("STARTTLS") && !tls.contains("LOGINDISABLED"));
        let after = list(Stage::After);
        assert!(!after.contains(" AUTH=") && !after.contains("STARTTLS") && after.contains(" IDLE "));
        assert!(!after.contains("  "));
        let anybody = list(Stage::Anonymous);
        assert!(!anybody.contains("  ") && anybody.contains(" IDLE NAMESPACE LIST-MYRIGHTS "));
        for name in NOT_FOR_ANYBODY {
            let has = |list: &str| list.split(' ').any(|word| word == name);
            assert!(has(&after) && !has(&anybody), "{name}");
        }
        assert!(!anybody.contains("LIMIT"));
        assert!(clear.contains(" ENABLE LANGUAGE IDLE ") && !clear.contains("NAMESPACE"));
    }
}
