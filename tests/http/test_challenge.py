"""Tests of L{edgegate.http.challenge}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.challenge import PATIENCE
from edgegate.tls.acme.challenges import ChallengeAnswers
from edgegate.tls.acme.store import CertificateStore
from tests.http.conversation import NOTHING_LEFT, Conversation
from tests.http.guards.guards import guard, guarded
from tests.tls.acme.certificates import managed
from tests.tls.acme.test_challenges import TOKEN, Later


def question(host: str = "web.example", token: str = TOKEN, method: str = "GET") -> bytes:
    """Return what an authority asks."""
    return f"{method} /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


class ChallengeTests(SynchronousTestCase):
    """What authorities are answered."""

    def setUp(self) -> None:
        self.talk = Conversation()
        self.later = Later()
        certificate = managed(Path(self.mktemp()).absolute())
        self.store = CertificateStore(certificate.issuer)
        answers = ChallengeAnswers(self.later)
        answers.storages = (certificate.issuer.storage,)
        self.talk.environment.challenges = answers

    def test_answered(self) -> None:
        """For each host, also one that is redirected, that no route knows or that guards keep to themselves."""

        def never(exchange: object) -> None:
            raise AssertionError("a guard is asked")

        refusing = guard("never", never)  # type: ignore[arg-type]
        with self.store.challenge(TOKEN, f"{TOKEN}.abc"):
            for client, host in (
                (self.talk.client(), "web.example"),
                (self.talk.client(), "moved.example"),
                (self.talk.client(), "unknown.example"),
                (self.talk.client(guarded(refusing)), "web.example"),
            ):
                client.deliver(question(host))
                self.assertEqual(client.sent, b"")
                self.later.do()
                self.assertEqual(client.sent[9:12], b"200", host)
                self.assertTrue(client.sent.endswith(f"\r\n\r\n{TOKEN}.abc".encode()), host)
            client.deliver(question(method="HEAD"))
            self.later.do()
            self.assertTrue(client.sent.endswith(b"\r\n\r\n"))
        self.assertEqual(self.talk.ended[-1].details, "acme_challenge")

    def test_others(self) -> None:
        """What nobody has put there goes its usual way: to backends, redirects and, before all, guards."""
        seen: list[object] = []
        for host, status in (("moved.example", b"301"), ("unknown.example", b"404")):
            client = self.talk.client()
            client.deliver(question(host))
            self.later.do()
            self.assertEqual(client.sent[9:12], status)
        client = self.talk.client()
        client.deliver(question())
        self.later.do()
        self.assertTrue(self.talk.backend().sent.startswith(b"GET /.well-known/acme-challenge/"))

        def refuse(exchange: object) -> object:
            seen.append(exchange)
            exchange.reply(403, [], b"")  # type: ignore[attr-defined]
            from edgegate.http.filters.interfaces import FilterStatus  # noqa: PLC0415

            return FilterStatus.STOP

        client = self.talk.client(guarded(guard("refuse", refuse)))  # type: ignore[arg-type]
        for token in (TOKEN, "short", "a%2Fb" * 5):
            client.deliver(question(token=token))
            self.later.do()
        self.assertEqual((len(seen), client.sent.count(b"HTTP/1.1 403")), (3, 3))

    def test_other_methods(self) -> None:
        """Only what reads is an authority's; the store is not asked for the rest."""
        client = self.talk.client()
        client.deliver(question(method="DELETE"))
        self.assertEqual(self.later.waiting, [])
        self.assertTrue(self.talk.backend().sent.startswith(b"DELETE "))

    def test_body(self) -> None:
        """A body that comes meanwhile reaches the backend."""
        client = self.talk.client()
        client.deliver(question().replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\nbo"))
        client.deliver(b"dy")
        self.later.do()
        self.assertTrue(self.talk.backend().sent.endswith(b"\r\n\r\nbody"))

    def test_slow_store(self) -> None:
        """A store that does not answer holds nobody for long, and what it says then comes too late."""
        client = self.talk.client()
        client.deliver(question("moved.example"))
        self.talk.advance(PATIENCE)
        self.assertEqual(client.sent[9:12], b"301")
        self.later.do()
        self.assertEqual(client.sent.count(b"HTTP/1.1"), 1)

    def test_client_leaves(self) -> None:
        """Nothing is left of one that leaves meanwhile."""
        client = self.talk.client()
        client.deliver(question())
        client.reset()
        self.later.do()
        self.talk.advance(PATIENCE)
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_not_issued(self) -> None:
        """Where no certificate is issued nothing is different."""
        self.talk.environment.challenges = None
        client = self.talk.client()
        client.deliver(question("moved.example"))
        self.assertEqual(client.sent[9:12], b"301")
