//! Access control lists, \Seen of each reader, and messages on their way between accounts.

use super::*;
use model::{Flag, Right, Rights};
use proptest::prelude::*;
use std::collections::BTreeMap;

const CLARA: AccountId = AccountId(11);

fn rights(letters: &str) -> Rights {
    Rights::parse(letters).unwrap()
}

fn grant(store: &Store, owner: AccountId, mailbox: MailboxId, who: Who, letters: &str) {
    let change = RightsChange::Set(rights(letters));
    store.set_acl(owner, mailbox, who, Effect::Grant, change, None).wait().unwrap();
}

fn may(store: &Store, mailbox: MailboxId, user: AccountId) -> String {
    store.acl(ANNA, mailbox).unwrap().rights(ANNA, &Viewer::alone(user)).to_string()
}

fn three() -> (Store, Arc<MemoryEngine>) {
    let (store, engine) = store();
    store.create_account(CLARA, Limits::default(), NOW).wait().unwrap();
    (store, engine)
}

#[test]
fn rights_are_the_union_less_what_is_taken_away() {
    let (store, _) = three();
    assert_eq!(may(&store, INBOX, BORIS), "");
    assert_eq!(may(&store, INBOX, ANNA), Rights::ALL.to_string());
    grant(&store, ANNA, INBOX, Who::Anyone, "lr");
    grant(&store, ANNA, INBOX, Who::Account(BORIS), "rswi");
    grant(&store, ANNA, INBOX, Who::Group("team@x.test".into()), "k");
    assert_eq!((may(&store, INBOX, BORIS), may(&store, INBOX, CLARA)), ("lrswi".into(), "lr".into()));
    let member = Viewer { account: CLARA, groups: vec!["team@x.test".into()] };
    assert_eq!(store.acl(ANNA, INBOX).unwrap().rights(ANNA, &member), rights("lrk"));
    let deny = |who| {
        store.set_acl(ANNA, INBOX, who, Effect::Deny, RightsChange::Add(rights("wl")), None).wait().unwrap();
    };
    deny(Who::Account(BORIS));
    assert_eq!(may(&store, INBOX, BORIS), "rsi");
    deny(Who::Account(ANNA));
    assert_eq!(may(&store, INBOX, ANNA), "lrsipkxtencda", "the owner keeps l and a (RFC 4314 §2)");
    // What the owner does to himself begins with all rights, and is taken back by DELETEACL.
    let own = Who::Account(ANNA);
    let less = RightsChange::Remove(rights("lates"));
    store.set_acl(ANNA, INBOX, own.clone(), Effect::Grant, less, None).wait().unwrap();
    assert_eq!(may(&store, INBOX, ANNA), "lripkxnca");
    store.delete_acl(ANNA, INBOX, own.clone(), Effect::Grant).wait().unwrap();
    store.delete_acl(ANNA, INBOX, own, Effect::Deny).wait().unwrap();
    assert_eq!(may(&store, INBOX, ANNA), Rights::ALL.to_string());
    let nobody = Who::Account(AccountId(99));
    let refused = store.set_acl(ANNA, INBOX, nobody, Effect::Grant, RightsChange::Set(rights("l")), None);
    assert!(matches!(refused.wait(), Err(Error::NoAccount)));
    assert_sound(&store);
}

#[test]
fn lists_follow_rename_and_go_with_the_mailbox_and_the_account() {
    let (store, _) = three();
    let a = store.create_mailbox(ANNA, "a", None, NOW).wait().unwrap();
    grant(&store, ANNA, a, Who::Account(BORIS), "lrk");
    grant(&store, ANNA, a, Who::Anyone, "l");
    let below = store.create_mailbox(ANNA, "a/x/y", None, NOW).wait().unwrap();
    assert_eq!(may(&store, below, BORIS), "lrkc", "a new mailbox has its superior's list (RFC 4314 §4)");
    assert_eq!(store.shared_with(&Viewer::alone(BORIS)).unwrap().len(), 3);
    assert_eq!(store.shared_with(&Viewer::alone(ANNA)).unwrap(), []);
    store.rename_mailbox(ANNA, "a", "b", NOW).wait().unwrap();
    assert_eq!(may(&store, a, BORIS), "lrkc");
    store.delete_mailbox(ANNA, "b").wait().unwrap();
    assert_eq!(store.shared_with(&Viewer::alone(CLARA)).unwrap().len(), 2);
    assert!(matches!(store.acl(ANNA, a), Err(Error::NoMailbox)));
    assert_sound(&store);
    let top = |inherit| {
        let name = format!("{inherit:?}");
        let made = store.create_mailbox_as(ANNA, &name, None, inherit, NOW).wait().unwrap();
        may(&store, made, BORIS)
    };
    grant(&store, ANNA, INBOX, Who::Account(BORIS), "lrs");
    assert_eq!(top(Inherit::Superior), "");
    assert_eq!(top(Inherit::SuperiorOrInbox), "lrs");
    assert_sound(&store);
    // One who goes stands in no list any more; what another shared is shared no longer when he goes.
    store.delete_account(BORIS).wait().unwrap();
    assert!(store.acl(ANNA, below).unwrap().entry(&Who::Account(BORIS), Effect::Grant).is_none());
    store.delete_account(ANNA).wait().unwrap();
    assert_eq!(store.shared_with(&Viewer::alone(CLARA)).unwrap(), []);
    assert_sound(&store);
}

/// A STORE in ANNA's inbox.
fn store_as(store: &Store, behalf: Behalf, list: &[u32], change: FlagChange) -> Stored {
    let uids = Arc::new(uids(list));
    store.store_flags_as(ANNA, INBOX, uids, change, None, ModSeq(u64::MAX), behalf).wait().unwrap()
}

/// BORIS may read ANNA's inbox, and has a \Seen of his own there.
fn reader(store: &Store) -> Behalf {
    grant(store, ANNA, INBOX, Who::Account(BORIS), "lrs");
    Behalf { may: rights("lrs"), seen: Some(BORIS), user: Some(BORIS) }
}

#[test]
fn everybody_has_a_seen_of_his_own() {
    let (store, _) = three();
    fill(&store, ANNA, 3);
    let behalf = reader(&store);
    let stored = |list: &[u32], change| store_as(&store, behalf, list, change);
    let before = store.open(ANNA, INBOX).unwrap().counters.highest_modseq;
    let marked = stored(&[1, 3], change(FlagMode::Add, &[Flag::Seen, Flag::Deleted], &["x"]));
    assert_eq!(marked.changed, uids(&[1, 3]));
    assert!(marked.modseq > before, "CONDSTORE of the reader must notice");
    let rows = all_rows(&store, ANNA, INBOX);
    assert!(rows.iter().all(|row| row.flags == FlagSet::NONE && row.keywords.is_empty()));
    assert_eq!(rows[0].modseq, marked.modseq);
    let seen = || store.seen_by(ANNA, INBOX, BORIS, Uid(1), Uid(u32::MAX)).unwrap();
    assert_eq!(seen(), uids(&[1, 3]));
    assert!(store.seen_by(ANNA, INBOX, CLARA, Uid(1), Uid(9)).unwrap().is_empty());
    assert_eq!(store.open(ANNA, INBOX).unwrap().counters.unseen, 3, "the owner has read nothing");
    assert!(stored(&[1], change(FlagMode::Add, &[Flag::Seen], &[])).changed.is_empty());
    assert_eq!(stored(&[1, 2], change(FlagMode::Replace, &[], &[])).changed, uids(&[1]));
    assert_eq!(seen(), uids(&[3]));
    assert_sound(&store);
    store.create_mailbox(ANNA, "a", None, NOW).wait().unwrap();
    store.delete_account(BORIS).wait().unwrap();
    assert!(seen().is_empty());
    assert_sound(&store);
}

/// Else a FETCH tells a flag that came later beside the MODSEQ from before.
#[test]
fn a_readers_seen_is_of_the_moment_of_the_rows() {
    let (store, _) = three();
    fill(&store, ANNA, 2);
    let behalf = reader(&store);
    let stored = |list: &[u32], mode| store_as(&store, behalf, list, change(mode, &[Flag::Seen], &[]));
    stored(&[1], FlagMode::Add);
    for content in [ContentNeed::None, ContentNeed::Header] {
        let needs = Needs { content, ..Needs::default() };
        let (wanted, mut meanwhile) = (uids(&[1, 2]), None);
        let page =
            Page { uids: &wanted, from: Uid(1), needs, rows_max: 9, bytes_max: 1 << 20, seen: Some(BORIS) };
        let rows = store.rows_as(ANNA, INBOX, page, |row| {
            meanwhile.get_or_insert_with(|| {
                stored(&[1], FlagMode::Remove);
                stored(&[2], FlagMode::Add)
            });
            row
        });
        let rows = rows.unwrap().rows;
        let shown: Vec<bool> = rows.iter().map(|row| row.flags.has(Flag::Seen)).collect();
        assert_eq!(shown, [true, false], "{content:?}");
        assert!(rows.iter().all(|row| row.modseq < meanwhile.as_ref().unwrap().modseq));
        stored(&[1], FlagMode::Add);
        stored(&[2], FlagMode::Remove);
    }
}

#[test]
fn who_may_change_some_flags_leaves_the_others() {
    let (store, _) = three();
    fill(&store, ANNA, 1);
    flag(&store, ANNA, &[1], change(FlagMode::Add, &[Flag::Flagged, Flag::Seen], &["owner"]));
    let stored = |letters: &str, change| {
        store_as(&store, Behalf { may: rights(letters), seen: None, user: Some(BORIS) }, &[1], change)
    };
    stored("lrt", change(FlagMode::Replace, &[Flag::Deleted, Flag::Draft], &["mine"]));
    let row = &all_rows(&store, ANNA, INBOX)[0];
    let wanted: FlagSet = [Flag::Flagged, Flag::Seen, Flag::Deleted].into_iter().collect();
    assert_eq!((row.flags, row.keywords.len()), (wanted, 1));
    stored("lrw", change(FlagMode::Replace, &[], &["mine"]));
    let row = &all_rows(&store, ANNA, INBOX)[0];
    let wanted: FlagSet = [Flag::Seen, Flag::Deleted].into_iter().collect();
    let mine = store.open(ANNA, INBOX).unwrap().keywords.iter().position(|known| *known == word("mine"));
    assert_eq!((row.flags, &row.keywords[..]), (wanted, &[mine.unwrap() as u16][..]));
    assert!(stored("lr", change(FlagMode::Replace, &[], &[])).changed.is_empty());
    assert_sound(&store);
}

#[test]
fn a_copy_in_another_account_shares_the_content_and_nothing_else() {
    let (store, engine) = three();
    let texts = ["Message-ID: <1@x>\nSubject: s\n\none\n", "In-Reply-To: <1@x>\nSubject: Re: s\n\ntwo\n"];
    let mut messages: Vec<NewMessage> = texts.iter().map(|text| new(text)).collect();
    messages[0].flags = [Flag::Deleted, Flag::Draft].into_iter().collect();
    messages[1].keywords = vec![word("$Forwarded")];
    store.append(ANNA, Target::Inbox, messages, NOW).wait().unwrap();
    let from = Source { account: ANNA, mailbox: INBOX, behalf: Behalf::OWNER };
    // RFC 4314 §4's example: `rwis` in the target loses \Deleted.
    let to = |letters: &str, seen| Destination {
        account: BORIS,
        to: Target::Inbox,
        behalf: Behalf { may: rights(letters), seen, user: seen },
    };
    let copy = |to, originals| store.copy_to(from, Arc::new(uids(&[1, 2, 9])), to, originals, NOW).wait();
    let copied = copy(to("rwis", None), Originals::Stay).unwrap();
    assert_eq!((copied.from, copied.to, copied.missing), (uids(&[1, 2]), uids(&[1, 2]), uids(&[9])));
    let rows = all_rows(&store, BORIS, INBOX);
    assert_eq!(rows[0].flags.iter().collect::<Vec<_>>(), [Flag::Draft]);
    let words = store.open(BORIS, INBOX).unwrap().keywords;
    assert_eq!(words[usize::from(rows[1].keywords[0])], word("$Forwarded"));
    assert_eq!(rows[0].thread_id, rows[1].thread_id);
    assert_eq!(store.content(BORIS, INBOX, Uid(2), 0, 12).unwrap(), b"In-Reply-To:");
    assert_eq!(engine::Engine::check(&*engine, &mut |_, _| {}).unwrap().contents, 2);
    assert_sound(&store);
    flag(&store, ANNA, &[1, 2], change(FlagMode::Add, &[Flag::Seen], &[]));
    let moved = copy(to("is", Some(ANNA)), Originals::Go).unwrap();
    assert_eq!(moved.to, uids(&[3, 4]));
    assert!(all_rows(&store, ANNA, INBOX).is_empty());
    assert_eq!((store.usage(ANNA).unwrap().messages, store.usage(BORIS).unwrap().messages), (0, 4));
    let rows = all_rows(&store, BORIS, INBOX);
    assert!(rows[2..].iter().all(|row| row.flags == FlagSet::NONE && row.keywords.is_empty()));
    assert_eq!(store.seen_by(BORIS, INBOX, ANNA, Uid(1), Uid(9)).unwrap(), uids(&[3, 4]));
    assert_sound(&store);
    assert!(engine::Engine::check(&*engine, &mut |_, _| {}).unwrap().problems.is_empty());
    // All or none.
    fill(&store, ANNA, 2);
    let full = Limits { messages: Some(5), bytes: None };
    store.set_limits(BORIS, full).wait().unwrap();
    let refused = store.copy_to(from, Arc::new(uids(&[3, 4])), to("i", None), Originals::Go, NOW).wait();
    assert!(matches!(refused, Err(Error::OverQuota)));
    assert_eq!(store.usage(ANNA).unwrap().messages, 2);
    assert_sound(&store);
}

#[test]
fn append_and_replace_respect_rights() {
    let (store, _) = three();
    let behalf = Behalf { may: rights("ris"), seen: Some(BORIS), user: Some(BORIS) };
    let to = Destination { account: ANNA, to: Target::Inbox, behalf };
    let mut message = new("Subject: a\n\nb\n");
    message.flags = [Flag::Seen, Flag::Flagged].into_iter().collect();
    message.keywords = vec![word("k")];
    store.append_to(to.clone(), vec![message.clone()], NOW).wait().unwrap();
    let row = &all_rows(&store, ANNA, INBOX)[0];
    assert_eq!((row.flags, row.keywords.len()), (FlagSet::NONE, 0));
    assert_eq!(store.seen_by(ANNA, INBOX, BORIS, Uid(1), Uid(1)).unwrap(), uids(&[1]));
    fill(&store, BORIS, 1);
    let from = Source { account: BORIS, mailbox: INBOX, behalf: Behalf::OWNER };
    let replaced = store.replace_in(from, Uid(1), to.clone(), message.clone(), NOW).wait().unwrap();
    assert_eq!(replaced.uid, Uid(2));
    assert!(all_rows(&store, BORIS, INBOX).is_empty());
    assert!(matches!(store.replace_in(from, Uid(1), to, message, NOW).wait(), Err(Error::NoMessage)));
    assert_sound(&store);
}

#[derive(Clone, Debug)]
enum Op {
    Set(usize, Who, Effect, RightsChange),
    Delete(usize, Who, Effect),
    Create(usize),
    Rename(usize),
    Remove(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let who = prop_oneof![
        Just(Who::Anyone),
        prop_oneof![Just(ANNA), Just(BORIS), Just(CLARA)].prop_map(Who::Account),
        prop_oneof![Just("a@x"), Just("ab@x")].prop_map(|group| Who::Group(group.to_owned())),
    ];
    let effect = prop_oneof![3 => Just(Effect::Grant), 1 => Just(Effect::Deny)];
    let change = (0..3, 0..=Rights::ALL.0).prop_map(|(kind, bits)| match kind {
        0 => RightsChange::Set(Rights(bits)),
        1 => RightsChange::Add(Rights(bits)),
        _ => RightsChange::Remove(Rights(bits)),
    });
    prop_oneof![
        6 => (0..8usize, who.clone(), effect.clone(), change).prop_map(|(at, who, effect, change)| Op::Set(at, who, effect, change)),
        2 => (0..8usize, who, effect).prop_map(|(at, who, effect)| Op::Delete(at, who, effect)),
        2 => (0..8usize).prop_map(Op::Create),
        1 => (0..8usize).prop_map(Op::Rename),
        1 => (0..8usize).prop_map(Op::Remove),
    ]
}

type Model = BTreeMap<MailboxId, BTreeMap<(Who, Effect), Rights>>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Lists, and what is shared with whom, against a plain model.
    #[test]
    fn lists_agree_with_a_model(ops in proptest::collection::vec(op(), 1..40)) {
        let (store, _) = three();
        let mut model: Model = BTreeMap::from([(INBOX, BTreeMap::new())]);
        let mut names = BTreeMap::from([(INBOX, "INBOX".to_owned())]);
        for (number, op) in ops.into_iter().enumerate() {
            let ids: Vec<MailboxId> = model.keys().copied().collect();
            let pick = |at: usize| ids[at % ids.len()];
            match op {
                Op::Set(at, who, effect, change) => {
                    let list = model.get_mut(&pick(at)).unwrap();
                    let own = who == Who::Account(ANNA) && effect == Effect::Grant;
                    let default = if own { Rights::ALL } else { Rights::NONE };
                    let before = list.get(&(who.clone(), effect)).copied().unwrap_or(default);
                    let after = match change {
                        RightsChange::Set(rights) => rights,
                        RightsChange::Add(rights) => before.or(rights),
                        RightsChange::Remove(rights) => before.minus(rights),
                    };
                    if after.is_empty() && !own {
                        list.remove(&(who.clone(), effect));
                    } else {
                        list.insert((who.clone(), effect), after);
                    }
                    store.set_acl(ANNA, pick(at), who, effect, change, None).wait().unwrap();
                }
                Op::Delete(at, who, effect) => {
                    model.get_mut(&pick(at)).unwrap().remove(&(who.clone(), effect));
                    store.delete_acl(ANNA, pick(at), who, effect).wait().unwrap();
                }
                Op::Create(at) => {
                    let name = format!("{}/{number}", names[&pick(at)]);
                    let id = store.create_mailbox(ANNA, &name, None, NOW).wait().unwrap();
                    model.insert(id, model[&pick(at)].clone());
                    names.insert(id, name);
                }
                Op::Rename(at) if pick(at) != INBOX => {
                    let (old, new) = (names[&pick(at)].clone(), format!("INBOX/r{number}"));
                    store.rename_mailbox(ANNA, &old, &new, NOW).wait().unwrap();
                    for name in names.values_mut() {
                        if *name == old || name.starts_with(&format!("{old}/")) {
                            *name = format!("{new}{}", &name[old.len()..]);
                        }
                    }
                }
                Op::Remove(at) if pick(at) != INBOX => {
                    let below = format!("{}/", names[&pick(at)]);
                    if names.values().any(|name| name.starts_with(&below)) {
                        continue;
                    }
                    store.delete_mailbox(ANNA, &names[&pick(at)]).wait().unwrap();
                    names.remove(&pick(at));
                    model.remove(&pick(at));
                }
                Op::Rename(_) | Op::Remove(_) => {}
            }
        }
        for (id, list) in &model {
            let acl = store.acl(ANNA, *id).unwrap();
            let found: BTreeMap<(Who, Effect), Rights> =
                acl.entries.iter().map(|entry| ((entry.who.clone(), entry.effect), entry.rights)).collect();
            prop_assert_eq!(&found, list);
        }
        for viewer in [
            Viewer::alone(BORIS),
            Viewer { account: CLARA, groups: vec!["a@x".into()] },
            Viewer { account: CLARA, groups: vec!["ab@x".into(), "a@x".into()] },
        ] {
            let shared = store.shared_with(&viewer).unwrap();
            for (id, list) in &model {
                let granted = list.iter().any(|((who, effect), rights)| {
                    let fits = match who {
                        Who::Anyone => true,
                        Who::Account(account) => *account == viewer.account,
                        Who::Group(group) => viewer.groups.contains(group),
                    };
                    fits && *effect == Effect::Grant && !rights.is_empty()
                });
                prop_assert_eq!(shared.contains(&(ANNA, *id)), granted);
                let visible = store.acl(ANNA, *id).unwrap().rights(ANNA, &viewer);
                prop_assert!(granted || visible.is_empty());
                prop_assert!(store.acl(ANNA, *id).unwrap().rights(ANNA, &Viewer::alone(ANNA)).has(Right::Administer));
            }
        }
        assert_sound(&store);
    }
}
