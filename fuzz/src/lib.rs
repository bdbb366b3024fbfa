//! What the session targets share: how an input is divided, and a driver that runs a session over it in any pieces.
//!
//! An input of a session target is a head of eight octets and then what the client sends, so that seeds stay readable:
//! octet 0 says how the listener is set up, octets 1 to 3 what goes wrong in the world (`000`: nothing), octets 4 to 7
//! how the client's octets are cut. [`TLS`] within the client's octets stands for a TLS record: what follows it is
//! inside TLS if the server began TLS before, and whatever was sent in clear after STARTTLS is gone.

use wire::{Deflating, Facts, Session, Step, TlsInfo};

/// Where a segment ends: the first octets of a TLS handshake record.
pub const TLS: &[u8] = b"\x16\x03";

/// The clock of every session, 2023-11-14.
pub const NOW: i64 = 1_700_000_000;

/// An input taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// How the listener is set up; each target says how.
    pub setup: u8,
    /// Seed of the world's troubles.
    pub world: [u8; 3],
    /// Seed of the cuts.
    pub cuts: [u8; 4],
    /// What the client sends.
    pub text: &'a [u8],
}

impl<'a> Plan<'a> {
    /// None: the input is too short.
    pub fn new(input: &'a [u8]) -> Option<Plan<'a>> {
        let (head, text) = input.split_first_chunk::<8>()?;
        let [setup, a, b, c, cuts @ ..] = *head;
        Some(Plan { setup, world: [a, b, c], cuts, text })
    }

    /// What goes wrong.
    pub fn luck(&self) -> Luck {
        let seed = u64::from_le_bytes([self.world[0], self.world[1], self.world[2], 0, 0, 0, 0, 1]);
        Luck { state: seed, is_good: self.world == *b"000" }
    }

    /// The client's octets in segments (see the module), each cut into pieces by [`Plan::cuts`].
    pub fn pieces(&self) -> Vec<Vec<&'a [u8]>> {
        let seed = u32::from_le_bytes(self.cuts);
        let mut luck = Luck { state: u64::from(seed) | 1 << 40, is_good: false };
        let size_max = [1, 2, 7, 40, 300, 5000][usize::try_from(luck.below(6)).expect("small")];
        let cut = |segment| {
            let mut pieces = Vec::new();
            let mut rest: &[u8] = segment;
            while !rest.is_empty() {
                let size = usize::try_from(luck.below(size_max) + 1).expect("small").min(rest.len());
                let (piece, behind) = rest.split_at(size);
                pieces.push(piece);
                rest = behind;
            }
            pieces
        };
        segments(self.text).into_iter().map(cut).collect()
    }

    /// The same in pieces as large as a driver feeds them.
    pub fn whole(&self) -> Vec<Vec<&'a [u8]>> {
        segments(self.text).into_iter().map(|text| text.chunks(wire::FEED_BYTES_MAX).collect()).collect()
    }
}

fn segments(text: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut start) = (Vec::new(), 0);
    while let Some(at) = text[start..].windows(TLS.len()).position(|octets| octets == TLS) {
        out.push(&text[start..start + at]);
        start += at + TLS.len();
    }
    out.push(&text[start..]);
    out
}

/// A small source of decisions (xorshift64), the same for the same input.
#[derive(Clone, Debug)]
pub struct Luck {
    state: u64,
    is_good: bool,
}

impl Luck {
    /// A number from 0, up to but without `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) % limit
    }

    /// Whether something goes wrong now, one time in `times`.
    pub fn is_bad(&mut self, times: u64) -> bool {
        !self.is_good && self.below(times) == 0
    }
}

/// All that a session did.
#[derive(PartialEq, Eq, Debug)]
pub struct Course {
    /// What it said.
    pub output: Vec<u8>,
    /// It closed the connection by itself.
    pub closed: bool,
    /// Its account of it.
    pub facts: Facts,
}

/// Runs a session over the client's octets as a driver would. It must never hold more output than `output_max`.
///
/// # Panics
/// When the session breaks a promise: that is the finding.
pub fn run<S: Session>(
    session: &mut S,
    pieces: &[Vec<&[u8]>],
    output_max: usize,
    mut answer: impl FnMut(S::Ask) -> S::Answer,
) -> Course {
    let mut course = Course { output: Vec::new(), closed: false, facts: Facts::default() };
    let mut halt = rest(session, &mut course, output_max, &mut answer);
    for segment in pieces {
        for piece in segment {
            if halt != Halt::NeedInput {
                break;
            }
            session.feed(piece);
            halt = rest(session, &mut course, output_max, &mut answer);
        }
        if halt == Halt::StartTls {
            session.tls_started(TlsInfo {
                version: "TLSv1.3".to_owned(),
                cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
                exporter: Some(vec![7; 32]),
                client_names: vec!["tim@example.test".to_owned()],
                ..TlsInfo::default()
            });
            halt = rest(session, &mut course, output_max, &mut answer);
        }
    }
    course.closed = halt == Halt::Close;
    course.facts = session.facts();
    course
}

/// Ends a session that is still open: `timed_out` and `shut_down` have to lead to the end without any input.
///
/// # Panics
/// When they do not.
pub fn end<S: Session>(
    session: &mut S,
    output_max: usize,
    mut answer: impl FnMut(S::Ask) -> S::Answer,
) -> Course {
    let mut course = Course { output: Vec::new(), closed: false, facts: Facts::default() };
    session.shut_down();
    session.world_changed();
    if rest(session, &mut course, output_max, &mut answer) != Halt::Close {
        session.timed_out();
        assert_eq!(
            rest(session, &mut course, output_max, &mut answer),
            Halt::Close,
            "timed out and not closed"
        );
    }
    course.closed = true;
    course.facts = session.facts();
    assert_ne!(course.facts.end, wire::End::Open, "closed without a reason");
    course
}

#[derive(PartialEq, Eq, Debug)]
enum Halt {
    NeedInput,
    StartTls,
    Close,
}

fn rest<S: Session>(
    session: &mut S,
    course: &mut Course,
    output_max: usize,
    answer: &mut impl FnMut(S::Ask) -> S::Answer,
) -> Halt {
    let _ = session.patience();
    for _ in 0..1_000_000 {
        let step = session.step(NOW);
        let held = session.output().len();
        assert!(held <= output_max, "{held} octets of output are held");
        course.output.append(session.output());
        match step {
            Step::NeedInput => return Halt::NeedInput,
            Step::StartTls => return Halt::StartTls,
            Step::Deflate(Deflating::Start { unread }) => session.feed(&unread),
            Step::Deflate(Deflating::Stop) => {}
            Step::Close => return Halt::Close,
            Step::Flush => {}
            Step::Ask(ask) => {
                let reply = answer(ask);
                session.answer(reply);
            }
        }
    }
    panic!("the session spins");
}

/// The lines of an output.
///
/// # Panics
/// When one does not end with CRLF, or holds a CR, LF or NUL.
pub fn lines(output: &[u8]) -> Vec<&[u8]> {
    let Some(body) = output.strip_suffix(b"\r\n") else {
        assert!(output.is_empty(), "the last line is not ended: {}", output.escape_ascii());
        return Vec::new();
    };
    let mut lines: Vec<&[u8]> = body.split(|octet| *octet == b'\n').collect();
    let last = lines.len() - 1;
    for (number, line) in lines.iter_mut().enumerate() {
        if number < last {
            *line = line.strip_suffix(b"\r").expect("a bare LF was sent");
        }
        assert!(!line.iter().any(|octet| matches!(octet, 0 | b'\r')), "{}", line.escape_ascii());
    }
    lines
}

/// A connection as the targets use it; the lowest two bits of `setup` say how TLS comes in and whether passwords may
/// travel in clear.
pub fn connection(setup: u8) -> wire::Connection {
    wire::Connection {
        hostname: "mail.example.test".to_owned(),
        peer: Some(std::net::IpAddr::from([192, 0, 2, 7])),
        trace: "4f1c9a7be2".to_owned(),
        entropy: [7; 32],
        tls: if setup & 1 == 0 { wire::TlsMode::Starttls } else { wire::TlsMode::None },
        plaintext_auth: setup & 2 == 0,
    }
}

/// The directory of the targets: everybody's password is `secret`, but for names that begin with `x`.
pub fn log_in(question: sasl::Question, luck: &mut Luck) -> sasl::Reply {
    use sasl::{Question, Reply, ScramKeys, Verdict};
    use secrecy::ExposeSecret as _;
    let granted = match question {
        Question::ScramKeys { user, hash } => {
            let password = if user.starts_with('x') { "?" } else { "secret" };
            let candidates = vec![sasl::scram_keys(password, b"salt", 4, hash)];
            return Reply::ScramKeys(ScramKeys { salt: b"salt".to_vec(), iterations: 4, candidates });
        }
        Question::Password { user, password, .. } => {
            !user.starts_with('x') && password.expose_secret() == "secret"
        }
        Question::ScramProved { .. } => true,
        Question::Token { user, token } => !user.starts_with('x') && token.expose_secret() == "good",
        Question::Certificate { .. } | Question::Anonymous { .. } => true,
        Question::Failed { .. } => false,
        Question::Digest { kind, challenge, response, .. } => {
            sasl::digest_matches(kind, &challenge, b"secret", &response)
        }
    };
    Reply::Verdict(match (granted, luck.is_bad(4)) {
        (_, true) => {
            if luck.is_bad(2) {
                Verdict::Unavailable
            } else {
                Verdict::Forbidden
            }
        }
        (true, false) => Verdict::Granted { account: "tim@example.test".to_owned() },
        (false, false) => Verdict::Denied,
    })
}
