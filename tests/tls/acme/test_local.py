"""Tests of L{edgegate.tls.acme.local}."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import KeyType, LocalAuthority, ManagedCertificate
from edgegate.model.tls import KeyPair
from edgegate.tls.acme.care import Care, kept
from edgegate.tls.acme.issuing import NotIssued
from edgegate.tls.acme.life import Step
from edgegate.tls.acme.local import LocalIssuing
from edgegate.tls.acme.redis_storage import RedisStorage
from edgegate.tls.acme.store import CertificateStore
from edgegate.tls.authority import Authority
from edgegate.tls.secrets import load_certificates, load_key_pair
from tests.tls.acme.certificates import managed
from tests.tls.acme.fake_redis import FakeRedis, place

NOW = 1_700_000_000.0
DAY = 86400.0
YEAR = 365 * DAY


class LocalIssuingTests(SynchronousTestCase):
    """What an authority of the gateway's own signs."""

    def setUp(self) -> None:
        self.now = NOW
        self.folder = Path(self.mktemp()).absolute()
        self.authority = LocalAuthority()

    def certificate(self, host: str = "localhost", kind: KeyType = KeyType.ECDSA_P256) -> ManagedCertificate:
        """Return a certificate that is to be signed."""
        found = managed(self.folder, host, kind)
        return replace(found, issuer=replace(found.issuer, authority=self.authority))

    def issue(self, host: str = "localhost", kind: KeyType = KeyType.ECDSA_P256) -> KeyPair:
        """Have one signed."""
        certificate = self.certificate(host, kind)
        return LocalIssuing(self.store, self.authority, lambda: self.now).issue(certificate)

    @property
    def store(self) -> CertificateStore:
        """What the folder is."""
        return CertificateStore(self.certificate().issuer)

    def root(self) -> x509.Certificate:
        """Return what clients trust."""
        found = self.store.root()
        assert found is not None
        return load_certificates(found.chain, "root")[0]

    def verify(self, pair: KeyPair, host: str) -> None:
        """See whether a client that trusts the root trusts a certificate."""
        time = datetime.fromtimestamp(self.now, timezone.utc)
        literal = host.strip("[]")
        name = x509.IPAddress(ip_address(literal)) if literal != "localhost" and ":" in host else x509.DNSName(host)
        policy = PolicyBuilder().store(Store([self.root()])).time(time)
        policy.build_server_verifier(name).verify(load_certificates(pair.chain, "leaf")[0], [])

    def test_signed(self) -> None:
        """Clients who trust the root trust it, for names, wildcards and addresses, with a key of the kind."""
        for host, asked in (("localhost", "localhost"), ("*.shop.localhost", "a.shop.localhost"), ("[::1]", "[::1]")):
            self.verify(self.issue(host), asked)
        pair = self.issue(kind=KeyType.RSA_2048)
        self.verify(pair, "localhost")
        self.assertEqual(load_key_pair(pair)[1].key_size, 2048)  # type: ignore[union-attr]
        self.assertNotEqual(self.issue().key, self.issue().key)

    def test_validity(self) -> None:
        """A certificate is valid as long as is said, from now on; clocks may differ by an hour."""
        self.authority = LocalAuthority(validity=DAY)
        leaf = load_certificates(self.issue().chain, "leaf")[0]
        self.assertEqual(leaf.not_valid_after_utc.timestamp(), NOW + DAY)
        self.assertEqual(leaf.not_valid_before_utc.timestamp(), NOW - 3600)

    def test_one_root(self) -> None:
        """It is made once, whoever comes at one time, with a key that nobody else may read."""
        self.now = NOW
        pairs: list[KeyPair] = []
        threads = [threading.Thread(target=lambda: pairs.append(self.issue())) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        self.assertEqual(len(pairs), 8)
        for pair in pairs:
            self.verify(pair, "localhost")
        for path in self.folder.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
        public = (self.folder / "local" / "ca.pem").read_bytes()
        self.assertEqual(load_certificates(public, "ca"), (self.root(),))
        self.assertNotIn(b"KEY", public)

    def test_root_limits(self) -> None:
        """The root bears its name, lives for years, and lets no other authority be put below it."""
        self.authority = LocalAuthority("R&D")
        self.issue()
        root = self.root()
        self.assertEqual(root.subject.rfc4514_string(), "CN=R&D")
        self.assertGreater(root.not_valid_after_utc.timestamp(), NOW + 9 * YEAR)
        self.assertEqual(root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length, 0)

    def test_names_apart(self) -> None:
        """Another name is another authority."""
        self.issue()
        first = self.root()
        self.authority = LocalAuthority("another")
        self.issue()
        self.assertNotEqual(self.root(), first)
        self.authority = LocalAuthority()
        self.issue()
        self.assertEqual(self.root(), first)

    def test_root_ends(self) -> None:
        """A root that would end before what it signs is replaced, and clients have to trust another one."""
        self.issue()
        first = self.root()
        self.now = first.not_valid_after_utc.timestamp() - 8 * DAY
        self.issue()
        self.assertEqual(self.root(), first)
        self.now += 2 * DAY
        self.verify(self.issue(), "localhost")
        self.assertNotEqual(self.root(), first)

    def test_broken_root(self) -> None:
        """What can't sign is told, and stays: a new root would be trusted by nobody."""
        self.issue()
        (path,) = self.folder.rglob("root.pem")
        stranger = Authority.new("other").server(["localhost"])
        for content in (b"", b"nonsense", path.read_bytes().partition(b"-----BEGIN CERT")[0]):
            path.write_bytes(content)
            self.assertRaises(NotIssued, self.issue)
            self.assertEqual(path.read_bytes(), content)
        path.write_bytes(stranger.key_pem + stranger.chain_pem)
        self.assertIn("is no authority's", str(self.assertRaises(NotIssued, self.issue)))

    def test_redis(self) -> None:
        """Gateways that share nothing but a Redis have one root, too."""
        redis = FakeRedis()
        issuer = self.certificate().issuer
        pairs, roots = [], set()
        for _ in range(2):
            store = CertificateStore(issuer, RedisStorage(place(), redis))
            pairs.append(LocalIssuing(store, self.authority, lambda: self.now).issue(self.certificate()))
            root = store.root()
            assert root is not None
            roots.add(root.chain)
        self.assertEqual(len(roots), 1)
        self.assertNotEqual(*pairs)

    def test_no_window(self) -> None:
        """It suggests no time for renewals."""
        self.assertIsNone(LocalIssuing(self.store, self.authority).window(self.issue()))

    def test_cared_for(self) -> None:
        """It is renewed at two thirds of its life, by whoever looks after it, and nothing fails meanwhile."""
        certificate = self.certificate()
        care = Care(certificate, lambda: self.now)
        first = care.do()
        assert first is not None and first.pair is not None
        self.assertEqual((first.record.failures, first.record.error), (0, ""))
        renewals = 0
        end = self.now + 30 * DAY
        while self.now < end:
            found, action = care.look()
            assert found.pair is not None
            self.verify(found.pair, "localhost")
            if action.step is Step.WAIT:
                self.now = action.at
                continue
            renewals += action.step is Step.ISSUE
            done = care.do()
            assert done is not None
        self.assertIn(renewals, range(5, 9))
        self.assertNotEqual(kept(self.store, certificate).pair, first.pair)

    def test_shortest(self) -> None:
        """Certificates of an hour are renewed in time as well."""
        self.authority = LocalAuthority(validity=3600.0)
        care = Care(self.certificate(), lambda: self.now)
        end = self.now + DAY
        issued = 0
        while self.now < end:
            found, action = care.look()
            if found.pair is not None:
                self.verify(found.pair, "localhost")
            if action.step is Step.WAIT:
                self.now = action.at
            else:
                issued += action.step is Step.ISSUE
                care.do()
        self.assertLess(issued, 24 * 6)
        leaf_life = timedelta(hours=2)
        leaf = load_certificates(self.issue().chain, "leaf")[0]
        self.assertEqual(leaf.not_valid_after_utc - leaf.not_valid_before_utc, leaf_life)
