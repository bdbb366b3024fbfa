//! Whatever another does between two looks of a session at the store is told, once, and nothing fails. It is done before
//! the first look, before the second, and so on, until there are no more.

use super::*;
use crate::testing::{Interrupted, world_on};

/// What anna does with her mailbox `Plans`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Act {
    Give,
    Revoke,
    Delete,
    Rename,
}

/// When a commit rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ring {
    AtOnce,
    Late,
}

impl Act {
    /// What of it boris is told.
    fn told(self) -> (&'static str, WhyListed, bool) {
        let plans = "Other Users/anna/Plans";
        match self {
            Act::Give => (plans, WhyListed::Name, true),
            Act::Revoke => (plans, WhyListed::Access, false),
            Act::Delete => (plans, WhyListed::Name, false),
            Act::Rename => ("Other Users/anna/Timetable", WhyListed::Name, true),
        }
    }
}

/// boris watches. Of anna's mailboxes he sees `Project`, into which he puts messages himself, and `Plans`; of carla's
/// `Room`. Her account has the higher number, and so is looked at later.
struct Bystander {
    engine: Arc<Interrupted>,
    bench: Bench,
    project: MailboxId,
    plans: MailboxId,
    carla: AccountId,
    room: MailboxId,
}

type Wait = Box<dyn FnOnce() + Send>;

impl Bystander {
    fn new(act: Act) -> Bystander {
        let engine = Arc::new(Interrupted::default());
        let (bench, project) = Bench::on(world_on(engine.clone()));
        let plans = bench.make(bench.anna, "Plans");
        if act != Act::Give {
            bench.share(plans);
        }
        let carla = person(&bench.world, "carla@x.test").account;
        assert!(bench.anna < carla);
        let room = bench.make(carla, "Room");
        rights(&bench.world.store, (carla, room), &bench.login, "lr").wait().unwrap();
        Bystander { engine, bench, project, plans, carla, room }
    }

    /// The commit is made at once; it rings when it is waited for.
    fn act(&self, act: Act) -> impl FnOnce() -> Wait + Send + 'static {
        let (store, anna) = (self.bench.world.store.clone(), self.bench.anna);
        let (login, plans) = (self.bench.login.clone(), (anna, self.plans));
        let now = model::UnixTime(1_800_000_002);
        fn waiter<T: Send + 'static>(written: Written<T>) -> Wait {
            Box::new(move || drop(written.wait().unwrap()))
        }
        move || match act {
            Act::Give => waiter(rights(&store, plans, &login, "lr")),
            Act::Revoke => waiter(rights(&store, plans, &login, "")),
            Act::Delete => waiter(store.delete_mailbox(anna, "Plans")),
            Act::Rename => waiter(store.rename_mailbox(anna, "Plans", "Timetable", now)),
        }
    }

    fn own_write(&self, watched: &Watched) {
        let mut written = append(&self.bench.world.store, self.bench.anna, store::Target::Id(self.project));
        pollster::block_on(&mut written).unwrap();
        watched.own(&written);
    }

    /// Everything that boris is told if `act` comes before a certain look, and rings then, or after he has looked once
    /// more; carla's mailbox has got another name before, and that has rung, or has not. None: there is no such look.
    fn told(&self, before: usize, act: Act, ring: Ring, rename: Ring) -> Option<Vec<AccountNews>> {
        let (store, sight) = (&self.bench.world.store, self.bench.sight());
        let mut watched = Watched::new(&sight, Arc::default(), ask::Watch::All).unwrap();
        let renamed = store.rename_mailbox(self.carla, "Room", "Hall", model::UnixTime(1_800_000_002));
        let mut late_rename = Some(renamed);
        if rename == Ring::AtOnce {
            late_rename.take().unwrap().wait().unwrap();
        }
        self.bench.append(self.carla, store::Target::Id(self.room));
        self.bench.append(self.bench.anna, store::Target::Id(self.plans));
        self.own_write(&watched);
        let late = Arc::new(Mutex::new(None));
        let (keep, act) = (late.clone(), self.act(act));
        self.engine.before_look(before, move || {
            let wait = act();
            match ring {
                Ring::AtOnce => wait(),
                Ring::Late => *keep.lock() = Some(wait),
            }
        });
        let mut all = vec![watched.news(&sight).unwrap()];
        if !self.engine.was_done() {
            return None;
        }
        self.own_write(&watched);
        all.push(watched.news(&sight).unwrap());
        if let Some(wait) = late.lock().take() {
            wait();
        }
        if let Some(written) = late_rename {
            written.wait().unwrap();
        }
        self.own_write(&watched);
        all.extend([watched.news(&sight).unwrap(), watched.news(&sight).unwrap()]);
        Some(all)
    }
}

#[test]
fn what_another_does_between_two_looks_is_told_once() {
    for (act, ring, rename) in [Act::Give, Act::Revoke, Act::Delete, Act::Rename]
        .into_iter()
        .flat_map(|act| [Ring::AtOnce, Ring::Late].map(|ring| (act, ring)))
        .flat_map(|(act, ring)| [Ring::AtOnce, Ring::Late].map(|rename| (act, ring, rename)))
    {
        let mut look = 0;
        while let Some(all) = Bystander::new(act).told(look, act, ring, rename) {
            let place = format!("{act:?} before look {look}, rings {ring:?}, renamed {rename:?}");
            let mut names: Vec<_> = all.iter().flat_map(told).collect();
            names.sort_unstable_by_key(|(name, ..)| *name);
            let hall = ("Other Users/carla/Hall", WhyListed::Name, true);
            assert_eq!(names, [act.told(), hall], "{place}");
            let messages: Vec<String> = all.iter().flat_map(touched).collect();
            let of = |name: &str| messages.iter().filter(|message| message.contains(name)).count();
            assert_eq!(of("Room +") + of("Hall +"), 1, "{place}: {messages:?}");
            assert_eq!(of("Project"), 0, "{place}: {messages:?}");
            if act == Act::Rename {
                assert_eq!(of("Plans +") + of("Timetable +"), 1, "{place}: {messages:?}");
            }
            look += 1;
        }
        assert!(look > 5, "{look}");
    }
}
