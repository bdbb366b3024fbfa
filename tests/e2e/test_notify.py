"""NOTIFY: what others do is told at once, outside of any command."""

import re
import time

from harness.mail import message, unique


def session(server, account, **options):
    """A session that is logged in."""
    wire = server.wire("imap_clear", **options)
    assert "OK" in wire.imap(f"LOGIN {account.address} {account.password}")[-1]
    return wire


def test_three_sessions_hear_of_each_other(server, alice):
    with session(server, alice) as one, session(server, alice) as two, session(server, alice) as three:
        one.imap("CREATE Lists")
        one.imap("SELECT INBOX")
        asked = "NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) "
        asked += "(PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
        asked += "MailboxMetadataChange ServerMetadataChange))"
        assert "OK" in one.imap(asked)[-1]
        assert "OK" in two.imap("NOTIFY SET STATUS (SUBTREE (INBOX Lists) (MessageNew MessageExpunge))")[-1]
        began = time.monotonic()
        server.deliver(alice, message())
        assert one.line() == "* 1 EXISTS"
        assert one.line().endswith("RECENT")
        assert one.line().startswith("* 1 FETCH (UID 1 FLAGS (")
        assert two.line() == "* STATUS INBOX (UIDNEXT 2 MESSAGES 1)"
        # At once: nothing here is looked at from time to time.
        assert time.monotonic() - began < 15.0
        three.imap("SELECT INBOX")
        assert "OK" in three.imap("COPY 1 Lists")[-1]
        for wire in (one, two):
            assert wire.line() == '* STATUS "Lists" (UIDNEXT 2 MESSAGES 1)'
        three.imap(r"STORE 1 +FLAGS.SILENT (\Deleted)")
        assert one.line().startswith("* 1 FETCH (UID 1 FLAGS (\\Deleted")
        three.imap("EXPUNGE")
        assert one.line() == "* 1 EXPUNGE"
        assert two.line() == "* STATUS INBOX (UIDNEXT 2 MESSAGES 0)"
        three.imap("CREATE made/below")
        assert one.line() == '* LIST (\\HasChildren) "/" "made"'
        assert one.line() == '* LIST (\\HasNoChildren) "/" "made/below"'
        assert one.line() == '* LIST (\\HasChildren) "/" "made"'
        three.imap("RENAME made renamed")
        assert one.line() == '* LIST (\\HasChildren) "/" "renamed" ("OLDNAME" ("made"))'
        three.imap("SUBSCRIBE renamed")
        assert one.line() == '* LIST (\\HasChildren \\Subscribed) "/" "renamed"'
        three.imap('SETMETADATA renamed (/shared/comment "x" /private/comment "y")')
        assert one.line() == '* METADATA "renamed" /shared/comment /private/comment'
        three.imap('SETMETADATA "" (/private/vendor/a/b "y")')
        assert one.line() == '* METADATA "" /private/vendor/a/b'
        three.imap("DELETE renamed/below")
        assert one.line() == '* LIST (\\NonExistent \\HasNoChildren) "/" "renamed/below"'
        assert one.line() == '* LIST (\\HasNoChildren \\Subscribed) "/" "renamed"'
        # Nothing else was said, and nothing is said of a session's own doings.
        assert [line for line in one.imap("CREATE own") if line.startswith("* LIST")] == []
        assert one.imap("NOOP") == ["a OK NOOP completed"]
        assert two.imap("NOOP") == ["a OK NOOP completed"]


def test_metadata_is_told_after_enable(server, alice):
    with session(server, alice) as one, session(server, alice) as two:
        assert "* ENABLED METADATA" in one.imap("ENABLE METADATA")
        two.imap('SETMETADATA INBOX (/shared/comment "x")')
        assert "* METADATA INBOX /shared/comment" in one.imap("NOOP")


def test_metadata_raises_highestmodseq(server, alice):
    """RFC 7162 §3.2; who has CONDSTORE and hears of flags hears of it."""
    with session(server, alice) as one, session(server, alice) as two:
        one.imap("CREATE Notes")
        one.imap("ENABLE CONDSTORE")
        assert "OK" in one.imap("NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange))")[-1]
        before = int(one.imap("STATUS Notes (HIGHESTMODSEQ)")[0].split()[-1].rstrip(")"))
        two.imap('SETMETADATA Notes (/shared/comment "x")')
        told = re.fullmatch(r'\* STATUS "Notes" \(HIGHESTMODSEQ (\d+)\)', one.line())
        assert int(told[1]) > before


def test_what_was_not_yet_told_outlives_another_notify(server, alice):
    with session(server, alice) as one, session(server, alice) as two:
        assert "* ENABLED METADATA" in one.imap("ENABLE METADATA")
        two.imap('SETMETADATA INBOX (/shared/comment "x")')
        # The watch is wanted already: it goes on rather than begin anew.
        assert "* METADATA INBOX /shared/comment" in one.imap("NOTIFY SET (PERSONAL (MailboxName))")


def short(account):
    """The level that means an account to those of its own domain."""
    return account.address.split("@")[0]


def test_mailboxes_of_others(server, alice, bob):
    """What happens in another's mailboxes, what becomes of their names, and rights that come and go."""
    base = f"Other Users/{short(alice)}"
    asked = '(SUBTREE "Other Users" (MessageNew MessageExpunge FlagChange MailboxName MailboxMetadataChange))'
    with session(server, alice) as owner, session(server, bob) as one, session(server, bob) as two:
        owner.imap("CREATE Work")
        owner.imap("CREATE Work/Plans")
        assert "OK" in owner.imap(f"SETACL Work {bob.address} lr")[-1]
        assert "OK" in one.imap(f"NOTIFY SET STATUS {asked}")[-1]
        owner.imap("SETACL Work/Plans anyone l")
        assert one.line() == f'* LIST (\\NoAccess \\HasNoChildren) "/" "{base}/Work/Plans"'
        assert one.line() == f'* LIST (\\HasChildren) "/" "{base}/Work"'
        # Messages: counters are the reader's own.
        owner.imap("APPEND Work (\\Seen) {6+}\r\na: b\r\n")
        assert one.line() == f'* STATUS "{base}/Work" (UIDNEXT 2 MESSAGES 1)'
        owner.imap("APPEND Work/Plans {6+}\r\na: b\r\n")
        owner.imap("SELECT Work")
        owner.imap("STORE 1 +FLAGS (\\Deleted)")
        assert one.line().startswith(f'* STATUS "{base}/Work" (UIDVALIDITY ')
        owner.imap("EXPUNGE")
        assert one.line() == f'* STATUS "{base}/Work" (UIDNEXT 2 MESSAGES 0)'
        # What is not shared, and what is private to another, is not told.
        owner.imap("CREATE Secret")
        owner.imap("APPEND Secret {6+}\r\na: b\r\n")
        owner.imap('SETMETADATA Secret (/shared/comment "x")')
        owner.imap('SETMETADATA Work (/private/comment "x" /shared/comment "y")')
        assert one.line() == f'* METADATA "{base}/Work" /shared/comment'
        # Names.
        owner.imap("CREATE Work/New")
        assert one.line() == f'* LIST (\\HasNoChildren) "/" "{base}/Work/New"'
        assert one.line() == f'* LIST (\\HasChildren) "/" "{base}/Work"'
        owner.imap("RENAME Work Play")
        assert one.line() == f'* LIST (\\HasChildren) "/" "{base}/Play" ("OLDNAME" ("{base}/Work"))'
        owner.imap("DELETE Play/New")
        assert one.line() == f'* LIST (\\NonExistent \\HasNoChildren) "/" "{base}/Play/New"'
        assert one.line() == f'* LIST (\\HasChildren) "/" "{base}/Play"'
        # Rights.
        owner.imap(f"SETACL Play {bob.address} l")
        assert one.line() == f'* LIST (\\NoAccess \\HasChildren) "/" "{base}/Play"'
        owner.imap("APPEND Play {6+}\r\na: b\r\n")
        owner.imap(f"SETACL Play {bob.address} lri")
        assert one.line() == f'* LIST (\\HasChildren) "/" "{base}/Play"'
        # Own doings are told to other sessions alone.
        assert "OK" in two.imap(f'APPEND "{base}/Play" {{6+}}\r\na: b\r\n')[-1]
        assert one.line() == f'* STATUS "{base}/Play" (UIDNEXT 4 MESSAGES 2)'
        owner.imap(f"DELETEACL Play {bob.address}")
        assert one.line() == f'* LIST (\\NonExistent \\NoAccess \\HasChildren) "/" "{base}/Play"'
        assert one.line() == f'* LIST (\\NonExistent \\HasChildren) "/" "{base}"'
        owner.imap("APPEND Play {6+}\r\na: b\r\n")
        assert one.imap("NOOP") == ["a OK NOOP completed"]
        assert "OK" in owner.imap("DELETEACL Play/Plans anyone")[-1]


def test_own_doings_in_anothers_account(server, alice, bob):
    base = f"Other Users/{short(alice)}"
    with session(server, alice) as owner, session(server, bob) as one, session(server, bob) as two:
        owner.imap("CREATE Work")
        assert "OK" in owner.imap(f"SETACL Work {bob.address} lrkxa")[-1]
        for wire in (one, two):
            assert "OK" in wire.imap('NOTIFY SET (SUBTREE "Other Users" (MailboxName))')[-1]
        assert two.imap(f'CREATE "{base}/Work/New"')[:-1] == []
        assert one.line() == f'* LIST (\\HasNoChildren) "/" "{base}/Work/New"'
        assert one.line() == f'* LIST (\\HasChildren) "/" "{base}/Work"'
        assert two.imap(f'DELETE "{base}/Work/New"')[:-1] == []
        assert one.line() == f'* LIST (\\NonExistent \\HasNoChildren) "/" "{base}/Work/New"'
        assert one.line() == f'* LIST (\\HasNoChildren) "/" "{base}/Work"'
        # Another's comes through although it came with one's own.
        two.imap(f'CREATE "{base}/Work/Mine"')
        owner.imap("CREATE Work/Theirs")
        assert two.line() == f'* LIST (\\HasNoChildren) "/" "{base}/Work/Theirs"'
        assert two.imap("NOOP")[-1] == "a OK NOOP completed"


def test_metadata_of_others_after_enable(server, alice, bob):
    with session(server, alice) as owner, session(server, bob) as one:
        owner.imap("CREATE Work")
        assert "* ENABLED METADATA" in one.imap("ENABLE METADATA")
        assert "OK" in owner.imap(f"SETACL Work {bob.address} li")[-1]
        assert one.imap("NOOP") == ["a OK NOOP completed"]
        owner.imap('SETMETADATA Work (/shared/comment "x")')
        owner.imap("CREATE Secret")
        owner.imap('SETMETADATA Secret (/shared/comment "x")')
        told = one.imap("NOOP")
        assert told == [f'* METADATA "Other Users/{short(alice)}/Work" /shared/comment', "a OK NOOP completed"]


def test_a_group_a_shared_account_and_its_end(server, alice, bob):
    name, team = unique("office"), f"{unique('team')}@{server.domain}"
    address = f"{name}@{server.domain}"
    server.cli("account", "add", address, "--shared")
    server.cli("group", "add", team, alice.address)
    with session(server, alice) as one, session(server, bob) as two:
        for wire in (one, two):
            assert "OK" in wire.imap("NOTIFY SET (SUBTREE Shared (MessageNew MessageExpunge MailboxName))")[-1]
        server.cli("mailbox", "share", address, "INBOX", "--with", f"${team}", "--rights", "lr")
        assert one.line() == f'* LIST (\\HasNoChildren) "/" "Shared/{name}/INBOX"'
        assert one.line() == f'* LIST (\\NonExistent \\HasChildren) "/" "Shared/{name}"'
        server.deliver(address, message())
        assert one.line() == f'* STATUS "Shared/{name}/INBOX" (UIDNEXT 2 MESSAGES 1)'
        assert two.imap("NOOP") == ["a OK NOOP completed"]
        server.cli("group", "set", team, bob.address)
        assert two.imap("NOOP")[0] == f'* LIST (\\HasNoChildren) "/" "Shared/{name}/INBOX"'
        assert one.imap("NOOP")[0] == f'* LIST (\\NonExistent \\NoAccess \\HasNoChildren) "/" "Shared/{name}/INBOX"'
        server.cli("account", "remove", address, "--yes")
        assert two.line() == f'* LIST (\\NonExistent \\HasNoChildren) "/" "Shared/{name}/INBOX"'
