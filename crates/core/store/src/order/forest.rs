//! Trees that are linked and cut, and still say quickly which root a node has (link-cut trees after Sleator and Tarjan,
//! without changes of root): each operation takes amortised logarithmic time whatever the depth.
//!
//! Each path from some node up is kept as a splay tree by depth; the root of a splay tree points to the node above its
//! path.

/// No node.
pub(super) const NONE: u32 = u32::MAX;

pub(super) struct Forest {
    /// The trees as they are.
    parents: Vec<u32>,
    /// Above in the splay tree, or above the path.
    up: Vec<u32>,
    /// Nodes of the path that are nearer to the root, and farther from it.
    sides: Vec<[u32; 2]>,
}

impl Forest {
    /// So many trees of one node.
    pub(super) fn new(nodes: usize) -> Forest {
        Forest { parents: vec![NONE; nodes], up: vec![NONE; nodes], sides: vec![[NONE; 2]; nodes] }
    }

    /// Adds a tree of one node.
    pub(super) fn add(&mut self) -> u32 {
        self.parents.push(NONE);
        self.up.push(NONE);
        self.sides.push([NONE; 2]);
        (self.parents.len() - 1) as u32
    }

    pub(super) fn parent(&self, node: u32) -> u32 {
        self.parents[node as usize]
    }

    pub(super) fn into_parents(self) -> Vec<u32> {
        self.parents
    }

    /// Makes a root the child of `parent`, unless that is in its own tree.
    pub(super) fn link_unless_loop(&mut self, root: u32, parent: u32) {
        debug_assert!(self.parent(root) == NONE, "only a root");
        if root == parent || self.root(parent) == root {
            return;
        }
        self.expose(root);
        self.up[root as usize] = parent;
        self.parents[root as usize] = parent;
    }

    /// Makes a node the root of its own tree.
    pub(super) fn cut(&mut self, node: u32) {
        self.expose(node);
        let above = self.sides[node as usize][0];
        if above != NONE {
            self.up[above as usize] = NONE;
            self.sides[node as usize][0] = NONE;
        }
        self.parents[node as usize] = NONE;
    }

    /// The root of a node's tree.
    fn root(&mut self, node: u32) -> u32 {
        self.expose(node);
        let mut root = node;
        while self.sides[root as usize][0] != NONE {
            root = self.sides[root as usize][0];
        }
        // Pays for the way down.
        self.splay(root);
        root
    }

    /// Makes the path from the root to `node`, and nothing below it, one splay tree with `node` on top.
    fn expose(&mut self, node: u32) {
        let mut below = NONE;
        let mut at = node;
        while at != NONE {
            self.splay(at);
            self.sides[at as usize][1] = below;
            below = at;
            at = self.up[at as usize];
        }
        self.splay(node);
    }

    /// On which side of its parent in the splay tree a node is; None: it is on top.
    fn side(&self, node: u32) -> Option<usize> {
        let up = self.up[node as usize];
        if up == NONE {
            return None;
        }
        self.sides[up as usize].iter().position(|side| *side == node)
    }

    fn rotate(&mut self, node: u32, side: usize) {
        let up = self.up[node as usize];
        let top = self.up[up as usize];
        let upper_side = self.side(up);
        let moved = self.sides[node as usize][1 - side];
        self.sides[up as usize][side] = moved;
        if moved != NONE {
            self.up[moved as usize] = up;
        }
        self.sides[node as usize][1 - side] = up;
        self.up[up as usize] = node;
        self.up[node as usize] = top;
        if let Some(upper_side) = upper_side {
            self.sides[top as usize][upper_side] = node;
        }
    }

    fn splay(&mut self, node: u32) {
        while let Some(side) = self.side(node) {
            let up = self.up[node as usize];
            match self.side(up) {
                None => self.rotate(node, side),
                Some(upper) if upper == side => {
                    self.rotate(up, upper);
                    self.rotate(node, side);
                }
                Some(upper) => {
                    self.rotate(node, side);
                    self.rotate(node, upper);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Forest, NONE};
    use proptest::prelude::*;

    fn root_by_walking(parents: &[u32], mut node: u32) -> u32 {
        while parents[node as usize] != NONE {
            node = parents[node as usize];
        }
        node
    }

    proptest! {
        #[test]
        fn agrees_with_walking(work in proptest::collection::vec((0u32..12, 0u32..12, any::<bool>()), 0..200)) {
            let mut forest = Forest::new(6);
            for _ in 0..6 {
                forest.add();
            }
            let mut parents = vec![NONE; 12];
            for (node, other, cut) in work {
                if cut {
                    forest.cut(node);
                    parents[node as usize] = NONE;
                } else if parents[node as usize] == NONE {
                    forest.link_unless_loop(node, other);
                    if root_by_walking(&parents, other) != node {
                        parents[node as usize] = other;
                    }
                }
                prop_assert_eq!(&forest.parents, &parents);
            }
        }
    }

    #[test]
    fn a_path_of_a_hundred_thousand_is_quick() {
        let mut forest = Forest::new(100_000);
        for node in 1..100_000 {
            forest.link_unless_loop(node, node - 1);
            // Asks for a root far away each time.
            forest.link_unless_loop(0, node);
        }
        assert_eq!(forest.parent(0), NONE);
    }
}
