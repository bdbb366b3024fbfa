//! Messages: delivery, flags, copies, removal, quota, contents.

use super::*;
use crate::keys;
use model::Flag;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn one_content_for_all_recipients_and_each_gets_its_own_outcome() {
    let (store, engine) = store();
    store.set_limits(BORIS, Limits { bytes: Some(10), messages: None }).wait().unwrap();
    let mut delivery = delivery("Subject: hi\n\nhello\n", &[BORIS, ANNA, AccountId(99)]);
    delivery.recipients.push(Recipient { mailbox: "No such".into(), ..recipient(ANNA) });
    delivery.recipients.push(Recipient {
        mailbox: Target::Use(model::SpecialUse::Junk),
        flags: FlagSet::NONE.with(Flag::Seen),
        keywords: vec![word("$Junk")],
        ..recipient(ANNA)
    });
    delivery.recipients.push(recipient(ANNA));
    delivery.recipients.push(Recipient {
        mailbox: "No such".into(),
        fallback: Fallback::Inbox,
        ..recipient(ANNA)
    });
    let outcomes = store.deliver(delivery).wait().unwrap();
    let Outcome::Delivered(inbox) = outcomes[1] else { panic!("{outcomes:?}") };
    let Outcome::Delivered(junk) = outcomes[4] else { panic!("{outcomes:?}") };
    assert_eq!(outcomes[0], Outcome::OverQuota);
    assert_eq!(outcomes[2], Outcome::NoAccount);
    assert_eq!(outcomes[3], Outcome::NoMailbox);
    assert_eq!(outcomes[5], outcomes[1], "the same mailbox twice gets it once");
    assert_eq!(outcomes[6], outcomes[1]);
    assert_eq!((inbox.email_id, inbox.modseq), (junk.email_id, junk.modseq));
    let row = &all_rows(&store, ANNA, junk.mailbox)[0];
    assert!(row.flags.has(Flag::Seen));
    let known = store.open(ANNA, junk.mailbox).unwrap().keywords;
    assert_eq!(known[usize::from(row.keywords[0])], word("$Junk"));
    assert_eq!(known.len(), crate::ledger::REGISTERED.len(), "every mailbox knows it from the beginning");
    assert_eq!(store.usage(ANNA).unwrap().messages, 2);
    assert_eq!(store.usage(BORIS).unwrap().messages, 0);
    assert_eq!(engine::Engine::check(&*engine, &mut |_, _| {}).unwrap().contents, 1);
    assert_sound(&store);
}

#[test]
fn the_extra_writer_shares_content_and_transaction() {
    let (store, engine) = store();
    let with_extra = |cancel: bool| {
        let mut delivery = delivery("a: b\n\nc", &[ANNA]);
        delivery.extra = Some(Extra {
            references: 1,
            write: Box::new(move |tx, content| {
                tx.put(b"\0\0\0\0queue", &content.0.to_be_bytes())?;
                if cancel { Err(engine::Abort::Cancelled) } else { Ok(()) }
            }),
        });
        store.deliver(delivery).wait()
    };
    assert!(matches!(with_extra(true), Err(Error::Cancelled)));
    assert_eq!(store.usage(ANNA).unwrap().messages, 0, "nothing of it is kept");
    with_extra(false).unwrap();
    store.remove(ANNA, INBOX, uids(&[1])).wait().unwrap();
    let dynamic: &dyn engine::Engine = &*engine;
    let content = dynamic.snapshot().unwrap().get(b"\0\0\0\0queue").unwrap().unwrap();
    let content = engine::ContentId(u64::from_be_bytes(content.try_into().unwrap()));
    assert_eq!(
        dynamic.snapshot().unwrap().content_len(content).unwrap(),
        Some(9),
        "the queue still holds it"
    );
    // Nobody takes it, nothing is stored.
    assert_eq!(store.deliver(delivery("x", &[AccountId(3)])).wait().unwrap(), [Outcome::NoAccount]);
    assert_eq!(dynamic.check(&mut |_, _| {}).unwrap().contents, 1);
}

#[test]
fn flags_change_once_and_tell_what_they_met() {
    let (store, _) = store();
    fill(&store, ANNA, 4);
    let first = flag(&store, ANNA, &[1, 2, 9], change(FlagMode::Add, &[Flag::Seen], &["$Work"]));
    assert_eq!((first.changed, first.missing), (uids(&[1, 2]), uids(&[9])));
    let again = flag(&store, ANNA, &[1, 2], change(FlagMode::Add, &[Flag::Seen], &["$WORK"]));
    assert!(again.changed.is_empty(), "the same flags again change nothing");
    assert_eq!(again.modseq, first.modseq);
    // RFC 7162 §3.1.3: what changed after UNCHANGEDSINCE is left alone and named.
    let before = ModSeq(first.modseq.0 - 1);
    let wanted = Arc::new(uids(&[1, 3]));
    let remove = change(FlagMode::Replace, &[Flag::Deleted], &["other"]);
    let third = store.store_flags(ANNA, INBOX, wanted, remove, Some(before), before).wait().unwrap();
    assert_eq!(
        (third.changed, third.modified.clone(), third.overtaken),
        (uids(&[3]), uids(&[1]), uids(&[1]))
    );
    let rows = all_rows(&store, ANNA, INBOX);
    let known = crate::ledger::REGISTERED.len() as u16;
    assert_eq!((rows[0].keywords.clone(), rows[2].keywords.clone()), (vec![known], vec![known + 1]));
    assert_eq!((rows[0].modseq, rows[2].modseq), (first.modseq, third.modseq));
    flag(&store, ANNA, &[1], change(FlagMode::Remove, &[Flag::Seen], &["$work", "never-seen"]));
    let opened = store.open(ANNA, INBOX).unwrap();
    let own = &opened.keywords[usize::from(known)..];
    assert_eq!(own, [word("$Work"), word("other")], "removing makes no keyword known");
    assert_eq!((opened.counters.unseen, opened.counters.deleted), (3, 1));
    assert_sound(&store);
}

#[test]
fn a_store_that_changes_nothing_makes_no_keyword_known() {
    let (store, _) = store();
    fill(&store, ANNA, 2);
    let before = store.open(ANNA, INBOX).unwrap();
    for mode in [FlagMode::Add, FlagMode::Replace] {
        let wanted = Arc::new(uids(&[1, 2]));
        let refused = change(mode, &[], &["never-seen"]);
        let stored = store.store_flags(ANNA, INBOX, wanted, refused, Some(ModSeq(0)), ModSeq(0));
        assert_eq!(stored.wait().unwrap().modified, uids(&[1, 2]));
    }
    let after = store.open(ANNA, INBOX).unwrap();
    assert_eq!(after.keywords, before.keywords);
    assert_eq!(after.counters.highest_modseq, before.counters.highest_modseq);
    assert_sound(&store);
}

#[test]
fn keywords_are_bounded() {
    let (store, _) = store();
    fill(&store, ANNA, 1);
    let known = crate::ledger::REGISTERED.len();
    let words: Vec<String> = (known..512).map(|number| format!("k{number}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    flag(&store, ANNA, &[1], change(FlagMode::Add, &[], &words));
    let more = change(FlagMode::Add, &[Flag::Seen], &["one-more"]);
    let refused = store.store_flags(ANNA, INBOX, Arc::new(uids(&[1])), more, None, ModSeq(0)).wait();
    assert!(matches!(refused, Err(Error::Limit(Limit::Keywords))));
    // Mail is never refused for a keyword.
    let mut delivery = delivery("x", &[ANNA]);
    delivery.recipients[0].keywords = vec![word("one-more"), word("K7")];
    store.deliver(delivery).wait().unwrap();
    assert_eq!(all_rows(&store, ANNA, INBOX)[1].keywords, [7]);
    assert_sound(&store);
}

#[test]
fn copies_share_the_message_and_the_last_one_frees_it() {
    let (store, engine) = store();
    fill(&store, ANNA, 3);
    flag(&store, ANNA, &[2], change(FlagMode::Add, &[Flag::Flagged], &["a", "b"]));
    flag(&store, ANNA, &[2], change(FlagMode::Remove, &[], &["a"]));
    let copied = store
        .copy(ANNA, INBOX, Arc::new(uids(&[2, 3, 8])), "Archive".into(), Originals::Stay, UnixTime(5))
        .wait()
        .unwrap();
    assert_eq!((copied.from, copied.to, copied.missing), (uids(&[2, 3]), uids(&[1, 2]), uids(&[8])));
    let copy = all_rows(&store, ANNA, copied.mailbox).swap_remove(0);
    let original = all_rows(&store, ANNA, INBOX).swap_remove(1);
    assert_eq!((copy.email_id, copy.thread_id), (original.email_id, original.thread_id));
    assert_eq!((copy.received, copy.saved, original.saved), (NOW, UnixTime(5), NOW));
    let number = crate::ledger::REGISTERED.len() as u16;
    assert_eq!(
        (copy.flags, copy.keywords),
        (original.flags, vec![number]),
        "keywords go by name, not by number"
    );
    assert_eq!(store.usage(ANNA).unwrap().messages, 5);
    store.remove(ANNA, INBOX, uids(&[1, 2, 3])).wait().unwrap();
    assert_eq!(
        store.content(ANNA, copied.mailbox, Uid(1), 0, u64::MAX).unwrap(),
        b"Subject: 1\r\n\r\nbody 1\r\n"
    );
    assert_sound(&store);
    let again =
        store.copy(ANNA, copied.mailbox, Arc::new(uids(&[1])), copied.mailbox.into(), Originals::Go, NOW);
    assert_eq!(again.wait().unwrap().to, uids(&[3]), "a move within a mailbox gives a new UID");
    store.remove(ANNA, copied.mailbox, uids(&[2, 3])).wait().unwrap();
    assert_eq!(engine::Engine::check(&*engine, &mut |_, _| {}).unwrap().contents, 0);
    assert_eq!(store.usage(ANNA).unwrap(), Usage { mailboxes: 6, ..Usage::default() });
    assert_sound(&store);
}

#[test]
fn expunge_takes_only_what_is_deleted() {
    let (store, _) = store();
    fill(&store, ANNA, 5);
    flag(&store, ANNA, &[2, 4, 5], change(FlagMode::Add, &[Flag::Deleted], &[]));
    let some = store.expunge(ANNA, INBOX, Some(uids(&[1, 2]))).wait().unwrap();
    assert_eq!(some.uids, uids(&[2]));
    let rest = store.expunge(ANNA, INBOX, None).wait().unwrap();
    assert_eq!(rest.uids, uids(&[4, 5]));
    let none = store.expunge(ANNA, INBOX, None).wait().unwrap();
    assert_eq!((none.uids.len(), none.modseq), (0, rest.modseq));
    assert_eq!(*store.open(ANNA, INBOX).unwrap().uids, uids(&[1, 3]));
    assert!(matches!(store.expunge(ANNA, MailboxId(77), None).wait(), Err(Error::NoMailbox)));
    assert_sound(&store);
}

#[test]
fn quota_is_kept_in_the_transaction() {
    let (store, _) = store();
    store.set_limits(ANNA, Limits { bytes: Some(100), messages: Some(3) }).wait().unwrap();
    assert!(store.would_fit(ANNA, 100).unwrap());
    assert!(!store.would_fit(ANNA, 101).unwrap());
    let two = vec![new("12345678\n\n"), new(&"x".repeat(95))];
    let refused = store.append(ANNA, Target::Inbox, two, NOW).wait();
    assert!(matches!(refused, Err(Error::OverQuota)));
    assert_eq!(store.open(ANNA, INBOX).unwrap().counters.messages, 0, "all or nothing");
    store.append(ANNA, Target::Inbox, vec![new("a"), new("b")], NOW).wait().unwrap();
    let copy =
        |to: &str| store.copy(ANNA, INBOX, Arc::new(uids(&[1, 2])), to.into(), Originals::Stay, NOW).wait();
    assert!(matches!(copy("Archive"), Err(Error::OverQuota)));
    store.copy(ANNA, INBOX, Arc::new(uids(&[1, 2])), "Archive".into(), Originals::Go, NOW).wait().unwrap();
    assert_eq!(store.usage(ANNA).unwrap().messages, 2);
    assert_sound(&store);
}

#[test]
fn rows_come_by_page_and_touch_only_what_is_needed() {
    let (store, engine) = store();
    fill(&store, ANNA, 50);
    let wanted = uids(&[1, 2, 3, 40, 41, 60, 70]);
    let page = store.rows(ANNA, INBOX, &wanted, Uid(2), Needs::default(), 3, 0).unwrap();
    let numbers = |page: &Rows| page.rows.iter().map(|row| row.uid.0).collect::<Vec<_>>();
    assert_eq!((numbers(&page), page.next), (vec![2, 3, 40], Some(Uid(41))));
    let page = store.rows(ANNA, INBOX, &wanted, Uid(41), Needs::default(), 3, 0).unwrap();
    assert_eq!((numbers(&page), page.next), (vec![41], None), "60 and 70 are not there");
    let header = Needs { digest: true, content: ContentNeed::Header };
    let page = store.rows(ANNA, INBOX, &wanted, Uid(1), header, 10, 1).unwrap();
    assert_eq!((numbers(&page), page.next), (vec![1], Some(Uid(2))), "one row at least");
    assert_eq!(page.rows[0].content, RowContent::Bytes(b"Subject: 0\r\n\r\n".to_vec()));
    let digest = page.rows[0].digest.clone().unwrap();
    assert!(digest.bytes.starts_with(b"(NIL \"0\" NIL"));
    assert_eq!(digest.header_length, 14);
    let body = &digest.bytes[digest.envelope_end as usize..digest.body_end as usize];
    assert_eq!(body, b"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 8 1)");
    let range = Needs { digest: false, content: ContentNeed::Range { start: 14, length: 4 } };
    let page = store.rows(ANNA, INBOX, &wanted, Uid(3), range, 1, 100).unwrap();
    assert_eq!(page.rows[0].content, RowContent::Bytes(b"body".to_vec()));
    let ten = Needs { digest: false, content: ContentNeed::Range { start: 0, length: 10 } };
    let page = store.rows(ANNA, INBOX, &wanted, Uid(1), ten, 10, 25).unwrap();
    assert_eq!((numbers(&page), page.next), (vec![1, 2, 3], Some(Uid(40))), "the third brings 25 octets");
    let page = store.rows(ANNA, INBOX, &wanted, Uid(40), ten, 10, 25).unwrap();
    assert_eq!((numbers(&page), page.next), (vec![40, 41], None));
    let page = store.rows(ANNA, INBOX, &wanted, Uid(3), range, 1, 100).unwrap();
    // A damaged message is told of, the rest is served; flags don't even look at it.
    let key = keys::message(ANNA, page.rows[0].email_id).to_vec();
    let row = keys::row(ANNA, INBOX, Uid(40)).to_vec();
    let damage = move |tx: &mut dyn engine::Tx| {
        tx.put(&key, b"?")?;
        Ok(tx.put(&row, b"?")?)
    };
    (&*engine as &dyn engine::Engine).transact(&[ANNA], damage).wait().unwrap();
    let page = store.rows(ANNA, INBOX, &wanted, Uid(1), header, 10, 10_000).unwrap();
    assert_eq!(numbers(&page), [1, 2, 3, 41]);
    assert!(
        matches!(&page.rows[2].content, RowContent::Corrupt(why) if why.contains("message 3 of account 7"))
    );
    assert_eq!(page.damaged.len(), 2);
    assert!(page.damaged.iter().any(|text| text.contains("message 40 of account 7")), "{:?}", page.damaged);
    let page = store.rows(ANNA, INBOX, &wanted, Uid(1), Needs::default(), 10, 0).unwrap();
    assert_eq!((numbers(&page), page.damaged.len()), (vec![1, 2, 3, 41], 1));
    assert!(store.check(&mut |_, _| {}).unwrap().len() >= 2);
    let lost = claimed(&store);
    assert!(lost.len() == 1 && lost[0].contains("nobody refers to it"), "{lost:?}");
}

#[test]
fn what_follows_a_delivery_is_in_its_commit_or_neither_is() {
    let (store, engine) = store();
    store.set_limits(BORIS, Limits { bytes: Some(10), messages: None }).wait().unwrap();
    let deliver = |make: fn(&[Outcome]) -> Result<Option<Delivery>, Error>| {
        let mut first = delivery("Subject: to both\n\nhello\n", &[ANNA, BORIS]);
        first.follow = Some(Follow { accounts: vec![ANNA], make: Box::new(make) });
        let before = engine::Engine::figures(&*engine).commits;
        let outcomes = store.deliver(first).wait();
        (outcomes, engine::Engine::figures(&*engine).commits - before)
    };
    let report: fn(&[Outcome]) -> Result<Option<Delivery>, Error> = |outcomes| {
        let refused = outcomes.contains(&Outcome::OverQuota);
        Ok(refused.then(|| delivery("Subject: a report\n\nsorry\n", &[ANNA])))
    };
    let (outcomes, commits) = deliver(report);
    assert_eq!((outcomes.unwrap()[1], commits), (Outcome::OverQuota, 1));
    assert_eq!(all_rows(&store, ANNA, INBOX).len(), 2);
    // There is no way that only the first is kept.
    let (outcomes, commits) = deliver(|_| Err(Error::Cancelled));
    assert!(matches!(outcomes, Err(Error::Cancelled)), "{outcomes:?}");
    assert_eq!((all_rows(&store, ANNA, INBOX).len(), commits), (2, 0));
    let (outcomes, _) = deliver(|_| Ok(None));
    assert!(outcomes.is_ok());
    assert_eq!(all_rows(&store, ANNA, INBOX).len(), 3);
    assert_sound(&store);
}

#[test]
fn an_account_made_anew_within_the_second_has_other_uidvalidities() {
    let (store, _) = store();
    let validities = |account| -> Vec<u32> {
        let infos = store.mailboxes(account).unwrap();
        let mut all: Vec<u32> = infos.iter().map(|info| info.counters.uid_validity.0).collect();
        all.sort_unstable();
        all
    };
    store.create_mailbox(ANNA, "One more", None, NOW).wait().unwrap();
    let old = validities(ANNA);
    store.delete_account(ANNA).wait().unwrap();
    let anew = AccountId(77);
    store.create_account(anew, Limits::default(), NOW).wait().unwrap();
    let new = validities(anew);
    assert!(new[0] > *old.last().unwrap(), "{old:?}, then {new:?}");
    // A later second counts as ever.
    store.delete_account(anew).wait().unwrap();
    store.create_account(AccountId(78), Limits::default(), UnixTime(NOW.0 + 1000)).wait().unwrap();
    assert_eq!(i64::from(validities(AccountId(78))[0]), NOW.0 + 1000);
}

#[test]
fn notes_of_imports_go_with_their_mailbox() {
    let (store, engine) = store();
    store.create_mailbox(ANNA, "Imported", None, NOW).wait().unwrap();
    let id = store.mailbox_by_name(ANNA, "Imported").unwrap().id.unwrap();
    let notes = [import_note(ANNA, id, [255; 16]), import_note(ANNA, INBOX, [1; 16])];
    let written = notes.clone();
    let write =
        move |tx: &mut dyn engine::Tx| Ok(written.iter().try_for_each(|note| tx.put(note, b"\x01"))?);
    (&*engine as &dyn engine::Engine).transact(&[ANNA], write).wait().unwrap();
    store.delete_mailbox(ANNA, "Imported").wait().unwrap();
    while store.purge(ANNA).wait().unwrap() {}
    let left = notes.map(|note| store.engine.snapshot().unwrap().get(&note).unwrap().is_some());
    assert_eq!(left, [false, true]);
}

#[test]
fn wrong_counts_of_references_are_found() {
    let (store, engine) = store();
    let harm = |id: u64, delta: i32| {
        let work = move |tx: &mut dyn engine::Tx| Ok(tx.refer(engine::ContentId(id), delta)?);
        (&*engine as &dyn engine::Engine).transact(&[ANNA], work).wait().unwrap();
    };
    fill(&store, ANNA, 1);
    assert_sound(&store);
    let mut first = None;
    let visit = &mut |id: engine::ContentId, _| {
        first = Some(id.0);
        std::ops::ControlFlow::Break(())
    };
    store.engine.snapshot().unwrap().contents(engine::ContentId(0), visit).unwrap();
    let id = first.unwrap();
    harm(id, 1);
    assert!(claimed(&store)[0].contains("says 2, there are 1"), "{:?}", claimed(&store));
    harm(id, -2);
    assert!(claimed(&store)[0].contains("is not there"), "{:?}", claimed(&store));
}

#[test]
fn conversations_follow_identifiers_and_subject() {
    let (store, _) = store();
    let texts = [
        "Message-ID: <1@x>\nSubject: Plan\n\n",
        "Message-ID: <3@x>\nReferences: <1@x> <2@x>\nSubject: Re: plan\n\n",
        "Message-ID: <2@x>\nIn-Reply-To: <1@x>\nSubject: RE: Plan\n\n",
        "Message-ID: <4@x>\nIn-Reply-To: <1@x>\nSubject: Another matter\n\n",
        "Message-ID: <5@x>\nSubject: Plan\n\n",
        "Message-ID: <7@x>\nReferences: <6@x>\nSubject: late\n\n",
        "Message-ID: <6@x>\nSubject: late\n\n",
        "Subject: Plan\n\n",
    ];
    store.append(ANNA, Target::Inbox, texts.map(new).into(), NOW).wait().unwrap();
    let threads: Vec<u32> = all_rows(&store, ANNA, INBOX).iter().map(|row| row.thread_id.0).collect();
    assert_eq!(threads, [1, 1, 1, 4, 5, 6, 6, 8]);
    assert_sound(&store);
    store.remove(ANNA, INBOX, uids(&[1, 2, 3, 4, 5, 6, 7, 8])).wait().unwrap();
    let left = keys::tag_range(ANNA, b't');
    let mut entries = 0;
    let snapshot = store.engine().snapshot().unwrap();
    let count = &mut |_: &[u8], _: &[u8]| {
        entries += 1;
        std::ops::ControlFlow::Continue(())
    };
    snapshot.scan(keys::between(&left), engine::Order::Ascending, count).unwrap();
    assert_eq!(entries, 0, "nothing is left of threads that are gone");
}

#[test]
fn hostile_messages_keep_no_digest() {
    let many = format!("To: {}\n\n", "a@b.test, ".repeat(2000));
    assert!(message(&many).digest().is_none());
    let global = "Content-Type: message/global\n\nSubject: x\n\n";
    assert!(message(global).digest().is_none());
    let (store, _) = store();
    store.append(ANNA, Target::Inbox, vec![new(&many)], NOW).wait().unwrap();
    let needs = Needs { digest: true, content: ContentNeed::None };
    assert_eq!(store.rows(ANNA, INBOX, &uids(&[1]), Uid(1), needs, 1, 1).unwrap().rows[0].digest, None);
}

#[test]
fn watchers_are_told_after_the_commit_even_if_nobody_waits() {
    let (store, _) = store();
    let count = || Arc::new(AtomicU32::new(0));
    let watch = |mailbox, count: &Arc<AtomicU32>| {
        let count = count.clone();
        let tell: Notify = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        store.watch(ANNA, mailbox, tell)
    };
    let (inbox, other, all) = (count(), count(), count());
    let _a = watch(INBOX, &inbox);
    let _b = watch(MailboxId(2), &other);
    let each = all.clone();
    let told: crate::NotifyEach = Arc::new(move |mailboxes: &[MailboxId], _| {
        each.fetch_add(mailboxes.len() as u32 * 10 + 1, Ordering::SeqCst);
    });
    let ended = store.watch_each(ANNA, told);
    let seen = || [&inbox, &other, &all].map(|count| count.load(Ordering::SeqCst));
    store.deliver(delivery("x", &[ANNA, BORIS])).wait().unwrap();
    assert_eq!(seen(), [1, 0, 11]);
    store.copy(ANNA, INBOX, Arc::new(uids(&[1])), MailboxId(2).into(), Originals::Go, NOW).wait().unwrap();
    assert_eq!(seen(), [2, 1, 32], "once for all mailboxes of the commit");
    flag(&store, BORIS, &[1], change(FlagMode::Add, &[Flag::Seen], &[]));
    assert_eq!(seen(), [2, 1, 32], "another account");
    drop(ended);
    let (sender, receiver) = std::sync::mpsc::channel();
    let _c = store.watch(ANNA, INBOX, Arc::new(move || sender.send(()).unwrap_or_default()));
    drop(store.deliver(delivery("y", &[ANNA])));
    receiver.recv_timeout(std::time::Duration::from_secs(10)).expect("told though the waiter was gone");
    assert_eq!(store.open(ANNA, INBOX).unwrap().counters.messages, 1);
}

#[test]
fn uids_end_before_they_wrap() {
    let (store, engine) = store();
    let shrink = |tx: &mut dyn engine::Tx| {
        let key = keys::mailbox(ANNA, INBOX);
        let mut value = keys::MailboxValue::decode(&tx.get(&key)?.unwrap()).unwrap();
        value.uid_next = Uid(u32::MAX);
        Ok(tx.put(&key, &value.encode())?)
    };
    (&*engine as &dyn engine::Engine).transact(&[ANNA], shrink).wait().unwrap();
    assert_eq!(store.deliver(delivery("x", &[ANNA])).wait().unwrap(), [Outcome::Limit]);
    assert!(matches!(
        store.append(ANNA, Target::Inbox, vec![new("x")], NOW).wait(),
        Err(Error::Limit(Limit::Uids))
    ));
}

#[test]
fn a_replacement_comes_and_the_old_one_goes_together() {
    let (store, _engine) = store();
    let inbox = keys::INBOX;
    let append = |text: &str| store.append(ANNA, Target::Inbox, vec![new(text)], NOW).wait().unwrap();
    append("Subject: draft\n\none\n");
    append("Subject: other\n\ntwo\n");
    let used = store.usage(ANNA).unwrap().bytes;
    store.set_limits(ANNA, Limits { bytes: Some(used + 4), messages: Some(2) }).wait().unwrap();
    let before = store.open(ANNA, inbox).unwrap();
    // RFC 8508 §3.4: only what is left of both counts.
    let draft = new("Subject: draft\n\none more\n");
    assert!(matches!(
        store.replace(ANNA, inbox, Uid(1), Target::Inbox, draft, NOW).wait(),
        Err(Error::OverQuota)
    ));
    let draft = || new("Subject: draft\n\nnew\n");
    for (uid, to) in [(Uid(9), Target::Inbox), (Uid(1), "No such".into())] {
        let refused = store.replace(ANNA, inbox, uid, to, draft(), NOW).wait();
        assert!(matches!(refused, Err(Error::NoMessage | Error::NoMailbox)), "{refused:?}");
    }
    assert_eq!(store.open(ANNA, inbox).unwrap().uids, before.uids, "all or nothing");
    let replaced = store.replace(ANNA, inbox, Uid(1), Target::Inbox, draft(), NOW).wait().unwrap();
    assert_eq!(replaced.uid, Uid(3));
    let changes = store.changes(ANNA, inbox, before.counters.highest_modseq, &[]).unwrap().unwrap();
    assert_eq!((changes.vanished, changes.arrived), (uids(&[1]).into(), uids(&[3]).into()));
    assert_eq!(changes.up_to, replaced.modseq);
    let junk = Target::Use(model::SpecialUse::Junk);
    let moved = store.replace(ANNA, inbox, Uid(3), junk, draft(), NOW).wait().unwrap();
    assert_eq!(moved.uid, Uid(1));
    assert_eq!(*store.open(ANNA, inbox).unwrap().uids, uids(&[2]));
    assert_eq!(store.usage(ANNA).unwrap().messages, 2);
    assert_sound(&store);
}

#[test]
fn deleted_octets_are_added_up() {
    let (store, _engine) = store();
    fill(&store, ANNA, 3);
    assert_eq!(store.deleted_bytes(ANNA, keys::INBOX).unwrap(), 0);
    flag(&store, ANNA, &[1, 3], change(FlagMode::Add, &[Flag::Deleted], &[]));
    let rows = all_rows(&store, ANNA, keys::INBOX);
    assert_eq!(store.deleted_bytes(ANNA, keys::INBOX).unwrap(), rows[0].size + rows[2].size);
}

#[test]
fn what_the_condition_refuses_is_undone_altogether() {
    let (store, engine) = store();
    store.set_limits(BORIS, Limits { bytes: None, messages: Some(0) }).wait().unwrap();
    let key = [0, 0, 0, 0, b'z'];
    let made = |refuses: bool| {
        let work = move |tx: &mut dyn engine::Tx| {
            tx.put(&key, b"noted").map_err(Error::Engine)?;
            Ok(vec![delivery("Subject: a\n\nx\n", &[ANNA]), delivery("Subject: b\n\nx\n", &[BORIS])])
        };
        let holds = move |outcomes: &[RecipientOutcomes]| {
            assert!(matches!(outcomes, [first, second]
                if matches!(first[..], [Outcome::Delivered(_)]) && second[..] == [Outcome::OverQuota]));
            if refuses { Err(Error::OverQuota) } else { Ok(()) }
        };
        store.deliver_made_if(&[ANNA, BORIS], work, holds).wait()
    };
    let noted = || engine.snapshot().unwrap().get(&key).unwrap().is_some();
    let in_inbox = || store.open(ANNA, INBOX).unwrap().uids.len();
    assert!(matches!(made(true), Err(Error::OverQuota)));
    assert_eq!((noted(), in_inbox()), (false, 0), "neither the note nor the first delivery");
    assert!(made(false).is_ok());
    assert_eq!((noted(), in_inbox()), (true, 1));
}

#[test]
fn what_follows_is_followed_in_turn() {
    let (store, _) = store();
    store.set_limits(BORIS, Limits { bytes: None, messages: Some(0) }).wait().unwrap();
    let follow = |make: FollowMake| Some(Follow { accounts: vec![ANNA, BORIS], make });
    let third: fn() -> FollowMake = || {
        Box::new(|outcomes| {
            assert_eq!(outcomes, [Outcome::OverQuota]);
            Ok(Some(delivery("Subject: third\n\nx\n", &[ANNA])))
        })
    };
    let second: FollowMake = Box::new(move |_| {
        let report = delivery("Subject: second\n\nx\n", &[BORIS]);
        Ok(Some(Delivery { follow: follow(third()), ..report }))
    });
    let first = Delivery { follow: follow(second), ..delivery("Subject: first\n\nx\n", &[BORIS]) };
    assert_eq!(store.deliver(first).wait().unwrap(), [Outcome::OverQuota]);
    assert_eq!(store.open(ANNA, INBOX).unwrap().uids.len(), 1);
}
