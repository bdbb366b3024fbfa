"""mutt and neomutt on a terminal of their own: open the folder, read, flag, move, leave."""

import os
import shutil

import pytest
from harness.mail import message, unique
from harness.terminal import Terminal


@pytest.mark.parametrize("program", ["mutt", "neomutt"])
def test_reads_flags_and_moves(server, alice, tmp_path, program):
    assert shutil.which(program), f"{program} is not installed; ./test installs it"
    kept, moved = unique(), unique()
    server.deliver(alice, message(kept, body="stay\r\n"))
    server.deliver(alice, message(moved, body="Унеси меня\r\n", extra=["Content-Type: text/plain; charset=utf-8"]))
    rc = tmp_path / "muttrc"
    out = tmp_path / "piped"
    rc.write_text(
        f'set imap_user="{alice.address}"\nset imap_pass="{alice.password}"\nset ssl_ca_certificates_file={server.ca}\n'
        f"set certificate_file={server.ca}\nset folder=imaps://localhost:{server.imaps}/\nset spoolfile=+INBOX\n"
        "set confirmappend=no\nset delete=yes\nset move=no\nset quit=yes\nset wait_key=no\nset sort=mailbox-order\n"
        "set mail_check=1\nset sleep_time=0\nset pipe_decode=yes\nset charset=utf-8\n"
    )
    keys = (
        f"<last-entry><pipe-message>cat >{out}<enter>"
        "<save-message>=Archive<enter><first-entry><flag-message><sync-mailbox><quit>"
    )
    environment = os.environ | {"TERM": "xterm", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    with Terminal([program, "-n", "-F", str(rc), "-e", f"push '{keys}'"], env=environment) as terminal:
        terminal.end()
    assert "Унеси меня" in out.read_text()
    assert [kept.encode() in raw for raw in server.contents(alice)] == [True]
    assert [moved.encode() in raw for raw in server.contents(alice, "Archive")] == [True]
    client = server.imap_login(alice)
    client.select("INBOX", readonly=True)
    assert client.search(None, "FLAGGED")[1] == [b"1"]
    client.logout()
