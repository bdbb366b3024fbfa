//! The control socket of a running server: `control.sock` in the data folder, for its owner (and root) only.

use super::frame;
use super::request::{Event, Failure, Request, Sink};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs requests.
pub trait Operator: Send + Sync + 'static {
    /// Does what is asked, telling `out` of it.
    ///
    /// # Errors
    /// A sentence for the person.
    fn run(&self, request: Request, body: &[u8], out: &mut dyn Sink) -> Result<(), Failure>;
}

/// Its place in the data folder.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// Binds the socket. The caller holds the store's lock, so a socket that is there is left over from a crash.
///
/// # Errors
/// As the system.
pub fn bind(data_dir: &Path) -> io::Result<UnixListener> {
    let path = socket_path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves requests, a thread for each client (people and scripts, not the network), as long as the process lives.
pub fn serve(listener: UnixListener, operator: Arc<dyn Operator>) {
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let operator = operator.clone();
            std::thread::spawn(move || {
                if let Err(error) = converse(client, &*operator) {
                    tracing::debug!(%error, "a control connection broke");
                }
            });
        }
    });
}

fn converse(client: UnixStream, operator: &dyn Operator) -> io::Result<()> {
    let mut input = io::BufReader::new(client.try_clone()?);
    let mut output = io::BufWriter::new(client);
    while let Some((request, body)) = frame::read::<Request>(&mut input)? {
        let outcome = operator.run(request, &body, &mut SocketSink(&mut output));
        let last = match outcome {
            Ok(()) => Event::Done,
            Err(failure) => Event::Failed(failure.0),
        };
        frame::write(&mut output, &last, b"")?;
    }
    Ok(())
}

/// Events into a socket.
struct SocketSink<'a>(&'a mut io::BufWriter<UnixStream>);

impl Sink for SocketSink<'_> {
    fn event(&mut self, event: Event, body: &[u8]) -> io::Result<()> {
        frame::write(self.0, &event, body)
    }
}
