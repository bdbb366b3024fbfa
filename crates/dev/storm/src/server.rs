//! The server under test: the real program, in a folder of its own.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The account that is nobody's own.
const TEAM: &str = "team@example.test";

/// A running server; it ends with this value.
pub struct Server {
    /// Where IMAP is.
    pub address: SocketAddr,
    /// Name and password of each account.
    pub accounts: Vec<(String, String)>,
    child: Child,
    binary: PathBuf,
    config: PathBuf,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts it with so many accounts.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(binary: &Path, accounts: usize) -> io::Result<Server> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("troika.toml");
        // Free now, and in all likelihood still free when the server takes it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(
            &config,
            format!(
                "[server]\nhostname = \"mail.example.test\"\ndata_dir = \"data\"\n\n[[listener]]\nprotocol = \"imap\"\n\
                 bind = \"{address}\"\ntls = \"none\"\nplaintext_auth = true\n\n\
                 [imap]\nadministrators = [\"storm0@example.test\"]\n"
            ),
        )?;
        let run = |words: &[&str], input: &str| run(binary, &config, words, input);
        run(&["domain", "add", "example.test"], "")?;
        let accounts: Vec<(String, String)> =
            (0..accounts).map(|n| (format!("storm{n}@example.test"), format!("Gewitter-{n}"))).collect();
        for (name, password) in &accounts {
            run(&["account", "add", name, "--password-stdin"], &format!("{password}\n"))?;
        }
        run(&["account", "add", TEAM, "--shared"], "")?;
        let child = serve(binary, &config, folder.path())?;
        let mut server = Server { address, accounts, child, binary: binary.to_owned(), config, folder };
        server.wait()?;
        Ok(server)
    }

    /// Ends it with a signal (`-TERM`, `-KILL`) and starts it again with the same folder.
    ///
    /// # Errors
    /// It panicked, or does not start again.
    pub fn restart(&mut self, signal: &str) -> io::Result<()> {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status()?;
        let ended = self.child.wait()?;
        if signal == "-TERM" && !ended.success() || self.log().contains("panicked") {
            return Err(io::Error::other(format!("the server ended with {ended}: {}", self.log())));
        }
        self.child = serve(&self.binary, &self.config, self.folder.path())?;
        self.wait()
    }

    /// Waits until it listens.
    fn wait(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if begun.elapsed() > Duration::from_secs(60) || self.child.try_wait()?.is_some() {
                return Err(io::Error::other(format!("the server does not start: {}", self.log())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Shares a mailbox of an account, or else that of the team, with everybody.
    ///
    /// # Errors
    /// The program refused.
    pub fn share(&self, account: Option<usize>, mailbox: &str, rights: &str, seen: &str) -> io::Result<()> {
        let account = account.map_or(TEAM, |account| &self.accounts[account].0);
        let words = ["mailbox", "share", account, mailbox, "--with", "anyone"];
        let words = [&words[..], &["--rights", rights, "--seen", seen]].concat();
        run(&self.binary, &self.config, &words, "")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it and checks its store.
    ///
    /// # Errors
    /// It panicked, or the store is not sound.
    pub fn stop(mut self) -> io::Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let ended = self.child.wait()?;
        let log = self.log();
        if !ended.success() || log.contains("panicked") {
            return Err(io::Error::other(format!("the server ended with {ended}: {log}")));
        }
        run(&self.binary, &self.config, &["store", "check"], "")
    }

    /// Keeps its folder.
    pub fn keep(self) -> PathBuf {
        let Server { mut child, folder, .. } = self;
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
        folder.keep()
    }
}

fn serve(binary: &Path, config: &Path, folder: &Path) -> io::Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
    let mut serve = Command::new(binary);
    serve.arg("--config").arg(config).arg("serve");
    serve.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
}

fn run(binary: &Path, config: &Path, words: &[&str], input: &str) -> io::Result<()> {
    let mut child = Command::new(binary)
        .arg("--config")
        .arg(config)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let done = child.wait_with_output()?;
    if done.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&done.stderr);
    let out = String::from_utf8_lossy(&done.stdout);
    Err(io::Error::other(format!("{} ended with {}: {out}{told}", words.join(" "), done.status)))
}
