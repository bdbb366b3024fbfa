//! TRANSACTION and UPDATE (RFC 1939 §5, §6; TOP and UIDL §7; LAST RFC 1460).

use wire::{End, FLUSH_BYTES};

use crate::ask::{Ask, Entry, Maildrop, Uncommitted, Unread};
use crate::command::Command;
use crate::maildrop_view::{MaildropView, NoMessage, Totals};
use crate::session::{Pop3, State, Waiting};
use crate::settings::Utf8Header;
use crate::text::{Code, Text};
use crate::transfer::{Transfer, has_utf8_header};

/// A locked maildrop and what is being sent of it.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) view: MaildropView,
    activity: Activity,
}

/// A multi-line response under way; commands wait for its end.
#[derive(Debug)]
enum Activity {
    Nothing,
    Listing { kind: Listing, next: u32 },
    Transfer(Transfer),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Listing {
    Scan,
    UniqueId,
}

impl Transaction {
    pub(crate) fn new(drop: Maildrop) -> Transaction {
        Transaction { view: MaildropView::new(drop), activity: Activity::Nothing }
    }

    /// A response is under way.
    pub(crate) fn is_busy(&self) -> bool {
        !matches!(self.activity, Activity::Nothing)
    }
}

impl Pop3 {
    fn transaction(&mut self) -> &mut Transaction {
        match &mut self.state {
            State::Transaction(transaction) => transaction,
            _ => unreachable!("called after log-in only"),
        }
    }

    pub(crate) fn transaction_command(&mut self, command: &Command<'_>) {
        match *command {
            Command::Stat => {
                let Totals { messages, octets } = self.transaction().view.totals();
                self.output.extend_from_slice(b"+OK ");
                push_pair(u64::from(messages), octets, &mut self.output);
            }
            Command::List(None) => {
                let totals = self.transaction().view.totals();
                self.ok(Text::ListFollows(totals));
                self.transaction().activity = Activity::Listing { kind: Listing::Scan, next: 1 };
            }
            Command::Uidl(None) => {
                self.ok(Text::UidlFollows);
                self.transaction().activity = Activity::Listing { kind: Listing::UniqueId, next: 1 };
            }
            Command::List(Some(msg)) => self.list_one(Listing::Scan, msg),
            Command::Uidl(Some(msg)) => self.list_one(Listing::UniqueId, msg),
            Command::Retr(msg) => {
                if let Some(entry) = self.entry(msg) {
                    self.transaction().activity = Activity::Transfer(Transfer::retr(msg, entry));
                }
            }
            Command::Top { msg, lines } => {
                if let Some(entry) = self.entry(msg) {
                    self.transaction().activity = Activity::Transfer(Transfer::top(msg, entry, lines));
                }
            }
            Command::Dele(msg) => match self.transaction().view.delete(msg) {
                Ok(()) => self.ok(Text::Deleted(msg)),
                Err(why) => self.no_message(msg, why),
            },
            Command::Noop => self.ok(Text::Nothing),
            Command::Rset => {
                let view = &mut self.transaction().view;
                view.reset();
                let totals = view.totals();
                self.ok(Text::Reset(totals));
            }
            Command::Last => {
                let last = self.transaction().view.last();
                self.output.extend_from_slice(format!("+OK {last}\r\n").as_bytes());
            }
            Command::Quit => self.update(),
            _ => unreachable!("no command of TRANSACTION"),
        }
    }

    /// The message, or the refusal.
    fn entry(&mut self, msg: u32) -> Option<Entry> {
        match self.transaction().view.entry(msg) {
            Ok(entry) => Some(entry),
            Err(why) => {
                self.no_message(msg, why);
                None
            }
        }
    }

    fn no_message(&mut self, msg: u32, why: NoMessage) {
        match why {
            NoMessage::OutOfRange => {
                let count = self.transaction().view.count_all();
                self.fail(None, Text::NoSuchMessage { count });
            }
            NoMessage::Deleted => self.fail(None, Text::AlreadyDeleted(msg)),
        }
    }

    fn list_one(&mut self, kind: Listing, msg: u32) {
        let Some(entry) = self.entry(msg) else {
            return;
        };
        self.output.extend_from_slice(b"+OK ");
        if let State::Transaction(transaction) = &self.state {
            push_listing(kind, msg, entry, &transaction.view, &mut self.output);
        }
    }

    /// Sends more of the response under way: up to a flush, or a question.
    pub(crate) fn go_on(&mut self) {
        let State::Transaction(transaction) = &mut self.state else { unreachable!("called while busy only") };
        match &mut transaction.activity {
            Activity::Nothing => {}
            Activity::Listing { kind, next } => {
                while self.output.len() < FLUSH_BYTES {
                    let Some((msg, entry)) = transaction.view.next_from(*next) else {
                        self.output.extend_from_slice(b".\r\n");
                        transaction.activity = Activity::Nothing;
                        return;
                    };
                    push_listing(*kind, msg, entry, &transaction.view, &mut self.output);
                    let Some(after) = msg.checked_add(1) else { unreachable!("2³² messages") };
                    *next = after;
                }
            }
            Activity::Transfer(transfer) => match transfer.next_range() {
                Some(range) => {
                    let uid = transfer.entry.uid;
                    let length = range.end - range.start;
                    self.ask(Ask::Read { uid, range }, Waiting::Octets { length });
                }
                // An empty message: there was nothing to read.
                None => self.octets(0, &[]),
            },
        }
    }

    /// A piece of the message came.
    pub(crate) fn octets(&mut self, length: u64, octets: &[u8]) {
        if octets.len() as u64 != length {
            return self.unread(Unread::Damaged);
        }
        let Activity::Transfer(mut transfer) =
            std::mem::replace(&mut self.transaction().activity, Activity::Nothing)
        else {
            unreachable!("asked amid a transfer only")
        };
        if transfer.is_at_start() {
            let is_refused = !self.utf8 && self.settings.utf8_header == Utf8Header::Refuse;
            if is_refused && has_utf8_header(octets) {
                return self.fail(Some(Code::Utf8), Text::NeedsUtf8);
            }
            let size = transfer.entry.size_octets;
            self.ok(if transfer.is_whole() { Text::Octets(size) } else { Text::TopFollows });
        }
        transfer.push(octets, &mut self.output);
        if transfer.next_range().is_some() {
            self.transaction().activity = Activity::Transfer(transfer);
            return;
        }
        if transfer.is_whole() {
            self.facts.messages += 1;
            self.transaction().view.accessed(transfer.msg);
        }
        transfer.finish(&mut self.output);
    }

    /// The message can't be read: an error while nothing was sent of it, otherwise the only thing that a client can't
    /// take for the whole message is a connection that breaks.
    pub(crate) fn unread(&mut self, why: Unread) {
        let activity = std::mem::replace(&mut self.transaction().activity, Activity::Nothing);
        if !matches!(activity, Activity::Transfer(transfer) if transfer.is_at_start()) {
            return self.close(End::Refused);
        }
        match why {
            Unread::Gone => self.fail(None, Text::Gone),
            Unread::Temporary => self.fail(Some(Code::SysTemp), Text::Unreadable),
            Unread::Damaged => self.fail(Some(Code::SysPerm), Text::Damaged),
        }
    }

    /// QUIT (RFC 1939 §6). The world removes what is marked and gives the lock back, in this order.
    fn update(&mut self) {
        let State::Transaction(transaction) = std::mem::replace(&mut self.state, State::Closing) else {
            unreachable!("called after log-in only")
        };
        self.facts.end = End::Quit;
        let view = &transaction.view;
        let ask = Ask::Commit { deleted: view.deleted_uids(), last_accessed: view.last_accessed() };
        self.ask(ask, Waiting::Commit { left: view.totals().messages });
    }

    pub(crate) fn committed(&mut self, left: u32) {
        let hostname = self.connection.hostname.clone();
        self.ok(Text::SigningOffWith { hostname: &hostname, left });
    }

    pub(crate) fn uncommitted(&mut self, why: Uncommitted) {
        let code = match why {
            Uncommitted::Temporary => Code::SysTemp,
            Uncommitted::Permanent => Code::SysPerm,
        };
        self.fail(Some(code), Text::NotRemoved);
    }
}

/// A scan listing or a unique-id listing (RFC 1939 §5, §7).
fn push_listing(kind: Listing, msg: u32, entry: Entry, view: &MaildropView, out: &mut Vec<u8>) {
    match kind {
        Listing::Scan => push_pair(u64::from(msg), u64::from(entry.size_octets), out),
        Listing::UniqueId => {
            push_number(u64::from(msg), out);
            out.push(b' ');
            view.push_uidl(entry, out);
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn push_pair(one: u64, two: u64, out: &mut Vec<u8>) {
    push_number(one, out);
    out.push(b' ');
    push_number(two, out);
    out.extend_from_slice(b"\r\n");
}

/// Decimal, without the formatting machinery: a listing has a line a message.
fn push_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return out.extend_from_slice(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 320, 1_000_000, u64::MAX] {
            let mut out = b"x".to_vec();
            push_number(number, &mut out);
            assert_eq!(out, format!("x{number}").into_bytes());
        }
    }
}
