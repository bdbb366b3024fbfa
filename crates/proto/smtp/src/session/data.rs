//! DATA and BDAT: the message (RFC 5321 §4.1.1.4; RFC 3030; RFC 2033 §4.2, §4.3).

use super::envelope::{Chunks, Transaction, recipient_text};
use super::{Chunk, Data, Pending, Session, State};
use crate::ask::{Ask, BodyType, Delivery, Kind, Outcome};
use crate::content::{Content, DotReader, Fault, LineWatch};
use crate::header::{self, HOPS_MAX, HeaderFault, REMOVED_FIELDS_MAX};
use crate::reply::Refusal;
use std::sync::Arc;

/// Content of a refused chunk that is read and dropped from clients that may not send mail yet.
const STRANGER_DISCARD_BYTES_MAX: u64 = 64 * 1024;

impl Data {
    pub(super) fn read(&mut self, octets: &[u8]) -> usize {
        if self.ended {
            return 0;
        }
        let (used, ended) = self.reader.read(octets, &mut self.content);
        self.ended = ended;
        used
    }
}

impl Chunk {
    pub(super) fn read(&mut self, octets: &[u8], transaction: Option<&mut Transaction>) -> usize {
        let used = octets.len().min(usize::try_from(self.left_bytes).unwrap_or(usize::MAX));
        let octets = &octets[..used];
        self.left_bytes -= used as u64;
        if self.refusal.is_some() {
            return used;
        }
        if let Some(Transaction { chunks: Chunks::Some { content, watch }, sender, .. }) = transaction {
            // RFC 3030 §2: text has to have its lines ended by CRLF; only BINARYMIME is beyond lines.
            let watched = sender.body != BodyType::BinaryMime && content.fault() != Some(Fault::BareEnding);
            if watched && !watch.watch(octets) {
                content.spoil();
            }
            content.push(octets);
        }
        used
    }
}

impl Session {
    pub(super) fn has_chunks(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| matches!(transaction.chunks, Chunks::Some { .. }))
    }

    pub(super) fn data(&mut self, now: i64) {
        if let Some(refusal) = self.mail_barred() {
            return self.refuse(&refusal);
        }
        let Some(transaction) = &self.transaction else {
            return self.refuse_order("MAIL and RCPT have to come before DATA");
        };
        if !matches!(transaction.chunks, Chunks::None) {
            // RFC 3030 §2
            return self.refuse_order("The message is being sent with BDAT; go on with that, or RSET");
        }
        if transaction.sender.body == BodyType::BinaryMime {
            // RFC 3030 §3
            return self.refuse_order("BINARYMIME can be sent with BDAT only");
        }
        if let Some(refusal) = self.no_recipients() {
            return self.refuse(&refusal);
        }
        let content = self.new_content(now);
        write_354(&mut self.output);
        self.state = State::Data(Box::new(Data { reader: DotReader::default(), content, ended: false }));
    }

    /// RFC 5321 §3.3: 503 or 554; RFC 2033 §4.2: 503 in LMTP.
    fn no_recipients(&self) -> Option<Refusal> {
        let transaction = self.transaction.as_ref()?;
        if !transaction.recipients.is_empty() {
            return None;
        }
        if transaction.rcpt_count == 0 || self.config.kind == Kind::Lmtp {
            return Some(Refusal::new(503, (5, 1), "No recipient was accepted; RCPT has to come before"));
        }
        Some(Refusal::new(
            554,
            (5, 1),
            "No recipient was accepted, so there is nobody to send the message to",
        ))
    }

    /// Begins the message: gives it its id and its trace field.
    fn new_content(&mut self, now: i64) -> Content {
        self.counts.messages += 1;
        let connection = &self.config.connection;
        let id = format!("{}.{}", connection.trace, self.counts.messages);
        let Some(transaction) = &mut self.transaction else {
            return Content::new(Vec::new(), 0, None, self.config.memory.share());
        };
        let (sender, recipients) = (&transaction.sender, &transaction.recipients);
        let prefix = header::trace_field(sender, recipients, &connection.hostname, &id, now);
        transaction.id = id;
        let (most, size) = (self.config.limits.message_bytes_max, transaction.sender.size_bytes);
        Content::new(prefix, most, size, self.config.memory.share())
    }

    /// ```text
    /// bdat-cmd = "BDAT" SP chunk-size [ SP end-marker ] CRLF
    /// ```
    /// RFC 3030 §2: the octets follow whatever the reply will be, so they are read or the connection is closed; never
    /// are they taken for commands.
    pub(super) fn bdat(&mut self, args: &str, now: i64) {
        let Some((bytes, last)) = parse_bdat(args) else {
            self.refuse(&Refusal::new(501, (5, 4), "The syntax is BDAT octets, or BDAT octets LAST"));
            return self.give_up((5, 0), "What follows BDAT can't be told from commands; closing");
        };
        let barred = self.mail_barred();
        let most = match &barred {
            Some(_) => STRANGER_DISCARD_BYTES_MAX,
            None => self.config.limits.read_bytes_max(),
        };
        let refusal = barred.or_else(|| self.chunk_barred());
        if bytes > most {
            let refusal = refusal.unwrap_or_else(|| self.too_big());
            self.refuse(&refusal);
            return self.give_up((3, 4), "That much is not even read; closing");
        }
        if refusal.is_none() {
            self.begin_chunks(now);
        }
        self.state = State::Chunk(Chunk { left_bytes: bytes, bytes, last, refusal });
    }

    /// Begins the message with its first chunk.
    pub(super) fn begin_chunks(&mut self, now: i64) {
        if self.has_chunks() {
            return;
        }
        let content = self.new_content(now);
        if let Some(transaction) = &mut self.transaction {
            transaction.chunks = Chunks::Some { content, watch: LineWatch::default() };
        }
    }

    pub(super) fn chunk_barred(&self) -> Option<Refusal> {
        match &self.transaction {
            None => Some(Refusal::new(503, (5, 1), "MAIL and RCPT have to come before BDAT or BURL")),
            Some(Transaction { chunks: Chunks::Failed, .. }) => {
                Some(Refusal::new(503, (5, 1), "The message has failed already; RSET drops it"))
            }
            Some(_) => self.no_recipients(),
        }
    }

    pub(super) fn chunk_ended(&mut self, chunk: Chunk, now: i64) {
        let watch_open = match &self.transaction {
            Some(Transaction { chunks: Chunks::Some { watch, .. }, .. }) => watch.is_open(),
            _ => false,
        };
        let refusal = chunk.refusal.or_else(|| self.chunk_fault(chunk.last && watch_open));
        match (refusal, chunk.last) {
            (Some(refusal), false) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.chunks = Chunks::Failed;
                }
                self.refuse(&refusal);
            }
            (Some(refusal), true) => self.message_refused(&refusal),
            (None, false) => self.say(250, (0, 0), &format!("{} octets noted", chunk.bytes)),
            (None, true) => {
                let chunks =
                    self.transaction.as_mut().map(|transaction| std::mem::take(&mut transaction.chunks));
                let Some(Chunks::Some { mut content, .. }) = chunks else {
                    return self.give_up((3, 0), "The server made a mistake; try again later");
                };
                if self.body() != BodyType::BinaryMime && !content.ends_line() {
                    // Stored text ends with a line end; a BDAT client may have left the last one out.
                    content.push(b"\r\n");
                }
                self.message_ended(content, now);
            }
        }
    }

    fn body(&self) -> BodyType {
        self.transaction.as_ref().map(|transaction| transaction.sender.body).unwrap_or_default()
    }

    fn chunk_fault(&self, cut_in_line_end: bool) -> Option<Refusal> {
        let Some(Transaction { chunks: Chunks::Some { content, .. }, .. }) = &self.transaction else {
            return None;
        };
        let fault = content.fault().or(cut_in_line_end.then_some(Fault::BareEnding))?;
        Some(self.fault_refusal(fault))
    }

    fn fault_refusal(&self, fault: Fault) -> Refusal {
        match fault {
            Fault::TooBig => self.too_big(),
            Fault::NoMemory => Refusal::new(
                452,
                (3, 1),
                "Too many large messages come in at once; nothing is lost, try again in some minutes",
            ),
            Fault::BareEnding => Refusal::new(
                554,
                (6, 0),
                "The message holds a CR or LF alone; lines have to end with CR LF (RFC 5321 section 2.3.8)",
            ),
        }
    }

    fn too_big(&self) -> Refusal {
        let most = self.config.limits.message_bytes_max;
        Refusal::new(552, (3, 4), format!("The message is too large; at most {most} octets are taken"))
    }

    /// More came than is read in the hope of an end.
    pub(super) fn endless(&mut self) {
        let refusal = self.too_big();
        self.message_refused(&refusal);
        self.give_up((3, 4), "The message does not end; closing");
    }

    /// The whole message is there: looks it over and asks for delivery.
    pub(super) fn message_ended(&mut self, content: Content, now: i64) {
        if let Some(fault) = content.fault() {
            let refusal = self.fault_refusal(fault);
            return self.message_refused(&refusal);
        }
        let Some(transaction) = &mut self.transaction else {
            return self.give_up((3, 0), "The server made a mistake; try again later");
        };
        let (mut message, trace_field_bytes, memory) = content.into_parts();
        let (sender, id) = (Arc::clone(&transaction.sender), transaction.id.clone());
        let completion =
            header::Completion { sender: &sender, hostname: &self.config.connection.hostname, id: &id, now };
        if let Err(fault) = header::finish(&mut message, trace_field_bytes, &completion) {
            return self.message_refused(&header_refusal(fault));
        }
        let delivery = Delivery {
            recipients: transaction.recipients.clone(),
            id,
            received_at: now,
            protocol: header::protocol(&sender.client, sender.smtputf8),
            message,
            trace_field_bytes,
            memory,
            sender,
        };
        self.ask(Ask::Deliver(Box::new(delivery)), Pending::Deliver);
    }

    /// The session itself refuses a message that has come to its end.
    fn message_refused(&mut self, refusal: &Refusal) {
        self.facts.errors += 1;
        self.counts.errors += 1;
        let count = match &self.transaction {
            // RFC 2033 §4.2, §4.3: one reply for each accepted recipient, none for none.
            Some(transaction) if self.config.kind == Kind::Lmtp => transaction.recipients.len(),
            _ => 1,
        };
        for _ in 0..count {
            self.decline(refusal);
        }
        self.transaction = None;
        if self.counts.errors >= self.config.limits.errors_max {
            self.give_up((7, 0), "Too many errors; look up what was refused and come back");
        }
    }

    /// The world has taken the message or not.
    pub(super) fn delivered(&mut self, outcomes: Vec<Outcome>) {
        let Some(transaction) = self.transaction.take() else {
            return self.give_up((3, 0), "The server made a mistake; try again later");
        };
        let mut outcomes = outcomes.into_iter();
        // An outcome too few is trouble of ours, so never a yes.
        let mut next = || outcomes.next().unwrap_or_else(|| Err(Refusal::local_trouble()));
        let mut taken = false;
        if self.config.kind == Kind::Lmtp {
            let smtputf8 = transaction.sender.smtputf8;
            for recipient in &transaction.recipients {
                match next() {
                    Ok(()) => {
                        taken = true;
                        let recipient = recipient_text(&recipient.path, smtputf8);
                        self.say(250, (1, 5), &format!("{recipient} has it, id {}", transaction.id));
                    }
                    Err(mut refusal) => {
                        // RFC 2033 §4.2: every recipient gets his reply; one that closes would leave the others without.
                        refusal.code = match refusal.code {
                            421 => 451,
                            521 => 550,
                            code => code,
                        };
                        self.decline(&refusal);
                    }
                }
            }
        } else {
            match next() {
                Ok(()) => {
                    taken = true;
                    self.say(250, (0, 0), &format!("Message taken, id {}", transaction.id));
                }
                Err(refusal) => self.decline(&refusal),
            }
        }
        if taken {
            self.facts.messages += 1;
            self.counts.errors = 0;
            self.counts.refused_recipients = 0;
        }
    }
}

fn header_refusal(fault: HeaderFault) -> Refusal {
    match fault {
        HeaderFault::Loop => {
            let text = format!("The message went through more than {HOPS_MAX} servers; it goes in a circle");
            Refusal::new(554, (4, 6), text)
        }
        HeaderFault::TooManyFields => {
            let text = format!("The header holds more than {REMOVED_FIELDS_MAX} Bcc or Return-Path fields");
            Refusal::new(554, (6, 0), text)
        }
    }
}

/// RFC 5321 §4.3.2; RFC 2034 §3: intermediate replies carry no enhanced code.
fn write_354(out: &mut Vec<u8>) {
    out.extend_from_slice(b"354 Start mail input; end with <CRLF>.<CRLF>\r\n");
}

fn parse_bdat(args: &str) -> Option<(u64, bool)> {
    let (size, rest) = args.split_once(' ').unwrap_or((args, ""));
    let last = match rest.trim_start_matches(' ') {
        "" => false,
        word if word.eq_ignore_ascii_case("LAST") => true,
        _ => return None,
    };
    if size.is_empty() || !size.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((size.parse().unwrap_or(u64::MAX), last))
}
