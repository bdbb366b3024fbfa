use std::time::Duration;

use wire::{Facts, Input, LineError, Session, Step, TlsInfo};

use super::*;
use crate::script::glob;

/// Answers each line with itself, `TLS`, `QUIT`, `ASK x` apart.
#[derive(Default)]
struct Echo {
    input: Input,
    output: Vec<u8>,
    greeted: bool,
    asked: bool,
    closing: bool,
    /// A defect on purpose: the output depends on how the input came.
    counts_pieces: bool,
}

impl Session for Echo {
    type Ask = String;
    type Answer = String;

    fn feed(&mut self, bytes: &[u8]) {
        self.input.feed(bytes);
        if self.counts_pieces {
            self.output.extend_from_slice(b".");
        }
    }

    fn step(&mut self, now: i64) -> Step<String> {
        if !self.greeted {
            self.greeted = true;
            self.output.extend_from_slice(format!("hello at {now}\r\n").as_bytes());
        }
        if self.closing {
            return Step::Close;
        }
        match self.input.line(100) {
            None => Step::NeedInput,
            Some(Err(LineError::TooLong | LineError::Endless)) => {
                panic!("no transcript here has a long line")
            }
            Some(Err(LineError::BareEnding)) => {
                self.output.extend_from_slice(b"bare\r\n");
                Step::Flush
            }
            Some(Ok(length)) => {
                let line = self.input.pending()[..length].to_vec();
                self.input.consume(length + 2);
                match line.as_slice() {
                    b"TLS" => {
                        self.input.discard();
                        return Step::StartTls;
                    }
                    b"QUIT" => self.closing = true,
                    [b'A', b'S', b'K', b' ', what @ ..] => {
                        self.asked = true;
                        return Step::Ask(String::from_utf8_lossy(what).into_owned());
                    }
                    _ => {}
                }
                self.output.extend_from_slice(&line);
                self.output.extend_from_slice(b"\r\n");
                Step::Flush
            }
        }
    }

    fn answer(&mut self, answer: String) {
        assert!(std::mem::take(&mut self.asked), "asked before");
        self.output.extend_from_slice(answer.as_bytes());
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn tls_started(&mut self, tls: TlsInfo) {
        self.output.extend_from_slice(format!("{}\r\n", tls.version).as_bytes());
    }

    fn world_changed(&mut self) {
        self.output.extend_from_slice(b"changed\r\n");
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn timed_out(&mut self) {
        self.output.extend_from_slice(b"late\r\n");
        self.closing = true;
    }

    fn shut_down(&mut self) {
        self.output.extend_from_slice(b"down\r\n");
        self.closing = true;
    }

    fn facts(&self) -> Facts {
        Facts::default()
    }
}

#[derive(Default)]
struct Counter {
    asked: u32,
}

impl World for Counter {
    type Session = Echo;

    fn open(&mut self, header: &Header, _client: u8) -> Echo {
        Echo { counts_pieces: header.get("counts").is_some(), ..Echo::default() }
    }

    fn answer(&mut self, client: u8, ask: String) -> String {
        self.asked += 1;
        format!("{client} {ask} {}\r\n", self.asked)
    }

    fn change(&mut self, text: &str) -> Result<(), String> {
        self.asked = text.parse().map_err(|_| "not a number".to_owned())?;
        Ok(())
    }
}

fn failure(text: &str) -> String {
    run("x.t", text, |_| Counter::default()).expect_err("it departs").to_string()
}

const EVERY_KIND: &str = r"# A comment at the top.
now: 5

S: hello at 5       # the rule
C: one
C: two  two  # pipelined
S: one
# and between
S~ t* *o
C< b\x61re\0r\{3:\x61}w\r\n
S< bare\0raa
S: aw
C:
S:
";

const TWO_CLIENTS: &str = r"tls: implicit

S: TLSv1.3
S: hello at 1700000000
C: ASK a
S: 1 a 1
W: 7
S: changed
S2: TLSv1.3
S2: hello at 1700000000
C2: ASK b
S2: 2 b 8
C: TLS
C: injected
T:
S: TLSv1.3
C: after
S: after
D2:
S2: down
E2:
N: 5
S3: TLSv1.3
S3: hello at 1700000005
C: QUIT
C: unread
S: QUIT
E:
L3:
S3: late
E3:
";

#[test]
fn every_kind_of_line() {
    for text in [EVERY_KIND, TWO_CLIENTS] {
        run("x.t", text, |_| Counter::default()).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

#[test]
fn departures_are_named() {
    let wrong = failure("a: b\n\nS: hello at 1\n");
    assert!(
        wrong.contains("x.t:3\n")
            && wrong.contains("\"hello at 1\"")
            && wrong.contains("\"hello at 1700000000\""),
        "{wrong}"
    );
    let unexpected = failure("a: b\n\nS~ hello*\nC: one\nC: two\nS: one\nC: three\n");
    assert!(unexpected.contains("x.t:7\n") && unexpected.contains("\"two\""), "{unexpected}");
    let at_end = failure("a: b\n\nS~ hello*\nC: one\n");
    assert!(at_end.contains("end of the transcript") && at_end.contains("\"one\""), "{at_end}");
    let silent = failure("a: b\n\nS~ hello*\nS: more\n");
    assert!(silent.contains("got    nothing; the session waits for input"), "{silent}");
    let closed = failure("a: b\n\nS~ hello*\nC: QUIT\nS: QUIT\n");
    assert!(closed.contains("closed by the server"), "{closed}");
    let open = failure("a: b\n\nS~ hello*\nE:\n");
    assert!(open.contains("wanted the end of the connection"), "{open}");
    let no_tls = failure("a: b\n\nS~ hello*\nT:\n");
    assert!(no_tls.contains("wanted the start of TLS"), "{no_tls}");
    let change = failure("a: b\n\nS~ hello*\nW: x\n");
    assert!(change.contains("not a number"), "{change}");
    let after = failure("a: b\n\nS~ hello*\nC: QUIT\nS: QUIT\nC: more\n");
    assert!(after.contains("x.t:6\n") && after.contains("has closed"), "{after}");
}

#[test]
fn output_that_depends_on_how_input_came_is_found() {
    let split = failure("counts: pieces\n\nS~ hello*\nC: one\nS: .one\n");
    assert!(split.contains("byte by byte") && split.contains("\".....one\""), "{split}");
}

#[test]
fn what_is_no_transcript_is_refused() {
    for text in [
        "",
        "a: b\n",
        "a\n\nC: x\n",
        "a: b\n\nx\n",
        "a: b\n\nC:x\n",
        "a: b\n\nE: x\n",
        "a: b\n\nC< \\q\n",
        "a: b\n\nC< \\x1\n",
    ] {
        assert!(failure(text).contains("a line as the head"), "{text:?}");
    }
}

#[test]
fn stars_stand_for_any_text() {
    assert!(glob("a*c*e", b"abcde") && glob("*", b"") && glob("a*", b"a") && glob("\\* *", b"* x"));
    assert!(!glob("a*a", b"a") && !glob("a*c*e", b"abde") && !glob("\\* *", b"x x") && !glob("ab", b"abc"));
}
