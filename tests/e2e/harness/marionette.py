"""Marionette, by which Thunderbird is driven: JSON over TCP, each packet with its length before it."""

import base64
import json
import socket


class Marionette:
    """A session in chrome context: scripts see all of the program."""

    def __init__(self, port):
        """Connect; OSError while nobody listens."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.input = self.socket.makefile("rb")
        self.number = 0
        self._packet()
        self.command("WebDriver:NewSession", capabilities={})
        self.command("Marionette:SetContext", value="chrome")
        self.command("WebDriver:SetTimeouts", script=100_000)

    def _packet(self):
        length = b""
        while (octet := self.input.read(1)) != b":":
            assert octet, "the program has ended"
            length += octet
        return json.loads(self.input.read(int(length)))

    def command(self, name, **parameters):
        """Run a command, return its value."""
        self.number += 1
        text = json.dumps([0, self.number, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        while True:
            kind, number, error, value = self._packet()
            if kind == 1 and number == self.number:
                assert error is None, f"{name}: {error}"
                return value

    def script(self, text, *arguments):
        """Run a script's body; its `return` comes back. It may await."""
        body = f"const done = arguments[arguments.length - 1]; const given = Array.from(arguments).slice(0, -1);\n(async (...args) => {{ {text} }})(...given).then(value => done({{value}}), error => done({{error: String(error) + error.stack}}));"
        answer = self.command("WebDriver:ExecuteAsyncScript", script=body, args=list(arguments), sandbox="system", newSandbox=False)
        answer = answer["value"]
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def screenshot(self, path):
        """Save a picture of the window."""
        picture = self.command("WebDriver:TakeScreenshot", full=False)["value"]
        path.write_bytes(base64.b64decode(picture))

    def close(self):
        """End the connection."""
        self.socket.close()
