"""The life of certificates by a real authority: by hand, revoked, and while the authority is away for days."""

from __future__ import annotations

import json
import os
import re
import shutil
from functools import partial
from pathlib import Path

from tests.acceptance.issued import ISSUER, IssuedTestCase
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import ENVIRONMENT, free_ports, wait_until

MINUTE = 1 / 24 / 60
HOST, OTHER, NEW = "a.example.com", "b.example.com", "new.example.com"


AHEAD = """
import time

of_the_machine = time.time

def ahead():
    with open({clock!r}) as file:
        return of_the_machine() + 86400 * float(file.read())

time.time = ahead
"""
"""What has the time of day alone be another: faketime has sleeping threads fail where only that is to be."""


class LifeTests(IssuedTestCase):
    """One gateway, and an authority."""

    def setUp(self) -> None:
        """Choose ports."""
        super().setUp()
        self.http, self.https, admin, *self.others = free_ports(7)
        self.admins = [admin]

    def authority(self, days: float = 90) -> None:
        """Start the authority, whose certificates live for so long."""
        self.pebble = Pebble(self, self.http, self.others, days=days)
        self.url, self.ca = self.pebble.url, self.pebble.ca

    def careless(self) -> tuple[str, ...]:
        """Return what starts a program that keeps nothing from others by its umask."""
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        return "env", f"TMPDIR={self.temporary}", "sh", "-c", 'umask 0; exec "$@"', "sh"

    def certs(self, word: str, name: str, *options: str) -> str:
        """Run a command, and return what it says."""
        done = self.ask(*self.careless(), "edgegate", "certs", word, f"--config={name}", ISSUER, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        for each in (self.temporary, self.store):
            self.assert_private(each)
        return done.stdout

    def other_than(self, serial: str, host: str, root: str) -> str:
        """Wait until another certificate is served, and return its number."""
        wait_until(
            lambda: self.serial(self.https, host, root) != serial,
            partial(str.format, "{} has no other certificate than {}", host, serial),
            pause=0.2,
        )
        return self.serial(self.https, host, root)

    def test_by_hand(self) -> None:
        """What commands have issued, renewed and revoked a gateway serves, and asks for nothing twice."""
        self.authority()
        self.write("one", self.http, self.https, HOST, OTHER)
        self.write("more", self.http, self.https, HOST, OTHER, NEW)
        gateway = self.serve("one", by=self.careless())
        root = str(self.pebble.root())
        self.wait(self.https, (HOST, OTHER), root)
        with self.subTest("issued"):
            said = self.certs("issue", "more")
            self.assertEqual(said.count("there is one by certificates/pebble"), 2, said)
            self.assertIn(f"{NEW}: issued by certificates/pebble, until ", said)
            self.write("one", self.http, self.https, HOST, OTHER, NEW)
            gateway.says("reloaded")
            self.assertTrue(self.trusted(self.https, NEW, root))
            self.assertEqual(len(self.pebble.issued), 3)
        with self.subTest("renewed"):
            first = self.serial(self.https, HOST, root)
            rows = json.loads(self.certs("renew", "one", "--force", "-o", "json", HOST))
            self.assertEqual([(each["host"], each["outcome"]) for each in rows], [(HOST, "renewed")])
            second = self.other_than(first, HOST, root)
            self.assertEqual((len(self.pebble.issued), self.pebble.status(first)), (4, "Valid"))
        with self.subTest("revoked"):
            said = self.certs("revoke", "one", "--yes", "--reason=keyCompromise", HOST)
            self.assertIn("is revoked", said)
            self.other_than(second, HOST, root)
            self.assertEqual((len(self.pebble.issued), self.pebble.status(second)), (5, "Revoked"))
        with self.subTest("revoked without the account"):
            (accounts,) = self.store.glob("*/accounts")
            shutil.rmtree(accounts)
            serial = self.serial(self.https, OTHER, root)
            self.certs("revoke", "one", OTHER)
            self.other_than(serial, OTHER, root)
            self.assertEqual((len(self.pebble.issued), self.pebble.status(serial)), (6, "Revoked"))

    def test_authority_away(self) -> None:
        """
        A certificate of three minutes is renewed after two. While the authority is away the old one is served, also
        past its end, and asked for now and then.
        """
        self.authority(days=MINUTE * 3)
        self.write("one", self.http, self.https, HOST)
        clock = self.folder / "clock"
        gateway = self.serve("one", by=self.by(clock))
        root = str(self.pebble.root())
        self.wait(self.https, (HOST,), root)
        serial = self.serial(self.https, HOST, root)
        self.set(clock, f"{MINUTE * 2}")
        gateway.says(f"the certificate for {HOST} by certificates/pebble is renewed")
        self.other_than(serial, HOST, root)
        self.assertNotIn("has ended", gateway.output)
        self.pebble.running.stop()
        self.pebble.start(days=6)
        self.set(clock, f"{MINUTE * 4}")
        root = str(self.pebble.root())
        self.wait(self.https, (HOST,), root)
        serial = self.serial(self.https, HOST, root)
        self.pebble.running.stop()
        failed = f"no certificate for {HOST}"
        before = gateway.output.count(failed)
        # due after four days: tries fail, each puts off the next, and time is short but for the clock
        for count, ahead in enumerate(("4.1", "4.5", "5.0", "5.5"), 1):
            self.set(clock, ahead)
            gateway.says(failed, before + count)
            self.assertEqual(self.serial(self.https, HOST, root), serial)
        found = re.findall(rf"{re.escape(failed)} .*next try comes in (\d+) s", gateway.output)
        delays = [int(each) for each in found[before:]]
        for delay, least in zip(delays, (60, 180, 540, 1620), strict=True):
            self.assertTrue(least - 1 <= delay <= least * 1.25 + 1, delays)
        self.set(clock, "6.1")
        gateway.says(f"the certificate for {HOST} by certificates/pebble has ended on")
        gateway.says(failed, before + 5)
        self.assertEqual(self.serial(self.https, HOST, root), serial)
        self.pebble.start()
        self.set(clock, "6.4")
        self.wait(self.https, (HOST,), str(self.pebble.root()))
        self.assertEqual(gateway.output.count(failed), before + 5)

    def set(self, clock: Path, days: str) -> None:
        """Have time pass, at once."""
        new = clock.with_suffix(".new")
        new.write_text(days)
        new.rename(clock)

    def by(self, clock: Path) -> tuple[str, ...]:
        """Return what starts a program to which a file tells how many days its time of day is ahead."""
        clock.write_text("0")
        folder = self.folder / "ahead"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(AHEAD.format(clock=str(clock)))
        return "env", f"PYTHONPATH={os.pathsep.join([str(folder), ENVIRONMENT['PYTHONPATH']])}"
