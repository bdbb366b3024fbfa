//! Printing and reading are opposites, for commands made at random.

use super::tests::EXAMPLES;
use super::*;
use crate::ask::RightsChange;
use crate::command::*;
use crate::print::print;
use model::{
    AnnotationChange, AnnotationScope, Arrangement, DateOf, Day, Direction, FlagMode, SortCriterion, SortKey,
    When,
};
use model::{Flag, FlagSet, Keyword, ModSeq, Rights, Uid, UnixTime};
use proptest::prelude::*;

const REV1: NameEncoding = NameEncoding::ModifiedUtf7;

fn set(text: &str) -> SequenceSet {
    parse_sequence_set(text.as_bytes()).unwrap()
}

/// Names that can exist: no control characters, the inbox in capitals.
fn names() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,8}(/[a-z ]{1,4})?",
        "[ -~]{0,12}",
        "[а-яé☺😀&\"\\\\/]{1,8}",
        Just("INBOX".to_owned())
    ];
    word.prop_map(|name| if name.eq_ignore_ascii_case("inbox") { "INBOX".to_owned() } else { name })
        .prop_filter("spelled as decoded", |name| {
            !name.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("inbox/"))
        })
}

fn sets() -> impl Strategy<Value = SequenceSet> {
    let end = || prop_oneof![1_u32..50, Just(u32::MAX), Just(0)];
    let text = |end: u32| if end == 0 { "*".to_owned() } else { end.to_string() };
    let ranges = proptest::collection::vec((end(), end()), 1..5).prop_map(move |ends| {
        let ranges: Vec<String> =
            ends.iter().map(|(one, other)| format!("{}:{}", text(*one), text(*other))).collect();
        set(&ranges.join(","))
    });
    prop_oneof![9 => ranges, 1 => Just(SequenceSet::Saved)]
}

fn keys() -> impl Strategy<Value = SearchKey> {
    let leaf = prop_oneof![
        Just(SearchKey::All),
        Just(SearchKey::Recent),
        Just(SearchKey::SaveDateSupported),
        sets().prop_map(SearchKey::Sequence),
        sets().prop_map(SearchKey::Uid),
        (1..u32::MAX).prop_map(|uid| SearchKey::UidAfter(Uid(uid))),
        proptest::sample::select(&Flag::EVERY).prop_map(SearchKey::Flag),
        "[!#$a-z]{1,8}".prop_map(|word| SearchKey::Keyword(Keyword::new(&word).unwrap())),
        ("[!-9;-~]{1,8}", any::<Vec<u8>>()).prop_map(|(name, text)| SearchKey::Header { name, text }),
        any::<Vec<u8>>().prop_map(SearchKey::Body),
        any::<String>().prop_map(|text| SearchKey::Text(text.into_bytes())),
        (0..i64::MAX as u64).prop_map(SearchKey::Larger),
        (-719_000..2_900_000).prop_map(|day| SearchKey::Date(DateOf::Sent, When::Since, Day(day))),
        (1..u32::MAX).prop_map(SearchKey::Older),
        (0..i64::MAX as u64).prop_map(|modseq| SearchKey::ModSeq(ModSeq(modseq))),
        "[A-Za-z0-9_-]{1,20}".prop_map(SearchKey::EmailId),
        "[!#$&'+-.0-9:-Z_a-z]{1,9}".prop_map(SearchKey::Filter),
        ("(/[a-z*%]{1,4}){1,3}", proptest::option::of(scopes()), any::<Vec<u8>>())
            .prop_map(|(entries, scope, text)| SearchKey::Annotation { entries, scope, text }),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.clone().prop_map(|key| match key {
                SearchKey::Not(key) => *key,
                key => SearchKey::Not(Box::new(key)),
            }),
            inner.clone().prop_map(|key| match key {
                key @ SearchKey::Fuzzy(_) => key,
                key => SearchKey::Fuzzy(Box::new(key)),
            }),
            several().prop_map(SearchKey::And),
            several().prop_map(|keys| {
                let flat = keys.into_iter().flat_map(|key| match key {
                    SearchKey::Or(keys) => keys,
                    key => vec![key],
                });
                SearchKey::Or(flat.collect())
            }),
        ]
    })
}

fn scopes() -> impl Strategy<Value = AnnotationScope> {
    proptest::sample::select(&AnnotationScope::EVERY)
}

/// The name of an entry, maybe of a part.
fn annotation_entries() -> impl Strategy<Value = String> {
    r"(/[1-9](\.[1-9]){0,2})?/[g-z]{1,5}(/[a-z ]{0,2}[a-z])?"
}

fn annotations() -> impl Strategy<Value = Vec<AnnotationChange>> {
    let change = (annotation_entries(), scopes(), proptest::option::of(any::<Vec<u8>>()));
    let change = change.prop_map(|(entry, scope, value)| AnnotationChange { entry, scope, value });
    proptest::collection::vec(change, 0..4)
}

fn fetches() -> impl Strategy<Value = FetchItem> {
    let part = || proptest::collection::vec(1..u32::MAX, 0..4);
    let partial = || proptest::option::of((0..i64::MAX as u64, 1..i64::MAX as u64));
    let peek = || prop_oneof![Just(Peek::Yes), Just(Peek::No)];
    let header = || proptest::collection::vec("[!-9;-~]{1,8}", 1..3);
    let text = prop_oneof![
        Just(SectionText::Whole),
        Just(SectionText::Header),
        Just(SectionText::Text),
        Just(SectionText::Mime),
        header().prop_map(SectionText::HeaderFields),
        header().prop_map(SectionText::HeaderFieldsNot),
    ];
    let range = |partial: Option<(u64, u64)>| partial.map(|(start, length)| Partial { start, length });
    prop_oneof![
        Just(FetchItem::Flags),
        ("(/[a-z*%]{1,4}){1,3}", annotation_entries(), proptest::option::of(scopes())).prop_map(
            |(one, other, scope)| {
                let entries = if one == other { vec![one] } else { vec![one, other] };
                let attribute = |name| AnnotationAttribute { name, scope };
                let attributes = [AttributeName::Size, AttributeName::Value].map(attribute).to_vec();
                FetchItem::Annotation(AnnotationRequest { entries, attributes })
            }
        ),
        Just(FetchItem::Preview(Preview::Lazy)),
        Just(FetchItem::BodyStructure),
        Just(FetchItem::Rfc822Text),
        part().prop_map(FetchItem::BinarySize),
        (part(), partial(), peek()).prop_map(move |(part, partial, peek)| FetchItem::Binary {
            part,
            partial: range(partial),
            peek
        }),
        (part(), text, partial(), peek()).prop_map(move |(mut part, text, partial, peek)| {
            if text == SectionText::Mime && part.is_empty() {
                part.push(1);
            }
            FetchItem::BodySection { section: Section { part, text }, partial: range(partial), peek }
        }),
    ]
}

fn flag_lists() -> impl Strategy<Value = FlagList> {
    (0_u8..32, proptest::collection::btree_set("[!#$a-z]{1,8}", 0..4)).prop_map(|(flags, words)| FlagList {
        flags: FlagSet(flags),
        keywords: words.iter().map(|word| Keyword::new(word).unwrap()).collect(),
    })
}

fn messages() -> impl Strategy<Value = AppendMessage> {
    let form = prop_oneof![Just(AppendForm::Literal), Just(AppendForm::Literal8), Just(AppendForm::Utf8)];
    let time = proptest::option::of((-62_167_219_200_i64..253_402_300_799).prop_map(UnixTime));
    let text = (form, any::<Vec<u8>>()).prop_map(|(form, mut content)| {
        if form == AppendForm::Literal {
            content.retain(|byte| *byte != 0);
        }
        (form, Content(content))
    });
    let part = prop_oneof![
        text.clone().prop_map(|(form, content)| CatPart::Text(form, content)),
        any::<String>().prop_map(CatPart::Url)
    ];
    let data = prop_oneof![
        text.prop_map(|(form, content)| AppendData::Literal(form, content)),
        proptest::collection::vec(part, 1..4).prop_map(AppendData::Catenate)
    ];
    (flag_lists(), time, annotations(), data).prop_map(|(flags, internal_date, annotations, data)| {
        AppendMessage { flags, internal_date, annotations, data }
    })
}

fn numberings() -> impl Strategy<Value = Numbering> {
    prop_oneof![Just(Numbering::Sequence), Just(Numbering::Uid)]
}

fn sources() -> impl Strategy<Value = SourceMailboxes> {
    let named = || proptest::collection::vec(names(), 1..3);
    prop_oneof![
        Just(SourceMailboxes::Selected),
        Just(SourceMailboxes::Inboxes),
        Just(SourceMailboxes::Personal),
        Just(SourceMailboxes::Subscribed),
        named().prop_map(SourceMailboxes::Subtree),
        named().prop_map(SourceMailboxes::SubtreeOne),
        named().prop_map(SourceMailboxes::Mailboxes),
    ]
}

fn groups() -> impl Strategy<Value = EventGroup> {
    proptest::collection::vec(fetches(), 0..3).prop_map(|items| EventGroup {
        mailboxes: SourceMailboxes::SelectedDelayed,
        events: vec![
            NotifyEvent::MessageNew(mailbox::once_each(items)),
            NotifyEvent::MessageExpunge,
            NotifyEvent::FlagChange,
        ],
    })
}

fn entries() -> impl Strategy<Value = String> {
    "/(private|shared)/(vendor/[a-z]{1,3}/[ -)+-.0-9a-z]{1,5}|[a-z]{1,4}(/[a-z\"\\\\]{1,3})?)"
        .prop_filter("four components", |name| !name.ends_with("/vendor") && !name.contains('%'))
}

fn acls() -> impl Strategy<Value = AclCommand> {
    let change = (0..3, 0..=Rights::ALL.0).prop_map(|(kind, bits)| match kind {
        0 => RightsChange::Set(Rights(bits)),
        1 => RightsChange::Add(Rights(bits)),
        _ => RightsChange::Remove(Rights(bits)),
    });
    prop_oneof![
        Just(AclCommand::Get),
        Just(AclCommand::MyRights),
        (any::<String>(), change).prop_map(|(identifier, change)| AclCommand::Set { identifier, change }),
        any::<String>().prop_map(|identifier| AclCommand::Delete { identifier }),
        any::<String>().prop_map(|identifier| AclCommand::ListRights { identifier }),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table: one row for each command")]
fn bodies() -> impl Strategy<Value = Body> {
    let lists = (names(), proptest::collection::vec(names(), 1..3)).prop_map(|(reference, patterns)| {
        let form = if patterns.len() > 1 { ListForm::Extended } else { ListForm::Basic };
        Body::List(List { select: vec![], reference, patterns, returns: vec![], form })
    });
    let fetch = (numberings(), sets(), proptest::collection::vec(fetches(), 1..4)).prop_map(
        |(numbering, set, items)| {
            let items = mailbox::once_each(items);
            Body::Fetch(Fetch { numbering, set, items, changed_since: None, vanished: false, partial: None })
        },
    );
    let search = (numberings(), keys()).prop_map(|(numbering, key)| {
        Body::Search(Search { numbering, returns: None, charset: Some("X y".to_owned()), key })
    });
    let esearch = (proptest::collection::vec(sources(), 0..4), keys()).prop_map(|(sources, key)| {
        let returns = (sources.len() != 1).then(|| vec![SearchReturn::Count, SearchReturn::Save]);
        let search = Search { numbering: Numbering::Uid, returns, charset: None, key };
        Body::Esearch { sources, search }
    });
    let sort = (numberings(), keys(), proptest::collection::vec((0..9_usize, any::<bool>()), 1..4)).prop_map(
        |(numbering, key, criteria)| {
            let criterion = |(at, reverse): (usize, bool)| SortCriterion {
                key: SortKey::EVERY[at].clone(),
                direction: if reverse { Direction::Descending } else { Direction::Ascending },
            };
            let arrangement = Arrangement::Sorted(criteria.into_iter().map(criterion).collect());
            let search = Search { numbering, returns: None, charset: Some("UTF-8".to_owned()), key };
            Body::Arrange { arrangement, search }
        },
    );
    let store = (numberings(), sets(), flag_lists(), proptest::option::of(0..i64::MAX as u64)).prop_map(
        |(numbering, set, flags, modseq)| {
            let unchanged_since = modseq.map(ModSeq);
            let (mode, echo) = (FlagMode::Add, Echo::Silent);
            let annotations = Vec::new();
            Body::Store(Store { numbering, set, unchanged_since, mode, echo, flags, annotations })
        },
    );
    let annotate = (sets(), annotations()).prop_filter_map("none", |(set, annotations)| {
        let (numbering, mode, echo) = (Numbering::Uid, FlagMode::Add, Echo::Silent);
        let (unchanged_since, flags) = (None, FlagList::default());
        let store = Store { numbering, set, unchanged_since, mode, echo, flags, annotations };
        (!store.annotations.is_empty()).then_some(Body::Store(store))
    });
    prop_oneof![
        (any::<String>(), any::<String>())
            .prop_map(|(user, password)| Body::Login { user, password: Secret(password.into_bytes()) }),
        any::<Vec<u8>>().prop_map(|initial| Body::Authenticate {
            mechanism: "PLAIN".to_owned(),
            initial: Some(Secret(initial)),
        }),
        proptest::collection::vec("[ -~é]{0,9}", 0..3).prop_map(Body::Comparator),
        (names(), names()).prop_map(|(from, to)| Body::Rename { from, to }),
        proptest::collection::vec((any::<String>(), "[A-Z0-9.-]{1,8}"), 1..3).prop_map(Body::GenUrlAuth),
        (proptest::option::of(names()), "[A-Z0-9.-]{1,8}").prop_map(|(mailbox, mechanism)| {
            let mechanisms = if mailbox.is_some() { vec![mechanism] } else { vec![] };
            Body::ResetKey { mailbox, mechanisms }
        }),
        proptest::collection::vec(
            (any::<String>(), proptest::sample::subsequence(&UrlParam::EVERY[..2], 0..=2)),
            1..3
        )
        .prop_map(|urls| {
            Body::UrlFetch(urls.into_iter().map(|(url, params)| UrlWanted { url, params }).collect())
        }),
        (names(), acls()).prop_map(|(mailbox, command)| Body::Acl { mailbox, command }),
        (1..u32::MAX, proptest::option::of((1..u32::MAX, 1..u32::MAX)))
            .prop_map(|(size, batches)| Body::UidBatches { size, batches }),
        (names(), proptest::collection::vec(messages(), 1..4))
            .prop_map(|(mailbox, messages)| Body::Append { mailbox, messages }),
        (numberings(), 1..u32::MAX, names(), messages()).prop_map(|(numbering, number, mailbox, message)| {
            let number = SequenceSet::single(number).unwrap();
            Body::Replace { numbering, number, mailbox, message: Box::new(message) }
        }),
        (names(), proptest::collection::vec(entries(), 1..4), proptest::option::of(any::<u32>())).prop_map(
            |(mailbox, entries, size_max)| {
                let depth = if size_max.is_some() { Depth::One } else { Depth::Infinity };
                Body::GetMetadata { mailbox, entries, depth, size_max }
            },
        ),
        (names(), proptest::collection::vec((entries(), proptest::option::of(any::<Vec<u8>>())), 1..4))
            .prop_map(|(mailbox, entries)| {
                let entries = entries.into_iter().map(|(name, value)| (name, value.map(Content)));
                Body::SetMetadata { mailbox, entries: entries.collect() }
            }),
        (any::<bool>(), proptest::option::of(groups()), proptest::collection::vec(names(), 1..3)).prop_map(
            |(status, selected, roots)| {
                let other = vec![NotifyEvent::MailboxName, NotifyEvent::Other("X-Y".into())];
                let mut groups = vec![
                    EventGroup { mailboxes: SourceMailboxes::Subtree(roots.clone()), events: other },
                    EventGroup { mailboxes: SourceMailboxes::Mailboxes(roots), events: Vec::new() },
                ];
                groups.extend(selected);
                Body::Notify(Some(Notify { status, groups }))
            }
        ),
        lists,
        fetch,
        search,
        esearch,
        sort,
        store,
        annotate,
    ]
}

proptest! {
    #[test]
    fn reading_undoes_printing(body in bodies(), tag in "[!#$&',-Z^-z|}]{1,10}", utf8 in any::<bool>()) {
        let tag = tag.replace('+', "x");
        let names = if utf8 { NameEncoding::Utf8 } else { REV1 };
        let command = Command { tag, body };
        let wire = print(&command, names);
        prop_assert_eq!(parse_command(&wire, names).map_err(|error| error.to_string()), Ok(command));
    }

    #[test]
    fn anything_is_a_value(bytes in any::<Vec<u8>>(), utf8 in any::<bool>()) {
        let names = if utf8 { NameEncoding::Utf8 } else { REV1 };
        let _ = parse_command(&bytes, names);
    }

    #[test]
    fn broken_examples_are_values(
        at in 0..EXAMPLES.len(),
        place in any::<proptest::sample::Index>(),
        with in proptest::collection::vec(any::<u8>(), 0..3),
        dropped in 0_usize..3,
    ) {
        let mut bytes = EXAMPLES[at].as_bytes().to_vec();
        let start = place.index(bytes.len());
        let end = (start + dropped).min(bytes.len());
        bytes.splice(start..end, with);
        if let Ok(command) = parse_command(&bytes, REV1) {
            let again = parse_command(&print(&command, REV1), REV1).map_err(|error| error.to_string());
            prop_assert_eq!(again, Ok(command), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }
}
