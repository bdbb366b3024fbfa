//! SMTP, submission and LMTP sessions over arbitrary octets: every command gets one reply, the course is the same
//! however the input is cut, replies are lines as RFC 5321 §4.2 has them, memory is bounded, nothing panics.
//!
//! Setup octet: bits 0 and 1 as [`troika_fuzz::connection`], bits 2 and 3 the kind, bit 4 VRFY for those logged in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp::{Answer, Ask, Config, Kind, Limits, Listed, Offer, Outcome, Refusal, Session, Verify};
use troika_fuzz::{Course, Luck, Plan, connection, end, lines, log_in, run};

const OUTPUT_MAX: usize = wire::FLUSH_BYTES + 128 * 1024;
const MESSAGE_BYTES_MAX: u64 = 4000;
const RECIPIENTS_MAX: usize = 5;

struct World {
    luck: Luck,
    messages: Vec<Vec<u8>>,
}

impl World {
    fn outcome(&mut self, usual: Outcome) -> Outcome {
        if !self.luck.is_bad(4) {
            return usual;
        }
        Err(match self.luck.below(6) {
            0 => Refusal::storage_full(),
            1 => Refusal::local_trouble(),
            2 => Refusal::mailbox_full(&"a\r\nb\0@x"),
            3 => Refusal::new(421, (3, 2), "going"),
            4 => Refusal::new(550, (7, 1), "long ".repeat(300)),
            _ => Refusal::busy(),
        })
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Auth { question, .. } => Answer::Auth(log_in(question, &mut self.luck)),
            Ask::Sender(_) => Answer::Sender(self.outcome(Ok(()))),
            Ask::Recipient { recipient, accepted_count, .. } => {
                assert!(accepted_count < RECIPIENTS_MAX);
                let path = recipient.path.to_string();
                let usual = if path.starts_with('x') { Err(Refusal::no_such_mailbox(&path)) } else { Ok(()) };
                Answer::Recipient(self.outcome(usual))
            }
            Ask::Verify { text, .. } | Ask::Expand { text, .. } => {
                let listed = |name: &str| Listed {
                    name: Some(text.clone()),
                    address: model::EmailAddress::parse(name).expect("an address"),
                };
                let count = if self.luck.is_bad(3) { 0 } else { 2 };
                Answer::Listed(match self.outcome(Ok(())) {
                    Ok(()) => Ok(["a@x.test", "ж@x.test"].into_iter().take(count).map(listed).collect()),
                    Err(refusal) => Err(refusal),
                })
            }
            Ask::Url { url, bytes_max, client } => {
                assert!(client.user.is_some(), "BURL comes after the log-in");
                let octets = url.repeat(3).into_bytes();
                let fits = octets.len() as u64 <= bytes_max;
                let refusal = Refusal::new(554, (6, 6), "not there");
                Answer::Url(self.outcome(Ok(())).and(if fits { Ok(octets) } else { Err(refusal) }))
            }
            Ask::Flush { domain, .. } => {
                let waiting = domain.as_str().len() as u64 % 3;
                let outcome = self.outcome(Ok(()));
                Answer::Flushed(outcome.map(|()| waiting))
            }
            Ask::Turn { client, .. } => {
                assert!(client.user.is_some(), "ATRN comes after the log-in");
                Answer::Turned(self.outcome(Ok(())))
            }
            Ask::Deliver(delivery) => {
                let wishes = delivery.sender.wishes;
                assert!(wishes.priority.is_none_or(|priority| (-9..=9).contains(&priority)));
                assert!(!wishes.require_tls || delivery.sender.client.tls.is_some());
                assert!(!delivery.recipients.is_empty() && delivery.recipients.len() <= RECIPIENTS_MAX);
                assert!(delivery.trace_field_bytes <= delivery.message.len());
                let trace = &delivery.message[..delivery.trace_field_bytes];
                assert!(trace.starts_with(b"Received: from ") && trace.ends_with(b"\r\n"));
                check_message(&delivery);
                let count =
                    if delivery.sender.client.kind == Kind::Lmtp { delivery.recipients.len() } else { 1 };
                self.messages.push(delivery.message);
                Answer::Deliver((0..count).map(|_| self.outcome(Ok(()))).collect())
            }
        }
    }
}

/// Text has its lines ended by CRLF only (RFC 5321 §2.3.8); the trace field always has.
fn check_message(delivery: &smtp::Delivery) {
    let binary = delivery.sender.body == smtp::BodyType::BinaryMime;
    let checked =
        if binary { &delivery.message[..delivery.trace_field_bytes] } else { &delivery.message[..] };
    let mut before = 0;
    for (at, octet) in checked.iter().enumerate() {
        assert!(*octet != b'\n' || before == b'\r', "a bare LF at {at}");
        assert!(before != b'\r' || *octet == b'\n', "a bare CR at {at}");
        before = *octet;
    }
    assert_eq!(before, b'\n');
    // Four fields at most are added by submission.
    assert!(delivery.message.len() as u64 <= MESSAGE_BYTES_MAX + 4096, "{}", delivery.message.len());
}

fn kind(plan: &Plan<'_>) -> Kind {
    match plan.setup >> 2 & 3 {
        0 | 3 => Kind::Mta,
        1 => Kind::Submission,
        _ => Kind::Lmtp,
    }
}

fn course(plan: &Plan<'_>, pieces: &[Vec<&[u8]>]) -> (Course, Course, Vec<Vec<u8>>) {
    let mut config = Config::new(kind(plan), connection(plan.setup));
    config.limits = Limits {
        message_bytes_max: MESSAGE_BYTES_MAX,
        discard_bytes_max: 8000,
        recipients_max: RECIPIENTS_MAX,
        errors_max: 30,
        ..Limits::default()
    };
    if plan.setup & 16 != 0 {
        config.verify = Verify::LoggedIn;
    }
    config.offers = vec![Offer::MtPriority, Offer::DeliverBy, Offer::RequireTls, Offer::Etrn];
    config.offers.push(Offer::FutureRelease { seconds_max: 1000 });
    let mut world = World { luck: plan.luck(), messages: Vec::new() };
    let mut session = Session::new(config);
    let course = run(&mut session, pieces, OUTPUT_MAX, |ask| world.answer(ask));
    let ending = end(&mut session, OUTPUT_MAX, |ask| world.answer(ask));
    (course, ending, world.messages)
}

fn check_replies(course: &Course, is_lmtp: bool) {
    let lines = lines(&course.output);
    let mut finals = 0_u64;
    let mut open: Option<&[u8]> = None;
    for line in &lines {
        let code = &line[..3];
        assert!(code.iter().all(u8::is_ascii_digit) && matches!(code[0], b'2'..=b'5'));
        assert!(line.len() <= 510 && matches!(line[3], b' ' | b'-'));
        assert!(
            std::str::from_utf8(line).is_ok_and(|text| !text.chars().any(|c| c.is_control() && c != '\t'))
        );
        // RFC 5321 §4.2.1: the lines of one reply have one code.
        assert!(open.is_none_or(|open| open == code), "{}", course.output.escape_ascii());
        let is_final = line[3] == b' ';
        open = (!is_final).then_some(code);
        finals += u64::from(is_final && !matches!(code, b"354" | b"334"));
    }
    assert!(open.is_none(), "a reply is not finished");
    if is_lmtp {
        return;
    }
    let replies = finals - 1;
    let commands = course.facts.commands;
    let wanted = if course.closed { commands..=commands + 1 } else { commands.saturating_sub(1)..=commands };
    assert!(
        wanted.contains(&replies),
        "{replies} replies to {commands} commands: {}",
        course.output.escape_ascii()
    );
}

fuzz_target!(|input: &[u8]| {
    let Some(plan) = Plan::new(input) else { return };
    let whole = course(&plan, &plan.whole());
    check_replies(&whole.0, kind(&plan) == Kind::Lmtp);
    lines(&whole.1.output);
    let cut = course(&plan, &plan.pieces());
    assert_eq!(whole.0.output.escape_ascii().to_string(), cut.0.output.escape_ascii().to_string());
    assert_eq!(whole, cut);
});
