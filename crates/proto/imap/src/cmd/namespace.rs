//! NAMESPACE (RFC 2342 §5, RFC 9051 §6.3.10): one personal namespace without a prefix.

use crate::session::{Core, Done};

pub(super) fn namespace(core: &mut Core) -> Done {
    core.line(format_args!("* NAMESPACE ((\"\" \"/\")) NIL NIL"));
    Done::ok("NAMESPACE completed")
}
