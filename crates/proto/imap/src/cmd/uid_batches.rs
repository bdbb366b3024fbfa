//! UIDBATCHES (RFC 10022): the view in pieces of equal size, the newest first.

use crate::session::{Core, Done};
use crate::view::{Batched, View};
use crate::write;
use model::{SeqNo, Uid};

/// Fewest messages of a batch (RFC 10022 §3.1.3.2): batches are not for counting messages.
const SIZE_MIN: u32 = 500;

/// Most messages that a range of batches may span (RFC 10022 §3.1.5).
const SPAN_MAX: u64 = 100_000;

pub(super) fn answer(core: &mut Core, size: u32, batches: Option<(u32, u32)>) -> Done {
    let Some(view) = &mut core.view else { return Done::bad("No mailbox is selected") };
    if size < SIZE_MIN {
        return Done::no(format!("[TOOFEW] Minimum batch size is {SIZE_MIN}"));
    }
    if let Some((first, last)) = batches {
        if first > last {
            // RFC 10022 §3.1.5
            return Done::bad("[CLIENTBUG] Invalid batch range");
        }
        if (u64::from(last - first) + 1) * u64::from(size) > SPAN_MAX {
            return Done::no("[TOOMANY] Too many messages");
        }
    }
    let now = Batched { size, batches, last: view.told().last().unwrap_or(Uid(0)), count: view.count() };
    if view.batched.as_ref().is_some_and(|before| is_needless(view, before, &now)) {
        // RFC 10022 §3.1.1, §6
        return Done::no("[LIMIT] The mailbox has hardly changed since the same command");
    }
    view.batched = Some(now);
    core.out.extend_from_slice(b"* UIDBATCHES (TAG ");
    write::string(&mut core.out, core.tag.as_bytes());
    core.out.push(b')');
    if let Some(view) = &core.view {
        write_batches(&mut core.out, view, size, batches.unwrap_or((1, u32::MAX)));
    }
    core.out.extend_from_slice(b"\r\n");
    Done::ok("UIDBATCHES completed")
}

/// Whether the same was asked before, and too little has happened since.
fn is_needless(view: &View, before: &Batched, now: &Batched) -> bool {
    let kept = view.told().count_up_to(before.last);
    let (gone, came) = (before.count.saturating_sub(kept), now.count.saturating_sub(kept));
    (before.size, before.batches) == (now.size, now.batches) && is_little(now.size, gone, came)
}

/// RFC 10022 §3.1.1: the same command may come again once half a batch "or more" has come, or more than that is gone.
fn is_little(size: u32, gone: u32, came: u32) -> bool {
    gone <= size / 2 && came < size.div_ceil(2)
}

/// ` 215295:99696,99695:20351`: the ranges touch each other, and the last one goes down to 1 (RFC 10022 §3.1.4).
fn write_batches(out: &mut Vec<u8>, view: &View, size: u32, (first, last): (u32, u32)) {
    let count = view.count();
    let (mut separator, mut batch) = (b' ', first);
    // Number of the newest message of a batch; none: there is no such batch.
    let newest = |batch: u32| count.checked_sub((batch - 1).checked_mul(size)?).filter(|number| *number > 0);
    while let (true, Some(number)) = (batch <= last, newest(batch)) {
        let Some(mut high) = view.told().select(SeqNo(number)) else { return };
        if batch > 1
            && let Some(above) = view.told().select(SeqNo(number + 1))
        {
            high = Uid(above.0 - 1);
        }
        let below = number.checked_sub(size).filter(|below| *below > 0);
        let low = below.and_then(|below| view.told().select(SeqNo(below + 1))).unwrap_or(Uid(1));
        out.push(separator);
        write::number(out, u64::from(high.0));
        out.push(b':');
        write::number(out, u64::from(low.0));
        separator = b',';
        batch += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::is_little;

    #[test]
    fn half_a_batch_is_enough() {
        assert!(is_little(500, 0, 0) && is_little(500, 250, 249) && is_little(501, 250, 250));
        assert!(!is_little(500, 0, 250) && !is_little(500, 251, 0) && !is_little(501, 0, 251));
    }
}
