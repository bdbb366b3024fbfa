//! How flags are changed.

use crate::{FlagSet, Keyword};

/// How STORE changes flags.
#[derive(Clone, Debug)]
pub struct FlagChange {
    /// What is done with the given ones.
    pub mode: FlagMode,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known.
    pub keywords: Vec<Keyword>,
}

/// What STORE does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagMode {
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
    /// FLAGS
    Replace,
}
