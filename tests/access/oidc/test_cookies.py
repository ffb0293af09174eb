"""Tests of L{edgegate.access.oidc.cookies}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.cookies import (
    MOST_PIECES,
    PIECE,
    TooLarge,
    clear_cookies,
    cookie_name,
    joined,
    own,
    pieces_of,
    received,
    set_cookies,
)

NAME = cookie_name(b"edgegate")


def sent_back(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the field of a browser that keeps cookies."""
    return [(b"cookie", b"; ".join(value.partition(b";")[0] for _, value in fields))]


class CookieTests(SynchronousTestCase):
    """What a browser keeps."""

    def test_attributes(self) -> None:
        """Only this host gets it, over TLS, out of the reach of scripts, and not with requests of other sites."""
        ((name, value),) = set_cookies(NAME, b"text", 60, ())
        self.assertEqual(name, b"set-cookie")
        self.assertEqual(value, b"__Host-edgegate=1.text; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
        self.assertIn((b"set-cookie", b"a=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"), clear_cookies([b"a"]))

    def test_pieces(self) -> None:
        """What is longer than a cookie comes back whole, whatever else there is."""
        for length in (0, 1, PIECE, PIECE + 1, MOST_PIECES * PIECE):
            text = bytes(65 + number % 26 for number in range(length))
            fields = set_cookies(NAME, text, 60, ())
            self.assertEqual({len(value) < 4096 for _, value in fields}, {True})
            cookies = received([(b"cookie", b"a=b"), *sent_back(fields), (b"x", b"y")], NAME)
            self.assertEqual(joined(cookies, NAME), text)
        self.assertRaises(TooLarge, set_cookies, NAME, b"x" * (MOST_PIECES * PIECE + 1), 60, ())

    def test_own(self) -> None:
        """Cookies whose names only begin alike are not the policy's."""
        named = [NAME + end for end in (b"", b".1", b".2", b".login.a_b-c")]
        others = [
            NAME + end for end in (b"2", b"_theme", b"-1", b"-login-a", b".3", b".11", b".loginx", b".x", b".1.login.a")
        ]
        found = own([(b"cookie", b"; ".join(name + b"=1" for name in [*named, *others]))], NAME)
        self.assertEqual(list(found), named)

    def test_missing(self) -> None:
        """A piece that is missing, a number that is none, or two cookies of one name are no text."""
        whole = received(sent_back(set_cookies(NAME, b"x" * 3 * PIECE, 60, ())), NAME)
        for name in whole:
            self.assertIsNone(joined({key: value for key, value in whole.items() if key != name}, NAME))
        for first in (b"", b"1", b"0.x", b"4.x", b"-1.x", b"1.x y", b"1.\xff", b"99.x"):
            self.assertIsNone(joined({NAME: first}, NAME), first)
        self.assertEqual(received([(b"cookie", NAME + b"=1.a; " + NAME + b"=1.b")], NAME), {})

    def test_shorter(self) -> None:
        """Pieces of a session that has become shorter go."""
        before = received(sent_back(set_cookies(NAME, b"x" * 3 * PIECE, 60, ())), NAME)
        fields = set_cookies(NAME, b"x", 60, before)
        gone = [value.partition(b"=")[0] for _, value in fields if b"Max-Age=0" in value]
        self.assertEqual(gone, pieces_of(NAME)[1:])
