//! Commands as they leave: fragments, each of which waits for the server's `+` before the next (RFC 9051 §4.3).

use model::Uid;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// A command in the making.
pub(super) struct Composer {
    fragments: VecDeque<Vec<u8>>,
    last: Vec<u8>,
}

impl Composer {
    pub(super) fn new(tag: &str, words: &str) -> Composer {
        Composer { fragments: VecDeque::new(), last: format!("{tag} {words}").into_bytes() }
    }

    pub(super) fn text(mut self, text: &str) -> Composer {
        self.last.extend_from_slice(text.as_bytes());
        self
    }

    /// A string: quoted where that can be, as a literal otherwise. Octets beyond ASCII may be quoted after ENABLE
    /// UTF8=ACCEPT only (RFC 6855 §3), and not at all while one logs in.
    pub(super) fn string(mut self, octets: &[u8]) -> Composer {
        if octets.iter().all(|byte| matches!(byte, 0x20..=0x7e)) {
            self.last.push(b'"');
            for byte in octets {
                if matches!(byte, b'"' | b'\\') {
                    self.last.push(b'\\');
                }
                self.last.push(*byte);
            }
            self.last.push(b'"');
            return self;
        }
        self.last.extend_from_slice(format!("{{{}}}\r\n", octets.len()).as_bytes());
        self.fragments.push_back(std::mem::replace(&mut self.last, octets.to_vec()));
        self
    }

    pub(super) fn finish(mut self) -> VecDeque<Vec<u8>> {
        self.last.extend_from_slice(b"\r\n");
        self.fragments.push_back(self.last);
        self.fragments
    }
}

/// Longest set in one command, in octets: a line of 8,192 octets is taken everywhere (RFC 7162 §4).
const SET_BYTES_MAX: usize = 4000;
/// `,4294967294:4294967295`
const RUN_BYTES_MAX: usize = 22;

/// The UIDs as sets, `1:3,7`, each short enough for one command. They need not be sorted; no other message is named.
pub fn uid_sets(uids: &[Uid]) -> Vec<String> {
    let mut sorted: Vec<Uid> = uids.iter().copied().filter(|uid| uid.0 > 0).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut sets = Vec::new();
    let mut rest = &sorted[..];
    while !rest.is_empty() {
        let (set, count) = first_set(rest);
        sets.push(set);
        rest = &rest[count..];
    }
    sets
}

/// The first of these UIDs, which ascend, as the longest set that is short enough for one command, and how many they are.
pub(super) fn first_set(uids: &[Uid]) -> (String, usize) {
    let (mut set, mut count) = (String::new(), 0);
    for run in uids.chunk_by(|one, next| one.0.checked_add(1) == Some(next.0)) {
        if set.len() + RUN_BYTES_MAX > SET_BYTES_MAX {
            break;
        }
        if !set.is_empty() {
            set.push(',');
        }
        let (first, last) = (run[0], run[run.len() - 1]);
        let _ = match last {
            last if last == first => write!(set, "{first}"),
            last => write!(set, "{first}:{last}"),
        };
        count += run.len();
    }
    (set, count)
}
