//! Reaching the store: by the running server's control socket, or by opening it.

use super::Terminal;
use crate::config::Config;
use crate::control::{Event, Failure, Request, Sink, frame, server};
use crate::operations;
use agents::World;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// A way to the store.
pub enum Reach {
    /// A server runs and does it.
    Server {
        /// From the server.
        input: io::BufReader<UnixStream>,
        /// To the server.
        output: io::BufWriter<UnixStream>,
    },
    /// No server runs; this process does it.
    Alone(Arc<World>),
}

impl Reach {
    /// Finds the way.
    ///
    /// # Errors
    /// The store is held by a process that does not answer, or can't be opened.
    pub fn open(config: &Config) -> Result<Reach, Failure> {
        let broken = |error: io::Error| Failure::new(format!("the server's control socket failed: {error}"));
        if let Ok(stream) = server::connect(&config.server.data_dir) {
            let input = io::BufReader::new(stream.try_clone().map_err(broken)?);
            return Ok(Reach::Server { input, output: io::BufWriter::new(stream) });
        }
        crate::world::open(config).map(|world| Reach::Alone(Arc::new(world)))
    }

    /// Asks, and shows what comes back.
    ///
    /// # Errors
    /// What the other side says, or that it is gone.
    pub fn ask(&mut self, request: &Request, body: &[u8], terminal: &mut dyn Sink) -> Result<(), Failure> {
        let (input, output) = match self {
            Reach::Alone(world) => {
                // The same values that would cross the socket, so that both ways stay one.
                let text = serde_json::to_value(request).map_err(|error| Failure::new(error.to_string()))?;
                let request =
                    serde_json::from_value(text).map_err(|error| Failure::new(error.to_string()))?;
                return operations::run(world, request, body, terminal);
            }
            Reach::Server { input, output } => (input, output),
        };
        let gone = |error: io::Error| {
            Failure::new(format!("the server went away ({error}); look at its log, then try again"))
        };
        frame::write(output, request, body).map_err(gone)?;
        loop {
            match frame::read::<Event>(input).map_err(gone)? {
                None => return Err(gone(io::ErrorKind::UnexpectedEof.into())),
                Some((Event::Done, _)) => return Ok(()),
                Some((Event::Failed(text), _)) => return Err(Failure::new(text)),
                Some((event, body)) => {
                    terminal.event(event, &body).map_err(|error| Failure::new(error.to_string()))?;
                }
            }
        }
    }
}

/// `troika store rebuild`: needs the store for itself alone.
pub(super) fn rebuild(config: &Config, salvage: bool, terminal: &mut Terminal) -> Result<(), Failure> {
    let dir = crate::world::store_dir(config);
    let mut progress = |done, of| {
        let _ = terminal.event(Event::Progress(done, of), b"");
    };
    let rebuilt = match salvage {
        true => engine::salvage(&dir, &mut progress),
        false => engine::rebuild(&dir, &mut progress).map(|()| Vec::new()),
    };
    terminal.finish();
    let lost = rebuilt.map_err(|error| match error {
        engine::Error::Corrupt { .. } if !salvage => Failure::new(format!(
            "{error}; `troika store rebuild --salvage` goes on behind it and says what is lost"
        )),
        error => Failure::from(error),
    })?;
    let mut say = |words: String| {
        terminal.event(Event::Say(words), b"").map_err(|error| Failure::new(error.to_string()))
    };
    for words in &lost {
        say(format!("lost: {words}"))?;
    }
    say("the index was built anew from the log".into())?;
    match lost.len() {
        0 => Ok(()),
        count => say(format!("{count} things are lost; `troika store check` tells whom that concerns")),
    }
}
