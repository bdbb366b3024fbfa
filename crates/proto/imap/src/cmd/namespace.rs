//! NAMESPACE (RFC 2342 §5, RFC 9051 §6.3.10): one's own mailboxes without a prefix, those of other users, and those of
//! accounts that are nobody's alone.

use crate::mailbox_name::{OTHER_USERS, SHARED};
use crate::session::{Core, Done};
use crate::write::{self, NamespaceRow};

pub(super) fn namespace(core: &mut Core) -> Done {
    let row = |prefix| [NamespaceRow { prefix }];
    write::namespace(&mut core.out, &row(""), &row(OTHER_USERS), &row(SHARED), core.enabled.names());
    Done::ok("NAMESPACE completed")
}
