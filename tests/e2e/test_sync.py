"""mbsync and offlineimap: both sides end equal, folders with Cyrillic names included."""

import imaplib
from pathlib import Path

from harness.mail import digest, from_utf7, message, to_utf7
from harness.programs import run

CYRILLIC = "Работа/Счета"


def crlf(raw):
    """A local message with CRLF again, without the mark that mbsync puts in."""
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith((b"x-tuid:", b"x-offlineimap:")))


def local_messages(box):
    """Fingerprints of a Maildir folder."""
    files = [path for part in ("new", "cur") for path in (box / part).iterdir()]
    return sorted(digest(crlf(path.read_bytes())) for path in files)


def remote_messages(server, account, mailbox="INBOX"):
    """Fingerprints of a mailbox on the server."""
    return sorted(digest(crlf(raw)) for raw in server.contents(account, mailbox))


def fill(server, account, mailbox, count, start=0):
    """Append messages by IMAP."""
    client = server.imap_login(account)
    name = f'"{to_utf7(mailbox)}"'
    client.create(name)
    for number in range(start, start + count):
        raw = message(f"number {number}", body=f"Текст {number}\r\n" * (1 + number % 20))
        flags = [None, r"(\Seen)", r"(\Flagged \Answered)"][number % 3]
        kind, answer = client.append(name, flags, None, raw)
        assert kind == "OK", answer
    client.logout()


def mbsync_config(server, account, folder):
    """Write a configuration that syncs everything both ways."""
    rc = folder / "mbsyncrc"
    rc.write_text(
        f"FSync no\n\nIMAPAccount troika\nHost localhost\nPort {server.imaps}\nUser {account.address}\nPass {account.password}\n"
        f"SSLType IMAPS\nSystemCertificates no\nCertificateFile {server.ca}\nPipelineDepth 50\n\n"
        f"IMAPStore far\nAccount troika\n\nMaildirStore near\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\n"
        f"SubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\n"
        f"Expunge Both\nSyncState {folder}/state/\n"
    )
    (folder / "mail").mkdir()
    (folder / "state").mkdir()
    return rc


def local_folder(top, name):
    """The folder of a mailbox, in whichever form the program names it."""
    for form in (name, to_utf7(name), name.replace("/", "."), to_utf7(name).replace("/", ".")):
        if (top / form / "cur").is_dir():
            return top / form
    raise AssertionError(f"no folder for {name}: {[str(path) for path in top.rglob('cur')]}")


def test_mbsync_converges_with_2000_messages_both_ways(server, alice, tmp_path):
    fill(server, alice, "INBOX", 1500)
    fill(server, alice, CYRILLIC, 500, start=1500)
    rc = mbsync_config(server, alice, tmp_path)
    sync = lambda: run(["mbsync", "-c", rc, "-a"], timeout=200)  # noqa: E731
    sync()
    inbox, cyrillic = tmp_path / "mail/INBOX", local_folder(tmp_path / "mail", CYRILLIC)
    assert len(local_messages(inbox)) == 1500
    assert local_messages(inbox) == remote_messages(server, alice)
    assert local_messages(cyrillic) == remote_messages(server, alice, to_utf7(CYRILLIC))

    # Now changes on both sides: new, flags, deletions, a new folder here and one there.
    local_new = message("made here", body="здесь\r\n")
    (inbox / "new/1.local.host").write_bytes(local_new.replace(b"\r\n", b"\n"))
    here = sorted((inbox / "cur").iterdir())
    for path in here[:100]:
        path.unlink()
    fresh = tmp_path / "mail" / (to_utf7("Новая") if "&" in cyrillic.name else "Новая")
    for part in ("cur", "new", "tmp"):
        (fresh / part).mkdir(parents=True)
    (fresh / "new/2.local.host").write_bytes(local_new.replace(b"\r\n", b"\n"))
    client = server.imap_login(alice)
    client.select("INBOX")
    client.uid("STORE", "1400:1450", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.uid("STORE", "1300:1350", "FLAGS", r"(\Draft)")
    client.logout()
    fill(server, alice, "Там", 7, start=5000)
    sync()
    sync()
    assert local_messages(inbox) == remote_messages(server, alice)
    count = len(local_messages(inbox))
    assert 1500 + 1 - 100 - 51 <= count <= 1500 + 1 - 100, "each side's deletions, at most all of them apart"
    assert any(b"made here" in raw for raw in server.contents(alice))
    assert len(local_messages(local_folder(tmp_path / "mail", "Там"))) == 7
    assert len(server.contents(alice, to_utf7("Новая"))) == 1
    drafts = [path for path in (inbox / "cur").iterdir() if "D" in path.name.rpartition(":2,")[2]]
    assert drafts, "flags came down"
    before = (local_messages(inbox), remote_messages(server, alice))
    sync()
    assert (local_messages(inbox), remote_messages(server, alice)) == before, "nothing is left to do"


def offlineimap_config(server, account, folder):
    """Write a configuration."""
    rc = folder / "offlineimaprc"
    rc.write_text(
        f"[general]\naccounts = troika\nmetadata = {folder}/meta\nsocktimeout = 60\n\n"
        "[Account troika]\nlocalrepository = here\nremoterepository = there\nutf8_support = yes\n\n"
        f"[Repository here]\ntype = Maildir\nlocalfolders = {folder}/mail\nsep = /\nutime_from_header = no\n\n"
        f"[Repository there]\ntype = IMAP\nremotehost = localhost\nremoteport = {server.imaps}\nssl = yes\n"
        f"sslcacertfile = {server.ca}\nremoteuser = {account.address}\nremotepass = {account.password}\n"
    )
    (folder / "mail").mkdir()
    return rc


def test_offlineimap_converges(server, alice, tmp_path):
    fill(server, alice, "INBOX", 150)
    fill(server, alice, CYRILLIC, 50, start=200)
    rc = offlineimap_config(server, alice, tmp_path)
    sync = lambda: run(["offlineimap", "-o", "-c", rc, "-u", "basic"], timeout=200)  # noqa: E731
    sync()
    inbox, cyrillic = tmp_path / "mail/INBOX", local_folder(tmp_path / "mail", CYRILLIC)
    assert local_messages(inbox) == remote_messages(server, alice)
    assert len(local_messages(cyrillic)) == 50
    assert local_messages(cyrillic) == remote_messages(server, alice, to_utf7(CYRILLIC))

    gone = sorted((inbox / "cur").iterdir())[:10]
    for path in gone:
        path.unlink()
    (inbox / "new/1.local.host").write_bytes(message("made here").replace(b"\r\n", b"\n"))
    fill(server, alice, "INBOX", 5, start=900)
    sync()
    sync()
    assert local_messages(inbox) == remote_messages(server, alice)
    assert len(local_messages(inbox)) == 150 - 10 + 1 + 5


def test_cyrillic_names_are_listed_as_they_were_made(server, alice):
    client = server.imap_login(alice)
    for name in ("Входящие заявки", "Работа/Счета", "Ёлка & Co", "日本語"):
        assert client.create(f'"{to_utf7(name)}"')[0] == "OK"
    assert client.rename(f'"{to_utf7("日本語")}"', f'"{to_utf7("中文")}"')[0] == "OK"
    listed = {from_utf7(line.decode().rsplit('"/" ', 1)[1].strip('"')) for line in client.list()[1]}
    assert {"Входящие заявки", "Работа/Счета", "Работа", "Ёлка & Co", "中文"} <= listed
    assert "日本語" not in listed
    client.logout()
    assert {"Входящие заявки", "Ёлка & Co", "中文"} <= set(server.mailboxes(alice))


def test_a_mailbox_name_that_is_no_modified_utf7_is_refused(server, alice):
    client = server.imap_login(alice)
    for name in ('"&Jj"', '"&AGE-"', '"a&b"'):
        try:
            assert client.create(name)[0] == "NO", name
        except imaplib.IMAP4.error:
            pass
    client.logout()
    assert Path(server.folder).exists()
