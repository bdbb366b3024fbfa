"""Annotations of messages (RFC 5257): one's own and those for all, with their messages, and told while one waits."""

from harness.mail import message


def session(server, account):
    """A session that is logged in."""
    wire = server.wire("imap_clear")
    assert "OK" in wire.imap(f"LOGIN {account.address} {account.password}")[-1]
    return wire


def ok(lines):
    """The untagged lines of an answer that must be OK."""
    assert " OK" in lines[-1], lines
    return lines[:-1]


def short(account):
    """The level that means an account to those of its own domain."""
    return account.address.split("@")[0]


def test_values_of_two_readers(server, alice, bob):
    for number in range(3):
        server.deliver(alice, message(f"number {number}"))
    name = f'"Other Users/{short(alice)}/INBOX"'
    with session(server, alice) as a, session(server, bob) as b:
        assert any("ANNOTATE-EXPERIMENT-1" in line for line in ok(a.imap("CAPABILITY")))
        ok(a.imap(f"SETACL INBOX {bob.address} lr"))
        assert "* OK [ANNOTATIONS 16384] Largest annotation" in ok(a.imap("SELECT INBOX (ANNOTATE)"))
        ok(b.imap(f"SELECT {name} (ANNOTATE)"))
        ok(a.imap('STORE 1 ANNOTATION (/comment (value.priv "mine" value.shared "ours"))'))
        ok(b.imap('STORE 1 ANNOTATION (/comment (value.priv "his"))'))
        # RFC 5257, 3.4: shared ones need `n`.
        assert "[NOPERM]" in b.imap('STORE 1 ANNOTATION (/comment (value.shared "x"))')[-1]
        fetch = "FETCH 1 (ANNOTATION (/comment (value size.priv)))"
        told = ok(b.imap(fetch))
        assert '* 1 FETCH (ANNOTATION (/comment (value.priv "his" value.shared "ours" size.priv "3")))' in told
        told = ok(a.imap(fetch))
        assert '* 1 FETCH (ANNOTATION (/comment (value.priv "mine" value.shared "ours" size.priv "4")))' in told
        ok(a.imap(f"SETACL INBOX {bob.address} lrn"))
        ok(b.imap("NOOP"))
        # Told while one waits: the name alone.
        a.send("i IDLE\r\n")
        while not a.line().startswith("+ "):
            pass
        ok(b.imap('STORE 2 ANNOTATION (/comment (value.shared "by bob") /altsubject (value.priv "his own"))'))
        assert a.line().endswith("ANNOTATION (/comment))")
        a.send("DONE\r\n")
        assert a.line().startswith("i OK")
        # SEARCH and SORT see what the user sees.
        assert ok(a.imap('SEARCH ANNOTATION * value "BOB"')) == ["* SEARCH 2"]
        assert ok(a.imap('SEARCH ANNOTATION /comment value.priv "HIS"')) == ["* SEARCH"]
        assert ok(b.imap('SEARCH NOT ANNOTATION /comment value.priv "HIS"')) == ["* SEARCH 2 3"]
        assert ok(a.imap("SORT (ANNOTATION /comment value.shared) UTF-8 ALL")) == ["* SORT 3 2 1"]
        assert ok(b.imap("SORT (REVERSE ANNOTATION /altsubject value.priv) UTF-8 ALL")) == ["* SORT 2 1 3"]
        # What goes along with a copy (4.6).
        ok(b.imap("COPY 1:2 INBOX"))
        ok(b.imap("SELECT INBOX"))
        told = ok(b.imap("FETCH 1:2 (ANNOTATION (/* value))"))
        assert told == [
            '* 1 FETCH (ANNOTATION (/comment (value.priv "his" value.shared "ours")))',
            '* 2 FETCH (ANNOTATION (/comment (value.priv NIL value.shared "by bob") '
            '/altsubject (value.priv "his own" value.shared NIL)))',
        ]
        # A part that there is not, a value that is too large, too many values.
        assert b.imap('STORE 1 ANNOTATION (/9/comment (value.priv "x"))')[-1].startswith("a BAD")
        ok(b.imap('STORE 1 ANNOTATION (/1/comment (value.priv "x"))'))
        big = "x" * (16 * 1024 + 1)
        assert "[ANNOTATE TOOBIG]" in b.imap(f"STORE 1 ANNOTATION (/x (value.priv {{{len(big)}+}}\r\n{big}))")[-1]
        entries = " ".join(f'/{number:c} (value.priv "x")' for number in range(ord("a"), ord("z") + 1))
        ok(b.imap(f"STORE 1 ANNOTATION ({entries})"))
        more = " ".join(f'/x{number} (value.priv "x")' for number in range(10))
        assert "[ANNOTATE TOOMANY]" in b.imap(f"STORE 1 ANNOTATION ({more})")[-1]
        # APPEND (4.7), MODSEQ.
        ok(b.imap('APPEND INBOX ANNOTATION (/comment (value.priv "later")) {6+}\r\na: b\r\n'))
        told = ok(b.imap("UID FETCH 3 (ANNOTATION (/comment value.priv))"))
        assert '* 3 FETCH (UID 3 ANNOTATION (/comment (value.priv "later")))' in told
        ok(b.imap("ENABLE CONDSTORE"))
        told = ok(b.imap("UID STORE 3 ANNOTATION (/comment (value.priv NIL))"))
        assert len(told) == 1 and told[0].startswith("* 3 FETCH (UID 3 MODSEQ (")
        ok(b.imap("STORE 1:* +FLAGS.SILENT (\\Deleted)"))
        ok(b.imap("EXPUNGE"))
    server.cli("store", "check")
