//! What is told of an account, and of what others share, when commits can be read before their bells ring.

mod between;

use super::*;
use crate::testing::person;

#[test]
fn what_could_not_be_looked_at_is_not_lost() {
    let [me, other] = [AccountId(7), AccountId(8)];
    let mut state = State {
        touched: Some([(me, MailboxId(1)), (other, MailboxId(0)), (other, MailboxId(3))].into()),
        own: vec![(me, ModSeq(8)), (other, ModSeq(8))],
        own_of_server: vec![ModSeq(4)],
        ..State::default()
    };
    let taken = state.take();
    assert_eq!(state.touched, Some(BTreeSet::new()));
    assert_eq!(taken.of(other), Some([MailboxId(0), MailboxId(3)].into()));
    assert_eq!(taken.own_in(me), [ModSeq(8)]);
    assert!(taken.has_list());
    // Happens while it is read.
    state.own.push((me, ModSeq(9)));
    state.put_back(taken);
    assert!(state.touched.is_none(), "all mailboxes are looked at");
    assert_eq!(state.own, [(me, ModSeq(8)), (other, ModSeq(8)), (me, ModSeq(9))]);
    assert_eq!(state.own_of_server, [ModSeq(4)]);
    assert!(state.take().has_list());
    (0..=TOUCHED_MAX as u32).for_each(|id| state.touch(me, &[MailboxId(id + 1)], ModSeq(1)));
    assert!(state.touched.is_none());
}

#[test]
fn what_can_be_read_before_its_bell_rings_is_not_lost() {
    let me = AccountId(7);
    let store = Store::new(Arc::new(engine::MemoryEngine::default()));
    let now = model::UnixTime(1_800_000_000);
    store.create_account(me, store::Limits::default(), now).wait().unwrap();
    let other = store.create_mailbox(me, "other", None, now).wait().unwrap();
    let state = Arc::new(Mutex::new(State { touched: Some(BTreeSet::new()), ..State::default() }));
    let notes = state.clone();
    let ring = move |mailboxes: &[MailboxId], stamp| notes.lock().touch(me, mailboxes, stamp);
    let _watch = store.watch_each(me, Arc::new(ring));
    let append = |to| append(&store, me, to);
    let told = |since| {
        let changes = state.lock().take().changes(&store, me, since).unwrap();
        (changes.up_to, changes.mailboxes.len())
    };
    let since = store.account_modseq(me).unwrap();
    // Committed, and nobody has taken note.
    let late = append(store::Target::Inbox);
    append(store::Target::Id(other)).wait().unwrap();
    let (up_to, count) = told(since);
    assert_eq!((up_to, count), (ModSeq(since.0 + 2), 2));
    late.wait().unwrap();
    assert_eq!(told(up_to), (up_to, 0), "and not twice");
    append(store::Target::Inbox).wait().unwrap();
    assert_eq!(told(up_to), (ModSeq(up_to.0 + 1), 1));
}

struct Bench {
    world: crate::World,
    anna: AccountId,
    login: crate::Login,
}

impl Bench {
    /// anna shares her mailbox `Project` with boris, who watches.
    fn new() -> (Bench, MailboxId) {
        Bench::on(crate::testing::world())
    }

    fn on(world: crate::World) -> (Bench, MailboxId) {
        let now = model::UnixTime(1_800_000_000);
        world.directory.add_domain(&model::Domain::new("x.test").unwrap(), now).wait().unwrap();
        let anna = person(&world, "anna@x.test").account;
        let login = person(&world, "boris@x.test");
        let bench = Bench { world, anna, login };
        let project = bench.make(anna, "Project");
        bench.share(project);
        (bench, project)
    }

    fn make(&self, account: AccountId, name: &str) -> MailboxId {
        let now = model::UnixTime(1_800_000_001);
        self.world.store.create_mailbox(account, name, None, now).wait().unwrap()
    }

    fn share(&self, mailbox: MailboxId) {
        rights(&self.world.store, (self.anna, mailbox), &self.login, "lr").wait().unwrap();
    }

    fn sight(&self) -> Sight<'_> {
        Sight { world: &self.world, login: &self.login }
    }

    fn append(&self, account: AccountId, to: store::Target) {
        append(&self.world.store, account, to).wait().unwrap();
    }
}

/// What `login` may do with a mailbox.
fn rights(
    store: &Store,
    (owner, mailbox): (AccountId, MailboxId),
    login: &crate::Login,
    letters: &str,
) -> Written<()> {
    let change = store::RightsChange::Set(Rights::parse(letters).unwrap());
    store.set_acl(owner, mailbox, store::Who::Account(login.account), store::Effect::Grant, change, None)
}

fn append(store: &Store, account: AccountId, to: store::Target) -> Written<store::Appended> {
    let message = store::Prepared::new(b"Subject: x\r\n\r\n").unwrap();
    let (keywords, annotations) = (Vec::new(), Vec::new());
    let (flags, now) = (model::FlagSet::NONE, model::UnixTime(1_800_000_000));
    let new = store::NewMessage { message, flags, keywords, received: now, annotations };
    store.append(account, to, vec![new], now)
}

/// `+arrived`, `~flagged` behind the names.
fn touched(news: &AccountNews) -> Vec<String> {
    let marks = |touched: &Touched| {
        let mark = |is: bool, mark: &'static str| if is { mark } else { "" };
        format!("{}{}{}", touched.row.name, mark(touched.arrived, " +"), mark(touched.flagged, " ~"))
    };
    news.touched.iter().map(marks).collect()
}

fn listed(news: &AccountNews) -> Vec<(&str, Option<&str>)> {
    news.listed.iter().map(|listed| (listed.row.name.as_str(), listed.old_name.as_deref())).collect()
}

/// The change of a name can be read, its bell has not rung, and that of a message in the same mailbox has.
#[test]
fn a_change_of_the_list_that_can_be_read_before_its_bell_rings_is_told_at_once() {
    let (bench, project) = Bench::new();
    let store = &bench.world.store;
    let sight = bench.sight();
    let mut watched = Watched::new(&sight, Arc::default(), ask::Watch::All).unwrap();
    let now = model::UnixTime(1_800_000_001);
    // Committed, and nobody has taken note.
    let late = store.rename_mailbox(bench.anna, "Project", "Plan", now);
    bench.append(bench.anna, store::Target::Id(project));
    let news = watched.news(&sight).unwrap();
    // Without the LIST, the STATUS would be of a mailbox that the client has never heard of.
    assert_eq!(listed(&news), [("Other Users/anna/Plan", Some("Other Users/anna/Project"))]);
    assert_eq!(touched(&news), ["Other Users/anna/Plan +"]);
    late.wait().unwrap();
    let news = watched.news(&sight).unwrap();
    assert_eq!((listed(&news), touched(&news)), (Vec::new(), Vec::new()), "and not twice");
}

/// RFC 5465 §5.1: "the server MUST notify the client about mailbox UIDVALIDITY changes".
#[test]
fn a_name_that_stands_for_another_mailbox_has_its_status_told() {
    let (bench, _) = Bench::new();
    let (store, own) = (&bench.world.store, bench.login.account);
    let sight = bench.sight();
    let now = model::UnixTime(1_800_000_001);
    let make = |account, name| bench.make(account, name);
    make(own, "box");
    make(own, "box/below");
    let mut watched = Watched::new(&sight, Arc::default(), ask::Watch::All).unwrap();
    store.delete_mailbox(own, "box/below").wait().unwrap();
    let again = make(own, "box/below");
    let news = watched.news(&sight).unwrap();
    assert_eq!(touched(&news), ["box/below ~"]);
    let told = news.touched[0].row.counters.unwrap().uid_validity;
    assert_eq!(told, store.open(own, again).unwrap().counters.uid_validity);
    bench.append(own, store::Target::Id(again));
    store.rename_mailbox(own, "box", "chest", now).wait().unwrap();
    let news = watched.news(&sight).unwrap();
    assert_eq!(touched(&news), ["chest/below +"], "a new name has had no other UIDVALIDITY");
    store.rename_mailbox(own, "chest", "box", now).wait().unwrap();
    assert_eq!(touched(&watched.news(&sight).unwrap()), ["box ~", "box/below ~"]);
    assert_eq!(touched(&watched.news(&sight).unwrap()), [""; 0]);
    store.delete_mailbox(bench.anna, "Project").wait().unwrap();
    bench.share(make(bench.anna, "Project"));
    assert_eq!(touched(&watched.news(&sight).unwrap()), ["Other Users/anna/Project ~"]);
}

/// Names with an account of another's mailbox, why they are listed, and whether there is a mailbox.
fn told(news: &AccountNews) -> Vec<(&str, WhyListed, bool)> {
    let named = news.listed.iter().filter(|listed| listed.row.name.matches('/').count() > 1);
    named.map(|listed| (listed.row.name.as_str(), listed.why, listed.row.id.is_some())).collect()
}

/// RFC 5465 §5.9: "if the mailbox was previously reported as having \NoAccess and the 'l' right is later granted".
#[test]
fn what_may_be_seen_again_is_told_as_what_may_be_seen_no_more_was() {
    let (bench, project) = Bench::new();
    let store = &bench.world.store;
    let sight = bench.sight();
    let mut watched = Watched::new(&sight, Arc::default(), ask::Watch::All).unwrap();
    let give = |mailbox, letters| rights(store, (bench.anna, mailbox), &bench.login, letters).wait().unwrap();
    let name = "Other Users/anna/Project";
    let mut news = || watched.news(&sight).unwrap();
    give(project, "");
    assert_eq!(told(&news()), [(name, WhyListed::Access, false)]);
    give(project, "l");
    assert_eq!(told(&news()), [(name, WhyListed::Access, true)]);
    give(project, "lr");
    assert_eq!(told(&news()), [(name, WhyListed::Access, true)]);
    give(project, "");
    assert_eq!(told(&news()), [(name, WhyListed::Access, false)]);
    store.rename_mailbox(bench.anna, "Project", "Plan", model::UnixTime(1_800_000_002)).wait().unwrap();
    assert_eq!(told(&news()), []);
    give(project, "lr");
    let plan = "Other Users/anna/Plan";
    assert_eq!(told(&news()), [(plan, WhyListed::Access, true)]);
    // Another name, and out of reach, both at once.
    store.rename_mailbox(bench.anna, "Plan", "Project", model::UnixTime(1_800_000_003)).wait().unwrap();
    give(project, "l");
    let news_of_both = news();
    assert_eq!(told(&news_of_both), [(name, WhyListed::Access, true)]);
    assert_eq!(listed(&news_of_both), [(name, Some(plan))]);
    // A mailbox that goes, and one of which nothing was told: names that come and go.
    store.delete_mailbox(bench.anna, "Project").wait().unwrap();
    assert_eq!(told(&news()), [(name, WhyListed::Name, false)]);
    let again = bench.make(bench.anna, "Project");
    give(again, "lr");
    assert_eq!(told(&news()), [(name, WhyListed::Name, true)]);
}

/// RFC 5465 §5: "The server SHOULD omit notifying the client if the event is caused by this client."
#[test]
fn rights_that_a_session_takes_from_itself_are_not_told_and_given_back_by_another_are_a_new_name() {
    let (bench, project) = Bench::new();
    let sight = bench.sight();
    let mut watched = Watched::new(&sight, Arc::default(), ask::Watch::All).unwrap();
    let mut own = rights(&bench.world.store, (bench.anna, project), &bench.login, "");
    pollster::block_on(&mut own).unwrap();
    watched.own(&own);
    assert_eq!(told(&watched.news(&sight).unwrap()), []);
    bench.share(project);
    let name = "Other Users/anna/Project";
    assert_eq!(told(&watched.news(&sight).unwrap()), [(name, WhyListed::Name, true)]);
}
