"""Tests of L{edgegate.istio.translate.certificates}."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems, Role, Severity
from edgegate.istio.translate import CompileOptions, Finding, Part
from edgegate.istio.translate.compile_options import InspectUpstream, inspect_no_upstream
from edgegate.model.certificates import (
    READINESS_TIMEOUT,
    ACMEAuthority,
    CertificateDirectory,
    CertificateIssuer,
    ChallengeKind,
    ExternalAccount,
    KeyType,
    LocalAuthority,
)
from edgegate.model.tls import KeyPair, UpstreamTLS
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import Files, decoded

ISSUER = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: ca}
spec:
  acme: {server: "https://ca.example/dir", agreeToTerms: true}
  storage: {directory: certs}
---
"""
LOCAL = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: ca}
spec:
  local: {}
  storage: {directory: certs}
---
"""
GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, annotations: {edgegate.io/certificate-issuer: ca}}
spec:
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [a.example.com, shop/b.example.com]
    tls: {mode: SIMPLE, credentialName: shop}
---
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {tls.crt: a, tls.key: b}
---
"""


class IssuersTestCase(SynchronousTestCase):
    """Documents with issuers."""

    def compile(
        self, text: str, issuer: str | None = None, inspect: InspectUpstream = inspect_no_upstream, **files: bytes
    ) -> tuple[Snapshot, list[str]]:
        """Compile, and return what is told."""
        resources, problems = decoded(text)
        self.provided: list[str] = []

        def provide(certificate: object) -> KeyPair:
            self.provided.append(certificate.host)  # type: ignore[attr-defined]
            return KeyPair(certificate.credential.name, b"chain", b"key")  # type: ignore[attr-defined]

        options = CompileOptions(
            read_file=Files(files),
            inspect_upstream=inspect,
            locate=lambda name: f"/etc/{name}",
            provide=provide,
            certificate_issuer=issuer,
        )
        compiled = compile_resources(resources, options, problems)
        return compiled.snapshot, self.told(problems)

    def told(self, problems: Problems) -> list[str]:
        """Return what is told but for routes that are missing."""
        return [
            f"{each.line} {each.severity.name.lower()}: {each.message}"
            for each in problems
            if "VirtualService" not in each.message
        ]


class CertificatesTests(IssuersTestCase):
    """Servers whose certificates are issued."""

    def test_issued(self) -> None:
        """Each host of a server has a certificate of its own, by the issuer that its Gateway names."""
        snapshot, told = self.compile(ISSUER + GATEWAY)
        self.assertEqual(told, [])
        where = CertificateDirectory("/etc/certs")
        issuer = CertificateIssuer("default/ca", ACMEAuthority("https://ca.example/dir"), where)
        self.assertEqual(
            [(each.host, each.issuer, each.origin.line) for each in snapshot.certificates],
            [("a.example.com", issuer, 15), ("b.example.com", issuer, 15)],
        )
        tls = [chain.tls for listener in snapshot.listeners for _, chain in listener.secure.items()]
        assert tls[0] is not None
        self.assertEqual(tls[0].credentials, tuple(each.credential for each in snapshot.certificates))
        self.assertEqual(self.provided, ["a.example.com", "b.example.com"])

    def test_secret_wins(self) -> None:
        """Where a Secret provides the certificate nothing is issued."""
        snapshot, told = self.compile(ISSUER + GATEWAY + SECRET)
        self.assertEqual(snapshot.certificates, ())
        self.assertEqual(len(told), 1)
        self.assertIn("no server has a certificate from it", told[0])

    def test_shared(self) -> None:
        """Servers with the same host share its certificate."""
        snapshot, _ = self.compile(ISSUER + GATEWAY + GATEWAY.replace("name: gw", "name: other").replace("443", "444"))
        self.assertEqual([each.host for each in snapshot.certificates], ["a.example.com", "b.example.com"])

    def test_option(self) -> None:
        """An option names the issuer of Gateways that name none, by its namespace or beside them."""
        bare = GATEWAY.replace(", annotations: {edgegate.io/certificate-issuer: ca}", "")
        for issuer in ("ca", "default/ca"):
            snapshot, told = self.compile(ISSUER + bare, issuer)
            self.assertEqual((len(snapshot.certificates), told), (2, []))
        self.assertIn("(--certificate-issuer)", "".join(self.compile(ISSUER + bare, "store/ca")[1]))
        self.assertIn("no document declares Secret", "".join(self.compile(ISSUER + bare)[1]))

    def test_where(self) -> None:
        """An issuer is looked for beside the Gateway, then in istio-system; one that is not there is an error."""
        elsewhere = ISSUER.replace("{name: ca}", "{name: ca, namespace: istio-system}")
        snapshot, _ = self.compile(elsewhere + GATEWAY)
        self.assertEqual(snapshot.certificates[0].issuer.name, "istio-system/ca")
        _, told = self.compile(ISSUER + GATEWAY.replace("issuer: ca", "issuer: caa"))
        self.assertIn('10 error: no document declares CertificateIssuer "caa" in namespace "default"', "".join(told))
        self.assertIn('"ca"', "".join(told))

    def test_hosts(self) -> None:
        """What no authority issues a certificate for is an error at the host."""
        for host, words in (
            ('"*.example.com"', "give CertificateIssuer default/ca the challenge DNS-01"),
            ('"*"', "wildcards such as *.example.com alone"),
            ('"*.com"', "wildcards such as *.example.com alone"),
            ("localhost.", "public DNS"),
            ('"10.0.0.1"', "public DNS"),
        ):
            _, told = self.compile(ISSUER + GATEWAY.replace("a.example.com", host))
            self.assertTrue(any(words in each and each.startswith("15 error") for each in told), (host, told))

    def test_local(self) -> None:
        """An authority of the gateway's own issues for nearly all hosts, and asks nothing at port 80."""
        gateway = "\n".join(line for line in GATEWAY.split("\n") if "number: 80" not in line)
        hosts = 'hosts: [localhost, "*.shop.localhost", 10.0.0.1, "::1"]'
        snapshot, told = self.compile(LOCAL + gateway.replace("hosts: [a.example.com, shop/b.example.com]", hosts))
        self.assertEqual(told, [])
        issuer = CertificateIssuer("default/ca", LocalAuthority(), CertificateDirectory("/etc/certs"), waits=True)
        self.assertEqual({each.issuer for each in snapshot.certificates}, {issuer})
        tls = [chain.tls for listener in snapshot.listeners for _, chain in listener.secure.items()]
        assert tls[0] is not None
        # who sends no SNI is shown the first
        names = [each.name.partition(" ")[0] for each in tls[0].credentials]
        self.assertEqual(names, ["10.0.0.1", "[::1]", "localhost", "*.shop.localhost"])
        for host, words in (('"*"', "name them"), ('"*.localhost"', "as app.localhost"), ('"*.com"', "as app.com")):
            _, told = self.compile(LOCAL + GATEWAY.replace("a.example.com", host))
            self.assertTrue(any(words in each and each.startswith("15 error") for each in told), (host, told))

    def test_local_until_issued(self) -> None:
        """First certificates of such an issuer are waited for, unless it says otherwise."""
        for said, waits in (("", True), ("untilIssued: Wait", True), ("untilIssued: Placeholder", False)):
            snapshot, told = self.compile(LOCAL.replace("spec:", f"spec:\n  {said}") + GATEWAY)
            self.assertEqual((snapshot.certificates[0].issuer.waits, told), (waits, []))

    def test_local_fields(self) -> None:
        """All that such an issuer says is in its value."""
        local = LOCAL.replace("{}", "{name: R&D, keyType: RSA-2048, validity: 24h}")
        snapshot, told = self.compile(local + GATEWAY)
        self.assertEqual(told, [])
        place = CertificateDirectory("/etc/certs")
        authority = LocalAuthority("R&D", 86400.0)
        issuer = CertificateIssuer("default/ca", authority, place, KeyType.RSA_2048, waits=True)
        self.assertEqual(snapshot.certificates[0].issuer, issuer)

    def challenges(self, snapshot: Snapshot) -> tuple[ChallengeKind, ...]:
        """Return how the first host is proved."""
        authority = snapshot.certificates[0].issuer.authority
        assert isinstance(authority, ACMEAuthority)
        return authority.challenges

    def test_challenges(self) -> None:
        """Hosts are proved as is said, by nothing that no server answers; only where that is all there is a warning."""
        alone = "\n".join(line for line in GATEWAY.split("\n") if "number: 80" not in line)
        http, alpn = ChallengeKind.HTTP_01, ChallengeKind.TLS_ALPN_01
        for said, gateway, expected in (
            ("", GATEWAY, (http,)),
            ("", alone, (alpn,)),
            ("[]", alone, (alpn,)),
            ("[HTTP-01]", GATEWAY, (http,)),
            ("[TLS-ALPN-01]", GATEWAY, (alpn,)),
            ("[TLS-ALPN-01, HTTP-01, TLS-ALPN-01]", GATEWAY, (alpn, http)),
            ("[HTTP-01, TLS-ALPN-01]", alone, (alpn,)),
        ):
            challenges = f"true, challenges: {said}}}" if said else "true}"
            snapshot, told = self.compile(ISSUER.replace("true}", challenges) + gateway)
            self.assertEqual((self.challenges(snapshot), told), (expected, []))
        snapshot, told = self.compile(ISSUER.replace("true}", "true, challenges: [HTTP-01]}") + alone)
        self.assertEqual(self.challenges(snapshot), (http,))
        self.assertEqual(len(told), 1)
        self.assertIn("5 warning: authorities ask for HTTP-01 at port 80", told[0])

    def test_wildcards(self) -> None:
        """Wildcards are issued where DNS-01 is a challenge, and hosts that leave room for it."""
        by_dns = ISSUER.replace("true}", "true, challenges: [DNS-01], dns01: {command: [hook]}}")
        label = "a" * 62 + "."
        for host, words in (
            ("*.example.com", ""),
            (label * 3 + "b" * 44 + ".com", ""),
            (label * 3 + "b" * 45 + ".com", "leaves no room"),
            ("*." + label * 3 + "b" * 45 + ".com", "leaves no room"),
            ("*", "wildcards such as"),
        ):
            snapshot, told = self.compile(by_dns + GATEWAY.replace("a.example.com", f'"{host}"'))
            if words:
                self.assertTrue(any(words in each and each.startswith("15 error") for each in told), (host, told))
            else:
                self.assertEqual((snapshot.certificates[0].host, told), (host, []))
        both = by_dns.replace("[DNS-01]", "[DNS-01, HTTP-01]")
        _, told = self.compile(both + GATEWAY.replace("a.example.com", label * 3 + "b" * 45 + ".com"))
        self.assertEqual(told, [])

    def test_all_fields(self) -> None:
        """All that an issuer says is in its value, with files and Secrets read."""
        more = (
            "true, email: a@b.example, caCertificates: ca.pem, keyType: RSA-2048, preferredChain: Root, "
            "externalAccountBinding: {keyId: kid, key: {secretName: eab}}}"
        )
        secret = SECRET.replace("shop", "eab").replace("tls.crt: a, tls.key: b", 'key: "abc_-9=\\n"')
        pem = b"-----BEGIN CERTIFICATE-----"
        text = ISSUER.replace("true}", more) + GATEWAY + secret
        snapshot, told = self.compile(text, **{"ca.pem": pem})
        self.assertEqual(told, [])
        account = ExternalAccount("kid", "abc_-9")
        self.assertEqual(
            snapshot.certificates[0].issuer,
            CertificateIssuer(
                "default/ca",
                ACMEAuthority("https://ca.example/dir", "a@b.example", pem, account, "Root"),
                CertificateDirectory("/etc/certs"),
                KeyType.RSA_2048,
            ),
        )
        self.assertNotIn("abc", repr(snapshot))
        for spec, waits, timeout in (
            ("untilIssued: Wait", True, READINESS_TIMEOUT),
            ("untilIssued: Wait\n  readinessTimeout: 2m", True, 120.0),
            ("untilIssued: Wait\n  readinessTimeout: 0s", True, 0.0),
            ("untilIssued: Placeholder", False, READINESS_TIMEOUT),
        ):
            issuer = self.compile(ISSUER.replace("spec:", f"spec:\n  {spec}") + GATEWAY)[0].certificates[0].issuer
            self.assertEqual((issuer.waits, issuer.readiness_timeout), (waits, timeout), spec)
        for old, new, words in (
            ("secretName: eab", "file: eab", "can't be read"),
            ("secretName: eab", "file: ca.pem", "no key in base64url"),
            ("secretName: eab", "secretName: eb", "no document declares Secret"),
            ("abc_-9=", "abcd5=", "no key in base64url"),
            ('key: "abc_-9=\\n"', "other: a", "has no key"),
            ("caCertificates: ca.pem", "caCertificates: no.pem", "can't be read"),
            ("caCertificates: ca.pem", "caCertificates: empty.pem", "holds no certificate"),
        ):
            _, told = self.compile(text.replace(old, new), **{"ca.pem": pem, "empty.pem": b""})
            self.assertTrue(any(words in each for each in told), (words, told))

    def test_authorities_that_are_none(self) -> None:
        """Certificates by which an authority is trusted are looked at as those of backends are."""
        text = ISSUER.replace("true}", "true, caCertificates: ca.pem}") + GATEWAY
        asked = []

        def inspect(tls: UpstreamTLS, pair: KeyPair | None) -> Iterable[Finding]:
            asked.append((tls.authorities, pair))
            yield Finding(Severity.ERROR, Part.AUTHORITIES, "certificate 1 can't be read")
            yield Finding(Severity.WARNING, Part.AUTHORITIES, "it has ended", role=Role.TIME)

        pem = b"-----BEGIN CERTIFICATE-----"
        _, told = self.compile(text, inspect=inspect, **{"ca.pem": pem})
        self.assertEqual(told, ["5 warning: ca.pem: it has ended", "5 error: ca.pem: certificate 1 can't be read"])
        self.assertEqual(asked, [(pem, None)])

    def test_mutual(self) -> None:
        """Clients' certificates need a CA as ever."""
        mutual = GATEWAY.replace("SIMPLE", "MUTUAL")
        _, told = self.compile(ISSUER + mutual)
        self.assertTrue(any("there is no Secret shop-cacert" in each for each in told), told)
        ca = SECRET.replace("name: shop", "name: shop-cacert").replace("tls.crt: a, tls.key: b", "ca.crt: a")
        snapshot, told = self.compile(ISSUER + mutual + ca)
        self.assertEqual((told, len(snapshot.certificates)), ([], 2))
