//! Responses as the RFCs show them.

use super::*;
use crate::ask::Owner;
use crate::command::{Numbering, Section, SectionText, StatusItem};
use proptest::prelude::*;

fn made(make: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    make(&mut out);
    String::from_utf8(out).unwrap()
}

fn uids(numbers: &[u32]) -> UidSet {
    numbers.iter().map(|number| Uid(*number)).collect()
}

fn coded(code: Code<'_>) -> String {
    made(|out| untagged(out, Condition::Ok, Some(code), "x"))
}

#[test]
fn status_responses() {
    assert_eq!(
        made(|out| tagged(out, "a1", Condition::Ok, None, "NOOP completed")),
        "a1 OK NOOP completed\r\n"
    );
    assert_eq!(made(|out| untagged(out, Condition::Bye, None, "bye\r\n* ü")), "* BYE bye??* ü\r\n");
    let code = Some(Code::Plain("TRYCREATE"));
    assert_eq!(made(|out| tagged(out, "a", Condition::No, code, "")), "a NO [TRYCREATE] .\r\n");
    assert_eq!(made(|out| continuation(out, "idling")), "+ idling\r\n");
    assert_eq!(made(|out| challenge(out, b"")), "+ \r\n");
    assert_eq!(made(|out| challenge(out, b"test")), "+ dGVzdA==\r\n");
}

#[test]
fn response_codes() {
    let keywords = [Keyword::new("$Junk").unwrap()];
    let flags = FlagSet::NONE.with(Flag::Deleted).with(Flag::Seen);
    let permanent = |flags, keywords, new_keywords| Code::PermanentFlags { flags, keywords, new_keywords };
    let view = uids(&[3, 5, 7, 9]);
    for (code, wanted) in [
        (Code::UidNext(Uid(4392)), "[UIDNEXT 4392]"),
        (Code::UidValidity(UidValidity(3_857_529_045)), "[UIDVALIDITY 3857529045]"),
        (Code::Unseen(SeqNo(17)), "[UNSEEN 17]"),
        (Code::HighestModSeq(ModSeq(715_194_045_007)), "[HIGHESTMODSEQ 715194045007]"),
        (Code::MailboxId(MailboxId(7)), "[MAILBOXID (F7)]"),
        (Code::Capability("IMAP4rev1 IDLE"), "[CAPABILITY IMAP4rev1 IDLE]"),
        (Code::BadCharset(&["UTF-8", "KOI8-R"]), "[BADCHARSET (UTF-8 KOI8-R)]"),
        (permanent(flags, &keywords, NewKeywords::Allowed), "[PERMANENTFLAGS (\\Deleted \\Seen $Junk \\*)]"),
        (permanent(FlagSet::NONE, &[], NewKeywords::Allowed), "[PERMANENTFLAGS (\\*)]"),
        (permanent(FlagSet::NONE, &[], NewKeywords::Refused), "[PERMANENTFLAGS ()]"),
        (Code::AppendUid(UidValidity(38505), &[Uid(3955)]), "[APPENDUID 38505 3955]"),
        (Code::AppendUid(UidValidity(1), &[Uid(5), Uid(6), Uid(9)]), "[APPENDUID 1 5:6,9]"),
        (
            Code::CopyUid(UidValidity(38505), &uids(&[304, 319, 320]), &uids(&[3956, 3957, 3958])),
            "[COPYUID 38505 304,319:320 3956:3958]",
        ),
        (Code::ModifiedUids(&uids(&[7, 9])), "[MODIFIED 7,9]"),
        (Code::ModifiedNumbers(&view, &uids(&[7, 9])), "[MODIFIED 3:4]"),
    ] {
        assert_eq!(coded(code), format!("* OK {wanted} x\r\n"));
    }
}

#[test]
fn strings_take_the_form_that_fits() {
    assert_eq!(made(|out| string(out, b"a \"b\\")), "\"a \\\"b\\\\\"");
    assert_eq!(made(|out| string(out, b"a\r\nb")), "{4}\r\na\r\nb");
    assert_eq!(made(|out| string(out, "é".as_bytes())), "{2}\r\né");
    assert_eq!(made(|out| string(out, &[b'x'; 1025])).len(), 1025 + "{1025}\r\n".len());
    assert_eq!(made(|out| nstring(out, None)), "NIL");
    assert_eq!(made(|out| nstring(out, Some(b"NIL"))), "\"NIL\"");
    assert_eq!(made(|out| astring(out, b"DATE")), "DATE");
    assert_eq!(made(|out| astring(out, b"nil")), "\"nil\"");
    assert_eq!(made(|out| astring(out, b"")), "\"\"");
}

#[test]
fn mailbox_names() {
    let named = |name, encoding| made(|out| mailbox(out, name, encoding));
    assert_eq!(named("INBOX", NameEncoding::Utf8), "INBOX");
    assert_eq!(named("Входящие", NameEncoding::ModifiedUtf7), "\"&BBIERQQ+BDQETwRJBDgENQ-\"");
    assert_eq!(named("Входящие", NameEncoding::Utf8), "\"Входящие\"");
    assert_eq!(named("a\\\"\\b", NameEncoding::Utf8), "\"a\\\\\\\"\\\\b\"");
    assert_eq!(named("R&D", NameEncoding::ModifiedUtf7), "\"R&-D\"");
}

#[test]
fn dates() {
    let at = |seconds| made(|out| date_time(out, UnixTime(seconds)));
    assert_eq!(at(837_596_665), "\"17-Jul-1996 09:44:25 +0000\"");
    assert_eq!(at(0), "\" 1-Jan-1970 00:00:00 +0000\"");
    assert_eq!(at(951_782_400), "\"29-Feb-2000 00:00:00 +0000\"");
    assert_eq!(at(-1), "\"31-Dec-1969 23:59:59 +0000\"");
    assert_eq!(at(i64::MAX), "\"31-Dec-9999 23:59:59 +0000\"");
    assert_eq!(at(i64::MIN), "\" 1-Jan-0000 00:00:00 +0000\"");
}

#[test]
fn fetch_responses() {
    let keywords = [Keyword::new("$Forwarded").unwrap()];
    let flags = FlagSet::NONE.with(Flag::Seen);
    let line = made(|out| {
        let mut row = FetchResponse::begin(out, SeqNo(23));
        row.flags(flags, &keywords, Recent::Yes);
        row.uid(Uid(4_827_313));
        row.modseq(ModSeq(65402));
        row.size(44827);
        row.internal_date(UnixTime(0));
        row.email_id(EmailId(1));
        row.thread_id(ThreadId(2));
        row.preview(Some("Hi"));
        row.envelope(b"(NIL)");
        row.end();
    });
    let wanted = "* 23 FETCH (FLAGS (\\Seen \\Recent $Forwarded) UID 4827313 MODSEQ (65402) RFC822.SIZE 44827 \
                  INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\" EMAILID (M1) THREADID (T2) PREVIEW \"Hi\" \
                  ENVELOPE (NIL))\r\n";
    assert_eq!(line, wanted);
    let none: [&Keyword; 0] = [];
    let line = made(|out| {
        let mut row = FetchResponse::begin(out, SeqNo(1));
        row.flags(FlagSet::NONE, none, Recent::No);
        row.end();
    });
    assert_eq!(line, "* 1 FETCH (FLAGS ())\r\n");
}

#[test]
fn fetched_content() {
    let names = vec!["DATE".to_owned(), "X (Y".to_owned()];
    let fields = Section { part: vec![4, 2], text: SectionText::HeaderFields(names) };
    let whole = Section { part: vec![], text: SectionText::Whole };
    let line = made(|out| {
        let mut row = FetchResponse::begin(out, SeqNo(2));
        row.section(&fields, None, Some(b"\r\n"));
        row.section(&whole, Some(10), Some(b""));
        row.section(&Section { part: vec![9], text: SectionText::Mime }, None, None);
        row.section_head(&whole, None, 2);
        row.out().extend_from_slice(b"hi");
        row.rfc822("RFC822.TEXT", b"x");
        row.binary(&[1, 2], Some(0), Some(b"a\0"));
        row.binary_size(&[], 7);
        row.end();
    });
    let wanted = "* 2 FETCH (BODY[4.2.HEADER.FIELDS (DATE \"X (Y\")] {2}\r\n\r\n BODY[]<10> \"\" BODY[9.MIME] NIL \
                  BODY[] {2}\r\nhi RFC822.TEXT {1}\r\nx BINARY[1.2]<0> ~{2}\r\na\0 BINARY.SIZE[] 7)\r\n";
    assert_eq!(line, wanted);
}

#[test]
fn mailbox_responses() {
    let rev1 = NameEncoding::ModifiedUtf7;
    for (line, wanted) in [
        (made(|out| exists(out, 23)), "* 23 EXISTS\r\n"),
        (made(|out| recent(out, 5)), "* 5 RECENT\r\n"),
        (made(|out| expunge(out, SeqNo(44))), "* 44 EXPUNGE\r\n"),
        (
            made(|out| vanished(out, Vanished::Earlier, &uids(&[300, 310, 405]))),
            "* VANISHED (EARLIER) 300,310,405\r\n",
        ),
        (made(|out| vanished(out, Vanished::Now, &uids(&[]))), ""),
        (made(|out| flags(out, FlagSet::NONE.with(Flag::Seen), &[])), "* FLAGS (\\Seen)\r\n"),
        (made(|out| capability(out, "IMAP4rev1")), "* CAPABILITY IMAP4rev1\r\n"),
        (made(|out| enabled(out, "")), "* ENABLED\r\n"),
        (made(|out| enabled(out, "CONDSTORE")), "* ENABLED CONDSTORE\r\n"),
        (
            made(|out| list(out, ListKind::List, ["\\Noselect", "\\HasChildren"], "foo", rev1, &[])),
            "* LIST (\\Noselect \\HasChildren) \"/\" \"foo\"\r\n",
        ),
        (made(|out| list(out, ListKind::Lsub, [], "INBOX", rev1, &[])), "* LSUB () \"/\" INBOX\r\n"),
        (
            made(|out| list(out, ListKind::List, [], "", rev1, &["SUBSCRIBED"])),
            "* LIST () \"/\" \"\" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n",
        ),
        (
            made(|out| namespace(out, &[NamespaceRow { prefix: "", translation: None }], &[], &[], rev1)),
            "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n",
        ),
        (
            made(|out| id(out, &[("name", Some("Troika")), ("x", None)])),
            "* ID (\"name\" \"Troika\" \"x\" NIL)\r\n",
        ),
        (made(|out| id(out, &[])), "* ID NIL\r\n"),
        (
            made(|out| quota(out, "", &[("STORAGE", 10, 512), ("MESSAGE", 1, 2)])),
            "* QUOTA \"\" (STORAGE 10 512 MESSAGE 1 2)\r\n",
        ),
        (made(|out| quota_root(out, "INBOX", rev1, &[""])), "* QUOTAROOT INBOX \"\"\r\n"),
        (made(|out| search(out, [2, 84, 882], None)), "* SEARCH 2 84 882\r\n"),
        (made(|out| search(out, [2, 5], Some(ModSeq(917_162_500)))), "* SEARCH 2 5 (MODSEQ 917162500)\r\n"),
        (made(|out| search(out, [], Some(ModSeq(9)))), "* SEARCH\r\n"),
    ] {
        assert_eq!(line, wanted);
    }
    let line = made(|out| {
        let mut status = StatusResponse::begin(out, "blurdybloop", rev1);
        status.number(StatusItem::Messages, 231);
        status.number(StatusItem::UidNext, 44292);
        status.mailbox_id(Owner::SELF, MailboxId(3));
        status.nil(StatusItem::AppendLimit);
        status.end();
    });
    assert_eq!(
        line,
        "* STATUS \"blurdybloop\" (MESSAGES 231 UIDNEXT 44292 MAILBOXID (F3) APPENDLIMIT NIL)\r\n"
    );
}

#[test]
fn esearch_responses() {
    let view = uids(&[10, 20, 30, 40]);
    let line = made(|out| {
        let mut found = EsearchResponse::begin(out, "A282", Numbering::Sequence);
        found.min(2);
        found.max(4);
        found.count(3);
        found.all_numbers(&view, &uids(&[20, 30, 40]));
        found.modseq(ModSeq(5));
        found.end();
    });
    assert_eq!(line, "* ESEARCH (TAG \"A282\") MIN 2 MAX 4 COUNT 3 ALL 2:4 MODSEQ 5\r\n");
    let line = made(|out| {
        let mut found = EsearchResponse::begin(out, "a", Numbering::Uid);
        found.all_uids(&uids(&[]));
        found.end();
    });
    assert_eq!(line, "* ESEARCH (TAG \"a\") UID\r\n");
}

#[test]
fn object_ids_have_one_spelling() {
    assert_eq!(email_id_from("M17", Owner::SELF), Some(EmailId(17)));
    assert_eq!(thread_id_from("T0", Owner::SELF), Some(ThreadId(0)));
    // Of another's account, so that no two things have one id (RFC 8474 §5).
    let mut out = Vec::new();
    email_id(&mut out, Owner(7), EmailId(17));
    assert_eq!(out, b"M7-17");
    assert_eq!(email_id_from("M7-17", Owner(7)), Some(EmailId(17)));
    for bad in ["M17", "M8-17", "M7-017", "M07-17", "T7-17"] {
        assert_eq!(email_id_from(bad, Owner(7)), None, "{bad}");
    }
    assert_eq!(email_id_from("M7-17", Owner::SELF), None);
    for bad in ["17", "M", "M017", "M+1", "M4294967296", "T1", "m1", "M 1"] {
        assert_eq!(email_id_from(bad, Owner::SELF), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn numbers_are_decimal(value in any::<u64>(), shift in 0_u32..64) {
        let value = value >> shift;
        prop_assert_eq!(made(|out| number(out, value)), value.to_string());
    }

    /// What a client's parser would read, our own reads.
    #[test]
    fn strings_are_read_back(text in any::<Vec<u8>>()) {
        let text: Vec<u8> = text.into_iter().filter(|byte| *byte != 0).collect();
        let mut wire = b"a SEARCH BODY ".to_vec();
        string(&mut wire, &text);
        let command = crate::parse::parse_command(&wire, NameEncoding::default()).unwrap();
        let crate::command::Body::Search(search) = command.body else { panic!() };
        prop_assert_eq!(search.key, crate::command::SearchKey::Body(text));
    }
}
