//! Mailboxes that go while they are listed.

use super::*;
use crate::testing::{Interrupted, person, world_on};
use model::UnixTime;
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// boris lists; `Goes` goes before a certain look at the store: one of his own mailboxes, or one that anna shares with him.
/// Answers the rows of `Goes` and `Stays`, with or without counters; None: there is no such look.
fn list(look: usize, own: bool, need: CountersNeed) -> Option<Vec<(String, bool)>> {
    let engine = Arc::new(Interrupted::default());
    let world = Arc::new(world_on(engine.clone()));
    world.directory.add_domain(&model::Domain::new("x.test").unwrap(), NOW).wait().unwrap();
    let (anna, boris) = (person(&world, "anna@x.test"), person(&world, "boris@x.test"));
    let owner = if own { boris.account } else { anna.account };
    for name in ["Goes", "Stays"] {
        let mailbox = world.store.create_mailbox(owner, name, None, NOW).wait().unwrap();
        if !own {
            let change = store::RightsChange::Set(Rights::parse("lr").unwrap());
            let who = Who::Account(boris.account);
            world.store.set_acl(owner, mailbox, who, Effect::Grant, change, None).wait().unwrap();
        }
    }
    let mut agent = ImapAgent::new(world.clone(), None, String::new());
    agent.login = Some(boris);
    let store = world.store.clone();
    engine.before_look(look, move || store.delete_mailbox(owner, "Goes").wait().unwrap());
    let rows = agent.mailboxes(need).unwrap();
    let name = |row: &MailboxRow| row.name.rsplit('/').next().unwrap_or_default().to_owned();
    let shown = rows.iter().map(|row| (name(row), row.counters.is_some()));
    engine.was_done().then(|| shown.filter(|(name, _)| name == "Goes" || name == "Stays").collect())
}

/// RFC 5819 §2: of what can not be looked up, there is no STATUS; that is no reason to refuse the LIST.
#[test]
fn a_mailbox_that_goes_while_it_is_listed_is_listed_or_not() {
    for (own, need) in [CountersNeed::None, CountersNeed::Plain, CountersNeed::WithDeletedSize]
        .into_iter()
        .flat_map(|need| [(true, need), (false, need)])
    {
        let (mut look, mut seen) = (0, [false; 3]);
        while let Some(shown) = list(look, own, need) {
            let is_counted = need != CountersNeed::None;
            let goes = shown.iter().find(|(name, _)| name == "Goes");
            assert!(shown.contains(&("Stays".to_owned(), is_counted)), "{own} {need:?} {look}: {shown:?}");
            assert_eq!(shown.len(), 1 + usize::from(goes.is_some()), "{own} {need:?} {look}: {shown:?}");
            match goes {
                None => seen[0] = true,
                Some((_, false)) => seen[1] = true,
                Some((_, true)) => seen[2] = true,
            }
            look += 1;
        }
        // That it can be listed without counters that are wanted takes a look at what has gone.
        let looks_twice = need == CountersNeed::WithDeletedSize || !own;
        let expected = [true, need == CountersNeed::None || looks_twice, need != CountersNeed::None];
        assert_eq!(seen, expected, "{own} {need:?} {look}");
    }
}
