//! `troika quickstart`: from an empty folder to a running server with two accounts.

use crate::cli::arguments::Quickstart;
use crate::config::{Bind, Config, ListenerProtocol, ListenerTls};
use crate::control::Failure;
use crate::operations;
use crate::serve;
use agents::World;
use model::{Domain, EmailAddress};
use secrecy::SecretString;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The two accounts that are made.
const NAMES: [&str; 2] = ["alice", "bob"];

/// Makes what is missing and serves until stopped.
///
/// # Errors
/// A sentence: the folder can't be used, a port is taken, and so on.
pub fn run(options: &Quickstart) -> Result<(), Failure> {
    let domain = Domain::new(&options.domain)
        .map_err(|_| Failure::new(format!("{} is no domain name", options.domain)))?;
    if options.port_base > 60_000 {
        return Err(Failure::new("--port-base can be at most 60000: the ports above it would not exist"));
    }
    fs::create_dir_all(&options.dir)
        .map_err(|error| Failure::new(format!("{} can't be made: {error}", options.dir.display())))?;
    let path = options.dir.join("troika.toml");
    if !path.exists() {
        fs::write(&path, configuration(&domain, options.port_base))
            .map_err(|error| Failure::new(format!("{} can't be written: {error}", path.display())))?;
    }
    let dir = options.dir.clone();
    let prepare = move |world: &World, config: &Config| -> Result<(), Failure> {
        let made = accounts(world, &domain)?;
        announce(&dir, config, &made);
        Ok(())
    };
    serve::run(&path, Some(Box::new(prepare)))
}

fn configuration(domain: &Domain, base: u16) -> String {
    let mut text = format!(
        "# Made by troika quickstart. `troika config example` shows every key there is.\n\n[server]\nhostname = \"mail.{}\"\ndata_dir = \"data\"\n\n[auth]\ndefault_domain = \"{}\"\n",
        domain.to_ascii(),
        domain.to_ascii()
    );
    for (protocol, port, tls) in [
        ("smtp", 25, "starttls"),
        ("submission", 587, "starttls"),
        ("submission", 465, "implicit"),
        ("pop3", 110, "starttls"),
        ("pop3", 995, "implicit"),
        ("imap", 143, "starttls"),
        ("imap", 993, "implicit"),
        ("http", 80, "none"),
    ] {
        let auth = if tls == "starttls" && protocol != "smtp" {
            "plaintext_auth = true   # loopback only\n"
        } else {
            ""
        };
        // Writing to a String can't fail.
        let _ = write!(
            text,
            "\n[[listener]]\nprotocol = \"{protocol}\"\nbind = \"127.0.0.1:{}\"\ntls = \"{tls}\"\n{auth}",
            base + port
        );
    }
    text
}

/// An account with the password that was made for it; None: it was there before.
type Made = Vec<(EmailAddress, Option<String>)>;

fn accounts(world: &World, domain: &Domain) -> Result<Made, Failure> {
    let directory = &world.directory;
    if directory.domain(domain)?.is_none() {
        directory.add_domain(domain, operations::now()).wait()?;
    }
    let mut made = Vec::new();
    for name in NAMES {
        let address = EmailAddress::parse(&format!("{name}@{domain}"))
            .map_err(|error| Failure::new(format!("{name}@{domain}: {error}")))?;
        if directory.account(&address)?.is_some() {
            made.push((address, None));
            continue;
        }
        let password = operations::random_password();
        let new = directory::NewAccount {
            address: address.clone(),
            display_name: String::new(),
            password: Some(SecretString::from(password.clone())),
            quota: directory::Quota::default(),
            role: directory::Role::Person,
        };
        directory.add_account(new, operations::now()).wait()?;
        made.push((address, Some(password)));
    }
    Ok(made)
}

/// What to type into a mail client.
fn announce(dir: &Path, config: &Config, made: &Made) {
    let mut text = String::from("\nTroika is ready.\n\n");
    for (address, password) in made {
        let _ = match password {
            Some(password) => writeln!(text, "  account   {address}   password  {password}"),
            None => writeln!(
                text,
                "  account   {address}   (as before; `troika account set --password-stdin` changes the password)"
            ),
        };
    }
    text.push('\n');
    for listener in &config.listener {
        let (Bind::Tcp(bind), protocol) = (&listener.bind, listener.protocol) else { continue };
        let (what, how) = match (protocol, listener.tls) {
            (ListenerProtocol::Smtp, _) => ("SMTP", "mail from other servers, STARTTLS"),
            (ListenerProtocol::Submission, ListenerTls::Implicit) => ("SMTP", "send mail, TLS"),
            (ListenerProtocol::Submission, _) => ("SMTP", "send mail, STARTTLS or plain"),
            (ListenerProtocol::Pop3, ListenerTls::Implicit) => ("POP3", "fetch mail, TLS"),
            (ListenerProtocol::Pop3, _) => ("POP3", "fetch mail, STLS or plain"),
            (ListenerProtocol::Imap, ListenerTls::Implicit) => ("IMAP", "read mail, TLS"),
            (ListenerProtocol::Imap, _) => ("IMAP", "read mail, STARTTLS or plain"),
            (ListenerProtocol::Http, _) => ("HTTP", "/health and /metrics"),
            (ListenerProtocol::Lmtp, _) => ("LMTP", "deliveries"),
        };
        let _ = writeln!(text, "  {what:5} {:21} {how}", bind.to_string());
    }
    let absolute = fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    let _ = writeln!(text, "\n  CA file for your clients   {}", absolute.join("data/tls/ca.pem").display());
    let _ = writeln!(text, "  configuration              {}", absolute.join("troika.toml").display());
    if let [(alice, Some(password)), (bob, _)] = made.as_slice()
        && let Some(port) = submission_port(config)
    {
        let _ = writeln!(
            text,
            "\n  First mail:  curl --url smtp://127.0.0.1:{port} --user {alice}:{password} \\\n                    --mail-from {alice} --mail-rcpt {bob} --crlf --upload-file message.txt"
        );
    }
    text.push_str("\n  Stop with Ctrl-C.\n");
    println!("{text}");
}

fn submission_port(config: &Config) -> Option<u16> {
    config.listener.iter().find_map(|listener| match (&listener.bind, listener.protocol, listener.tls) {
        (Bind::Tcp(bind), ListenerProtocol::Submission, ListenerTls::Starttls) => Some(bind.port()),
        _ => None,
    })
}
