//! Commands to bytes, as a client sends them: for test clients, load generators, and the proof that `parse` loses nothing
//! (`parse_command(print(command)) == command`).
//!
//! Literals are non-synchronising (RFC 7888), so that the bytes can be sent in one go.

mod message;
mod search;

use crate::ask::{Access, Originals, RightsChange};
use crate::command::{
    AclCommand, AppendData, AppendForm, AppendMessage, Body, CatPart, Command, Content, FlagList, List,
    ListForm, ListReturn, ListSelect, Notify, NotifyEvent, Numbering, Qresync, SourceMailboxes, StatusItem,
    UrlWanted,
};
use crate::mailbox_name::NameEncoding;
use crate::mutf7;
use crate::parse::is_astring_char;
use crate::write::{date_time, number};
use model::SortKey;

/// The command's bytes with the final CRLF.
pub fn print(command: &Command, names: NameEncoding) -> Vec<u8> {
    let mut printer = Printer { out: Vec::new(), names };
    printer.word(&command.tag);
    printer.word(" ");
    printer.body(&command.body);
    printer.word("\r\n");
    printer.out
}

/// A key of SORT as it is written.
pub(crate) fn sort_key(key: &SortKey) -> &'static str {
    match key {
        SortKey::Arrival => "ARRIVAL",
        SortKey::Cc => "CC",
        SortKey::Date => "DATE",
        SortKey::DisplayFrom => "DISPLAYFROM",
        SortKey::DisplayTo => "DISPLAYTO",
        SortKey::From => "FROM",
        SortKey::Relevancy => "RELEVANCY",
        SortKey::Size => "SIZE",
        SortKey::Subject => "SUBJECT",
        SortKey::To => "TO",
        SortKey::Annotation(_) => "ANNOTATION",
    }
}

struct Printer {
    out: Vec<u8>,
    names: NameEncoding,
}

impl Printer {
    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    fn number(&mut self, value: u64) {
        number(&mut self.out, value);
    }

    fn literal(&mut self, bytes: &[u8]) {
        self.word("{");
        self.number(bytes.len() as u64);
        self.word("+}\r\n");
        self.out.extend_from_slice(bytes);
    }

    /// Quoted if that can be, else a literal (a literal8 if it holds NUL).
    fn string(&mut self, bytes: &[u8]) {
        if bytes.contains(&0) {
            self.word("~");
        }
        let in_quotes = |byte: &u8| !matches!(byte, 0 | b'\r' | b'\n');
        if bytes.len() > 1000 || !bytes.iter().all(in_quotes) || std::str::from_utf8(bytes).is_err() {
            return self.literal(bytes);
        }
        self.word("\"");
        for byte in bytes {
            if matches!(byte, b'"' | b'\\') {
                self.out.push(b'\\');
            }
            self.out.push(*byte);
        }
        self.word("\"");
    }

    fn astring(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() && bytes.iter().all(|byte| is_astring_char(*byte)) {
            self.out.extend_from_slice(bytes);
        } else {
            self.string(bytes);
        }
    }

    fn name(&mut self, name: &str) {
        match self.names {
            NameEncoding::Utf8 => self.astring(name.as_bytes()),
            NameEncoding::ModifiedUtf7 => {
                let mut encoded = Vec::new();
                mutf7::encode(name, &mut encoded);
                self.astring(&encoded);
            }
        }
    }

    /// `(one two …)`
    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.word("(");
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.word(" ");
            }
            each(self, item);
        }
        self.word(")");
    }

    fn one_name(&mut self, command: &str, name: &str) {
        self.word(command);
        self.word(" ");
        self.name(name);
    }

    fn body(&mut self, body: &Body) {
        match body {
            Body::Login { user, password } => {
                self.word("LOGIN ");
                self.astring(user.as_bytes());
                self.word(" ");
                self.astring(&password.0);
            }
            Body::Authenticate { mechanism, initial } => {
                self.word("AUTHENTICATE ");
                self.word(mechanism);
                if let Some(initial) = initial {
                    self.word(if initial.0.is_empty() { " =" } else { " " });
                    sasl::encode_base64(&initial.0, &mut self.out);
                }
            }
            Body::Id(pairs) => {
                self.word("ID ");
                self.list(pairs, |printer, (field, value)| {
                    printer.string(field.as_bytes());
                    match value {
                        Some(value) => {
                            printer.word(" ");
                            printer.string(value.as_bytes());
                        }
                        None => printer.word(" NIL"),
                    }
                });
            }
            Body::Enable(capabilities) => {
                self.word("ENABLE ");
                self.word(&capabilities.join(" "));
            }
            Body::Language(ranges) => self.words("LANGUAGE", ranges),
            Body::Comparator(orders) => self.words("COMPARATOR", orders),
            Body::Compress(algorithm) => {
                self.word("COMPRESS ");
                self.word(algorithm);
            }
            Body::GetQuota(root) => self.quota("GETQUOTA", root),
            Body::SetQuota { root, limits } => {
                self.quota("SETQUOTA", root);
                self.limits(limits);
            }
            Body::GetMetadata { .. } | Body::SetMetadata { .. } => self.metadata(body),
            Body::GenUrlAuth(_) | Body::UrlFetch(_) => self.url_body(body),
            Body::Notify(notify) => self.notify(notify.as_ref()),
            Body::Expunge(Some(set)) => {
                self.word("UID EXPUNGE ");
                set.write(&mut self.out);
            }
            Body::UidBatches { size, batches } => {
                let batches = batches.map(|(first, last)| format!(" {first}:{last}")).unwrap_or_default();
                self.word(&format!("UIDBATCHES {size}{batches}"));
            }
            Body::Search(search) => self.search(search),
            Body::Esearch { sources, search } => self.esearch(sources, search),
            Body::CancelUpdate(tags) => {
                self.word("CANCELUPDATE");
                for tag in tags {
                    self.word(" ");
                    self.string(tag.as_bytes());
                }
            }
            Body::Arrange { arrangement, search } => self.arrange(arrangement, search),
            Body::Fetch(fetch) => self.fetch(fetch),
            Body::Store(store) => self.store(store),
            Body::Copy { numbering, set, mailbox, originals } => {
                self.numbering(*numbering);
                self.word(if *originals == Originals::Stay { "COPY " } else { "MOVE " });
                set.write(&mut self.out);
                self.one_name("", mailbox);
            }
            other => self.mailbox_body(other),
        }
    }

    fn notify(&mut self, notify: Option<&Notify>) {
        let Some(notify) = notify else { return self.word("NOTIFY NONE") };
        self.word(if notify.status { "NOTIFY SET STATUS" } else { "NOTIFY SET" });
        for group in &notify.groups {
            self.word(" (");
            self.source(&group.mailboxes);
            self.word(" ");
            if group.events.is_empty() {
                self.word("NONE)");
                continue;
            }
            self.list(&group.events, |printer, event| {
                printer.word(event.name());
                if let NotifyEvent::MessageNew(items) = event
                    && !items.is_empty()
                {
                    printer.word(" ");
                    printer.list(items, Printer::fetch_item);
                }
            });
            self.word(")");
        }
    }

    fn source(&mut self, source: &SourceMailboxes) {
        self.word(source.keyword());
        if let names @ [_, ..] = source.names() {
            self.word(" ");
            self.list(names, |printer, name| printer.name(name));
        }
    }

    fn metadata(&mut self, body: &Body) {
        match body {
            Body::GetMetadata { mailbox, entries, depth, size_max } => {
                self.word("GETMETADATA (");
                if let Some(octets) = size_max {
                    self.word(&format!("MAXSIZE {octets} "));
                }
                self.word("DEPTH ");
                self.word(depth.name());
                self.one_name(")", mailbox);
                self.word(" ");
                self.list(entries, |printer, name| printer.astring(name.as_bytes()));
            }
            Body::SetMetadata { mailbox, entries } => {
                self.one_name("SETMETADATA", mailbox);
                self.word(" ");
                self.list(entries, |printer, (name, value)| {
                    printer.astring(name.as_bytes());
                    printer.word(" ");
                    match value {
                        Some(value) => printer.string(&value.0),
                        None => printer.word("NIL"),
                    }
                });
            }
            _ => {}
        }
    }

    fn url_body(&mut self, body: &Body) {
        self.word(body.name());
        match body {
            Body::GenUrlAuth(urls) => {
                for (url, mechanism) in urls {
                    self.word(" ");
                    self.astring(url.as_bytes());
                    self.word(" ");
                    self.word(mechanism);
                }
            }
            Body::UrlFetch(urls) => {
                for UrlWanted { url, params } in urls {
                    self.word(if params.is_empty() { " " } else { " (" });
                    self.astring(url.as_bytes());
                    for param in params {
                        self.word(" ");
                        self.word(param.name());
                    }
                    self.word(if params.is_empty() { "" } else { ")" });
                }
            }
            _ => {}
        }
    }

    fn mailbox_body(&mut self, body: &Body) {
        match body {
            Body::Select { mailbox, access, condstore, qresync, annotate } => {
                self.one_name(if *access == Access::ReadWrite { "SELECT" } else { "EXAMINE" }, mailbox);
                match qresync {
                    Some(qresync) => self.qresync(qresync),
                    None if *condstore => self.word(" (CONDSTORE)"),
                    None => {}
                }
                if *annotate {
                    let is_alone = qresync.is_none() && !*condstore;
                    if !is_alone {
                        self.out.pop();
                    }
                    self.word(if is_alone { " (ANNOTATE)" } else { " ANNOTATE)" });
                }
            }
            Body::Create { mailbox, special_use } => {
                self.one_name("CREATE", mailbox);
                if !special_use.is_empty() {
                    self.word(" (USE ");
                    self.list(special_use, |printer, attribute| printer.word(attribute));
                    self.word(")");
                }
            }
            Body::ResetKey { mailbox: Some(mailbox), mechanisms } => {
                self.one_name("RESETKEY", mailbox);
                for mechanism in mechanisms {
                    self.word(" ");
                    self.word(mechanism);
                }
            }
            Body::Delete(name) => self.one_name("DELETE", name),
            Body::Subscribe(name) => self.one_name("SUBSCRIBE", name),
            Body::Unsubscribe(name) => self.one_name("UNSUBSCRIBE", name),
            Body::Acl { mailbox, command } => self.acl(mailbox, command),
            Body::GetQuotaRoot(name) => self.one_name("GETQUOTAROOT", name),
            Body::Rename { from, to } => {
                self.one_name("RENAME", from);
                self.one_name("", to);
            }
            Body::List(list) => self.list_command(list),
            Body::Lsub { reference, pattern } => {
                self.one_name("LSUB", reference);
                self.one_name("", pattern);
            }
            Body::Status { mailbox, items } => {
                self.one_name("STATUS", mailbox);
                self.word(" ");
                self.status_items(items);
            }
            Body::Append { mailbox, messages } => {
                self.one_name("APPEND", mailbox);
                messages.iter().for_each(|message| self.append_message(message));
            }
            Body::Replace { numbering, number, mailbox, message } => {
                self.numbering(*numbering);
                self.word("REPLACE ");
                number.write(&mut self.out);
                self.word(" ");
                self.name(mailbox);
                self.append_message(message);
            }
            // Every other command is its name.
            plain => self.word(plain.name()),
        }
    }

    fn words(&mut self, name: &str, arguments: &[String]) {
        self.word(name);
        for argument in arguments {
            self.word(" ");
            self.astring(argument.as_bytes());
        }
    }

    fn quota(&mut self, name: &str, root: &str) {
        self.word(name);
        self.word(" ");
        self.astring(root.as_bytes());
    }

    fn limits(&mut self, limits: &[(String, u64)]) {
        self.word(" ");
        self.list(limits, |printer, (resource, limit)| {
            printer.word(resource);
            printer.word(" ");
            printer.number(*limit);
        });
    }

    fn acl(&mut self, mailbox: &str, command: &AclCommand) {
        self.one_name(command.name(), mailbox);
        let (AclCommand::Set { identifier, .. }
        | AclCommand::Delete { identifier }
        | AclCommand::ListRights { identifier }) = command
        else {
            return;
        };
        self.word(" ");
        self.astring(identifier.as_bytes());
        if let AclCommand::Set { change, .. } = command {
            let (sign, rights) = match change {
                RightsChange::Set(rights) => ("", rights),
                RightsChange::Add(rights) => ("+", rights),
                RightsChange::Remove(rights) => ("-", rights),
            };
            self.word(" ");
            self.astring(format!("{sign}{}", rights.letters()).as_bytes());
        }
    }

    fn numbering(&mut self, numbering: Numbering) {
        if numbering == Numbering::Uid {
            self.word("UID ");
        }
    }

    fn qresync(&mut self, qresync: &Qresync) {
        self.word(" (QRESYNC (");
        self.number(u64::from(qresync.uid_validity.0));
        self.word(" ");
        self.number(qresync.modseq.0);
        if let Some(uids) = &qresync.known_uids {
            self.word(" ");
            uids.write(&mut self.out);
        }
        if let Some((numbers, uids)) = &qresync.known_pairs {
            self.word(" (");
            numbers.write(&mut self.out);
            self.word(" ");
            uids.write(&mut self.out);
            self.word(")");
        }
        self.word("))");
    }

    fn list_command(&mut self, list: &List) {
        self.word("LIST ");
        if !list.select.is_empty() {
            self.list(&list.select, |printer, option| {
                printer.word(match option {
                    ListSelect::Subscribed => "SUBSCRIBED",
                    ListSelect::Remote => "REMOTE",
                    ListSelect::RecursiveMatch => "RECURSIVEMATCH",
                    ListSelect::SpecialUse => "SPECIAL-USE",
                });
            });
            self.word(" ");
        }
        self.name(&list.reference);
        self.word(" ");
        match list.patterns.as_slice() {
            [pattern] => self.name(pattern),
            patterns => self.list(patterns, |printer, pattern| printer.name(pattern)),
        }
        if list.form == ListForm::Basic {
            return;
        }
        self.word(" RETURN ");
        self.list(&list.returns, |printer, option| match option {
            ListReturn::Subscribed => printer.word("SUBSCRIBED"),
            ListReturn::Children => printer.word("CHILDREN"),
            ListReturn::SpecialUse => printer.word("SPECIAL-USE"),
            ListReturn::MyRights => printer.word("MYRIGHTS"),
            ListReturn::Status(items) => {
                printer.word("STATUS ");
                printer.status_items(items);
            }
            ListReturn::Metadata(entries) => {
                printer.word("METADATA ");
                printer.list(entries, |printer, name| printer.astring(name.as_bytes()));
            }
        });
    }

    fn status_items(&mut self, items: &[StatusItem]) {
        self.list(items, |printer, item| printer.word(item.name()));
    }

    fn append_message(&mut self, message: &AppendMessage) {
        self.word(" ");
        if message.flags != FlagList::default() {
            self.flags(&message.flags);
            self.word(" ");
        }
        if let Some(time) = message.internal_date {
            date_time(&mut self.out, time);
            self.word(" ");
        }
        if !message.annotations.is_empty() {
            self.annotations(&message.annotations);
            self.word(" ");
        }
        match &message.data {
            AppendData::Literal(form, content) => self.append_literal(*form, content),
            AppendData::Catenate(parts) => {
                self.word("CATENATE ");
                self.list(parts, |printer, part| match part {
                    CatPart::Url(url) => {
                        printer.word("URL ");
                        printer.astring(url.as_bytes());
                    }
                    CatPart::Text(form, content) => {
                        printer.word(if *form == AppendForm::Utf8 { "" } else { "TEXT " });
                        printer.append_literal(*form, content);
                    }
                });
            }
        }
    }

    fn append_literal(&mut self, form: AppendForm, content: &Content) {
        self.word(match form {
            AppendForm::Literal => "",
            AppendForm::Literal8 => "~",
            AppendForm::Utf8 => "UTF8 (~",
        });
        self.literal(&content.0);
        if form == AppendForm::Utf8 {
            self.word(")");
        }
    }
}
