//! NAMESPACE (RFC 2342 §5, RFC 9051 §6.3.10): one's own mailboxes without a prefix, those of other users, and those of
//! accounts that are nobody's alone.

use crate::mailbox_name::{OTHER_USERS, SHARED};
use crate::session::{Core, Done};
use crate::write::{self, NamespaceRow};

pub(super) fn namespace(core: &mut Core) -> Done {
    tell(core);
    Done::ok("NAMESPACE completed")
}

/// The response, with the prefixes in the client's language (RFC 5255 §3.4, TRANSLATION).
pub(super) fn tell(core: &mut Core) {
    let language = core.language;
    let row = |prefix| [NamespaceRow { prefix, translation: language.prefix(prefix) }];
    write::namespace(&mut core.out, &row(""), &row(OTHER_USERS), &row(SHARED), core.enabled.names());
}
