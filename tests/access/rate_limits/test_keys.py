"""Tests of L{edgegate.access.rate_limits.keys}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.keys import key_of, prefix_of
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource
from tests.access.rate_limits.requests import Asked, with_claims


class AddressTests(SynchronousTestCase):
    """Clients by their addresses."""

    def test_prefixes(self) -> None:
        """An IPv4 address counts for itself, those of an IPv6 network together, unless the file says otherwise."""
        key = key_of([KeyPart(KeySource.CLIENT_ADDRESS)]).of
        found = [
            key(Asked(client_address=each)) for each in (b"192.0.2.1", b"2001:db8::1", b"2001:db8::ffff:1", b"::1")
        ]
        self.assertEqual(found, [b"192.0.2.1", b"2001:db8::/64", b"2001:db8::/64", b"::/64"])
        wide = key_of([KeyPart(KeySource.CLIENT_ADDRESS, ipv4_prefix=24, ipv6_prefix=48)]).of
        self.assertEqual(wide(Asked(client_address=b"192.0.2.77")), b"192.0.2.0/24")
        self.assertEqual(wide(Asked(client_address=b"2001:db8:1:2::1")), b"2001:db8:1::/48")

    def test_forms(self) -> None:
        """IPv4 within IPv6 is IPv4, a zone does not matter, and what is no address is what it is."""
        self.assertEqual(prefix_of(b"::ffff:192.0.2.1", 32, 64), b"192.0.2.1")
        self.assertEqual(prefix_of(b"::ffff:192.0.2.1", 24, 64), b"192.0.2.0/24")
        self.assertEqual(prefix_of(b"fe80::1%eth0", 32, 128), b"fe80::1/128")
        self.assertEqual(prefix_of(b"unknown", 32, 64), b"unknown")
        self.assertEqual(prefix_of(b"\xff\x00", 32, 64), b"\xff\x00")


class ValueTests(SynchronousTestCase):
    """Requests by what they say."""

    def test_header(self) -> None:
        """By the first field of a name; an empty one is not the same as none."""
        key = key_of([KeyPart(KeySource.HEADER, ("x-key",))]).of
        self.assertEqual(key(Asked(headers=((b"x-key", b"a"), (b"x-key", b"b")))), b"=a")
        self.assertEqual(key(Asked(headers=((b"x-key", b""),))), b"=")
        self.assertEqual(key(Asked()), b"")

    def test_cookie(self) -> None:
        """By a cookie's exact name, wherever it stands, in pieces too."""
        key = key_of([KeyPart(KeySource.COOKIE, ("sid",))]).of
        self.assertEqual(key(Asked(headers=((b"cookie", b"xsid=1; sid=2;sid=3"),))), b"=2")
        self.assertEqual(key(Asked(headers=((b"cookie", b"a=1"), (b"cookie", b"sid=4")))), b"=4")
        self.assertEqual(key(Asked(headers=((b"cookie", b"SID=4"),))), b"")
        self.assertEqual(key(Asked(headers=((b"cookie", b"sid; sid"),))), b"")

    def test_cookie_spelt_otherwise(self) -> None:
        """Nobody gets a count of his own by another spelling of a cookie that backends read as the same."""
        key = key_of([KeyPart(KeySource.COOKIE, ("sid",), Absent.SKIP)]).of
        for spelt in (b"sid=2", b"sid =2", b"sid\t=2", b"sid= 2", b'sid="2"', b'a=1;  sid = "2" ;b=3'):
            self.assertEqual(key(Asked(headers=((b"cookie", spelt),))), b"=2", spelt)

    def test_claim(self) -> None:
        """By a claim of a verified token, nested ones and such as are no texts."""
        key = key_of([KeyPart(KeySource.CLAIM, ("org", "id"))]).of
        self.assertEqual(key(with_claims(org={"id": "é"})), "=é".encode())
        self.assertEqual(key(with_claims(org={"id": 7})), b"=7")
        self.assertEqual(key(with_claims(org={"id": ["b", "a"]})), b'=["b","a"]')
        self.assertEqual(key(with_claims(org="x")), b"")
        self.assertEqual(key(Asked()), b"")

    def test_identity(self) -> None:
        """By who a guard before has found the client to be: a token's subject, a user, the client of a key."""
        key = key_of([KeyPart(KeySource.IDENTITY)]).of
        basic = Asked(metadata={"envoy.filters.http.basic_auth": {"username": "ali"}})
        api_key = Asked(metadata={"envoy.filters.http.api_key_auth": {"client": "ali"}})
        tokens = [with_claims(sub="ali", iss=issuer) for issuer in ("https://a", "https://b", None)]
        found = [key(request) for request in (basic, api_key, *tokens)]
        self.assertEqual(len(set(found)), 5, "none is taken for another")
        self.assertEqual(found[:2], [b"=username ali", b"=client ali"])
        self.assertEqual([key(request) for request in (Asked(), with_claims(sub=7), with_claims(scope="a"))], [b""] * 3)

    def test_host(self) -> None:
        """By the host in its one form, without the port; an old client names none."""
        key = key_of([KeyPart(KeySource.HOST)]).of
        self.assertEqual(key(Asked(authority=b"Shop.Example.:8080")), b"=shop.example")
        self.assertEqual(key(Asked(authority=b"")), b"")

    def test_path(self) -> None:
        """By the parts of the path that an expression names, or by all of it."""
        parts = key_of([KeyPart(KeySource.PATH, ("/t/([^/]+)/(?:.*)",), Absent.SKIP)]).of
        self.assertEqual(parts(Asked(path=b"/t/acme/a/b")), b"=acme")
        self.assertIsNone(parts(Asked(path=b"/other")))
        whole = key_of([KeyPart(KeySource.PATH, (".*",))]).of
        self.assertEqual(whole(Asked(path=b"/a", query=b"b")), b"=/a")

    def test_absent(self) -> None:
        """What is not there is one value, the client's address, or the end of it: as the file says."""
        by = {absent: key_of([KeyPart(KeySource.HEADER, ("x-key",), absent)]).of for absent in Absent}
        self.assertEqual(by[Absent.SHARED](Asked()), b"")
        self.assertEqual(by[Absent.CLIENT_ADDRESS](Asked()), b"@192.0.2.1")
        self.assertIsNone(by[Absent.SKIP](Asked()))

    def test_an_address_is_no_value(self) -> None:
        """Nobody counts for another's address by sending it."""
        key = key_of([KeyPart(KeySource.HEADER, ("x-key",), Absent.CLIENT_ADDRESS)]).of
        sent = Asked(headers=((b"x-key", b"192.0.2.1"),), client_address=b"198.51.100.7")
        self.assertNotEqual(key(sent), key(Asked()))

    def test_together(self) -> None:
        """Several parts make one key; where one is to be skipped there is none."""
        key = key_of([KeyPart(KeySource.HOST), KeyPart(KeySource.HEADER, ("x-key",), Absent.SKIP)]).of
        self.assertEqual(key(Asked(headers=((b"x-key", b"a"),))), b"13:=shop.example2:=a")
        self.assertIsNone(key(Asked()))
        self.assertEqual(key_of([]).of(Asked()), b"")

    @given(
        st.tuples(st.binary(max_size=6), st.binary(max_size=6)), st.tuples(st.binary(max_size=6), st.binary(max_size=6))
    )
    def test_different(self, one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> None:
        """Whatever bytes a client sends, two requests have one key only if both values are the same."""
        key = key_of([KeyPart(KeySource.HEADER, ("a",)), KeyPart(KeySource.HEADER, ("b",))]).of
        # white space behind a value is none of it
        one, other = ((b"%b." % pair[0], b"%b." % pair[1]) for pair in (one, other))  # type: ignore[assignment]
        keys = [key(Asked(headers=((b"a", pair[0]), (b"b", pair[1])))) for pair in (one, other)]
        self.assertEqual(keys[0] == keys[1], one == other)
