"""ESEARCH (RFC 7377): many mailboxes at once, one's own and other people's."""

from harness.mail import message


def session(server, account):
    """A session that is logged in."""
    wire = server.wire("imap_clear")
    assert "OK" in wire.imap(f"LOGIN {account.address} {account.password}")[-1]
    return wire


def found(wire, command):
    """What ESEARCH tells: the rest of each response by the mailbox's name."""
    *lines, last = wire.imap(command)
    assert last == "a OK ESEARCH completed", last
    rows = {}
    for line in lines:
        head, rest = line.removeprefix('* ESEARCH (TAG "a" MAILBOX ').split(") UID ", 1)
        name, validity = head.rsplit(" UIDVALIDITY ", 1)
        assert int(validity) > 0
        rows[name.strip('"')] = rest
    assert len(rows) == len(lines), "each mailbox once"
    return rows


def test_mailboxes_of_ones_own_and_of_others(server, alice, bob):
    for number in range(3):
        server.deliver(alice, message(f"number {number}"))
    label = alice.address.split("@")[0]
    with session(server, alice) as a, session(server, bob) as b:
        for name in ("folder", "folder/below", "folder/below/deep", "hidden"):
            assert "OK" in a.imap(f"CREATE {name}")[-1]
        a.imap("SELECT INBOX")
        a.imap("COPY 1:2 folder/below/deep")
        a.imap("COPY 3 hidden")
        assert found(a, "ESEARCH IN (personal) ALL") == {
            "INBOX": "ALL 1:3",
            "folder/below/deep": "ALL 1:2",
            "hidden": "ALL 1",
        }
        assert found(a, "ESEARCH IN (subtree folder) RETURN (COUNT MAX) SUBJECT number 2:9") == {
            "folder/below/deep": "COUNT 1 MAX 2"
        }
        assert found(a, "ESEARCH IN (subtree-one folder) ALL") == {}
        assert found(a, "ESEARCH IN (selected mailboxes hidden) BODY nothing-of-that-kind") == {}
        # What the selected mailbox is called now.
        a.imap("SELECT folder/below/deep")
        a.imap("RENAME folder elsewhere")
        assert found(a, "ESEARCH RETURN (MIN) ALL") == {"elsewhere/below/deep": "MIN 1"}
        # Another's mailboxes: with "r" and "l", with "r" alone, with "l" alone, with nothing.
        a.imap(f"SETACL INBOX {bob.address} lrs")
        a.imap(f"SETACL elsewhere/below/deep {bob.address} r")
        a.imap(f"SETACL elsewhere {bob.address} l")
        assert "OK" in a.imap(r"UID STORE 1 +FLAGS (\Seen)")[-1]
        theirs = f"Other Users/{label}"
        everything = f'subtree "{theirs}" personal'
        assert found(b, f"ESEARCH IN ({everything}) RETURN (COUNT) ALL") == {f"{theirs}/INBOX": "COUNT 3"}
        names = " ".join(f'"{theirs}/{name}"' for name in ("elsewhere", "elsewhere/below/deep", "hidden", "none"))
        assert found(b, f"ESEARCH IN (mailboxes ({names})) ALL") == {f"{theirs}/elsewhere/below/deep": "ALL 1:2"}
        # \Seen is each reader's own in INBOX, and the messages' elsewhere.
        b.imap(f'SELECT "{theirs}/INBOX"')
        b.imap(r"STORE 2 +FLAGS (\Seen)")
        b.imap("UNSELECT")
        rows = found(b, f'ESEARCH IN (mailboxes ("{theirs}/INBOX")) SEEN')
        assert rows == {f"{theirs}/INBOX": "ALL 2"}
        assert found(a, "ESEARCH IN (mailboxes INBOX) SEEN") == {}
        b.imap(f'SELECT "{theirs}/INBOX"')
        assert found(b, "ESEARCH RETURN (SAVE ALL) UNSEEN") == {f"{theirs}/INBOX": "ALL 1,3"}
        assert b.imap("SEARCH $")[0] == "* SEARCH 1 3"
