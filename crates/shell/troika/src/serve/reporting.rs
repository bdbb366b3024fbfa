//! TLS reports (RFC 8460): what was counted on days that are over goes to the domains that ask for it. What nobody asks
//! for is dropped; what can't be sent stays for the next day's round.

use crate::config::Config;
use agents::World;
use engine::{AccountId, Packed};
use guard::Guard;
use guard::https::{self, Ask};
use model::{EmailAddress, ReversePath};
use queue::{Body, NewEntry, NewRecipient, Notify, TlsWish, Wishes};
use std::time::Duration;
use transport::report::{Cover, Place, Tally, record_places, to_json};
use transport::{Post, gzip};

/// How long a report may wait in the queue (RFC 8460 §5.5: a day).
const EXPIRES: i64 = 86_400;
/// How long an HTTPS host may take.
const POST_MAX: Duration = Duration::from_secs(60);
/// A host's answer to a report is of no interest.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Sends the reports of the days before `today` (days since 1970).
pub async fn send(world: &World, guard: &Guard, config: &Config, today: u32) {
    let given = &config.tls_reports;
    let Ok(from) = EmailAddress::parse(&given.from) else {
        if !given.from.is_empty() {
            tracing::error!(from = given.from, "[tls_reports] from is no address; no TLS reports are sent");
        }
        return;
    };
    let tallies = match guard.memory().tallies_before(today) {
        Ok(tallies) => tallies,
        Err(error) => return tracing::error!(%error, "what was counted for TLS reports can't be read"),
    };
    for (day, domain, tally) in tallies {
        let answer = match world.resolver.txt(&format!("_smtp._tls.{domain}")).await {
            Ok(answer) => answer,
            Err(fault) => {
                tracing::debug!(domain, %fault, "whether the domain wants TLS reports can't be found out");
                continue;
            }
        };
        let places = record_places(answer.records.iter().map(String::as_str));
        let mut is_done = true;
        for place in &places {
            is_done &= one(world, guard, config, &from, (day, &domain, &tally), place).await;
        }
        if is_done && guard.memory().drop_tally(day, &domain).await.is_err() {
            tracing::error!(domain, "a TLS report may be sent again");
        }
    }
}

/// One report to one place; answers whether it is on its way.
async fn one(
    world: &World,
    guard: &Guard,
    config: &Config,
    from: &EmailAddress,
    (day, domain, tally): (u32, &str, &Tally),
    place: &Place,
) -> bool {
    let hostname = config.server.hostname.to_string();
    let organization = match config.tls_reports.organization.as_str() {
        "" => hostname.as_str(),
        given => given,
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    let id = format!("{day}-{:016x}", u64::from_be_bytes(random));
    let contact = from.to_string();
    let cover = Cover { organization, contact: &contact, id: &id, day };
    let json = to_json(&cover, domain, tally);
    let outcome = match place {
        Place::Mail(to) => {
            let date = mime::build::date_time(World::now().0, 0);
            let (from_text, submitter) = (contact.as_str(), hostname.as_str());
            let post = Post { cover, json: &json, domain, submitter, from: from_text, to, date: &date };
            mail(world, from, to, &transport::message(&post)).await
        }
        Place::Https(url) => post(world, guard, url, &json).await,
    };
    match outcome {
        Ok(()) => {
            tracing::info!(domain, ?place, id, "TLS report sent");
            true
        }
        Err(why) => {
            tracing::warn!(domain, ?place, why, "a TLS report can't be sent");
            false
        }
    }
}

/// RFC 8460 §5.3: signed, from nobody who wants it back.
async fn mail(world: &World, from: &EmailAddress, to: &str, message: &[u8]) -> Result<(), String> {
    let to = EmailAddress::parse(to).map_err(|error| error.to_string())?;
    let now = World::now();
    let raw = [&world.signatures(message, now)[..], message].concat();
    let size = raw.len() as u64;
    let packed = Packed::new(&raw);
    let entry = NewEntry {
        reverse_path: ReversePath::Mailbox(from.clone()),
        recipients: vec![NewRecipient { address: to, notify: Notify::Never, orcpt: None }],
        ret: None,
        envid: None,
        smtputf8: false,
        body: Body::SevenBit,
        account: None,
        received: now,
        size,
        expires: model::UnixTime(now.0 + EXPIRES),
        held: false,
        // RFC 8460 §3: reports get through although TLS fails, of which they tell.
        wishes: Wishes { tls: TlsWish::Waived, ..Wishes::default() },
    };
    let queued = world.engine.transact(&[AccountId(0)], move |tx| {
        let content = tx.append(&packed, 1)?;
        queue::enqueue(tx, content, &entry)?;
        Ok(())
    });
    queued.await.map_err(|_| "the queue can't take it".to_owned())?;
    world.queue.ring();
    Ok(())
}

/// RFC 8460 §5.4.
async fn post(world: &World, guard: &Guard, url: &str, json: &str) -> Result<(), String> {
    let uri: hyper::Uri = url.parse().map_err(|_| format!("{url} is no URL"))?;
    let host = uri.host().ok_or_else(|| format!("{url} names no host"))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let ask = Ask {
        host,
        port: uri.port_u16().unwrap_or(443),
        path,
        body: Some(("application/tlsrpt+gzip", gzip::gzip(json.as_bytes()))),
        limit: POST_MAX,
        bytes_max: ANSWER_BYTES_MAX,
    };
    https::ask(&world.resolver, &guard.https(), ask).await.map(drop).map_err(|trouble| trouble.to_string())
}
