"""SORT, THREAD and contexts, as Python's imaplib asks for them."""

import imaplib
import re

import pytest
from harness.mail import message


def ok(answer):
    """The data of an answer that must be OK."""
    kind, data = answer
    assert kind == "OK", data
    return data


MAILS = [
    # subject, sender's name, sender, minute of the Date, Message-ID, References
    ("plans", "Zoe", "anna", 5, "1", ""),
    ("Re: plans", "", "boris", 3, "2", "<1@x>"),
    ("другое", "Anna", "Carl", 9, "3", ""),
    ("Re: plans", "Max", "dora", 7, "4", "<1@x> <2@x>"),
    ("Fwd: Другое", "Eva", "eva", 1, "5", "<gone@x>"),
    ("unlike", "Eva", "eva", 2, "6", "<gone@x>"),
]


@pytest.fixture
def imap(server, alice):
    """A session with the mails in its INBOX, which is selected."""
    client = server.imap_login(alice)
    for subject, name, sender, minute, number, references in MAILS:
        text = (
            f"From: {name} <{sender}@example.test>\r\nTo: list@example.test\r\nSubject: {subject}\r\n"
            f"Date: Tue, 14 Nov 2023 10:{minute:02}:00 +0000\r\nMessage-ID: <{number}@x>\r\n"
        )
        if references:
            text += f"References: {references}\r\n"
        arrived = imaplib.Time2Internaldate(1_700_000_000 + int(number))
        ok(client.append("INBOX", None, arrived, f"{text}\r\nhello\r\n".encode()))
    ok(client.select("INBOX"))
    yield client
    client.logout()


def test_sort(imap):
    def sorted_by(criteria, *keys):
        return ok(imap.sort(criteria, "UTF-8", *keys))[0]

    assert sorted_by("(DATE)", "ALL") == b"5 6 2 1 4 3"
    assert sorted_by("(REVERSE DATE)", "FROM", "eva") == b"6 5"
    assert sorted_by("(SUBJECT)", "ALL") == b"1 2 4 6 3 5"
    assert sorted_by("(SUBJECT REVERSE DATE)", "ALL") == b"4 1 2 6 3 5"
    assert sorted_by("(FROM)", "ALL") == b"1 2 3 4 5 6"
    assert sorted_by("(DISPLAYFROM)", "1:4") == b"3 2 4 1"
    assert sorted_by("(ARRIVAL)", "DELETED") == b""
    assert ok(imap.uid("SORT", "(REVERSE SIZE)", "UTF-8", "1:2"))[0] in (b"2 1", b"1 2")
    assert imap.sort("(DATE)", "KLINGON", "ALL")[0] == "NO"


def test_thread(imap):
    def threads(algorithm):
        return ok(imap.thread(algorithm, "UTF-8", "ALL"))[0]

    assert threads("ORDEREDSUBJECT") == b"(5 3)(6)(2 (1)(4))"
    assert threads("REFERENCES") == b"((5)(6)(3))(1 2 4)"
    assert threads("REFS") == b"(3)(1 2 4)((5)(6))"
    assert ok(imap.uid("THREAD", "REFS", "UTF-8", "2,4"))[0] == b"(2 4)"


def test_what_is_old_is_sorted_as_well(own_server):
    """A restart and a rebuilt index change nothing."""
    server = own_server()
    user = server.account()
    for number in range(3):
        server.deliver(user, message(f"subject {9 - number}"))
    for _ in range(2):
        client = server.imap_login(user)
        client.select("INBOX")
        assert ok(client.sort("(SUBJECT)", "UTF-8", "ALL"))[0] == b"3 2 1"
        client.logout()
        server.stop()
        server.cli("store", "rebuild")
        server.start()


def test_results_follow_the_mailbox(server, imap, alice):
    """A context of an idling client hears of arrivals and removals at once."""
    imap.send(b"u UID SORT RETURN (UPDATE ALL) (REVERSE DATE) UTF-8 UNDELETED\r\n")
    assert b'(TAG "u") UID ALL 3:4,1:2,6,5' in imap.readline()
    assert b"u OK" in imap.readline()
    imap.send(b"i IDLE\r\n")
    assert imap.readline().startswith(b"+")
    other = server.imap_login(alice)
    other.select("INBOX")
    ok(other.store("4", "+FLAGS", "(\\Deleted)"))

    def until(pattern):
        lines = []
        while not re.search(pattern, lines[-1] if lines else b""):
            lines.append(imap.readline())
            assert lines[-1], lines
        return lines

    until(rb'\* ESEARCH \(TAG "u"\) UID REMOVEFROM \(2 4\)')
    ok(other.append("INBOX", None, None, b"Date: Tue, 14 Nov 2023 10:04:00 +0000\r\nSubject: new\r\n\r\n"))
    lines = until(rb'\* ESEARCH \(TAG "u"\) UID ADDTO \(3 7\)')
    assert any(b"* 7 EXISTS" in line for line in lines)
    ok(other.uid("STORE", "6", "+FLAGS", "(\\Deleted)"))
    until(rb'\* ESEARCH \(TAG "u"\) UID REMOVEFROM \(5 6\)')
    imap.send(b"DONE\r\n")
    until(rb"i OK")
    imap.send(b'c CANCELUPDATE "u"\r\n')
    until(rb"c OK")
    other.logout()


def test_a_thread_of_thousands(server, alice):
    """A chain of messages as deep as there are, and each names all the others."""
    client = server.imap_login(alice)
    client.debug = 0
    text = "".join(f"<{number}@x> " for number in range(2000))
    for number in (1998, 1999, 5, 0):
        header = f"Message-ID: <{number}@x>\r\nReferences: {text}\r\nSubject: s\r\n\r\n".replace("> <", ">\r\n <")
        ok(client.append("INBOX", None, None, header.encode()))
    ok(client.select("INBOX"))
    data = ok(client.thread("REFS", "UTF-8", "ALL"))[0]
    assert sorted(re.findall(rb"\d+", data)) == [b"1", b"2", b"3", b"4"], data
    client.logout()
