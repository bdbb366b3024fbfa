//! What a server says of itself: the reply to EHLO (RFC 5321 §4.1.1.1).

use super::outcome::{Lack, Protection};
use super::reply::Reply;
use super::transaction::{Options, Transaction};
use crate::ask::BodyType;
use model::ReversePath;
use sasl::Mechanism;

/// An extension without parameters that matter here, or whose parameters stand in [`Peer`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Extension {
    /// RFC 2920
    Pipelining,
    /// RFC 6152
    EightBitMime,
    /// RFC 3030
    Chunking,
    /// RFC 3030; of use only with CHUNKING.
    BinaryMime,
    /// RFC 6531
    SmtpUtf8,
    /// RFC 3461
    Dsn,
    /// RFC 2034
    EnhancedStatusCodes,
    /// RFC 3207
    StartTls,
    /// RFC 1870
    Size,
    /// RFC 4954
    Auth,
    /// RFC 8689
    RequireTls,
    /// RFC 6710
    MtPriority,
    /// RFC 2852
    DeliverBy,
    /// RFC 4865
    FutureRelease,
    /// RFC 9422
    Limits,
    /// RFC 1985
    Etrn,
    /// RFC 2645
    Atrn,
}

const KEYWORDS: [(&str, Extension); 17] = [
    ("PIPELINING", Extension::Pipelining),
    ("8BITMIME", Extension::EightBitMime),
    ("CHUNKING", Extension::Chunking),
    ("BINARYMIME", Extension::BinaryMime),
    ("SMTPUTF8", Extension::SmtpUtf8),
    ("DSN", Extension::Dsn),
    ("ENHANCEDSTATUSCODES", Extension::EnhancedStatusCodes),
    ("STARTTLS", Extension::StartTls),
    ("SIZE", Extension::Size),
    ("AUTH", Extension::Auth),
    ("REQUIRETLS", Extension::RequireTls),
    ("MT-PRIORITY", Extension::MtPriority),
    ("DELIVERBY", Extension::DeliverBy),
    ("FUTURERELEASE", Extension::FutureRelease),
    ("LIMITS", Extension::Limits),
    ("ETRN", Extension::Etrn),
    ("ATRN", Extension::Atrn),
];

/// A server, as far as it has told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peer {
    /// The first word of its reply to EHLO: what it calls itself. Printable; at most 255 octets.
    pub name: String,
    /// Its greeting, without the code.
    pub greeting: String,
    pub(super) extensions: u32,
    /// SIZE: the largest message it takes, in octets; None: it has not said.
    pub size_bytes_max: Option<u64>,
    /// AUTH: those mechanisms that are known here.
    pub mechanisms: Vec<Mechanism>,
    /// LIMITS RCPTMAX: most recipients of one transaction (RFC 9422 §4.2).
    pub recipients_max: Option<u32>,
    /// LIMITS MAILMAX: most transactions of one session (RFC 9422 §4.1).
    pub mails_max: Option<u32>,
    /// LIMITS RCPTDOMAINMAX: most different domains among the recipients of one transaction (RFC 9422 §4.3).
    pub recipient_domains_max: Option<u32>,
    /// DELIVERBY: the least by-time in seconds that it takes (RFC 2852 §3).
    pub deliver_by_s_min: Option<u32>,
}

/// How a message has to be changed, if it can go to a peer at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fit {
    /// Not at all.
    AsIs,
    /// Everything has to be ASCII in lines (RFC 6152 §3): `mime::convert`, then `body` is [`BodyType::SevenBit`].
    ToSevenBit,
    /// It has to be in lines, which may be 8-bit (RFC 3030 §3): `mime::convert`, then `body` is
    /// [`BodyType::EightBitMime`].
    ToEightBit,
    /// It can't go there.
    Lacks(Lack),
}

impl Peer {
    /// Whether the server offers it.
    pub fn has(&self, extension: Extension) -> bool {
        self.extensions & (1 << extension as u8) != 0
    }

    /// What has to be done to a message so that it can go there. Whether recipients need SMTPUTF8 is seen at
    /// [`super::Client::send`]; `options.smtputf8` says whether the message does.
    pub fn fit(&self, options: &Options, content_bytes: u64) -> Fit {
        if options.smtputf8 && !self.has(Extension::SmtpUtf8) {
            return Fit::Lacks(Lack::SmtpUtf8);
        }
        if let Some(limit_bytes) = self.size_bytes_max.filter(|limit| content_bytes > *limit) {
            return Fit::Lacks(Lack::Size { limit_bytes });
        }
        let eight_bit = self.has(Extension::EightBitMime);
        match options.body {
            BodyType::SevenBit => Fit::AsIs,
            BodyType::EightBitMime if eight_bit => Fit::AsIs,
            BodyType::BinaryMime if self.has(Extension::BinaryMime) && self.has(Extension::Chunking) => {
                Fit::AsIs
            }
            BodyType::BinaryMime if eight_bit => Fit::ToEightBit,
            BodyType::EightBitMime | BodyType::BinaryMime => Fit::ToSevenBit,
        }
    }

    /// What the envelope demands and this server has not.
    pub(super) fn lack(&self, transaction: &Transaction, protection: Protection) -> Option<Lack> {
        let Transaction { from, options, content_bytes, .. } = transaction;
        // RFC 8689 §4.2.1 (2), (3): the connection is encrypted, and the next hop promises the same.
        // RFC 8689 §5: for a bounce they are no reason not to send it.
        if options.require_tls && *from != ReversePath::Null {
            if protection == Protection::Clear {
                return Some(Lack::Encryption);
            }
            if !self.has(Extension::RequireTls) {
                return Some(Lack::RequireTls);
            }
        }
        if let Some(by) = options.deliver_by.filter(|by| by.must_return) {
            // RFC 2852 §4.1.4.1, §3: not to one that does not know it, nor with less time than it needs.
            let fits = self.has(Extension::DeliverBy)
                && self.deliver_by_s_min.is_none_or(|least| by.seconds >= i64::from(least));
            if !fits {
                return Some(Lack::DeliverBy);
            }
        }
        match self.fit(options, *content_bytes) {
            Fit::AsIs => None,
            Fit::Lacks(lack) => Some(lack),
            Fit::ToEightBit => Some(Lack::BinaryMime),
            Fit::ToSevenBit if options.body == BodyType::BinaryMime => Some(Lack::BinaryMime),
            Fit::ToSevenBit => Some(Lack::EightBitMime),
        }
    }

    /// Reads the reply to EHLO or LHLO; `greeting` stays.
    ///
    /// ```text
    /// ehlo-ok-rsp = ( "250" SP Domain [ SP ehlo-greet ] CRLF ) / ( "250-" Domain … *( "250-" ehlo-line CRLF ) … )
    /// ehlo-line   = ehlo-keyword *( SP ehlo-param )
    /// ```
    pub(super) fn hear(&mut self, reply: &Reply) {
        *self = Peer { greeting: std::mem::take(&mut self.greeting), ..Peer::default() };
        let mut lines = reply.lines.iter();
        self.name = name_in(lines.next().map_or("", String::as_str));
        for line in lines {
            // Quirk (servers before RFC 4954): `AUTH=LOGIN PLAIN`.
            let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
            let keyword = words.next().unwrap_or("");
            let Some((_, extension)) = KEYWORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(keyword))
            else {
                continue;
            };
            self.extensions |= 1 << *extension as u8;
            match extension {
                // RFC 1870 §4: zero means no fixed limit.
                Extension::Size => {
                    self.size_bytes_max =
                        words.next().and_then(|word| word.parse().ok()).filter(|size| *size != 0);
                }
                Extension::Auth => {
                    for mechanism in words.filter_map(|word| Mechanism::parse(word.as_bytes())) {
                        if !self.mechanisms.contains(&mechanism) {
                            self.mechanisms.push(mechanism);
                        }
                    }
                }
                Extension::DeliverBy => {
                    // RFC 2852 §2 (3): min-by-time *( "," extension-token )
                    let least = words.next().and_then(|word| word.split(',').next());
                    self.deliver_by_s_min = least.and_then(|word| word.parse().ok()).filter(|s| *s != 0);
                }
                Extension::Limits => self.hear_limits(words),
                _ => {}
            }
        }
    }

    /// RFC 9422 §4: name and value, which were split at `=` already; what is not known or zero is passed over.
    fn hear_limits<'a>(&mut self, mut words: impl Iterator<Item = &'a str>) {
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            let Some(value) = value.parse::<u32>().ok().filter(|value| *value != 0) else { continue };
            match name.to_ascii_uppercase().as_str() {
                "RCPTMAX" => self.recipients_max = Some(value),
                "MAILMAX" => self.mails_max = Some(value),
                "RCPTDOMAINMAX" => self.recipient_domains_max = Some(value),
                _ => {}
            }
        }
    }
}

/// The domain at the head of a greeting, bounded.
pub(super) fn name_in(line: &str) -> String {
    let word = line.split([' ', '\t']).next().unwrap_or("");
    word[..word.floor_char_boundary(255)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        let mut reader = super::super::ReplyReader::default();
        reader.feed(text.replace('\n', "\r\n").as_bytes());
        let mut peer = Peer::default();
        peer.hear(&reader.read().unwrap().unwrap());
        peer
    }

    #[test]
    fn extensions_are_heard() {
        let all = peer(
            "250-mx.example.test hello\n250-size 1000\n250-8BITMIME\n250-AUTH=LOGIN\n250-AUTH PLAIN LOGIN NTLM\n\
             250-LIMITS RCPTMAX=20 MAILMAX=5 XFOO=1 RCPTDOMAINMAX=1\n250-DELIVERBY 240\n250-XANYTHING\n250 PIPELINING\n",
        );
        assert_eq!(all.name, "mx.example.test");
        assert_eq!(all.size_bytes_max, Some(1000));
        assert_eq!(all.mechanisms, [Mechanism::Login, Mechanism::Plain]);
        assert_eq!(
            (all.recipients_max, all.mails_max, all.recipient_domains_max),
            (Some(20), Some(5), Some(1))
        );
        assert_eq!(all.deliver_by_s_min, Some(240));
        assert!(all.has(Extension::Pipelining) && all.has(Extension::EightBitMime));
        assert!(!all.has(Extension::Chunking) && !all.has(Extension::StartTls));
        let none = peer("250-x\n250-SIZE\n250-LIMITS RCPTMAX\n250-\n250 SIZE 0\n");
        assert_eq!((none.size_bytes_max, none.recipients_max), (None, None));
        assert!(none.has(Extension::Size));
    }

    #[test]
    fn what_fits() {
        let options = |body| Options { body, ..Options::default() };
        let old = peer("250 x\n");
        let new = peer("250-x\n250-8BITMIME\n250-SIZE 100\n250 SMTPUTF8\n");
        let newest = peer("250-x\n250-8BITMIME\n250-CHUNKING\n250 BINARYMIME\n");
        assert_eq!(old.fit(&options(BodyType::EightBitMime), 1), Fit::ToSevenBit);
        assert_eq!(new.fit(&options(BodyType::EightBitMime), 1), Fit::AsIs);
        assert_eq!(new.fit(&options(BodyType::BinaryMime), 1), Fit::ToEightBit);
        assert_eq!(newest.fit(&options(BodyType::BinaryMime), 1), Fit::AsIs);
        assert_eq!(new.fit(&options(BodyType::SevenBit), 101), Fit::Lacks(Lack::Size { limit_bytes: 100 }));
        let utf8 = Options { smtputf8: true, ..Options::default() };
        assert_eq!(old.fit(&utf8, 1), Fit::Lacks(Lack::SmtpUtf8));
        assert_eq!(new.fit(&utf8, 1), Fit::AsIs);
    }

    #[test]
    fn what_an_envelope_demands() {
        let (old, strict) = (peer("250 x\n"), peer("250-x\n250 REQUIRETLS\n"));
        let with = |from, options| Transaction { from, recipients: Vec::new(), options, content_bytes: 1 };
        let sender = ReversePath::Mailbox(model::EmailAddress::parse("a@x.test").unwrap());
        let tls = with(sender.clone(), Options { require_tls: true, ..Options::default() });
        assert_eq!(old.lack(&tls, Protection::Tls), Some(Lack::RequireTls));
        assert_eq!(strict.lack(&tls, Protection::Clear), Some(Lack::Encryption));
        assert_eq!(strict.lack(&tls, Protection::Tls), None);
        let bounce = Transaction { from: ReversePath::Null, ..tls };
        assert_eq!(old.lack(&bounce, Protection::Tls), None);
        assert_eq!(old.lack(&bounce, Protection::Clear), None);
        let by = |seconds, must_return| Some(crate::ask::DeliverBy { seconds, must_return, trace: false });
        let timed = |deliver_by| with(sender.clone(), Options { deliver_by, ..Options::default() });
        let quick = peer("250-x\n250 DELIVERBY 60,X\n");
        assert_eq!(old.lack(&timed(by(100, true)), Protection::Tls), Some(Lack::DeliverBy));
        assert_eq!(quick.lack(&timed(by(59, true)), Protection::Tls), Some(Lack::DeliverBy));
        assert_eq!(quick.lack(&timed(by(60, true)), Protection::Tls), None);
        assert_eq!(old.lack(&timed(by(-5, false)), Protection::Tls), None);
    }
}
