"""Collecting from elsewhere: Debian's Dovecot as the foreign server, and a scripted one that misbehaves."""

import json
import re

import pytest
from harness.dovecot import PASSWORD, Dovecot
from harness.faulty_mailbox import FaultyImap, FaultyPop3
from harness.mail import message, unique
from harness.tap import Tap
from harness.waiting import until

# Tests decide themselves when something runs.
QUIET = '[collect]\nnetworks = ["127.0.0.0/8"]\ninterval = "1h"\ninterval_min = "1s"\nauthorities = "{ca}"\n'


@pytest.fixture(scope="module")
def dovecot():
    """The foreign server."""
    with Dovecot(separator=".", uses=[("Junk", "\\Junk")], made=["Junk"]) as foreign:
        yield foreign


@pytest.fixture
def server(own_server, dovecot):
    """Ours, which may look at loopback and trusts the foreign server's CA."""
    return own_server(sections=QUIET.format(ca=dovecot.ca))


def subjects(raws):
    """The Subject of each."""
    return sorted(re.search(rb"^Subject: (.*?)\r?$", raw, re.M).group(1).decode() for raw in raws)


def letters(count, word="m"):
    """Messages with subjects of their own, and these."""
    names = [f"{word}-{number}" for number in range(count)]
    trace = ["Received: from a.test by b.test; Fri, 20 Nov 2026 10:00:00 +0000"]
    return [message(name, extra=trace) for name in names], sorted(names)


def add(server, account, dovecot, user, how, *options, password=PASSWORD, port=None):
    """Add a source that rests until it is run; return its number."""
    protocol, tls = how
    names = {("imap", "implicit"): "imaps", ("imap", "starttls"): "imap", ("imap", "none"): "imap"}
    names |= {("pop3", "implicit"): "pop3s", ("pop3", "starttls"): "pop3", ("pop3", "none"): "pop3"}
    port = port or getattr(dovecot, names[how])
    words = ["collect", "add", account.address, "--protocol", protocol, "--host", "127.0.0.1", "--port", port]
    done = server.cli(*words, "--tls", tls, "--user", user, *options, "--json", stdin=password + "\n")
    return json.loads(done.stdout)["id"]


def show(server, source):
    """All that is known of a source."""
    return server.rows("collect", "show", source)[0]


def collect(server, source, expect=0):
    """Run a source now; return what it did."""
    done = server.cli("collect", "run", source, "--json", expect=expect)
    return json.loads(done.stdout)


def settled(server, source):
    """Wait for the first run, which begins by itself."""
    until(lambda: show(server, source)["last_run"], "the first run")
    return show(server, source)


HOWS = [(protocol, tls) for protocol in ("imap", "pop3") for tls in ("implicit", "starttls", "none")]


@pytest.mark.parametrize("how", HOWS, ids="-".join)
def test_once_and_only_once(server, dovecot, how):
    alice, user = server.account(), unique("u")
    raws, names = letters(5)
    dovecot.append(user, raws)
    source = add(server, alice, dovecot, user, how)
    assert settled(server, source)["collected_total"] == 5
    stored = server.contents(alice)
    assert subjects(stored) == names
    assert all(b"(collected) for " + alice.address.encode() in raw.split(b"\r\n\r\n")[0] for raw in stored)
    assert all(raw.endswith(one) for raw, one in zip(stored, raws, strict=True))
    assert collect(server, source)["collected"] == 0
    more, more_names = letters(2, "later")
    dovecot.append(user, more)
    done = collect(server, source)
    assert (done["collected"], done["deleted"]) == (2, 0)
    server.restart()
    assert collect(server, source)["collected"] == 0
    assert subjects(server.contents(alice)) == sorted(names + more_names)
    assert dovecot.count(user) == 7
    assert server.metric("troika_collect_runs_total", outcome="Fine") >= 1


@pytest.mark.parametrize("how", [("imap", "implicit"), ("pop3", "implicit")], ids="-".join)
def test_deleted_once_it_is_here(server, dovecot, how):
    alice, user = server.account(), unique("u")
    raws, names = letters(120)
    dovecot.append(user, raws)
    source = add(server, alice, dovecot, user, how, "--keep", "30d")
    assert settled(server, source)["collected_total"] == 120
    assert dovecot.count(user) == 120
    server.cli("collect", "set", source, "--keep", "nothing")
    until(lambda: dovecot.count(user) == 0, "the deletion")
    assert subjects(server.contents(alice)) == names
    dovecot.append(user, letters(3, "late")[0])
    done = collect(server, source)
    assert (done["collected"], done["deleted"], dovecot.count(user)) == (3, 3, 0)
    # Notes go with what they are about.
    collect(server, source)
    assert show(server, source)["noted"] == 0


@pytest.mark.parametrize("how", [("imap", "none"), ("pop3", "none")], ids="-".join)
def test_a_long_way_is_not_gone_for_each_message(server, dovecot, how):
    alice, user = server.account(), unique("u")
    raws, names = letters(130)
    dovecot.append(user, raws)
    protocol = how[0]
    with Tap(getattr(dovecot, protocol), b"BODY.PEEK" if protocol == "imap" else b"RETR") as tap:
        source = add(server, alice, dovecot, user, how, port=tap.port)
        assert settled(server, source)["collected_total"] == 130
        if protocol == "imap":
            assert tap.seen == 1
        else:
            # Dovecot has PIPELINING: what leaves at once comes through in far fewer pieces than there are commands.
            assert tap.seen == 130 and tap.pieces < 100, tap.pieces
    assert subjects(server.contents(alice)) == names


def test_several_sources_into_one_account(server, dovecot):
    alice, one, two = server.account(), unique("u"), unique("u")
    first, first_names = letters(3, "first")
    second, second_names = letters(4, "second")
    dovecot.append(one, first)
    dovecot.append(two, second, flags="(\\Seen \\Flagged)", date='"20-Nov-2026 10:00:00 +0000"')
    sources = [
        add(server, alice, dovecot, one, ("pop3", "implicit")),
        add(server, alice, dovecot, two, ("imap", "implicit"), "--into", "Elsewhere"),
        add(server, alice, dovecot, two, ("imap", "starttls"), "--into", "Unread", "--seen", "false"),
    ]
    for source in sources:
        assert settled(server, source)["trouble"] is None
    assert subjects(server.contents(alice)) == first_names
    assert subjects(server.contents(alice, "Elsewhere")) == second_names
    assert [row["id"] for row in server.rows("collect", "list", "--account", alice.address)] == sources
    client = server.imap_login(alice)
    client.select("Elsewhere", readonly=True)
    rows = client.fetch("1:*", "(FLAGS INTERNALDATE)")[1]
    assert all(b"\\Seen" in row and b"\\Flagged" in row and b"20-Nov-2026 10:00:00 +0000" in row for row in rows), rows
    client.select("Unread", readonly=True)
    rows = client.fetch("1:*", "(FLAGS)")[1]
    assert all(b"\\Seen" not in row and b"\\Flagged" in row for row in rows), rows
    client.select("INBOX", readonly=True)
    rows = client.fetch("1:*", "(INTERNALDATE)")[1]
    assert all(b"20-Nov-2026 10:00:00 +0000" in row for row in rows), "the date of the newest Received field"
    client.logout()


def test_folders_are_mirrored(server, dovecot):
    alice, user = server.account(), unique("u")
    for folder, count in (("INBOX", 2), ("Work", 3), ("Work.Old &BCE- x", 1), ("Junk", 4)):
        dovecot.append(user, letters(count, folder.replace(" ", ""))[0], folder=f'"{folder}"' if " " in folder else folder)
    source = add(server, alice, dovecot, user, ("imap", "implicit"), "--all-folders", "--mirror", "Provider")
    assert settled(server, source)["trouble"] is None
    boxes = {name: row["messages"] for name, row in server.mailboxes(alice).items() if name.startswith("Provider/")}
    assert boxes == {"Provider/INBOX": 2, "Provider/Work": 3, "Provider/Work/Old \u0421 x": 1}
    server.cli("collect", "set", source, "--junk", "true")
    until(lambda: server.mailboxes(alice).get("Provider/Junk", {}).get("messages") == 4, "the spam")


def test_names_that_change_double_nothing(server, dovecot):
    alice, user = server.account(), unique("u")
    raws, names = letters(6)
    dovecot.append(user, raws)
    source = add(server, alice, dovecot, user, ("imap", "implicit"))
    settled(server, source)
    dovecot.new_uid_validity(user)
    dovecot.append(user, letters(1, "new")[0])
    done = collect(server, source)
    assert (done["collected"], done["known"]) == (1, 6)
    assert subjects(server.contents(alice)) == sorted([*names, "new-0"])
    assert collect(server, source)["known"] == 0
    assert show(server, source)["noted"] == 7
    server.cli("collect", "set", source, "--keep", "nothing")
    until(lambda: dovecot.count(user) == 0, "the deletion under the new names")


def test_a_wrong_password_is_told_and_not_tried_again_soon(server, dovecot):
    alice, user = server.account(), unique("u")
    for how in (("imap", "implicit"), ("pop3", "implicit")):
        source = add(server, alice, dovecot, user, how, password="nonsense-4711")
        shown = settled(server, source)
        assert (shown["trouble_kind"], shown["state"], shown["failures"]) == ("password", "in trouble", 1)
        assert shown["next_run"] - shown["last_run"] >= 27 * 60
        assert collect(server, source, expect=1)["trouble_kind"] == "password"
        again = show(server, source)
        assert again["failures"] == 2 and again["trouble_since"] == shown["trouble_since"]
        assert again["next_run"] - again["last_run"] > 1.5 * (shown["next_run"] - shown["last_run"])
        assert "nonsense-4711" not in server.log()
        server.cli("collect", "set", source, "--password-stdin", stdin=PASSWORD + "\n")
        until(lambda number=source: show(server, number)["state"] == "fine" and show(server, number)["last_success"], "the right password")


def test_a_certificate_that_is_not_right(own_server, dovecot):
    server = own_server(sections='[collect]\nnetworks = ["127.0.0.0/8"]\n')
    alice, user = server.account(), unique("u")
    dovecot.append(user, letters(1)[0])
    for how in (("imap", "implicit"), ("imap", "starttls"), ("pop3", "implicit"), ("pop3", "starttls")):
        shown = settled(server, add(server, alice, dovecot, user, how))
        assert (shown["trouble_kind"], shown["collected_total"]) == ("tls", 0), shown
    assert server.contents(alice) == []


def test_the_inner_network_is_not_looked_at(own_server, dovecot):
    server = own_server()
    alice = server.account()
    with FaultyPop3([]) as inner:
        shown = settled(server, add(server, alice, dovecot, "u", ("pop3", "none"), port=inner.port))
        assert shown["trouble_kind"] == "forbidden" and "[collect] networks" in shown["trouble"]
        assert inner.sessions == 0


def test_the_very_account_is_no_source(own_server, dovecot):
    server = own_server(sections=QUIET.format(ca=dovecot.ca))
    alice, bob = server.account(), server.account()
    server.deliver(alice, message("mine"))
    source = add(server, alice, dovecot, alice.address, ("imap", "none"), password=alice.password, port=server.imap_clear)
    assert settled(server, source)["trouble_kind"] == "circle"
    # Two that collect from each other: each message goes over once, and not back.
    there = add(server, bob, dovecot, alice.address, ("imap", "none"), password=alice.password, port=server.imap_clear)
    back = add(server, alice, dovecot, bob.address, ("imap", "none"), password=bob.password, port=server.imap_clear)
    settled(server, there), settled(server, back)
    for _ in range(4):
        collect(server, there), collect(server, back)
    assert len(server.contents(bob)) <= 2 and len(server.contents(alice)) <= 2


@pytest.mark.parametrize("keep", ["forever", "nothing"])
@pytest.mark.parametrize("how", [("imap", "none"), ("pop3", "none")], ids="-".join)
def test_killed_in_the_middle(server, dovecot, how, keep):
    alice, user = server.account(), unique("u")
    raws, names = letters(600)
    dovecot.append(user, raws)
    source = add(server, alice, dovecot, user, how, "--keep", keep)
    for share in (40, 200, 400):
        until(lambda least=share: show(server, source)["collected_total"] >= least, "a part", seconds=300, every=0.001)
        server.kill()
        server.start()
    done = until(lambda: (row := show(server, source))["state"] == "fine" and row["last_run"] and row, "the end", seconds=300)
    assert done["collected_total"] == 600
    assert subjects(server.contents(alice)) == names
    assert dovecot.count(user) == (600 if keep == "forever" else 0)


def test_stopped_in_the_middle(server, dovecot):
    alice, user = server.account(), unique("u")
    raws, names = letters(300)
    dovecot.append(user, raws)
    source = add(server, alice, dovecot, user, ("imap", "none"), "--keep", "nothing")
    until(lambda: show(server, source)["collected_total"] >= 50, "a part", seconds=300, every=0.001)
    server.restart()
    assert "cut off" not in server.log(), "a run ends behind the message it is at"
    until(lambda: dovecot.count(user) == 0, "the rest", seconds=300)
    assert subjects(server.contents(alice)) == names


def test_a_full_account_loses_nothing(own_server, dovecot):
    server = own_server(sections=QUIET.format(ca=dovecot.ca))
    alice, user = server.account(None, "--quota-messages", "3"), unique("u")
    raws, names = letters(6)
    dovecot.append(user, raws)
    source = add(server, alice, dovecot, user, ("imap", "implicit"), "--keep", "nothing")
    shown = settled(server, source)
    assert (shown["trouble_kind"], shown["collected_total"], dovecot.count(user)) == ("over-quota", 3, 3)
    server.cli("account", "set", alice.address, "--quota-messages", "100")
    assert collect(server, source)["collected"] == 3
    assert (subjects(server.contents(alice)), dovecot.count(user)) == (names, 0)


def test_what_is_too_large_stays(own_server, dovecot):
    server = own_server(sections=QUIET.format(ca=dovecot.ca) + '[limits]\nmessage_bytes = "64K"\n')
    alice, user = server.account(), unique("u")
    dovecot.append(user, [message("huge", body="x" * 70 + "\r\n" * 40000), message("small")])
    for how in (("imap", "implicit"), ("pop3", "implicit")):
        source = add(server, alice, dovecot, user, how, "--keep", "nothing")
        shown = settled(server, source)
        assert (shown["too_large"], shown["trouble"]) == (1, None)
    assert (subjects(server.contents(alice)), dovecot.count(user)) == (["small"], 1)


def test_paused_sources_rest_and_removed_ones_are_gone(server, dovecot):
    alice, user = server.account(), unique("u")
    source = add(server, alice, dovecot, user, ("imap", "implicit"))
    settled(server, source)
    server.cli("collect", "pause", source)
    dovecot.append(user, letters(1)[0])
    assert "resume" in server.cli("collect", "run", source, expect=1).stderr.decode()
    assert show(server, source)["state"] == "paused"
    server.cli("collect", "resume", source)
    until(lambda: show(server, source)["collected_total"] == 1, "the new message")
    server.cli("collect", "remove", source)
    assert server.rows("collect", "list") == []
    assert len(server.contents(alice)) == 1
    other = add(server, alice, dovecot, user, ("imap", "implicit"))
    settled(server, other)
    server.cli("account", "remove", alice.address, "--yes")
    assert server.rows("collect", "list") == []


def test_without_a_server_it_runs_here(own_server, dovecot):
    server = own_server(sections=QUIET.format(ca=dovecot.ca), start=False)
    alice, user = server.account(), unique("u")
    dovecot.append(user, letters(3)[0])
    source = add(server, alice, dovecot, user, ("pop3", "starttls"))
    assert collect(server, source)["collected"] == 3
    server.start()
    assert collect(server, source)["collected"] == 0
    assert len(server.contents(alice)) == 3


def test_it_comes_back_by_itself(own_server, dovecot):
    server = own_server(sections=QUIET.format(ca=dovecot.ca))
    alice, user = server.account(), unique("u")
    source = add(server, alice, dovecot, user, ("imap", "implicit"), "--interval", "1s")
    settled(server, source)
    dovecot.append(user, letters(2)[0])
    until(lambda: len(server.contents(alice)) == 2, "the new messages")


FAULTS = ["close before it", "close in message", "drip", "endless line", "garbage", "silent", "endless message"]
CASES = [(FaultyPop3, fault) for fault in FAULTS] + [(FaultyImap, fault) for fault in [*FAULTS, "another message"]]
FAULTY = QUIET + 'reply_timeout = "4s"\n[limits]\nmessage_bytes = "500K"\n'


@pytest.mark.parametrize(("kind", "fault"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_a_faulty_server_harms_nobody(own_server, dovecot, kind, fault):
    """Whatever it does with one message, the others come, nothing is doubled, and the server goes on."""
    server = own_server(sections=FAULTY.format(ca=dovecot.ca))
    alice = server.account()
    raws, names = letters(4)
    how = ("pop3" if kind is FaultyPop3 else "imap", "none")
    with kind(raws, fault=fault, at=2) as foreign:
        source = add(server, alice, dovecot, "u", how, "--keep", "nothing", port=foreign.port)
        shown = settled(server, source)
        if fault == "drip":
            # Slow is not dead: each octet is a sign of life.
            assert (shown["trouble"], shown["collected_total"]) == (None, 4)
        else:
            assert shown["trouble_kind"] in ("unreachable", "protocol", "slow"), shown
            assert shown["collected_total"] == 1
            # The next runs take the others first; and what broke the run when it does so no more.
            # How many runs that takes is not said: on a slow machine one may end before it has begun to talk.
            def others_are_here():
                server.cli("collect", "run", source, "--json", expect=None)
                return foreign.left() == [names[1]]

            until(others_are_here, "all other messages", seconds=300)
            assert show(server, source)["collected_total"] == 3
            foreign.fault = None
            collect(server, source)
        assert foreign.left() == []
        assert subjects(server.contents(alice)) == names


@pytest.mark.parametrize("fault", ["refused", "none"])
def test_a_message_that_is_not_given_holds_up_no_other(own_server, dovecot, fault):
    server = own_server(sections=FAULTY.format(ca=dovecot.ca))
    alice = server.account()
    raws, names = letters(4)
    with FaultyImap(raws, fault=fault, at=2) as foreign:
        source = add(server, alice, dovecot, "u", ("imap", "none"), "--keep", "nothing", port=foreign.port)
        shown = settled(server, source)
        assert (shown["collected_total"], foreign.left()) == (3, [names[1]])
        assert shown["trouble_kind"] == ("message" if fault == "refused" else None), shown
        foreign.fault = None
        assert collect(server, source)["collected"] == 1
        assert foreign.left() == []
        assert subjects(server.contents(alice)) == names
