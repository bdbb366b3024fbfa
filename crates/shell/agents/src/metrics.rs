//! What is counted, for Prometheus.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A protocol, as a label.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelValue)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Protocol {
    Smtp,
    Submission,
    Lmtp,
    Pop3,
    Imap,
}

impl Protocol {
    /// As logs name it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Smtp => "smtp",
            Protocol::Submission => "submission",
            Protocol::Lmtp => "lmtp",
            Protocol::Pop3 => "pop3",
            Protocol::Imap => "imap",
        }
    }
}

/// Label set of one protocol.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct By {
    /// Which.
    pub protocol: Protocol,
}

/// What became of a recipient elsewhere, as a label.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelValue)]
pub enum SentOutcome {
    /// Another host took the message.
    Delivered,
    /// It has to be tried again.
    Deferred,
    /// It was refused for good.
    Failed,
    /// It was given up.
    Expired,
}

/// Label set of one outcome.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct BySent {
    /// Which.
    pub outcome: SentOutcome,
}

/// How a run of a source ended, as a label.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelValue)]
pub enum CollectOutcome {
    /// All that is new was collected, or as much as time allowed.
    Fine,
    /// Something went wrong.
    Trouble,
    /// This server was stopped.
    Stopped,
}

/// Label set of one outcome of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct ByCollect {
    /// Which.
    pub outcome: CollectOutcome,
}

/// Every counter of the server.
pub struct Metrics {
    registry: Registry,
    /// Connections since start.
    pub connections: Family<By, Counter>,
    /// Connections now.
    pub connections_open: Family<By, Gauge>,
    /// Connections turned away because there were too many.
    pub connections_refused: Family<By, Counter>,
    /// Connections that broke or ended by a fault of the peer.
    pub connections_broken: Family<By, Counter>,
    /// Bytes from peers.
    pub bytes_in: Family<By, Counter>,
    /// Bytes to peers.
    pub bytes_out: Family<By, Counter>,
    /// Commands.
    pub commands: Family<By, Counter>,
    /// Commands that were malformed or out of order.
    pub bad_commands: Family<By, Counter>,
    /// Log-ins that were right.
    pub logins: Family<By, Counter>,
    /// Log-ins that were wrong.
    pub logins_failed: Family<By, Counter>,
    /// Messages accepted and durable.
    pub messages_accepted: Family<By, Counter>,
    /// Messages refused or deferred after their content had come.
    pub messages_refused: Family<By, Counter>,
    /// Copies put into mailboxes.
    pub deliveries: Counter,
    /// Recipients put into the outbound queue.
    pub queued: Counter,
    /// Attempts at recipients elsewhere.
    pub sent: Family<BySent, Counter>,
    /// Connections to other hosts that stood.
    pub sent_connections: Counter,
    /// Connections to other hosts that could not be made or used.
    pub sent_connections_failed: Counter,
    /// Runs of sources that mail is collected from.
    pub collect_runs: Family<ByCollect, Counter>,
    /// Messages collected from elsewhere.
    pub collected: Counter,
    /// Bytes of these.
    pub collected_bytes: Counter,
    /// Messages whose next host may have taken them although no reply came or was noted.
    pub sent_uncertain: Counter,
    /// Jobs that sent mail and were ended by a fault of this server.
    pub sent_faults: Counter,
    /// Messages signed (DKIM).
    pub signed: Counter,
    /// Reports and letters of this server that a mailbox here did not take and that wait in the queue.
    pub reports_kept: Counter,
    /// Reports that came to their end without reaching anybody.
    pub reports_lost: Counter,
    /// Alarms because an account sent like a spammer.
    pub sending_alarms: Counter,
    /// Events that the webhook's receiver has taken.
    pub webhook_events: Counter,
    /// Requests to the webhook's receiver that failed.
    pub webhook_failures: Counter,
    /// Messages sealed (ARC).
    pub sealed: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("troika"),
            connections: Family::default(),
            connections_open: Family::default(),
            connections_refused: Family::default(),
            connections_broken: Family::default(),
            bytes_in: Family::default(),
            bytes_out: Family::default(),
            commands: Family::default(),
            bad_commands: Family::default(),
            logins: Family::default(),
            logins_failed: Family::default(),
            messages_accepted: Family::default(),
            messages_refused: Family::default(),
            deliveries: Counter::default(),
            queued: Counter::default(),
            sent: Family::default(),
            sent_connections: Counter::default(),
            sent_connections_failed: Counter::default(),
            collect_runs: Family::default(),
            collected: Counter::default(),
            collected_bytes: Counter::default(),
            sent_uncertain: Counter::default(),
            sent_faults: Counter::default(),
            signed: Counter::default(),
            reports_kept: Counter::default(),
            reports_lost: Counter::default(),
            sending_alarms: Counter::default(),
            webhook_events: Counter::default(),
            webhook_failures: Counter::default(),
            sealed: Counter::default(),
        };
        let registry = &mut metrics.registry;
        for (name, help, family) in [
            ("connections", "Connections since start", &metrics.connections),
            (
                "connections_refused",
                "Connections turned away, there were too many",
                &metrics.connections_refused,
            ),
            ("connections_broken", "Connections that broke", &metrics.connections_broken),
            ("bytes_in", "Bytes from peers", &metrics.bytes_in),
            ("bytes_out", "Bytes to peers", &metrics.bytes_out),
            ("commands", "Commands", &metrics.commands),
            ("bad_commands", "Commands malformed or out of order", &metrics.bad_commands),
            ("logins", "Log-ins that were right", &metrics.logins),
            ("logins_failed", "Log-ins that were wrong", &metrics.logins_failed),
            ("messages_accepted", "Messages accepted and durable", &metrics.messages_accepted),
            ("messages_refused", "Messages refused after their content", &metrics.messages_refused),
        ] {
            registry.register(name, help, family.clone());
        }
        registry.register("connections_open", "Connections now", metrics.connections_open.clone());
        metrics.register_totals();
        metrics
    }
}

impl Metrics {
    /// What is counted over all listeners.
    fn register_totals(&mut self) {
        let totals = [
            ("deliveries", "Copies put into mailboxes", &self.deliveries),
            ("queued", "Recipients put into the outbound queue", &self.queued),
            ("sent_connections", "Connections to other hosts that stood", &self.sent_connections),
            (
                "sent_connections_failed",
                "Connections to other hosts that could not be made or used",
                &self.sent_connections_failed,
            ),
            (
                "sent_uncertain",
                "Messages sent again whose next host may have taken them before",
                &self.sent_uncertain,
            ),
            ("sent_faults", "Faults of this server while it sent mail", &self.sent_faults),
            ("signed", "Messages signed (DKIM)", &self.signed),
            ("sealed", "Messages sealed (ARC)", &self.sealed),
            (
                "reports_kept",
                "Reports that a mailbox here did not take and that wait in the queue",
                &self.reports_kept,
            ),
            ("reports_lost", "Reports that reached nobody", &self.reports_lost),
            ("sending_alarms", "Alarms because an account sent like a spammer", &self.sending_alarms),
            ("webhook_events", "Events that the webhook's receiver has taken", &self.webhook_events),
            ("webhook_failures", "Requests to the webhook's receiver that failed", &self.webhook_failures),
            ("collected", "Messages collected from elsewhere", &self.collected),
            ("collected_bytes", "Bytes collected from elsewhere", &self.collected_bytes),
        ];
        for (name, help, counter) in totals {
            self.registry.register(name, help, counter.clone());
        }
        let sent = "Attempts at recipients elsewhere, by what became of them";
        self.registry.register("sent", sent, self.sent.clone());
        let runs = "Runs of sources that mail is collected from, by how they ended";
        self.registry.register("collect_runs", runs, self.collect_runs.clone());
    }

    /// Adds a figure that is read when it is asked for.
    pub fn register(&mut self, collector: Box<dyn prometheus_client::collector::Collector>) {
        self.registry.register_collector(collector);
    }

    /// All of it in the OpenMetrics text form.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
