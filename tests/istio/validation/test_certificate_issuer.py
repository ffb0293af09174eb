"""Tests of L{edgegate.istio.validation.certificate_issuer}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase

ACME = 'acme: {server: "https://ca.example/dir", agreeToTerms: true}\n'
LOCAL = "local: {}\nstorage: {directory: certs}\n"
GOOD = ACME + "storage: {directory: certs}\n"
REDIS = ACME + 'storage: {redis: {address: "redis:6379", encryptionKey: {file: k}}}'


class CertificateIssuerTests(CasesTestCase):
    """A CertificateIssuer by itself."""

    def test_errors(self) -> None:
        """What is missing or can't be meant is told."""

        def acme(more: str) -> str:
            return GOOD.replace("true}", f"true, {more}}}")

        self.check(
            "CertificateIssuer",
            [
                (GOOD, ""),
                (acme("email: a@b.example, challenges: [HTTP-01], keyType: RSA-4096, preferredChain: X"), ""),
                (acme("externalAccountBinding: {keyId: a, key: {file: b}}"), ""),
                (GOOD + "untilIssued: Wait\nreadinessTimeout: 2m", ""),
                (GOOD + "untilIssued: Placeholder", ""),
                (GOOD + "untilIssued: Wait\nreadinessTimeout: 0s", ""),
                (GOOD + "untilIssued: Wait\nreadinessTimeout: 61m", "it is more than 1h"),
                (GOOD + "untilIssued: Never", "Never"),
                (ACME, "a directory is required"),
                (ACME + 'storage: {directory: ""}', "a directory is required"),
                (REDIS, ""),
                (REDIS.replace("file: k", "secretName: k"), ""),
                (REDIS.replace("file: k", ""), "either file or secretName is required"),
                (REDIS.replace(", encryptionKey: {file: k}", ""), "either file or secretName is required"),
                (REDIS.replace("redis:6379", "redis"), "neither HOST:PORT nor unix://"),
                (REDIS.replace("{address", "{username: u, address"), "give passwordFile"),
                (REDIS.replace("{address", "{keyPrefix: 'a b', address"), "letters, digits"),
                (REDIS.replace("{redis", "{directory: certs, redis"), "only one of directory and redis"),
                ("storage: {directory: certs}", "either acme or local is required"),
                (LOCAL, ""),
                (LOCAL.replace("{}", "{name: a b, keyType: RSA-2048, validity: 24h}"), ""),
                (LOCAL.replace("{}", "{validity: 9528h}"), ""),
                (LOCAL + "readinessTimeout: 9s\n", ""),
                (LOCAL + "readinessTimeout: 2h\n", "more than 1h"),
                (LOCAL.replace("{}", "{validity: 59m}"), "valid for 1h to 9528h"),
                (LOCAL.replace("{}", "{validity: 9529h}"), "valid for 1h to 9528h"),
                (LOCAL.replace("{}", "{validity: 7d}"), "a duration such as"),
                (LOCAL.replace("{}", '{name: ""}'), "is no name of an authority"),
                (LOCAL.replace("{}", '{name: " a"}'), "is no name of an authority"),
                (LOCAL.replace("{}", f"{{name: {'a' * 65}}}"), "is no name of an authority"),
                (LOCAL.replace("{}", "{keyType: RSA-1024}"), "RSA-1024"),
                (LOCAL.replace("{}", "{server: a}"), "server"),
                ("local: {}", "a directory is required"),
                (ACME + LOCAL, "only one of acme and local"),
                (GOOD.replace("https://ca.example/dir", ""), "the URL of the authority's directory"),
                (GOOD.replace("https:", "http:"), "is no URL that begins with https://"),
                (GOOD.replace("https://ca.example/dir", "https://a:b@ca.example/"), "is no URL"),
                (GOOD.replace("https://ca.example/dir", "https://ca.example:x/"), "is no URL"),
                (GOOD.replace("https://ca.example/dir", "https://[ca/"), "is no URL"),
                (GOOD.replace("https://ca.example/dir", "https://ca.example/ü"), "is no URL"),
                (GOOD.replace("true", "false"), "agreed to"),
                (GOOD.replace(", agreeToTerms: true", ""), "agreed to"),
                (acme("email: ops"), "is no address of mail"),
                (acme('email: "a@b.example,c@d.example"'), "is no address of mail"),
                (acme('email: "mailto:a@b.example"'), "is no address of mail"),
                (acme("challenges: [SMTP]"), "SMTP"),
                (acme("challenges: [HTTP-01, DNS-01]"), "DNS-01 needs dns01"),
                (acme("keyType: RSA-1024"), "RSA-1024"),
                (acme("externalAccountBinding: {key: {file: b}}"), "it is required"),
                (acme("externalAccountBinding: {keyId: a}"), "either file or secretName"),
                (acme("externalAccountBinding: {keyId: a, key: {}}"), "either file or secretName"),
            ],
        )

    def test_warnings(self) -> None:
        """What is of no effect is told."""
        cases = [(GOOD + "readinessTimeout: 2m", "of no effect without untilIssued: Wait"), (GOOD, "")]
        self.check("CertificateIssuer", cases, "warning")
