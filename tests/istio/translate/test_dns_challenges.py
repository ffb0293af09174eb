"""Tests of L{edgegate.istio.translate.dns_challenges}."""

from __future__ import annotations

from edgegate.istio.translate.dns_challenges import tsig_secret
from edgegate.model.certificates import (
    ACMEAuthority,
    ChallengeKind,
    DNSChallenges,
    DynamicUpdates,
    HookCommand,
    TSIGAlgorithm,
    TSIGKey,
)
from tests.istio.translate.test_certificates import GATEWAY, ISSUER, SECRET, IssuersTestCase

UPDATES = '{rfc2136: {server: "ns.example.com:5353", tsig: {keyName: Edge_Gate, key: {file: tsig}}}}'


class DNSChallengesTests(IssuersTestCase):
    """How issuers answer DNS-01."""

    def found(self, dns01: str, more: str = "", **files: bytes) -> tuple[DNSChallenges | None, list[str]]:
        """Return what an issuer's value says, and what is told."""
        text = ISSUER.replace("true}", f"true, challenges: [DNS-01], dns01: {dns01}}}") + GATEWAY + more
        snapshot, told = self.compile(text, **files)
        authorities = {each.issuer.authority for each in snapshot.certificates}
        if not authorities:
            return None, told
        (authority,) = authorities
        assert isinstance(authority, ACMEAuthority)
        self.assertEqual(authority.challenges, (ChallengeKind.DNS_01,))
        return authority.dns, told

    def test_updates(self) -> None:
        """A name server, with all that is said of it, and a key from a file or a Secret."""
        plain = DynamicUpdates("ns.example.com", 5353, key=TSIGKey("edge_gate", b"secret"))
        self.assertEqual(self.found(UPDATES, tsig=b"c2Vj\ncmV0\n"), (DNSChallenges(plain), []))
        dns01 = (
            "{rfc2136: {server: 192.0.2.1, zone: Example.com, ttl: 5, "
            "tsig: {keyName: k, algorithm: hmac-sha512, key: {secretName: t}}}, propagationTimeout: 1m}"
        )
        secret = SECRET.replace("name: shop", "name: t").replace("tls.crt: a, tls.key: b", "key: c2VjcmV0")
        key = TSIGKey("k", b"secret", TSIGAlgorithm.HMAC_SHA512)
        found, told = self.found(dns01, secret)
        self.assertEqual(told, [])
        self.assertEqual(found, DNSChallenges(DynamicUpdates("192.0.2.1", 53, "example.com", 5, key), 60.0))
        self.assertNotIn("secret", repr(found).lower())
        unsigned, _ = self.found("{rfc2136: {server: ns.example.com}}")
        self.assertEqual(unsigned, DNSChallenges(DynamicUpdates("ns.example.com")))

    def test_key(self) -> None:
        """A key that is none keeps the issuer out, and is told at its place."""
        for content in (b"", b"not base64!", b"\xff", b"a"):
            found, told = self.found(UPDATES, tsig=content)
            self.assertIsNone(found)
            self.assertTrue(any("tsig is no key in base64" in each and each.startswith("5 ") for each in told), told)
        self.assertTrue(any("can't be read" in each for each in self.found(UPDATES)[1]))

    def test_settings_of_a_key(self) -> None:
        """A file may be what the tools of name servers write of one key."""
        bind = b'key "k" {\n\talgorithm hmac-sha256;\n\tsecret "c2Vjcg/+MA==";\n};\n'
        knot = b"# hmac-sha256:k:c2Vjcg/+MA==\nkey:\n- id: k\n  algorithm: hmac-sha256\n  secret: c2Vjcg/+MA==\n"
        for content, secret in (
            (bind, b"secr\x0f\xfe0"),
            (knot, b"secr\x0f\xfe0"),
            (b"c2Vjcg/+\nMA==", b"secr\x0f\xfe0"),
            (bind + bind, b""),
            (b'secret "x";', b""),
            (b"not a key", b""),
        ):
            self.assertEqual(tsig_secret(content), secret, content)

    def test_command(self) -> None:
        """A program that is a path is relative to the folder; its arguments are as they are."""
        found, _ = self.found("{command: [bin/hook, a/b, '*'], commandTimeout: 5s, propagationTimeout: 0s}")
        self.assertEqual(found, DNSChallenges(HookCommand(("/etc/bin/hook", "a/b", "*"), 5.0), 0.0))
        self.assertEqual(self.found("{command: [hook]}")[0], DNSChallenges(HookCommand(("hook",))))
