//! STORE and FETCH as text.

use super::Printer;
use crate::command::{Echo, Fetch, FetchItem, FlagList, Partial, Peek, Preview, Store};
use crate::write::{Recent, flag_list, write_section};
use model::{AnnotationChange, FlagMode};

impl Printer {
    pub(super) fn flags(&mut self, list: &FlagList) {
        flag_list(&mut self.out, list.flags, &list.keywords, Recent::No);
    }

    pub(super) fn store(&mut self, store: &Store) {
        self.numbering(store.numbering);
        self.word("STORE ");
        store.set.write(&mut self.out);
        if let Some(modseq) = store.unchanged_since {
            self.word(" (UNCHANGEDSINCE ");
            self.number(modseq.0);
            self.word(")");
        }
        if !store.annotations.is_empty() {
            self.word(" ");
            return self.annotations(&store.annotations);
        }
        self.word(match store.mode {
            FlagMode::Replace => " FLAGS",
            FlagMode::Add => " +FLAGS",
            FlagMode::Remove => " -FLAGS",
        });
        self.word(if store.echo == Echo::Silent { ".SILENT " } else { " " });
        self.flags(&store.flags);
    }

    pub(super) fn fetch(&mut self, fetch: &Fetch) {
        self.numbering(fetch.numbering);
        self.word("FETCH ");
        fetch.set.write(&mut self.out);
        self.word(" ");
        self.list(&fetch.items, Printer::fetch_item);
        let changed_since = fetch.changed_since.map(|modseq| format!("CHANGEDSINCE {modseq}"));
        let vanished = fetch.vanished.then(|| "VANISHED".to_owned());
        let partial = fetch.partial.map(|range| format!("PARTIAL {range}"));
        let modifiers: Vec<String> = [changed_since, vanished, partial].into_iter().flatten().collect();
        if !modifiers.is_empty() {
            self.word(" ");
            self.list(&modifiers, |printer, modifier| printer.word(modifier));
        }
    }

    pub(super) fn annotations(&mut self, changes: &[AnnotationChange]) {
        self.word("ANNOTATION ");
        self.list(changes, |printer, change| {
            printer.astring(change.entry.as_bytes());
            printer.word(" (value");
            printer.word(change.scope.suffix());
            printer.word(" ");
            match &change.value {
                Some(value) => printer.string(value),
                None => printer.word("NIL"),
            }
            printer.word(")");
        });
    }

    pub(super) fn fetch_item(&mut self, item: &FetchItem) {
        self.word(match item {
            FetchItem::Envelope => "ENVELOPE",
            FetchItem::Flags => "FLAGS",
            FetchItem::InternalDate => "INTERNALDATE",
            FetchItem::Rfc822Size => "RFC822.SIZE",
            FetchItem::Uid => "UID",
            FetchItem::Body | FetchItem::BodySection { peek: Peek::No, .. } => "BODY",
            FetchItem::BodySection { peek: Peek::Yes, .. } => "BODY.PEEK",
            FetchItem::BodyStructure => "BODYSTRUCTURE",
            FetchItem::Rfc822 => "RFC822",
            FetchItem::Rfc822Header => "RFC822.HEADER",
            FetchItem::Rfc822Text => "RFC822.TEXT",
            FetchItem::Binary { peek: Peek::No, .. } => "BINARY",
            FetchItem::Binary { peek: Peek::Yes, .. } => "BINARY.PEEK",
            FetchItem::BinarySize(_) => "BINARY.SIZE",
            FetchItem::ModSeq => "MODSEQ",
            FetchItem::EmailId => "EMAILID",
            FetchItem::ThreadId => "THREADID",
            FetchItem::SaveDate => "SAVEDATE",
            FetchItem::Preview(Preview::Make) => "PREVIEW",
            FetchItem::Preview(Preview::Lazy) => "PREVIEW (LAZY)",
            FetchItem::Annotation(_) => "ANNOTATION ",
        });
        match item {
            FetchItem::BodySection { section, partial, .. } => {
                self.word("[");
                write_section(&mut self.out, section);
                self.word("]");
                self.partial(*partial);
            }
            FetchItem::Binary { part, partial, .. } => {
                self.part(part);
                self.partial(*partial);
            }
            FetchItem::BinarySize(part) => self.part(part),
            FetchItem::Annotation(request) => {
                self.word("(");
                self.list(&request.entries, |printer, entry| printer.string(entry.as_bytes()));
                self.word(" ");
                self.list(&request.attributes, |printer, attribute| printer.word(&attribute.text()));
                self.word(")");
            }
            _ => {}
        }
    }

    pub(super) fn part(&mut self, part: &[u32]) {
        let numbers: Vec<String> = part.iter().map(u32::to_string).collect();
        self.word(&format!("[{}]", numbers.join(".")));
    }

    pub(super) fn partial(&mut self, partial: Option<Partial>) {
        if let Some(Partial { start, length }) = partial {
            self.word(&format!("<{start}.{length}>"));
        }
    }
}
