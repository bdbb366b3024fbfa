//! Keys and values: what was written is read again, and no bytes make a decoder panic.

use super::*;
use crate::keys::{
    AccountValue, ChangeKind, ChangeValue, MailboxValue, MessageValue, RowValue, ThreadValue,
    decode_keywords, decode_view, encode_keywords, encode_view, row,
};
use model::{EmailId, SpecialUse, ThreadId, UidValidity};
use proptest::prelude::*;

fn times() -> impl Strategy<Value = UnixTime> {
    (-(1i64 << 39) + 1..1 << 39).prop_map(UnixTime)
}

fn sets() -> impl Strategy<Value = UidSet> {
    proptest::collection::vec((1u32..5000, 0u32..20), 0..20).prop_map(|runs| {
        let mut set = UidSet::new();
        runs.into_iter().for_each(|(first, more)| set.insert_range(Uid(first), Uid(first + more)));
        set
    })
}

proptest! {
    #[test]
    fn rows(
        numbers in any::<(u32, u64, u8, u32, u32)>(),
        received in times(),
        saved in times(),
        keywords in proptest::collection::vec(any::<u16>(), 0..5),
    ) {
        let (doc, modseq, flags, size, thread) = numbers;
        let value = RowValue {
            doc: EmailId(doc), modseq: ModSeq(modseq), flags: FlagSet(flags), received, size, saved,
            thread: ThreadId(thread), keywords,
        };
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        prop_assert_eq!(RowValue::flags_of(&bytes), Some(value.flags));
        prop_assert_eq!(RowValue::decode(&bytes), Some(value));
    }

    #[test]
    fn mailboxes(counts in any::<[u32; 7]>(), sums in any::<[u64; 3]>(), created in times(), which in 0usize..9, name in ".*") {
        let [validity, next, messages, unseen, deleted, recent, recent_from] = counts;
        let value = MailboxValue {
            uid_validity: UidValidity(validity), uid_next: Uid(next), messages, unseen, deleted, recent,
            recent_from: Uid(recent_from), bytes: sums[0], highest_modseq: ModSeq(sums[1]), log_floor: ModSeq(sums[2]),
            special_use: SpecialUse::EVERY.get(which).copied(), keywords: 7, created, name,
        };
        prop_assert_eq!(MailboxValue::decode(&value.encode()), Some(value));
    }

    #[test]
    fn views_and_changes(arrived in sets(), flagged in sets(), vanished in sets()) {
        let bytes = encode_view(ModSeq(9), Uid(3), &arrived).unwrap();
        prop_assert_eq!(decode_view(&bytes), Some((ModSeq(9), Uid(3), arrived.clone())));
        let value = ChangeValue { arrived, flagged, vanished };
        let mut read = ChangeValue::default();
        let visited = ChangeValue::visit(&value.encode(), &mut |kind, first, last| match kind {
            ChangeKind::Arrived => read.arrived.insert_range(first, last),
            ChangeKind::Flagged => read.flagged.insert_range(first, last),
            ChangeKind::Vanished => read.vanished.insert_range(first, last),
        });
        prop_assert!(visited.is_some());
        prop_assert_eq!(read, value);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80), versioned in any::<bool>()) {
        let mut bytes = bytes;
        if versioned {
            bytes.insert(0, crate::keys::VERSION);
        }
        let _ = (AccountValue::decode(&bytes), MailboxValue::decode(&bytes), RowValue::decode(&bytes));
        let _ = (ThreadValue::decode(&bytes), decode_keywords(&bytes), RowValue::flags_of(&bytes));
        if let Some(message) = MessageValue::decode(&bytes) {
            let _ = (message.digest(), message.hashes().count());
        }
        let _ = ChangeValue::visit(&bytes, &mut |_, _, _| {});
        let _ = (crate::keys::decode_listed(&bytes), crate::keys::decode_entry(&bytes), crate::keys::entry_of(&bytes));
        // Runs may span everything there is: only short ones, for the test's time.
        let _ = decode_view(&bytes[..bytes.len().min(20)]);
    }

    #[test]
    fn keys_sort_as_numbers_do(a in any::<(u32, u32, u32)>(), b in any::<(u32, u32, u32)>()) {
        let key = |(account, mailbox, uid)| row(AccountId(account), MailboxId(mailbox), Uid(uid)).to_vec();
        prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
    }
}

#[test]
fn other_versions_are_refused() {
    let words = [word("a"), word("$B")];
    let mut bytes = encode_keywords(&words);
    assert_eq!(decode_keywords(&bytes).unwrap(), words);
    bytes[0] += 1;
    assert_eq!(decode_keywords(&bytes), None);
}
