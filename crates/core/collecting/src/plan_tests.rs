//! Plans against a model of a source that gets mail, loses it, names it anew and breaks off; and single cases.

use crate::plan::{Circumstances, Coverage, Former, Listed, Plan, Planner};
use crate::{Fate, Keep, Name, Note};
use model::UnixTime;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};

const DAY: i64 = 86_400;

fn uid(validity: u32, uid: u32) -> Name {
    Name::Uid { validity, uid }
}

fn listed(name: Name) -> Listed {
    Listed { name: Some(name), size: 10 }
}

fn noted(collected: i64, content: u8) -> Note {
    Note { collected, digest: [content; 16], fate: Fate::Collected }
}

fn plan(
    listing: &[Listed],
    coverage: Coverage,
    notes: &BTreeMap<Name, Note>,
    circumstances: Circumstances<'_>,
) -> Plan {
    let mut planner = Planner::new(listing.iter().copied(), coverage, circumstances);
    notes.iter().for_each(|(name, note)| planner.noted(*name, note));
    planner.plan(listing.iter().copied())
}

fn make(listing: &[Listed], coverage: Coverage, notes: &BTreeMap<Name, Note>, keep: Keep, now: i64) -> Plan {
    plan(
        listing,
        coverage,
        notes,
        Circumstances { keep, now: UnixTime(now), size_max: 100, stuck: &[uid(1, 7)] },
    )
}

fn places(plan: &Plan) -> Vec<usize> {
    plan.collect.iter().map(|task| task.at).collect()
}

#[test]
fn new_is_collected_old_is_deleted_in_time() {
    let notes =
        BTreeMap::from([(uid(1, 1), noted(0, 1)), (uid(1, 2), noted(DAY, 2)), (uid(1, 3), noted(DAY, 3))]);
    let listing = [uid(1, 7), uid(1, 1), uid(1, 2), uid(1, 8)].map(listed);
    let at = |keep, now| make(&listing, Coverage::All, &notes, keep, now);
    let plan = at(Keep::Forever, 9 * DAY);
    assert_eq!((places(&plan), plan.delete), (vec![3, 0], vec![]), "the one that broke a run comes last");
    assert_eq!(plan.former.names(), [uid(1, 3)]);
    assert_eq!(at(Keep::Days(2), 2 * DAY).delete, [1]);
    assert!(at(Keep::Days(2), 2 * DAY - 1).delete.is_empty());
    assert!(at(Keep::Days(2), 0).delete.is_empty(), "a clock that jumped back");
    assert_eq!(at(Keep::Nothing, 0).delete, [1, 2]);
    let huge = [Listed { name: Some(uid(1, 9)), size: 101 }, listed(uid(1, 10))];
    let plan = make(&huge, Coverage::All, &notes, Keep::Nothing, 0);
    assert_eq!((plan.too_large.clone(), places(&plan)), (vec![0], vec![1]));
}

#[test]
fn what_a_part_does_not_show_may_be_there() {
    let notes = BTreeMap::from([(uid(1, 1), noted(0, 1)), (uid(1, 2), noted(DAY, 2))]);
    let listing = [uid(1, 3), uid(1, 2)].map(listed);
    let plan = make(&listing, Coverage::New, &notes, Keep::Days(0), DAY);
    assert_eq!((places(&plan), plan.delete, plan.former), (vec![0], vec![1], Former::default()));
}

#[test]
fn a_name_for_two_names_neither() {
    let same = Name::of_uidl(b"x");
    let notes = BTreeMap::from([(same, noted(0, 1))]);
    let plan = make(&[listed(same), listed(same)], Coverage::All, &notes, Keep::Nothing, 0);
    assert!(plan.delete.is_empty());
    assert!(plan.collect.iter().all(|task| task.name.is_none()));
    assert_eq!((places(&plan), plan.former.names()), (vec![0, 1], vec![same]));
}

#[test]
fn what_went_in_circles_is_never_deleted() {
    let circled = Note { fate: Fate::Circled, ..noted(0, 1) };
    let notes = BTreeMap::from([(uid(1, 1), circled)]);
    let plan = make(&[listed(uid(1, 1))], Coverage::All, &notes, Keep::Nothing, DAY);
    assert_eq!((plan.delete, plan.collect), (vec![], vec![]));
}

#[test]
fn each_former_name_is_taken_once() {
    let notes = BTreeMap::from([(uid(1, 1), noted(0, 1)), (uid(1, 2), noted(0, 1))]);
    let mut former = make(&[], Coverage::All, &notes, Keep::Forever, 0).former;
    assert!(former.take_named([1; 16], uid(1, 2)));
    assert!(!former.take_named([1; 16], uid(1, 2)));
    assert_eq!(
        (former.take([1; 16]), former.take([1; 16]), former.take([2; 16])),
        (Some(uid(1, 1)), None, None)
    );
}

/// What happens at a source between runs, and when a run breaks.
#[derive(Clone, Debug)]
enum Step {
    Comes,
    UserDeletes(u8),
    NamedAnew,
    Run { breaks_after: u8, deletes_stand: bool },
    DayPasses,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Comes),
        1 => any::<u8>().prop_map(Step::UserDeletes),
        1 => Just(Step::NamedAnew),
        4 => (0_u8..12, any::<bool>())
            .prop_map(|(breaks_after, deletes_stand)| Step::Run { breaks_after, deletes_stand }),
        1 => Just(Step::DayPasses),
    ]
}

#[derive(Default)]
struct World {
    now: i64,
    validity: u32,
    next_uid: u32,
    serial: u32,
    /// UID and content, which is a number of its own for each message.
    source: Vec<(u32, u32)>,
    notes: BTreeMap<Name, Note>,
    /// How often each content was put into the account.
    delivered: HashMap<u32, u32>,
}

fn digest(content: u32) -> [u8; 16] {
    crate::digest(&content.to_be_bytes())
}

impl World {
    /// A run that breaks after so many steps that are durable each for itself.
    fn run(
        &mut self,
        keep: Keep,
        nameless: bool,
        breaks_after: u8,
        deletes_stand: bool,
    ) -> Result<(), TestCaseError> {
        let mut left = breaks_after;
        let mut goes_on = || {
            left = left.saturating_sub(1);
            left > 0
        };
        let name =
            |(uid, _): &(u32, u32)| (!nameless).then_some(Name::Uid { validity: self.validity, uid: *uid });
        let listing: Vec<Listed> =
            self.source.iter().map(|message| Listed { name: name(message), size: 1 }).collect();
        let contents: Vec<u32> = self.source.iter().map(|(_, content)| *content).collect();
        let circumstances = Circumstances { keep, now: UnixTime(self.now), size_max: 100, stuck: &[] };
        let mut plan = plan(&listing, Coverage::All, &self.notes, circumstances);
        let mut gone = plan.delete.clone();
        let mut finished = true;
        let mut ordinals: HashMap<u32, u32> = HashMap::new();
        for task in &plan.collect {
            if !goes_on() {
                finished = false;
                break;
            }
            let content = contents[task.at];
            let name = task.name.unwrap_or_else(|| {
                let ordinal = ordinals.entry(content).or_default();
                *ordinal += 1;
                Name::of_content(digest(content), *ordinal)
            });
            let mut note = Note { collected: self.now, digest: digest(content), fate: Fate::Collected };
            if let Some(known) = self.notes.get(&name) {
                plan.former.take_named(digest(content), name);
                note = *known;
            } else if let Some(former) = plan.former.take(digest(content)) {
                note = self.notes.remove(&former).unwrap();
                self.notes.insert(name, note);
            } else {
                // Message and note are one commit.
                *self.delivered.entry(content).or_default() += 1;
                self.notes.insert(name, note);
            }
            if crate::plan::is_due(&note, keep, UnixTime(self.now)) {
                gone.push(task.at);
            }
        }
        // POP3 deletes at the end or not at all.
        if finished || deletes_stand {
            gone.sort_unstable();
            for at in gone.into_iter().rev() {
                let (_, content) = self.source.remove(at);
                prop_assert!(self.delivered.contains_key(&content), "deleted, but never collected");
            }
        }
        if finished {
            for name in plan.former.names() {
                self.notes.remove(&name);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn nothing_is_lost_and_nothing_doubled(
        steps in prop::collection::vec(step(), 1..60),
        keep in prop_oneof![Just(Keep::Forever), Just(Keep::Days(2)), Just(Keep::Nothing)],
        nameless: bool,
    ) {
        let mut world = World { validity: 1, next_uid: 1, ..World::default() };
        let mut taken_away = 0_u32;
        for step in steps {
            match step {
                Step::Comes => {
                    world.serial += 1;
                    world.source.push((world.next_uid, world.serial));
                    world.next_uid += 1;
                }
                Step::UserDeletes(which) if !world.source.is_empty() => {
                    let at = usize::from(which) % world.source.len();
                    let (_, content) = world.source.remove(at);
                    taken_away += u32::from(!world.delivered.contains_key(&content));
                }
                Step::NamedAnew => {
                    world.validity += 1;
                    for (at, (uid, _)) in world.source.iter_mut().enumerate() {
                        *uid = at as u32 + 1;
                    }
                    world.next_uid = world.source.len() as u32 + 1;
                }
                Step::Run { breaks_after, deletes_stand } => {
                    world.run(keep, nameless, breaks_after, deletes_stand)?;
                }
                Step::DayPasses => world.now += DAY,
                Step::UserDeletes(_) => {}
            }
            prop_assert!(world.delivered.values().all(|times| *times == 1), "doubled: {:?}", world.delivered);
        }
        world.run(keep, nameless, u8::MAX, true)?;
        prop_assert!(world.delivered.values().all(|times| *times == 1), "doubled: {:?}", world.delivered);
        prop_assert_eq!(world.delivered.len() as u32 + taken_away, world.serial);
        prop_assert!(world.notes.len() <= world.serial as usize);
        world.run(keep, nameless, u8::MAX, true)?;
        prop_assert_eq!(world.notes.len(), world.source.len(), "a note for each that is there");
    }
}
