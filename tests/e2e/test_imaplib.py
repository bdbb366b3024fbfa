"""Python's imaplib: every command of RFC 3501, extensions, charsets, several sessions at once."""

import base64
import imaplib
import re

import pytest
from harness.mail import message, to_utf7, unique, with_attachment, without_trace
from harness.tls import trusting


@pytest.fixture
def imap(server, alice):
    """A session with three messages in its INBOX, which is selected."""
    for number in range(3):
        server.deliver(alice, message(f"number {number}", body="x" * number + "\r\n"))
    client = server.imap_login(alice)
    assert client.select("INBOX")[1] == [b"3"]
    yield client
    client.logout()


def ok(answer):
    """The data of an answer that must be OK."""
    kind, data = answer
    assert kind == "OK", data
    return data


def test_capabilities(server):
    client = imaplib.IMAP4("127.0.0.1", server.imap, timeout=120)
    assert "STARTTLS" in client.capabilities and "LOGINDISABLED" in client.capabilities
    with pytest.raises(imaplib.IMAP4.error):
        client.login("a", "b")
    ok(client.starttls(trusting(server.ca)))
    for word in ("IMAP4REV1", "ID", "SASL-IR", "IDLE", "ENABLE", "AUTH=PLAIN", "AUTH=SCRAM-SHA-256"):
        assert word in client.capabilities, word
    assert "STARTTLS" not in client.capabilities and "LOGINDISABLED" not in client.capabilities
    client.logout()


def test_extensions_after_login(server, alice):
    client = server.imap_login(alice)
    words = ok(client.capability())[0].decode().upper().split()
    for word in ("UIDPLUS", "MOVE", "UNSELECT", "CHILDREN", "SPECIAL-USE", "LIST-STATUS", "ESEARCH", "IDLE"):
        assert word in words, word
    assert "LITERAL+" in words or "LITERAL-" in words
    client.logout()


def test_mailboxes(server, alice):
    client = server.imap_login(alice)
    for name in ("Work", "Work/Old", "Spare"):
        ok(client.create(name))
    assert client.create("Work")[0] == "NO"
    assert client.create("INBOX")[0] == "NO"
    ok(client.subscribe("Work/Old"))
    listed = b"\n".join(ok(client.list()))
    assert b"Work/Old" in listed and rb"\HasChildren" in listed
    assert any(b"Work/Old" in line for line in ok(client.lsub()))
    ok(client.unsubscribe("Work/Old"))
    assert not any(line and b"Work/Old" in line for line in ok(client.lsub()))
    ok(client.rename("Work", "Job"))
    names = [line.split()[-1].strip(b'"') for line in ok(client.list('""', "Job*"))]
    assert sorted(names) == [b"Job", b"Job/Old"]
    assert [line.split()[-1] for line in ok(client.list('""', "%")) if b"Old" in line] == []
    ok(client.delete("Spare"))
    assert client.delete("Spare")[0] == "NO"
    assert client.delete("INBOX")[0] == "NO"
    assert client.select("Spare")[0] == "NO"
    assert ok(client.namespace())[0].startswith(b'(("" "/"))')
    client.logout()


def test_renaming_inbox_moves_its_mail(server, alice, imap):
    ok(imap.rename("INBOX", "Before"))
    assert ok(imap.status("INBOX", "(MESSAGES)"))[0].endswith(b"(MESSAGES 0)")
    assert b"MESSAGES 3" in ok(imap.status("Before", "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)"))[0]


def test_special_use(server, alice):
    client = server.imap_login(alice)
    listed = b"\n".join(ok(client.list()))
    for word in (rb"\Drafts", rb"\Sent", rb"\Junk", rb"\Trash", rb"\Archive"):
        assert word in listed, word
    client.logout()


def test_append_with_flags_and_date(server, alice):
    client = server.imap_login(alice)
    date = '"01-Feb-2003 04:05:06 +0700"'
    answer = ok(client.append("INBOX", r"(\Seen $Forwarded)", date, message("appended")))
    assert b"APPENDUID" in answer[0]
    client.select("INBOX")
    [row] = ok(client.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE UID)"))
    assert rb"\Seen" in row and b"$Forwarded" in row
    when = re.search(rb'INTERNALDATE "([^"]+)"', row).group(1)
    assert imaplib.Internaldate2tuple(b'INTERNALDATE "' + when + b'"') == imaplib.Internaldate2tuple(
        b"INTERNALDATE " + date.encode()
    )
    assert client.append("Nowhere", None, None, message())[0] == "NO"
    client.logout()


def test_fetch_items(server, alice, imap):
    raw = server.contents(alice)[1]
    head, _, body = raw.partition(b"\r\n\r\n")
    fetch = lambda items: ok(imap.fetch("2", items))  # noqa: E731
    assert fetch("(BODY.PEEK[])")[0][1] == raw
    assert fetch("(BODY.PEEK[HEADER])")[0][1] == head + b"\r\n\r\n"
    assert fetch("(BODY.PEEK[TEXT])")[0][1] == body
    assert fetch("(BODY.PEEK[1])")[0][1] == body
    assert fetch("(BODY.PEEK[]<5.10>)")[0][1] == raw[5:15]
    assert fetch("(BODY.PEEK[HEADER.FIELDS (SUBJECT X-NONE)])")[0][1] == b"Subject: number 1\r\n\r\n"
    without = fetch("(BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)])")[0][1]
    assert b"Subject:" not in without and b"Message-ID:" in without
    assert rb"\Seen" not in fetch("(FLAGS)")[0]
    assert fetch("(RFC822.HEADER)")[0][1] == head + b"\r\n\r\n"
    assert rb"\Seen" not in fetch("(FLAGS)")[0]
    assert fetch("(RFC822)")[0][1] == raw
    assert rb"\Seen" in fetch("(FLAGS)")[0]
    assert f"RFC822.SIZE {len(raw)}".encode() in fetch("(RFC822.SIZE)")[0]
    for macro, words in (("ALL", b"ENVELOPE"), ("FAST", b"INTERNALDATE"), ("FULL", b"BODY (")):
        assert words in fetch(macro)[0], macro
    assert b'"TEXT" "PLAIN"' in fetch("(BODYSTRUCTURE)")[0].upper()
    assert b'"number 1"' in fetch("(ENVELOPE)")[0]


def test_store_expunge_and_close(server, alice, imap):
    assert rb"\Flagged" in ok(imap.store("1:2", "+FLAGS", r"(\Flagged)"))[0]
    assert rb"\Flagged" not in ok(imap.store("1", "-FLAGS", r"(\Flagged)"))[0]
    ok(imap.store("3", "FLAGS", r"(\Answered custom)"))
    ok(imap.store("1", "+FLAGS.SILENT", r"(\Deleted)"))
    assert ok(imap.expunge()) == [b"1"]
    ok(imap.check())
    ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
    ok(imap.close())
    assert imap.state == "AUTH"
    assert ok(imap.select("INBOX")) == [b"1"]
    assert ok(imap.search(None, "KEYWORD", "custom")) == [b"1"]
    ok(imap.unselect())


def test_uidplus_copy_and_move(server, alice, imap):
    kind, data = imap.copy("1:2", "Archive")
    assert kind == "OK" and b"COPYUID" in data[0]
    assert len(server.contents(alice, "Archive")) == 2
    ok(imap.uid("MOVE", "3", "Trash"))
    assert len(server.contents(alice, "Trash")) == 1 and len(server.contents(alice)) == 2
    ok(imap.uid("STORE", "1:2", "+FLAGS", r"(\Deleted)"))
    ok(imap.uid("EXPUNGE", "2"))
    assert ok(imap.uid("SEARCH", "ALL")) == [b"1"]
    assert imap.copy("1", "Nowhere")[0] == "NO"


def test_examine_changes_nothing(server, alice, imap):
    ok(imap.select("INBOX", readonly=True))
    ok(imap.fetch("1", "(BODY[])"))
    assert rb"\Seen" not in ok(imap.fetch("1", "(FLAGS)"))[0]
    assert imap._simple_command("STORE", "1", "+FLAGS", r"(\Deleted)")[0] == "NO"


def test_search_keys(server, alice):
    client = server.imap_login(alice)
    day = '"10-Jan-2020 12:00:00 +0000"'
    client.append("INBOX", r"(\Seen \Flagged)", day, message("first", sender="anna@a.test", body="apple\r\n"))
    client.append("INBOX", r"(\Answered)", None, message("second", to="carl@c.test", body="pear\r\n" * 100))
    client.append("INBOX", r"(\Draft \Deleted)", None, message("third", extra=["X-Mark: yes", "Cc: <d@d.test>"]))
    client.select("INBOX")
    table = {
        "ALL": "1 2 3", "SEEN": "1", "UNSEEN": "2 3", "FLAGGED": "1", "UNFLAGGED": "2 3", "ANSWERED": "2",
        "UNANSWERED": "1 3", "DRAFT": "3", "UNDRAFT": "1 2", "DELETED": "3", "UNDELETED": "1 2",
        "FROM anna": "1", "TO carl": "2", "CC d.test": "3", "BCC x": "", "SUBJECT second": "2", "BODY apple": "1",
        "TEXT pear": "2", 'HEADER X-Mark "yes"': "3", 'HEADER X-Mark ""': "3", "LARGER 500": "2", "SMALLER 500": "1 3",
        "BEFORE 1-Jan-2021": "1", "SINCE 1-Jan-2021": "2 3", "ON 10-Jan-2020": "1",
        "SENTON 21-Nov-2026": "1 2 3", "SENTBEFORE 21-Nov-2026": "", "SENTSINCE 21-Nov-2026": "1 2 3",
        "NOT SEEN": "2 3", "OR SEEN ANSWERED": "1 2", "(SEEN FLAGGED)": "1", "2:3": "2 3", "UID 1,3": "1 3",
        "KEYWORD none": "", "UNKEYWORD none": "1 2 3", "UID 3:* UNSEEN": "3", "*": "3",
    }  # fmt: skip
    for keys, expected in table.items():
        assert ok(client.search(None, keys))[0].decode() == expected, keys
    assert client.search("X-NONSENSE", "ALL")[0] == "NO"
    client.logout()


@pytest.mark.parametrize("charset", ["KOI8-R", "windows-1251", "UTF-8", "ISO-8859-5"])
def test_search_in_charsets(server, alice, charset):
    client = server.imap_login(alice)
    word = "Счёт" if charset != "KOI8-R" else "Счета"
    text = f"Оплатите {word} сегодня\r\n"
    coded = "koi8-r" if charset == "KOI8-R" else "windows-1251"
    koi = f"Subject: =?{coded}?B?".encode() + base64.b64encode(word.encode(coded)) + b"?=\r\n"
    win = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\n"
    client.append("INBOX", None, None, koi + b"\r\nnothing\r\n")
    client.append("INBOX", None, None, win + text.encode("cp1251"))
    client.append("INBOX", None, None, message("other"))
    client.select("INBOX")
    asked = word.upper().encode(charset)
    for key, expected in (("SUBJECT", b"1"), ("BODY", b"2"), ("TEXT", b"1 2")):
        client.literal = asked
        assert ok(client.search(charset, key)) == [expected], key
    client.logout()


def test_one_megabyte_byte_for_byte(server, alice):
    raw, octets = with_attachment(1 << 20)
    server.deliver(alice, raw)
    client = imaplib.IMAP4_SSL("localhost", server.imaps, ssl_context=trusting(server.ca), timeout=120)
    client.login(alice.address, alice.password)
    client.select("INBOX")
    assert without_trace(ok(client.fetch("1", "(BODY[])"))[0][1]) == raw
    part = ok(client.fetch("1", "(BODY[2])"))[0][1]
    assert base64.b64decode(part) == octets
    ok(client.append("Sent", None, None, raw))
    assert server.contents(alice, "Sent") == [raw]
    client.logout()


def test_sessions_see_each_others_changes(server, alice, imap):
    other = server.imap_login(alice)
    other.select("INBOX")
    ok(imap.store("2", "+FLAGS", r"(\Flagged)"))
    other.noop()
    assert any(rb"\Flagged" in row for row in other.response("FETCH")[1])
    ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
    ok(imap.expunge())
    # RFC 3501 §7.4.1: no EXPUNGE during FETCH; numbers stand until the other session can hear of it.
    numbers = [row.split()[0] for row in ok(other.fetch("2:3", "(UID)"))]
    assert numbers == [b"2", b"3"]
    other.noop()
    assert other.response("EXPUNGE")[1] == [b"1"]
    assert [row.split() for row in ok(other.fetch("1:2", "(UID)"))] == [[b"1", b"(UID", b"2)"], [b"2", b"(UID", b"3)"]]
    server.deliver(alice, message("new"))
    other.noop()
    assert other.response("EXISTS")[1][-1] == b"3"
    other.logout()


def test_login_names(server, alice):
    name = alice.address.split("@")[0]
    for login in (name, f"{name}+tag", f"{name}+tag@{server.domain}", alice.address.upper()):
        client = imaplib.IMAP4("127.0.0.1", server.imap_clear, timeout=120)
        client.login(login, alice.password)
        client.logout()


def test_authenticate(app_server):
    server, alice = app_server, app_server.account()
    app = server.app_password(alice)
    client = imaplib.IMAP4("127.0.0.1", server.imap_clear, timeout=120)
    ok(client.login_cram_md5(app.address, app.password))
    client.logout()
    client = imaplib.IMAP4_SSL("localhost", server.imaps, ssl_context=trusting(server.ca), timeout=120)
    ok(client.authenticate("PLAIN", lambda _: f"\0{alice.address}\0{alice.password}".encode()))
    client.logout()


def test_id_and_enable(server, alice):
    client = server.imap_login(alice)
    assert client.xatom("ID", '("name" "test")')[0] == "OK"
    assert b"name" in client.response("ID")[1][0].lower()
    ok(client.enable("CONDSTORE"))
    client.logout()


def test_pipelined_commands_are_answered_in_order(server, alice, imap):
    with server.wire("imap_clear") as wire:
        commands = [f"LOGIN {alice.address} {alice.password}", "SELECT INBOX", "FETCH 1:* FLAGS", "STORE 1 +FLAGS (a)"]
        commands += ["SEARCH KEYWORD a", "NOOP", "UID FETCH 1:* (BODY.PEEK[TEXT])", "LOGOUT"]
        wire.send("".join(f"t{number} {command}\r\n" for number, command in enumerate(commands)))
        lines = wire.rest().decode().split("\r\n")
    tagged = [line.split()[:2] for line in lines if re.match(r"t\d ", line)]
    assert tagged == [[f"t{number}", "OK"] for number in range(len(commands))]
    assert "* SEARCH 1" in lines


def test_cyrillic_mailbox_takes_mail(server, alice):
    client = server.imap_login(alice)
    name = f'"{to_utf7("Отправленные письма")}"'
    ok(client.create(name))
    ok(client.append(name, None, None, message("letter", body="кириллица\r\n")))
    assert ok(client.select(name)) == [b"1"]
    client.logout()


def test_subaddress_lands_in_the_inbox(server, alice):
    subject = unique()
    name, domain = alice.address.split("@")
    server.deliver(f"{name}+list@{domain}", message(subject))
    assert [subject.encode() in raw for raw in server.contents(alice)] == [True]
