"""Tests of L{edgegate.tls.secrets}."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import KeyPair
from edgegate.tls.authority import Authority, Issued, certificate_pem
from edgegate.tls.secrets import (
    BadKeyMaterial,
    check_authorities,
    check_revocations,
    doubts,
    expiry,
    load_key_pair,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
AUTHORITY = Authority.new("Test authority", NOW)
ISSUED = AUTHORITY.server(["a.example"], NOW)
OTHER = AUTHORITY.server(["b.example"], NOW)


def pair(issued: Issued = ISSUED, chain: bytes | None = None, key: bytes | None = None) -> KeyPair:
    """What was issued, or something in place of its parts."""
    return KeyPair("shop.crt", issued.chain_pem if chain is None else chain, issued.key_pem if key is None else key)


def pem(key: object, form: serialization.PrivateFormat, password: bytes | None = None) -> bytes:
    """A private key as PEM."""
    cipher = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, cipher)  # type: ignore[attr-defined,no-any-return]


class KeyPairTests(SynchronousTestCase):
    """Certificates with keys that can be served, and the reasons why others can't."""

    def refused(self, given: KeyPair, reason: str) -> None:
        """Expect a refusal that names the file and the reason, and shows nothing of the key."""
        error = self.assertRaises(BadKeyMaterial, load_key_pair, given)
        self.assertEqual(error.name, "shop.crt")
        self.assertEqual(error.reason, reason)
        self.assertEqual(str(error), f"shop.crt: {reason}")
        for line in given.key.split(b"\n"):
            if len(line) > 20 and not line.startswith(b"--"):
                self.assertNotIn(line.decode("ascii", "replace"), f"{error!r}{error.__cause__!r}{given!r}")

    def test_good(self) -> None:
        """ECDSA, RSA and Ed25519 keys are served, with or without intermediate authorities."""
        for key in (None, rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
            load_key_pair(pair(AUTHORITY.server(["a.example"], NOW, key=key)))
        edwards = ed25519.Ed25519PrivateKey.generate()
        load_key_pair(pair(AUTHORITY.server(["a.example"], NOW, key=edwards)))  # type: ignore[arg-type]
        load_key_pair(pair(AUTHORITY.intermediate("Below", NOW).server(["a.example"], NOW)))

    def test_key_formats(self) -> None:
        """Keys come as PKCS #8 or in OpenSSL's older form."""
        load_key_pair(pair(key=pem(ISSUED.key, serialization.PrivateFormat.TraditionalOpenSSL)))

    def test_curve_parameters(self) -> None:
        """C{openssl ecparam -genkey} writes the curve's parameters before the key."""
        made = subprocess.run(
            ["openssl", "ecparam", "-name", "prime256v1", "-genkey"], check=True, capture_output=True, timeout=60
        ).stdout
        self.assertIn(b"EC PARAMETERS", made)
        block = made[made.index(b"-----BEGIN EC PRIVATE") :]
        key = serialization.load_pem_private_key(block, None)
        load_key_pair(pair(AUTHORITY.server(["a.example"], NOW, key=key), key=made))  # type: ignore[arg-type]

    def test_one_file_for_both(self) -> None:
        """A file that holds the chain and the key can be named for both."""
        both = ISSUED.key_pem + ISSUED.chain_pem
        load_key_pair(pair(chain=both, key=both))

    def test_text_around(self) -> None:
        """What stands around the PEM blocks is not looked at, nor is the kind of line ends."""
        load_key_pair(pair(chain=b"subject=CN = a.example\r\n" + ISSUED.chain_pem.replace(b"\n", b"\r\n") + b"\r\n"))

    def test_another_key(self) -> None:
        """The key must be the certificate's."""
        self.refused(pair(key=OTHER.key_pem), "the private key does not belong to the certificate")

    def test_wrong_order(self) -> None:
        """The issuer's certificate before the server's is a common mistake, and has a message of its own."""
        self.refused(
            pair(chain=AUTHORITY.own.chain_pem + ISSUED.chain_pem),
            "certificate 2 of the file is the key's: it must be the first, its issuers behind it",
        )

    def test_no_certificate(self) -> None:
        """What stands in the certificate's place is named."""
        for chain, found in {
            b"": "it is empty",
            b" \n": "it is empty",
            b"hello": "it is not PEM",
            ISSUED.key_pem: "it holds PRIVATE KEY",
            b"\x30\x82\x01\x00abc": "it is DER, not PEM",
            ISSUED.chain_pem[:-30]: "it is cut off, or its PEM markers do not fit together",
        }.items():
            self.refused(pair(chain=chain), f"no certificate found: {found}")

    def test_unreadable_certificate(self) -> None:
        """In a chain, the one that is broken is named."""
        broken = ISSUED.chain_pem.replace(b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN CERTIFICATE-----\nAAAA")
        self.refused(pair(chain=ISSUED.chain_pem + broken), "certificate 2 can't be read")

    def test_no_key(self) -> None:
        """What stands in the key's place is named."""
        self.refused(pair(key=b""), "no private key found: it is empty")
        self.refused(pair(key=ISSUED.chain_pem), "no private key found: it holds CERTIFICATE")

    def test_key_file(self) -> None:
        """What is wrong with the key's own file is said of that one, and not of the certificate's."""
        for key in (b"", ISSUED.chain_pem, ISSUED.key_pem[:-30]):
            mistaken = replace(pair(key=key), key_file="shop.key")
            self.assertEqual(self.assertRaises(BadKeyMaterial, load_key_pair, mistaken).name, "shop.key")

    def test_two_keys(self) -> None:
        """Of two keys, nobody knows which is meant."""
        self.refused(
            pair(key=ISSUED.key_pem + OTHER.key_pem), "more than one private key: it must be clear which is meant"
        )

    def test_unreadable_key(self) -> None:
        """A broken key is refused without a word of it."""
        lines = ISSUED.key_pem.split(b"\n")
        lines[1] = lines[1][::-1]
        self.refused(pair(key=b"\n".join(lines)), "the private key can't be read")

    def test_encrypted_key(self) -> None:
        """Nobody can type a passphrase: an encrypted key is refused in both of its forms."""
        reason = "the private key is encrypted, and nobody is there to type its passphrase: store it decrypted"
        for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
            self.refused(pair(key=pem(ISSUED.key, form, b"secret")), reason)

    def test_short_rsa_key(self) -> None:
        """Clients refuse RSA keys below 2048 bits."""
        key = rsa.generate_private_key(65537, 1024)
        self.refused(
            pair(AUTHORITY.server(["a.example"], NOW, key=key)), "the RSA key has 1024 bits: clients demand 2048"
        )

    def test_unknown_curve(self) -> None:
        """Clients do not know every curve."""
        key = ec.generate_private_key(ec.SECP256K1())
        self.refused(
            pair(AUTHORITY.server(["a.example"], NOW, key=key)),
            "the key's curve is secp256k1: clients know P-256, P-384 and P-521",
        )

    def test_unknown_kind(self) -> None:
        """A DSA key is of no use to a server."""
        key = dsa.generate_private_key(2048)
        self.refused(
            pair(key=pem(key, serialization.PrivateFormat.PKCS8)),
            "the private key is neither RSA nor ECDSA nor EdDSA",
        )


class AuthoritiesTests(SynchronousTestCase):
    """The authorities of clients."""

    def test_good(self) -> None:
        """One or several."""
        check_authorities(AUTHORITY.own.chain_pem)
        check_authorities(AUTHORITY.own.chain_pem + Authority.new("Other", NOW).own.chain_pem)

    def test_none(self) -> None:
        """Without any, no client could be verified."""
        error = self.assertRaises(BadKeyMaterial, check_authorities, b"", "ca.crt")
        self.assertEqual(str(error), "ca.crt: no certificate found: it is empty")


class RevocationsTests(SynchronousTestCase):
    """Certificate revocation lists."""

    def test_good(self) -> None:
        """One or several."""
        check_revocations(AUTHORITY.revocations(now=NOW))
        check_revocations(AUTHORITY.revocations(now=NOW) + AUTHORITY.revocations([ISSUED.certificate], NOW))

    def test_none(self) -> None:
        """A certificate in place of a list is named."""
        error = self.assertRaises(BadKeyMaterial, check_revocations, AUTHORITY.own.chain_pem)
        self.assertEqual(str(error), "caCrl: no certificate revocation list found: it holds CERTIFICATE")

    def test_unreadable(self) -> None:
        """A broken list is refused."""
        broken = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"
        error = self.assertRaises(BadKeyMaterial, check_revocations, broken, "gone.crl")
        self.assertEqual(str(error), "gone.crl: certificate revocation list 1 can't be read")


class ExpiryTests(SynchronousTestCase):
    """How long certificates are good for."""

    def test_first(self) -> None:
        """Of a chain, the one that expires first counts."""
        short = AUTHORITY.server(["a.example"], NOW, timedelta(days=3))
        chain = certificate_pem(AUTHORITY.own.certificate) + short.chain_pem
        self.assertEqual(expiry(chain), NOW + timedelta(days=3, hours=-1))

    def test_doubts(self) -> None:
        """Expired, not yet valid, soon to expire: a warning each; else none."""
        end = ISSUED.certificate.not_valid_after_utc
        for now, doubt in {
            NOW - timedelta(days=1): "the certificate of CN=a.example is not valid before 2026-03-01 11:00 UTC",
            end - timedelta(days=13): "the certificate of CN=a.example expires on 2027-04-02 11:00 UTC",
            end: "the certificate of CN=a.example expired on 2027-04-02 11:00 UTC",
        }.items():
            self.assertEqual(doubts(ISSUED.chain_pem, now), [doubt])
        self.assertEqual(doubts(ISSUED.chain_pem, NOW), [])
