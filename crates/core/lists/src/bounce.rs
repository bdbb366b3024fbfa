//! Whether what came back to a member's own reverse-path says that his copy did not arrive.

/// RFC 3464: a report with a recipient whose action is "failed". Warnings of a delay and confirmations are none, and no
/// more are answers by machines (RFC 3834); anything else with a null reverse-path is the bounce of a host that knows no
/// reports.
pub fn is_failure(message: &[u8], null_reverse_path: bool) -> bool {
    let structure = mime::parse(message);
    let is_status = |kind: mime::content::ContentType<'_>| {
        kind.is("message", "delivery-status") || kind.is("message", "global-delivery-status")
    };
    let status = structure.ids().find(|id| is_status(structure.part(*id).content_type()));
    if let Some(status) = status {
        return actions(structure.body(status)).any(|action| action.eq_ignore_ascii_case(b"failed"));
    }
    // RFC 3834 §5: answers of vacation programs and the like.
    let auto = mime::header::first(message, "Auto-Submitted").map(mime::header::unfold);
    let answered = auto.is_some_and(|value| value.to_ascii_lowercase().starts_with(b"auto-replied"));
    null_reverse_path && !answered
}

/// The Action of each recipient (RFC 3464 §2.3.3).
fn actions(status: &[u8]) -> impl Iterator<Item = &[u8]> {
    status.split(|b| *b == b'\n').filter_map(|line| {
        let (name, value) = line.split_at_checked(7)?;
        name.eq_ignore_ascii_case(b"action:").then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(action: &str) -> Vec<u8> {
        format!(
            "From: x\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; \
             boundary=b\r\n\r\n--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; y\r\n\r\nFinal-Recipient: rfc822; a@y.test\r\nAction: {action}\r\n\
             Status: 5.1.1\r\n--b--\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn only_failures_count() {
        assert!(is_failure(&report("failed"), true));
        assert!(is_failure(&report("Failed"), false));
        for other in ["delayed", "delivered", "relayed", "expanded", ""] {
            assert!(!is_failure(&report(other), true), "{other}");
        }
        let plain = b"Subject: failure notice\r\n\r\nHi. This is the qmail-send program";
        assert!(is_failure(plain, true) && !is_failure(plain, false));
        let vacation = b"Auto-Submitted: auto-replied (vacation)\r\n\r\nI am away";
        assert!(!is_failure(vacation, true));
        assert!(is_failure(b"", true) && !is_failure(b"", false));
    }
}
