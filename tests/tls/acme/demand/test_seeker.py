"""Tests of L{edgegate.tls.acme.demand.seeker}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import KeyPair
from edgegate.tls.acme import client
from edgegate.tls.acme.demand import seeker
from edgegate.tls.acme.demand.seeker import MOST_ASKED, MOST_LOOKED_UP, MOST_UNASKED, NO, SILENT, OnDemandSeeker
from edgegate.tls.acme.demand.waiting import MOST_OF_CLIENT, Waiting
from edgegate.tls.acme.life import FIRST_DELAY
from edgegate.tls.acme.status import Outcome
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.client_hello import INTERNAL_ERROR, UNRECOGNIZED_NAME, ClientHello
from edgegate.tls.context_seeker import NoContext
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import made, managed
from tests.tls.acme.demand.test_held import CHAIN, listening
from tests.tls.acme.demand.test_obtaining import NOW, FakeAuthority
from tests.tls.acme.test_challenges import Later

Found = SSL.Context | NoContext


class SeekerTests(SynchronousTestCase):
    """What becomes of names that no file says."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.clock = Clock()
        self.clock.advance(NOW)
        self.later = Later()
        self.asked: list[str] = []
        self.unanswered: list[Deferred[int]] = []
        self.answer: int | None = 200
        self.rules = on_demand(managed(self.folder).issuer, "https://ask/")
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.seeker = self.make()
        self.found: list[Found] = []
        self.patch(client, "Authority", FakeAuthority)
        FakeAuthority.issued, FakeAuthority.fails = [], False

    def make(self) -> OnDemandSeeker:
        """Make one: another is another process."""
        made = OnDemandSeeker(self.clock, self.later, self.ask, lambda rules, host: True, self.clock.seconds)
        made.use([self.rules], [listening(CHAIN)])
        self.addCleanup(made.stop)
        return made

    def ask(self, url: str) -> Deferred[int]:
        """Answer at once, or when the test says so."""
        self.asked.append(url)
        done: Deferred[int] = Deferred()
        if self.answer is None:
            self.unanswered.append(done)
        else:
            done.callback(self.answer)
        return done

    def seek(self, name: str, client: object = "c") -> Waiting | None:
        """Ask for a name, as a connection does."""
        return self.seeker.seek("l", CHAIN, ClientHello(name, ()), client, self.found.append)

    def refused(self, name: str, client: object = "c") -> NoContext:
        """Ask for a name that is refused in the end."""
        self.seek(name, client)
        self.later.do()
        found = self.found.pop()
        assert isinstance(found, NoContext)
        return found

    def test_issued(self) -> None:
        """All that ask for a name at a time wait for one certificate; who comes later does not wait."""
        for _ in range(3):
            self.assertIsNotNone(self.seek("a.example.com"))
        self.later.do()
        self.assertEqual((self.asked, FakeAuthority.issued), (["https://ask/?domain=a.example.com"], ["a.example.com"]))
        self.assertIsNone(self.seek("a.example.com"))
        (context,) = set(self.found)
        self.assertIsInstance(context, SSL.Context)
        self.assertEqual(len(self.found), 4)
        self.assertEqual(self.seeker.tries, {("default/ca", Outcome.ISSUED): 1, ("default/ca", Outcome.FAILED): 0})
        FakeAuthority.fails = True
        self.refused("b.example.com")
        self.refused("b.example.com")
        self.assertEqual(self.seeker.tries, {("default/ca", Outcome.ISSUED): 1, ("default/ca", Outcome.FAILED): 1})

    def test_error(self) -> None:
        """An error of one connection keeps no other from being told, nor names from being sought."""

        def fail(found: Found) -> None:
            raise ZeroDivisionError

        for name in ("a.example.com", "b.example.com"):
            self.seeker.seek("l", CHAIN, ClientHello(name, ()), "c", fail)
            self.seek(name)
        self.later.do()
        self.assertEqual((len(self.found), self.seeker._sought), (2, {}))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_restart(self) -> None:
        """What is in the store is served by whoever comes new to it: nobody is asked."""
        self.seek("a.example.com")
        self.later.do()
        self.seeker = self.make()
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found[1], SSL.Context)
        self.assertEqual((len(self.asked), len(FakeAuthority.issued)), (1, 1))

    def test_refused(self) -> None:
        """A name that the service does not know is asked about once in a while, and is told so by an alert."""
        self.answer = 404
        for _ in range(3):
            found = self.refused("a.example.com")
            self.assertEqual((found.words, found.unknown), (UNRECOGNIZED_NAME, True))
        self.assertEqual((len(self.asked), FakeAuthority.issued), (1, []))
        self.assertFalse(self.folder.exists())
        self.clock.advance(NO)
        self.answer = 200
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)

    def test_no_redirect(self) -> None:
        """Nothing but 200 is a yes."""
        for status in (201, 204, 301, 302, 401, 500):
            self.answer = status
            self.assertEqual(self.refused(f"s{status}.example.com").words, UNRECOGNIZED_NAME)

    def test_not_looked_for(self) -> None:
        """What can't have a certificate costs neither a look at the store nor a question."""
        for name in ("", "localhost", "a_b.example.com", "a." * 120 + "example.com" * 2, "xn--.example.com"):
            self.assertIsNone(self.seek(name))
        self.seeker.use([replace(self.rules, allow=("*.example.com",))], [listening(CHAIN)])
        self.assertIsNone(self.seek("a.example.org"))
        self.seeker.use([], [])
        self.assertIsNone(self.seek("a.example.com"))
        self.assertEqual({getattr(each, "words", None) for each in self.found}, {UNRECOGNIZED_NAME})
        self.assertEqual((self.later.waiting, self.asked), ([], []))

    def test_allowed(self) -> None:
        """Where there is a list alone nobody is asked."""
        self.rules = replace(self.rules, ask="", allow=("*.example.com",))
        self.seeker.use([self.rules], [listening(CHAIN)])
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)
        self.assertEqual(self.asked, [])

    def test_silent(self) -> None:
        """A service that does not answer is asked again soon, and few at a time meanwhile; the rest is refused."""
        self.answer = None
        for number in range(500):
            self.seek(f"h{number}.example.com", number)
        self.later.do()
        self.assertEqual(len(self.asked), MOST_ASKED)
        self.assertEqual(len(self.found), 500 - MOST_ASKED - MOST_UNASKED)
        self.assertEqual({getattr(each, "words", None) for each in self.found}, {INTERNAL_ERROR})
        while self.unanswered:
            self.unanswered.pop().errback(OSError("it does not answer"))
        self.assertEqual((len(self.asked), len(self.found)), (MOST_ASKED + MOST_UNASKED, 500))
        self.assertEqual((self.seeker._sought, self.seeker._room.waiting), ({}, 0))
        self.flushed()
        count = len(self.asked)
        self.refused("h0.example.com")
        self.assertEqual(len(self.asked), count)
        self.clock.advance(SILENT)
        self.answer = 404
        self.refused("h0.example.com")
        self.assertEqual(len(self.asked), count + 1)

    def flushed(self) -> None:
        """Nothing was logged as a failure."""
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_left(self) -> None:
        """For whom nobody waits any more nobody is asked."""
        self.answer = None
        waiting = [self.seek(f"h{number}.example.com", number) for number in range(MOST_ASKED + 5)]
        self.later.do()
        for each in waiting:
            assert each is not None
            each.leave()
        while self.unanswered:
            self.unanswered.pop().callback(404)
        self.assertEqual((len(self.asked), self.found), (MOST_ASKED, []))
        self.assertEqual((self.seeker._sought, self.seeker._room.waiting), ({}, 0))

    def test_clients_share(self) -> None:
        """One client has few that wait for what is to be issued, others theirs; of what is there each has all."""
        self.answer = None
        for number in range(MOST_OF_CLIENT + 5):
            self.seek(f"h{number}.example.com")
        self.assertEqual(self.found, [])
        self.assertIsNotNone(self.seek("a.example.com", "other"))
        self.later.do()
        self.assertEqual([getattr(each, "words", None) for each in self.found], [INTERNAL_ERROR] * 5)
        while self.unanswered:
            self.unanswered.pop().callback(200)
            self.later.do()
        served = [each for each in self.found if isinstance(each, SSL.Context)]
        self.assertEqual(len(served), MOST_OF_CLIENT + 1)
        self.seeker = self.make()
        self.found.clear()
        for number in range(MOST_OF_CLIENT):
            for _ in range(5):
                self.assertIsNotNone(self.seek(f"h{number}.example.com"))
        self.later.do()
        self.assertTrue(all(isinstance(each, SSL.Context) for each in self.found))
        self.assertEqual(len(self.found), MOST_OF_CLIENT * 5)

    def test_rate(self) -> None:
        """A service that says yes to everything has no more issued than there may be; then nobody is asked any more."""
        self.seeker.use([replace(self.rules, certificates=5)], [listening(CHAIN)])
        for number in range(300):
            self.seek(f"h{number}.example.com", number)
            self.later.do()
        self.assertEqual(len(FakeAuthority.issued), 5)
        self.assertEqual(len(self.asked), 6)
        self.assertEqual(self.refused("h9.example.com").words, INTERNAL_ERROR)
        self.seek("h3.example.com")
        self.assertIsInstance(self.found.pop(), SSL.Context)
        self.clock.advance(3600)
        self.seek("h9.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)

    def test_flood(self) -> None:
        """Thousands of made-up names leave no more than is remembered."""
        self.answer = 404
        self.patch(seeker, "MOST_REMEMBERED", 100)
        self.seeker = self.make()
        for number in range(2000):
            self.refused(f"h{number}.example.com", number)
        self.assertEqual((len(self.seeker._refused), len(self.seeker._sought)), (100, 0))
        self.assertFalse(self.folder.exists())

    def test_looks_together(self) -> None:
        """Names that come while the store is looked at are looked at together."""
        for number in range(MOST_LOOKED_UP + 30):
            self.seek(f"h{number}.example.com", number)
        self.assertEqual(len(self.later.waiting), 1)
        self.later.do(1)
        self.assertEqual(len(self.seeker._unread), 29)
        self.later.do()
        self.assertEqual(len(self.seeker._sought), 0)

    def test_authority_fails(self) -> None:
        """A failed try is told by an alert, and is not begun again by clients that come back."""
        FakeAuthority.fails = True
        for _ in range(3):
            found = self.refused("a.example.com")
            self.assertEqual((found.words, "nobody is there" in found.reason), (INTERNAL_ERROR, False))
        self.assertEqual((len(FakeAuthority.issued), len(self.asked)), (1, 1))
        self.seeker = self.make()
        self.refused("a.example.com")
        self.assertEqual((len(FakeAuthority.issued), len(self.asked)), (1, 1))
        FakeAuthority.fails = False
        self.clock.advance(FIRST_DELAY * 2)
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)

    def test_broken_store(self) -> None:
        """A store that can't be used ends the wait, and is tried again."""
        self.folder.parent.mkdir(exist_ok=True)
        self.folder.write_text("no directory")
        self.assertEqual(self.refused("a.example.com").words, INTERNAL_ERROR)
        self.flushLoggedErrors()
        self.folder.unlink()
        self.clock.advance(SILENT)
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)

    def test_reload(self) -> None:
        """What is under way when the rules change ends with an alert; the next try counts by the new ones."""
        self.seek("a.example.com")
        self.later.do(1)
        self.seeker.use([replace(self.rules, most=7)], [listening(CHAIN)])
        self.later.do()
        found = self.found.pop()
        assert isinstance(found, NoContext)
        self.assertEqual(found.words, INTERNAL_ERROR)
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)
        self.assertEqual(len(FakeAuthority.issued), 1)

    def test_same_rules(self) -> None:
        """A reload that changes nothing of it ends no wait, and forgets nothing."""
        self.seek("a.example.com")
        self.later.do(1)
        self.seeker.use([self.rules], [listening(CHAIN)])
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)
        self.answer = 404
        self.refused("b.example.com")
        self.seeker.use([self.rules], [listening(CHAIN)])
        self.refused("b.example.com")
        self.assertEqual(len(self.asked), 2)

    def test_permits(self) -> None:
        """Before it is renewed it is asked again; what the files no longer allow needs no question."""
        for answer, permitted in ((200, True), (404, False)):
            self.answer = answer
            self.assertIs(self.successResultOf(self.seeker.permits(self.rules, "a.example.com")), permitted)
        self.answer = None
        asked = self.seeker.permits(self.rules, "a.example.com")
        self.unanswered.pop().errback(OSError("no"))
        self.assertIsNone(self.successResultOf(asked))
        listed = replace(self.rules, allow=("b.example.com",))
        self.assertIs(self.successResultOf(self.seeker.permits(listed, "a.example.com")), False)
        listed = replace(self.rules, ask="", allow=("a.example.com",))
        self.assertIs(self.successResultOf(self.seeker.permits(listed, "a.example.com")), True)

    def test_of_another_process(self) -> None:
        """What another process was given for a name is found when it is asked for here."""
        certificate = managed(self.folder, "a.example.com")
        pair: KeyPair = made(certificate, NOW, NOW + 9e6)
        CertificateStore(certificate.issuer).put_pair(certificate, pair.key, pair.chain)
        self.seek("a.example.com")
        self.later.do()
        self.assertIsInstance(self.found.pop(), SSL.Context)
        self.assertEqual((self.asked, FakeAuthority.issued), ([], []))
