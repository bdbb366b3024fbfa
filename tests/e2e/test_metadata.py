"""METADATA: entries are kept, follow their mailbox and survive a restart."""


def session(server, account):
    wire = server.wire("imap_clear")
    wire.imap(f"LOGIN {account.address} {account.password}")
    return wire


def test_entries_follow_their_mailbox_over_a_restart(server, alice):
    with session(server, alice) as wire:
        wire.imap("CREATE work")
        assert "OK" in wire.imap('SETMETADATA work (/private/comment "mine" /shared/vendor/a/b "ours")')[-1]
        assert "OK" in wire.imap("RENAME work play")[-1]
        assert "NOPERM" in wire.imap('SETMETADATA "" (/shared/comment "x")')[-1]
        assert "OK" in wire.imap('SETMETADATA "" (/private/vendor/a/b "x")')[-1]
    server.restart()
    with session(server, alice) as wire:
        told = wire.imap("GETMETADATA (DEPTH infinity) play (/private /shared)")
        assert '* METADATA "play" (/private/comment "mine" /shared/vendor/a/b "ours")' in told
        assert '* METADATA "" (/private/vendor/a/b "x")' in wire.imap('GETMETADATA "" /private/vendor/a/b')
        told = wire.imap("GETMETADATA Drafts /private/specialuse")
        assert '* METADATA "Drafts" (/private/specialuse "\\\\Drafts")' in told
        wire.imap("DELETE play")
        wire.imap("CREATE play")
        assert "* METADATA \"play\" (/private/comment NIL)" in wire.imap("GETMETADATA play /private/comment")
    server.cli("store", "check")
