"""Tests of L{edgegate.istio.translate.certificate_storage}."""

from __future__ import annotations

import base64

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Severity
from edgegate.istio.translate import Finding, Part
from edgegate.istio.translate.certificate_storage import encryption_keys
from edgegate.istio.translate.compile_options import CompileOptions, InspectUpstream, inspect_no_upstream
from edgegate.model.certificates import CertificateRedis, CertificateStorage
from edgegate.model.redis import RedisServer, RedisTLS
from edgegate.model.tls import UpstreamTLS
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Files, decoded
from tests.istio.translate.test_certificates import GATEWAY, ISSUER

KEY, OTHER = bytes(range(32)), b"\xff\xfe" * 16
TEXT = base64.b64encode(KEY)


class CertificateStorageTests(SynchronousTestCase):
    """Where it is that certificates are kept."""

    def compile(
        self, storage: str, more: str = "", inspect: InspectUpstream = inspect_no_upstream, **files: bytes
    ) -> tuple[list[CertificateStorage], list[str]]:
        """Return the storages of what is issued, and what is told but of routes."""
        text = ISSUER.replace("storage: {directory: certs}", f"storage: {storage}") + GATEWAY + more
        resources, problems = decoded(text)
        options = CompileOptions(read_file=Files(files), inspect_upstream=inspect, locate=lambda name: f"/etc/{name}")
        found = compile_resources(resources, options, problems).snapshot.certificates
        told = [f"{each.line} {each.message}" for each in problems if "VirtualService" not in each.message]
        return list(dict.fromkeys(each.issuer.storage for each in found)), told

    def test_redis(self) -> None:
        """A Redis with all that it may have; the keys are in it, and never shown."""
        found, told = self.compile(
            "{redis: {address: 'redis.example:6379', db: 2, username: u, passwordFile: pw, tls: {caFile: ca}, "
            "keyPrefix: mine, encryptionKey: {file: key}}}",
            pw=b"pw",
            ca=b"ca",
            key=b"# new\n" + base64.urlsafe_b64encode(OTHER) + b"\n\n" + TEXT,
        )
        self.assertEqual(told, [])
        server = RedisServer("redis.example", 6379, 2, "u", "/etc/pw", RedisTLS("redis.example", "/etc/ca"))
        self.assertEqual(found, [CertificateRedis(server, "mine", (OTHER, KEY))])
        self.assertNotIn("xff", repr(found))

    def test_authorities_that_are_none(self) -> None:
        """Authorities by which a Redis is trusted are looked at before it is asked."""

        def inspect(tls: UpstreamTLS, pair: object) -> list[Finding]:
            self.assertEqual((tls.authorities, pair), (b"ca", None))
            return [Finding(Severity.ERROR, Part.AUTHORITIES, "certificate 1 can't be read")]

        storage = "{redis: {address: 'r:1', tls: {caFile: ca}, encryptionKey: {file: key}}}"
        _, told = self.compile(storage, inspect=inspect, ca=b"ca", key=TEXT)
        self.assertEqual(told, ["6 ca: certificate 1 can't be read"])

    def test_secret(self) -> None:
        """A Secret has the key in its entry."""
        secret = f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: k}}\nstringData: {{key: {TEXT.decode()}}}\n"
        found, told = self.compile("{redis: {address: 'r:1', encryptionKey: {secretName: k}}}", secret)
        self.assertEqual(told, [])
        self.assertEqual(found, [CertificateRedis(RedisServer("r", 1), "edgegate-certificates", (KEY,))])

    def test_wrong(self) -> None:
        """A key that is not there, or none, is told with its place."""
        storage = "{redis: {address: 'r:1', encryptionKey: {file: key}}}"
        for content, words in (
            (None, "can't be read: No such file"),
            (b"# none\n", "key: it holds no keys"),
            (TEXT + b"\npassword\n", "key: line 2 is no key of 32 bytes in base64"),
        ):
            found, told = self.compile(storage, **({} if content is None else {"key": content}))
            self.assertEqual((found, len(told)), ([], 1), told)
            self.assertIn(words, told[0])
            self.assertNotIn("password", told[0])

    def test_keys(self) -> None:
        """Keys are 32 bytes, one at least and not too many."""
        self.assertEqual(encryption_keys(b" " + TEXT + b"\r\n"), (KEY,))
        for content in (b"", TEXT[:-4], TEXT + TEXT, b"\xff" * 44, (TEXT + b"\n") * 9, b"=" * 44):
            self.assertRaises(ValueError, encryption_keys, content)
