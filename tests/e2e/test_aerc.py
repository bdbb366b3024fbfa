"""aerc on a terminal of its own: folders, a message read, flagged, moved; then one that comes while it idles."""

import os
import shutil
from urllib.parse import quote

from harness.mail import message, unique
from harness.terminal import Terminal


def write_configuration(server, account, home):
    """Write aerc's configuration."""
    folder = home / ".config/aerc"
    folder.mkdir(parents=True)
    user, password = quote(account.address, safe=""), quote(account.password, safe="")
    accounts = folder / "accounts.conf"
    accounts.write_text(
        f"[troika]\nsource = imaps://{user}:{password}@localhost:{server.imaps}\ndefault = INBOX\n"
        f"from = <{account.address}>\ncache-headers = false\n"
    )
    accounts.chmod(0o600)
    (folder / "aerc.conf").write_text(
        "[ui]\nsort = arrival\n[filters]\ntext/plain = cat\n[viewer]\npager = cat\n[compose]\neditor = true\n"
    )
    (folder / "binds.conf").write_text("[messages]\nq = :quit<Enter>\n[view]\nq = :close<Enter>\n")


def test_reads_flags_moves_and_hears_of_news(server, alice, tmp_path):
    assert shutil.which("aerc"), "aerc is not installed; ./test installs it"
    subject, kept, news = unique("aerc"), unique("kept"), unique("news")
    server.deliver(alice, message(kept, body="stay\r\n"))
    server.deliver(alice, message(subject, body="vorgelesen\r\n"))
    write_configuration(server, alice, tmp_path)
    environment = os.environ | {
        "TERM": "xterm-256color", "HOME": str(tmp_path), "LANG": "C.UTF-8", "SSL_CERT_FILE": str(server.ca),
        "XDG_CONFIG_HOME": str(tmp_path / ".config"), "XDG_CACHE_HOME": str(tmp_path / ".cache"),
        "XDG_DATA_HOME": str(tmp_path / ".local/share"), "XDG_RUNTIME_DIR": str(tmp_path),
    }
    client = server.imap_login(alice)

    def has(mailbox, keys):
        """Whether a search finds exactly one message."""
        client.select(mailbox, readonly=True)
        return len(client.search(None, keys)[1][0].split()) == 1

    with Terminal(["aerc"], env=environment) as terminal:
        terminal.until_shown(subject)
        terminal.type(":select 1\r")
        terminal.type(":view\r")
        terminal.until_shown("vorgelesen")
        terminal.type(":close\r")
        terminal.until(lambda: has("INBOX", f"SEEN SUBJECT {subject}"), "\\Seen")
        terminal.type(":flag -x Flagged\r")
        terminal.until(lambda: has("INBOX", f"FLAGGED SUBJECT {subject}"), "\\Flagged")
        terminal.type(":mv Archive\r")
        terminal.until(lambda: has("Archive", f"FLAGGED SUBJECT {subject}"), "the message in Archive")
        terminal.shown = b""
        server.deliver(alice, message(news))
        terminal.until_shown(news)
        terminal.type(":quit -f\r")
        terminal.end()
    assert has("INBOX", f"SUBJECT {kept}") and not has("INBOX", f"SUBJECT {subject}")
    client.logout()
