//! A server on a loopback socket that follows a script, for tests.

use crate::{Environment, Limits, Server, Tls};
use net::{CertificateFiles, Stream, self_signed_authority};
use rustls::RootCertStore;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the server does, one after the other.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends this.
    Say(String),
    /// Waits for a line that begins so.
    Hear(&'static str),
    /// Makes the TLS handshake.
    Secure,
    /// Hangs up.
    HangUp,
    /// Says nothing any more until the client hangs up.
    Sulk,
}

pub(crate) fn say(text: impl Into<String>) -> Act {
    Act::Say(text.into())
}

pub(crate) fn hear(line: &'static str) -> Act {
    Act::Hear(line)
}

/// A server, once, on `localhost`; its certificate is for that name.
pub(crate) struct Scripted {
    pub server: Server,
    pub environment: Environment,
    /// What went wrong with the script, or the lines it heard.
    pub run: JoinHandle<Result<Vec<String>, String>>,
    _dir: TempDir,
}

impl Scripted {
    pub(crate) async fn start(tls: Tls, script: Vec<Act>) -> Scripted {
        let dir = tempfile::tempdir().unwrap();
        self_signed_authority(dir.path(), &["localhost".to_owned()]).unwrap();
        let files = CertificateFiles {
            certificate: dir.path().join("server.pem"),
            key: dir.path().join("server.key"),
        };
        let acceptor = net::Tls::load(&[files]).unwrap();
        let zone = dir.path().join("zone");
        std::fs::write(&zone, "localhost. 60 IN A 127.0.0.1\n").unwrap();
        let settings = dns::Settings { zone_file: Some(zone), ..dns::Settings::default() };
        let resolver = Arc::new(dns::Resolver::new(settings).unwrap());
        let authorities = net::authorities(&dir.path().join("ca.pem")).unwrap();
        let mut environment = Environment::new(resolver, Arc::new(authorities));
        environment.limits = Limits { silence: Duration::from_secs(20), ..Limits::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let run = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.map_err(|error| error.to_string())?;
            let mut peer = Peer { stream: Stream::Tcp(tcp), unread: Vec::new(), heard: Vec::new() };
            if tls == Tls::Implicit {
                peer.secure(&acceptor).await?;
            }
            for act in script {
                match act {
                    Act::Say(text) => peer.say(text.as_bytes()).await?,
                    Act::Hear(wanted) => {
                        let line = peer.line().await.ok_or_else(|| format!("hung up before {wanted}"))?;
                        peer.heard.push(line.clone());
                        if !line.starts_with(wanted) {
                            return Err(format!("{line} instead of {wanted}"));
                        }
                    }
                    Act::Secure => peer.secure(&acceptor).await?,
                    Act::HangUp => return Ok(peer.heard),
                    Act::Sulk => while peer.line().await.is_some() {},
                }
            }
            while let Some(line) = peer.line().await {
                peer.heard.push(line);
            }
            Ok(peer.heard)
        });
        let server = Server { host: "localhost".into(), port, tls };
        Scripted { server, environment, run, _dir: dir }
    }

    /// The same, but no certificate is trusted that the server could have.
    pub(crate) fn distrusted(&self) -> Environment {
        let other = tempfile::tempdir().unwrap();
        self_signed_authority(other.path(), &["localhost".to_owned()]).unwrap();
        let authorities: RootCertStore = net::authorities(&other.path().join("ca.pem")).unwrap();
        Environment { authorities: Arc::new(authorities), ..self.environment.clone() }
    }
}

struct Peer {
    stream: Stream,
    unread: Vec<u8>,
    heard: Vec<String>,
}

impl Peer {
    async fn secure(&mut self, tls: &net::Tls) -> Result<(), String> {
        let Stream::Tcp(tcp) = std::mem::replace(&mut self.stream, Stream::Gone) else { return Ok(()) };
        self.unread.clear();
        self.stream = tls.accept(tcp, Duration::from_secs(20)).await.map_err(|error| error.to_string())?;
        Ok(())
    }

    async fn say(&mut self, mut octets: &[u8]) -> Result<(), String> {
        while !octets.is_empty() {
            let some = poll_fn(|cx| self.stream.poll_write(cx, octets)).await.map_err(|e| e.to_string())?;
            octets = &octets[some..];
        }
        poll_fn(|cx| self.stream.poll_flush(cx)).await.map_err(|error| error.to_string())
    }

    /// The next line without its end; None: the client has hung up.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let unread = &mut self.unread;
            match poll_fn(|cx| self.stream.poll_take(cx, &mut |octets| unread.extend_from_slice(octets)))
                .await
            {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
