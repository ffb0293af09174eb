"""Tests of L{edgegate.tls.acme.solvers.dns_01}."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from dns import message, rcode
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import DNSChallenges, DynamicUpdates, HookCommand
from edgegate.tls.acme.solvers.dns_01 import DNS01Solver, record_of
from edgegate.tls.acme.solvers.name_servers import NameServer
from edgegate.tls.acme.solvers.propagation import Propagation
from edgegate.tls.acme.solvers.solver import Challenge, NotAnswered
from tests.tls.acme.solvers.zones import SERVER, KnownNames, Zones

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
HOST = Challenge("example.com", TOKEN, f"{TOKEN}.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI")
WILDCARD = Challenge("*.example.com", TOKEN, f"{TOKEN}.another")
NAME = "_acme-challenge.example.com"
SECOND = NameServer("192.0.2.2")


class RecordTests(SynchronousTestCase):
    """What an authority wants to see."""

    def test_record(self) -> None:
        """It is the digest of RFC 8555 section 8.4, at one name for a host and the wildcard below it."""
        self.assertEqual(record_of(HOST), (NAME, "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"))
        self.assertEqual(record_of(WILDCARD)[0], NAME)

    def test_proves(self) -> None:
        """It proves wildcards, and all hosts that leave room for its own label."""
        solver = DNS01Solver(DNSChallenges(DynamicUpdates("ns")))
        label = "a" * 62 + "."
        for host, so in (("*.example.com", True), ("a.example.com", True), (label * 3 + "b" * 48, True)):
            self.assertEqual(solver.proves(host), so, host)
        self.assertFalse(solver.proves(label * 3 + "b" * 49))
        self.assertTrue(solver.proves("*." + label * 3 + "b" * 48))


class SolverTestCase(SynchronousTestCase):
    """Solvers, and what they log."""

    def setUp(self) -> None:
        self.logged: list[str] = []
        self.clock = Clock()

        def observe(event: object) -> None:
            self.logged.append(event["log_format"].format(**event))  # type: ignore[index]

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def refused(self, answered: AbstractContextManager[None]) -> str:
        """Begin what can't be answered, and return why."""
        return str(self.assertRaises(NotAnswered, answered.__enter__))


class UpdatesTests(SolverTestCase):
    """Values by updates."""

    def setUp(self) -> None:
        super().setUp()
        self.zones = {SERVER: Zones("example.com"), SECOND: Zones("example.com")}
        self.zones[SERVER].put("example.com", "NS", "ns.", "ns2.", "nowhere.")
        self.copied = True
        self.solver = self.made(30.0)

    def made(self, patience: float) -> DNS01Solver:
        """Return who answers."""
        names = KnownNames({"ns": (SERVER.address,), "ns2": (SECOND.address,)})
        propagation = Propagation(self.exchange, self.clock.seconds, self.clock.advance)
        return DNS01Solver(DNSChallenges(DynamicUpdates("ns"), patience), names, self.zones[SERVER], propagation)

    def exchange(self, asked: message.Message, server: NameServer, timeout: float) -> message.Message:
        """Ask one of the servers."""
        if self.copied:
            self.zones[SECOND].records = self.zones[SERVER].records
        return self.zones[server](asked, server, timeout)

    def test_two_at_one_name(self) -> None:
        """The values of a host and of a wildcard stand beside each other, and each goes by itself."""
        first, second = record_of(HOST)[1], record_of(WILDCARD)[1]
        with self.solver.answered(HOST):
            with self.solver.answered(WILDCARD):
                self.assertEqual(self.zones[SERVER].texts(NAME), [first, second])
            self.assertEqual(self.zones[SERVER].texts(NAME), [first])
        self.assertEqual(self.zones[SERVER].texts(NAME), [])
        self.assertEqual(self.logged, [])

    def test_not_everywhere(self) -> None:
        """Where a server does not get the value, it is removed, and the authority not asked."""
        self.copied = False
        self.assertIn("192.0.2.2:53 still answers without", self.refused(self.solver.answered(HOST)))
        self.assertEqual(self.zones[SERVER].texts(NAME), [])
        with self.made(0).answered(HOST):
            self.assertEqual(len(self.zones[SERVER].texts(NAME)), 1)

    def test_refused(self) -> None:
        """What was refused is not removed."""
        self.zones[SERVER].refusal = rcode.NOTAUTH
        self.assertIn("NOTAUTH", self.refused(self.solver.answered(HOST)))
        self.assertEqual(self.logged, [])

    def test_not_removed(self) -> None:
        """What can't be removed keeps nothing from being issued, and is told."""
        with self.solver.answered(HOST):
            self.zones[SERVER].refusal = rcode.SERVFAIL
        (line,) = self.logged
        self.assertIn(f"{record_of(HOST)[1]} at {NAME} may be there for good: the name server", line)


class HookTests(SolverTestCase):
    """Values by a program."""

    def setUp(self) -> None:
        super().setUp()
        self.file = Path(self.mktemp()).absolute()
        self.zones = Zones("example.com")
        self.asked: list[NameServer] = []

    def made(self, script: str, patience: float = 30.0, known: bool = True) -> DNS01Solver:
        """Return who runs a shell."""
        names = KnownNames({"ns": ("192.0.2.1",)}, {NAME: "x.example.com"}, {"example.com": ("ns.",)} if known else {})
        hook = HookCommand(("/bin/sh", "-c", script, "hook", str(self.file)))
        propagation = Propagation(self.exchange, self.clock.seconds, self.clock.advance)
        return DNS01Solver(DNSChallenges(hook, patience), names, propagation=propagation)

    def exchange(self, asked: message.Message, server: NameServer, timeout: float) -> message.Message:
        """Ask a server of the zone."""
        self.asked.append(server)
        return self.zones(asked, server, timeout)

    def test_answered(self) -> None:
        """It is run before and after; between them the zone's servers are asked for the value, behind a CNAME."""
        self.clock.callLater(5, self.zones.put, "x.example.com", "TXT", f'"{record_of(WILDCARD)[1]}"')
        with self.made('echo "$EDGEGATE_ACTION $EDGEGATE_NAME $EDGEGATE_VALUE" >>"$1"').answered(WILDCARD):
            self.assertGreaterEqual(self.clock.seconds(), 5)
            value = f"{NAME} {record_of(WILDCARD)[1]}\n"
            self.assertEqual(self.file.read_text(), f"present {value}")
        self.assertEqual(self.file.read_text(), f"present {value}cleanup {value}")

    def test_believed(self) -> None:
        """Where nobody says where the servers are, or one does not want to know, it is believed."""
        for solver in (self.made("true", known=False), self.made("true", 0.0)):
            with solver.answered(HOST):
                pass
        self.assertEqual(self.asked, [])

    def test_failed(self) -> None:
        """One that fails may have done something: it is told to clean up. What fails of that is told as well."""
        words = self.refused(self.made('echo "$EDGEGATE_ACTION"; exit 2').answered(HOST))
        self.assertIn("ended with status 2: present", words)
        (line,) = self.logged
        self.assertIn("may be there for good: the command /bin/sh (cleanup", line)
        self.assertIn("ended with status 2: cleanup", line)
