"""Tests of L{edgegate.analysis.wire}: what it says of requests is what the parsers in front of the routes say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.automata import expression, word
from edgegate.analysis.axes import read
from edgegate.analysis.wire import METHODS, NORMAL_PATH, PATH, Surroundings, Witness, is_value, letters
from edgegate.http.h1 import head_parser
from edgegate.http.target import PathNormalisation, normal_path
from edgegate.model.hosts import covers
from edgegate.routing.hosts import host_of

SEGMENTS = ("a", "..", ".", ".a", "..a", "...", "a.b", ";x", "..;x", "%41", "%2f", "~", "", "\\", "a b")


class WireTests(SynchronousTestCase):
    """What can be sent."""

    def test_methods(self) -> None:
        """Those that the parser lets through to the routes are known, and no others."""
        self.assertEqual(set(METHODS), head_parser.METHODS - {b"CONNECT", b"TRACE"})
        self.assertEqual(len(METHODS), len(set(METHODS)))

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4))
    def test_normal_paths(self, segments: list[str]) -> None:
        """A path that is shown is one that stays as it is, and every path that arrives is one that is thought of."""
        path = "".join(f"/{segment}" for segment in segments).encode()
        if read(NORMAL_PATH, path):
            for how in PathNormalisation:
                self.assertEqual(normal_path(path, how), path)
        arrived = normal_path(path, PathNormalisation.BASE)
        self.assertFalse(arrived.translate(None, letters(PATH)))

    def test_authorities(self) -> None:
        """What the host may be is what finds the virtual host, in any case and with any port."""
        for domain in ("shop.example", "*.shop.example", "*-v1.shop.example", "[::1]", "*"):
            shape = expression(Surroundings(domain=domain).authorities())
            for authority in (
                *(b"shop.example", b"SHOP.example:81", b"shop.example.", b"a.shop.example", b"a.b.Shop.example.:1"),
                *(b"a-v1.shop.example", b"-v1.shop.example", b"[::1]", b"[::1]:80", b"other", b"xshop.example"),
            ):
                self.assertEqual(read(shape, authority), covers(domain, host_of(authority)), (domain, authority))
            self.assertIsNotNone(word([(shape, True)], letters(PATH)))

    def test_addresses(self) -> None:
        """An address of IPv6 is found in each of its spellings, so a condition on it may meet each."""
        shape = expression(Surroundings(domain="[::1]").authorities())
        for authority in (b"[::1]", b"[0:0:0:0:0:0:0:1]:80", b"[0:0::0001]", b"[::0.0.0.1]:"):
            self.assertEqual(host_of(authority), "[::1]")
            self.assertTrue(read(shape, authority), authority)

    def test_host(self) -> None:
        """Where no condition says another, a host is asked for that finds the virtual host."""
        for domain in ("shop.example", "*.shop.example", "*-v1.shop.example", "*"):
            surroundings = Surroundings(domain=domain)
            self.assertTrue(covers(domain, host_of(surroundings.host)))
        self.assertEqual(Surroundings(domain="*", name="a.example").host, b"a.example")

    def test_values(self) -> None:
        """The value of a header has no blanks around it and no control characters in it."""
        for value in (b"", b"a b", b"\xe9", b"a\tb"):
            self.assertTrue(is_value(value))
        for value in (b" a", b"a\t", b"a\nb", b"\x00"):
            self.assertFalse(is_value(value))

    def test_words(self) -> None:
        """A request is shown as what is sent, and conditions see its host as a header, too."""
        request = Witness(b"GET", b"/a", b"b=1", b"shop.example", b"https", 443, ((b"x-user", b"qa"),))
        self.assertEqual(str(request), "GET https://shop.example/a?b=1 x-user: 'qa'")
        self.assertIn((b"host", b"shop.example"), request.headers)
