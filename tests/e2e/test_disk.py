"""The disk: full, damaged, rebuilt, of a newer format."""

import json
import re
import smtplib
import subprocess
from pathlib import Path

import pytest
from harness.mail import message, unique, with_attachment
from harness.ports import free_ports
from harness.programs import run
from harness.server import troika
from harness.waiting import until
from test_relay import route


def try_delivery(server, account, raw):
    """The reply's code."""
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        try:
            smtp.sendmail("a@elsewhere.test", [account.address], raw)
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
        except smtplib.SMTPRecipientsRefused as error:
            return next(iter(error.recipients.values()))[0]
    return 250


@pytest.mark.parametrize("reserve", ["8M", "0"], ids=["reserve", "to the last byte"])
def test_a_full_disk(own_server, small_disk, reserve):
    sections = f'[storage]\nreserve = "{reserve}"\nsegment_bytes = "8M"\nindex_cache = "8M"\n'
    server = own_server(data_dir=str(small_disk / "data"), sections=sections)
    alice = server.account("alice")
    acknowledged = []

    def deliver(size):
        subject = unique("s")
        code = try_delivery(server, alice, with_attachment(size, seed=len(acknowledged), subject=subject)[0])
        if code == 250:
            acknowledged.append(subject)
        return code

    codes = [deliver(200_000) for _ in range(10)]
    assert codes == [250] * 10
    ballast = small_disk / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=1M"], stderr=subprocess.DEVNULL, check=False)
    code = 250
    for _ in range(60):
        code = deliver(500_000)
        if code != 250:
            break
    assert 400 <= code < 500, "a full disk is told with 4xx"
    assert server.process.poll() is None
    assert len(server.contents(alice)) == len(acknowledged), "reading goes on"
    assert 400 <= deliver(500_000) < 500
    ballast.unlink()
    until(lambda: deliver(1000) == 250, "mail to be taken again")
    assert deliver(500_000) == 250
    text = b"".join(server.contents(alice))
    assert [subject for subject in acknowledged if subject.encode() not in text] == []
    server.restart()
    assert len(server.contents(alice)) == len(acknowledged)


def test_a_disk_that_was_full_at_the_kill(own_server, small_disk):
    """kill -9 while full: what was acknowledged is there after the restart, once there is space."""
    sections = '[storage]\nreserve = "0"\nsegment_bytes = "8M"\nindex_cache = "8M"\n'
    server = own_server(data_dir=str(small_disk / "data"), sections=sections)
    alice = server.account("alice")
    for _ in range(5):
        assert try_delivery(server, alice, with_attachment(100_000)[0]) == 250
    ballast = small_disk / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=1M"], stderr=subprocess.DEVNULL, check=False)
    good = 5 + sum(try_delivery(server, alice, with_attachment(300_000)[0]) == 250 for _ in range(40))
    server.kill()
    ballast.unlink()
    server.start()
    assert len(server.contents(alice)) == good
    assert try_delivery(server, alice, message()) == 250


def log_segments(server):
    """The files of the message log, in order."""
    store = server.data / "store"
    return sorted(path for path in store.rglob("*") if path.is_file() and path.suffix not in (".redb", ".lock") and path.stat().st_size > 4096 and "index" not in path.name)


def find_in_segments(server, octets):
    """Segment and offset of these octets."""
    for path in log_segments(server):
        at = path.read_bytes().find(octets)
        if at >= 0:
            return path, at
    raise AssertionError("not found in the log; it has " + ", ".join(map(str, log_segments(server))))


def test_a_damaged_content_is_reported_and_the_rest_is_served(own_server):
    server = own_server()
    alice = server.account("alice")
    octets = [with_attachment(50_000, seed=seed, subject=f"number {seed}")[0] for seed in range(3)]
    for raw in octets:
        server.deliver(alice, raw)
    server.stop()
    # Base64 of random octets does not repeat, so lz4 leaves it as it is.
    path, at = find_in_segments(server, octets[1][20_000:20_040])
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x01]))
    checked = server.cli("store", "check", expect=1)
    assert re.search(rb"damaged|checksum", checked.stderr), checked.stderr
    server.start()
    client = server.imap_login(alice)
    client.select("INBOX")
    assert client.fetch("1", "(BODY.PEEK[])")[1][0][1].endswith(octets[0])
    assert client.fetch("3", "(BODY.PEEK[])")[1][0][1].endswith(octets[2])
    kind, data = client.fetch("2", "(BODY.PEEK[])")
    assert kind == "NO" or not any(isinstance(item, tuple) for item in data), "no damaged octets are handed out"
    assert client.fetch("1:3", "(FLAGS RFC822.SIZE)")[0] == "OK"
    server.deliver(alice, message("after"))
    client.noop()
    assert client.fetch("4", "(BODY.PEEK[])")[0] == "OK"
    client.logout()
    pop = server.pop3_login(alice)
    assert pop.retr(1)[0].startswith(b"+OK") and pop.stat()[0] == 4
    pop.quit()
    assert re.search(r"damaged|checksum", server.log()), "the log names it"
    # With the message gone the store is sound again.
    client = server.imap_login(alice)
    client.select("INBOX")
    client.store("2", "+FLAGS", r"(\Deleted)")
    assert client.expunge()[0] == "OK"
    client.logout()
    server.cli("store", "compact", expect=None)
    server.stop(check=False)


def state(server, accounts):
    """Everything that clients see."""
    seen = {}
    for account in accounts:
        seen[account.address] = (server.rows("mailbox", "list", account.address), server.contents(account))
    seen["accounts"] = server.rows("account", "list")
    seen["domains"] = server.rows("domain", "list")
    seen["aliases"] = server.rows("alias", "list")
    seen["queue"] = server.rows("queue", "list")
    return json.dumps(seen, sort_keys=True, default=lambda octets: octets.hex())


def test_rebuild_equals_the_old_index(own_server):
    server = own_server(sections=route(f"127.0.0.1:{free_ports(1)[0]}"))
    accounts = [server.account(f"user{number}") for number in range(3)]
    server.cli("alias", "add", "all@example.test", accounts[0].address)
    for number in range(60):
        server.deliver(accounts[number % 3], message(f"nr {number}", body="text\r\n" * number))
    client = server.imap_login(accounts[0])
    client.select("INBOX")
    client.create("Kept")
    client.copy("1:5", "Kept")
    client.store("1:3", "+FLAGS", r"(\Seen \Deleted custom)")
    client.expunge()
    client.uid("MOVE", "7:9", "Archive")
    client.logout()
    with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
        smtp.login(accounts[0].address, accounts[0].password)
        smtp.sendmail(accounts[0].address, ["x@far.test"], message())
    until(lambda: server.rows("queue", "list")[0]["recipients"][0]["attempts"] == 1, "an attempt that failed and is noted")
    before = state(server, accounts)
    assert json.loads(before)["queue"], "queued mail is compared too"
    refused = server.cli("store", "rebuild", expect=1)
    assert b"stop" in refused.stderr or b"use" in refused.stderr, "not under a running server"
    server.stop()
    rebuilt = server.cli("store", "rebuild")
    assert b"anew" in rebuilt.stderr
    server.cli("store", "check")
    server.start()
    assert state(server, accounts) == before


def test_rebuild_without_any_index(own_server):
    server = own_server()
    alice = server.account("alice")
    for number in range(20):
        server.deliver(alice, message(f"nr {number}"))
    before = state(server, [alice])
    server.stop()
    indexes = [path for path in (server.data / "store").rglob("*") if path.is_file() and ("index" in path.name or path.suffix == ".redb")]
    assert indexes, list((server.data / "store").rglob("*"))
    for path in indexes:
        path.unlink()
    server.cli("store", "rebuild")
    server.start()
    assert state(server, [alice]) == before


def test_expunged_space_is_given_back(own_server):
    server = own_server(sections='[storage]\nsegment_bytes = "4M"\n')
    alice = server.account("alice")
    for seed in range(40):
        server.deliver(alice, with_attachment(500_000, seed=seed)[0])
    used = lambda: server.rows("store", "show")[0]["log_bytes"]  # noqa: E731
    full = used()
    assert full > 15_000_000
    client = server.imap_login(alice)
    client.select("INBOX")
    client.store("1:38", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.logout()
    server.cli("store", "compact")
    until(lambda: used() < full / 2, "the space to be given back")
    disk = sum(path.stat().st_blocks * 512 for path in Path(server.data).rglob("*") if path.is_file())
    assert disk < full, (disk, full)
    assert len(server.contents(alice)) == 2


def test_expunged_space_is_given_back_without_being_asked(own_server):
    """By the background compaction, while mail goes on coming."""
    server = own_server(sections='[storage]\nsegment_bytes = "4M"\n')
    alice, bob = server.account("alice"), server.account("bob")
    for seed in range(40):
        server.deliver(alice, with_attachment(500_000, seed=seed)[0])
    used = lambda: server.rows("store", "show")[0]["log_bytes"]  # noqa: E731
    full = used()
    client = server.imap_login(alice)
    client.select("INBOX")
    client.store("1:40", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.logout()

    def given_back():
        server.deliver(bob, message())
        return used() < full / 2

    until(given_back, "the space to be given back", seconds=300, every=0.2)


def test_only_one_process_has_the_store(own_server, tmp_path):
    server = own_server()
    other = server.config.with_name("other.toml")
    text = server.config.read_text()
    for port in server.ports.values():
        text = text.replace(str(port), "0")
    other.write_text(re.sub(r"\n\[\[listener\]\].*", "", text, flags=re.S) + '\n[[listener]]\nprotocol = "smtp"\nbind = "127.0.0.1:0"\n')
    refused = troika("--config", other, "serve", expect=1, timeout=120)
    assert re.search(rb"in use|lock|another", refused.stderr), refused.stderr
    assert server.ready()
