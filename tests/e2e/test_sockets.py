"""Unix sockets: who may use LMTP's, and a control socket in a deep folder."""

import grp
import os
import stat

from harness.mail import message
from harness.server import troika


def test_the_mode_and_group_of_an_lmtp_socket(own_server):
    server = own_server(start=False)
    group = grp.getgrgid(os.getgid()).gr_name
    bind = f'bind = "unix:{server.lmtp_socket}"\n'
    text = server.config.read_text()
    server.config.write_text(text.replace(bind, f'{bind}mode = "0660"\ngroup = "{group}"\n'))
    server.start()
    found = os.stat(server.lmtp_socket)
    assert stat.S_IMODE(found.st_mode) == 0o660 and found.st_gid == os.getgid()
    alice = server.account()
    with _lmtp(server) as wire:
        assert wire.smtp("LHLO client.test") == 250
        assert wire.smtp("MAIL FROM:<a@elsewhere.test>") == 250
        assert wire.smtp(f"RCPT TO:<{alice.address}>") == 250


def _lmtp(server):
    """A connection to the socket, greeting read."""
    from harness.wire import Wire

    wire = Wire(server.lmtp_socket)
    wire.line()
    return wire


def test_a_mode_that_is_none_and_one_for_tcp_are_refused(own_server):
    server = own_server(start=False)
    text = server.config.read_text()
    for wrong, bind in [('mode = "9"', f"unix:{server.lmtp_socket}"), ('mode = "0660"', f"127.0.0.1:{server.imap}")]:
        line = f'bind = "{bind}"\n'
        server.config.write_text(text.replace(line, f"{line}{wrong}\n"))
        assert b"mode" in troika("--config", server.config, "config", "check", expect=None).stderr
    server.config.write_text(text)


def test_a_data_folder_with_a_long_path(own_server):
    server = own_server(folder="d" * 60 + "/" + "e" * 60, listeners={
        "smtp": ("smtp", "starttls", False),
        "imap_clear": ("imap", "none", True),
        "http": ("http", "none", False),
    })  # fmt: skip
    assert len(str(server.data / "control.sock")) > 107
    alice = server.account()  # by the running server's socket, for the store is locked
    server.deliver(alice, message("deep"))
    assert len(server.contents(alice)) == 1
