"""Tests of L{edgegate.tls.acme.challenges}."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import CertificateDirectory
from edgegate.tls.acme.challenges import HTTP_01, MOST_SOUGHT, TLS_ALPN_01, ChallengeAnswers
from edgegate.tls.acme.store import CertificateStore, hello_name
from tests.tls.acme.certificates import managed

T = TypeVar("T")
TOKEN = "abcdefghijklmnopqrstuvwxyz"


class Later:
    """Does what is deferred when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], T]) -> Deferred[T]:
        done: Deferred[T] = Deferred()

        def do() -> None:
            try:
                result = work()
            except Exception:
                done.errback()
            else:
                done.callback(result)

        self.waiting.append(do)
        return done

    def do(self, most: int = 100) -> None:
        """Do it, and what follows from it."""
        while self.waiting and most:
            most -= 1
            self.waiting.pop(0)()


class ChallengesTests(SynchronousTestCase):
    """What is found in stores."""

    def setUp(self) -> None:
        self.later = Later()
        self.answers = ChallengeAnswers(self.later)
        self.found: list[bytes | None] = []

    def test_found(self) -> None:
        """It is in any of the stores, those that can't be read included among the others."""
        store = managed(Path(self.mktemp()).absolute())
        broken = Path(self.mktemp()).absolute()
        (broken / "challenges" / TOKEN).mkdir(parents=True)
        places = [CertificateDirectory(each) for each in ("/nowhere", str(broken))]
        self.answers.storages = (*places, store.issuer.storage)
        with CertificateStore(store.issuer).challenge(TOKEN, "answer"):
            self.answers.find(TOKEN, self.found.append)
            self.assertEqual(self.found, [])
            self.later.do()
        self.answers.find(TOKEN, self.found.append)
        self.later.do()
        self.assertEqual(self.found, [b"answer", None])
        self.assertEqual(self.answers.answered, {HTTP_01: 1, TLS_ALPN_01: 0})

    def test_bounded(self) -> None:
        """A client that asks and asks makes no more threads than there may be."""
        self.assertFalse(self.answers.may_know("../x"))
        for _ in range(MOST_SOUGHT):
            self.assertTrue(self.answers.may_know(TOKEN))
            self.answers.find(TOKEN, self.found.append)
        self.assertFalse(self.answers.may_know(TOKEN))
        self.later.do()
        self.assertTrue(self.answers.may_know(TOKEN))
        self.assertEqual(self.found, [None] * MOST_SOUGHT)

    def test_digest(self) -> None:
        """An answer to ClientHellos is a digest, whole and in hex, and no token."""
        issuer = managed(Path(self.mktemp()).absolute()).issuer
        store = CertificateStore(issuer)
        self.answers.storages = (issuer.storage,)
        for written, expected in (
            ("ab" * 32, b"\xab" * 32),
            ("ab" * 31, None),
            ("", None),
            ("zz" * 32, None),
        ):
            with store.challenge(hello_name("a.example.com"), written):
                self.assertEqual(self.answers.digests(["a.example.com"]).get("a.example.com"), expected)
        for host in ("..", "../a", "a/b", "a\n", "*.example.com", ""):
            self.assertEqual(self.answers.digests([host]), {})
        self.assertFalse(self.answers.may_know(hello_name("a.example.com")))

    def test_digests(self) -> None:
        """All hosts are looked for in each store; one that can't be read keeps none of what others have."""
        one, other = (managed(Path(self.mktemp()).absolute()).issuer for _ in range(2))
        broken = Path(self.mktemp()).absolute()
        (broken / "challenges" / hello_name("a.example.com")).mkdir(parents=True)
        self.answers.storages = (CertificateDirectory(str(broken)), one.storage, other.storage)
        with (
            CertificateStore(one).challenge(hello_name("a.example.com"), "ab" * 32),
            CertificateStore(other).challenge(hello_name("a.example.com"), "cd" * 32),
            CertificateStore(other).challenge(hello_name("b.example.com"), "ef" * 32),
        ):
            found = self.answers.digests(["a.example.com", "b.example.com", "c.example.com"])
        self.assertEqual(found, {"a.example.com": b"\xab" * 32, "b.example.com": b"\xef" * 32})
