"""Certificates for wildcards, by an authority that asks a real name server."""

from __future__ import annotations

import socket
import ssl
import sys
from functools import partial
from string import Template

from tests.acceptance.knot import Knot
from tests.acceptance.pebble import Pebble
from tests.acceptance.processes import PATIENCE, READY, AcceptanceTestCase, free_ports, wait_until

ISSUER = """\
apiVersion: edgegate.io/v1alpha1
kind: CertificateIssuer
metadata: {name: $name}
spec:
  acme:
    server: "$url"
    agreeToTerms: true
    caCertificates: "$ca"
    challenges: [DNS-01]
    dns01: $dns01
  storage: {directory: "$store"}
---
"""
UPDATES = (
    '{rfc2136: {server: "127.0.0.1:$port", tsig: {keyName: edge_gate, algorithm: $algorithm, key: {file: "$key"}}}}'
)

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: $name, annotations: {edgegate.io/certificate-issuer: $issuer}}
spec:
  servers:
  - port: {number: $https, name: https-$name, protocol: HTTPS}
    hosts: [$hosts]
    tls: {mode: SIMPLE, credentialName: $name}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: $name}
spec:
  hosts: [$hosts]
  gateways: [$name]
  http: [{directResponse: {status: 200, body: {string: "$name"}}}]
---
"""

HOOK = """\
import os, sys
from dns import query, rdataclass, tsig, update

port, key = sys.argv[1:]
made = update.UpdateMessage("example.com")
made.use_tsig(tsig.Key("edge_gate", open(key).read(), "hmac-sha512"))
what = os.environ["EDGEGATE_NAME"] + ".", "TXT", os.environ["EDGEGATE_VALUE"]
if os.environ["EDGEGATE_ACTION"] == "present":
    made.add(what[0], 60, *what[1:])
else:
    made.delete(*what)
sys.exit(query.tcp(made, "127.0.0.1", 60, int(port)).rcode())
"""


class DNSChallengesTests(AcceptanceTestCase):
    """One gateway, an authority, and a name server."""

    def setUp(self) -> None:
        """Start the others."""
        super().setUp()
        self.https, http, dns, *others = free_ports(7)
        # of a host whose zone is kept elsewhere, the name leads there
        self.knot = Knot(self, dns, "_acme-challenge.shop CNAME _shop.acme\n")
        self.pebble = Pebble(self, http, others, names=f"127.0.0.1:{dns}")
        (self.folder / "hook.py").write_text(HOOK)

    def write(self) -> None:
        """Write the files of the gateway: issuers by updates, by a program, and with another key than the server's."""
        words = f'[{sys.executable}, "{self.folder}/hook.py", "{self.knot.port}", "{self.knot.key}"]'
        updates = Template(UPDATES).substitute
        known = {"port": self.knot.port, "key": self.knot.key}
        ways = {
            "updates": updates(known, algorithm="hmac-sha512"),
            "hook": f"{{command: {words}, propagationTimeout: 0s}}",
            "wrong": updates(known, algorithm="hmac-sha256"),
        }
        values = {"url": self.pebble.url, "ca": self.pebble.ca, "store": self.folder / "store"}
        text = "".join(Template(ISSUER).substitute(values, name=name, dns01=way) for name, way in ways.items())
        for name, issuer, hosts in (
            ("all", "updates", '"*.example.com", example.com'),
            ("shop", "updates", '"*.shop.example.com"'),
            ("hook", "hook", '"*.hook.example.com"'),
            ("wrong", "wrong", '"*.wrong.example.com"'),
        ):
            text += Template(GATEWAY).substitute(name=name, issuer=issuer, hosts=hosts, https=self.https)
        (self.folder / "etc").mkdir()
        (self.folder / "etc" / "all.yaml").write_text(text)

    def names(self, host: str, root: str) -> set[str] | None:
        """Return the names of what a client is shown that trusts the authority; L{None}: it is of another."""
        context = ssl.create_default_context(cafile=root)
        try:
            with (
                socket.create_connection(("127.0.0.1", self.https), PATIENCE) as connection,
                context.wrap_socket(connection, server_hostname=host) as secure,
            ):
                found = secure.getpeercert()
        except ssl.SSLCertVerificationError:
            return None
        assert found is not None
        return {str(value) for _, value in found["subjectAltName"]}

    def test_wildcards(self) -> None:
        """Wildcards are issued and shown for the names that they are for; nothing is left in the DNS."""
        self.write()
        checked = self.ask("edgegate", "check", "etc")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", "--config=etc", "--admin=none")
        gateway.says(READY)
        root = str(self.pebble.root())
        for host, name in (
            ("a.example.com", "*.example.com"),
            ("example.com", "example.com"),
            ("b.shop.example.com", "*.shop.example.com"),
            ("c.hook.example.com", "*.hook.example.com"),
        ):
            told = partial(str.format, "{} has no certificate", host)
            wait_until(lambda host=host: self.names(host, root) is not None, told, pause=0.2)  # type: ignore[misc]
            self.assertEqual(self.names(host, root), {name})
            asked = self.ask(
                *("curl", "--silent", "--show-error", "--cacert", root, "--noproxy", "*"),
                *("--resolve", f"{host}:{self.https}:127.0.0.1", f"https://{host}:{self.https}/"),
            )
            self.assertEqual(asked.stderr, "")
        for name in ("_acme-challenge", "_shop.acme", "_acme-challenge.hook"):
            self.assertEqual(self.knot.texts(f"{name}.example.com"), [])
        line = gateway.finds(lambda line: "no certificate for *.wrong.example.com by default/wrong" in line)
        self.assertIn("does not know the TSIG key edge_gate with this algorithm (BADKEY)", line)
        self.assertEqual(len(self.pebble.issued), 4)
        self.assertEqual(len(list((self.folder / "store").rglob("_wildcard.*.pem"))), 3)
        self.assertNotIn("may be there for good", gateway.output)
