"""Running other people's programs. A missing one fails the test: `./test` installs them all."""

import shutil
import subprocess


def run(words, *, stdin=b"", timeout=300, expect=0, env=None, cwd=None):
    """Run a program; fail unless it ends with `expect` (None: any). Return it with what it printed, as bytes."""
    words = [str(word) for word in words]
    assert shutil.which(words[0]), f"{words[0]} is not installed; ./test installs it"
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(
        words, input=stdin, capture_output=True, timeout=timeout, env=env, cwd=cwd, check=False
    )
    if expect is not None and done.returncode != expect:
        raise AssertionError(
            f"{' '.join(words)}\nended with {done.returncode}, not {expect}\n"
            f"{done.stdout.decode(errors='replace')[-4000:]}\n{done.stderr.decode(errors='replace')[-4000:]}"
        )
    return done
