"""Waiting for a condition, never for a length of time.

Limits are generous: on a slow machine, several times slower than usual, a test must not fail for its haste, and a
condition that comes early costs nothing. Where a limit says something about the server, it is far from both.
"""

import threading
import time

_NEVER = threading.Event()


def until(condition, what, seconds=90.0, every=0.01):
    """Return the first true value of `condition()`; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for: {what}")
        _NEVER.wait(every)
