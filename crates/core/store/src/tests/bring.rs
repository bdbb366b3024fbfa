//! Messages copied from another server, and their notes.

use super::*;

fn brought(number: u8, text: &str) -> Brought {
    Brought { new: new(text), note: [number; 16] }
}

fn bring(store: &Store, messages: Vec<Brought>) -> Vec<Taken> {
    store.bring(ANNA, INBOX, messages, NOW).wait().unwrap()
}

#[test]
fn what_is_noted_is_brought_once_even_within_a_batch_and_after_it_was_removed() {
    let (store, _) = store();
    let batch = || vec![brought(1, "Subject: 1\n\n1\n"), brought(2, "Subject: 2\n\n2\n"), brought(1, "x\n")];
    assert_eq!(bring(&store, batch()), [Taken::New(Uid(1)), Taken::New(Uid(2)), Taken::Known]);
    assert_eq!(bring(&store, batch()), [Taken::Known; 3]);
    store.remove(ANNA, INBOX, uids(&[1])).wait().unwrap();
    assert_eq!(bring(&store, batch()), [Taken::Known; 3]);
    let here = |name: u8, uid| ([name; 16], Noted::Here(Uid(uid)));
    assert_eq!(store.notes(ANNA, INBOX, &[]).unwrap(), [here(1, 1), here(2, 2)]);
    assert_eq!(store.notes(ANNA, INBOX, &[2]).unwrap(), [here(2, 2)]);
    store.forget_notes(ANNA, INBOX, vec![[1; 16]]).wait().unwrap();
    assert_eq!(bring(&store, batch()), [Taken::New(Uid(3)), Taken::Known, Taken::Known]);
    assert_sound(&store);
}

#[test]
fn notes_are_told_in_order_however_many_there_are() {
    let (store, _) = store();
    let name = |number: u16| {
        let mut name = [7; 16];
        name[14..].copy_from_slice(&number.to_be_bytes());
        name
    };
    for count in [1999, 2000, 2001, 4000, 4001] {
        let notes: Vec<_> =
            (0..count).map(|number| (name(number), Noted::Here(Uid(number.into())))).collect();
        store
            .note(ANNA, INBOX, [&notes[..], &[([6; 16], notes[0].1), ([8; 16], notes[0].1)]].concat())
            .wait()
            .unwrap();
        assert_eq!(store.notes(ANNA, INBOX, &[7; 14]).unwrap(), notes);
        assert_eq!(store.notes(ANNA, INBOX, &[]).unwrap().len(), notes.len() + 2);
    }
}

#[test]
fn what_does_not_fit_is_left_out_and_smaller_messages_behind_it_come() {
    let (store, _) = store();
    store.set_limits(ANNA, Limits { bytes: Some(60), messages: None }).wait().unwrap();
    let large = format!("Subject: x\n\n{}", "large\n".repeat(20));
    let batch = vec![brought(1, "Subject: 1\n\n1\n"), brought(2, &large), brought(3, "Subject: 3\n\n3\n")];
    assert_eq!(bring(&store, batch), [Taken::New(Uid(1)), Taken::OverQuota, Taken::New(Uid(2))]);
    assert!(!store.is_noted(ANNA, INBOX, [2; 16]).unwrap());
    assert_sound(&store);
}

#[test]
fn keywords_beyond_the_limit_are_left_out() {
    let (store, _) = store();
    let mut many = brought(1, "Subject: 1\n\n1\n");
    many.new.keywords = (0..600).map(|number| word(&format!("word{number}"))).collect();
    let mut more = brought(2, "Subject: 2\n\n2\n");
    more.new.keywords = vec![word("unknown"), word("$Junk"), word("word0")];
    assert_eq!(bring(&store, vec![many, more]), [Taken::New(Uid(1)), Taken::New(Uid(2))]);
    let rows = all_rows(&store, ANNA, INBOX);
    assert_eq!((rows[0].keywords.len(), rows[1].keywords.len()), (506, 2));
    assert_sound(&store);
}

#[test]
fn notes_name_other_notes_and_importers_keep_records() {
    let (store, _) = store();
    let other = Noted::As(MailboxId(3), [9; 16]);
    store.note(ANNA, INBOX, vec![([4; 16], other)]).wait().unwrap();
    store.put_import_record(ANNA, INBOX, [5; 16], b"\x07own".to_vec()).wait().unwrap();
    assert_eq!(store.notes(ANNA, INBOX, &[4, 4]).unwrap(), [([4; 16], other)]);
    assert_eq!(store.import_records(ANNA, INBOX, &[5]).unwrap(), [([5; 16], b"\x07own".to_vec())]);
    let nowhere = store.note(ANNA, MailboxId(99), vec![([4; 16], other)]);
    assert!(matches!(nowhere.wait(), Err(Error::NoMailbox)));
}
