"""Full-screen programs on a pseudo terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

_CONTROL = re.compile(rb"\x1b(\][^\x07\x1b]*(\x07|\x1b\\)|\[[0-?]*[ -/]*[@-~]|[()][A-Za-z0-9]|[=>])")


class Terminal:
    """A program with a screen of 40 lines and 120 columns; a context, at whose end it is killed if it still runs."""

    def __init__(self, words, **options):
        """Start it; `options` as of subprocess.Popen."""
        self.ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        # With a session of its own, so that /dev/tty is this terminal.
        words = ["setsid", "--ctty", *words]
        self.process = subprocess.Popen(words, stdin=its, stdout=its, stderr=its, **options)
        os.close(its)
        self.shown = b""

    def __enter__(self):
        """Itself."""
        return self

    def __exit__(self, *_):
        """The program's end."""
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def text(self):
        """What it has shown in its last 3000 octets, without movements of the cursor."""
        return _CONTROL.sub(b"", self.shown)[-3000:].decode(errors="replace")

    def type(self, keys):
        """Press keys."""
        os.write(self.ours, keys.encode())

    def _more(self, seconds):
        if not select.select([self.ours], [], [], seconds)[0]:
            return False
        try:
            self.shown += os.read(self.ours, 1 << 16)
        except OSError:
            return False
        return True

    def until(self, condition, what, seconds=120):
        """Show its screen until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            self._more(0.1)
            assert self.process.poll() is None, f"it ended before {what}: {self.text()}"
            assert time.monotonic() < deadline, f"in vain for {what}: {self.text()}"

    def until_shown(self, words, seconds=120):
        """Wait for words on the screen, put there after the last ones waited for."""
        wanted = words.encode()
        self.until(lambda: wanted in _CONTROL.sub(b"", self.shown), words, seconds)
        self.shown = b""

    def end(self, seconds=120):
        """Wait for its own end, which must be a good one."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._more(0.2)
        assert self.process.poll() == 0, f"it ended with {self.process.poll()}: {self.text()}"
