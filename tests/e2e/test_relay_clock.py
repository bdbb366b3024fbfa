"""The wall clock jumps by hours and days while mail waits (faketime; the monotonic clock goes on)."""

import glob

import pytest
from harness.mail import message, unique
from harness.next_hop import NextHop
from harness.ports import free_ports
from harness.waiting import until
from test_relay import OWN, is_empty, route, send

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


class Clock:
    """The server's clock, set by a file."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set("+0")
        (library,) = glob.glob(LIBRARY)
        self.wrapper = [
            "env",
            f"LD_PRELOAD={library}",
            f"FAKETIME_TIMESTAMP_FILE={self.file}",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ]

    def set(self, offset):
        """Seconds, or with h or d behind."""
        new = self.file.with_suffix(".new")
        new.write_text(offset + "\n")
        new.rename(self.file)


@pytest.fixture
def clock(tmp_path):
    """A clock that shows the time."""
    return Clock(tmp_path)


def waiting(own_server, clock, retry):
    """A server with one message for a host that does not answer yet; the port where it will."""
    (port,) = free_ports(1)
    keys = f'[delivery]\nretry_first = "{retry}"\nretry_longest = "{retry}"\n'
    server = own_server(sections=OWN + keys + route(f"127.0.0.1:{port}"), start=False)
    server.start(clock.wrapper)
    subject = unique()
    # Of nobody: nothing is told when it ends.
    send(server, "", ["b@y.test"], message(subject))
    until(lambda: server.metric("troika_sent_total", outcome="Deferred") >= 1, "a deferral")
    return server, port, subject


def arrives(server, port, subject, seconds=120):
    """The message comes, once."""
    with NextHop(port=port) as hop:
        (taken,) = hop.wait(1, seconds)
        assert subject.encode() in taken.content
        until(lambda: is_empty(server), "an empty queue")
        assert len(hop.messages) == 1


def test_a_clock_that_jumps_ahead_makes_due_what_waits(own_server, clock):
    server, port, subject = waiting(own_server, clock, "1h")
    clock.set("+3h")
    arrives(server, port, subject)


@pytest.mark.parametrize("back", ["-3h", "-4d"])
def test_a_clock_that_jumps_back_holds_nothing_up(own_server, clock, back):
    server, port, subject = waiting(own_server, clock, "5s")
    clock.set(back)
    arrives(server, port, subject)
    # New mail is as quick as ever.
    with NextHop(port=port) as hop:
        send(server, "a@elsewhere.test", ["b@y.test"], message())
        hop.wait(1)


def test_what_was_noted_by_a_clock_ahead_goes_after_a_restart(own_server, clock):
    """The clock was days ahead when the next attempt was noted, and was set right while the server was down."""
    clock.set("+3d")
    server, port, subject = waiting(own_server, clock, "5s")
    server.stop()
    clock.set("+0")
    server.start(clock.wrapper)
    arrives(server, port, subject)


def test_mail_whose_time_is_over_by_the_clock_comes_back(own_server, clock):
    """Days are days: what waited for a dead host through a jump beyond its end is given up and told of, not lost."""
    server, _, _ = waiting(own_server, clock, "1h")
    alice = server.account("alice")
    send(server, alice.address, ["b@y.test"], message())
    clock.set("+20d")
    (raw,) = until(lambda: server.contents(alice), "a report", 30)
    assert b"Action: failed" in raw
    until(lambda: is_empty(server), "an empty queue")
