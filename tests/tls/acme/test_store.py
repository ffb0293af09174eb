"""Tests of L{edgegate.tls.acme.store}."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ACMEAuthority, ExternalAccount, KeyType, LocalAuthority
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.store import OLD_CHALLENGE, Account, CertificateStore, challenge_answer, hello_name
from tests.tls.acme.certificates import made, managed

TOKEN = "abcdefghijklmnopqrstuvwxyz"


class StoreTests(SynchronousTestCase):
    """What is kept in a directory."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute() / "deep" / "store"
        self.certificate = managed(self.folder)
        self.store = CertificateStore(self.certificate.issuer)

    def test_nothing_yet(self) -> None:
        """A directory that is not there holds nothing, and is not made by who only looks."""
        store, certificate = self.store, self.certificate
        found = store.pair(certificate), store.record(certificate), store.stamp(certificate), store.account()
        self.assertEqual(found, (None, Record(), None, None))
        self.assertIsNone(challenge_answer(str(self.folder), TOKEN))
        self.assertFalse(self.folder.exists())

    def test_kept(self) -> None:
        """A certificate, its key and what is known of it are what they were."""
        store, certificate = self.store, self.certificate
        pair = made(certificate, 0, 10**9)
        store.put_pair(certificate, pair.key, pair.chain)
        record = Record(1.0, 2.0, (3.0, 4.0), 3.5, 9.0, 2, 7.0, "Grüße")
        store.put_record(certificate, record)
        self.assertEqual(store.pair(certificate), pair)
        self.assertEqual(store.record(certificate), record)
        before = store.stamp(certificate)
        other = made(certificate, 0, 10**9)
        store.put_pair(certificate, other.key, other.chain)
        self.assertEqual(store.pair(certificate), other)
        self.assertNotEqual(store.stamp(certificate), before)
        store.put_account(Account(b"key", "https://ca.example/1"))
        self.assertEqual(store.account(), Account(b"key", "https://ca.example/1"))

    def test_modes(self) -> None:
        """Nothing that is made can be read by others, whatever the umask."""
        before = os.umask(0)
        try:
            self.store.put_pair(self.certificate, b"key", b"chain")
            self.store.put_record(self.certificate, Record())
            self.store.put_account(Account(b"key"))
            with self.store.lock(self.certificate), self.store.account_lock(), self.store.challenge(TOKEN, "a"):
                self.look_at_modes()
        finally:
            os.umask(before)

    def look_at_modes(self) -> None:
        """Check those of all files."""
        found = [self.folder, *self.folder.rglob("*")]
        self.assertGreater(len(found), 8)
        for each in found:
            mode = stat.S_IMODE(each.stat().st_mode)
            self.assertEqual(oct(mode), oct(0o700 if each.is_dir() else 0o600), each)

    def test_apart(self) -> None:
        """Hosts, kinds of keys, authorities and accounts are told apart; hosts of any length have a file."""
        long = ".".join(["a" * 60] * 4)
        issuer = self.certificate.issuer
        others = [
            managed(self.folder, "b.example.com"),
            managed(self.folder, kind=KeyType.RSA_2048),
            managed(self.folder, long),
            managed(self.folder, long[:-1] + "b"),
            replace(self.certificate, issuer=replace(issuer, authority=ACMEAuthority("https://ca.example/other"))),
            *(
                replace(self.certificate, issuer=replace(issuer, authority=each))
                for each in (LocalAuthority(), LocalAuthority("../a"), LocalAuthority("../A"), LocalAuthority("local"))
            ),
        ]
        for number, each in enumerate((self.certificate, *others)):
            CertificateStore(each.issuer).put_record(each, Record(failures=number))
        for number, each in enumerate((self.certificate, *others)):
            self.assertEqual(CertificateStore(each.issuer).record(each).failures, number)
        self.store.put_account(Account(b"one"))
        assert isinstance(issuer.authority, ACMEAuthority)
        for other in (
            replace(issuer.authority, email="a@b.example"),
            replace(issuer.authority, external_account=ExternalAccount("a", "b")),
        ):
            self.assertIsNone(CertificateStore(replace(issuer, authority=other)).account())

    def test_broken_record(self) -> None:
        """What is no record is as if nothing were known; a certificate without a key is none."""
        self.store.put_record(self.certificate, Record())
        (path,) = self.folder.rglob("*.state")
        for text in ("", "{", "[]", "{}", '{"begin": "x"}', "1e999", '{"begin": [], "window": 1}'):
            path.write_text(text)
            self.assertEqual(self.store.record(self.certificate), Record(), text)
        path.with_suffix(".pem").write_text("-----BEGIN CERTIFICATE-----\n")
        self.assertIsNone(self.store.pair(self.certificate))

    def test_lock(self) -> None:
        """One holds it, whichever process or thread; it is free again afterwards, also after an error."""
        other = CertificateStore(self.certificate.issuer)
        with self.store.lock(self.certificate) as ours, other.lock(self.certificate) as theirs:
            self.assertEqual((ours, theirs), (True, False))
            with other.lock(managed(self.folder, "b.example.com")) as another:
                self.assertTrue(another)
        with self.assertRaises(ZeroDivisionError), self.store.lock(self.certificate):
            raise ZeroDivisionError
        with other.lock(self.certificate) as theirs:
            self.assertTrue(theirs)

    def test_account_lock(self) -> None:
        """Whoever wants to make the account waits for who is at it."""
        order: list[str] = []

        def second() -> None:
            with CertificateStore(self.certificate.issuer).account_lock():
                order.append("second")

        thread = threading.Thread(target=second)
        with self.store.account_lock():
            thread.start()
            order.append("first")
        thread.join(10)
        self.assertEqual(order, ["first", "second"])

    def test_challenges(self) -> None:
        """An answer is there as long as it is asked for, for tokens only, and what was left behind goes."""
        with self.store.challenge(TOKEN, f"{TOKEN}.x"):
            self.assertEqual(challenge_answer(str(self.folder), TOKEN), f"{TOKEN}.x".encode())
            left = self.folder / "challenges" / ("b" * 30)
            left.write_text("b")
            os.utime(left, (1, 1))
            with self.store.challenge("c" * 30, "c"):
                self.assertFalse(left.exists())
        self.assertIsNone(challenge_answer(str(self.folder), TOKEN))
        self.assertGreater(OLD_CHALLENGE, 3600)
        for token in ("../../../etc/passwd", "a/b" * 10, "short", "x" * 300, "a" * 20 + "\n"):
            with self.assertRaises(ValueError), self.store.challenge(token, "x"):
                pass
            self.assertIsNone(challenge_answer(str(self.folder), token))

    def test_hello_challenges(self) -> None:
        """An answer to ClientHellos is found by its host, beside those that are found by tokens."""
        long = ".".join(["a" * 60] * 4)
        names = [hello_name(host) for host in ("a.example.com", "localhost", "_a.example.com", long, long[:-1] + "b")]
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            with self.store.challenge(TOKEN, "a"), self.store.challenge(name, "b"):
                self.assertEqual(challenge_answer(str(self.folder), name), b"b")
            self.assertIsNone(challenge_answer(str(self.folder), name))

    def test_no_links(self) -> None:
        """A link that somebody has put there is not followed when a lock is taken."""
        with self.store.lock(self.certificate):
            pass
        (lock,) = self.folder.rglob("*.lock")
        target = self.folder / "target"
        lock.unlink()
        lock.symlink_to(target)
        with self.assertRaises(OSError), self.store.lock(self.certificate):
            pass
        self.assertFalse(target.exists())

    def test_cannot_write(self) -> None:
        """Where nothing can be written what is there stays, and nothing is left behind."""
        self.store.put_record(self.certificate, Record(failures=1))
        (path,) = self.folder.rglob("*.state")
        pem = path.with_suffix(".pem")
        pem.mkdir()
        self.assertRaises(OSError, self.store.put_pair, self.certificate, b"key", b"chain")
        self.assertEqual(sorted(each.name for each in path.parent.iterdir()), sorted([path.name, pem.name]))

    def test_authorities(self) -> None:
        """Authorities that are trusted are a file meanwhile; without such there is none."""
        with self.store.authorities() as name:
            self.assertIsNone(name)
        store = CertificateStore(
            replace(self.certificate.issuer, authority=ACMEAuthority("https://ca.example/dir", authorities=b"pem"))
        )
        with store.authorities() as name:
            assert name is not None
            self.assertEqual(Path(name).read_bytes(), b"pem")
        self.assertFalse(Path(name).exists())
