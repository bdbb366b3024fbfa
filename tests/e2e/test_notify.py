"""NOTIFY: what others do is told at once, outside of any command."""

import time

from harness.mail import message


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
        assert time.monotonic() - began < 2.0
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


def test_what_was_not_yet_told_outlives_another_notify(server, alice):
    with session(server, alice) as one, session(server, alice) as two:
        assert "* ENABLED METADATA" in one.imap("ENABLE METADATA")
        two.imap('SETMETADATA INBOX (/shared/comment "x")')
        # The watch is wanted already: it goes on rather than begin anew.
        assert "* METADATA INBOX /shared/comment" in one.imap("NOTIFY SET (PERSONAL (MailboxName))")
