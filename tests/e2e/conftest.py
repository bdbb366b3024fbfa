"""Fixtures: one server for each worker, servers of one's own, accounts."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness.programs import run  # noqa: E402
from harness.server import Server  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that tests share which change nothing beyond accounts of their own."""
    server = Server(tmp_path_factory.mktemp("shared"))
    server.cli("domain", "add", server.domain)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def app_server(tmp_path_factory):
    """As `server`, for tests that make application passwords: from the first one on CRAM-MD5 and APOP are offered, which
    some clients then choose whatever the password."""
    server = Server(tmp_path_factory.mktemp("apps"))
    server.cli("domain", "add", server.domain)
    server.start()
    server.app_password(server.account("first"))
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path):
    """Make servers for one test; `own_server(sections=…, start=False)`. Each must end cleanly and be sound."""
    made = []

    def make(folder="server", *, start=True, **options):
        server = Server(tmp_path / folder, **options)
        server.cli("domain", "add", server.domain)
        made.append(server)
        return server.start() if start else server

    yield make
    for server in made:
        if server.process and server.process.poll() is None:
            server.stop()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 96 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", place])
    yield place
    run(["umount", "--lazy", place])


@pytest.fixture
def alice(server):
    """An account."""
    return server.account()


@pytest.fixture
def bob(server):
    """Another account."""
    return server.account()
