//! The world of the tests: one account, `mrose` with the password `tanstaaf`, and its maildrop in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use model::{Uid, UidValidity};
use pop3::{Answer, Ask, Entry, Maildrop, Offer, Pop3, Settings, Uncommitted, Unopened, Unread, Utf8Header};
use sasl::{Question, Reply, ScramKeys, Verdict};
use secrecy::ExposeSecret as _;
use transcript::{Header, World};
use wire::{Connection, TlsMode};

/// See the module.
#[derive(Default)]
pub struct Stage {
    /// UID and content.
    pub messages: Vec<(u32, Vec<u8>)>,
    pub last_accessed: Option<Uid>,
    locked_by: Option<u8>,
    pub commits: usize,
    pub releases: usize,
    open_fails: Option<Unopened>,
    read_fails: Option<Unread>,
    read_fails_from: u64,
    commit_fails: Option<Uncommitted>,
    verdict: Option<Verdict>,
}

/// A message of exactly so many octets, whose body has lines that begin with dots.
pub fn message(subject: &str, size: usize) -> Vec<u8> {
    let mut text = format!("From: mrose\r\nSubject: {subject}\r\n\r\n.\r\n..dots\r\n\r\n").into_bytes();
    let rest = size - text.len() - 2;
    text.extend(std::iter::repeat_n(b'x', rest));
    text.extend_from_slice(b"\r\n");
    text
}

impl Stage {
    pub fn new(header: &Header) -> Stage {
        let known = [
            "now",
            "tls",
            "plaintext",
            "apop",
            "user_pass",
            "utf8_header",
            "login_delay",
            "expire",
            "drop",
            "mechanisms",
            "errors_max",
            "last",
        ];
        for (key, _) in header.iter() {
            assert!(known.contains(&key), "the head has {key:?}, which this test does not know");
        }
        let messages: Vec<Vec<u8>> = match header.get("drop").unwrap_or("two") {
            "two" => vec![message("one", 120), message("two", 200)],
            "none" => Vec::new(),
            "utf8" => vec![
                "Subject: привет\r\n\r\nтело\r\n".into(),
                "Subject: x\r\n\r\nтело\r\n".into(),
                b"Subject: \xd0\xd2\xc9\xd7\xc5\xd4\r\n\r\nKOI8-R\r\n".to_vec(),
            ],
            "odd" => vec![
                Vec::new(),
                b"no end of line".to_vec(),
                b".\r\n".to_vec(),
                b"\r\n\r\nbody\r\n.\r\n".to_vec(),
            ],
            "big" => vec![message("big", 600 * 1024)],
            other => panic!("no such drop: {other}"),
        };
        let messages = (0..).map(|number| 11 + number * 10).zip(messages).collect();
        let last_accessed = header.get("last").map(|uid| Uid(uid.parse().expect("last: a UID")));
        Stage { messages, last_accessed, ..Stage::default() }
    }

    fn auth(&self, question: Question) -> Reply {
        let salt = b"0123456789abcdef";
        let granted = match question {
            Question::ScramKeys { user, hash } => {
                let password = if user == "mrose" { "tanstaaf" } else { "nobody knows" };
                let candidates = vec![sasl::scram_keys(password, salt, 64, hash)];
                return Reply::ScramKeys(ScramKeys { salt: salt.to_vec(), iterations: 64, candidates });
            }
            Question::Password { authorize_as, user, password } => {
                let named = authorize_as.is_empty() || authorize_as == user;
                let is_known = user == "mrose" || user == "почта@пример.рф";
                named && is_known && ["tanstaaf", "tan  staaf ", "пароль"].contains(&password.expose_secret())
            }
            Question::Digest { kind, user, challenge, response } => {
                user == "mrose" && sasl::digest_matches(kind, &challenge, b"tanstaaf", &response)
            }
            Question::ScramProved { user, .. } => user == "mrose",
            Question::Token { user, token } => user == "mrose" && token.expose_secret() == "good",
            Question::Certificate { names, .. } => names.iter().any(|name| name == "mrose"),
            Question::Failed { .. } | Question::Anonymous { .. } => false,
        };
        Reply::Verdict(match (&self.verdict, granted) {
            (Some(verdict), _) => verdict.clone(),
            (None, true) => Verdict::Granted { account: "mrose".into() },
            (None, false) => Verdict::Denied,
        })
    }

    fn open_maildrop(&mut self, client: u8) -> Answer {
        if let Some(why) = self.open_fails {
            return Answer::Unopened(why);
        }
        if self.locked_by.is_some() {
            return Answer::Unopened(Unopened::InUse);
        }
        self.locked_by = Some(client);
        let entry = |(uid, text): &(u32, Vec<u8>)| Entry {
            uid: Uid(*uid),
            size_octets: u32::try_from(text.len()).expect("small"),
        };
        Answer::Opened(Maildrop {
            uid_validity: UidValidity(0x6a),
            messages: self.messages.iter().map(entry).collect(),
            own_uidls: [(Uid(21), "QhdPYR:00WBw1Ph7x7".into())].into(),
            last_accessed: self.last_accessed,
        })
    }

    fn read(&self, uid: Uid, range: std::ops::Range<u64>) -> Answer {
        assert!(range.start < range.end && range.end - range.start <= pop3::READ_OCTETS_MAX, "{range:?}");
        if let Some(why) = self.read_fails.filter(|_| range.start >= self.read_fails_from) {
            return Answer::Unread(why);
        }
        match self.messages.iter().find(|(known, _)| *known == uid.0) {
            None => Answer::Unread(Unread::Gone),
            Some((_, text)) => {
                let end = text.len().min(usize::try_from(range.end).expect("small"));
                Answer::Octets(text[usize::try_from(range.start).expect("small").min(end)..end].to_vec())
            }
        }
    }

    fn commit(&mut self, client: u8, deleted: &[Uid], last_accessed: Option<Uid>) -> Answer {
        assert_eq!(self.locked_by.take(), Some(client), "committed without the lock");
        self.commits += 1;
        if let Some(why) = self.commit_fails {
            return Answer::Uncommitted(why);
        }
        self.messages.retain(|(uid, _)| !deleted.contains(&Uid(*uid)));
        self.last_accessed = last_accessed.or(self.last_accessed);
        Answer::Done
    }
}

impl World for Stage {
    type Session = Pop3;

    fn open(&mut self, header: &Header, client: u8) -> Pop3 {
        let offer = |key| if header.get(key) == Some("no") { Offer::Withheld } else { Offer::Offered };
        let number = |key| header.get(key).map(|value| value.parse().expect("a number"));
        let mut settings = Settings {
            mechanisms: sasl::Mechanism::USUAL.to_vec(),
            apop: offer("apop"),
            user_pass: offer("user_pass"),
            login_delay_seconds: number("login_delay").unwrap_or(0),
            expire_days: number("expire"),
            errors_max: u64::from(number("errors_max").unwrap_or(20)),
            autologout: Duration::from_secs(1),
            ..Settings::default()
        };
        if header.get("utf8_header") == Some("send") {
            settings.utf8_header = Utf8Header::Send;
        }
        if let Some(names) = header.get("mechanisms") {
            let names =
                names.split(' ').map(|name| sasl::Mechanism::parse(name.as_bytes()).expect("a mechanism"));
            settings.mechanisms = names.collect();
        }
        let connection = Connection {
            hostname: "dewey".into(),
            peer: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            trace: format!("test{client}"),
            entropy: [client; 32],
            tls: match header.get("tls").unwrap_or("none") {
                "none" => TlsMode::None,
                "starttls" => TlsMode::Starttls,
                "implicit" => TlsMode::Implicit,
                other => panic!("no such tls: {other}"),
            },
            plaintext_auth: header.get("plaintext") == Some("yes"),
        };
        Pop3::new(Arc::new(settings), connection)
    }

    fn answer(&mut self, client: u8, ask: Ask) -> Answer {
        match ask {
            Ask::Auth(question) => Answer::Auth(self.auth(question)),
            Ask::Open { account } => {
                assert_eq!(account, "mrose");
                self.open_maildrop(client)
            }
            Ask::Read { uid, range } => self.read(uid, range),
            Ask::Commit { deleted, last_accessed } => self.commit(client, &deleted, last_accessed),
            Ask::Release => {
                assert_eq!(self.locked_by.take(), Some(client), "released without the lock");
                self.releases += 1;
                Answer::Done
            }
        }
    }

    fn change(&mut self, text: &str) -> Result<(), String> {
        match text {
            "imap removes the first message" => drop(self.messages.remove(0)),
            "maildrop in use" => self.open_fails = Some(Unopened::InUse),
            "log-in too soon" => self.open_fails = Some(Unopened::LoginDelay),
            "maildrop unavailable" => self.open_fails = Some(Unopened::Temporary),
            "maildrop broken" => self.open_fails = Some(Unopened::Permanent),
            "reading fails" => self.read_fails = Some(Unread::Temporary),
            "messages damaged" => self.read_fails = Some(Unread::Damaged),
            "reading fails after 256 KiB" => {
                (self.read_fails, self.read_fails_from) = (Some(Unread::Temporary), 256 * 1024);
            }
            "first message cut" => self.messages[0].1.truncate(50),
            "removing fails" => self.commit_fails = Some(Uncommitted::Temporary),
            "directory unavailable" => self.verdict = Some(Verdict::Unavailable),
            "account not for POP3" => self.verdict = Some(Verdict::Forbidden),
            "" => {}
            other => return Err(format!("this world can't do {other:?}")),
        }
        Ok(())
    }
}
