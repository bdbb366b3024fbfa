"""The work that is going on when the server is killed: senders, readers, and one who expunges."""

import imaplib
import poplib
import random
import smtplib
import threading

from ledger import Fate

BROKEN = (OSError, smtplib.SMTPException, imaplib.IMAP4.error, imaplib.IMAP4.abort, poplib.error_proto, EOFError)


class Worker(threading.Thread):
    """Repeats one piece of work until told to stop or cut off."""

    def __init__(self, server, ledger, accounts, seed):
        super().__init__(daemon=True)
        self.server, self.ledger, self.accounts = server, ledger, accounts
        self.rng = random.Random(seed)
        self.seed = seed
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        """Work until the connection breaks, as it will."""
        while not self.stopping.is_set():
            try:
                self.work()
            except BROKEN:
                if self.server.process.poll() is not None or self.stopping.is_set():
                    return
            except Exception as error:
                self.failure = error
                raise


def message(rng, name, sizes):
    """A message whose content follows from the seed."""
    body = b"\r\n".join(rng.randbytes(38).hex().encode() for _ in range(rng.choice(sizes) // 78 + 1))
    # A line that starts with a dot, and one with From.
    return b"X-Ledger-Id: %s\r\nSubject: crash\r\nFrom: <a@elsewhere.test>\r\n\r\n.\r\nFrom x\r\n%s\r\n" % (name.encode(), body)


class Sender(Worker):
    """Delivers messages of many sizes to one to three accounts."""

    def work(self):
        """One session with several messages."""
        with smtplib.SMTP("127.0.0.1", self.server.smtp, timeout=30) as smtp:
            smtp.ehlo()
            for _ in range(20):
                if self.stopping.is_set():
                    return
                name = f"{self.seed}-{self.rng.getrandbits(40):010x}"
                to = self.rng.sample(self.accounts, self.rng.choice([1, 1, 2, 3]))
                octets = message(self.rng, name, [200, 1000, 4000, 4000, 20_000, 20_000, 100_000, 400_000])
                self.ledger.sent(name, octets, [account.address for account in to])
                self.send(smtp, name, octets, to)

    def send(self, smtp, name, octets, to):
        """One message; the ledger hears of the answer."""
        try:
            refused = smtp.sendmail("a@elsewhere.test", [account.address for account in to], octets)
            assert not refused, refused
            self.ledger.acknowledged(name)
        except smtplib.SMTPServerDisconnected:
            raise
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
            self.ledger.refused(name)


class ImapReader(Worker):
    """Opens mailboxes, fetches, sets flags."""

    def work(self):
        """One session."""
        client = self.server.imap_login(self.rng.choice(self.accounts))
        count = int(client.select("INBOX")[1][0])
        for _ in range(5):
            if count and not self.stopping.is_set():
                number = str(self.rng.randint(1, count))
                client.fetch(number, "(FLAGS ENVELOPE BODYSTRUCTURE)")
                client.store(number, "+FLAGS", self.rng.choice([r"(\Seen)", r"(\Flagged)", "(word)"]))
        client.logout()


class Pop3Reader(Worker):
    """Lists and fetches; deletes nothing."""

    def work(self):
        """One session."""
        client = self.server.pop3_login(self.rng.choice(self.accounts))
        count = client.stat()[0]
        for _ in range(min(count, 5)):
            client.retr(self.rng.randint(1, count))
        client.quit()


class Expunger(Worker):
    """Expunges messages that earlier rounds have seen, so that the log gets room to be given back."""

    keep = 60

    def work(self):
        """One account."""
        account = self.rng.choice(self.accounts)
        chosen = self.ledger.claim(account.address, self.rng, 40, keep=self.keep)
        if not chosen:
            self.stopping.wait(0.02)
            return
        client = self.server.imap_login(account)
        client.select("INBOX")
        uids = ",".join(str(uid) for _, uid in chosen)
        client.uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        names = [name for name, _ in chosen]
        if client.uid("EXPUNGE", uids)[0] == "OK":
            self.ledger.mark(names, account.address, Fate.GONE)
        client.logout()
