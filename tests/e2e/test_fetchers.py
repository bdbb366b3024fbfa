"""fetchmail, getmail6 and mpop: mail goes to a local folder, byte for byte, and leaves the server."""

import os
import re
from pathlib import Path

import pytest
from harness.mail import digest, message, unique, with_attachment
from harness.programs import run


@pytest.fixture
def mail(server, bob):
    """Five messages in bob's INBOX: their fingerprints."""
    return five_messages(server, bob)


def five_messages(server, bob):
    """Deliver five messages, return their fingerprints."""
    raws = [message(unique(), body=f"Письмо {number}\r\n.\r\n..\r\nend\r\n") for number in range(4)]
    raws.append(with_attachment(100_000)[0])
    for raw in raws:
        server.deliver(bob, raw)
    return sorted(digest(raw) for raw in raws)


def crlf(raw):
    """A message as programs store it, with CRLF again and without getmail's own field."""
    return re.sub(rb"X-getmail[^\n]*\n", b"", raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def maildir(folder):
    """Fingerprints of what lies in a Maildir."""
    files = [path for part in ("new", "cur") for path in (Path(folder) / part).iterdir()]
    return sorted(digest(crlf(path.read_bytes())) for path in files)


def make_maildir(folder):
    """Make an empty Maildir."""
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


# fetchmail


def fetchmail(server, account, folder, *, protocol, port, tls, options=""):
    """Fetch with fetchmail into files."""
    out = folder / "got"
    out.mkdir(exist_ok=True)
    take = folder / "take"
    take.write_text(f'#!/bin/sh\ncat > "$(mktemp {out}/XXXXXXXX)"\n')
    take.chmod(0o755)
    rc = folder / "fetchmailrc"
    security = {"implicit": "ssl", "starttls": "sslproto TLS1.2+", "clear": "sslproto ''"}[tls]
    rc.write_text(
        f'set no bouncemail\npoll localhost protocol {protocol} port {port}\n  user "{account.address}" '
        f'password "{account.password}" {security} sslcertfile {server.ca} '
        f'{"sslcertck" if tls != "clear" else ""} no rewrite nokeep fetchall {options} mda "{take}"\n'
    )
    rc.chmod(0o600)
    environment = os.environ | {"FETCHMAILHOME": str(folder), "HOME": str(folder)}
    run(["fetchmail", "-f", rc, "--nodetach", "--nosyslog", "-v"], env=environment)
    return sorted(digest(crlf(path.read_bytes())) for path in out.iterdir())


@pytest.mark.parametrize(
    ("protocol", "listener", "tls"),
    [
        ("POP3", "pop3_clear", "clear"),
        ("POP3", "pop3", "starttls"),
        ("POP3", "pop3s", "implicit"),
        ("IMAP", "imap_clear", "clear"),
        ("IMAP", "imap", "starttls"),
        ("IMAP", "imaps", "implicit"),
    ],
)
def test_fetchmail(server, bob, mail, tmp_path, protocol, listener, tls):
    port = server.ports[listener]
    got = fetchmail(server, bob, tmp_path, protocol=protocol, port=port, tls=tls)
    assert got == mail
    assert server.contents(bob) == []


def test_fetchmail_with_apop(app_server, tmp_path):
    server, bob = app_server, app_server.account()
    mail, app = five_messages(server, bob), server.app_password(bob)
    got = fetchmail(server, app, tmp_path, protocol="APOP", port=server.pop3_clear, tls="clear")
    assert got == mail


# getmail


def getmail(server, account, folder, retriever, extra=""):
    """Fetch with getmail. As root it delivers by a command only, not into a Maildir of its own."""
    box = folder / "box"
    box.mkdir(exist_ok=True)
    take = folder / "take"
    take.write_text(f'#!/bin/sh\ncat > "$(mktemp {box}/XXXXXXXX)"\n')
    take.chmod(0o755)
    rc = folder / "getmailrc"
    rc.write_text(
        f"[retriever]\ntype = {retriever}\nserver = localhost\nusername = {account.address}\n"
        f"password = {account.password}\n{extra}\n[destination]\ntype = MDA_external\npath = {take}\n"
        "allow_root_commands = true\n"
        "[options]\nread_all = false\ndelete = false\ndelivered_to = false\nreceived = false\n"
    )
    rc.chmod(0o600)
    run(["getmail", f"--getmaildir={folder}", f"--rcfile={rc}"])
    return sorted(digest(crlf(path.read_bytes())) for path in box.iterdir())


@pytest.mark.parametrize("kind", ["pop3s", "pop3_clear", "imaps", "imap_clear"])
def test_getmail_fetches_each_message_once(server, bob, mail, tmp_path, kind):
    retriever = {
        "pop3s": "SimplePOP3SSLRetriever",
        "pop3_clear": "SimplePOP3Retriever",
        "imaps": "SimpleIMAPSSLRetriever",
        "imap_clear": "SimpleIMAPRetriever",
    }[kind]
    extra = f"port = {server.ports[kind]}\n" + (f"ca_certs = {server.ca}\n" if kind.endswith("s") else "")
    assert getmail(server, bob, tmp_path, retriever, extra) == mail
    # A second run knows the UIDLs (or UIDs) of the first and takes only what is new.
    new = message(unique())
    server.deliver(bob, new)
    assert getmail(server, bob, tmp_path, retriever, extra) == sorted([*mail, digest(new)])


# mpop


def mpop(server, account, folder, *, port, tls, auth, keep):
    """Fetch with mpop into a Maildir."""
    box = folder / "box"
    if not box.exists():
        make_maildir(box)
    rc = folder / "mpoprc"
    words = {
        "implicit": f"tls on\ntls_starttls off\ntls_trust_file {server.ca}",
        "starttls": f"tls on\ntls_starttls on\ntls_trust_file {server.ca}",
        "clear": "tls off",
    }[tls]
    rc.write_text(
        f"account default\nhost localhost\nport {port}\n{words}\nuser {account.address}\n"
        f"password {account.password}\nauth {auth}\ndelivery maildir {box}\nkeep {keep}\n"
        f"uidls_file {folder}/uidls\nreceived_header off\n"
    )
    rc.chmod(0o600)
    run(["mpop", "-C", rc])
    return maildir(box)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("auth", ["user", "plain", "login", "scram-sha-256", "scram-sha-1", "cram-md5", "apop"])
def test_mpop(server, app_server, tmp_path, auth, tls):
    with_app = auth in ("cram-md5", "apop")
    server = app_server if with_app else server
    bob = server.account()
    mail, login = five_messages(server, bob), server.app_password(bob) if with_app else bob
    port = server.pop3s if tls == "implicit" else server.pop3
    assert mpop(server, login, tmp_path, port=port, tls=tls, auth=auth, keep="off") == mail
    assert server.contents(bob) == []


def test_mpop_keeps_and_knows_uidls_across_a_restart(own_server, tmp_path):
    server = own_server()
    bob = server.account("bob")
    first, second = message(unique()), message(unique())
    server.deliver(bob, first)
    options = {"tls": "clear", "auth": "user", "keep": "on"}
    assert mpop(server, bob, tmp_path, port=server.pop3_clear, **options) == [digest(first)]
    server.restart()
    server.deliver(bob, second)
    got = mpop(server, bob, tmp_path, port=server.pop3_clear, **options)
    assert got == sorted([digest(first), digest(second)])
