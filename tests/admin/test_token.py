"""Tests of L{edgegate.admin.token}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.token import LEAST, MOST, BadToken, TokenFile, read_token

TOKEN = "0123456789abcdef"


class ReadTokenTests(SynchronousTestCase):
    """What files have."""

    def test_read(self) -> None:
        """White space around a token is none of it."""
        file = Path(self.mktemp())
        for content, token in ((f"{TOKEN}\n", TOKEN), (f"  {TOKEN} \r\n", TOKEN), ("~" * MOST + "\n", "~" * MOST)):
            file.write_text(content)
            self.assertEqual(read_token(str(file)), token.encode())

    def test_bad(self) -> None:
        """What is no token is refused, and its content not shown."""
        file = Path(self.mktemp())
        self.assertRaises(BadToken, read_token, str(file))
        self.assertRaises(BadToken, read_token, "/")
        for content in (
            "",
            "\n",
            "s" * (LEAST - 1),
            "s" * (MOST + 1),
            "two words " * 4,
            "s" * LEAST + "\nmore",
            "\xfc" * 20,
        ):
            file.write_text(content)
            error = self.assertRaises(BadToken, read_token, str(file))
            self.assertRegex(str(error), f"^{file}: a token ")
            self.assertNotIn("sss", str(error))


class TokenFileTests(SynchronousTestCase):
    """Who is let in."""

    def setUp(self) -> None:
        """Have a file with a token."""
        self.file = Path(self.mktemp())
        self.file.write_text(TOKEN)
        self.token = TokenFile(str(self.file))
        self.token.check()

    def test_header(self) -> None:
        """Who has the token is, and nobody else."""
        for header in (f"Bearer {TOKEN}", f"bearer  {TOKEN}", f"BEARER {TOKEN} "):
            self.assertTrue(self.token.lets_in(header.encode()), header)
        for header in ("", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN):
            self.assertFalse(self.token.lets_in(header.encode()), header)
        self.assertFalse(self.token.lets_in(None))
        self.assertFalse(self.token.lets_in(b"Bearer " + b"\xff" * 16))

    def test_changed(self) -> None:
        """A file that is written or put anew counts from the next request on."""
        other = "another-token-of-some-length"
        self.file.write_text(other)
        self.assertFalse(self.token.lets_in(f"Bearer {TOKEN}".encode()))
        self.assertTrue(self.token.lets_in(f"Bearer {other}".encode()))
        new = Path(self.mktemp())
        new.write_text(TOKEN)
        os.replace(new, self.file)  # noqa: PTH105
        self.assertTrue(self.token.lets_in(f"Bearer {TOKEN}".encode()))

    def test_lost(self) -> None:
        """While there is no token nobody is let in, an empty one included; the log says why, once."""
        with capturedLogs() as logged:
            for content in (None, ""):
                self.file.unlink() if content is None else self.file.write_text(content)
                for header in (f"Bearer {TOKEN}", "Bearer ", "Bearer"):
                    self.assertFalse(self.token.lets_in(header.encode()))
        said = [formatEvent(event) for event in logged]
        self.assertEqual(len(said), 2, said)
        self.assertIn("No such file", said[0])
        self.file.write_text(TOKEN)
        self.assertTrue(self.token.lets_in(f"Bearer {TOKEN}".encode()))
