"""The ledger itself: each thing that could go wrong in a crash is noticed."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ledger import Fate, Ledger  # noqa: E402

ONE = b"X-Ledger-Id: one\r\n\r\nbody\r\n"


@pytest.fixture
def ledger():
    """One message, acknowledged for two mailboxes."""
    ledger = Ledger()
    ledger.sent("one", ONE, ["a", "b"])
    ledger.acknowledged("one")
    return ledger


def test_what_is_right_is_right(ledger):
    for account in ("a", "b"):
        assert ledger.judge(account, b"1", [(1, b"Received: x\r\n" + ONE)]) == []
    assert ledger.judge_whole() == []
    assert ledger.claim("a", random.Random(1), 5, keep=1) == []
    assert ledger.claim("a", random.Random(1), 5, keep=0) == [("one", 1)]
    assert ledger.claim("a", random.Random(1), 5, keep=0) == [], "it is claimed"
    assert ledger.judge("a", b"1", []) == []


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ([], "lost"),
        ([(1, ONE), (2, ONE)], "doubled"),
        ([(1, ONE[:-4])], "torn"),
        ([(1, b"rubbish")], "torn"),
        ([(1, ONE), (2, ONE.replace(b"one", b"two"))], "nobody sent"),
    ],
)
def test_what_is_wrong_is_told(ledger, found, word):
    assert any(word in sentence for sentence in ledger.judge("a", b"1", found))


def test_uids_and_validity_must_stay(ledger):
    assert ledger.judge("a", b"1", [(1, ONE)]) == []
    assert any("UID" in sentence for sentence in ledger.judge("a", b"1", [(2, ONE)]))
    assert any("UIDVALIDITY" in sentence for sentence in ledger.judge("a", b"2", [(1, ONE)]))


def test_what_was_expunged_must_not_come_back(ledger):
    assert ledger.judge("a", b"1", [(1, ONE)]) == []
    ledger.mark(["one"], "a", Fate.GONE)
    assert any("is back" in sentence for sentence in ledger.judge("a", b"1", [(1, ONE)]))


def test_a_message_in_flight_may_be_there_or_not_but_in_all_mailboxes_or_none():
    for in_a, in_b, wrong in ((True, True, 0), (False, False, 0), (True, False, 1)):
        ledger = Ledger()
        ledger.sent("one", ONE, ["a", "b"])
        assert ledger.judge("a", b"1", [(1, ONE)] * in_a) == []
        assert ledger.judge("b", b"1", [(1, ONE)] * in_b) == []
        assert len(ledger.judge_whole()) == wrong
