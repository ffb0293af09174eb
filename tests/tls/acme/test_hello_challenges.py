"""Tests of L{edgegate.tls.acme.hello_challenges}."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import CertificateDirectory
from edgegate.tls.acme.challenges import ChallengeAnswers
from edgegate.tls.acme.hello_challenges import MOST_HELD, MOST_OF_CLIENT, PATIENCE, HelloChallenges
from edgegate.tls.acme.store import CertificateStore, hello_name
from edgegate.tls.acme.tls_alpn import digest_of
from tests.tls.acme.certificates import managed
from tests.tls.acme.test_challenges import Later

HOST = "shop.example.com"
ANSWER = digest_of("token.thumbprint").hex()


class HelloChallengesTests(SynchronousTestCase):
    """Which hellos are questions."""

    def setUp(self) -> None:
        self.later, self.clock = Later(), Clock()
        issuer = managed(Path(self.mktemp()).absolute()).issuer
        self.store = CertificateStore(issuer)
        answers = ChallengeAnswers(self.later)
        answers.storages = (CertificateDirectory("/nowhere"), issuer.storage)
        self.answers = answers
        self.hellos = HelloChallenges(answers, self.later, self.clock)
        self.found: list[tuple[str, SSL.Context | None]] = []

    def find(self, *hosts: str, client: Hashable = None) -> None:
        """Look for hosts."""
        for host in hosts:
            self.hellos.find(host, client, partial(self._told, host))

    def _told(self, host: str, context: SSL.Context | None) -> None:
        self.found.append((host, context))

    def known(self) -> list[tuple[str, bool]]:
        """Return who was told what since the last time, and whether that was something."""
        found, self.found = [(host, context is not None) for host, context in self.found], []
        return found

    def test_found(self) -> None:
        """What is waited for is found as long as it is, by its host alone, and made once."""
        with self.store.challenge(hello_name(HOST), ANSWER):
            self.find(HOST, "other.example.com")
            self.assertEqual(self.found, [])
            self.later.do()
            self.find(HOST)
            self.later.do()
        (_, first), _, (_, again) = self.found
        self.assertIs(first, again)
        self.assertEqual(self.known(), [(HOST, True), ("other.example.com", False), (HOST, True)])
        self.find(HOST)
        self.later.do()
        self.assertEqual(self.known(), [(HOST, False)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_another_challenge(self) -> None:
        """The next challenge of a host has an answer of its own."""
        for answer in (ANSWER, digest_of("other").hex()):
            with self.store.challenge(hello_name(HOST), answer):
                self.find(HOST)
                self.later.do()
        self.assertIsNot(self.found[0][1], self.found[1][1])

    def test_one_look(self) -> None:
        """Who comes during a look has the next one, which begins after it came; there are never two."""
        self.find(HOST)
        with ExitStack() as stack:
            (look,) = self.later.waiting
            self.find(HOST, *(f"h{number}.example.com" for number in range(100)))
            self.assertEqual(len(self.later.waiting), 1)
            self.later.waiting.clear()
            look()
            self.assertEqual(self.known(), [(HOST, False)])
            stack.enter_context(self.store.challenge(hello_name(HOST), ANSWER))
            self.assertEqual(len(self.later.waiting), 1)
            self.later.do(1)
        self.assertEqual(self.later.waiting, [])
        self.assertEqual([host for host, there in self.known() if there], [HOST])

    def test_bounded(self) -> None:
        """Only so many wait; others are not looked for, nor who names no host, nor anybody where there is no store."""
        self.assertFalse(self.hellos.may_know("", None))
        for number in range(MOST_HELD):
            self.assertTrue(self.hellos.may_know(HOST, number))
            self.find(HOST, client=number)
        self.assertFalse(self.hellos.may_know(HOST, None))
        self.later.do()
        self.assertEqual(len(self.found), MOST_HELD)
        self.assertTrue(self.hellos.may_know(HOST, None))
        self.answers.storages = ()
        self.assertFalse(self.hellos.may_know(HOST, None))

    def test_of_one_client(self) -> None:
        """One client keeps no other from being looked for, and is looked for again once it was told."""
        self.find(*[HOST] * MOST_OF_CLIENT, client="flood")
        self.assertFalse(self.hellos.may_know(HOST, "flood"))
        self.assertTrue(self.hellos.may_know(HOST, "authority"))
        self.later.do()
        self.assertTrue(self.hellos.may_know(HOST, "flood"))
        self.assertEqual(self.hellos._of_clients, {})

    def test_many_answers(self) -> None:
        """However many challenges there are, few contexts are kept."""
        with ExitStack() as stack:
            for number in range(100):
                host = f"h{number}.example.com"
                stack.enter_context(self.store.challenge(hello_name(host), ANSWER))
                self.find(host)
            self.later.do()
        self.assertEqual([there for _, there in self.known()], [True] * 100)
        self.assertLess(len(self.hellos._made), 100)

    def test_slow(self) -> None:
        """Who waits for a store that does not answer is let go, and others are not held until it does."""
        self.find(HOST)
        self.find(HOST)
        self.clock.advance(PATIENCE)
        self.assertEqual(self.known(), [(HOST, False), (HOST, False)])
        self.assertFalse(self.hellos.may_know(HOST, None))
        self.later.do()
        self.assertEqual(self.known(), [])
        self.assertTrue(self.hellos.may_know(HOST, None))
        self.find(HOST)
        self.later.do()
        self.assertEqual(self.known(), [(HOST, False)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_errors(self) -> None:
        """Neither a look nor a connection that fails takes others with it."""

        def fail(context: SSL.Context | None) -> None:
            raise ZeroDivisionError

        self.hellos.find(HOST, None, fail)
        self.find(HOST)
        self.later.do()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.known(), [(HOST, False)])
        self.answers.storages = (0,)  # type: ignore[assignment]
        self.find(HOST)
        self.later.do()
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
        self.assertEqual(self.known(), [(HOST, False)])
        self.assertTrue(self.hellos.may_know(HOST, None))
