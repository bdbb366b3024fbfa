//! What the HTTP listener shows.

use super::http::{PageFuture, Pages};
use agents::World;
use std::fmt::Write;
use std::sync::Arc;

/// Metrics and health of one server.
pub struct ServerPages {
    world: Arc<World>,
}

impl ServerPages {
    /// Of this one.
    pub fn new(world: Arc<World>) -> ServerPages {
        ServerPages { world }
    }
}

impl Pages for ServerPages {
    fn metrics(&self) -> String {
        let mut text = self.world.metrics.render();
        let end = text.rfind("# EOF").unwrap_or(text.len());
        let tail = text.split_off(end);
        let figures = self.world.engine.figures();
        let totals = self.world.queue.totals().unwrap_or_default();
        for (name, help, value) in [
            ("store_commits", "Transactions committed since start", figures.commits),
            ("store_groups", "Group commits (one flush each) since start", figures.groups),
            ("store_log_bytes", "Bytes of message log on disk", figures.log_bytes),
            (
                "store_live_content_bytes",
                "Bytes of contents that are referred to",
                figures.live_content_bytes,
            ),
            ("store_index_bytes", "Bytes of index on disk", figures.index_bytes),
            ("queue_messages", "Messages in the outbound queue", totals.entries),
            ("queue_recipients_waiting", "Recipients that wait for their next attempt", totals.queued),
            ("queue_recipients_held", "Recipients that are held", totals.held),
        ] {
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "# HELP troika_{name} {help}.\n# TYPE troika_{name} gauge\ntroika_{name} {value}"
            );
        }
        text + &tail
    }

    fn health(&self) -> (bool, String) {
        if self.world.engine.figures().stopped {
            return (false, format!("Troika takes no mail: {}\n", engine::Error::Stopped));
        }
        match self.world.engine.snapshot() {
            Ok(_) => (true, "Troika takes mail.\n".into()),
            Err(error) => (false, format!("Troika takes no mail: {error}\n")),
        }
    }

    fn page<'a>(&'a self, path: &'a str, posted: Option<&'a [u8]>) -> PageFuture<'a> {
        Box::pin(async move {
            let token = path.strip_prefix("/unsubscribe/")?;
            let page = agents::lists::unsubscribe_page(&self.world, token, posted).await;
            Some((page.status, page.html))
        })
    }
}
