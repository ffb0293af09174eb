"""Tests of L{edgegate.http.guards.api_keys}."""

from __future__ import annotations

from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.credentials import APIKeys, KeyLocation, KeyPlace
from tests.http.conversation import ORIGIN, Conversation, to_web

PLACES = (
    KeyPlace(KeyLocation.HEADER, b"authorization", b"ApiKey "),
    KeyPlace(KeyLocation.QUERY, b"key"),
    KeyPlace(KeyLocation.COOKIE, b"key"),
)
KEYS = tuple((sha256(key).digest(), client) for key, client in ((b"first", "one"), (b"second", "two")))


def asking(target: bytes, *fields: bytes) -> bytes:
    """Return a request."""
    return b"GET %b HTTP/1.1\r\nHost: web.example\r\n%b\r\n" % (target, b"".join(each + b"\r\n" for each in fields))


class APIKeyTests(SynchronousTestCase):
    """Requests where an APIKeyPolicy stands."""

    def sent(self, request: bytes, forward: bool = False) -> bytes:
        """Return what a backend gets of a request."""
        guard = APIKeys("default/apps", ORIGIN, PLACES, KEYS, b"apps", b"x-client", forward)
        self.talk = Conversation(to_web(guards=(guard,)))
        return self.talk.asked(request)

    def test_removed(self) -> None:
        """The key goes no further, wherever it stood; a client's own name for itself neither."""
        for request in (
            asking(b"/a?b=c&key=first", b"X-Client: two"),
            asking(b"/a?b=c", b"Authorization: apikey first", b"X_Client: two"),
            asking(b"/a?b=c", b"Cookie: key=first", b"X.Client: two"),
        ):
            sent = self.sent(request)
            self.assertTrue(sent.startswith(b"GET /a?b=c HTTP/1.1\r\n"), sent)
            self.assertIn(b"x-client: one\r\n", sent)
            for word in (b"first", b"two", b"cookie", b"authorization"):
                self.assertNotIn(word, sent)
            self.assertEqual(self.talk.environment.access.processes, 1)

    def test_forwarded(self) -> None:
        """Where the policy says so the backend gets the key, too."""
        sent = self.sent(asking(b"/a?key=first", b"Cookie: key=first"), forward=True)
        self.assertTrue(sent.startswith(b"GET /a?key=first HTTP/1.1\r\n"), sent)
        self.assertIn(b"cookie: key=first\r\n", sent)

    def test_refused(self) -> None:
        """Who shows none, a wrong one, or those of two clients, gets 401, and the log says which it was."""
        guard = APIKeys("default/apps", ORIGIN, PLACES, KEYS, b"apps")
        talk = Conversation(to_web(guards=(guard,)))
        for request, details in (
            (asking(b"/"), "missing_api_key"),
            (asking(b"/", b"Authorization: Basic first"), "missing_api_key"),
            (asking(b"/?key=third"), "unknown_api_key"),
            (asking(b"/?key="), "unknown_api_key"),
            (asking(b"/?key=first", b"Cookie: key=second"), "unknown_api_key"),
        ):
            client = talk.ask(request)
            self.assertIn(b"HTTP/1.1 401 ", client.sent)
            self.assertIn(b'www-authenticate: ApiKey realm="apps"\r\n', client.sent)
            self.assertEqual((talk.ended[-1].details, talk.ended[-1].guard), (details, guard))
        self.assertEqual(talk.connects, [])
