//! What the HTTP listener shows.

use super::doors::Settings;
use super::http::{PageFuture, Pages};
use crate::sending;
use agents::{World, tls_reports};
use queue::schedule::DestinationStatus;
use std::fmt::Write;
use std::sync::Arc;

/// Metrics and health of one server.
pub struct ServerPages {
    world: Arc<World>,
    settings: Arc<Settings>,
}

impl ServerPages {
    /// Of this one.
    pub fn new(world: Arc<World>, settings: Arc<Settings>) -> ServerPages {
        ServerPages { world, settings }
    }
}

/// Destinations shown at most, those with the most mail first.
const DESTINATIONS_MAX: usize = 100;

/// Appends figures of each destination that has mail or is in trouble.
fn write_destinations(world: &World, text: &mut String) {
    let now = World::now().into();
    let mut destinations = world.queue.scheduler().status(now).destinations;
    destinations.sort_by_key(|one| std::cmp::Reverse(one.ready + one.waiting));
    destinations.truncate(DESTINATIONS_MAX);
    type Figure = fn(&DestinationStatus) -> u64;
    let figures: [(&str, &str, Figure); 5] = [
        ("ready", "Messages that may go to a destination now", |one| one.ready),
        ("waiting", "Messages that wait for their next attempt at a destination", |one| one.waiting),
        ("running", "Deliveries to a destination that are under way", |one| one.running.into()),
        ("window", "Deliveries to a destination that may be under way at a time", |one| one.window.into()),
        ("failures", "Troubles of a destination in a row", |one| one.failures.into()),
    ];
    for (name, help, figure) in figures {
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "# HELP troika_destination_{name} {help}.\n# TYPE troika_destination_{name} gauge"
        );
        for one in &destinations {
            let label = one.destination.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "");
            let _ = writeln!(text, "troika_destination_{name}{{destination=\"{label}\"}} {}", figure(one));
        }
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
        write_destinations(&self.world, &mut text);
        text + &tail
    }

    fn take_report(&self, posted: &[u8]) -> Result<(), String> {
        tls_reports::take(&self.world, posted)
    }

    fn operator_token(&self) -> String {
        self.settings.now().http.operator_token.clone()
    }

    fn reports(&self) -> String {
        tls_reports::list(&self.world)
    }

    fn policy(&self, host: &str) -> Option<String> {
        let domain = model::Domain::new(host.strip_prefix("mta-sts.")?).ok()?;
        let is_ours = self.world.directory.is_home(&domain).unwrap_or(false);
        sending::own_policy(&self.settings.now()).filter(|_| is_ours).map(|policy| policy.to_text())
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
