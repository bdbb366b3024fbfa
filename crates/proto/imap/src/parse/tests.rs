//! Known answers of the RFCs, and hostile input.

use super::*;
use crate::ask::{Access, Originals};
use crate::command::*;
use crate::print::print;
use model::{DateOf, Day, FlagMode, When};
use model::{Flag, FlagSet, Keyword, ModSeq, UidValidity, UnixTime};

const REV1: NameEncoding = NameEncoding::ModifiedUtf7;

fn body(text: &str) -> Body {
    match parse_command(text.as_bytes(), REV1) {
        Ok(command) => command.body,
        Err(error) => panic!("{text:?}: {error}"),
    }
}

fn fault(text: &str) -> ParseError {
    match parse_command(text.as_bytes(), REV1) {
        Err(error) => error,
        Ok(command) => panic!("{text:?} was taken for {command:?}"),
    }
}

fn set(text: &str) -> SequenceSet {
    parse_sequence_set(text.as_bytes()).unwrap()
}

fn key(text: &str) -> SearchKey {
    let Body::Search(search) = body(&format!("a SEARCH {text}")) else { panic!("{text}") };
    search.key
}

fn items(text: &str) -> Vec<FetchItem> {
    let Body::Fetch(fetch) = body(&format!("a FETCH 1 {text}")) else { panic!("{text}") };
    fetch.items
}

/// Commands as the RFCs show them, none of which may be refused.
pub(super) const EXAMPLES: &[&str] = &[
    // RFC 5257
    "a SELECT INBOX (ANNOTATE)",
    "a SELECT INBOX (CONDSTORE ANNOTATE)",
    "a FETCH 1 (ANNOTATION (/comment value))",
    "a UID FETCH 1123 (UID ANNOTATION (/* (value.priv size.priv)))",
    "a FETCH 1 (ANNOTATION (/% value.shared))",
    "a FETCH 1 (ANNOTATION ((/comment /altsubject) value.priv))",
    "a STORE 1 ANNOTATION (/comment (value.priv \"My new comment\"))",
    "a STORE 1 ANNOTATION (/comment (value.shared NIL))",
    "a STORE 1 ANNOTATION (/comment (value.priv \"Get tix Tuesday\") /altsubject (value.priv \"Wots On\"))",
    "a STORE 1 ANNOTATION (/comment (value.priv \"My new comment\" value.shared \"foo's bar\"))",
    "a SEARCH ANNOTATION /comment value \"IMAP4\"",
    "a SEARCH ANNOTATION * value.priv \"IMAP4\"",
    "a SORT (ANNOTATION /altsubject value.shared) UTF-8 ALL",
    // RFC 5256, 5267
    "A282 SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994",
    "A283 SORT (SUBJECT REVERSE DATE) UTF-8 ALL",
    "A284 SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"",
    "A283 THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000",
    "A285 UID THREAD REFERENCES UTF-8 SINCE 5-MAR-2000",
    "A286 THREAD REFS US-ASCII UNSEEN",
    "A01 SEARCH RETURN (CONTEXT COUNT) UNDELETED UNKEYWORD $Junk",
    "B01 UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk",
    "a00 SEARCH RETURN (COUNT UPDATE (UID BODY[HEADER.FIELDS (TO FROM SUBJECT)])) FROM \"boss\"",
    "B02 UID SORT RETURN (UPDATE PARTIAL 1:5) (DATE) UTF-8 KEYWORD $Junk",
    // RFC 7377
    "tag1 UID ESEARCH FROM \"frobozz\" 1:100",
    "tag1 ESEARCH IN (mailboxes \"folder1\" subtree \"folder2\") unseen",
    "tag2 ESEARCH IN (mailboxes \"folder1\" subtree-one \"folder2\") subject \"chad\"",
    "tag3 ESEARCH IN (selected inboxes personal subscribed subtree (a b)) RETURN (MIN COUNT) CHARSET UTF-8 SEEN",
    "B04 CANCELUPDATE \"B01\" \"B02\"",
    "E01 UID SORT RETURN () (REVERSE DATE) UTF-8 UNDELETED UNKEYWORD $Junk",
    "E02 SORT (DISPLAYFROM REVERSE DISPLAYTO ARRIVAL CC FROM SIZE TO) UTF-8 ALL",
    // RFC 9051 §6
    "abcd CAPABILITY",
    // RFC 4467 §7, RFC 5524 §4
    "a31 RESETKEY",
    "a32 RESETKEY INBOX",
    "a33 RESETKEY INBOX XSAMPLE",
    "a777 GENURLAUTH \"imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred\" INTERNAL",
    "a002 URLFETCH \"imap://joe@example.com/INBOX/;uid=20;urlauth=anonymous:internal:91354a473744909de610943775f92038\"",
    "A001 URLFETCH (imap://joe@example.com/INBOX/;uid=20;urlauth=anonymous BINARY BODYPARTSTRUCTURE) b (c BODY)",
    // RFC 4469, appendix A; RFC 8508 §4.2; RFC 6855 §4
    "A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE (URL \"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER\" \
     TEXT {8+}\r\n\r\n\r\n--b\r URL \"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=1.MIME\")",
    "A011 UID REPLACE 3002 Drafts CATENATE (TEXT {3+}\r\na\r\n URL \"/Drafts/;UID=3002\")",
    "a APPEND Drafts CATENATE (UTF8 (~{2+}\r\na\0) TEXT ~{1+}\r\nb URL {2+}\r\n/a) {1+}\r\nc",
    // RFC 4314 §2.1.1, §3, and RFC 8440 §4
    "A001 SeTacl INBOX/Drafts David lrswida",
    "A002 getacl INBOX/Drafts",
    "A002 SETACL INBOX/Drafts Chris +cda",
    "B002 DeleteAcl INBOX -Fred",
    "a001 LISTRIGHTS ~/Mail/saved smith",
    "A003 MYRIGHTS INBOX",
    "A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (MYRIGHTS)",
    // RFC 10022 §3.1
    "A143 UIDBATCHES 2000",
    "A302 UIDBATCHES 2000 10:20",
    // RFC 9738 §3.2
    "12 UID SEARCH UIDAFTER 25000 UNDELETED",
    "a SEARCH UIDBEFORE 1",
    "a002 NOOP",
    "A023 LOGOUT",
    "a002 STARTTLS",
    "a004 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=",
    "A001 AUTHENTICATE GSSAPI",
    "A01 AUTHENTICATE EXTERNAL =",
    "a001 LOGIN SMITH SESAME",
    "A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man",
    "t2 ENABLE CONDSTORE X-GOOD-IDEA",
    "A142 SELECT INBOX",
    "A932 EXAMINE blurdybloop",
    "A003 CREATE owatagusiam/",
    "A685 DELETE foo/bar",
    "A683 RENAME blurdybloop sarasoop",
    "A002 SUBSCRIBE #news.comp.mail.mime",
    "A002 UNSUBSCRIBE #news.comp.mail.mime",
    "A101 LIST \"\" \"\"",
    "A102 LIST #news.comp.mail.misc \"\"",
    "A202 LIST ~/Mail/ %",
    "A02 LIST (SUBSCRIBED) \"\" \"*\"",
    "A03 LIST () \"\" \"%\" RETURN (CHILDREN)",
    "A05 LIST (REMOTE SUBSCRIBED) \"\" \"*\"",
    "D03 LIST (RECURSIVEMATCH SUBSCRIBED) \"\" \"*2\"",
    "a1 LIST \"\" (\"foo\")",
    "a3.1 LIST \"\" (% music/rock)",
    "A02 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" % RETURN (STATUS (MESSAGES))",
    "A003 LIST (SPECIAL-USE) \"#mh/\" \"*\"",
    "A001 NAMESPACE",
    "A042 STATUS blurdybloop (UIDNEXT MESSAGES)",
    "A003 APPEND saved-messages (\\Seen) {13+}\r\nDate: now\r\n\r\n",
    "A004 COPY 2:4 meeting",
    "A003 REPLACE 4 Drafts (\\Seen \\Draft) {13+}\r\nDate: now\r\n\r\n",
    "A004 UID REPLACE 2000 Drafts (\\Seen \\Draft) ~{13+}\r\nDate: now\r\n\r\n",
    "A01 UID SEARCH RETURN (PARTIAL -1:-100) UNDELETED UNKEYWORD $Junk",
    "A02 UID SEARCH RETURN (COUNT PARTIAL 23500:24000) UNDELETED",
    "101 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL -1:-30 CHANGEDSINCE 98305)",
    "A002 IDLE",
    "A341 CLOSE",
    "A342 UNSELECT",
    "A202 EXPUNGE",
    "A282 SEARCH RETURN (MIN COUNT) FLAGGED",
    "A283 SEARCH RETURN () FLAGGED",
    "A284 SEARCH TEXT \"string not in mailbox\"",
    "A285 SEARCH CHARSET UTF-8 TEXT {12+}\r\nотпуск",
    "A285 UID SEARCH RETURN (MIN MAX) 1:5000",
    "A282 SEARCH RETURN (SAVE) FLAGGED SINCE 1-Feb-1994",
    "A283 FETCH $ (UID INTERNALDATE FLAGS BODY.PEEK[HEADER])",
    "P283 SEARCH CHARSET UTF-8 (OR $ 1,3000:3021) TEXT {8+}\r\nмать",
    "F284 STORE $ +FLAGS.Silent (\\Deleted)",
    "A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])",
    "A003 STORE 2:4 +FLAGS (\\Deleted)",
    "a UID MOVE 42:69 foo",
    "A003 UID EXPUNGE 3000:3002",
    "A999 UID FETCH 4827313:4828442 FLAGS",
    "l create \"///////\"",
    "a003 fetch 12 full",
    "a004 fetch 12 body[header]",
    "a005 store 12 +flags \\deleted",
    // RFC 3501 §6
    "A002 LSUB \"#news.\" \"comp.%\"",
    "A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
    "a CHECK",
    // RFC 2971, 4978, 8437, 6154, 5819
    "a023 ID (\"name\" \"sodr\" \"version\" \"19.34\" \"vendor\" \"Pink Floyd Music Limited\")",
    "a042 ID NIL",
    "b COMPRESS DEFLATE",
    "b LANGUAGE",
    "b LANGUAGE ru-RU en",
    "b COMPARATOR",
    "A001 COMPARATOR \"cz;*\" i;basic",
    "A003 UNAUTHENTICATE",
    "t1 CREATE MySpecial (USE (\\Drafts \\Sent))",
    "A01 LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN))",
    // RFC 7162
    "A142 SELECT INBOX (CONDSTORE)",
    "A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))",
    "A03 SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541 (1:3,5 41:43,45)))",
    "s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
    "s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)",
    "a103 UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)",
    "d105 STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)",
    "a SEARCH MODSEQ \"/flags/\\\\draft\" all 620162338",
    "t SEARCH OR NOT MODSEQ 720162338 LARGER 50000",
    // RFC 3516, 8474, 8514, 8970, 5032, 9208
    "B FETCH 3 BINARY.PEEK[1]<0.100>",
    "B FETCH 3 (BINARY.SIZE[1.2] BINARY[])",
    "5 FETCH 1:* (EMAILID THREADID)",
    "27 SEARCH EMAILID M6d99ac3275bb4e",
    "a SEARCH SAVEDSINCE 28-Dec-2014 SAVEDATESUPPORTED",
    "A1 FETCH 1 (RFC822.SIZE PREVIEW (LAZY) SAVEDATE)",
    "a1 SEARCH UNSEEN YOUNGER 259200",
    "G0001 GETQUOTA \"!partition/sda4\"",
    "G0002 GETQUOTAROOT INBOX",
    "S0000 SETQUOTA \"\" (STORAGE 512)",
    // RFC 3502
    "A003 APPEND saved (\\Seen) {1+}\r\nx (\\Seen) \" 7-Feb-1994 22:43:04 -0800\" {1+}\r\ny",
];

#[test]
fn examples_survive_being_printed_and_read_again() {
    for example in EXAMPLES {
        let command =
            parse_command(example.as_bytes(), REV1).unwrap_or_else(|error| panic!("{example}: {error}"));
        for names in [REV1, NameEncoding::Utf8] {
            let again = parse_command(&print(&command, names), names);
            assert_eq!(again.as_ref(), Ok(&command), "{example}");
        }
    }
}

#[test]
fn every_truncation_of_an_example_is_a_value() {
    let mut faults = 0;
    for example in EXAMPLES {
        for length in 0..example.len() {
            faults += usize::from(parse_command(&example.as_bytes()[..length], REV1).is_err());
        }
        // Nor may anything stand behind it.
        let longer = format!("{example} )");
        assert!(parse_command(longer.as_bytes(), REV1).is_err(), "{longer}");
    }
    assert!(faults > 1000, "most truncations are no commands: {faults}");
}

#[test]
fn known_commands() {
    let text = |text: &str| text.to_owned();
    for (wire, wanted) in [
        (
            "a login {3+}\r\na b \"\\\"p\\\\\"",
            Body::Login { user: text("a b"), password: Secret(b"\"p\\".to_vec()) },
        ),
        (
            "a AUTHENTICATE plain dGVzdA==",
            Body::Authenticate { mechanism: text("PLAIN"), initial: Some(Secret(b"test".to_vec())) },
        ),
        (
            "a AUTHENTICATE EXTERNAL =",
            Body::Authenticate { mechanism: text("EXTERNAL"), initial: Some(Secret::default()) },
        ),
        ("a id (\"name\" NIL)", Body::Id(vec![(text("name"), None)])),
        ("a id ()", Body::Id(vec![])),
        ("a select inBox", select("INBOX", false, None)),
        ("a select &Jjo- (CONDSTORE)", select("☺", true, None)),
        (
            "a SELECT x (QRESYNC (7 9 1:2 (1 5)))",
            select(
                "x",
                true,
                Some(Qresync {
                    uid_validity: UidValidity(7),
                    modseq: ModSeq(9),
                    known_uids: Some(set("1:2")),
                    known_pairs: Some((set("1"), set("5"))),
                }),
            ),
        ),
        ("a rename \"a b\" c]", Body::Rename { from: text("a b"), to: text("c]") }),
        ("a LSUB \"\" *", Body::Lsub { reference: text(""), pattern: text("*") }),
        ("a uid expunge 3,1:2", Body::Expunge(Some(set("1:3")))),
        (
            "a uid move $ Trash",
            Body::Copy {
                numbering: Numbering::Uid,
                set: SequenceSet::Saved,
                mailbox: text("Trash"),
                originals: Originals::Go,
            },
        ),
        (
            "a STORE 1:2 -FLAGS.SILENT \\Seen $Junk $junk \\Recent \\X",
            Body::Store(Store {
                numbering: Numbering::Sequence,
                set: set("1:2"),
                unchanged_since: None,
                mode: FlagMode::Remove,
                echo: Echo::Silent,
                flags: FlagList {
                    flags: FlagSet::NONE.with(Flag::Seen),
                    keywords: vec![Keyword::new("$Junk").unwrap()],
                },
                annotations: Vec::new(),
            }),
        ),
        (
            "a STATUS x (MESSAGES UNSEEN MESSAGES)",
            Body::Status { mailbox: text("x"), items: vec![StatusItem::Messages, StatusItem::Unseen] },
        ),
        ("a LIST \"\" *", list(&[], "*", &[], ListForm::Basic)),
        ("a LIST () \"\" *", list(&[], "*", &[], ListForm::Extended)),
        ("a LIST \"\" (*)", list(&[], "*", &[], ListForm::Extended)),
        ("a LIST \"\" * RETURN ()", list(&[], "*", &[], ListForm::Extended)),
        (
            "a LIST (SUBSCRIBED SUBSCRIBED) \"\" {1+}\r\n% RETURN (STATUS (UNSEEN) CHILDREN)",
            list(
                &[ListSelect::Subscribed],
                "%",
                &[ListReturn::Status(vec![StatusItem::Unseen]), ListReturn::Children],
                ListForm::Extended,
            ),
        ),
    ] {
        assert_eq!(body(wire), wanted, "{wire}");
    }
}

fn select(mailbox: &str, condstore: bool, qresync: Option<Qresync>) -> Body {
    let (mailbox, qresync) = (mailbox.to_owned(), qresync.map(Box::new));
    Body::Select { mailbox, access: Access::ReadWrite, condstore, qresync, annotate: false }
}

fn list(select: &[ListSelect], pattern: &str, returns: &[ListReturn], form: ListForm) -> Body {
    Body::List(List {
        select: select.to_vec(),
        reference: String::new(),
        patterns: vec![pattern.to_owned()],
        returns: returns.to_vec(),
        form,
    })
}

#[test]
fn appended_messages() {
    let wire =
        "a APPEND x (\\Seen $K) \"17-Jul-1996 02:44:25 -0700\" {3+}\r\na\r\n ~{2+}\r\n\0b UTF8 (~{1}\r\nc)";
    let Body::Append { mailbox, messages } = body(wire) else { panic!() };
    assert_eq!(mailbox, "x");
    let found: Vec<_> = messages
        .iter()
        .map(|message| match &message.data {
            AppendData::Literal(form, content) => (*form, content.0.as_slice()),
            AppendData::Catenate(_) => panic!("{message:?}"),
        })
        .collect();
    let wanted: [(_, &[u8]); 3] =
        [(AppendForm::Literal, b"a\r\n"), (AppendForm::Literal8, b"\0b"), (AppendForm::Utf8, b"c")];
    assert_eq!(found, wanted);
    assert_eq!(messages[0].internal_date, Some(UnixTime(837_596_665)));
    assert_eq!(messages[0].flags.flags, FlagSet::NONE.with(Flag::Seen));
    assert_eq!(messages[0].flags.keywords, [Keyword::new("$K").unwrap()]);
    assert!(!format!("{messages:?}").contains("[97"), "no content in debug output");
}

#[test]
fn detached_messages_are_taken_not_copied() {
    let bytes = b"message".to_vec();
    let address = bytes.as_ptr();
    let text = b"a APPEND x {7}\r\n".to_vec();
    let detached = vec![Detached { offset: text.len(), bytes }];
    let command = parse_received(Received { text, detached }, REV1).unwrap();
    let Body::Append { messages, .. } = command.body else { panic!() };
    let AppendData::Literal(_, content) = &messages[0].data else { panic!("{messages:?}") };
    assert_eq!(content.0.as_ptr(), address);
}

#[test]
fn fetch_items() {
    let fast = [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Rfc822Size];
    assert_eq!(items("FAST"), fast);
    assert_eq!(items("all"), [&fast[..], &[FetchItem::Envelope]].concat());
    assert_eq!(items("Full"), [&fast[..], &[FetchItem::Envelope, FetchItem::Body]].concat());
    assert_eq!(items("(FLAGS UID FLAGS)"), [FetchItem::Flags, FetchItem::Uid]);
    let section = |part: &[u32], text, partial, peek| FetchItem::BodySection {
        section: Section { part: part.to_vec(), text },
        partial,
        peek,
    };
    let names = || vec!["DATE".to_owned(), "a]".to_owned()];
    for (text, wanted) in [
        ("BODY[]", section(&[], SectionText::Whole, None, Peek::No)),
        (
            "BODY.PEEK[1.2]<5.10>",
            section(&[1, 2], SectionText::Whole, Some(Partial { start: 5, length: 10 }), Peek::Yes),
        ),
        ("BODY[4.1.MIME]", section(&[4, 1], SectionText::Mime, None, Peek::No)),
        ("BODY[3.HEADER]", section(&[3], SectionText::Header, None, Peek::No)),
        ("BODY[TEXT]", section(&[], SectionText::Text, None, Peek::No)),
        (
            "body[header.fields (DATE \"a]\")]",
            section(&[], SectionText::HeaderFields(names()), None, Peek::No),
        ),
        (
            "BODY[2.HEADER.FIELDS.NOT (DATE a])]",
            section(&[2], SectionText::HeaderFieldsNot(names()), None, Peek::No),
        ),
        ("RFC822", FetchItem::Rfc822),
        ("RFC822.HEADER", FetchItem::Rfc822Header),
        ("PREVIEW", FetchItem::Preview(Preview::Make)),
        ("PREVIEW (LAZY)", FetchItem::Preview(Preview::Lazy)),
        ("BINARY.SIZE[1]", FetchItem::BinarySize(vec![1])),
    ] {
        assert_eq!(items(text), std::slice::from_ref(&wanted), "{text}");
        assert_eq!(items(&format!("({text})")), [wanted], "{text} in parentheses");
    }
}

#[test]
fn search_keys() {
    let flag = |flag| SearchKey::Flag(flag);
    let not = |key| SearchKey::Not(Box::new(key));
    let header = |name: &str, text: &str| SearchKey::Header { name: name.to_owned(), text: text.into() };
    for (text, wanted) in [
        ("ALL", SearchKey::All),
        ("UNSEEN", not(flag(Flag::Seen))),
        ("NOT NOT UNSEEN", not(flag(Flag::Seen))),
        ("NOT UNSEEN", flag(Flag::Seen)),
        ("1:3 SEEN", SearchKey::And(vec![SearchKey::Sequence(set("1:3")), flag(Flag::Seen)])),
        ("(1:3)", SearchKey::Sequence(set("1:3"))),
        ("UID $", SearchKey::Uid(SequenceSet::Saved)),
        ("OR SEEN OR DRAFT NEW", SearchKey::Or(vec![flag(Flag::Seen), flag(Flag::Draft), SearchKey::New])),
        ("OR OR SEEN DRAFT NEW", SearchKey::Or(vec![flag(Flag::Seen), flag(Flag::Draft), SearchKey::New])),
        ("OR (OR SEEN DRAFT) NEW", SearchKey::Or(vec![flag(Flag::Seen), flag(Flag::Draft), SearchKey::New])),
        (
            "NOT OR SEEN (DRAFT OLD)",
            not(SearchKey::Or(vec![
                flag(Flag::Seen),
                SearchKey::And(vec![flag(Flag::Draft), SearchKey::Old]),
            ])),
        ),
        ("from \"Иван\"", header("FROM", "Иван")),
        ("HEADER Message-ID \"\"", header("Message-ID", "")),
        ("SUBJECT {3+}\r\na\"b", header("SUBJECT", "a\"b")),
        ("SENTON \"1-Jan-1970\"", SearchKey::Date(DateOf::Sent, When::On, Day(0))),
        ("SINCE 29-Feb-2000", SearchKey::Date(DateOf::Internal, When::Since, Day(11_016))),
        ("SAVEDBEFORE 31-Dec-1969", SearchKey::Date(DateOf::Saved, When::Before, Day(-1))),
        ("UNKEYWORD $Junk", not(SearchKey::Keyword(Keyword::new("$Junk").unwrap()))),
        ("MODSEQ \"/flags/\\\\draft\" all 5", SearchKey::ModSeq(ModSeq(5))),
        ("LARGER 9223372036854775807", SearchKey::Larger(i64::MAX as u64)),
    ] {
        assert_eq!(key(text), wanted, "{text}");
    }
}

#[test]
fn faults_name_their_place() {
    for (wire, wanted) in [
        ("a FETCH x:* FLAGS", "expected a sequence set at column 9: \"x:* FLAGS\""),
        ("a FETCH 1:x FLAGS", "expected a sequence set at column 9: \"1:x FLAGS\""),
        ("a FETCH 0 FLAGS", "expected a sequence set at column 9: \"0 FLAGS\""),
        ("a FETCH 4294967296 FLAGS", "expected a sequence set at column 9: \"4294967296 FLAGS\""),
        ("a FETCH 1 (FLAGS FROB)", "expected a FETCH data item at column 18: \"FROB)\""),
        ("a FETCH 1 (FLAGS", "expected a space or ) at column 17"),
        ("a FETCH 1 (FLAGS  UID)", "expected a FETCH data item at column 18: \" UID)\""),
        ("a FETCH 1 (FLAGS ALL)", "expected a FETCH data item at column 18: \"ALL)\""),
        ("a FETCH 1 BODY[1.]", "expected a section such as 1.2, HEADER or TEXT at column 18: \"]\""),
        ("a FETCH 1 BODY[MIME]", "expected a section such as 1.2, HEADER or TEXT at column 16: \"MIME]\""),
        ("a FETCH 1 BODY[]<0.0>", "expected a number of octets from 1 on at column 20: \"0>\""),
        ("a FROB", "unknown command at column 3: \"FROB\""),
        ("a UID NOOP", "unknown command at column 7: \"NOOP\""),
        ("a", "expected a tag and a space at column 1"),
        ("", "expected a tag and a space at column 1"),
        ("+ NOOP", "expected a tag and a space at column 1"),
        ("a NOOP ", "expected the end of the command at column 7: \" \""),
        ("a STARTTLS now", "expected the end of the command at column 11: \" now\""),
        ("a SELECT \"x", "expected a closing quotation mark at column 10: \"\"x\""),
        ("a SELECT \"\\x\"", "expected \" or \\ behind a backslash at column 12: \"x\"\""),
        ("a SELECT {3}\r\nab", "expected a literal of that many octets at column 10: \"{3}\""),
        (
            "a SELECT {1+}\r\n\0",
            "expected a literal without NUL (literal8 may hold it) at column 10: \"{1+}\"",
        ),
        (
            "a SELECT R&D",
            "the mailbox name is not correctly encoded (RFC 3501 section 5.1.3) at column 10: \"R&D\"",
        ),
        ("a SEARCH SINCE 30-Feb-2000", "expected a day that the month has at column 16: \"30-Feb-2000\""),
        ("a SEARCH SINCE 1-Foo-2000", "expected a date such as 1-Feb-1994 at column 18: \"Foo-2000\""),
        ("a STORE 1 FLAGS (\u{e9})", "expected a flag at column 18: \"??)\""),
        (
            "a UID FETCH 1 FLAGS (VANISHED)",
            "expected VANISHED with CHANGEDSINCE, in UID FETCH only at column 21: \"(VANISHED)\"",
        ),
        (
            "a LIST (RECURSIVEMATCH) \"\" %",
            "expected an option such as SUBSCRIBED beside RECURSIVEMATCH at column 8: \"(RECURSIVEMATCH) \"\" %\"",
        ),
        ("a SELECT x (QRESYNC (1 0))", "expected a modification sequence from 1 on at column 24: \"0))\""),
        ("a SELECT x (QRESYNC (1 1 1:*))", "expected a set without * and $ at column 26: \"1:*))\""),
    ] {
        assert_eq!(fault(wire).to_string(), wanted, "{wire}");
    }
}

#[test]
fn faults_keep_the_tag_and_hide_secrets() {
    assert_eq!(fault("a.1 FROB").tag.as_deref(), Some("a.1"));
    assert_eq!(fault("dGVzdAB0ZXN0").tag, None);
    for wire in
        ["a LOGIN user pass word", "a  LOGIN user \"pass", "a AUTHENTICATE PLAIN pass word", "pass word+"]
    {
        assert!(!fault(wire).to_string().contains("pass"), "{wire}");
    }
    let long = "x".repeat(limits::TAG_BYTES_MAX + 1);
    assert_eq!(fault(&format!("{long} NOOP")).tag, None);
    let secret = body("a LOGIN user secret");
    assert!(!format!("{secret:?}").contains("secret"));
}

#[test]
fn names_in_both_encodings() {
    let name = |text: &str, names| match parse_command(text.as_bytes(), names).map(|command| command.body) {
        Ok(Body::Delete(name)) => Some(name),
        _ => None,
    };
    assert_eq!(name("a DELETE &Jjo-", REV1).as_deref(), Some("☺"));
    assert_eq!(name("a DELETE &Jjo-", NameEncoding::Utf8).as_deref(), Some("&Jjo-"));
    assert_eq!(name("a DELETE \"☺\"", REV1).as_deref(), Some("☺"), "raw UTF-8 in a quoted string");
    assert_eq!(name("a DELETE \"☺\"", NameEncoding::Utf8).as_deref(), Some("☺"));
    assert_eq!(name("a DELETE {4+}\r\na\r\nb", REV1), None, "no line ends in names");
    assert_eq!(name("a DELETE ~{1+}\r\n\0", REV1), None, "no NUL in names");
}

#[test]
fn every_name_has_a_command_and_nothing_else_has() {
    for name in NAMES.iter().copied().filter(|name| *name != "UID") {
        let error = parse_command(format!("a {name} (").as_bytes(), REV1).unwrap_err();
        assert_ne!(error.kind, FaultKind::UnknownCommand, "{name}");
        assert!(!is_unknown(format!("a {} {{5}}", name.to_ascii_lowercase()).as_bytes()), "{name}");
    }
    assert!(is_unknown(b"A044 BLURDYBLOOP {102856}"));
    assert_eq!(fault("A442 XPIG-LATIN").kind, FaultKind::UnknownCommand);
}

#[test]
fn hostile_commands_end_in_bounded_time() {
    let many = 200_000;
    for text in [
        format!("a SEARCH {}ALL", "(".repeat(many)),
        format!("a SEARCH {}ALL{}", "(".repeat(5000), ")".repeat(5000)),
        format!("a SEARCH {}ALL", "NOT (".repeat(many)),
        format!("a SEARCH {}ALL", "OR NOT ".repeat(many)),
        format!("a SEARCH {}", "OR ".repeat(many)),
        format!("a SEARCH OR{}", " SEEN".repeat(many)),
        format!("a SEARCH{}", " SEEN".repeat(many)),
        format!("a SEARCH {}", "OR SEEN ".repeat(many)),
        format!("a FETCH 1 BODY[{}1]", "1.".repeat(many)),
        format!("a FETCH 1 ({}FLAGS)", "BODY[1] ".repeat(many)),
        format!("a FETCH 1 BODY[HEADER.FIELDS ({}X)]", "X ".repeat(many)),
        format!("a STORE 1 FLAGS ({}x)", "x ".repeat(many)),
        format!("a LIST \"\" ({}x)", "* ".repeat(many)),
        format!("a LIST \"\" {}", "*".repeat(many)),
        format!("a ID ({}\"a\" \"b\")", "\"a\" NIL ".repeat(many)),
        format!("a ENABLE{}", " X".repeat(many)),
        format!("a APPEND x{}", " {0+}\r\n".repeat(many)),
        format!("a LOGIN {}", "\"\\\"".repeat(many)),
        format!("a SELECT &{}-", "A".repeat(many)),
        format!("{} NOOP", "x".repeat(many)),
        format!("a FETCH 1{} FLAGS", ",3,1".repeat(many)),
    ] {
        let error = fault(&text);
        assert!(error.to_string().len() < 200, "{error}");
    }
}

#[test]
fn many_nots_and_ors_are_not_nested() {
    assert_eq!(key(&format!("{}SEEN", "NOT ".repeat(9_000))), SearchKey::Flag(Flag::Seen));
    let SearchKey::Or(keys) = key(&format!("{}SEEN{}", "OR ".repeat(9_000), " SEEN".repeat(9_000))) else {
        panic!()
    };
    assert_eq!(keys.len(), 9_001);
    let SearchKey::Or(keys) = key(&format!("{}SEEN", "OR SEEN ".repeat(500))) else { panic!() };
    assert_eq!(keys.len(), 501);
    let deep = |depth| format!("a SEARCH {}SEEN OLD{}", "(NEW ".repeat(depth), ")".repeat(depth));
    assert!(parse_command(deep(limits::SEARCH_DEPTH_MAX).as_bytes(), REV1).is_ok());
    assert_eq!(fault(&deep(limits::SEARCH_DEPTH_MAX + 1)).kind, FaultKind::Limit);
}

#[test]
fn a_set_of_a_million_ranges_is_refused_but_a_long_run_is_not() {
    let sparse: Vec<String> = (1..=1_000_000).map(|number| (number * 2).to_string()).collect();
    assert_eq!(parse_sequence_set(sparse.join(",").as_bytes()).unwrap_err().kind, FaultKind::Limit);
    let dense: Vec<String> = (1..=300_000).map(|number| number.to_string()).collect();
    assert_eq!(parse_sequence_set(dense.join(",").as_bytes()).unwrap(), set("1:300000"));
    let descending: Vec<String> = (1..=90_000).rev().map(|number| (number * 2).to_string()).collect();
    assert_eq!(parse_sequence_set(descending.join(",").as_bytes()).unwrap().count(), Some(90_000));
}
