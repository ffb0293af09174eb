"""What the admin listener shows of a folder with private keys in it: nothing of the keys."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from edgegate.tls.authority import Authority
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports

AUTHORITY = Authority.new("Test authority")

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - port: {{number: {https}, name: files, protocol: HTTPS}}
    hosts: [files.example]
    tls: {{mode: SIMPLE, serverCertificate: certs/files.crt, privateKey: certs/files.key}}
  - port: {{number: {https}, name: secret, protocol: HTTPS}}
    hosts: [secret.example]
    tls: {{mode: SIMPLE, credentialName: shop}}
---
apiVersion: v1
kind: Secret
metadata: {{name: shop}}
type: kubernetes.io/tls
data: {{tls.crt: {certificate}, tls.key: {key}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: backend}}
spec:
  host: 127.0.0.1
  trafficPolicy:
    tls:
      {{mode: MUTUAL, clientCertificate: certs/client.crt, privateKey: certs/client.key, caCertificates: certs/ca.crt}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec:
  hosts: [files.example, secret.example]
  gateways: [gw]
  http:
  - route: [{{destination: {{host: 127.0.0.1, port: {{number: {https}}}}}}}]
"""

PAGES = ("listeners", "routes", "clusters", "certs", "overload", "config_dump", "reload", "drain", "upgrade", "")


def spellings(pem: bytes) -> Iterator[bytes]:
    """Yield what a dump could have of a key, in lower case: its file, its DER, its number, and parts of them."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    number = key.private_numbers().private_value
    raw = number.to_bytes(32, "big")
    yield from (b"%d" % number, b"%x" % number, raw.hex(":").encode(), json.dumps(list(raw)).encode())
    for form in (PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8):
        der = key.private_bytes(Encoding.DER, form, NoEncryption())
        text = key.private_bytes(Encoding.PEM, form, NoEncryption())
        yield from (line for line in text.splitlines() if line and not line.startswith(b"-"))
        for whole in (der, text, raw):
            yield from (whole, whole.hex().encode(), b64encode(whole), urlsafe_b64encode(whole).rstrip(b"="))
            # in the middle of something else base64 has one of three forms
            for skipped in range(3):
                yield b64encode(whole[skipped : skipped + 30 - 30 % 3])
    yield b"private key-----"


class PrivateKeyTests(AcceptanceTestCase):
    """Keys of servers, in files and in a Secret, and of clients towards backends."""

    def serve(self, *options: str) -> int:
        """Serve the folder; return the admin listener's port."""
        https, admin = free_ports(2)
        certs = self.folder / "etc" / "certs"
        certs.mkdir(parents=True)
        (certs / "ca.crt").write_bytes(AUTHORITY.own.chain_pem)
        self.keys = []
        for name in ("files", "client", "secret"):
            issued = AUTHORITY.server([f"{name}.example"])
            self.keys.append(issued.key_pem)
            (certs / f"{name}.crt").write_bytes(issued.chain_pem)
            (certs / f"{name}.key").write_bytes(issued.key_pem)
        # the Secret has what its name says
        pair = [b64encode((certs / f"secret.{end}").read_bytes()).decode() for end in ("crt", "key")]
        for end in ("crt", "key"):
            (certs / f"secret.{end}").unlink()
        text = FILES.format(https=https, certificate=pair[0], key=pair[1])
        (self.folder / "etc" / "gw.yaml").write_text(text)
        gateway = self.start("twistd", "-n", "edgegate", "--config=etc", f"--admin=127.0.0.1:{admin}", *options)
        gateway.says("serving ")
        self.gateway = gateway
        return admin

    def shown(self, admin: int) -> bytes:
        """Return all that is shown."""
        found = b""
        for page in PAGES:
            for form in ("", "?format=json"):
                with urllib.request.urlopen(f"http://127.0.0.1:{admin}/{page}{form}", timeout=PATIENCE) as answer:
                    found += answer.read()
        return found

    def check(self, *options: str) -> None:
        """Look for the keys in all that is shown and said."""
        shown = self.shown(self.serve(*options))
        for name in (b"files.example", b"secret.example", b"client.example"):
            self.assertIn(name, shown)
        everything = (shown + self.gateway.output.encode()).lower()
        # what JSON does to bytes and line breaks must not hide any
        everything += everything.replace(b"\\n", b"\n")
        for pem in self.keys:
            for each in spellings(pem):
                self.assertNotIn(each.lower(), everything)

    def test_one_process(self) -> None:
        """No page has anything of a key, in no encoding."""
        self.check()

    def test_workers(self) -> None:
        """Neither has what workers tell."""
        self.check("--workers=2")

    def test_spellings(self) -> None:
        """A dump of what was read would be found."""
        key = AUTHORITY.server(["a.example"]).key_pem
        found = [each.lower() for each in spellings(key)]
        self.assertTrue(any(each in key.lower() for each in found))
        self.assertTrue(any(each in b64encode(key).lower() for each in found))
        self.assertTrue(any(each in json.dumps({"key": key.decode()}).lower().encode() for each in found))
