"""Tests of L{edgegate.tls.acme.store}."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import ACMEAuthority, ExternalAccount, KeyType, LocalAuthority
from edgegate.tls.acme.life import Record
from edgegate.tls.acme.locks import Lock, LockLost
from edgegate.tls.acme.store import Account, CertificateStore, challenge_answer, hello_name
from tests.tls.acme.certificates import made, managed

TOKEN = "abcdefghijklmnopqrstuvwxyz"


class LosesLocks:
    """A storage in memory, whose locks get lost."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self.lost: set[str] = set()

    def read(self, name: str) -> bytes | None:
        """Return it."""
        return self.entries.get(name)

    def write(self, name: str, content: bytes, lock: Lock | None = None) -> None:
        """Keep it, unless the lock is lost."""
        if lock is not None and lock.name in self.lost:
            raise LockLost("lost")
        self.entries[name] = content

    def stamps(self, names: Sequence[str]) -> list[str | None]:
        """Not needed."""
        return [None for _ in names]

    @contextmanager
    def lock(self, name: str, wait: bool) -> Iterator[Lock | None]:
        """There is always one."""
        yield Lock(name, "token")

    @contextmanager
    def shown(self, name: str, content: bytes) -> Iterator[None]:
        """Not needed."""
        yield


class StoreTests(SynchronousTestCase):
    """What is kept in a directory."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute() / "deep" / "store"
        self.certificate = managed(self.folder)
        self.store = CertificateStore(self.certificate.issuer)
        self.storage = self.certificate.issuer.storage

    def test_nothing_yet(self) -> None:
        """A directory that is not there holds nothing, and is not made by who only looks."""
        store, certificate = self.store, self.certificate
        found = store.pair(certificate), store.record(certificate), self.stamp(), store.account()
        self.assertEqual(found, (None, Record(), None, None))
        self.assertIsNone(challenge_answer(self.storage, TOKEN))
        self.assertFalse(self.folder.exists())

    def stamp(self) -> str | None:
        """Return the stamp of the certificate."""
        (found,) = self.store.storage.stamps([self.store.name(self.certificate)])
        return found

    def test_kept(self) -> None:
        """A certificate, its key and what is known of it are what they were."""
        store, certificate = self.store, self.certificate
        pair = made(certificate, 0, 10**9)
        store.put_pair(certificate, pair.key, pair.chain)
        record = Record(1.0, 2.0, (3.0, 4.0), 3.5, 9.0, 2, 7.0, "Grüße", 8.0, True)
        store.put_record(certificate, record)
        self.assertEqual(store.pair(certificate), pair)
        self.assertEqual(store.record(certificate), record)
        before = self.stamp()
        other = made(certificate, 0, 10**9)
        store.put_pair(certificate, other.key, other.chain)
        self.assertEqual(store.pair(certificate), other)
        self.assertNotEqual(self.stamp(), before)
        store.put_account(Account(b"key", "https://ca.example/1"))
        self.assertEqual(store.account(), Account(b"key", "https://ca.example/1"))
        self.assertNotIn("key", repr(store.account()).replace("key=", ""))

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
            managed(self.folder, "*.example.com"),
            managed(self.folder, "wildcard.example.com"),
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
        self.assertFalse([each for each in self.folder.rglob("*") if "*" in each.name])
        self.store.put_account(Account(b"one"))
        assert isinstance(issuer.authority, ACMEAuthority)
        for other in (
            replace(issuer.authority, email="a@b.example"),
            replace(issuer.authority, external_account=ExternalAccount("a", "b")),
        ):
            self.assertIsNone(CertificateStore(replace(issuer, authority=other)).account())

    def test_broken_account(self) -> None:
        """What is no name of an account is as if it had none yet: the authority tells it by the key."""
        for url in ("", "x", "\ufffd", "https://ca.example/\n1", "https://ca.example/é", "http://ca.example/1"):
            self.store.put_account(Account(b"key", url))
            self.assertEqual(self.store.account(), Account(b"key"), url)

    def test_broken_record(self) -> None:
        """What is no record is as if nothing were known; a certificate without a key is none."""
        self.store.put_record(self.certificate, Record())
        (path,) = self.folder.rglob("*.state")
        sound = path.read_text()
        never = [sound.replace('"not_before": 0.0', f'"not_before": {each}') for each in ("NaN", "Infinity", "1e999")]
        broken = ["", "{", "[]", "{}", '{"begin": "x"}', "1e999", '{"begin": [], "window": 1}', "[" * 100_000, *never]
        for text in broken:
            path.write_text(text)
            self.assertEqual(self.store.record(self.certificate), Record(), text[:100])
        path.write_text(sound.replace(', "revoked": false', "").replace(', "issued_at": 0.0', ""))
        self.assertEqual(self.store.record(self.certificate), Record())
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
        """An answer is there as long as it is asked for, for tokens only."""
        with self.store.challenge(TOKEN, f"{TOKEN}.x"):
            self.assertEqual(challenge_answer(self.storage, TOKEN), f"{TOKEN}.x".encode())
        self.assertIsNone(challenge_answer(self.storage, TOKEN))
        for token in ("../../../etc/passwd", "a/b" * 10, "short", "x" * 300, "a" * 20 + "\n"):
            with self.assertRaises(ValueError), self.store.challenge(token, "x"):
                pass
            self.assertIsNone(challenge_answer(self.storage, token))

    def test_hello_challenges(self) -> None:
        """An answer to ClientHellos is found by its host, beside those that are found by tokens."""
        long = ".".join(["a" * 60] * 4)
        names = [hello_name(host) for host in ("a.example.com", "localhost", "_a.example.com", long, long[:-1] + "b")]
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            with self.store.challenge(TOKEN, "a"), self.store.challenge(name, "b"):
                self.assertEqual(challenge_answer(self.storage, name), b"b")
            self.assertIsNone(challenge_answer(self.storage, name))

    def test_lock_lost(self) -> None:
        """What is written while a lock is held is written only as long as it is; what is, without one, always is."""
        storage = LosesLocks()
        store, certificate = CertificateStore(self.certificate.issuer, storage), self.certificate
        store.put_record(certificate, Record())
        with store.lock(certificate), store.account_lock():
            store.put_record(certificate, Record(failures=1))
            storage.lost.add(store.name(certificate, "lock"))
            store.put_account(Account(b"key"))
            self.assertRaises(LockLost, store.put_pair, certificate, b"key", b"chain")
            self.assertRaises(LockLost, store.put_record, certificate, Record())
        self.assertEqual(store.record(certificate).failures, 1)
        store.put_record(certificate, Record())
        self.assertEqual(store.record(certificate).failures, 0)

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
