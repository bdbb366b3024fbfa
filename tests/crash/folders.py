"""What an IMAP writer was promised: its folders message by message, and the one command that is under way.

One writer works on the folders of an account, so the state after a crash is known but for that command: it must have
happened as a whole or not at all.
"""

import copy
from collections import Counter
from dataclasses import dataclass, field

# A mailbox of another account, which only this writer uses (RFC 4314).
GIVEN = "Given"
FOLDERS = ("Work-a", "Work-b", "Work-c", GIVEN)
# Flags of a message that others have flagged too.
ANY = None


@dataclass(frozen=True)
class Message:
    """One copy of a message."""

    name: str
    digest: str
    # Without \Recent; ANY: not known.
    flags: frozenset | None


@dataclass
class Change:
    """What one command does."""

    words: str
    # (folder, message), in the order in which they get UIDs.
    new: list = field(default_factory=list)
    # (folder, UID)
    gone: list = field(default_factory=list)
    # (folder, UID): flags
    flags: dict = field(default_factory=dict)
    # Names that leave the INBOX with it.
    from_inbox: list = field(default_factory=list)
    # (folder, what): a note on it (RFC 5464), or the rights of somebody else (RFC 4314).
    notes: dict = field(default_factory=dict)


class Folders:
    """The folders of one account."""

    def __init__(self, address, neighbour="nobody"):
        self.address = address
        # Whose GIVEN it is.
        self.neighbour = neighbour
        self.state = {folder: {} for folder in FOLDERS}
        self.notes = {}
        self.pending = None
        self.validity = {}
        self.highest = Counter()
        self.commands = Counter()

    def name(self, folder):
        """What the folder is called in this account."""
        return f"Other Users/{self.neighbour}/{GIVEN}" if folder == GIVEN else folder

    def begin(self, change):
        """Before the first octet of the command goes out."""
        self.pending = change

    def done(self, uids):
        """The tagged OK has come, with the UIDs of the new messages; return what is wrong with them."""
        change, self.pending = self.pending, None
        self.commands[change.words.split()[0]] += 1
        if len(uids) != len(change.new):
            return f"{change.words}: {len(uids)} UIDs for {len(change.new)} messages"
        used = {(folder, uid) for (folder, _), uid in zip(change.new, uids, strict=True)}
        if len(used) != len(uids) or any(uid <= self.highest[folder] for folder, uid in used):
            return f"{change.words}: UIDs {uids} were used before"
        self._apply(self.state, change)
        for (folder, message), uid in zip(change.new, uids, strict=True):
            self.state[folder][uid] = message
            self.highest[folder] = max(self.highest[folder], uid)
        self.notes.update(change.notes)
        return None

    def refused(self):
        """A tagged NO or BAD has come."""
        change, self.pending = self.pending, None
        return change

    @staticmethod
    def _apply(state, change):
        for folder, uid in change.gone:
            del state[folder][uid]
        for (folder, uid), flags in change.flags.items():
            message = state[folder][uid]
            state[folder][uid] = Message(message.name, message.digest, flags)

    def judge(self, found, in_inbox, notes=None):
        """Compare what the folders hold, {folder: (UIDVALIDITY, {UID: Message})}, and what stands in the notes on them, with
        what was promised; return sentences of what is wrong. `in_inbox` tells whether a message is there. What was
        uncertain is certain afterwards.
        """
        wrong = []
        for folder, (validity, _) in found.items():
            if self.validity.setdefault(folder, validity) != validity:
                wrong.append(f"{self.address}: UIDVALIDITY of {folder} changed")
        state = {folder: messages for folder, (_, messages) in found.items()}
        change, self.pending = self.pending, None
        notes = self.notes if notes is None else notes
        differences = self._differences(self.state, [], state) + self._noted(self.notes, notes)
        if change is None:
            wrong += differences
        else:
            differences += [f"{name} is not in the INBOX" for name in change.from_inbox if not in_inbox(name)]
            after = copy.deepcopy(self.state)
            self._apply(after, change)
            otherwise = self._differences(after, change.new, state) + self._noted(self.notes | change.notes, notes)
            otherwise += [f"{name} is still in the INBOX" for name in change.from_inbox if in_inbox(name)]
            if differences and otherwise:
                wrong.append(f"{self.address}: {change.words} happened by half")
                wrong += [f"not undone: {words}" for words in differences[:5]]
                wrong += [f"not done: {words}" for words in otherwise[:5]]
        self.state, self.notes = state, dict(notes)
        for folder, messages in state.items():
            self.highest[folder] = max([self.highest[folder], *messages])
        return wrong

    def _noted(self, expected, notes):
        keys = sorted(expected.keys() | notes.keys())
        return [
            f"{self.address}: {what} of {folder} is {notes.get((folder, what))!r}, not {expected.get((folder, what))!r}"
            for folder, what in keys
            if notes.get((folder, what)) != expected.get((folder, what))
        ]

    def _differences(self, expected, new, found):
        wrong = []
        for folder in FOLDERS:
            have = dict(found[folder])
            for uid, message in expected[folder].items():
                wrong += self._compare(folder, uid, message, have.pop(uid, None))
            fresh = Counter(message for into, message in new if into == folder)
            for uid, message in have.items():
                loose = next((one for one in fresh if fresh[one] and self._same(one, message)), None)
                if loose is None or uid <= self.highest[folder]:
                    wrong.append(f"{self.address}: {folder} has UID {uid}, {message.name}, which nobody put there")
                else:
                    fresh[loose] -= 1
            wrong += [f"{self.address}: {folder} lacks the new {one.name}" for one in fresh.elements()]
        return wrong

    @staticmethod
    def _same(promised, found):
        same = (promised.name, promised.digest) == (found.name, found.digest)
        return same and (promised.flags is ANY or promised.flags == found.flags)

    def _compare(self, folder, uid, promised, found):
        at = f"{self.address}: {folder} UID {uid}, {promised.name},"
        if found is None:
            return [f"{at} is lost"]
        if (found.name, found.digest) != (promised.name, promised.digest):
            return [f"{at} is torn or another message: {found.name}"]
        if not self._same(promised, found):
            return [f"{at} has flags {sorted(found.flags)}, not {sorted(promised.flags)}"]
        return []
