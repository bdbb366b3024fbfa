//! SEARCH, ESEARCH, SORT and THREAD as text.

use super::{Printer, sort_key};
use crate::command::{Search, SearchKey, SearchReturn, SourceMailboxes};
use crate::parse::{civil_from_days, month_name};
use model::{AnnotationScope, Arrangement, DateOf, Direction, SortKey, ThreadAlgorithm, When};

impl Printer {
    pub(super) fn search(&mut self, search: &Search) {
        self.numbering(search.numbering);
        self.word("SEARCH ");
        self.options_and_program(search);
    }

    pub(super) fn esearch(&mut self, sources: &[SourceMailboxes], search: &Search) {
        self.word("ESEARCH ");
        if !sources.is_empty() {
            self.word("IN ");
            self.list(sources, Printer::source);
            self.word(" ");
        }
        self.options_and_program(search);
    }

    pub(super) fn options_and_program(&mut self, search: &Search) {
        self.returns(search);
        if let Some(charset) = &search.charset {
            self.word("CHARSET ");
            self.astring(charset.as_bytes());
            self.word(" ");
        }
        self.program(&search.key);
    }

    pub(super) fn arrange(&mut self, arrangement: &Arrangement, search: &Search) {
        self.numbering(search.numbering);
        match arrangement {
            Arrangement::Sorted(criteria) => {
                self.word("SORT ");
                self.returns(search);
                self.list(criteria, |printer, criterion| {
                    printer.word(if criterion.direction == Direction::Descending { "REVERSE " } else { "" });
                    printer.word(sort_key(&criterion.key));
                    if let SortKey::Annotation(key) = &criterion.key {
                        printer.word(" ");
                        printer.astring(key.entry.as_bytes());
                        printer.word(" value");
                        printer.word(key.scope.suffix());
                    }
                });
            }
            Arrangement::Threaded(algorithm) => self.word(match algorithm {
                ThreadAlgorithm::OrderedSubject => "THREAD ORDEREDSUBJECT",
                ThreadAlgorithm::References => "THREAD REFERENCES",
                ThreadAlgorithm::Refs => "THREAD REFS",
            }),
        }
        self.word(" ");
        self.astring(search.charset.as_deref().unwrap_or("UTF-8").as_bytes());
        self.word(" ");
        self.program(&search.key);
    }

    pub(super) fn returns(&mut self, search: &Search) {
        if let Some(returns) = &search.returns {
            self.word("RETURN ");
            self.list(returns, |printer, option| {
                printer.word(match option {
                    SearchReturn::Min => "MIN",
                    SearchReturn::Max => "MAX",
                    SearchReturn::All => "ALL",
                    SearchReturn::Count => "COUNT",
                    SearchReturn::Save => "SAVE",
                    SearchReturn::Context => "CONTEXT",
                    SearchReturn::Update(items) if items.is_empty() => "UPDATE",
                    SearchReturn::Update(items) => {
                        printer.word("UPDATE ");
                        return printer.list(items, Printer::fetch_item);
                    }
                    SearchReturn::Relevancy => "RELEVANCY",
                    SearchReturn::Partial(range) => return printer.word(&format!("PARTIAL {range}")),
                });
            });
            self.word(" ");
        }
    }

    pub(super) fn program(&mut self, key: &SearchKey) {
        match key {
            SearchKey::And(keys) => {
                for (at, key) in keys.iter().enumerate() {
                    if at > 0 {
                        self.word(" ");
                    }
                    self.key(key);
                }
            }
            key => self.key(key),
        }
    }

    pub(super) fn key(&mut self, key: &SearchKey) {
        match key {
            SearchKey::All => self.word("ALL"),
            SearchKey::Sequence(set) => set.write(&mut self.out),
            SearchKey::Uid(set) => {
                self.word("UID ");
                set.write(&mut self.out);
            }
            SearchKey::UidAfter(uid) => self.word(&format!("UIDAFTER {uid}")),
            SearchKey::UidBefore(uid) => self.word(&format!("UIDBEFORE {uid}")),
            SearchKey::Flag(flag) => self.word(&flag.name()[1..].to_ascii_uppercase()),
            SearchKey::Keyword(keyword) => self.word(&format!("KEYWORD {keyword}")),
            SearchKey::Recent => self.word("RECENT"),
            SearchKey::New => self.word("NEW"),
            SearchKey::Old => self.word("OLD"),
            SearchKey::Fuzzy(key) => {
                self.word("FUZZY ");
                self.key(key);
            }
            SearchKey::Not(key) => {
                self.word("NOT ");
                self.key(key);
            }
            SearchKey::Or(keys) => {
                for (at, key) in keys.iter().enumerate() {
                    self.word(if at + 1 < keys.len() { "OR " } else { "" });
                    self.key(key);
                    self.word(if at + 1 < keys.len() { " " } else { "" });
                }
            }
            SearchKey::And(keys) => self.list(keys, Printer::key),
            SearchKey::Header { name, text } => {
                self.word("HEADER ");
                self.astring(name.as_bytes());
                self.word(" ");
                self.astring(text);
            }
            SearchKey::Body(text) => {
                self.word("BODY ");
                self.astring(text);
            }
            SearchKey::Text(text) => {
                self.word("TEXT ");
                self.astring(text);
            }
            SearchKey::Larger(octets) => self.word(&format!("LARGER {octets}")),
            SearchKey::Smaller(octets) => self.word(&format!("SMALLER {octets}")),
            SearchKey::Date(of, when, day) => {
                self.word(match of {
                    DateOf::Internal => "",
                    DateOf::Sent => "SENT",
                    DateOf::Saved => "SAVED",
                });
                self.word(match when {
                    When::Before => "BEFORE ",
                    When::On => "ON ",
                    When::Since => "SINCE ",
                });
                let (year, month, day) = civil_from_days(i64::from(day.0));
                self.word(&format!("{day}-{}-{year:04}", month_name(month)));
            }
            SearchKey::SaveDateSupported => self.word("SAVEDATESUPPORTED"),
            SearchKey::Younger(seconds) => self.word(&format!("YOUNGER {seconds}")),
            SearchKey::Older(seconds) => self.word(&format!("OLDER {seconds}")),
            SearchKey::ModSeq(modseq) => self.word(&format!("MODSEQ {modseq}")),
            SearchKey::Filter(name) => self.word(&format!("FILTER {name}")),
            SearchKey::EmailId(id) => self.word(&format!("EMAILID {id}")),
            SearchKey::ThreadId(id) => self.word(&format!("THREADID {id}")),
            SearchKey::Annotation { entries, scope, text } => {
                self.word("ANNOTATION ");
                self.string(entries.as_bytes());
                self.word(&format!(" value{} ", scope.map_or("", AnnotationScope::suffix)));
                self.string(text);
            }
        }
    }
}
