//! SORT and THREAD: against an implementation written straight from RFC 5256, which knows nothing of records, hashes and
//! bounds; records that are missing; hostile references.

use super::*;
use crate::{Ordered, SortedFor};
use model::{
    Arrangement, Collation, Comparator, Direction, SortCriterion, SortKey, ThreadAlgorithm, ThreadNode,
};
use proptest::prelude::*;

const NOBODY: SortedFor<'static> = SortedFor { user: ANNA, scores: &[] };

/// What the reference implementation looks at.
#[derive(Clone, Debug)]
struct Mail {
    sent: Option<i64>,
    received: i64,
    subject: String,
    from: String,
    id: Option<u8>,
    references: Vec<u8>,
    replies_to: Option<u8>,
    padding: usize,
}

impl Mail {
    fn text(&self) -> String {
        let mut text = format!("Subject: {}\nFrom: {} <{}@x.test>\n", self.subject, self.from, self.from);
        if let Some(sent) = self.sent {
            text.push_str(&format!("Date: Thu, 1 Jan 1970 00:00:{sent:02} +0000\n"));
        }
        if let Some(id) = self.id {
            text.push_str(&format!("Message-ID: <{id}@x>\n"));
        }
        if !self.references.is_empty() {
            let ids: Vec<String> = self.references.iter().map(|id| format!("<{id}@x>")).collect();
            text.push_str(&format!("References: {}\n", ids.join("\n ")));
        }
        if let Some(id) = self.replies_to {
            text.push_str(&format!("In-Reply-To: your mail <{id}@x> <99@x>\n"));
        }
        format!("{text}\n{}\n", "x".repeat(self.padding))
    }

    fn base(&self) -> (String, bool) {
        let base = mime::subject::base_subject_of_text(&self.subject);
        (base.text.to_ascii_uppercase(), base.is_reply_or_forward)
    }

    fn date(&self) -> i64 {
        self.sent.unwrap_or(self.received)
    }
}

/// A thread tree: the message's number, or a dummy, and its children.
#[derive(Clone, Debug, PartialEq)]
struct Tree(Option<usize>, Vec<Tree>);

/// A node of step 1.
#[derive(Debug)]
struct Node {
    message: Option<usize>,
    parent: Option<usize>,
}

fn descends(nodes: &[Node], mut node: usize, from: usize) -> bool {
    loop {
        if node == from {
            return true;
        }
        match nodes[node].parent {
            Some(parent) => node = parent,
            None => return false,
        }
    }
}

/// Step 1 of REFERENCES.
fn link(mails: &[Mail]) -> Vec<Node> {
    let mut nodes: Vec<Node> = (0..mails.len()).map(|at| Node { message: Some(at), parent: None }).collect();
    let mut known: Vec<(u8, usize)> = Vec::new();
    for (at, mail) in mails.iter().enumerate() {
        if let Some(id) = mail.id
            && known.iter().all(|(other, _)| *other != id)
        {
            known.push((id, at));
        }
    }
    for (at, mail) in mails.iter().enumerate() {
        let references: Vec<u8> = if mail.references.is_empty() {
            mail.replies_to.into_iter().collect()
        } else {
            mail.references.clone()
        };
        let mut chain = Vec::new();
        for id in references {
            let node = known.iter().find(|(other, _)| *other == id).map(|(_, node)| *node);
            chain.push(node.unwrap_or_else(|| {
                nodes.push(Node { message: None, parent: None });
                known.push((id, nodes.len() - 1));
                nodes.len() - 1
            }));
        }
        for pair in chain.windows(2) {
            if nodes[pair[1]].parent.is_none() && !descends(&nodes, pair[0], pair[1]) {
                nodes[pair[1]].parent = Some(pair[0]);
            }
        }
        nodes[at].parent = None;
        if let Some(last) = chain.last()
            && !descends(&nodes, *last, at)
        {
            nodes[at].parent = Some(*last);
        }
    }
    nodes
}

fn grow(nodes: &[Node], parent: Option<usize>) -> Vec<Tree> {
    let mine = nodes.iter().enumerate().filter(|(_, node)| node.parent == parent);
    mine.map(|(at, node)| Tree(node.message, grow(nodes, Some(at)))).collect()
}

/// Step 3, deepest first.
fn prune(trees: Vec<Tree>, at_root: bool) -> Vec<Tree> {
    let mut kept = Vec::new();
    for Tree(message, children) in trees {
        let mut children = prune(children, false);
        match message {
            Some(_) => kept.push(Tree(message, children)),
            None if children.is_empty() => {}
            None if at_root && children.len() > 1 => kept.push(Tree(None, children)),
            None => kept.append(&mut children),
        }
    }
    kept
}

fn sort_siblings(mails: &[Mail], trees: &mut [Tree]) {
    trees.iter_mut().for_each(|tree| sort_siblings(mails, &mut tree.1));
    trees.sort_by_key(|tree| (mails[head(tree)].date(), head(tree)));
}

/// The message itself, or the first child of a dummy.
fn head(tree: &Tree) -> usize {
    tree.0.unwrap_or_else(|| tree.1[0].0.expect("dummies are at the top only"))
}

/// Step 5.
fn gather(mails: &[Mail], mut roots: Vec<Tree>) -> Vec<Tree> {
    let subject = |tree: &Tree| mails[head(tree)].base().0;
    let is_reply = |tree: &Tree| tree.0.is_some_and(|message| mails[message].base().1);
    let mut table: Vec<(String, usize)> = Vec::new();
    for (at, root) in roots.iter().enumerate() {
        let subject = subject(root);
        if subject.is_empty() {
            continue;
        }
        match table.iter_mut().find(|(other, _)| *other == subject) {
            None => table.push((subject, at)),
            Some((_, there)) => {
                let known = &roots[*there];
                if known.0.is_some() && (root.0.is_none() || (is_reply(known) && !is_reply(root))) {
                    *there = at;
                }
            }
        }
    }
    let mut gone = vec![false; roots.len()];
    for at in 0..roots.len() {
        let subject = subject(&roots[at]);
        if subject.is_empty() || gone[at] {
            continue;
        }
        let there = table.iter().find(|(other, _)| *other == subject).expect("every subject").1;
        if there == at {
            continue;
        }
        gone[at] = true;
        let current = roots[at].clone();
        match (roots[there].0, current.0) {
            (None, None) => roots[there].1.extend(current.1),
            (None, Some(_)) => roots[there].1.push(current),
            _ if is_reply(&current) && !is_reply(&roots[there]) => roots[there].1.push(current),
            _ => {
                // In the place of the one in the table, which is as good as any: the top is sorted in the end.
                let other = std::mem::replace(&mut roots[there], Tree(None, Vec::new()));
                roots[there].1 = vec![other, current];
            }
        }
    }
    roots.into_iter().zip(gone).filter(|(_, gone)| !gone).map(|(root, _)| root).collect()
}

fn newest(mails: &[Mail], tree: &Tree) -> i64 {
    let own = tree.0.map_or(i64::MIN, |message| mails[message].received);
    tree.1.iter().map(|child| newest(mails, child)).max().unwrap_or(i64::MIN).max(own)
}

fn reference_threads(mails: &[Mail], algorithm: ThreadAlgorithm) -> Vec<Tree> {
    if algorithm == ThreadAlgorithm::OrderedSubject {
        let mut order: Vec<usize> = (0..mails.len()).collect();
        order.sort_by_key(|at| (mails[*at].base().0, mails[*at].date(), *at));
        let same = |a: &usize, b: &usize| mails[*a].base().0 == mails[*b].base().0;
        let mut threads: Vec<Tree> = order
            .chunk_by(same)
            .map(|group| {
                Tree(Some(group[0]), group[1..].iter().map(|at| Tree(Some(*at), Vec::new())).collect())
            })
            .collect();
        threads.sort_by_key(|tree| (mails[head(tree)].date(), head(tree)));
        return threads;
    }
    let mut roots = prune(grow(&link(mails), None), true);
    sort_siblings(mails, &mut roots);
    if algorithm == ThreadAlgorithm::References {
        roots = gather(mails, roots);
        sort_siblings(mails, &mut roots);
    } else {
        roots.sort_by_key(|tree| newest(mails, tree));
    }
    roots
}

fn listed(trees: &[Tree], depth: u32, out: &mut Vec<ThreadNode>) {
    for Tree(message, children) in trees {
        let uid = message.map(|at| Uid(u32::try_from(at).unwrap() + 1));
        out.push(ThreadNode { uid, depth });
        listed(children, depth + 1, out);
    }
}

fn key(mail: &Mail, key: &SortKey) -> (i64, String) {
    match key {
        SortKey::Arrival => (mail.received, String::new()),
        SortKey::Date => (mail.date(), String::new()),
        SortKey::Size => (mail.text().replace('\n', "\r\n").len() as i64, String::new()),
        SortKey::Subject => (0, mail.base().0),
        SortKey::From | SortKey::DisplayFrom => (0, mail.from.to_ascii_uppercase()),
        SortKey::Cc | SortKey::To | SortKey::DisplayTo | SortKey::Relevancy | SortKey::Annotation(_) => {
            (0, String::new())
        }
    }
}

fn reference_sort(mails: &[Mail], criteria: &[SortCriterion]) -> Vec<Uid> {
    let mut order: Vec<usize> = (0..mails.len()).collect();
    order.sort_by(|a, b| {
        criteria.iter().fold(std::cmp::Ordering::Equal, |before, criterion| {
            let ordering = key(&mails[*a], &criterion.key).cmp(&key(&mails[*b], &criterion.key));
            before.then(match criterion.direction {
                Direction::Ascending => ordering,
                Direction::Descending => ordering.reverse(),
            })
        })
    });
    order.into_iter().map(|at| Uid(u32::try_from(at).unwrap() + 1)).collect()
}

fn mails() -> impl Strategy<Value = Vec<Mail>> {
    let subject = proptest::sample::select(vec![
        "",
        "a",
        "A",
        "Re: a",
        "b",
        "Fwd: b",
        "re: B (fwd)",
        "[x] b",
        "longer than eight",
        "Longer than nine",
        "Re:",
    ]);
    let mail = (
        proptest::option::of(0i64..6),
        0i64..9,
        subject,
        proptest::sample::select(vec!["anna", "Anna", "boris", "annabel"]),
        proptest::option::weighted(0.9, 0u8..12),
        proptest::collection::vec(0u8..14, 0..5),
        proptest::option::of(0u8..14),
        0usize..4,
    )
        .prop_map(|(sent, received, subject, from, id, references, replies_to, padding)| Mail {
            sent,
            received,
            subject: subject.to_owned(),
            from: from.to_owned(),
            id,
            references,
            replies_to,
            padding,
        });
    proptest::collection::vec(mail, 0..14)
}

fn criteria() -> impl Strategy<Value = Vec<SortCriterion>> {
    let direction = proptest::sample::select(vec![Direction::Ascending, Direction::Descending]);
    let criterion = (proptest::sample::select(&SortKey::EVERY[..9]), direction);
    proptest::collection::vec(criterion.prop_map(|(key, direction)| SortCriterion { key, direction }), 1..4)
}

fn stored(mails: &[Mail]) -> (Store, Arc<MemoryEngine>) {
    let (store, engine) = store();
    let messages =
        mails.iter().map(|mail| NewMessage { received: UnixTime(mail.received), ..new(&mail.text()) });
    store.append(ANNA, Target::Inbox, messages.collect(), NOW).wait().unwrap();
    (store, engine)
}

fn ordered(store: &Store, arrangement: &Arrangement) -> Ordered {
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    loop {
        match store.order(ANNA, INBOX, &everything, arrangement, Comparator::default(), NOBODY).unwrap() {
            Ordered::Preparing => {}
            ordered => return ordered,
        }
    }
}

fn threads(store: &Store, algorithm: ThreadAlgorithm) -> Vec<ThreadNode> {
    match ordered(store, &Arrangement::Threaded(algorithm)) {
        Ordered::Threaded(nodes) => nodes,
        other => panic!("{other:?}"),
    }
}

const ALGORITHMS: [ThreadAlgorithm; 3] =
    [ThreadAlgorithm::OrderedSubject, ThreadAlgorithm::References, ThreadAlgorithm::Refs];

/// As an older version left it.
fn forget_orders(store: &Store) {
    let done: engine::Pending<()> = store.engine().transact(&[ANNA], |tx| {
        (1..100).try_for_each(|doc| tx.delete(&crate::keys::order(ANNA, model::EmailId(doc))))?;
        Ok(())
    });
    done.wait().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn order_is_what_the_rfc_says(mails in mails(), criteria in criteria(), forget in any::<bool>()) {
        let (store, _) = stored(&mails);
        if forget {
            forget_orders(&store);
        }
        let sorted = Ordered::Sorted(reference_sort(&mails, &criteria));
        prop_assert_eq!(ordered(&store, &Arrangement::Sorted(criteria)), sorted);
        for algorithm in ALGORITHMS {
            let mut wanted = Vec::new();
            listed(&reference_threads(&mails, algorithm), 0, &mut wanted);
            prop_assert_eq!(threads(&store, algorithm), wanted, "{:?}", algorithm);
        }
    }
}

#[test]
fn records_come_and_go_with_their_messages() {
    let (store, _) = store();
    fill(&store, ANNA, 3);
    let records = |store: &Store| {
        let mut count = 0;
        let range = crate::keys::tag_range(ANNA, b'o');
        let mut visit = |_: &[u8], _: &[u8]| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        };
        store
            .engine()
            .snapshot()
            .unwrap()
            .scan(crate::keys::between(&range), engine::Order::Ascending, &mut visit)
            .unwrap();
        count
    };
    assert_eq!(records(&store), 3);
    store.remove(ANNA, INBOX, uids(&[2])).wait().unwrap();
    assert_eq!(records(&store), 2);
    assert_eq!(store.check(&mut |_, _| {}).unwrap(), []);
    forget_orders(&store);
    assert_eq!(store.check(&mut |_, _| {}).unwrap(), [], "none is needed before a sort");
    let by_subject = [SortCriterion { key: SortKey::Subject, direction: Direction::Descending }];
    let arrangement = Arrangement::Sorted(by_subject.to_vec());
    assert_eq!(ordered(&store, &arrangement), Ordered::Sorted(vec![Uid(3), Uid(1)]));
    // Written behind the answer.
    let nothing: engine::Pending<()> = store.engine().transact(&[ANNA], |_| Ok(()));
    nothing.wait().unwrap();
    assert_eq!(records(&store), 2);
    let stray: engine::Pending<()> = store.engine().transact(&[ANNA], |tx| {
        tx.put(&crate::keys::order(ANNA, model::EmailId(77)), b"?")?;
        Ok(())
    });
    stray.wait().unwrap();
    assert_eq!(store.check(&mut |_, _| {}).unwrap().len(), 2, "damaged, and of no message");
}

/// RFC 5255 §4.2; an inverted order: RFC 4790 §3.3.
#[test]
fn collations_order_texts() {
    use Collation::{AsciiCasemap, Octet, UnicodeCasemap};
    let (store, _) = store();
    let subjects = ["b", "A", "a", "B", "\u{e9}", "\u{c9}", "\u{df}", "SS"];
    let mail = |subject: &str| new(&format!("Subject: {subject}\nFrom: {subject}@x\n\nx\n"));
    store.append(ANNA, Target::Inbox, subjects.map(mail).into(), NOW).wait().unwrap();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let order = |arrangement: &Arrangement, collation, direction| match store
        .order(ANNA, INBOX, &everything, arrangement, Comparator { collation, direction }, NOBODY)
        .unwrap()
    {
        Ordered::Sorted(uids) => uids.iter().map(|uid| uid.0).collect::<Vec<_>>(),
        Ordered::Threaded(nodes) => {
            nodes.iter().filter(|node| node.depth == 0).map(|node| node.uid.map_or(0, |uid| uid.0)).collect()
        }
        Ordered::Preparing => panic!("records are there"),
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    for (collation, direction, wanted) in [
        (UnicodeCasemap, up, [2, 3, 1, 4, 5, 6, 8, 7]),
        (UnicodeCasemap, down, [7, 8, 5, 6, 1, 4, 2, 3]),
        (AsciiCasemap, up, [2, 3, 1, 4, 8, 6, 7, 5]),
        (Octet, up, [2, 4, 8, 3, 1, 6, 7, 5]),
        (Octet, down, [5, 7, 6, 1, 3, 8, 4, 2]),
    ] {
        for key in [SortKey::Subject, SortKey::From] {
            let sorted = |criterion| {
                Arrangement::Sorted(vec![SortCriterion { key: key.clone(), direction: criterion }])
            };
            assert_eq!(order(&sorted(up), collation, direction), wanted, "{collation:?} {direction:?}");
            let other = if direction == up { down } else { up };
            assert_eq!(order(&sorted(down), collation, other), wanted, "{collation:?} {direction:?}");
        }
        let arrival = Arrangement::Sorted(vec![SortCriterion { key: SortKey::Arrival, direction: up }]);
        assert_eq!(order(&arrival, collation, direction), [1, 2, 3, 4, 5, 6, 7, 8]);
    }
    for algorithm in [ThreadAlgorithm::OrderedSubject, ThreadAlgorithm::References] {
        for (collation, wanted) in [(UnicodeCasemap, 5), (AsciiCasemap, 6), (Octet, 8)] {
            assert_eq!(
                order(&Arrangement::Threaded(algorithm), collation, up).len(),
                wanted,
                "{algorithm:?}"
            );
        }
    }
}

/// The example of RFC 5255 §4.6, its octets in encoded words, and the same as names.
#[test]
fn what_can_not_be_decoded_comes_last() {
    let (store, _) = store();
    let mail = |charset: &str, octets: &[u8]| {
        let word: String = octets.iter().map(|octet| format!("={octet:02X}")).collect();
        let word = format!("=?{charset}?Q?{word}?=");
        new(&format!("Subject: Re: {word}\nFrom: {word} <x@x>\nTo: {word} <y@x>\n\nx\n"))
    };
    let four = vec![
        mail("UTF-8", b"\xd0\xc0\xd0\xbd\xd0\xb4\xd1\x80\xd0\xb5\xd0\xb9"),
        mail("UTF-8", b"\xd1\x81\xd0\x95\xd0\xa0\xd0\x93\xd0\x95\xd0\x99"),
        mail("UTF-8", b"\xd0\x92\xd0\xb0\xd1\x81\xd0\xb8\xd0\xbb\xd0\xb8\xff\xb9"),
        mail("KOI8-R", b"\xe1\xcc\xc5\xcb\xd3\xc5\xca"),
    ];
    store.append(ANNA, Target::Inbox, four, NOW).wait().unwrap();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let up = Direction::Ascending;
    for key in [SortKey::Subject, SortKey::DisplayFrom, SortKey::DisplayTo] {
        for collation in [Collation::UnicodeCasemap, Collation::AsciiCasemap] {
            let arrangement = Arrangement::Sorted(vec![SortCriterion { key: key.clone(), direction: up }]);
            let comparator = Comparator { collation, direction: up };
            let sorted = store.order(ANNA, INBOX, &everything, &arrangement, comparator, NOBODY).unwrap();
            let wanted = Ordered::Sorted([4, 2, 3, 1].map(Uid).into());
            assert_eq!(sorted, wanted, "{key:?} {collation:?}");
        }
    }
}

#[test]
fn subjects_that_can_not_be_decoded_make_threads_by_their_octets() {
    let (store, _) = store();
    let subjects =
        ["=?x-none?Q?A=E9?=", "Re: =?x-none?Q?A=E9?=", "=?x-none?Q?a=E9?=", "=?iso-8859-1?Q?A=E9?="];
    let mail = |subject: &str| new(&format!("Subject: {subject}\n\nx\n"));
    store.append(ANNA, Target::Inbox, subjects.map(mail).into(), NOW).wait().unwrap();
    let roots = threads(&store, ThreadAlgorithm::OrderedSubject);
    let roots: Vec<u32> =
        roots.iter().filter(|node| node.depth == 0).filter_map(|node| node.uid.map(|uid| uid.0)).collect();
    assert_eq!(roots, [1, 3, 4]);
}

#[test]
fn many_missing_records_are_made_in_steps() {
    let (store, _) = store();
    fill(&store, ANNA, crate::ORDER_STEP_MAX + 10);
    let gone: engine::Pending<()> = store.engine().transact(&[ANNA], |tx| {
        (1..3000).try_for_each(|doc| tx.delete(&crate::keys::order(ANNA, model::EmailId(doc))))?;
        Ok(())
    });
    gone.wait().unwrap();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let arrangement = Arrangement::Threaded(ThreadAlgorithm::Refs);
    assert_eq!(
        store.order(ANNA, INBOX, &everything, &arrangement, Comparator::default(), NOBODY).unwrap(),
        Ordered::Preparing
    );
    assert!(matches!(
        store.order(ANNA, INBOX, &everything, &arrangement, Comparator::default(), NOBODY).unwrap(),
        Ordered::Threaded(_)
    ));
}

/// Chains as long as the mailbox, loops, everybody with the same identifier, and endless lists: all of it in little time.
#[test]
fn hostile_threads_are_quick() {
    const COUNT: u32 = 4000;
    let chain = |n: u32| format!("Message-ID: <{n}@x>\nReferences: <{}@x>\n\n", n + 1);
    let loops = |n: u32| format!("Message-ID: <{n}@x>\nReferences: <{n}@x> <{}@x>\n\n", (n + 1) % COUNT);
    let same = |_: u32| "Message-ID: <same@x>\nReferences: <a@x> <b@x> <same@x>\nSubject: s\n\n".to_owned();
    let dummies = |n: u32| format!("References: <d{n}@x> <d{}@x>\n\n", n + 1);
    let kinds: [&dyn Fn(u32) -> String; 4] = [&chain, &loops, &same, &dummies];
    for kind in kinds {
        let (store, _) = store();
        let messages = (0..COUNT).map(|n| new(&kind(n))).collect();
        store.append(ANNA, Target::Inbox, messages, NOW).wait().unwrap();
        let started = std::time::Instant::now();
        for algorithm in ALGORITHMS {
            let nodes = threads(&store, algorithm);
            assert_eq!(nodes.iter().filter(|node| node.uid.is_some()).count(), COUNT as usize);
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}

#[test]
fn the_likest_come_first() {
    let (store, _) = store();
    fill(&store, ANNA, 3);
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let scores = [(Uid(1), 40), (Uid(3), 90)];
    let sorted = |direction| {
        let seen = SortedFor { user: ANNA, scores: &scores };
        let arrangement = Arrangement::Sorted(vec![SortCriterion { key: SortKey::Relevancy, direction }]);
        match store.order(ANNA, INBOX, &everything, &arrangement, Comparator::default(), seen).unwrap() {
            Ordered::Sorted(uids) => uids.into_iter().map(|uid| uid.0).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    // RFC 6203 §6
    assert_eq!(sorted(Direction::Ascending), [3, 1, 2]);
    assert_eq!(sorted(Direction::Descending), [2, 1, 3]);
}
