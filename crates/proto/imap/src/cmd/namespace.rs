//! NAMESPACE (RFC 2342 §5, RFC 9051 §6.3.10): one personal namespace without a prefix.

use crate::session::{Core, Done};
use crate::write::{self, NamespaceRow};

pub(super) fn namespace(core: &mut Core) -> Done {
    let personal = [NamespaceRow { prefix: "" }];
    write::namespace(&mut core.out, &personal, &[], &[], core.enabled.names());
    Done::ok("NAMESPACE completed")
}
