//! AUTHORIZATION: USER PASS APOP AUTH STLS UTF8, and the opening of the maildrop (RFC 1939 §4, §7; RFC 5034).

use sasl::{DigestKind, Exchange, Mechanism, Next, Question, Reply, Verdict};
use wire::TlsMode;

use crate::ask::{Ask, Maildrop, Unopened};
use crate::command::{Auth, Command};
use crate::session::{Pop3, State, Tls, Waiting};
use crate::settings::Offer;
use crate::text::{Code, Text};
use crate::transaction::Transaction;

impl Pop3 {
    /// `user` is what the command before this one, USER, named.
    pub(crate) fn authorization_command(&mut self, command: Command<'_>, user: Option<String>) {
        match command {
            Command::User(name) => self.user(name),
            Command::Pass(password) => self.pass(user, password),
            Command::Apop { name, digest } => self.apop(name, digest),
            Command::Auth(auth) => self.auth(auth),
            Command::Stls => self.stls(),
            // RFC 6856 §2.1
            Command::Utf8 => {
                self.utf8 = true;
                self.ok(Text::Utf8On);
            }
            _ => unreachable!("no command of AUTHORIZATION"),
        }
    }

    /// Whether a password may travel as it is: under TLS, or where the listener allows it in clear.
    pub(crate) fn may_send_password(&self) -> bool {
        self.tls == Tls::On || self.connection.plaintext_auth
    }

    fn is_usable(&self, mechanism: Mechanism) -> bool {
        mechanism.is_usable(self.tls_info.as_deref(), self.may_send_password())
    }

    /// What AUTH takes now. RFC 5034 §4: no plaintext mechanism without TLS.
    pub(crate) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + '_ {
        let every = self.settings.mechanisms.iter().copied();
        every.filter(|mechanism| self.is_usable(*mechanism))
    }

    /// Says `+OK` to every name (RFC 1939 §13: `-ERR` would tell which names are valid).
    fn user(&mut self, name: &str) {
        if self.settings.user_pass == Offer::Withheld {
            return self.refuse(None, Text::NotOffered);
        }
        if !self.may_send_password() {
            return self.refuse(None, Text::NotWithoutTls);
        }
        self.state = State::Authorization { user: Some(name.to_owned()) };
        self.ok(Text::SendPass);
    }

    fn pass(&mut self, user: Option<String>, password: &str) {
        let Some(user) = user else {
            return self.refuse(None, Text::UserFirst);
        };
        // RFC 6856 §2.2: SASLprep, as query strings.
        match (sasl::prepare(&user), sasl::prepare_secret(password)) {
            (Ok(name), Ok(password)) => {
                let user = name.into_owned();
                let question = Question::Password { authorize_as: String::new(), user, password };
                self.ask(Ask::Auth(question), Waiting::Verdict);
            }
            _ => self.ask(Ask::Auth(Question::Failed { user }), Waiting::Failed),
        }
    }

    fn apop(&mut self, name: &str, digest: &str) {
        if self.settings.apop == Offer::Withheld {
            return self.refuse(None, Text::NotOffered);
        }
        if digest.len() != 32 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.refuse(None, Text::BadArguments);
        }
        let Ok(prepared) = sasl::prepare(name) else {
            return self.ask(Ask::Auth(Question::Failed { user: name.to_owned() }), Waiting::Failed);
        };
        let question = Question::Digest {
            kind: DigestKind::Apop,
            user: prepared.into_owned(),
            challenge: self.timestamp.clone().into_bytes(),
            response: digest.to_ascii_lowercase(),
        };
        self.ask(Ask::Auth(question), Waiting::Verdict);
    }

    fn auth(&mut self, auth: Auth<'_>) {
        let (mechanism, initial) = match auth {
            Auth::List => return self.list_mechanisms(),
            Auth::Unknown => return self.refuse(None, Text::UnknownMechanism),
            Auth::Begin { mechanism, initial } => (mechanism, initial),
        };
        if !self.settings.mechanisms.contains(&mechanism) {
            return self.refuse(None, Text::UnknownMechanism);
        }
        if mechanism.is_plaintext() && !self.may_send_password() {
            return self.refuse(None, Text::NotWithoutTls);
        }
        if !self.is_usable(mechanism) {
            return self.refuse(None, Text::UnknownMechanism);
        }
        // RFC 5034 §4: `=` is an empty initial response.
        let initial = match initial {
            None => None,
            Some(b"=") => Some(Vec::new()),
            Some(text) => match sasl::decode_base64(text) {
                Some(message) => Some(message),
                None => return self.refuse(None, Text::BadResponse),
            },
        };
        self.exchanges += 1;
        let (exchange, next) = Exchange::start(mechanism, &self.setup(), initial.as_deref());
        self.state = State::Exchange(exchange);
        self.go_on_with(next);
    }

    /// Not in RFC 5034. Quirk (Outlook Express and its time): AUTH alone asks for the mechanisms.
    fn list_mechanisms(&mut self) {
        self.ok(Text::MechanismsFollow);
        let names: Vec<&str> = self.mechanisms().map(Mechanism::name).collect();
        for name in names.iter().chain(&["."]) {
            self.output.extend_from_slice(name.as_bytes());
            self.output.extend_from_slice(b"\r\n");
        }
    }

    /// A line amid AUTH.
    pub(crate) fn sasl_response(&mut self, line: &[u8]) {
        if line == b"*" {
            self.state = State::Authorization { user: None };
            return self.refuse(None, Text::Cancelled);
        }
        let Some(message) = sasl::decode_base64(line) else {
            self.state = State::Authorization { user: None };
            return self.refuse(None, Text::BadResponse);
        };
        let State::Exchange(exchange) = &mut self.state else { unreachable!("called amid AUTH only") };
        let next = exchange.response(&message);
        self.go_on_with(next);
    }

    /// The world's answer amid AUTH.
    pub(crate) fn sasl_reply(&mut self, reply: Reply) {
        let State::Exchange(exchange) = &mut self.state else { unreachable!("asked amid AUTH only") };
        let next = exchange.reply(reply);
        self.go_on_with(next);
    }

    fn go_on_with(&mut self, next: Next) {
        match next {
            Next::Challenge(challenge) => {
                // RFC 5034 §4: an empty challenge is `+` and one space.
                self.output.extend_from_slice(b"+ ");
                sasl::encode_base64(&challenge, &mut self.output);
                self.output.extend_from_slice(b"\r\n");
            }
            Next::Ask(question) => self.ask(Ask::Auth(question), Waiting::Exchange),
            Next::Done { verdict } => {
                self.state = State::Authorization { user: None };
                self.verdict(verdict);
            }
            Next::Malformed => {
                self.state = State::Authorization { user: None };
                self.refuse(None, Text::BadResponse);
            }
        }
    }

    pub(crate) fn verdict(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Granted { account } => {
                self.ask(Ask::Open { account: account.clone() }, Waiting::Open { account });
            }
            // RFC 3206 §5: [AUTH] for everything that is the credentials' fault.
            Verdict::Denied => self.refuse(Some(Code::Auth), Text::WrongPassword),
            Verdict::Forbidden => self.refuse(Some(Code::Auth), Text::Forbidden),
            Verdict::Unavailable => self.fail(Some(Code::SysTemp), Text::LogInUnavailable),
        }
    }

    pub(crate) fn opened(&mut self, account: String, drop: Maildrop) {
        let transaction = Transaction::new(drop);
        self.ok(Text::MaildropHas { account: &account, totals: transaction.view.totals() });
        self.facts.user = Some(account);
        self.state = State::Transaction(Box::new(transaction));
    }

    /// RFC 1939 §4: the session stays in AUTHORIZATION.
    pub(crate) fn unopened(&mut self, why: Unopened) {
        let (code, text) = match why {
            Unopened::InUse => (Code::InUse, Text::InUse),
            Unopened::LoginDelay => (Code::LoginDelay, Text::LoginDelay),
            Unopened::Temporary => (Code::SysTemp, Text::MaildropUnavailable),
            Unopened::Permanent => (Code::SysPerm, Text::MaildropBroken),
        };
        self.refuse(Some(code), text);
    }

    /// RFC 2595 §4.
    fn stls(&mut self) {
        if self.tls == Tls::On {
            return self.refuse(None, Text::TlsActive);
        }
        if self.connection.tls != TlsMode::Starttls {
            return self.refuse(None, Text::NoTls);
        }
        // RFC 6856 §2.1: clients must not issue STLS after UTF8.
        if self.utf8 {
            return self.refuse(None, Text::StlsAfterUtf8);
        }
        self.ok(Text::BeginTls);
        self.start_tls();
    }
}
