//! VRFY and EXPN (RFC 5321 §3.5; RFC 6531 §3.7.4.2).

use super::{Pending, Session};
use crate::ask::{Ask, Listed};
use crate::config::Verify;
use crate::header::spelled;
use crate::reply::{Charset, Enhanced, Refusal, write_reply};
use std::sync::Arc;

impl Session {
    /// Whether this client is told who there is.
    pub(super) fn may_look_up(&self) -> bool {
        self.config.verify == Verify::LoggedIn && self.client.user.is_some()
    }

    /// ```text
    /// vrfy = "VRFY" SP String [ SP "SMTPUTF8" ] CRLF
    /// ```
    pub(super) fn vrfy(&mut self, args: &str) {
        let Some((text, charset)) = lookup_args(args) else {
            return self.refuse(&Refusal::new(501, (5, 4), "The syntax is VRFY user-or-mailbox"));
        };
        if !self.may_look_up() {
            // RFC 5321 §3.5.3, §7.3
            return self.say(252, (5, 0), "Whether it exists is not told; mail to it will be tried");
        }
        let ask = Ask::Verify { client: Arc::clone(&self.client), text };
        self.ask(ask, Pending::Verify(charset));
    }

    /// ```text
    /// expn = "EXPN" SP String [ SP "SMTPUTF8" ] CRLF
    /// ```
    pub(super) fn expn(&mut self, args: &str) {
        let Some((text, charset)) = lookup_args(args) else {
            return self.refuse(&Refusal::new(501, (5, 4), "The syntax is EXPN list"));
        };
        if !self.may_look_up() {
            return self.decline(&Refusal::new(550, (7, 1), "Who is on a list is not told"));
        }
        let ask = Ask::Expand { client: Arc::clone(&self.client), text };
        self.ask(ask, Pending::Expand(charset));
    }

    pub(super) fn verify_answered(&mut self, charset: Charset, listed: Result<Vec<Listed>, Refusal>) {
        match self.lines_of(charset, listed) {
            Some(lines) if lines.len() == 1 => {
                write_reply(&mut self.output, 250, Some(Enhanced(2, 1, 5)), charset, &lines);
            }
            Some(mut lines) => {
                // RFC 5321 §3.5.1: ambiguous, with the possibilities.
                lines.insert(0, "Which one is meant?".to_owned());
                write_reply(&mut self.output, 553, Some(Enhanced(5, 1, 4)), charset, &lines);
            }
            None => {}
        }
    }

    pub(super) fn expand_answered(&mut self, charset: Charset, listed: Result<Vec<Listed>, Refusal>) {
        if let Some(lines) = self.lines_of(charset, listed) {
            write_reply(&mut self.output, 250, Some(Enhanced(2, 1, 5)), charset, &lines);
        }
    }

    /// The lines to show, at least one; None when the reply has been written.
    fn lines_of(&mut self, charset: Charset, listed: Result<Vec<Listed>, Refusal>) -> Option<Vec<String>> {
        let listed = match listed {
            Ok(listed) if listed.is_empty() => {
                self.decline(&Refusal::new(550, (1, 1), "There is nobody of that name"));
                return None;
            }
            Ok(listed) => listed,
            Err(refusal) => {
                self.decline(&refusal);
                return None;
            }
        };
        let utf8 = charset == Charset::Utf8;
        if !utf8 && listed.iter().any(|listed| listed.address.needs_utf8()) {
            self.say(252, (6, 8), "It can be shown in UTF-8 only; ask again with SMTPUTF8 behind");
            return None;
        }
        let line = |listed: &Listed| {
            let address = spelled(&listed.address, utf8);
            match listed.name.as_deref().filter(|name| utf8 || name.is_ascii()) {
                Some(name) => format!("{name} <{address}>"),
                None => format!("<{address}>"),
            }
        };
        Some(listed.iter().map(line).collect())
    }
}

/// What to look up, without quotes or brackets, and whether the reply may be UTF-8.
fn lookup_args(args: &str) -> Option<(String, Charset)> {
    const PARAMETER: &str = " SMTPUTF8";
    let (text, charset) =
        match args.len().checked_sub(PARAMETER.len()).and_then(|at| args.split_at_checked(at)) {
            Some((text, end)) if end.eq_ignore_ascii_case(PARAMETER) => (text, Charset::Utf8),
            _ => (args, Charset::Ascii),
        };
    let text = text.trim();
    let within = |open, close| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let text = within('<', '>').or_else(|| within('"', '"')).unwrap_or(text);
    (!text.is_empty()).then(|| (text.to_owned(), charset))
}
