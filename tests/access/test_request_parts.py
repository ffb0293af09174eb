"""Tests of L{edgegate.access.request_parts}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.request_parts import cookies, parameters, without_cookies, without_parameter

FIELDS = [(b"cookie", b"a=1; key=x;key=y"), (b"x-key", b"key=no"), (b"cookie", b'key="z"; Key=q; key')]


class RequestPartsTests(SynchronousTestCase):
    """Cookies and parameters."""

    def test_cookies(self) -> None:
        """All of a name are found, in all fields; names are case-sensitive."""
        self.assertEqual(list(cookies(FIELDS, b"key")), [b"x", b"y", b"z"])
        self.assertEqual(list(cookies(FIELDS, b"ke")), [])
        self.assertEqual(list(cookies([(b"cookie", b'key =x; key\t= "y" ')], b"key")), [b"x", b"y"])

    @given(st.binary(max_size=40))
    def test_any_cookie(self, value: bytes) -> None:
        """Whatever a client sends as cookies, what is found was sent, and is gone without them."""
        fields = [(b"cookie", value)]
        self.assertTrue(all(found in value for found in cookies(fields, b"a")))
        self.assertEqual(list(cookies(without_cookies(fields, [b"a"]), b"a")), [])

    def test_without_cookies(self) -> None:
        """The others stay; a field that is empty then goes."""
        self.assertEqual(without_cookies(FIELDS, [b"key"]), [(b"cookie", b"a=1"), (b"cookie", b"Key=q")])
        self.assertEqual(without_cookies([(b"cookie", b"key=x")], [b"key"]), [])
        self.assertEqual(without_cookies([(b"cookie", b"key =x; b=y")], [b"key"]), [(b"cookie", b"b=y")])
        self.assertEqual(without_cookies([(b"x-key", b"x")], [b"x-key"]), [])

    def test_parameters(self) -> None:
        """Names and values are decoded."""
        self.assertEqual(list(parameters(b"a=1&k%65y=x%20y+z&key&key=%zz", b"key")), [b"x y z", b"", b"%zz"])
        self.assertEqual(list(parameters(b"", b"key")), [])

    def test_without_parameter(self) -> None:
        """The rest of the target stays as it is written."""
        self.assertEqual(without_parameter(b"/p?a=%31&k%65y=x&b&key=y", b"key"), b"/p?a=%31&b")
        self.assertEqual(without_parameter(b"/p?key=y", b"key"), b"/p")
        self.assertEqual(without_parameter(b"/p", b"key"), b"/p")
        self.assertEqual(without_parameter(b"/key=1?a", b"key"), b"/key=1?a")
