"""mutt on a terminal of its own: open the folder, read, flag, move, leave."""

import os
import pty
import select
import subprocess
import time

from harness.mail import message, unique


def on_terminal(words, seconds=60, **options):
    """Run a full-screen program on a pseudo terminal until it ends; return its screen output."""
    ours, its = pty.openpty()
    process = subprocess.Popen(words, stdin=its, stdout=its, stderr=its, start_new_session=True, **options)
    os.close(its)
    shown, deadline = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 1 << 16)
                except OSError:
                    break
            elif process.poll() is not None:
                break
        assert process.wait(5) == 0, shown[-3000:].decode(errors="replace")
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it hangs: {shown[-3000:].decode(errors='replace')}") from None
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown


def test_mutt_reads_flags_and_moves(server, alice, tmp_path):
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
    on_terminal(["mutt", "-n", "-F", str(rc), "-e", f"push '{keys}'"], env=environment)
    assert "Унеси меня" in out.read_text()
    assert [kept.encode() in raw for raw in server.contents(alice)] == [True]
    assert [moved.encode() in raw for raw in server.contents(alice, "Archive")] == [True]
    client = server.imap_login(alice)
    client.select("INBOX", readonly=True)
    assert client.search(None, "FLAGGED")[1] == [b"1"]
    client.logout()
