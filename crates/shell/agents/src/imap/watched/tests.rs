//! What is told of an account, and of what others share, when commits can be read before their bells ring.

use super::*;

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
        let world = crate::testing::world();
        let now = model::UnixTime(1_800_000_000);
        world.directory.add_domain(&model::Domain::new("x.test").unwrap(), now).wait().unwrap();
        let add = |address: &str| {
            let address = model::EmailAddress::parse(address).unwrap();
            let new = directory::NewAccount {
                address: address.clone(),
                display_name: String::new(),
                password: None,
                quota: directory::Quota::default(),
                role: directory::Role::Person,
            };
            crate::Login { account: world.directory.add_account(new, now).wait().unwrap(), address }
        };
        let (anna, login) = (add("anna@x.test").account, add("boris@x.test"));
        let project = world.store.create_mailbox(anna, "Project", None, now).wait().unwrap();
        let bench = Bench { world, anna, login };
        bench.share(project);
        (bench, project)
    }

    fn share(&self, mailbox: MailboxId) {
        let change = store::RightsChange::Set(Rights::parse("lr").unwrap());
        let who = store::Who::Account(self.login.account);
        self.world.store.set_acl(self.anna, mailbox, who, store::Effect::Grant, change, None).wait().unwrap();
    }

    fn sight(&self) -> Sight<'_> {
        Sight { world: &self.world, login: &self.login }
    }

    fn append(&self, account: AccountId, to: store::Target) {
        append(&self.world.store, account, to).wait().unwrap();
    }
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
    let make = |account, name| store.create_mailbox(account, name, None, now).wait().unwrap();
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
