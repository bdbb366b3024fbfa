"""What the server has promised: each message with its fate, and the judgement after a restart."""

import hashlib
import threading
from dataclasses import dataclass, field
from enum import Enum

ID_FIELD = b"X-Ledger-Id: "


class Fate(Enum):
    """What is known of one copy of a message."""

    SENT = "sent, no answer yet: may be there"
    KEPT = "acknowledged: must be there once"
    CLAIMED = "EXPUNGE or MOVE is to be sent, no answer yet: may be gone"
    GONE = "EXPUNGE acknowledged, or found not to be there: must not be there"


@dataclass
class Entry:
    """One message."""

    digest: str
    accounts: tuple
    fates: dict = field(default_factory=dict)
    uids: dict = field(default_factory=dict)


def digest(octets):
    """Fingerprint of a message from its Ledger-Id field on (trace fields stand before it)."""
    return hashlib.sha256(octets[octets.index(ID_FIELD) :]).hexdigest()


def id_of(octets):
    """The ledger id in a message."""
    at = octets.index(ID_FIELD) + len(ID_FIELD)
    return octets[at : octets.index(b"\r\n", at)].decode()


class Ledger:
    """All messages ever sent."""

    def __init__(self):
        self.entries = {}
        self.lock = threading.Lock()
        self.validity = {}
        self.highest_uid = {}

    def sent(self, name, octets, accounts):
        """Before the first octet goes out."""
        with self.lock:
            self.entries[name] = Entry(digest(octets), tuple(accounts), {account: Fate.SENT for account in accounts})

    def acknowledged(self, name):
        """The 250 has come."""
        with self.lock:
            entry = self.entries[name]
            entry.fates = {account: Fate.KEPT for account in entry.accounts}

    def refused(self, name):
        """A 4xx or 5xx has come."""
        with self.lock:
            entry = self.entries[name]
            entry.fates = {account: Fate.GONE for account in entry.accounts}

    def mark(self, names, account, fate):
        """Set the fate of copies."""
        with self.lock:
            for name in names:
                self.entries[name].fates[account] = fate

    def claim(self, account, rng, most, keep):
        """Names and UIDs of some messages that are certainly in an INBOX, for one worker alone to take them out; none
        where not more than `keep` are left.
        """
        with self.lock:
            kept = [
                (name, entry.uids[account])
                for name, entry in self.entries.items()
                if entry.fates.get(account) is Fate.KEPT and account in entry.uids
            ]
            chosen = rng.sample(kept, min(len(kept) - keep, most)) if len(kept) > keep else []
            for name, _ in chosen:
                self.entries[name].fates[account] = Fate.CLAIMED
            return chosen

    def is_kept(self, name, account):
        """Whether it is in the INBOX, as far as is known."""
        return self.entries[name].fates[account] is Fate.KEPT

    def totals(self):
        """How many copies have which fate."""
        fates = [fate for entry in self.entries.values() for fate in entry.fates.values()]
        return {fate.name.lower(): fates.count(fate) for fate in Fate}

    def judge(self, account, validity, messages):
        """Compare what a mailbox holds, [(uid, octets)], with what was promised; return sentences of what is wrong.

        What was uncertain is certain afterwards.
        """
        wrong, seen = [], {}
        if self.validity.setdefault(account, validity) != validity:
            wrong.append(f"{account}: UIDVALIDITY changed")
        for uid, octets in messages:
            wrong += self._judge_one(account, uid, octets, seen)
        for name, entry in self.entries.items():
            fate = entry.fates.get(account)
            if fate is Fate.KEPT and name not in seen:
                wrong.append(f"{account}: {name} was acknowledged and is lost")
            elif fate is not None:
                entry.fates[account] = Fate.KEPT if name in seen else Fate.GONE
        return wrong

    def _judge_one(self, account, uid, octets, seen):
        if ID_FIELD not in octets:
            return [f"{account}: UID {uid} is torn: {octets[:60]!r}"]
        name = id_of(octets)
        entry = self.entries.get(name)
        if entry is None or account not in entry.accounts:
            return [f"{account}: UID {uid} is {name}, which nobody sent there"]
        wrong = []
        if name in seen:
            wrong.append(f"{account}: {name} is doubled (UID {seen[name]} and {uid})")
        if entry.fates[account] is Fate.GONE:
            wrong.append(f"{account}: {name} is back though it was expunged or refused")
        if digest(octets) != entry.digest:
            wrong.append(f"{account}: {name} is torn or altered")
        if entry.uids.setdefault(account, uid) != uid:
            wrong.append(f"{account}: {name} had UID {entry.uids[account]}, now {uid}")
        seen[name] = uid
        return wrong

    def judge_whole(self):
        """After all mailboxes: a message is in all of its mailboxes or in none (one commit)."""
        wrong = []
        for name, entry in self.entries.items():
            ever = {account in entry.uids for account in entry.accounts}
            if len(ever) == 2 and not getattr(entry, "told", False):
                entry.told = True
                wrong.append(f"{name} reached only some of its mailboxes: {sorted(entry.uids)} of {entry.accounts}")
        return wrong
