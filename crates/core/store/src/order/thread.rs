//! THREAD (RFC 5256 §3, BASE.6.4.THREAD; REFS: draft-ietf-morg-inthread §4).
//!
//! A node is a message (numbered by its place in the mailbox's order) or a dummy behind them, for an identifier that no
//! message has. Work is linear in messages and references but for sorting and for the loop check, which a link-cut forest
//! answers in logarithmic time however deep the threads are. Nothing recurses.

use super::forest::{Forest, NONE};
use super::record::OrderValue;
use super::sort::Texts;
use model::{Collation, ThreadAlgorithm, ThreadNode, Uid, UnixTime};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Takes in the messages of a mailbox in ascending order of UID, and threads them.
pub(super) struct Threader {
    algorithm: ThreadAlgorithm,
    sent: Vec<UnixTime>,
    received: Vec<UnixTime>,
    subjects: Texts,
    is_reply: Vec<bool>,
    ids: Vec<Option<u64>>,
    /// All references one behind the other, and where those of each message end.
    references: Vec<u64>,
    ends: Vec<usize>,
}

impl Threader {
    pub(super) fn new(algorithm: ThreadAlgorithm, collation: Collation) -> Threader {
        Threader {
            algorithm,
            sent: Vec::new(),
            received: Vec::new(),
            subjects: Texts::new(collation),
            is_reply: Vec::new(),
            ids: Vec::new(),
            references: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, received: UnixTime, record: Option<&OrderValue<'_>>) {
        self.sent.push(super::sent(received, record));
        self.received.push(received);
        if self.algorithm != ThreadAlgorithm::Refs {
            self.subjects.push(record.map_or("", |record| record.text(super::record::Text::Subject)));
        }
        if self.algorithm != ThreadAlgorithm::OrderedSubject {
            self.is_reply.push(record.is_some_and(|record| record.is_reply));
            self.ids.push(record.and_then(|record| record.id));
            self.references.extend(record.iter().flat_map(|record| record.references()));
            self.ends.push(self.references.len());
        }
    }

    /// The threads; `there` are the messages by place.
    pub(super) fn finish(self, there: &[Uid]) -> Vec<ThreadNode> {
        let mut by_date: Vec<u32> = (0..there.len() as u32).collect();
        by_date.sort_unstable_by_key(|place| (self.sent[*place as usize], *place));
        let tree = match self.algorithm {
            ThreadAlgorithm::OrderedSubject => self.by_subject(&by_date),
            ThreadAlgorithm::References | ThreadAlgorithm::Refs => self.by_references(&by_date),
        };
        tree.list(there)
    }

    fn references_of(&self, place: usize) -> &[u64] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.references[start..self.ends[place]]
    }

    /// ORDEREDSUBJECT: within a subject the earliest is the parent of all others. Threads stand in the order in which
    /// their subjects first come.
    fn by_subject(&self, by_date: &[u32]) -> Tree {
        let mut tree =
            Tree { parents: vec![NONE; by_date.len()], roots: Vec::new(), siblings: by_date.to_vec() };
        let mut first: HashMap<&[u8], u32> = HashMap::with_capacity(by_date.len());
        for place in by_date {
            match first.entry(self.subjects.get(*place as usize)) {
                Entry::Occupied(first) => tree.parents[*place as usize] = *first.get(),
                Entry::Vacant(new) => {
                    new.insert(*place);
                    tree.roots.push(*place);
                }
            }
        }
        tree
    }

    fn by_references(&self, by_date: &[u32]) -> Tree {
        let mut tree = prune(self.link(), by_date);
        let messages = by_date.len();
        let mut rank = vec![0; messages];
        by_date.iter().zip(0..).for_each(|(place, at)| rank[*place as usize] = at);
        if self.algorithm == ThreadAlgorithm::References {
            // Step 4.
            let firsts = first_children(&tree, messages, &rank);
            tree.roots.sort_unstable_by_key(|root| rank_of(*root, &rank, &firsts));
            self.gather_subjects(&mut tree, &firsts);
        }
        // Step 6: siblings are listed by date; the roots are sorted here.
        let firsts = first_children(&tree, messages, &rank);
        match self.algorithm {
            ThreadAlgorithm::Refs => {
                let newest = self.newest_arrivals(&tree);
                let key = |root: &u32| (newest[*root as usize], rank_of(*root, &rank, &firsts));
                tree.roots.sort_unstable_by_key(key);
            }
            _ => tree.roots.sort_unstable_by_key(|root| rank_of(*root, &rank, &firsts)),
        }
        tree
    }

    /// Step 1: links messages and dummies as parents and children. Answers the parent of each node.
    fn link(&self) -> Vec<u32> {
        let messages = self.ids.len();
        // Keyed at random: nobody can choose identifiers that make it slow.
        let mut nodes: HashMap<u64, u32> = HashMap::with_capacity(messages);
        for (place, id) in self.ids.iter().enumerate() {
            // Of messages with the same identifier only the first has it; the others are as if they had one of their own.
            if let Some(id) = id {
                nodes.entry(*id).or_insert(place as u32);
            }
        }
        let mut forest = Forest::new(messages);
        let mut chain = Vec::new();
        for place in 0..messages {
            chain.clear();
            for reference in self.references_of(place) {
                chain.push(*nodes.entry(*reference).or_insert_with(|| forest.add()));
            }
            // A
            for pair in chain.windows(2) {
                if forest.parent(pair[1]) == NONE {
                    forest.link_unless_loop(pair[1], pair[0]);
                }
            }
            // B
            let message = place as u32;
            let last = chain.last().copied().unwrap_or(NONE);
            if forest.parent(message) != NONE && forest.parent(message) != last {
                forest.cut(message);
            }
            if last != NONE && forest.parent(message) == NONE {
                forest.link_unless_loop(message, last);
            }
        }
        forest.into_parents()
    }

    /// Step 5: threads of the same subject become one. The roots stand in the order of step 4.
    fn gather_subjects(&self, tree: &mut Tree, firsts: &[u32]) {
        let messages = self.sent.len();
        let is_dummy = |node: u32| node as usize >= messages;
        let speaker = |root: u32| if is_dummy(root) { firsts[root as usize - messages] } else { root };
        let roots = std::mem::take(&mut tree.roots);
        let mut table: HashMap<&[u8], u32> = HashMap::with_capacity(roots.len());
        let is_reply = |root: u32| self.is_reply[speaker(root) as usize];
        for root in &roots {
            let subject = self.subjects.get(speaker(*root) as usize);
            if subject.is_empty() {
                continue;
            }
            let there = table.entry(subject).or_insert(*root);
            let wins = is_dummy(*root) || (is_reply(*there) && !is_reply(*root));
            if !is_dummy(*there) && wins {
                *there = *root;
            }
        }
        // Dummies whose children went to another one: that one.
        let mut absorbed: Vec<u32> = vec![NONE; tree.parents.len() - messages];
        for root in &roots {
            let subject = self.subjects.get(speaker(*root) as usize);
            let Some(there) = table.get_mut(subject).filter(|_| !subject.is_empty()) else { continue };
            if *there == *root || tree.parents[*root as usize] != NONE {
                continue;
            }
            if is_dummy(*there) && is_dummy(*root) {
                absorbed[*root as usize - messages] = *there;
            } else if is_dummy(*there) || (is_reply(*root) && !is_reply(*there)) {
                tree.parents[*root as usize] = *there;
            } else {
                let dummy = tree.parents.len() as u32;
                tree.parents.push(NONE);
                tree.parents[*root as usize] = dummy;
                tree.parents[*there as usize] = dummy;
                *there = dummy;
            }
        }
        let known = absorbed.len();
        for parent in tree.parents.iter_mut().filter(|parent| **parent != NONE && is_dummy(**parent)) {
            let dummy = *parent as usize - messages;
            if dummy < known && absorbed[dummy] != NONE {
                *parent = absorbed[dummy];
            }
        }
        let is_absorbed = |root: u32| {
            is_dummy(root) && absorbed.get(root as usize - messages).is_some_and(|other| *other != NONE)
        };
        let all = roots.into_iter().chain((messages + known) as u32..tree.parents.len() as u32);
        tree.roots = all.filter(|root| tree.parents[*root as usize] == NONE && !is_absorbed(*root)).collect();
    }

    /// By root, when the newest message of its thread came.
    fn newest_arrivals(&self, tree: &Tree) -> Vec<UnixTime> {
        let mut newest: Vec<UnixTime> = self.received.clone();
        newest.resize(tree.parents.len(), UnixTime(i64::MIN));
        // Children before their parents.
        for node in tree.children().preorder(&tree.roots).into_iter().rev() {
            let parent = tree.parents[node.0 as usize];
            if parent != NONE {
                newest[parent as usize] = newest[parent as usize].max(newest[node.0 as usize]);
            }
        }
        newest
    }
}

/// A forest as it is going to be told.
struct Tree {
    /// By node; NONE for roots, and for dummies that are left out.
    parents: Vec<u32>,
    roots: Vec<u32>,
    /// All messages, siblings in the order in which they are told.
    siblings: Vec<u32>,
}

/// Steps 2 and 3: dummies go, and their children take their places, but for those at the top with several children.
fn prune(parents: Vec<u32>, by_date: &[u32]) -> Tree {
    let messages = by_date.len();
    let is_dummy = |node: u32| node as usize >= messages;
    // By dummy: the nearest message above it, or else the topmost dummy.
    let mut above: Vec<u32> = vec![NONE; parents.len() - messages];
    let mut path = Vec::new();
    for start in messages as u32..parents.len() as u32 {
        path.clear();
        let mut node = start;
        let found = loop {
            if !is_dummy(node) {
                break node;
            }
            let known = above[node as usize - messages];
            if known != NONE {
                break known;
            }
            path.push(node);
            match parents[node as usize] {
                NONE => break node,
                parent => node = parent,
            }
        };
        path.iter().for_each(|dummy| above[*dummy as usize - messages] = found);
    }
    let mut tree = Tree { parents, roots: Vec::new(), siblings: by_date.to_vec() };
    let mut children = vec![0_u32; above.len()];
    for place in 0..messages {
        let parent = tree.parents[place];
        if parent == NONE || !is_dummy(parent) {
            continue;
        }
        let parent = above[parent as usize - messages];
        tree.parents[place] = parent;
        if is_dummy(parent) {
            children[parent as usize - messages] += 1;
        }
    }
    for place in 0..messages {
        let parent = tree.parents[place];
        if parent != NONE && is_dummy(parent) && children[parent as usize - messages] == 1 {
            tree.parents[place] = NONE;
        }
    }
    tree.parents[messages..].fill(NONE);
    let kept = (messages as u32..).zip(&children).filter(|(_, children)| **children > 1);
    let kept = kept.map(|(dummy, _)| dummy);
    let heads = (0..messages as u32).filter(|place| tree.parents[*place as usize] == NONE);
    tree.roots = heads.chain(kept).collect();
    tree
}

/// By dummy: its earliest child.
fn first_children(tree: &Tree, messages: usize, rank: &[u32]) -> Vec<u32> {
    let mut firsts = vec![NONE; tree.parents.len() - messages];
    for (place, parent) in tree.parents[..messages].iter().enumerate() {
        if *parent == NONE || (*parent as usize) < messages {
            continue;
        }
        let first = &mut firsts[*parent as usize - messages];
        if *first == NONE || rank[place] < rank[*first as usize] {
            *first = place as u32;
        }
    }
    firsts
}

/// Where a root stands by date: a dummy where its first child does.
fn rank_of(root: u32, rank: &[u32], firsts: &[u32]) -> u32 {
    match (root as usize).checked_sub(rank.len()) {
        None => rank[root as usize],
        Some(dummy) => firsts.get(dummy).and_then(|first| rank.get(*first as usize)).copied().unwrap_or(NONE),
    }
}

/// Children by parent, in order.
struct Children {
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Children {
    fn of(&self, node: u32) -> &[u32] {
        &self.nodes[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    /// All nodes with their depths, parents first.
    fn preorder(&self, roots: &[u32]) -> Vec<(u32, u32)> {
        let mut listed = Vec::with_capacity(self.starts.len());
        let mut left: Vec<(u32, u32)> = roots.iter().rev().map(|root| (*root, 0)).collect();
        while let Some((node, depth)) = left.pop() {
            listed.push((node, depth));
            left.extend(self.of(node).iter().rev().map(|child| (*child, depth + 1)));
        }
        listed
    }
}

impl Tree {
    fn children(&self) -> Children {
        let mut starts = vec![0_u32; self.parents.len() + 1];
        let parents = || self.siblings.iter().map(|node| (*node, self.parents[*node as usize]));
        for (_, parent) in parents().filter(|(_, parent)| *parent != NONE) {
            starts[parent as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut nodes = vec![0; starts.last().map_or(0, |end| *end as usize)];
        let mut free = starts.clone();
        for (node, parent) in parents().filter(|(_, parent)| *parent != NONE) {
            nodes[free[parent as usize] as usize] = node;
            free[parent as usize] += 1;
        }
        Children { starts, nodes }
    }

    fn list(&self, there: &[Uid]) -> Vec<ThreadNode> {
        let listed = self.children().preorder(&self.roots);
        listed
            .into_iter()
            .map(|(node, depth)| ThreadNode { uid: there.get(node as usize).copied(), depth })
            .collect()
    }
}
