"""Tests of L{edgegate.http.guards.basic_auth}."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.check_queue import MOST_OF_CLIENT, Check, CheckQueue
from edgegate.http.guards.password_checks import PasswordChecks
from edgegate.model.guards.credentials import BasicAuth
from tests.access.passwords.test_hashes import BCRYPT
from tests.http.conversation import NOTHING_LEFT, ORIGIN, Conversation, FakeStream, to_web
from tests.http.h1.test_downstream_connection import OK

GUARD = BasicAuth("default/staff", ORIGIN, ((b"ali", BCRYPT),), b"Staff", b"x-user")


class HeldChecks(PasswordChecks):
    """Checks that are made when the test says so."""

    def __init__(self) -> None:
        self.started: list[Check] = []
        self.queue = CheckQueue(self.started.append, at_once=2, most_waiting=4)

    def make(self) -> None:
        """Make the one that was started first."""
        check = self.started.pop(0)
        self.queue.ended(check, check.work())


def asking(user: str, password: str, more: bytes = b"") -> bytes:
    """Return a request with a user's name and password."""
    value = b64encode(f"{user}:{password}".encode())
    return b"GET / HTTP/1.1\r\nHost: web.example\r\nAuthorization: Basic %b\r\n%b\r\n" % (value, more)


class BasicAuthTests(SynchronousTestCase):
    """Requests where a BasicAuthPolicy stands."""

    def setUp(self) -> None:
        self.talk = Conversation(to_web(guards=(GUARD,)))
        self.checks = HeldChecks()
        self.talk.environment.access.shared(PasswordChecks, lambda: self.checks)

    def refused(self, client: FakeStream, details: str) -> None:
        """Check that a client was asked for a password, and the log says why."""
        self.assertIn(b"HTTP/1.1 401 ", client.sent)
        self.assertIn(b'www-authenticate: Basic realm="Staff", charset="UTF-8"\r\n', client.sent)
        exchange = self.talk.ended[-1]
        self.assertEqual((exchange.details, exchange.guard), (details, GUARD))

    def test_checked_once(self) -> None:
        """The first request waits for the check of its password, the next ones don't; the password goes no further."""
        client = self.talk.ask(asking("ali", "open sesame", b"X-User: root\r\nX_User: root\r\n"))
        self.assertEqual((client.sent, self.talk.connects), (b"", []))
        self.checks.make()
        backend = self.talk.backend()
        self.assertIn(b"x-user: ali\r\n", backend.sent)
        for word in (b"root", b"authorization"):
            self.assertNotIn(word, backend.sent)
        backend.deliver(OK)
        self.assertEqual(self.talk.ended[0].metadata, {"envoy.filters.http.basic_auth": {"username": "ali"}})
        client.take()
        client.deliver(asking("ali", "open sesame"))
        self.assertEqual(self.checks.started, [])
        self.assertIn(b"x-user: ali\r\n", backend.sent)
        backend.deliver(OK)
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_wrong_once(self) -> None:
        """A wrong password is looked at once as well, whoever shows it again."""
        client = self.talk.ask(asking("ali", "x"))
        self.checks.make()
        self.refused(client, "invalid_credential_for_basic_auth")
        self.refused(self.talk.ask(asking("ali", "x")), "invalid_credential_for_basic_auth")
        self.talk.ask(asking("bob", "x"))
        self.assertEqual(len(self.checks.started), 1)

    def test_not_checked(self) -> None:
        """A password that could not be looked at is not taken for a wrong one the next time."""
        client = self.talk.ask(asking("ali", "open sesame"))
        self.checks.queue.ended(self.checks.started.pop(), None)
        self.assertIn(b"HTTP/1.1 503 ", client.sent)
        self.assertEqual(self.talk.ended[-1].details, "basic_auth_failed")
        self.talk.ask(asking("ali", "open sesame"))
        self.checks.make()
        self.assertIn(b"x-user: ali\r\n", self.talk.backend().sent)

    def test_nothing_shown(self) -> None:
        """What is no name and password costs no check."""
        for value in (b"", b"Authorization: Bearer x\r\n", b"Authorization: Basic ?\r\n"):
            client = self.talk.ask(b"GET / HTTP/1.1\r\nHost: web.example\r\n%b\r\n" % value)
            self.refused(client, "no_credential_for_basic_auth")
        twice = asking("ali", "open sesame", b"Authorization: Basic YTpi\r\n")
        self.refused(self.talk.ask(twice), "no_credential_for_basic_auth")
        for user, password in (("", "x"), ("ali", "x" * 256), ("ali", "x\0")):
            self.refused(self.talk.ask(asking(user, password)), "invalid_credential_for_basic_auth")
        self.assertEqual(self.checks.started, [])

    def test_client_leaves(self) -> None:
        """The check of a client's password that has left is made, and nothing else."""
        client = self.talk.ask(asking("ali", "open sesame"))
        client.finish()
        self.checks.make()
        self.assertEqual((self.talk.connects, self.talk.left), ([], NOTHING_LEFT))

    def test_too_many(self) -> None:
        """One client's guesses get 429 before they take the turns of others, and none waits for ever."""
        clients = [self.talk.ask(asking("ali", f"guess {number}")) for number in range(MOST_OF_CLIENT + 1)]
        self.assertIn(b"HTTP/1.1 429 ", clients[-1].sent)
        self.assertIn(b"retry-after: 1\r\n", clients[-1].sent)
        self.assertEqual(self.talk.ended[-1].details, "basic_auth_too_many_checks")
        self.talk.clock.advance(11)
        for client in clients[:-1]:
            self.assertIn(b"HTTP/1.1 503 ", client.sent)
        while self.checks.started:
            self.checks.make()
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_grpc(self) -> None:
        """A client of gRPC gets its own status."""
        client = self.talk.ask(
            b"POST /a.B/C HTTP/1.1\r\nHost: web.example\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
            b"Content-Length: 0\r\n\r\n"
        )
        self.assertIn(b"HTTP/1.1 200 ", client.sent)
        self.assertIn(b"grpc-status: 16\r\n", client.sent)

    def test_forwarded(self) -> None:
        """Where the policy says so the backend gets the password, too."""
        guard = BasicAuth("default/staff", ORIGIN, ((b"ali", BCRYPT),), b"Staff", forward=True)
        talk = Conversation(to_web(guards=(guard,)))
        talk.environment.access.shared(PasswordChecks, lambda: self.checks)
        talk.ask(asking("ali", "open sesame"))
        self.checks.make()
        self.assertIn(b"authorization: Basic ", talk.backend().sent)

    def test_kept(self) -> None:
        """What was found out stays over changes of the files that leave the policy as it is, and goes with it."""
        access = self.talk.environment.access
        self.talk.ask(asking("ali", "open sesame"))
        self.checks.make()
        access.keep([GUARD])
        self.talk.gateway.forget_filters()
        self.talk.ask(asking("ali", "open sesame"))
        self.assertEqual(self.checks.started, [])
        access.keep([])
        self.talk.gateway.forget_filters()
        self.talk.ask(asking("ali", "open sesame"))
        self.assertEqual(len(self.checks.started), 1)


class PasswordChecksOfGatewayTests(SynchronousTestCase):
    """Who makes the checks."""

    def test_shared(self) -> None:
        """All policies share the turns, so that many of them cost no more."""
        other = BasicAuth("default/other", ORIGIN, ((b"ali", BCRYPT),), b"Other")
        talk = Conversation(to_web(guards=(GUARD,)), to_web(guards=(other,)))
        talk.ask(b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n")
        found: Any = talk.environment.access.shared(PasswordChecks, lambda: cast(Any, None))
        self.assertIsInstance(found, PasswordChecks)
