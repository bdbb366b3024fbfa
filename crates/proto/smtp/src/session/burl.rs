//! BURL: chunks of a message that are fetched from the mail store (RFC 4468).
//!
//! A URL's octets are a chunk like those of BDAT, and both may take turns (RFC 4468 §3.2). A URL that can't be resolved
//! fails the whole transaction.

use super::{Chunk, Pending, Session, State};
use crate::ask::{Ask, BodyType, Kind};
use crate::reply::Refusal;
use std::sync::Arc;

impl Session {
    /// The keyword of EHLO. RFC 4468 §3.1: without arguments it says that a log-in comes before; §3.3: `imap` is for
    /// URLAUTH's URLs, `imap://…` for the user's own messages.
    pub(super) fn burl_keyword(&self) -> Option<String> {
        if self.config.kind != Kind::Submission {
            return None;
        }
        Some(match &self.client.user {
            Some(_) => format!("BURL imap imap://{}", self.hostname()),
            None => "BURL".to_owned(),
        })
    }

    /// ```text
    /// burl-cmd = "BURL" SP absolute-URI [SP end-marker] CRLF
    /// ```
    pub(super) fn burl(&mut self, args: &str, now: i64) {
        if let Some(refusal) = self.mail_barred() {
            return self.refuse(&refusal);
        }
        if self.client.user.is_none() {
            return self.refuse(&Refusal::new(530, (7, 0), "Log in first, with AUTH"));
        }
        let (url, rest) = args.split_once(' ').unwrap_or((args, ""));
        let last = match rest.trim_start_matches(' ') {
            "" => false,
            word if word.eq_ignore_ascii_case("LAST") => true,
            _ => return self.refuse(&Refusal::new(501, (5, 4), "The syntax is BURL url, or BURL url LAST")),
        };
        if url.is_empty() {
            return self.refuse(&Refusal::new(501, (5, 4), "The syntax is BURL url, or BURL url LAST"));
        }
        if let Some(refusal) = self.chunk_barred() {
            return self.refuse(&refusal);
        }
        self.begin_chunks(now);
        let ask = Ask::Url {
            client: Arc::clone(&self.client),
            url: url.to_owned(),
            bytes_max: self.config.limits.message_bytes_max,
        };
        self.ask(ask, Pending::Url { last });
    }

    /// What the world found goes on as a chunk that has come.
    pub(super) fn url_answered(&mut self, octets: Result<Vec<u8>, Refusal>, last: bool) {
        let is_text = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.sender.body != BodyType::BinaryMime);
        let octets = octets.and_then(|octets| {
            if is_text && memchr::memchr(0, &octets).is_some() {
                // RFC 4468 §6
                return Err(Refusal::new(
                    554,
                    (6, 3),
                    "Conversion required but not supported: the URL names binary data",
                ));
            }
            Ok(octets)
        });
        let (octets, refusal) = match octets {
            Ok(octets) => (octets, None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let bytes = octets.len() as u64;
        let mut chunk = Chunk { left_bytes: bytes, bytes, last, refusal };
        let used = chunk.read(&octets, self.transaction.as_mut());
        debug_assert!(used == octets.len(), "the chunk is as long as its octets");
        self.state = State::Chunk(chunk);
    }
}
