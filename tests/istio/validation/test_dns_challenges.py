"""Tests of L{edgegate.istio.validation.dns_challenges}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.validation.dns_challenges import is_dns_name, name_server
from tests.istio.validation.cases import CasesTestCase


def issuer(dns01: str, challenges: str = "DNS-01") -> str:
    """Return the spec of an issuer."""
    return (
        f'acme: {{server: "https://ca.example/dir", agreeToTerms: true, challenges: [{challenges}], dns01: {dns01}}}\n'
        "storage: {directory: certs}\n"
    )


def updates(more: str = "", server: str = "ns1.example.com") -> str:
    """Return the spec of one with a name server."""
    return issuer(f'{{rfc2136: {{server: "{server}"{more}}}}}')


def command(more: str, words: str = "hook") -> str:
    """Return the spec of one with a program."""
    return issuer(f"{{command: [{words}]{more}}}")


class DNSChallengesTests(CasesTestCase):
    """What an issuer says of DNS-01."""

    def test_errors(self) -> None:
        """What is missing or can't be meant is told."""
        key = "key: {file: k}"
        self.check(
            "CertificateIssuer",
            [
                (updates(), ""),
                (
                    updates(f", zone: _x.example.com., ttl: 60, tsig: {{keyName: a_b, {key}, algorithm: hmac-sha384}}"),
                    "",
                ),
                (updates(server="[2001:db8::1]:53"), ""),
                (command(", commandTimeout: 2m, propagationTimeout: 10m", "/usr/bin/hook, a b, '*'"), ""),
                (command(", propagationTimeout: 0s"), ""),
                (issuer("{}"), "either rfc2136 or command is required"),
                (issuer("{rfc2136: {server: a}, command: [a]}"), "only one of rfc2136 and command"),
                (issuer("{rfc2136: {}}"), "the name server that takes updates"),
                (updates(server="ns1.example.com:0"), "is no HOST or HOST:PORT"),
                (updates(server="ns1.example.com:65536"), "is no HOST or HOST:PORT"),
                (updates(server="dns://ns1"), "is no HOST or HOST:PORT"),
                (updates(server="ns1 "), "is no HOST or HOST:PORT"),
                (updates(', zone: "*.example.com"'), "is no name of a zone"),
                (updates(', zone: ""'), "is no name of a zone"),
                (updates(", ttl: 86401"), "more than 86400 seconds"),
                (updates(", ttl: -1"), "ttl"),
                (updates(f", tsig: {{{key}}}"), "keyName"),
                (updates(f", tsig: {{keyName: 'a b', {key}}}"), "is no name of a key"),
                (updates(", tsig: {keyName: a}"), "either file or secretName"),
                (updates(", tsig: {keyName: a, key: {}}"), "either file or secretName"),
                (updates(f", tsig: {{keyName: a, {key}, algorithm: hmac-md5}}"), "hmac-md5"),
                (command("", ""), "it names no program"),
                (command("", "''"), "it names no program"),
                (command("", ", ".join(["a"] * 65)), "more than 64 words"),
                (command("", "a" * 16_385), "16384 characters"),
                (command(", commandTimeout: 121s"), "more than 120s"),
                (command(", propagationTimeout: 601s"), "more than 600s"),
                (command(", propagationTimeout: -1s"), "below 0"),
            ],
        )

    def test_without_effect(self) -> None:
        """What nothing uses is a warning."""
        self.check(
            "CertificateIssuer",
            [
                (issuer("{command: [a]}", "HTTP-01"), "nothing is proved by it"),
                (issuer("{rfc2136: {server: a}, commandTimeout: 5s}"), "there is no command"),
            ],
            "warning",
        )


class NamesTests(SynchronousTestCase):
    """Names and addresses of name servers."""

    def test_server(self) -> None:
        """A server is a host or an address, with a port or without."""
        for text, found in (
            ("ns1.example.com", ("ns1.example.com", 53)),
            ("ns1.example.com:5353", ("ns1.example.com", 5353)),
            ("192.0.2.1", ("192.0.2.1", 53)),
            ("2001:db8::1", ("2001:db8::1", 53)),
            ("[2001:db8::1]:54", ("2001:db8::1", 54)),
            ("ns1:", None),
            (":53", None),
            ("", None),
            ("a/b", None),
            ("a" * 64, None),
        ):
            self.assertEqual(name_server(text), found, text)

    def test_names(self) -> None:
        """Names of the DNS may have underscores, and have labels and a length."""
        self.assertTrue(all(map(is_dns_name, ("a", "_x.example.com", "example.com.", "a-b.c", "a" * 63))))
        self.assertFalse(any(map(is_dns_name, ("", ".", "a..b", "-a", "a" * 64, "a b", "ü.example", "a." * 128))))
