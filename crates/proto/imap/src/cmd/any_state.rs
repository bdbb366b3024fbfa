//! CAPABILITY, ID, STARTTLS, ENABLE: commands that need nothing of the world (RFC 9051 §6.1, §6.2.1, §6.3.1; RFC 2971).

use super::Begun;
use crate::session::{Core, Done, News};
use crate::write;

pub(super) fn capability(core: &mut Core) -> Done {
    let list = core.capabilities();
    core.line(format_args!("* {list}"));
    Done::ok("CAPABILITY completed")
}

/// RFC 2971 §3.3: the name alone; a version would only help an attacker. The client's own words change nothing here
/// (§4: they must not).
pub(super) fn id(core: &mut Core) -> Done {
    write::id(&mut core.out, &[("name", Some("Troika"))]);
    Done::ok("ID completed")
}

pub(super) fn start_tls(core: &Core) -> Begun {
    if core.may_start_tls() {
        return Begun::StartTls;
    }
    // RFC 9051 §6.2.1: BAD when TLS runs already or is not to be had.
    let why = if core.secure { "TLS is already active" } else { "STARTTLS is not available here" };
    Begun::Now(Done::bad(why))
}

/// RFC 5161 §3.1: unknown and unneeded capabilities are ignored; the response names what is newly enabled.
pub(super) fn enable(core: &mut Core, capabilities: &[String]) -> Done {
    let condstore = capabilities.iter().any(|name| name.eq_ignore_ascii_case("CONDSTORE"));
    if condstore && !core.condstore {
        write::enabled(&mut core.out, "CONDSTORE");
        enable_condstore(core);
    } else {
        write::enabled(&mut core.out, "");
    }
    Done::ok("ENABLE completed").telling(News::None)
}

/// RFC 7162 §3.1: the first CONDSTORE enabling command while a mailbox is selected is answered with its HIGHESTMODSEQ.
pub(crate) fn enable_condstore(core: &mut Core) {
    if core.condstore {
        return;
    }
    core.condstore = true;
    if let Some(view) = &core.view {
        let highest = view.known;
        core.line(format_args!("* OK [HIGHESTMODSEQ {highest}] Modification sequences are told from now on"));
    }
}
