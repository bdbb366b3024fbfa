use super::*;
use engine::MemoryEngine;
use std::sync::Arc;

fn message(number: i64) -> Accepted {
    Accepted {
        id: format!("t.{number}"),
        message_id: Some(format!("<{number}@x.test>")),
        reverse_path: "anna@x.test".into(),
        account: Some(7),
        at: 1000 + number,
        recipients: vec!["Team@x.test".into()],
        places: vec![
            Placed { recipient: Some(0), place: Place::Mailbox(8) },
            Placed { recipient: None, place: Place::Queue(10, "far@y.test".into()) },
        ],
    }
}

fn queue() -> Queue {
    Queue::new(Arc::new(MemoryEngine::default()))
}

/// Everything that is known, oldest first.
fn known(queue: &Queue, wanted: &dyn Fn(&Accepted) -> bool) -> Vec<String> {
    let lately = queue.accepted_lately(wanted);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (page, last) = queue.accepted(wanted, after).unwrap();
        found.extend(page);
        after = last;
        if last.is_none() {
            break;
        }
    }
    let new = lately.into_iter().filter(|one| !found.contains(one)).collect::<Vec<_>>();
    found.into_iter().chain(new).map(|one| one.id).collect()
}

const KEEP: Keep = Keep { messages: 1000, seconds: 100 };

#[test]
fn what_is_noted_is_found_before_and_after_it_is_written() {
    let queue = queue();
    assert!(!queue.write_accepted(KEEP).unwrap(), "nothing to write");
    for number in 0..3 {
        queue.note_accepted(message(number));
    }
    let all = ["t.0", "t.1", "t.2"];
    assert_eq!(known(&queue, &|_| true), all);
    assert!(!queue.write_accepted(KEEP).unwrap());
    assert_eq!(known(&queue, &|_| true), all);
    assert!(queue.accepted_lately(&|_| true).is_empty());
    queue.note_accepted(message(3));
    assert_eq!(known(&queue, &|one| one.at > 1001), ["t.2", "t.3"]);
    let of = |address: &str, account: Option<u32>| {
        known(&queue, &|one| one.concerns(address, account.map(AccountId))).len()
    };
    assert_eq!([of("anna@x.test", None), of("team@x.test", None), of("far@y.test", None)], [4, 4, 4]);
    assert_eq!(
        [of("other@x.test", Some(7)), of("other@x.test", Some(8)), of("other@x.test", Some(9))],
        [4, 4, 0]
    );
    assert_eq!(queue.check().unwrap(), [""; 0]);
}

#[test]
fn what_is_kept_is_bounded_in_number_time_and_size() {
    let queue = queue();
    let mut large = message(0);
    large.recipients = vec!["a".repeat(200); 1000];
    large.places = vec![Placed { recipient: None, place: Place::Refused("é".repeat(1000)) }; 1000];
    queue.note_accepted(large);
    let kept = queue.accepted_lately(&|_| true);
    assert_eq!((kept[0].recipients.len(), kept[0].places.len()), (200, 200));
    assert!(matches!(&kept[0].places[0].place, Place::Refused(text) if text.len() == 300));
    // Each is larger than a value should be: they are written one by one all the same.
    queue.note_accepted(Accepted { id: "t.x".into(), ..kept[0].clone() });
    assert!(queue.write_accepted(KEEP).unwrap() && !queue.write_accepted(KEEP).unwrap());
    assert_eq!(known(&queue, &|_| true), ["t.0", "t.x"]);
    for number in 1..=20 {
        queue.note_accepted(message(number));
        queue.write_accepted(Keep { messages: 5, ..KEEP }).unwrap();
    }
    assert_eq!(known(&queue, &|_| true), ["t.16", "t.17", "t.18", "t.19", "t.20"]);
    let forget = |keep, at| queue.forget_accepted(keep, UnixTime(at)).wait().unwrap();
    assert!(!forget(KEEP, 1117) && known(&queue, &|_| true) == ["t.18", "t.19", "t.20"]);
    assert!(!forget(Keep { messages: 0, ..KEEP }, 1117) && known(&queue, &|_| true).is_empty());
    queue.note_accepted(message(21));
    assert!(!queue.write_accepted(Keep { messages: 0, ..KEEP }).unwrap());
    assert!(known(&queue, &|_| true).is_empty(), "nothing is kept");
}

#[test]
fn what_can_not_be_written_is_noted_still_and_bounded() {
    let engine = Arc::new(MemoryEngine::default());
    let queue = Queue::new(engine.clone());
    let room = WAITING_BYTES_MAX / message(0).weight();
    for number in 0..room as i64 + 3 {
        queue.note_accepted(message(number));
    }
    let kept = queue.accepted_lately(&|_| true);
    assert!(kept[0].id != "t.0" && kept.len() <= room, "the oldest went: {}", kept[0].id);
    assert!(kept.iter().map(Accepted::weight).sum::<usize>() <= WAITING_BYTES_MAX);
    assert!(queue.write_accepted(Keep::default()).unwrap(), "some at a time");
    let left = queue.accepted_lately(&|_| true).len();
    assert!((kept.len() - 1000..kept.len() - 100).contains(&left), "{left} of {}", kept.len());
    engine.crash();
    assert!(queue.write_accepted(Keep::default()).is_err());
    assert_eq!(queue.accepted_lately(&|_| true).len(), left);
}

#[test]
fn what_only_went_on_is_left_to_the_queues_history() {
    let mut one = message(0);
    assert!(!one.is_relayed(), "a mailbox");
    one.places.remove(0);
    assert!(!one.is_relayed(), "for another address than was written");
    one.places[0].recipient = Some(0);
    assert!(one.is_relayed());
}
