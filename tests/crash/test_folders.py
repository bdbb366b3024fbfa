"""The model of the IMAP writers: a command that happened by half is noticed, one that happened or did not is fine."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from folders import ANY, FOLDERS, Change, Folders, Message  # noqa: E402

A, B = FOLDERS[:2]
ONE, TWO, NEW = (Message(name, f"digest of {name}", frozenset({r"\seen"})) for name in ("one", "two", "new"))


def found(**folders):
    """What a restart shows."""
    named = {"a": A, "b": B}
    shown = {named[short]: messages for short, messages in folders.items()}
    return {folder: (b"1", shown.get(folder, {})) for folder in FOLDERS}


@pytest.fixture
def folders():
    """Two messages in one folder, acknowledged."""
    folders = Folders("someone")
    folders.begin(Change("APPEND of 2", new=[(A, ONE), (A, TWO)]))
    assert folders.done([1, 2]) is None
    return folders


def judged(folders, shown, in_inbox=lambda _: False):
    """Sentences of what is wrong, as one."""
    return "\n".join(folders.judge(shown, in_inbox))


def test_what_was_acknowledged_must_be_there(folders):
    assert judged(folders, found(a={1: ONE, 2: TWO})) == ""


@pytest.mark.parametrize(
    ("shown", "word"),
    [
        ({1: ONE}, "lost"),
        ({1: ONE, 2: TWO, 3: NEW}, "nobody put there"),
        ({1: ONE, 2: TWO, 3: TWO}, "nobody put there"),
        ({1: ONE, 2: NEW}, "torn or another"),
        ({1: ONE, 2: Message("two", "half", TWO.flags)}, "torn"),
        ({1: ONE, 2: Message("two", TWO.digest, frozenset())}, "has flags"),
    ],
)
def test_what_is_wrong_is_told(folders, shown, word):
    assert word in judged(folders, found(a=shown))


def test_uids_are_new_and_validity_stays(folders):
    folders.begin(Change("COPY", new=[(A, ONE)]))
    assert "used before" in folders.done([2])
    assert judged(folders, found(a={1: ONE, 2: TWO})) == ""
    assert "UIDVALIDITY" in judged(folders, {folder: (b"2", messages) for folder, (_, messages) in found(a={1: ONE, 2: TWO}).items()})


@pytest.mark.parametrize(
    ("shown", "half"),
    [
        (found(a={1: ONE, 2: TWO}), False),
        (found(b={1: ONE, 2: TWO}), False),
        (found(a={2: TWO}, b={1: ONE}), True),
        (found(a={1: ONE, 2: TWO}, b={1: ONE, 2: TWO}), True),
        (found(), True),
    ],
)
def test_a_move_under_way_is_all_or_none(folders, shown, half):
    folders.begin(Change("MOVE", new=[(B, ONE), (B, TWO)], gone=[(A, 1), (A, 2)]))
    assert ("by half" in judged(folders, shown)) is half


@pytest.mark.parametrize(
    ("shown", "half"),
    [(found(a={1: ONE, 2: TWO}), False), (found(a={2: TWO, 3: NEW}), False), (found(a={1: ONE, 2: TWO, 3: NEW}), True), (found(a={2: TWO}), True)],
)
def test_a_replacement_under_way_is_one_or_the_other(folders, shown, half):
    folders.begin(Change("REPLACE", new=[(A, NEW)], gone=[(A, 1)]))
    assert ("by half" in judged(folders, shown)) is half


def test_flags_under_way_are_all_or_none(folders):
    bare = [Message(one.name, one.digest, frozenset()) for one in (ONE, TWO)]
    for first, second, half in ((ONE, TWO, False), (*bare, False), (bare[0], TWO, True)):
        folders.state[A] = {1: ONE, 2: TWO}
        folders.begin(Change("STORE", flags={(A, 1): frozenset(), (A, 2): frozenset()}))
        assert ("by half" in judged(folders, found(a={1: first, 2: second}))) is half


def test_mail_on_its_way_out_of_the_inbox_is_in_one_place(folders):
    for there, in_inbox, half in ((True, False, False), (False, True, False), (True, True, True), (False, False, True)):
        folders.state[A], folders.highest[A] = {}, 0
        folders.begin(Change("MOVE", new=[(A, Message("new", NEW.digest, ANY))], from_inbox=["new"]))
        assert ("by half" in judged(folders, found(a={7: NEW} if there else {}), lambda _: in_inbox)) is half  # noqa: B023
