//! The control socket of a running server: `control.sock` in the data folder, for its owner (and root) only.

use super::frame;
use super::request::{Event, Failure, Request, Sink};
use std::io;
use std::os::fd::AsRawFd;
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
    let listener = short(data_dir, |path| UnixListener::bind(path))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connects to the socket of a running server.
///
/// # Errors
/// As the system: there is none, or nobody listens.
pub fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    short(data_dir, |path| UnixStream::connect(path))
}

/// A socket's address has room for 107 octets; a longer path is reached through the folder's descriptor.
fn short<T>(data_dir: &Path, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    const ADDRESS_BYTES_MAX: usize = 107;
    let path = socket_path(data_dir);
    if path.as_os_str().len() <= ADDRESS_BYTES_MAX {
        return work(&path);
    }
    let folder = std::fs::File::open(data_dir)?;
    work(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join("control.sock"))
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
