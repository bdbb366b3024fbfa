//! Which command comes next: each client's own random stream decides, by what the client has selected.

use crate::client::Client;
use crate::command::{By, Command, Kind, Store, message, messages, some_flags};
use crate::dates::given;
use crate::flags::{Flags, Mode};
use crate::place::{CHANGING, DELTA, FIXED, FLUX, GAMMA, MASS, MASS_MESSAGES, Place, TEAM, foreign};
use crate::quiet::ENTRIES;
use crate::session::Selected;
use crate::settings::Slot;
use crate::shared::lock;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;

/// More messages than these in a mailbox are soon expunged.
const MESSAGES_MAX: usize = 80;

impl Client {
    /// The next command; several, if they are sent without waiting.
    pub fn choose(&mut self) -> Vec<Command> {
        if self.session.selected.is_none() {
            return match self.random.below(100) {
                0..70 => vec![self.select()],
                70..80 => vec![self.append()],
                _ => vec![self.about_mailboxes()],
            };
        }
        if self.is_crowded() && self.random.chance(20) {
            return self.clear_out();
        }
        if self.is_thinned() && self.random.chance(30) {
            return self.fill_up();
        }
        if self.random.chance(15) {
            return self.pipeline();
        }
        // What is told of mailboxes is worth while only if something happens to them.
        if self.session.shared.notify.load(Ordering::SeqCst) && self.random.chance(10) {
            let own = self.own();
            return vec![if self.random.chance(40) { self.share(&own) } else { self.about_mailboxes() }];
        }
        let command = match self.random.below(100) {
            0..20 => self.fetch(),
            20..40 => self.store(),
            40..48 => self.search(),
            48..58 => Some(self.append()),
            58..63 => self.copy(false),
            63..68 => self.copy(true),
            68..73 => self.expunge(),
            73..76 => self.replace(),
            76..84 => Some(self.select()),
            84..86 => Some(Command::new("CLOSE", Kind::Close)),
            86..87 => Some(Command::new("UNSELECT", Kind::Unselect)),
            87..90 => Some(Command::new("IDLE", Kind::Idle)),
            90..93 => self.follow(),
            93..96 => Some(Command::new("NOOP", Kind::Noop)),
            _ => Some(self.about_mailboxes()),
        };
        vec![command.unwrap_or_else(|| self.append())]
    }

    /// Small mailboxes make for many conflicts, and for quick rounds.
    fn is_crowded(&self) -> bool {
        self.selected()
            .is_some_and(|selected| selected.writable && selected.replica.messages.len() > MESSAGES_MAX)
            && !self.is_massed()
    }

    fn is_massed(&self) -> bool {
        self.selected().is_some_and(|selected| selected.name == MASS)
    }

    /// What is to be large is not any more.
    fn is_thinned(&self) -> bool {
        self.is_massed()
            && self.selected().is_some_and(|selected| selected.replica.messages.len() < MASS_MESSAGES)
    }

    /// Copies many messages of the large mailbox into itself.
    fn fill_up(&mut self) -> Vec<Command> {
        let Some((set, _)) = self.some(By::Uid, MASS_MESSAGES / 10) else { return vec![self.append()] };
        let (name, to) = (MASS.to_owned(), self.place(MASS));
        vec![Command::new(format!("UID COPY {set} {MASS}"), Kind::Copy { moves: false, name, to })]
    }

    /// Marks many messages as deleted; what expunges them comes soon.
    fn clear_out(&mut self) -> Vec<Command> {
        let Some((set, uids)) = self.some(By::Uid, MESSAGES_MAX / 2) else { return vec![self.append()] };
        let store = Store {
            by: By::Uid,
            uids,
            mode: Mode::Add,
            flags: Flags::DELETED,
            silent: true,
            unchanged_since: None,
        };
        let text = format!("UID STORE {set} +FLAGS.SILENT ({})", Flags::DELETED);
        vec![Command::new(text, Kind::Store(Box::new(store)))]
    }

    /// Commands that may be sent without waiting: numbers must mean the same whoever is first (RFC 9051 §5.5).
    fn pipeline(&mut self) -> Vec<Command> {
        let by = if self.uses_uid() { By::Uid } else { By::Number };
        let mut commands = Vec::new();
        for _ in 0..2 + self.random.below(4) {
            let command = match self.random.below(4) {
                0 => self.fetch_by(by),
                1 | 2 => self.store_by(by),
                _ => self.search_by(by, 0),
            };
            commands.extend(command);
        }
        if commands.is_empty() { vec![Command::new("NOOP", Kind::Noop)] } else { commands }
    }

    fn selected(&self) -> Option<&Selected> {
        self.session.selected.as_ref()
    }

    fn uses_uid(&mut self) -> bool {
        self.session.enabled.uid_only() || self.random.chance(50)
    }

    fn by(&mut self) -> By {
        if self.uses_uid() { By::Uid } else { By::Number }
    }

    fn some(&mut self, by: By, most: usize) -> Option<(String, Vec<u32>)> {
        messages(&mut self.random, &self.session.selected.as_ref()?.replica, by, most)
    }

    fn fetch(&mut self) -> Option<Command> {
        let by = self.by();
        self.fetch_by(by)
    }

    fn fetch_by(&mut self, by: By) -> Option<Command> {
        let condstore = self.session.enabled.condstore();
        let items = match self.random.below(12) {
            0..4 if condstore => "(UID FLAGS MODSEQ)",
            0..4 => "(UID FLAGS)",
            4 => "(FLAGS)",
            5 => "(UID RFC822.SIZE INTERNALDATE SAVEDATE ENVELOPE)",
            6 => "(UID RFC822.SIZE BODYSTRUCTURE FLAGS)",
            7 => "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
            8 => "(UID BODY.PEEK[] FLAGS)",
            9 => "(UID BODY[])",
            10 => "BODY[TEXT]<0.10>",
            _ => "FAST",
        };
        let whole = self.random.chance(40) && !items.contains("BODY[");
        let set = if whole && !self.selected()?.replica.messages.is_empty() {
            "1:*".to_owned()
        } else {
            self.some(by, 12)?.0
        };
        let mut text = format!("{}FETCH {set} {items}", by.prefix());
        if condstore && items.contains("FLAGS") && self.random.chance(25) {
            let since = self.selected()?.safe.saturating_sub(self.random.below(20) as u64).max(1);
            let vanished = self.session.enabled.qresync() && by == By::Uid && self.random.chance(50);
            let _ = write!(text, " (CHANGEDSINCE {since}{})", if vanished { " VANISHED" } else { "" });
        }
        if by == By::Uid && self.random.chance(10) && !text.contains("CHANGEDSINCE") {
            let sign = *self.random.pick(&["", "-"]);
            let _ = write!(text, " (PARTIAL {sign}{}:{sign}5)", 1 + self.random.below(9));
        }
        let kind = Kind::Fetch { by, sees: items.contains("BODY[") };
        Some(if by == By::Uid { Command::new(text, kind) } else { Command::steady(text, kind) })
    }

    fn store(&mut self) -> Option<Command> {
        let by = self.by();
        self.store_by(by)
    }

    fn store_by(&mut self, by: By) -> Option<Command> {
        let (set, uids) = self.some(by, 8)?;
        let mode = *self.random.pick(&[Mode::Add, Mode::Add, Mode::Remove, Mode::Replace]);
        let flags = some_flags(&mut self.random);
        let silent = self.random.chance(40);
        let mut unchanged_since = None;
        let mut text = format!("{}STORE {set} ", by.prefix());
        if self.session.enabled.condstore() && self.random.chance(40) {
            let replica = &self.selected()?.replica;
            let known = replica.messages.iter().find(|message| message.uid == uids.first().copied());
            let since = known.map_or(1, |message| message.modseq);
            unchanged_since = Some(since);
            let _ = write!(text, "(UNCHANGEDSINCE {since}) ");
        }
        let sign = match mode {
            Mode::Add => "+",
            Mode::Remove => "-",
            Mode::Replace => "",
        };
        let _ = write!(text, "{sign}FLAGS{} ({flags})", if silent { ".SILENT" } else { "" });
        let kind = Kind::Store(Box::new(Store { by, uids, mode, flags, silent, unchanged_since }));
        Some(if by == By::Uid { Command::new(text, kind) } else { Command::steady(text, kind) })
    }

    fn search(&mut self) -> Option<Command> {
        let by = self.by();
        self.search_by(by, 20)
    }

    /// With numbers among the keys in so many percent: behind a UID command they may not mean the same any more.
    fn search_by(&mut self, by: By, numbered: usize) -> Option<Command> {
        let numbered = !self.session.enabled.uid_only() && self.random.chance(numbered);
        let keys = match self.random.below(8) {
            0 => "ALL".to_owned(),
            1 => "UNSEEN".to_owned(),
            2 => "OR DELETED FLAGGED".to_owned(),
            3 => "KEYWORD k1 NOT KEYWORD k2".to_owned(),
            4 => "BODY thunder".to_owned(),
            5 => format!("SUBJECT \"storm {}\"", self.random.below(10)),
            6 if self.session.enabled.condstore() => format!("MODSEQ {}", self.selected()?.safe.max(1)),
            6 => "LARGER 300".to_owned(),
            _ => "UNDELETED TEXT calm".to_owned(),
        };
        let returns = *self.random.pick(&[
            "",
            "",
            "RETURN (ALL COUNT) ",
            "RETURN (MIN MAX COUNT) ",
            "RETURN (SAVE ALL) ",
            "RETURN (PARTIAL -1:-9 SAVE) ",
        ]);
        let set = if numbered { format!("{} ", self.some(By::Number, 12)?.0) } else { String::new() };
        let text = format!("{}SEARCH {returns}{set}{keys}", by.prefix());
        let kind = Kind::Search { by };
        Some(if by == By::Uid && !numbered { Command::new(text, kind) } else { Command::steady(text, kind) })
    }

    /// A mailbox to file into: mostly one that always is, now and then one that may go any moment; in another's account,
    /// if there is one, in a quarter of all cases.
    fn target(&mut self) -> String {
        let accounts = self.session.shared.accounts.len();
        if self.random.chance(7) {
            return TEAM.to_owned();
        }
        if self.session.account == 0 && self.random.chance(8) {
            return MASS.to_owned();
        }
        if accounts > 1 && self.random.chance(25) {
            let owner = (self.session.account + 1 + self.random.below(accounts - 1)) % accounts;
            let fixed = (*self.random.pick(&[GAMMA, DELTA, FLUX])).to_owned();
            let name = if self.random.chance(20) { self.somebodys(owner) } else { None };
            return foreign(owner, &name.unwrap_or(fixed));
        }
        if self.random.chance(85) {
            return (*self.random.pick(&FIXED)).to_owned();
        }
        self.somebodys(self.session.account).unwrap_or_else(|| "Alpha".to_owned())
    }

    fn place(&self, name: &str) -> Place {
        Place::of(self.session.account, name)
    }

    /// A mailbox that some client of the account has made.
    fn somebodys(&mut self, account: usize) -> Option<String> {
        let shared = std::sync::Arc::clone(&self.session.shared);
        let accounts = shared.accounts.len();
        let same: Vec<usize> =
            (0..shared.owned.len()).filter(|client| client % accounts == account).collect();
        if same.is_empty() {
            return None;
        }
        let owner = *self.random.pick(&same);
        let owned = lock(&shared.owned[owner]);
        let names: Vec<&String> = owned.keys().collect();
        (!names.is_empty()).then(|| (*self.random.pick(&names)).clone())
    }

    fn append(&mut self) -> Command {
        let name = self.target();
        let mut command = Command::new(format!("APPEND \"{name}\""), Kind::Noop);
        let mut appended = Vec::new();
        for at in 0..1 + if self.random.chance(30) { self.random.below(5) } else { 0 } {
            let flags = some_flags(&mut self.random);
            let (text, content) = message(&mut self.random, self.session.shared.new_id());
            let date = given(content.id);
            let before = if at == 0 { &mut command.text } else { &mut command.literals[at - 1].1 };
            let _ = write!(before, " ({flags}){date}");
            command.literals.push((text, String::new()));
            appended.push((content, flags));
        }
        command.kind = Kind::Append { to: self.place(&name), name, messages: appended };
        command
    }

    fn replace(&mut self) -> Option<Command> {
        let by = self.by();
        let (number, uids) = self.some(by, 1)?;
        let flags = some_flags(&mut self.random);
        let (text, content) = message(&mut self.random, self.session.shared.new_id());
        let name = self.target();
        let head = format!("{}REPLACE {number} \"{name}\" ({flags}){}", by.prefix(), given(content.id));
        let kind = Kind::Replace { to: self.place(&name), name, uid: uids[0], message: (content, flags) };
        let mut command = Command::new(head, kind);
        command.literals.push((text, String::new()));
        Some(command)
    }

    fn copy(&mut self, moves: bool) -> Option<Command> {
        let by = self.by();
        let (set, _) = self.some(by, 6)?;
        let name = self.target();
        let verb = if moves { "MOVE" } else { "COPY" };
        let text = format!("{}{verb} {set} \"{name}\"", by.prefix());
        Some(Command::new(text, Kind::Copy { moves, to: self.place(&name), name }))
    }

    fn expunge(&mut self) -> Option<Command> {
        if self.random.chance(50) {
            return Some(Command::new("EXPUNGE", Kind::Expunge { only: None }));
        }
        let (set, uids) = self.some(By::Uid, 20)?;
        Some(Command::new(format!("UID EXPUNGE {set}"), Kind::Expunge { only: Some(uids) }))
    }

    fn select(&mut self) -> Command {
        let name = self.target();
        let writable = self.random.chance(85);
        let mut text = format!("{} \"{name}\"", if writable { "SELECT" } else { "EXAMINE" });
        let mut known = None;
        // The mailbox that is left now is as good as one that was left long ago.
        let again = self.selected().is_some_and(|selected| selected.name == name);
        if self.session.enabled.qresync() && !again && self.random.chance(75) {
            known = self.session.saved.get(&name).cloned();
        } else if self.session.enabled.condstore() && self.random.chance(30) {
            text += " (CONDSTORE)";
        }
        if let Some(known) = &mut known {
            let _ = write!(text, " (QRESYNC ({} {}", known.uid_validity, known.modseq.max(1));
            let uids: Vec<String> =
                known.messages.iter().filter_map(|message| message.uid).map(|uid| uid.to_string()).collect();
            let has_uids = !uids.is_empty() && self.random.chance(60);
            known.names_known = has_uids;
            if has_uids {
                let _ = write!(text, " {}", uids.join(","));
            }
            if has_uids && !self.session.enabled.uid_only() && self.random.chance(60) {
                let pairs: Vec<usize> = (0..uids.len()).filter(|_| self.random.chance(30)).collect();
                let numbers: Vec<String> = pairs.iter().map(|at| (at + 1).to_string()).collect();
                let of: Vec<&str> = pairs.iter().map(|at| uids[*at].as_str()).collect();
                if !pairs.is_empty() {
                    let _ = write!(text, " ({} {})", numbers.join(","), of.join(","));
                }
            }
            text += "))";
        }
        Command::new(text, Kind::Select { place: self.place(&name), name, writable, known })
    }

    /// Mailboxes that this client has made.
    fn own(&self) -> Vec<String> {
        lock(&self.session.shared.owned[self.session.number]).keys().cloned().collect()
    }

    fn about_mailboxes(&mut self) -> Command {
        let number = self.session.number;
        let own = self.own();
        self.made += 1;
        let new = format!("v{number}-{}", self.made);
        match self.random.below(19) {
            12 if self.session.shared.notify.load(Ordering::SeqCst) => self.notify(),
            13..16 => self.set_metadata(&own),
            16 => {
                let name = *self.random.pick(&FIXED);
                let text = format!("GETMETADATA (DEPTH infinity) {name} (/private /shared)");
                Command::new(text, Kind::Other("GETMETADATA"))
            }
            17 => self.subscribe(),
            0..3 if own.len() < 3 => Command::new(format!("CREATE {new}"), Kind::Create(new)),
            3 if !own.is_empty() => {
                let name = self.random.pick(&own).clone();
                Command::new(format!("DELETE {name}"), Kind::Delete(name))
            }
            4 if !own.is_empty() => {
                let name = self.random.pick(&own).clone();
                Command::new(format!("RENAME {name} {new}"), Kind::Rename(name, new))
            }
            5 => self.share(&own),
            6 => Command::new("LIST \"\" \"*\"", Kind::Other("LIST")),
            7 => {
                Command::new("LIST \"\" % RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))", Kind::Other("LIST"))
            }
            8 => Command::new("CHECK", Kind::Other("CHECK"))
                .unless(self.session.enabled.rev2() || self.selected().is_none()),
            _ => {
                let name = self.target();
                // RFC 7162 §3.1: asking for it enables CONDSTORE.
                let highest = if self.session.enabled.condstore() { " HIGHESTMODSEQ" } else { "" };
                let items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE DELETED";
                let place = self.place(&name);
                let text = format!("STATUS \"{name}\" ({items}{highest})");
                Command::new(text, Kind::Status { name, place })
            }
        }
    }
}

impl Client {
    /// SETACL or DELETEACL: rights are given or taken, whoever uses them.
    fn share(&mut self, own: &[String]) -> Command {
        let accounts = self.session.shared.accounts.len();
        if accounts == 1 || self.random.chance(15) {
            return Command::new("MYRIGHTS INBOX", Kind::Other("MYRIGHTS"));
        }
        let whom = (self.session.account + 1 + self.random.below(accounts - 1)) % accounts;
        let whom = format!("storm{whom}@example.test");
        let name = match own.is_empty() || self.random.chance(70) {
            true => FLUX,
            false => self.random.pick(own).as_str(),
        };
        if self.random.chance(20) {
            return Command::new(format!("DELETEACL {name} {whom}"), Kind::Other("DELETEACL"));
        }
        let rights = *self.random.pick(&CHANGING);
        let sign = *self.random.pick(&["", "", "", "+", "-"]);
        Command::new(format!("SETACL {name} {whom} \"{sign}{rights}\""), Kind::Other("SETACL"))
    }
}

/// Metadata, subscriptions.
impl Client {
    /// SETMETADATA of a mailbox, or of the server.
    fn set_metadata(&mut self, own: &[String]) -> Command {
        let (account, number) = (self.session.account, self.session.number);
        let shared = std::sync::Arc::clone(&self.session.shared);
        let name = match self.random.below(10) {
            0 | 1 => String::new(),
            2 if !own.is_empty() => self.random.pick(own).clone(),
            _ => self.target(),
        };
        let truths = std::sync::Arc::clone(&lock(&shared.truths));
        let truth = &truths[account];
        // Of what was made in this round, or has another name by now, it is not known which mailbox it is.
        let is_same = |id: &String| truth.get(&name).is_some_and(|truth| truth.id == *id);
        let is_known = match lock(&shared.owned[number]).get(&name) {
            Some(id) => is_same(id),
            None => !name.contains("/v") && !name.starts_with('v'),
        };
        let mut values = Vec::new();
        let mut text = Vec::new();
        for entry in ENTRIES {
            let is_shared = entry.starts_with("/shared/");
            // RFC 5464 §3.3: what all see of the server, its administrator sets.
            if name.is_empty() && is_shared && account != 0 || self.random.chance(60) {
                continue;
            }
            let value = self.random.chance(75).then(|| format!("value {}", shared.new_id()));
            let slot = Slot::entry(account, truth, &name, entry, (!is_shared).then_some(account));
            let Some(slot) = slot.filter(|_| is_known) else { continue };
            text.push(match &value {
                Some(value) => format!("{entry} \"{value}\""),
                None => format!("{entry} NIL"),
            });
            values.push((slot, entry, value));
        }
        if values.is_empty() {
            return Command::new("NOOP", Kind::Noop);
        }
        let place = (!name.is_empty()).then(|| self.place(&name));
        let text = format!("SETMETADATA \"{name}\" ({})", text.join(" "));
        Command::new(text, Kind::SetMetadata { name, place, values })
    }

    fn subscribe(&mut self) -> Command {
        let name = self.target();
        let on = self.random.chance(50);
        let text = format!("{} \"{name}\"", if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" });
        Command::new(text, Kind::Subscribe { place: self.place(&name), name, on })
    }
}

impl Command {
    fn unless(self, not: bool) -> Command {
        if not { Command::new("NOOP", Kind::Noop) } else { self }
    }
}

/// Whether a message with such flags is found.
pub type Wanted = fn(Flags) -> bool;

/// The searches of quiet moments, which a client can answer itself.
pub fn searches() -> [(&'static str, Wanted); 4] {
    [
        ("UNSEEN", |flags| !flags.has(Flags::SEEN)),
        ("DELETED", |flags| flags.has(Flags::DELETED)),
        ("OR FLAGGED KEYWORD k1", |flags| flags.0 & (1 << 2 | 1 << 7) != 0),
        ("NOT ANSWERED UNKEYWORD k3", |flags| flags.0 & (1 << 1 | 1 << 9) == 0),
    ]
}
