//! The session: what is being waited for, the order of commands, and one reply to each (RFC 5321 §3, §4.1.4, §4.3).

mod burl;
mod data;
mod envelope;
mod login;
mod lookup;
mod offers;
#[cfg(test)]
mod tests;

use crate::ask::{Answer, Ask, Client, Greeting, Kind};
use crate::config::{Config, Login, Offer};
use crate::content::{Content, DotReader};
use crate::reply::{Charset, Enhanced, Refusal, write_reply};
use crate::verb::{self, Verb};
use crate::{path, session::envelope::Transaction};
use std::sync::Arc;
use std::time::Duration;
use wire::{End, FLUSH_BYTES, Facts, Input, LineError, Step, TlsInfo, TlsMode};

/// One connection's server side.
#[derive(Debug)]
pub struct Session {
    config: Config,
    input: Input,
    output: Vec<u8>,
    state: State,
    client: Arc<Client>,
    transaction: Option<Transaction>,
    /// The last reply may not be held back (RFC 2920 §3.2 (5), (6)).
    must_flush: bool,
    going_down: bool,
    /// When the greeting was said; None before it.
    since: Option<i64>,
    counts: Counts,
    facts: Facts,
}

/// What is counted against the limits.
#[derive(Default, Debug)]
struct Counts {
    /// MAIL commands, whatever came of them (RFC 9422 §4.1).
    mails: u32,
    /// Messages that began to come in; numbers their ids.
    messages: u32,
    /// Since the last accepted message.
    errors: u32,
    /// Since the last accepted message.
    refused_recipients: u32,
    failed_logins: u32,
    /// Log-ins begun; numbers their nonces.
    exchanges: u32,
}

/// What the session waits for.
#[derive(Debug)]
enum State {
    /// To be stepped for the first time.
    Greeting,
    /// A command.
    Command,
    /// The client's next line of a log-in.
    LoginLine(Box<sasl::Exchange>),
    /// The octets of DATA.
    Data(Box<Data>),
    /// The octets of a BDAT chunk.
    Chunk(Chunk),
    /// To be stepped, to ask.
    ToAsk(Box<Ask>, Pending),
    /// The world's answer.
    Answer(Pending),
    /// To be stepped, to start TLS.
    ToHandshake,
    /// TLS to stand.
    Handshake,
    /// Nothing any more.
    Closed,
}

#[derive(Debug)]
struct Data {
    reader: DotReader,
    content: Content,
    ended: bool,
}

#[derive(Debug)]
struct Chunk {
    left_bytes: u64,
    bytes: u64,
    last: bool,
    /// Decided already: the octets are dropped, then this is said.
    refusal: Option<Refusal>,
}

/// Who gets the answer.
#[derive(Debug)]
enum Pending {
    Login(Box<sasl::Exchange>),
    Sender(Arc<crate::Sender>, Priority),
    Recipient(Arc<crate::Recipient>),
    Verify(Charset),
    Expand(Charset),
    /// BURL, with LAST or without.
    Url {
        last: bool,
    },
    Flush(model::Domain),
    Turn,
    Deliver,
}

/// What became of MT-PRIORITY (RFC 6710 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Priority {
    /// As it was said, or nothing was.
    Kept,
    /// A stranger's was above 0 and is 0 now.
    Lowered,
}

impl Session {
    /// A session that has not greeted yet.
    pub fn new(config: Config) -> Session {
        let client = Arc::new(Client {
            kind: config.kind,
            peer: config.connection.peer,
            trace: config.connection.trace.clone(),
            helo: String::new(),
            greeting: Greeting::None,
            user: None,
            tls: None,
        });
        Session {
            config,
            input: Input::default(),
            output: Vec::new(),
            state: State::Greeting,
            client,
            transaction: None,
            must_flush: false,
            going_down: false,
            since: None,
            counts: Counts::default(),
            facts: Facts::default(),
        }
    }

    fn hostname(&self) -> &str {
        &self.config.connection.hostname
    }

    /// Writes a positive reply of one line.
    fn say(&mut self, code: u16, enhanced: (u16, u16), text: &str) {
        let class = u8::try_from(code / 100).unwrap_or(2);
        let enhanced = Enhanced(class, enhanced.0, enhanced.1);
        let charset = self.charset();
        write_reply(&mut self.output, code, Some(enhanced), charset, &[text]);
    }

    /// RFC 6531 §3.7.4: UTF-8 in replies only where the client asked for it.
    fn charset(&self) -> Charset {
        match &self.transaction {
            Some(transaction) if transaction.sender.smtputf8 => Charset::Utf8,
            _ => Charset::Ascii,
        }
    }

    /// Writes a refusal that is nobody's error, and closes when its code says so.
    fn decline(&mut self, refusal: &Refusal) {
        let charset = self.charset();
        write_reply(&mut self.output, refusal.code, Some(refusal.enhanced), charset, &[&refusal.text]);
        if matches!(refusal.code, 421 | 521) {
            self.close(End::Refused);
        }
    }

    /// Writes a refusal of something malformed or out of order, and closes when there were too many.
    fn refuse(&mut self, refusal: &Refusal) {
        self.facts.errors += 1;
        self.counts.errors += 1;
        self.decline(refusal);
        if self.counts.errors >= self.config.limits.errors_max {
            self.give_up((7, 0), "Too many errors; look up what was refused and come back");
        }
    }

    fn refuse_order(&mut self, text: &'static str) {
        self.refuse(&Refusal::new(503, (5, 1), text));
    }

    /// Says 421 and closes (RFC 5321 §3.8).
    /// Where a log-in is required it has to come in time, however busily the peer does something else.
    fn check_login_time(&mut self, now: i64) {
        let since = *self.since.get_or_insert(now);
        let is_owed = self.config.login == Login::Required && self.client.user.is_none();
        let is_idle = matches!(self.state, State::Command | State::LoginLine(_));
        if is_owed && is_idle && now.saturating_sub(since) > self.config.limits.login_within_s {
            self.give_up((4, 2), "No log-in came in time; closing");
            self.facts.end = End::TimedOut;
        }
    }

    fn give_up(&mut self, enhanced: (u16, u16), text: &str) {
        if matches!(self.state, State::Closed) {
            return;
        }
        self.say(421, enhanced, &format!("{} {text}", self.config.connection.hostname));
        self.close(End::Refused);
    }

    fn close(&mut self, end: End) {
        self.state = State::Closed;
        self.transaction = None;
        self.input.discard();
        if self.facts.end == End::Open {
            self.facts.end = end;
        }
    }

    fn ask(&mut self, ask: Ask, pending: Pending) {
        self.state = State::ToAsk(Box::new(ask), pending);
    }

    fn greet(&mut self) {
        let protocol = if self.config.kind == Kind::Lmtp { "LMTP" } else { "ESMTP" };
        // RFC 2034 §3: no enhanced code in the greeting.
        let text = format!("{} {protocol} Troika", self.hostname());
        write_reply(&mut self.output, 220, None, Charset::Ascii, &[text]);
        self.state = State::Command;
    }

    /// Reads and carries out one command line; false when none is there.
    fn command(&mut self, now: i64) -> bool {
        // RFC 4954 §4: a log-in's lines may be longer than other commands.
        let limits = self.config.limits;
        let mut is_auth = false;
        let line = self.input.line_by(|begin| {
            is_auth = begin.get(..5).is_some_and(|head| head.eq_ignore_ascii_case(b"AUTH "));
            if is_auth { limits.auth_line_bytes_max } else { limits.command_bytes_max }
        });
        let line = match line {
            None => return false,
            Some(Ok(length)) => length,
            Some(Err(LineError::Endless)) => {
                self.give_up((5, 2), "The line does not end; closing");
                return true;
            }
            Some(Err(error)) => {
                self.facts.commands += 1;
                self.must_flush = true;
                self.refuse(&line_refusal(error, is_auth));
                return true;
            }
        };
        // The line is borrowed while it is carried out; nothing below touches self.input but to discard all of it.
        let mut input = std::mem::take(&mut self.input);
        self.facts.commands += 1;
        match text_of(&input.pending()[..line]) {
            Ok(text) => self.carry_out(text, now),
            Err(refusal) => {
                self.must_flush = true;
                self.refuse(&refusal);
            }
        }
        match self.state {
            State::Closed => {}
            // RFC 3207 §4.2: what came behind STARTTLS was sent in clear, perhaps by somebody else.
            State::ToHandshake => {}
            _ => {
                input.consume(line + 2);
                self.input = input;
            }
        }
        true
    }

    fn carry_out(&mut self, line: &str, now: i64) {
        // RFC 5321 §4.1.1: white space before the CRLF is tolerated.
        let line = line.trim_end_matches([' ', '\t']);
        let (name, args) = line.split_once(' ').unwrap_or((line, ""));
        let args = args.trim_start_matches(' ');
        let is_etrn = name.eq_ignore_ascii_case("ETRN") && self.config.offers.contains(&Offer::Etrn);
        let is_atrn = name.eq_ignore_ascii_case("ATRN") && self.config.offers.contains(&Offer::Atrn);
        let verb = match (is_etrn, is_atrn) {
            (true, _) => Some(Verb::Etrn),
            (_, true) => Some(Verb::Atrn),
            _ => Verb::parse(name, self.config.kind),
        };
        let Some(verb) = verb else {
            self.must_flush = true;
            return self.refuse(&unknown(name, self.config.kind));
        };
        self.must_flush |= !matches!(verb, Verb::Rset | Verb::Mail | Verb::Rcpt);
        match verb {
            Verb::Ehlo => self.hello(Greeting::Ehlo, args, now),
            Verb::Helo => self.hello(Greeting::Helo, args, now),
            Verb::Lhlo => self.hello(Greeting::Lhlo, args, now),
            Verb::Mail => self.mail(args, now),
            Verb::Rcpt => self.rcpt(args),
            Verb::Data if args.is_empty() => self.data(now),
            Verb::Bdat => self.bdat(args, now),
            Verb::Burl => self.burl(args, now),
            Verb::Rset if args.is_empty() => {
                self.transaction = None;
                self.say(250, (0, 0), "Reset");
            }
            Verb::Noop => self.say(250, (0, 0), "Still here"),
            Verb::Quit if args.is_empty() => {
                self.say(221, (0, 0), &format!("{} says good-bye", self.config.connection.hostname));
                self.close(End::Quit);
            }
            Verb::Vrfy => self.vrfy(args),
            Verb::Expn => self.expn(args),
            Verb::Help => self.help(args),
            Verb::Starttls => self.starttls(args),
            Verb::Auth => self.auth(args, now),
            Verb::Etrn => self.etrn(args),
            Verb::Atrn => self.atrn(args),
            Verb::Obsolete => {
                self.refuse(&Refusal::new(
                    502,
                    (5, 1),
                    format!("{name} is obsolete and not provided; use MAIL"),
                ));
            }
            // RFC 5321 §4.3.2: commands without arguments answer 501 to any.
            Verb::Data | Verb::Rset | Verb::Quit => {
                self.refuse(&Refusal::new(501, (5, 4), format!("{name} takes no argument")));
            }
        }
    }

    /// ```text
    /// ehlo = "EHLO" SP ( Domain / address-literal ) CRLF
    /// ```
    /// RFC 5321 §4.1.1.1, §4.1.4: resets the transaction; refused, it changes nothing.
    fn hello(&mut self, greeting: Greeting, name: &str, now: i64) {
        if !path::is_hello_name(name) {
            let text = "After the command your host name or [address] has to follow, in ASCII";
            return self.refuse(&Refusal::new(501, (5, 4), text));
        }
        self.transaction = None;
        self.client = Arc::new(Client { helo: name.to_owned(), greeting, ..Client::clone(&self.client) });
        let hello = format!("{} greets {name}", self.hostname());
        let mut lines = vec![hello];
        if greeting != Greeting::Helo {
            self.list_extensions(&mut lines, now);
        }
        // RFC 2034 §3: no enhanced code here.
        write_reply(&mut self.output, 250, None, Charset::Ascii, &lines);
    }

    fn list_extensions(&self, lines: &mut Vec<String>, now: i64) {
        let limits = &self.config.limits;
        lines.extend(
            [
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                "ENHANCEDSTATUSCODES",
                "DSN",
                "CHUNKING",
                "BINARYMIME",
                "HELP",
            ]
            .map(str::to_owned),
        );
        // RFC 5321 §3.5.2: to be listed where it is supported.
        if self.may_look_up() {
            lines.push("EXPN".to_owned());
        }
        lines.push(format!("SIZE {}", limits.message_bytes_max));
        // RFC 9422 §4: six digits at most.
        let (mails, recipients) =
            (limits.messages_max.clamp(1, 999_999), limits.recipients_max.clamp(1, 999_999));
        lines.push(format!("LIMITS RCPTMAX={recipients} MAILMAX={mails}"));
        if self.config.connection.tls == TlsMode::Starttls
            && self.client.tls.is_none()
            && self.client.user.is_none()
        {
            lines.push("STARTTLS".to_owned());
        }
        lines.extend(self.burl_keyword());
        lines.extend(self.config.offers.iter().filter_map(|offer| self.offer_keyword(*offer, now)));
        let mechanisms: Vec<&str> = self.usable_mechanisms().map(sasl::Mechanism::name).collect();
        if !mechanisms.is_empty() {
            lines.push(format!("AUTH {}", mechanisms.join(" ")));
        }
    }

    /// RFC 3207 §4
    fn starttls(&mut self, args: &str) {
        if self.config.connection.tls == TlsMode::None {
            return self.refuse(&Refusal::new(502, (5, 1), "TLS is not offered on this port"));
        }
        if !args.is_empty() {
            return self.refuse(&Refusal::new(501, (5, 4), "STARTTLS takes no argument"));
        }
        if self.client.tls.is_some() || self.config.connection.tls == TlsMode::Implicit {
            return self.refuse_order("TLS is on already");
        }
        if self.client.user.is_some() {
            return self.refuse_order("STARTTLS has to come before the log-in");
        }
        self.say(220, (0, 0), "Begin TLS, then greet again");
        self.transaction = None;
        self.state = State::ToHandshake;
    }

    fn help(&mut self, topic: &str) {
        match verb::help(topic, self.config.kind) {
            Some(lines) => {
                write_reply(&mut self.output, 214, Some(Enhanced(2, 0, 0)), Charset::Ascii, &lines);
            }
            None => self.refuse(&Refusal::new(
                504,
                (5, 4),
                format!("There is no help on {topic}; HELP lists topics"),
            )),
        }
    }

    /// RFC 4954 §6, RFC 6409 §4.3: nothing about mail before a log-in where one is required. The refusal, if any.
    fn login_missing(&self) -> Option<Refusal> {
        (self.config.login == Login::Required && self.client.user.is_none())
            .then(|| Refusal::new(530, (7, 0), self.login_advice()))
    }

    fn login_advice(&self) -> &'static str {
        let connection = &self.config.connection;
        if connection.tls == TlsMode::Starttls && self.client.tls.is_none() && !connection.plaintext_auth {
            return "Log in first: STARTTLS, then AUTH";
        }
        "Log in first, with AUTH"
    }

    fn take_answer(&mut self, pending: Pending, answer: Answer) {
        match (pending, answer) {
            (Pending::Login(exchange), Answer::Auth(reply)) => self.login_answered(exchange, reply),
            (Pending::Sender(sender, priority), Answer::Sender(outcome)) => {
                self.sender_answered(sender, priority, outcome);
            }
            (Pending::Recipient(recipient), Answer::Recipient(outcome)) => {
                self.recipient_answered(recipient, outcome);
            }
            (Pending::Verify(charset), Answer::Listed(listed)) => self.verify_answered(charset, listed),
            (Pending::Expand(charset), Answer::Listed(listed)) => self.expand_answered(charset, listed),
            (Pending::Url { last }, Answer::Url(octets)) => self.url_answered(octets, last),
            (Pending::Flush(domain), Answer::Flushed(waiting)) => self.flush_answered(&domain, waiting),
            (Pending::Turn, Answer::Turned(outcome)) => self.turn_answered(outcome),
            (Pending::Deliver, Answer::Deliver(outcomes)) => self.delivered(outcomes),
            // The answering side is wrong: the session dies, the server lives.
            _ => self.give_up((3, 0), "The server made a mistake; try again later"),
        }
    }
}

/// A line as text: UTF-8 without control characters.
fn text_of(line: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(line)
        .map_err(|_| Refusal::new(500, (5, 2), "The command is neither ASCII nor UTF-8"))?;
    if line.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
        return Err(Refusal::new(500, (5, 2), "The command holds control characters"));
    }
    Ok(text)
}

fn line_refusal(error: LineError, is_auth: bool) -> Refusal {
    match error {
        LineError::TooLong if is_auth => Refusal::new(500, (5, 6), "The line of the log-in is too long"),
        LineError::TooLong | LineError::Endless => {
            Refusal::new(500, (5, 2), "The command is too long; it was ignored")
        }
        LineError::BareEnding => Refusal::new(
            500,
            (5, 2),
            "Lines end with CR LF; a CR or LF alone was found, and what stands before the next CR LF is ignored",
        ),
    }
}

fn unknown(name: &str, kind: Kind) -> Refusal {
    let hello = ["EHLO", "HELO", "LHLO"].into_iter().find(|hello| hello.eq_ignore_ascii_case(name));
    match (hello, kind) {
        (Some(_), Kind::Lmtp) => Refusal::new(500, (5, 1), "This is LMTP; greet with LHLO"),
        (Some(_), _) => Refusal::new(500, (5, 1), "This is SMTP; greet with EHLO"),
        (None, _) => Refusal::new(500, (5, 1), "There is no such command; HELP lists them"),
    }
}

impl wire::Session for Session {
    type Ask = Ask;
    type Answer = Answer;

    fn feed(&mut self, bytes: &[u8]) {
        // Message content goes where it belongs without a stop in the input buffer.
        let used = match &mut self.state {
            State::Closed | State::ToHandshake | State::Handshake => return,
            _ if !self.input.pending().is_empty() => 0,
            State::Data(data) => data.read(bytes),
            State::Chunk(chunk) => chunk.read(bytes, self.transaction.as_mut()),
            _ => 0,
        };
        if used < bytes.len() {
            self.input.feed(&bytes[used..]);
        }
    }

    fn step(&mut self, now: i64) -> Step<Ask> {
        self.check_login_time(now);
        loop {
            if self.output.len() >= FLUSH_BYTES {
                return Step::Flush;
            }
            if self.must_flush && matches!(self.state, State::Command | State::Data(_)) {
                self.must_flush = false;
                if !self.input.pending().is_empty() {
                    return Step::Flush;
                }
            }
            match std::mem::replace(&mut self.state, State::Closed) {
                State::Greeting => self.greet(),
                State::Command => {
                    self.state = State::Command;
                    if self.going_down && !self.has_chunks() {
                        self.give_up((3, 2), "The server goes down for a while; try again later");
                        self.facts.end = End::ShutDown;
                    } else if !self.command(now) {
                        self.input.shrink();
                        return Step::NeedInput;
                    }
                }
                State::LoginLine(exchange) => {
                    if let Some(exchange) = self.login_line(exchange) {
                        self.state = State::LoginLine(exchange);
                        return Step::NeedInput;
                    }
                }
                State::Data(mut data) => {
                    let used = data.read(self.input.pending());
                    self.input.consume(used);
                    if data.content.seen_bytes() > self.config.limits.read_bytes_max() {
                        self.state = State::Command;
                        self.endless();
                    } else if data.ended {
                        self.state = State::Command;
                        self.message_ended(data.content, now);
                    } else {
                        self.state = State::Data(data);
                        return Step::NeedInput;
                    }
                }
                State::Chunk(mut chunk) => {
                    let used = chunk.read(self.input.pending(), self.transaction.as_mut());
                    self.input.consume(used);
                    if chunk.left_bytes > 0 {
                        self.state = State::Chunk(chunk);
                        return Step::NeedInput;
                    }
                    self.state = State::Command;
                    self.chunk_ended(chunk, now);
                }
                State::ToAsk(ask, pending) => {
                    self.state = State::Answer(pending);
                    return Step::Ask(*ask);
                }
                State::ToHandshake => {
                    self.state = State::Handshake;
                    self.input.discard();
                    return Step::StartTls;
                }
                waiting @ (State::Answer(_) | State::Handshake) => {
                    self.state = waiting;
                    return Step::NeedInput;
                }
                State::Closed => return Step::Close,
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Answer(pending) => self.take_answer(pending, answer),
            State::Closed => self.state = State::Closed,
            _ => self.give_up((3, 0), "The server made a mistake; try again later"),
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn tls_started(&mut self, tls: TlsInfo) {
        self.input.discard();
        self.transaction = None;
        // RFC 3207 §4.2: all that the client said before is forgotten.
        self.client = Arc::new(Client {
            helo: String::new(),
            greeting: Greeting::None,
            user: None,
            tls: Some(tls),
            ..Client::clone(&self.client)
        });
        if matches!(self.state, State::Handshake | State::ToHandshake) {
            self.state = State::Command;
        }
    }

    fn patience(&self) -> Duration {
        match self.state {
            State::Data(_) | State::Chunk(_) => self.config.limits.data_patience,
            _ => self.config.limits.command_patience,
        }
    }

    fn timed_out(&mut self) {
        if matches!(self.state, State::Closed) {
            return;
        }
        if !matches!(self.state, State::Handshake) {
            self.give_up((4, 2), "Nothing came for too long; closing");
        }
        self.close(End::TimedOut);
        self.facts.end = End::TimedOut;
    }

    fn shut_down(&mut self) {
        self.going_down = true;
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}
