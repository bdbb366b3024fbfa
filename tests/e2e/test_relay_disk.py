"""The disk is full while mail goes out: at queueing, and between the next host's answer and its note."""

import smtplib
import subprocess
import threading

import pytest
from harness.mail import unique, with_attachment
from harness.next_hop import NextHop
from harness.waiting import until
from test_relay import OWN, QUICK, is_empty, route, send

RESERVES = pytest.mark.parametrize("reserve", ["8M", "0"], ids=["reserve", "to the last byte"])


def storage(reserve):
    """A store that fits on a small disk."""
    return f'[storage]\nreserve = "{reserve}"\nsegment_bytes = "8M"\nindex_cache = "8M"\n'


def fill(disk):
    """Leave no room; return what takes it."""
    ballast = disk / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=1M"], stderr=subprocess.DEVNULL, check=False)
    return ballast


def refusal(server, size):
    """Send one message of about this size; its subject and the reply's code and status, or 250."""
    subject = unique("q")
    raw = with_attachment(size, seed=size, subject=subject)[0]
    try:
        send(server, "a@elsewhere.test", ["b@y.test"], raw)
    except smtplib.SMTPResponseException as error:
        return subject, error.smtp_code, error.smtp_error
    except smtplib.SMTPRecipientsRefused as error:
        return subject, *next(iter(error.recipients.values()))
    return subject, 250, b""


@RESERVES
def test_a_full_disk_refuses_for_now_and_loses_nothing(own_server, small_disk, reserve):
    """Exactly what was acknowledged reaches the next host, once there is one."""
    with NextHop(replies={"MAIL": "451 4.3.0 not now"}) as hop:
        sections = OWN + storage(reserve) + "[delivery]\n" + QUICK + route(hop.address)
        server = own_server(data_dir=str(small_disk / "data"), sections=sections)
        taken = [refusal(server, 100_000)[0] for _ in range(5)]
        ballast = fill(small_disk)
        for _ in range(100):
            subject, code, text = refusal(server, 400_000)
            if code != 250:
                break
            taken.append(subject)
        # RFC 5321 §4.2.3: insufficient system storage; RFC 3463 §3.4: X.3.1, mail system full.
        assert code == 452 and text.startswith(b"4.3.1"), (code, text)
        # Attempts go on meanwhile, whether they can be noted or not.
        before = len(hop.commands)
        until(lambda: len(hop.commands) > before, "an attempt")
        assert server.process.poll() is None
        ballast.unlink()

        def taken_again():
            subject, code, _ = refusal(server, 1000)
            taken.extend([subject] if code == 250 else [])
            return code == 250

        until(taken_again, "mail to be taken again")
        hop.replies.clear()
        until(lambda: is_empty(server), "an empty queue")
        content = [message.content for message in hop.messages]
        assert len(content) == len(taken)
        assert [subject for subject in taken if sum(subject.encode() in one for one in content) != 1] == []


@RESERVES
def test_a_disk_that_fills_up_before_an_outcome_is_noted(own_server, small_disk, reserve):
    """What the next host has taken is noted when there is room again, and does not go out twice meanwhile."""
    answered, may_answer = threading.Event(), threading.Event()

    def slowly(talk, _):
        talk.hop.begun.set()
        may_answer.wait(600)
        answered.set()
        return "250 2.0.0 taken"

    with NextHop(replies={".": slowly}) as hop:
        sections = OWN + storage(reserve) + "[delivery]\n" + QUICK + route(hop.address)
        server = own_server(data_dir=str(small_disk / "data"), sections=sections)
        assert refusal(server, 100_000)[1] == 250
        assert hop.begun.wait(90)
        ballast = fill(small_disk)
        for _ in range(100):
            if refusal(server, 400_000)[1] != 250:
                break
        extra = int(server.metric("troika_queue_messages")) - 1
        may_answer.set()
        assert answered.wait(90)
        hop.wait(1)
        if reserve == "0":
            until(lambda: "can't be noted" in server.log() or is_empty(server), "a try to note it")
        ballast.unlink()
        until(lambda: is_empty(server), "an empty queue")
        assert len(hop.messages) == 1 + extra
        assert len({message.content for message in hop.messages}) == 1 + extra
