//! Commands about access control lists (RFC 4314 §3).

use crate::ask::RightsChange;

/// A command about an access control list (RFC 4314 §3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AclCommand {
    /// GETACL
    Get,
    /// SETACL
    Set {
        /// As written, `-` before it included.
        identifier: String,
        /// How its rights change.
        change: RightsChange,
    },
    /// DELETEACL
    Delete {
        /// As written.
        identifier: String,
    },
    /// LISTRIGHTS
    ListRights {
        /// As written.
        identifier: String,
    },
    /// MYRIGHTS
    MyRights,
}

impl AclCommand {
    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            AclCommand::Get => "GETACL",
            AclCommand::Set { .. } => "SETACL",
            AclCommand::Delete { .. } => "DELETEACL",
            AclCommand::ListRights { .. } => "LISTRIGHTS",
            AclCommand::MyRights => "MYRIGHTS",
        }
    }
}
