"""Mailboxes shared between people: ACL (RFC 4314), namespaces, a \\Seen for each, shared accounts, quota of others."""

import imaplib
import re

import pytest
from harness.mail import message, unique

imaplib.Commands.setdefault("LISTRIGHTS", ("AUTH", "SELECTED"))


def ok(answer):
    """The data of an answer that must be OK."""
    kind, data = answer
    assert kind == "OK", data
    return data


def no(answer):
    """The text of an answer that must be NO."""
    kind, data = answer
    assert kind == "NO", (kind, data)
    return data[0].decode()


def select(session, name):
    """SELECT; imaplib's own takes READ-ONLY for an error, which it is not. Returns whether it is READ-WRITE."""
    session.untagged_responses = {}
    kind, data = session._simple_command("SELECT", name)
    assert kind == "OK", data
    session.state = "SELECTED"
    session.is_readonly = b"[READ-WRITE]" not in data[0]
    return not session.is_readonly


def short(account):
    """The level that means an account to those of its own domain."""
    return account.address.split("@")[0]


@pytest.fixture
def carol(server):
    """A third account."""
    return server.account()


@pytest.fixture
def three(server, alice, bob, carol):
    """Sessions of three users; two messages in the INBOX of the first, which the second may read."""
    for number in range(2):
        server.deliver(alice, message(f"number {number}"))
    sessions = [server.imap_login(account) for account in (alice, bob, carol)]
    ok(sessions[0].setacl("INBOX", bob.address, "lrs"))
    yield sessions
    for session in sessions:
        try:
            session.logout()
        except (imaplib.IMAP4.error, OSError):
            pass


def listed(session, pattern="*"):
    """Names of a LIST."""
    lines = ok(session.list('""', f'"{pattern}"'))
    return [re.search(rb'"/" "?(.*?)"?$', line)[1].decode() for line in lines if line]


def flags(session, what="1:*"):
    """Flags of messages, by number."""
    found = {}
    for line in ok(session.fetch(what, "(FLAGS)")):
        number, names = re.match(rb"(\d+) \(.*FLAGS \((.*?)\)", line).groups()
        found[int(number)] = set(names.decode().split()) - {"\\Recent"}
    return found


def test_commands(server, alice, bob, three):
    a, b, c = three
    assert ok(a.myrights("INBOX")) == [b"INBOX lrswipkxtencda"]
    entries = ok(a.getacl("INBOX"))[0].decode()
    assert entries == f"INBOX {alice.address} lrswipkxtencda {bob.address} lrs"
    ok(a.setacl("INBOX", short(bob), "+wi"))
    ok(a.setacl("INBOX", "anyone", "p"))
    ok(a.setacl("INBOX", f"-{bob.address}", "w"))
    assert f"{bob.address} lrswi -{bob.address} w" in ok(a.getacl("INBOX"))[0].decode()
    name = f'"Other Users/{short(alice)}/INBOX"'
    assert ok(b.myrights(name))[0].endswith(b" lrsip")
    ok(a.deleteacl("INBOX", "anyone"))
    ok(a.deleteacl("INBOX", f"-{bob.address}"))
    with pytest.raises(imaplib.IMAP4.error):
        a.setacl("INBOX", bob.address, "lrQ")
    assert "[CANNOT]" in no(a.setacl("INBOX", "nobody-of-that-name", "lr"))
    _, data = a._simple_command("LISTRIGHTS", "INBOX", alice.address)
    assert a.untagged_responses["LISTRIGHTS"] == [f"INBOX {alice.address} la r s w i p k x t e n c d".encode()]
    # Who may not administer, and who may not even see it.
    assert "[NOPERM]" in no(b.getacl(name))
    missing = no(c.getacl('"Other Users/nobody/INBOX"'))
    for refused in (c.getacl(name), c.select(name), c.status(name, "(MESSAGES)"), c.delete(name)):
        assert no(refused) == missing, "an invisible mailbox looks like one that does not exist"
    assert "Other Users" not in " ".join(listed(c))
    assert b'(("" "/")) (("Other Users/" "/")) (("Shared/" "/"))' in ok(c.namespace())[0]
    # Nobody can lock himself out (RFC 4314, 2).
    ok(a.setacl("INBOX", alice.address, '""'))
    assert ok(a.myrights("INBOX")) == [b"INBOX la"]
    assert "[NOPERM]" in no(a.select("INBOX"))
    ok(a.deleteacl("INBOX", alice.address))
    ok(a.select("INBOX"))


def test_reading_and_filing(server, alice, bob, three):
    a, b, _ = three
    name = f"Other Users/{short(alice)}/INBOX"
    quoted = f'"{name}"'
    assert name in listed(b) and listed(b, "Other Users/%") == [f"Other Users/{short(alice)}"]
    # No right changes what others see (RFC 4314, 5.2), and yet marks of one's own are kept.
    assert not select(b, quoted)
    assert b"(\\Seen)" in b.untagged_responses.get("PERMANENTFLAGS", b.response("PERMANENTFLAGS")[1])[0]
    ok(b.fetch("1", "(BODY[TEXT])"))
    assert flags(b) == {1: {"\\Seen"}, 2: set()}
    ok(a.select("INBOX"))
    assert flags(a) == {1: set(), 2: set()}, "the owner has not read it"
    # No two things have one id (RFC 8474), though each account numbers for itself.
    theirs, mine = (ok(b.status(where, "(MAILBOXID)"))[0] for where in (quoted, "INBOX"))
    assert theirs.split(b"(")[-1] != mine.split(b"(")[-1]
    email = re.search(rb"EMAILID \((.*?)\)", ok(b.fetch("2", "(EMAILID)"))[0])[1].decode()
    assert "-" in email and ok(b.search(None, "EMAILID", email)) == [b"2"]
    assert b"UNSEEN 1" in ok(b.status(quoted, "(UNSEEN)"))[0]
    assert b"UNSEEN 2" in ok(a.status("INBOX", "(UNSEEN)"))[0]
    assert ok(b.search(None, "SEEN")) == [b"1"] and ok(a.search(None, "SEEN")) == [b""]
    assert "[NOPERM]" in no(b._simple_command("STORE", "1", "+FLAGS", "(\\Flagged)"))
    assert "[NOPERM]" in no(b._simple_command("EXPUNGE"))
    assert "[NOPERM]" in no(b.append(quoted, None, None, message("filed")))
    assert "[NOPERM]" in no(b.create(f'"{name}/below"'))
    assert "[NOPERM]" in no(b.delete(quoted))
    # More rights, heard of in the selected mailbox.
    ok(a.setacl("INBOX", bob.address, "lrswite"))
    ok(b.noop())
    assert b"\\Deleted" in b.response("PERMANENTFLAGS")[1][-1]
    ok(b._simple_command("STORE", "1", "+FLAGS", "(\\Flagged $Label)"))
    ok(a.noop())
    assert flags(a)[1] == {"\\Flagged", "$Label"}
    # Filing: APPEND, COPY and MOVE across accounts, all or none.
    ok(b.append(quoted, "\\Seen", None, message("filed")))
    server.deliver(bob, message("from bob"))
    ok(b.select("INBOX"))
    kind, _ = b.uid("COPY", "1", quoted)
    assert kind == "OK" and b.response("COPYUID")[1][0]
    ok(b._simple_command("MOVE", "1", quoted))
    assert ok(b.search(None, "ALL")) == [b""]
    ok(a.noop())
    assert ok(a.search(None, "SUBJECT", "bob")) == [b"4 5"] and ok(a.search(None, "SUBJECT", "filed")) == [b"3"]
    assert flags(a)[3] == set(), "it was bob who has seen it"
    assert b"from bob" in ok(a.fetch("5", "(BODY.PEEK[HEADER])"))[0][1]
    ok(b.select(quoted))
    assert flags(b)[3] == {"\\Seen"}
    ok(b._simple_command("MOVE", "4:5", "INBOX"))
    ok(a.noop())
    assert a.response("EXPUNGE")[1] == [b"4", b"4"]
    ok(b._simple_command("STORE", "2", "+FLAGS", "(\\Deleted)"))
    ok(b._simple_command("EXPUNGE"))
    ok(a.noop())
    assert ok(a.search(None, "ALL")) == [b"1 2"]
    assert len(server.contents(bob)) == 2


def test_mailboxes_below_and_subscriptions(server, alice, bob, three):
    a, b, _ = three
    ok(a.create("Work"))
    ok(a.setacl("Work", bob.address, "lrk"))
    work = f"Other Users/{short(alice)}/Work"
    ok(b.create(f'"{work}/New/Deep"'))
    assert "Work/New/Deep" in listed(a)
    assert ok(b.myrights(f'"{work}/New/Deep"'))[0].endswith(b" lrkc"), "the list of the superior"
    assert "[NOPERM]" in no(b.delete(f'"{work}/New"'))
    ok(a.setacl("Work/New", bob.address, "lrkx"))
    ok(b.rename(f'"{work}/New"', f'"{work}/Newer"'))
    assert "Work/Newer/Deep" in listed(a)
    assert ok(b.myrights(f'"{work}/Newer"'))[0].endswith(b" lrkxc")
    assert "[CANNOT]" in no(b.rename(f'"{work}/Newer"', "Mine"))
    for name in ("Shared/x", '"Other Users/x"', '"Other Users/nobody/x"', '"Other Users"'):
        assert "[NOPERM]" in no(b.create(name)), name
    ok(b.subscribe(f'"{work}"'))
    ok(b.subscribe(f'"Other Users/{alice.address}/Work/Newer"'))
    assert "[NONEXISTENT]" in no(b.subscribe('"Other Users/nobody/x"'))
    assert {line.rsplit(b'"/" ')[-1] for line in ok(b.lsub())} >= {
        f'"{work}"'.encode(),
        f'"{work}/Newer"'.encode(),
    }
    ok(b.delete(f'"{work}/Newer"'))
    ok(b.unsubscribe(f'"{work}/Newer"'))
    kind, data = b._simple_command("LIST", "(SUBSCRIBED RECURSIVEMATCH)", '""', '"Other Users/%"', "RETURN", "(MYRIGHTS)")
    assert kind == "OK" and b"CHILDINFO" in b.untagged_responses["LIST"][-1]
    # Special uses are those of one's own mailboxes.
    ok(a.setacl("Sent", bob.address, "lr"))
    b.untagged_responses = {}
    b._simple_command("LIST", "(SPECIAL-USE)", '""', "*")
    assert not [line for line in b.untagged_responses["LIST"] if b"Other Users" in line]


def test_revoked_while_selected(server, alice, bob, carol, three):
    a, b, c = three
    name = f'"Other Users/{short(alice)}/INBOX"'
    ok(a.setacl("INBOX", carol.address, "lr"))
    select(b, name)
    select(c, name)
    # The right to mark goes: the next command hears it.
    ok(a.setacl("INBOX", bob.address, "-s"))
    assert "[NOPERM]" in no(b._simple_command("STORE", "1", "+FLAGS", "(\\Seen)"))
    ok(a.deleteacl("INBOX", bob.address))
    with pytest.raises(imaplib.IMAP4.abort, match="may not read"):
        b.fetch("1", "(FLAGS)")
    # One who waits is told, and the connection ends.
    wire = server.wire("imap_clear")
    wire.send(f"a LOGIN {carol.address} {carol.password}\r\nb SELECT {name}\r\nc IDLE\r\n")
    while not wire.line().startswith("+ "):
        pass
    ok(a.deleteacl("INBOX", carol.address))
    assert wire.line().startswith("* BYE")
    wire.close()


def test_groups_and_the_command_line(server, alice, bob, carol):
    team = f"{unique('team')}@{server.domain}"
    server.cli("group", "add", team, bob.address)
    server.cli("mailbox", "share", alice.address, "INBOX", "--with", f"${team}", "--rights", "lrswi", "--seen", "shared")
    server.cli("mailbox", "share", alice.address, "Sent", "--with", "anyone", "--rights", "lr")
    row = server.mailboxes(alice)["INBOX"]
    assert (row["shared_with"], row["seen"]) == ([f"${team}=lrswi"], "shared")
    b, c = server.imap_login(bob), server.imap_login(carol)
    base = f"Other Users/{short(alice)}"
    assert {f"{base}/INBOX", f"{base}/Sent"} <= set(listed(b))
    assert f"{base}/Sent" in listed(c) and f"{base}/INBOX" not in listed(c)
    server.deliver(alice, message("one"))
    assert select(b, f'"{base}/INBOX"'), "a shared flag may be changed"
    ok(b._simple_command("STORE", "1", "+FLAGS", "(\\Seen)"))
    a = server.imap_login(alice)
    ok(a.select("INBOX"))
    assert flags(a) == {1: {"\\Seen"}}, "one \\Seen for all"
    ok(b.unselect())
    server.cli("group", "set", team, carol.address)
    assert f"{base}/INBOX" in listed(c) and f"{base}/INBOX" not in listed(b)
    server.cli("mailbox", "unshare", alice.address, "INBOX", "--with", f"${team}")
    server.cli("mailbox", "unshare", alice.address, "INBOX", "--with", f"${team}", expect=1)
    server.cli("mailbox", "unshare", alice.address, "Sent", "--with", "anyone")
    assert not [name for name in listed(c) if name.startswith(base)]
    for session in (a, b, c):
        session.logout()


def test_a_shared_account(server, alice, bob):
    name = unique("office")
    address = f"{name}@{server.domain}"
    server.cli("account", "add", address, "--shared", "--quota", "100K")
    server.cli("mailbox", "share", address, "INBOX", "--with", alice.address, "--rights", "lrswipkxtea")
    server.cli("account", "set", address, "--password-stdin", stdin="secret\n", expect=1)
    server.deliver(address, message("to all"))
    a, b = server.imap_login(alice), server.imap_login(bob)
    inbox = f'"Shared/{name}/INBOX"'
    assert f"Shared/{name}/INBOX" in listed(a) and not listed(b, "Shared/*")
    ok(a.select(inbox))
    assert ok(a.search(None, "SUBJECT", '"to all"')) == [b"1"]
    ok(a.create(f'"Shared/{name}/Archive/2026"'))
    assert ok(a.getacl(inbox))[0].decode() == f"{inbox} {alice.address} lrswipkxtecda"
    ok(a.setacl(inbox, bob.address, "lri"))
    # The quota that counts is the owner's (RFC 9208).
    root = ok(b.getquotaroot(inbox))
    assert root[0] == [f'{inbox} "#user/{address}"'.encode()] and b"STORAGE 1 100" in root[1][0]
    assert "[OVERQUOTA]" in no(b.append(inbox, None, None, message("big", body="x" * 200_000)))
    ok(b.append(inbox, None, None, message("small")))
    assert b"MESSAGES 2" in ok(a.status(inbox, "(MESSAGES)"))[0]
    for session in (a, b):
        session.logout()
    server.cli("account", "remove", address, "--yes")
    again = server.imap_login(alice)
    assert not listed(again, "Shared/*")
    again.logout()


def test_limits_are_for_administrators(server, alice, bob):
    a = server.imap_login(alice)
    root = f'"#user/{bob.address}"'
    assert "[NOPERM]" in no(a.setquota('""', "(STORAGE 5)"))
    assert "[NONEXISTENT]" in no(a.getquota(root))
    server.cli("account", "set", alice.address, "--admin", "true")
    assert b"STORAGE 0 512" in ok(a.setquota(root, "(STORAGE 512)"))[0]
    assert b"STORAGE 0 512" in ok(a.getquota(root))[0]
    ok(a.setquota(root, "(MESSAGE 3)"))
    shown = server.rows("account", "show", bob.address)[0]
    assert (shown["quota_bytes"], shown["quota_messages"]) == (None, 3)
    a.logout()


def test_no_mailbox_comes_in_place_of_another(server, alice, bob, carol, three):
    """Who may make mailboxes in the account of another can't put one in the way of what the owner means."""
    a, b, c = three
    ok(a.setacl("INBOX", bob.address, "lrkx"))
    ok(a.create("Box"))
    ok(a.setacl("Box", bob.address, "lrkx"))
    ok(c.setacl("INBOX", alice.address, "lri"))
    name = f"Other Users/{short(carol)}/INBOX"
    below = f"Other Users/{short(alice)}"
    assert "[NOPERM]" in no(b.create(f'"{below}/{name}"'))
    assert "[NOPERM]" in no(b.rename(f'"{below}/Box"', f'"{below}/{name}"'))
    assert "[NOPERM]" in no(b.rename(f'"{below}/Box"', f'"{below}/Shared/team"'))
    ok(a.select("INBOX"))
    ok(a.copy("1", f'"{name}"'))
    ok(c.select("INBOX"))
    assert c.response("EXISTS")[1][-1] == b"1"


def test_renaming_an_inbox_shows_its_messages_to_nobody_else(server, alice, bob, three):
    """RENAME of INBOX moves its messages below another list."""
    a, b, _ = three
    ok(a.create("Box"))
    ok(a.setacl("Box", bob.address, "lrk"))
    source, target = (f'"Other Users/{short(alice)}/{name}"' for name in ("INBOX", "Box/got"))
    for rights in ("lx", "lxte", "lrx", "lrxt", "lrxe"):
        ok(a.setacl("INBOX", bob.address, rights))
        assert "[NOPERM]" in no(b.rename(source, target)), rights
    ok(a.setacl("INBOX", bob.address, "lrxte"))
    ok(b.rename(source, target))
    assert not select(b, target)


def test_a_disabled_account_reads_nothing_more(server, alice, bob, three):
    a, b, _ = three
    name = f'"Other Users/{short(alice)}/INBOX"'
    other = server.imap_login(bob)
    select(b, name)
    server.cli("account", "set", bob.address, "--disabled", "true")
    assert "[NOPERM]" in no(other.select(name)) and "[NOPERM]" in no(other.status("INBOX", "(MESSAGES)"))
    assert "[NOPERM]" in no(other.append("INBOX", None, None, message("late")))
    assert "[NOPERM]" in no(other.create("late"))
    assert "[NOPERM]" in no(b.fetch("1", "(FLAGS)"))
    with pytest.raises(imaplib.IMAP4.abort, match="may not read"):
        b.noop()
    other.logout()
    server.cli("account", "set", bob.address, "--disabled", "false")
    assert flags_of_first(server, bob, name) == set()


def flags_of_first(server, account, name):
    """Flags of the first message, as a new session sees them."""
    session = server.imap_login(account)
    select(session, name)
    found = flags(session)[1]
    session.logout()
    return found
