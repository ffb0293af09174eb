"""Tests of L{edgegate.replay.formats.escapes}."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.log_lines import shown
from edgegate.replay.formats.escapes import UNESCAPE, Escapes


class UnescapeTests(SynchronousTestCase):
    """What was sent, of what is written."""

    @settings(max_examples=200, deadline=None)
    @given(st.binary())
    def test_own(self, data: bytes) -> None:
        """What edgegate has escaped comes out as it was, whatever it is."""
        self.assertEqual(UNESCAPE[Escapes.BACKSLASH](shown(data).encode()), data)

    @settings(max_examples=200, deadline=None)
    @given(st.text())
    def test_json(self, text: str) -> None:
        """So does a text of JSON, unless half a character is in it."""
        written = json.dumps(text)[1:-1].encode()
        if not any("\ud800" <= letter <= "\udfff" for letter in text):
            self.assertEqual(UNESCAPE[Escapes.JSON](written), text.encode())

    def test_half_a_character(self) -> None:
        """Half a character has no bytes: it stays as it is written."""
        self.assertEqual(UNESCAPE[Escapes.JSON](rb"/a?\ud83d"), rb"/a?\ud83d")

    def test_apache(self) -> None:
        """Apache has names for some control characters."""
        self.assertEqual(UNESCAPE[Escapes.BACKSLASH](rb"a\nb\t\"\\\xe9"), b'a\nb\t"\\\xe9')

    def test_none(self) -> None:
        """Where nothing is escaped a backslash is one; JSON that is none stays as it is."""
        self.assertEqual(UNESCAPE[Escapes.NONE](rb"a\x41"), rb"a\x41")
        self.assertEqual(UNESCAPE[Escapes.JSON](rb"a\x41"), rb"a\x41")
