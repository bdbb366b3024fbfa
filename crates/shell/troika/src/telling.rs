//! From the configuration to what is told of mail on its way out: reports, limits of users, the webhook.

use crate::config::{Config, ReportLanguage, SendingAlarm};
use crate::control::Failure;
use crate::serve::webhook;
use agents::Outgoing;
use model::EmailAddress;
use queue::{
    AlarmAction, EventName, HoldLimits, Keep, Language, Rules, SendingLimits, SendingRules, SuppressionRule,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What is told and kept.
///
/// # Errors
/// A sentence: `[webhook]` names an event that there is not.
pub fn outgoing(config: &Config) -> Result<Outgoing, Failure> {
    let delivery = &config.delivery;
    let sending = &config.sending;
    Ok(Outgoing {
        hostname: config.server.hostname.to_string(),
        language: match delivery.report_language {
            ReportLanguage::Auto => None,
            ReportLanguage::En => Some(Language::English),
            ReportLanguage::Ru => Some(Language::Russian),
        },
        message_bytes_max: usize::try_from(delivery.report_size.0).unwrap_or(usize::MAX),
        rules: Arc::new(Rules {
            suppression: SuppressionRule {
                bounces: delivery.suppress_after,
                seconds: i64::try_from(delivery.suppress_for.0.as_secs()).unwrap_or(i64::MAX),
            },
            events: events(config)?,
            history: Keep {
                messages: delivery.history_messages,
                seconds: i64::try_from(delivery.history_for.0.as_secs()).unwrap_or(i64::MAX),
            },
        }),
        sending: SendingRules {
            limits: SendingLimits {
                per_hour: sending.recipients_per_hour,
                per_day: sending.recipients_per_day,
            },
            alarm: match sending.alarm {
                SendingAlarm::Off => AlarmAction::Off,
                SendingAlarm::Tell => AlarmAction::Tell,
                SendingAlarm::Block => AlarmAction::Block,
            },
            alarm_from: sending.alarm_from,
            alarm_factor: sending.alarm_factor,
            held: HoldLimits { messages: sending.held_messages, bytes: sending.held_size.0 },
        },
        report_address: report_address(config)?,
    })
}

fn report_address(config: &Config) -> Result<Option<EmailAddress>, Failure> {
    let given = config.tls_reports.address.as_str();
    if given.is_empty() {
        return Ok(None);
    }
    let wrong = |error| Failure::new(format!("[tls_reports] address = {given:?} is no address: {error}"));
    EmailAddress::parse(given).map(Some).map_err(wrong)
}

fn events(config: &Config) -> Result<BTreeSet<EventName>, Failure> {
    let named = config.webhook.events.iter().map(|name| name.parse());
    let events: BTreeSet<EventName> = named
        .collect::<Result<_, _>>()
        .map_err(|why: String| Failure::new(format!("[webhook] events: {why}")))?;
    Ok(if config.webhook.url.is_empty() { BTreeSet::new() } else { events })
}

/// Where events go. None: nowhere.
///
/// # Errors
/// A sentence: what `[webhook]` says can't be used.
pub fn webhook(config: &Config) -> Result<Option<webhook::Settings>, Failure> {
    let given = &config.webhook;
    if given.url.is_empty() {
        return Ok(None);
    }
    if given.secret_file.as_os_str().is_empty() {
        return Err(Failure::new(
            "[webhook] needs a secret_file: without it a receiver can't tell whether an event is from this server",
        ));
    }
    let secret = std::fs::read(&given.secret_file)
        .map_err(|error| Failure::new(format!("[webhook] {}: {error}", given.secret_file.display())))?;
    let authorities: &Path = if given.authorities.as_os_str().is_empty() {
        &config.delivery.authorities
    } else {
        &given.authorities
    };
    webhook::Settings::new(&given.url, &secret, authorities, given.timeout.0)
        .map(Some)
        .map_err(|why| Failure::new(format!("[webhook] {why}")))
}
