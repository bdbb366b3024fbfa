//! Slows wrong log-ins.

/// How.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Entries kept; the longest unused go first.
    pub entries_max: usize,
    /// Wrong log-ins of one address that may be held back at the same time.
    pub held_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { entries_max: 100_000, held_max: 10 }
    }
}
