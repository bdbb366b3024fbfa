//! The session: takes lines, keeps the state, hands out questions (RFC 1939 §3).
//!
//! Invariants: one question at a time; what the maildrop's lock was taken for ends with exactly one [`Ask::Commit`] (after
//! QUIT) or [`Ask::Release`] (any other end that this side sees); only QUIT in TRANSACTION removes messages (§6).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sasl::{Exchange, Setup};
use wire::{Connection, End, FLUSH_BYTES, Facts, Input, LineError, Session, Step, TlsInfo, TlsMode};

use crate::ask::{Answer, Ask};
use crate::command::{self, COMMAND_OCTETS_MAX, Command, Malformed};
use crate::settings::{AUTOLOGOUT_MIN, Offer, Settings};
use crate::text::{Code, Lang, Text};
use crate::transaction::Transaction;

/// Longest line of a SASL response with its CRLF: [`sasl::MESSAGE_BYTES_MAX`] in base64.
const RESPONSE_OCTETS_MAX: usize = sasl::MESSAGE_BYTES_MAX / 3 * 4 + 2;

/// A POP3 session.
pub struct Pop3 {
    pub(crate) settings: Arc<Settings>,
    pub(crate) connection: Connection,
    /// Of the greeting, where APOP is offered.
    pub(crate) timestamp: String,
    input: Input,
    /// The line in hand; kept for its memory.
    line: Vec<u8>,
    pub(crate) output: Vec<u8>,
    pub(crate) state: State,
    /// To be handed out by the next step.
    question: Option<Ask>,
    pub(crate) waiting: Waiting,
    pub(crate) tls: Tls,
    pub(crate) tls_info: Option<Box<TlsInfo>>,
    pub(crate) utf8: bool,
    lang: Lang,
    pub(crate) exchanges: u32,
    pub(crate) now: i64,
    going_down: bool,
    late: bool,
    /// When the greeting was said.
    since: i64,
    pub(crate) facts: Facts,
}

/// Where the session is (RFC 1939 §3), named by what it expects.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing was said yet.
    Greeting,
    /// AUTHORIZATION. `user` is set directly after USER.
    Authorization { user: Option<String> },
    /// AUTHORIZATION, amid AUTH: a line is a response.
    Exchange(Exchange),
    /// TRANSACTION
    Transaction(Box<Transaction>),
    /// UPDATE, or another end.
    Closing,
}

/// Which answer is outstanding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Nothing,
    /// On a name and a password or digest.
    Verdict,
    /// On a log-in that has failed here.
    Failed,
    Exchange,
    Open {
        account: String,
    },
    Octets {
        length: u64,
    },
    Commit {
        left: u32,
    },
    Release,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tls {
    Off,
    /// STLS was answered.
    Wanted,
    /// The driver makes the handshake.
    Starting,
    On,
}

impl Pop3 {
    /// A session that has just been accepted; for implicit TLS [`Session::tls_started`] follows before the first step.
    pub fn new(settings: Arc<Settings>, connection: Connection) -> Pop3 {
        Pop3 {
            settings,
            connection,
            timestamp: String::new(),
            input: Input::default(),
            line: Vec::new(),
            output: Vec::new(),
            state: State::Greeting,
            question: None,
            waiting: Waiting::Nothing,
            tls: Tls::Off,
            tls_info: None,
            utf8: false,
            lang: Lang::English,
            exchanges: 0,
            now: 0,
            going_down: false,
            late: false,
            since: 0,
            facts: Facts::default(),
        }
    }

    /// RFC 1939 §4, §7: a positive response, with a timestamp where APOP is offered.
    fn greet(&mut self) {
        self.since = self.now;
        self.output.extend_from_slice(b"+OK POP3 server ready");
        if self.settings.apop == Offer::Offered {
            self.timestamp = sasl::apop_timestamp(&self.setup());
            self.output.push(b' ');
            self.output.extend_from_slice(self.timestamp.as_bytes());
        }
        self.output.extend_from_slice(b"\r\n");
        self.state = State::Authorization { user: None };
    }

    /// What the next nonce is made of; number 0 is the greeting's.
    pub(crate) fn setup(&self) -> Setup<'_> {
        Setup {
            entropy: &self.connection.entropy,
            exchange: self.exchanges,
            hostname: &self.connection.hostname,
            now: self.now,
            tls: self.tls_info.as_deref(),
            offers_binding: sasl::offers_binding(&self.settings.mechanisms, self.tls_info.as_deref()),
        }
    }

    pub(crate) fn ask(&mut self, ask: Ask, waiting: Waiting) {
        assert!(self.waiting == Waiting::Nothing && self.question.is_none(), "one question at a time");
        self.question = Some(ask);
        self.waiting = waiting;
    }

    /// `+OK`
    pub(crate) fn ok(&mut self, text: Text<'_>) {
        self.output.extend_from_slice(b"+OK");
        if text != Text::Nothing {
            self.output.push(b' ');
        }
        text.push(self.lang, &mut self.output);
        self.output.extend_from_slice(b"\r\n");
    }

    /// `-ERR` for which the client is not to blame.
    pub(crate) fn fail(&mut self, code: Option<Code>, text: Text<'_>) {
        self.output.extend_from_slice(b"-ERR ");
        if let Some(code) = code {
            self.output.push(b'[');
            self.output.extend_from_slice(code.name().as_bytes());
            self.output.extend_from_slice(b"] ");
        }
        text.push(self.lang, &mut self.output);
        self.output.extend_from_slice(b"\r\n");
    }

    /// `-ERR` that counts: too many end the session.
    pub(crate) fn refuse(&mut self, code: Option<Code>, text: Text<'_>) {
        self.facts.errors += 1;
        if self.facts.errors < self.settings.errors_max {
            return self.fail(code, text);
        }
        self.fail(None, Text::TooManyErrors);
        self.close(End::Refused);
    }

    /// Ends the session; a locked maildrop is released first, with everything in it.
    pub(crate) fn close(&mut self, end: End) {
        if self.facts.end == End::Open {
            self.facts.end = end;
        }
        let state = std::mem::replace(&mut self.state, State::Closing);
        if matches!(state, State::Transaction(_)) {
            self.ask(Ask::Release, Waiting::Release);
        }
    }

    /// Between commands: the place to say that the server goes down. Whether input is awaited.
    fn pause(&mut self) -> bool {
        if self.going_down {
            self.fail(Some(Code::SysTemp), Text::GoingDown);
            self.close(End::ShutDown);
            return false;
        }
        self.input.shrink();
        true
    }

    /// Works off one line; false when there is none.
    fn take_line(&mut self) -> bool {
        let in_exchange = matches!(self.state, State::Exchange(_));
        let max = if in_exchange { RESPONSE_OCTETS_MAX } else { COMMAND_OCTETS_MAX };
        let length = match self.input.line(max) {
            None => return false,
            Some(Ok(length)) => length,
            Some(Err(error)) => {
                self.line_error(error);
                return true;
            }
        };
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        line.extend_from_slice(&self.input.pending()[..length]);
        self.input.consume(length + 2);
        if in_exchange {
            self.sasl_response(&line);
        } else {
            self.facts.commands += 1;
            self.command(&line);
        }
        if !matches!(self.state, State::Transaction(_)) {
            // It may have been a password.
            line.fill(0);
        }
        self.line = line;
        true
    }

    /// A line that is none ends an exchange, and USER is no longer directly before.
    fn line_error(&mut self, error: LineError) {
        if matches!(self.state, State::Exchange(_) | State::Authorization { .. }) {
            self.state = State::Authorization { user: None };
        }
        match error {
            LineError::TooLong => self.refuse(None, Text::LineTooLong),
            LineError::BareEnding => self.refuse(None, Text::BareEnding),
            LineError::Endless => {
                self.facts.errors += 1;
                self.fail(None, Text::TooManyErrors);
                self.close(End::Refused);
            }
        }
    }

    fn command(&mut self, line: &[u8]) {
        // RFC 1939 §7: PASS only immediately after USER.
        let user = match &mut self.state {
            State::Authorization { user } => user.take(),
            _ => None,
        };
        let command = match command::parse(line) {
            Ok(command) => command,
            Err(Malformed::Unknown) => return self.refuse(None, Text::UnknownCommand),
            Err(Malformed::Arguments) => return self.refuse(None, Text::BadArguments),
            Err(Malformed::Text) => return self.refuse(None, Text::BadEncoding),
        };
        let logged_in = matches!(self.state, State::Transaction(_));
        match command {
            Command::Capa => self.capa(),
            Command::Help => self.ok(Text::Help),
            Command::Lang(range) => self.lang(range),
            Command::Xtnd => self.refuse(None, Text::NoXtnd),
            Command::Quit if !logged_in => {
                let hostname = self.connection.hostname.clone();
                self.ok(Text::SigningOff { hostname: &hostname });
                self.close(End::Quit);
            }
            Command::User(_)
            | Command::Pass(_)
            | Command::Apop { .. }
            | Command::Auth(_)
            | Command::Stls
            | Command::Utf8 => {
                if logged_in {
                    return self.refuse(None, Text::OnlyBeforeLogIn);
                }
                self.authorization_command(command, user);
            }
            _ if logged_in => self.transaction_command(&command),
            _ => self.refuse(None, Text::LogInFirst),
        }
    }

    /// RFC 2449 §5, §6: what holds before log-in is announced after it too, but for STLS, which RFC 2595 §4 announces
    /// where it is permitted.
    fn capa(&mut self) {
        self.ok(Text::CapabilitiesFollow);
        let settings = Arc::clone(&self.settings);
        let mut lines = vec!["TOP".to_owned(), "UIDL".to_owned(), "PIPELINING".to_owned()];
        lines.extend(["RESP-CODES".to_owned(), "AUTH-RESP-CODE".to_owned()]);
        if self.may_send_password() && settings.user_pass == Offer::Offered {
            lines.push("USER".to_owned());
        }
        let mechanisms: Vec<&str> = self.mechanisms().map(sasl::Mechanism::name).collect();
        if !mechanisms.is_empty() {
            lines.push(format!("SASL {}", mechanisms.join(" ")));
        }
        if settings.login_delay_seconds > 0 {
            lines.push(format!("LOGIN-DELAY {}", settings.login_delay_seconds));
        }
        lines.push(settings.expire_days.map_or("EXPIRE NEVER".to_owned(), |days| format!("EXPIRE {days}")));
        let may_start_tls = self.connection.tls == TlsMode::Starttls && self.tls == Tls::Off && !self.utf8;
        if may_start_tls && !matches!(self.state, State::Transaction(_)) {
            lines.push("STLS".to_owned());
        }
        lines.extend(["UTF8 USER".to_owned(), "LANG".to_owned()]);
        if let Some(implementation) = &settings.implementation {
            lines.push(format!("IMPLEMENTATION {implementation}"));
        }
        lines.push(".".to_owned());
        for line in lines {
            self.output.extend_from_slice(line.as_bytes());
            self.output.extend_from_slice(b"\r\n");
        }
    }

    /// RFC 6856 §3.2.
    fn lang(&mut self, range: Option<&str>) {
        let Some(range) = range else {
            self.ok(Text::LanguagesFollow);
            for lang in Lang::EVERY {
                self.output.extend_from_slice(format!("{} {}\r\n", lang.tag(), lang.name()).as_bytes());
            }
            self.output.extend_from_slice(b".\r\n");
            return;
        };
        let Some(lang) = Lang::matching(range) else {
            return self.refuse(None, Text::UnknownLanguage);
        };
        self.lang = lang;
        self.output.extend_from_slice(format!("+OK {} ", lang.tag()).as_bytes());
        Text::LanguageChanged.push(lang, &mut self.output);
        self.output.extend_from_slice(b"\r\n");
    }
}

impl Session for Pop3 {
    type Ask = Ask;
    type Answer = Answer;

    fn feed(&mut self, bytes: &[u8]) {
        self.input.feed(bytes);
    }

    fn step(&mut self, now: i64) -> Step<Ask> {
        self.now = now;
        if matches!(self.state, State::Authorization { .. } | State::Exchange(_))
            && self.waiting == Waiting::Nothing
            && self.question.is_none()
        {
            self.late |= now.saturating_sub(self.since) > self.settings.login_within_s;
        }
        loop {
            if let Some(question) = self.question.take() {
                return Step::Ask(question);
            }
            assert!(self.waiting == Waiting::Nothing, "the answer comes before the next step");
            if self.late && !matches!(self.state, State::Closing) {
                // RFC 1939 §3: without removing any messages or sending any response.
                self.close(End::TimedOut);
                continue;
            }
            if self.output.len() >= FLUSH_BYTES {
                return Step::Flush;
            }
            match &self.state {
                State::Greeting => self.greet(),
                State::Closing => return Step::Close,
                State::Transaction(transaction) if transaction.is_busy() => self.go_on(),
                _ => match self.tls {
                    Tls::Wanted => {
                        self.tls = Tls::Starting;
                        return Step::StartTls;
                    }
                    Tls::Starting => return Step::NeedInput,
                    Tls::Off | Tls::On => {
                        if !self.take_line() && self.pause() {
                            return Step::NeedInput;
                        }
                    }
                },
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        let waiting = std::mem::replace(&mut self.waiting, Waiting::Nothing);
        match (waiting, answer) {
            (Waiting::Verdict, Answer::Auth(sasl::Reply::Verdict(verdict))) => self.verdict(verdict),
            (Waiting::Failed, Answer::Auth(_)) => self.verdict(sasl::Verdict::Denied),
            (Waiting::Exchange, Answer::Auth(reply)) => self.sasl_reply(reply),
            (Waiting::Open { account }, Answer::Opened(drop)) => self.opened(account, drop),
            (Waiting::Open { .. }, Answer::Unopened(why)) => self.unopened(why),
            (Waiting::Octets { length }, Answer::Octets(octets)) => self.octets(length, &octets),
            (Waiting::Octets { .. }, Answer::Unread(why)) => self.unread(why),
            (Waiting::Commit { left }, Answer::Done) => self.committed(left),
            (Waiting::Commit { .. }, Answer::Uncommitted(why)) => self.uncommitted(why),
            (Waiting::Release, _) => {}
            (waiting, answer) => panic!("{answer:?} does not answer {waiting:?}"),
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn tls_started(&mut self, tls: TlsInfo) {
        self.tls_info = Some(Box::new(tls));
        // RFC 2595 §4: nothing that came in clear counts.
        self.input.discard();
        self.tls = Tls::On;
        self.lang = Lang::English;
    }

    fn patience(&self) -> Duration {
        self.settings.autologout.max(AUTOLOGOUT_MIN)
    }

    fn timed_out(&mut self) {
        self.late = true;
    }

    fn shut_down(&mut self) {
        self.going_down = true;
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

impl Pop3 {
    /// STLS was answered: everything that was read in clear is dropped, and TLS starts.
    pub(crate) fn start_tls(&mut self) {
        self.input.discard();
        self.tls = Tls::Wanted;
    }
}

impl fmt::Debug for Pop3 {
    /// Without what may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pop3 { connection, waiting, tls, facts, .. } = self;
        write!(f, "Pop3 {} {waiting:?} {tls:?} {facts:?}", connection.trace)
    }
}
