"""Tests of L{edgegate.cli.managed_certificates}."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from click import ClickException
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.managed_certificates import LONGEST_WAIT, check_user, chosen, managed_certificates, once_free, time_of
from edgegate.model.certificates import CertificateDirectory
from edgegate.tls.acme.care import LOOK
from tests.istio.translate.test_certificates import GATEWAY, ISSUER


class ManagedCertificatesTests(SynchronousTestCase):
    """Certificates as files have them."""

    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "gw.yaml").write_text(ISSUER + GATEWAY)
        self.found = managed_certificates(str(folder), {}, None, "nothing is done")

    def test_found(self) -> None:
        """All that are issued, by their hosts."""
        self.assertEqual([each.host for each in self.found], ["a.example.com", "b.example.com"])

    def test_chosen(self) -> None:
        """Hosts are found however they are written; for those that have none there is an error that names them."""
        self.assertEqual(chosen(self.found, ["B.Example.com."]), self.found[1:])
        error = self.assertRaises(ClickException, chosen, self.found, ["a.example.com", "x.example.com"])
        self.assertTrue(error.message.startswith("x.example.com: "), error.message)
        own = replace(self.found[0], host="xn--bcher-kva.example")
        self.assertEqual(chosen([own], ["bücher.example"]), [own])
        self.assertRaises(ClickException, chosen, [own], ["a..b"])

    def test_user(self) -> None:
        """The superuser does not write into another user's storage; whoever else it is finds out by itself."""
        storage = self.found[0].issuer.storage
        assert isinstance(storage, CertificateDirectory)
        directory = Path(storage.path)
        check_user(self.found, lambda: 0)  # it is not there yet
        directory.mkdir()
        check_user(self.found)
        if os.geteuid() == 0:
            os.chown(directory, 12345, -1)
        owner = directory.stat().st_uid
        error = self.assertRaises(ClickException, check_user, self.found, lambda: 0)
        self.assertIn(f"sudo -u '#{owner}'", error.message)

    def test_once_free(self) -> None:
        """Who waits for another process says so once, and waits for so long at most."""
        now, told = 0.0, []

        def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds

        answers = [None, None, "done"]
        self.assertEqual(once_free(lambda: answers.pop(0), lambda: told.append(1), lambda: now, sleep), "done")
        self.assertEqual((told, now), ([1], 2 * LOOK))
        self.assertIsNone(once_free(lambda: None, lambda: None, lambda: now, sleep))
        self.assertTrue(LONGEST_WAIT <= now <= LONGEST_WAIT + 5 * LOOK, now)

    def test_time(self) -> None:
        """Times are of the world's clock, to the minute."""
        self.assertEqual(time_of(1_700_000_000.0), "2023-11-14 22:13 UTC")
