//! A command that takes more than one step.

use super::core::{Core, Done, News};
use crate::ask::{Answer, Ask};
use std::fmt::Debug;

/// A command under way: a state machine that is resumed with what it waited for.
pub(crate) trait Running: Debug + Send {
    /// Works until something is needed. Bounded work; output goes to `core.out`.
    fn resume(&mut self, core: &mut Core, event: Event) -> Next;
}

/// Why a command is resumed.
#[derive(Debug)]
pub(crate) enum Event {
    /// For the first time, or after its output was sent.
    Go,
    /// The world answered.
    Answer(Answer),
    /// The client sent a line while the command waited for it (without CRLF).
    Line(Vec<u8>),
    /// The selected mailbox changed while the command waited for a line.
    Changed,
}

/// What a command needs next.
#[derive(Debug)]
pub(crate) enum Next {
    /// The world's answer.
    Ask(Ask),
    /// That its output leaves.
    Flush,
    /// A line of the client.
    Line,
    /// Nothing: it has ended.
    Done(Done),
}

/// An answer that does not belong to the question is a fault of the answering side; the client is told so, and the
/// session lives.
pub(crate) fn mismatch(answer: &Answer) -> Next {
    debug_assert!(false, "an answer that was not asked for: {answer:?}");
    Next::Done(Done::no("[SERVERBUG] Internal error").telling(News::None))
}

/// An answer that was not the expected one: a refusal, or a fault.
pub(crate) fn otherwise(event: Event) -> Next {
    match event {
        Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused(&refused)),
        Event::Answer(answer) => mismatch(&answer),
        Event::Go | Event::Line(_) | Event::Changed => {
            debug_assert!(false, "resumed without an answer");
            Next::Done(Done::no("[SERVERBUG] Internal error").telling(News::None))
        }
    }
}
