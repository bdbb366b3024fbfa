//! Writes threads (RFC 5256 §4, BASE.7.2.THREAD).
//!
//! ```text
//! thread-list    = "(" (thread-members / thread-nested) ")"
//! thread-members = nz-number *(SP nz-number) [SP thread-nested]
//! thread-nested  = 2*thread-list
//! ```

use crate::write::number;
use model::{ThreadNode, Uid};

/// Threads that are being written.
#[derive(Debug)]
pub(super) struct Forest {
    nodes: Vec<ThreadNode>,
    /// Whether a node begins a list: it begins a thread, or has siblings.
    opens: Vec<bool>,
    /// The next node.
    at: usize,
    /// For each node above the next one, whether it began a list.
    path: Vec<bool>,
}

impl Forest {
    /// Of nodes listed parents first.
    pub(super) fn new(nodes: Vec<ThreadNode>) -> Forest {
        let mut parents = Vec::with_capacity(nodes.len());
        let mut children = vec![0_u32; nodes.len()];
        let mut path: Vec<usize> = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            path.truncate(node.depth as usize);
            let parent = path.last().copied();
            parent.into_iter().for_each(|parent| children[parent] += 1);
            parents.push(parent);
            path.push(at);
        }
        let opens = parents.iter().map(|parent| parent.is_none_or(|parent| children[parent] > 1)).collect();
        Forest { nodes, opens, at: 0, path: Vec::new() }
    }

    /// Appends what fits into `limit` octets of output, with the end of the line behind the last; whether that was all.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, limit: usize, shown: &dyn Fn(&Uid) -> u32) -> bool {
        while let Some(node) = self.nodes.get(self.at).copied() {
            if out.len() >= limit {
                return false;
            }
            self.close(out, node.depth as usize);
            let opens = self.opens[self.at];
            // A space stands behind "* THREAD" and behind each number.
            let above = self.at.checked_sub(1).map(|before| self.nodes[before]);
            let follows = above.is_none_or(|above| above.depth < node.depth && above.uid.is_some());
            if follows || !opens {
                out.push(b' ');
            }
            if opens {
                out.push(b'(');
            }
            if let Some(uid) = &node.uid {
                number(out, u64::from(shown(uid)));
            }
            self.path.push(opens);
            self.at += 1;
        }
        self.close(out, 0);
        out.extend_from_slice(b"\r\n");
        true
    }

    /// Ends the lists that were begun below that depth.
    fn close(&mut self, out: &mut Vec<u8>, depth: usize) {
        for opened in self.path.drain(depth.min(self.path.len())..) {
            if opened {
                out.push(b')');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Depth and number; 0 is a dummy.
    fn written(nodes: &[(u32, u32)]) -> String {
        let nodes: Vec<ThreadNode> = nodes
            .iter()
            .map(|(depth, uid)| ThreadNode { uid: (*uid > 0).then_some(Uid(*uid)), depth: *depth })
            .collect();
        let mut out = Vec::new();
        let mut forest = Forest::new(nodes.clone());
        assert!(forest.write(&mut out, usize::MAX, &|uid| uid.0));
        // A piece at a time it is the same.
        let (mut piece, mut pieces) = (Vec::new(), Vec::new());
        let mut forest = Forest::new(nodes);
        while !forest.write(&mut piece, 1, &|uid| uid.0) {
            pieces.append(&mut piece);
        }
        pieces.append(&mut piece);
        assert_eq!(out, pieces);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn examples_of_rfc_5256() {
        let tree = [(0, 2), (0, 3), (1, 6), (2, 4), (3, 23), (2, 44), (3, 7), (4, 96)];
        assert_eq!(written(&tree), " (2)(3 6 (4 23)(44 7 96))\r\n");
        assert_eq!(written(&[(0, 0), (1, 3), (1, 5)]), " ((3)(5))\r\n");
        assert_eq!(written(&[]), "\r\n");
        let tree = [(0, 0), (1, 188), (2, 184), (2, 189), (1, 185), (2, 186), (0, 190)];
        assert_eq!(written(&tree), " ((188 (184)(189))(185 186))(190)\r\n");
    }

    #[test]
    fn a_thread_of_a_hundred_thousand() {
        let tree: Vec<(u32, u32)> = (0..100_000).map(|at| (at, at + 1)).collect();
        let text = written(&tree);
        assert!(text.starts_with(" (1 2 3 ") && text.ends_with(" 99999 100000)\r\n"));
    }
}
