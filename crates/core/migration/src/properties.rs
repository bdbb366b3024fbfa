//! However often copying is interrupted and begins again, and whatever happens to the source in between, one run to the
//! end leaves here what the source has.

use crate::Options;
use crate::tests::{Mail, Theirs, World, mail, sorted};
use model::SpecialUse;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Add(usize, u8),
    Flag(usize, usize, u8),
    Expunge(usize, usize),
    NewValidity(usize),
    Run { batches: usize, delete: bool },
}

const FOLDERS: [&str; 3] = ["INBOX", "Work", "Sent Items"];
const HERE: [&str; 3] = ["INBOX", "Work", "Sent"];

fn step() -> impl Strategy<Value = Step> {
    // Few different messages, so that equal ones are frequent.
    prop_oneof![
        4 => (0..3usize, 0..4u8).prop_map(|(folder, number)| Step::Add(folder, number)),
        2 => (0..3usize, 0..8usize, 0..32u8).prop_map(|(folder, nth, flags)| Step::Flag(folder, nth, flags)),
        2 => (0..3usize, 0..8usize).prop_map(|(folder, nth)| Step::Expunge(folder, nth)),
        1 => (0..3usize).prop_map(Step::NewValidity),
        3 => (0..6usize, any::<bool>()).prop_map(|(batches, delete)| Step::Run { batches, delete }),
    ]
}

fn options(delete: bool) -> Options {
    Options { delete, ..Options::default() }
}

impl World {
    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Add(folder, number) => self.folders[folder].add(mail(number)),
            Step::Flag(folder, nth, flags) => {
                if let Some(mail) = self.folders[folder].mails.values_mut().nth(nth) {
                    mail.flags = flags;
                    mail.keywords = if flags % 3 == 0 { vec!["$junk".into()] } else { Vec::new() };
                }
            }
            Step::Expunge(folder, nth) => {
                let uid = self.folders[folder].mails.keys().nth(nth).copied();
                uid.and_then(|uid| self.folders[folder].mails.remove(&uid));
            }
            Step::NewValidity(folder) => self.folders[folder].new_validity(),
            Step::Run { batches, delete } => {
                self.run(options(delete), batches);
            }
        }
    }
}

fn theirs(world: &World, folder: usize) -> Vec<Mail> {
    sorted(world.folders[folder].mails.values().cloned().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_end_is_what_the_source_has(steps in prop::collection::vec(step(), 0..40)) {
        let mut world = World::new(FOLDERS.iter().map(|name| Theirs::new(name, None)).collect());
        steps.iter().for_each(|step| world.apply(step));
        world.all(options(true));
        for (folder, name) in HERE.iter().enumerate() {
            prop_assert_eq!(sorted(world.here(name)), theirs(&world, folder));
        }
        let again = world.all(options(true));
        prop_assert!(again.iter().all(|(_, counts)| counts.new + counts.flags + counts.removed == 0), "{:?}", again);
        prop_assert_eq!(world.store.check(&mut |_, _| {}).unwrap(), []);
    }

    #[test]
    fn interrupted_runs_give_the_same_as_one(
        mails in prop::collection::vec((0..3usize, 0..5u8), 0..30),
        alone in prop::collection::vec(5..9u8, 0..6),
        runs in prop::collection::vec(0..9usize, 0..6),
        changed in any::<bool>(),
    ) {
        let mut folders: Vec<Theirs> = FOLDERS.iter().map(|name| Theirs::new(name, None)).collect();
        let mut view = Theirs::new("All", Some(SpecialUse::All));
        for (folder, number) in mails {
            folders[folder].add(mail(number));
            view.add(mail(number));
        }
        alone.into_iter().for_each(|number| view.add(mail(number)));
        folders.push(view);
        let mut many = World::new(folders.clone());
        for (nth, batches) in runs.into_iter().enumerate() {
            many.run(options(false), batches);
            if nth == 1 && changed {
                many.folders.iter_mut().for_each(Theirs::new_validity);
            }
        }
        many.all(options(false));
        let one = World::new(folders);
        one.all(options(false));
        for name in HERE.iter().chain(&["Archive"]) {
            let (mut many, mut one) = (many.here(name), one.here(name));
            if changed {
                (many, one) = (sorted(many), sorted(one));
            }
            prop_assert_eq!(many, one);
        }
    }
}
