"""Two Python clients that are used where imaplib is too bare: IMAPClient, and aioimaplib for asyncio."""

import asyncio
import ssl

import aioimaplib
import imapclient
from harness.mail import message, unique


def trusting(server):
    """A TLS context that knows the server's own authority."""
    return ssl.create_default_context(cafile=str(server.ca))


def test_imapclient(server, alice):
    subject = unique()
    server.deliver(alice, message(subject, body="Привет\r\n", extra=["Content-Type: text/plain; charset=utf-8"]))
    with imapclient.IMAPClient("localhost", server.imaps, ssl_context=trusting(server)) as client:
        client.login(alice.address, alice.password)
        for name in (b"CONDSTORE", b"MOVE", b"UIDPLUS", b"QUOTA", b"SPECIAL-USE", b"ID", b"NAMESPACE"):
            assert client.has_capability(name), name
        assert client.namespace().personal[0] == ("", "/")
        assert b"Troika" in str(client.id_({"name": "test"})).encode()
        client.create_folder("Проекты & цены/2026")
        assert client.folder_exists("Проекты & цены/2026")
        client.rename_folder("Проекты & цены/2026", "Проекты & цены/Прошлое")
        names = [name for _, _, name in client.list_folders()]
        assert "Проекты & цены/Прошлое" in names
        assert client.find_special_folder(b"\\Sent") == "Sent"
        assert client.folder_status("INBOX", ["MESSAGES", "HIGHESTMODSEQ"])[b"MESSAGES"] == 1
        opened = client.select_folder("INBOX")
        assert opened[b"EXISTS"] == 1 and opened[b"READ-WRITE"]
        assert client.search(["SUBJECT", subject]) == [1]
        assert client.search(["BODY", "привет"], charset="UTF-8") == [1]
        fetched = client.fetch([1], ["ENVELOPE", "BODYSTRUCTURE", "RFC822.SIZE", "MODSEQ", "BODY.PEEK[TEXT]"])[1]
        assert fetched[b"ENVELOPE"].subject.decode() == subject and "Привет" in fetched[b"BODY[TEXT]"].decode()
        assert not fetched[b"BODYSTRUCTURE"].is_multipart
        client.add_flags([1], [imapclient.SEEN, "$Forwarded"])
        assert imapclient.SEEN in client.get_flags([1])[1]
        client.append("INBOX", message("second"), [imapclient.FLAGGED])
        client.noop()
        assert client.search("FLAGGED") == [2]
        client.copy([2], "Archive")
        client.move([1], "Проекты & цены/Прошлое")
        client.delete_messages([2])
        client.expunge()
        assert client.search() == []
        client.idle()
        server.deliver(alice, message("news"))
        assert (1, b"EXISTS") in client.idle_check(timeout=90)
        client.idle_done()
        assert client.get_quota_root("INBOX")
        client.unselect_folder()
        client.logout()


def test_aioimaplib(server, alice):
    async def session():
        client = aioimaplib.IMAP4_SSL("localhost", server.imaps, ssl_context=trusting(server), timeout=120)
        await client.wait_hello_from_server()
        assert (await client.login(alice.address, alice.password)).result == "OK"
        assert (await client.enable("CONDSTORE")).result == "OK"
        assert (await client.select("INBOX")).result == "OK"
        for number in range(3):
            raw = message(f"number {number}")
            assert (await client.append(raw, mailbox="INBOX", flags="\\Seen" if number else None)).result == "OK"
        unseen = await client.uid_search("UNSEEN")
        assert unseen.lines[0].split() == [b"1"], unseen
        found = await client.uid("fetch", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        text = b"\n".join(bytes(line) for line in found.lines)
        assert all(f"Subject: number {number}".encode() in text for number in range(3)), found
        assert (await client.uid("store", "2", "+FLAGS (\\Flagged)")).result == "OK"
        assert (await client.uid("move", "3", "Archive")).result == "OK"
        idle = await client.idle_start(timeout=120)
        await asyncio.to_thread(server.deliver, alice, message("news"))
        pushed = await client.wait_server_push(timeout=90)
        assert b"3 EXISTS" in pushed, pushed
        client.idle_done()
        await asyncio.wait_for(idle, 90)
        assert (await client.close()).result == "OK"
        assert (await client.logout()).result == "OK"

    asyncio.run(session())
    assert len(server.contents(alice)) == 3 and len(server.contents(alice, "Archive")) == 1
