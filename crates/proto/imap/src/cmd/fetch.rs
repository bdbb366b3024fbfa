//! FETCH and UID FETCH (RFC 9051 §6.4.5; CHANGEDSINCE: RFC 7162 §3.1.4.1).
//!
//! Messages come from the store in pages; each page is marked as read if the items say so, then written message by
//! message, leaving whenever [`OUT_BYTES`] are ready. Memory is bounded by a page and by one chunk of content: a
//! message larger than that streams through, unless an item needs its MIME structure; then that one message is held.

mod encode;
mod plan;

use super::any_state::enable_condstore;
use super::limit::{self, Exceeded};
use super::{Begun, news_after, resolve};
use crate::ask::{Access, Answer, Ask, ContentNeed, Needs, RefusedKind, Row, RowContent, Rows};
use crate::command::{self, FetchItem, Numbering};
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, Event, Next, ROWS_MAX, Running, mismatch, write_news};
use crate::view::Numbers;
use crate::write;
pub(super) use encode::write_octets;
use encode::{Piece, Written};
use model::{Flag, FlagSet, ModSeq, Right, Uid, UidSet};
use model::{FlagChange, FlagMode, Query};
use plan::Plan;
use std::ops::Range;
use std::sync::Arc;
use wire::FLUSH_BYTES;

/// Most octets of content in one answer of the store.
const CONTENT_BYTES_MAX: usize = 1024 * 1024;

/// Octets that leave at once. More than [`FLUSH_BYTES`]: each write wakes a client that waits, and on a long answer that
/// costs as much as the copying.
const OUT_BYTES: usize = 4 * FLUSH_BYTES;

/// Most messages in a page of which nothing but the rows is wanted.
const PLAIN_ROWS_MAX: usize = 2048;

#[derive(Debug)]
struct Fetch {
    numbering: Numbering,
    plan: Plan,
    uids: Arc<UidSet>,
    /// Found by CHANGEDSINCE so far.
    changed: UidSet,
    page: std::vec::IntoIter<Row>,
    /// Where the next page begins; None: this was the last.
    from: Option<Uid>,
    /// Messages of this page that were marked as read just now, and their new modification sequence.
    marked: Option<(UidSet, ModSeq)>,
    numbers: Numbers,
    state: State,
    exceeded: Option<Exceeded>,
    trouble: Trouble,
}

#[derive(Debug)]
enum State {
    /// RFC 7162 §3.2.6: which messages of the set changed, and which are gone.
    Resync(ModSeq, SequenceSet),
    /// RFC 7162 §3.1.4.1: which messages changed, from this one on.
    ChangedSince(ModSeq, Uid),
    /// A page is to be asked for.
    Page,
    /// A page has come.
    Mark,
    /// Others changed flags of these between reading and marking: they are read again, from this one on.
    Reread(Arc<UidSet>, Uid),
    /// The next message of the page.
    Message,
    /// This message's content is being collected.
    Gather(Box<Message>),
    /// This message is being written; `item` comes next.
    Write {
        message: Box<Message>,
        item: usize,
    },
    /// Octets of this message are being passed through; then `item`.
    Stream {
        message: Box<Message>,
        item: usize,
        rest: Range<u64>,
    },
    End,
}

/// A message and where the content that came with it begins.
#[derive(Debug)]
struct Message {
    row: Row,
    start: u64,
}

impl Message {
    fn shown(&self) -> Shown<'_> {
        Shown { row: &self.row, start: self.start }
    }
}

/// The same without owning it.
#[derive(Clone, Copy, Debug)]
struct Shown<'a> {
    row: &'a Row,
    start: u64,
}

impl<'a> Shown<'a> {
    /// The content that came.
    fn content(self) -> &'a [u8] {
        match self.row.content() {
            RowContent::Bytes(bytes) => bytes,
            RowContent::None | RowContent::Corrupt => &[],
        }
    }

    /// What came of these octets, if all of them did.
    fn slice(self, range: Range<u64>) -> Option<&'a [u8]> {
        let from = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        self.content().get(from..to)
    }

    /// Appends octets of the content.
    fn write_octets(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.row.is_without_nul() {
            true => out.extend_from_slice(bytes),
            false => encode::write_octets(bytes, out),
        }
    }

    /// All of the content is there.
    fn is_whole(self) -> bool {
        self.start == 0 && self.content().len() as u64 >= self.row.size
    }
}

/// What went wrong for some of the messages.
#[derive(Debug, Default)]
struct Trouble {
    expunged: bool,
    corrupt: bool,
    /// BINARY can't be answered.
    unknown_encoding: bool,
}

/// FETCH of messages that are new to the client, for NOTIFY.
pub(super) fn of_new(core: &mut Core, items: Vec<FetchItem>, uids: UidSet) -> Box<dyn Running> {
    let access = core.view.as_ref().map_or(Access::ReadOnly, |view| view.access);
    let with_uid = !core.enabled.uid_only;
    Box::new(Fetch {
        numbering: Numbering::Uid,
        plan: Plan::new(items, with_uid, false, access),
        uids: Arc::new(uids),
        changed: UidSet::new(),
        page: Vec::new().into_iter(),
        from: Some(Uid(0)),
        marked: None,
        numbers: Numbers::default(),
        state: State::Page,
        exceeded: None,
        trouble: Trouble::default(),
    })
}

pub(super) fn start(core: &mut Core, fetch: command::Fetch) -> Begun {
    if fetch.vanished && !core.enabled.qresync {
        // RFC 7162 §3.2.6
        return Begun::Now(Done::bad("VANISHED needs QRESYNC, which is not enabled"));
    }
    let Some(view) = &core.view else { return Begun::Now(Done::bad("No mailbox is selected")) };
    let uids = match resolve(view, fetch.numbering, &fetch.set) {
        Ok(uids) => uids,
        Err(done) => return Begun::Now(done),
    };
    if let Some(range) = fetch.partial
        && let Some(done) = limit::refused_places(core, (range.one, range.other))
    {
        return Begun::Now(done.telling(news_after(fetch.numbering)));
    }
    // RFC 9394 §3.4: first the places, then what of it has changed.
    let uids = fetch.partial.map_or(uids.clone(), |range| range.of(&uids));
    // What CHANGEDSINCE leaves out is not worked on, so that it comes first.
    let (uids, exceeded) = if fetch.changed_since.is_none() { limit::cut(core, uids) } else { (uids, None) };
    // RFC 4314 §4: nothing is marked where the user may not.
    let access = if view.rights.has(Right::Seen) { view.access } else { Access::ReadOnly };
    if fetch.changed_since.is_some() || fetch.items.contains(&FetchItem::ModSeq) {
        enable_condstore(core);
    }
    // RFC 9051 §6.4.9: the UID is in every FETCH response that a UID command causes; RFC 9586 §3.3: UIDFETCH has it anyway.
    let with_uid = fetch.numbering == Numbering::Uid && !core.enabled.uid_only;
    let plan = Plan::new(fetch.items, with_uid, fetch.changed_since.is_some(), access);
    let state = match fetch.changed_since {
        Some(since) if fetch.vanished => State::Resync(since, fetch.set),
        _ if uids.is_empty() => State::End,
        Some(since) => State::ChangedSince(since, Uid(0)),
        None => State::Page,
    };
    Begun::Run(Box::new(Fetch {
        numbering: fetch.numbering,
        plan,
        uids: Arc::new(uids),
        changed: UidSet::new(),
        page: Vec::new().into_iter(),
        from: Some(Uid(0)),
        marked: None,
        numbers: Numbers::default(),
        state,
        exceeded,
        trouble: Trouble::default(),
    }))
}

impl Running for Fetch {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Event::Answer(answer) = event
            && let Some(next) = self.answered(core, answer)
        {
            return next;
        }
        loop {
            if core.out.len() >= OUT_BYTES {
                return Next::Flush;
            }
            if let Some(next) = self.go_on(core) {
                return next;
            }
        }
    }
}

impl Fetch {
    fn answered(&mut self, core: &mut Core, answer: Answer) -> Option<Next> {
        match (std::mem::replace(&mut self.state, State::End), answer) {
            (State::ChangedSince(since, _), Answer::Found { uids, next, .. }) => {
                self.changed = self.changed.or(&uids);
                self.state = match next {
                    Some(from) => State::ChangedSince(since, from),
                    None => {
                        let changed = std::mem::take(&mut self.changed).and(&self.uids);
                        let (uids, exceeded) = limit::cut(core, changed);
                        (self.uids, self.exceeded) = (Arc::new(uids), exceeded);
                        if self.uids.is_empty() { State::End } else { State::Page }
                    }
                };
                None
            }
            (State::Resync(_, set), Answer::Resync { vanished, changed }) => {
                self.resynced(core, &set, &vanished, &changed);
                None
            }
            (State::Page, Answer::Rows(rows)) => {
                self.page_came(core, rows);
                None
            }
            (State::Mark, Answer::Stored(stored)) => {
                if let Some(view) = &mut core.view
                    && !stored.changed.is_empty()
                {
                    view.wrote(stored.modseq);
                    core.dirty |= !stored.overtaken.is_empty();
                }
                let stale = stored.overtaken.and(&stored.changed);
                self.marked = Some((stored.changed, stored.modseq));
                self.state =
                    if stale.is_empty() { State::Message } else { State::Reread(Arc::new(stale), Uid(0)) };
                None
            }
            (State::Reread(uids, _), Answer::Rows(rows)) => {
                self.reread(core, &rows);
                self.state = rows.next.map_or(State::Message, |from| State::Reread(uids, from));
                None
            }
            // Reading goes on where marking as read fails (a full disk): the text matters more.
            (State::Mark, Answer::Refused(_)) => {
                self.state = State::Message;
                None
            }
            (State::Gather(message), Answer::Content(bytes)) => {
                self.gathered(core, message, bytes);
                None
            }
            (State::Gather(message), Answer::Refused(refused)) => {
                self.unreadable(core, message.row, refused.kind);
                None
            }
            (State::Stream { message, item, rest }, Answer::Content(bytes)) => {
                self.passed_through(core, message, item, rest, &bytes)
            }
            // The literal's length has been told; only hanging up is left.
            (State::Stream { .. }, Answer::Refused(_)) => Some(abandon(core)),
            (_, Answer::Refused(refused)) => {
                Some(Next::Done(Done::refused(&refused).telling(news_after(self.numbering))))
            }
            (_, answer) => Some(mismatch(&answer)),
        }
    }

    /// Tells what is gone before any FETCH response (RFC 7162 §3.2.6). What the client still counts is not among it: it
    /// leaves with a VANISHED of its own.
    fn resynced(&mut self, core: &mut Core, set: &SequenceSet, vanished: &UidSet, changed: &UidSet) {
        if let Some(view) = &core.view {
            let gone = set.of_gone(&vanished.minus(view.told()), view.told().last());
            write::vanished(&mut core.out, write::Vanished::Earlier, &gone);
        }
        let (uids, exceeded) = limit::cut(core, self.uids.and(changed));
        (self.uids, self.exceeded) = (Arc::new(uids), exceeded);
        self.state = if self.uids.is_empty() { State::End } else { State::Page };
    }

    /// Counts what is missing from the page: those were expunged by somebody (RFC 2180 §4.1.2).
    fn page_came(&mut self, core: &mut Core, rows: Rows) {
        core.learn_keywords(&rows.keywords);
        let before = |uid: Option<Uid>| match uid {
            Some(uid) => uid.0.checked_sub(1).map_or(0, |last| self.uids.count_up_to(Uid(last))),
            None => self.uids.len(),
        };
        let asked = before(rows.next) - before(self.from);
        if asked as usize > rows.rows.len() {
            self.trouble.expunged = true;
            core.dirty = true;
        }
        self.from = rows.next;
        self.numbers = match (rows.rows.first(), rows.rows.last(), &core.view) {
            (Some(first), Some(last), Some(view)) => Numbers::of_page(first.uid, last.uid, view.told()),
            _ => Numbers::default(),
        };
        self.page = rows.rows.into_iter();
        self.marked = None;
        self.state = if self.plan.marks_seen { State::Mark } else { State::Message };
    }

    /// One piece of work; None: there is more.
    fn go_on(&mut self, core: &mut Core) -> Option<Next> {
        match std::mem::replace(&mut self.state, State::End) {
            State::Resync(since, set) => {
                self.state = State::Resync(since, set);
                Some(Next::Ask(Ask::Resync { since }))
            }
            State::ChangedSince(since, from) => {
                self.state = State::ChangedSince(since, from);
                // CHANGEDSINCE means later than, MODSEQ at least.
                let query = Arc::new(Query::ModSeq(ModSeq(since.0.saturating_add(1))));
                Some(Next::Ask(Ask::Search { query, among: Arc::clone(&self.uids), from }))
            }
            State::Page => {
                let Some(from) = self.from else { return Some(self.end(core)) };
                self.state = State::Page;
                Some(Next::Ask(Ask::Rows {
                    uids: Arc::clone(&self.uids),
                    from,
                    needs: self.plan.needs,
                    rows_max: if self.plan.is_of_rows { PLAIN_ROWS_MAX } else { ROWS_MAX },
                    bytes_max: CONTENT_BYTES_MAX,
                }))
            }
            State::Mark => self.mark(core),
            State::Reread(uids, from) => {
                self.state = State::Reread(Arc::clone(&uids), from);
                Some(Next::Ask(Ask::Rows {
                    uids,
                    from,
                    needs: Needs::default(),
                    rows_max: ROWS_MAX,
                    bytes_max: CONTENT_BYTES_MAX,
                }))
            }
            State::Message if self.plan.is_of_rows => {
                self.write_rows(core);
                None
            }
            State::Message => {
                match self.page.next() {
                    Some(row) => self.begin(core, row),
                    None => self.state = State::Page,
                }
                None
            }
            State::Gather(message) => {
                let start = message.shown().content().len() as u64;
                let uid = message.row.uid;
                self.state = State::Gather(message);
                Some(Next::Ask(Ask::Content { uid, start, length: CONTENT_BYTES_MAX as u64 }))
            }
            State::Write { message, item } => {
                self.write(core, message, item);
                None
            }
            State::Stream { message, item, rest } if rest.is_empty() => {
                self.state = State::Write { message, item };
                None
            }
            State::Stream { message, item, rest } => {
                // What came already leaves in pieces, the rest is asked for.
                let there = message.start + message.shown().content().len() as u64;
                let end = rest.end.min(rest.start + FLUSH_BYTES as u64).min(there);
                if let Some(bytes) = message.shown().slice(rest.start..end).filter(|bytes| !bytes.is_empty())
                {
                    message.shown().write_octets(bytes, &mut core.out);
                    self.state = State::Stream { message, item, rest: end..rest.end };
                    return None;
                }
                let (uid, start) = (message.row.uid, rest.start);
                let length = (rest.end - rest.start).min(CONTENT_BYTES_MAX as u64);
                self.state = State::Stream { message, item, rest };
                Some(Next::Ask(Ask::Content { uid, start, length }))
            }
            State::End => Some(self.end(core)),
        }
    }

    /// RFC 9051 §6.4.5: BODY[…] without PEEK sets \Seen. Asks only if it is not set on all of the page.
    fn mark(&mut self, core: &Core) -> Option<Next> {
        let unread = |row: &&Row| !row.flags.has(Flag::Seen) && !matches!(row.content(), RowContent::Corrupt);
        let uids: UidSet = self.page.as_slice().iter().filter(unread).map(|row| row.uid).collect();
        let Some(view) = core.view.as_ref().filter(|_| !uids.is_empty()) else {
            self.state = State::Message;
            return None;
        };
        self.state = State::Mark;
        Some(Next::Ask(Ask::Store {
            uids: Arc::new(uids),
            change: FlagChange {
                mode: FlagMode::Add,
                flags: FlagSet::NONE.with(Flag::Seen),
                keywords: Vec::new(),
            },
            unchanged_since: None,
            known: view.known,
            own: view.own.clone(),
        }))
    }

    /// Puts the newest flags into the page. What was read before would be told with the MODSEQ of the marking, and the
    /// client would take old flags for new ones, for this session's own changes are not told again.
    fn reread(&mut self, core: &mut Core, rows: &Rows) {
        core.learn_keywords(&rows.keywords);
        for row in self.page.as_mut_slice() {
            if let Ok(at) = rows.rows.binary_search_by_key(&row.uid, |new| new.uid) {
                let new = &rows.rows[at];
                (row.flags, row.modseq) = (new.flags, new.modseq);
                row.keywords.clone_from(&new.keywords);
            }
        }
    }

    /// Writes rows to the end of the page or of the buffer, for items that need no more: nothing is looked at, gathered or
    /// marked in between.
    fn write_rows(&mut self, core: &mut Core) {
        self.state = State::Message;
        let (mut written, mut unfinished) = (0, None);
        for row in self.page.as_slice() {
            if core.out.len() >= OUT_BYTES || unfinished.is_some() {
                break;
            }
            let piece = Piece { plan: &self.plan, message: Shown { row, start: 0 }, was_marked: false };
            match piece.write(core, &mut self.numbers, 0) {
                Written::All => written += 1,
                Written::UpTo { item, rest } => unfinished = Some((item, rest)),
            }
        }
        if written > 0 {
            // Dropped where they are: moving each costs as much as writing its flags.
            let _last = self.page.nth(written - 1);
        }
        match unfinished {
            Some((item, rest)) => {
                let Some(row) = self.page.next() else { return };
                let message = Box::new(Message { row, start: 0 });
                self.state = State::Stream { message, item, rest };
            }
            None if self.page.as_slice().is_empty() => self.state = State::Page,
            None => {}
        }
    }

    /// Looks whether what came of a message is enough to write it.
    fn begin(&mut self, core: &mut Core, row: Row) {
        if matches!(row.content(), RowContent::Corrupt) {
            return self.unreadable(core, row, RefusedKind::Corrupt);
        }
        core.messages += u64::from(self.plan.needs.content != ContentNeed::None);
        let mut message = Box::new(Message { row, start: self.plan.content_start() });
        if self.plan.is_enough(message.shown()) {
            self.state = State::Write { message, item: 0 };
            return;
        }
        // A range from elsewhere than the beginning is of no use to what needs the whole.
        if message.start > 0 {
            message.start = 0;
            message.row.more().content = RowContent::None;
        }
        self.state = State::Gather(message);
    }

    fn gathered(&mut self, core: &mut Core, mut message: Box<Message>, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return self.unreadable(core, message.row, RefusedKind::Corrupt);
        }
        message.row.more().add(bytes);
        self.state = if message.shown().is_whole() {
            State::Write { message, item: 0 }
        } else {
            State::Gather(message)
        };
    }

    /// Leaves a message out and says why; the others are served.
    fn unreadable(&mut self, core: &mut Core, mut row: Row, kind: RefusedKind) {
        self.state = State::Message;
        if kind == RefusedKind::NonExistent {
            self.trouble.expunged = true;
            core.dirty = true;
            return;
        }
        self.trouble.corrupt = true;
        // RFC 5530 §3, CORRUPTION.
        core.tell("NO", format_args!("[CORRUPTION] The message with UID {} can't be read", row.uid));
        self.tell_marked(core, &mut row);
    }

    /// Whether the message was marked as read just now; its row shows it then.
    fn mark_row(&self, row: &mut Row) -> bool {
        let marked = self.marked.as_ref().filter(|(uids, _)| uids.contains(row.uid));
        // One that was read again after the marking is as new already.
        if let Some((_, modseq)) = marked.filter(|(_, modseq)| row.modseq < *modseq) {
            row.flags = row.flags.with(Flag::Seen);
            row.modseq = *modseq;
        }
        marked.is_some()
    }

    /// Tells of the \Seen that this FETCH has set on a message of which it tells nothing else (RFC 9051 §6.4.5): as this
    /// session's own doing it would never be told.
    fn tell_marked(&mut self, core: &mut Core, row: &mut Row) {
        if self.mark_row(row) {
            write_news(core, &mut self.numbers, row, self.numbering == Numbering::Uid);
        }
    }

    fn write(&mut self, core: &mut Core, mut message: Box<Message>, item: usize) {
        let was_marked = self.mark_row(&mut message.row);
        let piece = Piece { plan: &self.plan, message: message.shown(), was_marked };
        if item == 0 && piece.has_unknown_encoding() {
            self.trouble.unknown_encoding = true;
            self.state = State::Message;
            return self.tell_marked(core, &mut message.row);
        }
        self.state = match piece.write(core, &mut self.numbers, item) {
            Written::All => State::Message,
            Written::UpTo { item, rest } => State::Stream { message, item, rest },
        };
    }

    fn passed_through(
        &mut self,
        core: &mut Core,
        message: Box<Message>,
        item: usize,
        rest: Range<u64>,
        bytes: &[u8],
    ) -> Option<Next> {
        let wanted = usize::try_from(rest.end - rest.start).unwrap_or(usize::MAX);
        if bytes.is_empty() {
            return Some(abandon(core));
        }
        let bytes = &bytes[..bytes.len().min(wanted)];
        encode::write_octets(bytes, &mut core.out);
        let rest = rest.start + bytes.len() as u64..rest.end;
        self.state = State::Stream { message, item, rest };
        None
    }

    fn end(&mut self, core: &mut Core) -> Next {
        let done = match (self.numbering, &self.trouble) {
            (_, Trouble { corrupt: true, .. }) => Done::no("[CORRUPTION] Some messages can't be read"),
            // RFC 3516 §4.3: the request fails.
            (_, Trouble { unknown_encoding: true, .. }) => {
                Done::no("[UNKNOWN-CTE] A part has a transfer encoding that is not known")
            }
            // RFC 5530 §3; UIDs that do not exist are no error (RFC 9051 §6.4.9).
            (Numbering::Sequence, Trouble { expunged: true, .. }) => {
                Done::no("[EXPUNGEISSUED] Some of the messages no longer exist")
            }
            _ => Done::ok("FETCH completed"),
        };
        let done = Exceeded::tell(self.exceeded, core, done);
        Next::Done(done.telling(news_after(self.numbering)))
    }
}

/// Ends the connection in the middle of a literal.
fn abandon(core: &mut Core) -> Next {
    core.abandoned = true;
    Next::Done(Done::no("[SERVERBUG] The message ended early"))
}

/// Whether \Seen may be set.
fn may_mark(access: Access) -> bool {
    access == Access::ReadWrite
}
