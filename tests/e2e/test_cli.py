"""The command line that scripts rely on, with and without a running server."""

import json
import os
import re
import smtplib
import subprocess
import time

import pytest
from harness.mail import message, unique
from harness.programs import run
from harness.server import BINARY, troika
from harness.waiting import until


@pytest.fixture(params=["running", "stopped"])
def place(request, own_server):
    """A server's configuration, and whether it runs."""
    return own_server(start=request.param == "running")


def test_domains_and_accounts(place):
    place.cli("domain", "add", "second.test")
    assert place.cli("domain", "add", "second.test", expect=1).stderr
    assert {row["name"] for row in place.rows("domain", "list")} == {"example.test", "second.test"}
    place.cli("account", "add", "user0@example.test", "--password-stdin", "--quota", "1G", stdin="secret-0-word\n")
    place.cli("account", "add", "user0@second.test", "--password-stdin", stdin="secret-1-word\n")
    assert place.cli("account", "add", "user0@example.test", "--password-stdin", stdin="x\n", expect=1).stderr
    assert place.cli("account", "add", "user@nowhere.test", "--password-stdin", stdin="secret\n", expect=1).stderr
    assert place.cli("account", "add", "no address", "--password-stdin", stdin="secret\n", expect=1).stderr
    [shown] = place.rows("account", "show", "user0@example.test")
    assert shown["address"] == "user0@example.test" and shown["quota_bytes"] == 1 << 30
    place.cli("account", "set", "user0@example.test", "--quota", "2M", "--quota-messages", "7", "--name", "Zero")
    [shown] = place.rows("account", "show", "user0@example.test")
    assert (shown["quota_bytes"], shown["quota_messages"], shown["display_name"]) == (2 << 20, 7, "Zero")
    assert len(place.rows("account", "list")) == 2
    assert place.cli("domain", "remove", "second.test", expect=1).stderr, "it has an account"
    assert b"--yes" in place.cli("account", "remove", "user0@second.test", expect=1).stderr
    place.cli("account", "remove", "user0@second.test", "--yes")
    place.cli("domain", "remove", "second.test")
    assert [row["address"] for row in place.rows("account", "list")] == ["user0@example.test"]
    assert place.cli("account", "show", "user0@second.test", expect=1).stderr
    place.cli("store", "check")


def test_the_text_index_is_made_anew(place):
    place.cli("account", "add", "user0@example.test", "--password-stdin", stdin="secret-0-word\n")
    [status] = place.rows("index", "status", "user0@example.test")
    assert (status["messages"], status["waiting"]) == (0, 0)
    assert b"1 accounts" in place.cli("index", "rebuild").stderr
    assert place.cli("index", "rebuild", "nobody@example.test", expect=1).stderr
    [shown] = place.rows("store", "show")
    assert shown["text_index_bytes"] == 0


def test_searches_find_the_same_with_and_without_the_index(own_server):
    server = own_server()
    account = server.account("reader")
    for number in range(20):
        server.deliver(account, message(subject=f"letter {number}", body=f"word{number % 3}x and only{number}y\r\n"))
    client = server.imap_login(account)
    client.select()
    queries = ("BODY only7y", "BODY ord1", 'TEXT "letter 1"', 'SUBJECT "er 7"', "NOT BODY word0x", "HEADER Message-ID \"\"")
    before = [client.search(None, query) for query in queries]
    assert before[0] == ("OK", [b"8"]) and len(before[1][1][0].split()) == 7
    server.cli("index", "rebuild", account.address)
    [status] = server.rows("index", "status", account.address)
    assert (status["messages"], status["waiting"], status["segments"]) == (20, 0, 1) and status["bytes"] > 500
    assert [client.search(None, query) for query in queries] == before
    server.deliver(account, message(subject="after", body="word1x after the index\r\n"))
    client.noop()
    assert client.search(None, "BODY word1x") == ("OK", [before[1][1][0] + b" 21"])
    client.logout()
    server.cli("store", "check")


def test_made_passwords_are_printed(own_server):
    server = own_server()
    [row] = server.rows("account", "add", "made@example.test")
    with server.wire("imap_clear") as wire:
        assert wire.imap(f"LOGIN made@example.test {row['password']}")[-1].startswith("a OK")


def test_aliases_groups_and_catch_all(own_server):
    server = own_server()
    one, two = server.account("one"), server.account("two")
    server.cli("alias", "add", "info@example.test", one.address)
    server.cli("group", "add", "team@example.test", one.address, two.address)
    for to in ("info@example.test", "team@example.test", "team+x@example.test"):
        server.deliver(to, message(to))
    counts = lambda: (len(server.contents(one)), len(server.contents(two)))  # noqa: E731
    assert counts() == (3, 2)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.deliver("anybody@example.test", message())
    server.cli("domain", "set", "example.test", "--catch-all", two.address)
    server.deliver("anybody@example.test", message())
    assert counts() == (3, 3)
    server.cli("domain", "set", "example.test", "--catch-all", "")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.deliver("anybody@example.test", message())
    server.cli("alias", "set", "info@example.test", two.address)
    server.deliver("info@example.test", message())
    assert counts() == (3, 4)
    [row] = server.rows("group", "show", "team@example.test")
    assert sorted(row["targets"]) == [one.address, two.address]
    server.cli("alias", "remove", "info@example.test")
    server.cli("group", "remove", "team@example.test")
    assert server.rows("alias", "list") == server.rows("group", "list") == []
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        server.deliver("info@example.test", message())


def test_one_message_to_an_alias_and_its_owner_comes_once(own_server):
    server = own_server()
    one = server.account("one")
    server.cli("alias", "add", "info@example.test", one.address)
    server.deliver(["info@example.test", one.address], message())
    assert len(server.contents(one)) == 1


def test_quotas(own_server):
    server = own_server()
    few = server.account("few", "--quota-messages", "2")
    small = server.account("small", "--quota", "10K")
    other = server.account("other")
    big = message(body="x" * 70 + "\r\n" + "line\r\n" * 2000)
    server.deliver(few, message())
    server.deliver(few, message())
    for account, raw in ((few, message()), (small, big)):
        with pytest.raises(smtplib.SMTPException) as refused:
            server.deliver(account, raw)
        assert any(code in str(refused.value) for code in ("552", "452", "422"))
    server.deliver(small, message())
    assert [len(server.contents(account)) for account in (few, small)] == [2, 1]
    client = server.imap_login(few)
    kind, data = client.append("INBOX", None, None, message())
    assert kind == "NO" and b"OVERQUOTA" in data[0]
    client.logout()
    # One that is full does not keep the message from the others.
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=120) as smtp:
        smtp.sendmail("a@elsewhere.test", [few.address, other.address], message())
    assert len(server.contents(other)) == 1
    server.cli("account", "set", few.address, "--quota-messages", "0")
    server.deliver(few, message())
    assert len(server.contents(few)) == 3


def test_two_thousand_accounts_are_imported(own_server, tmp_path):
    server = own_server()
    file = tmp_path / "users.csv"
    file.write_text("".join(f"user{number}@example.test,Password-{number},1G\n" for number in range(2000)))
    started = time.monotonic()
    server.cli("account", "import", file, timeout=800)
    seconds = time.monotonic() - started
    print(f"\n2,000 accounts in {seconds:.1f} s")
    assert len(server.rows("account", "list")) == 2000
    [shown] = server.rows("account", "show", "user1999@example.test")
    assert shown["quota_bytes"] == 1 << 30
    with server.wire("imap_clear") as wire:
        assert wire.imap("LOGIN user1234@example.test Password-1234")[-1].startswith("a OK")
    server.deliver("user77@example.test", message())
    assert seconds < 600


def test_bad_lines_of_an_import_are_named(own_server, tmp_path):
    server = own_server()
    file = tmp_path / "users.csv"
    file.write_text("good@example.test,Password-1,1G\nbad,Password-2,\nq@example.test,Password-3,lots\n\"a,b\"@example.test,Password-4\n")
    done = server.cli("account", "import", file, expect=1)
    text = done.stderr.decode()
    assert "line 2" in text and "line 3" in text
    assert "good@example.test" in {row["address"] for row in server.rows("account", "list")}
    again = server.cli("account", "import", file, expect=1).stderr.decode()
    assert "line 1" in again, "it is there already"


def test_the_queue(own_server):
    # Nobody listens there.
    server = own_server(sections='[[route]]\nrecipient_domain = "*"\nnext_hop = "127.0.0.1:1"\n')
    alice = server.account("alice")
    assert server.rows("queue", "list") == []
    for number in range(3):
        with smtplib.SMTP("127.0.0.1", server.submission_clear, timeout=120) as smtp:
            smtp.login(alice.address, alice.password)
            smtp.sendmail(alice.address, [f"x{number}@far.test", f"y{number}@far.test"], message(unique()))
    rows = server.rows("queue", "list")
    assert len(rows) == 3
    first, second, third = (row["id"] for row in rows)
    [shown] = server.rows("queue", "show", first)
    assert "x0@far.test" in json.dumps(shown) and alice.address in json.dumps(shown)
    server.cli("queue", "hold", first, second)
    server.cli("queue", "release", second)
    server.cli("queue", "remove", third)
    server.cli("queue", "retry", second)
    assert "which messages" in server.cli("queue", "hold", expect=1).stderr.decode()
    assert [row["id"] for row in server.rows("queue", "list", "--domain", "far.test")] == [first, second]
    assert [row["id"] for row in server.rows("queue", "list", "--state", "held")] == [first]
    assert [row["id"] for row in server.rows("queue", "list", "--recipient", "y1@far.test")] == [second]
    assert server.rows("queue", "list", "--sender", "<>") == []
    assert server.rows("queue", "list", "--older", "1h") == []
    until(lambda: any(row["failures"] for row in server.rows("queue", "destinations")), "a destination in trouble")
    [destination] = server.rows("queue", "destinations")
    assert "127.0.0.1:1" in destination["destination"] and destination["trouble"]
    server.cli("queue", "flush", destination["destination"])
    [sums] = server.rows("queue", "stats")
    assert (sums["messages"], sums["recipients_waiting"], sums["recipients_held"]) == (2, 2, 2)
    table = server.cli("queue", "list").stdout.decode()
    assert "x0@far.test and 1 more" in table and "held" in table
    server.cli("queue", "hold", "--sender", alice.address)
    assert len(server.rows("queue", "list", "--state", "held")) == 2
    server.cli("queue", "release", "--all", "--account", alice.address)
    assert server.rows("queue", "list", "--state", "held") == []
    server.cli("queue", "flush", "nowhere.test", expect=1)
    assert server.cli("queue", "show", third, expect=1).stderr
    assert server.cli("queue", "remove", "nonsense", expect=1).stderr
    # It outlives restarts, and is the same for a command that works alone.
    server.cli("queue", "hold", "--all")
    server.stop()
    # An attempt that was under way is noted by now.
    before = server.rows("queue", "list")
    assert [row["id"] for row in before] == [first, second]
    server.start()
    assert server.rows("queue", "list") == before
    server.cli("queue", "remove", first, second)
    assert server.rows("queue", "list") == []


def test_json_and_tables_of_every_listing(own_server):
    server = own_server()
    alice = server.account("alice")
    server.account("bob")
    server.app_password(alice)
    server.cli("alias", "add", "a@example.test", alice.address)
    server.cli("group", "add", "g@example.test", alice.address)
    for words in (["domain", "list"], ["account", "list"], ["alias", "list"], ["group", "list"], ["queue", "list"],
                  ["app-password", "list", alice.address], ["mailbox", "list", alice.address], ["store", "show"],
                  ["store", "space"], ["domain", "show", "example.test"], ["account", "show", alice.address]):  # fmt: skip
        rows = server.rows(*words)
        assert all(isinstance(row, dict) for row in rows), words
        shown = server.cli(*words).stdout.decode()
        assert bool(rows) == bool(shown.strip()), words
    assert {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"} <= set(server.mailboxes(alice))
    # JSON may stand before or behind the command.
    assert server.cli("--json", "account", "list").stdout == server.cli("account", "list", "--json").stdout


def test_serve_finds_its_configuration(own_server, tmp_path):
    server = own_server(start=False)
    done = troika("config", "check", cwd=server.folder)
    assert b"troika.toml is right" in done.stderr
    assert b"no configuration" in troika("config", "check", cwd="/", expect=None).stderr or os.path.exists("/etc/troika/troika.toml")
    # /etc/troika/troika.toml, in a mount namespace of its own.
    script = (
        "mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/etc/troika /mnt/work && cp -a /etc/. /mnt/etc/ 2>/dev/null; "
        f"cp {server.config} /mnt/etc/troika/troika.toml && mount --bind /mnt/etc /etc && cd /mnt/work && exec {BINARY} config check"
    )
    found = run(["unshare", "--mount", "bash", "-c", script])
    assert b"/etc/troika/troika.toml is right" in found.stderr


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("[server]\nhostnam = 'x'\n", 2, "hostnam"),
        ("[servers]\n", 1, "servers"),
        ("[server]\nhostname = 7\n", 2, "string"),
        ("[server]\nhostname = 'a b'\n", 2, "a b"),
        ("\n\n[limits]\nmessage_bytes = 'lots'\n", 4, "lots"),
        ("[[listener]]\nprotocol = 'gopher'\nbind = '127.0.0.1:1'\n", 2, "gopher"),
        ("[[listener]]\nprotocol = 'smtp'\nbind = '127.0.0.1'\n", 3, "127.0.0.1"),
        ("[[listener]]\nprotocol = 'smtp'\nbind = '127.0.0.1:99999'\n", 3, "99999"),
        ("[[listener]]\nprotocol = 'smtp'\nbind = '127.0.0.1:1'\ntls = 'maybe'\n", 4, "maybe"),
        ("[[listener]]\nprotocol = 'smtp'\nbind = '127.0.0.1:1'\nplaintext = true\n", 4, "plaintext"),
        ("[[listener]]\nprotocol = 'imap'\nbind = '0.0.0.0:143'\nplaintext_auth = true\n", 3, "clear"),
        ("[network]\nown = ['10.0.0.0/99']\n", 2, "10.0.0.0/99"),
        ("[server\n", 1, ""),
        ("[server]\nshutdown_grace = '20'\n", 2, "20"),
    ],
)
def test_a_bad_configuration_is_refused_with_file_line_and_reason(tmp_path, text, line, word):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    for command in (["config", "check"], ["serve"], ["account", "list"]):
        told = troika("--config", file, *command, expect=1, timeout=120).stderr.decode()
        assert f"{file}:{line}: " in told and word in told, told


def test_the_example_has_every_key_and_is_right(tmp_path):
    example = troika("config", "example").stdout.decode()
    file = tmp_path / "troika.toml"
    file.write_text(example)
    troika("--config", file, "config", "check")
    shown = json.loads(troika("--config", file, "config", "show", "--json").stdout)
    for section, keys in shown.items():
        if isinstance(keys, dict):
            for key in keys:
                assert re.search(rf"^#{key} = ", example, re.M), f"{section}.{key}"


def test_help_completions_and_manual_page():
    for words in (["--help"], ["account", "--help"], ["account", "add", "--help"], ["--version"], ["man"]):
        assert troika(*words).stdout, words
    for shell in ("bash", "zsh", "fish"):
        assert b"quickstart" in troika("completions", shell).stdout
    script = f"source <({BINARY} completions bash) && complete -p troika"
    run(["bash", "-c", script])
    assert troika("nonsense", expect=2).stderr


def test_a_closed_pipe_is_no_crash(own_server):
    server = own_server()
    for number in range(30):
        server.cli("alias", "add", f"a{number}@example.test", "x@elsewhere.test")
    done = subprocess.run(
        ["bash", "-c", f"{BINARY} --config {server.config} alias list --json | head -1"], capture_output=True, check=False
    )
    assert b"panicked" not in done.stderr


def test_unicode_domains_and_names(own_server):
    server = own_server()
    server.cli("domain", "add", "пример.рф")
    account = server.account("почта@пример.рф")
    with server.wire("imap_clear") as wire:
        assert wire.imap(f'AUTHENTICATE PLAIN {__import__("base64").b64encode(f"{chr(0)}{account.address}{chr(0)}{account.password}".encode()).decode()}')[-1].startswith("a OK")
    assert server.cli("account", "add", "почта@xn--e1afmkfd.xn--p1ai", "--password-stdin", stdin="secret\n", expect=1).stderr, "the same address"
