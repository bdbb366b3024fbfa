//! One message on its way to one host: its envelope, and the MAIL and RCPT commands that say it.

use super::peer::{Extension, Peer};
use crate::ask::{BodyType, DeliverBy, Notify, NotifyOn, OriginalRecipient, Recipient, Ret};
use crate::xtext;
use model::{EmailAddress, Path, ReversePath};
use std::fmt::Write as _;

/// A message to be handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Where a bounce goes.
    pub from: ReversePath,
    /// At least one; outcomes come in this order.
    pub recipients: Vec<Recipient>,
    /// What else the envelope says.
    pub options: Options,
    /// Length of the message in octets, as it will be given to [`super::Client::content`] (after any conversion, before
    /// dots are stuffed). Unless `options.body` is [`BodyType::BinaryMime`], every line ends with CRLF and there is no CR
    /// or LF besides.
    pub content_bytes: u64,
}

/// Parameters of MAIL. Those that the peer does not know are left out, except where leaving out would break a promise:
/// then the message is refused ([`super::Lack`]).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// BODY=: what the message consists of.
    pub body: BodyType,
    /// The header holds UTF-8 (RFC 6531). Addresses are looked at by themselves.
    pub smtputf8: bool,
    /// RET=
    pub ret: Option<Ret>,
    /// ENVID=, decoded.
    pub envid: Option<String>,
    /// REQUIRETLS (RFC 8689).
    pub require_tls: bool,
    /// MT-PRIORITY= (RFC 6710), -9 to 9; None or a peer without the extension: not said.
    pub priority: Option<i8>,
    /// BY= (RFC 2852).
    pub deliver_by: Option<DeliverBy>,
    /// AUTH= (RFC 4954 §5): who submitted it, [`ReversePath::Null`] when nobody vouches. Said only where AUTH is offered.
    pub submitter: Option<ReversePath>,
}

impl Transaction {
    /// Whether the sender's own address needs SMTPUTF8.
    pub(super) fn sender_needs_utf8(&self) -> bool {
        matches!(&self.from, ReversePath::Mailbox(address) if address.needs_utf8())
    }

    /// Whether MAIL says SMTPUTF8: where it is needed, which is less often than where it is offered.
    pub(super) fn says_utf8(&self, peer: &Peer) -> bool {
        peer.has(Extension::SmtpUtf8)
            && (self.options.smtputf8
                || self.sender_needs_utf8()
                || self.recipients.iter().any(|recipient| needs_utf8(&recipient.path)))
    }

    /// Appends MAIL.
    pub(super) fn write_mail(&self, peer: &Peer, out: &mut Vec<u8>) {
        let utf8 = self.says_utf8(peer);
        let options = &self.options;
        let mut line = match &self.from {
            ReversePath::Null => "MAIL FROM:<>".to_owned(),
            ReversePath::Mailbox(address) => format!("MAIL FROM:<{}>", spelled(address, utf8)),
        };
        let mut add = |text: std::fmt::Arguments<'_>| line.write_fmt(text).unwrap_or_default();
        if peer.has(Extension::Size) {
            add(format_args!(" SIZE={}", self.content_bytes));
        }
        match options.body {
            BodyType::SevenBit => {}
            BodyType::EightBitMime => add(format_args!(" BODY=8BITMIME")),
            BodyType::BinaryMime => add(format_args!(" BODY=BINARYMIME")),
        }
        if utf8 {
            add(format_args!(" SMTPUTF8"));
        }
        if peer.has(Extension::Dsn) {
            match options.ret {
                Some(Ret::Full) => add(format_args!(" RET=FULL")),
                Some(Ret::Headers) => add(format_args!(" RET=HDRS")),
                None => {}
            }
            if let Some(envid) = &options.envid {
                add(format_args!(" ENVID={}", xtext::encode(envid)));
            }
        }
        if options.require_tls && peer.has(Extension::RequireTls) {
            add(format_args!(" REQUIRETLS"));
        }
        if let Some(priority) = options.priority.filter(|_| peer.has(Extension::MtPriority)) {
            add(format_args!(" MT-PRIORITY={}", priority.clamp(-9, 9)));
        }
        if let Some(by) = options.deliver_by.filter(|_| peer.has(Extension::DeliverBy)) {
            // RFC 2852 §4: nine digits.
            let seconds = by.seconds.clamp(-999_999_999, 999_999_999);
            let mode = if by.must_return { 'R' } else { 'N' };
            add(format_args!(" BY={seconds};{mode}{}", if by.trace { "T" } else { "" }));
        }
        if let Some(submitter) = options.submitter.as_ref().filter(|_| peer.has(Extension::Auth)) {
            let text = match submitter {
                ReversePath::Mailbox(address) if utf8 || !address.needs_utf8() => {
                    xtext::encode(&spelled(address, false))
                }
                _ => "<>".to_owned(),
            };
            add(format_args!(" AUTH={text}"));
        }
        line.push_str("\r\n");
        out.extend_from_slice(line.as_bytes());
    }

    /// What the next host is asked to tell. RFC 2852 §4.1.4.2: one that does not know the time to deliver by is asked for
    /// delays besides.
    fn notify(&self, asked: Option<Notify>, peer: &Peer) -> Option<Notify> {
        let is_timed = self.options.deliver_by.is_some_and(|by| by.seconds > 0);
        match asked {
            _ if !is_timed || peer.has(Extension::DeliverBy) => asked,
            None => Some(Notify::default().with(NotifyOn::Failure).with(NotifyOn::Delay)),
            Some(Notify::NEVER) => asked,
            Some(set) => Some(set.with(NotifyOn::Delay)),
        }
    }

    /// Appends RCPT for the recipient at `index`.
    pub(super) fn write_rcpt(&self, index: usize, peer: &Peer, out: &mut Vec<u8>) {
        let utf8 = self.says_utf8(peer);
        let Recipient { path, notify, original } = &self.recipients[index];
        let mut line = match path {
            Path::Postmaster => "RCPT TO:<postmaster>".to_owned(),
            Path::Mailbox(address) => format!("RCPT TO:<{}>", spelled(address, utf8)),
        };
        if peer.has(Extension::Dsn) {
            if let Some(notify) = self.notify(*notify, peer) {
                line.push_str(" NOTIFY=");
                line.push_str(&notify_value(notify));
            }
            if let Some(value) = original.as_ref().and_then(|original| orcpt_value(original, utf8)) {
                line.push_str(" ORCPT=");
                line.push_str(&value);
            }
        }
        line.push_str("\r\n");
        out.extend_from_slice(line.as_bytes());
    }
}

/// Whether that address can't be written in ASCII.
pub(super) fn needs_utf8(path: &Path) -> bool {
    matches!(path, Path::Mailbox(address) if address.needs_utf8())
}

/// RFC 6531 §3.3: U-labels with SMTPUTF8, A-labels without.
fn spelled(address: &EmailAddress, utf8: bool) -> String {
    crate::header::spelled(address, utf8)
}

fn notify_value(notify: Notify) -> String {
    if notify == Notify::NEVER {
        return "NEVER".to_owned();
    }
    let words = [(NotifyOn::Success, "SUCCESS"), (NotifyOn::Failure, "FAILURE"), (NotifyOn::Delay, "DELAY")];
    let chosen: Vec<&str> =
        words.into_iter().filter_map(|(on, word)| notify.has(on).then_some(word)).collect();
    chosen.join(",")
}

/// RFC 3461 §4.2; RFC 6533 §3: an address of the type utf-8 has encodings of its own, which a peer without SMTPUTF8 can
/// carry too. None when it does not fit into 500 octets, or can't be said.
fn orcpt_value(original: &OriginalRecipient, utf8: bool) -> Option<String> {
    let OriginalRecipient { addr_type, address } = original;
    let value = match (addr_type.as_str(), address.is_ascii()) {
        ("utf-8", _) => format!("utf-8;{}", xtext::encode_utf8_address(address, utf8)),
        (addr_type, true) => format!("{addr_type};{}", xtext::encode(address)),
        // RFC 6533 §3: rfc822 is ASCII only.
        ("rfc822", false) => format!("utf-8;{}", xtext::encode_utf8_address(address, utf8)),
        (_, false) => return None,
    };
    (value.len() <= 500).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    fn peer(keywords: &str) -> Peer {
        let mut reader = super::super::ReplyReader::default();
        let lines: String = keywords.split(',').map(|word| format!("250-{word}\r\n")).collect();
        reader.feed(format!("250-x\r\n{lines}250 \r\n").as_bytes());
        let mut peer = Peer::default();
        peer.hear(&reader.read().unwrap().unwrap());
        peer
    }

    fn transaction() -> Transaction {
        Transaction {
            from: ReversePath::Mailbox(address("a@пример.рф")),
            recipients: vec![Recipient {
                path: Path::Mailbox(address("\"b c\"@x.test")),
                notify: Some(Notify::NEVER.with(NotifyOn::Success).with(NotifyOn::Delay)),
                original: Some(OriginalRecipient {
                    addr_type: "rfc822".into(),
                    address: "b+c=d e@x.test".into(),
                }),
            }],
            options: Options {
                ret: Some(Ret::Headers),
                envid: Some("a b=c+".into()),
                priority: Some(3),
                deliver_by: Some(DeliverBy { seconds: 120, must_return: true, trace: true }),
                submitter: Some(ReversePath::Mailbox(address("e=mc2@example.com"))),
                ..Options::default()
            },
            content_bytes: 1234,
        }
    }

    fn lines(transaction: &Transaction, peer: &Peer) -> (String, String) {
        let (mut mail, mut rcpt) = (Vec::new(), Vec::new());
        transaction.write_mail(peer, &mut mail);
        transaction.write_rcpt(0, peer, &mut rcpt);
        (String::from_utf8(mail).unwrap(), String::from_utf8(rcpt).unwrap())
    }

    #[test]
    fn parameters_go_where_they_are_known() {
        let mut transaction = transaction();
        let (mail, rcpt) = lines(&transaction, &peer(""));
        assert_eq!(mail, "MAIL FROM:<a@xn--e1afmkfd.xn--p1ai>\r\n");
        assert_eq!(rcpt, "RCPT TO:<\"b c\"@x.test>\r\n");
        let all = peer("SIZE,DSN,8BITMIME,SMTPUTF8,MT-PRIORITY,DELIVERBY,AUTH PLAIN");
        let (mail, rcpt) = lines(&transaction, &all);
        assert_eq!(
            mail,
            "MAIL FROM:<a@xn--e1afmkfd.xn--p1ai> SIZE=1234 RET=HDRS ENVID=a+20b+3Dc+2B MT-PRIORITY=3 BY=120;RT \
             AUTH=e+3Dmc2@example.com\r\n"
        );
        assert_eq!(
            rcpt,
            "RCPT TO:<\"b c\"@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc+3Dd+20e@x.test\r\n"
        );
        transaction.options.smtputf8 = true;
        transaction.options.body = BodyType::EightBitMime;
        assert!(
            lines(&transaction, &all)
                .0
                .starts_with("MAIL FROM:<a@пример.рф> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=")
        );
    }

    #[test]
    fn a_host_that_knows_no_time_is_asked_for_delays() {
        let mut transaction = transaction();
        let rcpt = |transaction: &Transaction, keywords: &str| lines(transaction, &peer(keywords)).1;
        transaction.recipients[0].notify = Some(Notify::default().with(NotifyOn::Success));
        assert!(rcpt(&transaction, "DSN").contains(" NOTIFY=SUCCESS,DELAY "));
        assert!(rcpt(&transaction, "DSN,DELIVERBY").contains(" NOTIFY=SUCCESS "));
        transaction.recipients[0].notify = None;
        assert!(rcpt(&transaction, "DSN").contains(" NOTIFY=FAILURE,DELAY "));
        transaction.recipients[0].notify = Some(Notify::NEVER);
        assert!(rcpt(&transaction, "DSN").contains(" NOTIFY=NEVER "));
    }

    #[test]
    fn our_own_server_reads_what_is_written() {
        let transaction = transaction();
        let peer = peer("SIZE,DSN,AUTH PLAIN");
        let (mail, rcpt) = lines(&transaction, &peer);
        let mail = params::mail(mail.trim_end().strip_prefix("MAIL ").unwrap(), &[]).unwrap();
        assert_eq!((mail.from, mail.envid), (transaction.from.clone(), transaction.options.envid.clone()));
        assert_eq!(mail.submitter, transaction.options.submitter);
        let rcpt = params::rcpt(rcpt.trim_end().strip_prefix("RCPT ").unwrap(), false).unwrap();
        let wanted = &transaction.recipients[0];
        assert_eq!(
            (rcpt.path, rcpt.notify, rcpt.original),
            (wanted.path.clone(), wanted.notify, wanted.original.clone())
        );
    }

    #[test]
    fn utf8_originals() {
        let original = |addr_type: &str, address: &str| OriginalRecipient {
            addr_type: addr_type.into(),
            address: address.into(),
        };
        let value = |original: &OriginalRecipient, utf8| orcpt_value(original, utf8);
        assert_eq!(value(&original("utf-8", "п+@b.test"), true).as_deref(), Some("utf-8;п\\x{2B}@b.test"));
        assert_eq!(value(&original("utf-8", "п@b.test"), false).as_deref(), Some("utf-8;\\x{43F}@b.test"));
        assert_eq!(value(&original("rfc822", "п@b.test"), false).as_deref(), Some("utf-8;\\x{43F}@b.test"));
        assert_eq!(value(&original("x400", "п"), true), None);
        assert_eq!(value(&original("rfc822", &"x".repeat(500)), true), None);
    }
}
