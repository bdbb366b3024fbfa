//! A small scripted world that answers SMTP sessions, set up by a transcript's head:
//! ```text
//! kind: mta | submission | lmtp        hostname: name         peer: address | none
//! tls: none | starttls | implicit      plaintext_auth: yes    verify: logged-in
//! auth: none | the only mechanism
//! boxes: addresses that exist          users: name:password … (application passwords, for every mechanism)
//! limits: message=N discard=N recipients=N mails=N errors=N refused=N logins=N
//! urls: url=>text … (what BURL finds; text may hold `\\r`, `\\n`, `\\0`, and `\\_` for a space)
//! offers: mt-priority deliverby requiretls etrn atrn futurerelease (an hour)
//! waiting: domain=count … (what ETRN and ATRN find; others are refused)
//! at-delivery: address=full … (that recipient's outcome), all=full (the message's)
//! ```
//! `W:` lines look at the last delivery: `message is T`, `message has T`, `trace is T`, `envelope T`, `with T`, `dsn T`, `wishes T`,
//! `deliveries N`; `T` may hold `\r` and `\n`.

use secrecy::ExposeSecret;
use smtp::{
    Answer, Ask, Config, Delivery, Kind, Limits, Listed, Notify, NotifyOn, Outcome, Recipient, Refusal,
    Session, Verify,
};
use std::collections::BTreeMap;

/// See the file's head.
pub struct World {
    values: BTreeMap<String, String>,
    /// What was handed over, in order.
    pub deliveries: Vec<Delivery>,
}

const KEYS: [&str; 16] = [
    "waiting",
    "offers",
    "urls",
    "kind",
    "hostname",
    "peer",
    "tls",
    "plaintext_auth",
    "verify",
    "boxes",
    "users",
    "limits",
    "at-delivery",
    "now",
    "auth",
    "rfc",
];

impl World {
    /// From `key: value` pairs.
    pub fn new<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> World {
        let values: BTreeMap<String, String> =
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        for key in values.keys() {
            assert!(KEYS.contains(&key.as_str()), "this world knows no {key:?}");
        }
        World { values, deliveries: Vec::new() }
    }

    fn get(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        self.get(key).split(' ').filter(|word| !word.is_empty())
    }

    /// A session as the head has it.
    pub fn session(&self) -> Session {
        let kind = match self.get("kind") {
            "" | "mta" => Kind::Mta,
            "submission" => Kind::Submission,
            "lmtp" => Kind::Lmtp,
            other => panic!("kind {other:?}"),
        };
        let connection = wire::Connection {
            hostname: if self.get("hostname").is_empty() {
                "mail.example.test"
            } else {
                self.get("hostname")
            }
            .into(),
            peer: match self.get("peer") {
                "" => Some("192.0.2.7".parse().unwrap()),
                "none" => None,
                peer => Some(peer.parse().unwrap()),
            },
            trace: "4f1c9a7be2".into(),
            entropy: [7; 32],
            tls: match self.get("tls") {
                "" | "none" => wire::TlsMode::None,
                "starttls" => wire::TlsMode::Starttls,
                "implicit" => wire::TlsMode::Implicit,
                other => panic!("tls {other:?}"),
            },
            plaintext_auth: self.get("plaintext_auth") == "yes",
        };
        let mut config = Config::new(kind, connection);
        config.limits = self.limits();
        if self.get("verify") == "logged-in" {
            config.verify = Verify::LoggedIn;
        }
        match self.get("auth") {
            "" => {}
            "none" => config.mechanisms.clear(),
            name => config.mechanisms.retain(|mechanism| mechanism.name().eq_ignore_ascii_case(name)),
        }
        config.offers = self.words("offers").map(offer).collect();
        Session::new(config)
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for (key, value) in self.words("limits").map(|word| word.split_once('=').unwrap()) {
            let number: u32 = value.parse().unwrap();
            match key {
                "message" => limits.message_bytes_max = number.into(),
                "discard" => limits.discard_bytes_max = number.into(),
                "recipients" => limits.recipients_max = number as usize,
                "mails" => limits.messages_max = number,
                "errors" => limits.errors_max = number,
                "refused" => limits.refused_recipients_max = number,
                "logins" => limits.failed_logins_max = number,
                other => panic!("limit {other:?}"),
            }
        }
        limits
    }

    /// Answers a session.
    pub fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Auth { question, .. } => Answer::Auth(self.login(question)),
            Ask::Sender(sender) => {
                let from = sender.from.to_string();
                Answer::Sender(match from.starts_with("banned@") {
                    true => Err(Refusal::new(550, (7, 1), format!("<{from}> is not welcome here"))),
                    false => Ok(()),
                })
            }
            Ask::Recipient { recipient, .. } => {
                let path = recipient.path.to_string();
                let exists = path == "postmaster" || self.words("boxes").any(|known| known == path);
                Answer::Recipient(if exists { Ok(()) } else { Err(Refusal::no_such_mailbox(&path)) })
            }
            Ask::Verify { text, .. } => Answer::Listed(Ok(self.listed(&text))),
            Ask::Expand { text, .. } if text == "everybody" => Answer::Listed(Ok(self.listed(""))),
            Ask::Expand { .. } => Answer::Listed(Ok(Vec::new())),
            Ask::Url { url, bytes_max, client } => {
                assert!(client.user.is_some(), "only after the log-in");
                let found =
                    self.words("urls").filter_map(|word| word.split_once("=>")).find(|(key, _)| *key == url);
                Answer::Url(match found {
                    Some((_, text)) if text.len() as u64 > bytes_max => {
                        Err(Refusal::new(554, (3, 4), "Message too big for system"))
                    }
                    Some((_, text)) => {
                        let text = text
                            .replace("\\r", "\r")
                            .replace("\\n", "\n")
                            .replace("\\0", "\0")
                            .replace("\\_", " ");
                        Ok(text.into_bytes())
                    }
                    None => Err(Refusal::new(554, (7, 0), "IMAP URL authorization failed")),
                })
            }
            Ask::Flush { domain, reach, .. } => {
                let within = |known: &str| match reach {
                    smtp::Reach::Domain => known == domain.as_str(),
                    smtp::Reach::Below => known.ends_with(domain.as_str()),
                };
                let waiting: Vec<u64> = self
                    .words("waiting")
                    .filter_map(|word| word.split_once('='))
                    .filter(|(known, _)| within(known))
                    .map(|(_, count)| count.parse().unwrap())
                    .collect();
                Answer::Flushed(match waiting.is_empty() {
                    true => Err(Refusal::new(459, (7, 1), "Mail for that domain does not wait here for you")),
                    false => Ok(waiting.iter().sum()),
                })
            }
            Ask::Turn { domains, client } => {
                assert!(client.user.is_some(), "only after the log-in");
                Answer::Turned(self.may_turn(&domains))
            }
            Ask::Deliver(delivery) => {
                let outcomes = match delivery.sender.client.kind {
                    Kind::Lmtp => {
                        delivery.recipients.iter().map(|to| self.outcome(&to.path.to_string())).collect()
                    }
                    _ => vec![self.outcome("all")],
                };
                self.deliveries.push(*delivery);
                Answer::Deliver(outcomes)
            }
        }
    }

    fn may_turn(&self, domains: &[model::Domain]) -> Outcome {
        let known: BTreeMap<&str, u64> = self
            .words("waiting")
            .filter_map(|word| word.split_once('='))
            .map(|(domain, count)| (domain, count.parse().unwrap()))
            .collect();
        let counts: Option<Vec<u64>> = match domains.is_empty() {
            true => Some(known.values().copied().collect()),
            false => domains.iter().map(|domain| known.get(domain.as_str()).copied()).collect(),
        };
        match counts {
            None => Err(Refusal::new(450, (7, 1), "Not all of these domains are yours")),
            Some(counts) if counts.iter().all(|count| *count == 0) => {
                Err(Refusal::new(453, (0, 0), "You have no mail"))
            }
            Some(_) => Ok(()),
        }
    }

    fn outcome(&self, who: &str) -> Outcome {
        match self.words("at-delivery").filter_map(|word| word.split_once('=')).find(|(key, _)| *key == who) {
            None => Ok(()),
            Some((_, "full")) => Err(Refusal::storage_full()),
            Some((who, "quota")) => Err(Refusal::mailbox_full(&who)),
            Some((_, other)) => panic!("outcome {other:?}"),
        }
    }

    fn listed(&self, part: &str) -> Vec<Listed> {
        self.words("boxes")
            .filter(|address| address.contains(part))
            .map(|address| Listed {
                name: address.starts_with("crispin").then(|| "Mark Crispin".to_owned()),
                address: model::EmailAddress::parse(address).unwrap(),
            })
            .collect()
    }

    fn password(&self, user: &str) -> Option<&str> {
        self.words("users")
            .filter_map(|word| word.split_once(':'))
            .find(|(name, _)| *name == user)
            .map(|(_, p)| p)
    }

    fn login(&self, question: sasl::Question) -> sasl::Reply {
        use sasl::{Question, Reply, Verdict};
        let verdict = |user: &str, fine: bool| {
            Reply::Verdict(match (fine, user) {
                (_, "nobody-home") => Verdict::Unavailable,
                (true, "no-mail") => Verdict::Forbidden,
                (true, _) => Verdict::Granted { account: format!("{user}@example.test") },
                (false, _) => Verdict::Denied,
            })
        };
        match question {
            Question::Password { user, password, .. } => {
                let fine = self.password(&user) == Some(password.expose_secret());
                verdict(&user, fine)
            }
            Question::ScramKeys { user, hash } => {
                let key = sasl::scram_keys(self.password(&user).unwrap_or("?"), b"salt", 4096, hash);
                Reply::ScramKeys(sasl::ScramKeys {
                    salt: b"salt".to_vec(),
                    iterations: 4096,
                    candidates: vec![key],
                })
            }
            Question::ScramProved { user, .. } => verdict(&user, true),
            Question::Token { user, token } => verdict(&user, token.expose_secret() == "good"),
            Question::Certificate { names, .. } => verdict(&names[0], true),
            Question::Anonymous { trace } => verdict(&trace, false),
            Question::Failed { user } => verdict(&user, false),
            Question::Digest { kind, user, challenge, response } => {
                let password = self.password(&user).unwrap_or("?").as_bytes();
                verdict(&user, sasl::digest_matches(kind, &challenge, password, &response))
            }
        }
    }

    /// Looks at the last delivery; what is wrong with it otherwise.
    pub fn look(&self, text: &str) -> Result<(), String> {
        let text = text.replace("\\r", "\r").replace("\\n", "\n");
        if let Some(count) = text.strip_prefix("deliveries ") {
            return equal(&self.deliveries.len().to_string(), count);
        }
        let last = self.deliveries.last().ok_or("nothing was delivered")?;
        let (trace, content) = last.message.split_at(last.trace_field_bytes);
        let content = String::from_utf8_lossy(content);
        match text.split_once(' ').map(|(what, rest)| (what, rest.split_once(' '), rest)) {
            Some(("message", Some(("is", wanted)), _)) => equal(&content, wanted),
            Some(("message", Some(("has", wanted)), _)) if content.contains(wanted) => Ok(()),
            Some(("message", Some(("has", _)), _)) => Err(format!("the message is {content:?}")),
            Some(("trace", Some(("is", wanted)), _)) => equal(&String::from_utf8_lossy(trace), wanted),
            Some(("envelope", _, wanted)) => equal(&envelope(last), wanted),
            Some(("with", _, wanted)) => equal(last.protocol, wanted),
            Some(("trace", Some(("has", wanted)), _)) if String::from_utf8_lossy(trace).contains(wanted) => {
                Ok(())
            }
            Some(("wishes", _, wanted)) => equal(&wishes(last), wanted),
            Some(("dsn", _, wanted)) => equal(&dsn(last), wanted),
            _ => Err(format!("this world can't look at {text:?}")),
        }
    }
}

fn equal(got: &str, wanted: &str) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("it is {got:?}")) }
}

fn envelope(delivery: &Delivery) -> String {
    let to: Vec<String> = delivery.recipients.iter().map(|to| to.path.to_string()).collect();
    format!("<{}> to {}", delivery.sender.from, to.join(" "))
}

fn offer(name: &str) -> smtp::Offer {
    match name {
        "mt-priority" => smtp::Offer::MtPriority,
        "deliverby" => smtp::Offer::DeliverBy,
        "requiretls" => smtp::Offer::RequireTls,
        "etrn" => smtp::Offer::Etrn,
        "atrn" => smtp::Offer::Atrn,
        "futurerelease" => smtp::Offer::FutureRelease { seconds_max: 3600 },
        other => panic!("offer {other:?}"),
    }
}

fn wishes(delivery: &Delivery) -> String {
    let wishes = delivery.sender.wishes;
    let mut out = Vec::new();
    out.extend(wishes.priority.map(|priority| format!("priority {priority}")));
    out.extend(wishes.release_at.map(|at| format!("released after {}", at - delivery.received_at)));
    out.extend(wishes.deliver_by.map(|by| {
        let mode = if by.must_return { "return" } else { "notify" };
        format!("by {} {mode}{}", by.seconds, if by.trace { " trace" } else { "" })
    }));
    out.extend(wishes.require_tls.then(|| "TLS".to_owned()));
    out.join(", ")
}

fn dsn(delivery: &Delivery) -> String {
    let mut out = format!("{:?} {:?}", delivery.sender.ret, delivery.sender.envid);
    for Recipient { notify, original, .. } in delivery.recipients.iter().map(|to| &**to) {
        let notify = match notify {
            None => "default".to_owned(),
            Some(Notify::NEVER) => "never".to_owned(),
            Some(set) => [NotifyOn::Success, NotifyOn::Failure, NotifyOn::Delay]
                .into_iter()
                .filter(|event| set.has(*event))
                .map(|event| format!("{event:?}"))
                .collect::<Vec<_>>()
                .join("+"),
        };
        let original =
            original.as_ref().map(|original| format!("{};{}", original.addr_type, original.address));
        out.push_str(&format!(" [{notify} {}]", original.unwrap_or_default()));
    }
    out
}
