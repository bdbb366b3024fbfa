//! The client's side of SOCKS5 (RFC 1928), CONNECT only, with or without name and password (RFC 1929).
//!
//! Every field that the proxy sends has its length before it and at most 255 octets, so what is read is bounded; the time
//! is bounded by who calls.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;

/// Lets the proxy connect to `target`; behind this the stream is the target's.
///
/// # Errors
/// The proxy does not speak SOCKS5, refuses the log-in, or can't connect.
pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: SocketAddr,
    login: Option<(&str, &str)>,
) -> io::Result<()> {
    // RFC 1928 §3: the methods that we can.
    let greeting: &[u8] = if login.is_some() {
        &[VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD]
    } else {
        &[VERSION, 1, NO_AUTHENTICATION]
    };
    stream.write_all(greeting).await?;
    let [version, method] = read(stream).await?;
    if version != VERSION {
        return Err(wrong("it does not speak SOCKS5"));
    }
    match (method, login) {
        (NO_AUTHENTICATION, _) => {}
        (USERNAME_PASSWORD, Some((name, password))) => log_in(stream, name, password).await?,
        _ => return Err(wrong("it wants a log-in of another kind")),
    }
    stream.write_all(&request(target)).await?;
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(wrong("it does not speak SOCKS5"));
    }
    if reply != 0 {
        return Err(refused(reply));
    }
    // RFC 1928 §6: the address it sends from, which nobody needs, and its port.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let [length] = read(stream).await?;
            usize::from(length)
        }
        _ => return Err(wrong("its answer has an address of an unknown kind")),
    };
    let mut bound = [0; 255 + 2];
    stream.read_exact(&mut bound[..length + 2]).await?;
    Ok(())
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    name: &str,
    password: &str,
) -> io::Result<()> {
    let mut request = vec![1];
    for part in [name, password] {
        let length =
            u8::try_from(part.len()).map_err(|_| wrong("its name or password is longer than 255 octets"))?;
        request.push(length);
        request.extend_from_slice(part.as_bytes());
    }
    stream.write_all(&request).await?;
    let [_, status] = read(stream).await?;
    // RFC 1929 §2: anything but 0 is a failure.
    if status == 0 { Ok(()) } else { Err(wrong("it refused the name or the password")) }
}

fn request(target: SocketAddr) -> Vec<u8> {
    let mut request = vec![VERSION, 1, 0];
    match target {
        SocketAddr::V4(target) => {
            request.push(1);
            request.extend_from_slice(&target.ip().octets());
        }
        SocketAddr::V6(target) => {
            request.push(4);
            request.extend_from_slice(&target.ip().octets());
        }
    }
    request.extend_from_slice(&target.port().to_be_bytes());
    request
}

async fn read<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn wrong(why: &str) -> io::Error {
    io::Error::other(format!("the SOCKS proxy: {why}"))
}

/// RFC 1928 §6: the proxy's reasons, as the system would have given them.
fn refused(reply: u8) -> io::Error {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, PermissionDenied, TimedOut};
    let (kind, why) = match reply {
        2 => (PermissionDenied, "it may not connect there"),
        3 => (NetworkUnreachable, "the network can't be reached"),
        4 => (HostUnreachable, "the host can't be reached"),
        5 => (ConnectionRefused, "the connection was refused"),
        6 => (TimedOut, "the connection took too long"),
        _ => (io::ErrorKind::Other, "it failed"),
    };
    io::Error::new(kind, format!("the SOCKS proxy: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a proxy that expects `heard` and says `said`, in turns.
    fn against(script: &[(&[u8], &[u8])], login: Option<(&str, &str)>, to: &str) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(1024);
            let proxy = async {
                for (heard, said) in script {
                    let mut bytes = vec![0; heard.len()];
                    if theirs.read_exact(&mut bytes).await.is_err() {
                        return;
                    }
                    assert_eq!(bytes, *heard);
                    theirs.write_all(said).await.unwrap();
                }
                drop(theirs);
            };
            let to = to.parse().unwrap();
            tokio::join!(
                async {
                    let done = connect(&mut ours, to, login).await;
                    drop(ours);
                    done
                },
                proxy
            )
            .0
        })
    }

    #[test]
    fn a_proxy_connects() {
        let open = against(
            &[
                (b"\x05\x01\x00", b"\x05\x00"),
                (b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x19", b"\x05\x00\x00\x01\0\0\0\0\0\0"),
            ],
            None,
            "192.0.2.1:25",
        );
        assert!(open.is_ok(), "{open:?}");
        let named = against(
            &[
                (b"\x05\x02\x00\x02", b"\x05\x02"),
                (b"\x01\x02me\x04hush", b"\x01\x00"),
                (
                    b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x19",
                    b"\x05\x00\x00\x03\x01x\0\0",
                ),
            ],
            Some(("me", "hush")),
            "[2001:db8::1]:25",
        );
        assert!(named.is_ok(), "{named:?}");
    }

    #[test]
    fn what_it_refuses_is_an_error() {
        let ask = b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x19";
        for script in [
            &[(b"\x05\x01\x00" as &[u8], b"\x05\xff" as &[u8])] as &[(&[u8], &[u8])],
            &[(b"\x05\x01\x00", b"HT")],
            &[(b"\x05\x01\x00", b"\x05\x02")],
            &[(b"\x05\x01\x00", b"\x05")],
            &[(b"\x05\x01\x00", b"\x05\x00"), (ask, b"\x05\x00\x00\x09")],
            &[(b"\x05\x01\x00", b"\x05\x00"), (ask, b"\x05\x00\x00\x03\xffshort")],
        ] {
            assert!(against(script, None, "192.0.2.1:25").is_err());
        }
        let refused = against(
            &[(b"\x05\x01\x00", b"\x05\x00"), (ask, b"\x05\x05\x00\x01\0\0\0\0\0\0")],
            None,
            "192.0.2.1:25",
        );
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
