"""Tests for the folder of certificates."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.trial.unittest import SynchronousTestCase

from edgegate.demo.certificates import DEMO_SERVERS, Unusable, file_name, fill

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
        error = self.assertRaises(Unusable, fill, self.folder, ["a.example"], demo=True, now=NOW, **options)
        self.assertIn(reason, str(error))
        self.assertIn("--force", str(error))

    def test_files(self) -> None:
        """There is a pair for each of the chapter's hosts, the authority, a client and a stranger, and no more."""
        entries = fill(self.folder, demo=True, now=NOW)
        pairs = [*DEMO_SERVERS, "ca", "client", "stranger"]
        expected = {f"{name}.{suffix}" for name in pairs for suffix in ("crt", "key")} | {"stranger-ca.crt"}
        self.assertEqual(set(self.content()), expected)
        self.assertEqual({entry.path.name for entry in entries}, {f"{name}.crt" for name in pairs})
        self.assertTrue(all(entry.made for entry in entries))

    def test_issuers(self) -> None:
        """Servers and the client are the authority's; the stranger is another's."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        for name in ("a.example.crt", "client.crt"):
            self.read(name).verify_directly_issued_by(self.read("ca.crt"))
        self.read("stranger.crt").verify_directly_issued_by(self.read("stranger-ca.crt"))
        self.assertNotEqual(self.read("stranger-ca.crt").subject, self.read("ca.crt").subject)

    def test_modes(self) -> None:
        """Only the owner can read a private key."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        for path in self.folder.glob("*.key"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_again(self) -> None:
        """A second time changes nothing."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        before = self.content()
        entries = fill(self.folder, ["a.example"], demo=True, now=NOW + timedelta(days=300))
        self.assertEqual(self.content(), before)
        self.assertFalse(any(entry.made for entry in entries))

    def test_another_host(self) -> None:
        """A host that is added later gets its certificate from the authority that is there."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        entries = fill(self.folder, ["a.example", "*.B.example", "127.0.0.1"], demo=True, now=NOW)
        made = [entry.path.name for entry in entries if entry.made]
        self.assertEqual(made, ["_wildcard.b.example.crt", "127.0.0.1.crt"])
        self.read("_wildcard.b.example.crt").verify_directly_issued_by(self.read("ca.crt"))

    def test_force(self) -> None:
        """Force replaces everything, and leaves a folder that is whole."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        before = self.content()
        entries = fill(self.folder, ["a.example"], demo=True, force=True, now=NOW)
        self.assertTrue(all(entry.made for entry in entries))
        after = self.content()
        self.assertEqual(set(after), set(before))
        self.assertFalse([name for name in after if after[name] == before[name]])
        fill(self.folder, ["a.example"], demo=True, now=NOW)

    def test_expired(self) -> None:
        """What is about to expire is made anew by the authority that is there."""
        fill(self.folder, ["a.example"], demo=True, now=NOW - timedelta(days=396))
        before = self.content()
        entries = fill(self.folder, ["a.example"], demo=True, now=NOW)
        made = {entry.path.name for entry in entries if entry.made}
        self.assertEqual(made, {f"{name}.crt" for name in ("a.example", *DEMO_SERVERS, "client", "stranger")})
        self.assertEqual(self.content()["ca.crt"], before["ca.crt"])
        self.read("a.example.crt").verify_directly_issued_by(self.read("ca.crt"))
        self.read("stranger.crt").verify_directly_issued_by(self.read("stranger-ca.crt"))
        self.assertFalse(any(entry.made for entry in fill(self.folder, ["a.example"], demo=True, now=NOW)))

    def test_expired_authority(self) -> None:
        """An authority that has expired is not replaced unasked: clients may trust it."""
        fill(self.folder, ["a.example"], demo=True, now=NOW - timedelta(days=3650))
        self.refused("expires on 2026-03-01 11:00 UTC")

    def test_own(self) -> None:
        """Without the demo there is what was asked for, and its authority; a client is one."""
        fill(self.folder, ["a.example,*.A.example,127.0.0.1,a.example"], ["alice"], now=NOW)
        pairs = ("ca", "a.example", "alice")
        self.assertEqual(set(self.content()), {f"{name}.{suffix}" for name in pairs for suffix in ("crt", "key")})
        names = self.read("a.example.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["a.example", "*.a.example"])
        self.assertEqual([str(each) for each in names.get_values_for_type(x509.IPAddress)], ["127.0.0.1"])
        usage = self.read("alice.crt").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual(list(usage), [ExtendedKeyUsageOID.CLIENT_AUTH])

    def test_other_names(self) -> None:
        """A certificate that is to have other names, or to be a client's, is made anew; in another order it is kept."""
        fill(self.folder, ["a.example,c.example,b.example"], now=NOW)
        for servers, clients, made in (
            (["a.example,b.example,c.example"], [], False),
            (["a.example"], [], True),
            ([], ["a.example"], True),
        ):
            entry = fill(self.folder, servers, clients, now=NOW)[-1]
            self.assertEqual((entry.path.name, entry.made), ("a.example.crt", made), servers)

    def test_same_file(self) -> None:
        """Two certificates can't have one file; who wants several names in one is told how."""
        for servers, clients in ((["a.example", "a.example,b.example"], []), (["alice"], ["alice"])):
            error = self.assertRaises(Unusable, fill, self.folder, servers, clients)
            self.assertIn("would be called", str(error))
        self.assertFalse(self.folder.exists())

    def test_someone_elses(self) -> None:
        """A certificate of another issuer under a host's name is not overwritten."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        (self.folder / "ca.crt").unlink()
        (self.folder / "ca.key").unlink()
        self.refused("it was not issued by ca.crt")

    def test_half_a_pair(self) -> None:
        """A key without its certificate is not overwritten."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        (self.folder / "a.example.crt").unlink()
        self.refused("a.example.key is there, but a.example.crt is not")

    def test_swapped_keys(self) -> None:
        """A key that is not the certificate's is found out."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        (self.folder / "client.key").write_bytes((self.folder / "ca.key").read_bytes())
        self.refused("the private key does not belong to the certificate")

    def test_not_a_certificate(self) -> None:
        """A file that holds something else is not overwritten."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
        (self.folder / "ca.crt").write_text("hello")
        self.refused("no certificate found: it is not PEM")

    def test_stranger_without_authority(self) -> None:
        """The stranger and its authority belong together."""
        fill(self.folder, ["a.example"], demo=True, now=NOW)
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
        for host in ("../a", "a/b", "", ".", "..", ".a", "*", "a.*", "ca", "CA", "stranger", "stranger-ca", "a b"):
            self.assertRaises(Unusable, file_name, host)
