"""Evolution's IMAP client (Camel's imapx, with QRESYNC) without its windows: folders, read, flag, search, move."""

import json
import os
from pathlib import Path

from harness.mail import message, unique
from harness.programs import run

CLIENT = Path(__file__).parent / "harness/camel_client.py"


def test_evolutions_imap_client(server, alice, tmp_path):
    subject, other, word = unique("evolution"), unique("other"), unique("gurken")
    server.deliver(alice, message(other, body="Nichts.\r\n"))
    server.deliver(alice, message(subject, body=f"Привет, {word}!\r\n", extra=["Content-Type: text/plain; charset=utf-8"]))
    environment = os.environ | {"HOME": str(tmp_path), "LANG": "C.UTF-8", "GSETTINGS_BACKEND": "memory"}
    done = run(["/usr/bin/python3", CLIENT, tmp_path, server.imaps, alice.address, alice.password, word], env=environment)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen == {
        "connected": True, "folders": ["INBOX", "Evolution", "Sent"], "subjects": [other, subject], "read": subject,
        "found": 1, "moved": [subject], "left": [other],
    }
    client = server.imap_login(alice)
    client.select("Evolution", readonly=True)
    assert client.search(None, "FLAGGED", "SEEN", "SUBJECT", subject)[1] == [b"1"]
    client.select("INBOX", readonly=True)
    assert client.search(None, "UNSEEN")[1] == [b"1"] and client.search(None, "ALL")[1] == [b"1"]
    client.logout()
