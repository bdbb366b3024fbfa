//! TLS reports (RFC 8460): what was counted on days that are over goes to the domains that ask for it. What nobody asks
//! for is dropped; what can't be sent to a place is tried there again each hour, and the places that have it are
//! remembered, so that none gets it twice.

use super::doors::Settings;
use crate::config::Config;
use agents::World;
use engine::{AccountId, Packed};
use guard::Guard;
use guard::https::{self, Ask};
use model::{EmailAddress, ReversePath};
use queue::{Body, NewEntry, NewRecipient, Notify, TlsWish, Wishes};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use transport::report::{Cover, Place, Tally, record_places, to_json};
use transport::{Post, gzip, note_reported};

/// How long a report may wait in the queue (RFC 8460 §5.5: a day).
const EXPIRES: i64 = 86_400;
/// How long an HTTPS host may take.
const POST_MAX: Duration = Duration::from_secs(60);
/// A host's answer to a report is of no interest.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Domains reported to at a time: one whose host is slow keeps nobody else waiting.
const AT_ONCE: usize = 8;
/// How often it is looked whether a day is over.
const ROUND: Duration = Duration::from_secs(60);
/// When what could not be sent is tried again (RFC 8460 §5.5).
const AGAIN: Duration = Duration::from_secs(3600);
const DAY: i64 = 24 * 3600;
/// RFC 8460 §4.1 has all reports cover the same day; they should not all come in the same minute after it (§5.5).
const SPREAD: u64 = 4 * 3600;

/// Sends reports until the server goes down.
pub async fn run(
    guard: Arc<Guard>,
    world: Weak<World>,
    settings: Arc<Settings>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut rounds = tokio::time::interval(ROUND);
    let offset = i64::try_from(random() % SPREAD).unwrap_or(0);
    // What is left of days before yesterday goes at once.
    let mut last: Option<(u32, Instant)> = None;
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            _ = shutdown.wait_for(|down| *down) => return,
        }
        // The day whose reports are due, and all before it.
        let day = u32::try_from((World::now().0 - offset) / DAY).unwrap_or(0);
        if last.is_some_and(|(of, at)| of == day && at.elapsed() < AGAIN) {
            continue;
        }
        let Some(world) = world.upgrade() else { return };
        // What was counted lately may be of a day that is over.
        guard.flush().await;
        let config = settings.now();
        tokio::select! {
            () = send(&world, &guard, &config, day) => {}
            _ = shutdown.wait_for(|down| *down) => return,
        }
        last = Some((day, Instant::now()));
    }
}

/// What one report is about.
struct About {
    day: u32,
    domain: String,
    tally: Tally,
}

/// Who sends.
#[derive(Clone)]
struct Sender {
    world: Arc<World>,
    guard: Arc<Guard>,
    config: Arc<Config>,
    from: EmailAddress,
}

/// Sends the reports of the days before `today` (days since 1970).
async fn send(world: &Arc<World>, guard: &Arc<Guard>, config: &Arc<Config>, today: u32) {
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
    let sender = Sender { world: world.clone(), guard: guard.clone(), config: config.clone(), from };
    let mut running = JoinSet::new();
    for (day, domain, tally) in tallies {
        if running.len() >= AT_ONCE {
            running.join_next().await;
        }
        let sender = sender.clone();
        running.spawn(async move { sender.about(Arc::new(About { day, domain, tally })).await });
    }
    while running.join_next().await.is_some() {}
}

/// As the domain's record names it.
fn name(place: &Place) -> String {
    match place {
        Place::Mail(address) => format!("mailto:{address}"),
        Place::Https(url) => url.clone(),
    }
}

fn random() -> u64 {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    u64::from_be_bytes(random)
}

impl Sender {
    /// One domain's report of one day to all places that it names.
    async fn about(&self, about: Arc<About>) {
        let About { day, domain, .. } = &*about;
        let answer = match self.world.resolver.txt(&format!("_smtp._tls.{domain}")).await {
            Ok(answer) => answer,
            Err(fault) => {
                tracing::debug!(domain, %fault, "whether the domain wants TLS reports can't be found out");
                return;
            }
        };
        let mut running = JoinSet::new();
        for place in record_places(answer.records.iter().map(String::as_str)) {
            let (sender, about) = (self.clone(), about.clone());
            running.spawn(async move { sender.once(&about, &place).await });
        }
        let mut is_done = true;
        while let Some(sent) = running.join_next().await {
            is_done &= sent.unwrap_or(false);
        }
        if is_done && self.guard.memory().drop_tally(*day, domain).await.is_err() {
            tracing::error!(domain, "a TLS report may be sent again");
        }
    }

    /// To one place, unless it has the report; answers whether it is on its way.
    async fn once(&self, about: &About, place: &Place) -> bool {
        let (day, domain) = (about.day, &about.domain);
        match self.guard.memory().is_reported(day, domain, &name(place)) {
            Ok(true) => return true,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "whether a TLS report was sent can't be read");
                return false;
            }
        }
        match self.one(about, place).await {
            Ok(id) => {
                tracing::info!(domain, ?place, id, "TLS report sent");
                true
            }
            Err(why) => {
                tracing::warn!(
                    domain,
                    ?place,
                    why,
                    "a TLS report can't be sent; it is tried again in an hour"
                );
                false
            }
        }
    }

    async fn one(&self, about: &About, place: &Place) -> Result<String, String> {
        let About { day, domain, tally } = about;
        let hostname = self.config.server.hostname.to_string();
        let organization = match self.config.tls_reports.organization.as_str() {
            "" => hostname.as_str(),
            given => given,
        };
        let id = format!("{day}-{:016x}", random());
        let contact = self.from.to_string();
        let cover = Cover { organization, contact: &contact, id: &id, day: *day };
        let json = to_json(&cover, domain, tally);
        match place {
            Place::Mail(to) => {
                let date = mime::build::date_time(World::now().0, 0);
                let (from, submitter) = (contact.as_str(), hostname.as_str());
                let post = Post { cover, json: &json, domain, submitter, from, to, date: &date };
                let mark = (*day, domain.clone(), name(place));
                mail(&self.world, &self.from, to, &transport::message(&post), mark).await?;
            }
            Place::Https(url) => {
                post(&self.world, &self.guard, url, &json).await?;
                if self.guard.memory().keep_reported(*day, domain, &name(place)).await.is_err() {
                    tracing::error!(domain, url, "a TLS report may be sent again");
                }
            }
        }
        Ok(id)
    }
}

/// RFC 8460 §5.3: signed, from nobody who wants it back. That the place has it is noted in the same commit.
async fn mail(
    world: &World,
    from: &EmailAddress,
    to: &str,
    message: &[u8],
    (day, domain, place): (u32, String, String),
) -> Result<(), String> {
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
        Ok(note_reported(tx, day, &domain, &place)?)
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
