"""Tests for the folder of certificates."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from edgegate.demo.certificates import DEFAULT_HOSTS, Unusable, file_name, fill

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


class FillTests(SynchronousTestCase):
    """What the folder holds after it was filled."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()) / "certs"

    def read(self, name: str) -> x509.Certificate:
        """Load a certificate."""
        return x509.load_pem_x509_certificate((self.folder / name).read_bytes())

    def content(self) -> dict[str, bytes]:
        """All files."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def refused(self, reason: str, **options: object) -> None:
        """Expect that the folder is not filled, and why."""
        error = self.assertRaises(Unusable, fill, self.folder, ["a.example"], now=NOW, **options)
        self.assertIn(reason, str(error))
        self.assertIn("--force", str(error))

    def test_files(self) -> None:
        """There is a pair for each of the chapter's hosts, the authority, a client and a stranger, and no more."""
        entries = fill(self.folder, now=NOW)
        pairs = [*DEFAULT_HOSTS, "ca", "client", "stranger"]
        expected = {f"{name}.{suffix}" for name in pairs for suffix in ("crt", "key")} | {"stranger-ca.crt"}
        self.assertEqual(set(self.content()), expected)
        self.assertEqual({entry.path.name for entry in entries}, {f"{name}.crt" for name in pairs})
        self.assertTrue(all(entry.made for entry in entries))

    def test_issuers(self) -> None:
        """Servers and the client are the authority's; the stranger is another's."""
        fill(self.folder, ["a.example"], now=NOW)
        for name in ("a.example.crt", "client.crt"):
            self.read(name).verify_directly_issued_by(self.read("ca.crt"))
        self.read("stranger.crt").verify_directly_issued_by(self.read("stranger-ca.crt"))
        self.assertNotEqual(self.read("stranger-ca.crt").subject, self.read("ca.crt").subject)

    def test_modes(self) -> None:
        """Only the owner can read a private key."""
        fill(self.folder, ["a.example"], now=NOW)
        for path in self.folder.glob("*.key"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_again(self) -> None:
        """A second time changes nothing."""
        fill(self.folder, ["a.example"], now=NOW)
        before = self.content()
        entries = fill(self.folder, ["a.example"], now=NOW + timedelta(days=300))
        self.assertEqual(self.content(), before)
        self.assertFalse(any(entry.made for entry in entries))

    def test_another_host(self) -> None:
        """A host that is added later gets its certificate from the authority that is there."""
        fill(self.folder, ["a.example"], now=NOW)
        entries = fill(self.folder, ["a.example", "*.B.example", "127.0.0.1"], now=NOW)
        made = [entry.path.name for entry in entries if entry.made]
        self.assertEqual(made, ["_wildcard.b.example.crt", "127.0.0.1.crt"])
        self.read("_wildcard.b.example.crt").verify_directly_issued_by(self.read("ca.crt"))

    def test_force(self) -> None:
        """Force replaces everything, and leaves a folder that is whole."""
        fill(self.folder, ["a.example"], now=NOW)
        before = self.content()
        entries = fill(self.folder, ["a.example"], force=True, now=NOW)
        self.assertTrue(all(entry.made for entry in entries))
        after = self.content()
        self.assertEqual(set(after), set(before))
        self.assertFalse([name for name in after if after[name] == before[name]])
        fill(self.folder, ["a.example"], now=NOW)

    def test_expired(self) -> None:
        """What is about to expire is made anew by the authority that is there."""
        fill(self.folder, ["a.example"], now=NOW - timedelta(days=396))
        before = self.content()
        entries = fill(self.folder, ["a.example"], now=NOW)
        made = {entry.path.name for entry in entries if entry.made}
        self.assertEqual(made, {"a.example.crt", "client.crt", "stranger.crt"})
        self.assertEqual(self.content()["ca.crt"], before["ca.crt"])
        self.read("a.example.crt").verify_directly_issued_by(self.read("ca.crt"))
        self.read("stranger.crt").verify_directly_issued_by(self.read("stranger-ca.crt"))
        self.assertFalse(any(entry.made for entry in fill(self.folder, ["a.example"], now=NOW)))

    def test_expired_authority(self) -> None:
        """An authority that has expired is not replaced unasked: clients may trust it."""
        fill(self.folder, ["a.example"], now=NOW - timedelta(days=3650))
        self.refused("expires on 2026-03-01 11:00 UTC")

    def test_someone_elses(self) -> None:
        """A certificate of another issuer under a host's name is not overwritten."""
        fill(self.folder, ["a.example"], now=NOW)
        (self.folder / "ca.crt").unlink()
        (self.folder / "ca.key").unlink()
        self.refused("it was not issued by ca.crt")

    def test_half_a_pair(self) -> None:
        """A key without its certificate is not overwritten."""
        fill(self.folder, ["a.example"], now=NOW)
        (self.folder / "a.example.crt").unlink()
        self.refused("a.example.key is there, but a.example.crt is not")

    def test_swapped_keys(self) -> None:
        """A key that is not the certificate's is found out."""
        fill(self.folder, ["a.example"], now=NOW)
        (self.folder / "client.key").write_bytes((self.folder / "ca.key").read_bytes())
        self.refused("the private key does not belong to the certificate")

    def test_not_a_certificate(self) -> None:
        """A file that holds something else is not overwritten."""
        fill(self.folder, ["a.example"], now=NOW)
        (self.folder / "ca.crt").write_text("hello")
        self.refused("no certificate found: it is not PEM")

    def test_stranger_without_authority(self) -> None:
        """The stranger and its authority belong together."""
        fill(self.folder, ["a.example"], now=NOW)
        (self.folder / "stranger-ca.crt").unlink()
        self.refused("only one of stranger.crt and stranger-ca.crt")


class FileNameTests(SynchronousTestCase):
    """Under what name a host's files are kept."""

    def test_names(self) -> None:
        """Names are kept in normal form."""
        self.assertEqual(file_name("A.Example."), "a.example")
        self.assertEqual(file_name("*.example"), "_wildcard.example")
        self.assertEqual(file_name("::1"), "::1")
        self.assertEqual(file_name("bücher.example"), "xn--bcher-kva.example")

    def test_refused(self) -> None:
        """What would leave the folder, hide in it or take another's place is no host."""
        for host in ("../a", "a/b", "", ".", "..", ".a", "*", "a.*", "ca", "CA", "client", "stranger-ca", "a b"):
            self.assertRaises(Unusable, file_name, host)
