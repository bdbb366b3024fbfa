"""curl: the four URL schemes, in clear on the loopback listeners and with TLS."""

import pytest
from harness.mail import message, unique, without_trace
from harness.programs import run


def curl(server, *words, account=None, expect=0):
    """Run curl with the server's CA."""
    user = ["--user", f"{account.address}:{account.password}"] if account else []
    return run(["curl", "--silent", "--show-error", "--cacert", server.ca, *user, *words], expect=expect).stdout


@pytest.fixture
def letter(tmp_path, alice, bob):
    """A file with a message, and its subject."""
    subject = unique()
    path = tmp_path / "letter"
    path.write_bytes(message(subject, sender=alice.address, to=bob.address))
    return path, subject


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtp://127.0.0.1:{submission_clear}", []),
        ("smtp://localhost:{submission}", ["--ssl-reqd"]),
        ("smtp://localhost:{submission}", ["--ssl-reqd", "--login-options", "AUTH=LOGIN"]),
        ("smtps://localhost:{submissions}", ["--login-options", "AUTH=PLAIN"]),
    ],
)
def test_sending(server, alice, bob, letter, url, words):
    path, subject = letter
    envelope = ["--mail-from", alice.address, "--mail-rcpt", bob.address, "--upload-file", path]
    curl(server, url.format(**server.ports), *words, *envelope, account=alice)
    assert [subject.encode() in raw for raw in server.contents(bob)] == [True]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("pop3://127.0.0.1:{pop3_clear}", []),
        ("pop3://localhost:{pop3}", ["--ssl-reqd"]),
        ("pop3s://localhost:{pop3s}", []),
        ("pop3s://localhost:{pop3s}", ["--login-options", "AUTH=PLAIN"]),
    ],
)
def test_fetching_by_pop3(server, bob, url, words):
    raw = message(unique(), body="один\r\n..two\r\n")
    server.deliver(bob, raw)
    base = url.format(**server.ports)
    assert without_trace(curl(server, base + "/1", *words, account=bob)) == raw
    number, size = curl(server, base + "/", *words, account=bob).split()
    assert (number, int(size)) == (b"1", len(server.contents(bob)[0]))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("imap://127.0.0.1:{imap_clear}", []),
        ("imap://localhost:{imap}", ["--ssl-reqd"]),
        ("imaps://localhost:{imaps}", []),
        ("imaps://localhost:{imaps}", ["--login-options", "AUTH=PLAIN"]),
    ],
)
def test_reading_and_appending_by_imap(server, bob, letter, url, words):
    path, subject = letter
    base = url.format(**server.ports)
    curl(server, base + "/INBOX", "--upload-file", path, *words, account=bob)
    assert without_trace(curl(server, base + "/INBOX;UID=1", *words, account=bob)) == path.read_bytes()
    found = curl(server, base + "/INBOX", "-X", f'SEARCH SUBJECT "{subject}"', *words, account=bob)
    assert found.split() == [b"*", b"SEARCH", b"1"]
    listed = curl(server, base + "/", *words, account=bob).decode()
    for name in ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"):
        assert name in listed


def test_a_certificate_of_another_name_is_noticed_by_curl(server, alice):
    words = ["--resolve", f"other.test:{server.imaps}:127.0.0.1", f"imaps://other.test:{server.imaps}/"]
    curl(server, *words, account=alice, expect=60)
